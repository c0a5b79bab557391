"""A process that writes to a store and is killed, so that its writes stand in the log alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from gateway.store.file import holders

# A process that writes something and is killed, so that it stands in the log alone.
WRITES_AND_DIES = """
import os, signal, sys
from gateway.store.file.database import FileStore
from gateway.store.operation.sources import set_meta
store = FileStore(sys.argv[1])
set_meta(store, "word", sys.argv[2])
os.kill(os.getpid(), signal.SIGKILL)
"""


def write_and_die(path: Path, word: str) -> None:
    died = subprocess.run([sys.executable, "-c", WRITES_AND_DIES, str(path), word], check=False)
    assert died.returncode == -signal.SIGKILL
    assert holders.log_of(path).stat().st_size > holders.LOG_HEADER_BYTES
