"""The report of an export verify for people: a sentence, a text for a terminal, and one page to file (E6)."""

from __future__ import annotations

from typing import Any

import click

from gateway.base.dutch_time import local
from gateway.operator import report_page
from gateway.operator.export.advice import advice
from gateway.operator.status import COLOURS, proof_label

# Columns, in order: name in the report, heading, what it means.
COLUMNS = (
    ("ours", "Hier", "documenten in Klantbrug"),
    ("theirs", "Daar", "objecten in het register"),
    ("compared", "Vergeleken", "staan aan beide kanten"),
    ("missing", "Ontbreekt", "staat hier, niet in het register"),
    ("extra", "Te veel", "staat in het register en niet (meer) hier"),
    ("different", "Verschilt", "zegt daar iets anders"),
)
WRONG = ("missing", "extra", "different")


def sentence(report: dict[str, Any]) -> str:
    """The outcome in one Dutch sentence, without its capital and full stop."""
    found = report["found"]
    if not found:
        reach = " voor zover de steekproef reikt" if report["mode"] == "sample" else ""
        return f"schoon: het register zegt hetzelfde als Klantbrug{reach}"
    return f"NIET schoon: {'1 verschil' if found == 1 else f'{found} verschillen'}"


def apart(report: dict[str, Any]) -> list[str]:
    """What is told beside the outcome and does not count, in Dutch sentences."""
    lines = []
    for one in report["parked"]:
        lines.append(
            f"{one['count']} {one['kind']} weigert het register ({one['cause']}). {advice(one['cause'])}"
        )
    lines += [f"{count} {kind} wacht op wat geweigerd is." for kind, count in report["waiting"].items()]
    for name, count in report["set_by_register"].items():
        lines.append(f"{_field(name)}: zet het register zelf, bij {count}.")
    for name, count in report["kept"].items():
        lines.append(
            f"{_field(name)}: het register houdt zijn eigen waarde, bij {count} ([target] on_existing)."
        )
    for name, count in report.get("changed_there", {}).items():
        lines.append(f"{_field(name)}: verschilt omdat iemand het in het register wijzigde, bij {count}.")
    lines += [overwritten_line(one) for one in report.get("overwritten", ())]
    for kind, count in report["others"].items():
        lines.append(
            f"{count} {kind} in het register is niet van Klantbrug; daarover zegt dit rapport niets."
        )
    lines += [f"{count} {kind} is onderweg." for kind, count in report["under_way"].items()]
    return lines


def overwritten_line(one: dict[str, Any]) -> str:
    """Where a value of the register gave way to ours: kind, fields and count."""
    fields = ", ".join(one["fields"])
    return f"{one['count']} {one['kind']} had daar een andere waarde en kreeg die van hier, in: {fields}."


def _field(name: str) -> str:
    kind, _, field = name.partition(" ")
    return f"{field} van {kind}"


def text(report: dict[str, Any]) -> str:
    """The report for a terminal."""
    colour = COLOURS[proof_label(report["clean"]).level]
    said = sentence(report)
    lines = [
        f"Rapport {report['id']}, {_mode(report)}, klaar {local(report['ended'])}:",
        click.style(f"{said[:1].upper()}{said[1:]}.", bold=True, fg=colour),
    ]
    for kind, row in report["kinds"].items():
        if row["ours"] or row["theirs"]:
            shown = [f"{row[name]} {heading.lower()}" for name, heading, _ in COLUMNS if row[name]]
            lines.append(f"  {kind}: {', '.join(shown)}")
    lines += [f"  {line}" for line in apart(report)]
    for one in report["details"][:20]:
        fields = f" ({', '.join(one['fields'])})" if one["fields"] else ""
        lines.append(f"  {one['what']} {one['kind']} {one['own'] or '-'} / {one['theirs'] or '-'}{fields}")
    if len(report["details"]) > 20:
        lines.append("  Meer staat in het rapport (--json, --html).")
    return "\n".join(lines)


def page(report: dict[str, Any]) -> str:
    """The report as one page of HTML that needs nothing beside it."""
    return report_page.page(
        "export_report.html",
        report=report,
        sentence=sentence(report),
        mode=_mode(report),
        columns=COLUMNS,
        wrong=WRONG,
        apart=apart(report),
        words={"missing": "ontbreekt", "extra": "te veel", "different": "verschilt"},
    )


def _mode(report: dict[str, Any]) -> str:
    if report["mode"] == "full":
        return "alles vergeleken"
    return f"steekproef van {report['sample']} objecten (startgetal {report['seed']})"
