"""Judges the objects of a source on both sides, looks again at what seems wrong, and repairs it.

For verify; `Judge` knows nothing of how the objects were chosen. What it finds it writes in a ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from gateway.batch import SAYING
from gateway.compare import WRONG, Comparison, Judged, Verdict
from gateway.fetch import Fetcher, Visit
from gateway.legacy.errors import Forbidden, NotFound
from gateway.store import comparing
from gateway.store.comparing import Held
from gateway.store.kinds import GONE, TRANSLATED
from gateway.store.legacy import raw_rows
from gateway.tying import TIES
from jobs.ledger import DIFFERENT, EXTRA, INVISIBLE, MISSING, NAMED, UNKNOWN, Bits, Ledger, Suspect
from jobs.lists import all_kinds_of
from mappings.translate import uuid_in

# In the order of repair: what ties a contactmoment goes before it, for it tells who may see it (M34).
KINDS = ("zaak", "rol", "klantcontact", "klant", *TIES, "contactmoment")
PATIENCE = 24 * 3600.0
# What is being done, how much of it is done, how much there is.
Tell = Callable[[str, int, int | None], None]


class Judge:
    """Judges objects of one source."""

    def __init__(self, fetcher: Fetcher, ledger: Ledger) -> None:
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source
        self.comparison = Comparison(fetcher.ingest, fetcher.name, fetcher.source)
        self.ledger = ledger
        self.seen = Bits()
        # Zaaktypen of zaken that the source showed and that are not held.
        self.zaaktype_of: dict[bytes, str] = {}

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of objects that the source has. Raises CutOver."""
        return tuple(all_kinds_of(self.fetcher.client))

    def note_shown(self, judged: Judged, raw: dict[str, Any], first: bool = True) -> None:
        """Take down what the source showed; what is held is counted when the store is judged."""
        zaaktype = zaaktype_in(raw) if judged.kind == "zaak" else UNKNOWN
        if judged.row:
            self.seen.add(judged.row)
        elif judged.kind == "zaak" and len(self.zaaktype_of) < NAMED * 10:
            self.zaaktype_of[judged.uuid] = zaaktype
        if judged.verdict in WRONG:
            zaaktype = zaaktype or self._zaaktypen([judged]).get(judged.zaak or b"", UNKNOWN)
            self.ledger.suspect(judged.kind, judged.uuid, zaaktype, str(judged.verdict))
        elif not judged.row and first:
            self.ledger.count(judged.kind, zaaktype, str(judged.verdict))

    def named_rollen(self, zaken: Sequence[dict[str, Any]]) -> None:
        """Zaken name their rollen: those that are not held are looked for, whatever the list of rollen shows."""
        named: dict[bytes, bytes] = {}
        for zaak in zaken:
            uuid, rollen = uuid_in(zaak.get("uuid")), zaak.get("rollen")
            for url in rollen if uuid and isinstance(rollen, list) else ():
                rol = uuid_in(url)
                if rol is not None and uuid is not None:
                    named[rol.bytes] = uuid.bytes
        with self.store.read() as connection:
            held = raw_rows(connection, self.source, "rol", list(named))
            states = raw_rows(connection, self.source, "zaak", sorted({*named.values()}))
        for rol, zaak in named.items():
            if rol not in held and (zaak not in states or states[zaak].state == TRANSLATED):
                self.ledger.suspect("rol", rol, self.zaaktype_of.get(zaak, UNKNOWN), MISSING)

    # What is held

    def held(self, piece: Sequence[Held]) -> int:
        """Judge held objects, and ask for those that were not shown. Out: how many were there all the same."""
        judged = self.comparison.kept(piece)
        zaaktypen = self._zaaktypen(judged)
        skipped = 0
        for held, each in zip(piece, judged, strict=True):
            if held.state == GONE or held.kind not in self.kinds:
                continue  # a note that a zaak is gone, no object; or of an API that is not configured any more
            zaaktype = zaaktypen.get(held.zaak or b"", UNKNOWN)
            if held.kind in self.ledger.unreachable:
                self.ledger.count(held.kind, zaaktype, INVISIBLE)
            elif held.id not in self.seen and not (held.kind == "zaak" and held.body is None):
                skipped += self._ask(held, each, zaaktype)
            elif (held.kind, held.uuid) in self.ledger.suspects:
                self.ledger.suspects[held.kind, held.uuid].zaaktype = zaaktype
            elif each.verdict in WRONG:
                self.ledger.suspect(held.kind, held.uuid, zaaktype, DIFFERENT)
            else:
                self.ledger.count(held.kind, zaaktype, str(each.verdict))
        return skipped

    def _ask(self, held: Held, judged: Judged, zaaktype: str) -> bool:
        """Ask by uuid for what no list showed. Out: was it there?"""
        sort, _ = self._look(held.kind, held.uuid)
        if sort is None:
            self.ledger.count(held.kind, zaaktype, str(judged.verdict))
        elif sort == INVISIBLE and not held.visible:
            self.ledger.count(held.kind, zaaktype, INVISIBLE)
        else:
            self.ledger.suspect(held.kind, held.uuid, zaaktype, sort)
        return sort not in (EXTRA, INVISIBLE)

    def _look(self, kind: str, uuid: bytes) -> tuple[str | None, str]:
        """Look at one object on both sides now. Out: what is wrong with it (None: nothing), and its zaaktype.

        An object that is refused and not held is nothing that we could have.
        """
        with self.store.read() as connection:
            held = comparing.held_among(connection, self.source, kind, [uuid]).get(uuid)
        zaaktype = self._zaaktype_of_held(held) if held else UNKNOWN
        try:
            raw = self.fetcher.client.get(kind, str(UUID(bytes=uuid)))
        except NotFound:
            return (EXTRA if held and held.state != GONE else None), zaaktype
        except Forbidden as error:
            if error.code != "permission_denied":
                raise
            return (INVISIBLE if held and held.body is not None else None), zaaktype
        judged = self.comparison.shown(kind, [raw])[0]
        if kind == "zaak":
            zaaktype = zaaktype_in(raw)
        else:
            zaaktype = zaaktype or self._zaaktypen([judged]).get(judged.zaak or b"", UNKNOWN)
        if judged.verdict in WRONG:
            return str(judged.verdict), zaaktype
        if held and self.comparison.kept([held])[0].verdict in WRONG:
            return DIFFERENT, zaaktype
        return None, zaaktype

    def settle(self, repair: bool, tell: Tell) -> None:
        """Look again at what seemed wrong, count what is, and repair it when asked to."""
        suspects = sorted(self.ledger.suspects.values(), key=lambda each: (KINDS.index(each.kind), each.uuid))
        for number, each in enumerate(suspects, start=1):
            each.sort, zaaktype = self._look(each.kind, each.uuid)
            each.zaaktype = each.zaaktype or zaaktype
            if each.sort is not None or self._is_held(each):
                self.ledger.count(each.kind, each.zaaktype, each.sort or "equal")
            tell("opnieuw bekeken", number, len(suspects))
        wrong = [each for each in suspects if each.sort] if repair else []
        for number, each in enumerate(wrong, start=1):
            self._mend(each)
            tell("herstellen", number, len(wrong))
        for each in wrong:
            each.repaired = self._is_right(each)

    def _is_held(self, suspect: Suspect) -> bool:
        with self.store.read() as connection:
            return bool(raw_rows(connection, self.source, suspect.kind, [suspect.uuid]))

    def _mend(self, suspect: Suspect) -> None:
        """Make the store what the source says of one object."""
        with self.store.read() as connection:
            held = comparing.held_among(connection, self.source, suspect.kind, [suspect.uuid]).get(
                suspect.uuid
            )
        if held is not None and suspect.sort == DIFFERENT:
            statements = self.comparison.false_statements(held) if held.kind in SAYING else []
            with self.store.write() as connection:
                comparing.mistrust(connection, held.id, statements)
        visit, uuid = Visit(time.monotonic() + PATIENCE), UUID(bytes=suspect.uuid)
        if suspect.kind == "zaak" and suspect.sort in (MISSING, DIFFERENT):
            self.fetcher.reread_zaak(visit, uuid)
        elif suspect.kind == "contactmoment" and suspect.sort == MISSING:
            self.fetcher.earlier.reread_moment(visit, uuid)
        else:
            self.fetcher.fetch(visit, suspect.kind, uuid)

    def _is_right(self, suspect: Suspect) -> bool:
        sort, _ = self._look(suspect.kind, suspect.uuid)
        if sort != INVISIBLE:
            return sort is None
        with self.store.read() as connection:
            held = comparing.held_among(connection, self.source, suspect.kind, [suspect.uuid])
        return not held[suspect.uuid].visible

    def _zaaktypen(self, judged: Sequence[Judged]) -> dict[bytes, str]:
        """The zaaktypen of the zaken of these objects, where they are known."""
        zaken = {each.zaak for each in judged if each.zaak is not None}
        with self.store.read() as connection:
            urls = comparing.zaaktypen(connection, self.source, zaken)
        held = {zaak: str(uuid_in(url) or UNKNOWN) for zaak, url in urls.items()}
        return {zaak: self.zaaktype_of[zaak] for zaak in zaken if zaak in self.zaaktype_of} | held

    def _zaaktype_of_held(self, held: Held) -> str:
        judged = Judged(held.kind, held.uuid, held.zaak, held.id, Verdict.EQUAL)
        return self._zaaktypen([judged]).get(held.zaak or b"", UNKNOWN)


def zaaktype_in(zaak: dict[str, Any]) -> str:
    """The uuid of the zaaktype of a zaak, blank when there is none."""
    uuid = uuid_in(zaak.get("zaaktype"))
    return str(uuid) if uuid else UNKNOWN
