"""A Klantcontact of the Zaken API becomes a klantcontact with its onderwerpobject, betrokkenen and actoren."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.incoming.given_fields import UNDATED
from mappings.model.documents import Document
from mappings.model.findings import Finding, Severity
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Kanaal, Settings
from mappings.rules.rollen import ACTOR_TYPES, LEGE_NAAM
from mappings.values import namen
from mappings.values.adressen import LEEG
from mappings.values.texts import fitted

# How long the served API lets the fields of a klantcontact be.
KANAAL_LIMIT, ONDERWERP_LIMIT, INHOUD_LIMIT = 50, 200, 1000
HOOFDONDERWERP_LIMIT = 200
METADATA_LIMIT = 255
KLANTCONTACTER = "klantcontacter"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deelnemer:
    """A rol of the zaak: who it became (`uuid` of a partij or actor; None: a client deleted it, M19) and its part in
    contacts.

    `other_uuids` are those of an actor's other keys (M6), `derived` the uuid that it would have if no client had made
    it before (M19).
    """

    rol: UUID
    uuid: UUID | None
    deelname: Mapping[str, Any]
    other_uuids: frozenset[UUID] = frozenset()
    derived: UUID | None = None


@dataclass(slots=True)
class Contact:
    """The documents of one klantcontact, itself first, with findings on it and on its source."""

    documents: list[Document]
    findings: list[Finding] = field(default_factory=list)
    source_findings: list[Finding] = field(default_factory=list)


def too_confidential(aanduiding: str, maximum: str) -> bool:
    """Is a zaak with this vertrouwelijkheidaanduiding above the configured maximum (M34)?"""
    order = VERTROUWELIJKHEIDAANDUIDINGEN
    return order.index(aanduiding) > order.index(maximum)


def moment_text(microseconds: int) -> str:
    """A moment as the API writes it: UTC with Z, six decimals only when they are not zero."""
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat().replace("+00:00", "Z")


def translate_klantcontact(
    contact: Mapping[str, Any],
    zaak: Mapping[str, Any],
    deelnemers: Sequence[Deelnemer],
    source: str,
    uuids: Uuids,
    settings: Settings,
    onderwerpen: Mapping[str, frozenset[UUID]] = MappingProxyType({}),
) -> Contact:
    """Translate a loaded klantcontact with its zaak and the rollen of that zaak (M28-M32, M42).

    In: the facts of klantcontact and zaak as `facts` gives them; in `onderwerpen` the zaken that zaakcontactmomenten
    say it is about, each with the uuids of those. Out: documents; the same input in any order of the rollen gives the
    same.
    """
    uuid = UUID(contact["uuid"])
    kanaal = settings.kanalen.get(contact["kanaal"], Kanaal(contact["kanaal"] or "onbekend"))
    result = Contact([])
    hoofdonderwerp = zaak["zaaktype"]
    if len(hoofdonderwerp) > HOOFDONDERWERP_LIMIT:
        hoofdonderwerp = ""
        result.findings.append(
            Finding(
                "M28", "zaak.zaaktype", Severity.DROPPED, "langer dan 200 tekens: hoofdOnderwerpType leeg"
            )
        )
    moment = contact["datumtijd"]
    if moment == UNDATED:
        moment = zaak.get("registratiedatum", UNDATED)
        action = "zonder datum: plaatsgevondenOp is de registratiedatum van de zaak"
        result.findings.append(Finding("M28", "datumtijd", Severity.ADJUSTED, action))
    metadata = {"bron": source}
    for name, text in (("identificatie", contact["identificatie"]), ("zaak", zaak["identificatie"])):
        field_name = "identificatie" if name == "identificatie" else "zaak.identificatie"
        metadata[name] = fitted(text, METADATA_LIMIT, "M28", field_name, result.findings)
    result.documents.append(
        Document(
            "klantcontact",
            uuid,
            {
                "nummer": None,
                "referentienummer": None,
                "kanaal": fitted(kanaal.kanaal, KANAAL_LIMIT, "M28", "kanaal", result.findings),
                "onderwerp": fitted(
                    contact["onderwerp"], ONDERWERP_LIMIT, "M28", "onderwerp", result.findings
                )
                or "(geen onderwerp)",
                "inhoud": fitted(contact["toelichting"], INHOUD_LIMIT, "M28", "toelichting", result.findings),
                "reactie": "",
                "indicatieContactGelukt": None,
                "hoofdOnderwerpType": hoofdonderwerp,
                "verdereActieOndernomen": False,
                "taal": settings.taal,
                "vertrouwelijk": too_confidential(zaak["vertrouwelijkheidaanduiding"], "zaakvertrouwelijk"),
                "plaatsgevondenOp": moment_text(moment),
                "metadata": metadata,
            },
            moment,
            moment,
            sources=frozenset({uuid}),
        )
    )
    for over in (contact["zaak"], *sorted(onderwerpen.keys() - {contact["zaak"]})):
        sources = onderwerpen.get(over, frozenset()) | {uuid}
        result.documents.append(zaak_onderwerp(uuid, over, moment, uuids, settings, sources))
    customers = [deelnemer for deelnemer in deelnemers if _is_customer(deelnemer, settings)]
    result.documents += _betrokkenen(uuid, moment, kanaal, customers, uuids)
    result.documents += _actoren(uuid, moment, deelnemers, uuids)
    if customers:
        result.source_findings.append(
            Finding(
                "M30",
                "klantcontact",
                Severity.INFO,
                "de bron kent geen initiator van een contact: ingevuld volgens [mapping] kanalen",
            )
        )
    else:
        result.findings.append(
            Finding("M30", "zaak.rollen", Severity.INFO, "geen rol op de zaak die betrokkene wordt")
        )
    return result


def actor_weggehouden() -> Finding:
    """The finding on a klantcontact whose actor a client deleted before it came (M31)."""
    action = "de actor is via de API verwijderd: niet bij dit klantcontact gezet"
    return Finding("M31", "zaak.rollen", Severity.DROPPED, action)


def klantcontact_facts(contact: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a loaded klantcontact that `translate_klantcontact` needs, JSON-ready."""
    names = ("identificatie", "datumtijd", "kanaal", "onderwerp", "toelichting")
    return {
        "uuid": str(contact["uuid"]),
        "zaak": str(contact["zaak_uuid"]),
        **{name: contact[name] for name in names},
    }


