"""Why is this so? What is known of one uuid, of either side: where it came from, and what became of it (M4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.base.dutch_time import local
from gateway.ingest.claim_writer import SAYING
from gateway.ingest.ties import TIES
from gateway.operator import writeback
from gateway.operator.explain.document import Documents
from gateway.operator.explain.fields import MOST, named, source_of
from gateway.operator.explain.party import of_rollen
from gateway.store.base import kinds
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.edits.editing import TOMBSTONE
from gateway.store.inspect import explaining as store
from gateway.store.inspect.explaining import HeldRaw
from gateway.store.inspect.status import moment_of
from gateway.store.legacy import erased, quarantine, ties
from mappings.explain import advice, why
from mappings.identity.identity import Uuids
from mappings.model.settings import Settings
from mappings.model.ties import Tie
from mappings.standards import KINDS

STATES = {
    kinds.TRANSLATED: "vertaald",
    kinds.WAITING: "wacht op zaak: de zaak is nog niet ingelezen, dus er is nog niets van gemaakt (M34)",
    kinds.LEFT_OUT: "weggelaten: de zaak is vertrouwelijker dan [mapping] max_vertrouwelijkheidaanduiding toestaat; "
    "alleen geteld, niet bewaard (M34)",
    kinds.UNREADABLE: "niet overgenomen: de zaak is niet in te zien of verdwenen (M34)",
    kinds.QUARANTINED: "in quarantaine (M3)",
    kinds.NO_PARTY: "maakt geen partij: deze omschrijvingGeneriek staat niet in [mapping] partij_rollen (M10)",
    kinds.GONE: "bestaat niet meer in de bron",
}
DELETED = "wat ervan kwam is door een client verwijderd (M19)"
REBUILD = "klantbrug rebuild maakt het opnieuw"
UNKNOWN = (
    "Hierover is niets bekend: geen document, geen bronobject, niets dat een client verwijderde. Is een bron nog niet "
    "volledig ingelezen, dan kan het daar wel bestaan."
)


class Explainer:
    """Explains what one store holds, by the `[mapping]` and uuid secret that made it."""

    def __init__(self, store: Store, settings: Settings, uuid_secret: str) -> None:
        self._store = store
        self._settings = settings
        self._uuids = Uuids(uuid_secret)

    def explain(self, uuid: UUID) -> dict[str, Any]:
        """All that is known of a uuid of either side.

        Out: `uuid`, `found` (documents, legacy objects and deletions under it, each with `what` it is) and, when
        there is nothing, `story`.
        """
        with self._store.read() as connection:
            explaining = _Explaining(connection, self._settings, self._uuids)
            found = explaining.all_of(uuid)
        return {"uuid": str(uuid), "found": found, "story": "" if found else UNKNOWN}


def without_values(told: Any) -> Any:
    """The same explanation with only whether each value is filled, for a screen or file that others may see."""
    if isinstance(told, dict):
        return {
            name: _filled(value) if name in ("value", "values", "legacy") else without_values(value)
            for name, value in told.items()
        }
    return [without_values(item) for item in told] if isinstance(told, list) else told


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item) for name, item in value.items()}
    return "leeg" if value in (None, "", []) else "gevuld"


class _Explaining:
    """One explanation, within one read of the store."""

    def __init__(self, connection: Session, settings: Settings, uuids: Uuids) -> None:
        self.connection = connection
        self.documents = Documents(connection, settings, uuids)

    def all_of(self, uuid: UUID) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        held = store.document(self.connection, uuid)
        if held is not None:
            found.append(self.documents.document(held))
            if sent := writeback.sent(self.connection, UUID(found[0]["uuid"])):
                found[0]["sent"] = sent
        found += [self.legacy(raw) for raw in store.raws(self.connection, uuid)]
        found += [
            _deleted(uuid, part.value, part.moment)
            for part in store.written(self.connection, uuid)
            if part.part == TOMBSTONE
        ]
        if not found and (gone := erased.erased(self.connection, uuid.bytes)):
            story = f"Vernietigd bij de bron en hier gewist op {local(gone.at)} (M35)."
            if gone.here:
                story = (
                    f"Hier gewist op {local(gone.at)} met klantbrug person erase; de bron kan het nog hebben."
                )
            found.append({"what": "erased", "kind": gone.what, "uuid": str(uuid), "story": story})
        return found

    def legacy(self, raw: HeldRaw) -> dict[str, Any]:
        """A legacy object: what it became, or why nothing."""
        made = store.made_of(self.connection, raw.row)
        shown = {
            "what": "legacy",
            **source_of(raw),
            "zaak": str(raw.zaak) if raw.zaak and raw.kind != "zaak" else None,
            "first_seen": moment_of(raw.first_seen),
            "last_seen": moment_of(raw.last_seen),
            "visible": raw.visible,
            "story": self._state(raw, bool(made)),
            "documents": [
                {**named(kind, uuid), "gives": self._gives(kind, uuid, raw)} for kind, uuid in made[:MOST]
            ],
            "documents_total": len(made),
            "findings": self.documents.findings([raw]),
        }
        if raw.kind == "zaak":
            shown["contents"] = [
                {"kind": kind, "state": STATES[state], "count": count}
                for kind, state, count in store.contents(self.connection, raw.source_row, raw.uuid)
            ]
        return shown

    def _state(self, raw: HeldRaw, made: bool) -> str:
        words = STATES[raw.state]
        if raw.state == kinds.QUARANTINED:
            for held in quarantine.listing(self.connection, raw.uuid):
                if held.row == raw.row:
                    words += f" sinds {local(held.since)}: {held.reason}. {advice.QUARANTINE}"
        elif raw.state == kinds.TRANSLATED and raw.kind == "zaak":
            words = "gelezen; een zaak wordt zelf geen document, wel wat eraan hangt"
        elif raw.state == kinds.TRANSLATED and not KINDS[raw.kind].becomes_documents:
            words = "gelezen; hiervan komt zelf geen document"
        elif raw.state == kinds.TRANSLATED and not made:
            words += f"; {self._nothing(raw)}"
        if raw.body is None and raw.state in kinds.HIDDEN and raw.kind != "zaak":
            words += "; de inhoud is niet meer bewaard ([mapping] wachttijd_dagen), en wordt zo nodig opnieuw gevraagd"
        if not raw.visible:
            words += "; de bron laat het niet meer zien (403), daarom bewaard zoals het was"
        return words

    def _nothing(self, raw: HeldRaw) -> str:
        """Why nothing came of a legacy object that was read."""
        tie = ties.ties_by(self.connection, [raw.row]).get(raw.row)
        if store.deleted(self.connection, raw.row, self._may_make(raw, tie)):
            return DELETED
        if raw.kind in TIES:
            if tie is None or not (tie.klant or tie.zaak):
                return "er komt niets van: zie de bevinding"
            return self._waits(raw, UUID(bytes=tie.contact))
        return f"er staat niets van in de opslag: {REBUILD}"

    def _may_make(self, raw: HeldRaw, tie: Tie | None) -> list[UUID]:
        """What a client may have deleted: the klantcontact, or what an object ties to it."""
        contact = UUID(bytes=tie.contact) if tie else raw.uuid
        tied = (("betrokkene", tie.klant), ("onderwerpobject", tie.zaak)) if tie else ()
        return [
            contact,
            *(
                self.documents.uuids.derive(kind, str(contact), str(UUID(bytes=uuid)))
                for kind, uuid in tied
                if uuid
            ),
        ]

    def _waits(self, raw: HeldRaw, contact: UUID) -> str:
        """What is with the contact that an object ties to a klant or zaak; a klant is not tied to a klantcontact of the
        Zaken API or of a client."""
        kinds_of = (
            ("contactmoment",) if raw.kind == "klantcontactmoment" else ("contactmoment", "klantcontact")
        )
        for held in store.raws(self.connection, contact):
            if held.kind in kinds_of and (held.kind == "klantcontact" or held.source == raw.source):
                return f"het {held.kind} {contact}: {STATES[held.state]}"
        return f"wacht op het {' of '.join(kinds_of)} {contact}: dat is nog niet ingelezen, of er niet (meer)"

    def _gives(self, kind: str, uuid: UUID, raw: HeldRaw) -> list[str]:
        """The groups of a party or actor that this object gives; none: a newer one gives them all."""
        held = store.document(self.connection, uuid) if raw.kind in SAYING else None
        if held is None or held.local or not of_rollen(held):
            return []
        return [
            group["group"]
            for group in self.documents.parties.of_party(held, why.slot_of(kind, held.body))
            if any(by["uuid"] == str(raw.uuid) and by["source"] == raw.source for by in group["given_by"])
        ]


def _deleted(uuid: UUID, about: dict[str, Any], moment: int) -> dict[str, Any]:
    root = about["root"]
    with_it = "" if root == str(uuid) else f", samen met {root}"
    return {
        "what": "deleted",
        "kind": about["kind"],
        "uuid": str(uuid),
        "story": f"Door een client verwijderd op {local(moment)}{with_it}; het kwam uit de bron (M19).",
        "restore": f"klantbrug restore {root}",
    }
