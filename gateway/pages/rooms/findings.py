"""Bevindingen: what did not fit, by rule with its meaning and what to do; object by object; all of it as CSV."""

from __future__ import annotations

from flask import request
from werkzeug import Response as BaseResponse

from gateway.http import problems
from gateway.operator.rooms import found
from gateway.pages.csv_answer import csv_answer
from gateway.pages.desk import Desk
from gateway.pages.numbers import whole
from gateway.store.inspect.findings import START, Place, Selection
from mappings.explain import advice

SHOWN = 100


class FindingsRoom:
    """The page of findings."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("bevindingen", self._rules)
        desk.room("bevindingen/lijst", self._list)
        desk.room("bevindingen/csv", self._csv)

    def _rules(self) -> str:
        chosen = self._chosen()
        return self.desk.page(
            "bevindingen",
            "room_findings",
            rules=found.rules(self.desk.store, chosen),
            chosen=chosen,
            sources=[source.name for source in self.desk.config.sources],
            severities=found.SEVERITIES,
        )

    def _list(self) -> str:
        """The objects of one group: one rule in one field of one source."""
        asked = [request.args.get(name, "") for name in ("regel", "ernst", "bron", "veld")]
        group = found.group(self.desk.store, *asked)
        if group is None:
            raise problems.not_found()
        rows, after = found.objects(self.desk.store, self.desk.config.sources, group, self._place(), SHOWN)
        return self.desk.page(
            "bevindingen",
            "room_findings_list",
            group=group,
            rows=rows,
            after=".".join(map(str, after)) if after else "",
            about=advice.about(group.rule),
            advice=advice.advice(group.rule),
            severity=found.SEVERITIES[group.severity],
        )

    def _csv(self) -> BaseResponse:
        rows = found.all_rows(self.desk.store, self.desk.config.sources, self._chosen())
        return csv_answer("klantbrug-bevindingen", found.HEADINGS, rows)

    @staticmethod
    def _chosen() -> Selection:
        source, rule, severity = (request.args.get(name, "") for name in ("bron", "regel", "ernst"))
        return Selection((source,) if source else (), rule.strip().upper(), severity)

    @staticmethod
    def _place() -> Place:
        parts = [
            number for each in request.args.get("na", "").split(".") if (number := whole(each)) is not None
        ]
        if len(parts) != 3:
            return START
        table, first, second = parts
        return table, first, second
