"""What clients wrote over the legacy stays what they saw, whatever comes in afterwards and however often (M19, M31)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from builders.configs import UUID_SECRET
from builders.earlier_objects import contactmoment, klant
from builders.edited_world import Raw, World, ref
from builders.legacy_objects import (
    BSN,
    KVK,
    klantcontact,
    medewerker,
    organisatie,
    persoon,
    rol_uuid,
    uuid_of,
    zaak,
)
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.store_digest import dump_digest

from mappings.identity.identity import Uuids, key_uuid

pytestmark = [pytest.mark.rule("M19"), pytest.mark.slow]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def secret_for_a_while(world: World) -> None:
    world.take(zaak(2, "geheim"))
    world.take(zaak(2))
    world.take(persoon(2, naam="Jansen", zaak=2, generiek="initiator"), klantcontact(2, 2))


# What the source may do afterwards; none of it is about whom a client said a contact was with.
LATER: dict[str, Callable[[World], None]] = {
    "the contact changes": lambda world: world.take(klantcontact(2, 2, onderwerp="anders")),
    "the rol changes": lambda world: world.take(
        persoon(2, naam="Jansen", zaak=2, generiek="initiator", roltoelichting="anders")
    ),
    "the zaak changes": lambda world: world.take(zaak(2, "intern")),
    "rebuild": World.rebuild,
    "the zaak is secret for a while": secret_for_a_while,
}


def two_of_one(world: World) -> tuple[str, str, str]:
    """A partij with a BSN and its double without, each with a contact. Out: both, and the betrokkene of the double."""
    world.take(
        zaak(1),
        zaak(2),
        persoon(1, BSN[0], naam="Jansen", generiek="initiator"),
        persoon(2, naam="Jansen", zaak=2, generiek="initiator"),
        klantcontact(1),
        klantcontact(2, 2),
    )
    real = world.partij(BSN[0])
    double = next(each["uuid"] for each in world.all("partijen") if each["uuid"] != real)
    (betrokkene,) = (each["uuid"] for each in world.all("betrokkenen", wasPartij__uuid=double))
    return real, double, betrokkene


@pytest.mark.parametrize("later", LATER)
def test_a_merge_by_hand_stays(world: World, later: str) -> None:
    """The contact of a double is given to the partij, the double deleted: as KISS does it (G33)."""
    real, double, betrokkene = two_of_one(world)
    world.write("PATCH", f"betrokkenen/{betrokkene}", {"wasPartij": ref(real)})
    world.write("DELETE", f"partijen/{double}")
    LATER[later](world)
    assert world.client.get("klantcontacten", hadBetrokkene__wasPartij__uuid=real).get_json()["count"] == 2
    assert not world.there("partijen", double)
    before = dump_digest(world.store)
    world.rebuild()
    assert dump_digest(world.store) == before


@pytest.mark.parametrize("later", LATER)
def test_a_betrokkene_that_is_no_longer_a_partij_stays(world: World, later: str) -> None:
    _, double, betrokkene = two_of_one(world)
    world.write("PATCH", f"betrokkenen/{betrokkene}", {"wasPartij": None})
    world.write("DELETE", f"partijen/{double}")
    LATER[later](world)
    assert world.client.get(f"betrokkenen/{betrokkene}").get_json()["wasPartij"] is None


@pytest.mark.parametrize("later", LATER)
def test_a_betrokkene_that_was_deleted_with_its_partij_stays_away(world: World, later: str) -> None:
    _, double, betrokkene = two_of_one(world)
    world.write("DELETE", f"partijen/{double}")
    LATER[later](world)
    world.take(klantcontact(3, 2))
    assert not world.there("betrokkenen", betrokkene)
    assert len(world.all("betrokkenen")) == 1


def gemachtigd(number: int, who: str, kant: str, **rest: Any) -> Raw:
    return persoon(number, who, indicatieMachtiging=kant, **rest)


def test_a_vertegenwoordiging_that_was_moved_stays(world: World) -> None:
    rollen = [gemachtigd(1, BSN[0], "gemachtigde"), gemachtigd(2, BSN[1], "machtiginggever")]
    world.take(zaak(1), zaak(2), *rollen, persoon(3, BSN[2], zaak=2))
    one = world.one("vertegenwoordigingen")["uuid"]
    world.write(
        "PATCH", f"vertegenwoordigingen/{one}", {"vertegenwoordigendePartij": ref(world.partij(BSN[2]))}
    )
    world.write("DELETE", f"partijen/{world.partij(BSN[0])}")
    seen = world.seen()
    world.take(rollen[0] | {"roltoelichting": "anders"})
    assert world.seen() == seen
    world.take(zaak(1, "intern"))
    assert world.seen() == seen
    world.rebuild()
    assert world.seen() == seen


def test_an_actor_of_a_contact_that_was_moved_stays(world: World) -> None:
    balie = medewerker(1, generiek="klantcontacter")
    world.take(zaak(1), zaak(2), balie, medewerker(2, "mw-2", zaak=2), klantcontact(1))
    first = world.one("actoren", actoridentificatorObjectId="mw-1")["uuid"]
    second = world.one("actoren", actoridentificatorObjectId="mw-2")["uuid"]
    moved = world.one("actorklantcontacten")["uuid"]
    world.write("PATCH", f"actorklantcontacten/{moved}", {"actor": ref(second)})
    world.write("DELETE", f"actoren/{first}")
    seen = world.seen()
    world.take(klantcontact(1, onderwerp="anders"))
    world.take(klantcontact(1))
    assert world.seen() == seen
    world.rebuild()
    assert world.seen() == seen
    world.ingest.remove("bron", "rol", [rol_uuid(1)])
    assert world.all("actorklantcontacten") == []


# What belongs to something that a client deleted, and was given to another before


MAIL = {"emailadres": "a@voorbeeld.nl"}


def test_an_address_that_was_given_to_another_partij_stays(world: World) -> None:
    rollen = [persoon(1, BSN[0], contact=MAIL), persoon(2, BSN[1])]
    world.take(zaak(1), *rollen)
    adres = world.one("digitaleadressen")["uuid"]
    other = world.partij(BSN[1])
    world.write(
        "PATCH", f"digitaleadressen/{adres}", {"verstrektDoorPartij": ref(other), "isStandaardAdres": True}
    )
    world.write("DELETE", f"partijen/{world.partij(BSN[0])}")
    seen = world.seen()
    world.take(rollen[0] | {"roltoelichting": "anders"})
    assert world.seen() == seen
    world.rebuild()
    assert world.seen() == seen
    world.ingest.remove("bron", "rol", [rol_uuid(1)])
    assert world.all("digitaleadressen") == []


def test_a_contactpersoon_stays_without_the_organisatie_that_a_client_deleted(world: World) -> None:
    rol = organisatie(1, kvk=KVK[0], contact=MAIL | {"naam": "Jan de Wit"})
    world.take(zaak(1), rol)
    company = next(each["uuid"] for each in world.all("partijen") if each["soortPartij"] == "organisatie")
    world.write("DELETE", f"partijen/{company}")
    seen = world.seen()
    assert [each["soortPartij"] for each in seen["partijen"]] == ["contactpersoon"]
    world.take(rol | {"roltoelichting": "anders"})
    assert world.seen() == seen
    world.rebuild()
    assert world.seen() == seen
    world.ingest.remove("bron", "rol", [rol_uuid(1)])
    assert (world.all("partijen"), world.all("digitaleadressen")) == ([], [])


def test_what_was_given_to_another_contact_stays_and_goes_with_the_contact_that_it_came_from(
    world: World,
) -> None:
    world.take(zaak(1), persoon(1, BSN[0], generiek="initiator"), klantcontact(1), klantcontact(2))
    first, second = uuid_of("klantcontact", 1), uuid_of("klantcontact", 2)
    betrokkene = world.one("betrokkenen", hadKlantcontact__uuid=first)["uuid"]
    over = next(
        each["uuid"] for each in world.all("onderwerpobjecten") if each["klantcontact"]["uuid"] == first
    )
    world.write("PATCH", f"betrokkenen/{betrokkene}", {"hadKlantcontact": ref(second)})
    world.write("PATCH", f"onderwerpobjecten/{over}", {"klantcontact": ref(second)})
    world.write("DELETE", f"klantcontacten/{first}")
    seen = world.seen()
    world.take(klantcontact(1, onderwerp="anders"))
    assert world.seen() == seen
    world.take(zaak(1, "intern"))
    world.take(zaak(1))
    assert world.seen() == seen
    world.rebuild()
    assert world.seen() == seen
    world.ingest.remove("bron", "klantcontact", [UUID(first)])
    assert not world.there("betrokkenen", betrokkene)
    assert not world.there("onderwerpobjecten", over)


# A client's reference to what gets another uuid, or is no more


URL = "https://personen.example/9"


def test_a_reference_of_a_client_follows_the_keys_of_its_partij(world: World) -> None:
    """The partij that a contact was given to turns out to be another one, and later not (M6)."""
    world.take(
        zaak(1),
        zaak(2),
        persoon(1, url=URL),
        persoon(2, BSN[1], zaak=2, generiek="initiator"),
        persoon(3, BSN[0]),
        klantcontact(2, 2),
    )
    by_url = next(each["uuid"] for each in world.all("partijen") if not each["partijIdentificatoren"])
    betrokkene = world.one("betrokkenen")["uuid"]

    def was_partij() -> str:
        return str(world.client.get(f"betrokkenen/{betrokkene}").get_json()["wasPartij"]["uuid"])

    world.write("PATCH", f"betrokkenen/{betrokkene}", {"wasPartij": ref(by_url)})
    before = dump_digest(world.store)
    world.take(persoon(4, BSN[0], url=URL))
    assert was_partij() == world.partij(BSN[0]) != by_url
    joined = dump_digest(world.store)
    world.rebuild()
    assert dump_digest(world.store) == joined
    world.ingest.remove("bron", "rol", [rol_uuid(4)])
    assert was_partij() == by_url
    assert dump_digest(world.store) == before


@pytest.mark.rule("M20")
def test_a_partij_that_a_client_gave_a_contact_to_stays_for_it(world: World) -> None:
    """Its rollen go at the source: it is inactive and empty, and has that contact still."""
    real, _, betrokkene = two_of_one(world)
    world.write("PATCH", f"betrokkenen/{betrokkene}", {"wasPartij": ref(real)})
    world.ingest.remove("bron", "rol", [rol_uuid(1)])
    assert world.client.get(f"betrokkenen/{betrokkene}").get_json()["wasPartij"]["uuid"] == real
    assert world.client.get(f"partijen/{real}").get_json()["indicatieActief"] is False
    before = dump_digest(world.store)
    world.rebuild()
    assert dump_digest(world.store) == before
    world.take(persoon(1, BSN[0], naam="Jansen", generiek="initiator"))
    assert world.client.get(f"partijen/{real}").get_json()["indicatieActief"] is True
    assert world.client.get(f"betrokkenen/{betrokkene}").get_json()["wasPartij"]["uuid"] == real


# A client's own actor that the legacy turns out to have, or had already


CODES = {"objectId": "mw-1", "codeObjecttype": "mdw", "codeRegister": "obj", "codeSoortObjectId": "idf"}
ACTOR = {
    "naam": "Balie Zuid",
    "soortActor": "medewerker",
    "indicatieActief": True,
    "actoridentificator": CODES,
}
DERIVED_ACTOR = str(key_uuid(Uuids(UUID_SECRET), "actor:medewerker|bron|mw-1"))


def balie(number: int = 1, **rest: Any) -> Raw:
    contact = {"functie": "Baliemedewerker", "telefoonnummer": "0201234567"}
    return medewerker(number, generiek="klantcontacter", contact=contact, **rest)


@pytest.mark.rule("M31")
@pytest.mark.parametrize("first", ["client", "legacy"])
def test_a_client_s_actor_with_the_identificator_of_a_derived_one_is_that_one(
    world: World, first: str
) -> None:
    """The client's uuid stays, the derived one leads to it, and what the client filled in wins (G45)."""
    legacy = (zaak(1), balie(), klantcontact(1))
    if first == "legacy":
        world.take(*legacy)
    own = world.write("POST", "actoren", ACTOR)["uuid"]
    if first == "client":
        world.take(*legacy)
    actor = world.one("actoren")
    assert (actor["uuid"], actor["naam"]) == (own, "Balie Zuid")
    assert actor["actorIdentificatie"]["functie"] == "Baliemedewerker"
    assert world.one("actoren", actoridentificatorObjectId="mw-1") == actor
    assert world.one("actorklantcontacten")["actor"]["uuid"] == own
    assert world.client.get(f"actoren/{DERIVED_ACTOR}").get_json()["uuid"] == own
    before = dump_digest(world.store)
    world.rebuild()
    assert dump_digest(world.store) == before
    world.take(balie(roltoelichting="anders"))
    world.take(balie())
    assert dump_digest(world.store) == before
    world.take(klantcontact(2))
    assert {each["actor"]["uuid"] for each in world.all("actorklantcontacten")} == {own}
    world.ingest.remove("bron", "rol", [rol_uuid(1)])
    left = world.one("actoren")
    assert (left["uuid"], left["naam"], left["actorIdentificatie"]) == (own, "Balie Zuid", None)
    assert not world.there("actoren", DERIVED_ACTOR)
    world.write("DELETE", f"actoren/{own}")


