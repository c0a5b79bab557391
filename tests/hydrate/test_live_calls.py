"""Each question of a client costs the source the calls that docs/performance.md says, in every phase."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from builders.following import DAY, Clock, backfilled
from builders.live_calls import CALLS, QUESTIONS, STATES, LiveClient, Subject, subject
from builders.paths import ROOT
from builders.probe.tamper import Tamper
from builders.sample_data import sample_slice, some_zaken

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation import events

pytestmark = pytest.mark.slow

PERFORMANCE = ROOT / "docs" / "performance.md"
HOURS = 1 / 24
# The phase and the hours since the backfill of the states in which it was done.
AFTER = {
    "young": ("live", 0.0),
    "old": ("live", 0.2),
    "behind": ("live", 2.0),
    "synced": ("synced", 0.2),
    "synced, sync stands still": ("synced", 2.0),
    "cutover": ("cutover", 24.0),
}
SAID = {
    "young": "fresh",
    "old": "fresh",
    "behind": "stale",
    "synced": "fresh",
    "synced, sync stands still": "stale",
    "cutover": "fresh",
}


@pytest.fixture(scope="module")
def data() -> Dataset:
    """A third of the slice."""
    return some_zaken(sample_slice(), 3)


@pytest.fixture(scope="module")
def server(data: Dataset) -> Iterator[SampleServer]:
    """It as a source."""
    with SampleServer(data) as running:
        yield running


@pytest.fixture
def full(install: Callable[..., Installation], server: SampleServer) -> Installation:
    """A store that holds all of it."""
    return backfilled(install(bron=server))


def of(data: Dataset, full: Installation) -> Subject:
    """Who and what is asked for."""
    return subject(
        LiveClient(full), lambda contact: data.get("klantcontact", contact)["zaak"].rsplit("/", 1)[1]
    )


def be_in(installation: Installation, phase: str) -> None:
    """Put the source in a phase, and forget what questions fetched before."""
    with installation.store.write() as connection:
        events.set_phase(connection, installation.fetchers["bron"].source, phase)
    Tamper(installation.store).forget_fetched()


def cost(server: SampleServer, client: LiveClient, name: str, who: Subject) -> tuple[str, str]:
    """Ask a question. Out: its calls, also those after the answer, or the status of a refusal; and the freshness."""
    server.reset_calls()
    answer = QUESTIONS[name](client, who)
    assert client.hydrator.drain()
    if answer.status_code >= 400:
        assert server.calls_count == 0
        return str(answer.status_code), ""
    return str(server.calls_count), answer.headers["Klantbrug-Freshness"]


def test_every_question_costs_what_the_table_says(
    data: Dataset,
    server: SampleServer,
    full: Installation,
    install: Callable[..., Installation],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    who, client, clock = of(data, full), LiveClient(full), Clock(monkeypatch)
    found: dict[str, tuple[str, ...]] = {}
    for name in QUESTIONS:
        row = {}
        new = [install(bron=server, deadline=20) for _ in range(2)]
        cold, found_before = map(LiveClient, new)
        row["unread"], _ = cost(server, cold, name, who)
        QUESTIONS["partijen by BSN"](found_before, who)
        row["found"], _ = cost(server, found_before, name, who)
        for state, (phase, hours) in AFTER.items():
            be_in(full, phase)
            clock.days = hours * HOURS
            row[state], freshness = cost(server, client, name, who)
            clock.days = 0
            # What was fetched for the question is live; of what is local no source is concerned.
            assert freshness in (SAID[state] if row[state] == "0" else "live", "local"), (name, state)
        assert row.pop("synced, sync stands still") == row["synced"] == row["cutover"] == "0", name
        found[name] = tuple(row[state] for state in STATES)
        for each in new:
            each.store.close()  # a database has connections for some of them at a time
    assert found == CALLS


def test_the_table_of_calls_in_the_documents_is_the_one_that_is_asserted() -> None:
    section = PERFORMANCE.read_text(encoding="utf-8").split("## Calls to the source", 1)[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    assert rows[0] == ["Question", *STATES.values()]
    assert {row[0]: tuple(row[1:]) for row in rows[2:]} == CALLS
    assert not re.search(r"\d", "".join(rows[1]))


def test_a_list_over_a_covered_source_asks_nothing_however_old(
    server: SampleServer, full: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clients' time was over before 349 calls were."""
    client, clock = LiveClient(full), Clock(monkeypatch)
    for days, freshness in ((0.0, "fresh"), (0.009, "fresh"), (0.011, "stale"), (30.0, "stale")):
        clock.days = days
        server.reset_calls()
        answer = client.get("partijen", pageSize="100")
        assert answer.headers["Klantbrug-Freshness"] == freshness, days * DAY
        assert answer.headers["Klantbrug-Coverage"] == "complete"
        assert server.calls_count == 0
