"""What `klantbrug check` says of the file of the store: is it ours, is it sound, can it be written?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.operator.check_report import CheckLine, Level
from gateway.store.backup import integrity
from gateway.store.base.errors import MEND, StoreError, StoreFailed
from gateway.store.file import full_disk, holders
from gateway.store.file.session import SqliteSession
from gateway.store.schema import upgrade

# A quick check takes no longer: of a large store it sees a part.
QUICK_SECONDS = 20.0


def check_store(
    path: Path, deep: bool = False, on_step: Callable[[str], None] = lambda step: None
) -> Iterator[CheckLine]:
    """Look at the file; nothing is changed. Says nothing of a store that is not there yet."""
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
    return CheckLine(
        Level.OK, "De hele opslag is nagekeken en gaaf: bladzijden, indexen, verwijzingen en alle inhoud."
    )


def _damaged(looked: integrity.Looked) -> CheckLine:
    return CheckLine(Level.PROBLEM, f"De opslag is beschadigd ({'; '.join(looked.wrong)}): {MEND}.")
