"""Who a rol or a klant is about, as the standards of both APIs have it: the schemas of those groups."""

from __future__ import annotations

from mappings.incoming.given_fields import (
    GivenDate,
    GivenGroup,
    GivenNumber,
    GivenText,
    GivenTexts,
    LenientSchema,
)


class _Verblijfsadres(LenientSchema):
    aoaIdentificatie = GivenText()
    wplWoonplaatsNaam = GivenText()
    gorOpenbareRuimteNaam = GivenText()
    aoaPostcode = GivenText()
    aoaHuisnummer = GivenNumber()
    aoaHuisletter = GivenText()
    aoaHuisnummertoevoeging = GivenText()
    inpLocatiebeschrijving = GivenText()


class _SubVerblijfBuitenland(LenientSchema):
    lndLandcode = GivenText()
    lndLandnaam = GivenText()
    subAdresBuitenland_1 = GivenText()
    subAdresBuitenland_2 = GivenText()
    subAdresBuitenland_3 = GivenText()


class _Geadresseerd(LenientSchema):
    verblijfsadres = GivenGroup(_Verblijfsadres())
    subVerblijfBuitenland = GivenGroup(_SubVerblijfBuitenland())


class NatuurlijkPersoon(_Geadresseerd):
    inpBsn = GivenNumber()
    anpIdentificatie = GivenText()
    inpA_nummer = GivenNumber()
    geslachtsnaam = GivenText()
    voorvoegselGeslachtsnaam = GivenText()
    voorletters = GivenText()
    voornamen = GivenText()
    geslachtsaanduiding = GivenText()
    geboortedatum = GivenDate()


class NietNatuurlijkPersoon(_Geadresseerd):
    innNnpId = GivenNumber()
    annIdentificatie = GivenText()
    kvkNummer = GivenNumber()
    vestigingsNummer = GivenNumber()
    statutaireNaam = GivenText()
    innRechtsvorm = GivenText()
    bezoekadres = GivenText()


class Vestiging(_Geadresseerd):
    vestigingsNummer = GivenNumber()
    handelsnaam = GivenTexts()
    kvkNummer = GivenNumber()


class EenheidIdentificatie(LenientSchema):
    identificatie = GivenText()
    naam = GivenText()
    isGehuisvestIn = GivenText()


class MedewerkerIdentificatie(LenientSchema):
    identificatie = GivenText()
    achternaam = GivenText()
    voorletters = GivenText()
    voorvoegselAchternaam = GivenText()
