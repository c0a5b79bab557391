"""What clients write over what the legacy says: it wins, stays through every ingest, and can be undone (M19, M20)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest
from builders.asker import Asker
from builders.configs import UUID_SECRET, read_config
from builders.earlier_objects import contactmoment, earlier_url, klant, klantcontactmoment
from builders.editor import identificator
from builders.legacy_objects import BSN as BSNS
from builders.legacy_objects import (
    KVK,
    RSIN,
    klantcontact,
    medewerker,
    organisatie,
    persoon,
    rol_uuid,
    uuid_of,
    zaak,
)
from builders.probe.probe import Probe
from builders.sample_data import small
from builders.store_digest import dump_digest
from builders.writer import BSN_OF_CLIENT, Writer, taking
from builders.writer import register as register

from gateway.installation import Installation, open_installation
from gateway.operator.explain.explainer import Explainer
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.dump import dump_lines
from gateway.store.legacy.erased import erased
from jobs.backfill.backfill import Backfill
from jobs.rebuild.rebuild import Rebuild
from mappings.identity.identity import Uuids, key_uuid

pytestmark = [pytest.mark.rule("M19"), pytest.mark.slow]
Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return small(20)


def change_all_rollen(server: SampleServer) -> None:
    for rol in server.dataset.objects("rol"):
        server.dataset.replace("rol", rol["uuid"], rol | {"roltoelichting": f"{rol['roltoelichting']}."})


@pytest.fixture
def writer(server: SampleServer, install: Install) -> Writer:
    made = Writer(install(bron=server))
    made.sync()
    return made


def a_partij(writer: Writer, **query: str) -> dict[str, Any]:
    """A person from the legacy with contacts and an e-mail address."""
    page = writer.get("partijen", soortPartij="persoon", pageSize="500", **query).get_json()["results"]
    found = next(partij for partij in page if partij["betrokkenen"] and partij["digitaleAdressen"])
    return {name: value for name, value in found.items() if name != "_expand"}


def test_a_name_given_by_a_client_survives_a_sync(writer: Writer, server: SampleServer) -> None:
    partij = a_partij(writer)
    contactnaam = {
        "voorletters": "Q",
        "voornaam": "Quinten",
        "voorvoegselAchternaam": "",
        "achternaam": "Zelfgekozen",
    }
    answer = writer.send(
        "PATCH",
        f"partijen/{partij['uuid']}",
        {"soortPartij": partij["soortPartij"], "partijIdentificatie": {"contactnaam": contactnaam}},
    )
    assert answer.status_code == 200, answer.text
    change_all_rollen(server)
    writer.sync()
    after = writer.get(f"partijen/{partij['uuid']}").get_json()
    assert after["partijIdentificatie"]["contactnaam"] == contactnaam
    assert after["bezoekadres"] == partij["bezoekadres"]
    assert after["partijIdentificatoren"] == partij["partijIdentificatoren"]


def test_only_what_differs_becomes_local(writer: Writer, server: SampleServer) -> None:
    """A PUT of what was served is no edit: the legacy keeps the say."""
    partij = a_partij(writer)
    assert writer.send("PUT", f"partijen/{partij['uuid']}", partij).status_code == 200
    assert Probe(writer.installation.store).written() == {}


def test_a_deleted_partij_stays_away_until_it_is_restored(writer: Writer, server: SampleServer) -> None:
    partij = a_partij(writer)
    before = dump_digest(writer.installation.store)
    assert writer.send("DELETE", f"partijen/{partij['uuid']}").status_code == 204
    change_all_rollen(server)
    writer.sync()
    assert writer.get(f"partijen/{partij['uuid']}").status_code == 404
    for betrokkene in partij["betrokkenen"]:
        assert writer.get(f"betrokkenen/{betrokkene['uuid']}").status_code == 404
    assert writer.installation.ingest.restore(UUID(partij["uuid"])) >= 1
    assert writer.get(f"partijen/{partij['uuid']}").get_json() == partij
    for rol in server.dataset.objects("rol"):
        server.dataset.replace(
            "rol", rol["uuid"], rol | {"roltoelichting": rol["roltoelichting"].removesuffix(".")}
        )
    writer.sync()
    assert dump_digest(writer.installation.store) == before


def test_an_address_added_by_a_client_stays_and_stays_the_standard(
    writer: Writer, server: SampleServer
) -> None:
    partij = a_partij(writer)
    old = [writer.get(f"digitaleadressen/{adres['uuid']}").get_json() for adres in partij["digitaleAdressen"]]
    soort = next(adres["soortDigitaalAdres"] for adres in old if adres["soortDigitaalAdres"] != "overig")
    body = {
        "verstrektDoorPartij": {"uuid": partij["uuid"]},
        "adres": "nieuw@example.nl" if soort == "email" else "0612345678",
        "soortDigitaalAdres": soort,
        "isStandaardAdres": True,
        "omschrijving": "",
    }
    created = writer.send("POST", "digitaleadressen", body)
    assert created.status_code == 201, created.text
    change_all_rollen(server)
    writer.sync()
    answer = writer.get(
        "digitaleadressen", verstrektDoorPartij__uuid=partij["uuid"], soortDigitaalAdres=soort
    )
    standard = [adres["uuid"] for adres in answer.get_json()["results"] if adres["isStandaardAdres"]]
    assert standard == [created.get_json()["uuid"]]


def test_an_existing_bsn_is_found_before_a_double_is_made(server: SampleServer, install: Install) -> None:
    """On a cold gateway: the key is fetched before the write is judged."""
    cold = Writer(install(bron=server))
    rol = next(
        rol
        for rol in server.dataset.objects("rol")
        if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn") and _readable(server, rol)
    )
    identificator = {
        "partijIdentificator": {
            "codeObjecttype": "natuurlijk_persoon",
            "codeSoortObjectId": "bsn",
            "objectId": rol["betrokkeneIdentificatie"]["inpBsn"],
            "codeRegister": "brp",
        }
    }
    body = {"soortPartij": "persoon", "indicatieActief": True, "partijIdentificatoren": [identificator]}
    assert cold.send("POST", "partijen", body).status_code == 400


def _readable(server: SampleServer, rol: dict[str, Any]) -> bool:
    zaak = server.dataset.get("zaak", rol["zaak"].rsplit("/", 1)[-1])
    return zaak["vertrouwelijkheidaanduiding"] in ("openbaar", "beperkt_openbaar", "intern")


@pytest.mark.rule("M20")
def test_a_partij_that_vanishes_stays_for_what_clients_wrote_of_it(
    writer: Writer, server: SampleServer
) -> None:
    """Its rollen are destroyed at the source: the name goes, the client's address stays on an inactive partij."""
    partij = a_partij(writer)
    bsn = next(
        row["partijIdentificator"]["objectId"]
        for row in partij["partijIdentificatoren"]
        if row["partijIdentificator"]["codeSoortObjectId"] == "bsn"
    )
    body = {
        "verstrektDoorPartij": {"uuid": partij["uuid"]},
        "adres": "nieuw@example.nl",
        "soortDigitaalAdres": "email",
        "omschrijving": "",
    }
    created = writer.send("POST", "digitaleadressen", body).get_json()
    for rol in server.dataset.objects("rol"):
        if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn") == bsn or rol["betrokkene"].endswith(bsn):
            server.dataset.remove("rol", rol["uuid"])
    writer.sync()
    left = writer.get(f"partijen/{partij['uuid']}").get_json()
    assert left["indicatieActief"] is False
    assert not any(left["partijIdentificatie"]["contactnaam"].values())
    assert [adres["uuid"] for adres in left["digitaleAdressen"]] == [created["uuid"]]
    assert left["partijIdentificatoren"] == []


