"""Terugschrijven: what clients wrote and sources are still to be told; send it again, let it be."""

from __future__ import annotations

from flask import request
from werkzeug import Response as BaseResponse

from gateway.operator import writeback
from gateway.operator.writeback import NoChange
from gateway.pages.desk import Desk
from gateway.pages.numbers import whole
from mappings.writeback import told

SHOWN = 100
# Why a change waits for an operator, in words; what the source says else is a code of its own.
CAUSES = {
    told.CHANGED: "De bron heeft intussen een andere waarde",
    "permission_denied": "Geen rechten bij de bron",
    "not_found": "Bij de bron is het er niet meer",
    "gone": "Bij de bron is het er niet meer",
    "not_taken": "De bron bewaarde iets anders",
}


class WriteBackRoom:
    """The page of write-back."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("terugschrijven", self._shown)
        desk.form("terugschrijven/<int:number>/sturen", self._send)
        desk.form("terugschrijven/<int:number>/vervallen", self._drop)

    def _shown(self) -> str:
        store = self.desk.store
        asked = {name: whole(request.args.get(name, "")) or 0 for name in ("na", "vanaf")}
        parked, parked_after = writeback.part(store, parked=True, after=asked["na"], limit=SHOWN)
        waiting, waiting_after = writeback.part(store, parked=False, after=asked["vanaf"], limit=SHOWN)
        numbers = writeback.numbers(store)
        kinds = [each for of_source in numbers.values() for each in of_source.kinds.values()]
        return self.desk.page(
            "terugschrijven",
            "room_writeback",
            numbers=numbers,
            causes=CAUSES,
            parked=parked,
            parked_count=sum(each.parked for each in kinds),
            parked_after=parked_after,
            waiting=waiting,
            waiting_count=sum(each.waiting for each in kinds),
            waiting_after=waiting_after,
            later=any(asked.values()),
        )

    def _send(self, number: int) -> BaseResponse:
        if not writeback.send_again(self.desk.store, [number], self.desk.who(), self.desk.why()):
            return self.desk.refused("Deze wijziging wacht niet meer op u.")
        return self.desk.did("terugschrijven", "gestuurd")

    def _drop(self, number: int) -> BaseResponse:
        try:
            writeback.let_go(self.desk.store, number, self.desk.who(), self.desk.why())
        except NoChange:
            return self.desk.refused("Deze wijziging wacht niet meer op u.")
        return self.desk.did("terugschrijven", "vervallen")
