"""As many legacy objects of each kind as a test wants, that hang together by zaak."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from builders.contactmomenten import MEDEWERKER, zaakcontactmoment
from builders.earlier_objects import (
    contactmoment,
    earlier_url,
    klant,
    klantcontactmoment,
    objectcontactmoment,
)
from builders.legacy_objects import klantcontact, medewerker, persoon, zaak

# In the order in which they are taken.
ALL_KINDS = (
    "zaak",
    "rol",
    "klantcontact",
    "klant",
    "contactmoment",
    "klantcontactmoment",
    "objectcontactmoment",
    "zaakcontactmoment",
)


def of_zaken(numbers: Iterable[int]) -> dict[str, list[dict[str, Any]]]:
    """Zaken with these numbers, by kind: each with who gives a machtiging, who takes it, who deals with it, a klant and
    contacts."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ALL_KINDS}
    for number in numbers:
        found["zaak"].append(zaak(number))
        found["rol"] += _rollen(number)
        found["klantcontact"].append(klantcontact(number, zaak=number))
        found["klant"].append(
            klant(
                number,
                None,
                achternaam=f"Voorbeeld {number}",
                klantnummer=str(number),
                emailadres=f"k{number}@voorbeeld.example",
            )
        )
        found["contactmoment"].append(
            contactmoment(number, medewerkerIdentificatie=MEDEWERKER | {"identificatie": f"mw-{number}"})
        )
        found["klantcontactmoment"].append(klantcontactmoment(number, number, number))
        found["objectcontactmoment"].append(objectcontactmoment(number, number, number))
        found["zaakcontactmoment"].append(
            zaakcontactmoment(number, number, earlier_url("contactmoment", number))
        )
    return found


def changed(raw: dict[str, Any]) -> dict[str, Any]:
    """An object that says something else."""
    said = raw.get("betrokkeneIdentificatie")
    if said is None:
        return raw | {
            "toelichting": "anders",
            "tekst": "anders",
            "achternaam": "Anders",
            "omschrijving": "anders",
        }
    name = "geslachtsnaam" if "geslachtsnaam" in said else "achternaam"
    return raw | {"betrokkeneIdentificatie": said | {name: "Anders"}}


def _rollen(number: int) -> list[dict[str, Any]]:
    anr = 9_000_000_000 + 2 * number
    return [
        persoon(3 * number, anr=f"{anr}", zaak=number, indicatieMachtiging="machtiginggever"),
        persoon(3 * number + 1, anr=f"{anr + 1}", zaak=number, indicatieMachtiging="gemachtigde"),
        medewerker(3 * number + 2, f"mw-{number}", zaak=number),
    ]
