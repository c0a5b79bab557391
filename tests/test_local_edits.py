"""What clients write over what the legacy says: it wins, stays through every ingest, and can be undone (M19, M20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from support import API, Asker, dump_digest, read_config, some_zaken

from gateway.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.sample.data import Dataset
from gateway.sample.server import SampleServer
from jobs.backfill import Backfill

pytestmark = pytest.mark.rule("M19")
Install = Callable[..., Installation]
BSN = {"partijIdentificator__codeSoortObjectId": "bsn"}


@pytest.fixture
def server(slice_data: Dataset) -> Iterator[SampleServer]:
    with SampleServer(some_zaken(slice_data, 6)) as running:
        yield running


class Writer(Asker):
    """A client that may write."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.token = create_token(installation.store, f"writer-{id(self)}", "write")
        self.installation = installation

    def send(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.token}"}
        return self.client.open(f"{API}/{path}", method=method, json=body, headers=headers)

    def sync(self) -> None:
        """Read the whole source again, with every rol changed a little, so that nothing is skipped as the same."""
        assert Backfill(self.installation.fetchers["bron"]).run()


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
        "PATCH", f"partijen/{partij['uuid']}", {"partijIdentificatie": {"contactnaam": contactnaam}}
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
    rows = writer.installation.store.connection().execute("SELECT part FROM local").fetchall()
    assert rows == []


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
