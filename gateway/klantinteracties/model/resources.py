"""The resources of the Klantinteracties API, one declaration each; everything served is made from these.

Sources: the contract of API version 0.9.0, and the recorded behaviour where that is silent. The order of the
fields is that of the recorded answers, the order of RESOURCES that of the recorded root.
"""

from __future__ import annotations

from gateway.klantinteracties.model.declarations import (
    At,
    BodyValue,
    DocumentReference,
    Filter,
    Inside,
    Listing,
    References,
    Resource,
    Summary,
    Through,
    Writes,
)
from gateway.store.base.conditions import Compare

SOORTEN_PARTIJ = ("contactpersoon", "organisatie", "persoon")
CODES = ("codeObjecttype", "codeRegister", "codeSoortObjectId", "objectId")
COMPARISONS = (
    ("__gt", Compare.AFTER),
    ("__gte", Compare.FROM),
    ("__lt", Compare.BEFORE),
    ("__lte", Compare.UNTIL),
)


def values(*names: str) -> tuple[BodyValue, ...]:
    """Fields that stand in the stored body as they are shown."""
    return tuple(BodyValue(name) for name in names)


def identificator(at: At) -> tuple[Filter, ...]:
    """The four codes of a partij-identificator, named as seen from another resource."""
    return tuple(at.text(code, f"partijIdentificator.{code}") for code in CODES)


def object_identificator(at: At, group: str) -> tuple[Filter, ...]:
    """The four codes of a group of the document's own, named as `groupCodeObjecttype`."""
    return tuple(at.text(f"{group}{code[0].upper()}{code[1:]}", f"{group}.{code}") for code in CODES)


ACTOR = At("actor")
ACTORKLANTCONTACT = At("actorklantcontact")
BETROKKENE = At("betrokkene")
BIJLAGE = At("bijlage")
CATEGORIE_RELATIE = At("categorie-relatie")
DIGITAALADRES = At("digitaleadres")
INTERNETAAK = At("internetaak")
KLANTCONTACT = At("klantcontact")
ONDERWERPOBJECT = At("onderwerpobject")
PARTIJ = At("partij")
PARTIJ_IDENTIFICATOR = At("partij-identificator")
REKENINGNUMMER = At("rekeningnummer")
VERTEGENWOORDIGING = At("vertegenwoordiging")


def identificatoren_of(partij: At, prefix: str) -> At:
    """The identificatoren of the partijen here."""
    return partij.back("partij-identificator.identificeerdePartij", prefix)


actoren = Resource(
    path="actoren",
    kind="actor",
    title="Actor",
    description="Iets dat of iemand die voor de gemeente werkzaamheden uitvoert.",
    fields=(
        *values("naam", "soortActor", "indicatieActief", "actoridentificator"),
        BodyValue("actorIdentificatie", switch="soortActor"),
    ),
    filters=(
        *object_identificator(ACTOR, "actoridentificator"),
        ACTOR.flag("indicatieActief"),
        ACTOR.contains("naam"),
        ACTOR.choice("soortActor", "geautomatiseerde_actor", "medewerker", "organisatorische_eenheid"),
    ),
)

door_betrokkene = DIGITAALADRES.to(
    "digitaleadres.verstrektDoorBetrokkene", "betrokkene", "verstrektDoorBetrokkene__"
)
door_partij = DIGITAALADRES.to("digitaleadres.verstrektDoorPartij", "partij", "verstrektDoorPartij__")

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

actorklantcontacten = Resource(
    path="actorklantcontacten",
    kind="actorklantcontact",
    title="Actor Klantcontact",
    description="Betrokkenheid van een actor bij een klantcontact.",
    fields=(
        DocumentReference("actor", "actorklantcontact.actor", "actor"),
        DocumentReference("klantcontact", "actorklantcontact.klantcontact", "klantcontact"),
    ),
    filters=(
        *ACTORKLANTCONTACT.to("actorklantcontact.actor", "actor", "actor__").by_reference(),
        *ACTORKLANTCONTACT.to(
            "actorklantcontact.klantcontact", "klantcontact", "klantcontact__"
        ).by_reference(),
    ),
)

had_betrokkene = KLANTCONTACT.back("betrokkene.hadKlantcontact", "hadBetrokkene__")
adres_van_betrokkene = had_betrokkene.back(
    "digitaleadres.verstrektDoorBetrokkene", "hadBetrokkene__digitaaladres__"
)
was_partij = had_betrokkene.to("betrokkene.wasPartij", "partij", "hadBetrokkene__wasPartij__")
over = KLANTCONTACT.back("onderwerpobject.klantcontact", "onderwerpobject__")
was_over = KLANTCONTACT.back("onderwerpobject.wasKlantcontact", "wasOnderwerpobject__")

