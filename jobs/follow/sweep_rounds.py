"""Where a round of the sweep is, and when its next step is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.fetch.fetcher import Fetcher
from gateway.store.operation.following import Following
from jobs.common import zaakcontactmomenten
from jobs.common.lists import kinds_of, ties_in
from mappings.standards import of_every_source

# A round that has yet to find out how to read the zaakcontactmomenten.
UNKNOWN = "unknown"


@dataclass(slots=True)
class SweepPlace:
    """Where a round is.

    First in the walk of the list of kinds[stage], at `page`. Then, behind `row`, in the ties of contactmomenten when
    there are `ties`. Then in the zaakcontactmomenten, which are read in this `way`. Then by uuid in each kind.

    `read` of the `held` objects were read, which is how the round keeps its pace. `failed` questions got no answer and
    were passed over. A round that is blocked is so since `still` (0: it goes on), by this `cause`. In `tries` runs
    since then the source did answer for lists.
    """

    began: int
    held: int
    hurried: bool
    stage: int = 0
    page: int = 1
    row: int = 0
    read: int = 0
    kinds: Sequence[str] = field(default_factory=of_every_source)
    ties: Sequence[str] = ()
    way: str = ""
    failed: int = 0
    still: int = 0
    cause: str = ""
    tries: int = 0

    @property
    def connecting(self) -> int:
        """The stage of the zaakcontactmomenten."""
        return len(self.kinds) + bool(self.ties)

    @property
    def at(self) -> tuple[object, ...]:
        """What differs between any two places of a round."""
        return self.began, self.way, self.stage, self.page, self.row

    def next_stage(self) -> None:
        """Go on with the next list, or the next kind by uuid."""
        self.stage, self.page, self.row, self.tries = self.stage + 1, 1, 0, 0

    def due(self, moment: int, length: float) -> bool:
        """Is it time for the next step, when the round is spread evenly over `length`?"""
        by_zaak = self.way == zaakcontactmomenten.BY_ZAAK
        if self.hurried or self.stage >= self.connecting + by_zaak:
            return True
        return moment - self.began >= length * min(1.0, self.read / max(1, self.held))


def kinds_in(fetcher: Fetcher) -> tuple[list[str], list[str]]:
    """The kinds that are walked in lists, and those that are asked for each contactmoment."""
    return list(kinds_of(fetcher.client)), list(ties_in(fetcher.client))


def is_due(state: Following, moment: int, length: float, fetcher: Fetcher) -> bool:
    """Does a round begin or go on now?"""
    if state.place is None:
        return state.hurry > 0 or not state.swept <= moment < state.swept + length
    place = SweepPlace(**state.place)
    return is_void(place, state, moment, fetcher) or place.due(moment, length)


def is_void(place: SweepPlace, state: Following, moment: int, fetcher: Fetcher) -> bool:
    """Must another round begin: one was asked for since, the clock was set back to before this one, or the source was
    given another API? A round that hurries is ended first: wishes may come faster than rounds."""
    other = ([*place.kinds], [*place.ties]) != kinds_in(fetcher)
    asked_for = state.hurry > place.began and not place.hurried
    return other or not place.way or asked_for or place.began > moment
