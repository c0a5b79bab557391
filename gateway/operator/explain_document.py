"""A served document explained: where each of its values came from, by which rule, and which others there were (M4).

What stands under `value`, `values` and `legacy` is personal data; everything else is fields, rules, uuids, moments.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gateway.base.dutch_time import local
from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND
from gateway.store.base.kinds import TRANSLATED
from gateway.store.edits.editing import LINK, TOMBSTONE
from gateway.store.inspect import explaining as store
from gateway.store.inspect.explaining import HeldDocument, HeldRaw, SharedClaim
from gateway.store.inspect.status import moment_of
from gateway.store.legacy import ties
from gateway.store.legacy.identities import keys_of_document
from mappings.explain import origins, why
from mappings.identity import identity
from mappings.identity.identity import Uuids
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Settings

MOST = 50
# What M18 takes from one rol together, or what one rol gives: by the fields that it begins with.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "partij": {
        "naam": ("partijIdentificatie.",),
        "adres": ("bezoekadres.", "correspondentieadres."),
        "klantnummer": ("nummer",),
    },
    "contactpersoon": {"naam": ("partijIdentificatie.",), "functie": ("interneNotitie",)},
    "partij-identificator": {"nummer": ("partijIdentificator.",)},
    "digitaleadres": {"adres": ("adres", "soortDigitaalAdres"), "omschrijving": ("omschrijving",)},
    "actor": {"naam": ("naam",), "nummer": ("actoridentificator.",), "gegevens": ("actorIdentificatie",)},
}
REST = "overig"
KLANTNUMMER = "klantnummer"
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
AFWIJKEND = "een afwijkende naam telt alleen waar er geen andere is (M12)"
OLDER = "een nieuwere rol ging voor; velden van een groep worden nooit gemengd (M18)"


class Documents:
    """Explains documents, within one read of the store."""

    def __init__(self, connection: sqlite3.Connection, settings: Settings, uuids: Uuids) -> None:
        self.connection = connection
        self.settings = settings
        self.uuids = uuids

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
            groups = self.of_party(held, slot)
        else:
            groups = [self._of_contact(held, slot, raws)] if held.body else []
        self._edits(held, groups)
        return groups

    def of_party(self, held: HeldDocument, slot: why.Slot) -> list[dict[str, Any]]:
        """Each group of a document that rollen give together: the newest rol that fills it wins (M18)."""
        said = store.said(self.connection, held)
        served = why.flat(held.body)
        soort = store.owner_of(self.connection, held).body.get("soortPartij", "")
        alone = [
            (each, why.of_claim(each.claim, self.uuids, self.settings, soort).get(slot, {})) for each in said
        ]
        groups, grouped = [], set()
        for name, prefixes in GROUPS.get(slot[0], {}).items():
            fields = {field: value for field, value in served.items() if field.startswith(prefixes)}
            grouped |= set(fields)
            candidates = _candidates(name, slot[0], fields, served, alone)
            groups.append(self._group(name, slot, soort, fields, candidates))
        rest = {field: value for field, value in served.items() if field not in grouped}
        numbers = rest.pop("anderePartijIdentificator", None)
        if numbers is not None:
            groups.append(self._other_numbers(held, numbers))
        if rest:
            # Which address is the standard one depends on the others: one rol does not decide it.
            says = {
                field: value
                for field, value in (alone[0][1] if alone else {}).items()
                if field != "isStandaardAdres"
            }
            shown = _fields(slot[0], rest, {})
            groups.append({"group": REST, "fields": shown, "given_by": [], "others": [], "says": says})
        return groups

    def _group(
        self,
        name: str,
        slot: why.Slot,
        soort: str,
        fields: why.Fields,
        candidates: Sequence[tuple[SharedClaim, why.Fields]],
    ) -> dict[str, Any]:
        if not candidates:
            return {"group": name, "fields": _fields(slot[0], fields, {}), "given_by": [], "others": []}
        chosen, own = candidates[0]
        raw = store.raw(self.connection, chosen.raw)
        objects = {raw.kind: raw.body or {}}
        maker = why.party_maker(chosen.claim.facet, raw.source, self.uuids, self.settings, soort)
        traced = why.given(slot, objects, maker) if raw.body else {}
        given = {field: [_given(raw, objects, item) for item in items] for field, items in traced.items()}
        others: dict[str, dict[str, Any]] = {}
        for each, values in candidates[1:]:
            differing = {field: value for field, value in values.items() if value != own.get(field)}
            known = others.setdefault(repr(sorted(differing.items(), key=str)), {})
            if known:
                known["rollen"] += each.rollen
            elif differing:
                of = store.raw(self.connection, each.raw) if len(others) <= MOST else None
                by = [source_of(of, each.claim.moment)] if of else []
                because = (
                    AFWIJKEND if name == "naam" and each.claim.afwijkend > chosen.claim.afwijkend else OLDER
                )
                known |= {"values": differing, "given_by": by, "rollen": each.rollen, "because": because}
        return {
            "group": name,
            "rule": "M18",
            "fields": _fields(slot[0], fields, given),
            "given_by": [source_of(raw, chosen.claim.moment)],
            "others": [other for other in others.values() if other.get("given_by")],
            "says": own,
        }

    def _other_numbers(self, held: HeldDocument, value: Any) -> dict[str, Any]:
        """anderePartijIdentificator: what all rollen of the party give together (M17)."""
        owner = store.owner_of(self.connection, held)
        found, by = [], []
        paths = [path for _, path in origins.TABLE["partij-identificator"]["anderePartijIdentificator"]]
        for each in store.said(self.connection, owner)[:MOST] if value else []:
            numbers = {number for _, number in each.claim.andere}
            if numbers:
                raw = store.raw(self.connection, each.raw)
                by.append(source_of(raw, each.claim.moment))
                objects = {raw.kind: raw.body or {}}
                found += [
                    _given(raw, objects, why.Given(path, "M17"))
                    for path in paths
                    if str(why.legacy_value(objects, path)).strip() in numbers
                ]
        field = {
            "field": "anderePartijIdentificator",
            "value": value,
            "rule": "M17",
            "because": "nummers die geen eigen identificator krijgen",
            "from": found,
        }
        return {"group": "andere nummers", "rule": "M17", "fields": [field], "given_by": by, "others": []}

    def _of_contact(self, held: HeldDocument, slot: why.Slot, raws: Sequence[HeldRaw]) -> dict[str, Any]:
        """The fields of a klantcontact and what was made with it: from the contact, its zaak and one rol.

        From a contactmoment: that, and what ties it to the klant or zaak that the document is about. The klantcontact
        itself is as vertrouwelijk as the most confidential of its zaken. An onderwerpobject that only a
        zaakcontactmoment gives comes from that alone.
        """
        by = list(raws)
        if held.kind == "klantcontact":
            by += self._most_confidential([raw for raw in raws if raw.kind == "contactmoment"])
        held_raws = {raw.kind: raw for raw in by}
        # A klant that took part in both ways is belanghebbende (M40).
        for raw in by:
            if raw.kind == "klantcontactmoment" and raw.body and raw.body.get("rol") == "belanghebbende":
                held_raws[raw.kind] = raw
        contact = held_raws.get("klantcontact")
        moment = held_raws.get("contactmoment")
        tie = held_raws.get("objectcontactmoment") or held_raws.get("zaakcontactmoment")
        if contact is not None and tie is not None:
            own = self.uuids.derive("onderwerpobject", str(contact.uuid), str(contact.zaak))
            contact = contact if held.uuid == own else None
        about = contact or tie
        zaak = None
        if about is not None and about.zaak is not None:
            zaak = store.zaak(self.connection, about.source_row, about.zaak)
        if zaak is not None and zaak.body:
            held_raws["zaak"] = zaak
            by.append(zaak)
        given: dict[str, list[dict[str, Any]]] = {}
        says: why.Fields = {}
        from_zaak = contact is not None and contact.body and "zaak" in held_raws
        makes, by_what = why.contact_maker, contact if from_zaak else None
        if moment is not None and moment.body:
            makes, by_what = why.moment_maker, moment
        elif contact is None and tie is not None and tie.body:
            makes, by_what = why.subject_maker, tie
        if by_what is not None:
            objects = {kind: raw.body for kind, raw in held_raws.items() if raw.body}
            maker = makes(by_what.source, self.uuids, self.settings)
            says = maker(objects).get(slot, {})
            given = {
                field: [_given(held_raws[item.field.partition(".")[0]], objects, item) for item in items]
                for field, items in why.given(slot, objects, maker).items()
            }
        return {
            "group": REST,
            "fields": _fields(slot[0] if says else "", why.flat(held.body), given),
            "given_by": [source_of(raw) for raw in by],
            "others": [],
            "says": says,
        }

    def _most_confidential(self, moments: Sequence[HeldRaw]) -> list[HeldRaw]:
        """Of these contactmomenten, what ties it to the zaak that decides whether it is vertrouwelijk (M28, M40)."""
        order = VERTROUWELIJKHEIDAANDUIDINGEN
        found: list[tuple[int, HeldRaw]] = []
        for moment in moments:
            for row in ties.ties_of(self.connection, moment.source_row, [moment.uuid.bytes]):
                tie = store.raw(self.connection, row.raw)
                zaak = store.zaak(self.connection, tie.source_row, tie.zaak) if tie.zaak else None
                if zaak is not None and zaak.body and zaak.state == TRANSLATED:
                    found.append((order.index(zaak.body["vertrouwelijkheidaanduiding"]), tie))
        return [max(found, key=lambda each: each[0])[1]] if found else []

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


def _candidates(
    name: str,
    kind: str,
    fields: why.Fields,
    served: why.Fields,
    alone: Sequence[tuple[SharedClaim, why.Fields]],
) -> list[tuple[SharedClaim, why.Fields]]:
    """Who fills a group, and with what: first the one that gave it.

    In: the name of the group, the kind of the document, the group's fields and all fields as served, and what each
    says alone, newest first.
    """
    if name == "naam" and kind != origins.CONTACTPERSOON:
        # Whichever rol is newer, an afwijkende naam gives way to every other (M12).
        alone = sorted(alone, key=lambda each: each[0].claim.afwijkend)
    candidates = [
        (each, {field: own.get(field) for field in fields})
        for each, own in alone
        # Of several klantnummers the party has one, of whichever klant (M41).
        if _fills(kind, own, fields) and (name != KLANTNUMMER or own.get("nummer") == fields["nummer"])
    ]
    # A value that no rol fills by itself (an actor named by its number) is still the newest one's.
    by_number = kind == "actor" and fields.get("naam") == served["actoridentificator.objectId"]
    if not candidates or (by_number and candidates[0][0].claim.afwijkend):
        nothing = alone[:1] if any(map(why.says, fields.values())) else []
        candidates = [(each, {}) for each, _ in nothing] + candidates
    return candidates


def _fills(kind: str, own: why.Fields, group: why.Fields) -> bool:
    """Does a rol, alone, give this group anything?"""
    if kind == "actor" and set(group) == {"naam"}:
        return own.get("naam", "") not in ("", "onbekend", own.get("actoridentificator.objectId"))
    return any(own.get(field) for field in group)


def _fields(kind: str, fields: why.Fields, given: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Each field with its value, rule and origin."""
    shown = []
    for field, value in fields.items():
        origins = given.get(field, [])
        rule, because = why.settled(kind, field, value) or ("", "")
        if origins:
            rule, because = origins[0]["rule"], ""
        elif not value and value is not False:
            because = because or "de bron geeft hier niets"
        shown.append({"field": field, "value": value, "rule": rule, "because": because, "from": origins})
    return shown


