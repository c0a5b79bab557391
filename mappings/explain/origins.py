"""Which legacy field may give which field of a document, and by which rule: the table that `why` tries.

Kept by hand beside the mappings; tests hold it true and whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CONTACTPERSOON: Final = "contactpersoon"

_ID: Final = "rol.betrokkeneIdentificatie."
_SUBJECT: Final = "klant.subjectIdentificatie."
_ADRES: Final = _ID + "verblijfsadres."
_BUITENLAND: Final = _ID + "subVerblijfBuitenland."
_CONTACT: Final = "rol.contactpersoonRol."
_AFWIJKEND: Final = "rol.afwijkendeNaamBetrokkene"
_REGELS: Final = ("adresregel1", "adresregel2", "adresregel3")
_FREE_LINES: Final = (
    *(("M14", _ADRES + name) for name in ("inpLocatiebeschrijving", "aoaPostcode", "aoaHuisnummer")),
    *(("M14", _ADRES + name) for name in ("aoaHuisletter", "aoaHuisnummertoevoeging")),
    ("M16", _ID + "bezoekadres"),
)
_ABROAD: Final = tuple(
    ("M15", _BUITENLAND + name)
    for name in ("subAdresBuitenland_1", "subAdresBuitenland_2", "subAdresBuitenland_3", "lndLandnaam")
)
_COUNTRY: Final = (("M15", _BUITENLAND + "lndLandnaam"), ("M15", _BUITENLAND + "lndLandcode"))
_NUMBERS: Final = ("inpBsn", "innNnpId", "kvkNummer", "vestigingsNummer")
_ORGANISATION: Final = (
    ("M13", _ID + "statutaireNaam"),
    ("M13", _ID + "handelsnaam"),
    ("M12", _AFWIJKEND),
)


def _name(rule: str, path: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """The parts of a contactnaam at `path`, and the whole name."""
    first = (rule, _ID + "voornamen")
    last = ((rule, _ID + "geslachtsnaam"), (rule, _ID + "voorvoegselGeslachtsnaam"), (rule, _AFWIJKEND))
    return {
        f"{path}contactnaam.voorletters": ((rule, _ID + "voorletters"),),
        f"{path}contactnaam.voornaam": (first,),
        f"{path}contactnaam.voorvoegselAchternaam": ((rule, _ID + "voorvoegselGeslachtsnaam"),),
        f"{path}contactnaam.achternaam": last,
        f"{path}volledigeNaam": (first, *last),
    }


Rows = Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]]
_OF_ROLLEN: Final[Rows] = {
    "partij": {
        **_name("M12", "partijIdentificatie."),
        "partijIdentificatie.naam": _ORGANISATION,
        "bezoekadres.nummeraanduidingId": (("M14", _ADRES + "aoaIdentificatie"),),
        "bezoekadres.straatnaam": (("M14", _ADRES + "gorOpenbareRuimteNaam"),),
        "bezoekadres.huisnummer": (("M14", _ADRES + "aoaHuisnummer"),),
        "bezoekadres.huisnummertoevoeging": (
            ("M14", _ADRES + "aoaHuisletter"),
            ("M14", _ADRES + "aoaHuisnummertoevoeging"),
        ),
        "bezoekadres.postcode": (("M14", _ADRES + "aoaPostcode"),),
        "bezoekadres.stad": (("M14", _ADRES + "wplWoonplaatsNaam"),),
        "bezoekadres.land": _COUNTRY,
        **{f"bezoekadres.{regel}": (*_FREE_LINES, *_ABROAD) for regel in _REGELS},
        "correspondentieadres.land": _COUNTRY,
        **{f"correspondentieadres.{regel}": _ABROAD for regel in _REGELS},
    },
    CONTACTPERSOON: {
        "partijIdentificatie.contactnaam.achternaam": (("M22", _CONTACT + "naam"),),
        "partijIdentificatie.volledigeNaam": (("M22", _CONTACT + "naam"),),
        "interneNotitie": (("M24", _CONTACT + "functie"),),
    },
    "partij-identificator": {
        "partijIdentificator.objectId": (
            *(("M17", _ID + name) for name in _NUMBERS),
            ("M26", "rol.authenticatieContext.representee.identifier"),
        ),
        "anderePartijIdentificator": tuple(
            ("M17", _ID + name) for name in ("inpA_nummer", "anpIdentificatie", "annIdentificatie", *_NUMBERS)
        ),
    },
    "digitaleadres": {
        "adres": (("M21", _CONTACT + "emailadres"), ("M21", _CONTACT + "telefoonnummer")),
        "omschrijving": (("M23", _CONTACT + "naam"), ("M24", _CONTACT + "functie")),
    },
    "actor": {
        "naam": (
            *(("M27", _ID + name) for name in ("voorletters", "voorvoegselAchternaam", "achternaam")),
            ("M27", _ID + "naam"),
            ("M27", _ID + "identificatie"),
            ("M12", _AFWIJKEND),
        ),
        "actoridentificator.objectId": (("M27", _ID + "identificatie"),),
        **{
            f"actorIdentificatie.{name}": (("M27", _CONTACT + name),)
            for name in ("functie", "emailadres", "telefoonnummer")
        },
    },
    "klantcontact": {
        "kanaal": (("M28", "klantcontact.kanaal"),),
        "onderwerp": (("M28", "klantcontact.onderwerp"),),
        "inhoud": (("M28", "klantcontact.toelichting"),),
        "plaatsgevondenOp": (("M28", "klantcontact.datumtijd"),),
        "hoofdOnderwerpType": (("M28", "zaak.zaaktype"),),
        "vertrouwelijk": (("M28", "zaak.vertrouwelijkheidaanduiding"),),
        "metadata.identificatie": (("M28", "klantcontact.identificatie"),),
        "metadata.zaak": (("M28", "zaak.identificatie"),),
    },
    "onderwerpobject": {"onderwerpobjectidentificator.objectId": (("M29", "klantcontact.zaak"),)},
    "betrokkene": {
        **_name("M30", ""),
        "contactnaam.achternaam": (*_name("M30", "")["contactnaam.achternaam"], ("M30", _CONTACT + "naam")),
        "volledigeNaam": (*_name("M30", "")["volledigeNaam"], ("M30", _CONTACT + "naam")),
        "organisatienaam": tuple(("M30", path) for _, path in _ORGANISATION),
        "rol": (("M30", "rol.indicatieMachtiging"),),
    },
}
# What a klant gives beside its subjectIdentificatie, which follows the rules of a rol.
_NAAM_VAN_KLANT: Final = tuple(
    ("M41", f"klant.{name}") for name in ("voornaam", "voorvoegselAchternaam", "achternaam")
)
_BEDRIJFSNAAM: Final = (("M41", "klant.bedrijfsnaam"),)
_KLANT_REGELS: Final = tuple(
    ("M41", f"klant.adres.{name}")
    for name in ("postcode", "huisnummer", "huisletter", "huisnummertoevoeging")
)
_KLANT_ADRES: Final = {
    "straatnaam": (("M41", "klant.adres.straatnaam"),),
    "huisnummer": (("M41", "klant.adres.huisnummer"),),
    "huisnummertoevoeging": _KLANT_REGELS[2:],
    "postcode": _KLANT_REGELS[:1],
    "stad": (("M41", "klant.adres.woonplaatsnaam"),),
    "land": (("M41", "klant.adres.landcode"),),
    **dict.fromkeys(_REGELS, _KLANT_REGELS),
}
_MEDEWERKER: Final = "contactmoment.medewerkerIdentificatie."
_NAAM_VAN_MEDEWERKER: Final = ("voorletters", "voorvoegselAchternaam", "achternaam", "identificatie")
# Who stand beside the standard: an identificatie, or an object with one.
_ACTOREN: Final = ("medewerker", "behandelaar", "afdeling", "groep")
_CONTACTNAAM_VAN_KLANT: Final = {
    "contactnaam.voornaam": _NAAM_VAN_KLANT[:1],
    "contactnaam.voorvoegselAchternaam": _NAAM_VAN_KLANT[1:2],
    "contactnaam.achternaam": _NAAM_VAN_KLANT,
    "volledigeNaam": _NAAM_VAN_KLANT,
}
_EARLIER: Final[Rows] = {
    "partij": {
        "nummer": (("M41", "klant.klantnummer"),),
        "partijIdentificatie.naam": _BEDRIJFSNAAM,
        **{f"partijIdentificatie.{field}": pairs for field, pairs in _CONTACTNAAM_VAN_KLANT.items()},
        "partijIdentificatie.contactnaam.achternaam": _NAAM_VAN_KLANT[1:],
        **{
            f"{adres}.{field}": pairs
            for adres in ("bezoekadres", "correspondentieadres")
            for field, pairs in _KLANT_ADRES.items()
        },
    },
    CONTACTPERSOON: {
        "partijIdentificatie.contactnaam.achternaam": _NAAM_VAN_KLANT,
        "partijIdentificatie.volledigeNaam": _NAAM_VAN_KLANT,
        "interneNotitie": (("M41", "klant.functie"),),
    },
    "digitaleadres": {
        "adres": (
            *(("M41", "klant.emailadres"), ("M41", "klant.telefoonnummer")),
            *(("M40", f"contactmoment.contactgegevens.{name}") for name in ("emailadres", "telefoonnummer")),
            ("M40", "contactmoment.contactgegevens.telefoonnummerAlternatief"),
        ),
        "omschrijving": (*_NAAM_VAN_KLANT, ("M41", "klant.functie")),
    },
    "actor": {
        "naam": (
            *(("M40", _MEDEWERKER + name) for name in _NAAM_VAN_MEDEWERKER),
            *(("M40", f"contactmoment.{who}") for who in _ACTOREN),
            *(
                ("M40", f"contactmoment.{who}.{name}")
                for who in _ACTOREN
                for name in ("naam", *_NAAM_VAN_MEDEWERKER)
            ),
        ),
        "actoridentificator.objectId": (
            ("M40", _MEDEWERKER + "identificatie"),
            *(("M40", f"contactmoment.{who}") for who in _ACTOREN),
            *(("M40", f"contactmoment.{who}.identificatie") for who in _ACTOREN),
        ),
    },
    "klantcontact": {
        "kanaal": (("M40", "contactmoment.kanaal"),),
        "onderwerp": (("M40", "contactmoment.onderwerp"), ("M40", "contactmoment.tekst")),
        "reactie": (("M40", "contactmoment.antwoord"),),
        "inhoud": (("M40", "contactmoment.tekst"),),
        "taal": (("M40", "contactmoment.voorkeurstaal"),),
        "plaatsgevondenOp": (("M40", "contactmoment.registratiedatum"),),
    },
    "internetaak": {
        "gevraagdeHandeling": (("M40", "contactmoment.type"),),
        "toelichting": (("M40", "contactmoment.toelichting"),),
        "status": (("M40", "contactmoment.status"),),
        "toegewezenOp": (("M40", "contactmoment.registratiedatum"),),
    },
    "onderwerpobject": {
        "onderwerpobjectidentificator.objectId": (
            ("M40", "objectcontactmoment.object"),
            ("M32", "zaakcontactmoment.zaak"),
        )
    },
    "betrokkene": {
        **_CONTACTNAAM_VAN_KLANT,
        "organisatienaam": _BEDRIJFSNAAM,
        "rol": (("M40", "klantcontactmoment.rol"),),
        "initiator": (("M40", "contactmoment.initiatiefnemer"),),
    },
}


def _with_earlier(kind: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The rows of a kind of document: of rollen, of klanten by the same rules, and of klanten and contactmomenten."""
    rows = dict(_OF_ROLLEN.get(kind, {}))
    for field, pairs in rows.items() if kind != "actor" else ():
        of_klant = [(rule, path.replace(_ID, _SUBJECT, 1)) for rule, path in pairs if path.startswith(_ID)]
        rows[field] = (*pairs, *of_klant)
    for field, pairs in _EARLIER.get(kind, {}).items():
        rows[field] = (*rows.get(field, ()), *pairs)
    return rows


