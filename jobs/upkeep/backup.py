"""Backup: a copy of the store in the directory of `[jobs.backup]`, and away with the oldest of its own.

Only files whose name this job gave (the store's name and a moment) are ever removed. That is done only after a new one
was made and found good.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.config.model import BackupJob, Config
from gateway.legacy.errors import Stopped
from gateway.store.backup.copy import PART, BackupError, back_up
from jobs.common.work import Work

log = get_logger("klantbrug.jobs")

MOMENT = "%Y%m%dT%H%M%SZ"
SIGN_SECONDS = 10.0


def unusable(config: Config) -> str:
    """Why no back-ups are made; blank when they can be."""
    chosen = config.jobs.get("backup")
    if config.store.url:
        return "de opslag is een database: haar beheerder maakt de back-ups"
    return "" if isinstance(chosen, BackupJob) and chosen.directory else "[jobs.backup] directory is leeg"


def backup(work: Work) -> dict[str, int]:
    """Make a back-up, then remove those beyond `keep`.

    Out: how many were `made`, `removed`, and `failed`. Raises Stopped, leases.Lost.
    """
    config = work.installation.config
    chosen = config.jobs["backup"]
    if not isinstance(chosen, BackupJob) or chosen.directory is None:
        raise TypeError("[jobs.backup] has no directory")
    folder, store = chosen.directory, config.store.path
    moment = datetime.fromtimestamp(work.clock() / 1_000_000, UTC).strftime(MOMENT)
    _clear_away(folder, store)
    try:
        made = back_up(store, folder / f"{store.stem}-{moment}{store.suffix}", _Sign(work).give)
    except BackupError as error:
        log.error("no back-up was made", problem=str(error))
        return {"made": 0, "removed": 0, "failed": 1}
    log.info("back-up made", bytes=made.size, seconds=round(made.seconds, 1))
    old = sorted(_ours(folder, store))[: -chosen.keep]
    for each in old:
        each.unlink()
    return {"made": 1, "removed": len(old), "failed": 0}


class _Sign:
    """Keeps the lease of the job while the copy is made, and ends it when the job must stop."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.last = clock.monotonic()

    def give(self, _what: str, _done: int, _total: int) -> None:
        if self.work.stopping.is_set():
            raise Stopped("van de opslag")
        if clock.monotonic() - self.last > SIGN_SECONDS:
            self.last = clock.monotonic()
            with self.work.write():
                pass


def _ours(folder: Path, store: Path, end: str = "") -> list[Path]:
    """The back-ups of this job in the folder; with `end`, those that were left half made."""
    name = re.compile(rf"{re.escape(store.stem)}-\d{{8}}T\d{{6}}Z{re.escape(store.suffix + end)}")
    return [each for each in folder.glob(f"{store.stem}-*") if name.fullmatch(each.name) and each.is_file()]


def _clear_away(folder: Path, store: Path) -> None:
    """Remove what a run that was killed left; this is the only run there is."""
    for each in _ours(folder, store, PART):
        each.unlink()
