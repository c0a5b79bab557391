"""Klanten and contactmomenten through ingest: in any order the same documents, and nothing of a zaak that is closed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from builders.contactmomenten import (
    CONTACT,
    HELD,
    HERE,
    POINTED_AT,
    POINTS_HERE,
    WHOLE,
    EarlierRegister,
    Raw,
    zaakcontactmoment,
)
from builders.earlier_objects import (
    contactmoment,
    earlier_url,
    earlier_uuid,
    klant,
    klantcontactmoment,
    objectcontactmoment,
)
from builders.legacy_objects import (
    BSN,
    SETTINGS,
    SOURCE,
    klantcontact,
    persoon,
    uuid_of,
    zaak,
)
from builders.probe.invariants import broken
from builders.probe.probe import Probe

from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.documents.rows import remove_documents
from gateway.store.documents.writing import put_documents
from jobs.rebuild.rebuild import Rebuild
from mappings import klantinteracties
from mappings.model.documents import Document
from mappings.model.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., EarlierRegister]]:
    made: list[EarlierRegister] = []

    def new(settings: Settings = SETTINGS) -> EarlierRegister:
        made.append(EarlierRegister(tmp_path / f"{len(made)}.db", settings))
        return made[-1]

    yield new
    for register in made:
        assert broken(register.store) == {}
        register.store.close()


@pytest.fixture
def register(make: Callable[..., EarlierRegister]) -> EarlierRegister:
    return make()


@pytest.mark.rule("M40")
@pytest.mark.rule("M41")
def test_old_beside_new(register: EarlierRegister) -> None:
    """Rollen of the Zaken API and contacts of an older system are about the same people."""
    register.take(*WHOLE)
    contact = register.documents("klantcontact")[CONTACT]
    assert contact["onderwerp"] == "Wanneer wordt de straat geveegd?"
    people = register.documents("partij")
    assert sorted(each["partijIdentificatie"]["volledigeNaam"] for each in people.values()) == [
        "Jansen",
        "Pieters",
        "Smit",
    ]
    with_whom = {
        people[partij]["partijIdentificatie"]["volledigeNaam"]: register.documents("betrokkene")[betrokkene][
            "rol"
        ]
        for betrokkene, partij in register.links("betrokkene.wasPartij")
        if (betrokkene, CONTACT) in register.links("betrokkene.hadKlantcontact")
    }
    assert with_whom == {"Jansen": "klant", "Pieters": "vertegenwoordiger"}
    zaken = {
        register.documents("onderwerpobject")[subject]["onderwerpobjectidentificator"]["objectId"]
        for subject, of in register.links("onderwerpobject.klantcontact")
        if of == CONTACT
    }
    assert zaken == {uuid_of("zaak", 1), uuid_of("zaak", 2)}
    assert len(register.documents("actor")) == 1
    assert register.links("actorklantcontact.klantcontact")[0][1] == CONTACT


@pytest.mark.rule("M42")
@pytest.mark.rule("M6")
@pytest.mark.parametrize("seed", range(8))
def test_any_order_gives_one_store(make: Callable[..., EarlierRegister], seed: int) -> None:
    """With removals and additions on the way."""
    expected = make()
    expected.take(*WHOLE)
    order = random.Random(seed)
    shuffled = WHOLE * 2
    order.shuffle(shuffled)
    register = make()
    for kind, raw in shuffled:
        register.take((kind, raw))
        if order.random() < 0.3 and kind != "zaak":
            register.remove(kind, raw.get("uuid") or raw["url"].rpartition("/")[2])
    register.take(*WHOLE)
    assert register.digest() == expected.digest()


def test_taking_the_same_again_changes_nothing(register: EarlierRegister) -> None:
    register.take(*WHOLE)
    before = register.digest()
    results = [register.ingest.take(SOURCE, kind, [raw], asked=0) for kind, raw in WHOLE]
    assert sum(result.changed for result in results) == 0
    assert register.digest() == before


@pytest.mark.rule("M34")
def test_one_zaak_too_many_leaves_a_contactmoment_out(register: EarlierRegister) -> None:
    register.take(*WHOLE)
    assert set(register.documents("klantcontact")) == {
        earlier_uuid("contactmoment", number) for number in (1, 2, 4)
    }
    assert b"straat" not in (Probe(register.store).raw(earlier_uuid("contactmoment", 3), "body") or b"")
    register.take(("zaak", zaak(1, "geheim")))
    assert set(register.documents("klantcontact")) == {earlier_uuid("contactmoment", 4)}
    assert register.links("onderwerpobject.wasKlantcontact") == []


@pytest.mark.rule("M34")
def test_a_contactmoment_that_may_be_shown_again_is_asked_for_again(register: EarlierRegister) -> None:
    register.take(*WHOLE)
    result = register.ingest.take(SOURCE, "zaak", [zaak(3, "openbaar")], asked=0)
    assert {str(uuid) for uuid in result.refetch_moments} == {earlier_uuid("contactmoment", 3)}
    assert {str(uuid) for uuid in result.refetch_zaken} == {uuid_of("zaak", 3)}
    register.take(*(each for each in WHOLE if each[0] != "zaak"))
    assert len(register.documents("klantcontact")) == 4


@pytest.mark.rule("M34")
def test_a_zaak_that_is_not_known_or_refused_hides_a_contactmoment(register: EarlierRegister) -> None:
    result = register.ingest.take(SOURCE, "objectcontactmoment", [objectcontactmoment(1, 1, 1)], asked=0)
    assert {str(uuid) for uuid in result.unknown_zaken} == {uuid_of("zaak", 1)}
    register.take(("contactmoment", contactmoment(1)))
    assert register.documents("klantcontact") == {}
    register.ingest.refused(SOURCE, "zaak", UUID(uuid_of("zaak", 1)), asked=0)
    assert register.documents("klantcontact") == {}
    register.take(("zaak", zaak(1)))
    assert len(register.documents("klantcontact")) == 1


@pytest.mark.rule("M35")
def test_a_destroyed_zaak_hides_what_another_system_says_of_it(register: EarlierRegister) -> None:
    register.take(
        ("zaak", zaak(1)),
        ("contactmoment", contactmoment(1)),
        ("objectcontactmoment", objectcontactmoment(1, 1, 1)),
    )
    assert len(register.documents("onderwerpobject")) == 1
    register.remove("zaak", uuid_of("zaak", 1))
    assert register.documents("klantcontact") == register.documents("onderwerpobject") == {}
    register.remove("objectcontactmoment", earlier_uuid("objectcontactmoment", 1))
    assert len(register.documents("klantcontact")) == 1
    assert not any(line["kind"] == "zaak" for line in register.lines("raw"))


@pytest.mark.rule("M35")
def test_nothing_stays_of_what_is_gone(register: EarlierRegister) -> None:
    register.take(*WHOLE)
    for kind, raw in reversed(WHOLE):
        register.remove(kind, raw.get("uuid") or raw["url"].rpartition("/")[2])
    left = [
        line
        for t in ("document", "link", "key", "finding", "raw", "provenance")
        for line in register.lines(t)
    ]
    assert [line for line in left if line["t"] != "raw"] == []
    assert Probe(register.store).count("tie") == 0


@pytest.mark.rule("M28")
def test_vertrouwelijk_follows_the_zaak(register: EarlierRegister) -> None:
    register.take(
        ("zaak", zaak(1)),
        ("contactmoment", contactmoment(1)),
        ("objectcontactmoment", objectcontactmoment(1, 1, 1)),
    )
    open_ = Settings("geheim")
    register.ingest.settings = open_
    register.take(("zaak", zaak(1, "vertrouwelijk")))
    assert register.documents("klantcontact")[CONTACT]["vertrouwelijk"] is True


@pytest.mark.rule("M41")
def test_a_number_goes_to_one_party_whoever_came_first(make: Callable[..., EarlierRegister]) -> None:
    one, two = klant(1, klantnummer="7", achternaam="A"), klant(2, klantnummer="7", achternaam="B")
    first, second = make(), make()
    first.take(("klant", one), ("klant", two))
    second.take(("klant", two), ("klant", one))
    assert first.digest() == second.digest()
    numbers = [each["nummer"] for each in first.documents("partij").values()]
    assert sorted(numbers, key=str) == ["7", None]
    holder = next(uuid for uuid, each in first.documents("partij").items() if each["nummer"])
    assert holder == min(first.documents("partij"))
    assert [line["field"] for line in first.lines("finding") if line["rule"] == "M41"] == ["klantnummer"]
    gone = one if first.documents("partij")[holder]["partijIdentificatie"]["volledigeNaam"] == "A" else two
    first.remove("klant", gone["url"].rpartition("/")[2])
    assert [each["nummer"] for each in first.documents("partij").values()] == ["7"]
    assert not [line for line in first.lines("finding") if line["rule"] == "M41"]


@pytest.mark.rule("M41")
def test_joined_klanten_give_up_their_second_number(make: Callable[..., EarlierRegister]) -> None:
    """A rol that makes one party of two klanten frees a number for a third; the order does not matter."""
    objects: list[Raw] = [
        ("zaak", zaak(1)),
        ("klant", klant(1, {"inpBsn": BSN[0]}, klantnummer="1")),
        ("klant", klant(2, None, None, klantnummer="2", achternaam="B")),
        ("klant", klant(3, {"inpBsn": BSN[2]}, klantnummer="2")),
        ("rol", persoon(1, BSN[0], url=earlier_url("klant", 2))),
    ]
    first, second = make(), make()
    first.take(*objects)
    second.take(*reversed(objects))
    assert first.digest() == second.digest()
    assert sorted(each["nummer"] for each in first.documents("partij").values()) == ["1", "2"]


@pytest.mark.rule("M41")
def test_a_party_whose_first_number_is_taken_has_its_second(make: Callable[..., EarlierRegister]) -> None:
    """Whatever came first; and what becomes free goes to who still wants it."""
    wishes: list[Raw] = [
        ("klant", klant(number, {"inpBsn": BSN[who]}, klantnummer=nummer))
        for number, who, nummer in (
            (1, 0, "7"),
            (2, 0, "8"),
            (3, 1, "7"),
            (4, 1, "8"),
            (5, 2, "7"),
            (6, 2, "8"),
        )
    ]

    def numbers(register: EarlierRegister) -> dict[str, str | None]:
        return {uuid: each["nummer"] for uuid, each in register.documents("partij").items()}

    digests, afterwards = set(), set()
    for order in (wishes, wishes[::-1], wishes[3:] + wishes[:3]):
        register = make()
        register.take(*order)
        digests.add(register.digest())
        first, second, third = sorted(numbers(register))
        assert numbers(register) == {first: "7", second: "8", third: None}
        lost = {line["raw"] for line in register.lines("provenance") if line["document"] == first}
        for uuid in sorted(lost):
            register.remove("klant", uuid)
        afterwards.add(register.digest())
        assert numbers(register) == {second: "7", third: "8"}
    assert len(digests) == len(afterwards) == 1


@pytest.mark.rule("M32")
def test_a_zaakcontactmoment_points_at_its_contactmoment(register: EarlierRegister) -> None:
    register.take(
        ("zaak", zaak(1)),
        ("contactmoment", contactmoment(1)),
        ("zaakcontactmoment", zaakcontactmoment(1, 1, earlier_url("contactmoment", 1))),
        ("zaakcontactmoment", zaakcontactmoment(2, 1, "https://elders.example/c/" + CONTACT)),
    )
    assert register.links("onderwerpobject.klantcontact")[0][1] == CONTACT
    (unknown,) = [line for line in register.lines("finding") if line["rule"] == "M32"]
    assert unknown["uuid"] == earlier_uuid("zaakcontactmoment", 2)
    register.remove("zaakcontactmoment", earlier_uuid("zaakcontactmoment", 1))
    assert register.documents("onderwerpobject") == {}


@pytest.mark.rule("M32")
def test_a_zaakcontactmoment_that_points_here_adds_the_zaak_to_what_a_client_made(
    register: EarlierRegister,
) -> None:
    body = klantinteracties.defaults("klantcontact")
    uuid = UUID("11111111-0000-4000-8000-000000000001")
    with register.store.write() as connection:
        put_documents(connection, [(Document("klantcontact", uuid, body, 5, 5), None)], LOCAL_ORIGIN)
    tie = zaakcontactmoment(1, 1, f"{HERE}/klantinteracties/api/v1/klantcontacten/{uuid}")
    register.take(("zaakcontactmoment", tie), ("zaak", zaak(1)))
    assert [of for _, of in register.links("onderwerpobject.klantcontact")] == [str(uuid)]
    register.remove("zaakcontactmoment", tie["uuid"])
    assert register.documents("onderwerpobject") == {}
    assert list(register.documents("klantcontact")) == [str(uuid)]
    with register.store.write() as connection:
        remove_documents(connection, Probe(register.store).values("document", "id"))


def subjects(register: EarlierRegister) -> list[str]:
    """The zaken that onderwerpobjecten refer to."""
    found = register.documents("onderwerpobject").values()
    return sorted(each["onderwerpobjectidentificator"]["objectId"] for each in found)


@pytest.mark.rule("M32")
def test_a_zaakcontactmoment_that_points_at_a_klantcontact_of_a_zaken_api_adds_its_zaak(
    register: EarlierRegister,
) -> None:
    register.take(*POINTED_AT[:4])
    before = register.documents("klantcontact")
    register.take(*POINTED_AT[4:])
    assert register.documents("klantcontact") == before != {}
    assert len(register.documents("betrokkene")) == 1
    assert subjects(register) == sorted([uuid_of("zaak", 1), uuid_of("zaak", 2)])
    assert {of for _, of in register.links("onderwerpobject.klantcontact")} == {HELD}
    register.remove("zaakcontactmoment", earlier_uuid("zaakcontactmoment", 1))
    register.remove("zaakcontactmoment", earlier_uuid("zaakcontactmoment", 2))
    assert subjects(register) == [uuid_of("zaak", 1)]


@pytest.mark.rule("M32")
@pytest.mark.rule("M42")
@pytest.mark.parametrize("seed", range(12))
def test_what_points_at_a_klantcontact_gives_one_store_in_any_order(
    make: Callable[..., EarlierRegister], seed: int
) -> None:
    """With removals on the way, zaken too; and a rebuild leaves it so."""
    expected = make()
    expected.take(*POINTED_AT)
    order = random.Random(seed)
    shuffled = POINTED_AT * 2
    order.shuffle(shuffled)
    register = make()
    for kind, raw in shuffled:
        register.take((kind, raw))
        if order.random() < 0.3:
            register.remove(kind, raw["uuid"])
    last = order.sample(POINTED_AT, len(POINTED_AT))
    register.take(*last, *last)
    assert register.digest() == expected.digest()
    Rebuild(register.store, register.ingest).run()
    assert register.digest() == expected.digest()


@pytest.mark.rule("M32")
def test_a_zaak_of_another_source_may_point_at_a_klantcontact(make: Callable[..., EarlierRegister]) -> None:
    digests = set()
    for order in (POINTED_AT, POINTED_AT[::-1]):
        register = make()
        register.ingest.addresses["elders"] = {"hier": HERE}
        for kind, raw in order:
            elsewhere = raw in (zaak(2), zaakcontactmoment(1, 2, POINTS_HERE))
            register.ingest.take("elders" if elsewhere else SOURCE, kind, [raw], asked=0)
        assert len(subjects(register)) == 2
        digests.add(register.digest())
        register.ingest.remove("elders", "zaak", [UUID(uuid_of("zaak", 2))])
        assert subjects(register) == [uuid_of("zaak", 1)]
    assert len(digests) == 1


@pytest.mark.rule("M32")
@pytest.mark.rule("M34")
@pytest.mark.parametrize(("secret", "left"), [(2, [1]), (1, [])])
def test_a_zaak_that_is_left_out_gives_a_klantcontact_no_subject(
    make: Callable[..., EarlierRegister], secret: int, left: list[int]
) -> None:
    """The zaak of the zaakcontactmoment; or the klantcontact's own, and then there is no klantcontact."""
    closed: Raw = ("zaak", zaak(secret, "geheim"))
    objects = [each for each in POINTED_AT if each[1]["uuid"] != uuid_of("zaak", secret)] + [closed]
    orders = [objects, objects[::-1], [*POINTED_AT, closed]]
    digests = set()
    for order in orders:
        register = make()
        register.take(*order)
        assert subjects(register) == [uuid_of("zaak", number) for number in left]
        assert len(register.documents("klantcontact")) == len(left)
        digests.add(register.digest())
        register.take(*POINTED_AT, *POINTED_AT)
        assert len(subjects(register)) == 2
    assert len(digests) == 1