@pytest.mark.rule("M34")
def test_a_lowered_maximum_hides_at_once_what_is_held(writer: Writer) -> None:
    """Not at the next backfill: what may no longer be shown is gone when the gateway starts."""
    config = writer.installation.config.path
    assert config is not None
    before = writer.get("klantcontacten").get_json()["count"]
    config.write_text(config.read_text().replace('"zaakvertrouwelijk"', '"openbaar"'))
    lowered = open_installation(read_config(config))
    after = Asker(lowered).get("klantcontacten").get_json()["count"]
    assert 0 < after < before
    fresh = config.parent / "fresh"
    fresh.mkdir()
    (fresh / "config.toml").write_text(config.read_text())
    other = open_installation(read_config(fresh / "config.toml"))
    assert Backfill(other.fetchers["bron"]).run()
    assert dump_digest(other.store) == dump_digest(lowered.store)


@pytest.mark.rule("M34")
def test_a_raised_maximum_asks_for_a_backfill(writer: Writer) -> None:
    config = writer.installation.config.path
    assert config is not None
    config.write_text(config.read_text().replace('"zaakvertrouwelijk"', '"zeer_geheim"'))
    raised = open_installation(read_config(config))
    assert Asker(raised).get("klantcontacten").status_code == 503
    assert Backfill(raised.fetchers["bron"]).run()
    assert Asker(raised).get("klantcontacten").get_json()["count"] > 0


