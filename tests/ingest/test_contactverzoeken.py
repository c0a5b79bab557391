"""A Contactmomenten API that sends fields beside the standard (M40), from the source to our answers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from builders.asker import API
from builders.commands import command
from builders.configs import write_config
from builders.sample_data import sample_data, some_zaken
from builders.store_digest import dump_digest
from builders.stores import make_store

from gateway.app import create_app
from gateway.config.load import load_config
from gateway.http.auth import create_token
from gateway.ingest.ingest import Ingest
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.contents.esuite_objects import add_esuite
from gateway.sample.server import SampleServer
from jobs.backfill.backfill import Backfill
from jobs.rebuild.rebuild import Rebuild
from jobs.verify.verify import Verify
from mappings.model.settings import Settings

pytestmark = [pytest.mark.rule("M40"), pytest.mark.slow]
VERZOEKEN = 'contactverzoek_typen = ["Contactverzoek"]\n'


@pytest.fixture
def data() -> Dataset:
    return add_esuite(some_zaken(sample_data(), 200))


@pytest.fixture
def installation(server: SampleServer, tmp_path: Path) -> Installation:
    path = write_config(tmp_path / "installation", {"bron": server})
    earlier = f'klanten_url = "{server.klanten_url}"\ncontactmomenten_url = "{server.contactmomenten_url}"\n'
    path.write_text(path.read_text().replace("[mapping]\n", f"[mapping]\n{VERZOEKEN}") + earlier)
    return open_installation(load_config(path, {}))


@pytest.fixture
def filled(installation: Installation) -> Installation:
    assert Backfill(installation.fetchers["bron"]).run()
    return installation


class Client:
    """A client of the served API that may write."""

    def __init__(self, installation: Installation) -> None:
        app = create_app(installation.config, store=installation.store, hydrator=installation.hydrator())
        self.client = app.test_client()
        self.headers = {"Authorization": f"Token {create_token(installation.store, str(uuid4()), 'write')}"}

    def get(self, path: str, **query: str) -> Any:
        answer = self.client.get(f"{API}/{path}", query_string=query, headers=self.headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def send(self, method: str, path: str, body: Any) -> Any:
        return self.client.open(f"{API}/{path}", method=method, json=body, headers=self.headers)

    def contact(self, onderwerp: str) -> Any:
        (found,) = self.get("klantcontacten", onderwerp=onderwerp)["results"]
        return self.get(
            f"klantcontacten/{found['uuid']}",
            expand="leiddeTotInterneTaken,hadBetrokkenen,hadBetrokkenen.digitaleAdressen",
        )

    def task(self) -> Any:
        (found,) = self.get("internetaken", status="te_verwerken")["results"]
        return found


def of_source(server: SampleServer, onderwerp: str) -> dict[str, Any]:
    (found,) = [
        raw
        for raw in server.dataset.objects("contactmoment")
        if raw.get("onderwerp", "").startswith(onderwerp)
    ]
    return found


def change(server: SampleServer, onderwerp: str, **fields: Any) -> None:
    raw = of_source(server, onderwerp)
    server.dataset.replace("contactmoment", raw["url"].rpartition("/")[2], raw | fields)


def test_a_contactverzoek_is_answered_with_its_task_its_actors_and_how_to_call_back(
    filled: Installation,
) -> None:
    client = Client(filled)
    contact = client.contact("Terugbellen")
    (taak,) = contact["_expand"]["leiddeTotInterneTaken"]
    assert taak["gevraagdeHandeling"] == "Contactverzoek"
    assert taak["toelichting"] == "Na vier uur bereikbaar."
    assert (taak["status"], taak["afgehandeldOp"]) == ("te_verwerken", None)
    actoren = [client.get(f"actoren/{each['uuid']}") for each in taak["toegewezenAanActoren"]]
    codes = {
        (each["actoridentificator"]["codeObjecttype"], each["actoridentificator"]["objectId"])
        for each in actoren
    }
    assert codes == {("mdw", "bakker02"), ("afd", "vergunningen"), ("grp", "vergunningen")}
    assert {each["naam"] for each in actoren} == {"Bakker", "Vergunningen", "Team bomen"}
    (betrokkene,) = contact["_expand"]["hadBetrokkenen"]
    assert betrokkene["wasPartij"] is None
    adressen = {each["adres"] for each in betrokkene["_expand"]["digitaleAdressen"]}
    assert adressen == {"terugbellen@voorbeeld.example", "0612345678", "0301234567"}
    assert [each["naam"] for each in contact["hadBetrokkenActoren"]] == ["P. Jansen"]


def test_tasks_are_found_by_actor_and_by_status(filled: Installation) -> None:
    client = Client(filled)
    (bakker,) = client.get("actoren", actoridentificatorObjectId="bakker02")["results"]
    of_actor = client.get("internetaken", toegewezenAanActor__uuid=bakker["uuid"])["results"]
    assert [each["toelichting"] for each in of_actor] == ["Na vier uur bereikbaar."]
    done = client.get("internetaken", status="verwerkt")["results"]
    assert [client.get(f"actoren/{each['toegewezenAanActor']['uuid']}")["naam"] for each in done] == [
        "burgerzaken"
    ]


def test_the_answer_and_what_is_of_another_type(filled: Installation) -> None:
    client = Client(filled)
    assert client.contact("Openingstijden")["reactie"] == "Op werkdagen van negen tot vijf."
    odd = client.contact("Melding")
    assert (odd["reactie"], odd["leiddeTotInterneTaken"], odd["hadBetrokkenen"]) == ("", [], [])
    told = command(filled, "findings", "--rule", "M40", "--json")
    fields = {(line["field"], line["severity"]) for line in map(orjson.loads, told.stdout.splitlines())}
    assert {("antwoord", "dropped"), ("behandelaar", "dropped"), ("contactgegevens", "dropped")} <= fields
    quarantine = command(filled, "quarantine", "list")
    assert "contactmoment" not in quarantine.output


def test_what_is_served_is_taken_back_and_a_verify_is_clean(filled: Installation) -> None:
    client = Client(filled)
    for taak in client.get("internetaken")["results"]:
        assert client.send("PUT", f"internetaken/{taak['uuid']}", taak).status_code == 200
        again = client.get(f"internetaken/{taak['uuid']}")
        if taak["status"] == "verwerkt":  # a register tells when a task was done; the source doesn't
            assert again.pop("afgehandeldOp") is not None
            assert taak.pop("afgehandeldOp") is None
        assert again == taak
    assert Verify(filled.fetchers["bron"], sample=None).run()["clean"]


def test_a_rebuild_changes_nothing(filled: Installation) -> None:
    before = dump_digest(filled.store)
    outcome = Rebuild(filled.store, filled.ingest).run()
    assert dump_digest(filled.store) == before
    assert outcome.changed == 0


def test_what_a_client_changes_in_a_task_stays_when_the_source_changes_it(
    filled: Installation, server: SampleServer
) -> None:
    client = Client(filled)
    taak = client.task()
    assert client.send("PATCH", f"internetaken/{taak['uuid']}", {"toelichting": "Gebeld."}).status_code == 200
    change(server, "Terugbellen", status="Afgehandeld", toelichting="Anders.")
    filled.ingest.take("bron", "contactmoment", [of_source(server, "Terugbellen")], asked=0)
    after = client.get(f"internetaken/{taak['uuid']}")
    assert (after["toelichting"], after["status"]) == ("Gebeld.", "verwerkt")
    assert after["toegewezenAanActoren"] == taak["toegewezenAanActoren"]
    before = dump_digest(filled.store)
    Rebuild(filled.store, filled.ingest).run()
    assert dump_digest(filled.store) == before


def test_a_task_that_a_client_deletes_stays_away_and_comes_back_with_restore(
    filled: Installation, server: SampleServer
) -> None:
    client = Client(filled)
    taak = client.task()
    assert client.send("DELETE", f"internetaken/{taak['uuid']}", None).status_code == 204
    change(server, "Terugbellen", tekst="Belde nog eens.")
    raw = of_source(server, "Terugbellen")
    filled.ingest.take("bron", "contactmoment", [raw], asked=0)
    assert client.get("internetaken", status="te_verwerken")["count"] == 0
    told = command(filled, "restore", taak["uuid"])
    assert told.exit_code == 0
    assert client.task()["uuid"] == taak["uuid"]


def test_a_contactverzoek_that_goes_takes_its_task_and_addresses_along(
    filled: Installation, server: SampleServer
) -> None:
    client = Client(filled)
    contact = client.contact("Terugbellen")
    (betrokkene,) = contact["_expand"]["hadBetrokkenen"]
    adressen = [each["uuid"] for each in betrokkene["digitaleAdressen"]]
    assert len(adressen) == 3
    filled.ingest.remove("bron", "contactmoment", [UUID(contact["uuid"])])
    assert client.get("internetaken", status="te_verwerken")["count"] == 0
    for uuid in adressen:
        answer = client.client.get(f"{API}/digitaleadressen/{uuid}", headers=client.headers)
        assert answer.status_code == 404


def test_explain_tells_where_a_task_came_from(filled: Installation) -> None:
    taak = Client(filled).task()
    told = command(filled, "explain", taak["uuid"], "--json")
    (item,) = orjson.loads(told.stdout)["found"]
    origin = {
        field["field"]: [each["field"] for each in field["from"]]
        for group in item["groups"]
        for field in group["fields"]
    }
    assert origin["gevraagdeHandeling"] == ["type"]
    assert origin["toelichting"] == ["toelichting"]
    assert origin["status"] in (["status"], [])
    assert {link["relation"] for link in item["links"]} == {
        "internetaak.aanleidinggevendKlantcontact",
        "internetaak.toegewezenAanActoren",
    }


def test_another_choice_of_types_is_followed_by_rebuild(filled: Installation) -> None:
    path = filled.config.path
    assert path
    path.write_text(path.read_text().replace(VERZOEKEN, 'contactverzoek_typen = ["Vraag"]\n'))
    again = open_installation(load_config(path, {}))
    Rebuild(again.store, again.ingest).run()
    (taak,) = Client(again).get("internetaken")["results"]
    assert (taak["gevraagdeHandeling"], taak["status"]) == ("Vraag", "verwerkt")


def asked(installation: Installation, path: str, **query: str) -> Any:
    client = Client(installation)
    return client.client.get(f"{API}/{path}", query_string=query, headers=client.headers)


def test_before_the_backfill_tasks_are_not_told_as_none(
    installation: Installation, server: SampleServer
) -> None:
    assert asked(installation, "internetaken", status="te_verwerken").status_code == 503
    assert asked(installation, f"internetaken/{uuid8()}").status_code == 503
    groep = {"actoridentificatorObjectId": "vergunningen", "actoridentificatorCodeObjecttype": "grp"}
    assert asked(installation, "actoren", **groep).status_code == 503
    contact = of_source(server, "Terugbellen")["url"].rpartition("/")[2]
    of_contact = asked(installation, "internetaken", aanleidinggevendKlantcontact__uuid=contact)
    assert of_contact.headers["Klantbrug-Freshness"] == "live"
    (taak,) = of_contact.get_json()["results"]
    again = asked(installation, f"internetaken/{taak['uuid']}")
    assert (again.status_code, again.get_json()) == (200, taak)


def test_after_the_backfill_lists_of_tasks_are_fresh(filled: Installation) -> None:
    told = asked(filled, "internetaken")
    assert (told.get_json()["count"], told.headers["Klantbrug-Freshness"]) == (2, "fresh")


def test_without_types_of_contactverzoeken_tasks_are_those_of_clients(
    server: SampleServer, tmp_path: Path
) -> None:
    path = write_config(tmp_path / "plain", {"bron": server})
    plain = open_installation(load_config(path, {}))
    told = asked(plain, "internetaken")
    assert (told.status_code, told.get_json()["count"]) == (200, 0)
    assert told.headers["Klantbrug-Freshness"] == "local"


def uuid8() -> UUID:
    """A uuid as derived ones are (M9)."""
    return UUID(bytes=bytes([*range(6), 0x80, 7, 0x80, *range(9, 16)]))


@pytest.mark.rule("M42")
@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_arrival_does_not_matter(tmp_path: Path, seed: int) -> None:
    objects = add_esuite(Dataset()).objects("contactmoment")
    settings = Settings("zaakvertrouwelijk", contactverzoek_typen=("Contactverzoek",))
    digests = set()
    for place in range(2):
        ingest = Ingest(
            make_store(tmp_path / f"{place}.db"), settings, "a secret of more than thirty-two characters"
        )
        if place:
            random.Random(seed).shuffle(objects)
        for raw in objects:
            ingest.take("bron", "contactmoment", [raw], asked=0)
        digests.add(dump_digest(ingest.store))
    assert len(digests) == 1
