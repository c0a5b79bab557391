"""Groups that hang on a soort, and the numbers in a partij: what is left out stays, and no body ends in a 500."""

from __future__ import annotations

from typing import Any

import pytest
from builders.editor import (
    BSN,
    KVK,
    NOBODY,
    ORGANISATIE,
    OTHER_BSN,
    PERSOON,
    VESTIGING,
    Editor,
    codes,
    identificator,
    ref,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JAN = {"voorletters": "J", "voornaam": "Jan", "voorvoegselAchternaam": "de", "achternaam": "Wit"}
MEDEWERKER = {"functie": "f", "emailadres": "m@example.nl", "telefoonnummer": "0201234567"}
DUPLICATED = [("partijIdentificatoren.identificeerdePartij", "duplicated")]
PROTECTED = [("nonFieldErrors", "invalid")]


def contactpersoon(editor: Editor) -> Any:
    organisatie = editor.make("partijen", ORGANISATIE)
    wie = {"werkteVoorPartij": ref(organisatie), "contactnaam": JAN}
    return editor.make(
        "partijen", {"soortPartij": "contactpersoon", "indicatieActief": True, "partijIdentificatie": wie}
    )


def each_with_a_group(editor: Editor) -> list[tuple[str, str, str, Any]]:
    """Path, group, switch and object of something of every soort."""
    persoon = editor.make("partijen", {**PERSOON, "partijIdentificatie": {"contactnaam": JAN}})
    parts = [
        ("medewerker", MEDEWERKER),
        ("geautomatiseerde_actor", {"functie": "f", "omschrijving": "o"}),
        ("organisatorische_eenheid", {"omschrijving": "o", "faxnummer": "1"}),
    ]
    actoren = [
        editor.make("actoren", {"naam": "a", "soortActor": soort, "actorIdentificatie": group})
        for soort, group in parts
    ]
    partijen = [persoon, editor.make("partijen", ORGANISATIE), contactpersoon(editor)]
    return [
        *(("partijen", "partijIdentificatie", "soortPartij", one) for one in partijen),
        *(("actoren", "actorIdentificatie", "soortActor", one) for one in actoren),
    ]


# What is left out stays


def test_a_patch_with_an_empty_group_changes_nothing(editor: Editor) -> None:
    for path, group, switch, one in each_with_a_group(editor):
        assert editor.patch(path, one, {switch: one[switch], group: {}}) == one
        assert editor.again(path, one) == one


def test_a_patch_with_a_part_of_a_group_keeps_the_rest(editor: Editor) -> None:
    partij = contactpersoon(editor)
    wie = partij["partijIdentificatie"]
    soort = {"soortPartij": "contactpersoon"}
    assert editor.patch("partijen", partij, {**soort, "partijIdentificatie": {"contactnaam": JAN}}) == partij
    alone = {**soort, "partijIdentificatie": {"werkteVoorPartij": None}}
    after = editor.patch("partijen", partij, alone)["partijIdentificatie"]
    assert after == {**wie, "werkteVoorPartij": None}
    actor = editor.make(
        "actoren", {"naam": "a", "soortActor": "medewerker", "actorIdentificatie": MEDEWERKER}
    )
    after = editor.patch(
        "actoren", actor, {"soortActor": "medewerker", "actorIdentificatie": {"functie": "g"}}
    )
    assert after["actorIdentificatie"] == {**MEDEWERKER, "functie": "g"}


def test_a_put_with_a_part_of_a_group_wants_what_is_required_and_keeps_the_rest(editor: Editor) -> None:
    actor = editor.make(
        "actoren", {"naam": "a", "soortActor": "medewerker", "actorIdentificatie": MEDEWERKER}
    )
    path = f"/actoren/{actor['uuid']}"
    body = {"naam": "a", "soortActor": "medewerker"}
    refused = editor.refused("PUT", path, {**body, "actorIdentificatie": {"functie": "g"}})
    assert refused == [("actorIdentificatie.telefoonnummer", "required")]
    part = {"functie": "g", "telefoonnummer": "0201234567"}
    after = editor.put("actoren", actor, {**body, "actorIdentificatie": part})
    assert after["actorIdentificatie"] == {**MEDEWERKER, "functie": "g"}


def test_a_group_of_another_soort_begins_anew(editor: Editor) -> None:
    actor = editor.make(
        "actoren", {"naam": "a", "soortActor": "medewerker", "actorIdentificatie": MEDEWERKER}
    )
    body = {"soortActor": "geautomatiseerde_actor", "actorIdentificatie": {"omschrijving": "o"}}
    refused = editor.refused("PATCH", f"/actoren/{actor['uuid']}", body)
    assert refused == [("actorIdentificatie.functie", "required")]
    after = editor.patch("actoren", actor, {**body, "actorIdentificatie": {"functie": "g"}})
    assert after["actorIdentificatie"] == {"functie": "g", "omschrijving": ""}
    after = editor.patch("actoren", actor, {"soortActor": "medewerker", "actorIdentificatie": {}})
    assert after["actorIdentificatie"] is None


@pytest.mark.slow
def test_a_patch_that_does_not_say_the_soort_leaves_the_group_alone(editor: Editor) -> None:
    """Whatever is in it: nobody can tell what it would mean."""
    for path, group, _, one in each_with_a_group(editor):
        for value in (None, {}, {"naam": "x", "omschrijving": "x"}, "x", [1], {"werkteVoorPartij": "x"}):
            assert editor.patch(path, one, {group: value}) == one


def test_null_does_not_empty_a_group(editor: Editor) -> None:
    """But null may come back where null was shown."""
    with_group = each_with_a_group(editor)
    with editor.nothing_written():
        for path, group, switch, one in with_group:
            for method, body in (("PATCH", {switch: one[switch]}), ("PUT", one)):
                refused = editor.refused(method, f"/{path}/{one['uuid']}", {**body, group: None})
                assert refused == [(group, "null")]
    for path, body in (("actoren", {"naam": "a", "soortActor": "medewerker"}), ("partijen", PERSOON)):
        made = editor.make(path, body)
        assert editor.put(path, made, made) == made


# The numbers of a partij


def test_the_same_number_twice_in_a_partij_is_refused(editor: Editor) -> None:
    """The last one won: a BSN became a KVK number, and was taken from its partij."""
    owner = editor.make("partijen", {**PERSOON, "partijIdentificatoren": [identificator("bsn", BSN)]})
    uuid = owner["partijIdentificatoren"][0]["uuid"]
    twice = [identificator("bsn", OTHER_BSN, uuid=uuid), identificator("kvk_nummer", KVK, uuid=uuid.upper())]
    other = editor.make("partijen", ORGANISATIE)
    with editor.nothing_written():
        assert editor.refused("POST", "/partijen", {**PERSOON, "partijIdentificatoren": twice}) == DUPLICATED
        for method, partij in (("PATCH", owner), ("PUT", owner), ("PATCH", other)):
            body = {**PERSOON, "partijIdentificatoren": twice}
            assert editor.refused(method, f"/partijen/{partij['uuid']}", body) == DUPLICATED


def test_a_number_inside_a_partij_is_that_partijs(editor: Editor) -> None:
    owner = editor.make("partijen", {**PERSOON, "partijIdentificatoren": [identificator("bsn", BSN)]})
    other = editor.make("partijen", PERSOON)
    refused = [("partijIdentificatoren.identificeerdePartij", "invalid")]
    body = {"partijIdentificatoren": [identificator("bsn", OTHER_BSN, identificeerdePartij=ref(other))]}
    with editor.nothing_written():
        assert editor.refused("POST", "/partijen", {**PERSOON, **body}) == refused
        assert editor.refused("PATCH", f"/partijen/{owner['uuid']}", body) == refused
    assert editor.patch("partijen", owner, {"partijIdentificatoren": owner["partijIdentificatoren"]}) == owner


@pytest.mark.slow
@pytest.mark.parametrize("left", ["nothing", "null", "the vestiging", "the same anew"])
def test_a_list_without_a_number_that_others_hang_under_is_refused(editor: Editor, left: str) -> None:
    """It took the kvk_nummer along, and the vestiging under it."""
    partij = editor.make(
        "partijen", {**ORGANISATIE, "partijIdentificatoren": [identificator("kvk_nummer", KVK)]}
    )
    kvk = partij["partijIdentificatoren"][0]
    under = identificator("vestigingsnummer", VESTIGING, subIdentificatorVan=ref(kvk))
    vestiging = editor.make("partij-identificatoren", {**under, "identificeerdePartij": ref(partij)})
    numbers = {
        "nothing": [],
        "null": None,
        "the vestiging": [{**under, "uuid": vestiging["uuid"]}],
        "the same anew": [identificator("kvk_nummer", KVK)],
    }[left]
    with editor.nothing_written():
        for method in ("PATCH", "PUT"):
            body = {**ORGANISATIE, "partijIdentificatoren": numbers}
            assert editor.refused(method, f"/partijen/{partij['uuid']}", body) == PROTECTED
    editor.delete("partij-identificatoren", vestiging)
    after = editor.patch("partijen", partij, {"partijIdentificatoren": []})
    assert after["partijIdentificatoren"] == []


# Bodies that lack or mistype what says how to read them

SOMETHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 1),
    st.sampled_from(["", "x", "persoon", "organisatie", "contactpersoon", "medewerker", NOBODY]),
    st.just([]),
    st.just({}),
    st.just({"uuid": NOBODY}),
    st.just({"uuid": "x"}),
    st.just([{"uuid": NOBODY}]),
)
KEYS = (
    "werkteVoorPartij",
    "contactnaam",
    "naam",
    "functie",
    "emailadres",
    "telefoonnummer",
    "omschrijving",
    "uuid",
)
GROUP = st.one_of(SOMETHING, st.dictionaries(st.sampled_from(KEYS), SOMETHING))
FIELDS = {
    "partijen": {
        "soortPartij": SOMETHING, "soort_partij": SOMETHING, "partijIdentificatie": GROUP,
        "partij_identificatie": GROUP, "indicatieActief": SOMETHING, "voorkeursDigitaalAdres": SOMETHING,
        "digitaleAdressen": SOMETHING, "rekeningnummers": SOMETHING,
        "partijIdentificatoren": st.one_of(SOMETHING, st.lists(st.one_of(SOMETHING, st.fixed_dictionaries(
            {}, optional={
                "uuid": SOMETHING, "identificeerdePartij": SOMETHING, "subIdentificatorVan": SOMETHING,
                "partijIdentificator": st.one_of(SOMETHING, st.just(codes("bsn", BSN)), st.fixed_dictionaries(
                    {}, optional=dict.fromkeys(codes("bsn", BSN), SOMETHING))),
            })), max_size=2)),
    },
    "actoren": {
        "soortActor": SOMETHING, "soort_actor": SOMETHING, "actorIdentificatie": GROUP,
        "actor_identificatie": GROUP, "naam": SOMETHING, "actoridentificator": SOMETHING,
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("soort", [None, "", "x", 1, [], {}, "Contactpersoon", "absent"])
def test_whom_somebody_worked_for_is_nothing_without_a_soort(editor: Editor, soort: Any) -> None:
    organisatie = editor.make("partijen", ORGANISATIE)
    body = {
        "indicatieActief": True,
        "soortPartij": soort,
        "partijIdentificatie": {"werkteVoorPartij": ref(organisatie)},
    }
    if soort == "absent":
        del body["soortPartij"]
    with editor.nothing_written():
        refused = editor.refused("POST", "/partijen", body)
        assert [name for name, _ in refused] == ["soortPartij"]
        got = editor.send("PATCH", f"/partijen/{organisatie['uuid']}", body)
        assert got.status == (200 if soort == "absent" else 400)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), path=st.sampled_from(sorted(FIELDS)), method=st.sampled_from(["POST", "PUT", "PATCH"]))
def test_no_body_ends_in_an_error_of_ours(
    editor: Editor, data: st.DataObject, path: str, method: str
) -> None:
    least = {"partijen": PERSOON, "actoren": {"naam": "a", "soortActor": "medewerker"}}[path]
    given_fields = data.draw(st.fixed_dictionaries({}, optional=FIELDS[path]))
    body = {**(least if data.draw(st.booleans()) else {}), **given_fields}
    target = f"/{path}" if method == "POST" else f"/{path}/{editor.make(path, least)['uuid']}"
    got = editor.send(method, target, body)
    assert got.status in (200, 201, 400), got.status
