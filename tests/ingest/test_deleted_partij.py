"""Whom a client deleted can't be read in what the store searches by, and stays deleted all the same (M19, M35)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID as Uuid

import orjson
import pytest
from builders import sample_data
from builders.asker import API, Asker, write_client
from builders.commands import command
from builders.configs import UUID_SECRET
from builders.editor import identificator
from builders.following import backfilled, run, traces
from builders.probe.probe import Probe
from builders.sample_data import new_contact, small
from builders.store_digest import dump_digest

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.edits.editing import TOMBSTONE
from gateway.store.inspect.dump import dump_lines
from jobs.rebuild.rebuild import Rebuild
from jobs.upkeep.purge import purge
from jobs.verify.verify import Verify
from mappings.identity.identity import Uuids, key_uuid

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
BSN, KNOWN_BY = "111222333", "https://personen.example.nl/api/v1/personen/4711"
NAME = "Uitgewist"
UUID = str(key_uuid(Uuids(UUID_SECRET), f"brp:bsn:{BSN}"))
NUMBER = {"partijIdentificator__codeSoortObjectId": "bsn", "partijIdentificator__objectId": BSN}


@pytest.fixture
def data() -> Dataset:
    return small(30)


def person(data: Dataset, number: int = 0, **changes: Any) -> dict[str, Any]:
    """A rol of somebody with that BSN, on a zaak that anybody may see."""
    given = {
        "omschrijvingGeneriek": "initiator",
        "betrokkeneIdentificatie": {"inpBsn": BSN, "geslachtsnaam": NAME},
        "contactpersoonRol": {
            "emailadres": "uitgewist@voorbeeld.nl",
            "naam": "",
            "functie": "",
            "telefoonnummer": "",
        },
    }
    return sample_data.person(data, BSN, number, **(given | changes))


def known_by_url(data: Dataset) -> dict[str, Any]:
    """The same person, by the URL that another rol gives with the BSN."""
    return person(data, 3, betrokkene=KNOWN_BY, betrokkeneIdentificatie=None)


def delete(installation: Installation, uuid: str = UUID) -> None:
    client, headers = write_client(installation, installation.hydrator())
    assert client.delete(f"{API}/partijen/{uuid}", headers=headers).status_code == 204


def readable(installation: Installation) -> list[str]:
    """Where the BSN, the name or the URL of that person stands in what is searched by."""
    columns = {"statement": ("body", "digest"), "identity": ("key",), "fetched": ("key",), "lease": ("name",)}
    found = []
    for table, names in columns.items():
        for name in names:
            for value in Probe(installation.store).values(table, name):
                text = value if isinstance(value, bytes) else value.encode()
                if any(each.encode() in text for each in (BSN, NAME, KNOWN_BY, "uitgewist@")):
                    found.append(f"{table}.{name}")
    return found


def there(installation: Installation) -> tuple[int, int]:
    """What a client gets of that person: by uuid, and how many by number."""
    asker = Asker(installation)
    found = asker.get("partijen", **NUMBER)
    assert (found.status_code, found.headers["Klantbrug-Coverage"]) == (200, "complete")
    return asker.get(f"partijen/{UUID}").status_code, found.json["count"]


GONE, HERE = (404, 0), (200, 1)


@pytest.mark.of_the_file  # it is looked for in the file
@pytest.mark.rule("M19")
@pytest.mark.parametrize("cold", [True, False])
def test_nothing_readable_is_left_to_search_by(
    data: Dataset, server: SampleServer, install: Install, cold: bool
) -> None:
    person(data, betrokkene=KNOWN_BY)
    known_by_url(data)
    installation = install(bron=server) if cold else backfilled(install(bron=server))
    assert there(installation) == HERE
    assert readable(installation)
    delete(installation)
    assert readable(installation) == []
    run(installation, purge)
    # What the source gives stays as it came: that is compressed.
    assert traces(installation, BSN, KNOWN_BY) == []
    # Before the backfill nobody knows whose a uuid is that is not held.
    assert there(installation) == ((503, 0) if cold else GONE)
    assert readable(installation) == []  # also when it was asked for again


@pytest.mark.rule("M19")
@pytest.mark.parametrize(
    "how", ["backfill", "a new rol", "a rol by url", "rebuild", "a changed rol", "question"]
)
def test_the_deletion_holds(data: Dataset, server: SampleServer, install: Install, how: str) -> None:
    first = person(data, betrokkene=KNOWN_BY)
    known_by_url(data)
    installation = backfilled(install(bron=server, max_age=0))
    delete(installation)
    run(installation, purge)
    if how == "a new rol":
        installation.ingest.take("bron", "rol", [person(data, 4)], asked=0)
    elif how == "a rol by url":
        installation.ingest.take("bron", "rol", [known_by_url(data)], asked=0)
    elif how == "a changed rol":
        changed = data.replace("rol", first["uuid"], first | {"roltoelichting": "anders"})
        installation.ingest.take("bron", "rol", [changed], asked=0)
    elif how == "rebuild":
        before = dump_digest(installation.store)
        outcome = Rebuild(installation.store, installation.ingest).run()
        assert outcome.changed == 0
        assert dump_digest(installation.store) == before
    elif how == "backfill":
        backfilled(installation)
    assert there(installation) == GONE
    assert readable(installation) == []
    backfilled(installation)
    assert there(installation) == GONE
    assert Verify(installation.fetchers["bron"]).run()["clean"]


@pytest.mark.rule("M19")
def test_the_order_does_not_matter(data: Dataset, server: SampleServer, install: Install) -> None:
    """Deleted before or after another rol came, all at once or one by one: the same is kept, and restored."""
    rollen = [person(data, betrokkene=KNOWN_BY), known_by_url(data), person(data, 4)]
    digests = set()
    for early in (1, 2, 3):
        installation = backfilled(install(bron=server))
        for rol in rollen[early:]:
            installation.ingest.remove("bron", "rol", [Uuid(rol["uuid"])])
        delete(installation)
        for rol in rollen[early:]:
            installation.ingest.take("bron", "rol", [rol], asked=0)
        assert readable(installation) == []
        digests.add(kept(installation))
        assert there(installation) == GONE
    assert len(digests) == 1


def kept(installation: Installation) -> bytes:
    """What is kept, but for the tombstones of what was not there yet at the deletion; and a server writes its own host
    in what it gives."""
    lines = map(orjson.loads, dump_lines(installation.store))
    return b"\n".join(orjson.dumps(line) for line in lines if line["t"] not in ("local", "raw"))


@pytest.mark.rule("M19")
def test_restore_brings_it_back_as_it_was(data: Dataset, server: SampleServer, install: Install) -> None:
    rol = person(data, betrokkene=KNOWN_BY)
    known_by_url(data)
    new_contact(data, rol["zaak"].rsplit("/", 1)[-1])
    installation = backfilled(install(bron=server))
    before = dump_digest(installation.store)
    asker = Asker(installation)
    shown = asker.get(f"partijen/{UUID}", expand="digitaleAdressen,betrokkenen").json
    delete(installation)
    run(installation, purge)
    result = command(installation, "restore", UUID)
    assert result.exit_code == 0, result.output
    assert there(installation) == HERE
    assert asker.get(f"partijen/{UUID}", expand="digitaleAdressen,betrokkenen").json == shown
    assert dump_digest(installation.store) == before
    assert Verify(installation.fetchers["bron"]).run()["clean"]


@pytest.mark.rule("M6")
def test_a_key_that_somebody_else_has_too_stays_readable_for_as_long_as_that(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    """Two BSNs with one URL are two people (M6): whoever is left is still found, and sealed when that one goes too."""
    other = "123456782"
    person(data, betrokkene=KNOWN_BY)
    person(data, 3, betrokkene=KNOWN_BY, betrokkeneIdentificatie={"inpBsn": other, "geslachtsnaam": "Ander"})
    installation = backfilled(install(bron=server))
    delete(installation)
    assert set(readable(installation)) <= {"statement.body", "identity.key"}  # the URL, as the other one's
    keys = Probe(installation.store).values("identity", "key")
    assert f"brp:bsn:{BSN}" not in keys and f"brp:bsn:{other}" in keys
    assert there(installation) == GONE
    delete(installation, str(key_uuid(Uuids(UUID_SECRET), f"brp:bsn:{other}")))
    assert readable(installation) == []
    backfilled(installation)
    assert readable(installation) == []
    assert there(installation) == GONE


@pytest.mark.rule("M35")
def test_what_the_source_destroys_leaves_nothing_but_the_tombstone(
    data: Dataset, server: SampleServer, install: Install, tmp_path: Path
) -> None:
    rollen = [person(data, betrokkene=KNOWN_BY), known_by_url(data)]
    installation = backfilled(install(bron=server))
    client, headers = write_client(installation, installation.hydrator())
    # What a client wrote over it goes as well.
    written = client.patch(
        f"{API}/partijen/{UUID}", json={"interneNotitie": "Van de uitgewiste"}, headers=headers
    )
    assert written.status_code == 200, written.json
    delete(installation)
    for rol in rollen:
        data.remove("rol", rol["uuid"])
    backfilled(installation)
    run(installation, purge)
    probe = Probe(installation.store)
    assert probe.count("statement", sealed=1) == 0
    assert not any(key.startswith("dicht:") for key in probe.values("identity", "key"))
    assert {part for _, part in probe.written()} == {TOMBSTONE}
    assert traces(installation, BSN, KNOWN_BY, "Van de uitgewiste", NAME) == []
    # It would not come back, had the source it again.
    person(data, 5)
    backfilled(installation)
    assert there(installation) == GONE
    assert readable(installation) == []


@pytest.mark.rule("M19")
def test_a_client_that_makes_it_anew_has_the_legacy_with_it(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    """As before: one partij, under the client's uuid."""
    rol = person(data)
    installation = backfilled(install(bron=server))
    delete(installation)
    client, headers = write_client(installation, installation.hydrator())
    body = {
        "soortPartij": "persoon",
        "indicatieActief": True,
        "digitaleAdressen": None,
        "voorkeursDigitaalAdres": None,
        "rekeningnummers": None,
        "voorkeursRekeningnummer": None,
        "partijIdentificatie": {"contactnaam": {"achternaam": "Opnieuw"}},
        "partijIdentificatoren": [identificator("bsn", BSN)],
    }
    made = client.post(f"{API}/partijen", json=body, headers=headers)
    assert made.status_code == 201, made.json
    found = Asker(installation).get("partijen", **NUMBER).json["results"]
    assert [each["uuid"] for each in found] == [made.json["uuid"]]
    told = command(installation, "explain", made.json["uuid"], "--json")
    assert rol["uuid"] in told.output  # it is of the legacy too


@pytest.mark.rule("M19")
def test_what_was_deleted_under_an_older_version_is_sealed_by_purge(
    data: Dataset, server: SampleServer, install: Install
) -> None:
    person(data)
    installation = backfilled(install(bron=server))
    delete(installation)
    with installation.store.write() as connection:
        statements = Probe(installation.store).values("statement", "id", sealed=1)
        assert installation.ingest.recomputation(connection).sealing.open(statements) == set()
    assert readable(installation)
    assert run(installation, purge)["sealed"] == 1
    assert readable(installation) == []
