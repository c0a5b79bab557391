"""Klantcontacten and what hangs on them: who took part, what they were about, what follows from them."""

from __future__ import annotations

from gateway.klantinteracties.model.declarations import (
    At,
    BodyValue,
    DocumentReference,
    Listing,
    References,
    Resource,
    Through,
)
from gateway.klantinteracties.model.fields_and_filters import (
    identificator,
    identificatoren_of,
    object_identificator,
    values,
)

ACTOR = At("actor", "de actor")
ACTORKLANTCONTACT = At("actorklantcontact", "het actorklantcontact")
BETROKKENE = At("betrokkene", "de betrokkene")
BIJLAGE = At("bijlage", "de bijlage")
INTERNETAAK = At("internetaak", "de interne taak")
KLANTCONTACT = At("klantcontact", "het klantcontact")
ONDERWERPOBJECT = At("onderwerpobject", "het onderwerpobject")

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
        *ACTORKLANTCONTACT.to("actorklantcontact.actor", "actor", "actor__", "de actor").by_reference(),
        *ACTORKLANTCONTACT.to(
            "actorklantcontact.klantcontact", "klantcontact", "klantcontact__", "het klantcontact"
        ).by_reference(),
    ),
)

had_betrokkene = KLANTCONTACT.back(
    "betrokkene.hadKlantcontact", "hadBetrokkene__", "een betrokkene van het klantcontact"
)
adres_van_betrokkene = had_betrokkene.back(
    "digitaleadres.verstrektDoorBetrokkene",
    "hadBetrokkene__digitaaladres__",
    "een digitaal adres van een betrokkene van het klantcontact",
)
was_partij = had_betrokkene.to(
    "betrokkene.wasPartij",
    "partij",
    "hadBetrokkene__wasPartij__",
    "een partij die bij het klantcontact betrokken was",
)
over = KLANTCONTACT.back(
    "onderwerpobject.klantcontact", "onderwerpobject__", "een onderwerpobject van het klantcontact"
)
was_over = KLANTCONTACT.back(
    "onderwerpobject.wasKlantcontact",
    "wasOnderwerpobject__",
    "een onderwerpobject dat naar het klantcontact zelf verwijst",
)

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
        KLANTCONTACT.back(
            "internetaak.aanleidinggevendKlantcontact",
            "",
            "een interne taak naar aanleiding van het klantcontact",
        ).present("leiddeTotInterneTaken"),
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

had_klantcontact = BETROKKENE.to(
    "betrokkene.hadKlantcontact", "klantcontact", "hadKlantcontact__", "het klantcontact van de betrokkene"
)
betrokken_partij = BETROKKENE.to(
    "betrokkene.wasPartij", "partij", "wasPartij__", "de partij die de betrokkene is"
)
verstrekt = BETROKKENE.back(
    "digitaleadres.verstrektDoorBetrokkene",
    "verstrektedigitaalAdres__",
    "een digitaal adres dat de betrokkene gaf",
)

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
        *ONDERWERPOBJECT.to(
            "onderwerpobject.klantcontact",
            "klantcontact",
            "klantcontact__",
            "het klantcontact dat erover ging",
        ).by_reference(),
        *object_identificator(ONDERWERPOBJECT, "onderwerpobjectidentificator"),
        *ONDERWERPOBJECT.to(
            "onderwerpobject.wasKlantcontact",
            "klantcontact",
            "wasKlantcontact__",
            "het klantcontact dat het onderwerpobject zelf is",
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
        BIJLAGE.to(
            "bijlage.klantcontact", "klantcontact", "klantcontact__", "het klantcontact van de bijlage"
        ).uuid(),
    ),
)

aanleiding = INTERNETAAK.to(
    "internetaak.aanleidinggevendKlantcontact",
    "klantcontact",
    "aanleidinggevendKlantcontact__",
    "het klantcontact dat de aanleiding was",
)
klantcontact_van_taak = INTERNETAAK.to(
    "internetaak.aanleidinggevendKlantcontact",
    "klantcontact",
    "klantcontact__",
    "het klantcontact dat de aanleiding was",
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
        INTERNETAAK.to(
            "internetaak.toegewezenAanActoren", "actor", "actoren__", "een actor die de taak heeft"
        ).text("naam"),
        klantcontact_van_taak.text("nummer"),
        klantcontact_van_taak.text("referentienummer"),
        klantcontact_van_taak.uuid(),
        INTERNETAAK.text("nummer"),
        INTERNETAAK.text("referentienummer"),
        INTERNETAAK.choice("status", "te_verwerken", "verwerkt"),
        *INTERNETAAK.to(
            "internetaak.toegewezenAanActoren", "actor", "toegewezenAanActor__", "een actor die de taak heeft"
        ).by_reference(),
        INTERNETAAK.moment_text("toegewezenOp"),
    ),
    unique=("nummer",),
)