# The same party, made by a client and known to the legacy


def a_rol(bsn: str, number: int = 1, **rest: Any) -> dict[str, Any]:
    return persoon(number, bsn, naam="Bron", **rest)


def made_by_client(register: Writer, **fields: Any) -> dict[str, Any]:
    body = {
        "soortPartij": "persoon",
        "indicatieActief": True,
        "partijIdentificatie": {"contactnaam": {"achternaam": "Client"}},
        "partijIdentificatoren": [identificator("bsn", BSN_OF_CLIENT)],
    } | fields
    created = register.send("POST", "partijen", body)
    assert created.status_code == 201, created.text
    made = created.get_json()
    made.pop("_expand", None)
    return dict(made)


def served(register: Writer, path: str) -> dict[str, Any]:
    found = register.get(path).get_json()
    found.pop("_expand", None)
    return dict(found)


def test_a_partij_of_a_client_and_of_the_legacy_with_one_bsn_are_one(register: Writer) -> None:
    """The client's uuid stays, the derived one leads to it, and what the client filled in wins."""
    made = made_by_client(register, interneNotitie="bel na vijven")
    ingest = taking(register)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    adres = {"verblijfsadres": {"gorOpenbareRuimteNaam": "Dorpsstraat", "wplWoonplaatsNaam": "Voorbeelddam"}}
    rol = a_rol(BSN_OF_CLIENT, generiek="initiator")
    rol["betrokkeneIdentificatie"] |= adres
    ingest.take("bron", "rol", [rol], asked=0)
    ingest.take("bron", "klantcontact", [klantcontact(1)], asked=0)
    page = register.get("partijen", partijIdentificator__objectId=BSN_OF_CLIENT).get_json()
    assert [partij["uuid"] for partij in page["results"]] == [made["uuid"]]
    partij = page["results"][0]
    assert partij["partijIdentificatie"]["contactnaam"]["achternaam"] == "Client"
    assert partij["interneNotitie"] == "bel na vijven"
    assert partij["bezoekadres"]["straatnaam"] == "Dorpsstraat"
    assert [row["uuid"] for row in partij["partijIdentificatoren"]] == [
        row["uuid"] for row in made["partijIdentificatoren"]
    ]
    assert len(partij["betrokkenen"]) == 1
    derived = key_uuid(Uuids(UUID_SECRET), f"brp:bsn:{BSN_OF_CLIENT}")
    assert served(register, f"partijen/{derived}")["uuid"] == made["uuid"]
    before = dump_digest(register.installation.store)
    ingest.take("bron", "rol", [rol | {"roltoelichting": "anders"}], asked=0)
    ingest.take("bron", "rol", [rol], asked=0)
    assert dump_digest(register.installation.store) == before


