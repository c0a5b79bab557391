"""Values of any length and with any sign are taken in, found and told apart: on both databases alike."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import uuid4

import pytest
from builders.asker import API
from builders.edited_world import World
from builders.legacy_objects import medewerker, persoon, zaak
from builders.served_store import Client

from gateway.store.base.conditions import Condition, Where
from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.base.searched_fields import LONGEST, kept_value
from gateway.store.base.store import Store
from gateway.store.documents import lookup, reading
from gateway.store.documents.writing import put_documents
from mappings.model.documents import Document

# What no index makes shorter.
LONG = "".join(chr(random.Random(14).randrange(0x4E00, 0x9FFF)) for _ in range(5000))
VALUES = (
    "kort",
    LONG,
    LONG[:-1],
    LONG[:LONGEST],
    LONG[: LONGEST + 1],
    "a\0b",
    "a\0",
    "\x01a",
    kept_value(LONG),
)


def test_a_key_of_any_length_is_one_of_somebody(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.take(
        zaak(1),
        persoon(1, betrokkene=f"https://personen.example/{LONG}"),
        persoon(2, betrokkene=f"https://personen.example/{LONG}", naam="Voorbeeld"),
        persoon(3, betrokkene=f"https://personen.example/{LONG[:-1]}"),
        medewerker(4, LONG),
        medewerker(5, LONG),
    )
    assert len(world.all("partijen")) == 2
    assert len(world.all("actoren")) == 1
    world.rebuild()
    assert len(world.all("partijen")) == 2


def test_a_value_of_any_length_is_found_and_told_apart(store: Store) -> None:
    uuids = {value: uuid4() for value in VALUES}
    documents = [
        (Document("digitaleadres", uuid, {"adres": value, "omschrijving": ""}, 1, 1), None)
        for value, uuid in uuids.items()
    ]
    with store.write() as session:
        put_documents(session, documents, LOCAL_ORIGIN)
    with store.read() as session:
        for value, uuid in uuids.items():
            where = Where("digitaleadres", field="adres")
            found = reading.page(session, "digitaleadres", [Condition(where, value)], 1, 10)
            assert found is not None
            assert [row[1] for row in found.rows] == [uuid.bytes]
            assert len(lookup.with_value(session, "digitaleadres", "adres", value)) == 1


def test_no_two_values_are_kept_alike() -> None:
    assert len({kept_value(value) for value in VALUES}) == len(VALUES)
    assert kept_value("kort") == "kort"


@pytest.mark.parametrize(
    "asked",
    [
        "digitaleadressen?adres=a%00b",
        "digitaleadressen?adres__icontains=%00",
        "klantcontacten?inhoud=a%00bcd",
    ],
)
def test_a_nul_is_refused(client: Client, asked: str) -> None:
    assert client.get(f"{API}/{asked}").status == 400
