"""The canonical dump: two stores with the same content give the same lines, whatever their history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson

from gateway.store.base.kinds import HIDDEN, KINDS, LOCAL_ORIGIN, RAW_KINDS, RELATIONS
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.legacy.findings import SOURCE_FINDINGS


def dump_lines(store: Store) -> Iterator[bytes]:
    """JSON Lines with sorted keys: documents, findings, keys, links, locals, numbers, provenance, quarantine, raws, and
    what was written back.

    Sorted by t, kind and natural key; without clock times of our own, row ids, runs and cursors.
    """
    with store.read() as connection:
        yield from lines_of(connection)


def lines_of(connection: Session) -> Iterator[bytes]:
    """The same by a session that sees one state."""
    for query, shape in _SECTIONS:
        rows = connection.each(query)
        for row in _with_keys(rows) if shape is _in_quarantine else rows:
            yield orjson.dumps(shape(row), option=orjson.OPT_SORT_KEYS)


def _uuid(value: bytes) -> str:
    return str(UUID(bytes=value))


def _document(row: Any) -> dict[str, Any]:
    kind, uuid, origin, created, moment, body, owner = row
    return {
        "t": "document",
        "kind": KINDS[kind - 1],
        "uuid": _uuid(uuid),
        "origin": "local" if origin == LOCAL_ORIGIN else "legacy",
        "created": created if origin != LOCAL_ORIGIN else None,
        "moment": moment if origin != LOCAL_ORIGIN else None,
        "body": orjson.loads(body),
        "owner": _uuid(owner) if owner else None,
    }


def _with_keys(rows: Iterable[Any]) -> Iterator[Any]:
    """One row an object, of rows that have one of its keys each."""
    for shared, group in groupby(rows, itemgetter(0, 1, 2, 3)):
        yield *shared, [key.hex() for *_, key in group if key is not None]


def _in_quarantine(row: Any) -> dict[str, Any]:
    source, kind, uuid, reason, keys = row
    return {
        "t": "quarantine",
        "source": source,
        "kind": RAW_KINDS[kind - 1],
        "uuid": _uuid(uuid),
        "reason": reason,
        "keys": keys,
    }


_SECTIONS = (
    (
        "SELECT d.kind, d.uuid, d.origin, d.created, d.moment, d.body, o.uuid FROM document d"
        " LEFT JOIN document o ON o.id = d.owner ORDER BY d.kind, d.uuid",
        _document,
    ),
    (
        "SELECT s.name, r.kind, r.uuid, f.stage, f.rule, f.field, f.severity, f.action FROM finding f"
        " JOIN raw r ON r.id = f.raw JOIN source s ON s.id = r.source"
        " ORDER BY s.name, r.kind, r.uuid, f.stage, f.rule, f.field, f.action",
        lambda row: {
            "t": "finding",
            "source": row[0],
            "kind": RAW_KINDS[row[1] - 1],
            "uuid": _uuid(row[2]),
            "stage": row[3],
            "rule": row[4],
            "field": row[5],
            "severity": row[6],
            "action": row[7],
        },
    ),
    (
        f"SELECT source, rule, field, severity, action, found FROM ({SOURCE_FINDINGS}) f ORDER BY 1, 2, 3",
        lambda row: {
            "t": "finding",
            "source": row[0],
            "rule": row[1],
            "field": row[2],
            "severity": row[3],
            "action": row[4],
            "found": row[5],
        },
    ),
    (
        "SELECT i.key, d.uuid, r.uuid, c.facet, o.name FROM claim_key k JOIN identity i ON i.id = k.identity"
        " JOIN statement s ON s.id = k.statement JOIN claim c ON c.statement = s.id"
        " JOIN raw r ON r.id = c.raw JOIN source o ON o.id = r.source"
        " LEFT JOIN document d ON d.id = s.document ORDER BY i.key, r.uuid, c.facet, o.name",
        lambda row: {
            "t": "key",
            "key": row[0],
            "document": _uuid(row[1]) if row[1] else None,
            "raw": _uuid(row[2]),
            "facet": row[3],
            "source": row[4],
        },
    ),
    (
        "SELECT a.uuid, d.uuid FROM alias a JOIN document d ON d.id = a.document ORDER BY a.uuid",
        lambda row: {"t": "key", "alias": _uuid(row[0]), "document": _uuid(row[1])},
    ),
    (
        "SELECT l.relation, s.uuid, t.uuid, l.place FROM link l JOIN document s ON s.id = l.source"
        " JOIN document t ON t.id = l.target ORDER BY l.relation, s.uuid, t.uuid",
        lambda row: {
            "t": "link",
            "kind": RELATIONS[row[0] - 1],
            "source": _uuid(row[1]),
            "target": _uuid(row[2]),
            **({} if row[3] is None else {"place": row[3]}),
        },
    ),
    (
        "SELECT uuid, part, value FROM local ORDER BY uuid, part",
        lambda row: {"t": "local", "uuid": _uuid(row[0]), "part": row[1], "value": row[2]},
    ),
    (
        "SELECT kind, uuid, value FROM nummer ORDER BY kind, uuid",
        lambda row: {"t": "number", "kind": KINDS[row[0] - 1], "uuid": _uuid(row[1]), "value": row[2]},
    ),
    (
        "SELECT DISTINCT d.kind, d.uuid, r.uuid, s.name FROM provenance p JOIN document d ON d.id = p.document"
        " JOIN raw r ON r.id = p.raw JOIN source s ON s.id = r.source ORDER BY d.kind, d.uuid, r.uuid, s.name",
        lambda row: {
            "t": "provenance",
            "kind": KINDS[row[0] - 1],
            "document": _uuid(row[1]),
            "raw": _uuid(row[2]),
            "source": row[3],
        },
    ),
    (
        "SELECT s.name, r.kind, r.uuid, q.reason, k.hash FROM quarantine q JOIN raw r ON r.id = q.raw"
        " JOIN source s ON s.id = r.source LEFT JOIN unread_key k ON k.raw = r.id"
        " ORDER BY s.name, r.kind, r.uuid, k.hash",
        _in_quarantine,
    ),
    (
        "SELECT s.name, r.kind, r.uuid, r.digest, r.state, r.visible FROM raw r"
        " JOIN source s ON s.id = r.source ORDER BY s.name, r.kind, r.uuid",
        lambda row: {
            "t": "raw",
            "source": row[0],
            "kind": RAW_KINDS[row[1] - 1],
            "uuid": _uuid(row[2]),
            # How long nobody saw it, and so whether it was emptied, is not content.
            "digest": row[3].hex() if row[3] and row[4] not in HIDDEN else None,
            "state": row[4],
            "visible": bool(row[5]),
        },
    ),
    (
        "SELECT s.name, w.kind, w.document, w.step, w.uuid FROM written_back w JOIN source s ON s.id = w.source"
        " ORDER BY s.name, w.kind, w.document, w.step",
        lambda row: {
            "t": "written_back",
            "source": row[0],
            "kind": row[1],
            "document": _uuid(row[2]),
            "step": row[3],
            "uuid": _uuid(row[4]) if row[4] else None,
        },
    ),
)
