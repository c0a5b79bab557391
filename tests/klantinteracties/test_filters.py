"""Every query parameter of every list: that it is there, what it accepts, and what it finds."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from builders.probe.indexes import out_of_step
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.recordings import FOLDER, RecordedRegister
from builders.served_store import Client
from builders.stores import ON_POSTGRES

from gateway.klantinteracties.model import expand
from gateway.klantinteracties.model.declarations import Filter, Form, Resource
from gateway.klantinteracties.model.resources import BY_KIND, RESOURCES
from gateway.klantinteracties.read.query import moment
from gateway.store.base.conditions import Compare, Condition, Subject, Where
from gateway.store.base.kinds import RELATIONS
from gateway.store.base.store import Store
from gateway.store.documents import reading, selecting
from gateway.store.documents.writing import put_documents
from gateway.store.indexes import profile_questions, text_search
from gateway.store.schema import upgrade
from mappings.model.documents import Document

CONTRACT = json.loads((FOLDER / "parameters.json").read_text(encoding="utf-8"))
TYPES = {
    Form.TEXT: ["string", None],
    Form.CHOICE: ["string", None],
    Form.FLAG: ["boolean", None],
    Form.UUID: ["string", "uuid"],
    Form.URL: ["string", "uri"],
    Form.DATE: ["string", "date"],
    Form.MOMENT: ["string", "date-time"],
    Form.MOMENT_TEXT: ["string", "date-time"],
}
ALL = [(resource, item) for resource in RESOURCES for item in resource.filters]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(reader: Client) -> Client:
    """The tests here only read."""
    return reader


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_a_list_has_exactly_the_parameters_of_the_contract(resource: Resource) -> None:
    here = {item.name: [*TYPES[item.form], sorted(item.choices)] for item in resource.filters}
    here |= {"page": ["integer", None, []], "pageSize": ["integer", None, []]}
    if resource.expansions:
        here["expand"] = ["array", None, sorted(expand.names(resource.expansions))]
    assert here == CONTRACT[resource.path]


FLAGS = {item.where for _, item in ALL if item.form is Form.FLAG and item.where.compare is Compare.IS}

# What the filters find is compared with a plain walk over random documents.


class World:
    """Random documents with random links, few values each, so that filters find some and miss some."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.documents: dict[UUID, Document] = {}
        for kind in BY_KIND:
            for _ in range(24):
                created = self.random.randrange(40)
                uuid = UUID(int=self.random.getrandbits(128), version=4)
                moment = self.random.randrange(40) if kind == "klantcontact" else created
                self.documents[uuid] = Document(kind, uuid, self._body(kind, uuid), created, moment)
        for relation in RELATIONS:
            kind, name = relation.split(".")
            chance = self._chance(relation)
            for holder in self._of(kind):
                if chance.random() < 0.85:
                    target = chance.choice(self._of(target_of(relation)))
                    holder.links[name] = [target.uuid]

    def _chance(self, name: str) -> random.Random:
        """Chance of its own: one more filter or relation changes nothing of what the others draw."""
        return random.Random(f"{self.seed} {name}")

    def _of(self, kind: str) -> list[Document]:
        return [document for document in self.documents.values() if document.kind == kind]

    def _body(self, kind: str, uuid: UUID) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for where in dict.fromkeys(item.where for _, item in ALL):
            if where.kind != kind or where.subject is not Subject.FIELD or not where.field:
                continue
            *groups, last = where.field.split(".")
            place = body
            for group in groups:
                place = place.setdefault(group, {})
            place[last] = self._chance(f"{uuid} {where.field}").choice(values_of(where))
        return body

    def at(self, document: Document, where: Where) -> list[Document]:
        """The documents at the end of a path."""
        found = [document]
        for hop in where.path:
            kind, name = hop.relation.split(".")
            if hop.back:
                held = {one.uuid for one in found}
                found = [one for one in self._of(kind) if held.intersection(one.links.get(name, []))]
            else:
                found = [self.documents[uuid] for one in found for uuid in one.links.get(name, [])]
        return found

    def meets(self, document: Document, condition: Condition) -> bool:
        """Does a document meet a condition, by looking at everything?"""
        where, asked = condition
        ends = self.at(document, where)
        if where.subject is Subject.DOCUMENT:
            if where.compare is Compare.PRESENT:
                return bool(ends) == bool(asked)
            return any(one.uuid.bytes == asked for one in ends)
        return any(self._compares(one, where, asked) for one in ends)

    def _compares(self, document: Document, where: Where, asked: Any) -> bool:
        value: Any = document.moment
        if where.subject is Subject.FIELD:
            value = document.body
            for part in where.field.split("."):
                value = value[part]
        if where.compare is Compare.PRESENT:
            return (value is not None) == bool(asked)
        if value is None:
            return False
        match where.compare:
            case Compare.IS:
                return value == asked
            case Compare.CONTAINS:
                return asked.upper() in value.upper()
            case Compare.AFTER:
                return value > asked
            case Compare.FROM:
                return value >= asked
            case Compare.BEFORE:
                return value < asked
            case Compare.UNTIL:
                return value <= asked
        raise AssertionError(where.compare)


