"""The indexes of texts. A change is a new migration at the end."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store import texts
from gateway.store.migrating import migrations


@migrations(name="0052_texts")
def texts_indexed(db: Database) -> None:
    """Texts can be searched by a part of them without looking into each."""
    texts.make(db.conn)
