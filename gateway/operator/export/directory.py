"""Where files with everything in them may be written (E11): an empty directory, on a disk of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from gateway.store.file.opening import NETWORK_FILE_SYSTEMS, file_system_of

MODE, DIRECTORY_MODE = 0o600, 0o700


class NoSuchPlace(Exception):
    """Files may not be written there; the text says why."""


def prepare(directory: Path) -> None:
    """Make the directory, or take it when it is empty. Raises NoSuchPlace."""
    try:
        directory.mkdir(mode=DIRECTORY_MODE, parents=False, exist_ok=True)
        if any(directory.iterdir()):
            raise NoSuchPlace(f"Map {directory} is niet leeg; noem een lege of een nieuwe.")
    except OSError as error:
        raise NoSuchPlace(f"Map {directory} is niet te gebruiken: {error.strerror}.") from None
    kind = file_system_of(directory)
    if kind in NETWORK_FILE_SYSTEMS:
        raise NoSuchPlace(
            f"Map {directory} ligt op een netwerkschijf ({kind}); noem een map op deze machine."
        )
    directory.chmod(DIRECTORY_MODE)


def create(path: Path) -> IO[bytes]:
    """A new file that only its owner can read. Raises FileExistsError, OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb")
