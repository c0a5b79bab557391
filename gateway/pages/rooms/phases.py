"""Fasen: what each phase asks, what is missing for the next, the switch with its reason, and the log."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug import Response as BaseResponse

from gateway.http import problems
from gateway.operator.export.switch import is_exported
from gateway.operator.phase import PHASES, NotAllowed, asks, fingerprint, switch
from gateway.pages.desk import Desk

# What each phase means.
ABOUT = {
    "live": "Wat een client vraagt, wordt zo nodig aan de bron gevraagd. Het begin.",
    "synced": "Clients wachten niet meer op de bron: jobs houden de opslag bij. Terug kan altijd.",
    "cutover": "De bron wordt niet meer bevraagd en kan uit. De opslag is het register. Terug kan tot dan.",
}
NO_REASON = "Schrijf waarom: dat komt in het logboek."
EXPORTED = "De installatie is verhuisd (fase exported): eerst terug, bij Export."
NOT_SURE = "Vink aan dat u dit wilt."


class PhasesRoom:
    """The page of phases."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("fasen", self._shown)
        desk.room("fasen/<source>/<phase>", self._confirm)
        desk.form("fasen/<source>/<phase>", self._switch)

    def _shown(self) -> str:
        status, mapping = self.desk.overview(), fingerprint(self.desk.config.mapping)
        found: dict[str, Any] = {}
        for source in self.desk.config.sources:
            way = status["sources"][source.name]["way"]
            asked = asks(self.desk.store, source.name, way["forward"], mapping) if way["forward"] else []
            found[source.name] = {"way": way, "asked": asked}
        return self.desk.page(
            "fasen",
            "room_phases",
            sources=found,
            phases=PHASES,
            about=ABOUT,
            exported=is_exported(self.desk.store),
        )

    def _confirm(self, source: str, phase: str, why: str = "") -> str:
        known = self.desk.source(source)
        if phase not in PHASES:
            raise problems.not_found()
        way = self.desk.overview()["sources"][known.name]["way"]
        forward = PHASES.index(phase) > PHASES.index(way["phase"])
        mapping = fingerprint(self.desk.config.mapping)
        asked = asks(self.desk.store, known.name, phase, mapping) if forward else []
        return self.desk.page(
            "fasen",
            "room_phase_switch",
            source=known.name,
            phase=phase,
            now=way["phase"],
            about=ABOUT[phase],
            asked=asked,
            missing=[each for each in asked if each.missing],
            forward=forward,
            refused=why,
        )

    def _switch(self, source: str, phase: str) -> BaseResponse:
        known, why = self.desk.source(source), self.desk.why()
        if phase not in PHASES:
            raise problems.not_found()
        if is_exported(self.desk.store):
            return self.desk.refused(EXPORTED)
        if not why:
            return self.desk.answer(self._confirm(source, phase, NO_REASON), 409)
        if not request.form.get("zeker"):
            return self.desk.answer(self._confirm(source, phase, NOT_SURE), 409)
        force = bool(request.form.get("zonder_bewijs"))
        try:
            mapping = fingerprint(self.desk.config.mapping)
            switch(self.desk.store, known.name, phase, self.desk.who(), why, force, mapping)
        except NotAllowed as error:
            return self.desk.answer(self._confirm(source, phase, str(error)), 409)
        return self.desk.did("fasen", "fase")