def values_of(where: Where) -> list[Any]:
    if where in FLAGS:
        return [True, False, None]
    if where.field.endswith(("Datum", "Op")):
        return ["2025-01-01", "2025-06-01", None]
    return ["één", "Twee", "drie'%_é", None]


def target_of(relation: str) -> str:
    """The kind that a relation refers to, as the declarations tell."""
    for resource in RESOURCES:
        for item in resource.fields:
            inner = getattr(item, "reference", item)
            if getattr(inner, "relation", None) == relation and relation.startswith(f"{resource.kind}."):
                return inner.to
    raise AssertionError(relation)


def asked_of(world: World, item: Filter) -> Iterator[Condition]:
    where = item.where
    if where.compare is Compare.PRESENT:
        yield from (Condition(where, 0), Condition(where, 1))
    elif where.subject is Subject.DOCUMENT:
        yield from (Condition(where, one.uuid.bytes) for one in world._of(where.kind)[:4])
        yield Condition(where, UUID(NOBODY).bytes)
    elif where.subject is Subject.MOMENT:
        yield from (Condition(where, number) for number in range(0, 40, 7))
    elif item.form is Form.FLAG:
        yield from (Condition(where, 0), Condition(where, 1))
    elif item.form in (Form.DATE, Form.MOMENT_TEXT):
        yield from (Condition(where, day) for day in ("2025-01-01", "2025-03-01", "2025-06-01"))
    else:
        yield from (Condition(where, text) for text in ("één", "TWEE", "wee", "ÉÉN", "%", "_"))


def found(store: Store, kind: str, conditions: list[Condition]) -> list[bytes]:
    with store.read() as connection:
        page = reading.page(connection, kind, conditions, 1, 500)
    assert page is not None
    assert page.total == len(page.rows)
    return [row[1] for row in page.rows]


def expected(world: World, kind: str, conditions: list[Condition]) -> list[bytes]:
    ranked = sorted(world._of(kind), key=lambda one: (one.moment, one.created, one.uuid.bytes), reverse=True)
    return [one.uuid.bytes for one in ranked if all(world.meets(one, condition) for condition in conditions)]


@pytest.fixture
def world(store: Store) -> World:
    made = World(20251129)
    with store.write() as connection:
        put_documents(connection, [(document, None) for document in made.documents.values()])
    return made


def test_each_filter_alone_finds_what_a_walk_over_all_documents_finds(store: Store, world: World) -> None:
    hits = {}
    for resource, item in ALL:
        for condition in asked_of(world, item):
            here = found(store, resource.kind, [condition])
            assert here == expected(world, resource.kind, [condition]), f"{resource.path} {item.name}"
            hits[resource.path, item.name] = hits.get((resource.path, item.name), 0) + len(here)
    never = [name for name, count in hits.items() if not count]
    assert never == []


def test_a_flag_finds_what_meets_it_beside_what_the_search_starts_from(store: Store, world: World) -> None:
    """It is not asked by profiles then: each database must know it for a flag in JSON."""
    several = 0
    for resource in RESOURCES:
        flags = [item for item in resource.filters if item.where in FLAGS]
        for flag, other in itertools.product(flags, resource.filters):
            for pair in itertools.product(asked_of(world, flag), list(asked_of(world, other))[:1]):
                here = found(store, resource.kind, list(pair))
                assert here == expected(world, resource.kind, list(pair)), (flag.name, other.name)
                several += bool(here)
    assert several > 20


