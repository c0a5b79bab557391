"""The served API: one implementation of every method for all resources.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import orjson
from flask import Flask, Response, request

from gateway.http import problems
from gateway.http.auth import Gatekeeper, must_open
from gateway.http.problems import Problem
from gateway.http.public_address import PublicAddresses
from gateway.http.request_body import read_json
from gateway.http.responses import (
    SECURITY,
    Reply,
    as_response,
    empty_reply,
    json_reply,
    must_take_json,
    problem_reply,
    unchanged_reply,
)
from gateway.http.scopes import ANY, READ, WRITE
from gateway.klantinteracties.model.declarations import Resource
from gateway.klantinteracties.model.elsewhere import Elsewhere
from gateway.klantinteracties.model.expand import Tree
from gateway.klantinteracties.model.freshness import LOCAL, PARTIAL, Hydrator, Outcome, ShownDocument, worst
from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND, MAAK_KLANTCONTACT, PATHS, RESOURCES
from gateway.klantinteracties.read.compose import Json, Saw, compose_seen
from gateway.klantinteracties.read.etags import conditional, tag_of, unchanged
from gateway.klantinteracties.read.query import (
    ListQuery,
    asks_cascade,
    page_address,
    parse_detail,
    parse_list,
)
from gateway.klantinteracties.read.rights import may_expand
from gateway.klantinteracties.read.zaak_codes import ASKED_OF, widen
from gateway.klantinteracties.write.write import Join, Seal, WriteBackNotes, Writer, judge_of
from gateway.store.base.store import Store
from gateway.store.documents import reading
from gateway.store.operation.tokens import StoredToken
from mappings.identity.identity import Uuids
from mappings.model.settings import DEFAULT_ZAAK_CODES, ZaakCodes
from mappings.values.uuids import uuid_bytes_in_path

API_VERSION = ("API-version", "0.9.0")
SAFE = ("GET", "HEAD", "OPTIONS")
# As every recorded Allow header is ordered.
ALLOW_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
OTHER_VERSION = re.compile(r"/klantinteracties/api/v([^/]+)/([^/]+)(/[^/]+)?")
BODILESS = {204: empty_reply, 304: unchanged_reply}
MOST_ROUNDS = 10
NOT_FINISHED = "nog niet alles is opgehaald"

Environ = dict[str, Any]
Found = TypeVar("Found")
# From a request to the body of its answer; may change what the answer says of itself.
Work = Callable[["Answer"], bytes]
# From a request and the variable parts of its path to what is sent back.
View = Callable[[Environ, dict[str, str]], Reply]


class Answer:
    """One request on its way to its answer: what was asked, and what the answer will be beside its body."""

    __slots__ = ("base", "environ", "headers", "outcome", "path", "status", "token")
    token: StoredToken  # once it is admitted

    def __init__(self, environ: Environ, base: str, path: dict[str, str]) -> None:
        self.environ = environ
        self.base = base
        self.path = path
        self.outcome: Outcome | None = None  # until something was asked there is nothing to say
        self.status = 200
        self.headers: list[tuple[str, str]] = []


class Api:
    """The views of the Klantinteracties API over one store."""

    def __init__(
        self,
        store: Store,
        gatekeeper: Gatekeeper,
        hydrator: Hydrator,
        addresses: PublicAddresses,
        *,
        join: Join,
        seal: Seal,
        notify: bool = False,
        zaak_codes: Sequence[ZaakCodes] = DEFAULT_ZAAK_CODES,
        numbers: Uuids | None = None,
        prefer: bool = True,
        back: WriteBackNotes | None = None,
        elsewhere: Elsewhere | None = None,
        around: Callable[[View], View] | None = None,
        saw: Saw | None = None,
    ) -> None:
        """In: `around` makes of each view the one that is called in its place; `saw` is told what is read."""
        self._elsewhere, self._around, self._saw = elsewhere, around, saw
        self.lists: dict[str, View] = {}  # by the path of the resource
        self.details: dict[str, View] = {}
        self._store = store
        self._gatekeeper = gatekeeper
        self._hydrator = hydrator
        self._addresses = addresses
        self._zaak_codes = zaak_codes
        self._writer = Writer(
            store,
            hydrator,
            join,
            seal,
            notify=notify,
            public_url=addresses.main,
            numbers=numbers,
            prefer=prefer,
            back=back,
        )

    def register(self, app: Flask) -> None:
        """Add the API's paths to an application."""
        self._route(app, BASE_PATH, "api_bare", self._to_root)
        self._route(app, f"{BASE_PATH}/", "api_root", self._view("Api Root", "", {"GET": self._root}, ANY))
        path = f"{BASE_PATH}/{MAAK_KLANTCONTACT}"
        about = "Klantcontact, betrokkene en onderwerpobject ineens."
        view = self._view("Maak Klantcontact", about, {"POST": self._maak_klantcontact}, MAAK_KLANTCONTACT)
        self._route(app, path, MAAK_KLANTCONTACT, view)
        for resource in RESOURCES:
            path = f"{BASE_PATH}/{resource.path}"
            about = resource.description
            works: dict[str, Work] = {
                "GET": partial(self._list, resource),
                "POST": partial(self._create, resource),
            }
            view = self._view(f"{resource.title} List", about, works, resource.path)
            self.lists[resource.path] = view
            self._route(app, path, f"{resource.path}_list", view)
            works = {
                "GET": partial(self._detail, resource),
                "PUT": partial(self._change, resource, False),
                "PATCH": partial(self._change, resource, True),
                "DELETE": partial(self._delete, resource),
            }
            view = self._view(f"{resource.title} Instance", about, works, resource.path)
            self.details[resource.path] = view
            self._route(app, f"{path}/<uuid>", f"{resource.path}_detail", view)

    def _route(self, app: Flask, path: str, endpoint: str, view: View) -> None:
        def flask_view(**parts: str) -> Response:
            return as_response(view(request.environ, parts))

        # Every method reaches the view, also one that HTTP gets tomorrow: who may not look, learns nothing of what
        # there is (401 before 405), and who may gets what is allowed. Flask's add_url_rule wants a list of them.
        app.view_functions[endpoint] = flask_view
        app.url_map.add(app.url_rule_class(path, endpoint=endpoint, methods=None))

    def _view(self, name: str, description: str, works: Mapping[str, Work], resource: str) -> View:
        """A view that judges the request and then does the work of its method, or describes itself on OPTIONS.

        `resource` is what the token must open.
        """
        does = dict(works)
        if "GET" in does:
            does["HEAD"] = does["GET"]
        allow = ", ".join(method for method in ALLOW_ORDER if method in does or method == "OPTIONS")
        common = (("Allow", allow), API_VERSION)
        options = orjson.dumps(
            {
                "name": name,
                "description": description,
                "renders": ["application/json"],
                "parses": ["application/json"],
            }
        )

        def tell(answer: Answer) -> bytes:
            answer.outcome = LOCAL
            return options

        does["OPTIONS"] = tell

        def view(environ: Environ, path: dict[str, str]) -> Reply:
            method = environ["REQUEST_METHOD"]
            if method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
                return json_reply(b"")  # CORS is off: a preflight gets no permission, and needs no token
            answer = Answer(environ, self._addresses.base(environ), path)
            self._hydrator.begin()
            try:
                must_take_json(environ)
                credentials = environ.get("HTTP_AUTHORIZATION")
                answer.token = self._gatekeeper.admit(credentials, READ, environ, resource)
                if method not in does:
                    raise problems.method_not_allowed(method)
                if method not in SAFE:
                    must_open(answer.token, WRITE, resource)
                there = self._elsewhere if method != "OPTIONS" else None
                if there and (reply := there.answer(environ, answer.base, answer.token)):
                    return reply
                work = does[method]
                body = work(answer) if method in SAFE else self._written(work, answer)
            except Problem as problem:
                said = _said(answer.outcome) if problem.said is None else problem.said
                return problem_reply(problem, answer.base, [*common, *said])
            headers = [*common, *_said(answer.outcome), *answer.headers]
            if answer.status in BODILESS:
                return BODILESS[answer.status](headers)
            return json_reply(body, answer.status, headers)

        return self._around(view) if self._around else view

    def _written(self, work: Work, answer: Answer) -> bytes:
        """Do the work of a method that writes: nothing is any more once another register took over."""
        if self._elsewhere is None:
            return work(answer)
        with self._store.guarded(self._elsewhere.guard):
            return work(answer)

    def _to_root(self, environ: Environ, path: dict[str, str]) -> Reply:
        location = ("Location", f"{self._addresses.path(environ)}{BASE_PATH}/")
        return Reply(301, [*SECURITY, ("Content-Length", "0"), location], b"")

    def _root(self, answer: Answer) -> bytes:
        answer.outcome = LOCAL
        return orjson.dumps({path: f"{answer.base}{BASE_PATH}/{path}" for path in sorted(PATHS)})

    def _list(self, resource: Resource, answer: Answer) -> bytes:
        text = answer.environ.get("QUERY_STRING", "")
        query = parse_list(resource, text)
        may_expand(answer.token, resource.kind, query.expand)
        answer.outcome = self._hydrator.before_list(resource.kind, query.filters)
        self._judge_list(resource, query, answer.outcome)
        read = partial(self._read_list, resource, query, answer.base)
        page, results = self._until_settled(answer, read)
        if not page.total and answer.outcome.otherwise:
            raise answer.outcome.otherwise
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

    def _judge_list(self, resource: Resource, query: ListQuery, outcome: Outcome) -> None:
        """Raise the Problem that answers a question about content when no client wrote any of it here."""
        if outcome.written and outcome.otherwise:
            with self._store.read() as connection:
                known = reading.wrote_any(connection, resource.kind, query.conditions)
            if not known:
                raise outcome.otherwise

    def _read_list(
        self, resource: Resource, query: ListQuery, base: str, shown: list[ShownDocument]
    ) -> tuple[reading.DocumentPage, list[Any]]:
        with self._store.read() as connection:
            conditions = query.conditions
            if conditions and resource.kind in ASKED_OF:
                conditions = widen(conditions, self._zaak_codes)
            page = reading.page(connection, resource.kind, conditions, query.page, query.size)
            if page is None:
                raise problems.not_found(problems.NO_SUCH_PAGE)
            always = bool(resource.expansions)
            return page, compose_seen(
                connection,
                self._saw,
                resource.kind,
                query.expand,
                page.rows,
                base,
                shown,
                always_expand=always,
            )

    def _detail(self, resource: Resource, answer: Answer) -> bytes:
        expand = parse_detail(resource, answer.environ.get("QUERY_STRING", ""))
        may_expand(answer.token, resource.kind, expand)
        body = orjson.dumps(self._found(resource, answer, expand))
        tag = tag_of(body)
        answer.headers.append(("ETag", tag))
        if conditional(answer.environ) and unchanged(answer.environ, tag):
            answer.status = 304
        return body

    def _found(self, resource: Resource, answer: Answer, expand: Tree = ()) -> Any:
        """The document that the path names, when it is all there. Raises a 404 Problem, and what hydrating raises."""
        uuid = _uuid(answer)
        answer.outcome = self._hydrator.before_detail(resource.kind, uuid)
        read = partial(self._read_detail, resource, uuid, expand, answer.base)
        found = self._until_settled(answer, read)
        if found is None:
            raise answer.outcome.otherwise or problems.not_found()
        return found

    def _create(self, resource: Resource, answer: Answer) -> bytes:
        written = self._writer.create(resource, read_json(request), answer.base)
        answer.status, answer.outcome = 201, written.outcome
        answer.headers.append(("Location", written.answer["url"]))
        return _tagged(answer, written.answer)

    def _change(self, resource: Resource, part: bool, answer: Answer) -> bytes:
        # What isn't there can't be wrong: 404 before the body is looked at; and so is what is another version.
        judge = judge_of(answer.environ)
        judge(self._found(resource, answer))
        # A body that is refused by itself says nothing of it.
        found, answer.outcome = answer.outcome or LOCAL, None
        written = self._writer.change(
            resource, _uuid(answer), read_json(request), answer.base, partial=part, judge=judge
        )
        answer.outcome = worst([found, written.outcome])
        return _tagged(answer, written.answer)

    def _delete(self, resource: Resource, answer: Answer) -> bytes:
        judge = judge_of(answer.environ)
        judge(self._found(resource, answer))
        if resource.cascades and asks_cascade(answer.environ.get("QUERY_STRING", "")):
            for kind in ("klantcontact", "digitaleadres"):  # they are deleted with it
                must_open(answer.token, WRITE, BY_KIND[kind].path)
            return orjson.dumps(
                self._writer.delete_with_contacts(resource, _uuid(answer), answer.base, judge=judge)
            )
        self._writer.delete(resource, _uuid(answer), answer.base, judge=judge)
        answer.status = 204
        return b""

    def _maak_klantcontact(self, answer: Answer) -> bytes:
        written = self._writer.maak_klantcontact(read_json(request), answer.base)
        answer.status, answer.outcome = 201, written.outcome
        return orjson.dumps(written.answer)

    def _read_detail(
        self, resource: Resource, uuid: bytes, expand: Tree, base: str, shown: list[ShownDocument]
    ) -> Any:
        """The document, to be written as JSON; None when there is none."""
        with self._store.read() as connection:
            row = reading.find(connection, resource.kind, uuid)
            if row is None:
                return None
            return compose_seen(connection, self._saw, resource.kind, expand, [row], base, shown)[0]

    def _until_settled(self, answer: Answer, read: Callable[[list[ShownDocument]], Found]) -> Found:
        """Read, and read again for as long as the hydrator found more that belongs to the answer.

        `answer.outcome` is set when it returns.
        """
        outcome = answer.outcome or LOCAL
        for _ in range(MOST_ROUNDS):
            shown: list[ShownDocument] = []
            found = read(shown)
            answer.outcome = outcome = self._hydrator.after_answer(outcome, shown)
            if not outcome.retry:
                return found
        answer.outcome = replace(outcome, coverage=PARTIAL, reason=outcome.reason or NOT_FINISHED)
        return found


def _uuid(answer: Answer) -> bytes:
    """The uuid in the path. Raises a 404 Problem for what isn't one [160-162]."""
    uuid = uuid_bytes_in_path(answer.path["uuid"])
    if uuid is None:
        raise problems.not_found()
    return uuid


def _tagged(answer: Answer, document: Json) -> bytes:
    """A document that was written, with the ETag by which it is known from now on."""
    body = orjson.dumps(document)
    answer.headers.append(("ETag", tag_of(body)))
    return body


def _said(outcome: Outcome | None) -> list[tuple[str, str]]:
    return [] if outcome is None else outcome.headers()


def unknown_version(path: str) -> bool:
    """Does this path name a resource of the API, in a version that isn't served?"""
    found = OTHER_VERSION.fullmatch(path)
    return found is not None and found[1] != "1" and found[2] in PATHS
