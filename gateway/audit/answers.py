"""Around the views of the served API: no answer leaves before it is noted whose data stood in it.

Whose that is, is read in the answer itself: partijen and betrokkenen stand in it with their URL, whether it is a
document, a list, or what was expanded. So what is noted is what was sent. It is done while the answer is read (`saw`):
a transaction of its own, to know who its betrokkenen are, would cost as much as all the rest of the log. A change is
also about whom the document in its path was about before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from gateway.audit.log import AuditLog
from gateway.base import correlation
from gateway.base.correlation import Operation
from gateway.config.audit import is_activity_uri
from gateway.http import problems
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import Reply, problem_reply
from gateway.klantinteracties.model.expand import Tree
from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.inspect import persons
from mappings.values.uuids import uuid_bytes_of

Environ = dict[str, Any]
Json = dict[str, Any]
View = Callable[[Environ, dict[str, str]], Reply]

PARTIJ, BETROKKENE, CONTACT = (
    f"{BASE_PATH}/{path}/".encode() for path in ("partijen", "betrokkenen", "klantcontacten")
)
# What is about the persons of its klantcontact, and names only that.
ABOUT_CONTACT = ("internetaak", "onderwerpobject", "bijlage", "actorklantcontact")
PATHS_ABOUT_CONTACT = tuple(f"{BASE_PATH}/{BY_KIND[kind].path}" for kind in ABOUT_CONTACT)
CHANGES, READS = ("PUT", "PATCH", "DELETE"), ("GET", "HEAD")
UUID_LENGTH = 36
QUOTE = b'"'
NOT_NOTED = (
    "Wat er is gedaan kon niet in het auditlog; daarom is er geen antwoord. Zie het log van de dienst."
)
# What went well for the client, and was not read from here.
OPTIONS, UNCHANGED, FIRST_REFUSED = "OPTIONS", 304, 400


class Answers:
    """Makes views that note what they answer."""

    def __init__(self, audit: AuditLog, store: Store, addresses: PublicAddresses) -> None:
        self._audit = audit
        self._store = store
        self._addresses = addresses
        self._header = f"HTTP_{audit.settings.header.upper().replace('-', '_')}"
        self._may_say = frozenset(audit.settings.header_tokens)

    def noted(self, view: View) -> View:
        """The same view, which notes whom its answers are about."""

        def noting(environ: Environ, path: dict[str, str]) -> Reply:
            method = environ["REQUEST_METHOD"]
            before = self._of_path(path) if method in CHANGES else None
            reply = view(environ, path)
            if reply.status >= FIRST_REFUSED or method == OPTIONS:
                return reply
            operation = correlation.current()
            if operation is None:  # every request is one
                raise RuntimeError("a request without an operation")
            found = operation.shown if method in READS else None
            if found is None:  # a change, or what another register answered
                of_path = reply.status == UNCHANGED
                found = self._of_path(path) if of_path else self._of_answer(environ, reply.body)
            if before:
                found = found | before
            if not found or self._note(environ, operation, method, reply.status, found):
                return reply
            problem = problems.unavailable(NOT_NOTED, retry_after=30)
            return problem_reply(problem, self._addresses.base(environ))

        return noting

    @staticmethod
    def saw(
        connection: Session, kind: str, expand: Tree, found: list[Json], betrokkenen: set[bytes] | None
    ) -> list[Any]:
        """Remember whom an answer is about, in the transaction in which it was read.

        In: the kind of its documents, what is expanded, these as they will be sent, and who all are that take part in
        them; None: that is to be found. Out: the documents, as JSON where that had to be made.
        """
        operation = correlation.current()
        if operation is None:
            return found
        if betrokkenen is not None:
            operation.shown = betrokkenen
        elif kind == "partij" and not expand:
            operation.shown = _bytes_of(each for document in found for each in _partijen_in(document))
        else:
            texts = [orjson.dumps(document) for document in found]
            operation.shown = _persons(connection, b"".join(texts), kind in ABOUT_CONTACT)
            return [orjson.Fragment(text) for text in texts]
        return found

    def _note(
        self, environ: Environ, operation: Operation, method: str, status: int, found: set[bytes]
    ) -> bool:
        name = f"{method} {operation.name}"
        activity = ""
        if operation.who in self._may_say:
            said = environ.get(self._header, "")
            activity = said if is_activity_uri(said) else ""
        try:
            self._audit.note(
                operation, name, activity or self._audit.activity(operation.who, name), status, found
            )
        except OSError:
            return False
        return True

    def _of_answer(self, environ: Environ, body: bytes) -> set[bytes]:
        with self._store.read() as connection:
            return _persons(connection, body, environ["PATH_INFO"].startswith(PATHS_ABOUT_CONTACT))

    def _of_path(self, path: dict[str, str]) -> set[bytes]:
        uuid = uuid_bytes_of(path.get("uuid", ""))
        if uuid is None:
            return set()
        with self._store.read() as connection:
            return persons.of_documents(connection, [uuid])


def _partijen_in(document: Json) -> Iterator[str]:
    """The partijen that a partij names, itself too. What betrokkenen it names are that partij."""
    yield document["uuid"]
    for each in document["vertegenwoordigden"]:
        yield each["uuid"]
    if worked_for := (document["partijIdentificatie"] or {}).get("werkteVoorPartij"):
        yield worked_for["uuid"]


def _bytes_of(uuids: Iterable[str]) -> set[bytes]:
    return {bytes.fromhex(text.replace("-", "")) for text in uuids}


def _persons(connection: Session, body: bytes, about_contact: bool) -> set[bytes]:
    found = _named(body, PARTIJ)
    if betrokkenen := _named(body, BETROKKENE):
        found |= persons.of_betrokkenen(connection, betrokkenen)
    if about_contact and (contacts := _named(body, CONTACT)):
        found |= persons.of_documents(connection, contacts)
    return found


def _named(body: bytes, address: bytes) -> set[bytes]:
    """The uuids of the documents whose URL stands in a body."""
    _, *parts = body.split(address)
    if not parts:
        return set()
    found = {part[:UUID_LENGTH] for part in parts if part[UUID_LENGTH : UUID_LENGTH + 1] == QUOTE}
    return {uuid for text in found if (uuid := uuid_bytes_of(text.decode("ascii", "replace"))) is not None}
