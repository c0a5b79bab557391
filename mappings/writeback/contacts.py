"""A klantcontact that a client wrote, as a klantcontact of a Zaken API (W4) or a contactmoment (W5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Settings
from mappings.rules.klantcontacten import moment_text
from mappings.values.texts import cut_at_word
from mappings.writeback import told
from mappings.writeback.recognising import identificatie_of, registratiedatum_of

KANAAL_LIMIT, ONDERWERP_LIMIT, TOELICHTING_LIMIT = 20, 200, 1000
MOMENT_KANAAL_LIMIT: Final = 50
MEDEWERKER_LIMIT, NAAM_LIMIT = 24, 200
# What a contactmoment says only when there is a betrokkene or a medewerker.
NOT_ALWAYS: Final = ("initiatiefnemer", "medewerkerIdentificatie")


@dataclass(frozen=True, slots=True)
class Written:
    """A contact as clients wrote it: its body, its moment (microseconds UTC), and what hangs on it.

    `initiator` tells whether a betrokkene began it (None: there is none), `actor` is the body of its medewerker,
    `vorig` the URL at the source of the contactmoment that it follows.
    """

    uuid: UUID
    body: Mapping[str, Any]
    moment: int
    initiator: bool | None = None
    actor: Mapping[str, Any] | None = None
    vorig: str = ""


@dataclass(slots=True)
class Outgoing:
    """What a source is sent, and what does not fit in it."""

    body: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


def klantcontact(
    written: Written, zaak: UUID, zaak_url: str, latest: int, uuids: Uuids, settings: Settings
) -> Outgoing:
    """The klantcontact of a Zaken API on one of its zaken (W4).

    `latest` is the moment of now by the source's clock, which refuses the future.
    """
    made = Outgoing({})
    moment = written.moment
    if moment > latest:
        moment = latest
        action = "in de toekomst: teruggeschreven met het moment van versturen"
        made.findings.append(Finding("W4", "plaatsgevondenOp", Severity.ADJUSTED, action))
    body = written.body
    parts = (body["inhoud"].strip(), body["reactie"].strip())
    made.body = {
        "zaak": zaak_url,
        "identificatie": identificatie_of(uuids, written.uuid, zaak),
        "datumtijd": moment_text(moment),
        "kanaal": _fitted(_kanaal(written, settings), KANAAL_LIMIT, "W4", "kanaal", made),
        "onderwerp": _fitted(body["onderwerp"].strip(), ONDERWERP_LIMIT, "W4", "onderwerp", made),
        "toelichting": _fitted("\n\n".join(filter(None, parts)), TOELICHTING_LIMIT, "W4", "inhoud", made),
    }
    return made


def contactmoment(written: Written, bronorganisatie: str, settings: Settings) -> Outgoing:
    """The contactmoment of a Contactmomenten API (W5)."""
    made = Outgoing({})
    body = written.body
    parts = (body["onderwerp"].strip(), body["inhoud"].strip())
    made.body = {
        "bronorganisatie": bronorganisatie,
        "registratiedatum": moment_text(registratiedatum_of(written.moment, written.uuid)),
        "kanaal": _fitted(_kanaal(written, settings), MOMENT_KANAAL_LIMIT, "W5", "kanaal", made),
        "tekst": "\n\n".join(filter(None, parts)),
        "voorkeurstaal": body["taal"],
        "vorigContactmoment": written.vorig or None,
    }
    if written.initiator is not None:
        made.body["initiatiefnemer"] = "klant" if written.initiator else "gemeente"
    if body["reactie"].strip():
        made.findings.append(told.not_back("W5", "reactie", "een contactmoment heeft er geen plaats voor"))
    if written.actor is not None:
        _medewerker(written.actor, made)
    return made


def _medewerker(actor: Mapping[str, Any], made: Outgoing) -> None:
    if actor["soortActor"] != "medewerker":
        made.findings.append(told.not_back("W5", "actor", "een contactmoment noemt alleen een medewerker"))
        return
    number = actor["actoridentificator"]["objectId"] if actor["actoridentificator"] else ""
    if len(number) > MEDEWERKER_LIMIT:
        action = f"objectId langer dan {MEDEWERKER_LIMIT} tekens: alleen de naam teruggeschreven"
        made.findings.append(Finding("W5", "actor.actoridentificator", Severity.ADJUSTED, action))
        number = ""
    made.body["medewerkerIdentificatie"] = {
        "identificatie": number,
        "achternaam": _fitted(actor["naam"], NAAM_LIMIT, "W5", "actor.naam", made),
        "voorletters": "",
        "voorvoegselAchternaam": "",
    }


def _kanaal(written: Written, settings: Settings) -> str:
    """The name that the source gives a kanaal: `[mapping] kanalen` turned round, the same initiator first."""
    kanaal = str(written.body["kanaal"])
    named = [
        (to.initiator != (written.initiator is not False), name)
        for name, to in settings.kanalen.items()
        if to.kanaal == kanaal
    ]
    return min(named)[1] if named else kanaal


def _fitted(text: str, limit: int, rule: str, name: str, made: Outgoing) -> str:
    cut = cut_at_word(text, limit)
    if cut != text:
        told.cut(rule, name, limit, made.findings)
    return cut