def zaak_facts(zaak: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a loaded zaak that the rules need, JSON-ready."""
    names = ("identificatie", "zaaktype", "vertrouwelijkheidaanduiding", "registratiedatum")
    return {name: zaak[name] for name in names}


def zaak_onderwerp(
    contact: UUID, zaak: str, moment: int, uuids: Uuids, settings: Settings, sources: frozenset[UUID]
) -> Document:
    """The onderwerpobject of a klantcontact about a zaak (M29, M32, M40); `sources` are what says so."""
    codes = settings.zaak_codes[0]
    return Document(
        "onderwerpobject",
        uuids.derive("onderwerpobject", str(contact), zaak),
        {
            "onderwerpobjectidentificator": {
                "objectId": zaak,
                "codeObjecttype": codes.objecttype,
                "codeRegister": codes.register,
                "codeSoortObjectId": codes.soort_object_id,
            }
        },
        moment,
        moment,
        {"klantcontact": [contact]},
        sources,
    )


def _is_customer(deelnemer: Deelnemer, settings: Settings) -> bool:
    """Does a rol take part as a customer (M30), or was it the contact itself (M31)?"""
    deel = deelnemer.deelname
    return deel["soort"] not in ACTOR_TYPES and (
        deel["generiek"] in settings.klantcontact_betrokkenen or deel["generiek"] == KLANTCONTACTER
    )


def _betrokkenen(
    contact: UUID, moment: int, kanaal: Kanaal, customers: Sequence[Deelnemer], uuids: Uuids
) -> list[Document]:
    """One for each customer that a client did not delete."""
    made = []
    for deelnemer in sorted(customers, key=lambda deelnemer: deelnemer.rol.bytes):
        if deelnemer.uuid is None:
            continue
        deel = deelnemer.deelname
        created = min(moment, deel["moment"])
        rol = "vertegenwoordiger" if deel["gemachtigde"] else "klant"
        made.append(
            Document(
                "betrokkene",
                uuids.derive("betrokkene", str(contact), str(deelnemer.rol)),
                betrokkene_body(
                    deel["contactnaam"], deel["organisatienaam"], rol, initiator=kanaal.initiator
                ),
                created,
                created,
                {"wasPartij": [deelnemer.uuid], "hadKlantcontact": [contact]},
                frozenset({contact, deelnemer.rol}),
            )
        )
    return made


def betrokkene_body(
    contactnaam: Mapping[str, Any] | None, organisatienaam: str, rol: str, *, initiator: bool
) -> dict[str, Any]:
    """What a betrokkene at a klantcontact holds; its addresses are those of its partij (M30)."""
    naam = dict(contactnaam or LEGE_NAAM)
    return {
        "bezoekadres": LEEG,
        "correspondentieadres": LEEG,
        "contactnaam": naam,
        "volledigeNaam": namen.volledige_naam(naam),
        "rol": rol,
        "organisatienaam": organisatienaam,
        "initiator": initiator,
    }


def _actoren(contact: UUID, moment: int, deelnemers: Sequence[Deelnemer], uuids: Uuids) -> list[Document]:
    """One actorklantcontact for each actor that was the first point of contact (M31)."""
    rollen: dict[UUID, list[Deelnemer]] = {}
    for deelnemer in deelnemers:
        deel = deelnemer.deelname
        klantcontacter = deel["soort"] in ACTOR_TYPES and deel["generiek"] == KLANTCONTACTER
        if klantcontacter and deelnemer.uuid is not None:
            rollen.setdefault(deelnemer.uuid, []).append(deelnemer)
    made = []
    for actor, found in sorted(rollen.items()):
        created = min([moment, *(deelnemer.deelname["moment"] for deelnemer in found)])
        made.append(
            Document(
                "actorklantcontact",
                uuids.derive("actorklantcontact", str(contact), str(found[0].derived or actor)),
                {},
                created,
                created,
                {"actor": [actor], "klantcontact": [contact]},
                frozenset({contact, *(deelnemer.rol for deelnemer in found)}),
                tuple(
                    uuids.derive("actorklantcontact", str(contact), str(other))
                    for other in sorted(found[0].other_uuids - {found[0].derived})
                ),
            )
        )
    return made
