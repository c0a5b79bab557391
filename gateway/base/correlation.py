"""Which request, call or job this thread is busy with: the ids by which what is told of it can be put together.

An operation is a request of a client, a call on another system, or a run of a job. It has the ids of W3C Trace Context:
`trace_id` of all that one question set in motion, in every system that passes it on, `operation_id` of this part of it
(OpenTelemetry: span), `parent_operation_id` of the part that asked for it. Log lines, problem documents, traces and the
audit log all take them from here: `current()`.
"""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType

from gateway.base import clock
from gateway.base.subjects import Subjects

# HYDRATE: whether what is held of a source is an answer to a question, with the calls that were needed for it.
REQUEST, HYDRATE, CALL, JOB = "request", "hydrate", "call", "job"
# Version 00 has four parts; a later one may have more after them.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?")
_NO_TRACE, _NO_PARENT = "0" * 32, "0" * 16
_SAMPLED = 1
# What callers use: uuids, 32 hexadecimal digits of which one is a letter, names with dots and dashes. In a name no
# eight digits follow each other, whatever stands between them: a BSN could hide there.
_REQUEST_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]{0,127}")
_MADE_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{32}")
_MAYBE_BSN = re.compile(r"[0-9](?:[_.:-]*[0-9]){7}")


class Operation:
    """One request, call or run of a job, while it goes on.

    `name`: the template of its path or call, or the job. `began` and `ended` are of clock.monotonic; `began_at` is the
    time (microseconds UTC). `foreign`: the parent is of another system, whose ids came with the request. `sampled`:
    does who asked record this trace? `who`: the name of the token or operator, blank until it is known. `facts`: short
    words about it that say nothing of persons. `subjects`: the persons that it was about, where the audit log wants to
    know; of all its parts together. `shown`: the persons (their uuids) in what was read for its answer, where the audit
    log looked at it. `instance`: that of the problem document that it was answered with, else blank.
    """

    # Of the class, so that making one sets only what is its own: a request makes one, and is done in 140 microseconds.
    method = who = instance = ""
    foreign = sampled = False
    facts: Mapping[str, object] = MappingProxyType({})
    status: int | str = 0
    ended = 0.0
    subjects: Subjects | None = None
    shown: set[bytes] | None = None

    def __init__(self, sort: str, name: str, trace_id: str, parent: str, began: float) -> None:
        """In: REQUEST, HYDRATE, CALL or JOB; its name; its ids, blank when it begins here; when (clock.monotonic)."""
        if trace_id:
            self.trace_id, self.operation_id = trace_id, f"{random.getrandbits(64):016x}"
        else:
            both = f"{random.getrandbits(192):048x}"  # it tells apart, and protects nothing
            self.trace_id, self.operation_id = both[:32], both[32:]
            if _recorded:
                self.sampled = random.random() < _recorded  # noqa: S311
        self.request_id = self.trace_id
        self.sort, self.name, self.parent_operation_id, self.began = sort, name, parent, began
        self.began_at = clock.now()

    def begin_again(self) -> float:
        """What was done until now does not count. Out: the moment (clock.monotonic)."""
        self.began, self.began_at = clock.monotonic(), clock.now()
        return self.began

    @property
    def traceparent(self) -> str:
        """The header by which a call of this operation tells of itself."""
        return f"00-{self.trace_id}-{self.operation_id}-{'01' if self.sampled else '00'}"


# Which part of the traces that begin in this process is recorded; 0 when nobody records.
_recorded = 0.0


def record(part: float) -> None:
    """Of the traces that begin here from now on, let this part be recorded: their calls tell the other side so."""
    global _recorded
    _recorded = part


_current: ContextVar[Operation | None] = ContextVar("klantbrug operation", default=None)
# The operation that this thread is busy with; None: with none. (No function around it, for each request asks.)
current: Callable[[], Operation | None] = _current.get


# From now on this thread is busy with that operation, or with none. Threads that work for another one take up its
# operation: a new thread begins with none.
take_up: Callable[[Operation | None], object] = _current.set


# A method can be any word of a client's; of others than these only that it was another is told.
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER = "other"


def request_of(method: str, request_id: str | None, traceparent: str | None, began: float) -> Operation:
    """A request that begins, which this thread takes up.

    In: what the client sent in X-Request-ID and traceparent: what is not well-formed counts as not sent; when it came
    in (clock.monotonic).
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found and found[2] != _NO_TRACE and found[3] != _NO_PARENT and not (found[1] == "00" and found[5]):
        operation = Operation(REQUEST, "", found[2], found[3], began)
        operation.foreign, operation.sampled = True, bool(int(found[4], 16) & _SAMPLED)
    else:
        operation = Operation(REQUEST, "", "", "", began)
    if request_id and _well_formed(request_id):
        operation.request_id = request_id
    elif operation.foreign:  # one trace may have many requests
        operation.request_id = f"{random.getrandbits(128):032x}"
    operation.method = method if method in METHODS else OTHER
    _current.set(operation)
    return operation


def _well_formed(request_id: str) -> bool:
    if not _REQUEST_ID.fullmatch(request_id):
        return False
    return _MADE_ID.fullmatch(request_id) is not None or not _MAYBE_BSN.search(request_id)


# Who is told of each operation that ended; set by gateway.telemetry.
_on_end: Callable[[Operation], None] | None = None


def on_end(told: Callable[[Operation], None] | None) -> None:
    """Tell this one of each operation of this process that ends; None: nobody."""
    global _on_end
    _on_end = told


def end(operation: Operation, status: int | str) -> None:
    """An operation is over, with an HTTP status or a word for how it ended. Costs its thread next to nothing."""
    operation.status = status
    operation.ended = clock.monotonic()
    if _on_end is not None:
        _on_end(operation)


@contextlib.contextmanager
def part(sort: str, name: str, **facts: object) -> Iterator[Operation]:
    """An operation for the block, as a part of what this thread is busy with; with an own trace when that is nothing.

    Whoever knows how it ended sets `status`; else it is "finished", or what was raised: its `cause`, else its name.
    """
    before = _current.get()
    if before is None:
        operation = Operation(sort, name, "", "", clock.monotonic())
    else:
        operation = Operation(sort, name, before.trace_id, before.operation_id, clock.monotonic())
        operation.request_id, operation.sampled, operation.who = before.request_id, before.sampled, before.who
        operation.subjects = before.subjects
    operation.facts = facts
    token = _current.set(operation)
    try:
        yield operation
    except BaseException as error:
        operation.status = operation.status or str(getattr(error, "cause", type(error).__name__))
        raise
    finally:
        _current.reset(token)
        end(operation, operation.status or "finished")
