"""Partijen and what is known of them: addresses, identificatoren, categorieen, who represents whom."""

from __future__ import annotations

from gateway.klantinteracties.model.declarations import (
    At,
    BodyValue,
    DocumentReference,
    Inside,
    Listing,
    Resource,
    Summary,
    Through,
    Writes,
)
from gateway.klantinteracties.model.fields_and_filters import (
    COMPARISONS,
    SOORTEN_PARTIJ,
    identificator,
    identificatoren_of,
    values,
)

CATEGORIE_RELATIE = At("categorie-relatie", "de categorie-relatie")
DIGITAALADRES = At("digitaleadres", "het digitale adres")
PARTIJ = At("partij", "de partij")
PARTIJ_IDENTIFICATOR = At("partij-identificator", "de partij-identificator")
REKENINGNUMMER = At("rekeningnummer", "het rekeningnummer")
VERTEGENWOORDIGING = At("vertegenwoordiging", "de vertegenwoordiging")

door_betrokkene = DIGITAALADRES.to(
    "digitaleadres.verstrektDoorBetrokkene",
    "betrokkene",
    "verstrektDoorBetrokkene__",
    "de betrokkene die het adres gaf",
)
door_partij = DIGITAALADRES.to(
    "digitaleadres.verstrektDoorPartij", "partij", "verstrektDoorPartij__", "de partij die het adres gaf"
)

digitaleadressen = Resource(
    path="digitaleadressen",
    kind="digitaleadres",
    title="Digitaal Adres",
    description="Digitaal adres van een partij of van een betrokkene bij een klantcontact.",
    fields=(
        DocumentReference("verstrektDoorBetrokkene", "digitaleadres.verstrektDoorBetrokkene", "betrokkene"),
        DocumentReference("verstrektDoorPartij", "digitaleadres.verstrektDoorPartij", "partij"),
        *values("adres", "soortDigitaalAdres", "isStandaardAdres", "omschrijving", "referentie"),
        BodyValue("verificatieDatum"),
    ),
    filters=(
        DIGITAALADRES.text("adres"),
        DIGITAALADRES.contains("adres__icontains", "adres"),
        DIGITAALADRES.has("isGeverifieerd", "verificatieDatum"),
        DIGITAALADRES.flag("isStandaardAdres"),
        DIGITAALADRES.contains("omschrijving"),
        DIGITAALADRES.text("referentie"),
        DIGITAALADRES.choice("soortDigitaalAdres", "email", "overig", "telefoonnummer"),
        DIGITAALADRES.date("verificatieDatum"),
        *(DIGITAALADRES.date(f"verificatieDatum{end}", "verificatieDatum", how) for end, how in COMPARISONS),
        *door_betrokkene.by_reference(),
        door_betrokkene.choice("rol", "klant", "vertegenwoordiger"),
        *door_partij.by_reference(),
        door_partij.choice("soortPartij", *SOORTEN_PARTIJ),
        *identificator(identificatoren_of(door_partij, "verstrektDoorPartij__partijIdentificator__")),
    ),
    expansions={"verstrektDoorBetrokkene": {"hadKlantcontact": {"leiddeTotInterneTaken": {}}}},
)

rekeningnummers = Resource(
    path="rekeningnummers",
    kind="rekeningnummer",
    title="Rekeningnummer",
    description="Bankrekeningnummer van een partij.",
    fields=(DocumentReference("partij", "rekeningnummer.partij", "partij"), *values("iban", "bic")),
    filters=(REKENINGNUMMER.text("bic"), REKENINGNUMMER.text("iban"), REKENINGNUMMER.uuid()),
)

categorieen = Resource(
    path="categorieen",
    kind="categorie",
    title="Categorie",
    description="Indeling van partijen die de gemeente zelf kiest.",
    fields=values("naam"),
)

van_categorie = CATEGORIE_RELATIE.to(
    "categorie-relatie.categorie", "categorie", "categorie__", "de categorie"
)
in_categorie = CATEGORIE_RELATIE.to("categorie-relatie.partij", "partij", "partij__", "de partij")

categorie_relaties = Resource(
    path="categorie-relaties",
    kind="categorie-relatie",
    title="Categorie Relatie",
    description="Tijdvak waarin een partij tot een categorie hoort.",
    fields=(
        DocumentReference("partij", "categorie-relatie.partij", "partij"),
        DocumentReference("categorie", "categorie-relatie.categorie", "categorie", extra=("naam",)),
        *values("beginDatum", "eindDatum"),
    ),
    filters=(
        CATEGORIE_RELATIE.date("beginDatum"),
        *van_categorie.by_reference(),
        van_categorie.text("naam"),
        CATEGORIE_RELATIE.date("eindDatum"),
        *in_categorie.by_reference(),
        in_categorie.text("nummer"),
    ),
)

categorie_van_partij = PARTIJ.back("categorie-relatie.partij", "", "een categorie-relatie van de partij").to(
    "categorie-relatie.categorie", "categorie", "categorierelatie__categorie__", "een categorie van de partij"
)
identificatoren = identificatoren_of(PARTIJ, "partijIdentificator__")
hogere_identificatoren = identificatoren.to(
    "partij-identificator.subIdentificatorVan",
    "partij-identificator",
    "subIdentificatorVan__",
    "de identificator waar een partij-identificator van de partij onder valt",
)
# The name says what the partijen found are: those that the partij asked for represents.
vertegenwoordigd_door = PARTIJ.back(
    "vertegenwoordiging.vertegenwoordigdePartij", "", "een vertegenwoordiging van de partij"
).to(
    "vertegenwoordiging.vertegenwoordigendePartij",
    "partij",
    "vertegenwoordigdePartij__",
    "een partij die de gevonden partijen vertegenwoordigt",
)