def test_when_the_legacy_loses_it_the_client_has_its_own_back(register: Writer) -> None:
    made = made_by_client(register)
    ingest = taking(register)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT, contact={"emailadres": "a@voorbeeld.nl"})], asked=0)
    assert len(served(register, f"partijen/{made['uuid']}")["digitaleAdressen"]) == 1
    changed = register.send("PATCH", f"partijen/{made['uuid']}", {"interneNotitie": "later"})
    assert changed.status_code == 200
    ingest.remove("bron", "rol", [rol_uuid(1)])
    assert served(register, f"partijen/{made['uuid']}") == made | {"interneNotitie": "later"}
    derived = key_uuid(Uuids(UUID_SECRET), f"brp:bsn:{BSN_OF_CLIENT}")
    assert register.get(f"partijen/{derived}").status_code == 404
    assert register.send("DELETE", f"partijen/{made['uuid']}").status_code == 204


def test_a_deleted_one_stays_away_when_the_legacy_comes_with_it_again(register: Writer) -> None:
    made = made_by_client(register)
    ingest = taking(register)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT)], asked=0)
    assert register.send("DELETE", f"partijen/{made['uuid']}").status_code == 204
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT, 2, on=3)], asked=0)
    assert register.get("partijen").get_json()["count"] == 0
    assert ingest.restore(UUID(made["uuid"])) >= 1
    assert served(register, f"partijen/{made['uuid']}")["uuid"] == made["uuid"]


def test_a_join_of_keys_takes_the_client_s_uuid_along(register: Writer) -> None:
    """First the rol with the BSN, then one that joins an URL to it (M6)."""
    made = made_by_client(register)
    ingest = taking(register)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    url = "https://personen.example/9"
    ingest.take("bron", "rol", [persoon(1, url=url)], asked=0)
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT, 2, url=url)], asked=0)
    assert register.get("partijen").get_json()["count"] == 1
    by_url = key_uuid(Uuids(UUID_SECRET), f"url:{url}")
    assert served(register, f"partijen/{by_url}")["uuid"] == made["uuid"]
    ingest.remove("bron", "rol", [rol_uuid(2)])
    assert register.get("partijen").get_json()["count"] == 2
    assert served(register, f"partijen/{by_url}")["uuid"] == str(by_url)


@pytest.mark.rule("M6")
def test_what_clients_wrote_and_deleted_goes_along_with_a_join_of_keys(register: Writer) -> None:
    """Party and addresses get the uuids of a higher key, and have their own back when the set splits."""
    ingest, url = taking(register), "https://personen.example/9"
    ingest.take("bron", "zaak", [zaak()], asked=0)
    contact = {"emailadres": "a@voorbeeld.nl", "telefoonnummer": "0201234567"}
    ingest.take("bron", "rol", [persoon(1, url=url, contact=contact)], asked=0)
    partij = register.get("partijen").get_json()["results"][0]["uuid"]
    phone, email = (
        register.get("digitaleadressen", soortDigitaalAdres=soort).get_json()["results"][0]["uuid"]
        for soort in ("telefoonnummer", "email")
    )
    for path, body in (
        (
            f"partijen/{partij}",
            {"interneNotitie": "bel na vijven", "voorkeursDigitaalAdres": {"uuid": email}},
        ),
        (f"digitaleadressen/{email}", {"omschrijving": "werk"}),
    ):
        assert register.send("PATCH", path, body).status_code == 200
    assert register.send("DELETE", f"digitaleadressen/{phone}").status_code == 204

    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT, 2, url=url)], asked=0)
    (joined,) = register.get("partijen").get_json()["results"]
    (adres,) = register.get("digitaleadressen").get_json()["results"]
    assert (joined["uuid"] != partij, adres["uuid"] != email) == (True, True)
    assert (joined["interneNotitie"], adres["omschrijving"]) == ("bel na vijven", "werk")
    assert joined["voorkeursDigitaalAdres"]["uuid"] == adres["uuid"]
    explainer = Explainer(register.installation.store, ingest.settings, UUID_SECRET)
    (told,) = explainer.explain(UUID(adres["uuid"]))["found"]
    fields = {each["field"]: each for part in told["groups"] for each in part["fields"]}
    assert (fields["omschrijving"]["rule"], fields["adres"]["rule"]) == ("M19", "M21")
    assert ingest.restore(UUID(phone)) == 1
    assert register.get("digitaleadressen").get_json()["count"] == 2

    ingest.remove("bron", "rol", [rol_uuid(2)])
    assert register.get(f"digitaleadressen/{email}").get_json()["omschrijving"] == "werk"
    assert register.get(f"partijen/{partij}").get_json()["interneNotitie"] == "bel na vijven"