@pytest.mark.rule("M42")
def test_actors_come_to_the_same_in_both_orders(tmp_path: Path) -> None:
    """But for the uuids that the client's POST gave."""
    shown = []
    for first in ("client", "legacy"):
        (tmp_path / first).mkdir()
        world = World(tmp_path / first)
        legacy = (zaak(1), balie(), klantcontact(1))
        if first == "legacy":
            world.take(*legacy)
        own = world.write("POST", "actoren", ACTOR)["uuid"]
        if first == "client":
            world.take(*legacy)
        seen = {path: world.all(path) for path in ("actoren", "actorklantcontacten", "klantcontacten")}
        shown.append(orjson.dumps(seen).decode().replace(own, "own"))
        world.store.close()
    assert shown[0] == shown[1]


def test_an_actor_that_becomes_the_derived_one_takes_along_what_refers_to_it(world: World) -> None:
    world.take(zaak(1), balie(), klantcontact(1))
    own = world.write("POST", "actoren", ACTOR | {"actoridentificator": CODES | {"objectId": "mw-9"}})["uuid"]
    taak = {
        "gevraagdeHandeling": "bellen",
        "status": "te_verwerken",
        "aanleidinggevendKlantcontact": ref(uuid_of("klantcontact", 1)),
        "toegewezenAanActor": ref(own),
    }
    taak_uuid = world.write("POST", "internetaken", taak)["uuid"]
    world.write("PATCH", f"actoren/{own}", {"actoridentificator": CODES})
    assert world.one("actoren")["uuid"] == own
    shown = world.client.get(f"internetaken/{taak_uuid}").get_json()
    assert shown["toegewezenAanActor"]["uuid"] == own
    before = dump_digest(world.store)
    world.rebuild()
    assert dump_digest(world.store) == before


