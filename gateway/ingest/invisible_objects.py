"""Objects that nobody is shown: what is kept to tell that they are there, and for how long (M2, M3)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ingest.incoming import Incoming, Translator
from gateway.store.base.kinds import HIDDEN, QUARANTINED, WAITING
from gateway.store.base.session import Session
from gateway.store.legacy import untranslated_keys
from gateway.store.legacy.objects import RawRow


class InvisibleObjects:
    """What a batch of one source (its name and row) does to them."""

    def __init__(self, connection: Session, translator: Translator, name: str, source: int, now: int) -> None:
        self.connection = connection
        self.translator = translator
        self.name = name
        self.source = source
        self.now = now
        # Did something come into quarantine, or go from there?
        self.touched = False

    def note_keys(
        self, item: Incoming, row: int, state: int, zaak: int | None, *, emptied: bool = False
    ) -> None:
        """Keep which keys occur in an object (row) that is in quarantine, or whose zaak (its state) is, or that is
        emptied (M3)."""
        if state == QUARANTINED:
            self.touched = True
        elif not ((emptied and state in HIDDEN) or (state == WAITING and zaak == QUARANTINED)):
            return
        hashes, whole = self.translator.keys_in(self.name, item)
        untranslated_keys.put_keys(self.connection, row, hashes, whole=whole)

    def hide(self, row: RawRow, state: int) -> None:
        """From now on nobody sees an object that was seen until now: after a while it is emptied (M2)."""
        if state in HIDDEN and row.state not in HIDDEN:
            untranslated_keys.set_waits(self.connection, row.id, self.now)

    def forget_keys(self, found: Sequence[RawRow]) -> None:
        """These objects change, are shown or go."""
        if hidden := [row.id for row in found if row.state in HIDDEN]:
            self.touched = True
            untranslated_keys.forget_keys(self.connection, hidden)

    def is_unchanged(self, item: Incoming, row: RawRow) -> bool:
        """Is an object just as it came before?"""
        return self.translator.is_unchanged(item, row.digest, emptied=row.emptied)

    def finish(self) -> None:
        """At the end: note on the source whether anything of it counts."""
        if self.touched:
            untranslated_keys.settle(self.connection, self.source)
            self.touched = False
