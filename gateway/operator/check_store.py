"""What `klantbrug check` says of the store: is it ours, is it sound, can it be written?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.config.store import StoreSettings
from gateway.operator.check_report import CheckLine, Level
from gateway.store import chosen
from gateway.store.backup import integrity
from gateway.store.base.errors import MEND, StoreError, StoreFailed
from gateway.store.file import full_disk, holders
from gateway.store.file.session import SqliteSession
from gateway.store.inspect import agreeing
from gateway.store.schema import upgrade

# A quick check takes no longer: of a large store it sees a part.
QUICK_SECONDS = 20.0
LEAST_VERSION = 14
# Leases and moments of several machines are told apart by their clocks.
MOST_AHEAD_SECONDS = 1.0
# A store of so many times what the database keeps in memory answers half as slow again (measured with 18 times); from
# so many bytes on that is somebody's choice.
TIMES_MEMORY, MUCH_MEMORY = 8, 1 << 30


def check_store(
    known: StoreSettings, deep: bool = False, on_step: Callable[[str], None] = lambda step: None
) -> Iterator[CheckLine]:
    """Look at the store; nothing is changed. Says nothing of a file that is not there yet."""
    if known.url:
        yield from _database(known)
        if deep:
            yield from _deep_in_database(known, on_step)
        return
    path = known.path
    if not path.exists():
        return
    try:
        holders.examine(path)
        with full_disk.only_looking(path) as connection:
            if not integrity.is_ours(connection):
                yield CheckLine(
                    Level.PROBLEM,
                    f"{path} is een database van een ander programma: noem een ander bestand in [store] path.",
                )
                return
            if later := upgrade.later_version(connection):
                yield CheckLine(Level.PROBLEM, f"{path} {later}")
                return
            yield _deep(connection, on_step) if deep else _quick(connection)
    except StoreError as error:
        yield CheckLine(Level.PROBLEM, str(error))
        return
    except StoreFailed as error:
        yield CheckLine(Level.PROBLEM, f"{path}: {error}")
        return
    if room := full_disk.low_space(path):
        yield CheckLine(Level.WARNING, room)


def _quick(connection: SqliteSession) -> CheckLine:
    looked = integrity.quick(connection, QUICK_SECONDS)
    if looked.wrong:
        return _damaged(looked)
    if looked.done < looked.of:
        text = f"In {QUICK_SECONDS:.0f} seconden zijn {looked.done} van {looked.of} tabellen nagekeken, zonder fouten"
        return CheckLine(Level.OK, f"{text}. De opslag is groot: klantbrug check --deep kijkt alles na.")
    return CheckLine(
        Level.OK, f"De {looked.of} tabellen van de opslag zijn gaaf (klantbrug check --deep kijkt dieper)."
    )


def _deep(connection: SqliteSession, on_step: Callable[[str], None]) -> CheckLine:
    looked = integrity.whole(connection, on_step)
    if looked.wrong:
        return _damaged(looked)
    # What an earlier version left has not all of it yet.
    if not upgrade.is_due(connection) and (told := agreeing.disagreements(connection, on_step)):
        return _disagrees(told)
    return CheckLine(
        Level.OK, "De hele opslag is nagekeken en gaaf: bladzijden, indexen, verwijzingen en alle inhoud."
    )


def _disagrees(told: list[str]) -> CheckLine:
    return CheckLine(Level.PROBLEM, f"In de opslag klopt niet alles met elkaar: {'; '.join(told)}.")


def _damaged(looked: integrity.Looked) -> CheckLine:
    return CheckLine(Level.PROBLEM, f"De opslag is beschadigd ({'; '.join(looked.wrong)}): {MEND}.")


def _deep_in_database(known: StoreSettings, on_step: Callable[[str], None]) -> Iterator[CheckLine]:
    """Look at all that is kept; whether pages are sound is what the database itself watches over."""
    try:
        if not chosen.is_there(known):
            return
        with chosen.looking(known) as session:
            told = agreeing.disagreements(session, on_step)
            on_step("objecten van bronnen")
            bad = integrity.unreadable(session)
    except (StoreError, StoreFailed) as error:
        yield CheckLine(Level.PROBLEM, str(error))
        return
    told += [f"raw: {bad} niet te lezen"] if bad else []
    text = "De inhoud van de hele opslag is nagekeken en klopt (bladzijden en indexen: met pg_amcheck)."
    yield _disagrees(told) if told else CheckLine(Level.OK, text)


def _database(known: StoreSettings) -> Iterator[CheckLine]:
    """What a database says of itself, and what it can promise."""
    try:
        found = chosen.database_facts(known)
    except StoreError as error:
        yield CheckLine(Level.PROBLEM, str(error))
        return
    version = found.version // 10_000
    if version < LEAST_VERSION:
        yield CheckLine(
            Level.PROBLEM,
            f"De database is PostgreSQL {version}; Klantbrug vraagt {LEAST_VERSION} of nieuwer.",
        )
    else:
        state = "" if found.made else "; de tabellen worden bij de eerste start gemaakt"
        yield CheckLine(Level.OK, f"De store is {known.shown}, PostgreSQL {version}{state}.")
    if found.encoding != "UTF8":
        yield CheckLine(
            Level.PROBLEM,
            f"De database heeft tekenset {found.encoding}; maak er een met ENCODING 'UTF8'.",
        )
    if found.replica:
        yield CheckLine(
            Level.PROBLEM,
            "De database is een replica: er kan alleen worden gelezen. Noem de primaire in [store] url.",
        )
    elif not found.may_make:
        yield CheckLine(
            Level.PROBLEM,
            f"De gebruiker van [store] url mag in schema {known.schema} geen tabellen maken: geef hem dat schema "
            f"(CREATE SCHEMA {known.schema} AUTHORIZATION <gebruiker>).",
        )
    if abs(found.ahead) > MOST_AHEAD_SECONDS:
        yield CheckLine(
            Level.WARNING,
            f"De klok van de database loopt {abs(found.ahead):.1f} s {'voor' if found.ahead > 0 else 'achter'} op die "
            "van deze machine: zet de klokken gelijk (NTP).",
        )
    if not found.durable:
        yield CheckLine(
            Level.WARNING,
            "De database staat op fsync of full_page_writes = off: na stroomuitval kan zij kwijt zijn wat clients al "
            "was bevestigd.",
        )
    if not found.finds_parts:
        yield CheckLine(
            Level.WARNING,
            "De uitbreiding pg_trgm is er niet of is niet te gebruiken: zoeken op een deel van een tekst kijkt elke "
            "tekst na en kan te lang duren. Laat de beheerder van de database CREATE EXTENSION pg_trgm doen; de "
            "volgende start maakt de indexen.",
        )
    if found.memory < MUCH_MEMORY and found.size > TIMES_MEMORY * found.memory:
        yield CheckLine(
            Level.WARNING,
            f"De database houdt {found.memory >> 20} MB in het geheugen (shared_buffers) en de opslag is "
            f"{found.size >> 20} MB: antwoorden zijn langzamer dan nodig. Gebruikelijk is een kwart van het geheugen "
            "van die machine.",
        )
