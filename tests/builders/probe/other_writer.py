"""Another process that holds the write lock of a store."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from builders.stores import DATABASE, ON_POSTGRES, schema_of

HOLD = (
    "import sqlite3, sys\n"
    "connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n"
    "connection.execute('BEGIN IMMEDIATE')\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)
# Not by a store, which would lose the lock after seconds without a question.
HOLD_IN_DATABASE = (
    "import psycopg, sys\n"
    "from gateway.store.postgres.database import lock_of\n"
    "connection = psycopg.connect(sys.argv[1])\n"
    "connection.execute('SELECT pg_advisory_xact_lock(%s)', (lock_of(sys.argv[2]),))\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


@contextlib.contextmanager
def hogged(store: Path) -> Iterator[None]:
    """Another process has the write lock of the store for the block, and writes nothing."""
    script = [HOLD_IN_DATABASE, DATABASE, schema_of(store)] if ON_POSTGRES else [HOLD, str(store)]
    process = subprocess.Popen(
        [sys.executable, "-c", *script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.stdin.close()
        process.wait(timeout=30)
