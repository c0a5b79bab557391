"""E-mail addresses and telephone numbers of a contactpersoonRol (M21, M23)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mappings.findings import Finding, Severity
from mappings.namen import cut_at_word

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
_BRACKETS: Final = re.compile(r"[()\[\]]")


@dataclass(frozen=True, slots=True)
class Adres:
    """One digitaal adres; `sleutel` is the normalised value by which two of them are the same (M9, M21)."""

    soort: str
    adres: str
    sleutel: str
    omschrijving: str


def digitale_adressen(
    contactpersoon: Mapping[str, str], omschrijving: str, found: list[Finding]
) -> list[Adres]:
    """Give the digitale adressen of a contactpersoonRol, e-mail first (M21).

    In: the loaded contactpersoonRol and the omschrijving that each adres gets (see `omschrijving`). A
    telephone number of another form becomes soort `overig`; what the served API would refuse is left out;
    both with a finding in `found`. Raises nothing.
    """
    adressen = []
    email = contactpersoon.get("emailadres", "").strip()
    if email:
        problem = _email_problem(email)
        if problem:
            found.append(Finding("M21", "contactpersoonRol.emailadres", Severity.DROPPED, problem))
        else:
            adressen.append(Adres("email", email, email.casefold(), omschrijving))

    telefoon = contactpersoon.get("telefoonnummer", "").strip()
    if telefoon:
        number = telefoonnummer(telefoon)
        if number:
            adressen.append(Adres("telefoonnummer", number, number, omschrijving))
        elif len(telefoon) > MAX_ADRES:
            found.append(
                Finding("M21", "contactpersoonRol.telefoonnummer", Severity.DROPPED, _too_long(telefoon))
            )
        else:
            # Of one that is separators only, those are all there is.
            adressen.append(Adres("overig", telefoon, _plain(telefoon) or telefoon, omschrijving))
            found.append(
                Finding(
                    "M21",
                    "contactpersoonRol.telefoonnummer",
                    Severity.ADJUSTED,
                    "Dit is geen telefoonnummer dat de API aanneemt; als soort overig overgenomen.",
                )
            )
    return adressen


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

    The "(0)" is only a trunk zero after a country code; elsewhere it is a digit in brackets (M21).
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
    return _BRACKETS.sub("", _TRUNK_ZERO.sub(r"\1", _SEPARATORS.sub("", text)))


def _email_problem(email: str) -> str:
    if len(email) > MAX_ADRES:
        return _too_long(email)
    if not geldig_emailadres(email):
        return "Dit is geen geldig e-mailadres; niet overgenomen."
    return ""


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
