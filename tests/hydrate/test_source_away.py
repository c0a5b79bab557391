"""With the source away: what is held is answered, what hangs on it is accepted, and nothing is ever doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from builders.client_bodies import (
    BSN,
    CODES,
    KLANTCONTACT,
    OTHER_BSN,
    PERSOON,
    a_contact,
    a_medewerker,
    actor,
    bsn,
)
from builders.editor import ref
from builders.sample_data import sample_slice, small, some_zaken
from builders.talker import Said, Talker, talking

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
ZAAK = {"codeObjecttype": "zgw-Zaak", "codeRegister": "openzaak", "codeSoortObjectId": "uuid"}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def data() -> Dataset:
    return small(10)


@pytest.fixture
def talker(server: SampleServer, install: Install) -> Iterator[Talker]:
    """A client that writes, before the backfill, of a gateway that wants to ask again each time."""
    with talking(install(bron=server, max_age=0, deadline=2)) as made:
        yield made


def a_bsn(data: Dataset) -> str:
    """The BSN of a rol in a zaak that may be shown."""
    shown = {
        zaak["url"] for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar"
    }
    return next(
        rol["betrokkeneIdentificatie"]["inpBsn"]
        for rol in data.objects("rol")
        if rol["zaak"] in shown
        and rol["betrokkeneType"] == "natuurlijk_persoon"
        and len((rol["betrokkeneIdentificatie"] or {}).get("inpBsn") or "") == 9
    )


def by_bsn(talker: Talker, number: str) -> Said:
    return talker.get(
        "partijen", partijIdentificator__codeSoortObjectId="bsn", partijIdentificator__objectId=number
    )


def as_kiss_does(talker: Talker, identificatie: str) -> Any:
    """The actor of a medewerker, made when the question for it gives none or does not succeed; then a contact."""
    asked = talker.get(
        "actoren",
        **{f"actoridentificator{code[0].upper()}{code[1:]}": text for code, text in CODES.items()},
        actoridentificatorObjectId=identificatie,
    )
    found = asked.json["results"] if asked.status == 200 else []
    assert len(found) <= 1
    one = found[0] if found else talker.make("actoren", actor(identificatie))
    contact = talker.make("klantcontacten", KLANTCONTACT)
    talker.make("actorklantcontacten", {"actor": ref(one), "klantcontact": ref(contact)})
    return one


def actoren(talker: Talker, identificatie: str) -> set[str]:
    return talker.get("actoren", actoridentificatorObjectId=identificatie).uuids


def test_five_contacts_of_a_medewerker_that_is_held_are_of_one_actor(
    server: SampleServer, talker: Talker
) -> None:
    identificatie = a_medewerker(server.dataset)
    held = actoren(talker, identificatie)
    assert len(held) == 1
    server.traps.down = True
    for _ in range(5):
        assert {as_kiss_does(talker, identificatie)["uuid"]} == held
    said = talker.get("actoren", actoridentificatorObjectId=identificatie)
    assert (said.uuids, said.freshness) == (held, "stale")


def test_five_contacts_of_a_medewerker_that_a_client_made_are_of_one_actor(
    server: SampleServer, talker: Talker
) -> None:
    made = as_kiss_does(talker, "nieuw")
    server.traps.down = True
    assert {as_kiss_does(talker, "nieuw")["uuid"] for _ in range(5)} == {made["uuid"]}
    assert actoren(talker, "nieuw") == {made["uuid"]}


def test_an_actor_is_not_made_while_nobody_can_tell_whether_it_is_there(
    server: SampleServer, talker: Talker
) -> None:
    identificatie = a_medewerker(server.dataset)
    own = talker.make("actoren", {"naam": "Baliebot", "soortActor": "geautomatiseerde_actor"})
    server.traps.down = True
    assert talker.get("actoren", actoridentificatorObjectId=identificatie).status in (502, 504)
    assert talker.ask("POST", "actoren", actor(identificatie)).status in (502, 504)
    body = actor(identificatie, soortActor="medewerker")
    assert talker.ask("PATCH", f"actoren/{own['uuid']}", body).status in (502, 504)
    assert talker.ask("PUT", f"actoren/{own['uuid']}", body).status in (502, 504)


def test_an_actor_that_no_legacy_can_have_needs_no_source(server: SampleServer, talker: Talker) -> None:
    """Another soort, or other codes than legacy actoren are served with (M27), as of one that was typed in by hand."""
    server.traps.down = True
    by_hand = {**CODES, "codeRegister": "handmatig", "objectId": "x"}
    first = talker.make("actoren", actor("x", actoridentificator=by_hand))
    bot = talker.make("actoren", actor("bot", soortActor="geautomatiseerde_actor"))
    said = talker.get("actoren", actoridentificatorObjectId="x", actoridentificatorCodeRegister="handmatig")
    assert (said.status, said.uuids, said.coverage) == (200, {first["uuid"]}, "complete")
    said = talker.get("actoren", actoridentificatorObjectId="bot", soortActor="geautomatiseerde_actor")
    assert (said.status, said.uuids) == (200, {bot["uuid"]})


def test_an_actor_that_a_client_makes_again_is_the_one_that_it_made(
    server: SampleServer, talker: Talker
) -> None:
    """One of the source (never asked for before) too: what the body says is from then on what clients said."""
    for identificatie in (a_medewerker(server.dataset), "nieuw"):
        first = talker.make("actoren", actor(identificatie))
        again = talker.ask("POST", "actoren", actor(identificatie, naam="Anders"))
        assert again.status == 201
        assert again.json == {**first, "naam": "Anders"}
        assert again.all("Location") == [first["url"]]
        assert first["uuid"] in actoren(talker, identificatie)
        assert talker.get(f"actoren/{first['uuid']}").json["naam"] == "Anders"


def test_a_client_s_actor_of_a_medewerker_of_the_source_keeps_its_own_uuid(
    server: SampleServer, talker: Talker
) -> None:
    """Its POST is that of a new actor, though the source's is held: the two become one under that uuid (M31)."""
    identificatie = a_medewerker(server.dataset)
    (held,) = actoren(talker, identificatie)
    made = talker.make("actoren", actor(identificatie))
    assert made["uuid"] != held
    assert talker.make("actoren", actor(identificatie))["uuid"] == made["uuid"]


