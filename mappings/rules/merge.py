"""One party or actor from all the claims on it: the newest says what it is called and where it lives (M18)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mappings.identity import identity
from mappings.identity.identity import KeySet, Ouder, Uuids
from mappings.model.claims import AFWIJKEND, Claim
from mappings.model.documents import Document
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Settings
from mappings.rules.contactpersonen import ORGANISATIES, is_eigen_naam, notitie, partij_identificatie
from mappings.rules.klanten import fields_of_klant
from mappings.rules.rollen import ACTOR_TYPES, LEGE_NAAM
from mappings.rules.vertegenwoordigingen import FACET, REPRESENTEE
from mappings.values import namen
from mappings.values.adressen import LEEG
from mappings.values.digitaleadressen import ander_dan

# codeRegister, codeObjecttype of each identificator (M17).
REGISTER = {
    "bsn": ("brp", "natuurlijk_persoon"),
    "rsin": ("hr", "niet_natuurlijk_persoon"),
    "kvk_nummer": ("hr", "niet_natuurlijk_persoon"),
    "vestigingsnummer": ("hr", "vestiging"),
}
KEY = {"bsn": "brp:bsn:", "rsin": "hr:rsin:", "kvk_nummer": "hr:kvk:", "vestigingsnummer": "hr:vestiging:"}
ANDERE_LIMIT = 200
# Of which soort a party prefers its standard address, the first that it has (M11).
VOORKEUR = ("email", "telefoonnummer")
# Where what goes into anderePartijIdentificator stood, by its label there.
ANDERE_VELD = {
    label: f"betrokkeneIdentificatie.{name}"
    for label, name in (
        ("a-nummer", "inpA_nummer"),
        ("anp", "anpIdentificatie"),
        ("ann", "annIdentificatie"),
        ("ongeldig bsn", "inpBsn"),
        ("ongeldig rsin", "innNnpId"),
        ("ongeldig kvk-nummer", "kvkNummer"),
        ("ongeldig vestigingsnummer", "vestigingsNummer"),
    )
}

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


def sets_of(claims: Sequence[Claim]) -> list[KeySet]:
    """Which of these claims, in any order, are on one party or actor (M6)."""
    ouders = {
        number: Ouder(claim.ouder, claim.moment, claim.rol.bytes, claim.first)
        for number, claim in enumerate(claims)
        if claim.ouder
    }
    return identity.key_sets([claim.keys for claim in claims], [claim.soort for claim in claims], ouders)


def merge(claims: Sequence[Claim], keys: KeySet, uuids: Uuids, settings: Settings) -> Merged:
    """Merge the claims on one party or actor (M6, M11, M12, M17, M18, M21-M24, M27, M42).

    In: its claims in any order, and its set of keys. Out: its documents; the same claims always give the same.
    """
    newest_first = sorted(
        claims, key=lambda claim: (claim.moment, claim.rol.bytes, claim.facet), reverse=True
    )
    merger = _Merger(newest_first, keys, uuids, settings)
    if merger.soort in ACTOR_TYPES:
        merger.actor()
    else:
        merger.partij()
    return merger.merged


class _Merger:
    def __init__(self, claims: list[Claim], keys: KeySet, uuids: Uuids, settings: Settings) -> None:
        # Of a party that a conflict made of two soorten, the newest decides.
        self.soort = claims[0].soort or next((claim.soort for claim in claims if claim.soort), "")
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
            for rule, path, severity, action in claim.readings[soort][3] if claim.readings else ():
                self.merged.findings.append((claim.rol, Finding(rule, path, Severity(severity), action)))
        self.claims = [claim.read_as(soort) for claim in self.claims]

    def _conflict(self, conflict: str) -> None:
        """Tell each rol of a set that was not joined why (M6), and which names its own partij leaves out."""
        others = [claim for claim in self.claims if (claim.soort == "persoon") != (self.soort == "persoon")]
        for claim in self.claims:
            action = TOGETHER if others else APART[conflict]
            self._finding(claim, "M6", "betrokkeneIdentificatie", Severity.ADJUSTED, action)
        action = "de partij is volgens een nieuwere rol van een andere soort: deze naam niet overgenomen"
        for claim in others:
            rule = "M12" if claim.soort == "persoon" else "M13"
            for path in claim.name_fields():
                self._finding(claim, "M12" if path == AFWIJKEND else rule, path, Severity.DROPPED, action)

    def partij(self) -> None:
        persoon = self.soort == "persoon"
        of_soort = self.claims
        if self.keys.conflict:
            of_soort = [claim for claim in of_soort if (claim.soort == "persoon") == persoon]
        naam = self._naam(of_soort)
        adres = self._newest("adres") or {}
        wie: dict[str, Any] = {"naam": naam or ""}
        if persoon:
            naam = naam or LEGE_NAAM
            wie = {"contactnaam": naam, "volledigeNaam": namen.volledige_naam(naam)}
        self._partij(
            self.uuid,
            {
                "soortPartij": "persoon" if persoon else "organisatie",
                "bezoekadres": adres.get("bezoekadres", LEEG),
                "correspondentieadres": adres.get("correspondentieadres", LEEG),
                "partijIdentificatie": wie,
            },
            self.claims,
            other=[identity.key_uuid(self.uuids, key) for key in self.keys.keys[1:]],
        )
        self._identificatoren()
        organisatie = self.soort in ORGANISATIES
        elsewhere = organisatie and self.settings.contactpersoon_adressen == "contactpersoon"
        given = [
            (claim, entry)
            for claim in self.claims
            for entry in claim.digitaal
            if not (elsewhere and claim.contactpersoon)
        ]
        self._digitale_adressen(self.merged.documents[0], given, self.keys.keys)
        if organisatie:
            self._contactpersonen()
        else:
            self._without_contactpersoon()

    def _naam(self, claims: Sequence[Claim]) -> Any:
        """The newest name among these claims, an afwijkende only where there is no other (M12, M18); None: no name."""
        afwijkend = None
        for claim in claims:
            if claim.naam and not claim.afwijkend:
                self._afwijkend(claims, claim.naam)
                return claim.naam
            afwijkend = afwijkend or claim.naam
        return afwijkend

    def _afwijkend(self, claims: Sequence[Claim], naam: Any) -> None:
        """Tell of each afwijkende naam that gave way to this one."""
        for claim in claims:
            if claim.afwijkend and claim.naam:
                found: list[Finding] = []
                achternaam = claim.naam["achternaam"] if claim.soort == "persoon" else claim.naam
                namen.report_afwijkend(achternaam, naam, found)
                self.merged.findings += [(claim.rol, finding) for finding in found]

    def _partij(
        self,
        uuid: UUID,
        own: dict[str, Any],
        holders: Sequence[Claim],
        links: dict[str, list[UUID]] | None = None,
        other: Sequence[UUID] = (),
    ) -> Document:
        body = {
            "nummer": None,
            "interneNotitie": "",
            "soortPartij": "",
            "indicatieGeheimhouding": None,
            "voorkeurstaal": self.settings.voorkeurstaal,
            "indicatieActief": True,
            "bezoekadres": LEEG,
            "correspondentieadres": LEEG,
        }
        return self._add("partij", uuid, body | own, holders, links, other)

    def _contactpersonen(self) -> None:
        """Who answers for the organisation: a party of its own for each key (M22, M24)."""
        people: dict[tuple[str, ...], list[tuple[Claim, list[Any]]]] = {}
        for claim in self.claims:
            if claim.contactpersoon:
                people.setdefault(tuple(claim.contactpersoon[2]), []).append((claim, claim.contactpersoon))
        for key, said in people.items():
            # One that is known by its rol only is the same one under whatever key the organisation has.
            places = self.keys.keys if len(key) > 1 else ("",)
            keys = ["|".join(("contactpersoon", *filter(None, (place, *key)))) for place in places]
            uuid, *other = (self.uuids.derive(each) for each in keys)
            functie = next((functie for _, (_, functie, _) in said if functie), "")
            inner = str(self.uuids.derive("contactpersoon-identificatie", keys[0]))
            partij = self._partij(
                uuid,
                {
                    "soortPartij": "contactpersoon",
                    "interneNotitie": notitie(functie),
                    "partijIdentificatie": partij_identificatie(inner, said[0][1][0]),
                },
                [claim for claim, _ in said],
                {"werkteVoorPartij": [self.uuid]},
                other,
            )
            if self.settings.contactpersoon_adressen != "organisatie":
                # Its own name says nothing new beside its own address.
                given = [(claim, [*entry[:3], ""]) for claim, _ in said for entry in claim.digitaal]
                self._digitale_adressen(partij, given, keys, own=True)

    def _without_contactpersoon(self) -> None:
        """A rol of an organisation that a conflict left with a person: there is no contactpersoon to make (M22)."""
        for claim in self.claims:
            if claim.contactpersoon:
                action = "de partij is geen organisatie: geen contactpersoon gemaakt"
                self._finding(claim, "M22", "contactpersoonRol.naam", Severity.DROPPED, action)
                if claim.contactpersoon[1]:
                    self._finding(claim, "M24", "contactpersoonRol.functie", Severity.DROPPED, action)

    def _identificatoren(self) -> None:
        holders: dict[tuple[str, str], list[Claim]] = {}
        for claim in self.claims:
            for soort, value in claim.identificatoren:
                holders.setdefault((soort, value), []).append(claim)
        rows = sorted(holders, key=lambda row: (list(REGISTER).index(row[0]), row[1]))
        own = [row for row in rows if self.keys.names(KEY[row[0]] + row[1])]
        andere = self._andere(bool(own))
        for number, (soort, value) in enumerate(own):
            links = {"identificeerdePartij": [self.uuid]}
            self._identificator(soort, value, holders[soort, value], links, andere if number == 0 else "")
        for soort, value in rows:
            if KEY[soort] + value in self.keys.loose:
                self._identificator(soort, value, holders[soort, value], {}, "")

    def _identificator(
        self, soort: str, value: str, holders: list[Claim], links: dict[str, list[UUID]], andere: str
    ) -> None:
        register, objecttype = REGISTER[soort]
        other: list[UUID] = []
        ouder = "-"
        if soort == "vestigingsnummer":
            # More than one only where a vestiging has no number of its own in the set: those are separated (M6).
            ouder = next((claim.ouder for claim in holders if claim.ouder), "-")
            if ouder == "-":
                self._without_parent(holders)
            else:
                links["subIdentificatorVan"] = [self.identificator_uuid("kvk_nummer", ouder, "-")]
                if KEY[soort] + value in self.keys.keys:
                    other = [self.identificator_uuid(soort, value, "-")]
        uuid = self.identificator_uuid(soort, value, ouder)
        self._add(
            "partij-identificator",
            uuid,
            {
                "anderePartijIdentificator": andere,
                "partijIdentificator": {
                    "codeObjecttype": objecttype,
                    "codeSoortObjectId": soort,
                    "objectId": value,
                    "codeRegister": register,
                },
            },
            holders,
            links,
            other,
        )

    def _without_parent(self, vestigingen: Sequence[Claim]) -> None:
        """Tell the rollen of a vestiging of which none names a KVK number (M17)."""
        action = "vestigingsnummer zonder KVK-nummer: zonder bovenliggende identificator vastgelegd"
        for claim in vestigingen:
            path = "betrokkeneIdentificatie.kvkNummer"
            if claim.facet == FACET:
                path = f"{REPRESENTEE}.identifier"
            self._finding(claim, "M17", path, Severity.ADJUSTED, action)

    def identificator_uuid(self, soort: str, value: str, ouder: str) -> UUID:
        register, objecttype = REGISTER[soort]
        return self.uuids.derive("identificator", register, objecttype, soort, value, ouder)

    def _andere(self, has_row: bool) -> str:
        """The numbers that make no row of their own, as one text (M17)."""
        holders: dict[tuple[str, str], list[Claim]] = {}
        for claim in self.claims:
            for label, value in claim.andere:
                holders.setdefault((label, value), []).append(claim)
        text = ""
        for label, value in sorted(holders):
            longer = f"{text}; {label}: {value}" if text else f"{label}: {value}"
            if has_row and len(longer) <= ANDERE_LIMIT:
                text = longer
                continue
            reason = (
                "past niet meer in anderePartijIdentificator (200 tekens)"
                if has_row
                else "alleen in het bronobject bewaard: de partij heeft geen identificator die het kan dragen"
            )
            for claim in holders[label, value]:
                self._finding(claim, "M17", ANDERE_VELD[label], Severity.DROPPED, reason)
        return text

    def _digitale_adressen(
        self,
        partij: Document,
        given: Iterable[tuple[Claim, list[str]]],
        keys: Sequence[str],
        *,
        own: bool = False,
    ) -> None:
        """The addresses of a party (M21), and which of them it prefers (M11).

        In: `given` by claim, the newest first; `keys` those of the party. An address that a claim gives with the name
        of another person is not the standard one, unless they are all its `own` (M22, M23).
        """
        others = set() if own else {id(claim) for claim in self.claims if self._names_another(claim)}
        holders: dict[tuple[str, str], list[tuple[Claim, list[str]]]] = {}
        for claim, entry in given:
            holders.setdefault((entry[0], entry[2]), []).append((claim, entry))
        standard: dict[str, UUID] = {}
        for (soort, sleutel), found in holders.items():
            newest = found[0][1]
            spellings = [sleutel]
            if soort == "overig":
                # The value as given once distinguished it from others: clients may hold the uuid of that.
                spellings += sorted({entry[1] for _, entry in found} - {sleutel})
            uuid, *other = (
                self.uuids.derive("adres", key, soort, spelling) for key in keys for spelling in spellings
            )
            if not any(id(claim) in others for claim, _ in found):
                claim = found[0][0]
                place = [(each[0], each[2]) for each in claim.digitaal].index((soort, sleutel))
                self.merged.adressen[uuid] = (claim.moment, claim.rol, -place)
                standard.setdefault(soort, uuid)
            self._add(
                "digitaleadres",
                uuid,
                {
                    "adres": newest[1],
                    "soortDigitaalAdres": soort,
                    "isStandaardAdres": standard.get(soort) == uuid,
                    "omschrijving": next((entry[3] for _, entry in found if entry[3]), ""),
                    "referentie": "",
                    "verificatieDatum": None,
                },
                [claim for claim, _ in found],
                {"verstrektDoorPartij": [partij.uuid]},
                other,
            )
        chosen = [standard[soort] for soort in VOORKEUR if soort in standard]
        if self.settings.voorkeursadres and chosen:
            partij.links["voorkeursDigitaalAdres"] = chosen[:1]

    def _names_another(self, claim: Claim) -> bool:
        """Does its contactpersoonRol name somebody who is not this party, by all that rollen call it (M22, M23)?"""
        if self.soort != "persoon":
            naam = claim.contactpersoon[0] if claim.contactpersoon else claim.genoemd
            return bool(naam) and all(
                ander_dan(naam, each.naam) for each in self.claims if isinstance(each.naam, str)
            )
        naam = claim.genoemd or (claim.contactpersoon[0] if claim.contactpersoon else "")
        names = [each.naam for each in self.claims if isinstance(each.naam, dict)]
        return bool(naam) and not any(is_eigen_naam(naam, each) for each in names)

    def actor(self) -> None:
        objectid = next((value for claim in self.claims for _, value in claim.identificatoren), "")
        settings = self.settings
        objecttype = settings.actor_objecttype_eenheid
        if self.soort == "medewerker":
            objecttype = settings.actor_objecttype_medewerker
        elif self.keys.keys[0].startswith(identity.GROEP):
            objecttype = settings.actor_objecttype_groep
        nameless = ("onbekend", objectid)
        named = next(
            (claim.naam for claim in self.claims if claim.naam not in nameless and not claim.afwijkend),
            objectid,
        )
        if named:
            self._afwijkend(self.claims, named)
        else:
            named = next((claim.naam for claim in self.claims if claim.afwijkend), "onbekend")
        identificator = dict.fromkeys(("objectId", "codeObjecttype", "codeRegister", "codeSoortObjectId"), "")
        if objectid:
            identificator = {
                "objectId": objectid,
                "codeObjecttype": objecttype,
                "codeRegister": settings.actor_register,
                "codeSoortObjectId": settings.actor_soort_object_id,
            }
        self._add(
            "actor",
            self.uuid,
            {
                "naam": named,
                "soortActor": self.soort,
                "indicatieActief": True,
                "actoridentificator": identificator,
                "actorIdentificatie": self._newest("adres"),
            },
            self.claims,
            other=[identity.key_uuid(self.uuids, key) for key in self.keys.keys[1:]],
        )

    def _newest(self, group: str) -> Any:
        """The group from the newest claim that gives it (M18); groups are never mixed."""
        return next((value for claim in self.claims if (value := getattr(claim, group)) is not None), None)

    def _add(
        self,
        kind: str,
        uuid: UUID,
        body: dict[str, Any],
        holders: Sequence[Claim],
        links: dict[str, list[UUID]] | None = None,
        other: Sequence[UUID] = (),
    ) -> Document:
        created = min(claim.first for claim in holders)
        sources = frozenset(claim.rol for claim in holders)
        document = Document(kind, uuid, body, created, created, links or {}, sources, tuple(other))
        self.merged.documents.append(document)
        return document

    def _finding(self, claim: Claim, rule: str, path: str, severity: Severity, action: str) -> None:
        paths = [path] if claim.own_fields is None else fields_of_klant(claim.own_fields, path)
        self.merged.findings += [(claim.rol, Finding(rule, each, severity, action)) for each in paths]


def _seems(claims: Sequence[Claim]) -> str:
    """What a party of klanten that all do not say so seems to be (M41): an organisation when one has a bedrijfsnaam."""
    named = any(claim.readings["organisatie"][0] for claim in claims if claim.readings)
    return "organisatie" if named else "persoon"
