"""Bewijs: the reports of verify, one with what differs and in which field, two side by side, and starting one."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug import Response as BaseResponse

from gateway.http import problems
from gateway.login.guard import page as plain_page
from gateway.operator import kept_reports, verify_report
from gateway.operator.rooms import ordering, proofs
from gateway.pages.desk import Desk
from gateway.pages.numbers import whole


class ProofsRoom:
    """The page of proofs."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._known: dict[int, tuple[str, int]] = {}
        desk.room("bewijs", self._list)
        desk.room("bewijs/nu", self._list, used=False)
        desk.room("bewijs/vergelijken", self._compare)
        desk.room("bewijs/<int:number>", self._one)
        desk.room("bewijs/<int:number>/bestand", self._file)

    def _list(self) -> str:
        status = self.desk.overview()
        ways = {source.name: status["sources"][source.name]["way"] for source in self.desk.config.sources}
        return self.desk.page(
            "bewijs",
            "room_proofs",
            reports=proofs.lines(self.desk.store, self._known),
            ways=ways,
            orders_off=self.desk.orders_off(),
            orders=[
                each
                for each in ordering.last_orders(self.desk.store)
                if each["job"] in (ordering.PROVE, ordering.PROVE_SAMPLE)
            ],
        )

    def _one(self, number: int) -> str:
        report = self._report(number)
        return self.desk.page(
            "bewijs",
            "room_proof",
            report=report,
            sentence=verify_report.sentence(report),
            mode=verify_report.mode_text(report),
            columns=verify_report.COLUMNS,
            wrong=verify_report.WRONG,
            title=verify_report.title,
            unseen=verify_report.unseen(report),
            differences=proofs.differences(report),
        )

    def _compare(self) -> str | BaseResponse:
        first, second = (whole(request.args.get(name, "")) for name in ("van", "naar"))
        if first is None or second is None:
            return self.desk.see("/beheer/bewijs")
        one, other = sorted(
            (self._report(number) for number in (first, second)), key=lambda each: int(each["id"])
        )
        found = proofs.side_by_side(one, other)
        return self.desk.page(
            "bewijs", "room_proof_compare", one=one, other=other, found=found, sentence=verify_report.sentence
        )

    def _file(self, number: int) -> BaseResponse:
        """The report as one page to file, as `klantbrug verify --html` writes it."""
        self._report(number)
        answer = plain_page(kept_reports.as_page(self.desk.store, number))
        answer.headers["Content-Disposition"] = f'attachment; filename="klantbrug-bewijs-{number}.html"'
        return answer

    def _report(self, number: int) -> dict[str, Any]:
        found = kept_reports.get_report(self.desk.store, number)
        if found is None:
            raise problems.not_found(f"Er is geen rapport {number}.")
        return found
