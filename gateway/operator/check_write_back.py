"""May these credentials write what `[[source]] write_back` names? Tried with what no source takes: nothing is made."""

from __future__ import annotations

from typing import Any, Final

from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.client import changes
from gateway.legacy.client.source_client import ZakenClient
from gateway.operator.check_report import Level, SourceReport

# For each kind of write-back what is tried, and the scope that the standard names for it.
_TRIED: Final = {
    "klantcontacten": (
        ("klantcontact", "zaken.bijwerken (en zaken.geforceerd-bijwerken voor gesloten zaken)"),
    ),
    "contactmomenten": (
        ("contactmoment", "contactmomenten.aanmaken, .bijwerken en .verwijderen"),
        ("klantcontactmoment", "contactmomenten.aanmaken en .verwijderen"),
        ("zaakcontactmoment", "zaken.bijwerken"),
    ),
    "contactgegevens": (("klant", "klanten.bijwerken"),),
    "klanten": (("klant", "klanten.aanmaken"),),
}
_OF_A_ZAAK: Final = ("klantcontact", "zaakcontactmoment")


def check_write_back(client: ZakenClient, source: Source, report: SourceReport, deadline: float) -> None:
    """Try each right that write-back needs, with a body that lacks what is required: 400 is a yes, 403 a no."""
    if not source.write_back:
        return
    report.on_step("of zij teruggeschreven mag worden")
    dry = " Nu gaat er niets heen: write_back_dry_run staat aan." if source.write_back_dry_run else ""
    report.add_line(Level.OK, f"Terugschrijven staat aan voor: {', '.join(source.write_back)}.{dry}")
    tried = {pair for kind in source.write_back for pair in _TRIED.get(kind, ())}
    for kind, scope in sorted(tried):
        if kind in _OF_A_ZAAK:
            body = _about_a_zaak(client, deadline)
            if body is None or not client.can(kind, "zaak", deadline=deadline):
                continue
        else:
            body = {}
        try:
            changes.create(client, kind, body)
        except errors.Forbidden as error:
            code = f", code {error.code}" if error.code else ""
            report.add_line(
                Level.PROBLEM,
                f"Terugschrijven van {kind} mag niet{code}: vraag de beheerder om de autorisatie {scope}.",
            )
        except errors.BadRequest as error:
            if error.status == 405:
                report.add_line(
                    Level.PROBLEM, f"De bron neemt geen {kind} aan (405): haal dat uit write_back."
                )
        except errors.LegacyError as error:
            report.add_line(Level.WARNING, f"Of {kind} teruggeschreven mag worden is niet bekend: {error}.")
    if "rollen" in source.write_back and report.answers and not report.open_zaak:
        report.add_line(
            Level.PROBLEM, "Deze bron kan een rol niet wijzigen (alleen Open Zaak kan dat): haal rollen weg."
        )
    elif "rollen" in source.write_back:
        report.add_line(
            Level.OK,
            "Wijzigen van rollen vraagt de autorisatie zaken.bijwerken; dat is niet uit te proberen.",
        )


def _about_a_zaak(client: ZakenClient, deadline: float) -> dict[str, Any] | None:
    """A body that names a zaak and nothing else, for rights hang on the zaak; None when no zaak is to be seen."""
    try:
        zaken, _ = client.first("zaak", deadline=deadline)
    except errors.LegacyError:
        return None
    return {"zaak": zaken[0].get("url")} if zaken else None
