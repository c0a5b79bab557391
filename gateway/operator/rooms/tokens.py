"""The tokens of clients as an operator sees them; never the token itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.base.clock import DUTCH_TIME, now, utc_now
from gateway.operator.rooms.notes import note
from gateway.store.base.store import Store
from gateway.store.operation import tokens


class NoDay(ValueError):
    """Not a day, or one that is past; the text says so."""


def end_of_day(day: str) -> int | None:
    """The end in Dutch time of a day as browsers write it (2027-01-31), in microseconds UTC; None for blank.

    Raises NoDay.
    """
    if not day.strip():
        return None
    try:
        end = datetime.strptime(day.strip(), "%Y-%m-%d").replace(tzinfo=DUTCH_TIME) + timedelta(days=1)
    except ValueError:
        raise NoDay("Dit is geen dag; schrijf bijvoorbeeld 2027-01-31.") from None
    if end <= utc_now():
        raise NoDay("Deze dag is voorbij.")
    return int(end.timestamp()) * 1_000_000


def listing(store: Store) -> list[dict[str, Any]]:
    """Every token with its `state` in words: in gebruik, verlopen, ingetrokken, or vervangen, werkt nog even."""
    moment = now()
    return [
        row._asdict() | {"state": _state(row, moment), "usable": _usable(row, moment)}
        for row in tokens.listing(store)
    ]


def scope_of(store: Store, name: str) -> str:
    """The scopes of the token of this name that is not replaced or revoked; blank when there is none."""
    return next(
        (row.scope for row in tokens.listing(store) if row.name == name.strip() and row.revoked is None), ""
    )


def revoke(store: Store, name: str, who: str, why: str) -> bool:
    """Take a token out of use. Out: was there one of this name?"""
    if not tokens.revoke(store, name):
        return False
    note(store, f"token {name} ingetrokken", who, why)
    return True


def scopes_of(chosen: Sequence[str], resource: str) -> str:
    """The scopes that were ticked as a text; with a resource those about persons are for it only."""
    narrowed = [f"{each}:{resource}" if resource and each in ("read", "write") else each for each in chosen]
    return " ".join(narrowed)


def _usable(row: tokens.TokenRow, moment: int) -> bool:
    return row.revoked is None and (row.expires is None or row.expires > moment)


def _state(row: tokens.TokenRow, moment: int) -> str:
    if row.revoked is not None:
        return "ingetrokken" if row.revoked <= moment else "vervangen, werkt nog even"
    return "verlopen" if row.expires is not None and row.expires <= moment else "in gebruik"
