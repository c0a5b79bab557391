"""Overzicht: per source a line of the way, what it says first, and what to do next with its button."""

from __future__ import annotations

from flask import render_template, request
from werkzeug import Response as BaseResponse

from gateway.config.model import Source
from gateway.http import problems
from gateway.login.guard import current_operator
from gateway.login.guard import page as plain_page
from gateway.login.roles import LOOK
from gateway.operator import backfills, writeback
from gateway.operator.backfills import NothingRuns
from gateway.operator.rooms import next_step, ordering
from gateway.operator.rooms.ordering import AlreadyOrdered
from gateway.operator.status import export_text, kinds_shown, run_label
from gateway.pages.desk import Desk
from gateway.store.base.errors import StoreError

# What the job `orders` does.
ORDERED = (next_step.READ_IN, next_step.PROVE_SAMPLE, next_step.PROVE_WHOLE, next_step.REPAIR)


class OverviewRoom:
    """The first page."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.app.add_url_rule("/", "front", self._front)
        desk.room("overzicht/nu", self._shown, used=False)
        desk.form("bron/<source>/<deed>", self._do)

    def _front(self) -> BaseResponse:
        """Whoever is not logged in sees that it runs, and no more."""
        operator = current_operator()
        if operator is None or LOOK not in operator.roles:
            return plain_page(render_template("front.html", base=self.desk.addresses.base(request.environ)))
        return plain_page(self._shown())

    def _shown(self) -> str:
        status = self.desk.overview()
        return self.desk.page(
            "",
            "room_overview",
            status=status,
            standing=status["standing"],
            kinds_shown=kinds_shown,
            run_label=run_label,
            written_back=writeback.text,
            export_text=export_text,
        )

    def _do(self, source: str, deed: str) -> BaseResponse:
        """What stands on a button of the overview, and of the room Backfill."""
        known = self.desk.source(source)
        room = request.form.get("terug", "") if request.form.get("terug") in ("backfill", "bewijs") else ""
        try:
            done = self._deed(known, deed)
        except (AlreadyOrdered, NothingRuns) as error:
            return self.desk.refused(str(error))
        except StoreError as error:
            return self.desk.refused(str(error))
        return self.desk.did(room, done)

    def _deed(self, source: Source, deed: str) -> str:
        store, who, why = self.desk.store, self.desk.who(), self.desk.why()
        if deed in ORDERED and (off := self.desk.orders_off()):
            raise NothingRuns(off)
        if deed == next_step.READ_IN:
            ordering.read_in(store, source, who, why)
        elif deed == next_step.RESUME:
            backfills.resume(store, source, who, why)
        elif deed == "pauze":
            backfills.pause(store, source, who, why)
        elif deed == "stop":
            if not ordering.stop_reading(store, source, who, why):
                raise NothingRuns(f"Er loopt geen backfill van bron {source.name}.")
        elif deed == "bewijs-stop":
            if not ordering.stop_proof(store, source, who, why):
                raise NothingRuns(f"Er is geen bewijs van bron {source.name} gevraagd dat nog loopt.")
        elif deed in (next_step.PROVE_SAMPLE, next_step.PROVE_WHOLE, next_step.REPAIR):
            whole = deed != next_step.PROVE_SAMPLE
            if deed == next_step.REPAIR:  # as much as the one that was not clean
                proof = self.desk.overview()["sources"][source.name]["way"]["proof"]
                whole = proof is not None and proof["mode"] == "full"
            ordering.prove(store, source, who, why, whole=whole, repair=deed == next_step.REPAIR)
            return "bewijs"
        else:
            raise problems.not_found()
        return deed
