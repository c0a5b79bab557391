"""`[gateway] nummers = "uitdelen"`: who has no nummer gets one, unique and for good."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from builders import earlier_objects as earlier
from builders.asker import API
from builders.configs import UUID_SECRET, read_config
from builders.legacy_objects import BSN, SECRET, SETTINGS, klantcontact, persoon, uuid_of, zaak
from builders.register import Register
from builders.store_digest import dump_digest
from builders.stores import store_keys
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.app import create_app
from gateway.config.model import Config
from gateway.config.written import ConfigError
from gateway.http.auth import create_token
from gateway.ingest.ingest import Ingest
from gateway.installation import open_installation
from gateway.store.documents import numbering
from gateway.store.inspect.dump import dump_lines
from jobs.rebuild.rebuild import Rebuild

pytestmark = pytest.mark.slow

HANDING_OUT = replace(SETTINGS, nummers="uitdelen")
CONTACT = {"kanaal": "balie", "onderwerp": "Paspoort", "taal": "nld", "vertrouwelijk": False}
PARTIJ = {"soortPartij": "persoon", "indicatieActief": True}


def config_of(folder: Path, nummers: str) -> Config:
    folder.mkdir(exist_ok=True)
    path = folder / "config.toml"
    keys = store_keys(folder / "klantbrug.db")
    path.write_text(f'[gateway]\nnummers = "{nummers}"\n[store]\n{keys}uuid_secret = "{UUID_SECRET}"\n')
    return read_config(path)


class Clients:
    """A client that writes, of a register with legacy objects in it."""

    def __init__(self, folder: Path, nummers: str = "uitdelen") -> None:
        self.folder = folder
        self.open(nummers)

    def open(self, nummers: str) -> None:
        config = config_of(self.folder, nummers)
        self.installation = open_installation(config)
        self.store, self.ingest = self.installation.store, self.installation.ingest
        self.client: FlaskClient = create_app(config, store=self.store).test_client()
        self.client.environ_base["HTTP_AUTHORIZATION"] = (
            f"Token {create_token(self.store, str(uuid4()), 'write')}"
        )

    def reopen(self, nummers: str) -> None:
        self.store.close()
        self.open(nummers)

    def take(self, kind: str, *raws: dict[str, Any]) -> None:
        self.ingest.take("bron", kind, raws, asked=0)

    def send(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        got = self.client.open(f"{API}/{path}", method=method, json=body)
        assert got.status_code == status, got.get_json()
        return got.get_json(silent=True)

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def make(self, path: str, body: Any) -> Any:
        return self.send("POST", path, body, 201)

    def numbers(self, path: str) -> list[str]:
        return [one["nummer"] for one in self.get(f"{path}?pageSize=500")["results"]]

    def rebuild(self) -> None:
        Rebuild(self.store, self.ingest).run()


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    made = Clients(tmp_path)
    made.take("zaak", zaak())
    made.take("rol", *(persoon(number, BSN[number], generiek="initiator") for number in range(1, 6)))
    made.take("klantcontact", *(klantcontact(number) for number in range(1, 6)))
    yield made
    made.store.close()


def good(numbers: list[str]) -> bool:
    return len(set(numbers)) == len(numbers) and all(
        len(number) == 10 and number.isdigit() and number[0] != "0" for number in numbers
    )


def taak(contact: dict[str, Any], actor: dict[str, Any]) -> dict[str, Any]:
    return {
        "gevraagdeHandeling": "Bellen",
        "aanleidinggevendKlantcontact": {"uuid": contact["uuid"]},
        "toegewezenAanActoren": [{"uuid": actor["uuid"]}],
        "status": "te_verwerken",
        "toelichting": "",
    }


@pytest.mark.rule("M11")
@pytest.mark.rule("M28")
def test_what_the_legacy_gives_has_a_number_by_which_it_is_found(clients: Clients) -> None:
    for path in ("partijen", "klantcontacten"):
        numbers = clients.numbers(path)
        assert len(numbers) == 5
        assert good(numbers)
        for number in numbers:
            (found,) = clients.get(f"{path}?nummer={number}")["results"]
            assert found["nummer"] == number
    number = clients.numbers("partijen")[0]
    assert clients.get(f"betrokkenen?wasPartij__nummer={number}")["count"] == 5


def test_what_clients_write_without_one_gets_one(clients: Clients) -> None:
    contact = clients.make("klantcontacten", CONTACT | {"nummer": ""})
    whole = clients.make("maak-klantcontact", {"klantcontact": CONTACT})["klantcontact"]
    actor = clients.make("actoren", {"naam": "A", "soortActor": "medewerker", "indicatieActief": True})
    task = clients.make("internetaken", taak(contact, actor))
    person = clients.make("partijen", PARTIJ | {"nummer": None})
    assert good([contact["nummer"], whole["nummer"]])
    assert good([task["nummer"]])
    assert good([person["nummer"]])
    for path, made in (("klantcontacten", contact), ("internetaken", task), ("partijen", person)):
        assert [one["uuid"] for one in clients.get(f"{path}?nummer={made['nummer']}")["results"]] == [
            made["uuid"]
        ]
        again = clients.send("PATCH", f"{path}/{made['uuid']}", {"nummer": None})
        assert again["nummer"] == made["nummer"]
        assert (
            clients.send("PUT", f"{path}/{made['uuid']}", again | {"nummer": ""})["nummer"] == made["nummer"]
        )


@pytest.mark.parametrize("nummers", ["leeg", "uitdelen"])
def test_a_blank_number_is_none(tmp_path: Path, nummers: str) -> None:
    """KISS and GZAC send it."""
    clients = Clients(tmp_path, nummers)
    actor = clients.make("actoren", {"naam": "A", "soortActor": "medewerker", "indicatieActief": True})
    contacts = [clients.make("klantcontacten", CONTACT | {"nummer": text}) for text in ("", "", "  ", None)]
    tasks = [clients.make("internetaken", taak(contacts[0], actor) | {"nummer": ""}) for _ in range(2)]
    people = [clients.make("partijen", PARTIJ | {"nummer": ""}) for _ in range(2)]
    for made in (contacts, tasks, people):
        numbers = [one["nummer"] for one in made]
        assert good(numbers) if nummers == "uitdelen" else set(numbers) == {None}
    clients.store.close()


@pytest.mark.rule("M19")
def test_a_number_that_a_client_gives_wins_when_it_is_free(clients: Clients) -> None:
    contact, other = clients.get("klantcontacten")["results"][:2]
    free = clients.make("klantcontacten", CONTACT | {"nummer": "12"})
    assert free["nummer"] == "12"
    clients.send("POST", "klantcontacten", CONTACT | {"nummer": other["nummer"]}, 400)
    clients.send("PATCH", f"klantcontacten/{contact['uuid']}", {"nummer": other["nummer"]}, 400)
    assert clients.send("PATCH", f"klantcontacten/{contact['uuid']}", {"nummer": "13"})["nummer"] == "13"
    clients.take("klantcontact", klantcontact(int(contact["uuid"][-1]), onderwerp="Anders"))
    clients.rebuild()
    assert clients.get(f"klantcontacten/{contact['uuid']}")["nummer"] == "13"
    assert (
        clients.make("klantcontacten", CONTACT | {"nummer": contact["nummer"]})["nummer"] == contact["nummer"]
    )


@pytest.mark.rule("M41")
def test_the_number_of_a_klant_goes_first(clients: Clients) -> None:
    clients.take("klant", earlier.klant(1, {"inpBsn": BSN[1]}, klantnummer="4711"))
    (found,) = clients.get("partijen?nummer=4711")["results"]
    others = [number for number in clients.numbers("partijen") if number != "4711"]
    assert len(others) == 4
    assert good(others)
    taken = earlier.klant(2, {"inpBsn": BSN[8]}, klantnummer=others[0])
    clients.take("klant", taken)
    assert clients.get(f"partijen?nummer={others[0]}")["count"] == 1
    assert good([number for number in clients.numbers("partijen") if number != "4711"])
    clients.ingest.remove("bron", "klant", [UUID(earlier.earlier_uuid("klant", 1))])
    assert good([clients.get(f"partijen/{found['uuid']}")["nummer"]])


@pytest.mark.rule("M42")
def test_numbers_do_not_depend_on_the_order_in_which_things_come(tmp_path: Path) -> None:
    raws = [zaak(), *(persoon(n, BSN[n]) for n in range(1, 7)), *(klantcontact(n) for n in range(1, 7))]
    digests = set()
    for seed in range(3):
        register = Register(tmp_path / f"{seed}.db")
        register.ingest = Ingest(register.store, HANDING_OUT, SECRET)
        random.Random(seed).shuffle(raws)
        for raw in raws:
            register.take(raw)
        digests.add(register.digest())
        Rebuild(register.store, register.ingest).run()
        digests.add(register.digest())
        register.store.close()
    assert len(digests) == 1


def test_turned_on_later_a_rebuild_gives_all_of_them_out(tmp_path: Path) -> None:
    clients = Clients(tmp_path, "leeg")
    clients.take("zaak", zaak())
    clients.take("rol", persoon(1, BSN[1]))
    clients.take("klantcontact", klantcontact(1))
    own = [clients.make("klantcontacten", CONTACT) for _ in range(3)]
    clients.make("partijen", PARTIJ)
    assert set(clients.numbers("klantcontacten") + clients.numbers("partijen")) == {None}
    clients.reopen("uitdelen")
    assert clients.installation.to_rebuild == ("bron",)
    clients.take("klantcontact", klantcontact(2))
    new = {
        number for number in clients.numbers("klantcontacten") if number
    }  # of that zaak, made again with it
    assert len(new) == 2
    clients.rebuild()
    for path, count in (("klantcontacten", 5), ("partijen", 2)):
        assert len(clients.numbers(path)) == count
        assert good(clients.numbers(path))
    assert new < set(clients.numbers("klantcontacten"))
    assert clients.get(f"klantcontacten/{own[0]['uuid']}") == own[0] | {
        "nummer": clients.get(f"klantcontacten/{own[0]['uuid']}")["nummer"]
    }
    before = dump_digest(clients.store)
    clients.rebuild()
    assert dump_digest(clients.store) == before
    clients.reopen("leeg")
    clients.rebuild()
    kept = dict.fromkeys(clients.numbers("klantcontacten"))
    assert None in kept  # those of the legacy have none again
    assert good([number for number in kept if number])  # what a client was answered stays
    clients.store.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["rol", "klantcontact", "remove", "make", "give", "clear", "delete", "rebuild"]),
        st.integers(1, 9),
    ),
    max_size=25,
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_where_numbers_meet_each_is_somebodys_and_stays(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """There are only a dozen numbers here, so that the first choice is often taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "COUNT", 40)
        clients = Clients(tmp_path_factory.mktemp("numbers"))
        clients.take("zaak", zaak())
        seen: dict[str, str] = {}
        touched: set[str] = set()
        for what, number in steps:
            contacts = clients.get("klantcontacten?pageSize=500")["results"]
            chosen = contacts[number % len(contacts)] if contacts else None
            if what == "rol":
                clients.take("rol", persoon(number, BSN[number], on=number))
            elif what == "klantcontact":
                clients.take("klantcontact", klantcontact(number, onderwerp=str(len(seen))))
            elif what == "remove":
                clients.ingest.remove("bron", "klantcontact", [UUID(uuid_of("klantcontact", number))])
            elif what == "make":
                clients.make("klantcontacten", CONTACT)
            elif what == "rebuild":
                clients.rebuild()
            elif chosen and what == "delete":
                clients.send("DELETE", f"klantcontacten/{chosen['uuid']}", status=204)
            elif chosen and what in ("give", "clear"):
                touched.add(chosen["uuid"])
                wanted = str(numbering.FIRST + number) if what == "give" else None
                clients.client.patch(f"{API}/klantcontacten/{chosen['uuid']}", json={"nummer": wanted})
            for path in ("klantcontacten", "partijen"):
                shown = clients.get(f"{path}?pageSize=500")["results"]
                assert good([one["nummer"] for one in shown])
                for one in shown:
                    if path == "partijen" or (one["uuid"] not in touched and not touched):
                        assert seen.setdefault(one["uuid"], one["nummer"]) == one["nummer"]
        before = dump_digest(clients.store)
        clients.rebuild()
        assert dump_digest(clients.store) == before
        clients.store.close()


def test_what_was_taken_is_remembered_in_the_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "COUNT", 3)
    clients = Clients(tmp_path)
    numbers = [clients.make("partijen", PARTIJ)["nummer"] for _ in range(3)]
    assert sorted(numbers) == [str(numbering.FIRST + place) for place in range(3)]
    kept = [line for line in map(bytes.decode, dump_lines(clients.store)) if '"t":"number"' in line]
    assert len(kept) < 3
    clients.store.close()


@pytest.mark.rule("M35")
def test_of_what_was_destroyed_no_number_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "COUNT", 9)
    clients = Clients(tmp_path)
    clients.take("zaak", zaak())
    clients.take("klantcontact", *(klantcontact(number) for number in range(1, 10)))
    with clients.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM nummer").fetchone()[0] > 0
    clients.ingest.remove("bron", "zaak", [UUID(uuid_of("zaak", 1))])
    with clients.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM nummer").fetchone()[0] == 0
    clients.store.close()


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"gateway\.nummers: 'altijd' moet een van deze zijn: leeg, uitdelen"
    ):
        config_of(tmp_path, "altijd")
