"""Quarantaine: what could not be read at all: filter it, have it tried again, let it be, all of it as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import request
from werkzeug import Response as BaseResponse

from gateway.ingest.ingest import Ingest
from gateway.operator.rooms import found, ordering, quarantining
from gateway.pages.csv_answer import csv_answer
from gateway.pages.desk import Desk
from gateway.pages.numbers import whole
from gateway.store.legacy.quarantine import BEGIN, After, QuarantineAsked
from mappings.explain.advice import QUARANTINE

SHOWN = 100
NOTHING_CHOSEN = "Kies eerst een of meer objecten."


class QuarantineRoom:
    """The page of the quarantine."""

    def __init__(self, desk: Desk, ingest: Ingest) -> None:
        self.desk = desk
        self.ingest = ingest
        desk.room("quarantaine", self._shown)
        desk.room("quarantaine/csv", self._csv)
        desk.form("quarantaine/opnieuw", self._retry)
        desk.form("quarantaine/rust", self._dismiss)

    def _shown(self, told: str = "") -> str:
        asked = self._asked()
        store, sources = self.desk.store, self.desk.config.sources
        rows, after = found.quarantined(store, sources, asked, self._after(), SHOWN)
        reasons = found.reasons(store, asked)
        return self.desk.page(
            "quarantaine",
            "room_quarantine",
            rows=rows,
            count=sum(count for _, count in reasons),
            reasons=reasons[:10],
            kinds=found.kinds_in_quarantine(store),
            sources=[source.name for source in sources],
            asked=asked,
            later="na" in request.args,
            after=".".join(map(str, after)) if after else "",
            advice=QUARANTINE,
            told=told or self._tried(),
            orders_off=self.desk.orders_off(),
            orders=[
                each for each in ordering.last_orders(self.desk.store) if each["job"] == ordering.LOOK_AGAIN
            ],
        )

    def _retry(self) -> BaseResponse:
        rows = self._rows()
        if not rows:
            return self.desk.answer(self._shown(NOTHING_CHOSEN), 409)
        done = quarantining.retry(
            self.desk.store, self.desk.config.sources, self._again, rows, self.desk.who(), self.desk.why()
        )
        return self.desk.did(
            "quarantaine", f"opnieuw&goed={done.well}&over={done.left}&gevraagd={done.asked}"
        )

    @staticmethod
    def _tried() -> str:
        """What came of trying again, as the address of the page has it; blank when that was not just done."""
        well, left, asked = (whole(request.args.get(name, "")) for name in ("goed", "over", "gevraagd"))
        if well is None or left is None or asked is None:
            return ""
        parts = [f"{well} nu in orde", f"{left} nog steeds niet te lezen"]
        if asked:
            parts.append(f"naar {asked} vraagt het proces voor de jobs opnieuw bij de bron")
        return f"Opnieuw geprobeerd: {', '.join(parts)}."

    def _again(self, source: str, kind: str, uuids: Sequence[UUID]) -> None:
        self.ingest.retry(source, kind, list(uuids))

    def _dismiss(self) -> BaseResponse:
        rows = self._rows()
        if not rows:
            return self.desk.answer(self._shown(NOTHING_CHOSEN), 409)
        quarantining.dismiss(self.desk.store, rows, self.desk.who(), self.desk.why())
        return self.desk.did("quarantaine", "rust")

    def _csv(self) -> BaseResponse:
        rows = found.all_quarantined(self.desk.store, self.desk.config.sources, self._asked())
        return csv_answer("klantbrug-quarantaine", found.QUARANTINE_HEADINGS, rows)

    @staticmethod
    def _asked() -> QuarantineAsked:
        source, kind = (request.args.get(name, "") for name in ("bron", "soort"))
        return QuarantineAsked(source, kind, "rust" in request.args)

    @staticmethod
    def _after() -> After:
        """After which one the page goes on, as its address has it."""
        parts = [
            number for each in request.args.get("na", "").split(".") if (number := whole(each)) is not None
        ]
        return (parts[0], parts[1]) if len(parts) == 2 else BEGIN

    @staticmethod
    def _rows() -> set[int]:
        rows = (whole(row) for row in request.form.getlist("rij"))
        return {row for row in rows if row is not None}