@pytest.mark.rule("M6")
def test_what_refers_to_a_partij_goes_with_it_to_a_join_and_comes_back_from_it(register: Writer) -> None:
    """One typing error must not give a citizen's address to another for ever."""
    ingest, url = taking(register), "https://personen.example/9"
    ingest.take("bron", "zaak", [zaak()], asked=0)
    contact = {"emailadres": "bron@voorbeeld.nl"}
    ingest.take(
        "bron",
        "rol",
        [persoon(1, url=url, contact=contact), a_rol(BSN_OF_CLIENT, 2, contact=contact)],
        asked=0,
    )
    by_url, by_bsn = (
        str(key_uuid(Uuids(UUID_SECRET), key)) for key in (f"url:{url}", f"brp:bsn:{BSN_OF_CLIENT}")
    )
    body = {
        "verstrektDoorPartij": {"uuid": by_url},
        "adres": "client@voorbeeld.nl",
        "soortDigitaalAdres": "email",
        "isStandaardAdres": True,
        "omschrijving": "",
    }
    own, changed = (register.send("POST", "digitaleadressen", body).get_json()["uuid"] for _ in range(2))
    before = dump_digest(register.installation.store)
    joining = a_rol(BSN_OF_CLIENT, 3, url=url)

    def of_whom(uuid: str) -> str:
        return str(register.get(f"digitaleadressen/{uuid}").get_json()["verstrektDoorPartij"]["uuid"])

    ingest.take("bron", "rol", [joining], asked=0)
    assert of_whom(own) == of_whom(changed) == by_bsn
    ingest.remove("bron", "rol", [rol_uuid(3)])
    assert dump_digest(register.installation.store) == before
    assert of_whom(own) == of_whom(changed) == by_url

    ingest.take("bron", "rol", [joining], asked=0)
    third = register.send("POST", "partijen", {"soortPartij": "persoon", "indicatieActief": True}).get_json()
    away = {"verstrektDoorPartij": {"uuid": third["uuid"]}}
    assert register.send("PATCH", f"digitaleadressen/{changed}", away).status_code == 200
    assert register.send("DELETE", f"digitaleadressen/{own}").status_code == 204
    ingest.remove("bron", "rol", [rol_uuid(3)])
    assert of_whom(changed) == third["uuid"]


def findings(register: Writer) -> list[dict[str, Any]]:
    lines = map(orjson.loads, dump_lines(register.installation.store))
    return [line for line in lines if line["t"] == "finding" and line["rule"] in ("M30", "M40")]


