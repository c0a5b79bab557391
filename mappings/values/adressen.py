"""Postal addresses of a rol, made to fit the bezoekadres and correspondentieadres of a partij (M14-M16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mappings.model.findings import Finding, Severity
from mappings.values.landen import land_van_code, landcode
from mappings.values.texts import NAME_SHORTENED, cut_at_word, fitted

MAX_REGEL: Final = 80
MAX_HUISNUMMER: Final = 99999
MAX_TOEVOEGING: Final = 20
MAX_STRAAT_OF_STAD: Final = 255

LEEG: Final[dict[str, Any]] = {
    "nummeraanduidingId": "",
    "straatnaam": "",
    "huisnummer": None,
    "huisnummertoevoeging": "",
    "postcode": "",
    "stad": "",
    "adresregel1": "",
    "adresregel2": "",
    "adresregel3": "",
    "land": "",
}

_NUMMERAANDUIDING: Final = re.compile(r"[0-9]{16}")
_POSTCODE: Final = re.compile(r"([1-9][0-9]{3})\s*([A-Za-z]{2})")
_POSTCODE_IN_TEXT: Final = re.compile(r"\b([1-9][0-9]{3})\s+([a-z]{2})\b")
_HUISNUMMER: Final = re.compile(r"0*([1-9][0-9]{0,4})")
_WORD: Final = re.compile(r"[^\W_]+")

_VERBLIJFSADRES: Final = "betrokkeneIdentificatie.verblijfsadres."
_BUITENLAND: Final = "betrokkeneIdentificatie.subVerblijfBuitenland."
_BEZOEKADRES: Final = "betrokkeneIdentificatie.bezoekadres"


def adressen(
    verblijfsadres: Mapping[str, Any] | None,
    buitenland: Mapping[str, Any] | None,
    bezoekadres_tekst: str,
    found: list[Finding],
) -> dict[str, dict[str, Any]] | None:
    """Give the bezoekadres and correspondentieadres of a party (M14, M15, M16), or None when all is blank.

    In: the loaded verblijfsadres and subVerblijfBuitenland (None when absent) and the one-string bezoekadres
    of a niet_natuurlijk_persoon. Out: both addresses with every field of LEEG, each value as the served API
    takes it; `found` gets a finding for what was moved to a free adresregel, cut or left out. Raises nothing.
    """
    binnenland = _binnenland(verblijfsadres or {}, bezoekadres_tekst, found)
    ver_weg = _ver_weg(buitenland, found) if buitenland else None
    if binnenland and ver_weg:
        return {"bezoekadres": binnenland, "correspondentieadres": ver_weg}
    if binnenland or ver_weg:
        return {"bezoekadres": binnenland or ver_weg or {}, "correspondentieadres": dict(LEEG)}
    return None


class _Regels:
    """The three free lines of one address."""

    def __init__(self, found: list[Finding]) -> None:
        self._lines = ["", "", ""]
        self._refused_line: int | None = None
        self._found = found

    def first_free(self) -> int | None:
        return next((number for number, line in enumerate(self._lines) if not line), None)

    def is_free(self, number: int) -> bool:
        return not self._lines[number]

    def wrap(self, text: str, *, start: int = 0, keep_free: int = 0) -> str:
        """Put text on the free lines from `start` on, leaving `keep_free` lines; give what did not fit."""
        rest = " ".join(text.split())
        for number in range(start, len(self._lines)):
            if not rest or self._lines.count("") <= keep_free:
                break
            if self.is_free(number):
                line = cut_at_word(rest, MAX_REGEL)
                self._lines[number] = line
                rest = rest[len(line) :].lstrip()
        return rest

    def put(self, rule: str, field: str, text: str, *, start: int = 0, keep_free: int = 0) -> None:
        """Wrap text, with a finding for a word that had to be broken and for what did not fit."""
        rest = self.wrap(text, start=start, keep_free=keep_free)
        words = text.split()
        if rest:
            self._found.append(
                Finding(
                    rule,
                    field,
                    Severity.DROPPED,
                    f"Tekst van {len(text)} tekens past niet in de vrije adresregels; de laatste {len(rest)} "
                    "tekens zijn niet overgenomen.",
                )
            )
        elif any(len(word) > MAX_REGEL for word in words):
            self._found.append(
                Finding(
                    rule,
                    field,
                    Severity.ADJUSTED,
                    f"Een woord van meer dan {MAX_REGEL} tekens is over adresregels verdeeld.",
                )
            )

    def add_refused(self, field: str, text: str, what: str) -> None:
        """Put a value that its own field would refuse on a free line, beside other such values (M14)."""
        text = " ".join(text.split())
        number = self._refused_line
        if number is not None and len(f"{self._lines[number]}, {text}") <= MAX_REGEL:
            self._lines[number] += f", {text}"
        else:
            number = self.first_free() if len(text) <= MAX_REGEL else None
            if number is not None:
                self._lines[number] = text
                self._refused_line = number
        if number is None:
            severity, done = Severity.DROPPED, "past niet in een vrije adresregel en is niet overgenomen"
        else:
            severity, done = Severity.ADJUSTED, f"staat nu in adresregel{number + 1}"
        self._found.append(Finding("M14", _VERBLIJFSADRES + field, severity, f"{what}: {done}."))

    def fields(self) -> dict[str, str]:
        return {f"adresregel{number}": line for number, line in enumerate(self._lines, start=1)}


def _binnenland(verblijf: Mapping[str, Any], tekst: str, found: list[Finding]) -> dict[str, Any] | None:
    """Give the bezoekadres from a verblijfsadres and a one-string bezoekadres (M14, M16)."""
    if not verblijf and not tekst.strip():
        return None
    value = {field: _text(verblijf, field) for field in verblijf}
    adres = dict(LEEG)
    refused: list[tuple[str, str, str]] = []

    nummeraanduiding = value.get("aoaIdentificatie", "")
    if _NUMMERAANDUIDING.fullmatch(nummeraanduiding):
        adres["nummeraanduidingId"] = nummeraanduiding
    elif nummeraanduiding:
        found.append(
            Finding(
                "M14",
                _VERBLIJFSADRES + "aoaIdentificatie",
                Severity.DROPPED,
                "Geen nummeraanduiding van 16 cijfers; niet overgenomen.",
            )
        )

    adres["straatnaam"] = _fitted(value, "gorOpenbareRuimteNaam", found)
    adres["stad"] = _fitted(value, "wplWoonplaatsNaam", found)

    huisnummer = value.get("aoaHuisnummer", "")
    valid = _HUISNUMMER.fullmatch(huisnummer)
    if valid:
        adres["huisnummer"] = int(valid[1])
    elif huisnummer:
        what = f"Huisnummer is geen getal van 1 tot en met {MAX_HUISNUMMER}"
        refused.append(("aoaHuisnummer", huisnummer, what))

    letter, toevoeging = value.get("aoaHuisletter", ""), value.get("aoaHuisnummertoevoeging", "")
    achter_nummer = f"{letter} {toevoeging}".strip()
    if len(achter_nummer) <= MAX_TOEVOEGING:
        adres["huisnummertoevoeging"] = achter_nummer
    else:
        what = f"Huisletter en toevoeging passen niet (hoogstens {MAX_TOEVOEGING} tekens)"
        for field, part in (("aoaHuisletter", letter), ("aoaHuisnummertoevoeging", toevoeging)):
            if part:
                refused.append((field, part, what))

    postcode = value.get("aoaPostcode", "")
    valid = _POSTCODE.fullmatch(postcode)
    if valid:
        adres["postcode"] = f"{valid[1]} {valid[2].upper()}"
    elif postcode:
        refused.append(("aoaPostcode", postcode, "Postcode heeft niet de vorm 1234 AB"))

    locatie = value.get("inpLocatiebeschrijving", "")
    known = bool(locatie or refused or adres != LEEG)
    if not known and not tekst.strip():
        return None
    if known:
        adres["land"] = "NL"

    if not (locatie or refused or tekst):
        return adres
    regels = _Regels(found)
    keep_free = 1 if refused else 0
    if locatie:
        regels.put("M14", _VERBLIJFSADRES + "inpLocatiebeschrijving", locatie, keep_free=keep_free)
    if tekst.strip() and not _says_nothing_new(tekst, adres | regels.fields()):
        regels.put("M16", _BEZOEKADRES, tekst, start=1 if known else 0, keep_free=keep_free)
    for field, text, what in refused:
        regels.add_refused(field, text, what)
    return adres | regels.fields()


def _ver_weg(buitenland: Mapping[str, Any], found: list[Finding]) -> dict[str, Any] | None:
    """Give the address of a subVerblijfBuitenland (M15)."""
    regels = _Regels(found)
    too_long = []
    for number in (1, 2, 3):
        field = f"subAdresBuitenland_{number}"
        text = " ".join(_text(buitenland, field).split())
        line = cut_at_word(text, MAX_REGEL)
        regels.wrap(line, start=number - 1)
        if line != text:
            too_long.append((field, text, text[len(line) :].lstrip()))
    for field, text, rest in too_long:
        lost = regels.wrap(rest)
        action = f"Adresregel van {len(text)} tekens past niet (hoogstens {MAX_REGEL}); "
        if lost:
            severity, done = Severity.DROPPED, f"de laatste {len(lost)} tekens zijn niet overgenomen."
        else:
            severity, done = Severity.ADJUSTED, "het vervolg staat in een vrije adresregel."
        found.append(Finding("M15", _BUITENLAND + field, severity, action + done))

    naam, code = _text(buitenland, "lndLandnaam"), _text(buitenland, "lndLandcode")
    land = landcode(naam, code)
    if land is None and naam:
        _put_unknown_country(naam, regels, found)
    elif naam and landcode(naam, "") is None:
        action = f"Landnaam is niet bekend als land van ISO 3166; de landcode is gevolgd ({land})."
        found.append(Finding("M15", _BUITENLAND + "lndLandnaam", Severity.ADJUSTED, action))
    if land is None and code:
        found.append(
            Finding(
                "M15",
                _BUITENLAND + "lndLandcode",
                Severity.DROPPED,
                "Landcode is niet bekend; niet overgenomen.",
            )
        )
    van_code = land_van_code(code)
    if land is not None and code and van_code is None:
        action = f"Landcode is niet bekend; de landnaam is gevolgd ({land})."
        found.append(Finding("M15", _BUITENLAND + "lndLandcode", Severity.INFO, action))
    if land is not None and (van_code or land) != land:
        found.append(
            Finding(
                "M15",
                _BUITENLAND + "lndLandcode",
                Severity.ADJUSTED,
                f"Landcode {code} hoort bij een ander land dan de landnaam; de landnaam is gevolgd ({land}).",
            )
        )
    adres = LEEG | regels.fields() | {"land": land or ""}
    return adres if adres != LEEG else None


def _put_unknown_country(naam: str, regels: _Regels, found: list[Finding]) -> None:
    number = 2 if regels.is_free(2) else regels.first_free()
    if number is None or len(naam) > MAX_REGEL:
        severity, done = Severity.DROPPED, "past niet in een vrije adresregel en is niet overgenomen"
    else:
        regels.wrap(naam, start=number)
        severity, done = Severity.ADJUSTED, f"staat nu in adresregel{number + 1}"
    action = f"Landnaam is niet bekend als land van ISO 3166: {done}."
    found.append(Finding("M15", _BUITENLAND + "lndLandnaam", severity, action))


def _fitted(value: Mapping[str, Any], field: str, found: list[Finding]) -> str:
    text = value.get(field, "")
    return fitted(text, MAX_STRAAT_OF_STAD, "M14", _VERBLIJFSADRES + field, found, NAME_SHORTENED)


def _says_nothing_new(tekst: str, so_far: Mapping[str, Any]) -> bool:
    """Say whether every word of the one-string bezoekadres already stands in the address (M16)."""
    values = [str(value) for value in so_far.values() if value]
    # "463 Z 2", "463Z 2" and "463-Z2" are all usual for one house.
    number, toevoeging = str(so_far["huisnummer"] or ""), str(so_far["huisnummertoevoeging"]).split()
    values += [number + "".join(toevoeging[:1]), "".join(toevoeging), number + "".join(toevoeging)]
    words = _words(tekst)
    return bool(words) and words <= _words(" ".join(values))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(_POSTCODE_IN_TEXT.sub(r"\1\2", text.casefold())))


def _text(group: Mapping[str, Any], field: str) -> str:
    value = group.get(field)
    return "" if value is None or value == "" else str(value).strip()
