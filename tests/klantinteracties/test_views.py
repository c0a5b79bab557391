"""What every answer of the API does, whatever the resource."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from builders.recordings import BY_PATH, RecordedRegister, recorded, split
from builders.served_store import API, Client, settings

from gateway.app import create_app
from gateway.http import problems
from gateway.klantinteracties.model import expand
from gateway.klantinteracties.model.freshness import Outcome, ShownDocument
from gateway.klantinteracties.model.resources import RESOURCES, Resource
from gateway.store.base.store import Store
from gateway.store.documents.writing import put_documents

PARTIJ = "b8c1138c-5821-4b05-a26d-7e732ddc213f"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(reader: Client) -> Client:
    """The tests here only read."""
    return reader


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_each_path_says_what_it_allows(client: Client, resource: Resource) -> None:
    headers = {"Authorization": f"Token {client.token}"}
    for path, allowed, others in (
        (f"/{resource.path}", "GET, POST, HEAD, OPTIONS", ("PUT", "PATCH", "DELETE")),
        (f"/{resource.path}/{NOBODY}", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS", ("POST",)),
    ):
        for method in others:
            got = client.send(method, path, headers, b"{}")
            assert got.status == 405
            assert got.headers["Allow"] == allowed
            assert got.json["detail"] == f'Methode "{method}" niet toegestaan.'
        options = client.send("OPTIONS", path, headers)
        assert (options.status, options.headers["Allow"]) == (200, allowed)
        assert options.json["renders"] == ["application/json"]


def test_a_detail_is_found_by_every_resource_only_at_its_own(client: Client) -> None:
    assert client.get(f"/partijen/{PARTIJ}").status == 200
    for resource in RESOURCES:
        if resource.kind != "partij":
            assert client.get(f"/{resource.path}/{PARTIJ}").status == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["{" + PARTIJ + "}", f"urn:uuid:{PARTIJ}", PARTIJ[:-1], PARTIJ.replace("-", "", 1)]
)
def test_a_path_takes_fewer_spellings_of_a_uuid_than_a_filter(client: Client, text: str) -> None:
    assert client.get(f"/partijen/{text}").status == 404


def test_without_slash_the_base_path_leads_to_the_root(client: Client) -> None:
    got = client.send("GET", API)
    assert (got.status, got.headers["Location"], got.raw) == (301, f"{API}/", b"")


@pytest.mark.parametrize(("accept", "status"), [
    ("*/*", 200),
    ("application/json", 200),
    ("text/html, application/json;q=0.1", 200),
    ("application/*", 200),
    ("application/xml", 406),
    ("text/html,image/*", 406),
])  # fmt: skip
def test_what_a_client_takes(client: Client, accept: str, status: int) -> None:
    assert client.get("/actoren", Accept=accept).status == status


def test_a_method_that_nobody_knows_is_a_problem_document(client: Client) -> None:
    """Who may not look learns nothing; who may is told what is allowed."""
    got = client.send("BREW", "/actoren")
    assert (got.status, got.json["code"]) == (401, "not_authenticated")
    got = client.send("BREW", "/actoren", {"Authorization": f"Token {client.token}"})
    assert (got.status, got.json["code"]) == (405, "method_not_allowed")
    assert got.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_fault_of_ours_is_told_without_what_it_was_about(
    register: RecordedRegister, serve: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    """A stored document that can't be composed: the log names the place, never a value or the address asked."""
    broken = split(BY_PATH["partijen"], recorded(48).response, 1)
    del broken.body["indicatieActief"]
    with register.store.write() as connection:
        put_documents(connection, [(broken, None)])
    client = serve()
    with caplog.at_level(logging.DEBUG):
        got = client.get("/partijen?partijIdentificator__objectId=296648875")
    assert got.status == 500
    assert got.json["code"] == "error"
    assert "296648875" not in got.raw.decode()
    ours = [record.getMessage() for record in caplog.records if record.name == "gateway.app"]
    assert len(ours) == 1
    assert "'event': 'unexpected error'" in ours[0]
    assert "'error': 'KeyError', 'at': 'compose.py:" in ours[0]
    assert not any(part in caplog.text for part in ("296648875", "indicatieActief", PARTIJ))


EXPANSIONS = [(resource, name) for resource in RESOURCES for name in expand.names(resource.expansions)]


@pytest.mark.parametrize(("resource", "name"), EXPANSIONS, ids=lambda value: getattr(value, "path", value))
def test_what_is_expanded_is_what_its_own_address_gives(
    client: Client, resource: Resource, name: str
) -> None:
    steps = name.split(".")
    asked = ",".join(".".join(steps[: depth + 1]) for depth in range(len(steps)))
    results = client.get(f"/{resource.path}?expand={asked}").json["results"]
    met = 0
    for step in steps:
        found: list[dict] = []
        for result in results:
            value, bare = result["_expand"][step], result[step]
            several = value if isinstance(value, list) else [value] if value else []
            named = bare if isinstance(bare, list) else [bare] if bare else []
            assert [one["uuid"] for one in several] == [one["uuid"] for one in named]
            found += several
        results = found
        for one in found:
            met += 1
            own = client.get(one["url"].removeprefix(client.base)).json
            assert own == {key: value for key, value in one.items() if key != "_expand"}
    assert met


