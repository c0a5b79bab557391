"""Nobody is told "there is nothing, and that is all" of somebody whose object could not be read (M3, promise 1)."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from builders.asker import Asker, write_client
from builders.commands import command
from builders.configs import UUID_SECRET
from builders.editor import identificator
from builders.following import backfilled, run
from builders.probe.asked import statements
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import an_open_zaak, new_contact, person, small
from builders.store_digest import dump_digest
from builders.unreadable_person import (
    BSN,
    LIMITED,
    NUMBER,
    OTHER,
    WAYS,
    bad_rol,
    bad_zaak,
    by_bsn,
    count,
    coverage,
    refused,
)

from gateway.installation import Installation
from gateway.operator.phase import NotAllowed, fingerprint, switch
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation.sources import source_state
from jobs.upkeep.purge import purge
from jobs.verify.verify import Verify
from mappings.identity.identity import Uuids, key_uuid

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return small(20)


def a_bad_rol(data: Dataset) -> str:
    return str(bad_rol(data)["uuid"])


def a_rol_on_a_bad_zaak(data: Dataset) -> str:
    person(data, BSN)
    return str(bad_zaak(data)["uuid"])


HIDING = [a_bad_rol, a_rol_on_a_bad_zaak]


@pytest.mark.rule("M3")
@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("hide", HIDING)
def test_who_occurs_in_quarantine_is_not_told_to_be_nobody(
    data: Dataset, server: SampleServer, install: Install, hide: Callable[[Dataset], str], path: str
) -> None:
    person(data, OTHER, 2, zaak=data.objects("zaak")[-1]["url"])
    hide(data)
    installation = backfilled(install(bron=server))
    asker = Asker(installation)
    assert refused(by_bsn(asker, BSN, path))
    assert coverage(by_bsn(asker, OTHER, path)) == "complete"
    lenient = Asker(backfilled(install(bron=server, partial="answer")))
    assert count(by_bsn(lenient, BSN, path)) == (200, 0, "partial; reason=quarantaine")
    assert coverage(by_bsn(lenient, OTHER, path)) == "complete"


@pytest.mark.rule("M3")
@pytest.mark.parametrize("hide", HIDING)
def test_also_before_the_backfill_when_the_source_is_asked_for_it(
    data: Dataset, server: SampleServer, install: Install, hide: Callable[[Dataset], str]
) -> None:
    if hide is a_bad_rol:  # of another type than a source can be asked for
        person(data, BSN, 1, betrokkeneIdentificatie={"inpBsn": BSN, "geslachtsnaam": "BEDORVEN"})
        server.traps.spoil = {b"BEDORVEN": b"Kapotte \xff"}
    else:
        hide(data)
    assert refused(by_bsn(Asker(install(bron=server)), BSN))


@pytest.mark.rule("M3")
@pytest.mark.parametrize("hide", HIDING)
def test_what_is_mended_at_the_source_is_answered_again(
    data: Dataset, server: SampleServer, install: Install, hide: Callable[[Dataset], str]
) -> None:
    before = data.copy()
    hidden = hide(data)
    installation = backfilled(install(bron=server))
    asker = Asker(installation)
    assert refused(by_bsn(asker, BSN))
    if hide is a_bad_rol:
        data.replace("rol", hidden, data.get("rol", hidden) | {"betrokkeneType": "natuurlijk_persoon"})
    else:
        data.replace(
            "zaak", hidden, before.get("zaak", hidden) | {"rollen": data.get("zaak", hidden)["rollen"]}
        )
    backfilled(installation)
    assert count(by_bsn(asker, BSN)) == (200, 1, "complete")
    assert coverage(asker.get("partijen")) == "complete"
    assert dump_digest(installation.store) == dump_digest(backfilled(install(bron=server)).store)


@pytest.mark.rule("M3")
def test_the_order_of_arrival_does_not_matter(data: Dataset, server: SampleServer, install: Install) -> None:
    """Rol first or zaak first, good first or bad first: the same is known of whom it hides."""
    zaak = an_open_zaak(data)
    rol = person(data, BSN)
    bad = zaak | {"vertrouwelijkheidaanduiding": ["openbaar"]}
    orders = (
        [("rol", rol), ("zaak", bad)],
        [("zaak", bad), ("rol", rol)],
        [("zaak", zaak), ("rol", rol), ("zaak", bad)],
        [("rol", rol), ("zaak", zaak), ("zaak", bad)],
    )
    digests = set()
    for order in orders:
        installation = install(bron=server)
        for kind, raw in order:
            installation.ingest.take("bron", kind, [raw], asked=0)
        digests.add(dump_digest(installation.store))
        switch(installation.store, "bron", "synced", "test", "test", force=True)
        Tamper(installation.store).set_covered()
        assert refused(by_bsn(Asker(installation), BSN))
    assert len(digests) == 1


@pytest.mark.rule("M3")
def test_without_a_readable_key_every_other_answer_is_partial_and_none_is_refused(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    person(data, OTHER, 2)
    bad_rol(data, betrokkeneIdentificatie={"geslachtsnaam": "Voorbeeld"}, betrokkene="")
    installation = backfilled(install(bron=server))
    asker = Asker(installation)
    assert count(by_bsn(asker, OTHER)) == (200, 1, "partial; reason=quarantaine")
    assert count(by_bsn(asker, BSN)) == (200, 0, "partial; reason=quarantaine")
    uuid = by_bsn(asker, OTHER).json["results"][0]["uuid"]
    detail = asker.get(f"partijen/{uuid}")
    assert (detail.status_code, coverage(detail)) == (200, "partial; reason=quarantaine")


@pytest.mark.rule("M3")
@pytest.mark.parametrize("fault", [b"Kapotte \xff", b'Kap"otte'])
def test_a_bad_byte_in_the_key_itself_hides_the_key(
    data: Dataset, server: SampleServer, install: Install, fault: bytes
) -> None:
    person(data, OTHER, 2)
    person(data, "BEDORVEN-NUMMER", 3)
    server.traps.spoil = {b"BEDORVEN-NUMMER": fault}
    asker = Asker(backfilled(install(bron=server)))
    assert count(by_bsn(asker, OTHER)) == (200, 1, "partial; reason=quarantaine")


@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    "spelled", [111222333, "111222333 ", "111.222.333", {"nummer": "111222333"}, ["111222333"]]
)
def test_a_number_is_found_however_it_is_written(
    data: Dataset, server: SampleServer, install: Install, spelled: Any
) -> None:
    bad_rol(data, betrokkeneIdentificatie={"inpBsn": spelled})
    asker = Asker(backfilled(install(bron=server)))
    assert refused(by_bsn(asker, BSN))


@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    ("soort", "number", "fields"),
    [
        ("rsin", "123456782", {"innNnpId": "123456782"}),
        ("kvk_nummer", "12345678", {"kvkNummer": "12345678"}),
        ("vestigingsnummer", "000012345678", {"vestigingsNummer": "000012345678"}),
    ],
)
def test_so_it_is_with_every_number(
    data: Dataset, server: SampleServer, install: Install, soort: str, number: str, fields: dict[str, str]
) -> None:
    bad_rol(data, betrokkeneIdentificatie=fields)
    asker = Asker(backfilled(install(bron=server)))
    answer = asker.get("partijen", **{f"{NUMBER}codeSoortObjectId": soort, f"{NUMBER}objectId": number})
    assert refused(answer)
    assert refused(asker.get("partij-identificatoren", partijIdentificatorObjectId=number))


@pytest.mark.rule("M3")
def test_and_with_a_medewerker(data: Dataset, server: SampleServer, install: Install) -> None:
    bad_rol(data, betrokkeneIdentificatie={"identificatie": "j.voorbeeld"})
    asker = Asker(backfilled(install(bron=server)))
    assert refused(asker.get("actoren", actoridentificatorObjectId="j.voorbeeld"))
    assert coverage(asker.get("actoren", actoridentificatorObjectId="p.ander")) == "complete"


@pytest.mark.rule("M3")
def test_a_party_that_is_held_is_shown_by_uuid_but_not_as_all_there_is(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    """What is held of it is an answer to who knows its uuid; a search by what it is known by is refused."""
    person(data, BSN, 2)
    bad_rol(data)
    asker = Asker(backfilled(install(bron=server)))
    uuid = str(key_uuid(Uuids(UUID_SECRET), f"brp:bsn:{BSN}"))
    detail = asker.get(f"partijen/{uuid}")
    assert (detail.status_code, coverage(detail)) == (200, "partial; reason=quarantaine")
    assert refused(by_bsn(asker, BSN))
    assert refused(asker.get("klantcontacten", hadBetrokkene__wasPartij__uuid=uuid))
    assert refused(asker.get("betrokkenen", wasPartij__uuid=uuid))
    assert refused(asker.get("digitaleadressen", verstrektDoorPartij__uuid=uuid))


@pytest.mark.rule("M3")
def test_the_uuid_that_a_party_in_quarantine_would_have_is_not_nothing(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    bad_rol(data)
    asker = Asker(backfilled(install(bron=server)))
    uuids = Uuids(UUID_SECRET)
    uuid = key_uuid(uuids, f"brp:bsn:{BSN}")
    assert refused(asker.get(f"partijen/{uuid}"))
    assert refused(asker.get("klantcontacten", hadBetrokkene__wasPartij__uuid=str(uuid)))
    other = asker.get(f"partijen/{key_uuid(uuids, f'brp:bsn:{OTHER}')}")
    assert (other.status_code, coverage(other)) == (404, "partial; reason=quarantaine")
    assert coverage(asker.get(f"partijen/{uuid4()}")) == "complete"


@pytest.mark.rule("M3")
@pytest.mark.parametrize("what", ["klantcontact", "zaakcontactmoment", "rol"])
def test_a_zaak_with_something_unreadable_on_it_is_not_answered_as_whole(
    data: Dataset, server: SampleServer, install: Install, what: str
) -> None:
    rol = person(data, BSN, omschrijvingGeneriek="initiator")
    zaak = an_open_zaak(data)
    contact = new_contact(data, zaak["uuid"])
    if what == "klantcontact":
        data.replace("klantcontact", contact["uuid"], contact | {"datumtijd": ["gisteren"]})
    elif what == "zaakcontactmoment":
        made = data.snapshot("zaakcontactmoment")[0].load()
        data.add("zaakcontactmoment", made | {"uuid": str(uuid4()), "zaak": zaak["url"], "contactmoment": 5})
    else:
        bad_rol(data)
    asker = Asker(backfilled(install(bron=server)))
    about = {"onderwerpobject__onderwerpobjectidentificatorObjectId": zaak["uuid"]}
    assert refused(asker.get("klantcontacten", **about))
    assert refused(asker.get("onderwerpobjecten", onderwerpobjectidentificatorObjectId=zaak["uuid"]))
    other = data.objects("zaak")[-1]["uuid"]
    answer = asker.get("onderwerpobjecten", onderwerpobjectidentificatorObjectId=other)
    # Nobody knows which contactmoment it is that hangs on the zaak.
    unsure = what == "zaakcontactmoment"
    assert coverage(answer) == ("partial; reason=quarantaine" if unsure else "complete")
    if what == "klantcontact":
        bsn = rol["betrokkeneIdentificatie"]["inpBsn"]
        # One of its contacts is missing, and perhaps it had no other.
        assert coverage(by_bsn(asker, bsn, "klantcontacten")) == "partial; reason=quarantaine"
        assert refused(asker.get(f"klantcontacten/{contact['uuid']}"))
        assert refused(asker.get("betrokkenen", hadKlantcontact__uuid=contact["uuid"]))


@pytest.mark.rule("M3")
def test_lists_are_partial_until_it_is_dismissed(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    rol = bad_rol(data)
    installation = backfilled(install(bron=server))
    asker = Asker(installation)
    for path in ("partijen", "klantcontacten", "actoren", "betrokkenen"):
        assert coverage(asker.get(path)) == "partial; reason=quarantaine"
    assert coverage(asker.get("digitaleadressen", adres="wie@voorbeeld.nl")) == "partial; reason=quarantaine"
    assert coverage(asker.get("categorieen")) == "complete"  # no source gives any
    result = command(installation, "quarantine", "dismiss", rol["uuid"])
    assert result.exit_code == 0 and "telt niet meer mee" in result.output
    assert coverage(asker.get("partijen")) == "complete"
    assert count(by_bsn(asker, BSN)) == (200, 0, "complete")


@pytest.mark.rule("M3")
def test_a_dismissed_zaak_takes_along_what_waits_for_it(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    zaak = a_rol_on_a_bad_zaak(data)
    installation = backfilled(install(bron=server))
    assert refused(by_bsn(Asker(installation), BSN))
    command(installation, "quarantine", "dismiss", zaak)
    assert count(by_bsn(Asker(installation), BSN)) == (200, 0, "complete")


@pytest.mark.rule("M3")
def test_nobody_is_made_double_because_of_it(data: Dataset, server: SampleServer, install: Install) -> None:
    bad_rol(data)
    installation = backfilled(install(bron=server))
    client, headers = write_client(installation, installation.hydrator())
    body = {
        "soortPartij": "persoon",
        "indicatieActief": True,
        "indicatieGeheimhouding": False,
        "voorkeurstaal": "nld",
        "digitaleAdressen": None,
        "voorkeursDigitaalAdres": None,
        "rekeningnummers": None,
        "voorkeursRekeningnummer": None,
        "partijIdentificatie": {"contactnaam": {"achternaam": "Voorbeeld"}},
        "partijIdentificatoren": [identificator("bsn", BSN)],
    }
    path = "/klantinteracties/api/v1/partijen"
    assert refused(client.post(path, json=body, headers=headers))
    body["partijIdentificatoren"][0]["partijIdentificator"]["objectId"] = OTHER  # type: ignore[index]
    assert client.post(path, json=body, headers=headers).status_code == 201


@pytest.mark.rule("M3")
def test_of_several_sources_each_counts(data: Dataset, server: SampleServer, install: Install) -> None:
    """What one source gives of somebody is not all while another one's object can't be read."""
    second = small(30)
    person(data, BSN, 2)
    bad_rol(second)
    with SampleServer(second) as other:
        asker = Asker(backfilled(install(bron=server, tweede=other)))
        answer = by_bsn(asker, BSN)
        assert refused(answer)
        assert "tweede" in answer.json["detail"] and "bron bron" not in answer.json["detail"]
        assert coverage(by_bsn(asker, OTHER)) == "complete"


@pytest.mark.rule("M34")
@pytest.mark.parametrize("rol", [person, bad_rol])
@pytest.mark.parametrize("state", ["secret", "refused"])
def test_nothing_is_told_of_who_stands_in_a_zaak_that_nobody_may_see(
    data: Dataset, server: SampleServer, install: Install, state: str, rol: Callable[..., Any]
) -> None:
    """Whether its rol can be read or not."""
    there = rol(data, BSN)
    zaak = an_open_zaak(data)
    bad_rol(data, OTHER, zaak=data.objects("zaak")[-1]["url"])
    if state == "secret":
        data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": "zeer_geheim"})
    else:
        data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": "geheim"})
        known = server.app.extensions["sample"].applications
        known[LIMITED.client_id] = LIMITED
    installation = backfilled(install(bron=server))
    if state == "refused":  # the source shows it in a notification, say, and not its zaak
        installation.ingest.take("bron", "rol", [data.get("rol", there["uuid"])], asked=0)
        installation.ingest.refused("bron", "zaak", UUID(zaak["uuid"]), 0)
    asker = Asker(installation)
    assert refused(by_bsn(asker, OTHER))
    assert count(by_bsn(asker, BSN)) == (200, 0, "complete")


@pytest.mark.rule("M3")
@pytest.mark.parametrize("sample", [None, 5])
def test_a_verify_is_not_clean_and_no_phase_goes_forward(
    data: Dataset, server: SampleServer, install: Install, sample: int | None
) -> None:
    rol = bad_rol(data)
    installation = backfilled(install(bron=server))
    fetcher = installation.fetchers["bron"]
    report = Verify(fetcher, sample=sample).run()
    assert (report["clean"], report["unread"], report["found"]) == (False, 1, 0)
    shown = command(installation, "verify", "--report", str(report["id"]))
    assert "NIET schoon: 1 object is niet te lezen (quarantaine)" in " ".join(shown.output.split())
    mapping = fingerprint(installation.config.mapping)
    with pytest.raises(NotAllowed, match=r"quarantaine .*klantbrug quarantine dismiss UUID.*--force"):
        switch(installation.store, "bron", "synced", getpass.getuser(), mapping=mapping)
    command(installation, "quarantine", "dismiss", rol["uuid"])
    assert Verify(fetcher, sample=sample).run()["clean"]
    switch(installation.store, "bron", "synced", getpass.getuser(), mapping=mapping)


@pytest.mark.rule("M3")
def test_what_comes_into_quarantine_after_the_proof_holds_a_phase_up_too(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    installation = backfilled(install(bron=server))
    assert Verify(installation.fetchers["bron"]).run()["clean"]
    rol = bad_rol(data)
    installation.ingest.take("bron", "rol", [data.get("rol", rol["uuid"])], asked=0)
    mapping = fingerprint(installation.config.mapping)
    with pytest.raises(NotAllowed, match=r"quarantaine .*klantbrug quarantine list.*--force"):
        switch(installation.store, "bron", "synced", getpass.getuser(), mapping=mapping)
    switch(installation.store, "bron", "synced", "iemand", "bewust", force=True, mapping=mapping)
    with installation.store.read() as connection:
        assert source_state(connection, installation.fetchers["bron"].source)[0] == "synced"


@pytest.mark.rule("M3")
def test_status_page_and_phase_say_it(data: Dataset, server: SampleServer, install: Install) -> None:
    bad_rol(data)
    installation = backfilled(install(bron=server))
    told = "1 object is niet te lezen (quarantaine): wie daarnaar zoekt krijgt geen volledig antwoord"
    assert told in " ".join(command(installation, "status").output.split())
    assert told in " ".join(command(installation, "phase").output.split())
    page = " ".join(Asker(installation).page().split())
    assert told in page
    assert '<span class="kb-word kb-half">Deels leesbaar</span>' in page  # and not green
    assert "100 %, op 1 onleesbare na" in page
    bad_rol(data, betrokkeneIdentificatie=None)
    backfilled(installation)
    assert "alle andere antwoorden" in " ".join(command(installation, "status").output.split())


def test_without_quarantine_no_question_asks_the_store_for_more(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    """What a question costs is the same as it was: who looks for somebody in quarantine pays, and nobody else."""
    person(data, OTHER, 2)
    asker = Asker(backfilled(install(bron=server)))
    uuid = by_bsn(asker, OTHER).json["results"][0]["uuid"]
    with statements(asker.hydrator.store) as asked:
        by_bsn(asker, OTHER)
        asker.get(f"partijen/{uuid}")
        asker.get("partijen")
    assert asked and not [each for each in asked if "quarantine" in each or "unread_key" in each]


def test_no_number_stands_readable_beside_what_could_not_be_read(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    rol = bad_rol(data)
    installation = backfilled(install(bron=server))
    probe = Probe(installation.store)
    hashes = probe.unread_hashes(rol["uuid"])
    assert not any(BSN in key for key in probe.values("identity", "key"))
    assert hashes and all(len(each) == 16 and BSN.encode() not in each for each in hashes)


@pytest.mark.rule("M3")
@pytest.mark.parametrize("hide", HIDING)
def test_what_was_in_quarantine_before_the_update_is_seen_again_at_night(
    data: Dataset, server: SampleServer, install: Install, hide: Callable[[Dataset], str]
) -> None:
    hide(data)
    installation = backfilled(install(bron=server))
    Tamper(installation.store).forget_unread_keys()
    asker = Asker(installation)
    assert count(by_bsn(asker, BSN)) == (200, 0, "partial; reason=quarantaine")
    run(installation, purge)
    assert refused(by_bsn(asker, BSN))
    assert count(by_bsn(asker, OTHER))[2] == "complete"


@pytest.mark.rule("M3")
def test_an_old_url_of_what_could_not_be_read_says_so(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    contact = new_contact(data, an_open_zaak(data)["uuid"])
    data.replace("klantcontact", contact["uuid"], contact | {"datumtijd": ["gisteren"]})
    asker = Asker(backfilled(install(bron=server)))
    url = f"{server.zaken_url}klantcontacten/{contact['uuid']}"
    answer = asker.client.post(
        "/beheer/api/v1/oud", json={"urls": [url]}, headers={"Authorization": f"Token {asker.token}"}
    )
    (found,) = answer.json["results"]
    assert not found["found"] and "quarantaine" in found["reason"]


@pytest.mark.rule("M3")
def test_what_is_met_on_the_way_counts_too(data: Dataset, server: SampleServer, install: Install) -> None:
    """Before the backfill: of a partij its zaken are read with it, and one of those holds what can't be read."""
    rol = person(data, BSN, omschrijvingGeneriek="initiator")
    contact = new_contact(data, rol["zaak"].rsplit("/", 1)[-1])
    data.replace("klantcontact", contact["uuid"], contact | {"datumtijd": ["gisteren"]})
    answer = by_bsn(Asker(install(bron=server)), BSN)
    assert count(answer) == (200, 1, "partial; reason=quarantaine")
