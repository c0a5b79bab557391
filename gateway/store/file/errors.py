"""What an operator must know of an error of the database: plain words, and what to do."""

from __future__ import annotations

import sqlite3

MEND = (
    "klantbrug check --deep zegt wat er kapot is; zet een back-up terug met klantbrug store restore BESTAND, of begin "
    "zonder back-up opnieuw met een lege opslag, hetzelfde uuid-geheim en klantbrug backfill"
)
SAYS = {
    "SQLITE_FULL": "de schijf is vol; maak ruimte",
    "SQLITE_IOERR": "de schijf leest of schrijft niet goed; kijk of zij vol of defect is",
    "SQLITE_BUSY": "een ander proces houdt de opslag bezet; wacht tot het klaar is",
    "SQLITE_LOCKED": "een ander proces houdt de opslag bezet; wacht tot het klaar is",
    "SQLITE_READONLY": "het bestand of zijn map mag niet worden beschreven; geef deze gebruiker dat recht",
    "SQLITE_CANTOPEN": "het bestand kan niet worden geopend; kijk of het er is en wie het mag lezen",
    "SQLITE_CORRUPT": f"het bestand is beschadigd; {MEND}",
    "SQLITE_NOTADB": f"het bestand is geen opslag van Klantbrug; {MEND}",
}
# Codes after which the same request may succeed.
PASSING = (
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_READONLY",
    "SQLITE_CANTOPEN",
)
DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
# Of these the store is still read.
UNWRITABLE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
NO_SHARED_FILE = "SQLITE_IOERR_SHMSIZE"
# Python's own error for a text that is none, by which it gives no code.
NO_TEXT = "Could not decode to UTF-8"


class StoreError(Exception):
    """The store can't be used; the text says why and what to do."""


def name_of(error: sqlite3.Error) -> str:
    """The primary SQLite code of an error, such as SQLITE_BUSY; blank when it has none."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if not name and str(error).startswith(NO_TEXT):
        name = "SQLITE_CORRUPT"
    return "_".join(name.split("_")[:2])


def in_words(error: sqlite3.Error) -> str:
    """A sentence for an operator, without a value from the store."""
    name = name_of(error)
    text = SAYS.get(name, "de database meldt een fout")
    return f"De opslag werkt niet: {text} ({name or type(error).__name__})."


def unwritable_in_words(error: sqlite3.Error) -> str:
    """A sentence for an operator about a store that is read and can't be written."""
    name = name_of(error)
    # No room for the file that processes share: SQLite has another error for it than for a full disk.
    text = SAYS["SQLITE_FULL" if getattr(error, "sqlite_errorname", "") == NO_SHARED_FILE else name]
    return f"De opslag kan niet worden beschreven: {text} ({name}). Lezen gaat door, schrijven krijgt 503."


def is_passing(error: BaseException) -> bool:
    """Is it trouble that may be over soon, and none of ours?"""
    return isinstance(error, sqlite3.OperationalError) and name_of(error) in PASSING


def is_damage(error: BaseException) -> bool:
    """Does it say that the file is no sound store?"""
    return isinstance(error, sqlite3.Error) and name_of(error) in DAMAGE


def is_unwritable(error: BaseException) -> bool:
    """Does it say that nothing can be written now, while reading goes on?"""
    return isinstance(error, sqlite3.OperationalError) and name_of(error) in UNWRITABLE
