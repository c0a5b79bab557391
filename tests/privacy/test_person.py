"""All that is held of one person is told whole, and erased so that nothing of it is left."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.commands import command
from builders.configs import read_config, write_config
from builders.following import backfilled
from builders.person_world import BSN, MARKS, PersonWorld, marks_in, person_data
from builders.probe.all_texts import naming, texts_of
from builders.probe.invariants import broken
from builders.quarantine import let_be
from builders.sample_data import small
from builders.store_digest import dump_digest
from builders.stores import ON_POSTGRES

from gateway.installation import make_ingest, open_installation
from gateway.operator.person.about import BSN as BSN_SOORT
from gateway.operator.person.about import by_number
from gateway.operator.person.erase import Eraser
from gateway.sample.server import SampleServer
from gateway.store.operation import events
from jobs.backfill.backfill import Backfill
from mappings.identity.identity import Uuids

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PersonWorld]:
    with SampleServer(person_data()) as server:
        yield PersonWorld(server, tmp_path / "person")


def test_all_that_is_held_of_a_person_is_told_with_where_it_came_from(
    world: PersonWorld, tmp_path: Path
) -> None:
    assert marks_in(world.texts()) == list(MARKS)
    assert {*naming(world.store, world.partij["uuid"])} == {"verification", "outbox"}
    done = world.person("export", "--bsn-stdin", "--directory", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert not marks_in(done.output)
    (path,) = tmp_path.glob("inzage-*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and BSN not in path.name
    text = path.read_text()
    assert marks_in(text) == list(MARKS)
    told = json.loads(text)
    kinds = {each["soort"] for each in told["documenten"]}
    assert {
        "partij",
        "partij-identificator",
        "digitaleadres",
        "betrokkene",
        "klantcontact",
        "internetaak",
    } <= kinds
    assert {"rol", "klant", "zaak"} <= {each["soort"] for each in told["bronobjecten"]}
    assert {"in quarantaine (M3)"} <= {each["stand"] for each in told["bronobjecten"]}
    assert any("maakt geen partij" in each["stand"] for each in told["bronobjecten"])
    partij = next(each for each in told["documenten"] if each["soort"] == "partij")
    assert partij["van"] == "de bron" and partij["gemaakt_van"]
    assert all(each["adres"].startswith("http") for each in partij["gemaakt_van"])
    assert "partijIdentificatie" in {each["deel"] for each in told["door_clients_geschreven"]}
    assert [each["uuid"] for each in told["gedeeld_met_anderen"]["klantcontacten"]] == [world.shared["uuid"]]
    assert told["gedeeld_met_anderen"]["zaken"]
    assert {each["wachtrij"] for each in told["onderweg"]} == {"outbox", "writeback"}
    assert told["auditlog"]["regels"]
    assert world.other["uuid"] not in {each["uuid"] for each in told["documenten"]}
    nobody = world.person("export", "--partij", "28be5044-9d85-4354-b06f-4c3964f01290", "--stdout")
    assert (nobody.exit_code, "niets bewaard" in nobody.output) == (1, True), (
        "asking is no record of a person"
    )
    by_uuid = world.person("export", "--partij", world.partij["uuid"], "--stdout")
    again = json.loads(by_uuid.stdout)
    for name in ("documenten", "bronobjecten", "gedeeld_met_anderen", "elders"):
        assert again[name] == told[name], name


def test_without_yes_nothing_is_erased_and_it_is_told_what_would_be(world: PersonWorld) -> None:
    before = world.texts()
    done = world.person("erase", "--bsn-stdin")
    assert done.exit_code == 0, done.output
    assert "Er is niets gewist" in done.output and world.server.zaken_url in done.output
    assert world.shared["uuid"] in done.output and not marks_in(done.output)
    assert world.texts() == before
    for words in (
        ("erase", "--bsn-stdin", "--yes"),
        ("erase", "--bsn-stdin", "--yes", "--reason", f"van {BSN}"),
    ):
        assert world.person(*words).exit_code == 2
    assert world.texts() == before


def test_nothing_of_a_person_is_left_after_erasing(world: PersonWorld) -> None:
    others = world.ask("GET", f"partijen/{world.other['uuid']}?expand=betrokkenen,digitaleAdressen")
    total = world.ask("GET", "partijen")["count"]
    done = world.person("erase", "--bsn-stdin", "--yes", "--reason", "verzoek 12")
    assert done.exit_code == 0, done.output
    assert "komt het hier terug" in done.output and not marks_in(done.output)
    assert marks_in(world.texts()) == []
    if not ON_POSTGRES:
        assert marks_in(world.files()) == []
    with world.store.read() as connection:
        told = events.events(connection)[0]
    assert naming(world.store, world.partij["uuid"]) == []
    assert (told.what, told.why) == ("persoon gewist", "verzoek 12")
    assert world.ask("GET", "partijen")["count"] == total - 1
    assert world.ask("GET", f"klantcontacten/{world.shared['uuid']}")["inhoud"] == "gesprek met twee"
    kept = world.ask("GET", f"partijen/{world.other['uuid']}?expand=betrokkenen,digitaleAdressen")
    assert kept == others
    again = world.person("erase", "--bsn-stdin")
    assert again.exit_code == 1 and "niets bewaard" in again.output
    story = command(world.installation, "explain", world.partij["uuid"]).output
    assert "Hier gewist op" in story and "klantbrug person erase" in story


def test_what_the_source_still_has_comes_back_without_what_clients_wrote(world: PersonWorld) -> None:
    assert world.person("erase", "--bsn-stdin", "--yes", "--reason", "verzoek 12").exit_code == 0
    assert Backfill(world.installation.fetchers["bron"]).run()
    let_be(world.installation)
    back = world.one(f"partijen?partijIdentificator__objectId={BSN}")
    assert back["uuid"] == world.partij["uuid"]
    assert back["partijIdentificatie"]["contactnaam"]["achternaam"] == "Zoekerman"
    assert {"Wisselius", "wisselius@example.nl", "bijzondere taakomschrijving"}.isdisjoint(
        marks_in(world.texts())
    )


def test_after_erasing_anybody_the_store_is_sound_and_as_if_the_source_never_had_them(tmp_path: Path) -> None:
    with SampleServer(small(12)) as server:
        installation = open_installation(read_config(write_config(tmp_path / "some", {"bron": server})))
        backfilled(installation)
        config, store = installation.config, installation.store
        eraser = Eraser(config, store, make_ingest(config, store))
        names: dict[str, int] = {}
        for rol in server.dataset.objects("rol"):
            identity = rol["betrokkeneIdentificatie"] or {}
            if number := identity.get("inpBsn"):
                names[number] = names.get(number, 0) + 1
        chosen = sorted(names, key=lambda each: -names[each])[:3] + sorted(names)[:9]
        erased = 0
        for bsn in chosen:
            wanted = by_number(Uuids(config.store.uuid_secret), BSN_SOORT, bsn)
            found = eraser.find(wanted)
            if found.anything:
                eraser.erase(wanted, found, "test", "verzoek")
                erased += 1
            assert not broken(store)
        assert erased > 5
        kept = "\n".join(texts_of(store))
        assert not [number for number in range(len(chosen)) if chosen[number] in kept]
        assert backfilled(installation)
        dumped = dump_digest(store)
        other = backfilled(open_installation(read_config(write_config(tmp_path / "fresh", {"bron": server}))))
        assert dump_digest(other.store) == dumped
