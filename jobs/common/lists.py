"""Which lists of a source a backfill walks, and in what parts.

A page deep in a list costs the source more than one at its front. Measured: 1.1 s at the front of the rollen, 2.8 s
behind a million. Zaken can be asked by registratiedatum (1.3 and later), so a long list of them is walked in parts.
Nothing like it exists for rollen and klantcontacten. Their other filters (betrokkeneType, omschrijvingGeneriek) have
no index at the source: it would walk as deep, once for each value. By zaak is a call for each zaak, and
`expand=rollen` cost 137 ms for two zaken where a rol in a list costs 2 ms. So those are walked whole.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from gateway.base.clock import today
from gateway.legacy.client.source_client import ZakenClient
from mappings.standards import CONNECTION, KINDS, in_order, walked

# What ties contactmomenten and has no pages: asked for each contactmoment, before it is taken (M34). That of the Zaken
# API is also read by itself (jobs/common/zaakcontactmomenten.py), for it may point elsewhere.
UNPAGED_TIES = tuple(kind.name for kind in in_order() if kind.ties and not kind.paged)
# Dividing costs a count for each part, so it must be worth it; a part of this size has no deep pages.
PART = 20_000
FIRST_DAY = date(2000, 1, 1)

Filters = dict[str, str]


def kinds_of(client: ZakenClient) -> tuple[str, ...]:
    """The kinds of objects that are walked in this source, in order."""
    return tuple(kind.name for kind in walked() if client.has_api(kind.api))


def ties_in(client: ZakenClient) -> tuple[str, ...]:
    """The kinds that are asked for each contactmoment of this source."""
    kinds = UNPAGED_TIES if client.has_api("contactmomenten") else ()
    return tuple(kind for kind in kinds if kind != CONNECTION or client.zaakcontactmomenten != "geen")


def all_kinds_of(client: ZakenClient) -> tuple[str, ...]:
    """The kinds of objects that this source has in its version now. Raises LegacyError."""
    connections = (CONNECTION,) if client.can(CONNECTION, "zaak") else ()
    return (*kinds_of(client), *(kind for kind in ties_in(client) if kind != CONNECTION), *connections)


def ties_of(client: ZakenClient, kind: str, moment: UUID) -> list[dict[str, Any]]:
    """The ties of one kind of a contactmoment; none in a version that has no such list. Raises LegacyError."""
    parameter = KINDS[kind].asked_by["contactmoment"]
    if not client.can(kind, parameter):
        return []
    return client.all(kind, {parameter: client.url_of("contactmoment", str(moment))})


def parts_of(client: ZakenClient, kind: str, part: int = PART) -> list[Filters]:
    """The filters of the parts in which a list is walked; [{}] is the whole list at once. Raises LegacyError.

    Counts are hints: they decide how it is divided. When the parts together count less than the whole, something lies
    outside of them, and the list is walked whole.
    """
    field = KINDS[kind].dated
    if not field or not (client.can(kind, f"{field}__gt") and client.can(kind, f"{field}__lt")):
        return [{}]

    def counted(filters: Filters) -> int:
        count = client.first(kind, filters)[1]
        return count.number if count.number is not None and count.exact else 0

    whole = counted({})
    if whole <= part:
        return [{}]
    tomorrow = today() + timedelta(days=1)
    found = _divided(lambda start, end: counted(_between(field, start, end)), FIRST_DAY, tomorrow, part)
    starts = [None, *(start for start, _ in found), tomorrow]
    parts = [_between(field, start, end) for start, end in zip(starts, [*starts[1:], None], strict=True)]
    around = counted(parts[0]) + counted(parts[-1])
    if around + sum(number for _, number in found) < min(whole, counted({})):
        return [{}]
    return parts


def _between(field: str, start: date | None, end: date | None) -> Filters:
    """From `start` up to, not including, `end`; the filters themselves exclude both ends."""
    filters = {}
    if start is not None:
        filters[f"{field}__gt"] = (start - timedelta(days=1)).isoformat()
    if end is not None:
        filters[f"{field}__lt"] = end.isoformat()
    return filters


def _divided(
    counted: Callable[[date, date], int], start: date, end: date, part: int
) -> list[tuple[date, int]]:
    """Divide a period until no piece holds more than `part`, or is longer than a day: (first day, how many)."""
    number = counted(start, end)
    days = (end - start).days
    if number <= part or days <= 1:
        return [(start, number)]
    middle = start + timedelta(days=days // 2)
    return _divided(counted, start, middle, part) + _divided(counted, middle, end, part)
