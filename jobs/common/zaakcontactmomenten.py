"""How the zaakcontactmomenten of a whole source are read (M32).

Their list has no pages and no order. It comes in one call, at 700 a second, until it is so long (80,000) that the
source gives up. Zaak by zaak takes a call for each of maybe millions of zaken, at 40 to 50 a second. Most sources have
none, or few: those pay one short call. So SAMPLE zaken, spread evenly over those that are held, show how long the list
must be. A short one is asked whole. Only a list that is long, or that did not come, is asked zaak by zaak.

Either way an answer is whole and of one moment, so nothing slips through as between pages: one reading is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Self
from uuid import UUID

from gateway.base.logs import get_logger
from gateway.fetch.contents import no_list
from gateway.fetch.fetcher import Fetcher
from gateway.legacy.background import patient
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import CircuitOpen, Forbidden, LegacyError, WaitTooLong
from gateway.store.inspect import comparing
from gateway.store.operation import following
from jobs.common.crew import Answers
from mappings.standards import CONNECTION

log = get_logger("klantbrug.connections")

# The ways to read them.
WHOLE, BY_ZAAK, NONE = "whole", "by zaak", "none"
# With so few zaken the list is short.
FEW_ZAKEN = 2_000
# One zaakcontactmoment among so many of a million zaken stands for 5,000, which is as much as a call should ask.
SAMPLE = 200
MOST = 5_000
PIECE = 200
PATIENCE = 24 * 3600.0
# Says nothing of the list: the source was not asked.
_NOT_ASKED = (CircuitOpen, WaitTooLong)


def way_of(fetcher: Fetcher) -> str:
    """How to read the zaakcontactmomenten of a source whose zaken are held. Raises LegacyError."""
    sample = sample_of(fetcher)
    while not sample.way:
        zaak = sample.zaken[sample.asked]
        try:
            sample.add(len(of_zaak(fetcher.client, zaak)))
        except LegacyError as error:
            return without_list(fetcher.client, error)
    return sample.way


@dataclass(slots=True)
class Sample:
    """Zaken that are asked to see which way is best: `way` is blank until that is known.

    `held` is how many readable zaken there are; `asked` of the sample gave `found` zaakcontactmomenten. As a dict it is
    kept, so that an interruption does not cost what was asked.
    """

    way: str
    held: int = 0
    zaken: list[bytes] = field(default_factory=list)
    asked: int = 0
    found: int = 0

    def add(self, found: int) -> None:
        """The next zaak of the sample gave so many."""
        self.asked, self.found = self.asked + 1, self.found + found
        if self.asked >= len(self.zaken):
            self.way = WHOLE if self.found * self.held <= MOST * len(self.zaken) else BY_ZAAK

    def to_json(self) -> dict[str, Any]:
        """It as JSON has it."""
        return {**asdict(self), "zaken": [zaak.hex() for zaak in self.zaken]}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**kept, "zaken": [bytes.fromhex(zaak) for zaak in kept["zaken"]]})


def sample_of(fetcher: Fetcher) -> Sample:
    """The zaken to ask first; none where the way is known without asking. Raises LegacyError."""
    client = fetcher.client
    if not client.can(CONNECTION, "zaak"):
        return Sample(NONE)
    if client.zaakcontactmomenten == "per_zaak":
        return Sample(BY_ZAAK)
    with fetcher.store.read() as connection:
        zaken = comparing.count_readable_zaken(connection, fetcher.source)
        if zaken <= FEW_ZAKEN:
            return Sample(WHOLE)
        places = sorted({number * zaken // SAMPLE for number in range(SAMPLE)})
        found = comparing.readable_zaken_at(connection, fetcher.source, places)
    return Sample("", zaken, sorted(found))


def whole(client: ZakenClient) -> tuple[str, list[dict[str, Any]]]:
    """The whole list in one call. Out: WHOLE and the list; or how else to go on.

    Raises LegacyError when the source could not be asked, or refuses us altogether.
    """
    try:
        with patient(PATIENCE):
            return WHOLE, client.unfiltered(CONNECTION)
    except LegacyError as error:
        if no_list(error):
            return without_list(client, error), []
        if isinstance(error, (*_NOT_ASKED, Forbidden)):
            raise
        log.warning("zaakcontactmomenten by zaak", source=client.source_name, cause=error.cause)
        return BY_ZAAK, []


def of_zaak(client: ZakenClient, zaak: bytes) -> list[dict[str, Any]]:
    """Those of one zaak. Raises LegacyError."""
    return client.all(CONNECTION, {"zaak": client.url_of("zaak", str(UUID(bytes=zaak)))})


def pieces(
    fetcher: Fetcher, answers: Answers, at: list[Any] | None = None
) -> Iterator[tuple[list[Any], list[dict[str, Any]]]]:
    """All zaakcontactmomenten that the source shows of zaken that are held, some at a time.

    Out: with each piece where to go on (`at`) after it. `answers` asks side by side. Raises LegacyError.
    """
    way, after = at or (way_of(fetcher), 0)
    if way == WHOLE:
        way, found = whole(fetcher.client)
        if way == WHOLE:
            yield [NONE, after], found
    while way == BY_ZAAK:
        with fetcher.store.read() as connection:
            zaken = following.held_after(connection, fetcher.source, "zaak", after, PIECE)
        if not zaken:
            return
        after = zaken[-1][0]
        found = [
            each
            for of_one in answers([partial(of_zaak, fetcher.client, zaak) for _, zaak in zaken])
            for each in of_one
        ]
        yield [way, after], found


def without_list(client: ZakenClient, error: LegacyError) -> str:
    """What is left when asking for them failed: nothing, when the source has no such list. Raises the error if not."""
    if not no_list(error):
        raise error
    log.warning("no zaakcontactmomenten to be had", source=client.source_name, cause=error.cause)
    return NONE
