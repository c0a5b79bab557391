"""What can go wrong with the store, whatever database it is: in plain words, with what to do.

A driver makes these of the errors of its library (`gateway/store/file/errors.py`); the rest of the house knows no
other.
"""

from __future__ import annotations

import time

# How long after a write that failed this is reported.
TOLD_SECONDS = 60.0
MEND = (
    "klantbrug check --deep zegt wat er kapot is; zet een back-up terug met klantbrug store restore BESTAND, of begin "
    "zonder back-up opnieuw met een lege opslag, hetzelfde uuid-geheim en klantbrug backfill"
)


class StoreError(Exception):
    """The store can't be used; the text says why and what to do."""


class StoreNotReached(StoreError):
    """The database can't be reached; it may be there later, as when it is started beside us."""


class TooLong(Exception):
    """A question took longer than it may; it was ended and changed nothing."""


class StoreFailed(Exception):
    """The database did not do what was asked; of the transaction nothing stays.

    `name` is what the database calls it, `store_code` the same as precise as it gives it, for the log. The text is a
    sentence for an operator, without a value from the store.
    """

    says = "de database meldt een fout"

    def __init__(self, name: str, code: str = "", says: str = "") -> None:
        """In: what it says to an operator, when that is not what others of its class say."""
        self.name, self.store_code = name, code or name
        super().__init__(f"De opslag werkt niet: {says or self.says} ({name}).")


class UniqueViolated(StoreFailed):
    """There is a row already with what only one may have."""


class StoreLocked(StoreFailed):
    """Another holds what a statement needs; the same may succeed soon."""

    says = "een ander proces houdt de opslag bezet; wacht tot het klaar is"
    cause = "store_busy"


class StoreBusy(StoreLocked):
    """Another writer held the store for longer than we wait; nothing was changed, and it was logged."""


class StoreAway(StoreLocked):
    """The database can't be reached, or is being started or stopped; the same may succeed soon."""

    says = "de database is niet bereikbaar"
    cause = "store_away"


class StoreUnsure(StoreFailed):
    """The database went away at the end of a write, and does not tell whether it was done."""

    says = "het is onbekend of een wijziging is opgeslagen: de database viel weg terwijl zij werd bevestigd"


class StoreUnwritable(StoreFailed):
    """Nothing can be written now, while reading goes on: a full disk, no right to it.

    `unwritable` says so in a sentence for an operator.
    """

    def __init__(self, name: str, code: str = "", says: str = "", why: str = "") -> None:
        """In: why it can't be written, when that is told otherwise than what it says."""
        super().__init__(name, code, says)
        self.unwritable = (
            f"De opslag kan niet worden beschreven: {why or says or self.says} ({name}). Lezen gaat door, schrijven "
            "krijgt 503."
        )


class StoreDamaged(StoreFailed):
    """What is kept is no sound store."""

    says = f"het bestand is beschadigd; {MEND}"


# After these the same request may succeed, and they are none of our mistakes.
PASSING = (StoreLocked, StoreUnwritable)
# These are of the store as a whole, not of what was asked.
OF_THE_STORE = (*PASSING, StoreDamaged)


class Troubles:
    """What an operator must know of a store that is open, as one process meets it; its driver tells it."""

    def __init__(self) -> None:
        # Set when the store proved to be damaged, in words.
        self.damaged = ""
        # When a write failed, and why, in words; None once something was written since, or can be.
        self.unwritable: tuple[float, str] | None = None

    def notice(self, error: BaseException) -> None:
        """Remember of an error what an operator must know: nothing can be written, or the store is damaged."""
        if isinstance(error, StoreDamaged):
            self.damaged = str(error)
        elif isinstance(error, StoreUnwritable):
            self.unwritable = (time.monotonic(), error.unwritable)

    def lately_unwritable(self) -> bool:
        """Did a write fail just now, and none succeed since?"""
        return self.unwritable is not None and time.monotonic() - self.unwritable[0] < TOLD_SECONDS
