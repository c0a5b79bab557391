"""A served document explained: where each of its values came from, by which rule, and which others there were (M4).

What stands under `value`, `values` and `legacy` is personal data; everything else is fields, rules, uuids, moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.base.dutch_time import local
from gateway.operator.explain.contact import ContactGroups
from gateway.operator.explain.fields import MOST, REST, named, source_of
from gateway.operator.explain.party import PartyGroups, of_rollen
from gateway.store.base.session import Session
from gateway.store.edits.editing import TOMBSTONE
from gateway.store.edits.local_rows import LINK
from gateway.store.inspect import explaining as store
from gateway.store.inspect.explaining import HeldDocument, HeldRaw
from gateway.store.inspect.status import moment_of
from gateway.store.legacy.identities import keys_of_document
from mappings.explain import why
from mappings.identity import identity
from mappings.identity.identity import Uuids
from mappings.model.settings import Settings

LINK_RULES = {
    "partij.voorkeursDigitaalAdres": "M11",
    "partij.werkteVoorPartij": "M22",
    "partij-identificator.identificeerdePartij": "M17",
    "partij-identificator.subIdentificatorVan": "M17",
    "digitaleadres.verstrektDoorPartij": "M21",
    "vertegenwoordiging.vertegenwoordigendePartij": "M25",
    "vertegenwoordiging.vertegenwoordigdePartij": "M25",
    "betrokkene.wasPartij": "M30",
    "betrokkene.hadKlantcontact": "M30",
    "onderwerpobject.klantcontact": "M29",
    "onderwerpobject.wasKlantcontact": "M40",
    "internetaak.aanleidinggevendKlantcontact": "M40",
    "internetaak.toegewezenAanActoren": "M40",
    "digitaleadres.verstrektDoorBetrokkene": "M40",
    "actorklantcontact.actor": "M31",
    "actorklantcontact.klantcontact": "M31",
}


class Documents:
    """Explains documents, within one read of the store."""

    def __init__(self, connection: Session, settings: Settings, uuids: Uuids) -> None:
        self.connection = connection
        self.uuids = uuids
        self.parties = PartyGroups(connection, settings, uuids)
        self.contacts = ContactGroups(connection, settings, uuids)

    def document(self, held: HeldDocument) -> dict[str, Any]:
        """A served document: its fields with where each came from, links, sources, findings."""
        count, rows = store.sources_of(self.connection, held.row, MOST)
        raws = [store.raw(self.connection, row) for row in rows]
        linked, links = store.links(self.connection, held.row, MOST)
        return {
            "what": "document",
            **named(held.kind, held.uuid),
            "asked_by_other_uuid": held.asked_by_other,
            "keys": [
                {"key": identity.prefix(key).rstrip(":"), "value": key}
                for key in keys_of_document(self.connection, held.row)
            ],
            "other_uuids": [str(uuid) for uuid in store.other_uuids(self.connection, held.row)],
            "story": _story(held, count),
            "groups": self._local(held) if held.local else self._groups(held, raws),
            "links": [self._link(held, link) for link in links],
            "links_total": linked,
            "links_by_client": [
                {
                    "relation": f"{held.kind}.{part.part.removeprefix(LINK)}",
                    "written": moment_of(part.moment),
                }
                for part in store.written(self.connection, held.uuid)
                if part.part.startswith(LINK)
            ],
            "sources": [source_of(raw) for raw in raws],
            "sources_total": count,
            "findings": self.findings(raws),
        }

    def _link(self, held: HeldDocument, link: store.Linked) -> dict[str, Any]:
        """A link; of what was made with a klantcontact also the legacy objects that it was made from, for each."""
        shown: dict[str, Any] = {
            "relation": link.relation,
            "to": named(link.kind, link.uuid),
            "incoming": link.incoming,
            "rule": LINK_RULES.get(link.relation, ""),
        }
        other = store.document(self.connection, link.uuid)
        if link.incoming and held.kind == "klantcontact" and other is not None and other.owner == held.row:
            _, rows = store.sources_of(self.connection, other.row, MOST)
            shown["made_of"] = [source_of(store.raw(self.connection, row)) for row in sorted(rows)]
        return shown

    def _local(self, held: HeldDocument) -> list[dict[str, Any]]:
        because = "door een client geschreven"
        fields = [
            {"field": field, "value": value, "rule": "M19", "because": because, "from": []}
            for field, value in why.flat(held.body).items()
        ]
        return [{"group": REST, "fields": fields, "given_by": [], "others": []}]

    def _groups(self, held: HeldDocument, raws: Sequence[HeldRaw]) -> list[dict[str, Any]]:
        slot = why.slot_of(held.kind, held.body)
        if of_rollen(held):
            groups = self.parties.of_party(held, slot)
        else:
            groups = [self.contacts.of_contact(held, slot, raws)] if held.body else []
        self._edits(held, groups)
        return groups

    def _edits(self, held: HeldDocument, groups: list[dict[str, Any]]) -> None:
        """What a client wrote goes before what the legacy says (M19); that stays visible beside it."""
        edits = {
            field: part.moment
            for part in store.written(self.connection, held.uuid)
            if part.part != TOMBSTONE and not part.part.startswith(LINK)
            for field in why.flat(part.value)
        }
        for group in groups:
            says = group.pop("says", {})
            for field in group["fields"]:
                if field["field"] in edits:
                    field["rule"] = "M19"
                    field["because"] = f"door een client geschreven op {local(edits[field['field']])}"
                    if field["field"] in says:
                        field["legacy"] = says[field["field"]]

    def findings(self, raws: Sequence[HeldRaw]) -> list[dict[str, Any]]:
        """What was found in legacy objects."""
        named = {raw.row: raw for raw in raws}
        return [
            {
                "rule": finding.rule,
                "severity": str(finding.severity),
                "field": finding.field,
                "action": finding.action,
                "on": {"kind": named[row].kind, "uuid": str(named[row].uuid)},
            }
            for row, finding in store.findings(self.connection, list(named))
        ]


def _story(held: HeldDocument, count: int) -> str:
    if not held.local:
        of = "1 bronobject" if count == 1 else f"{count} bronobjecten"
        return f"Gemaakt uit de bron, van {of}."
    story = f"Door een client geschreven op {local(held.created)}."
    if held.uuid.version == 8:  # only derived uuids have this version (M9)
        story = "De bron geeft dit niet meer; het bleef staan voor wat clients ernaar verwijzen (M20)."
    return story
