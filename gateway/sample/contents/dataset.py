"""The objects that the sample server serves: loaded from JSON Lines, indexed, changeable while served.

Objects are kept as JSON text under one canonical base address, so that a page is joined text and
one replacement of the base (legacy-behaviour.md 11), not five hundred translations.
"""

import bisect
import gzip
import hashlib
import threading
import uuid as uuids
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.sample.contents import earlier_standards
from gateway.sample.contents.confidentiality import rank
from gateway.sample.contents.indexes import index_keys

CANONICAL_BASE = "http://127.0.0.1:8002"
PATHS = {
    "zaak": "/zaken/api/v1/zaken",
    "rol": "/zaken/api/v1/rollen",
    "klantcontact": "/zaken/api/v1/klantcontacten",
    "zaakcontactmoment": "/zaken/api/v1/zaakcontactmomenten",
    "zaaktype": "/catalogi/api/v1/zaaktypen",
    "roltype": "/catalogi/api/v1/roltypen",
    **earlier_standards.PATHS,
}
# Of these the url alone tells the uuid.
NAMED_BY_URL = frozenset({"zaaktype", "roltype"}) | earlier_standards.KINDS
COLLECTION_KINDS = ("zaak", "rol", "klantcontact", "zaakcontactmoment")
FILES = ("slice.jsonl.gz", "ugly.jsonl")


@dataclass(eq=False, slots=True)
class Record:
    """One object as stored: its JSON text, its place in the order, and what lists need to know of it."""

    seq: int
    uuid: str
    body: bytes
    etag: str
    zaak_uuid: str
    keys: frozenset[tuple[str, str]]
    rendered: dict[str, bytes] = field(default_factory=dict)

    def load(self) -> dict[str, Any]:
        """A fresh copy of the object, with addresses under the canonical base."""
        loaded: dict[str, Any] = orjson.loads(self.body)
        return loaded


