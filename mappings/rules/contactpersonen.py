"""What a contactpersoonRol says: addresses of a party, and on an organisation who answers there (M21-M24)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from mappings.model.claims import ClaimedAdres, ClaimedContactpersoon
from mappings.model.findings import Finding, Severity
from mappings.values.digitaleadressen import (
    MAX_OMSCHRIJVING,
    ander_dan,
    digitale_adressen,
    emailadressen,
    omschrijving,
)
from mappings.values.namen import LEGE_NAAM, MAX_NAAM
from mappings.values.texts import cut_at_word

ORGANISATIES: Final = ("organisatie", "vestiging")
FUNCTIE: Final = "functie: "
MAX_NOTITIE: Final = 1000

_AANHEF: Final = re.compile(r"\b(?:de heer|heer|dhr|hr|meneer|mevrouw|mevr|mw)\b")
_WORD: Final = re.compile(r"[^\W\d_]+")
_NAAM: Final = "contactpersoonRol.naam"
_FUNCTIE: Final = "contactpersoonRol.functie"


@dataclass(slots=True)
class ContactDetails:
    """What a contactpersoonRol says; `genoemd` is a naam that makes no contactpersoon and is not the party's own as it
    stands (M23)."""

    adressen: list[ClaimedAdres]
    contactpersoon: ClaimedContactpersoon | None = None
    genoemd: str = ""


def contact_van(
    given: Mapping[str, str],
    rol: UUID,
    soort: str,
    eigen_naam: str,
    found: list[Finding],
    *,
    overige: bool = True,
) -> ContactDetails:
    """What a loaded contactpersoonRol of a party's rol says (M21-M24).

    In: the rol's uuid, the soort of its claim, the party's own name, and whether numbers of another form become
    addresses of soort overig (`[mapping] overige_adressen`). `found` gets a finding for what does not fit.
    Only an e-mail address that is valid takes part in a key: "n.v.t." does not make two people one. Raises nothing.
    """
    adressen = digitale_adressen(given, "", found, overige=overige)
    if soort in ORGANISATIES and given["naam"]:
        # The whole name stands with the contactpersoon, so what is cut off in an omschrijving is not lost.
        text = omschrijving(given["naam"], eigen_naam, [])
        persoon = _contactpersoon(given, rol, found)
    else:
        text, persoon = _in_omschrijving(given, eigen_naam, bool(adressen), found), None
    genoemd = "" if persoon or not adressen else ander_dan(given["naam"], eigen_naam)
    described = [ClaimedAdres(adres.soort, adres.adres, adres.sleutel, text) for adres in adressen]
    return ContactDetails(described, persoon, genoemd)


def is_eigen_naam(naam: str, eigen: Mapping[str, str]) -> bool:
    """Say whether a naam of a contactpersoonRol is a person's own in another spelling (M23).

    In: the naam, and the parts of the person's contactnaam. It is when it holds the achternaam, and beside it nothing
    but own first names, initials, voorvoegsel and a title: "mevrouw A. Voorbeeld" may be Anna Bea Voorbeeld, and
    "Bea Voorbeeld-Ander" or "buurvrouw, A. Voorbeeld" is somebody else. Raises nothing.
    """
    achternaam = _words(_AANHEF.sub(" ", eigen["achternaam"].casefold()))
    rest = _words(_AANHEF.sub(" ", naam.casefold()))
    if not achternaam or any(word not in rest for word in achternaam):
        return False
    for word in achternaam:
        rest.remove(word)
    if not rest:
        return True
    voornamen = [*_words(eigen["voornaam"]), *_words(eigen["voorletters"])]
    own = {*voornamen, *(word[0] for word in voornamen), *_words(eigen["voorvoegselAchternaam"])}
    own |= {"".join(word[0] for word in voornamen[:count]) for count in range(1, len(voornamen) + 1)}
    return all(word in own for word in rest)


def _words(text: str) -> list[str]:
    plain = text.casefold()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _WORD.findall(plain)


def partij_identificatie(uuid: str, achternaam: str) -> dict[str, Any]:
    """partijIdentificatie of a contactpersoon with its inner uuid, without the reference to its organisation."""
    return {
        "uuid": uuid,
        "contactnaam": {**LEGE_NAAM, "achternaam": achternaam},
        "volledigeNaam": " ".join(achternaam.split()),
    }


def notitie(functie: str) -> str:
    """interneNotitie of a contactpersoon with this functie; "" without one (M24)."""
    return FUNCTIE + functie if functie else ""


def _contactpersoon(given: Mapping[str, str], rol: UUID, found: list[Finding]) -> ClaimedContactpersoon:
    naam = given["naam"]
    achternaam = cut_at_word(naam, MAX_NAAM)
    if achternaam != naam:
        found.append(
            Finding(
                "M22",
                _NAAM,
                Severity.ADJUSTED,
                f"ingekort tot {len(achternaam)} tekens voor de contactpersoon",
            )
        )
    functie = cut_at_word(given["functie"], MAX_NOTITIE - len(FUNCTIE))
    if functie != given["functie"]:
        found.append(Finding("M24", _FUNCTIE, Severity.ADJUSTED, f"ingekort tot {len(functie)} tekens"))
    emails = emailadressen(given["emailadres"].strip())
    key = (naam.casefold(), emails[0].casefold()) if emails else (f"rol:{rol}",)
    return ClaimedContactpersoon(achternaam, functie, key)


def _in_omschrijving(given: Mapping[str, str], eigen_naam: str, has_adres: bool, found: list[Finding]) -> str:
    """The omschrijving of the addresses of who has no contactpersoon: another's naam, else the functie (M23, M24)."""
    naam = omschrijving(given["naam"], eigen_naam, found if has_adres else [])
    functie = " ".join(given["functie"].split())
    if not has_adres:
        action = "geen adres om dit bij te zetten: niet overgenomen"
        for rule, path, value in (("M23", _NAAM, naam), ("M24", _FUNCTIE, functie)):
            if value:
                found.append(Finding(rule, path, Severity.DROPPED, action))
        return ""
    if not functie or not naam:
        cut = cut_at_word(functie, MAX_OMSCHRIJVING)
        if cut != functie:
            found.append(
                Finding(
                    "M24", _FUNCTIE, Severity.ADJUSTED, f"ingekort tot {len(cut)} tekens in de omschrijving"
                )
            )
        return naam or cut
    found.append(
        Finding("M24", _FUNCTIE, Severity.DROPPED, "de omschrijving van het adres is al bezet door de naam")
    )
    return naam
