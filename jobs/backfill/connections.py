"""How a backfill reads the zaakcontactmomenten of its source: once all zaken are held, whole or zaak by zaak."""

from __future__ import annotations

from functools import partial
from typing import Any

from gateway.base.clock import now
from gateway.ingest.outcome import Result
from gateway.legacy.errors import LegacyError, TooLarge
from gateway.store.base.session import Session
from gateway.store.operation import following
from jobs.backfill.asking import SAMPLE_OF_CONNECTIONS, AskingSource
from jobs.backfill.questions import unless_too_large
from jobs.common import zaakcontactmomenten
from jobs.common.crew import Question
from mappings.standards import CONNECTION

PIECE = 200
# The sample of zaakcontactmomenten is kept after so many calls.
SAVE_SAMPLE = 10


def read_connections(asking: AskingSource) -> None:
    """Read the zaakcontactmomenten; the cursor's `connected` is the last zaak that was done.

    What is counted is zaken: a zaak without them costs a call as well.
    """
    cursor, reporter = asking.cursor, asking.reporter
    if cursor.way is None:
        cursor.way, cursor.connected = _way(asking), 0
        asking.save()
    with asking.store.read() as connection:
        held = following.count_held(connection, asking.source, ["zaak"])
        left = following.count_held_after(connection, asking.source, "zaak", cursor.connected)
    if cursor.way == zaakcontactmomenten.BY_ZAAK:
        reporter.begin(CONNECTION, cursor.look, held - left, held, steps=True)
    else:
        reporter.begin(CONNECTION, cursor.look, 0, 1, steps=True)  # one call
    if not asking.client.can(CONNECTION, "zaak"):
        cursor.way = zaakcontactmomenten.NONE  # not any more, since the run was stopped
    if cursor.way == zaakcontactmomenten.WHOLE:
        asked = now()
        way, found = asking.ask_one(lambda: zaakcontactmomenten.whole(asking.client))
        reporter.step()
        done = zaakcontactmomenten.NONE if way == zaakcontactmomenten.WHOLE else way
        _take(asking, found, asked, done, cursor.connected)
    while cursor.way == zaakcontactmomenten.BY_ZAAK:
        _piece(asking)


def _piece(asking: AskingSource) -> None:
    """Ask for those of the next zaken; behind the last one there is nothing more to read."""
    cursor = asking.cursor
    with asking.store.read() as connection:
        zaken = following.held_after(connection, asking.source, "zaak", cursor.connected, PIECE)
    found: list[dict[str, Any]] = []
    asked = now()

    def take(of_one: list[dict[str, Any]] | TooLarge) -> None:
        if isinstance(of_one, TooLarge):
            asking.note_unread(f"{CONNECTION} van een zaak")
        else:
            found.extend(of_one)
        asking.reporter.step()

    def question(zaak: bytes) -> Question:
        of_zaak = partial(zaakcontactmomenten.of_zaak, asking.client, zaak)
        return Question(partial(unless_too_large, of_zaak), take)

    questions = iter([question(zaak) for _, zaak in zaken])
    asking.work(partial(next, questions, None))
    if zaken:
        _take(asking, found, asked, zaakcontactmomenten.BY_ZAAK, zaken[-1][0])
    else:
        _take(asking, found, asked, zaakcontactmomenten.NONE, cursor.connected)


def _way(asking: AskingSource) -> str:
    """How to read the zaakcontactmomenten, by a sample of the zaken; what it gave is kept over an interruption."""
    cursor, reporter = asking.cursor, asking.reporter
    sample = cursor.sample or asking.ask_one(partial(zaakcontactmomenten.sample_of, asking.fetcher))
    reporter.begin(SAMPLE_OF_CONNECTIONS, cursor.look, sample.asked, len(sample.zaken), steps=True)
    while not sample.way:
        zaak = sample.zaken[sample.asked]
        try:
            found = asking.ask_one(partial(zaakcontactmomenten.of_zaak, asking.client, zaak))
        except LegacyError as error:
            return zaakcontactmomenten.without_list(asking.client, error)
        sample.add(len(found))
        reporter.step()
        cursor.sample = sample
        if sample.asked % SAVE_SAMPLE == 0:
            asking.save()
    return sample.way


def _take(asking: AskingSource, found: list[dict[str, Any]], asked: int, way: str, connected: int) -> None:
    """Take what came, of which the first was asked for then, and keep how and where to go on."""

    def also(connection: Session, result: Result) -> None:
        asking.reporter.count(CONNECTION, len(found), result)
        asking.cursor.way, asking.cursor.connected = way, connected
        asking.keep(connection)

    ingest, name = asking.fetcher.ingest, asking.fetcher.name
    asking.fetch_dependents(ingest.take(name, CONNECTION, found, also, asked=asked))
    asking.work(lambda: None)
    asking.report()