# Kind of document, field: each legacy field that may give it, with the rule.
TABLE: Final[Rows] = {kind: _with_earlier(kind) for kind in (*_OF_ROLLEN, "internetaak")}
# Fields that no single legacy field gives: the rule, and in words where the value comes from.
SETTLED: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "partij": {
        "soortPartij": ("M11", "het betrokkeneType van de nieuwste rol"),
        "voorkeurstaal": ("M11", "de instelling [mapping] voorkeurstaal"),
        "indicatieActief": ("M11", "altijd waar zolang de bron de partij geeft"),
        "indicatieGeheimhouding": ("M11", "de bron zegt er niets over"),
        "nummer": ("M41", "van een klant als het vrij is, anders uitgedeeld als [gateway] nummers dat zegt"),
        "interneNotitie": ("M11", "de bron zegt er niets over"),
        "bezoekadres.land": ("M14", "een verblijfsadres ligt in Nederland"),
    },
    CONTACTPERSOON: {
        "soortPartij": ("M22", "een contactpersoonRol met een naam, op een rol van een organisatie"),
        "partijIdentificatie.uuid": ("M9", "afgeleid van de sleutel van de contactpersoon"),
        "voorkeurstaal": ("M11", "de instelling [mapping] voorkeurstaal"),
        "indicatieActief": ("M11", "altijd waar zolang de bron de partij geeft"),
    },
    "partij-identificator": {
        "partijIdentificator": ("M17", "de codes die bij dit soort nummer horen"),
    },
    "digitaleadres": {
        "soortDigitaalAdres": ("M21", "de vorm van het adres"),
        "isStandaardAdres": (
            "M21",
            "het nieuwste adres van elke soort dat geen rol op naam van een ander zet",
        ),
        "referentie": ("M21", "de bron zegt er niets over"),
        "verificatieDatum": ("M21", "de bron zegt er niets over"),
    },
    "actor": {
        "soortActor": ("M27", "het betrokkeneType van de nieuwste rol"),
        "indicatieActief": ("M27", "altijd waar zolang de bron de actor geeft"),
        "actoridentificator": ("M27", "de instellingen [mapping] actor_..."),
        "actorIdentificatie": (
            "M27",
            "van een medewerker alleen met functie en geldig telefoonnummer, van een eenheid geldige e-mail en "
            "telefoonnummer",
        ),
        "naam": ("M27", "de rol geeft geen naam"),
    },
    "klantcontact": {
        "kanaal": ("M28", "het kanaal was leeg"),
        "onderwerp": ("M28", "het onderwerp was leeg"),
        "taal": ("M28", "de instelling [mapping] taal"),
        "vertrouwelijk": ("M28", "de meest vertrouwelijke zaak van het contact"),
        "metadata.bron": ("M28", "de naam van de bron"),
        "nummer": ("M28", "uitgedeeld als [gateway] nummers dat zegt: de bron geeft er geen"),
        "": ("M28", "de bron zegt er niets over"),
    },
    "internetaak": {
        "": ("M40", "de bron zegt er niets over"),
    },
    "onderwerpobject": {
        "onderwerpobjectidentificator": ("M29", "de instelling [mapping] zaak_codes"),
    },
    "betrokkene": {
        "initiator": ("M30", "de instelling [mapping] kanalen, anders waar: de bron zegt het niet"),
        "rol": (
            "M30",
            "klant; vertegenwoordiger als de rol gemachtigde is of de klant alleen gesprekspartner was",
        ),
        "bezoekadres": ("M30", "een betrokkene uit de bron heeft geen eigen adres"),
        "correspondentieadres": ("M30", "een betrokkene uit de bron heeft geen eigen adres"),
    },
}
# Of these the words above hold for a value only.
WHEN_FILLED: Final = frozenset({("partij", "bezoekadres.land")})
