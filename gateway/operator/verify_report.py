"""The report of a verify for people: a sentence, a text for a terminal, and one page to file."""

from __future__ import annotations

from typing import Any

import click

from gateway.base.dutch_time import local
from gateway.legacy.client.zaaktypen import Zaaktype, without_zaken
from gateway.operator import report_page
from gateway.operator.report_page import number
from gateway.operator.status import COLOURS, proof_label
from mappings.standards import KINDS
from mappings.standards.declaration import Decides

# Columns of the tables, in order: name in the report, heading, what it means.
COLUMNS = (
    ("compared", "Vergeleken", "objecten die in de bron of in de opslag staan"),
    ("equal", "Gelijk", "staan in beide en zeggen hetzelfde"),
    ("missing", "Ontbreekt", "staat in de bron, niet in de opslag"),
    ("extra", "Te veel", "staat in de opslag, is weg uit de bron (404 of 410)"),
    ("different", "Verschilt", "de bron zegt iets anders dan de opslag, of de opslag is beschadigd"),
    ("invisible", "Onzichtbaar", "staat in de opslag; de bron toont het niet meer aan deze applicatie (403)"),
    (
        "left_out",
        "Weggelaten",
        "met opzet niet overgenomen: zaak te vertrouwelijk of niet leesbaar (regel M34)",
    ),
    ("waiting", "Wacht", "wacht op een zaak die nog niet bekend is (regel M34)"),
    ("quarantined", "Quarantaine", "niet te lezen (regel M3); zie klantbrug quarantine"),
)
WRONG = ("missing", "extra", "different", "invisible")
DOCUMENT_WRONG = ("missing", "extra", "different")
SORTS = {
    "missing": "Ontbreekt in de opslag",
    "extra": "Te veel in de opslag",
    "different": "Verschilt",
    "invisible": "Niet meer zichtbaar in de bron",
    "document_missing": "Document ontbreekt",
    "document_extra": "Document te veel",
    "document_different": "Document niet zoals het hoort",
}
NO_ZAAKTYPE = "zaaktype niet bekend"
# A contactmoment may be about several zaken.
NO_ZAAK = frozenset(
    kind.name for kind in KINDS.values() if kind.decides in (Decides.NOTHING, Decides.ITS_TIES)
)
WITHOUT_ZAAKTYPE = "zonder zaaktype"
VISIBLY = ", voor zover zichtbaar"


def sentence(report: dict[str, Any]) -> str:
    """The outcome in one Dutch sentence, without its capital and full stop."""
    # Reports of before have no `lost`.
    found, repaired, lost = report["found"], report["repaired"], report.get("lost", 0)
    if report["rights"]["refused_kinds"]:
        kinds = ", ".join(title(kind).lower() for kind in report["rights"]["refused_kinds"])
        return f"niet te vergelijken: de bron weigert {kinds} aan deze applicatie"
    if unread := report.get("unread", 0):
        are = "1 object is" if unread == 1 else f"{number(unread)} objecten zijn"
        beside = f"; verder {sentence(report | {'unread': 0})}" if found else "; verder geen verschil"
        return f"NIET schoon: {are} niet te lezen (quarantaine){beside}"
    sample, unsure = report["mode"] == "sample", hidden(report["rights"]["invisible"])
    if not found and unsure:
        return f"schoon{' voor zover de steekproef reikt en zichtbaar is' if sample else VISIBLY}: {unsure}"
    if not found:
        return "schoon: de opslag is gelijk aan de bron" + (
            " voor zover de steekproef reikt" if sample else ""
        )
    differences = "1 verschil" if found == 1 else f"{found} verschillen"
    if repaired == found:
        only = f"{VISIBLY}: {unsure}" if unsure else ""
        return f"{differences} gevonden en hersteld; de opslag is nu schoon{only}"
    if repaired:
        parts = [f"{differences} gevonden", f"{repaired} hersteld"]
        parts += [f"{lost} toont de bron niet meer"] if lost else []
        parts += [f"{found - repaired - lost} over"] if found > repaired + lost else []
        return f"NIET schoon: {', '.join(parts)}"
    return f"NIET schoon: {differences}" + (f"; {lost} daarvan toont de bron niet meer" if lost else "")


def hidden(counts: dict[str, int]) -> str:
    """How many held objects (by kind) the source no longer shows, as a Dutch clause; blank when there are none."""
    each = [_counted(kind, count) for kind, count in counts.items() if count]
    return f"{', '.join(each)} in de opslag toont de bron niet meer" if each else ""


