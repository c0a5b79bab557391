"""Export: how far leaving for another register is: what was sent, what it refuses, the proof; leaving, and back."""

from __future__ import annotations

from flask import request
from werkzeug import Response as BaseResponse

from gateway.operator.export.status import overview
from gateway.operator.export.switch import come_back, is_exported, leave, unready
from gateway.operator.phase import NotAllowed
from gateway.operator.status import run_label
from gateway.pages.desk import Desk
from gateway.pages.formats import on_pages
from gateway.pages.rooms.phases import NO_REASON, NOT_SURE


class ExportRoom:
    """The page of the export."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("export", self._shown)
        desk.form("export/vertrek", self._leave)
        desk.form("export/terug", self._back)

    def _shown(self, refused: str = "") -> str:
        exported = is_exported(self.desk.store)
        return self.desk.page(
            "export",
            "room_export",
            found=overview(self.desk.store, self.desk.config.target),
            exported=exported,
            unready="" if exported else unready(self.desk.store, self.desk.config.target),
            run_label=run_label,
            refused=refused,
        )

    def _leave(self) -> BaseResponse:
        """To phase exported, on proof; without one only `klantbrug phase exported --force` can."""
        if wrong := self._unsure():
            return self._no(wrong)
        try:
            leave(self.desk.store, self.desk.config.target, self.desk.who(), self.desk.why())
        except NotAllowed as error:
            return self._no(on_pages(str(error)))
        return self.desk.did("export", "vertrek")

    def _back(self) -> BaseResponse:
        if wrong := self._unsure():
            return self._no(wrong)
        try:
            come_back(self.desk.store, self.desk.who(), self.desk.why())
        except NotAllowed as error:
            return self._no(on_pages(str(error)))
        return self.desk.did("export", "terug")

    def _unsure(self) -> str:
        return NO_REASON if not self.desk.why() else "" if request.form.get("zeker") else NOT_SURE

    def _no(self, why: str) -> BaseResponse:
        return self.desk.answer(self._shown(why), 409)