@pytest.mark.rule("M32")
@pytest.mark.rule("M33")
def test_a_changed_zaak_keeps_what_points_at_its_klantcontact(register: EarlierRegister) -> None:
    register.take(*POINTED_AT)
    register.take(
        ("zaak", zaak(1, "zaakvertrouwelijk")), ("klantcontact", klantcontact(1, onderwerp="Anders"))
    )
    assert len(subjects(register)) == 2
    register.remove("klantcontact", HELD)
    assert subjects(register) == []
    register.take(("klantcontact", klantcontact(1)))
    assert len(subjects(register)) == 2
    register.remove("zaak", uuid_of("zaak", 2))
    assert subjects(register) == [uuid_of("zaak", 1)]


@pytest.mark.rule("M36")
def test_fields_without_a_place_are_counted(register: EarlierRegister) -> None:
    register.take(*WHOLE)
    counted = {line["field"] for line in register.lines("finding") if line["rule"] == "M36"}
    assert "bronorganisatie" in counted


@pytest.mark.rule("M30")
@pytest.mark.rule("M40")
def test_a_blank_initiatiefnemer_is_one_finding_on_the_source(register: EarlierRegister) -> None:
    """Who began the contact is filled in by the kanaal then."""
    register.take(
        ("klant", klant(1)),
        *(("contactmoment", contactmoment(number, initiatiefnemer="")) for number in (1, 2)),
        *(("klantcontactmoment", klantcontactmoment(number, number, 1)) for number in (1, 2)),
    )

    def found() -> list[tuple[str, str]]:
        return [
            (line["field"], line["severity"]) for line in register.lines("finding") if line["rule"] == "M30"
        ]

    assert [each["initiator"] for each in register.documents("betrokkene").values()] == [True, True]
    assert found() == [("initiatiefnemer", "info")]
    register.remove("contactmoment", earlier_uuid("contactmoment", 2))
    assert found() == [("initiatiefnemer", "info")]
    register.take(("contactmoment", contactmoment(1, initiatiefnemer="gemeente")))
    assert found() == []


@pytest.mark.rule("M3")
def test_an_unreadable_tie_goes_to_quarantine_and_comes_back(register: EarlierRegister) -> None:
    wrong = {**klantcontactmoment(1, 1, 1), "rol": "vriend"}
    register.take(("klant", klant(1)), ("contactmoment", contactmoment(1)), ("klantcontactmoment", wrong))
    assert [line["kind"] for line in register.lines("quarantine")] == ["klantcontactmoment"]
    assert register.documents("betrokkene") == {}
    register.take(("klantcontactmoment", klantcontactmoment(1, 1, 1)))
    assert register.lines("quarantine") == []
    assert len(register.documents("betrokkene")) == 1