def text(report: dict[str, Any]) -> str:
    """The report for a terminal: what matters of it."""
    lines = [
        f"Rapport {report['id']}, bron {report['source']}, {mode_text(report)}, klaar {local(report['ended'])}:"
    ]
    colour = COLOURS[proof_label(report["clean"]).level]
    lines.append(click.style(sentence(report)[:1].upper() + sentence(report)[1:] + ".", bold=True, fg=colour))
    for kind, row in report["kinds"].items():
        lines.append(f"  {title(kind)}: {_numbers(row)}")
    for kind, row in report["documents"].items():
        if any(row[name] for name in DOCUMENT_WRONG):
            lines.append(f"  Document {kind}: {_numbers(row)}")
    zaaktypen = [row for row in report["zaaktypen"] if any(row[name] for name in WRONG)]
    for row in zaaktypen[:20]:
        name = zaaktype(report, row["zaaktype"], row["kind"])
        lines.append(f"  Zaaktype {name}, {row['kind']}: {_numbers(row)}")
    if len(zaaktypen) > 20:
        lines.append("  Meer zaaktypen staan in het rapport (--json, --html).")
    for each in (*report["remarks"], *unseen(report)):
        lines.append(f"  Let op: {each}")
    lost = report.get("lost", 0)
    if lost:
        lines.append(
            "  Wat de bron niet meer toont, is niet te herstellen: kijk naar de rechten van de applicatie in de bron."
        )
    if report.get("unread"):
        lines.append(
            "  Wat niet te lezen is: klantbrug quarantine list. Laat het verbeteren in de bron, of laat het rusten met "
            "klantbrug quarantine dismiss UUID."
        )
    if report["found"] > report["repaired"] + lost and not report["repair"]:
        lines.append("  Herstellen: hetzelfde commando met --repair.")
    return "\n".join(lines)


def page(report: dict[str, Any]) -> str:
    """The report as one page of HTML that needs nothing beside it."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in report["zaaktypen"]:
        groups.setdefault(zaaktype(report, row["zaaktype"], row["kind"]), []).append(row)
    totals = {sort: sum(row.get(sort, 0) for row in report["kinds"].values()) for sort in WRONG} | {
        f"document_{sort}": sum(row[sort] for row in report["documents"].values()) for sort in DOCUMENT_WRONG
    }
    return report_page.page(
        "verify_report.html",
        report=report,
        sentence=sentence(report),
        mode=mode_text(report),
        title=title,
        columns=COLUMNS,
        wrong=WRONG,
        sorts=SORTS,
        groups=sorted(groups.items()),
        totals=totals,
        unseen=unseen(report),
        zaaktype=lambda each: zaaktype(report, each["zaaktype"], each["kind"]),
        empty=_empty(report),
    )


def unseen(report: dict[str, Any]) -> list[str]:
    """What the credentials can't see, in Dutch sentences."""
    rights, lines = report["rights"], []
    for kind in rights["refused_kinds"]:
        lines.append(f"De bron weigert de hele lijst van {title(kind).lower()}.")
    if rights["refused_zaken"]:
        lines.append(
            f"{number(rights['refused_zaken'])} zaken waarnaar rollen of klantcontacten wijzen, toont de bron niet "
            "aan deze applicatie: die rollen en klantcontacten zijn niet overgenomen (regel M34)."
        )
    for kind, count in rights["invisible"].items():
        lines.append(
            f"{_counted(kind, count)} in de opslag toont de bron niet meer; of dat nog klopt, is niet na te gaan."
        )
    if names := _empty(report):
        of = "1 zaaktype" if len(names) == 1 else f"{len(names)} zaaktypen"
        lines.append(
            f"Van {of} uit de catalogus is geen zaak te zien: er zijn er geen, of de rechten missen."
        )
    return lines


def _empty(report: dict[str, Any]) -> list[str]:
    """Zaaktypen of the catalogue of which a whole walk showed no zaak: of none of their versions."""
    if report["mode"] != "full":
        return []
    met = {row["zaaktype"] for row in report["zaaktypen"] if row["kind"] == "zaak"}
    names = report["zaaktype_namen"]
    of = report.get("zaaktype_van", names)  # reports of before have just names
    return sorted(without_zaken([Zaaktype(uuid, of[uuid], text) for uuid, text in names.items()], met))


def zaaktype(report: dict[str, Any], uuid: str, kind: str) -> str:
    """The name of the zaaktype of an object as far as it is known, else its uuid."""
    if not uuid and kind in NO_ZAAK:
        return WITHOUT_ZAAKTYPE
    return report["zaaktype_namen"].get(uuid, uuid) or NO_ZAAKTYPE


def title(kind: str) -> str:
    """What people read for a kind; a report of before may have one that is not known any more."""
    return KINDS[kind].title if kind in KINDS else kind


def mode_text(report: dict[str, Any]) -> str:
    if report["mode"] == "full":
        return "alles vergeleken"
    return f"steekproef van {report['sample']} zaken (startgetal {report['seed']})"


def _counted(kind: str, count: int) -> str:
    return f"{number(count)} {kind if count == 1 else title(kind).lower()}"


def _numbers(row: dict[str, int]) -> str:
    shown = [
        f"{number(row[name])} {heading.lower()}"
        for name, heading, _ in COLUMNS
        if row.get(name) or name in ("compared", "equal")
    ]
    return ", ".join(shown)
