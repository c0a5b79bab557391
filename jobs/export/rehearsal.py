"""`klantbrug export run --dry-run`: what a run would do, without sending anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from gateway.config.target import Target
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.base.kinds import KINDS
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL, Leaving
from gateway.target.client import Register
from gateway.target.contents import at_home, expected
from jobs.common.progress import Step
from jobs.export.run import REGISTER, must_be_same
from mappings.klantinteracties import Invalid, check, load

READ_AT_ONCE = 500


def rehearse(store: Store, settings: Target, show: Callable[[Step], None]) -> dict[str, Any]:
    """Per kind how many are here, at the register and still to be sent, and what the rules of the API refuse.

    Raises OtherRegister, TargetError.
    """
    must_be_same(store, settings)
    register = Register(settings)
    kinds, refused = {}, Counter[tuple[str, str]]()
    try:
        for kind in KINDS:
            there = register.count(BY_KIND[kind].path)
            with store.read() as connection:
                held, known = documents.count(connection, kind), pairs.counts(connection).get(kind, {})
            kinds[kind] = {"documents": held, "theirs": there, "to_send": 0}
            after = BEFORE_ALL
            while True:
                with store.read() as connection:
                    found = documents.unsent(connection, kind, after, READ_AT_ONCE)
                for leaving in found:
                    after = leaving.place
                    if cause := _refusal(leaving):
                        refused[kind, cause] += 1
                kinds[kind]["to_send"] += len(found)
                show(Step(REGISTER, kind, kinds[kind]["to_send"], held - sum(known.values())))
                if len(found) < READ_AT_ONCE:
                    break
    finally:
        register.close()
    return {
        "register": settings.url,
        "kinds": kinds,
        "refused": [
            {"kind": kind, "cause": cause, "count": count} for (kind, cause), count in sorted(refused.items())
        ],
    }


def _refusal(leaving: Leaving) -> str:
    """Why a register that keeps to the API refuses a document; blank when it does not."""
    sent = expected(at_home(leaving))
    sent = {name: value for name, value in sent.items() if not name.startswith("voorkeurs")}
    try:
        given = load(leaving.kind, sent, partial=False, stored=None)
        wrong = check(leaving.kind, given, given, creating=True, whole=True)
    except Invalid as error:
        wrong = list(error.params)
    return ", ".join(sorted({f"{param.name} {param.code}" for param in wrong}))


def text(found: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [f"Proefrun, er is niets verstuurd. Naar {found['register']}:"]
    for kind, row in found["kinds"].items():
        if row["documents"] or row["theirs"]:
            lines.append(
                f"  {kind}: {row['documents']} hier, {row['theirs']} daar, {row['to_send']} te versturen"
            )
    for one in found["refused"]:
        lines.append(f"  {one['count']} {one['kind']} zal het register weigeren ({one['cause']}).")
    return "\n".join(lines)
