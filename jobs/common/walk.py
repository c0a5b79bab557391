"""One look through one list of a source: which page to ask next, and what the pages say together.

Pages are asked side by side and come in any order. They are counted in the order of the list, because that is what
tells an object that was missed from one that is new. Of a page that came too early three numbers are kept. So a slow
page does not fill memory, nor hold up the others until they are AHEAD of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.values.uuids import uuid_bytes_in

# How far pages may be ahead of the one whose turn it is.
AHEAD = 64
# A source that gives one page over and over does not know `page`; inserts can make two equal, not three.
SAME_PAGES = 3


@dataclass(frozen=True, slots=True)
class PageCounts:
    """What counts of a page: objects not held before, those before the first known one and those after it.

    `mark` is the same for two pages with the same objects. An empty page has none of it.
    """

    new_before: int = 0
    new_after: int = 0
    has_known: bool = False
    mark: int | None = None


def counts_of(objects: Sequence[dict[str, Any]], new: set[bytes]) -> PageCounts:
    """What counts of a page, of which the objects in `new` were not held before."""
    before = after = 0
    known = False
    uuids = [uuid_bytes_in(item.get("uuid")) or uuid_bytes_in(item.get("url")) for item in objects]
    for uuid in uuids:
        if uuid is None or uuid not in new:
            known = True
        elif known:
            after += 1
        else:
            before += 1
    return PageCounts(before, after, known, hash(tuple(uuids)) if uuids else None)


@dataclass(slots=True)
class Count:
    """Counts objects that an earlier look missed, page after page in the order in which the list is read.

    Lists are newest first: an object that was added since the last look has nothing known before it, one that was
    missed has. Read from the back, an object waits (`pending`) until a known one that stands before it is met.
    """

    forward: bool
    surprises: int = 0
    met_known: bool = False
    pending: int = 0

    def add(self, page: PageCounts) -> None:
        """Count the next page."""
        if self.forward:
            self.surprises += page.new_after + (page.new_before if self.met_known else 0)
            self.met_known = self.met_known or page.has_known
        elif page.has_known:
            self.surprises += self.pending + page.new_after
            self.pending = page.new_before
        else:
            self.pending += page.new_before


@dataclass(slots=True)
class ListSizes:
    """How long a list was when its pages were asked for, in any order.

    Objects that go while it is read let others move between two pages that are asked side by side. Each look can miss
    the same ones: then two looks agree, and are wrong together.
    """

    asked: int = 0
    size: int = 0

    def shrank(self, asked: int, size: int) -> bool:
        """Was the list shorter at one page than at another that was asked for before it?"""
        later = asked >= self.asked
        shorter = size < self.size if later else size > self.size
        if later:
            self.asked, self.size = asked, size
        return shorter and self.size > 0


@dataclass(slots=True)
class Walk:
    """Pages of one list, from `turn` on: upwards to where the list ends, or down to page 1.

    `turn` is the page to be counted next; all before it were taken, so there a stopped look goes on.
    """

    turn: int
    count: Count
    deepest: int = 0
    same: int = 1
    _last_asked: int = field(init=False)
    _out: set[int] = field(default_factory=set)
    _early: dict[int, PageCounts] = field(default_factory=dict)
    _ended: bool = False
    _mark: int | None = None

    def __post_init__(self) -> None:
        self._last_asked = self.turn - self._step

    @property
    def _step(self) -> int:
        return 1 if self.count.forward else -1

    def next(self) -> int | None:
        """The page to ask now; None when there is none, now or any more."""
        if self._ended and not self._out and self.deepest >= self._last_asked:
            # A page was empty while one behind it was not: things went away in between. The list goes on.
            self._ended = False
        number = self._last_asked + self._step
        if self._ended or number < 1 or abs(number - self.turn) >= AHEAD:
            return None
        self._last_asked = number
        self._out.add(number)
        return number

    def page_taken(self, number: int, page: PageCounts) -> None:
        """A page was taken (or was empty)."""
        self._out.discard(number)
        self._early[number] = page
        if page.mark is not None:
            self.deepest = max(self.deepest, number)
        elif self.count.forward:
            self._ended = True
        while (early := self._early.pop(self.turn, None)) is not None:
            self.count.add(early)
            if early.mark is not None:
                self.same = self.same + 1 if early.mark == self._mark else 1
                self._mark = early.mark
            self.turn += self._step