def test_a_client_s_actor_may_become_one_of_the_source(server: SampleServer, talker: Talker) -> None:
    identificatie = a_medewerker(server.dataset)
    assert len(actoren(talker, identificatie)) == 1
    own = talker.make("actoren", actor("een"))
    said = talker.ask(
        "PATCH", f"actoren/{own['uuid']}", {"actoridentificator": actor(identificatie)["actoridentificator"]}
    )
    assert (said.status, said.json["uuid"]) == (200, own["uuid"])
    assert own["uuid"] in actoren(talker, identificatie)


def test_an_actor_does_not_become_another_one(talker: Talker) -> None:
    one, other = talker.make("actoren", actor("een")), talker.make("actoren", actor("twee"))
    unit = actor("een", soortActor="organisatorische_eenheid")
    for method, path, body in (
        ("POST", "actoren", unit),
        ("PUT", f"actoren/{other['uuid']}", actor("een")),
        ("PATCH", f"actoren/{other['uuid']}", {"actoridentificator": {**CODES, "objectId": "een"}}),
    ):
        said = talker.ask(method, path, body)
        assert said.status == 400
        params = [(param["name"], param["code"]) for param in said.json["invalidParams"]]
        assert params == [("actoridentificator", "unique")]
    # Its own is nobody else's, and who has none has nobody's.
    assert talker.ask("PUT", f"actoren/{one['uuid']}", actor("een", naam="Nieuw")).status == 200
    for _ in range(2):
        talker.make("actoren", {"naam": "Zonder", "soortActor": "medewerker"})
        talker.make("actoren", actor(""))


