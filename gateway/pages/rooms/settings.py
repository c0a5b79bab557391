"""Instellingen: the configuration in use, for reading; secrets are not shown."""

from __future__ import annotations

from importlib.metadata import version

from gateway.operator.rooms.settings import sections
from gateway.pages.desk import Desk


class SettingsRoom:
    """The page of the settings."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("instellingen", self._shown)

    def _shown(self) -> str:
        config = self.desk.config
        return self.desk.page(
            "instellingen",
            "room_settings",
            sections=sections(config),
            path=getattr(config, "path", None),
            version=version("klantbrug"),
        )
