"""Pages: their size, their number, their addresses, and that together they are the list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders.probe.asked import statements
from builders.recordings import RecordedRegister
from builders.served_store import API, Client
from hypothesis import given
from hypothesis import strategies as st

from gateway.klantinteracties.model.resources import actoren, categorieen, partijen
from gateway.klantinteracties.read.query import page_address, parse_list
from gateway.store.base.conditions import Condition, Where
from gateway.store.base.store import Store
from gateway.store.documents import reading
from gateway.store.documents.writing import put_documents
from mappings.model.documents import Document

from uuid import UUID  # isort: skip

SOME = 23


@pytest.fixture
def filled(store: Store) -> list[bytes]:
    """A store with so many categorieen, some made in one instant; out: their uuids, newest first."""
    documents = [
        Document(
            "categorie",
            UUID(int=(number * 7919) % 1009 << 80, version=4),
            {"naam": f"c{number % 2}"},
            number // 3,
            number // 3,
        )
        for number in range(SOME)
    ]
    with store.write() as connection:
        put_documents(connection, [(document, None) for document in documents])
    ranked = sorted(documents, key=lambda one: (one.created, one.uuid.bytes), reverse=True)
    return [one.uuid.bytes for one in ranked]


@pytest.mark.slow
@pytest.mark.rule("M42")
@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 12, 22, 23, 24, 500])
@pytest.mark.parametrize(
    "conditions", [[], [Condition(Where("categorie", field="naam"), "c1")]], ids=["all", "some"]
)
def test_the_pages_together_are_the_list_newest_first(
    store: Store, filled: list[bytes], size: int, conditions: list[Condition]
) -> None:
    with store.read() as connection:
        whole = reading.page(connection, "categorie", conditions, 1, 500)
        assert whole is not None
        pages, number = [], 1
        while (page := reading.page(connection, "categorie", conditions, number, size)) is not None:
            assert page.total == whole.total
            assert page.number == number
            pages += [row[1] for row in page.rows]
            number += 1
        last = reading.page(connection, "categorie", conditions, None, size)
    assert pages == [row[1] for row in whole.rows]
    assert last is not None
    assert last.number == number - 1
    if not conditions:
        assert pages == filled


def test_the_first_and_the_last_page_of_nothing_are_empty(store: Store) -> None:
    with store.read() as connection:
        assert reading.page(connection, "actor", [], 1, 100) == (0, 1, [])
        assert reading.page(connection, "actor", [], None, 100) == (0, 1, [])
        assert reading.page(connection, "actor", [], 2, 100) is None
        assert reading.page(connection, "actor", [], 0, 100) is None


@pytest.mark.parametrize(
    ("query", "page", "size"),
    [
        ("", 1, 100),
        ("page=", 1, 100),
        ("page=3&pageSize=7", 3, 7),
        ("page=%202%20", 2, 100),
        ("page=last", None, 100),
        ("page=0", 0, 100),
        ("page=-1", 0, 100),
        ("page=1.0", 0, 100),
        ("page=Last", 0, 100),
        ("page=99999999999999999999999999", 0, 100),
        ("pageSize=501", 1, 500),
        ("pageSize=0", 1, 100),
        ("pageSize=-5", 1, 100),
        ("pageSize=x", 1, 100),
        ("pageSize=1&pageSize=2", 1, 2),
    ],
)
def test_what_page_and_page_size_mean(query: str, page: int | None, size: int) -> None:
    asked = parse_list(actoren, query)
    assert (asked.page, asked.size) == (page, size)


def test_the_addresses_of_other_pages_lead_through_the_list(
    store: Store, filled: list[bytes], serve: Callable[..., Client]
) -> None:
    client = serve()
    path, seen, back = "/categorieen?pageSize=5", [], []
    while path:
        got = client.get(path.removeprefix(client.base)).json
        seen += [UUID(one["uuid"]).bytes for one in got["results"]]
        back.append(got["previous"])
        path = got["next"]
    assert seen == filled
    address = f"{client.base}{API}/categorieen?"
    assert back == [None, f"{address}pageSize=5", *(f"{address}page={n}&pageSize=5" for n in (2, 3, 4))]


@pytest.mark.parametrize("page", ["0", "6", "x", "last1"])
def test_a_page_that_is_not_there_is_not_found(
    store: Store, filled: list[bytes], serve: Callable[..., Client], page: str
) -> None:
    got = serve().get(f"/categorieen?pageSize=5&page={page}")
    assert got.status == 404
    assert got.json["detail"] == "Ongeldige pagina."


def test_addresses_keep_every_parameter_sorted_by_name() -> None:
    text = "soortPartij=persoon&expand=b&leeg=&expand=a%2Cc&page=7"
    assert page_address("x", text, 2) == "x?expand=b&expand=a%2Cc&leeg=&page=2&soortPartij=persoon"
    assert page_address("x", text, 1) == "x?expand=b&expand=a%2Cc&leeg=&soortPartij=persoon"
    assert page_address("x", "page=2", 1) == "x"


@given(st.text(max_size=60))
def test_no_query_string_whatever_breaks_the_reader(text: str) -> None:
    """It is read, or refused with a problem: nothing else."""
    from gateway.http.problems import Problem

    raw = text.encode("utf-8", "surrogatepass").decode("latin-1")
    for resource in (partijen, categorieen):
        for query in (
            raw,
            f"page={raw}",
            f"expand={raw}",
            f"soortPartij={raw}",
            f"vertegenwoordigdePartij__url={raw}",
        ):
            try:
                parse_list(resource, query)
            except Problem as problem:
                assert problem.status == 400


def test_addresses_use_the_configured_place_whatever_the_client_calls_us(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    client = serve(public_url="https://klanten.example.nl/brug")
    got = client.get("/partijen?pageSize=1", Host="elders.example.nl").json
    assert got["next"] == f"https://klanten.example.nl/brug{API}/partijen?page=2&pageSize=1"
    assert got["results"][0]["url"].startswith(f"https://klanten.example.nl/brug{API}/partijen/")


def test_without_a_configured_place_addresses_follow_the_client(client: Client) -> None:
    got = client.get("/partijen?pageSize=1", Host="brug.example.nl:8443").json
    assert got["next"].startswith(f"http://brug.example.nl:8443{API}/partijen?")


def test_the_number_of_questions_to_the_store_does_not_depend_on_the_page(
    register: RecordedRegister, store: Store
) -> None:
    """One object or all of them, with two levels of expand: as many questions."""
    from gateway.klantinteracties.model.expand import tree
    from gateway.klantinteracties.read.compose import compose, plan

    how = plan(
        "klantcontact",
        tree("klantcontact", "hadBetrokkenen,hadBetrokkenen.wasPartij,gingOverOnderwerpobjecten"),
    )
    counts = {}
    with store.read() as connection:
        rows = reading.page(connection, "klantcontact", [], 1, 100)
        assert rows is not None
        full = [row for row in rows.rows if row[1].hex().startswith(("d35a", "c3c7"))]
        for some in (full[:1], full, full * 40):
            with statements(store) as questions:
                assert len(compose(connection, how, some, "http://x", [])) == len(some)
            counts[len(some)] = len(questions)
    assert counts[2] == counts[80] <= 10
    assert 1 <= counts[1] <= counts[2]
