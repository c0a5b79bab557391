"""Names of people, organisations and actors, made to fit Klantinteracties (M12, M13, the name of M27)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mappings.model.findings import Finding, Severity
from mappings.values.texts import NAME_SHORTENED, cut_at_character, cut_at_word, fitted

MAX_VOORLETTERS: Final = 10
MAX_VOORVOEGSEL: Final = 10
MAX_NAAM: Final = 200

LEGE_NAAM: Final[dict[str, str]] = {
    "voorletters": "",
    "voornaam": "",
    "voorvoegselAchternaam": "",
    "achternaam": "",
}

# One initial ("J.", "Th.", or a bare "J") with the blanks behind it.
_INITIAL: Final = re.compile(r"[^.\s]*\.\s*|[^.\s]+\s*")

# What names a betrokkene of any type before its afwijkende naam.
_NAMING: Final = (
    *(
        "voorletters",
        "voornamen",
        "voorvoegselGeslachtsnaam",
        "geslachtsnaam",
        "statutaireNaam",
        "handelsnaam",
    ),
    *("voorvoegselAchternaam", "achternaam", "naam", "identificatie"),
)
_IDENTIFICATIE: Final = "betrokkeneIdentificatie."
_AFWIJKEND: Final = "afwijkendeNaamBetrokkene"


def persoonsnaam(
    identificatie: Mapping[str, Any] | None, afwijkend: str, found: list[Finding]
) -> dict[str, str]:
    """Give the contactnaam of a natuurlijk_persoon (M12).

    In: the loaded betrokkeneIdentificatie (None when the rol has none) and afwijkendeNaamBetrokkene. Out: the
    four parts voorletters, voornaam, voorvoegselAchternaam and achternaam, each within its limit; `found`
    gets a finding for each part that had to change. Raises nothing.
    """
    voorletters = _text(identificatie, "voorletters")
    voornaam = _text(identificatie, "voornamen")
    voorvoegsel = _text(identificatie, "voorvoegselGeslachtsnaam")
    achternaam = _text(identificatie, "geslachtsnaam")
    achternaam_field = _IDENTIFICATIE + "geslachtsnaam"

    if not (voorletters or voornaam or voorvoegsel or achternaam):
        achternaam, achternaam_field = afwijkend.strip(), _AFWIJKEND
    else:
        if afwijkend:
            spellings = _spellings_of_a_person(voorletters, voornaam, voorvoegsel, achternaam)
            _report_unused(afwijkend, spellings, found)

    if len(voorvoegsel) > MAX_VOORVOEGSEL:
        found.append(
            Finding(
                "M12",
                _IDENTIFICATIE + "voorvoegselGeslachtsnaam",
                Severity.ADJUSTED,
                f"Voorvoegsel van {len(voorvoegsel)} tekens past niet (hoogstens {MAX_VOORVOEGSEL}); "
                "het staat nu voor de achternaam.",
            )
        )
        achternaam, voorvoegsel = f"{voorvoegsel} {achternaam}".rstrip(), ""

    return {
        "voorletters": _fitting_voorletters(voorletters, found),
        "voornaam": fitted(voornaam, MAX_NAAM, "M12", _IDENTIFICATIE + "voornamen", found, NAME_SHORTENED),
        "voorvoegselAchternaam": voorvoegsel,
        "achternaam": fitted(achternaam, MAX_NAAM, "M12", achternaam_field, found, NAME_SHORTENED),
    }


def volledige_naam(contactnaam: Mapping[str, str]) -> str:
    """Give the volledigeNaam of a contactnaam: voornaam, voorvoegsel, achternaam, one space between words."""
    return _joined(contactnaam[part] for part in ("voornaam", "voorvoegselAchternaam", "achternaam"))


def organisatienaam(statutair: str, handelsnamen: Sequence[str], afwijkend: str, found: list[Finding]) -> str:
    """Give the one name of an organisation (M13).

    It is statutair, else the first handelsnaam, else afwijkend (M12): at most 200 characters, and "" when
    there is no name at all. `found` gets a finding for the names that did not become the name and differ from
    it, and for a name that was cut. Raises nothing.
    """
    candidates = [(_IDENTIFICATIE + "statutaireNaam", statutair.strip())]
    candidates += [(_IDENTIFICATIE + "handelsnaam", naam.strip()) for naam in handelsnamen]
    candidates.append((_AFWIJKEND, afwijkend.strip()))
    field, naam = next(((field, naam) for field, naam in candidates if naam), ("", ""))

    others = {_folded(other) for other in handelsnamen if other.strip()} - {_folded(naam)}
    if others:
        found.append(
            Finding(
                "M13",
                _IDENTIFICATIE + "handelsnaam",
                Severity.DROPPED,
                "Een organisatie heeft maar één naam; overige handelsnamen niet overgenomen "
                f"(aantal: {len(others)}).",
            )
        )
    _report_unused(afwijkend, {_folded(naam)}, found)
    return fitted(naam, MAX_NAAM, "M13", field, found, NAME_SHORTENED)


def actornaam(
    betrokkene_type: str, identificatie: Mapping[str, Any] | None, afwijkend: str, found: list[Finding]
) -> str:
    """Give the naam of an actor (M27), never blank and at most 200 characters.

    A medewerker is named by voorletters, voorvoegsel and achternaam, an organisatorische_eenheid by its naam;
    without those by the identificatie, then by afwijkend, then "onbekend". `found` gets a finding for a name
    that was cut and for an afwijkend that was not used and differs (M12). Raises nothing.
    """
    if betrokkene_type == "medewerker":
        parts = [
            _text(identificatie, part) for part in ("voorletters", "voorvoegselAchternaam", "achternaam")
        ]
        field, naam, spellings = _IDENTIFICATIE + "achternaam", _joined(parts), {_folded(" ".join(parts[1:]))}
        _report_lost_parts(parts, cut_at_word(naam, MAX_NAAM), found)
    else:
        field, naam, spellings = _IDENTIFICATIE + "naam", _text(identificatie, "naam"), set()
    if not naam:
        field, naam = _IDENTIFICATIE + "identificatie", _text(identificatie, "identificatie")
    if not naam:
        field, naam = _AFWIJKEND, afwijkend.strip()
    _report_unused(afwijkend, spellings | {_folded(naam)}, found)
    return fitted(naam, MAX_NAAM, "M27", field, found, NAME_SHORTENED) or "onbekend"


def only_afwijkend(identificatie: Mapping[str, Any], afwijkend: str) -> bool:
    """Is afwijkendeNaamBetrokkene the only name that a loaded rol gives?"""
    return bool(afwijkend) and not any(identificatie.get(field) for field in _NAMING)


def report_afwijkend(afwijkend: str, naam: str | Mapping[str, str], found: list[Finding]) -> None:
    """Add the finding on an afwijkende naam that gives way to its party's name or contactnaam and differs (M12)."""
    if isinstance(naam, str):
        spellings = {_folded(naam)}
    else:
        spellings = _spellings_of_a_person(*(naam[part] for part in LEGE_NAAM))
    _report_unused(afwijkend, spellings, found)


