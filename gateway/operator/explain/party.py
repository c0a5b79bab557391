"""What rollen give together, a party or actor and what hangs on it: each group by the newest rol with it (M18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.operator.explain.fields import MOST, REST, given_by, shown_fields, source_of
from gateway.store.base.session import Session
from gateway.store.inspect import explaining as store
from gateway.store.inspect.explaining import HeldDocument, SharedClaim
from mappings.explain import origins, why
from mappings.identity.identity import Uuids
from mappings.model.settings import Settings

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
KLANTNUMMER = "klantnummer"
AFWIJKEND = "een afwijkende naam telt alleen waar er geen andere is (M12)"
OLDER = "een nieuwere rol ging voor; velden van een groep worden nooit gemengd (M18)"


class PartyGroups:
    """The groups of documents that rollen give together, within one read of the store."""

    def __init__(self, connection: Session, settings: Settings, uuids: Uuids) -> None:
        self.connection = connection
        self.settings = settings
        self.uuids = uuids

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
            shown = shown_fields(slot[0], rest, {})
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
            return {"group": name, "fields": shown_fields(slot[0], fields, {}), "given_by": [], "others": []}
        chosen, own = candidates[0]
        raw = store.raw(self.connection, chosen.raw)
        objects = {raw.kind: raw.body or {}}
        maker = why.party_maker(chosen.claim.facet, raw.source, self.uuids, self.settings, soort)
        traced = why.given(slot, objects, maker) if raw.body else {}
        given = {field: [given_by(raw, objects, item) for item in items] for field, items in traced.items()}
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
            "fields": shown_fields(slot[0], fields, given),
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
                    given_by(raw, objects, why.Given(path, "M17"))
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


def of_rollen(held: HeldDocument) -> bool:
    """Do rollen (and klanten) give it together, as they do a party or actor? Also when a client deleted what it was
    made with."""
    return held.owner_kind in ("partij", "actor") or (
        held.kind in GROUPS and held.owner_kind != "klantcontact"
    )


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
