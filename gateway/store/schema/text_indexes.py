"""The indexes of texts. A change is a new migration at the end."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.base.migrations import migrations
from gateway.store.indexes import text_search


@migrations(name="0052_texts")
def texts_indexed(db: Database) -> None:
    """Texts can be searched by a part of them without looking into each."""
    text_search.make(db.conn)
