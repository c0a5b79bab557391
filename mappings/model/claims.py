"""A claim: what a legacy object says of one party or actor.

It holds everything that merging needs, so that a party of many rollen is merged without reading them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from mappings.model.findings import Finding, Severity

AFWIJKEND: Final = "afwijkendeNaamBetrokkene"
# The parts of a contactnaam in the betrokkeneIdentificatie of a rol.
NAAMVELD: Final[Mapping[str, str]] = {
    "voorletters": "voorletters",
    "voornaam": "voornamen",
    "voorvoegselAchternaam": "voorvoegselGeslachtsnaam",
    "achternaam": "geslachtsnaam",
}


class ClaimedNummer(NamedTuple):
    """A number, and what sort of number it is: of an identificator, or by its label in anderePartijIdentificator."""

    soort: str
    nummer: str


class ClaimedAdres(NamedTuple):
    """One digitaal adres; `sleutel` is the normalised value by which two of them are the same (M9, M21)."""

    soort: str
    adres: str
    sleutel: str
    omschrijving: str


class ClaimedContactpersoon(NamedTuple):
    """Who answers for an organisation (M22, M24).

    The key is naam and e-mail, case-folded, when an e-mail address is given, else the rol.
    """

    achternaam: str
    functie: str
    key: tuple[str, ...]

    def to_json(self) -> list[Any]:
        """It as JSON has it."""
        return [self.achternaam, self.functie, list(self.key)]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Self:
        """What `to_json` gave."""
        achternaam, functie, key = kept
        return cls(achternaam, functie, tuple(key))


# As `_make`, without a call of Python for each: a party may be read from thousands of claims.
_nummer: Callable[[Iterable[Any]], ClaimedNummer] = partial(tuple.__new__, ClaimedNummer)
_adres: Callable[[Iterable[Any]], ClaimedAdres] = partial(tuple.__new__, ClaimedAdres)


def _lists(parts: Sequence[tuple[str, ...]]) -> list[list[str]]:
    return [[*part] for part in parts] if parts else []


class ClaimReading(NamedTuple):
    """What a claim says when it is read as one soort of party, and the findings that hold only then (M41)."""

    naam: Any
    digitaal: list[ClaimedAdres]
    contactpersoon: ClaimedContactpersoon | None
    findings: list[Finding]

    def to_json(self) -> list[Any]:
        """It as JSON has it."""
        return [
            self.naam,
            _lists(self.digitaal),
            self.contactpersoon and self.contactpersoon.to_json(),
            [[each.rule, each.field, str(each.severity), each.action] for each in self.findings],
        ]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Self:
        """What `to_json` gave."""
        naam, digitaal, contactpersoon, findings = kept
        return cls(
            naam,
            list(map(_adres, digitaal)),
            contactpersoon and ClaimedContactpersoon.from_json(contactpersoon),
            [Finding(rule, path, Severity(severity), action) for rule, path, severity, action in findings],
        )


@dataclass(slots=True)
class Claim:
    """What legacy objects say of one party or actor.

    `facet` is zelf (the betrokkene), ouder (its parent) or vertegenwoordigde (whom it acts for, M26). `soort` is
    persoon, organisatie, vestiging, medewerker or organisatorische_eenheid, or "" of a klant that does not say: then
    `readings` hold what it says as a person and as an organisation (see `read_as`). `moment` is the registratiedatum
    in microseconds. Groups that the object does not give are None (M18 skips them). `afwijkend` tells that the only
    name is afwijkendeNaamBetrokkene, which gives way to every other (M12). `genoemd` is whom a person's
    contactpersoonRol names, when that is not its own name as it stands (M23), `nummer` that of a klant (M41),
    `own_fields` those in which a klant named itself (None: no klant).
    Rollen that say the same may be one claim: that of the newest (`rol`, `moment`), with the moment of the `oldest`.
    """

    facet: str
    soort: str
    keys: list[str]
    rol: UUID
    moment: int
    naam: Any = None
    adres: dict[str, Any] | None = None
    identificatoren: list[ClaimedNummer] = field(default_factory=list)
    ouder: str = ""
    andere: list[ClaimedNummer] = field(default_factory=list)
    digitaal: list[ClaimedAdres] = field(default_factory=list)
    contactpersoon: ClaimedContactpersoon | None = None
    genoemd: str = ""
    nummer: str = ""
    afwijkend: bool = False
    own_fields: list[str] | None = None
    readings: dict[str, ClaimReading] | None = None
    oldest: int | None = None

    @property
    def first(self) -> int:
        """The moment of the oldest rol that says this (M42)."""
        return self.moment if self.oldest is None else self.oldest

    def name_fields(self) -> list[str]:
        """The fields of the rol that gave the name, for a claim without a number of its own."""
        if not self.naam or self.afwijkend:
            return [AFWIJKEND] if self.naam else []
        names = ["handelsnaam" if self.soort == "vestiging" else "statutaireNaam"]
        if self.soort == "persoon":
            names = [NAAMVELD[part] for part, value in self.naam.items() if value]
        return [f"betrokkeneIdentificatie.{name}" for name in names]

    def read_as(self, soort: str) -> Claim:
        """What it says of a partij of this soort (persoon or organisatie) where it does not say what it is itself."""
        if not self.readings or soort not in self.readings:
            return self
        read = self.readings[soort]
        return replace(
            self,
            soort=soort,
            naam=read.naam,
            digitaal=read.digitaal,
            contactpersoon=read.contactpersoon,
            readings=None,
        )

    def body(self) -> dict[str, Any]:
        """What is said, as JSON-ready data, without the rol that says it; `from_body` reads it back."""
        content = {
            "f": self.facet,
            "s": self.soort,
            "k": self.keys,
            "n": self.naam,
            "a": self.adres,
            "i": _lists(self.identificatoren),
            "o": self.ouder,
            "x": _lists(self.andere),
            "d": _lists(self.digitaal),
        }
        if self.contactpersoon:
            content["c"] = self.contactpersoon.to_json()
        if self.genoemd:
            content["g"] = self.genoemd
        if self.nummer:
            content["m"] = self.nummer
        if self.afwijkend:
            content["w"] = True
        if self.own_fields is not None:
            content["e"] = self.own_fields
        if self.readings:
            content["r"] = {soort: read.to_json() for soort, read in self.readings.items()}
        return content

    @classmethod
    def from_body(cls, data: Mapping[str, Any], rol: UUID, moment: int, oldest: int) -> Claim:
        """The claim of `rol` (the newest that says it) from what `body` gave."""
        contactpersoon, readings = data.get("c"), data.get("r")
        return cls(
            facet=data["f"],
            soort=data["s"],
            keys=data["k"],
            rol=rol,
            moment=moment,
            oldest=oldest,
            naam=data["n"],
            adres=data["a"],
            identificatoren=data["i"] and list(map(_nummer, data["i"])),
            ouder=data["o"],
            andere=data["x"] and list(map(_nummer, data["x"])),
            digitaal=data["d"] and list(map(_adres, data["d"])),
            contactpersoon=contactpersoon and ClaimedContactpersoon.from_json(contactpersoon),
            genoemd=data.get("g", ""),
            nummer=data.get("m", ""),
            afwijkend=data.get("w", False),
            own_fields=data.get("e"),
            readings=readings and {soort: ClaimReading.from_json(read) for soort, read in readings.items()},
        )
