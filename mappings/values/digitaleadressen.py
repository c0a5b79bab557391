"""E-mail addresses and telephone numbers of a contactpersoonRol (M21, M23)."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mappings.model.findings import Finding, Severity
from mappings.values.texts import cut_at_word

MAX_ADRES: Final = 80
MAX_OMSCHRIJVING: Final = 40

# RFC 5322: words of atext joined by dots, or text between quotes with backslash escapes.
_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_CONTROLS: Final = r"\x01-\x08\x0b\x0c\x0e-\x1f\x7f"
_LOCAL_PART: Final = re.compile(
    rf"{_ATEXT}(?:\.{_ATEXT})*" rf'|"(?:[{_CONTROLS}!#-\[\]-~]|\\[{_CONTROLS}\t -~])*"'
)
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_TOP_LABEL: Final = re.compile(r"[A-Za-z0-9-]{1,62}[A-Za-z0-9]")
_ADDRESS_LITERAL: Final = re.compile(r"\[([A-Fa-f0-9:.]+)\]")

_TELEFOONNUMMER: Final = re.compile(r"0[1-9][0-9]{8}|\+[0-9]{9,15}|00[0-9]{7,13}")
_SERVICE_NUMBERS: Final = ("0800", "0900", "1400", "140")
# Hyphens and dashes of every length, and the minus sign: people paste them all.
_SEPARATORS: Final = re.compile(r"[\s.\-\u2010-\u2015\u2212]")
_TRUNK_ZERO: Final = re.compile(r"^(\(?(?:\+|00)[0-9]{1,3}\)?)\(0\)")
# Italy, San Marino and Vatican City: there the zero is part of the number.
_KEEPS_ZERO: Final = re.compile(r"\(?(?:\+|00)(?:39|378|379)\)?\(0\)")
_TEL: Final = re.compile(r"^tel:", re.IGNORECASE)
_MAILTO: Final = re.compile(r"^mailto:", re.IGNORECASE)
_BETWEEN_NUMBERS: Final = re.compile(r"[/;,]|\s(?:of|en)\s", re.IGNORECASE)
_BETWEEN_EMAILS: Final = re.compile(r"\s(?:of|en)\s|[\s/;,]", re.IGNORECASE)
_BRACKETS: Final = re.compile(r"[()\[\]]")


@dataclass(frozen=True, slots=True)
class GivenAddress:
    """One digitaal adres; `sleutel` is the normalised value by which two of them are the same (M9, M21)."""

    soort: str
    adres: str
    sleutel: str
    omschrijving: str


def digitale_adressen(
    contactpersoon: Mapping[str, str], omschrijving: str, found: list[Finding], *, overige: bool = True
) -> list[GivenAddress]:
    """Give the digitale adressen of a contactpersoonRol, e-mail first (M21).

    In: the loaded contactpersoonRol, the omschrijving that each adres gets (see `omschrijving`), and whether a number
    of another form becomes an adres of soort `overig`. Findings go to `found`. Raises nothing.
    """
    path = "contactpersoonRol."
    return [
        *adressen_in("email", contactpersoon.get("emailadres", ""), omschrijving, f"{path}emailadres", found),
        *adressen_in(
            "telefoonnummer",
            contactpersoon.get("telefoonnummer", ""),
            omschrijving,
            f"{path}telefoonnummer",
            found,
            overige=overige,
        ),
    ]


def adressen_in(
    soort: str, text: str, omschrijving: str, path: str, found: list[Finding], *, overige: bool = True
) -> list[GivenAddress]:
    """Give the digitale adressen in any legacy field for e-mail addresses or telephone numbers (M21).

    In: what the field is for (`email` or `telefoonnummer`), its text and its path. Several in one field are an adres
    each, in their order. What else stands in a field for telephone numbers becomes an adres of soort `overig`, as
    given, unless `overige` is false; of that, and of what the served API would refuse, `found` gets a finding. Raises
    nothing.
    """
    text = text.strip()
    if soort == "email":
        emails = emailadressen(text)
        if text and not emails:
            problem = "Dit is geen geldig e-mailadres; niet overgenomen."
            found.append(Finding("M21", path, Severity.DROPPED, problem))
        for email in emails:
            if len(email) > MAX_ADRES:
                found.append(Finding("M21", path, Severity.DROPPED, _too_long(email)))
        return [
            GivenAddress("email", email, email.casefold(), omschrijving)
            for email in emails
            if len(email) <= MAX_ADRES
        ]
    numbers, all_read = telefoonnummers(text)
    adressen = [GivenAddress("telefoonnummer", number, number, omschrijving) for number in numbers]
    if not text or all_read:
        return adressen
    left = "Dit is geen telefoonnummer dat de API aanneemt"
    if numbers:
        left = "Hier staat meer dan telefoonnummers die de API aanneemt"
    if len(text) > MAX_ADRES:
        found.append(Finding("M21", path, Severity.DROPPED, _too_long(text)))
    elif overige:
        # Of one that is separators only, those are all there is.
        adressen.append(GivenAddress("overig", text, _plain(text) or text, omschrijving))
        found.append(Finding("M21", path, Severity.ADJUSTED, f"{left}; als soort overig overgenomen."))
    else:
        found.append(
            Finding("M21", path, Severity.DROPPED, f"{left}; volgens [mapping] overige_adressen weggelaten.")
        )
    return adressen


def emailadressen(text: str) -> list[str]:
    """Give the e-mail addresses in a text, each once whatever its case; [] when there is anything else in it (M21).

    Invisible characters and `mailto:` are no part of an address.
    """
    plain = _MAILTO.sub("", _visible(text).strip())
    if geldig_emailadres(plain):
        return [plain]
    parts = [_MAILTO.sub("", part) for part in _BETWEEN_EMAILS.split(plain) if part]
    if not all(map(geldig_emailadres, parts)):
        return []
    return list({part.casefold(): part for part in reversed(parts)}.values())[::-1]


def telefoonnummers(text: str) -> tuple[list[str], bool]:
    """Give the telephone numbers in a text as `telefoonnummer` does, each once, and whether that is all (M21)."""
    whole = telefoonnummer(text)
    if whole:
        return [whole], True
    parts = [part for part in _BETWEEN_NUMBERS.split(text) if _plain(part)]
    numbers = [telefoonnummer(part) for part in parts]
    return list(dict.fromkeys(filter(None, numbers))), bool(numbers) and all(numbers)


def geldig_emailadres(text: str) -> bool:
    """Say whether the served API accepts this e-mail address (M21; the contract names Django's rules).

    That is: an RFC 5322 local part in ASCII, and a domain of at least two labels (an international one is
    judged in its ASCII form), an IP address in square brackets, or localhost. Length is not looked at.
    """
    local_part, at, domain = text.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local_part):
        return False
    if domain == "localhost" or _is_domain(domain):
        return True
    try:
        return _is_domain(domain.encode("idna").decode("ascii"))
    except UnicodeError:
        return False


def telefoonnummer(text: str) -> str | None:
    """Give the number without spaces, dots, dashes, brackets and trunk zero when the API takes it, else None.

    Invisible characters and `tel:` go too. The "(0)" is only a trunk zero after a country code; elsewhere, and in
    countries where callers from abroad dial it as well, it is a digit in brackets (M21; ITU-T E.164, E.123).
    """
    number = _plain(text)
    if number.startswith(_SERVICE_NUMBERS) or not _TELEFOONNUMMER.fullmatch(number):
        return None
    return number


def omschrijving(naam: str, eigen_naam: str, found: list[Finding]) -> str:
    """Give the omschrijving of a party's adres: the naam of the contactpersoon when it is another's (M23).

    In: contactpersoonRol.naam and the party's own name. Out: "" when naam is blank or the same name in
    another spelling of case and spaces, else naam, cut at 40 characters with a finding in `found`. Raises
    nothing.
    """
    folded = ander_dan(naam, eigen_naam)
    cut = cut_at_word(folded, MAX_OMSCHRIJVING)
    if cut != folded:
        found.append(
            Finding(
                "M23",
                "contactpersoonRol.naam",
                Severity.ADJUSTED,
                f"Naam van {len(folded)} tekens past niet in de omschrijving van het adres (hoogstens "
                f"{MAX_OMSCHRIJVING}); afgekapt op {len(cut)} tekens.",
            )
        )
    return cut


def ander_dan(naam: str, eigen_naam: str) -> str:
    """Give a naam with single spaces; "" when it is `eigen_naam` in another spelling of case and spaces (M23)."""
    folded = " ".join(naam.split())
    return "" if folded.casefold() == " ".join(eigen_naam.split()).casefold() else folded


def _plain(text: str) -> str:
    digits = _TEL.sub("", _SEPARATORS.sub("", _visible(text)))
    if not _KEEPS_ZERO.match(digits):
        digits = _TRUNK_ZERO.sub(r"\1", digits)
    return _BRACKETS.sub("", digits)


def _visible(text: str) -> str:
    """The text without characters that show nothing (Unicode's format characters), as copying brings along."""
    if text.isprintable():
        return text
    return "".join(character for character in text if unicodedata.category(character) != "Cf")


def _too_long(adres: str) -> str:
    return f"Adres van {len(adres)} tekens past niet (hoogstens {MAX_ADRES}); niet overgenomen."


def _is_domain(domain: str) -> bool:
    literal = _ADDRESS_LITERAL.fullmatch(domain)
    if literal:
        return _is_ip_address(literal[1])
    *labels, top = domain.split(".")
    return bool(labels) and all(map(_LABEL.fullmatch, labels)) and bool(_TOP_LABEL.fullmatch(top))


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