def _given(raw: HeldRaw, objects: why.Objects, item: why.Given) -> dict[str, Any]:
    kind, _, path = item.field.partition(".")
    return {
        "kind": kind,
        "uuid": str(raw.uuid),
        "field": path,
        "rule": item.rule,
        "value": why.legacy_value(objects, item.field),
    }


def of_rollen(held: HeldDocument) -> bool:
    """Do rollen (and klanten) give it together, as they do a party or actor? Also when a client deleted what it was
    made with."""
    return held.owner_kind in ("partij", "actor") or (
        held.kind in GROUPS and held.owner_kind != "klantcontact"
    )


def named(kind: str, uuid: UUID) -> dict[str, str]:
    """A document: its kind, uuid and path."""
    return {"kind": kind, "uuid": str(uuid), "path": f"{BASE_PATH}/{BY_KIND[kind].path}/{uuid}"}


def source_of(raw: HeldRaw, moment: int | None = None) -> dict[str, Any]:
    """A legacy object: its source, kind and uuid, and its registratiedatum when that is given."""
    named = {"source": raw.source, "kind": raw.kind, "uuid": str(raw.uuid)}
    return named | ({"registered": moment_of(moment)} if moment is not None else {})


def _story(held: HeldDocument, count: int) -> str:
    if not held.local:
        return f"Gemaakt uit de bron, van {count} bronobject(en)."
    story = f"Door een client geschreven op {local(held.created)}."
    if held.uuid.version == 8:  # only derived uuids have this version (M9)
        story = "De bron geeft dit niet meer; het bleef staan voor wat clients ernaar verwijzen (M20)."
    return story
