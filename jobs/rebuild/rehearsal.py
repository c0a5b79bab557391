"""The copy that a dry run of a rebuild works on: a file beside the store, readable by its owner only."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.config.store import StoreSettings
from gateway.store.base.errors import StoreError
from gateway.store.base.store import Store
from gateway.store.file.database import FileStore
from gateway.store.moving import moving
from gateway.store.operation import leases
from jobs.common.progress import Step

COPY = ".rehearsal."
# Room that it leaves free on the disk, as part of the store's size.
MARGIN = 0.2


@contextlib.contextmanager
def copy_of(store: Store, known: StoreSettings, show: Callable[[Step], None]) -> Iterator[Store]:
    """A copy of a store as it is now, also of one in a database; removed at the end of the block.

    In: the store, where it is, and who is shown how far the copy is. Raises StoreError when there is no room for it,
    StoreFailed.
    """
    _remove_left_behind(store)
    _room_for(store)
    path = store.path.with_name(f"{store.path.name}{COPY}{os.getpid()}")
    try:
        mask = os.umask(0o077)
        try:
            if known.url:
                moving.copy_in_use(
                    known, path, lambda what, done, total: show(Step("alles", what, done, total))
                )
            else:
                store.copy_to(path)
        finally:
            os.umask(mask)
        copy = FileStore(path)
        try:
            with copy.write() as connection:
                leases.forget_all(connection)  # who works on the store does not work on the copy
            yield copy
        finally:
            copy.close()
    finally:
        _remove(path)


def _remove_left_behind(store: Store) -> None:
    """Remove the copies of dry runs that were killed."""
    for path in store.path.parent.glob(f"{store.path.name}{COPY}*"):
        owner = re.split(r"[-.]", path.name.removeprefix(store.path.name + COPY))[0]
        if owner.isdigit() and not leases.alive(int(owner)):
            path.unlink(missing_ok=True)


def _room_for(store: Store) -> None:
    disk = os.statvfs(store.path.parent)
    needed = int(store.sizes()["store"] * (1 + MARGIN))
    if disk.f_bavail * disk.f_frsize < needed:
        raise StoreError(
            f"Een proefrun werkt op een kopie en heeft daarvoor {needed // 1_000_000 + 1} MB nodig in "
            f"{store.path.parent}; zo veel is er niet vrij."
        )


def _remove(path: Path) -> None:
    for tail in ("", "-wal", "-shm", "-journal", ".turn", ".open"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