@pytest.mark.rule("M30")
@pytest.mark.rule("M40")
@pytest.mark.parametrize("of", ["rol", "klant"])
def test_nothing_is_found_missing_that_a_client_deleted(register: Writer, of: str) -> None:
    """By a rebuild, a change of the zaak or contactmoment, or a new contact; the klant or rol is simply there."""
    ingest, changed = taking(register), contactmoment(1, tekst="Anders")
    ingest.take("bron", "zaak", [zaak()], asked=0)
    if of == "rol":
        ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT, generiek="initiator")], asked=0)
        ingest.take("bron", "klantcontact", [klantcontact(1)], asked=0)
        later: list[tuple[str, dict[str, Any]]] = [("klantcontact", klantcontact(2))]
    else:
        ingest.take("bron", "klant", [klant(1, {"inpBsn": BSN_OF_CLIENT})], asked=0)
        ingest.take("bron", "contactmoment", [contactmoment(1)], asked=0)
        ingest.take("bron", "klantcontactmoment", [klantcontactmoment(1, 1, 1)], asked=0)
        later = [
            ("contactmoment", changed),
            ("contactmoment", contactmoment(2, klant=earlier_url("klant", 1))),
        ]
    before, found = dump_digest(register.installation.store), findings(register)
    (partij,) = register.get("partijen").get_json()["results"]
    assert register.send("DELETE", f"partijen/{partij['uuid']}").status_code == 204
    without = dump_digest(register.installation.store)
    assert findings(register) == found
    Rebuild(register.installation.store, ingest).run()
    assert dump_digest(register.installation.store) == without
    ingest.take("bron", "zaak", [zaak(1, "zaakvertrouwelijk"), zaak(2)], asked=0)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", [a_rol(BSNS[1], 2, zaak=2)], asked=0)
    ingest.remove("bron", "zaak", [UUID(uuid_of("zaak", 2))])
    assert dump_digest(register.installation.store) == without
    for kind, raw in later:
        ingest.take("bron", kind, [raw], asked=0)
    assert findings(register) == found
    assert register.get("betrokkenen").get_json()["count"] == 0
    for kind, raw in later:
        if raw is changed:
            ingest.take("bron", kind, [contactmoment(1)], asked=0)
        else:
            ingest.remove("bron", kind, [UUID(raw["url"].rpartition("/")[2])])
    assert ingest.restore(UUID(partij["uuid"]))
    assert dump_digest(register.installation.store) == before


def standards(register: Writer) -> dict[str, bool]:
    """Of each digitaal adres whether it is the standard one."""
    found = register.get("digitaleadressen").get_json()["results"]
    return {each["adres"]: each["isStandaardAdres"] for each in found}


def with_email(number: int, adres: str, bsn: str = BSN_OF_CLIENT, **rest: Any) -> dict[str, Any]:
    contact = {"emailadres": adres, "functie": "", "naam": "", "telefoonnummer": ""}
    return a_rol(bsn, number, on=number, contact=contact, **rest)


@pytest.mark.rule("M21")
@pytest.mark.parametrize("again", [False, True])
def test_when_the_standard_address_of_a_client_goes_the_newest_is_it_again(
    register: Writer, again: bool
) -> None:
    """Also when the client had chosen that one before."""
    ingest = taking(register)
    rollen = [with_email(1, "a@b.nl"), with_email(2, "c@d.nl")]
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", rollen, asked=0)
    uuids = {each["adres"]: each["uuid"] for each in register.get("digitaleadressen").get_json()["results"]}
    for adres in ("a@b.nl", "c@d.nl", "a@b.nl") if again else ("a@b.nl",):
        chosen = register.send("PATCH", f"digitaleadressen/{uuids[adres]}", {"isStandaardAdres": True})
        assert chosen.status_code == 200
    assert standards(register) == {"a@b.nl": True, "c@d.nl": False}
    ingest.take("bron", "rol", [rollen[1] | {"roltoelichting": "anders"}, with_email(3, "e@f.nl")], asked=0)
    assert standards(register) == {"a@b.nl": True, "c@d.nl": False, "e@f.nl": False}
    before = dump_digest(register.installation.store)
    ingest.remove("bron", "rol", [rol_uuid(1)])
    assert standards(register) == {"c@d.nl": False, "e@f.nl": True}
    ingest.take("bron", "rol", rollen[:1], asked=0)
    assert dump_digest(register.installation.store) == before
    ingest.remove("bron", "rol", [rol_uuid(1), rol_uuid(3)])
    assert standards(register) == {"c@d.nl": True}


