"""What becomes of the fields beside the standard in a contactmoment of e-Suite: an internetaak and addresses (M40)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.incoming.esuite import ACTOREN
from mappings.model.documents import Document
from mappings.model.findings import Finding
from mappings.model.settings import Settings
from mappings.values.digitaleadressen import adressen_in
from mappings.values.texts import fitted

# In this order an internetaak is theirs.
TOEGEWEZEN: Final = tuple(ACTOREN)
HANDELING_LIMIT: Final = 200
TOELICHTING_LIMIT: Final = 1000
_SOORTEN: Final[Mapping[str, str]] = {
    "emailadres": "email",
    "telefoonnummer": "telefoonnummer",
    "telefoonnummerAlternatief": "telefoonnummer",
}


def identificatie_of(actor: Mapping[str, str], soort: str) -> dict[str, str]:
    """An actor as the betrokkeneIdentificatie of a rol of this soort, for the rules of a rol (M27)."""
    if soort == "organisatorische_eenheid":
        return {
            "identificatie": actor.get("identificatie", ""),
            "naam": actor.get("naam") or actor.get("achternaam", ""),
            "isGehuisvestIn": "",
        }
    return {
        "identificatie": actor.get("identificatie", ""),
        "achternaam": actor.get("achternaam") or actor.get("naam", ""),
        "voorletters": actor.get("voorletters", ""),
        "voorvoegselAchternaam": actor.get("voorvoegselAchternaam", ""),
    }


def is_contactverzoek(facts: Mapping[str, Any], settings: Settings) -> bool:
    """Is a contactmoment (its facts) one that asks for something to be done (`[mapping] contactverzoek_typen`)?"""
    soort = facts.get("type", "").casefold()
    return bool(soort) and soort in {known.casefold() for known in settings.contactverzoek_typen}


def internetaak(
    contact: UUID,
    facts: Mapping[str, Any],
    actoren: Mapping[str, UUID],
    moment_text: str,
    uuids: Uuids,
    settings: Settings,
    found: list[Finding],
) -> Document:
    """The internetaak of a contactverzoek (M40).

    In: the facts of its contactmoment and the actors of TOEGEWEZEN by the field that names them; `moment_text` is the
    registratiedatum as the API writes it.
    """
    gedaan = {status.casefold() for status in settings.afgehandeld}
    moment = facts["moment"]
    return Document(
        "internetaak",
        uuids.derive("internetaak", str(contact)),
        {
            "nummer": None,
            "referentienummer": None,
            "gevraagdeHandeling": fitted(facts["type"], HANDELING_LIMIT, "M40", "type", found),
            "toelichting": fitted(
                facts.get("toelichting", ""), TOELICHTING_LIMIT, "M40", "toelichting", found
            ),
            "status": "verwerkt" if facts.get("status", "").casefold() in gedaan else "te_verwerken",
            "toegewezenOp": moment_text,
            "afgehandeldOp": None,
        },
        moment,
        moment,
        {
            "aanleidinggevendKlantcontact": [contact],
            "toegewezenAanActoren": list(
                dict.fromkeys(actoren[name] for name in TOEGEWEZEN if name in actoren)
            ),
        },
        frozenset({contact}),
    )


def adressen(
    contact: UUID,
    betrokkene: UUID,
    klant: str,
    facts: Mapping[str, Any],
    uuids: Uuids,
    settings: Settings,
    found: list[Finding],
) -> list[Document]:
    """The contactgegevens of a contactmoment, as digitale adressen of a betrokkene at it (M21, M40).

    In: the uuids of both, and the klant by which the betrokkene is known ("-" when it has none).
    """
    made: dict[UUID, Document] = {}
    overige = settings.overige_adressen == "tonen"
    for name, value in facts.get("contactgegevens", {}).items():
        path = f"contactgegevens.{name}"
        for adres in adressen_in(_SOORTEN[name], value, "", path, found, overige=overige):
            uuid = uuids.derive("adres", f"betrokkene|{contact}|{klant}", adres.soort, adres.sleutel)
            body = {
                "adres": adres.adres,
                "soortDigitaalAdres": adres.soort,
                "isStandaardAdres": False,
                "omschrijving": "",
                "referentie": "",
                "verificatieDatum": None,
            }
            links = {"verstrektDoorBetrokkene": [betrokkene]}
            moment = facts["moment"]
            made.setdefault(
                uuid, Document("digitaleadres", uuid, body, moment, moment, links, frozenset({contact}))
            )
    return list(made.values())
