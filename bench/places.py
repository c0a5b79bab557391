"""Where a store that is measured on is: a file, or with the url of a database a schema in that."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.config.store import StoreSettings
from gateway.store import chosen
from gateway.store.base.store import Store


def settings(path: Path, url: str) -> StoreSettings:
    """Where the store of this name is, as a configuration says it."""
    return StoreSettings(path=path, uuid_secret="", url=url, schema=schema_of(path))


def schema_of(path: Path) -> str:
    """The schema that has the name of a file."""
    return f"bench_{re.sub(r'[^a-z0-9]+', '_', path.name.lower())}"


def opened(path: Path, url: str = "") -> Store:
    """The store of this name, made when it is not there."""
    return chosen.open_store(settings(path, url))


def is_there(path: Path, url: str = "") -> bool:
    """Was it made?"""
    return chosen.is_there(settings(path, url))


def keys(path: Path, url: str = "") -> str:
    """The keys of [store] for it."""
    return f'url = "{url}"\nschema = "{schema_of(path)}"' if url else f'path = "{path.resolve()}"'


def rename(path: Path, to: Path, url: str = "") -> None:
    """Give a store that nobody has open another name."""
    if url:
        run(url, f'ALTER SCHEMA "{schema_of(path)}" RENAME TO "{schema_of(to)}"')
        run(url, "VACUUM (ANALYZE)")
    else:
        path.rename(to)


def remove(path: Path, url: str = "") -> None:
    """Take away what has this name."""
    if url:
        run(url, f'DROP SCHEMA IF EXISTS "{schema_of(path)}" CASCADE')
    else:
        path.unlink(missing_ok=True)


def run(url: str, statement: str) -> None:
    """Run a statement of the measurement's own."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