@pytest.mark.rule("M21")
@pytest.mark.rule("M6")
def test_partijen_that_are_joined_have_one_standard_address_of_a_client(register: Writer) -> None:
    """By a rol that says they are one; when it goes, each has its own back."""
    ingest, url = taking(register), "https://personen.example/9"
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take(
        "bron",
        "rol",
        [
            with_email(1, "a@b.nl"),
            with_email(2, "c@d.nl"),
            with_email(3, "e@f.nl", "", url=url),
            with_email(4, "g@h.nl", "", url=url),
        ],
        asked=0,
    )
    for each in register.get("digitaleadressen").get_json()["results"]:
        if each["adres"] in ("a@b.nl", "e@f.nl"):
            path = f"digitaleadressen/{each['uuid']}"
            assert register.send("PATCH", path, {"isStandaardAdres": True}).status_code == 200
    before = dump_digest(register.installation.store)
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT, 5, url=url)], asked=0)
    joined = standards(register)
    assert [adres for adres, standard in joined.items() if standard] in (["a@b.nl"], ["e@f.nl"])
    Rebuild(register.installation.store, ingest).run()
    assert standards(register) == joined
    ingest.remove("bron", "rol", [rol_uuid(5)])
    assert dump_digest(register.installation.store) == before


@pytest.mark.rule("M6")
def test_a_deleted_double_does_not_hide_the_partij_that_it_turns_out_to_be(register: Writer) -> None:
    ingest, url = taking(register), "https://personen.example/9"
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", [persoon(1, url=url), a_rol(BSN_OF_CLIENT, 2)], asked=0)
    double = key_uuid(Uuids(UUID_SECRET), f"url:{url}")
    assert register.send("DELETE", f"partijen/{double}").status_code == 204
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT, 3, url=url)], asked=0)
    (partij,) = register.get("partijen").get_json()["results"]
    assert partij["uuid"] == str(key_uuid(Uuids(UUID_SECRET), f"brp:bsn:{BSN_OF_CLIENT}"))


@pytest.mark.rule("M20")
@pytest.mark.parametrize(("setting", "left"), [("inactief", 1), ("verwijderen", 0)])
def test_what_becomes_of_a_partij_without_rollen_is_a_setting(
    register: Writer, setting: str, left: int
) -> None:
    ingest = taking(register, verdwenen_partij=setting)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT)], asked=0)
    (partij,) = register.get("partijen").get_json()["results"]
    adres = {
        "verstrektDoorPartij": {"uuid": partij["uuid"]},
        "adres": "b@voorbeeld.nl",
        "soortDigitaalAdres": "email",
        "omschrijving": "",
    }
    assert register.send("POST", "digitaleadressen", adres).status_code == 201
    ingest.remove("bron", "rol", [rol_uuid(1)])
    assert register.get("partijen").get_json()["count"] == left
    assert register.get("digitaleadressen").get_json()["count"] == left


@pytest.mark.rule("M35")
def test_of_what_was_destroyed_only_that_and_when_is_kept(register: Writer) -> None:
    ingest = taking(register)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "rol", [a_rol(BSN_OF_CLIENT)], asked=0)
    (partij,) = register.get("partijen").get_json()["results"]
    ingest.remove("bron", "zaak", [UUID(uuid_of("zaak", 1))])
    with register.installation.store.read() as connection:
        found = {
            what: erased(connection, uuid.bytes)
            for what, uuid in (("rol", rol_uuid(1)), ("partij", UUID(partij["uuid"])))
        }
        assert erased(connection, UUID(int=1).bytes) is None
    assert {what: each.what for what, each in found.items() if each} == {"rol": "rol", "partij": "partij"}


