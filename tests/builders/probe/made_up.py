"""A store with rows that no source gave."""

from __future__ import annotations

import orjson

from gateway.store.base.kinds import GONE, LEFT_OUT, NO_PARTY, QUARANTINED, RAW_KIND, TRANSLATED
from gateway.store.base.store import Store
from gateway.store.indexes import tallies

STATES = [TRANSLATED] * 5 + [QUARANTINED] * 2 + [LEFT_OUT] * 3 + [NO_PARTY, GONE]


def with_rollen(store: Store) -> Store:
    """A source of which twelve rollen were held, one of them gone since, with findings and a backfill under way."""
    with store.write() as connection:
        connection.execute("INSERT INTO source (id, name, phase) VALUES (1, 'zaken<b>', 'live')")
        connection.execute("INSERT INTO source (id, name, phase, covered) VALUES (2, 'leeg', 'synced', 1)")
        for number, state in enumerate(STATES):
            connection.execute(
                "INSERT INTO raw (id, source, kind, uuid, state, first_seen, last_seen) VALUES (?, 1, ?, ?, ?, 1, 1)",
                (number + 1, RAW_KIND["rol"], number.to_bytes(16, "big"), state),
            )
        for raw, rule in ((1, "M12"), (2, "M12"), (2, "M9")):
            connection.execute(
                "INSERT INTO raw_finding VALUES (?, 1, ?, 'veld', 'gedaan', 'info')", (raw, rule)
            )
        connection.execute("INSERT INTO source_finding VALUES (1, 'M30', 'initiator', 'info', 'gedaan')")
        connection.execute(
            "INSERT INTO run (job, source, status, started, heartbeat, counters, message)"
            " VALUES ('backfill', 1, 'running', 1700000000000000, 1700000001000000, ?, 'ik zeg niets')",
            (orjson.dumps({"rol": 12}).decode(),),
        )
        tallies.count_again(connection)
    return store