def test_what_hangs_on_what_was_just_accepted_is_accepted(server: SampleServer, talker: Talker) -> None:
    """Every write that refers to other documents, about a party of the source that is held and one of a client."""
    data = server.dataset
    found = by_bsn(talker, a_bsn(data)).json["results"][0]
    (medewerker,) = actoren(talker, a_medewerker(data))
    own = talker.make("partijen", PERSOON)
    talker.make("partij-identificatoren", {"partijIdentificator": bsn(BSN), "identificeerdePartij": ref(own)})
    server.traps.down = True
    for partij in (found, own, talker.make("partijen", PERSOON)):
        contact = talker.make("klantcontacten", KLANTCONTACT)
        at = {"hadKlantcontact": ref(contact), "rol": "klant", "initiator": True}
        talker.make("betrokkenen", {**at, "wasPartij": None})
        betrokkene = talker.make("betrokkenen", {**at, "wasPartij": ref(partij)})
        email = {"adres": "iemand@example.nl", "soortDigitaalAdres": "email"}
        of_contact = {"verstrektDoorPartij": None, "verstrektDoorBetrokkene": ref(betrokkene)}
        talker.make("digitaleadressen", {**email, **of_contact})
        adres = talker.make(
            "digitaleadressen", {**email, "verstrektDoorPartij": ref(partij), "isStandaardAdres": True}
        )
        zaak = {**ZAAK, "objectId": NOBODY}
        talker.make(
            "onderwerpobjecten",
            {"klantcontact": ref(contact), "wasKlantcontact": None, "onderwerpobjectidentificator": zaak},
        )
        talker.make("bijlagen", {"wasBijlageVanKlantcontact": ref(contact)})
        talker.make("actorklantcontacten", {"actor": {"uuid": medewerker}, "klantcontact": ref(contact)})
        taak = talker.make(
            "internetaken",
            {
                "gevraagdeHandeling": "Terugbellen",
                "aanleidinggevendKlantcontact": ref(contact),
                "toegewezenAanActoren": [{"uuid": medewerker}],
                "status": "te_verwerken",
            },
        )
        rekening = talker.make("rekeningnummers", {"partij": ref(partij), "iban": "NL18BANK23481326"})
        categorie = talker.make("categorieen", {"naam": f"van {partij['uuid']}"})
        talker.make("categorie-relaties", {"partij": ref(partij), "categorie": ref(categorie)})
        other = talker.make("partijen", PERSOON)
        talker.make(
            "vertegenwoordigingen",
            {"vertegenwoordigendePartij": ref(other), "vertegenwoordigdePartij": ref(partij)},
        )
        made = talker.make(
            "maak-klantcontact",
            {
                "klantcontact": KLANTCONTACT,
                "betrokkene": {"wasPartij": ref(partij), "rol": "klant", "initiator": True},
                "onderwerpobject": {"onderwerpobjectidentificator": zaak},
            },
        )
        for path, shown, change in (
            ("partijen", partij, {"voorkeursDigitaalAdres": ref(adres)}),
            ("klantcontacten", contact, {"onderwerp": "Rijbewijs"}),
            ("betrokkenen", made["betrokkene"], {"hadKlantcontact": ref(contact)}),
            ("internetaken", taak, {"status": "verwerkt"}),
        ):
            said = talker.ask("PATCH", f"{path}/{shown['uuid']}", change)
            assert said.status == 200, (path, said.status)
        whole = talker.get(
            f"klantcontacten/{contact['uuid']}",
            expand="leiddeTotInterneTaken,gingOverOnderwerpobjecten,hadBetrokkenen",
        )
        assert (whole.status, len(whole.json["hadBetrokkenen"])) == (200, 3)
        assert talker.ask("DELETE", f"rekeningnummers/{rekening['uuid']}").status == 204


