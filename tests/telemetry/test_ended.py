"""What ended is told by a thread: all of it, whatever one that is told does, and never more than fits."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence

import pytest
from builders.until import until

from gateway.base import correlation
from gateway.base.correlation import Operation
from gateway.telemetry import ended
from gateway.telemetry.access_log import PIECE, AccessLog
from gateway.telemetry.ended import Teller


@pytest.fixture(autouse=True)
def nobody_is_told_after() -> Iterator[None]:
    yield
    correlation.on_end(None)
    correlation.take_up(None)


def answered(route: str = "/health/live") -> Operation:
    operation = correlation.request_of("GET", None, None, 0.0)
    operation.name = route
    correlation.end(operation, 200)
    return operation


class Kept:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Operation] = []

    def __call__(self, found: Sequence[Operation]) -> None:
        self.told += found


def breaks(_: Sequence[Operation]) -> None:
    raise ValueError


def test_all_is_told_in_its_order_also_when_another_can_not_take_it():
    kept = Kept()
    teller = Teller([breaks, kept])
    made = [answered() for _ in range(1000)]
    until(lambda: len(kept.told) == len(made))
    last = answered()
    teller.stop()
    assert kept.told == [*made, last]
    answered()
    assert len(kept.told) == len(made) + 1, "after the end nobody is told"


def test_what_does_not_fit_is_dropped_and_that_is_told(monkeypatch, caplog):
    monkeypatch.setattr(ended, "MOST_WAITING", 10)
    taken, held, kept = threading.Event(), threading.Event(), Kept()

    def holds(found: Sequence[Operation]) -> None:
        taken.set()
        held.wait(20)
        kept(found)

    teller = Teller([holds])
    answered()
    until(taken.is_set)
    for _ in range(30):  # nobody waits for who is told
        answered()
    held.set()
    until(lambda: "telemetry was dropped" in caplog.text)
    teller.stop()
    assert len(kept.told) == 11
    assert "'count': 20" in caplog.text


def test_lines_go_out_whole_in_pieces_that_others_do_not_cut():
    reading, writing = os.pipe()
    pieces: list[bytes] = []
    real = os.write
    log = AccessLog(writing)
    found = [answered(f"/a/path/of/{'x' * number}") for number in range(40)]

    def keeps(fd: int, piece: memoryview) -> int:
        pieces.append(bytes(piece))
        return real(fd, piece)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", keeps)
        log(found)
    os.close(writing)
    with os.fdopen(reading) as file:
        lines = [json.loads(line) for line in file]
    assert [line["request_id"] for line in lines] == [each.request_id for each in found]
    assert len(pieces) > 2
    assert all(len(piece) <= PIECE and piece.endswith(b"\n") for piece in pieces)
