"""What a klantcontact, and what was made with it, came from: the contact, its zaak, one rol, what ties it to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.operator.explain.fields import REST, given_by, shown_fields, source_of
from gateway.store.base.kinds import TRANSLATED
from gateway.store.base.session import Session
from gateway.store.inspect import explaining as store
from gateway.store.inspect.explaining import HeldDocument, HeldRaw
from gateway.store.legacy import ties
from mappings.explain import why
from mappings.identity.identity import Uuids
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Settings


class ContactGroups:
    """The fields of documents that a contact gives, within one read of the store."""

    def __init__(self, connection: Session, settings: Settings, uuids: Uuids) -> None:
        self.connection = connection
        self.settings = settings
        self.uuids = uuids

    def of_contact(self, held: HeldDocument, slot: why.Slot, raws: Sequence[HeldRaw]) -> dict[str, Any]:
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
                field: [given_by(held_raws[item.field.partition(".")[0]], objects, item) for item in items]
                for field, items in why.given(slot, objects, maker).items()
            }
        return {
            "group": REST,
            "fields": shown_fields(slot[0] if says else "", why.flat(held.body), given),
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