def _report_lost_parts(parts: Sequence[str], cut: str, found: list[Finding]) -> None:
    """Name the parts before the achternaam that do not stand whole in the naam of a medewerker, cut (M27)."""
    for part, field in zip(parts, ("voorletters", "voorvoegselAchternaam"), strict=False):
        if _joined([part]) not in cut:
            found.append(
                Finding(
                    "M27",
                    _IDENTIFICATIE + field,
                    Severity.ADJUSTED,
                    "past niet geheel in de naam van de actor",
                )
            )


def _fitting_voorletters(voorletters: str, found: list[Finding]) -> str:
    if len(voorletters) <= MAX_VOORLETTERS:
        return voorletters
    end = 0
    for initial in _INITIAL.finditer(voorletters):
        if len(voorletters[: initial.end()].rstrip()) > MAX_VOORLETTERS:
            break
        end = initial.end()
    kept = voorletters[:end].rstrip() or cut_at_character(voorletters, MAX_VOORLETTERS)
    found.append(
        Finding(
            "M12",
            _IDENTIFICATIE + "voorletters",
            Severity.ADJUSTED,
            f"Voorletters van {len(voorletters)} tekens passen niet (hoogstens {MAX_VOORLETTERS}); na een "
            f"hele letter afgekapt op {len(kept)} tekens.",
        )
    )
    return kept


def _report_unused(afwijkend: str, spellings: set[str], found: list[Finding]) -> None:
    folded = _folded(afwijkend)
    if folded and folded not in spellings:
        found.append(
            Finding(
                "M12",
                _AFWIJKEND,
                Severity.DROPPED,
                "De afwijkende naam verschilt van de gewone naam en is niet overgenomen.",
            )
        )


def _spellings_of_a_person(voorletters: str, voornaam: str, voorvoegsel: str, achternaam: str) -> set[str]:
    """Give the ways to write this person's name that say nothing new."""
    surname = f"{voorvoegsel} {achternaam}"
    return {_folded(f"{first} {surname}") for first in ("", voorletters, voornaam)}


def _text(identificatie: Mapping[str, Any] | None, field: str) -> str:
    value = identificatie.get(field) if identificatie else None
    return value.strip() if isinstance(value, str) else ""


def _joined(parts: Iterable[str]) -> str:
    return " ".join(" ".join(parts).split())


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