@pytest.mark.slow
def test_filters_together_find_what_meets_them_all(store: Store, world: World) -> None:
    """Each looks for a related object of its own: they needn't be the same one."""
    several = 0
    for resource in RESOURCES:
        for _ in range(150 if resource.filters else 0):
            items = world.random.choices(resource.filters, k=world.random.randint(2, 3))
            conditions = [world.random.choice(list(asked_of(world, item))) for item in items]
            here = found(store, resource.kind, conditions)
            assert here == expected(world, resource.kind, conditions), [item.name for item in items]
            several += bool(here)
    assert several > 50


BY_VALUE = "x USING PRIMARY KEY (field=? AND value=?)"


def searched(path: str) -> tuple[str, list[Condition]]:
    """The selection of a list with filters, and its conditions."""
    from gateway.klantinteracties.read.query import parse_list

    name, _, text = path.partition("?")
    resource = next(one for one in RESOURCES if one.path == name)
    conditions = parse_list(resource, text).conditions
    wheres = tuple(condition.where for condition in conditions)
    _, place = selecting.start_of(conditions)
    return selecting.selection(resource.kind, wheres, place), conditions


@pytest.mark.of_the_file
@pytest.mark.parametrize(
    ("path", "start"),
    [
        (
            "partijen?partijIdentificator__codeSoortObjectId=bsn&partijIdentificator__objectId=x",
            BY_VALUE,
        ),
        ("klantcontacten?kanaal=a&onderwerpobject__onderwerpobjectidentificatorObjectId=x", BY_VALUE),
        (
            f"klantcontacten?kanaal=a&hadBetrokkene__wasPartij__uuid={NOBODY}",
            "s0 USING COVERING INDEX link_target",
        ),
        ("digitaleadressen?soortDigitaalAdres=email&adres=x", BY_VALUE),
    ],
)
def test_a_search_starts_from_what_few_objects_have(store: Store, path: str, start: str) -> None:
    """A search by key must not grow with the store: the plan's first step is an index on the key."""
    selection, conditions = searched(path)
    steps = Probe(store).plan(selection, len(conditions))
    searches = [step for step in steps if step.startswith("SEARCH")]
    if start.startswith("s0"):  # before it stands the search for the document that the uuid names
        searches = [step for step in searches if " s0 " in step]
    assert searches[0].startswith(f"SEARCH {start}")
    assert not any(step.startswith("SCAN d") for step in steps)


def one_of_many(number: int) -> list[Document]:
    """A contact with all that searches by key look for, of its own; the rest each has alike."""
    made = {
        kind: Document(kind, UUID(int=number << 8 | place, version=4), body, number, number)
        for place, (kind, body) in enumerate(
            {
                "partij": {"soortPartij": "persoon", "nummer": str(number)},
                "partij-identificator": {
                    "partijIdentificator": {"codeSoortObjectId": "bsn", "objectId": f"x{number}"}
                },
                "klantcontact": {"kanaal": "a", "nummer": str(number)},
                "betrokkene": {"rol": "klant"},
                "onderwerpobject": {"onderwerpobjectidentificator": {"objectId": f"x{number}"}},
                "digitaleadres": {"soortDigitaalAdres": "email", "adres": f"x{number}"},
            }.items()
        )
    }
    partij, klantcontact = [made["partij"].uuid], [made["klantcontact"].uuid]
    made["partij-identificator"].links["identificeerdePartij"] = partij
    made["betrokkene"].links |= {"wasPartij": partij, "hadKlantcontact": klantcontact}
    made["onderwerpobject"].links["klantcontact"] = klantcontact
    made["digitaleadres"].links["verstrektDoorPartij"] = partij
    return list(made.values())


@pytest.mark.slow
@pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
def test_a_search_reads_what_few_objects_have(store: Store) -> None:
    """PostgreSQL chooses where it starts by itself: what it then reads must not grow with the store either."""
    from builders.probe.plans import PLANS, rows_read

    contacts = [one_of_many(number) for number in range(1000)]
    with store.write() as connection:
        put_documents(connection, [(document, None) for each in contacts for document in each])
    (partij, *_) = contacts[700]
    paths = (
        "partijen?partijIdentificator__codeSoortObjectId=bsn&partijIdentificator__objectId=x700",
        "klantcontacten?kanaal=a&onderwerpobject__onderwerpobjectidentificatorObjectId=x700",
        f"klantcontacten?kanaal=a&hadBetrokkene__wasPartij__uuid={partij.uuid}",
        "digitaleadressen?soortDigitaalAdres=email&adres=x700",
        "betrokkenen?wasPartij__partijIdentificator__objectId=x700",
    )
    for path in paths:
        selection, conditions = searched(path)
        values = tuple(condition.value for condition in conditions)
        for plan in PLANS:
            assert 1 <= rows_read(store.connection(), selection, values, plan) < 50, (path, plan)