klantcontacten = Resource(
    path="klantcontacten",
    kind="klantcontact",
    title="Klantcontact",
    description="Contact tussen een klant en de gemeente.",
    fields=(
        Listing("gingOverOnderwerpobjecten", "onderwerpobject.klantcontact", "onderwerpobject"),
        Through(
            "hadBetrokkenActoren",
            "actorklantcontact.klantcontact",
            "actorklantcontact.actor",
            "actor",
            whole=True,
        ),
        Listing("omvatteBijlagen", "bijlage.klantcontact", "bijlage"),
        Listing("hadBetrokkenen", "betrokkene.hadKlantcontact", "betrokkene"),
        Listing("leiddeTotInterneTaken", "internetaak.aanleidinggevendKlantcontact", "internetaak"),
        *values("nummer", "referentienummer", "kanaal", "onderwerp", "inhoud", "reactie"),
        *values("indicatieContactGelukt", "hoofdOnderwerpType", "verdereActieOndernomen", "taal"),
        *values("vertrouwelijk", "plaatsgevondenOp", "metadata"),
    ),
    filters=(
        *had_betrokkene.by_reference(),
        adres_van_betrokkene.contains("adres__icontains", "adres"),
        was_partij.present("hadBetrokkene__wasPartij"),
        *was_partij.by_reference(),
        *identificator(identificatoren_of(was_partij, "hadBetrokkene__wasPartij__partijIdentificator__")),
        KLANTCONTACT.flag("indicatieContactGelukt"),
        KLANTCONTACT.contains("inhoud"),
        KLANTCONTACT.text("kanaal"),
        KLANTCONTACT.back("internetaak.aanleidinggevendKlantcontact", "").present("leiddeTotInterneTaken"),
        KLANTCONTACT.text("nummer"),
        KLANTCONTACT.contains("onderwerp"),
        *over.by_reference(),
        *object_identificator(over, "onderwerpobjectidentificator"),
        KLANTCONTACT.moment("plaatsgevondenOp"),
        KLANTCONTACT.contains("reactie"),
        KLANTCONTACT.text("referentienummer"),
        KLANTCONTACT.flag("vertrouwelijk"),
        *was_over.by_reference(),
        *object_identificator(was_over, "onderwerpobjectidentificator"),
    ),
    expansions={
        "gingOverOnderwerpobjecten": {},
        "hadBetrokkenen": {"digitaleAdressen": {}, "wasPartij": {}},
        "leiddeTotInterneTaken": {},
        "omvatteBijlagen": {},
    },
    unique=("nummer",),
)

had_klantcontact = BETROKKENE.to("betrokkene.hadKlantcontact", "klantcontact", "hadKlantcontact__")
betrokken_partij = BETROKKENE.to("betrokkene.wasPartij", "partij", "wasPartij__")
verstrekt = BETROKKENE.back("digitaleadres.verstrektDoorBetrokkene", "verstrektedigitaalAdres__")

betrokkenen = Resource(
    path="betrokkenen",
    kind="betrokkene",
    title="Betrokkene",
    description="Persoon of organisatie die bij een klantcontact betrokken was.",
    fields=(
        DocumentReference("wasPartij", "betrokkene.wasPartij", "partij"),
        DocumentReference("hadKlantcontact", "betrokkene.hadKlantcontact", "klantcontact"),
        Listing("digitaleAdressen", "digitaleadres.verstrektDoorBetrokkene", "digitaleadres"),
        *values("bezoekadres", "correspondentieadres", "contactnaam", "volledigeNaam", "rol"),
        *values("organisatienaam", "initiator"),
    ),
    filters=(
        BETROKKENE.text("contactnaamAchternaam", "contactnaam.achternaam"),
        BETROKKENE.text("contactnaamVoorletters", "contactnaam.voorletters"),
        BETROKKENE.text("contactnaamVoornaam", "contactnaam.voornaam"),
        BETROKKENE.text("contactnaamVoorvoegselAchternaam", "contactnaam.voorvoegselAchternaam"),
        *had_klantcontact.by_reference(),
        had_klantcontact.text("nummer"),
        had_klantcontact.text("referentienummer"),
        BETROKKENE.text("organisatienaam"),
        *verstrekt.by_reference(),
        verstrekt.text("adres"),
        *betrokken_partij.by_reference(),
        betrokken_partij.text("nummer"),
        *identificator(identificatoren_of(betrokken_partij, "wasPartij__partijIdentificator__")),
    ),
    expansions={"digitaleAdressen": {}},
)

onderwerpobjecten = Resource(
    path="onderwerpobjecten",
    kind="onderwerpobject",
    title="Onderwerpobject",
    description="Object waarover een klantcontact ging.",
    fields=(
        DocumentReference("klantcontact", "onderwerpobject.klantcontact", "klantcontact"),
        DocumentReference("wasKlantcontact", "onderwerpobject.wasKlantcontact", "klantcontact"),
        BodyValue("onderwerpobjectidentificator"),
    ),
    filters=(
        *ONDERWERPOBJECT.to("onderwerpobject.klantcontact", "klantcontact", "klantcontact__").by_reference(),
        *object_identificator(ONDERWERPOBJECT, "onderwerpobjectidentificator"),
        *ONDERWERPOBJECT.to(
            "onderwerpobject.wasKlantcontact", "klantcontact", "wasKlantcontact__"
        ).by_reference(),
    ),
    cascades=True,
)