# The hook for fetching from the legacy.


class Script:
    """A hydrator that does what a test says, and checks that it is called outside any transaction."""

    def __init__(self, store: Store, first: Outcome) -> None:
        self.store = store
        self.first = first
        self.asked: list[object] = []
        self.shown: list[list[ShownDocument]] = []
        self.then: list[Callable[[], None]] = []
        self.always_retry = False

    def begin(self) -> None:
        """Nothing has a time limit here."""

    def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
        assert not self.store.connection().in_transaction
        self.asked.append((kind, dict(filters)))
        return self.first

    def before_detail(self, kind: str, uuid: bytes) -> Outcome:
        assert not self.store.connection().in_transaction
        self.asked.append((kind, UUID(bytes=uuid)))
        return self.first

    def after_answer(self, outcome: Outcome, shown: Sequence[ShownDocument]) -> Outcome:
        assert not self.store.connection().in_transaction
        self.shown.append(list(shown))
        if self.then:
            self.then.pop(0)()
            return replace(outcome, retry=True)
        return replace(outcome, retry=self.always_retry)


FRESH = Outcome("complete", "", "fresh")


def test_the_hydrator_hears_what_is_asked_and_what_is_shown(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    script = Script(register.store, FRESH)
    client = serve(hydrator=script)
    client.get(
        "/partijen?soortPartij=persoon&nummer=%201000000001&page=1&pageSize=2&expand=digitaleAdressen&bezoekadresLand="
    )
    assert script.asked == [("partij", {"soortPartij": "persoon", "nummer": "1000000001"})]
    kinds = [(one.kind, str(UUID(bytes=one.uuid))) for one in script.shown[0]]
    assert kinds[0] == ("partij", PARTIJ)
    assert [kind for kind, _ in kinds[1:]] == ["digitaleadres", "digitaleadres"]
    client.get(f"/partijen/{PARTIJ}")
    assert script.asked[1] == ("partij", UUID(PARTIJ))


def test_what_was_fetched_after_reading_is_read_again(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    """The first reading finds nobody; the hydrator then puts a partij in the store, and the answer has it."""
    newcomer = split(BY_PATH["partijen"], recorded(48).response | {"uuid": NOBODY}, 5)
    newcomer.links.clear()

    def arrive() -> None:
        with register.store.write() as connection:
            put_documents(connection, [(newcomer, None)])

    script = Script(register.store, Outcome("partial", "KVK-nummer", "live"))
    script.then = [arrive]
    got = serve(hydrator=script).get(f"/partijen/{NOBODY}")
    assert got.status == 200
    assert [len(shown) for shown in script.shown] == [0, 1]
    assert got.headers["Klantbrug-Coverage"] == "partial; reason=KVK-nummer"
    assert got.headers["Klantbrug-Freshness"] == "live"


def test_an_answer_that_never_settles_says_that_it_is_not_whole(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    script = Script(register.store, FRESH)
    script.always_retry = True
    got = serve(hydrator=script).get("/partijen")
    assert got.status == 200
    assert len(script.shown) == 10
    assert got.headers["Klantbrug-Coverage"].startswith("partial; reason=")


def test_a_detail_that_is_not_there_says_how_sure_that_is(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    client = serve(hydrator=Script(register.store, Outcome("complete", "", "stale")))
    for path in (f"/partijen/{NOBODY}", "/partijen?page=9"):
        got = client.get(path)
        assert got.status == 404
        assert (got.headers["Klantbrug-Coverage"], got.headers["Klantbrug-Freshness"]) == (
            "complete",
            "stale",
        )


def test_a_question_that_the_source_cannot_answer_is_refused(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    class Refusing(Script):
        def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
            raise problems.unavailable("Zoeken op e-mail kan pas na de backfill.", retry_after=60)

    got = serve(hydrator=Refusing(register.store, FRESH)).get("/digitaleadressen?adres=a%40example.nl")
    assert (got.status, got.headers["Retry-After"], got.json["code"]) == (503, "60", "service_unavailable")
    assert "Klantbrug-Coverage" not in got.headers


def test_without_sources_every_answer_is_complete(client: Client) -> None:
    for path in ("/partijen", f"/partijen/{PARTIJ}", f"/partijen/{NOBODY}"):
        got = client.get(path)
        assert (got.headers["Klantbrug-Coverage"], got.headers["Klantbrug-Freshness"]) == (
            "complete",
            "local",
        )


def test_an_installation_with_sources_does_not_start_without_a_hydrator(store: Store, tmp_path: Path) -> None:
    """It would say that it is complete while it is empty."""
    config = settings(tmp_path / "store.sqlite")
    config.sources = ("a source",)
    with pytest.raises(ValueError, match="hydrator"):
        create_app(config, store=store)