# Spellings, over HTTP on what the recorded server had.

PARTIJ = "b8c1138c-5821-4b05-a26d-7e732ddc213f"


def count(client: Client, path: str) -> int:
    got = client.get(path)
    assert got.status == 200, path.partition("=")[0]
    return got.json["count"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "spelling", [PARTIJ, PARTIJ.upper(), PARTIJ.replace("-", ""), f"{{{PARTIJ}}}", f"%20{PARTIJ}%20"]
)
def test_a_uuid_may_be_spelled_in_several_ways(client: Client, spelling: str) -> None:
    assert count(client, f"/betrokkenen?wasPartij__uuid={spelling}") == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:8001/klantinteracties/api/v1/partijen/{PARTIJ}",
        f"https://elders.example.nl/iets/anders/{PARTIJ}",
        f"https://elders.example.nl/{PARTIJ}/",
        f"http://klantbrug:8000/klantinteracties/api/v1/partijen/{PARTIJ}?x=1",
        f"http://[::1]:8000/partijen/{PARTIJ}",
        f"elders.example.nl/{PARTIJ}",
    ],
)
def test_of_an_address_only_the_last_part_counts(client: Client, url: str) -> None:
    assert count(client, f"/betrokkenen?wasPartij__url={url}") == 2


@pytest.mark.parametrize(
    "url", ["geen-url", "/partijen/x", "http://", "javascript:alert(1)", "http://a b/", "http://x:y/"]
)
def test_what_is_no_address_is_refused(client: Client, url: str) -> None:
    got = client.get(f"/betrokkenen?wasPartij__url={url.replace(' ', '%20')}")
    assert got.status == 400
    param = {"name": "wasPartij__url", "code": "invalid", "reason": "Voer een geldige URL in."}
    assert got.json["invalidParams"] == [param]


@pytest.mark.parametrize(
    ("spelling", "number"), [("true", 4), ("True", 4), ("1", 4), ("false", 0), ("0", 0), ("ja", 4)]
)
def test_a_flag_that_is_none_is_no_filter(client: Client, spelling: str, number: int) -> None:
    assert count(client, f"/partijen?indicatieActief={spelling}") == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("2025-10-01T09:30:00Z", 1),
        ("2025-10-01T11:30:00%2B02:00", 1),
        ("2025-10-01%2009:30:00", 1),
        ("2025-10-01T09:30", 1),
        ("2025-10-01", 0),
        ("2025-10-01T09:30:01Z", 0),
        ("0001-01-01T00:00:00%2B23:59", 0),
    ],
)
def test_plaatsgevonden_op_is_an_exact_time(client: Client, value: str, number: int) -> None:
    assert count(client, f"/klantcontacten?plaatsgevondenOp={value}") == number


def test_a_date_alone_means_midnight() -> None:
    assert moment("2025-10-01") == moment("2025-10-01T00:00:00Z")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("verificatieDatum=2025-11-02", 1),
        ("verificatieDatum__gt=2025-11-02", 0),
        ("verificatieDatum__gte=2025-11-02", 1),
        ("verificatieDatum__lt=2025-11-03", 1),
        ("verificatieDatum__lte=2025-11-01", 0),
        ("verificatieDatum__lte=31-12-2025", 1),
        ("isGeverifieerd=true", 1),
        ("isGeverifieerd=false", 2),
    ],
)
def test_dates_of_digitaleadressen(client: Client, query: str, number: int) -> None:
    assert count(client, f"/digitaleadressen?{query}") == number


@pytest.mark.parametrize(
    "query", ["toegewezenOp=2026-11-23T14:19:17.087641Z", "toegewezenOp=2026-11-23T15:19:17.087641%2B01:00"]
)
def test_a_moment_in_the_body_is_compared_as_a_moment(client: Client, query: str) -> None:
    assert count(client, f"/internetaken?{query}") == 1


def test_of_a_repeated_parameter_the_last_counts(client: Client) -> None:
    assert count(client, "/partijen?soortPartij=persoon&soortPartij=organisatie") == 1


