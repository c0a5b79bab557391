"""The ledger of a verify: what was counted, what is suspect, what proved wrong, and the report made of it.

A report holds numbers, kinds, rules and uuids; nothing personal. A Ledger can be packed as JSON, so that a verify
that was stopped goes on with it.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from gateway.legacy.errors import Forbidden

# What can be wrong with an object, for which a verify is not clean.
MISSING, EXTRA, DIFFERENT, INVISIBLE = "missing", "extra", "different", "invisible"
SORTS = (MISSING, EXTRA, DIFFERENT, INVISIBLE)
COLUMNS = ("compared", "equal", *SORTS, "left_out", "waiting", "quarantined")
DOCUMENT_SORTS = (MISSING, EXTRA, DIFFERENT)
DOCUMENT_COLUMNS = ("compared", "equal", *DOCUMENT_SORTS)
# So many of a sort are named in a report; their number is always in it.
NAMED = 1000
# So many are looked at again and repaired. With more, the store was never filled: that is for a backfill.
SUSPECTS = 10_000
UNKNOWN = ""


@dataclass(slots=True)
class Suspect:
    """An object that seems wrong: looked at again before it counts."""

    kind: str
    uuid: bytes
    zaaktype: str = UNKNOWN
    sort: str | None = None
    repaired: bool = False
    # Names of the fields in which source and store differ.
    fields: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """What one verify found. `zaaktype` is everywhere its uuid, blank when it isn't known.

    Of what is `not_looked_at_again` the source refused `not_shown`. `mending` are the documents whose repair
    was begun and is not sure to be done.
    """

    counts: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    suspects: dict[tuple[str, bytes], Suspect] = field(default_factory=dict)
    documents: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    damaged: dict[tuple[str, bytes], tuple[str, bool]] = field(default_factory=dict)
    mending: dict[tuple[str, bytes], str] = field(default_factory=dict)
    not_looked_at_again: int = 0
    not_shown: int = 0
    added: int = 0
    unreachable: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def count(self, kind: str, zaaktype: str, what: str) -> None:
        """Count an object, once."""
        numbers = self.counts[kind][zaaktype]
        numbers["compared"] += 1
        numbers[what] += 1

    def suspect(self, kind: str, uuid: bytes, zaaktype: str, sort: str) -> None:
        """Note an object that seems wrong."""
        if (kind, uuid) in self.suspects:
            self.suspects[kind, uuid].zaaktype = zaaktype or self.suspects[kind, uuid].zaaktype
        elif len(self.suspects) < SUSPECTS:
            self.suspects[kind, uuid] = Suspect(kind, uuid, zaaktype, sort)
        else:
            self.not_looked_at_again += 1
            self.not_shown += sort == INVISIBLE
            self.count(kind, zaaktype, sort)

    def document(self, kind: str, uuid: bytes, sort: str, repaired: bool) -> None:
        """Note a document that is not as its legacy objects say; once."""
        first, mended = self.damaged.get((kind, uuid), (sort, True))
        self.damaged[kind, uuid] = (first, mended and repaired)

    @contextlib.contextmanager
    def refusals(self, kind: str) -> Iterator[None]:
        """A list of a kind that the credentials may not see at all is noted in the block, and the rest goes on."""
        try:
            yield
        except Forbidden as error:
            if error.code != "permission_denied":
                raise
            if kind not in self.unreachable:
                self.unreachable.append(kind)

    def wrong(self) -> list[Suspect]:
        """The suspects that proved wrong, by kind and uuid."""
        return sorted(
            (each for each in self.suspects.values() if each.sort), key=lambda each: (each.kind, each.uuid)
        )

    def report(self, kinds: Iterable[str], unread: int) -> dict[str, Any]:
        """The report, but for when, what and by which version.

        `unread` are the objects of the source that could not be read and that nobody dismissed. What is in them is not
        in the store, so source and store are not the same (M3).
        """
        wrong = self.wrong()
        counts = {
            kind: {name: Counter(numbers) for name, numbers in self.counts[kind].items()} for kind in kinds
        }
        named: dict[str, list[dict[str, Any]]] = {}
        for each in wrong:
            _name(named, each.sort or "", each.kind, each.uuid, each.repaired, each.zaaktype, each.fields)
        for (kind, uuid), (sort, fixed) in sorted(self.damaged.items()):
            _name(named, f"document_{sort}", kind, uuid, fixed)
        repaired = sum(each.repaired for each in wrong) + sum(fixed for _, fixed in self.damaged.values())
        # Of what is found: what the source showed before and refuses now.
        lost = sum(each.sort == INVISIBLE and not each.repaired for each in wrong) + self.not_shown
        found = len(wrong) + len(self.damaged) + self.not_looked_at_again
        return {
            "clean": found == repaired and not self.unreachable and not unread,
            "unread": unread,
            "found": found,
            "repaired": repaired,
            "lost": lost,
            "not_looked_at_again": self.not_looked_at_again,
            "added": self.added,
            "kinds": {kind: _row(sum(names.values(), Counter()), COLUMNS) for kind, names in counts.items()},
            "zaaktypen": [
                {"zaaktype": name, "kind": kind, **_row(numbers, COLUMNS)}
                for kind, names in counts.items()
                for name, numbers in sorted(names.items())
            ],
            "documents": {
                kind: self._documents(kind)
                for kind in sorted({*self.documents, *(kind for kind, _ in self.damaged)})
            },
            "named": named,
            "remarks": self.remarks,
        }

    def packed(self) -> dict[str, Any]:
        """The ledger as JSON takes it."""
        return {
            "counts": self.counts,
            "suspects": [
                [each.kind, each.uuid.hex(), each.zaaktype, each.sort, each.repaired, each.fields]
                for each in self.suspects.values()
            ],
            "documents": self.documents,
            "damaged": [[kind, uuid.hex(), *how] for (kind, uuid), how in self.damaged.items()],
            "mending": [[kind, uuid.hex(), sort] for (kind, uuid), sort in self.mending.items()],
            "numbers": [self.not_looked_at_again, self.not_shown, self.added],
            "unreachable": self.unreachable,
            "remarks": self.remarks,
        }

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> Self:
        """The ledger that was packed."""
        ledger = cls(unreachable=packed["unreachable"], remarks=packed["remarks"])
        for kind, names in packed["counts"].items():
            for name, numbers in names.items():
                ledger.counts[kind][name].update(numbers)
        for kind, numbers in packed["documents"].items():
            ledger.documents[kind].update(numbers)
        for kind, uuid, *rest in packed["suspects"]:
            ledger.suspects[kind, bytes.fromhex(uuid)] = Suspect(kind, bytes.fromhex(uuid), *rest)
        for kind, uuid, sort, repaired in packed["damaged"]:
            ledger.damaged[kind, bytes.fromhex(uuid)] = (sort, repaired)
        ledger.mending = {(kind, bytes.fromhex(uuid)): sort for kind, uuid, sort in packed["mending"]}
        # A picture of before has no `not_shown`.
        ledger.not_looked_at_again, *not_shown, ledger.added = packed["numbers"]
        ledger.not_shown = sum(not_shown)
        return ledger

    def _documents(self, kind: str) -> dict[str, int]:
        """The numbers of one kind of document, as they were before any repair."""
        damaged = Counter(found for (of, _), found in self.damaged.items() if of == kind)
        numbers = Counter({sort: damaged[sort, True] + damaged[sort, False] for sort in DOCUMENT_SORTS})
        # Held now are those that were lost and made again; not held those that were too many and removed.
        before = damaged[MISSING, False] + damaged[EXTRA, True]
        numbers["compared"] = self.documents[kind]["compared"] + before
        return _row(numbers, DOCUMENT_COLUMNS)


def _row(numbers: Counter[str], columns: Iterable[str]) -> dict[str, int]:
    row = {name: numbers[name] for name in columns}
    others = sum(number for name, number in row.items() if name not in ("compared", "equal"))
    return row | {"equal": row["compared"] - others}


def _name(
    named: dict[str, list[dict[str, Any]]],
    sort: str,
    kind: str,
    uuid: bytes,
    repaired: bool,
    zaaktype: str | None = None,
    fields: list[str] | None = None,
) -> None:
    group = named.setdefault(sort, [])
    if len(group) < NAMED:
        of_zaak = {} if zaaktype is None else {"zaaktype": zaaktype}
        differs = {"fields": fields} if fields else {}
        group.append(
            {"kind": kind, "uuid": str(UUID(bytes=uuid)), **of_zaak, "repaired": repaired, **differs}
        )
