"""What nobody may see is not kept whole for ever (M2, M3, M34): after a while only that it is there, and keyed hashes
of whom it is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from builders.asker import Asker
from builders.commands import command
from builders.following import Clock, backfilled, run, traces
from builders.probe.probe import Probe
from builders.sample_data import an_open_zaak, person, small
from builders.store_digest import dump_digest
from builders.unreadable_person import BSN, LIMITED, OTHER, bad_rol, bad_zaak, by_bsn, count, refused

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.dump import dump_lines
from jobs.follow.inbox import process_inbox
from jobs.rebuild.rebuild import Rebuild
from jobs.upkeep.purge import purge
from jobs.verify.verify import Verify

Install = Callable[..., Installation]
NAME = "Bewaardmaar Evenniet"


@pytest.fixture
def data() -> Dataset:
    return small(30)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def named(bsn: str = BSN) -> dict[str, Any]:
    return {"inpBsn": bsn, "geslachtsnaam": NAME}


def in_quarantine(data: Dataset) -> str:
    return str(bad_rol(data, betrokkeneIdentificatie=named())["uuid"])


def on_a_bad_zaak(data: Dataset) -> str:
    rol = person(data, BSN, betrokkeneIdentificatie=named())
    bad_zaak(data)
    return str(rol["uuid"])


HIDING = [in_quarantine, on_a_bad_zaak]


def content(installation: Installation, uuid: str) -> dict[str, Any] | None:
    """What is kept of an object."""
    return Probe(installation.store).content(uuid)


def kept(installation: Installation) -> int:
    """How many objects are kept whole."""
    return sum(body is not None for body in Probe(installation.store).values("raw", "body"))


def emptied_after(installation: Installation, clock: Clock, days: float = 31) -> int:
    clock.days += days
    return run(installation, purge)["emptied"]


@pytest.mark.slow
@pytest.mark.rule("M2")
@pytest.mark.parametrize("hide", HIDING)
def test_after_a_while_only_that_it_is_there_is_kept(
    data: Dataset, server: SampleServer, install: Install, clock: Clock, hide: Callable[[Dataset], str]
) -> None:
    uuid = hide(data)
    installation = backfilled(install(bron=server))
    whole = kept(installation)
    before = dump_digest(installation.store)
    assert emptied_after(installation, clock, 29) == 0
    assert (content(installation, uuid) or {})["betrokkeneIdentificatie"]["geslachtsnaam"] == NAME
    gone = emptied_after(installation, clock, 2)
    assert gone >= 1 and kept(installation) == whole - gone
    assert content(installation, uuid) is None
    assert dump_digest(installation.store) == before  # how long nobody saw it is not content
    assert emptied_after(installation, clock) == 0
    assert refused(by_bsn(Asker(installation), BSN))
    assert count(by_bsn(Asker(installation), OTHER))[0] == 200


@pytest.mark.slow
@pytest.mark.rule("M2")
@pytest.mark.parametrize("hide", HIDING)
def test_no_trace_of_the_person_is_left_in_the_file(
    data: Dataset, server: SampleServer, install: Install, clock: Clock, hide: Callable[[Dataset], str]
) -> None:
    """Content is compressed, so it is looked for as it was kept."""
    uuid = hide(data)
    installation = backfilled(install(bron=server))
    body = Probe(installation.store).raw(uuid, "body")
    assert traces(installation, body[20:80])
    emptied_after(installation, clock)
    assert not traces(installation, body[20:80], BSN, NAME)


@pytest.mark.slow
@pytest.mark.rule("M2")
@pytest.mark.parametrize("hide", HIDING)
def test_a_source_that_gives_it_again_as_it_was_gets_it_kept_no_more(
    data: Dataset, server: SampleServer, install: Install, clock: Clock, hide: Callable[[Dataset], str]
) -> None:
    uuid = hide(data)
    installation = backfilled(install(bron=server))
    emptied_after(installation, clock)
    backfilled(installation)
    assert content(installation, uuid) is None
    assert refused(by_bsn(Asker(installation), BSN))
    rol = data.get("rol", uuid)
    data.replace("rol", uuid, rol | {"betrokkeneIdentificatie": named(OTHER)})
    backfilled(installation)
    assert content(installation, uuid) is None
    assert count(by_bsn(Asker(installation), BSN)) == (200, 0, "complete")
    assert refused(by_bsn(Asker(installation), OTHER))  # it is about another one now


@pytest.mark.slow
@pytest.mark.rule("M2")
@pytest.mark.parametrize("how", ["backfill", "retry", "verify", "notification"])
def test_it_is_taken_whole_when_it_may_be_seen(
    data: Dataset, server: SampleServer, install: Install, clock: Clock, how: str
) -> None:
    uuid = in_quarantine(data)
    installation = backfilled(install(bron=server))
    emptied_after(installation, clock)
    data.replace("rol", uuid, data.get("rol", uuid) | {"betrokkeneType": "natuurlijk_persoon"})
    if how == "backfill":
        backfilled(installation)
    elif how == "retry":
        result = command(installation, "quarantine", "retry", uuid)
        assert result.exit_code == 0, result.output
    elif how == "verify":
        assert Verify(installation.fetchers["bron"], repair=True).run()["clean"]
    else:
        installation.ingest.take("bron", "rol", [data.get("rol", uuid)], asked=0)
    assert content(installation, uuid) is not None
    backfilled(installation)
    assert count(by_bsn(Asker(installation), BSN)) == (200, 1, "complete")
    assert dump_digest(installation.store) == dump_digest(backfilled(install(bron=server)).store)


@pytest.mark.slow
@pytest.mark.rule("M34")
@pytest.mark.parametrize("why", ["bad", "refused", "unknown"])
def test_a_zaak_that_becomes_readable_has_its_rollen_asked_again(
    data: Dataset, server: SampleServer, install: Install, clock: Clock, why: str
) -> None:
    """Also one that is refused by the source, or that nobody read yet."""
    rol = person(data, BSN, betrokkeneIdentificatie=named())
    zaak = data.get("zaak", an_open_zaak(data)["uuid"])
    applications = server.app.extensions["sample"].applications
    allowed = applications[LIMITED.client_id]
    installation = install(bron=server)
    if why == "bad":
        bad_zaak(data)
        backfilled(installation)
    elif why == "refused":
        data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": "geheim"})
        applications[LIMITED.client_id] = LIMITED
        installation.ingest.take("bron", "rol", [rol], asked=0)
        installation.ingest.refused("bron", "zaak", UUID(zaak["uuid"]), 0)
    else:
        installation.ingest.take("bron", "rol", [rol], asked=0)
    assert emptied_after(installation, clock) >= 1
    assert content(installation, rol["uuid"]) is None
    applications[LIMITED.client_id] = allowed
    data.replace("zaak", zaak["uuid"], zaak)
    installation.ingest.take("bron", "zaak", [zaak], asked=0)
    run(installation, process_inbox)  # what is owed waits in the inbox
    assert content(installation, rol["uuid"]) is not None
    backfilled(installation)
    assert count(by_bsn(Asker(installation), BSN)) == (200, 1, "complete")
    assert dump_digest(installation.store) == dump_digest(backfilled(install(bron=server)).store)


@pytest.mark.rule("M2")
def test_what_was_seen_for_long_and_is_not_any_more_is_kept_from_that_day(
    data: Dataset, server: SampleServer, install: Install, clock: Clock
) -> None:
    rol = person(data, BSN, betrokkeneIdentificatie=named())
    installation = backfilled(install(bron=server))
    clock.days += 100
    bad_zaak(data)
    installation.ingest.take("bron", "zaak", [data.get("zaak", an_open_bad(data))], asked=0)
    assert emptied_after(installation, clock, 20) == 0
    assert content(installation, rol["uuid"]) is not None
    assert emptied_after(installation, clock, 11) > 0
    assert content(installation, rol["uuid"]) is None


def an_open_bad(data: Dataset) -> str:
    return str(
        next(z["uuid"] for z in data.objects("zaak") if z["vertrouwelijkheidaanduiding"] == ["openbaar"])
    )


@pytest.mark.rule("M2")
def test_wachttijd_dagen_is_a_setting_that_asks_no_rebuild(
    data: Dataset, server: SampleServer, install: Install, clock: Clock
) -> None:
    uuid = in_quarantine(data)
    first = backfilled(install(bron=server))
    path = first.config.path
    path.write_text(path.read_text().replace("[mapping]\n", "[mapping]\nwachttijd_dagen = 3\n"))
    installation = install(path)
    assert installation.to_rebuild == ()
    assert emptied_after(installation, clock, 4) == 1
    assert content(installation, uuid) is None
    path.write_text(path.read_text().replace("wachttijd_dagen = 3", "wachttijd_dagen = 0"))
    result = command(installation, "status")
    assert result.exit_code == 2 and "mapping.wachttijd_dagen" in result.output


@pytest.mark.slow
@pytest.mark.rule("M2")
def test_everything_copes_with_what_was_emptied(
    data: Dataset, server: SampleServer, install: Install, clock: Clock
) -> None:
    """Verify, rebuild, dump, explain, quarantine, sync."""
    uuid = in_quarantine(data)
    waiting = on_a_bad_zaak(data)
    zaak = an_open_bad(data)
    installation = backfilled(install(bron=server))
    before = dump_digest(installation.store)
    emptied_after(installation, clock)
    report = Verify(installation.fetchers["bron"]).run()
    assert (report["found"], report["clean"]) == (0, False), report["named"]
    assert report["unread"] == 2
    Rebuild(installation.store, installation.ingest).run()
    assert dump_digest(installation.store) == before
    assert (
        content(installation, uuid) is content(installation, waiting) is content(installation, zaak) is None
    )
    assert refused(by_bsn(Asker(installation), BSN))
    shown = " ".join(command(installation, "quarantine", "show", uuid).output.split())
    assert "niet meer bewaard" in shown and "quarantine retry UUID" in shown
    assert uuid in command(installation, "quarantine", "list").output
    machine = command(installation, "quarantine", "list", "--json").stdout.splitlines()
    assert {json.loads(line)["emptied"] for line in machine} == {True}
    told = command(installation, "explain", waiting).output
    assert "niet meer bewaard" in told
    assert command(installation, "quarantine", "retry", "--all").exit_code == 1
    assert content(installation, uuid) is None
    for each in (uuid, zaak):
        command(installation, "quarantine", "dismiss", each)
    assert Verify(installation.fetchers["bron"]).run()["clean"]


@pytest.mark.rule("M35")
def test_what_the_source_destroys_leaves_nothing_not_even_a_hash(
    data: Dataset, server: SampleServer, install: Install, clock: Clock
) -> None:
    uuid = in_quarantine(data)
    installation = backfilled(install(bron=server))
    emptied_after(installation, clock)
    data.remove("rol", uuid)
    backfilled(installation)
    assert Probe(installation.store).count("unread_key") == 0
    assert not any(uuid.encode() in line for line in dump_lines(installation.store))
    assert count(by_bsn(Asker(installation), BSN)) == (200, 0, "complete")


def test_a_source_that_is_not_asked_any_more_is_not_asked_by_a_retry(
    data: Dataset, server: SampleServer, install: Install, clock: Clock
) -> None:
    uuid = in_quarantine(data)
    installation = backfilled(install(bron=server))
    emptied_after(installation, clock)
    for phase in ("synced", "cutover"):
        result = command(installation, "phase", phase, "--force", "--reason", "test")
        assert result.exit_code == 0, result.output
    result = command(installation, "quarantine", "retry", uuid)
    assert result.exit_code == 1 and "cutover" in result.output