def test_everything_wrong_is_told_at_once(client: Client) -> None:
    got = client.get("/partijen?soortPartij=x&vertegenwoordigdePartij__uuid=y&expand=z&page=q")
    assert got.status == 400
    assert [param["name"] for param in got.json["invalidParams"]] == [
        "soortPartij",
        "vertegenwoordigdePartij__uuid",
        "expand",
    ]


def test_a_null_character_is_refused(client: Client) -> None:
    got = client.get("/actoren?naam=a%00b")
    assert got.status == 400
    assert got.json["invalidParams"][0]["code"] == "null_characters_not_allowed"


def test_a_search_without_regard_to_case_knows_letters_beyond_ascii(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    uuid = UUID(int=7, version=4)
    body = {
        "naam": "Zoë Çelik 100%",
        "soortActor": "medewerker",
        "indicatieActief": True,
        "actoridentificator": {},
        "actorIdentificatie": None,
    }
    with register.store.write() as connection:
        put_documents(connection, [(Document("actor", uuid, body, 1, 1), None)])
    client = serve()
    assert count(client, "/actoren?naam=ZO%C3%8B%20%C3%A7") == 1
    assert count(client, "/actoren?naam=%25") == 1
    assert count(client, "/actoren?naam=_") == 0


@pytest.mark.rule("M6")
def test_a_uuid_that_was_merged_into_another_still_finds_its_documents(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    """A client that holds the uuid of an alias keeps working, on details and in filters."""
    old = UUID(int=99, version=4)
    Tamper(register.store).add_uuid(old, PARTIJ)
    client = serve()
    assert client.get(f"/partijen/{old}").json["uuid"] == PARTIJ
    assert client.get(f"/betrokkenen/{old}").status == 404
    assert count(client, f"/betrokkenen?wasPartij__uuid={old}") == 2
    assert count(client, f"/klantcontacten?kanaal=balie&hadBetrokkene__wasPartij__url=http://x.nl/{old}") == 1


def test_partijen_are_found_by_the_one_that_represents_them(client: Client) -> None:
    (represented,) = client.get("/partijen?soortPartij=organisatie").json["results"]
    (acts,) = client.get("/partijen?soortPartij=contactpersoon").json["results"]
    got = client.get(f"/partijen?vertegenwoordigdePartij__uuid={acts['uuid']}").json["results"]
    assert [one["uuid"] for one in got] == [one["uuid"] for one in acts["vertegenwoordigden"]]
    assert got[0]["uuid"] == represented["uuid"]
    assert count(client, f"/partijen?vertegenwoordigdePartij__uuid={represented['uuid']}") == 0


# What filters are found by.


def test_profiles_and_texts_are_those_of_the_documents(store: Store, world: World) -> None:
    assert out_of_step(store) == {}
    with store.write() as connection:
        upgrade.note_to_fill(connection, ("0051_profiles",))
        while upgrade.fill_some(connection):
            pass
        if connection.dialect.is_a_file:  # PostgreSQL keeps its indexes of texts by itself
            text_search.make_again(connection)
    assert out_of_step(store) == {}


def test_every_filter_has_something_to_start_from() -> None:
    """Whatever is asked alone: nothing is found by looking at all documents of a kind."""
    for resource in RESOURCES:
        for item in resource.filters:
            if item.where.subject is Subject.MOMENT:
                continue  # the order of the list itself is an index
            value: str | int = "abc" if item.form not in (Form.FLAG,) else 1
            rank, _ = selecting.start_of([Condition(item.where, value)])
            assert rank < selecting.NO_INDEX or profile_questions.name_of(resource.kind, item.where), (
                item.name
            )


@pytest.mark.parametrize("name", ["inhoud", "kanaal", "onderwerpobject__uuid", "plaatsgevondenOp"])
def test_a_value_that_is_too_long_is_refused_by_the_name_of_its_filter(
    serve: Callable[..., Client], name: str
) -> None:
    """Looking for 60 kB in each text took 23 s."""
    client = serve()
    got = client.get(f"/klantcontacten?{name}={'x' * 1001}")
    assert (got.status, got.json["code"]) == (400, "invalid")
    [wrong] = got.json["invalidParams"]
    assert (wrong["name"], wrong["code"]) == (name, "max_length")
    assert "1000 karakters" in wrong["reason"]


def test_a_value_of_a_thousand_signs_is_looked_for(serve: Callable[..., Client]) -> None:
    assert serve().get(f"/klantcontacten?inhoud={'x' * 1000}").status == 200
