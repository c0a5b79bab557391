"""One party or actor from all the claims on it: the newest says what it is called and where it lives (M18)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from mappings.identity import identity
from mappings.identity.identity import KeySet, Ouder, Uuids
from mappings.model.claims import Claim, ClaimedAdres, ClaimedContactpersoon
from mappings.model.documents import Document
from mappings.model.findings import Severity
from mappings.model.settings import Settings
from mappings.rules.contactpersonen import ORGANISATIES, is_eigen_naam, notitie, partij_identificatie
from mappings.rules.merged import Merged, Merger, soort_of
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
    merger = (_MergedActor if soort_of(newest_first) in ACTOR_TYPES else _MergedPartij)(
        newest_first, keys, uuids, settings
    )
    merger.make()
    return merger.merged


class _MergedActor(Merger):
    def make(self) -> None:
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
            self.report_afwijkend(self.claims, named)
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
        self.add(
            "actor",
            self.uuid,
            {
                "naam": named,
                "soortActor": self.soort,
                "indicatieActief": True,
                "actoridentificator": identificator,
                "actorIdentificatie": self.newest("adres"),
            },
            self.claims,
            other=[identity.key_uuid(self.uuids, key) for key in self.keys.keys[1:]],
        )


class _MergedPartij(Merger):
    def make(self) -> None:
        persoon = self.soort == "persoon"
        of_soort = self.claims
        if self.keys.conflict:
            of_soort = [claim for claim in of_soort if (claim.soort == "persoon") == persoon]
        naam = self.naam_of(of_soort)
        adres = self.newest("adres") or {}
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
            (claim, adres)
            for claim in self.claims
            for adres in claim.digitaal
            if not (elsewhere and claim.contactpersoon)
        ]
        self._digitale_adressen(self.merged.documents[0], given, self.keys.keys)
        if organisatie:
            self._contactpersonen()
        else:
            self._without_contactpersoon()

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
        return self.add("partij", uuid, body | own, holders, links, other)

    def _contactpersonen(self) -> None:
        """Who answers for the organisation: a party of its own for each key (M22, M24)."""
        people: dict[tuple[str, ...], list[tuple[Claim, ClaimedContactpersoon]]] = {}
        for claim in self.claims:
            if claim.contactpersoon:
                people.setdefault(claim.contactpersoon.key, []).append((claim, claim.contactpersoon))
        for key, said in people.items():
            # One that is known by its rol only is the same one under whatever key the organisation has.
            places = self.keys.keys if len(key) > 1 else ("",)
            keys = ["|".join(("contactpersoon", *filter(None, (place, *key)))) for place in places]
            uuid, *other = (self.uuids.derive(each) for each in keys)
            functie = next((persoon.functie for _, persoon in said if persoon.functie), "")
            inner = str(self.uuids.derive("contactpersoon-identificatie", keys[0]))
            partij = self._partij(
                uuid,
                {
                    "soortPartij": "contactpersoon",
                    "interneNotitie": notitie(functie),
                    "partijIdentificatie": partij_identificatie(inner, said[0][1].achternaam),
                },
                [claim for claim, _ in said],
                {"werkteVoorPartij": [self.uuid]},
                other,
            )
            if self.settings.contactpersoon_adressen != "organisatie":
                # Its own name says nothing new beside its own address.
                given = [
                    (claim, adres._replace(omschrijving="")) for claim, _ in said for adres in claim.digitaal
                ]
                self._digitale_adressen(partij, given, keys, own=True)

    def _without_contactpersoon(self) -> None:
        """A rol of an organisation that a conflict left with a person: there is no contactpersoon to make (M22)."""
        for claim in self.claims:
            if claim.contactpersoon:
                action = "de partij is geen organisatie: geen contactpersoon gemaakt"
                self.finding(claim, "M22", "contactpersoonRol.naam", Severity.DROPPED, action)
                if claim.contactpersoon.functie:
                    self.finding(claim, "M24", "contactpersoonRol.functie", Severity.DROPPED, action)

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
        self.add(
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
            self.finding(claim, "M17", path, Severity.ADJUSTED, action)

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
                self.finding(claim, "M17", ANDERE_VELD[label], Severity.DROPPED, reason)
        return text

    def _digitale_adressen(
        self,
        partij: Document,
        given: Iterable[tuple[Claim, ClaimedAdres]],
        keys: Sequence[str],
        *,
        own: bool = False,
    ) -> None:
        """The addresses of a party (M21), and which of them it prefers (M11).

        In: `given` by claim, the newest first; `keys` those of the party. An address that a claim gives with the name
        of another person is not the standard one, unless they are all its `own` (M22, M23).
        """
        others = set() if own else {id(claim) for claim in self.claims if self._names_another(claim)}
        holders: dict[tuple[str, str], list[tuple[Claim, ClaimedAdres]]] = {}
        for claim, adres in given:
            holders.setdefault((adres.soort, adres.sleutel), []).append((claim, adres))
        standard: dict[str, UUID] = {}
        for (soort, sleutel), found in holders.items():
            newest = found[0][1]
            spellings = [sleutel]
            if soort == "overig":
                # The value as given once distinguished it from others: clients may hold the uuid of that.
                spellings += sorted({adres.adres for _, adres in found} - {sleutel})
            uuid, *other = (
                self.uuids.derive("adres", key, soort, spelling) for key in keys for spelling in spellings
            )
            if not any(id(claim) in others for claim, _ in found):
                claim = found[0][0]
                place = [(each.soort, each.sleutel) for each in claim.digitaal].index((soort, sleutel))
                self.merged.adressen[uuid] = (claim.moment, claim.rol, -place)
                standard.setdefault(soort, uuid)
            self.add(
                "digitaleadres",
                uuid,
                {
                    "adres": newest.adres,
                    "soortDigitaalAdres": soort,
                    "isStandaardAdres": standard.get(soort) == uuid,
                    "omschrijving": next(
                        (adres.omschrijving for _, adres in found if adres.omschrijving), ""
                    ),
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
            naam = claim.contactpersoon.achternaam if claim.contactpersoon else claim.genoemd
            return bool(naam) and all(
                ander_dan(naam, each.naam) for each in self.claims if isinstance(each.naam, str)
            )
        naam = claim.genoemd or (claim.contactpersoon.achternaam if claim.contactpersoon else "")
        names = [each.naam for each in self.claims if isinstance(each.naam, dict)]
        return bool(naam) and not any(is_eigen_naam(naam, each) for each in names)
