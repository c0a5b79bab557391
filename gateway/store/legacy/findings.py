"""What was found: in legacy objects, in the statements that were merged, and in a source as a whole.

Questions go inside `Store.read()`, the rest inside `Store.write()`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.kinds import RAW_KIND, TRANSLATED
from gateway.store.base.session import Session
from gateway.store.indexes import tallies
from mappings.incoming import unplaced_fields
from mappings.model.findings import Finding

_BITS = ", ".join(
    "({}, '{}', '{}', '{}')".format(
        bit, veld, *unplaced_fields.INGEVULD.get(veld, ("M36", unplaced_fields.ACTION))
    )
    for veld, bit in unplaced_fields.BIT.items()
)
# The findings that hold for a source once, and its fields without a place (M30, M36). Those are counted from what is
# held, so they are right whatever changed or went. The columns of SourceFinding; SQL of its own so that the dump can
# use it too. CROSS JOIN keeps the few counted numbers outside, and the index is all that is read of the objects.
SOURCE_FINDINGS = (
    "SELECT s.name AS source, f.rule AS rule, f.field AS field, f.severity AS severity, f.action AS action,"
    " NULL AS found FROM source_finding f JOIN source s ON s.id = f.source"
    " UNION ALL"
    f" SELECT s.name, v.rule, v.veld, '{unplaced_fields.SEVERITY}', v.action, sum(m.found)"
    " FROM (SELECT source, facts ->> '$.zonder_plaats' AS mask, count(*) AS found"
    " FROM raw INDEXED BY raw_zonder_plaats WHERE facts ->> '$.zonder_plaats' IS NOT NULL"
    " GROUP BY source, facts ->> '$.zonder_plaats') m"
    f" CROSS JOIN (SELECT column1 AS bit, column2 AS veld, column3 AS rule, column4 AS action"
    f" FROM (VALUES {_BITS}) AS bits) v JOIN source s ON s.id = m.source"
    " WHERE CAST(m.mask AS INTEGER) & v.bit != 0 GROUP BY s.name, v.veld, v.rule, v.action"
)


def delete_findings(connection: Session, rows: Iterable[int]) -> None:
    """Forget what was found in these legacy objects (rows)."""
    gone = connection.all(f"DELETE FROM raw_finding WHERE raw {IN_IDS} RETURNING rule", (id_list(rows),))
    tallies.findings_go(connection, gone)


def put_findings(
    connection: Session, stage: int, rows: Iterable[int], found: Iterable[tuple[int, Finding]]
) -> None:
    """Replace the findings of one stage on these legacy objects (rows)."""
    wanted = {
        (raw, stage, finding.rule, finding.field, str(finding.severity), finding.action)
        for raw, finding in found
    }
    held = set(
        connection.all(
            f"SELECT raw, stage, rule, field, severity, action FROM raw_finding WHERE stage = ? AND raw {IN_IDS}",
            (stage, id_list(rows)),
        )
    )
    connection.many(
        "DELETE FROM raw_finding WHERE raw = ? AND stage = ? AND rule = ? AND field = ? AND severity = ?"
        " AND action = ?",
        held - wanted,
    )
    connection.many(
        "INSERT INTO raw_finding (raw, stage, rule, field, severity, action) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (raw, stage, rule, field, action) DO UPDATE SET severity = excluded.severity",
        sorted(wanted - held),
    )
    change = Counter(rule for _, _, rule, _, _ in {_place(row) for row in wanted})
    change.subtract(Counter(rule for _, _, rule, _, _ in {_place(row) for row in held}))
    tallies.add_findings(connection, change)


def _place(finding: tuple[int, int, str, str, str, str]) -> tuple[int, int, str, str, str]:
    """What no two findings on objects share: all but the severity."""
    raw, stage, rule, field, _, action = finding
    return raw, stage, rule, field, action


def put_statement_findings(
    connection: Session, statements: Iterable[int], found: Iterable[tuple[int, Finding]]
) -> None:
    """Replace what merging found in these statements (rows)."""
    wanted = {
        (statement, finding.rule, finding.field, str(finding.severity), finding.action)
        for statement, finding in found
    }
    held = set(
        connection.all(
            "SELECT statement, rule, field, severity, action FROM statement_finding"
            f" WHERE statement {IN_IDS}",
            (id_list(statements),),
        )
    )
    connection.many(
        "DELETE FROM statement_finding WHERE statement = ? AND rule = ? AND field = ? AND severity = ?"
        " AND action = ?",
        held - wanted,
    )
    connection.many(
        "INSERT INTO statement_finding (statement, rule, field, severity, action) VALUES (?, ?, ?, ?, ?)",
        sorted(wanted - held),
    )
    if wanted != held:
        gone, come = ([row[:2] for row in rows] for rows in (held - wanted, wanted - held))
        tallies.statement_findings_change(connection, gone, come)


class SourceFinding(NamedTuple):
    """A finding on a source; `found` is how many objects fill the field, None for what is not counted."""

    source: str
    rule: str
    field: str
    severity: str
    action: str
    found: int | None


def source_findings(connection: Session) -> list[SourceFinding]:
    """All findings on sources, in the order of source, rule and field. Call inside `Store.read()`."""
    rows = connection.all(f"SELECT * FROM ({SOURCE_FINDINGS}) f ORDER BY source, rule, field")
    return [SourceFinding(*row) for row in rows]


def put_source_findings(connection: Session, source: int, found: Iterable[Finding]) -> None:
    """Note findings that are about a source as a whole, once each."""
    connection.many(
        "INSERT INTO source_finding VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(source, item.rule, item.field, str(item.severity), item.action) for item in found],
    )


def drop_source_finding(
    connection: Session, source: int, rule: str, generiek: Iterable[str], soorten: Iterable[str]
) -> None:
    """Take back a finding on a source when none of its klantcontacten is of a zaak with a rol of this
    omschrijvingGeneriek and another soort than these; whether a client deleted who that is makes no difference."""
    connection.run(
        "DELETE FROM source_finding WHERE source = ?1 AND rule = ?2 AND NOT EXISTS (SELECT 1 FROM raw k"
        f" CROSS JOIN raw r ON r.source = ?1 AND r.zaak = k.zaak AND r.kind = {RAW_KIND['rol']}"
        f" WHERE k.source = ?1 AND k.kind = {RAW_KIND['klantcontact']} AND k.state = {TRANSLATED}"
        f" AND +r.state = {TRANSLATED}"
        " AND r.facts ->> '$.generiek' IN (SELECT value FROM json_each(?3))"
        " AND r.facts ->> '$.soort' NOT IN (SELECT value FROM json_each(?4)))",
        (source, rule, list(generiek), list(soorten)),
    )
