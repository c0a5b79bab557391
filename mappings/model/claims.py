"""A claim: what a legacy object says of one party or actor.

It holds everything that merging needs, so that a party of many rollen is merged without reading them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

AFWIJKEND: Final = "afwijkendeNaamBetrokkene"
# The parts of a contactnaam in the betrokkeneIdentificatie of a rol.
NAAMVELD: Final[Mapping[str, str]] = {
    "voorletters": "voorletters",
    "voornaam": "voornamen",
    "voorvoegselAchternaam": "voorvoegselGeslachtsnaam",
    "achternaam": "geslachtsnaam",
}


@dataclass(slots=True)
class Claim:
    """What legacy objects say of one party or actor.

    `facet` is zelf (the betrokkene), ouder (its parent) or vertegenwoordigde (whom it acts for, M26). `soort` is
    persoon, organisatie, vestiging, medewerker or organisatorische_eenheid, or "" of a klant that does not say: then
    `readings` hold what it says as a person and as an organisation (see `read_as`). `moment` is the registratiedatum
    in microseconds. Groups that the object does not give are None (M18 skips them). `afwijkend` tells that the only
    name is afwijkendeNaamBetrokkene, which gives way to every other (M12). `contactpersoon` is its achternaam, functie
    and key (M22), `genoemd` whom a person's contactpersoonRol names, when that is not its own name as it stands (M23),
    `nummer` that of a klant (M41), `own_fields` those in which a klant named itself (None: no klant).
    Rollen that say the same may be one claim: that of the newest (`rol`, `moment`), with the moment of the `oldest`.
    """

    facet: str
    soort: str
    keys: list[str]
    rol: UUID
    moment: int
    naam: Any = None
    adres: dict[str, Any] | None = None
    identificatoren: list[list[str]] = field(default_factory=list)
    ouder: str = ""
    andere: list[list[str]] = field(default_factory=list)
    digitaal: list[list[str]] = field(default_factory=list)
    contactpersoon: list[Any] | None = None
    genoemd: str = ""
    nummer: str = ""
    afwijkend: bool = False
    own_fields: list[str] | None = None
    readings: dict[str, list[Any]] | None = None
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
        naam, digitaal, contactpersoon, _ = self.readings[soort]
        return replace(
            self, soort=soort, naam=naam, digitaal=digitaal, contactpersoon=contactpersoon, readings=None
        )

    def body(self) -> dict[str, Any]:
        """What is said, as JSON-ready data, without the rol that says it; `from_body` reads it back."""
        content = {
            "f": self.facet,
            "s": self.soort,
            "k": self.keys,
            "n": self.naam,
            "a": self.adres,
            "i": self.identificatoren,
            "o": self.ouder,
            "x": self.andere,
            "d": self.digitaal,
        }
        if self.contactpersoon:
            content["c"] = self.contactpersoon
        if self.genoemd:
            content["g"] = self.genoemd
        if self.nummer:
            content["m"] = self.nummer
        if self.afwijkend:
            content["w"] = True
        if self.own_fields is not None:
            content["e"] = self.own_fields
        if self.readings:
            content["r"] = self.readings
        return content

    @classmethod
    def from_body(cls, data: Mapping[str, Any], rol: UUID, moment: int, oldest: int) -> Claim:
        """The claim of `rol` (the newest that says it) from what `body` gave."""
        return cls(
            facet=data["f"],
            soort=data["s"],
            keys=data["k"],
            rol=rol,
            moment=moment,
            oldest=oldest,
            naam=data["n"],
            adres=data["a"],
            identificatoren=data["i"],
            ouder=data["o"],
            andere=data["x"],
            digitaal=data["d"],
            contactpersoon=data.get("c"),
            genoemd=data.get("g", ""),
            nummer=data.get("m", ""),
            afwijkend=data.get("w", False),
            own_fields=data.get("e"),
            readings=data.get("r"),
        )
