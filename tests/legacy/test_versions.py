"""One suite over all versions of the Zaken API: found out, checked, read whole, asked, removed and verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders.asker import Asker
from builders.configs import read_config, write_config
from builders.operator_client import said
from builders.paths import DATA
from builders.sample_data import sample_slice
from builders.store_digest import dump_digest
from builders.versions_world import (
    ANR,
    BY_URL,
    CASES,
    CITIZEN,
    KVK,
    NAMELESS,
    ONCE_REPRESENTED,
    REPRESENTATIVE,
    REPRESENTED,
    RSIN,
    SECRET,
    VESTIGING,
    Case,
    uuid_of,
    world,
)

from gateway.config.model import Source
from gateway.installation import Installation, open_installation
from gateway.legacy import errors
from gateway.legacy.client import version_probe
from gateway.legacy.client.api_versions import ApiVersion, parse
from gateway.legacy.client.source_client import ZakenClient
from gateway.operator.check import Level, check_source
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer
from gateway.sample.versions import Rules
from gateway.store.inspect.status import status
from gateway.store.operation.sources import forget_coverage
from jobs.backfill import backfill as backfill_job
from jobs.backfill.backfill import Backfill, BackfillStopped, Progress
from jobs.common.lists import parts_of
from jobs.verify.verify import Verify
from mappings.identity.identity import key_uuid
from mappings.standards import KINDS
from mappings.standards.declaration import ZAKEN

Install = Callable[..., Installation]
CONTRACTS = json.loads((DATA / "zaken-contracts.json").read_text())
ZAKEN_KINDS = [kind.name for kind in KINDS.values() if kind.api == ZAKEN]
READ = ("zaak", "rol", "klantcontact")
ZAAK = "onderwerpobject__onderwerpobjectidentificatorObjectId"
ALL_OF_A_PARTY = "digitaleAdressen,betrokkenen,betrokkenen.hadKlantcontact"
ALL_OF_A_CONTACT = "hadBetrokkenen,hadBetrokkenen.wasPartij,gingOverOnderwerpobjecten"


# The sample server and the client against the contracts


@pytest.fixture(scope="module")
def slice_once() -> Dataset:
    return sample_slice()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ZAKEN_KINDS)
@pytest.mark.parametrize("version", CONTRACTS)
def test_the_sample_and_the_client_have_what_the_contract_of_a_version_has(
    slice_once: Dataset, version: str, kind: str
) -> None:
    """Parameters, fields, methods: neither more nor less. (Of the methods: of what the sample does at all.)"""
    rules = Rules.of(version, open_zaak=False)
    asked = ApiVersion(parse(version) or (), version, open_zaak=False, page_size=False)
    contract = CONTRACTS[version].get(kind)
    assert rules.has(kind) == (contract is not None)
    every = {name for others in CONTRACTS.values() for name in others.get(kind, {}).get("list", ())}
    can = {name for name in every if asked.has(kind, name)}
    if contract is None:
        assert can == set()
        return
    assert rules.parameters(kind) == set(contract["list"]) == can
    assert rules.parameters(kind, detail=True) == set(contract["detail"])
    shown = {name for obj in slice_once.objects(kind) for name in rules.trim(kind, obj)}
    assert shown == set(contract["fields"]) - {"_expand"}
    for detail, name in ((True, "detail_methods"), (False, "list_methods")):
        assert set(rules.methods(kind, detail=detail)) - {"OPTIONS"} <= set(contract[name])
    assert (kind in ("zaak", "rol") and rules.etags) == ("ETag" in contract["detail_headers"])


@pytest.mark.parametrize("version", CONTRACTS)
def test_the_sample_identifies_a_betrokkene_as_the_contract_does(slice_once: Dataset, version: str) -> None:
    rules, shown = Rules.of(version, open_zaak=False), {}
    for rol in slice_once.objects("rol"):
        names = shown.setdefault(rol["betrokkeneType"], set())
        names |= set(rules.trim("rol", rol)["betrokkeneIdentificatie"] or ())
    assert {soort: sorted(names) for soort, names in shown.items()} == CONTRACTS[version][
        "betrokkeneIdentificatie"
    ]


# One server after the other


@dataclass
class Run:
    """A server of one version, and an installation that was backfilled from it."""

    case: Case
    server: SampleServer
    folder: Path
    full: Installation
    warm: Asker

    def empty(self, name: str) -> Installation:
        """One that holds nothing yet."""
        return open_installation(read_config(write_config(self.folder / name, {"bron": self.server})))

    def cold(self, name: str) -> Asker:
        """A gateway that holds nothing yet."""
        return Asker(self.empty(name))

    def uuid(self, key: str) -> str:
        """The uuid of the party of an identity key."""
        return str(key_uuid(self.full.ingest.uuids, key))


@pytest.fixture(scope="module", params=CASES, ids=str)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    case: Case = request.param
    folder = tmp_path_factory.mktemp(str(case))
    with SampleServer(world(), **case.server) as server:
        full = open_installation(read_config(write_config(folder / "full", {"bron": server}, max_age=3600)))
        assert Backfill(full.fetchers["bron"]).run()
        yield Run(case, server, folder, full, Asker(full))


def source_of(server: SampleServer, **more: Any) -> Source:
    return replace(
        Source("bron", server.zaken_url, DEFAULT_APPLICATION.client_id, DEFAULT_APPLICATION.secret), **more
    )


def finds_kvk(case: Case) -> bool:
    """Can rollen be asked by KVK number wherever the version has one? Before 1.3 that is innNnpId alone."""
    return case.open_zaak or not case.since("1.3")


def identified(number: str, soort: str) -> dict[str, str]:
    return {"partijIdentificator__codeSoortObjectId": soort, "partijIdentificator__objectId": number}


def parties(asker: Asker, number: str, soort: str, **more: str) -> list[dict[str, Any]]:
    answer = asker.get("partijen", **identified(number, soort), **more)
    assert answer.status_code == 200, answer.headers
    assert answer.headers["Klantbrug-Coverage"] == "complete"
    results: list[dict[str, Any]] = answer.get_json()["results"]
    return results


def grow_old(installation: Installation) -> None:
    """Make nothing that was fetched be fresh any more."""
    with installation.store.write() as connection:
        forget_coverage(connection, installation.fetchers["bron"].source)


@pytest.mark.slow
def test_it_is_found_out_by_what_the_server_says_and_takes(run: Run) -> None:
    run.server.reset_calls()
    found = ZakenClient(source_of(run.server)).version()
    assert found == ApiVersion(
        parse(run.case.version) or (), run.case.version, run.case.open_zaak, run.case.open_zaak
    )
    assert run.server.calls_count <= 3


@pytest.mark.slow
def test_check_tells_the_version_and_what_it_can_not_be_asked(run: Run) -> None:
    report = check_source(source_of(run.server))
    assert said(report, Level.PROBLEM) == ""
    assert f"Zaken API {run.case.version} (volgens de bron zelf)" in said(report, Level.OK)
    later = "KVK-nummer zoeken kan pas na de backfill"
    assert (later in said(report, Level.WARNING)) != finds_kvk(run.case)
    assert ("KVK-nummer kan meteen" in said(report, Level.OK)) == finds_kvk(run.case)
    # Lists in the form of HAL have a count as well.
    assert report.counts == {kind: len(run.server.dataset.objects(kind)) for kind in READ}


@pytest.mark.slow
def test_a_backfill_reads_everything(run: Run) -> None:
    kinds = status(run.full.store)["sources"]["bron"]["kinds"]
    assert {kind: kinds[kind]["seen"] for kind in READ} == {
        kind: len(run.server.dataset.objects(kind)) for kind in READ
    }
    assert {kind: kinds[kind]["quarantined"] for kind in READ} == dict.fromkeys(READ, 0)


@pytest.mark.slow
def test_a_second_backfill_changes_nothing(run: Run) -> None:
    before = dump_digest(run.full.store)
    assert Backfill(run.full.fetchers["bron"]).run()
    assert dump_digest(run.full.store) == before
    counters = status(run.full.store)["runs"][0]["counters"]
    assert {kind: counters[kind]["changed"] for kind in READ} == dict.fromkeys(READ, 0)


def questions() -> Iterator[tuple[str, dict[str, str]]]:
    """One of each sort: a person, an organisation, a vestiging, a medewerker, a unit, a zaak, a klantcontact."""
    numbers = [(number, "bsn") for number in (CITIZEN, BY_URL, NAMELESS, SECRET, REPRESENTATIVE, REPRESENTED)]
    numbers += [(number, "rsin") for number in RSIN[:2]]
    numbers += [(number, "kvk_nummer") for number in KVK[:5]]
    numbers += [(number, "vestigingsnummer") for number in VESTIGING[:3]]
    for number, soort in numbers:
        yield "partijen", {**identified(number, soort), "expand": ALL_OF_A_PARTY}
    for identificatie in ("mw-versies", "afd-versies", "onbekend"):
        yield "actoren", {"actoridentificatorObjectId": identificatie}
    for number in (1, 2, 3):
        yield "klantcontacten", {ZAAK: uuid_of("zaak", number), "expand": ALL_OF_A_CONTACT}
    for number in (1, 2):
        yield f"klantcontacten/{uuid_of('klantcontact', number)}", {"expand": ALL_OF_A_CONTACT}


@pytest.mark.slow
def test_a_cold_gateway_answers_as_a_backfilled_one(run: Run) -> None:
    """Or says 503 and why: only of KVK numbers, and only where the version has no filter on each field."""
    cold, warm, refused = run.cold("cold"), run.warm, set()
    for path, query in questions():
        here, there = cold.get(path, **query), warm.get(path, **query)
        soort = query.get("partijIdentificator__codeSoortObjectId")
        if here.status_code == 503:
            assert here.headers["Klantbrug-Coverage"].startswith("partial; reason=KVK")
            refused.add(soort)
            continue
        assert here.headers["Klantbrug-Coverage"] == "complete"
        assert here.status_code == there.status_code
        assert here.get_json() == there.get_json() or here.status_code == 404, path
    assert refused == (set() if finds_kvk(run.case) else {"kvk_nummer"})


@pytest.mark.slow
@pytest.mark.rule("M6")
def test_one_person_under_two_numbers_is_one_partij(run: Run) -> None:
    """By A-nummer and BSN, by URL and BSN: the uuid of each other key answers with the survivor, also when cold."""
    for asker in (run.warm, run.cold("aliases")):
        (citizen,) = parties(asker, CITIZEN, "bsn")
        assert citizen["partijIdentificatie"]["contactnaam"]["achternaam"] == "Nieuw"
        assert citizen["uuid"] == run.uuid(f"brp:bsn:{CITIZEN}")
        assert asker.get(f"partijen/{run.uuid(f'brp:anr:{ANR}')}").get_json()["uuid"] == citizen["uuid"]
        (other,) = parties(asker, BY_URL, "bsn")
        url = "url:https://personen.voorbeeldstad.example/1"
        assert asker.get(f"partijen/{run.uuid(url)}").get_json()["uuid"] == other["uuid"]


@pytest.mark.slow
@pytest.mark.rule("M5")
def test_a_number_that_only_a_later_version_has_names_nobody_before_it(run: Run) -> None:
    warm = run.warm
    # The KVK number of a niet_natuurlijk_persoon, and its vestigingsnummer, are additions of Open Zaak.
    assert len(parties(warm, KVK[0], "kvk_nummer")) == run.case.open_zaak
    assert len(parties(warm, VESTIGING[0], "vestigingsnummer")) == run.case.open_zaak
    # That of a vestiging came with 1.3. One of 8 digits in innNnpId was always there.
    assert len(parties(warm, KVK[3], "kvk_nummer")) == run.case.since("1.3")
    assert len(parties(warm, KVK[1], "kvk_nummer")) == 1
    assert len(parties(warm, VESTIGING[1], "vestigingsnummer")) == 1
    (company,) = parties(warm, RSIN[1], "rsin")
    # With a vestigingsnummer the rol is the vestiging's, and tells the name of its parent.
    assert company["partijIdentificatie"]["naam"] == "Hoofd B.V."


@pytest.mark.slow
@pytest.mark.rule("M12")
@pytest.mark.rule("M21")
@pytest.mark.rule("M22")
def test_the_fields_of_1_3_are_used_where_they_are_there(run: Run) -> None:
    """contactpersoonRol and afwijkendeNaamBetrokkene: without them no addresses, and nothing invented."""
    warm, later = Asker(run.full), run.case.since("1.3")
    (company,) = parties(warm, RSIN[0], "rsin", expand="digitaleAdressen")
    addresses = {each["adres"] for each in company["_expand"]["digitaleAdressen"]}
    assert addresses == ({"contact@voorbeeld.example", "0201234567"} if later else set())
    people = warm.get("partijen", soortPartij="contactpersoon").get_json()["results"]
    names = [each["partijIdentificatie"]["contactnaam"]["achternaam"] for each in people]
    assert ("Contact Persoon" in names) == later
    (nameless,) = parties(warm, NAMELESS, "bsn")
    name = nameless["partijIdentificatie"]["contactnaam"]["achternaam"]
    assert name == ("Buurtbewoner" if later else "")


@pytest.mark.slow
@pytest.mark.rule("M26")
def test_authenticatie_context_is_used_where_it_is_there(run: Run) -> None:
    """With eindeGeldigheid, which ends one of the two. Without them nobody represents anybody here."""
    warm = run.warm
    made = warm.get("vertegenwoordigingen").get_json()["results"]
    pairs = {
        (each["vertegenwoordigdePartij"]["uuid"], each["vertegenwoordigendePartij"]["uuid"]) for each in made
    }
    one = (run.uuid(f"brp:bsn:{REPRESENTED}"), run.uuid(f"brp:bsn:{REPRESENTATIVE}"))
    assert (one in pairs) == run.case.open_zaak
    assert not [pair for pair in pairs if pair[0] == run.uuid(f"brp:bsn:{ONCE_REPRESENTED}")]


@pytest.mark.slow
@pytest.mark.rule("M34")
def test_a_zaak_that_is_too_confidential_gives_nothing(run: Run) -> None:
    contact = f"klantcontacten/{uuid_of('klantcontact', 2)}"
    for asker in (run.cold("secret"), run.warm):
        assert parties(asker, SECRET, "bsn") == []
        assert asker.get("klantcontacten", **{ZAAK: uuid_of("zaak", 2)}).get_json()["count"] == 0
        assert asker.get(contact).status_code == 404
        shown = asker.get(f"klantcontacten/{uuid_of('klantcontact', 1)}", expand=ALL_OF_A_CONTACT).get_json()
        assert [each["wasPartij"]["uuid"] for each in shown["_expand"]["hadBetrokkenen"]] == [
            run.uuid(f"brp:bsn:{CITIZEN}")
        ]
    kinds = status(run.full.store)["sources"]["bron"]["kinds"]
    assert min(kinds[kind]["left_out"]["M34"] for kind in READ) >= 1


@pytest.mark.slow
def test_verify_finds_no_difference(run: Run) -> None:
    report = Verify(run.full.fetchers["bron"]).run()
    assert report["clean"], report["named"]


@pytest.mark.slow
@pytest.mark.rule("M35")
def test_what_is_destroyed_at_the_source_is_gone(run: Run) -> None:
    """Changes the world, so it is the last of a version: for a client by itself, and for good with a backfill."""
    holding = run.empty("live")
    live = Asker(holding)
    contact = f"klantcontacten/{uuid_of('klantcontact', 1)}"
    assert len(parties(live, CITIZEN, "bsn")) == 1
    assert live.get(contact).status_code == 200
    data, gone = run.server.dataset, uuid_of("zaak", 1)
    for kind in ("rol", "klantcontact"):
        for each in data.objects(kind):
            if each["zaak"].endswith(gone):
                data.remove(kind, each["uuid"])
    data.remove("zaak", gone)
    grow_old(holding)
    assert parties(live, CITIZEN, "bsn") == []
    assert live.get(contact).status_code == 404
    # The rol with only the A-nummer stays, and has its own uuid back.
    assert Backfill(run.full.fetchers["bron"]).run()
    left = run.warm.get(f"partijen/{run.uuid(f'brp:anr:{ANR}')}").get_json()
    assert left["uuid"] == run.uuid(f"brp:anr:{ANR}")
    assert left["partijIdentificatie"]["contactnaam"]["achternaam"] == "Oud"
    report = Verify(run.full.fetchers["bron"]).run()
    assert report["clean"], report["named"]
    fresh = run.empty("fresh")
    assert Backfill(fresh.fetchers["bron"]).run()
    assert dump_digest(fresh.store) == dump_digest(run.full.store)


# What the server says of itself, and how


def test_objects_in_the_form_of_hal_are_read_as_the_plain_ones() -> None:
    """Else a zaak would be kept with all its rollen in it, and differ with how it was asked for."""
    asked = {"expand": "rollen", "identificatie": "ZAAK-1"}
    found = []
    for hal in (False, True):
        with SampleServer(world(), version="1.2.0", open_zaak=False, hal=hal) as server:
            client = ZakenClient(source_of(server))
            objects = [
                client.first("zaak", asked)[0],
                client.first("rol")[0],
                client.get("zaak", uuid_of("zaak", 1)),
            ]
            assert len(objects[0][0]["_expand"]["rollen"]) == 9
            found.append(json.dumps(objects, sort_keys=True).replace(server.base_url, ""))
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("", "noemt geen versie"),
        ("latest", "niet te lezen"),
        ("2.0.0", "versie 2.0 is niet bekend, wel 1.0 tot en met 1.7"),
        ("0.9", "versie 0.9 is niet bekend"),
    ],
)
def test_a_server_that_names_no_version_to_go_by_is_told_to_the_operator(
    install: Install, says: str, words: str
) -> None:
    """And asked again each time: when it is mended, or api_version filled in, the gateway answers."""
    with SampleServer(world(), says=says) as server:
        problem = said(check_source(source_of(server)), Level.PROBLEM)
        assert words in problem
        assert "vul api_version in" in problem
        assert "latest" not in problem
        assert check_source(source_of(server, api_version="1.5.1")).level is not Level.PROBLEM
        asker = Asker(install(bron=server))
        assert asker.get("partijen", **identified(CITIZEN, "bsn")).status_code == 502
        server.become("1.5.1")
        assert len(parties(asker, CITIZEN, "bsn")) == 1


@pytest.mark.slow
def test_a_newer_version_is_asked_as_the_newest_known_and_told_of(install: Install) -> None:
    with SampleServer(world(), version="1.7.0", open_zaak=False, says="v1.9.0") as server:
        report = check_source(source_of(server))
        assert "bevraagd als 1.7" in said(report, Level.WARNING)
        assert report.level is Level.WARNING
        assert len(parties(Asker(install(bron=server)), CITIZEN, "bsn")) == 1


# A source that is upgraded while the gateway runs


def actor(asker: Asker) -> Any:
    return asker.get(
        "actoren", actoridentificatorObjectId="afd-versies", soortActor="organisatorische_eenheid"
    )


def test_a_filter_with_another_name_is_found_again_after_a_400(install: Install) -> None:
    """1.0 has `vestiging__identificatie` for the unit, later ones refuse it: the first question after it works."""
    with SampleServer(world(), version="1.0.2", open_zaak=False) as server:
        installation = install(bron=server)
        asker = Asker(installation)
        assert actor(asker).get_json()["count"] == 1
        grow_old(installation)
        server.become("1.5.1", open_zaak=False)
        answer = actor(asker)
        assert (answer.status_code, answer.get_json()["count"]) == (200, 1)
        assert answer.headers["Klantbrug-Freshness"] == "live"
        refused = [call for call in server.calls if call.status == 400 and "identificatie" in call.path]
        assert len(refused) == 1


def test_new_filters_are_used_from_the_first_question_on(install: Install) -> None:
    with SampleServer(world(), version="1.0.2", open_zaak=False) as server:
        installation = install(bron=server)
        asker = Asker(installation)
        assert parties(asker, KVK[3], "kvk_nummer") == []
        grow_old(installation)
        server.become("1.5.1")
        assert len(parties(asker, KVK[3], "kvk_nummer")) == 1
        assert any("vestiging__kvkNummer" in call.path for call in server.calls)
        (company,) = parties(asker, RSIN[0], "rsin")
        assert len(company["digitaleAdressen"]) == 2


def test_what_can_no_longer_be_asked_is_not_called_complete(install: Install) -> None:
    """From 1.3 on a vestiging has a KVK number, and the standard no filter on it."""
    with SampleServer(world(), version="1.0.2", open_zaak=False) as server:
        installation = install(bron=server)
        asker = Asker(installation)
        assert parties(asker, KVK[3], "kvk_nummer") == []
        grow_old(installation)
        server.become("1.5.1", open_zaak=False)
        assert asker.get("partijen", **identified(KVK[3], "kvk_nummer")).status_code == 503


@pytest.mark.slow
def test_a_source_that_loses_its_additions_goes_on(install: Install) -> None:
    """Also back to an older version: a failed upgrade is taken back."""
    with SampleServer(world()) as server:
        installation = install(bron=server)
        asker = Asker(installation)
        assert len(parties(asker, CITIZEN, "bsn")) == 1
        grow_old(installation)
        server.become("1.0.2", open_zaak=False)
        assert len(parties(asker, CITIZEN, "bsn")) == 1
        assert len(parties(asker, BY_URL, "bsn")) == 1
        assert actor(asker).get_json()["count"] == 1
        assert asker.get(f"klantcontacten/{uuid_of('klantcontact', 1)}").status_code == 200


UPGRADES = [
    (Case("1.0.2"), Case("1.5.1", open_zaak=True)),
    (Case("1.5.1", open_zaak=True), Case("1.0.2")),
    (Case("1.2.0", hal=True), Case("1.5.1")),
]


def assert_nothing_lost(
    installation: Installation, server: SampleServer, install: Callable[..., Installation]
) -> None:
    """Everything was seen, and the next backfill leaves nothing of the older version: what was read of it is again."""
    kinds = status(installation.store)["sources"]["bron"]["kinds"]
    assert {kind: kinds[kind]["seen"] for kind in READ} == {
        kind: len(server.dataset.objects(kind)) for kind in READ
    }
    assert Backfill(installation.fetchers["bron"]).run()
    fresh = install(bron=server)
    assert Backfill(fresh.fetchers["bron"]).run()
    assert dump_digest(installation.store) == dump_digest(fresh.store)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), UPGRADES, ids=str)
@pytest.mark.parametrize("look", [1, 2])
def test_an_upgrade_in_the_midst_of_a_backfill_loses_nothing(
    install: Install, before: Case, after: Case, look: int
) -> None:
    """Pages of 100 become pages of 500, or the other way: their numbers then mean other objects."""
    with ExitStack() as stack:
        server = stack.enter_context(SampleServer(world(15), **before.server))
        installation, done, looks = install(bron=server), [], {0}

        def show(progress: Progress) -> None:
            looks.add(progress.look)
            if not done and (progress.look, progress.kind) == (look, "rol") and progress.done >= 100:
                done.append(progress.done)
                server.become(**after.server)

        assert Backfill(installation.fetchers["bron"], show).run()
        assert done
        if before.open_zaak != after.open_zaak:
            assert max(looks) > look, "a look in which the numbers of pages changed proves nothing"
        assert_nothing_lost(installation, server, install)


@pytest.mark.slow
@pytest.mark.parametrize("look", [1, 2])
@pytest.mark.parametrize("stopped", [False, True], ids=["", "stopped"])
def test_a_version_that_can_not_be_asked_by_date_loses_nothing(
    install: Install, monkeypatch: pytest.MonkeyPatch, look: int, stopped: bool
) -> None:
    """A list of zaken was being read in parts by registratiedatum, and the source goes back to 1.2, which refuses that.

    Half-way, or while the backfill was stopped.
    """
    monkeypatch.setattr(backfill_job, "parts_of", partial(parts_of, part=10))
    with SampleServer(world(15), version="1.5.1", open_zaak=False) as server:
        installation, done, looks = install(bron=server), [], {0}

        def show(progress: Progress) -> None:
            looks.add(progress.look)
            if not done and (progress.look, progress.kind) == (look, "zaak") and progress.done >= 25:
                done.append(progress.done)
                server.become("1.2.0", open_zaak=False)
                if stopped:
                    raise BackfillStopped

        if stopped:
            with pytest.raises(BackfillStopped):
                Backfill(installation.fetchers["bron"], show).run()
            installation = install(installation.config.path)
        assert Backfill(installation.fetchers["bron"], show).run()
        assert done
        assert max(looks) > look, "what was read in parts proves nothing of the whole"
        assert any("registratiedatum" in call.path for call in server.calls)
        assert_nothing_lost(installation, server, install)


def test_servers_of_two_versions_behind_one_address_cost_few_calls() -> None:
    """While an upgrade goes from server to server, each answer may name the other version."""
    with SampleServer(world()) as server:
        client = ZakenClient(source_of(server))
        assert client.version().number == (1, 5, 1)
        server.reset_calls()
        for number in range(20):
            server.become("1.6.0" if number % 2 else "1.5.1")
            client.get("zaak", uuid_of("zaak", 1))
            client.version()
        probes = [call for call in server.calls if "kvkNummer" in call.path]
        assert len(probes) == 1


def test_additions_without_a_new_number_are_found_a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version_probe, "OLD_SECONDS", 0.0)
    with SampleServer(world(), version="1.5.1", open_zaak=False) as server:
        client = ZakenClient(source_of(server))
        assert not client.version().open_zaak
        server.become("1.5.1", open_zaak=True)
        assert client.version().open_zaak


@pytest.mark.slow
def test_a_version_that_can_not_be_found_again_stays_what_it_was() -> None:
    with SampleServer(world()) as server:
        client = ZakenClient(source_of(server))
        assert client.version().open_zaak
        server.become("1.6.0", says="nonsense")
        client.get("zaak", uuid_of("zaak", 1))
        assert client.version().text == "1.5.1"
        with pytest.raises(errors.BadAnswer, match="niet te lezen"):
            ZakenClient(source_of(server)).version()
