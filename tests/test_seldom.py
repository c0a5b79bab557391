"""A log line that would come with every request comes once a minute, with how often it happened."""

from __future__ import annotations

import threading
import time
from typing import Any

from gateway.seldom import Seldom


class Log:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def warning(self, text: str, **values: Any) -> None:
        self.told.append((text, values))


def test_the_first_is_told_at_once_and_the_others_are_counted() -> None:
    log = Log()
    seldom = Seldom(log, "bron antwoordt niet", seconds=0.5)  # type: ignore[arg-type]
    threads = [
        threading.Thread(target=lambda: [seldom.warning(source="a", cause="x") for _ in range(100)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seldom.warning(source="b", cause="x")
    first = {"source": "a", "cause": "x", "count": 1}
    other = {"source": "b", "cause": "x", "count": 1}
    assert [values for _, values in log.told] == [first, other]
    until = time.monotonic() + 5
    while len(log.told) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    assert log.told[2] == ("bron antwoordt niet", first | {"count": 799})
    time.sleep(0.6)
    assert len(log.told) == 3, "nothing happened, nothing is told"
    seldom.warning(source="a", cause="x")
    assert log.told[3][1]["count"] == 1