@pytest.mark.rule("M6")
@pytest.mark.parametrize("seed", range(4))
def test_after_any_joins_and_splits_clients_have_what_they_wrote_as_it_was(
    register: Writer, seed: int
) -> None:
    """Parties, an organisation with its contact person, an actor; their addresses, and what clients had beside them."""
    chance, ingest, url = random.Random(seed), taking(register), "https://personen.example/{}"
    contact = {"emailadres": "A@voorbeeld.nl", "telefoonnummer": "0201234567", "naam": "Jo"}
    ingest.take("bron", "zaak", [zaak(1), zaak(2)], asked=0)
    start = [
        persoon(1, url=url.format(1), contact=contact, generiek="initiator"),
        a_rol(BSN_OF_CLIENT, 2, contact=contact, indicatieMachtiging="gemachtigde"),
        organisatie(3, rsin=RSIN[0], contact=contact, indicatieMachtiging="machtiginggever"),
        organisatie(4, "Anders", kvk=KVK[0], contact=contact),
        medewerker(5, "", url=url.format(5), generiek="klantcontacter", zaak=2),
        medewerker(6, "mw-1", zaak=2),
    ]
    joining = [
        a_rol(BSN_OF_CLIENT, 11, url=url.format(1), on=5),
        persoon(12, url=url.format(1), anr="1234567890", zaak=2),
        organisatie(13, rsin=RSIN[0], kvk=KVK[0], on=6),
        medewerker(14, "mw-1", url=url.format(5), zaak=2, on=7),
        a_rol(BSNS[1], 15, url=url.format(1)),
    ]
    ingest.take("bron", "rol", start, asked=0)
    ingest.take("bron", "klantcontact", [klantcontact(1), klantcontact(2, zaak=2)], asked=0)
    for path, body in {
        "partijen": {"interneNotitie": "bel na vijven"},
        "digitaleadressen": {"omschrijving": "werk"},
        "actoren": {"naam": "Balie Zuid"},
    }.items():
        for number, each in enumerate(register.get(path, pageSize="100").get_json()["results"]):
            if path == "partijen":
                own = {"verstrektDoorPartij": {"uuid": each["uuid"]}, "adres": f"c{number}@voorbeeld.nl"}
                own |= {"soortDigitaalAdres": "email", "isStandaardAdres": True, "omschrijving": ""}
                assert register.send("POST", "digitaleadressen", own).status_code == 201
            if chance.random() < 0.3 and path == "digitaleadressen":
                assert register.send("DELETE", f"{path}/{each['uuid']}").status_code == 204
            elif each["uuid"][14] == "8":
                assert register.send("PATCH", f"{path}/{each['uuid']}", body).status_code == 200
    for raw in start:  # what follows from the edits elsewhere is there at the next ingest
        ingest.take("bron", "rol", [raw | {"roltoelichting": "anders"}], asked=0)
        ingest.take("bron", "rol", [raw], asked=0)
    before = dump_digest(register.installation.store)
    there: list[str] = []

    def turn(raw: dict[str, Any]) -> None:
        if raw["uuid"] in there:
            there.remove(raw["uuid"])
            ingest.remove("bron", "rol", [UUID(raw["uuid"])])
        else:
            there.append(raw["uuid"])
            ingest.take("bron", "rol", [raw], asked=0)

    for _ in range(7):
        turn(chance.choice(joining))
    midway = dump_digest(register.installation.store)
    for raw in chance.sample(joining * 2, 2 * len(joining)):
        turn(raw)
    assert dump_digest(register.installation.store) == midway
    for raw in chance.sample(joining, len(joining)):
        if raw["uuid"] in there:
            turn(raw)
    assert dump_digest(register.installation.store) == before


@pytest.mark.rule("M35")
def test_a_contactpersoon_goes_with_its_rol_though_a_client_deleted_its_organisation(
    register: Writer,
) -> None:
    ingest = taking(register)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    contact = {"naam": "Jan de Wit", "emailadres": "jan@example.nl", "functie": "chef"}
    ingest.take("bron", "rol", [organisatie(1, kvk=KVK[0], contact=contact)], asked=0)
    found = register.get("partijen").get_json()["results"]
    company = next(each for each in found if each["soortPartij"] == "organisatie")
    assert register.send("DELETE", f"partijen/{company['uuid']}").status_code == 204
    assert [each["soortPartij"] for each in register.get("partijen").get_json()["results"]] == [
        "contactpersoon"
    ]
    ingest.remove("bron", "rol", [rol_uuid(1)])
    assert register.get("partijen").get_json()["count"] == 0
    assert register.get("digitaleadressen").get_json()["count"] == 0
    assert not [line for line in dump_lines(register.installation.store) if b"jan@example.nl" in line]
