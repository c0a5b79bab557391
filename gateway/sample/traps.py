"""The bad days of a legacy system, as switches that a test or an operator turns on while it runs."""

import random
import threading
from dataclasses import dataclass, field, fields
from typing import TypeVar

Option = TypeVar("Option")

# The header by which the application asks that its answer gets lost; no client ever sees it.
LOST = "X-Lost"


@dataclass
class Traps:
    """What goes wrong, and how often; every field may be changed while the server runs.

    Shares are between 0 and 1. `fuzzy_pagination`, `slow`, `error_rate`, `too_many_rate`, `expire_rate` (a token
    is found to be expired), `json_not_json` and the two `..._during_walk` belong to the application; the others
    happen on the connection, so they need SampleServer. `removed` and `inserted` tell which rollen a walk lost and
    gained, `protected` holds uuids of rollen that must stay. A bare array of more than `largest_bare` bytes
    ends in a closed connection (0: no limit). `demands_exp` refuses a token
    without exp. `spoil` replaces bytes in every answer, as a field that an export wrote
    with a bad byte in it. Source: legacy-behaviour.md 1, 3, 4 and 6.

    Of writes only: `slow_writes` seconds before one is done, `write_error_rate` a 5xx instead of doing it,
    `late_error_rate` a 502 after it was done, `lost_answer_rate` a closed connection after it was done; when
    `forbid_after` is 0 they are refused (403), and each that is done takes one off what it is above that.
    """

    fuzzy_pagination: bool = False
    slow: float = 0
    error_rate: float = 0
    drop_rate: float = 0
    truncate_rate: float = 0
    too_many_rate: float = 0
    retry_after: int = 1
    expire_rate: float = 0
    stall_rate: float = 0
    stall_seconds: float = 0
    down: bool = False
    largest_bare: int = 0
    delete_during_walk: int = 0
    insert_during_walk: int = 0
    json_not_json: bool = False
    demands_exp: bool = False
    clock_skew: float = 0
    slow_writes: float = 0
    write_error_rate: float = 0
    late_error_rate: float = 0
    lost_answer_rate: float = 0
    forbid_after: int = -1
    seed: int = 0
    spoil: dict[bytes, bytes] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    inserted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(self.seed)

    def strikes(self, share: float) -> bool:
        """Whether a trap with this share strikes now; the same seed gives the same row of answers."""
        if share <= 0:
            return False
        with self._lock:
            return self._random.random() < share

    def forbids(self) -> bool:
        """Is this write one too many for `forbid_after`? Counts it when it is not."""
        with self._lock:
            if self.forbid_after > 0:
                self.forbid_after -= 1
                return False
            return self.forbid_after == 0

    def choose(self, options: list[Option], number: int = 1) -> list[Option]:
        """`number` different members of `options` (fewer when there are fewer), at random."""
        with self._lock:
            return self._random.sample(options, min(number, len(options)))

    def set_from_text(self, assignment: str) -> None:
        """Turn on a trap written as `name=value`, as the command line has it.

        Raises ValueError when the name is no switch or the value does not fit it.
        """
        name, separator, text = assignment.partition("=")
        switch = {each.name: each.type for each in fields(self)}.get(name)
        if switch not in (bool, int, float):
            raise ValueError(f"there is no trap named {name!r}")
        if switch is bool:
            words = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
            if text.lower() not in words or (separator and not text):
                raise ValueError(f"{name} is a switch: give true or false")
            setattr(self, name, words[text.lower()])
        else:
            try:
                setattr(self, name, switch(text))
            except ValueError:
                raise ValueError(f"{name} needs a number") from None
        if name == "seed":
            self._random = random.Random(self.seed)
