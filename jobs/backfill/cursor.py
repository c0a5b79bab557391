"""Where a backfill is: what its looks read so far and found. Kept with the run, so that a stop costs nothing.

A change of what is kept (`to_json`) needs another `terms.FORM`: what an older version kept is read as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from jobs.common.lists import Filters
from jobs.common.zaakcontactmomenten import Sample

MAX_LOOKS = 6


@dataclass(slots=True)
class BackfillCursor:
    """Where a backfill is.

    - `terms`: what it was begun on.
    - `look` counts from 1 (0: not begun), up to `allowed`; it began at `look_began`. Up to look `all_ties` the ties of
      all contactmomenten are asked, after it those of new ones.
    - Within a look `kind` and `part` count from 0, and `page` is the one to be counted next (0: none yet). `read` is
      how many objects of the kind were shown.
    - `parts` has by kind the filters by which its list is walked, `deepest` the last page of each.
    - `surprises`, `met_known` and `pending` are those of `Count`.
    - `shrank`: a list got shorter during the look. `again`: how many looks that was allowed for.
    - `agreed` is what the looks came to, `totals` how long lists are, `lost` what could not be read.
    - `sized`: do pages have a size of our choice?
    - `way` is how the zaakcontactmomenten are read, `connected` the zaak (row) up to which they were, `sample` what
      decides on that way.
    """

    terms: list[str]
    look: int = 0
    look_began: int = 0
    allowed: int = MAX_LOOKS
    again: int = 0
    all_ties: int = 1
    kind: int = 0
    part: int = 0
    page: int = 0
    read: int = 0
    parts: dict[str, list[Filters]] = field(default_factory=dict)
    deepest: dict[str, list[int]] = field(default_factory=dict)
    surprises: int = 0
    met_known: bool = False
    pending: int = 0
    shrank: bool = False
    agreed: bool | None = None
    totals: dict[str, int | None] | None = None
    lost: list[str] = field(default_factory=list)
    sized: bool | None = None
    way: str | None = None
    connected: int = 0
    sample: Sample | None = None

    def to_json(self) -> dict[str, Any]:
        """It as JSON has it: without what is not known yet."""
        if not self.look:
            return {"terms": self.terms}
        kept = {name: getattr(self, name) for name in self.__slots__}
        for name in ("agreed", "totals", "sized", "way", "sample"):
            if kept[name] is None:
                del kept[name]
        if not self.lost:
            del kept["lost"]
        if self.way is None:
            del kept["connected"]
        if self.sample is not None:
            kept["sample"] = self.sample.to_json()
        return kept

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """What `to_json` gave, of this version or an older one with the same `terms.FORM`."""
        sample = kept.get("sample")
        return cls(**{**kept, "sample": Sample.from_json(sample) if sample else None})

    def begin_look(self, moment: int) -> None:
        """The next look begins."""
        self.look, self.look_began = self.look + 1, moment
        self.kind = self.part = self.page = self.read = 0
        self.surprises, self.met_known, self.pending, self.shrank = 0, False, 0, False

    def next_kind(self) -> None:
        """All of this kind was read."""
        self.kind, self.part, self.page, self.read = self.kind + 1, 0, 0, 0

    def next_part(self) -> None:
        """All of this part of a list was read."""
        self.part, self.page, self.met_known, self.pending = self.part + 1, 0, False, 0

    def begin_undivided(self, kind: str) -> None:
        """The list of this kind is read anew, without its parts."""
        del self.parts[kind], self.deepest[kind]
        self.part, self.page, self.read, self.met_known, self.pending = 0, 0, 0, False, 0

    def doubt_look(self) -> None:
        """This look can't be the one that agrees: one more is allowed."""
        self.surprises, self.allowed = self.surprises + 1, self.allowed + 1

    def total_of(self, kind: str) -> int | None:
        """How long the list of this kind is, as far as the source tells."""
        return (self.totals or {}).get(kind)