class Dataset:
    """All objects of one sample server, thread-safe. Lists are newest first, by an internal number."""

    def __init__(self, objects: Iterable[tuple[str, dict[str, Any]]] = ()) -> None:
        """Take (kind, object) pairs, newest first within a kind, as the files have them."""
        self._lock = threading.RLock()
        self._records: dict[str, dict[str, Record]] = {kind: {} for kind in PATHS}
        self._ordered: dict[str, list[Record]] = {kind: [] for kind in PATHS}
        self._indexes: dict[str, dict[tuple[str, str], set[Record]]] = {kind: {} for kind in PATHS}
        self._snapshots: dict[tuple[str, int | None], tuple[Record, ...]] = {}
        self._ranks: dict[str, int | None] = {}
        self._newest = 0
        for number, (kind, obj) in enumerate(objects):
            self._put(kind, _record(kind, obj, -number))

    def copy(self, keep: Callable[[str, Record], bool] = lambda kind, record: True) -> "Dataset":
        """A dataset of its own with the records that `keep` says yes to; quick, for a record never changes."""
        made = Dataset()
        with self._lock:
            made._newest = self._newest
            for kind, ordered in self._ordered.items():
                kept = made._ordered[kind] = [record for record in ordered if keep(kind, record)]
                made._records[kind] = {record.uuid: record for record in kept}
                index = made._indexes[kind]
                for record in kept:
                    for key in record.keys:
                        index.setdefault(key, set()).add(record)
            made._ranks = {uuid: self._ranks[uuid] for uuid in made._records["zaak"]}
        return made

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Copies of all objects of a kind, newest first."""
        return [record.load() for record in self.snapshot(kind)]

    def get(self, kind: str, uuid: str) -> dict[str, Any]:
        """A copy of one object; KeyError when there is none."""
        return self.record(kind, uuid).load()

    def add(self, kind: str, obj: Mapping[str, Any]) -> dict[str, Any]:
        """Add an object as the newest of its kind and return it as stored.

        Without `uuid` it gets a new one; `url` is made from it. A rol also joins the list of its zaak.
        ValueError when the uuid is taken.
        """
        stored = dict(obj)
        named_by_url = kind in NAMED_BY_URL and _last_part(stored.get("url"))
        identifier = str(stored.get("uuid") or named_by_url or uuids.uuid4())
        named: dict[str, Any] = {"url": f"{CANONICAL_BASE}{PATHS[kind]}/{identifier}"}
        if kind in COLLECTION_KINDS:
            named["uuid"] = identifier
        stored = named | stored | named
        with self._lock:
            if identifier in self._records[kind]:
                raise ValueError(f"there is a {kind} with this uuid")
            self._newest += 1
            record = _record(kind, stored, self._newest)
            self._put(kind, record)
            if kind == "rol":
                self._change_zaak_of(record, present=True)
        return record.load()

    def remove(self, kind: str, uuid: str) -> None:
        """Remove one object (of a zaak: not what hangs on it); KeyError when there is none."""
        with self._lock:
            record = self.record(kind, uuid)
            self._take_out(kind, record)
            if kind == "rol":
                self._change_zaak_of(record, present=False)

    def replace(self, kind: str, uuid: str, obj: Mapping[str, Any]) -> dict[str, Any]:
        """Put another object in the place of one, under its uuid; KeyError when there is none.

        Its ETag is as unreliable as the real one (legacy-behaviour.md 8).
        """
        with self._lock:
            old = self.record(kind, uuid)
            new = _record(kind, dict(obj), old.seq)
            if new.uuid != uuid:
                raise ValueError("an object cannot change its uuid")
            if kind == "rol":
                new.etag = _etag_after_change(old.load(), new.load())
            self._take_out(kind, old)
            self._put(kind, new)
        return new.load()

    def record(self, kind: str, uuid: str) -> Record:
        """The stored record; KeyError when there is none."""
        return self._records[kind][uuid]

    def snapshot(self, kind: str, max_rank: int | None = None) -> tuple[Record, ...]:
        """The records of a kind, newest first, as they are now; with `max_rank` those an application sees."""
        with self._lock:
            snapshot = self._snapshots.get((kind, max_rank))
            if snapshot is None:
                ordered = self._ordered[kind]
                if max_rank is None:
                    snapshot = tuple(ordered)
                else:
                    snapshot = tuple(record for record in ordered if self.visible(record, max_rank))
                self._snapshots[(kind, max_rank)] = snapshot
            return snapshot

    def visible(self, record: Record, max_rank: int) -> bool:
        """Whether the zaak of this record is no more confidential than `max_rank`; False when unknown."""
        zaak_rank = self._ranks.get(record.zaak_uuid)
        return zaak_rank is not None and zaak_rank <= max_rank

    def indexed(self, kind: str, name: str, value: str) -> set[Record]:
        """The records of a kind that have this value under this filter name."""
        with self._lock:
            return set(self._indexes[kind].get((name, value), ()))

    def _put(self, kind: str, record: Record) -> None:
        ordered = self._ordered[kind]
        if not ordered or record.seq < ordered[-1].seq:
            ordered.append(record)
        else:
            bisect.insort(ordered, record, key=_newest_first)
        self._records[kind][record.uuid] = record
        index = self._indexes[kind]
        for key in record.keys:
            index.setdefault(key, set()).add(record)
        if kind == "zaak":
            self._ranks[record.uuid] = rank(record.load().get("vertrouwelijkheidaanduiding"))
        self._forget_snapshots(kind)

    def _take_out(self, kind: str, record: Record) -> None:
        ordered = self._ordered[kind]
        del ordered[bisect.bisect_left(ordered, _newest_first(record), key=_newest_first)]
        del self._records[kind][record.uuid]
        for key in record.keys:
            self._indexes[kind][key].discard(record)
        if kind == "zaak":
            self._ranks.pop(record.uuid, None)
        self._forget_snapshots(kind)

    def _forget_snapshots(self, kind: str) -> None:
        # What a limited application sees of rollen depends on the zaken.
        for key in [key for key in self._snapshots if kind == "zaak" or key[0] == kind]:
            del self._snapshots[key]

    def _change_zaak_of(self, rol: Record, *, present: bool) -> None:
        zaak = self._records["zaak"].get(rol.zaak_uuid)
        if zaak is None:
            return
        body, url = zaak.load(), f"{CANONICAL_BASE}{PATHS['rol']}/{rol.uuid}"
        others = [each for each in body.get("rollen", []) if each != url]
        body["rollen"] = [*others, url] if present else others
        new = _record("zaak", body, zaak.seq)
        if not present:
            # The real server leaves the ETag of the zaak as it was when a rol goes.
            new.etag = zaak.etag
        self._take_out("zaak", zaak)
        self._put("zaak", new)


def load(path_or_paths: str | Path | Iterable[str | Path]) -> Dataset:
    """Read one or more JSON Lines files, `["kind", {object}]` a line, gzipped when named `.gz`.

    Raises ValueError naming file and line when a line is not of that form.
    """
    paths = [path_or_paths] if isinstance(path_or_paths, str | Path) else path_or_paths
    return Dataset(pair for path in paths for pair in _lines(Path(path)))


def default_paths() -> list[Path]:
    """The slice and the hand-made ugly set: in the package when installed, else in tests/data."""
    here = Path(__file__).resolve().parents[1]
    for directory in (here / "data", here.parents[1] / "tests" / "data"):
        paths = [directory / name for name in FILES]
        if all(path.is_file() for path in paths):
            return paths
    raise FileNotFoundError(f"the sample data ({', '.join(FILES)}) is not in this installation")


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                kind, obj = orjson.loads(line)
            except ValueError:
                raise ValueError(f"{path.name}, line {number}: not a [kind, object] pair in JSON") from None
            if kind not in PATHS or not isinstance(obj, dict):
                raise ValueError(f"{path.name}, line {number}: unknown kind, or no object")
            yield kind, obj


def _record(kind: str, obj: dict[str, Any], seq: int) -> Record:
    body = orjson.dumps(obj)
    identifier = str(obj.get("uuid") or _last_part(obj.get("url")))
    zaak_uuid = identifier if kind == "zaak" else _last_part(obj.get("zaak"))
    return Record(seq, identifier, body, _etag(obj), zaak_uuid, index_keys(kind, obj))


def _newest_first(record: Record) -> int:
    return -record.seq


def _last_part(url: object) -> str:
    return url.rstrip("/").rpartition("/")[2] if isinstance(url, str) else ""


def _etag(obj: dict[str, Any]) -> str:
    return hashlib.blake2b(orjson.dumps(obj), digest_size=16).hexdigest()


def _etag_after_change(old: dict[str, Any], new: dict[str, Any]) -> str:
    before, after = old.get("betrokkeneIdentificatie"), new.get("betrokkeneIdentificatie")
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return _etag(new)
    if before.get("verblijfsadres") or after.get("verblijfsadres"):
        return _etag(new)
    # Measured: without an address the server hashes what the identification was before the change.
    return _etag(new | {"betrokkeneIdentificatie": before})