@pytest.mark.rule("M31")
@pytest.mark.parametrize("whose", ["legacy", "both"])
def test_a_deleted_actor_stays_away_from_new_contacts_with_a_finding(world: World, whose: str) -> None:
    if whose == "both":
        world.write("POST", "actoren", ACTOR)
    world.take(zaak(1), balie(), klantcontact(1))
    found = world.findings("M31")
    actor = world.one("actoren")["uuid"]
    world.write("DELETE", f"actoren/{actor}")
    assert world.findings("M31") == found == []
    world.rebuild()
    assert world.findings("M31") == []
    world.take(klantcontact(2), balie(2, zaak=1))
    assert (world.all("actoren"), world.all("actorklantcontacten")) == ([], [])
    assert [each["uuid"] for each in world.findings("M31")] == [uuid_of("klantcontact", 2)]
    before = dump_digest(world.store)
    world.rebuild()
    assert dump_digest(world.store) == before
    second = uuid_of("klantcontact", 2)
    world.write("DELETE", f"klantcontacten/{second}")
    assert world.findings("M31") == []
    world.ingest.restore(UUID(second))
    assert dump_digest(world.store) == before
    world.ingest.restore(UUID(actor))
    assert {each["actor"]["uuid"] for each in world.all("actorklantcontacten")} == {actor}
    assert world.findings("M31") == []


