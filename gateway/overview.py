"""How an installation is: what the store counts, and how each source is being asked."""

from __future__ import annotations

from typing import Any

from gateway.config import Config
from gateway.legacy import gates
from gateway.store.database import Store
from gateway.store.status import status


def overview(store: Store, config: Config) -> dict[str, Any]:
    """The status as `klantbrug status --json` and /beheer/api/v1/status give it: numbers only, nothing personal.

    Each configured source has `asking`: its circuit breaker, connections, latency, and what holds up its jobs.
    """
    found = status(store)
    for source in config.sources:
        if source.name in found["sources"]:
            found["sources"][source.name]["asking"] = gates.describe(config.store.path, source)
    return found
