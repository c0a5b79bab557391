"""What a test asks of the tables of write-back, and the time that it lets pass there."""

from __future__ import annotations

from uuid import UUID

import orjson

from gateway.store.base.kinds import RAW_KIND, TRANSLATED
from gateway.store.base.store import Store


class WriteBackProbe:
    """Write-back in one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def shown_zaken(self) -> list[str]:
        """The zaken that are held and shown, in the order of their uuids."""
        with self.store.read() as connection:
            rows = connection.all(
                "SELECT uuid FROM raw WHERE kind = ? AND state = ? ORDER BY uuid",
                (RAW_KIND["zaak"], TRANSLATED),
            )
        return [str(UUID(bytes=uuid)) for (uuid,) in rows]

    def findings(self) -> set[tuple[str, str, str]]:
        """The rule, field and action of what an operator is told."""
        with self.store.read() as connection:
            return set(connection.all("SELECT rule, field, action FROM writeback_finding"))

    def later(self, microseconds: int) -> None:
        """So much later: what waits for a next try may go."""
        with self.store.write() as connection:
            connection.run("UPDATE writeback SET next_try = next_try - ?", (microseconds + 7200_000_000,))
            connection.run("UPDATE written_back SET asked = asked - ?", (microseconds,))
            for number, text in connection.all("SELECT id, message FROM writeback"):
                message = orjson.loads(text)
                if calls := message.get("under_way"):
                    message["under_way"] = {
                        target: [until - microseconds, says] for target, (until, says) in calls.items()
                    }
                    row = (orjson.dumps(message).decode(), number)
                    connection.run("UPDATE writeback SET message = ? WHERE id = ?", row)
