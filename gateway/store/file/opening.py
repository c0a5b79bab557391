"""What a store is opened on: a folder that can hold it, a file that only its owner reads, and a database of ours."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.store.base.errors import StoreDamaged, StoreError
from gateway.store.base.moving import HALF, UNDER_WAY
from gateway.store.base.session import Session
from gateway.store.schema import upgrade

# What every store has had from the beginning.
OURS = {"meta", "document"}
NETWORK_FILE_SYSTEMS = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "fuse.sshfs",
    "afs",
    "ceph",
    "glusterfs",
}


def judge_folder(store: Path) -> None:
    """Raise StoreError when the folder of a store isn't there, or is of another machine."""
    folder = store.parent
    if not folder.is_dir():
        raise StoreError(f"[store] path: de map {folder} bestaat niet; maak haar aan of kies een ander pad.")
    kind = file_system_of(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"[store] path: {folder} ligt op een netwerkschijf ({kind}), waar SQLite niet veilig is; "
            "kies een lokale schijf."
        )


def make_file(store: Path) -> None:
    """Make the file, empty, when there is none. Raises StoreError."""
    if store.exists():
        return
    mask = os.umask(0o077)
    try:
        store.touch(mode=0o600)
    except OSError as error:
        raise StoreError(f"[store] path: {store} kan niet worden gemaakt ({error.strerror}).") from None
    finally:
        os.umask(mask)


def refuse_another(connection: Session, store: Path) -> None:
    """Raise StoreError for a database of another program, or of a later version of ours: we would spoil it."""
    try:
        tables = connection.dialect.tables(connection)
    except StoreDamaged as error:
        raise StoreError(f"[store] path: {store}. {error}") from error
    if tables and not tables >= OURS:
        raise StoreError(
            f"[store] path: {store} is een database van een ander programma; noem een ander bestand."
        )
    if tables and connection.one("SELECT count(*) FROM meta WHERE name = ?", (UNDER_WAY,))[0]:
        raise StoreError(f"[store] path: {store}: {HALF}.")
    if later := upgrade.later_version(connection):
        raise StoreError(f"[store] path: {store} {later}")


def file_system_of(folder: Path) -> str:
    """The type of the file system that holds `folder`, "" where the machine doesn't say."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    resolved = str(folder.resolve())
    for line in mounts:
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        inside = resolved == point or resolved.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind
