"""The recorded exchanges of a real Klantinteracties API, and how to put what they show in a store."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from builders.paths import DATA
from builders.probe.probe import Probe

from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.resources import BASE_PATH, RESOURCES
from gateway.store.base.store import Store
from gateway.store.documents.rows import remove_documents
from gateway.store.documents.writing import put_documents
from mappings.model.documents import Document

FOLDER = DATA / "klantinteracties"
RECORDED_AT = "http://127.0.0.1:8001"
BY_PATH = {resource.path: resource for resource in RESOURCES}
FIRST_CREATED = 1_700_000_000_000_000


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer."""

    number: int
    name: str
    method: str
    path: str
    status: int
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    response: Any
    is_html: bool

    @property
    def resource(self) -> declared.Resource | None:
        """The resource that the request is about."""
        part = self.path.removeprefix(f"{BASE_PATH}/").split("?")[0].split("/")[0]
        return BY_PATH.get(part)


def exchanges() -> list[Exchange]:
    """All recordings, in the order in which they were made."""
    return list(_exchanges())


@functools.cache
def _exchanges() -> list[Exchange]:
    found = []
    for file in sorted(FOLDER.glob("[0-9]*.json")):
        raw = json.loads(file.read_text(encoding="utf-8"))
        found.append(
            Exchange(
                int(file.name[:3]),
                file.stem,
                raw["method"],
                raw["path"],
                raw["status"],
                raw.get("request_headers") or {},
                raw.get("response_headers") or {},
                raw.get("response"),
                bool(raw.get("response_is_html"))
                or "html" in str(raw["response_headers"].get("Content-Type")),
            )
        )
    return found


def recorded(number: int) -> Exchange:
    """The recording with this number."""
    return next(exchange for exchange in exchanges() if exchange.number == number)


def split(resource: declared.Resource, shown: dict[str, Any], created: int) -> Document:
    """The document whose answer is `shown`: the inverse of composing, for what the body and references hold."""
    body, links = {}, {}
    for item in resource.fields:
        value = shown[item.name]
        match item:
            case declared.BodyValue():
                body[item.name] = value
            case declared.DocumentReference():
                if value is not None:
                    links[item.relation.split(".")[1]] = [UUID(value["uuid"])]
            case declared.References(first=False):
                links[item.relation.split(".")[1]] = [UUID(one["uuid"]) for one in value]
            case declared.Inside(reference=reference):
                body[item.name] = value
                if isinstance(value, dict) and reference.name in value:
                    other = value[reference.name]
                    body[item.name] = {key: one for key, one in value.items() if key != reference.name}
                    links[reference.relation.split(".")[1]] = [UUID(other["uuid"])] if other else []
            case _:
                pass  # lists of what refers to it: links of other documents
    moment = created
    if resource.kind == "klantcontact":
        moment = microseconds(body["plaatsgevondenOp"])
    return Document(resource.kind, UUID(shown["uuid"]), body, created, moment, links)


def microseconds(text: str) -> int:
    """A time as the API writes it, as the store has it."""
    difference = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return (difference.days * 86400 + difference.seconds) * 1_000_000 + difference.microseconds


@dataclass
class RecordedRegister:
    """A store that follows the recordings: it gets what the recorded server had."""

    store: Store
    created: dict[UUID, int] = field(default_factory=dict)
    clock: int = FIRST_CREATED

    def fill(self) -> None:
        """Put everything that the recorded lists [033-046] show."""
        documents = []
        for exchange in exchanges():
            if 33 <= exchange.number <= 46 and exchange.resource:
                oldest_first = reversed(exchange.response["results"])
                documents += [self._document(exchange.resource, shown) for shown in oldest_first]
        with self.store.write() as connection:
            put_documents(connection, [(document, None) for document in documents])

    def follow(self, exchange: Exchange) -> None:
        """Do to the store what a recorded write did to the recorded server."""
        if exchange.resource is None:
            return
        with self.store.write() as connection:
            if exchange.method in ("POST", "PUT", "PATCH") and exchange.status in (200, 201):
                put_documents(connection, [(self._document(exchange.resource, exchange.response), None)])
            elif exchange.method == "DELETE" and exchange.status == 204:
                uuid = exchange.path.rpartition("/")[2]
                remove_documents(connection, Probe(self.store).values("document", "id", uuid=uuid))

    def _document(self, resource: declared.Resource, shown: dict[str, Any]) -> Document:
        uuid = UUID(shown["uuid"])
        if uuid not in self.created:
            self.clock += 1_000
            self.created[uuid] = self.clock
        return split(resource, shown, self.created[uuid])


def differences(recorded: Any, here: Any, base: str, where: str = "") -> Iterator[str]:
    """Where two answers differ, as places only: values may be personal data.

    Not compared: `instance` of problems. A relation that is empty may stand under `_expand` where the recorded
    server left it out.
    """
    if isinstance(recorded, dict) and isinstance(here, dict):
        for key in sorted(recorded.keys() | here.keys()):
            at = f"{where}.{key}" if where else key
            if key not in here:
                yield f"{at}: missing"
            elif key not in recorded:
                if not (where.endswith("_expand") and here[key] in ([], None)):
                    yield f"{at}: extra"
            elif key != "instance":
                yield from differences(recorded[key], here[key], base, at)
    elif isinstance(recorded, list) and isinstance(here, list):
        if len(recorded) != len(here):
            yield f"{where}: {len(recorded)} recorded, {len(here)} here"
            return
        for index, (one, other) in enumerate(zip(recorded, here, strict=True)):
            yield from differences(one, other, base, f"{where}[{index}]")
    else:
        if isinstance(recorded, str):
            recorded = recorded.replace(RECORDED_AT, base)
        if recorded != here or type(recorded) is not type(here):
            yield f"{where}: differs"
