"""The stores of tests: files, or with KLANTBRUG_TEST_DATABASE (a url of PostgreSQL) schemas in that database.

There a store is known by the path that it would have as a file: whoever asks for it again has the same schema.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.store.base.store import Store
from gateway.store.file.database import FileStore

DATABASE = os.environ.get("KLANTBRUG_TEST_DATABASE", "")
ON_POSTGRES = bool(DATABASE)
# The folder in which the processes of a run find each other's schemas.
NOTES = "KLANTBRUG_TEST_SCHEMAS"
# A configuration names the store in one of our schemas by that.
_NAMED_BY_SCHEMA = "klantbrug-klantbrug_test_"


class Asked:
    """How often a store was asked for in this process: a test that asks for none proves nothing of a database."""

    times = 0


def make_store(path: Path, **how: Any) -> Store:
    """A store of a test."""
    Asked.times += 1
    if not ON_POSTGRES:
        return FileStore(path, **how)
    from gateway.store.postgres.address import DatabaseAddress
    from gateway.store.postgres.database import PostgresStore

    how.pop("log_mb", None)
    return PostgresStore(DatabaseAddress(DATABASE, schema_of(path)), path, **how)


def store_keys(path: Path) -> str:
    """The keys of [store] for the store of that name, in a config.toml beside it."""
    Asked.times += 1
    if not ON_POSTGRES:
        return f'path = "{path.name}"\n'  # beside the configuration, so that a copy of both has its own
    return f'url = "{DATABASE}"\nschema = "{schema_of(path)}"\n'


def schema_of(path: Path) -> str:
    """The schema of the store of that name, empty when nobody asked for it yet."""
    Asked.times += 1
    if path.name.startswith(_NAMED_BY_SCHEMA):
        return path.name.partition("-")[2]
    from builders.schemas import schemas

    return schemas().of(path)


def copy_folder(source: Path, target: Path) -> Path:
    """Copy a folder with configurations and their stores; the copies of the configurations have the copies of the
    stores. Out: the target. Nothing may write to the stores meanwhile."""
    Asked.times += 1
    shutil.copytree(source, target)
    if ON_POSTGRES:
        from builders.schemas import schemas

        of_copies = schemas().copy_folder(source, target)
        for config in target.rglob("*.toml"):
            text = config.read_text(encoding="utf-8")
            for before, after in of_copies.items():
                text = text.replace(f'"{before}"', f'"{after}"')
            config.write_text(text, encoding="utf-8")
    return target


def copy_store(source: Path, target: Path) -> None:
    """Make a store with what another has; nobody may have the target open."""
    Asked.times += 1
    if ON_POSTGRES:
        from builders.schemas import schemas

        schemas().copy(source, target)
        return
    with closing(sqlite3.connect(source)) as held, closing(sqlite3.connect(target)) as copy:
        held.backup(copy)


def keep(folder: Path) -> Path:
    """The stores with a name in that folder are used until the process ends: for fixtures of the session."""
    if ON_POSTGRES:
        from builders.schemas import schemas

        schemas().kept.append(folder.absolute())
    return folder


def release(*, before: frozenset[Path] = frozenset()) -> None:
    """The stores are not used any more but those that are kept, and those that were there before."""
    if ON_POSTGRES:
        from builders.schemas import schemas

        schemas().release(before)


def given() -> frozenset[Path]:
    """The names of the stores that are in use."""
    if not ON_POSTGRES:
        return frozenset()
    from builders.schemas import schemas

    return frozenset(schemas().given)


if ON_POSTGRES:
    from builders import library_like  # noqa: F401

    if NOTES not in os.environ:  # this is the first of the processes of a run
        os.environ[NOTES] = tempfile.mkdtemp(prefix="klantbrug-schemas-")
        atexit.register(shutil.rmtree, os.environ[NOTES], ignore_errors=True)
