"""What did not fit, counted for an operator, with what to do about it."""

from __future__ import annotations

from typing import Any

from gateway.store.base.store import Store
from gateway.store.inspect import findings
from gateway.store.inspect.findings import Selection
from mappings.explain import advice


def count_findings(store: Store, selection: Selection, examples: int) -> list[dict[str, Any]]:
    """The findings counted, with what to do about them and examples by uuid; without values."""
    with store.read() as connection:
        return [
            {
                "rule": group.rule,
                "about": advice.about(group.rule),
                "severity": group.severity,
                "source": group.source,
                "field": group.field,
                "count": group.count,
                "action": group.action,
                "advice": advice.advice(group.rule),
                "examples": [
                    {"kind": each.kind, "uuid": str(each.uuid), "action": each.action}
                    for each in findings.examples(connection, group, examples)
                ],
            }
            for group in findings.groups(connection, selection)
        ]
