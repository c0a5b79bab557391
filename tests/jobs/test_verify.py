"""Verify: each sort of damage is found, named by kind and zaaktype, repaired, and then there is nothing left."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from builders.asker import Asker
from builders.commands import command
from builders.configs import read_config
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import sample_data, some_zaken
from builders.store_digest import dump_digest
from builders.verifying import LIMITED, a_rol, repaired, totals, verify

from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect import comparing
from jobs.backfill.backfill import Backfill
from jobs.common.progress import Step
from jobs.common.work import Busy
from jobs.verify.verify import Verify
from mappings.standards import CONNECTION, of_every_source

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return some_zaken(sample_data(), 20)


@pytest.fixture
def source_options() -> dict[str, Any]:
    return {"applications": [LIMITED]}


def zaaktype_of(server: SampleServer, thing: dict[str, Any]) -> str:
    zaak = server.dataset.get("zaak", thing["zaak"].rsplit("/", 1)[-1])
    return zaak["zaaktype"].rsplit("/", 1)[-1]


def test_a_backfilled_store_is_clean_and_verify_changes_nothing_in_it(
    all_data: Dataset, install: Install
) -> None:
    with SampleServer(all_data) as server:
        installation = install(bron=server)
        assert Backfill(installation.fetchers["bron"]).run()
        before = dump_digest(installation.store)
        report = verify(installation)
        assert not report["found"], report["named"]
        # What can't be read is not in the store, so until somebody let it be the two are not the same (M3).
        unread = sum(row["quarantined"] for row in report["kinds"].values())
        assert (report["unread"], report["clean"]) == (unread, False)
        assert {kind: row["compared"] for kind, row in report["kinds"].items()} == {
            kind: len(server.dataset.objects(kind)) for kind in (*of_every_source(), CONNECTION)
        }
        assert report["kinds"]["rol"]["quarantined"] > 0
        assert report["kinds"]["rol"]["left_out"] > 0
        assert report["documents"]["partij"]["equal"] > 1000
        assert dump_digest(installation.store) == before
        for kind in ("zaak", "rol", "klantcontact"):
            of_kind = [row for row in report["zaaktypen"] if row["kind"] == kind]
            assert sum(row["compared"] for row in of_kind) == report["kinds"][kind]["compared"]
            assert len(of_kind) > 1


# Damage at the source's side


def test_what_is_gone_at_the_source_is_extra(server: SampleServer, filled: Installation) -> None:
    rol = a_rol(server)
    server.dataset.remove("rol", rol["uuid"])
    report = verify(filled)
    assert not report["clean"]
    assert totals(report) == {("rol", "extra"): 1}
    assert report["named"]["extra"] == [
        {"kind": "rol", "uuid": rol["uuid"], "zaaktype": zaaktype_of(server, rol), "repaired": False}
    ]
    repaired(filled)
    assert not Probe(filled.store).has_raw(rol["uuid"])


def test_what_was_added_at_the_source_is_missing(server: SampleServer, filled: Installation) -> None:
    rol = a_rol(server)
    added = server.dataset.add("rol", {**rol, "uuid": str(uuid4())})
    report = verify(filled)
    assert totals(report) == {("rol", "missing"): 1}
    assert report["named"]["missing"][0]["uuid"] == added["uuid"]
    assert report["named"]["missing"][0]["zaaktype"] == zaaktype_of(server, rol)
    repaired(filled)


def test_what_says_something_else_at_the_source_is_different(
    server: SampleServer, filled: Installation
) -> None:
    """Of a rol its claims, of a klantcontact and of a zaak their facts."""
    rol = a_rol(server)
    rol["betrokkeneIdentificatie"] |= {"geslachtsnaam": "Anders"}
    server.dataset.replace("rol", rol["uuid"], rol)
    contact = next(
        each
        for each in server.dataset.objects("klantcontact")
        if Probe(filled.store).has_document(each["uuid"])
    )
    server.dataset.replace("klantcontact", contact["uuid"], contact | {"onderwerp": "iets anders"})
    zaak = server.dataset.get("zaak", rol["zaak"].rsplit("/", 1)[-1])
    server.dataset.replace("zaak", zaak["uuid"], zaak | {"identificatie": "ZAAK-ANDERS"})
    report = verify(filled)
    assert totals(report) == {(kind, "different"): 1 for kind in ("zaak", "rol", "klantcontact")}
    assert "Anders" not in orjson.dumps(report).decode()
    fields = {each["kind"]: each["fields"] for each in report["named"]["different"]}
    assert fields == {
        "klantcontact": ["onderwerp"],
        "rol": ["betrokkeneIdentificatie.geslachtsnaam"],
        "zaak": ["identificatie"],
    }
    repaired(filled)
    assert Probe(filled.store).documents_saying("iets anders") == 1


def test_another_spelling_of_the_same_is_clean(server: SampleServer, filled: Installation) -> None:
    """The order of statussen and fields that say nothing in Klantinteracties make no difference."""
    for rol in server.dataset.objects("rol")[:40]:
        changed = dict(reversed(rol.items())) | {"statussen": ["https://zaken.example/statussen/1"]}
        server.dataset.replace("rol", rol["uuid"], changed)
    report = verify(filled)
    assert report["clean"]
    assert totals(report) == {}


def test_another_host_in_the_addresses_of_the_source_is_clean(
    server: SampleServer, filled: Installation
) -> None:
    with SampleServer(server.dataset, applications=[LIMITED]) as moved:
        path = filled.config.path
        assert path
        path.write_text(path.read_text().replace(server.base_url, moved.base_url))
        report = verify(open_installation(read_config(path)))
    assert report["clean"], report["named"]


def test_a_zaak_that_is_no_longer_visible_is_told_apart(server: SampleServer, filled: Installation) -> None:
    rol = a_rol(server)
    zaak = server.dataset.get("zaak", rol["zaak"].rsplit("/", 1)[-1])
    server.dataset.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": "geheim"})
    report = verify(filled)
    wrong = totals(report)
    assert wrong.pop(("zaak", "invisible")) == 1
    assert wrong.pop(("rol", "invisible")) >= 1
    assert set(wrong) <= {("klantcontact", "invisible"), ("zaakcontactmoment", "invisible")}
    assert zaak["uuid"] in [each["uuid"] for each in report["named"]["invisible"]]
    marked = verify(filled, repair=True)
    assert not marked["clean"]  # there is nothing that a repair could do
    assert marked["repaired"] == 0
    again = verify(filled)
    assert again["clean"]  # it is known now, and still told
    assert again["kinds"]["zaak"]["invisible"] == 1
    assert again["rights"]["invisible"]["zaak"] == 1
    assert again["found"] == 0


def test_a_zaaktype_without_rights_is_named(server: SampleServer, filled: Installation) -> None:
    zaaktype = zaaktype_of(server, a_rol(server))
    expected = 0
    for zaak in server.dataset.objects("zaak"):
        if zaak["zaaktype"].endswith(zaaktype) and zaak["vertrouwelijkheidaanduiding"] not in (
            "vertrouwelijk",
            "confidentieel",
            "geheim",
            "zeer_geheim",
        ):
            expected += 1
            hidden = zaak | {"vertrouwelijkheidaanduiding": "zeer_geheim"}
            server.dataset.replace("zaak", zaak["uuid"], hidden)
    report = verify(filled)
    rows = {row["zaaktype"]: row for row in report["zaaktypen"] if row["kind"] == "zaak"}
    assert rows[zaaktype]["invisible"] == expected > 0
    assert sum(row["invisible"] for row in rows.values()) == expected


def test_a_zaak_that_became_too_confidential_is_different_and_then_left_out(
    slice_data: Dataset, install: Install
) -> None:
    with SampleServer(some_zaken(slice_data, 36)) as server:
        installation = install(bron=server)
        assert Backfill(installation.fetchers["bron"]).run()
        zaak = server.dataset.get("zaak", a_rol(server)["zaak"].rsplit("/", 1)[-1])
        secret = zaak | {"vertrouwelijkheidaanduiding": "geheim"}
        server.dataset.replace("zaak", zaak["uuid"], secret)
        assert totals(verify(installation)) == {("zaak", "different"): 1}
        repaired(installation)
        left_out = verify(installation)["kinds"]["rol"]["left_out"]
        server.dataset.replace("zaak", zaak["uuid"], zaak)
        repaired(installation)  # and back: its rollen, which were not kept, are read again
        assert verify(installation)["kinds"]["rol"]["left_out"] < left_out


def test_zaken_that_are_refused_are_told(server: SampleServer, install: Install) -> None:
    """A rol whose zaak the source refuses makes nothing; the report says which zaken those are."""
    installation = install(bron=server)
    fetcher = installation.fetchers["bron"]
    assert Backfill(fetcher).run()
    hidden = server.dataset.objects("zaak")[0]
    rol = a_rol(server)
    server.dataset.replace("zaak", hidden["uuid"], hidden | {"vertrouwelijkheidaanduiding": "geheim"})
    unknown = {**rol, "uuid": str(uuid4()), "zaak": f"{server.zaken_url}zaken/{uuid4()}"}
    fetcher.ingest.take("bron", "rol", [unknown], asked=0)
    fetcher.ingest.refused("bron", "zaak", UUID(unknown["zaak"].rsplit("/", 1)[-1]), asked=0)
    rights = verify(installation)["rights"]
    assert rights["refused_zaken"] == 1
    assert rights["refused_zaken_named"] == [unknown["zaak"].rsplit("/", 1)[-1]]


# Damage in the store


# How the store may be damaged, by the rol that is damaged, and what a verify must at least find.
DAMAGES: dict[str, tuple[Callable[[Tamper, str], None], str, str]] = {
    "raw object lost": (Tamper.lose_raw, "rol", "missing"),
    "raw body broken": (Tamper.break_body, "rol", "different"),
    "raw facts changed": (Tamper.change_facts, "rol", "different"),
    "claim lost": (Tamper.lose_claims, "rol", "different"),
    "statement changed": (Tamper.respell_statement, "rol", "different"),
    "key lost": (Tamper.lose_keys, "rol", "different"),
    "state changed": (Tamper.change_state, "rol", "different"),
    "partij changed": (Tamper.change_party, "partij", "different"),
    "partij lost": (Tamper.lose_party, "partij", "missing"),
    "klantcontact lost": (
        lambda tamper, _: tamper.lose_first_document("klantcontact"),
        "klantcontact",
        "missing",
    ),
    "betrokkenen lost": (lambda tamper, _: tamper.lose_documents("betrokkene"), "betrokkene", "missing"),
    "vertegenwoordigingen lost": (
        lambda tamper, _: tamper.lose_documents("vertegenwoordiging"),
        "vertegenwoordiging",
        "missing",
    ),
    "links lost": (lambda tamper, _: tamper.lose_links("betrokkene.wasPartij"), "betrokkene", "different"),
    "document from nothing": (
        lambda tamper, _: tamper.invent_document("klantcontact"),
        "klantcontact",
        "extra",
    ),
    "provenance lost": (lambda tamper, _: tamper.lose_origin("klantcontact"), "klantcontact", "different"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_in_the_store_is_found_and_repaired(
    server: SampleServer, filled: Installation, what: str
) -> None:
    before = dump_digest(filled.store)
    damage, kind, sort = DAMAGES[what]
    damage(Tamper(filled.store), a_rol(server)["uuid"])
    report = verify(filled)
    assert not report["clean"]
    assert (kind, sort) in totals(report), totals(report)
    repaired(filled)
    assert dump_digest(filled.store) == before


# While the source and the store live on


def test_what_changes_during_the_walk_is_no_error(server: SampleServer, install: Install) -> None:
    """A rol that is added and taken between the walk and the judgement, one that goes, and one that is new since."""
    installation = install(bron=server)
    fetcher = installation.fetchers["bron"]
    assert Backfill(fetcher).run()
    rol, done = a_rol(server), False

    def live(step: Step) -> None:
        nonlocal done
        if step.what.startswith("rol, lezing 1") and not done:
            done = True
            added = server.dataset.add("rol", {**rol, "uuid": str(uuid4())})
            fetcher.ingest.take("bron", "rol", [added], asked=0)
            changed = rol | {
                "betrokkeneIdentificatie": rol["betrokkeneIdentificatie"] | {"geslachtsnaam": "Nieuw"}
            }
            fetcher.ingest.take("bron", "rol", [server.dataset.replace("rol", rol["uuid"], changed)], asked=0)

    report = verify(installation, show=live)
    assert done
    assert report["clean"], report["named"]


def test_a_walk_with_deletes_and_inserts_misses_nothing(server: SampleServer, install: Install) -> None:
    """What is not held is found, though the lists move while they are read; what was added meanwhile does not count."""
    installation = install(bron=server)
    assert Backfill(installation.fetchers["bron"]).run()
    lost = sorted(Probe(installation.store).raw_uuids("rol"))[::40]
    for uuid in lost:
        Tamper(installation.store).lose_raw(uuid)
    gone: list[str] = []

    def live(step: Step) -> None:
        if step.what.startswith("rol, lezing 1") and not gone:
            for rol in server.dataset.objects("rol")[:5]:
                if rol["uuid"] not in lost:
                    server.dataset.remove("rol", rol["uuid"])
                    gone.append(rol["uuid"])
            server.dataset.add("rol", {**a_rol(server), "uuid": str(uuid4())})

    report = verify(installation, show=live)
    assert gone
    assert {each["uuid"] for each in report["named"]["missing"]} == set(lost)
    assert {each["uuid"] for each in report["named"].get("extra", [])} <= set(gone)
    assert report["added"] == 1


# Samples


def test_a_sample_finds_damage_on_both_sides_and_its_seed_makes_the_same_choice(
    server: SampleServer, filled: Installation
) -> None:
    """A sample that is as large as the source is everything."""
    rol, lost = a_rol(server), server.dataset.objects("zaak")[0]
    server.dataset.remove("rol", rol["uuid"])
    Tamper(filled.store).lose_raw(lost["uuid"])
    report = verify(filled, sample=300, seed=7)
    assert report["seed"] == 7
    assert {("rol", "extra"), ("zaak", "missing")} <= set(totals(report))
    again = verify(filled, sample=300, seed=7)
    assert again["kinds"] == report["kinds"]
    assert verify(filled, sample=300, repair=True)["clean"]
    assert verify(filled)["clean"]


def test_of_what_is_held_as_many_zaken_are_chosen_as_are_asked(filled: Installation) -> None:
    """However close together their uuids lie: each is as likely."""
    with filled.store.read() as connection:
        source = filled.fetchers["bron"].source
        total = comparing.count_readable_zaken(connection, source)
        assert len(comparing.readable_zaken_at(connection, source, range(total))) == total > 40
        assert len(comparing.readable_zaken_at(connection, source, range(0, total, 7))) == -(-total // 7)


def test_a_small_sample_takes_few_calls_from_both_sides(server: SampleServer, filled: Installation) -> None:
    server.reset_calls()
    report = verify(filled, sample=20, seed=1)
    assert report["clean"]
    assert 15 <= report["kinds"]["zaak"]["compared"] <= 20
    assert report["kinds"]["rol"]["compared"] > 10
    assert report["documents"]["partij"]["compared"] > 10
    assert len(server.calls) < 100


# The run itself


def test_it_does_not_run_beside_a_backfill_and_ctrl_c_leaves_no_report(
    server: SampleServer, filled: Installation
) -> None:
    busy: list[str] = []

    def interrupt(step: Step) -> None:
        other = open_installation(filled.config)
        thread = threading.Thread(target=lambda: busy.append(outcome_of(other)))
        thread.start()
        thread.join()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(filled, show=interrupt)
    assert busy == ["Busy"]
    probe = Probe(filled.store)
    assert probe.count("verification") == 0
    assert [run.status for run in probe.runs("verify")] == ["interrupted"]
    assert probe.count("lease") == 0
    assert verify(filled)["clean"]


def outcome_of(installation: Installation) -> str:
    try:
        Verify(installation.fetchers["bron"]).run()
    except Busy as error:
        return type(error).__name__
    finally:
        installation.store.close()
    return "ran"


def test_more_differences_than_can_be_looked_at_again_are_still_counted(
    server: SampleServer, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.verify.ledger.SUSPECTS", 10)
    Tamper(filled.store).lose_raws("rol")
    report = verify(filled)
    assert not report["clean"]
    assert report["kinds"]["rol"]["missing"] > 100
    assert len(report["named"]["missing"]) == 10
    assert report["not_looked_at_again"] == report["kinds"]["rol"]["missing"] - 10


# Reports


def test_the_command_tells_repairs_keeps_and_shows(
    server: SampleServer, filled: Installation, tmp_path: Path
) -> None:
    server.dataset.remove("rol", a_rol(server)["uuid"])
    told = command(filled, "verify", "--full")
    assert told.exit_code == 1
    assert "NIET schoon: 1 verschil." in told.output
    assert "1 te veel" in told.output
    page = tmp_path / "rapport.html"
    mended = command(filled, "verify", "--full", "--repair", "--json", "--html", str(page))
    assert mended.exit_code == 0
    assert orjson.loads(mended.stdout)["repaired"] == 1
    shown = page.read_text()
    assert "gevonden en hersteld; de opslag is nu schoon" in shown
    assert not re.search(r"(src|href)=|url[(]|@import|<script", shown)
    assert command(filled, "verify", "--sample", "10").exit_code == 0
    listed = command(filled, "verify", "--list")
    assert [line.split(":")[0] for line in listed.output.splitlines()] == ["3", "2", "1"]
    assert "steekproef" in listed.output
    again = tmp_path / "opnieuw.html"
    assert command(filled, "verify", "--report", "2", "--html", str(again)).exit_code == 0
    assert again.read_text() == shown
    for wrong in (["--report", "9"], ["--full", "--sample", "3"], ["--source", "geen"]):
        assert command(filled, "verify", *wrong).exit_code == 2


def test_the_operator_reads_reports_over_http(filled: Installation) -> None:
    number = verify(filled, sample=10)["id"]
    asker = Asker(filled)
    operator = {"Authorization": f"Token {create_token(filled.store, 'operator', 'operate')}"}
    reader = {"Authorization": f"Token {asker.token}"}
    listed = asker.client.get("/beheer/api/v1/verify", headers=operator)
    assert [each["id"] for each in listed.get_json()["reports"]] == [number]
    one_report = asker.client.get(f"/beheer/api/v1/verify/{number}", headers=operator)
    assert one_report.get_json()["kinds"]["zaak"]["compared"] > 0
    assert asker.client.get("/beheer/api/v1/verify/99", headers=operator).status_code == 404
    assert asker.client.get("/beheer/api/v1/verify", headers=reader).status_code == 403
