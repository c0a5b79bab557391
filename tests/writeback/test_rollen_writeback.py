"""Contact details that clients changed, on the rollen that gave them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from builders.sample_data import small
from builders.writeback_world import WriteBackWorld, WritingBack

from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer, Traps

OLD, NEW = "oud@example.nl", "nieuw@example.nl"


def with_addresses(data: Dataset) -> Dataset:
    """The data with one person whose e-mail address stands on the rollen of two zaken, one of them open."""
    zaken = [zaak for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar"][:2]
    rol = next(
        rol
        for rol in data.objects("rol")
        if rol["betrokkeneType"] == "natuurlijk_persoon"
        and (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
    )
    person = {"inpBsn": "999990019", "geslachtsnaam": "Voorbeeld", "voornamen": "Anna"}
    for number, zaak in enumerate(zaken):
        data.replace("zaak", zaak["uuid"], zaak | {"einddatum": "2025-01-01" if number else None})
        contact = {"emailadres": OLD, "functie": "", "telefoonnummer": "", "naam": ""}
        own = {"zaak": zaak["url"], "betrokkene": "", "betrokkeneIdentificatie": person}
        fresh = {name: value for name, value in rol.items() if name not in ("url", "uuid")}
        data.add("rol", fresh | own | {"contactpersoonRol": contact})
    return data


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WriteBackWorld]:
    with SampleServer(with_addresses(small(60))) as server:
        yield WriteBackWorld(tmp_path_factory.mktemp("rollen"), server, ["rollen"])


@pytest.fixture
def world(template: WriteBackWorld) -> Iterator[WritingBack]:
    yield template.fresh()
    template.server.traps = Traps()


def rollen(world: WritingBack) -> dict[bool, dict[str, Any]]:
    """The rol on the open zaak (True) and that on the closed one."""
    found = {}
    for rol in world.data.objects("rol"):
        if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn") == "999990019":
            zaak = world.data.get("zaak", rol["zaak"].rpartition("/")[2])
            found[zaak["einddatum"] is None] = rol
    return found


def changed(world: WritingBack, **fields: Any) -> dict[str, Any]:
    """The person's address, after a client changed it."""
    path = "digitaleadressen?verstrektDoorPartij__partijIdentificator__objectId=999990019"
    (adres,) = world.ask("GET", path)["results"]
    assert adres["adres"] == OLD
    found: dict[str, Any] = world.ask("PATCH", f"digitaleadressen/{adres['uuid']}", fields or {"adres": NEW})
    return found


@pytest.mark.rule("W7")
@pytest.mark.parametrize("trap", ["", "lost_answer_rate", "late_error_rate"])
def test_only_the_rol_of_an_open_zaak_is_changed(world: WritingBack, trap: str) -> None:
    adres, count = changed(world), world.ask("GET", "digitaleadressen")["count"]
    if trap:
        world.server.traps = Traps(**{trap: 1})
        world.deliver()
        world.server.traps = Traps()
        world.hurry()
    world.deliver()
    found = rollen(world)
    assert found[True]["contactpersoonRol"]["emailadres"] == NEW
    assert found[False]["contactpersoonRol"]["emailadres"] == OLD
    assert ("W7", "rol", "niet terug te schrijven: de zaak is gesloten") in world.findings()
    assert world.ask("GET", f"digitaleadressen/{adres['uuid']}")["adres"] == NEW
    assert world.ask("GET", "digitaleadressen")["count"] == count
    world.nothing_changes()


@pytest.mark.rule("W7")
@pytest.mark.parametrize(
    ("person", "told"),
    [
        ({"naam": "Buurvrouw Jansen"}, "niet terug te schrijven: de contactpersoon is een ander"),
        ({"emailadres": "balie@example.nl"}, "gewijzigd bij de bron"),
        ({"emailadres": ""}, "gewijzigd bij de bron"),
    ],
)
def test_what_is_somebody_elses_or_changed_stays(
    world: WritingBack, person: dict[str, str], told: str
) -> None:
    changed(world)
    rol = rollen(world)[True]
    own = rol["contactpersoonRol"] | person
    world.data.replace("rol", rol["uuid"], rol | {"contactpersoonRol": own})
    world.deliver()
    assert rollen(world)[True]["contactpersoonRol"] == own
    assert told in {action for _, _, action in world.findings()}


@pytest.mark.rule("W7")
def test_a_deleted_address_is_cleared_with_an_empty_text(world: WritingBack) -> None:
    path = "digitaleadressen?verstrektDoorPartij__partijIdentificator__objectId=999990019"
    (adres,) = world.ask("GET", path)["results"]
    world.ask("DELETE", f"digitaleadressen/{adres['uuid']}")
    world.deliver()
    assert rollen(world)[True]["contactpersoonRol"]["emailadres"] == ""
    world.nothing_changes()


@pytest.mark.rule("W7")
def test_a_source_that_can_not_put_a_rol_is_left_alone(world: WritingBack) -> None:
    world.server.become("1.5.1", False)
    try:
        changed(world)
        world.deliver()
        assert rollen(world)[True]["contactpersoonRol"]["emailadres"] == OLD
        told = {action for rule, _, action in world.findings() if rule == "W7"}
        assert told == {"niet terug te schrijven: de bron kan een rol niet wijzigen"}
    finally:
        world.server.become("1.5.1")
