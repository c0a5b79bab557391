"""The status of the whole, as the page Overzicht and /beheer/api/v1/status give it: the same numbers, made once."""

from __future__ import annotations

from typing import Any

from gateway.config.model import Config
from gateway.operator.rooms.standing import whole
from gateway.operator.rooms.way import ways
from gateway.operator.status import overview
from gateway.operator.watch.standing import JOB_LEASE
from gateway.store.base.store import Store
from gateway.store.operation import leases


def whole_overview(store: Store, config: Config) -> dict[str, Any]:
    """The overview, with in each configured source its `way`, and in `standing` what the installation says first.

    A source that was never read is in it too. Numbers and words, nothing personal.
    """
    shown = overview(store, config)
    for name, way in ways(store, config, shown).items():
        shown["sources"].setdefault(name, {"phase": way["phase"], "coverage": "partial", "kinds": {}})[
            "way"
        ] = way
    with store.read() as connection:
        hanging = [name.removeprefix(JOB_LEASE) for name in leases.stuck(connection, JOB_LEASE)]
    shown["standing"] = whole(shown, hanging)._asdict()
    return shown