@pytest.mark.rule("M31")
def test_a_deleted_actor_stays_away_from_new_contactmomenten_with_a_finding(world: World) -> None:
    who = {"medewerkerIdentificatie": {"identificatie": "mw-1", "achternaam": "Balie"}}
    world.ingest.take("bron", "contactmoment", [contactmoment(1, **who)], asked=0)
    actor = world.one("actoren")["uuid"]
    world.write("DELETE", f"actoren/{actor}")
    changed = contactmoment(1, tekst="Anders", **who)
    world.ingest.take("bron", "contactmoment", [changed, contactmoment(2, **who)], asked=0)
    assert world.all("actorklantcontacten") == []
    assert [each["kind"] for each in world.findings("M31")] == ["contactmoment"]


# A document that stays for clients' sake, until the legacy gives it again


@pytest.mark.rule("M20")
@pytest.mark.parametrize("how", ["change", "delete"])
def test_what_a_client_does_to_a_contact_that_stayed_for_it_counts_when_it_is_back(
    world: World, how: str
) -> None:
    world.take(zaak(1), klantcontact(1))
    contact = f"klantcontacten/{uuid_of('klantcontact', 1)}"
    body = {"hadKlantcontact": ref(uuid_of("klantcontact", 1)), "rol": "klant", "initiator": True}
    world.write("POST", "betrokkenen", body | {"wasPartij": None})
    world.take(zaak(1, "geheim"))
    if how == "change":
        world.write("PATCH", contact, {"inhoud": "Het klaar."})
    else:
        world.write("DELETE", contact)
    world.take(zaak(1))
    world.take(klantcontact(1))
    shown = world.client.get(contact)
    if how == "change":
        assert (shown.get_json()["inhoud"], shown.get_json()["onderwerp"]) == ("Het klaar.", "Vraag")
    else:
        assert shown.status_code == 404


