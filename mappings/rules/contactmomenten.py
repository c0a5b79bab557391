"""A contactmoment of the Contactmomenten API 1.0 becomes a klantcontact with its betrokkenen and subjects (M9, M40).

What it says by itself is in `contactmoment_facts`; here it meets the klanten, zaken and actors that are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.model.documents import Document
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Kanaal, Settings
from mappings.rules.esuite import adressen, internetaak, is_contactverzoek
from mappings.rules.klantcontacten import (
    INHOUD_LIMIT,
    KANAAL_LIMIT,
    ONDERWERP_LIMIT,
    Contact,
    betrokkene_body,
    moment_text,
    too_confidential,
    zaak_onderwerp,
)
from mappings.values.texts import cut_at_word, fitted

REACTIE_LIMIT: Final = 1000
_TAAL: Final = re.compile(r"[a-z]{3}")
_LEGE_CODES: Final = ("objectId", "codeObjecttype", "codeRegister", "codeSoortObjectId")
# In the place of the klant of a betrokkene that has none.
ONBEKEND: Final = "-"
_INITIATIEF: Final[Mapping[str, bool]] = {"klant": True, "gemeente": False}


@dataclass(frozen=True, slots=True)
class Gesprekspartner:
    """A klant of a contactmoment: the party that it became (None: the klant is not to be had) and its own facts.

    `belanghebbende` tells whether one of the klantcontactmomenten calls it that; `sources` are the uuids of those.
    `verwijderd`: a client deleted the party, so it gets no betrokkene (M19).
    """

    klant: UUID
    partij: UUID | None
    facts: Mapping[str, Any]
    belanghebbende: bool
    sources: frozenset[UUID] = frozenset()
    verwijderd: bool = False


@dataclass(frozen=True, slots=True)
class Onderwerpzaak:
    """A zaak that a contactmoment was about, and the uuids of the objects that say so."""

    uuid: UUID
    aanduiding: str
    sources: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Omgeving:
    """What a contactmoment hangs together with, as it is known now.

    `actor` is the document of its medewerker, `actor_uuids` those of the actor's other keys (M6), `actor_derived` the
    uuid that it would have if no client had made it before (M19); `behandelaars` are the actors of
    `esuite.ACTOREN`, by the field that names them. `vorig_bekend` tells whether the klantcontact of its
    vorigContactmoment is there to refer to.
    """

    partners: Sequence[Gesprekspartner] = ()
    zaken: Sequence[Onderwerpzaak] = ()
    actor: UUID | None = None
    actor_uuids: frozenset[UUID] = frozenset()
    actor_derived: UUID | None = None
    behandelaars: Mapping[str, UUID] = field(default_factory=dict)
    vorig_bekend: bool = False


def mag_mee(aanduidingen: Iterable[str], maximum: str) -> bool:
    """May a contactmoment on zaken of these vertrouwelijkheidaanduidingen be shown (M34)?

    One zaak above the maximum is enough to leave the contactmoment out altogether, whatever its other zaken: its text
    may tell of that one. A contactmoment without a zaak is shown: there is nothing that makes it confidential.
    """
    return not any(too_confidential(aanduiding, maximum) for aanduiding in aanduidingen)


def translate_contactmoment(
    facts: Mapping[str, Any], omgeving: Omgeving, source: str, uuids: Uuids, settings: Settings
) -> Contact:
    """Translate a contactmoment with all that it hangs together with (M9, M30, M40, M42).

    In: its facts (`read_contactmoment`) and what is known around it; whether it may be shown at all is for `mag_mee`.
    Out: documents, the klantcontact first; the same input in any order gives the same. It is vertrouwelijk as M28
    says, by the most confidential of its zaken.
    """
    uuid, moment = UUID(facts["uuid"]), facts["moment"]
    result = Contact([])
    kanaal = settings.kanalen.get(facts["kanaal"], Kanaal(facts["kanaal"] or "onbekend"))
    tekst = facts["tekst"]
    result.documents.append(
        Document(
            "klantcontact",
            uuid,
            {
                "nummer": None,
                "referentienummer": None,
                "kanaal": fitted(kanaal.kanaal, KANAAL_LIMIT, "M40", "kanaal", result.findings),
                "onderwerp": _onderwerp(facts, result.findings),
                "inhoud": fitted(tekst, INHOUD_LIMIT, "M40", "tekst", result.findings),
                "reactie": fitted(
                    facts.get("antwoord", ""), REACTIE_LIMIT, "M40", "antwoord", result.findings
                ),
                "indicatieContactGelukt": None,
                "hoofdOnderwerpType": "",
                "verdereActieOndernomen": False,
                "taal": _taal(facts["voorkeurstaal"], settings, result.findings),
                "vertrouwelijk": not mag_mee(
                    (zaak.aanduiding for zaak in omgeving.zaken), "zaakvertrouwelijk"
                ),
                "plaatsgevondenOp": moment_text(moment),
                "metadata": {"bron": source},
            },
            moment,
            moment,
            sources=frozenset({uuid}),
        )
    )
    for zaak in sorted(omgeving.zaken, key=lambda zaak: zaak.uuid.bytes):
        sources = zaak.sources | {uuid}
        result.documents.append(zaak_onderwerp(uuid, str(zaak.uuid), moment, uuids, settings, sources))
    _vorig(uuid, facts["vorig"], moment, omgeving, uuids, result)
    initiator = _INITIATIEF.get(facts["initiatiefnemer"], kanaal.initiator)
    if facts["initiatiefnemer"] and facts["initiatiefnemer"] not in _INITIATIEF:
        result.findings.append(
            Finding(
                "M40", "initiatiefnemer", Severity.ADJUSTED, "onbekende waarde: ingevuld volgens het kanaal"
            )
        )
    there = [partner for partner in omgeving.partners if not partner.verwijderd]
    there.sort(key=lambda partner: (not partner.belanghebbende, partner.klant.bytes))
    made = [_betrokkene(uuid, partner, moment, initiator, uuids, result.findings) for partner in there]
    result.documents += made
    if facts.get("contactgegevens") and (there or not omgeving.partners):
        klant = str(there[0].klant) if there else ONBEKEND
        if not there:
            made = [_onbekende(uuid, moment, initiator, uuids)]
            result.documents += made
        result.documents += adressen(uuid, made[0].uuid, klant, facts, uuids, settings, result.findings)
    if not omgeving.partners:
        zonder = "met alleen contactgegevens" if facts.get("contactgegevens") else "zonder betrokkene"
        action = f"geen klant: een klantcontact {zonder}"
        result.findings.append(Finding("M40", "klant", Severity.INFO, action))
    if omgeving.actor is not None:
        result.documents.append(_actorklantcontact(uuid, omgeving.actor, omgeving, moment, uuids))
    if is_contactverzoek(facts, settings):
        result.documents.append(
            internetaak(
                uuid, facts, omgeving.behandelaars, moment_text(moment), uuids, settings, result.findings
            )
        )
    return result


def _onderwerp(facts: Mapping[str, Any], found: list[Finding]) -> str:
    """Its own onderwerp, else the beginning of the tekst (M40)."""
    if own := facts.get("onderwerp"):
        return fitted(own, ONDERWERP_LIMIT, "M40", "onderwerp", found)
    begin = cut_at_word(" ".join(facts["tekst"].split()), ONDERWERP_LIMIT)
    return begin or "(geen onderwerp)"


def _onbekende(contact: UUID, moment: int, initiator: bool, uuids: Uuids) -> Document:
    """The betrokkene of a contactmoment that names no klant, and says where somebody can be reached (M40)."""
    return Document(
        "betrokkene",
        uuids.derive("betrokkene", str(contact), ONBEKEND),
        betrokkene_body(None, "", "klant", initiator=initiator),
        moment,
        moment,
        {"hadKlantcontact": [contact]},
        frozenset({contact}),
    )


def actor_weggehouden() -> Finding:
    """The finding on a contactmoment whose medewerker a client deleted before it came (M31)."""
    action = "de actor is via de API verwijderd: niet bij dit klantcontact gezet"
    return Finding("M31", "medewerkerIdentificatie", Severity.DROPPED, action)


def _vorig(contact: UUID, vorig: str, moment: int, omgeving: Omgeving, uuids: Uuids, result: Contact) -> None:
    """The onderwerpobject that says: this contact was about that earlier one."""
    if not vorig:
        return
    if UUID(vorig) == contact or not omgeving.vorig_bekend:
        result.findings.append(
            Finding(
                "M40", "vorigContactmoment", Severity.DROPPED, "het vorige contactmoment is er niet (meer)"
            )
        )
        return
    result.documents.append(
        Document(
            "onderwerpobject",
            uuids.derive("onderwerpobject", str(contact), vorig),
            {"onderwerpobjectidentificator": dict.fromkeys(_LEGE_CODES, "")},
            moment,
            moment,
            {"klantcontact": [contact], "wasKlantcontact": [UUID(vorig)]},
            frozenset({contact}),
        )
    )


def _betrokkene(
    contact: UUID,
    partner: Gesprekspartner,
    moment: int,
    initiator: bool,
    uuids: Uuids,
    found: list[Finding],
) -> Document:
    """One for each klant, also when it is both belanghebbende and gesprekspartner."""
    links = {"hadKlantcontact": [contact]}
    sources = frozenset({contact}) | partner.sources
    if partner.partij is None:
        found.append(
            Finding(
                "M40",
                "klant",
                Severity.DROPPED,
                "de klant is niet in te zien of verdwenen: betrokkene zonder partij",
            )
        )
    else:
        links["wasPartij"] = [partner.partij]
        sources |= {partner.klant}
    facts, rol = partner.facts, "klant" if partner.belanghebbende else "vertegenwoordiger"
    return Document(
        "betrokkene",
        uuids.derive("betrokkene", str(contact), str(partner.klant)),
        betrokkene_body(facts.get("contactnaam"), facts.get("organisatienaam", ""), rol, initiator=initiator),
        moment,
        moment,
        links,
        sources,
    )


def _actorklantcontact(contact: UUID, actor: UUID, omgeving: Omgeving, moment: int, uuids: Uuids) -> Document:
    derived = omgeving.actor_derived
    others = sorted(omgeving.actor_uuids - {derived})
    return Document(
        "actorklantcontact",
        uuids.derive("actorklantcontact", str(contact), str(derived or actor)),
        {},
        moment,
        moment,
        {"actor": [actor], "klantcontact": [contact]},
        frozenset({contact}),
        tuple(uuids.derive("actorklantcontact", str(contact), str(other)) for other in others),
    )


def _taal(voorkeurstaal: str, settings: Settings, found: list[Finding]) -> str:
    if _TAAL.fullmatch(voorkeurstaal):
        return voorkeurstaal
    if voorkeurstaal:
        found.append(
            Finding(
                "M40",
                "voorkeurstaal",
                Severity.DROPPED,
                "geen taalcode van drie kleine letters: standaardtaal",
            )
        )
    return settings.taal