partijen = Resource(
    path="partijen",
    kind="partij",
    title="Partij",
    description="Persoon of organisatie waarmee de gemeente een relatie heeft.",
    fields=(
        *values("nummer", "interneNotitie"),
        Listing("betrokkenen", "betrokkene.wasPartij", "betrokkene"),
        Summary(
            "categorieRelaties",
            "categorie-relatie.partij",
            "categorie-relatie",
            about="categorie-relatie.categorie",
            about_field="naam",
            shown_as="categorieNaam",
            own=("beginDatum", "eindDatum"),
        ),
        Listing(
            "digitaleAdressen",
            "digitaleadres.verstrektDoorPartij",
            "digitaleadres",
            writes=Writes.TAKES_OVER,
        ),
        DocumentReference(
            "voorkeursDigitaalAdres",
            "partij.voorkeursDigitaalAdres",
            "digitaleadres",
            among="digitaleAdressen",
        ),
        Through(
            "vertegenwoordigden",
            "vertegenwoordiging.vertegenwoordigendePartij",
            "vertegenwoordiging.vertegenwoordigdePartij",
            "partij",
        ),
        Listing("rekeningnummers", "rekeningnummer.partij", "rekeningnummer", writes=Writes.TAKES_OVER),
        DocumentReference(
            "voorkeursRekeningnummer",
            "partij.voorkeursRekeningnummer",
            "rekeningnummer",
            among="rekeningnummers",
        ),
        Listing(
            "partijIdentificatoren",
            "partij-identificator.identificeerdePartij",
            "partij-identificator",
            whole=True,
            writes=Writes.MAKES,
        ),
        *values("soortPartij", "indicatieGeheimhouding", "voorkeurstaal", "indicatieActief"),
        *values("bezoekadres", "correspondentieadres"),
        Inside(
            "partijIdentificatie",
            DocumentReference(
                "werkteVoorPartij", "partij.werkteVoorPartij", "partij", only=("soortPartij", "organisatie")
            ),
            switch="soortPartij",
            on="contactpersoon",
        ),
    ),
    filters=(
        *(
            PARTIJ.text(f"{adres}{deel[0].upper()}{deel[1:]}", f"{adres}.{deel}")
            for adres in ("bezoekadres", "correspondentieadres")
            for deel in ("adresregel1", "adresregel2", "adresregel3", "land", "nummeraanduidingId")
        ),
        categorie_van_partij.one_of("naam"),
        PARTIJ.flag("indicatieActief"),
        PARTIJ.flag("indicatieGeheimhouding"),
        PARTIJ.text("nummer"),
        *identificator(identificatoren),
        PARTIJ.choice("soortPartij", *SOORTEN_PARTIJ),
        *identificator(hogere_identificatoren),
        *vertegenwoordigd_door.by_reference(),
    ),
    expansions={
        "betrokkenen": {"hadKlantcontact": {}},
        "categorieRelaties": {},
        "digitaleAdressen": {},
    },
    unique=("nummer",),
)

partij_identificatoren = Resource(
    path="partij-identificatoren",
    kind="partij-identificator",
    title="Partij Identificator",
    description="Nummer waaronder een partij in een basisregistratie bekend is.",
    fields=(
        DocumentReference("identificeerdePartij", "partij-identificator.identificeerdePartij", "partij"),
        *values("anderePartijIdentificator", "partijIdentificator"),
        DocumentReference(
            "subIdentificatorVan", "partij-identificator.subIdentificatorVan", "partij-identificator"
        ),
    ),
    filters=(
        PARTIJ_IDENTIFICATOR.text("anderePartijIdentificator"),
        PARTIJ_IDENTIFICATOR.choice(
            "partijIdentificatorCodeObjecttype",
            "natuurlijk_persoon",
            "niet_natuurlijk_persoon",
            "vestiging",
            place="partijIdentificator.codeObjecttype",
        ),
        PARTIJ_IDENTIFICATOR.choice(
            "partijIdentificatorCodeRegister", "brp", "hr", place="partijIdentificator.codeRegister"
        ),
        PARTIJ_IDENTIFICATOR.choice(
            "partijIdentificatorCodeSoortObjectId",
            "bsn",
            "kvk_nummer",
            "rsin",
            "vestigingsnummer",
            place="partijIdentificator.codeSoortObjectId",
        ),
        PARTIJ_IDENTIFICATOR.text("partijIdentificatorObjectId", "partijIdentificator.objectId"),
    ),
)

vertegenwoordigende = VERTEGENWOORDIGING.to(
    "vertegenwoordiging.vertegenwoordigendePartij",
    "partij",
    "vertegenwoordigendePartij__",
    "de partij die vertegenwoordigt",
)
vertegenwoordigde = VERTEGENWOORDIGING.to(
    "vertegenwoordiging.vertegenwoordigdePartij",
    "partij",
    "vertegenwoordigdePartij__",
    "de partij die wordt vertegenwoordigd",
)

vertegenwoordigingen = Resource(
    path="vertegenwoordigingen",
    kind="vertegenwoordiging",
    title="Vertegenwoordigden",
    description="Partij die namens een andere partij optreedt.",
    fields=(
        DocumentReference(
            "vertegenwoordigendePartij", "vertegenwoordiging.vertegenwoordigendePartij", "partij"
        ),
        DocumentReference("vertegenwoordigdePartij", "vertegenwoordiging.vertegenwoordigdePartij", "partij"),
    ),
    filters=(*vertegenwoordigde.by_reference(), *vertegenwoordigende.by_reference()),
)