def test_a_number_that_is_held_can_be_written_again_and_is_found(
    server: SampleServer, talker: Talker
) -> None:
    """PUT of what was read, and the search that a client does next."""
    body = {**PERSOON, "partijIdentificatoren": [{"partijIdentificator": bsn(BSN)}]}
    made = talker.make("partijen", body)
    server.traps.down = True
    said = by_bsn(talker, BSN)
    assert (said.status, said.uuids, said.freshness) == (200, {made["uuid"]}, "stale")
    own = [
        {key: one[key] for key in ("uuid", "partijIdentificator")} for one in made["partijIdentificatoren"]
    ]
    again = talker.ask("PUT", f"partijen/{made['uuid']}", {**made, "partijIdentificatoren": own})
    assert again.status == 200
    double = talker.ask("POST", "partijen", body)
    assert [param["code"] for param in double.json["invalidParams"]] == ["invalid"]
    other = {**PERSOON, "partijIdentificatoren": [{"partijIdentificator": bsn(OTHER_BSN)}]}
    assert talker.ask("POST", "partijen", other).status in (502, 504)
    assert by_bsn(talker, OTHER_BSN).status in (502, 504)


def test_a_contact_that_came_with_a_page_is_answered_and_changed(
    server: SampleServer, install: Install
) -> None:
    """Held, but never asked for by itself: as after a backfill that was stopped."""
    installation, contact = install(bron=server, max_age=0, deadline=2), a_contact(server.dataset)
    for kind in ("zaak", "rol", "klantcontact"):
        installation.ingest.take("bron", kind, server.dataset.objects(kind), asked=0)
    server.traps.down = True
    with talking(installation) as talker:
        path = f"klantcontacten/{contact['uuid']}"
        said = talker.get(path)
        assert (said.status, said.coverage, said.freshness) == (200, "partial", "stale")
        of_zaak = {"onderwerpobject__onderwerpobjectidentificatorObjectId": contact["zaak"].rsplit("/", 1)[1]}
        assert contact["uuid"] in talker.get("klantcontacten", **of_zaak).uuids
        assert talker.ask("PATCH", path, {"onderwerp": "Anders"}).status == 200
        assert talker.ask("DELETE", path).status == 204


@pytest.mark.parametrize("order", [("weg", "hier"), ("hier", "weg")])
def test_with_one_source_away_what_the_other_has_is_answered(
    server: SampleServer, install: Install, order: tuple[str, str]
) -> None:
    identificatie = a_medewerker(server.dataset)
    with SampleServer(some_zaken(sample_slice(), 50)) as away:
        away.traps.down = True
        sources = {name: {"weg": away, "hier": server}[name] for name in order}
        with talking(install(**sources, max_age=0, deadline=2)) as talker:
            said = talker.get("actoren", actoridentificatorObjectId=identificatie)
            assert (said.status, said.json["count"]) == (200, 1)
            assert (said.coverage, said.freshness) == ("partial", "stale")
            assert talker.get("actoren", actoridentificatorObjectId="nieuw").status in (502, 504)


def test_what_a_source_knows_meanwhile_of_a_client_s_partij_is_asked(
    server: SampleServer, talker: Talker
) -> None:
    """By the uuid of the partij too: its number is known, so the source can be asked (before the backfill)."""
    data, contact = server.dataset, a_contact(server.dataset)
    own = talker.make("partijen", {**PERSOON, "partijIdentificatoren": [{"partijIdentificator": bsn(BSN)}]})
    by_partij = {"hadBetrokkene__wasPartij__uuid": own["uuid"]}
    assert talker.get("klantcontacten", **by_partij).json["count"] == 0
    rol = next(rol for rol in data.objects("rol") if rol["zaak"] == contact["zaak"])
    rol |= {
        "betrokkene": "",
        "betrokkeneType": "natuurlijk_persoon",
        "omschrijvingGeneriek": "initiator",
        "betrokkeneIdentificatie": {"inpBsn": BSN, "geslachtsnaam": "Voorbeeld"},
    }
    data.replace("rol", rol["uuid"], rol)
    said = talker.get("klantcontacten", **by_partij)
    assert contact["uuid"] in said.uuids
    url = {"wasPartij__url": own["url"]}
    assert talker.get("betrokkenen", **url).json["count"] > 0
    server.traps.down = True
    said = talker.get("klantcontacten", **by_partij)
    assert (contact["uuid"] in said.uuids, said.freshness) == (True, "stale")
