"""What each rule does, and what an operator can do about what it found: plain sentences for people (M2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Rule: what it is about, and what to do about its findings.
RULES: Final[Mapping[str, tuple[str, str]]] = {
    "M5": (
        "wie een partij is",
        "Niets nodig: een nummer is aangevuld, of een vestiging zonder vestigingsnummer hoort bij haar organisatie. "
        "Een identificatie die alleen opvulling is, moet in het zaaksysteem worden ingevuld of leeggemaakt.",
    ),
    "M6": (
        "sleutels die samen één partij zijn",
        "Laat in het zaaksysteem nakijken welke van deze rollen het verkeerde nummer, de verkeerde URL of het "
        "verkeerde betrokkeneType heeft; na verbetering en een volgende keer inlezen komen de partijen vanzelf goed.",
    ),
    "M8": (
        "ongeldige nummers",
        "Laat het nummer op deze rollen in het zaaksysteem verbeteren; tot dan is de partij er niet mee te vinden.",
    ),
    "M10": (
        "welke rollen een partij maken",
        "Hoort deze rol wel een partij te zijn, voeg dan haar omschrijvingGeneriek toe aan [mapping] partij_rollen.",
    ),
    "M11": ("vaste velden van een partij", "Niets nodig."),
    "M12": (
        "namen van personen",
        "Bij weggelaten: de afwijkende naam blijft in het zaaksysteem; klopt juist de gewone naam niet, verbeter die "
        "daar. Bij aangepast: kort de naam in het zaaksysteem in als de afgekapte naam verwarrend is.",
    ),
    "M13": (
        "namen van organisaties",
        "Alleen nodig als de gekozen naam niet de bedoelde is: zet dan de bedoelde naam als statutaireNaam of als "
        "eerste handelsnaam in het zaaksysteem.",
    ),
    "M14": (
        "adressen in Nederland",
        "Verbeter postcode, huisnummer of nummeraanduiding in het zaaksysteem. Staat er dat [mapping] adressen het "
        "niet toestaat, dan is dat uw eigen keuze.",
    ),
    "M15": (
        "adressen in het buitenland",
        "Verbeter landnaam of landcode in het zaaksysteem; ontbreekt een bestaand land, meld het dan bij de makers van "
        "Klantbrug.",
    ),
    "M16": (
        "bezoekadressen van één regel",
        "Kort het bezoekadres in het zaaksysteem in, of leg het daar als verblijfsadres vast.",
    ),
    "M17": (
        "identificatoren",
        "Vul in het zaaksysteem het ontbrekende of juiste nummer aan (BSN, RSIN, KVK-nummer); lukt dat niet, dan "
        "blijft het nummer alleen in het bronobject bewaard.",
    ),
    "M18": (
        "de nieuwste rol wint, per groep velden",
        "Niets nodig; zie klantbrug explain voor de andere waarden.",
    ),
    "M19": (
        "wat een client schreef, gaat voor",
        "Kijk of de client gelijk heeft, en verbeter dan het zaaksysteem.",
    ),
    "M20": (
        "partijen die uit de bron verdwijnen",
        "Niets nodig; verwijder de partij als ook de client haar niet meer nodig heeft.",
    ),
    "M21": (
        "e-mailadressen en telefoonnummers",
        "Verbeter het e-mailadres of telefoonnummer van de contactpersoon op deze rollen in het zaaksysteem.",
    ),
    "M22": ("contactpersonen van organisaties", "Kort de naam van de contactpersoon in het zaaksysteem in."),
    "M23": (
        "van wie een adres is",
        "Alleen nodig als de afgekapte naam bij het adres onduidelijk is: kort hem dan in het zaaksysteem in.",
    ),
    "M24": (
        "functie van een contactpersoon",
        "Vul op de rol een naam van de contactpersoon in, dan krijgt de functie een plaats.",
    ),
    "M25": (
        "vertegenwoordiging binnen een zaak",
        "Leg in het zaaksysteem vast wie wie vertegenwoordigt: laat één machtiginggever of één gemachtigde op de zaak "
        "over, of vul de representee in.",
    ),
    "M26": (
        "vertegenwoordigden uit de authenticatieContext",
        "Laat nakijken waarom het nummer van de vertegenwoordigde niet klopt.",
    ),
    "M27": (
        "actoren",
        "Vul bij de medewerker functie en een geldig telefoonnummer in als clients die gegevens moeten zien; kort te "
        "lange namen in.",
    ),
    "M28": (
        "klantcontacten",
        "De volledige tekst blijft in het zaaksysteem; kort haar daar in als dat stoort.",
    ),
    "M29": ("de zaak van een klantcontact", "Niets nodig."),
    "M30": (
        "betrokkenen van een klantcontact",
        "Zonder betrokkene is het klantcontact alleen bij de zaak te vinden. Moet een andere rol betrokkene worden, "
        "voeg haar dan toe aan [mapping] klantcontact_betrokkenen; wie het contact begon, regelt [mapping] kanalen.",
    ),
    "M31": ("actoren van een klantcontact", "Niets nodig."),
    "M32": (
        "contactmomenten van een zaak",
        "Zet de Contactmomenten API waar de verwijzing naartoe gaat als bron in de configuratie.",
    ),
    "M34": (
        "zaken die niet getoond mogen of kunnen worden",
        "Geef de applicatie van Klantbrug in het zaaksysteem rechten op dit zaaktype, of laat het zo als de zaak niet "
        "zichtbaar hoort te zijn.",
    ),
    "M35": ("wat in de bron vernietigd is", "Niets nodig."),
    "M36": (
        "velden zonder plaats in Klantinteracties",
        "Niets nodig: het veld blijft in het bronobject bewaard zolang de bron het heeft.",
    ),
    "M40": (
        "contactmomenten",
        "De volledige tekst blijft in de oude bron; kort haar daar in als dat stoort.",
    ),
    "M41": (
        "klanten",
        "Verbeter het gegeven in de oude bron, of geef de klant een klantnummer dat nog vrij is.",
    ),
}
# Of write-back, by rule: as RULES.
WRITE_BACK: Final[Mapping[str, tuple[str, str]]] = {
    "W4": (
        "contacten als klantcontact in de Zaken API",
        "Niets nodig: het hele contact staat in Klantbrug. Wat een medewerker in het oude scherm moet zien en daar "
        "ontbreekt, legt u daar met de hand vast.",
    ),
    "W5": (
        "contacten als contactmoment",
        "Niets nodig: wat geen plaats heeft staat in Klantbrug. Bij een zaak die geen bron kent: kijk in het contact "
        "of de zaak klopt, en of Klantbrug die zaak mag zien.",
    ),
    "W6": ("contactgegevens van een klant", "Niets nodig."),
    "W7": (
        "contactgegevens op rollen",
        "Werk de rol in het zaaksysteem bij als de waarde daar nog gebruikt wordt.",
    ),
    "W8": (
        "wat in Klantbrug blijft",
        "Niets nodig; medewerkers zien dit in het oude scherm niet. BRP en handelsregister zijn de plaats voor namen, "
        "adressen en nummers.",
    ),
    "W9": (
        "gewijzigd bij de bron",
        "Kies met klantbrug writeback send of drop welke waarde blijft.",
    ),
    "W10": (
        "geweigerd door de bron",
        "Zie klantbrug writeback list: daar staat wat te doen.",
    ),
}
UNKNOWN: Final = ("", "Zie docs/mapping.md voor deze regel.")
QUARANTINE: Final = (
    "Laat het genoemde veld in het zaaksysteem verbeteren; bij de volgende keer inlezen, of met klantbrug quarantine "
    "retry, wordt het object opnieuw vertaald. Hoort het zo te blijven, gebruik dan klantbrug quarantine dismiss."
)


def about(rule: str) -> str:
    """What a rule is about, in some words."""
    return {**RULES, **WRITE_BACK}.get(rule, UNKNOWN)[0]


def advice(rule: str) -> str:
    """What an operator can do about the findings of a rule."""
    return {**RULES, **WRITE_BACK}.get(rule, UNKNOWN)[1]
