"""The errors of SQLite, as those that the rest of the house knows."""

from __future__ import annotations

import sqlite3

from gateway.store.base.errors import (
    MEND,
    StoreDamaged,
    StoreFailed,
    StoreLocked,
    StoreUnwritable,
    TooLong,
    UniqueViolated,
)

BUSY = "SQLITE_BUSY"
FULL = "de schijf is vol; maak ruimte"
# By the primary code: the class, and what it says when that is not what others of the class say.
KNOWN: dict[str, tuple[type[StoreFailed], str]] = {
    "SQLITE_FULL": (StoreUnwritable, FULL),
    "SQLITE_IOERR": (
        StoreUnwritable,
        "de schijf leest of schrijft niet goed; kijk of zij vol of defect is",
    ),
    BUSY: (StoreLocked, ""),
    "SQLITE_LOCKED": (StoreLocked, ""),
    "SQLITE_READONLY": (
        StoreUnwritable,
        "het bestand of zijn map mag niet worden beschreven; geef deze gebruiker dat recht",
    ),
    "SQLITE_CANTOPEN": (
        StoreUnwritable,
        "het bestand kan niet worden geopend; kijk of het er is en wie het mag lezen",
    ),
    "SQLITE_CORRUPT": (StoreDamaged, ""),
    "SQLITE_NOTADB": (StoreDamaged, f"het bestand is geen opslag van Klantbrug; {MEND}"),
}
UNIQUE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID")
# No room for the file that processes share: SQLite has another error for it than for a full disk.
NO_SHARED_FILE = "SQLITE_IOERR_SHMSIZE"
# Python's own error for a text that is none, by which it gives no code.
NO_TEXT = "Could not decode to UTF-8"


def told(error: sqlite3.Error) -> StoreFailed | TooLong:
    """The error of ours that an error of SQLite is, to be raised from it."""
    code = getattr(error, "sqlite_errorname", None) or ""
    if not code and str(error).startswith(NO_TEXT):
        code = "SQLITE_CORRUPT"
    name = "_".join(code.split("_")[:2]) or type(error).__name__
    if name == "SQLITE_INTERRUPT":  # by `time_limit`
        return TooLong()
    if code in UNIQUE:
        return UniqueViolated(name, code)
    of, says = KNOWN.get(name, (StoreFailed, ""))
    if code == NO_SHARED_FILE:
        return StoreUnwritable(name, code, says, FULL)
    return of(name, code, says)
