"""Klanten and contactmomenten are followed: the sweep finds what changed or went, sync what is new."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from builders.earlier_source import KINDS, EarlierSource, fixtures, last
from builders.following import Clock, run
from builders.probe.probe import Probe
from builders.store_digest import dump_digest

import jobs.follow.sweep
from gateway.ingest.outcome import Result
from gateway.installation import Installation
from gateway.store.base.kinds import LEFT_OUT
from gateway.store.inspect.dump import dump_lines
from gateway.store.legacy.objects import raw_rows
from gateway.store.operation import following
from jobs.backfill.backfill import Backfill
from jobs.follow.followed_source import Followed
from jobs.follow.sweep import anything_due, sweep
from jobs.follow.sync import sync

pytestmark = pytest.mark.slow

whole, source, filled = fixtures()


def fresh(source: EarlierSource) -> str:
    """The digest of what a backfill makes of the source as it is now."""
    installation = source.open(f"fresh-{uuid4()}")
    assert Backfill(installation.fetchers["bron"]).run()
    return dump_digest(installation.store)


def change_everything(source: EarlierSource, filled: Installation) -> list[str]:
    """Remove one and change another of each kind, and add a contactmoment with its ties. Out: what was removed."""
    data, gone = source.server.dataset, []
    for number, kind in enumerate(KINDS):
        gone.append(last(source.shown(filled, kind, 2 * number)["url"]))
    data.replace(
        "contactmoment",
        last((raw := source.shown(filled, "contactmoment", 20))["url"]),
        raw | {"tekst": "iets anders"},
    )
    data.replace(
        "klant",
        last((raw := source.shown(filled, "klant", 20))["url"]),
        raw | {"telefoonnummer": "0201234567"},
    )
    tie = next(each for each in data.objects("klantcontactmoment") if each["rol"] == "belanghebbende")
    data.replace("klantcontactmoment", last(tie["url"]), tie | {"rol": "gesprekspartner"})
    new_moment(source, filled)
    for kind, uuid in zip(KINDS, gone, strict=True):
        data.remove(kind, uuid)
    for kind in KINDS[2:]:  # what tied a contactmoment goes along with it
        for tie in data.objects(kind):
            if last(tie["contactmoment"]) in gone:
                data.remove(kind, last(tie["url"]))
    return gone


def new_moment(source: EarlierSource, filled: Installation) -> dict[str, Any]:
    """A new contactmoment of a new klant, on a zaak that may be shown."""
    data = source.server.dataset

    def added(kind: str, number: int = 3, **fields: Any) -> dict[str, Any]:
        model, uuid = source.shown(filled, kind, number), str(uuid4())
        url = model["url"].replace(last(model["url"]), uuid)
        return data.add(
            kind, {name: value for name, value in model.items() if name != "uuid"} | fields | {"url": url}
        )

    moment = added("contactmoment", registratiedatum="2026-11-20T10:00:00Z", vorigContactmoment=None)
    klant = added(
        "klant", subjectType=None, subjectIdentificatie=None, klantnummer="", achternaam="Nieuweling"
    )
    added("klantcontactmoment", contactmoment=moment["url"], klant=klant["url"])
    added("objectcontactmoment", contactmoment=moment["url"])
    return moment


@pytest.mark.rule("M35")
def test_a_round_finds_all_that_nothing_announced(
    source: EarlierSource, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    gone = change_everything(source, filled)
    run(filled, sweep)
    clock.days = 3.5
    counts = run(filled, sweep)
    while not counts["rounds"]:
        counts = run(filled, sweep)
    assert counts["failed"] == 0
    assert not set(gone) & set(Probe(filled.store).raw_uuids())
    assert dump_digest(filled.store) == fresh(source)


def test_ties_are_asked_in_the_pace_of_the_round(
    source: EarlierSource, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not all in one run, and each contactmoment once in a round."""
    clock = Clock(monkeypatch)
    monkeypatch.setattr(jobs.follow.sweep, "PIECE", 10)
    asked = []
    for hour in range(78):
        clock.days = hour / 24
        asked.append(run(filled, sweep)["ties"])
    assert sum(asked) == len(source.server.dataset.objects("contactmoment"))
    assert len([number for number in asked if number]) > 3


def test_a_round_begins_again_when_the_source_gets_another_api(filled: Installation) -> None:
    with filled.store.write() as connection:
        source = filled.fetchers["bron"].source
        following.set_place(
            connection,
            source,
            {"began": 1, "held": 5, "hurried": False, "stage": 5, "page": 1, "row": 0, "read": 0},
        )
    assert anything_due(filled)
    assert run(filled, sweep)["pages"] >= 1
    with filled.store.read() as connection:
        place = following.following(connection, source).place
    assert place and place["ties"] == ["klantcontactmoment", "zaakcontactmoment"]


@pytest.mark.rule("M40")
def test_sync_takes_a_new_contactmoment_with_its_ties_and_klant(
    source: EarlierSource, filled: Installation
) -> None:
    run(filled, sync)
    moment = new_moment(source, filled)
    source.server.reset_calls()
    counts = run(filled, sync)
    assert (counts["synced"], counts["new"]) == (1, 1)
    assert len(source.server.calls) < 20
    assert b"Nieuweling" in b"\n".join(dump_lines(filled.store))
    assert dump_digest(filled.store) == fresh(source)
    assert run(filled, sync)["new"] == 0
    assert Probe(filled.store).has_document(last(moment["url"]))


@pytest.mark.rule("M34")
def test_sync_never_shows_a_contactmoment_on_a_secret_zaak(
    source: EarlierSource, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even just after it was taken: its ties went first."""
    run(filled, sync)
    data = source.server.dataset
    secret = next(each for each in data.objects("zaak") if each["vertrouwelijkheidaanduiding"] == "geheim")
    moment = new_moment(source, filled)
    tie = next(each for each in data.objects("objectcontactmoment") if each["contactmoment"] == moment["url"])
    data.replace("objectcontactmoment", last(tie["url"]), tie | {"object": secret["url"]})
    uuid = UUID(last(moment["url"])).bytes
    states = []

    def take(self: Followed, kind: str, *rest: Any, **named: Any) -> Result:
        result = real(self, kind, *rest, **named)
        if kind == "contactmoment":
            with self.store.read() as connection:
                states.append(raw_rows(connection, self.source, kind, [uuid])[uuid])
        return result

    real = Followed.take
    monkeypatch.setattr(Followed, "take", take)
    run(filled, sync)
    assert {(row.state, row.digest, row.facts) for row in states} == {(LEFT_OUT, None, None)}
