"""How many legacy objects there are in each state, and how many findings by rule: kept, so that no status counts them.

Whoever writes objects, claims or findings adds here what changed, in the same transaction. A finding on an object
counts once; a finding on a statement once for each claim that makes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.session import Session

_RAWS = "SELECT source, kind, state, count(*) AS found FROM raw GROUP BY source, kind, state"
_FINDINGS = (
    "SELECT rule, sum(found) AS found FROM (SELECT rule, count(*) AS found FROM raw_finding GROUP BY rule"
    " UNION ALL SELECT f.rule, count(*) FROM statement_finding f JOIN claim c ON c.statement = f.statement"
    " GROUP BY f.rule) each_of GROUP BY rule"
)

# Objects: source, kind (its number) and state.
Place = tuple[int, int, int]


def raws(connection: Session) -> list[tuple[int, int, int, int]]:
    """How many legacy objects there are: source, kind, state, number."""
    return connection.all("SELECT source, kind, state, found FROM raw_tally WHERE found <> 0")


def findings(connection: Session) -> dict[str, int]:
    """How many findings on objects and statements there are, by rule."""
    return dict(connection.all("SELECT rule, found FROM finding_tally WHERE found <> 0"))


def add_raws(connection: Session, changes: Counter[Place]) -> None:
    """Note that so many more (or fewer) legacy objects are in a state."""
    connection.many(
        "INSERT INTO raw_tally (source, kind, state, found) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (source, kind, state) DO UPDATE SET found = raw_tally.found + excluded.found",
        [(*place, number) for place, number in changes.items() if number],
    )


def add_findings(connection: Session, changes: Counter[str]) -> None:
    """Note that there are so many more (or fewer) findings by a rule."""
    connection.many(
        "INSERT INTO finding_tally (rule, found) VALUES (?, ?)"
        " ON CONFLICT (rule) DO UPDATE SET found = finding_tally.found + excluded.found",
        [(rule, number) for rule, number in changes.items() if number],
    )


def raws_move(connection: Session, rows: Iterable[int], state: int | None) -> None:
    """Note that these legacy objects (rows) are about to be in a state; None: to be no more."""
    found = connection.all(
        f"SELECT source, kind, state, count(*) FROM raw WHERE id {IN_IDS} GROUP BY source, kind, state",
        (id_list(rows),),
    )
    changes: Counter[Place] = Counter()
    for source, kind, before, number in found:
        changes[source, kind, before] -= number
        if state is not None:
            changes[source, kind, state] += number
    add_raws(connection, changes)


def findings_go(connection: Session, rules: Iterable[tuple[str]]) -> None:
    """Note that findings went: their rules, as RETURNING gives them."""
    gone: Counter[str] = Counter()
    gone.subtract(rule for (rule,) in rules)
    add_findings(connection, gone)


def claims_go(connection: Session, raws: Iterable[int]) -> None:
    """Note that all claims of these legacy objects (rows) are about to go."""
    found = connection.all(
        "SELECT f.rule, -count(*) FROM claim c JOIN statement_finding f ON f.statement = c.statement"
        f" WHERE c.raw {IN_IDS} GROUP BY f.rule",
        (id_list(raws),),
    )
    add_findings(connection, Counter(dict(found)))


def claims_come(connection: Session, statements: Counter[int]) -> None:
    """Note that so many claims more make each of these statements (rows)."""
    found = connection.all(
        f"SELECT statement, rule FROM statement_finding WHERE statement {IN_IDS}", (id_list(statements),)
    )
    changes: Counter[str] = Counter()
    for statement, rule in found:
        changes[rule] += statements[statement]
    add_findings(connection, changes)


def statement_findings_change(
    connection: Session, gone: Iterable[tuple[int, str]], come: Iterable[tuple[int, str]]
) -> None:
    """Note that findings on statements (row and rule) go and come."""
    change: Counter[tuple[int, str]] = Counter(come)
    change.subtract(Counter(gone))
    makers = dict(
        connection.all(
            f"SELECT statement, count(*) FROM claim WHERE statement {IN_IDS} GROUP BY statement",
            (id_list({statement for (statement, _), number in change.items() if number}),),
        )
    )
    by_rule: Counter[str] = Counter()
    for (statement, rule), number in change.items():
        by_rule[rule] += number * makers.get(statement, 0)
    add_findings(connection, by_rule)


def miscounted(connection: Session) -> bool:
    """Is anything else kept than counting gives? Reads everything."""
    counted = {(row[0], row[1], row[2], row[3]) for row in connection.all(_RAWS)}
    return counted != set(raws(connection)) or dict(connection.all(_FINDINGS)) != findings(connection)


def count_again(connection: Session) -> None:
    """Count everything, and keep that."""
    connection.run("DELETE FROM raw_tally")
    connection.run("DELETE FROM finding_tally")
    connection.run(f"INSERT INTO raw_tally (source, kind, state, found) {_RAWS}")
    connection.run(f"INSERT INTO finding_tally (rule, found) {_FINDINGS}")
