"""May these credentials write what `[[source]] write_back` names? Tried with what no source takes: nothing is changed.

A source judges rights before it judges a body, and before it looks for what is not there: a new object without what is
required, a change or deletion of an object that nobody has, a rol that would become of another type. 403 is a no.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final
from uuid import uuid4

from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.client import changes
from gateway.legacy.client.source_client import ZakenClient
from gateway.operator.check_report import Level, SourceReport

CREATE, CHANGE, DELETE, PUT = "maken", "wijzigen", "verwijderen", "PUT"
_ZAKEN: Final = "zaken.bijwerken (en zaken.geforceerd-bijwerken voor gesloten zaken)"
# For each kind of write-back what is tried, and the scope that the standard names for it.
_TRIED: Final = {
    "klantcontacten": (("klantcontact", CREATE, _ZAKEN),),
    "contactmomenten": (
        ("contactmoment", CREATE, "contactmomenten.aanmaken"),
        ("contactmoment", CHANGE, "contactmomenten.bijwerken"),
        ("contactmoment", DELETE, "contactmomenten.verwijderen"),
        ("klantcontactmoment", CREATE, "contactmomenten.aanmaken"),
        ("klantcontactmoment", DELETE, "contactmomenten.verwijderen"),
        ("zaakcontactmoment", CREATE, _ZAKEN),
    ),
    "contactgegevens": (("klant", CHANGE, "klanten.bijwerken"),),
    "klanten": (("klant", CREATE, "klanten.aanmaken"),),
    "rollen": (("rol", PUT, _ZAKEN),),
}
_OF_A_ZAAK: Final = ("klantcontact", "zaakcontactmoment", "rol")
_IS_OPEN: Final = "einddatum__isnull"
# A rol of these fields is taken by nobody: its type can't change, and there is no betrokkene of this type.
_NO_ROL: Final = {"roltype": "https://klantbrug.invalid/roltype", "betrokkeneType": "klantbrug-check"}
_ONE_ZAAK: Final = (
    "Rechten op zaken zijn op een open zaak geprobeerd; bij een ander zaaktype of een hogere "
    "vertrouwelijkheidaanduiding kunnen zij ontbreken, en dat is vooraf niet te weten."
)
_FIRST_REFUSAL: Final = (
    "Wat de bron later toch weigert wacht op u met code permission_denied: klantbrug status telt het, "
    "klantbrug writeback list noemt het, en het logboek meldt 'writeback parked'."
)


class _NothingToTry(Exception):
    """There is no open zaak with what it takes."""


def check_write_back(client: ZakenClient, source: Source, report: SourceReport, deadline: float) -> None:
    """Try each right that write-back needs, with what changes nothing; and say what can't be known beforehand."""
    if not source.write_back:
        return
    report.on_step("of zij teruggeschreven mag worden")
    dry = " Nu gaat er niets heen: write_back_dry_run staat aan." if source.write_back_dry_run else ""
    report.add_line(Level.OK, f"Terugschrijven staat aan voor: {', '.join(source.write_back)}.{dry}")
    if "rollen" in source.write_back and report.answers and not report.open_zaak:
        report.add_line(
            Level.PROBLEM, "Deze bron kan een rol niet wijzigen (alleen Open Zaak kan dat): haal rollen weg."
        )
    wanted = sorted({each for name in source.write_back for each in _TRIED[name]})
    zaak = _open_zaak(client, deadline) if any(kind in _OF_A_ZAAK for kind, _, _ in wanted) else None
    for kind, deed, scope in wanted:
        call = _trying(client, kind, deed, zaak, deadline)
        if call is None:
            continue  # the source has none of it, and is sent none
        _try(call, kind, deed, scope, report)
    on_zaken = any(kind in _OF_A_ZAAK for kind, _, _ in wanted)
    report.add_line(Level.OK, f"{_ONE_ZAAK} {_FIRST_REFUSAL}" if on_zaken else _FIRST_REFUSAL)


def _try(call: Callable[[], object], kind: str, deed: str, scope: str, report: SourceReport) -> None:
    try:
        call()
    except errors.Forbidden as error:
        code = f", code {error.code}" if error.code else ""
        may_not = f"Terugschrijven van {kind} ({_worded(deed)}) mag niet{code}"
        report.add_line(Level.PROBLEM, f"{may_not}: vraag de beheerder om de autorisatie {scope}.")
    except _NothingToTry:
        text = (
            f"Of {kind} {_worded(deed)} mag is niet uit te proberen: er is geen open zaak daarvoor te zien."
        )
        report.add_line(Level.WARNING, text)
    except errors.NotFound:
        return  # as it should be: it may be done, and there is nothing to do it to
    except errors.BadRequest as error:
        if error.status == 405:
            text = f"De bron neemt {kind} {_worded(deed)} niet aan (405): haal dat uit write_back."
            report.add_line(Level.PROBLEM, text)
    except errors.LegacyError as error:
        text = f"Of {kind} {_worded(deed)} mag is niet bekend: {error}."
        report.add_line(Level.WARNING, text)


def _trying(
    client: ZakenClient, kind: str, deed: str, zaak: str | None, deadline: float
) -> Callable[[], object] | None:
    """A call that changes nothing, whoever takes it; None when the source does not have this kind."""
    nobody = str(uuid4())
    if deed == CHANGE:
        return partial(changes.replace, client, kind, nobody, {}, partial=True)
    if deed == DELETE:
        return partial(changes.delete, client, kind, nobody)
    if kind not in _OF_A_ZAAK:
        return partial(changes.create, client, kind, {})
    if kind == "rol":
        return partial(_put_no_rol, client, zaak, deadline) if client.version().open_zaak else None
    if not client.can(kind, "zaak", deadline=deadline):
        return None
    return partial(_create_on, client, kind, zaak)


def _create_on(client: ZakenClient, kind: str, zaak: str | None) -> None:
    if zaak is None:
        raise _NothingToTry
    changes.create(client, kind, {"zaak": zaak})


def _put_no_rol(client: ZakenClient, zaak: str | None, deadline: float) -> None:
    rollen = client.first("rol", {"zaak": zaak}, deadline=deadline)[0] if zaak else []
    if not rollen:
        raise _NothingToTry
    uuid = str(rollen[0].get("url")).rstrip("/").rpartition("/")[2]
    changes.replace(client, "rol", uuid, _NO_ROL, partial=False)


def _open_zaak(client: ZakenClient, deadline: float) -> str | None:
    """The URL of a zaak that is not closed, for rights hang on the zaak; None when none is to be seen."""
    try:
        takes = client.can("zaak", _IS_OPEN, deadline=deadline)
        zaken, _ = client.first("zaak", {_IS_OPEN: "true"} if takes else {}, deadline=deadline)
    except errors.LegacyError:
        return None
    return next((str(zaak["url"]) for zaak in zaken if not zaak.get("einddatum")), None)


def _worded(deed: str) -> str:
    return CHANGE if deed == PUT else deed
