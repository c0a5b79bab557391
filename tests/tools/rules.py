"""Which files name each rule: `make reference` puts the tables in docs/mapping.md, writeback.md and export.md."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from builders.paths import ROOT

DOCUMENT = ROOT / "docs" / "mapping.md"
HEADING = "## Waar elke regel staat\n"
RULES = [f"M{number}" for number in range(1, 43) if number not in range(37, 40)]
WRITEBACK = ROOT / "docs" / "writeback.md"
WRITEBACK_RULES = [f"W{number}" for number in range(1, 15)]
EXPORT = ROOT / "docs" / "export.md"
EXPORT_RULES = [f"E{number}" for number in range(1, 13)]
ALL = {*RULES, *WRITEBACK_RULES, *EXPORT_RULES}
RULE = re.compile(r"\b([MWE])(\d{1,2})(?:-[MWE](\d{1,2}))?\b")


def named_in(text: str) -> set[str]:
    """The rules that a text names, also those within M10-M17."""
    found: set[str] = set()
    for letter, first, last in RULE.findall(text):
        found |= {f"{letter}{number}" for number in range(int(first), int(last or first) + 1)}
    return found & ALL


def files_by_rule(files: Iterable[Path]) -> dict[str, list[str]]:
    """For each rule the files that name it, as paths from the root."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(files):
        for rule in named_in(path.read_text(encoding="utf-8")):
            found[rule].append(str(path.relative_to(ROOT)))
    return found


def cited(text: str) -> set[str]:
    """The rules that a test file cites as words of their own."""
    return set(re.findall(r"\b[MWE]\d{1,2}\b", text)) & ALL


def test_files() -> list[Path]:
    """The files with tests in them."""
    return list((ROOT / "tests").rglob("test_*.py"))


def table(rules: list[str] = RULES) -> str:
    """The chapter with the table."""
    code = files_by_rule(path for path in (ROOT / "mappings").rglob("*.py"))
    other = files_by_rule([*(ROOT / "gateway").rglob("*.py"), *(ROOT / "jobs").rglob("*.py")])
    tests = files_by_rule(test_files())
    rows = [
        HEADING,
        "Gemaakt uit de code met `make reference`.\n",
        "| Regel | Code | Tests |",
        "|---|---|---|",
    ]
    for rule in rules:
        where = code.get(rule) or other.get(rule, [])
        cells = (", ".join(f"`{name}`" for name in names) for names in (where, tests.get(rule, [])))
        rows.append(f"| {rule} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write the chapter at the end of the documents."""
    for document, rules in ((DOCUMENT, RULES), (WRITEBACK, WRITEBACK_RULES), (EXPORT, EXPORT_RULES)):
        text = document.read_text(encoding="utf-8").split(HEADING)[0].rstrip()
        document.write_text(f"{text}\n\n{table(rules)}", encoding="utf-8")


if __name__ == "__main__":
    main()
