"""The served API: one implementation of list and detail for all resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import orjson
from flask import Flask, Response, request

from gateway import problems
from gateway.answers import SECURITY, base_url, json_answer, must_take_json, problem_answer
from gateway.auth import READ, Gatekeeper
from gateway.klantinteracties.compose import Json, compose, plan
from gateway.klantinteracties.declarations import Resource
from gateway.klantinteracties.expand import Tree
from gateway.klantinteracties.freshness import LOCAL, PARTIAL, Hydrator, Outcome, Shown
from gateway.klantinteracties.query import ListQuery, page_address, parse_detail, parse_list
from gateway.klantinteracties.resources import BASE_PATH, MAAK_KLANTCONTACT, RESOURCES
from gateway.problems import Problem
from gateway.store import reading
from gateway.store.database import Store

API_VERSION = ("API-version", "0.9.0")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READING = ("GET", "HEAD", "OPTIONS")
UUID_IN_PATH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I | re.ASCII)
OTHER_VERSION = re.compile(r"/klantinteracties/api/v([^/]+)/([^/]+)(/[^/]+)?")
PATHS = {MAAK_KLANTCONTACT, *(resource.path for resource in RESOURCES)}
MOST_ROUNDS = 10
NOT_FINISHED = "nog niet alles is opgehaald"

Environ = dict[str, Any]
Found = TypeVar("Found")
# From a request to the body of its answer; may change what the answer says of itself.
Work = Callable[["Answer"], bytes]


class Answer:
    """One request on its way to its answer: what was asked, and what the answer may say of itself."""

    __slots__ = ("base", "environ", "outcome", "path")

    def __init__(self, environ: Environ, base: str, path: dict[str, str]) -> None:
        self.environ = environ
        self.base = base
        self.path = path
        self.outcome: Outcome | None = LOCAL


class Api:
    """The views of the Klantinteracties API over one store."""

    def __init__(self, store: Store, gatekeeper: Gatekeeper, hydrator: Hydrator, public_url: str) -> None:
        self._store = store
        self._gatekeeper = gatekeeper
        self._hydrator = hydrator
        self._public_url = public_url

    def register(self, app: Flask) -> None:
        """Add the API's paths to an application."""
        self._route(app, BASE_PATH, "api_bare", _to_root)
        self._route(app, f"{BASE_PATH}/", "api_root", self._view("Api Root", "", READING, self._root))
        path = f"{BASE_PATH}/{MAAK_KLANTCONTACT}"
        view = self._view(
            "Maak Klantcontact", "Klantcontact, betrokkene en onderwerpobject ineens.", ("OPTIONS",)
        )
        self._route(app, path, MAAK_KLANTCONTACT, view)
        for resource in RESOURCES:
            path = f"{BASE_PATH}/{resource.path}"
            about = resource.description
            view = self._view(f"{resource.title} List", about, READING, partial(self._list, resource))
            self._route(app, path, f"{resource.path}_list", view)
            view = self._view(f"{resource.title} Instance", about, READING, partial(self._detail, resource))
            self._route(app, f"{path}/<uuid>", f"{resource.path}_detail", view)

    def _route(self, app: Flask, path: str, endpoint: str, view: Callable[..., Response]) -> None:
        # Every method reaches the view: who may not look, learns nothing of what there is (401 before 405).
        app.add_url_rule(path, endpoint, view, methods=METHODS, provide_automatic_options=False)

    def _view(
        self, name: str, description: str, allowed: Sequence[str], work: Work | None = None
    ) -> Callable[..., Response]:
        """A view that judges the request and then does the work of GET, or tells of itself on OPTIONS."""
        common = (("Allow", ", ".join(allowed)), API_VERSION)
        options = orjson.dumps(
            {
                "name": name,
                "description": description,
                "renders": ["application/json"],
                "parses": ["application/json"],
            }
        )

        def view(**path: str) -> Response:
            environ = request.environ
            method = environ["REQUEST_METHOD"]
            if method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
                return json_answer(b"")  # CORS is off: a preflight gets no permission, and needs no token
            answer = Answer(environ, base_url(environ, self._public_url), path)
            try:
                must_take_json(environ)
                self._gatekeeper.admit(environ.get("HTTP_AUTHORIZATION"), READ)
                if method not in allowed:
                    raise problems.method_not_allowed(method)
                body = options if method == "OPTIONS" or work is None else work(answer)
            except Problem as problem:
                return problem_answer(problem, answer.base, [*common, *_said(answer.outcome)])
            return json_answer(body, 200, [*common, *_said(answer.outcome)])

        return view

    def _root(self, answer: Answer) -> bytes:
        return orjson.dumps({path: f"{answer.base}{BASE_PATH}/{path}" for path in sorted(PATHS)})

    def _list(self, resource: Resource, answer: Answer) -> bytes:
        text = answer.environ.get("QUERY_STRING", "")
        query = parse_list(resource, text)
        answer.outcome = None  # until the hydrator has spoken nothing is known
        answer.outcome = self._hydrator.before_list(resource.kind, query.filters)
        read = partial(self._read_list, resource, query, answer.base)
        page, results = self._until_settled(answer, read)
        address = f"{answer.base}{BASE_PATH}/{resource.path}"
        return orjson.dumps(
            {
                "count": page.total,
                "next": page_address(address, text, page.number + 1)
                if page.number * query.size < page.total
                else None,
                "previous": page_address(address, text, page.number - 1) if page.number > 1 else None,
                "results": results,
            }
        )

    def _read_list(
        self, resource: Resource, query: ListQuery, base: str, shown: list[Shown]
    ) -> tuple[reading.Page, list[Json]]:
        with self._store.read() as connection:
            page = reading.page(connection, resource.kind, query.conditions, query.page, query.size)
            if page is None:
                raise problems.not_found(problems.NO_SUCH_PAGE)
            how = plan(resource.kind, query.expand)
            always = bool(resource.expansions)
            return page, compose(connection, how, page.rows, base, shown, always_expand=always)

    def _detail(self, resource: Resource, answer: Answer) -> bytes:
        expand = parse_detail(resource, answer.environ.get("QUERY_STRING", ""))
        text = answer.path["uuid"]
        if not UUID_IN_PATH.fullmatch(text):
            raise problems.not_found()
        uuid = UUID(text)
        answer.outcome = None
        answer.outcome = self._hydrator.before_detail(resource.kind, uuid)
        read = partial(self._read_detail, resource, uuid.bytes, expand, answer.base)
        found = self._until_settled(answer, read)
        if found is None:
            raise problems.not_found()
        return orjson.dumps(found)

    def _read_detail(
        self, resource: Resource, uuid: bytes, expand: Tree, base: str, shown: list[Shown]
    ) -> Json | None:
        with self._store.read() as connection:
            row = reading.find(connection, resource.kind, uuid)
            if row is None:
                return None
            return compose(connection, plan(resource.kind, expand), [row], base, shown)[0]

    def _until_settled(self, answer: Answer, read: Callable[[list[Shown]], Found]) -> Found:
        """Read, and read again for as long as the hydrator found more that belongs to the answer."""
        outcome = answer.outcome or LOCAL
        for _ in range(MOST_ROUNDS):
            shown: list[Shown] = []
            found = read(shown)
            answer.outcome = outcome = self._hydrator.after(outcome, shown)
            if not outcome.retry:
                return found
        answer.outcome = replace(outcome, coverage=PARTIAL, reason=outcome.reason or NOT_FINISHED)
        return found


def _to_root() -> Response:
    return Response(b"", 301, [*SECURITY, ("Location", f"{BASE_PATH}/")])


def _said(outcome: Outcome | None) -> list[tuple[str, str]]:
    return [] if outcome is None else outcome.headers()


def unknown_version(path: str) -> bool:
    """Does this path name a resource of the API, in a version that isn't served?"""
    found = OTHER_VERSION.fullmatch(path)
    return found is not None and found[1] != "1" and found[2] in PATHS