def test_a_deleted_contactmoment_is_restored_at_once(world: World) -> None:
    world.ingest.take("bron", "contactmoment", [contactmoment(1)], asked=0)
    before = dump_digest(world.store)
    contact = world.one("klantcontacten")["uuid"]
    world.write("DELETE", f"klantcontacten/{contact}")
    assert world.ingest.restore(UUID(contact))
    assert dump_digest(world.store) == before


def test_what_was_given_to_another_contact_is_restored(world: World) -> None:
    world.take(zaak(1), persoon(1, BSN[0], generiek="initiator"), klantcontact(1), klantcontact(2))
    first, second = uuid_of("klantcontact", 1), uuid_of("klantcontact", 2)
    moved = world.one("betrokkenen", hadKlantcontact__uuid=first)["uuid"]
    world.write("PATCH", f"betrokkenen/{moved}", {"hadKlantcontact": ref(second)})
    world.write("DELETE", f"klantcontacten/{first}")
    before = dump_digest(world.store)
    world.write("DELETE", f"betrokkenen/{moved}")
    assert world.ingest.restore(UUID(moved))
    assert dump_digest(world.store) == before


@pytest.mark.rule("M1")
def test_a_rebuild_finds_again_who_was_deleted(world: World) -> None:
    """As in a store that was filled before that was kept."""
    real, double, betrokkene = two_of_one(world)
    world.write("PATCH", f"betrokkenen/{betrokkene}", {"wasPartij": ref(real)})
    world.write("DELETE", f"partijen/{double}")
    before = dump_digest(world.store)
    hidden = Probe(world.store).rows("hidden", "*", order="statement")
    Tamper(world.store).lose_hidden()
    world.rebuild()
    assert Probe(world.store).rows("hidden", "*", order="statement") == hidden != []
    assert dump_digest(world.store) == before


@pytest.mark.rule("M6")
def test_who_was_deleted_keeps_its_other_uuids(world: World) -> None:
    world.take(zaak(1), *(persoon(each, BSN[0], url=f"https://personen.example/{each}") for each in (1, 2)))
    probe = Probe(world.store)
    others = probe.values("alias", "uuid", order="uuid")
    world.write("DELETE", f"partijen/{world.partij(BSN[0])}")
    kept = [[bytes.fromhex(each) for each in orjson.loads(text)] for text in probe.values("hidden", "others")]
    assert kept == [others, others]
    assert len(others) == 2
    hidden = probe.rows("hidden", "*", order="statement")
    Tamper(world.store).lose_hidden()
    world.rebuild()
    assert probe.rows("hidden", "*", order="statement") == hidden


@pytest.mark.rule("M41")
def test_a_number_that_a_client_gave_is_taken(world: World) -> None:
    world.ingest.take("bron", "klant", [klant(1, {"inpBsn": BSN[0]}, klantnummer="1")], asked=0)
    world.write("PATCH", f"partijen/{world.partij(BSN[0])}", {"nummer": "7"})
    world.ingest.take("bron", "klant", [klant(2, {"inpBsn": BSN[1]}, klantnummer="7")], asked=0)
    assert world.one("partijen", partijIdentificator__objectId=BSN[1])["nummer"] is None
    assert len(world.findings("M41")) == 1
