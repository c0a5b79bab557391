"""For whoever watches the gateway: the status as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.base import clock
from gateway.beheer.routes import Operating
from gateway.beheer.told import (
    ANYTHING,
    COUNT,
    MOMENT,
    TEXT,
    YES_NO,
    Told,
    named,
    one_of,
    or_null,
    said,
    several,
    thing,
)
from gateway.http.scopes import MONITOR
from gateway.operator.rooms.overview import whole_overview
from gateway.operator.status import COVERAGES
from gateway.store.base.store import Store

if TYPE_CHECKING:
    from gateway.config.model import Config

STATUS_SECONDS = 2.0

_KIND = thing(seen=COUNT, translated=COUNT, quarantined=COUNT, left_out=named(COUNT, "Per regel."))
_SOURCE = thing(
    may_lack=("writeback", "following", "backfill", "asking", "way", "rebuild", "unread"),
    phase=one_of("live", "synced", "cutover"),
    coverage=one_of(*COVERAGES),
    rebuild=YES_NO,
    kinds=named(_KIND, "Per soort object van de bron."),
    unread=thing(objects=COUNT, keyless=COUNT),
    following=thing(
        "Wanneer de laatste sync en sweep waren, en sinds wanneer de sweep stilstaat.",
        synced=or_null(MOMENT),
        swept=or_null(MOMENT),
        hurry=TEXT,
        failed=COUNT,
        still=or_null(MOMENT),
        cause=TEXT,
    ),
    writeback=ANYTHING,
    backfill=or_null(ANYTHING, "Wat een lopende backfill het laatst meldde."),
    asking=or_null(ANYTHING, "Hoe de bron nu wordt gevraagd."),
    way=said(
        ANYTHING,
        "De weg naar cutover, zoals de pagina Overzicht die toont: wat ophoudt, wat ontbreekt, wat te doen.",
    ),
)
_RUN = thing(
    job=TEXT,
    source=or_null(TEXT),
    status=TEXT,
    started=MOMENT,
    heartbeat=or_null(MOMENT),
    finished=or_null(MOMENT),
    counters=ANYTHING,
    message=or_null(TEXT),
)
STATUS = Told(
    "status",
    "Hoe het met de installatie is",
    thing(
        sources=named(_SOURCE, "Per bron, bij haar naam."),
        runs=several(_RUN, "De laatste runs van jobs."),
        events=several(
            thing(moment=MOMENT, source=or_null(TEXT), what=TEXT, who=TEXT, why=TEXT),
            "Wat beheerders het laatst deden.",
        ),
        documents=named(COUNT, "Per soort document."),
        findings=named(COUNT, "Per regel."),
        quarantine=thing(open=COUNT, dismissed=COUNT),
        notifications=thing("Berichten over wat clients schreven.", waiting=COUNT, failed=COUNT),
        inbox=thing("Berichten over de bronnen.", waiting=COUNT, failing=COUNT, foreign=COUNT, dropped=COUNT),
        export=or_null(
            thing(register=TEXT, following=YES_NO, exported=YES_NO, waiting=COUNT, parked=COUNT),
            "Het verhuizen naar een register; null als dat niet is begonnen.",
        ),
        scheduler=thing(wanted=YES_NO, runs=YES_NO),
        store=thing(problems=several(TEXT)),
        standing=said(thing(word=TEXT, level=TEXT, text=TEXT), "Wat de installatie het eerst zegt."),
    ),
    "Alleen aantallen, niets over personen; wel de namen van beheerders in events.",
)


def register(operating: Operating, store: Store, config: Config) -> None:
    """Add `status` to the paths of the operator."""
    kept = _Kept(store, config)
    operating.add("status", kept.numbers, STATUS, scope=MONITOR)


class _Kept:
    """The last status, for a moment: many may look, and what they see need not be newer."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        self._held: tuple[float, dict[str, Any]] | None = None

    def numbers(self) -> dict[str, Any]:
        """What `klantbrug status --json` gives."""
        moment = clock.monotonic()
        held = self._held
        if held is None or held[0] < moment:
            held = self._held = (moment + STATUS_SECONDS, whole_overview(self._store, self._config))
        return held[1]
