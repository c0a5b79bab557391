"""Contact details that clients changed, on the rollen that gave them."""

from __future__ import annotations

from typing import Any

import pytest
from builders.writeback_world import OLD, WritingBack

from gateway.sample.server import Traps

pytestmark = pytest.mark.slow

NEW = "nieuw@example.nl"


@pytest.fixture
def world(with_rollen: WritingBack) -> WritingBack:
    return with_rollen


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


@pytest.mark.slow
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


@pytest.mark.rule("W8")
def test_a_partij_that_is_deleted_stays_on_its_rollen(world: WritingBack) -> None:
    before = world.data.objects("rol")
    path = "digitaleadressen?verstrektDoorPartij__partijIdentificator__objectId=999990019"
    (adres,) = world.ask("GET", path)["results"]
    world.ask("DELETE", f"partijen/{adres['verstrektDoorPartij']['uuid']}")
    world.hurry()
    world.deliver()
    assert world.data.objects("rol") == before
    stays = {field for rule, field, _ in world.findings() if rule == "W8"}
    assert stays >= {"partij", "partij-identificator", "digitaleadres"}


@pytest.mark.rule("W7")
def test_an_address_that_is_another_partijs_by_now_goes_from_the_rol(world: WritingBack) -> None:
    path = "digitaleadressen?verstrektDoorPartij__partijIdentificator__objectId=999990019"
    (adres,) = world.ask("GET", path)["results"]
    lost = {"verstrektDoorPartij": None, "isStandaardAdres": False}
    world.ask("PATCH", f"digitaleadressen/{adres['uuid']}", lost)
    world.deliver()
    assert rollen(world)[True]["contactpersoonRol"]["emailadres"] == ""
    world.nothing_changes()


@pytest.mark.rule("W9")
def test_a_rol_whose_answer_was_lost_gets_the_next_value_too(world: WritingBack) -> None:
    adres = changed(world)
    world.server.traps = Traps(late_error_rate=1)
    world.deliver()
    world.server.traps = Traps()
    world.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "later@example.nl"})
    world.hurry()
    world.deliver()
    assert rollen(world)[True]["contactpersoonRol"]["emailadres"] == "later@example.nl"
    assert "gewijzigd bij de bron" not in {action for _, _, action in world.findings()}
