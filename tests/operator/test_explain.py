"""Why is this so? Explain, findings and quarantine, over HTTP and as commands, on the slice and on small examples."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from builders.legacy_objects import (
    BSN,
    KVK,
    SECRET,
    SETTINGS,
    klantcontact,
    medewerker,
    organisatie,
    persoon,
    rol,
    uuid_of,
    zaak,
)
from builders.operator_client import Operator, field, group
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.register import Register, read_slice, read_ugly

from gateway.base.clock import DUTCH_TIME
from gateway.operator.explain.explainer import Explainer, without_values
from gateway.store.base.kinds import TRANSLATED
from gateway.store.inspect.status import status
from mappings.explain import why

pytestmark = pytest.mark.slow

URL = "https://personen.example/1"
EMAIL = {"emailadres": "a@b.nl", "functie": "", "naam": "", "telefoonnummer": ""}
QUARANTINED = persoon(9, BSN[5]) | {"registratiedatum": "geheim 900000001"}


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "installation")


@pytest.mark.rule("M18")
def test_a_name_is_told_with_the_rol_that_gave_it_and_the_other_spellings(operator: Operator) -> None:
    operator.take(
        zaak(1),
        persoon(1, BSN[0], naam="Janssen", on=1),
        persoon(2, BSN[0], naam="Jansen", on=3),
        persoon(3, BSN[0], naam="Janssen", on=2, generiek="initiator"),
        rol(4, {"inpBsn": BSN[0]}, on=9),
    )
    (item,) = operator.explain(operator.only("partij"))
    achternaam = field(item, "contactnaam.achternaam")
    assert (achternaam["value"], achternaam["rule"]) == ("Jansen", "M12")
    (origin,) = achternaam["from"]
    assert origin == {
        "kind": "rol",
        "uuid": uuid_of("rol", 2),
        "field": "betrokkeneIdentificatie.geslachtsnaam",
        "rule": "M12",
        "value": "Jansen",
    }
    naam = group(item, "naam")
    assert naam["given_by"] == [
        {"source": "bron", "kind": "rol", "uuid": uuid_of("rol", 2), "registered": "2024-01-03T12:00:00Z"}
    ]
    (other,) = naam["others"]
    assert other["values"]["partijIdentificatie.contactnaam.achternaam"] == "Janssen"
    assert (other["rollen"], other["given_by"][0]["uuid"]) == (2, uuid_of("rol", 3))
    assert item["sources_total"] == 4
    assert {link["relation"] for link in item["links"]} == {"partij-identificator.identificeerdePartij"}


@pytest.mark.rule("M12")
def test_an_older_real_name_is_told_as_the_name_before_a_newer_afwijkende(operator: Operator) -> None:
    operator.take(
        zaak(1),
        persoon(1, BSN[0], naam="Jansen", url=URL, on=1),
        rol(2, None, url=URL, on=2, afwijkendeNaamBetrokkene="Buro X"),
    )
    (told,) = operator.explain(operator.only("partij"))
    naam = group(told, "naam")
    assert field(told, "achternaam")["from"][0]["value"] == "Jansen"
    assert [by["uuid"] for by in naam["given_by"]] == [uuid_of("rol", 1)]
    assert [by["uuid"] for other in naam["others"] for by in other["given_by"]] == [uuid_of("rol", 2)]
    assert "M12" in naam["others"][0]["because"]


@pytest.mark.rule("M12")
def test_an_actor_that_is_named_by_its_number_is_not_told_to_have_it_from_an_afwijkende_naam(
    operator: Operator,
) -> None:
    operator.take(
        zaak(1),
        rol(1, {"identificatie": "mw-1"}, "medewerker", url=URL, on=1),
        rol(2, None, "medewerker", url=URL, on=2, afwijkendeNaamBetrokkene="Buro X"),
    )
    (told,) = operator.explain(operator.only("actor"))
    assert field(told, "naam")["value"] == "mw-1"
    assert [(each["uuid"], each["field"]) for each in field(told, "naam")["from"]] == [
        (uuid_of("rol", 1), "betrokkeneIdentificatie.identificatie")
    ]


@pytest.mark.rule("M4")
def test_fifty_people_with_several_spellings_show_the_others(tmp_path: Path) -> None:
    register = Register(tmp_path / "store.sqlite")
    objects = read_slice()
    register.take_all(objects)
    explainer = Explainer(register.store, SETTINGS, SECRET)
    states = register.states()
    readable = {raw["url"] for kind, raw in objects if kind == "zaak" and states[raw["uuid"]] == TRANSLATED}
    spelled: dict[str, dict[tuple[str, str], tuple[str, str]]] = defaultdict(dict)
    for kind, raw in objects:
        said = raw.get("betrokkeneIdentificatie") or {}
        if kind == "rol" and said.get("inpBsn") and said.get("geslachtsnaam") and raw["zaak"] in readable:
            name = (said["geslachtsnaam"].strip(), said["voornamen"].strip())
            newest = max(spelled[said["inpBsn"]].get(name, ("", "")), (raw["registratiedatum"], raw["uuid"]))
            spelled[said["inpBsn"]][name] = newest
    several = [names for names in spelled.values() if len(names) > 1][:50]
    assert len(several) == 50
    for names in several:
        chosen = max(names, key=lambda name: names[name])
        (rol_told,) = explainer.explain(UUID(names[chosen][1]))["found"]
        partij = next(each for each in rol_told["documents"] if "naam" in each["gives"])
        (told,) = explainer.explain(UUID(partij["uuid"]))["found"]
        assert field(told, "contactnaam.achternaam")["from"][0]["value"].strip() == chosen[0]
        shown = {
            tuple(
                other["values"].get(f"partijIdentificatie.contactnaam.{part}", chosen[number])
                for number, part in enumerate(("achternaam", "voornaam"))
            )
            for other in group(told, "naam")["others"]
        }
        assert set(names) - {chosen} <= shown
    register.store.close()


@pytest.mark.rule("M4")
def test_every_document_of_the_slice_and_the_ugly_set_is_explained_as_it_is_served(tmp_path: Path) -> None:
    """The rol that is said to give a group gives, by itself, what is served."""
    register = Register(tmp_path / "store.sqlite")
    register.take_all(read_ugly())
    explainer = Explainer(register.store, SETTINGS, SECRET)
    for line in register.of("document"):
        told = explainer.explain(UUID(line["uuid"]))
        item = next(each for each in told["found"] if each["what"] == "document")
        fields = {each["field"]: each["value"] for part in item["groups"] for each in part["fields"]}
        assert fields == why.flat(line["body"])
        assert item["sources_total"] > 0
        orjson.dumps(told)
        for part in item["groups"]:
            for each in part["fields"]:
                assert (
                    each["from"] or each["because"] or not why.says(each["value"]) or each["rule"] == "M18"
                ), each["field"]
    register.store.close()


@pytest.mark.rule("M19")
def test_a_local_edit_is_told_with_what_the_source_says(operator: Operator) -> None:
    operator.take(
        zaak(1),
        persoon(1, BSN[0], naam="Jansen", contact=EMAIL),
    )
    adres = operator.only("digitaleadres")
    assert operator.send("PATCH", f"digitaleadressen/{adres}", {"adres": "nieuw@b.nl"}).status_code == 200
    (item,) = operator.explain(adres)
    told = field(item, "adres")
    assert (told["value"], told["legacy"], told["rule"]) == ("nieuw@b.nl", "a@b.nl", "M19")
    assert f"door een client geschreven op {datetime.now(DUTCH_TIME):%d-%m-%Y} " in told["because"]
    assert field(item, "omschrijving")["rule"] != "M19"
    found = map(json.loads, operator.run("findings", "--json", "--rule", "M19").stdout.splitlines())
    (finding,) = found
    assert (finding["rule"], finding["field"], finding["count"]) == ("M19", "digitaleadres.adres", 1)
    assert [each["uuid"] for each in finding["examples"]] == [adres]
    assert "nieuw@b.nl" not in operator.run("findings").output
    operator.take(persoon(1, BSN[0], naam="Jansens", contact=EMAIL))
    assert field(operator.explain(adres)[0], "adres")["value"] == "nieuw@b.nl"


@pytest.mark.rule("M19")
def test_a_deletion_by_a_client_is_told_with_how_to_undo_it(operator: Operator) -> None:
    operator.take(zaak(1), persoon(1, BSN[0]))
    partij = operator.only("partij")
    assert operator.send("DELETE", f"partijen/{partij}").status_code == 204
    (item,) = operator.explain(partij)
    assert (item["what"], item["kind"], item["restore"]) == (
        "deleted",
        "partij",
        f"klantbrug restore {partij}",
    )
    (of_rol,) = operator.explain(uuid_of("rol", 1))
    assert "door een client verwijderd" in of_rol["story"]
    assert f"klantbrug restore {partij}" in operator.run("explain", partij).output
    operator.run("restore", partij)
    assert operator.explain(partij)[0]["what"] == "document"


def test_what_a_client_wrote_is_told_as_such(operator: Operator) -> None:
    body = {"soortPartij": "persoon", "indicatieActief": True}
    made = operator.send("POST", "partijen", body).get_json()
    (item,) = operator.explain(made["uuid"])
    assert item["story"].startswith(f"Door een client geschreven op {datetime.now(DUTCH_TIME):%d-%m-%Y} ")
    assert item["sources_total"] == 0


@pytest.mark.rule("M6")
def test_another_uuid_of_a_party_gives_the_party_with_its_keys(operator: Operator) -> None:
    operator.take(zaak(1), persoon(1, BSN[0], url=URL))
    partij = operator.only("partij")
    (item,) = operator.explain(partij)
    assert [key["key"] for key in item["keys"]] == ["brp:bsn", "url"]
    (other,) = item["other_uuids"]
    (same,) = operator.explain(other)
    assert (same["uuid"], same["asked_by_other_uuid"]) == (partij, True)


@pytest.mark.rule("M28")
def test_a_klantcontact_is_told_as_document_and_as_legacy_object(operator: Operator) -> None:
    operator.take(
        zaak(1),
        persoon(1, BSN[0], naam="Jansen", generiek="initiator"),
        medewerker(2, generiek="klantcontacter"),
        klantcontact(1),
    )
    document, legacy = operator.explain(uuid_of("klantcontact", 1))
    assert (document["what"], legacy["what"]) == ("document", "legacy")
    assert field(document, "inhoud")["from"][0]["field"] == "toelichting"
    assert field(document, "hoofdOnderwerpType")["from"][0]["kind"] == "zaak"
    made = {each["kind"]: each["uuid"] for each in legacy["documents"]}
    assert set(made) == {"klantcontact", "onderwerpobject", "betrokkene", "actorklantcontact"}
    (betrokkene,) = operator.explain(made["betrokkene"])
    assert field(betrokkene, "contactnaam.achternaam")["from"][0]["uuid"] == uuid_of("rol", 1)
    assert field(betrokkene, "initiator")["rule"] == "M30"
    (of_zaak,) = operator.explain(uuid_of("zaak", 1))
    assert {(each["kind"], each["count"]) for each in of_zaak["contents"]} == {
        ("rol", 2),
        ("klantcontact", 1),
    }


@pytest.mark.rule("M4")
@pytest.mark.rule("M22")
def test_a_contactpersoon_whose_organisation_a_client_deleted_is_told(operator: Operator) -> None:
    contact = {"naam": "Anna", "emailadres": "anna@voorbeeld.nl", "functie": "chef", "telefoonnummer": ""}
    operator.take(zaak(1), organisatie(1, kvk=KVK[0], contact=contact))
    partijen = operator.send("GET", "partijen").get_json()["results"]
    of = {each["soortPartij"]: each for each in partijen}
    (adres,) = of["contactpersoon"]["digitaleAdressen"]
    assert operator.send("DELETE", f"partijen/{of['organisatie']['uuid']}").status_code == 204
    told = {
        name: (field(item, name)["rule"], [each["field"] for each in field(item, name)["from"]])
        for item in (operator.explain(of["contactpersoon"]["uuid"])[0], operator.explain(adres["uuid"])[0])
        for name in ("soortPartij", "indicatieActief", "interneNotitie", "adres", "isStandaardAdres")
        if any(each["field"] == name for part in item["groups"] for each in part["fields"])
    }
    assert told == {
        "soortPartij": ("M22", []),
        "indicatieActief": ("M11", []),
        "interneNotitie": ("M24", ["contactpersoonRol.functie"]),
        "adres": ("M21", ["contactpersoonRol.emailadres"]),
        "isStandaardAdres": ("M21", []),
    }
    (legacy,) = [each for each in operator.explain(uuid_of("rol", 1)) if each["what"] == "legacy"]
    assert {"functie", "adres"} <= {name for each in legacy["documents"] for name in each["gives"]}


@pytest.mark.rule("M4")
@pytest.mark.rule("M14")
def test_a_country_is_told_as_dutch_only_where_it_is(operator: Operator) -> None:
    verblijf = {"gorOpenbareRuimteNaam": "Dorpsstraat", "aoaHuisnummer": 1, "aoaPostcode": "1234AB"}
    at_home = persoon(1, BSN[0])
    at_home["betrokkeneIdentificatie"]["verblijfsadres"] = verblijf | {"wplWoonplaatsNaam": "Voorbeelddam"}
    operator.take(zaak(1), at_home, persoon(2, BSN[1], naam="Zonder"))
    told = {}
    for partij in operator.send("GET", "partijen").get_json()["results"]:
        (item, *_) = operator.explain(partij["uuid"])
        found = field(item, "bezoekadres.land")
        told[found["value"]] = found["because"]
    assert told == {"NL": "een verblijfsadres ligt in Nederland", "": "de bron geeft hier niets"}


@pytest.mark.rule("M4")
@pytest.mark.rule("M27")
def test_what_an_eenheid_gives_is_not_told_as_of_a_medewerker_alone(operator: Operator) -> None:
    contact = {"naam": "", "emailadres": "balie@voorbeeld.nl", "functie": "", "telefoonnummer": ""}
    eenheid = {"identificatie": "afd-1", "naam": "Balie"}
    operator.take(zaak(1), rol(1, eenheid, "organisatorische_eenheid", contact=contact))
    (item, *_) = operator.explain(operator.only("actor"))
    assert field(item, "actorIdentificatie.emailadres")["from"]
    assert "van een eenheid" in field(item, "actorIdentificatie.telefoonnummer")["because"]


@pytest.mark.rule("M34")
def test_why_nothing_came_of_a_legacy_object(operator: Operator) -> None:
    operator.take(persoon(1, BSN[0]))
    assert "wacht op zaak" in operator.explain(uuid_of("rol", 1))[0]["story"]
    operator.take(zaak(2, "geheim"), persoon(2, BSN[1], zaak=2))
    assert "max_vertrouwelijkheidaanduiding" in operator.explain(uuid_of("rol", 2))[0]["story"]
    operator.take(zaak(3), QUARANTINED | {"zaak": f"https://zaken.example/zaken/{uuid_of('zaak', 3)}"})
    story = operator.explain(uuid_of("rol", 9))[0]["story"]
    assert "registratiedatum is geen datum" in story and "quarantine retry" in story
    operator.take(zaak(1))
    assert operator.explain(uuid_of("rol", 1))[0]["documents"][0]["gives"]


@pytest.mark.rule("M35")
def test_of_what_was_erased_is_told_only_that_it_was(operator: Operator) -> None:
    operator.take(zaak(1), persoon(1, BSN[0]))
    operator.installation.ingest.remove("bron", "rol", [UUID(uuid_of("rol", 1))])
    answer = operator.get(f"explain/{uuid_of('rol', 1)}")
    assert BSN[0] not in answer.text
    assert answer.status_code == 404 or answer.get_json()["found"][0]["what"] == "erased"


def test_explain_over_http_is_for_operators_and_takes_the_url_of_an_object(operator: Operator) -> None:
    raw = persoon(1, BSN[0], naam="Jansen")
    operator.take(zaak(1), raw)
    assert operator.get(f"explain/{raw['uuid']}", scope="write").status_code == 403
    assert (
        operator.get("explain", url=raw["url"]).get_json()
        == operator.get(f"explain/{raw['uuid']}").get_json()
    )
    refused = operator.get("explain", url=f"https://personen.example/{BSN[0]}")
    assert refused.status_code == 400 and BSN[0] not in refused.text
    assert operator.get("explain").status_code == 400
    assert operator.get(f"explain/{uuid_of('rol', 7)}").status_code == 404


def test_who_may_operate_but_not_read_is_told_without_values(operator: Operator) -> None:
    operator.take(zaak(1), persoon(1, BSN[0], naam="Jansen", contact=EMAIL))
    for uuid in (operator.only("partij"), operator.only("digitaleadres"), uuid_of("rol", 1)):
        for path, query in ((f"explain/{uuid}", {}), ("explain", {"url": f"https://x.example/{uuid}"})):
            whole = operator.get(path, **query)
            masked = operator.get(path, scope="operate", **query)
            assert masked.get_json() == without_values(whole.get_json())
            assert not any(value in masked.text for value in ("Jansen", BSN[0], "a@b.nl"))
    assert "Jansen" in operator.get(f"explain/{operator.only('partij')}").text


def test_the_command_gives_no_values_unless_asked_for_at_a_terminal(operator: Operator) -> None:
    operator.take(
        zaak(1),
        organisatie(1, "Bakkerij Zonneschijn", kvk=KVK[0], on=1),
        organisatie(2, "Bakkerij Maan", kvk=KVK[0], on=2),
    )
    partij = operator.only("partij")
    for arguments in (["explain", partij], ["explain", "--json", partij]):
        output = operator.run(*arguments).output
        assert uuid_of("rol", 2) in output and "betrokkeneIdentificatie.statutaireNaam" in output
        assert "Bakkerij" not in output and KVK[0] not in output
    assert "werkt alleen op een terminal" in operator.run("explain", "--show", partij, code=2).output
    shown = at_a_terminal(operator.config, "explain", "--show", partij)
    assert "Bakkerij Maan" in shown and "Bakkerij Zonneschijn" in shown and KVK[0] in shown
    assert "Hierover is niets bekend" in operator.run("explain", uuid_of("rol", 7), code=1).output
    operator.run("explain", "Jansen", code=2)


def at_a_terminal(config: Path, *arguments: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "gateway", "--config", str(config), *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        output = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            output += part
        process.wait(timeout=30)
    os.close(ours)
    return output.decode()


def test_without_values_keeps_whether_a_field_is_filled() -> None:
    told = {"a": [{"value": "x", "legacy": "", "values": {"b": "y", "c": None}, "field": "naam"}]}
    assert without_values(told) == {
        "a": [{"value": "gevuld", "legacy": "leeg", "values": {"b": "gevuld", "c": "leeg"}, "field": "naam"}]
    }


# Findings


@pytest.fixture
def odd(operator: Operator) -> Operator:
    """Two sources with some that does not fit."""
    for number, name in enumerate(("een", "twee"), start=1):
        operator.take(
            zaak(number),
            persoon(
                number,
                BSN[0],
                zaak=number,
                contact={
                    "emailadres": "geen adres van Jansen",
                    "functie": "",
                    "naam": "",
                    "telefoonnummer": "",
                },
            ),
            persoon(number + 4, "900000001", zaak=number),
            source=name,
        )
    return operator


@pytest.mark.rule("M2")
def test_findings_are_counted_by_rule_severity_and_source_with_advice(odd: Operator) -> None:
    lines = [json.loads(line) for line in odd.run("findings", "--json").stdout.splitlines()]
    counted = {
        (line["rule"], line["severity"], line["source"], line["field"]): line["count"] for line in lines
    }
    for source in ("een", "twee"):
        assert counted["M21", "dropped", source, "contactpersoonRol.emailadres"] == 1
        assert counted["M8", "adjusted", source, "betrokkeneIdentificatie.inpBsn"] == 1
        assert counted["M17", "dropped", source, "betrokkeneIdentificatie.inpBsn"] == 1
    assert all(line["advice"].endswith(".") for line in lines)
    (line,) = [
        json.loads(each)
        for each in odd.run("findings", "--json", "--rule", "m21", "--source", "twee").stdout.splitlines()
    ]
    assert line["examples"] == [
        {"kind": "rol", "uuid": uuid_of("rol", 2), "action": line["examples"][0]["action"]}
    ]
    dropped = odd.run("findings", "--json", "--severity", "dropped", "--examples", "0").stdout
    assert {json.loads(each)["severity"] for each in dropped.splitlines()} == {"dropped"}
    told = {key: count for key, count in counted.items() if key[0] != "M36"}
    assert sum(told.values()) == sum(
        count for rule, count in status(odd.store)["findings"].items() if rule != "M36"
    )
    over_http = odd.get("findings", rule="M21").get_json()["findings"]
    assert [(each["source"], each["count"]) for each in over_http] == [("een", 1), ("twee", 1)]
    assert odd.get("findings", scope="read").status_code == 403


@pytest.mark.rule("M2")
def test_findings_show_values_only_at_a_terminal(odd: Operator) -> None:
    for arguments in (["findings"], ["findings", "--json"]):
        output = odd.run(*arguments).output
        assert uuid_of("rol", 1) in output
        assert "Jansen" not in output and "900000001" not in output
    odd.run("findings", "--show", code=2)
    shown = at_a_terminal(odd.config, "findings", "--show")
    assert "geen adres van Jansen" in shown and "900000001" in shown


def test_no_findings(operator: Operator) -> None:
    assert operator.run("findings").output == "Geen bevindingen.\n"


# Quarantine


@pytest.fixture
def held(operator: Operator) -> Operator:
    operator.take(zaak(1), persoon(1, BSN[0]), QUARANTINED)
    return operator


@pytest.mark.rule("M3")
def test_the_quarantine_tells_the_reason_and_the_fields_without_values(held: Operator) -> None:
    (line,) = held.run("quarantine", "list", "--json").stdout.splitlines()
    told = json.loads(line)
    assert (told["kind"], told["uuid"], told["source"]) == ("rol", uuid_of("rol", 9), "bron")
    assert told["reason"] == "registratiedatum is geen datum of tijdstip"
    output = held.run("quarantine", "show", uuid_of("rol", 9)).output
    assert "betrokkeneIdentificatie.inpBsn" in output and "Wat te doen" in output
    assert "geheim" not in output and BSN[5] not in output
    held.run("quarantine", "show", "--show", uuid_of("rol", 9), code=2)
    assert "geheim 900000001" in at_a_terminal(held.config, "quarantine", "show", "--show", uuid_of("rol", 9))
    assert "niet in quarantaine" in held.run("quarantine", "show", uuid_of("rol", 1), code=1).output


@pytest.mark.rule("M3")
def test_dismissed_is_kept_and_not_counted_until_it_changes(held: Operator) -> None:
    assert status(held.store)["quarantine"] == {"open": 1, "dismissed": 0}
    held.run("quarantine", "dismiss", uuid_of("rol", 9))
    assert status(held.store)["quarantine"] == {"open": 0, "dismissed": 1}
    assert "Niets in quarantaine" in held.run("quarantine", "list").output
    assert (
        f"laten rusten op {datetime.now(DUTCH_TIME):%d-%m-%Y}"
        in held.run("quarantine", "list", "--all").output
    )
    held.take(QUARANTINED)
    assert status(held.store)["quarantine"] == {"open": 0, "dismissed": 1}
    assert held.explain(uuid_of("rol", 9))[0]["what"] == "legacy"
    held.take(QUARANTINED | {"roltoelichting": "anders"})
    assert status(held.store)["quarantine"] == {"open": 1, "dismissed": 0}
    assert held.get("status").get_json()["quarantine"]["open"] == 1


@pytest.mark.rule("M3")
def test_retry_says_what_became_of_each(held: Operator) -> None:
    """A rol that an older version could not read: put there by hand, it is translated from what is held."""
    still = held.run("quarantine", "retry", "--all", code=1).output
    assert "in quarantaine (M3)" in still
    seen = Probe(held.store).raw(uuid_of("rol", 1), "last_seen")
    Tamper(held.store).quarantine(uuid_of("rol", 1), "oude fout")
    output = held.run("quarantine", "retry", uuid_of("rol", 1)).output
    assert output == f"rol {uuid_of('rol', 1)} (bron bron): vertaald\n"
    assert Probe(held.store).raw(uuid_of("rol", 1), "last_seen") == seen
    assert held.explain(uuid_of("rol", 1))[0]["documents"]
    held.run("quarantine", "retry", code=2)
    held.run("quarantine", "retry", "--all", uuid_of("rol", 1), code=2)
