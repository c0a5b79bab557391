"""Whether the fields of an object fit together: what can be said without looking at any other object.

Names, codes and texts are the recorded ones [130-138, 143, 145-147]; those about identificatoren are flat there
(`partijIdentificatorObjectId`), in the order in which the real server stops at the first.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mappings.klantinteracties import faults
from mappings.klantinteracties.faults import NON_FIELD, InvalidField
from mappings.klantinteracties.text_forms import is_email, is_telephone
from mappings.values import nummers

Json = Mapping[str, Any]

# Which number is kept where: register, objecttype, soort.
HIERARCHY: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "brp": {"natuurlijk_persoon": ("bsn",)},
    "hr": {"niet_natuurlijk_persoon": ("rsin", "kvk_nummer"), "vestiging": ("vestigingsnummer",)},
}
LENGTHS: Final = {"bsn": 9, "rsin": 9, "kvk_nummer": 8, "vestigingsnummer": 12}
ELEVEN_TEST: Final = {"bsn": nummers.bsn, "rsin": nummers.rsin}
NEEDS_KVK_NUMMER: Final = InvalidField(
    "subIdentificatorVan",
    "invalid",
    "Voor een PartijIdentificator met codeSoortObjectId = `vestigingsnummer` is het verplicht om een "
    "`sub_identifier_van` met codeSoortObjectId = `kvk_nummer` te kiezen.",
)
BOTH_ACTOREN: Final = InvalidField(
    NON_FIELD,
    "invalid",
    "`toegewezen_aan_actor` en `toegewezen_aan_actoren` mag niet beiden gebruikt worden.",
)
NO_ACTOREN: Final = InvalidField(
    NON_FIELD,
    "invalid",
    "`toegewezen_aan_actor` of `toegewezen_aan_actoren` is required (mag niet beiden gebruiken).",
)
_DIGITS: Final = re.compile(r"[0-9]+")


def klantcontact(merged: Json, given: Json, *, creating: bool, whole: bool) -> Iterator[InvalidField]:
    """No further action after a contact that succeeded [130]."""
    if merged.get("indicatieContactGelukt") and merged.get("verdereActieOndernomen"):
        yield InvalidField(
            NON_FIELD,
            "no-further-action-when-contact-succesful",
            "Als het contact gelukt is kan er geen verdere actie zijn ondernomen",
        )


def digitaleadres(merged: Json, given: Json, *, creating: bool, whole: bool) -> Iterator[InvalidField]:
    """The form of the adres by its soort [131, 132]; whose it is must be said [133]; a standard one is someone's."""
    if creating or "adres" in given or "soortDigitaalAdres" in given:
        rule = {"email": is_email, "telefoonnummer": is_telephone}.get(merged["soortDigitaalAdres"])
        fault = rule(merged["adres"]) if rule else None
        if fault:
            yield InvalidField("adres", *fault)
            return
    if whole and "verstrektDoorPartij" not in given:
        yield InvalidField("verstrektDoorPartij", *faults.REQUIRED)
    elif merged.get("isStandaardAdres") and not merged.get("verstrektDoorPartij"):
        yield InvalidField("isStandaardAdres", *faults.NO_STANDARD)


def partij_identificator(merged: Json, given: Json, *, creating: bool, whole: bool) -> Iterator[InvalidField]:
    """The hierarchy of codes [137], the number itself [135], and the parent of a vestiging [138]; the first only."""
    group = merged["partijIdentificator"]
    register, objecttype = group["codeRegister"], group["codeObjecttype"]
    soort = group["codeSoortObjectId"]
    by_objecttype = HIERARCHY[register]
    if objecttype not in by_objecttype:
        yield _only("partijIdentificatorCodeObjecttype", "codeRegister", register, list(by_objecttype))
    elif soort not in by_objecttype[objecttype]:
        allowed = list(by_objecttype[objecttype])
        yield _only("partijIdentificatorCodeSoortObjectId", "codeObjecttype", objecttype, allowed)
    elif reason := _wrong_number(soort, group["objectId"]):
        yield InvalidField(
            "partijIdentificatorObjectId", "invalid", f"Deze waarde is ongeldig, reden: {reason}"
        )
    elif soort == "vestigingsnummer" and not merged.get("subIdentificatorVan"):
        yield NEEDS_KVK_NUMMER


def _only(name: str, because: str, value: str, allowed: list[str]) -> InvalidField:
    return InvalidField(
        name, "invalid", f"voor `{because}` {value} zijn alleen deze waarden toegestaan: {allowed}"
    )


def _wrong_number(soort: str, text: str) -> str:
    """Why this is no such number; "" when it is. All zeros are a KVK number or vestigingsnummer like any other."""
    if not _DIGITS.fullmatch(text):
        return "Waarde moet numeriek zijn"
    if len(text) != LENGTHS[soort]:
        return f"Waarde moet {LENGTHS[soort]} tekens lang zijn"
    test = ELEVEN_TEST.get(soort)
    return f"Onjuist {soort.upper()} nummer" if test and test(text) is None else ""


def internetaak(merged: Json, given: Json, *, creating: bool, whole: bool) -> Iterator[InvalidField]:
    """Actoren in one way [145, 146]; a time of handling only for what was handled [147].

    An answer carries the actoren in both ways, so what came from a GET may go back in both, if they agree.
    """
    one, several = given.get("toegewezenAanActor"), given.get("toegewezenAanActoren")
    if one is not None and several is not None:
        if creating or one not in several[:1]:
            yield BOTH_ACTOREN
    elif creating and one is None and several is None:
        yield NO_ACTOREN
    if given.get("afgehandeldOp") and merged.get("status") != "verwerkt":
        yield InvalidField(
            "afgehandeldOp",
            "invalid",
            "De Internetaak kan geen afgehandeld op datum bevatten als de status niet op 'verwerkt' staat.",
        )


def vertegenwoordiging(merged: Json, given: Json, *, creating: bool, whole: bool) -> Iterator[InvalidField]:
    """Nobody represents himself [143]."""
    if merged.get("vertegenwoordigendePartij") == merged.get("vertegenwoordigdePartij"):
        yield InvalidField(
            "vertegenwoordigdePartij", "invalid", "De partij kan niet zichzelf vertegenwoordigen."
        )


def maak_klantcontact(merged: Json, given: Json, *, creating: bool, whole: bool) -> Iterator[InvalidField]:
    """What holds for its klantcontact."""
    for param in klantcontact(merged["klantcontact"], given["klantcontact"], creating=True, whole=True):
        yield param._replace(name=f"klantcontact.{param.name}")


CHECKS: Final[dict[str, Callable[..., Iterator[InvalidField]]]] = {
    "klantcontact": klantcontact,
    "digitaleadres": digitaleadres,
    "partij-identificator": partij_identificator,
    "internetaak": internetaak,
    "vertegenwoordiging": vertegenwoordiging,
    "maak-klantcontact": maak_klantcontact,
}
