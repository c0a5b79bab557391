"""How far the export is, for people and for machines: numbers, causes and names of fields, no values."""

from __future__ import annotations

from typing import Any

from gateway.base.dutch_time import local
from gateway.config.target import Target
from gateway.operator.export.advice import AGAIN, advice
from gateway.operator.export.report import overwritten_line, sentence
from gateway.store.base.kinds import KINDS
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.pairs import FOLLOW
from gateway.store.operation import runs
from gateway.store.operation.sources import meta_of

JOB = "export"


def overview(store: Store, settings: Target) -> dict[str, Any]:
    """Per kind what was sent, what waits, what the register refuses and keeps, and the last run and proof."""
    with store.read() as connection:
        state, counts = pairs.state(connection), pairs.counts(connection)
        kinds = {}
        for kind in KINDS:
            there, held = counts.get(kind, {}), documents.count(connection, kind)
            known = sum(there.values())
            kinds[kind] = {"documents": held, **there, "left": max(0, held - known)}
        report = pairs.last_report(connection)
        last = runs.last_run(connection, JOB)
        return {
            "register": state.target or settings.url,
            "begun": bool(state.target),
            "following": state.noting and meta_of(connection, FOLLOW) == "on",
            "kinds": kinds,
            "due": documents.count_due(connection),
            "parked": [
                {"kind": kind, "cause": cause, "count": count, "parked": parked, "advice": advice(cause)}
                for kind, parked, cause, count in pairs.causes(connection)
            ],
            "kept": [
                {"kind": kind, "fields": fields.split(", "), "count": count}
                for kind, fields, count in pairs.kept_fields(connection)
            ],
            "overwritten": [
                {"kind": kind, "fields": fields.split(", "), "count": count}
                for kind, fields, count in pairs.overwritten_fields(connection)
            ],
            "last_run": {"started": last[0], "status": last[1]} if last else None,
            "last_report": {name: report[name] for name in ("id", "ended", "mode", "clean", "found")}
            | {"sentence": sentence(report)}
            if report
            else None,
        }


def text(found: dict[str, Any]) -> str:
    """The same for a person."""
    if not found["register"]:
        return "Er is geen register om naar te verhuizen: [target] url is leeg."
    if not found["begun"]:
        return f"Er is nog niets verstuurd naar {found['register']}; begin met klantbrug export run."
    lines = [f"Naar {found['register']}:"]
    for kind, row in found["kinds"].items():
        if not row["documents"] and len(row) == 2:
            continue
        there = row.get("sent", 0) + row.get("found", 0)
        parts = [f"{there} verstuurd"]
        parts += [f"{row['taken']} was er al"] if row.get("taken") else []
        parts += [f"{row['sending']} onderweg"] if row.get("sending") else []
        parts += [f"{row['parked']} geweigerd"] if row.get("parked") else []
        parts += [f"{row['left']} nog niet"] if row["left"] else []
        lines.append(f"  {kind}: {row['documents']}; {', '.join(parts)}")
    for one in found["parked"]:
        what = "geweigerd" if one["parked"] else "wijziging geweigerd"
        lines.append(f"  {one['count']} {one['kind']} {what} ({one['cause']}). {one['advice']}")
    if found["parked"]:
        lines.append(f"  {AGAIN}")
    for one in found["kept"]:
        fields = ", ".join(one["fields"])
        lines.append(f"  {one['count']} {one['kind']} houdt daar zijn eigen waarde in: {fields}.")
    lines += [f"  {overwritten_line(one)}" for one in found["overwritten"]]
    follows = "worden gevolgd" if found["following"] else "wachten op klantbrug export run of export follow"
    lines.append(f"Wijzigingen {follows}; nog te versturen: {found['due']}.")
    if last := found["last_report"]:
        lines.append(f"Laatste bewijs (rapport {last['id']}, {local(last['ended'])}): {last['sentence']}.")
    return "\n".join(lines)
