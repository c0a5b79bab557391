"""What merging the claims on one party or actor needs, whatever it is: their order, its name, its documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mappings.identity import identity
from mappings.identity.identity import KeySet, Uuids
from mappings.model.claims import AFWIJKEND, Claim
from mappings.model.documents import Document
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Settings
from mappings.rules.klanten import fields_of_klant
from mappings.values import namen

# The texts of findings on a conflict (M6).
APART = {
    identity.TWO_NUMBERS: "conflict: niet samengevoegd, want dan had een partij twee nummers van een soort",
    identity.TWO_SOORTEN: "conflict: niet samengevoegd, want dan was een partij van twee soorten (persoon, organisatie "
    "of vestiging)",
    identity.TWO_PARENTS: "conflict: dit vestigingsnummer komt voor onder meer dan een KVK-nummer; elk paar is een "
    "partij",
}
TOGETHER = (
    "conflict: een persoon en een organisatie met dezelfde URL en zonder nummer zijn een partij, van de soort van de "
    "nieuwste rol"
)


@dataclass(slots=True)
class Merged:
    """A party or actor with what belongs to it; the first document is the party or actor itself.

    `findings` are by the rol (of the claim) that they are about; the sources of a document are such rollen too.
    `adressen` are the digitale adressen that may be the standard one of their soort (M21), by uuid: the moment and uuid
    of the newest rol that gives it, and its place there. The greatest is the standard one.
    """

    documents: list[Document]
    findings: list[tuple[UUID, Finding]] = field(default_factory=list)
    adressen: dict[UUID, tuple[int, UUID, int]] = field(default_factory=dict)


class Merger:
    """Merges the claims on one party or actor, the newest first; `merged` is what comes of it."""

    def __init__(self, claims: list[Claim], keys: KeySet, uuids: Uuids, settings: Settings) -> None:
        self.soort = soort_of(claims)
        self.claims = claims
        self.keys = keys
        self.uuids = uuids
        self.settings = settings
        self.uuid = identity.key_uuid(uuids, keys.keys[0])
        self.merged = Merged([])
        for claim in claims:
            if not claim.soort:
                self._read()
                break
        if keys.conflict:
            self._conflict(keys.conflict)

    def _read(self) -> None:
        """Read klanten that do not say what they are as what the party is (M41)."""
        self.soort = self.soort or _seems(self.claims)
        soort = "persoon" if self.soort == "persoon" else "organisatie"
        for claim in self.claims:
            if claim.readings:
                self.merged.findings += [(claim.rol, finding) for finding in claim.readings[soort].findings]
        self.claims = [claim.read_as(soort) for claim in self.claims]

    def _conflict(self, conflict: str) -> None:
        """Tell each rol of a set that was not joined why (M6), and which names its own partij leaves out."""
        others = [claim for claim in self.claims if (claim.soort == "persoon") != (self.soort == "persoon")]
        for claim in self.claims:
            action = TOGETHER if others else APART[conflict]
            self.finding(claim, "M6", "betrokkeneIdentificatie", Severity.ADJUSTED, action)
        action = "de partij is volgens een nieuwere rol van een andere soort: deze naam niet overgenomen"
        for claim in others:
            rule = "M12" if claim.soort == "persoon" else "M13"
            for path in claim.name_fields():
                self.finding(claim, "M12" if path == AFWIJKEND else rule, path, Severity.DROPPED, action)

    def naam_of(self, claims: Sequence[Claim]) -> Any:
        """The newest name among these claims, an afwijkende only where there is no other (M12, M18); None: no name."""
        afwijkend = None
        for claim in claims:
            if claim.naam and not claim.afwijkend:
                self.report_afwijkend(claims, claim.naam)
                return claim.naam
            afwijkend = afwijkend or claim.naam
        return afwijkend

    def report_afwijkend(self, claims: Sequence[Claim], naam: Any) -> None:
        """Tell of each afwijkende naam that gave way to this one."""
        for claim in claims:
            if claim.afwijkend and claim.naam:
                found: list[Finding] = []
                achternaam = claim.naam["achternaam"] if claim.soort == "persoon" else claim.naam
                namen.report_afwijkend(achternaam, naam, found)
                self.merged.findings += [(claim.rol, finding) for finding in found]

    def newest(self, group: str) -> Any:
        """The group from the newest claim that gives it (M18); groups are never mixed."""
        return next((value for claim in self.claims if (value := getattr(claim, group)) is not None), None)

    def add(
        self,
        kind: str,
        uuid: UUID,
        body: dict[str, Any],
        holders: Sequence[Claim],
        links: dict[str, list[UUID]] | None = None,
        other: Sequence[UUID] = (),
    ) -> Document:
        """Add a document that these claims make."""
        created = min(claim.first for claim in holders)
        sources = frozenset(claim.rol for claim in holders)
        document = Document(kind, uuid, body, created, created, links or {}, sources, tuple(other))
        self.merged.documents.append(document)
        return document

    def finding(self, claim: Claim, rule: str, path: str, severity: Severity, action: str) -> None:
        """Note a finding on the rol or klant of a claim, by the names of its own fields."""
        paths = [path] if claim.own_fields is None else fields_of_klant(claim.own_fields, path)
        self.merged.findings += [(claim.rol, Finding(rule, each, severity, action)) for each in paths]


def soort_of(claims: Sequence[Claim]) -> str:
    """Of which soort the party or actor of these claims is, the newest first; blank when none says so.

    Of a party that a conflict made of two soorten, the newest decides.
    """
    return next((claim.soort for claim in claims if claim.soort), "")


def _seems(claims: Sequence[Claim]) -> str:
    """What a party of klanten that all do not say so seems to be (M41): an organisation when one has a bedrijfsnaam."""
    named = any(claim.readings["organisatie"].naam for claim in claims if claim.readings)
    return "organisatie" if named else "persoon"
