"""Phase exported (E8): a register took over. We only read, or hand each request on to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from flask import request

from gateway.base import clock
from gateway.base.clock import now
from gateway.config.target import Target
from gateway.http import problems
from gateway.http.problems import Problem
from gateway.http.request_body import read_json
from gateway.http.responses import Reply, json_reply
from gateway.http.scopes import READ, opens
from gateway.klantinteracties.model.freshness import LOCAL, Hydrator, LocalOnly, Outcome, ShownDocument
from gateway.klantinteracties.model.resources import BASE_PATH, RESOURCES
from gateway.klantinteracties.read.query import asks_cascade, parse_detail, parse_list
from gateway.klantinteracties.read.rights import may_expand
from gateway.klantinteracties.views import API_VERSION
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.documents import reading
from gateway.store.export import pairs
from gateway.store.export.pairs import EXPORTED, PHASE, WROTE
from gateway.store.operation.sources import meta_of, put_meta
from gateway.store.operation.tokens import StoredToken
from gateway.target.client import Register, TargetAnswer
from gateway.target.errors import NoEntry, TargetError
from gateway.target.translating import (
    FromRegister,
    body_with,
    canonical,
    named_in_body,
    named_in_query,
    query_with,
    text_with,
    uuids_of,
)
from mappings.values.uuids import uuid_bytes_in_path

SAFE, WITH_BODY = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "PATCH")
# For so long a process goes by what it saw last when a client reads; a write looks again.
SEEN_SECONDS = 0.5
RETRY = 3600
# Headers of a client that the register must see, and of the register that the client must.
TO_THERE = {
    "HTTP_IF_MATCH": "If-Match",
    "HTTP_IF_NONE_MATCH": "If-None-Match",
    "CONTENT_TYPE": "Content-Type",
}
TO_HERE = ("ETag", "Allow", "Retry-After", "WWW-Authenticate", "Warning")
PATHS = {resource.path: resource for resource in RESOURCES}
SAID = (API_VERSION, ("Klantbrug-Coverage", "complete"), ("Klantbrug-Freshness", "live"))


class TookOver:
    """The register, once it took over; for all threads of a process."""

    def __init__(self, store: Store, settings: Target) -> None:
        self._store = store
        self._settings = settings
        self._lock = threading.Lock()
        self._register: Register | None = None
        self._seen = (-SEEN_SECONDS, False)
        self._wrote = False

    def is_now(self, *, look: bool = False) -> bool:
        """Is the phase exported? `look`: at this moment, not as seen a moment ago."""
        at, seen = self._seen
        moment = clock.monotonic()
        if not look and moment - at < SEEN_SECONDS:
            return seen
        with self._store.read() as connection:
            seen = meta_of(connection, PHASE) == EXPORTED
        self._seen = (moment, seen)
        return seen

    @property
    def guard(self) -> Callable[[Session], None]:
        """As of Elsewhere."""
        return self._guard

    def _guard(self, connection: Session) -> None:
        if meta_of(connection, PHASE) == EXPORTED:
            raise self._moved()

    def answer(self, environ: dict[str, Any], base: str, token: StoredToken) -> Reply | None:
        """As of Elsewhere."""
        writes = environ["REQUEST_METHOD"] not in SAFE
        if not self.is_now(look=writes):
            return None
        if not writes and not self._settings.proxy:
            return None
        self._must_be_where_we_went()
        if self._settings.proxy:
            return self._handed_on(environ, base, token)
        raise self._moved()

    def _must_be_where_we_went(self) -> None:
        """Another register does not know our uuids; with --force one can leave without having sent anything."""
        with self._store.read() as connection:
            went = pairs.state(connection).target
        if not self._settings.url or went not in ("", self._settings.url):
            raise problems.unavailable("[target] url is niet het register waarheen is verhuisd.", RETRY)

    def _moved(self) -> Problem:
        return problems.unavailable(
            f"Deze installatie is verhuisd en wordt alleen nog gelezen; schrijf bij {self._settings.url}.",
            RETRY,
        )

    def _handed_on(self, environ: dict[str, Any], base: str, token: StoredToken) -> Reply:
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        path = environ["PATH_INFO"].removeprefix(BASE_PATH).lstrip("/")
        _must_be_open(token, method, path, query)
        body = read_json(request) if method in WITH_BODY else None
        rename = self._theirs(
            [*uuids_of(path.partition("/")[2]), *named_in_query(query), *named_in_body(body)]
        )
        resource, slash, uuid = path.partition("/")
        if slash and resource and uuid_bytes_in_path(uuid) is None:
            raise problems.not_found()  # what is no uuid could lead elsewhere there
        sent = None if body is None else orjson.dumps(body_with(body, rename))
        headers = {name: environ[key] for key, name in TO_THERE.items() if environ.get(key)}
        if method not in SAFE:
            self._note_write()
        try:
            answer = self._there().hand_on(
                method,
                f"{resource}{slash}{text_with(uuid, rename)}",
                query_with(query, rename),
                sent,
                headers,
            )
        except NoEntry:
            raise problems.bad_gateway("Het register waarheen is verhuisd, is niet te vertrouwen.") from None
        except TargetError as error:
            if error.cause == "timed_out":
                raise problems.gateway_timeout("Het register waarheen is verhuisd, antwoordt niet.") from None
            raise problems.bad_gateway("Het register waarheen is verhuisd, is niet te bereiken.") from None
        return self._reply(answer, base, path)

    def _there(self) -> Register:
        with self._lock:
            if self._register is None:
                # The rate is that of an export; clients have their own.
                self._register = Register(replace(self._settings, requests_per_second=0))
            return self._register

    def _note_write(self) -> None:
        """From the first write of a client there, there is no way back; raise a Problem when we just went back."""
        if self._wrote:
            return
        with self._store.read() as connection:
            known = meta_of(connection, WROTE)
        if not known:
            with self._store.write() as connection:
                if meta_of(connection, PHASE) != EXPORTED:
                    raise problems.unavailable(
                        "Deze installatie antwoordt net weer zelf; probeer het opnieuw.", 1
                    )
                put_meta(connection, WROTE, str(now()))
        self._wrote = True

    def _theirs(self, named: Iterable[str]) -> Callable[[str], str]:
        """What the register calls the documents that we know by these uuids (M6)."""
        texts = list(dict.fromkeys(named))
        with self._store.read() as connection:
            own = {text: canonical(text) for text in texts}
            found = pairs.of_own(connection, own.values())
            renamed = {}
            for text, uuid in own.items():
                pair = found.get(uuid)
                if pair is None and (other := reading.resolved(connection, uuid)):
                    pair = pairs.of_own(connection, [other]).get(other)
                if pair is not None and pair.theirs:
                    renamed[text] = str(UUID(bytes=pair.theirs))
        return lambda text: renamed.get(text, text)

    def _ours(self, named: Iterable[str]) -> Callable[[str], str]:
        theirs = {text: canonical(text) for text in dict.fromkeys(named)}
        with self._store.read() as connection:
            found = pairs.of_theirs(connection, theirs.values())
        renamed = {text: str(UUID(bytes=found[uuid].own)) for text, uuid in theirs.items() if uuid in found}
        return lambda text: renamed.get(text, text)

    def _reply(self, answer: TargetAnswer, base: str, path: str) -> Reply:
        location = answer.headers.get("Location", "")
        shown = _json(answer.body)
        values = list(shown.values()) if not path and isinstance(shown, Mapping) else []
        named = [*named_in_body(shown), *uuids_of(location)]
        back = FromRegister(self._settings.url, base, self._ours(named))
        headers = [*SAID, *((name, answer.headers[name]) for name in TO_HERE if name in answer.headers)]
        if location:
            headers.append(("Location", back.address(location)))
        if shown is None:
            return Reply(answer.status, [*headers, ("Content-Length", "0")], b"")
        made = back.root(shown) if values else back.body(shown)
        return json_reply(orjson.dumps(made), answer.status, headers)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _must_be_open(token: StoredToken, method: str, path: str, query: str) -> None:
    """Raise a Problem for what a token that opens some resources only would be shown of others."""
    if opens(token.scope, READ):
        return
    name, slash, _ = path.partition("/")
    resource = PATHS.get(name)
    if resource is None:
        return
    if method in ("GET", "HEAD"):
        expand = parse_detail(resource, query) if slash else parse_list(resource, query).expand
        may_expand(token, resource.kind, expand)
    elif asks_cascade(query):
        raise problems.permission_denied()


class Resting(LocalOnly):
    """A hydrator that asks no source any more once another register took over."""

    def __init__(self, hydrator: Hydrator, over: Callable[[], bool]) -> None:
        self._hydrator, self._over = hydrator, over

    def begin(self) -> None:
        """As of Hydrator."""
        self._hydrator.begin()

    def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
        """As of Hydrator."""
        return LOCAL if self._over() else self._hydrator.before_list(kind, filters)

    def before_detail(self, kind: str, uuid: bytes) -> Outcome:
        """As of Hydrator."""
        return LOCAL if self._over() else self._hydrator.before_detail(kind, uuid)

    def before_write(self, kind: str, loaded: Mapping[str, Any]) -> Outcome:
        """As of Hydrator."""
        return LOCAL if self._over() else self._hydrator.before_write(kind, loaded)

    def after_answer(self, outcome: Outcome, shown: Sequence[ShownDocument]) -> Outcome:
        """As of Hydrator."""
        return outcome if self._over() else self._hydrator.after_answer(outcome, shown)