bijlagen = Resource(
    path="bijlagen",
    kind="bijlage",
    title="Bijlage",
    description="Informatieobject dat deel uitmaakte van een klantcontact.",
    fields=(
        DocumentReference("wasBijlageVanKlantcontact", "bijlage.klantcontact", "klantcontact"),
        BodyValue("bijlageidentificator"),
    ),
    filters=(
        *object_identificator(BIJLAGE, "bijlageidentificator"),
        BIJLAGE.to("bijlage.klantcontact", "klantcontact", "klantcontact__").uuid(),
    ),
)

aanleiding = INTERNETAAK.to(
    "internetaak.aanleidinggevendKlantcontact", "klantcontact", "aanleidinggevendKlantcontact__"
)
klantcontact_van_taak = INTERNETAAK.to(
    "internetaak.aanleidinggevendKlantcontact", "klantcontact", "klantcontact__"
)

internetaken = Resource(
    path="internetaken",
    kind="internetaak",
    title="Interne Taak",
    description="Verzoek aan een actor om na een klantcontact iets te doen.",
    fields=(
        *values("nummer", "referentienummer", "gevraagdeHandeling"),
        DocumentReference(
            "aanleidinggevendKlantcontact", "internetaak.aanleidinggevendKlantcontact", "klantcontact"
        ),
        References("toegewezenAanActor", "internetaak.toegewezenAanActoren", "actor", first=True),
        References("toegewezenAanActoren", "internetaak.toegewezenAanActoren", "actor"),
        *values("toelichting", "status", "toegewezenOp", "afgehandeldOp"),
    ),
    filters=(
        *aanleiding.by_reference(),
        INTERNETAAK.to("internetaak.toegewezenAanActoren", "actor", "actoren__").text("naam"),
        klantcontact_van_taak.text("nummer"),
        klantcontact_van_taak.text("referentienummer"),
        klantcontact_van_taak.uuid(),
        INTERNETAAK.text("nummer"),
        INTERNETAAK.text("referentienummer"),
        INTERNETAAK.choice("status", "te_verwerken", "verwerkt"),
        *INTERNETAAK.to("internetaak.toegewezenAanActoren", "actor", "toegewezenAanActor__").by_reference(),
        INTERNETAAK.moment_text("toegewezenOp"),
    ),
    unique=("nummer",),
)

categorieen = Resource(
    path="categorieen",
    kind="categorie",
    title="Categorie",
    description="Indeling van partijen die de gemeente zelf kiest.",
    fields=values("naam"),
)

van_categorie = CATEGORIE_RELATIE.to("categorie-relatie.categorie", "categorie", "categorie__")
in_categorie = CATEGORIE_RELATIE.to("categorie-relatie.partij", "partij", "partij__")

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

categorie_van_partij = PARTIJ.back("categorie-relatie.partij", "").to(
    "categorie-relatie.categorie", "categorie", "categorierelatie__categorie__"
)
identificatoren = identificatoren_of(PARTIJ, "partijIdentificator__")
hogere_identificatoren = identificatoren.to(
    "partij-identificator.subIdentificatorVan", "partij-identificator", "subIdentificatorVan__"
)
# The name says what the partijen found are: those that the partij asked for represents.
vertegenwoordigd_door = PARTIJ.back("vertegenwoordiging.vertegenwoordigdePartij", "").to(
    "vertegenwoordiging.vertegenwoordigendePartij", "partij", "vertegenwoordigdePartij__"
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
    "vertegenwoordiging.vertegenwoordigendePartij", "partij", "vertegenwoordigendePartij__"
)
vertegenwoordigde = VERTEGENWOORDIGING.to(
    "vertegenwoordiging.vertegenwoordigdePartij", "partij", "vertegenwoordigdePartij__"
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

RESOURCES: tuple[Resource, ...] = (
    actoren,
    digitaleadressen,
    rekeningnummers,
    actorklantcontacten,
    klantcontacten,
    betrokkenen,
    onderwerpobjecten,
    bijlagen,
    internetaken,
    categorieen,
    categorie_relaties,
    partijen,
    partij_identificatoren,
    vertegenwoordigingen,
)
BY_KIND: dict[str, Resource] = {resource.kind: resource for resource in RESOURCES}
# The one path that only takes writes: klantcontact, betrokkene and onderwerpobject at once.
MAAK_KLANTCONTACT = "maak-klantcontact"
BASE_PATH = "/klantinteracties/api/v1"
# Everything that stands directly under the base path.
PATHS = frozenset({MAAK_KLANTCONTACT, *(resource.path for resource in RESOURCES)})
