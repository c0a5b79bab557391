"""The errors of PostgreSQL, as those that the rest of the house knows, and what an operator must know of them.

Theirs are never the cause of ours: they say which values a row had, and a log would repeat that.
"""

from __future__ import annotations

import psycopg

from gateway.store.base.errors import (
    StoreAway,
    StoreDamaged,
    StoreFailed,
    StoreLocked,
    StoreUnwritable,
    TooLong,
    Troubles,
    UniqueViolated,
)

# By the code of an error, or the first two signs of it: the class, and what it says when that is not what others say.
KNOWN: dict[str, tuple[type[StoreFailed], str]] = {
    "23505": (UniqueViolated, ""),
    "23P01": (UniqueViolated, ""),
    "55P03": (StoreLocked, ""),  # it was not free in time
    "40001": (StoreLocked, ""),
    "40P01": (StoreLocked, ""),
    "53": (StoreAway, "de database komt geheugen, plaats of iets anders tekort"),
    "53100": (StoreUnwritable, "de schijf van de database is vol; maak ruimte"),
    "53200": (StoreAway, "de database heeft geen geheugen meer"),
    "53300": (StoreAway, "de database laat geen verbindingen meer toe; verhoog max_connections"),
    "25006": (
        StoreUnwritable,
        "de database laat alleen lezen toe (een replica, of default_transaction_read_only); noem de primaire in "
        "[store] url",
    ),
    "42501": (
        StoreUnwritable,
        "de gebruiker van [store] url heeft er het recht niet toe; geef hem dat recht",
    ),
    "25P03": (StoreAway, "de database brak een transactie af die stilstond"),
    "25P04": (StoreAway, "de database brak een transactie af die te lang duurde (transaction_timeout)"),
    "40003": (StoreAway, ""),
    "58030": (
        StoreAway,
        "de schijf van de database geeft fouten; laat de beheerder van de database ernaar kijken",
    ),
    "58P01": (
        StoreAway,
        "de database mist een bestand; laat de beheerder van de database ernaar kijken",
    ),
    "57P": (StoreAway, ""),  # it is stopped, or starts
    "08": (StoreAway, ""),
    "XX001": (
        StoreDamaged,
        "de database meldt beschadigde gegevens; laat de beheerder van de database ernaar kijken",
    ),
    "XX002": (
        StoreDamaged,
        "de database meldt een beschadigde index; laat de beheerder van de database ernaar kijken",
    ),
}
TOO_LONG = "57014"
# What is prepared on a connection is not what the database has: its tables changed, or a pooler gave us another.
_GONE, _CHANGED, _BY_CHANGE = "26000", "0A000", "RevalidateCachedQuery"


def told(error: psycopg.Error) -> StoreFailed | TooLong:
    """The error of ours that an error of PostgreSQL is, to be raised `from None`."""
    code = error.sqlstate or ""
    if code == TOO_LONG:
        return TooLong()
    name = f"PG_{code}" if code else type(error).__name__
    if is_outdated(error):
        return StoreAway(name, code, "de tabellen zijn intussen veranderd")
    for known in (code, code[:3], code[:2]):
        if known in KNOWN:
            of, says = KNOWN[known]
            return of(name, code, says)
    if not code and (type(error) is psycopg.DatabaseError or isinstance(error, psycopg.OperationalError)):
        # The connection is no more, or was not made.
        return StoreAway(name)
    return StoreFailed(name, code)


def is_outdated(error: psycopg.Error) -> bool:
    """Is the connection of no more use for what was prepared on it?"""
    code = error.sqlstate
    return code == _GONE or (code == _CHANGED and error.diag.source_function == _BY_CHANGE)


class PostgresTroubles(Troubles):
    """The troubles of one store, as one process meets them."""

    def told(self, *, only_reads: bool) -> list[str]:
        """Sentences without values. In: is it a replica?"""
        problems = [self.damaged] if self.damaged else []
        if only_reads:
            problems.append("De opslag is een replica: lezen gaat, schrijven krijgt 503.")
        elif self.unwritable and self.lately_unwritable():
            problems.append(self.unwritable[1])
        return problems
