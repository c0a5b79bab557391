"""Backfill: how the reading in of each source goes, its course and history; pause, resume, stop, and the pace."""

from __future__ import annotations

from flask import request
from werkzeug import Response as BaseResponse

from gateway.config.defaults import MOST_CONNECTIONS
from gateway.operator import backfills
from gateway.operator.backfills import BackfillLimits, NotPossible
from gateway.operator.rooms import ordering, progress
from gateway.operator.status import run_label
from gateway.pages import charts
from gateway.pages.desk import Desk

NO_NUMBER = "Schrijf een getal, bijvoorbeeld 500 of 2."


class BackfillRoom:
    """The page of backfills."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("backfill", self._shown)
        desk.room("backfill/nu", self._shown, used=False)
        desk.form("backfill/<source>/tempo", self._set)

    def _shown(self) -> str:
        status = self.desk.overview()
        found = {}
        for source in self.desk.config.sources:
            course = progress.course(self.desk.store, source)
            samples = course["samples"]
            found[source.name] = {
                "way": status["sources"][source.name]["way"],
                "runs": course["runs"],
                "rate": charts.line([(each["moment"], each["rate"]) for each in samples]),
                "answers": charts.line([(each["moment"], each["p50_ms"]) for each in samples]),
                "limits": source,
            }
        return self.desk.page(
            "backfill",
            "room_backfill",
            sources=found,
            run_label=run_label,
            most=MOST_CONNECTIONS,
            orders_off=self.desk.orders_off(),
            orders=[each for each in ordering.last_orders(self.desk.store) if each["job"] == ordering.READ],
        )

    def _set(self, source: str) -> BaseResponse:
        known, store, who, why = self.desk.source(source), self.desk.store, self.desk.who(), self.desk.why()
        if request.form.get("terugzetten"):
            backfills.unset(store, known, who, why)
            return self.desk.did("backfill", "tempo")
        try:
            rate, connections = (
                request.form.get(name, "").strip().replace(",", ".") for name in ("tempo", "verbindingen")
            )
            limits = BackfillLimits(float(rate) if rate else None, int(connections) if connections else None)
            backfills.set_limits(store, known, limits, who, why)
        except ValueError:
            return self.desk.refused(NO_NUMBER)
        except NotPossible:
            return self.desk.refused(
                f"Vul een tempo in (objecten per seconde, 0 is geen grens), een aantal verbindingen (1 tot en met "
                f"{MOST_CONNECTIONS}), of beide."
            )
        return self.desk.did("backfill", "tempo")
