"""All that stands in a store, as text: to look whether something does."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.store.base.compression import unpack
from gateway.store.base.store import Store
from gateway.store.indexes.text_search import INDEXES


def texts_of(store: Store) -> Iterator[str]:
    """Every value of every table that is text, or unpacks to it."""
    with store.read() as connection:
        # The indexes hold no text of their own, their tables do.
        for table in sorted({*connection.dialect.tables(connection)} - {*INDEXES.values()}):
            for row in connection.all(f"SELECT * FROM {table}"):  # noqa: S608
                for value in row:
                    if isinstance(value, str):
                        yield value
                    elif isinstance(value, bytes | memoryview):
                        yield bytes(value).decode("latin-1")
        for (body,) in connection.all("SELECT body FROM raw WHERE body IS NOT NULL"):
            yield unpack(body).decode()


def naming(store: Store, text: str) -> list[str]:
    """The tables of reports and messages in which a text occurs."""
    found = []
    with store.read() as connection:
        for table, column in (("verification", "report"), ("outbox", "message"), ("outbox", "subject")):
            if connection.all(f"SELECT 1 FROM {table} WHERE {column} LIKE ?", (f"%{text}%",)):  # noqa: S608
                found.append(table)
    return found
