"""Do two stores hold the same?"""

from __future__ import annotations

import hashlib

from gateway.store.base.store import Store
from gateway.store.inspect.dump import dump_lines


def dump_digest(store: Store) -> str:
    """SHA-256 of the canonical dump: equal for stores that hold the same."""
    digest = hashlib.sha256()
    for line in dump_lines(store):
        digest.update(line + b"\n")
    return digest.hexdigest()
