"""The reports of verify as the room Bewijs shows them, and two of them side by side."""

from __future__ import annotations

from typing import Any

from gateway.operator import kept_reports
from gateway.operator.verify_report import SORTS, WRONG, sentence, title, zaaktype
from gateway.store.base.store import Store

NAMED_SHOWN = 200


def lines(store: Store, known: dict[int, tuple[str, int]]) -> list[dict[str, Any]]:
    """The kept reports, newest first: as `kept_reports.latest`, each with its `sentence` and what it `found`.

    `known` has both of reports that were read before, by number: a report never changes, and may be large.
    """
    shown = []
    for line in kept_reports.latest(store):
        if line["id"] not in known and (report := kept_reports.get_report(store, line["id"])):
            known[line["id"]] = sentence(report), report["found"]
        said, found = known.get(line["id"], ("", 0))
        shown.append(line | {"sentence": said, "found": found})
    return shown


def differences(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What differs, by sort, kind and zaaktype: how many, and in which fields as far as they are named."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in report["zaaktypen"]:
        for sort in WRONG:
            if row.get(sort):
                key = (sort, row["kind"], zaaktype(report, row["zaaktype"], row["kind"]))
                one = found.setdefault(key, _group(*key))
                one["count"] += row[sort]
    for kind, row in report["documents"].items():
        for sort in ("missing", "extra", "different"):
            if row[sort]:
                key = (f"document_{sort}", kind, "")
                found.setdefault(key, _group(*key))["count"] += row[sort]
    for sort, named in report["named"].items():
        for each in named:
            of = "" if sort.startswith("document") else zaaktype(report, each["zaaktype"], each["kind"])
            one = found.setdefault((sort, each["kind"], of), _group(sort, each["kind"], of))
            one["fields"] |= dict.fromkeys(each.get("fields", ()))
            one["repaired"] += each["repaired"]
            if len(one["named"]) < NAMED_SHOWN:
                one["named"].append(each)
    return list(found.values())


def _group(sort: str, kind: str, of: str) -> dict[str, Any]:
    return {
        "sort": sort,
        "heading": SORTS.get(sort, sort),
        "kind": kind,
        "title": title(kind) if not sort.startswith("document") else kind,
        "zaaktype": of,
        "count": 0,
        "fields": {},
        "repaired": 0,
        "named": [],
    }


def side_by_side(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What changed from one report to another: counts by kind and sort, and which objects went, came and stayed."""
    kinds = []
    for kind in dict.fromkeys([*one["kinds"], *other["kinds"]]):
        before, after = one["kinds"].get(kind, {}), other["kinds"].get(kind, {})
        kinds.append(
            {
                "title": title(kind),
                "counts": [
                    {"sort": SORTS[sort], "before": before.get(sort, 0), "after": after.get(sort, 0)}
                    for sort in WRONG
                    if before.get(sort) or after.get(sort)
                ],
                "compared": (before.get("compared", 0), after.get("compared", 0)),
            }
        )
    first, second = _named(one), _named(other)
    return {
        "kinds": kinds,
        "gone": sorted(first - second),
        "new": sorted(second - first),
        "stayed": sorted(first & second),
    }


def _named(report: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (SORTS.get(sort, sort), each["kind"], each["uuid"])
        for sort, named in report["named"].items()
        for each in named
    }
