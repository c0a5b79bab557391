"""Contacts that clients wrote: as klantcontacten on zaken (W4), or as contactmomenten with what ties them (W5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.legacy.client import changes
from gateway.legacy.errors import LegacyError, NotFound
from gateway.store.edits import written_back
from gateway.store.edits.written_back import WrittenBack
from gateway.store.legacy.objects import raw_rows
from gateway.store.operation import writeback as queue
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback import reading
from gateway.writeback.reading import ClientContact
from gateway.writeback.sending import SECOND, Parked, SourceSender, refusal
from mappings.writeback import contacts as mapping
from mappings.writeback import told
from mappings.writeback.contacts import Outgoing, Written

# Whether the clock of a source is right to the second is more than we know.
_MARGIN = 2 * SECOND


class Contacts:
    """Tells one source of contacts."""

    def __init__(self, sending: SourceSender, *, without_zaak: bool) -> None:
        """`without_zaak`: the source gets contacts that are about no zaak too."""
        self.sending = sending
        self.without_zaak = without_zaak
        self.number = sending.fetcher.source

    def deliver(self, change: QueuedChange) -> None:
        """Tell the source what became of a contact. Raises Parked, StillUnderWay and LegacyErrors."""
        contact, notes = self._read(change)
        if change.kind == "klantcontacten":
            self._klantcontacten(change, contact, notes)
        elif contact is None:
            self._delete(notes)
        elif notes or self._own_zaken(contact.zaken) or (self.without_zaak and not contact.zaken):
            self._contactmoment(change, contact)
        else:
            self._nowhere(change, contact.zaken)

    def _read(self, change: QueuedChange) -> tuple[ClientContact | None, list[WrittenBack]]:
        with self.sending.read() as connection:
            contact = reading.contact(
                connection, self.number, change.document, self.sending.settings.zaak_codes
            )
            return contact, written_back.of_document(connection, self.number, change.document)

    # As klantcontacten of the Zaken API (W4)

    def _klantcontacten(
        self, change: QueuedChange, contact: ClientContact | None, notes: list[WrittenBack]
    ) -> None:
        sent = {note.step: note for note in notes if note.kind == "klantcontact"}
        own = self._own_zaken(contact.zaken) if contact else []
        if contact and not own and not notes:
            self._nowhere(change, contact.zaken)
        for zaak in own:
            assert contact is not None  # noqa: S101
            note = sent.pop(str(zaak), None)
            if note is None or note.uuid is None:
                made = self._on_zaak(contact, zaak)
                self._tell(change, made)
                note = self.sending.create(
                    "klantcontact", change.document, str(zaak), made.body, self._of_zaak, str(zaak)
                )
            if not self._says(note, contact, zaak):
                self._not_back(change, "klantcontact", "de bron kan een klantcontact niet wijzigen")
        for note in sent.values():
            if note.uuid is None:  # sent without an answer, and not wanted any more
                if not (found := self.sending.find(note, self._of_zaak)):
                    self.sending.remove(note)
                    continue
                self.sending.bind(note, found)
            self._not_back(change, "klantcontact", "de bron kan een klantcontact niet verwijderen")

    def _on_zaak(self, contact: ClientContact, zaak: UUID) -> Outgoing:
        skew = self.sending.client.clock_skew or 0.0
        latest = self.sending.clock() + int(skew * SECOND) - _MARGIN
        url = self.sending.client.url_of("zaak", str(zaak))
        return mapping.klantcontact(
            self._written(contact), zaak, url, latest, self.sending.uuids, self.sending.settings
        )

    def _says(self, note: WrittenBack, contact: ClientContact, zaak: UUID) -> bool:
        """Does the klantcontact say what the client's does? A moment that was in the future then is no difference."""
        wanted = self._on_zaak(contact, zaak).body
        if self.sending.said("klantcontact", wanted) == note.sent:
            return True
        moment = note.asked - _MARGIN
        return contact.moment > moment and self._same_but_moment(note, wanted)

    def _same_but_moment(self, note: WrittenBack, wanted: dict[str, Any]) -> bool:
        if note.uuid is None:
            return False
        shown = self.sending.client.get("klantcontact", str(UUID(bytes=note.uuid)))
        return self.sending.said(
            "klantcontact", wanted | {"datumtijd": shown.get("datumtijd")}
        ) == self.sending.said("klantcontact", shown)

    def _of_zaak(self, note: WrittenBack) -> list[dict[str, Any]]:
        return self.sending.client.all("klantcontact", {"zaak": note.hint})

    # As contactmomenten (W5)

    def _contactmoment(self, change: QueuedChange, contact: ClientContact) -> None:
        sending = self.sending
        made = self._moment(contact)
        self._tell(change, made)
        body = made.body
        note = sending.create(
            "contactmoment", change.document, "", body, self._of_moment, body["registratiedatum"]
        )
        accepted = str(change.message.get("accepted", ""))  # what an operator lets be overwritten
        if accepted or note.sent != sending.said("contactmoment", body):
            self._change(change, note, body, accepted)
        url = sending.client.url_of("contactmoment", str(UUID(bytes=note.uuid or b"")))
        wanted = {("klantcontactmoment", str(klant)) for klant in contact.klanten}
        for klant, rol in contact.klanten.items():
            tie = {"contactmoment": url, "klant": sending.client.url_of("klant", str(klant)), "rol": rol}
            self._tie(change, "klantcontactmoment", str(klant), tie, "klant", {"contactmoment": url})
        ties_zaken = sending.client.can("zaakcontactmoment", "zaak")
        for zaak in self._own_zaken(contact.zaken):
            about = sending.client.url_of("zaak", str(zaak))
            if ties_zaken:
                kind, tie = "zaakcontactmoment", {"zaak": about, "contactmoment": url}
                self._tie(change, kind, str(zaak), tie, "contactmoment", {"zaak": about})
            else:
                kind, tie = (
                    "objectcontactmoment",
                    {"contactmoment": url, "object": about, "objectType": "zaak"},
                )
                self._tie(change, kind, str(zaak), tie, "object", {"contactmoment": url})
            wanted.add((kind, str(zaak)))
        with sending.read() as connection:
            notes = written_back.of_document(connection, self.number, change.document)
        for each in notes:
            if each.kind != "contactmoment" and (each.kind, each.step) not in wanted:
                self._remove_tie(each, url)

    def _of_moment(self, note: WrittenBack) -> list[dict[str, Any]]:
        filters = {"bronorganisatie": self.sending.source.bronorganisatie, "registratiedatum": note.hint}
        return self.sending.client.all("contactmoment", filters)

    def _moment(self, contact: ClientContact) -> Outgoing:
        return mapping.contactmoment(
            self._written(contact), self.sending.source.bronorganisatie, self.sending.settings
        )

    def _change(self, change: QueuedChange, note: WrittenBack, given: dict[str, Any], accepted: str) -> None:
        """Change a contactmoment, unless somebody else did so since it was sent (W9)."""
        sending, uuid = self.sending, str(UUID(bytes=note.uuid or b""))
        try:
            shown = sending.client.get("contactmoment", uuid)
            said = sending.said("contactmoment", shown)
            body = shown | given
            for name in mapping.NOT_ALWAYS:
                if shown.get(name) and name not in given:
                    self._not_back(change, name, "wat niemand meer zegt blijft er staan", "W5")
            wanted = sending.said("contactmoment", body)
            sending.wait_for_older(change, "contactmoment", uuid, wanted)
            if said != wanted:
                ours = said == note.sent or sending.was_sent(change, "contactmoment", uuid, said)
                if not ours and said.hex() != accepted:
                    raise Parked(told.CHANGED, ["contactmoment"], said)
                after = sending.replace(change, "contactmoment", uuid, given, shown, wanted, partial=True)
                said = sending.said("contactmoment", after)
        except NotFound:
            raise Parked("not_found") from None
        except LegacyError as error:
            if changes.unknown(error):
                raise
            raise refusal(error) from None
        if said != sending.said("contactmoment", body):
            raise Parked("not_taken", ["contactmoment"])
        with sending.write() as connection:
            written_back.say(connection, note.id, said, sending.clock())

    def _tie(
        self,
        change: QueuedChange,
        kind: str,
        step: str,
        body: dict[str, str],
        by: str,
        filters: dict[str, str],
    ) -> None:
        """Tie a contactmoment; among the ties that the filters give it is the one with the same object in `by`."""

        def look(_note: WrittenBack) -> list[dict[str, Any]]:
            found = self.sending.client.all(kind, filters)
            return [each for each in found if _ends(each.get(by)) == _ends(body[by])]

        self.sending.create(kind, change.document, step, body, look)

    def _remove_tie(self, note: WrittenBack, url: str) -> None:
        if note.uuid is None:  # sent without an answer, and not wanted any more
            filters = {"zaak": self.sending.client.url_of("zaak", note.step)}
            if note.kind != "zaakcontactmoment":
                filters = {"contactmoment": url}
            for each in self.sending.client.all(note.kind, filters):
                named = (_ends(each.get(field)) for field in ("zaak", "klant", "object"))
                if note.step in named and _ends(each.get("contactmoment")) == _ends(url):
                    self.sending.delete(note.kind, _ends(each["url"]))
        self.sending.remove(note)

    def _delete(self, notes: list[WrittenBack]) -> None:
        """Have a contactmoment gone with what ties it, the tie to a zaak first: a source keeps what a zaak knows."""
        moment = next((note for note in notes if note.kind == "contactmoment"), None)
        if moment is not None and moment.uuid is None:
            if found := self.sending.find(moment, self._of_moment):
                moment = self.sending.bind(moment, found)
            else:
                self.sending.must_be_settled(moment)
        url = ""
        if moment is not None and moment.uuid is not None:
            url = self.sending.client.url_of("contactmoment", str(UUID(bytes=moment.uuid)))
        for note in sorted(notes, key=lambda note: note.kind == "contactmoment"):
            if note.kind != "contactmoment":
                self._remove_tie(note, url)
        if moment is not None:
            self.sending.remove(moment)

    # Of both

    def _written(self, contact: ClientContact) -> Written:
        vorig = ""
        with self.sending.read() as connection:
            for each in contact.vorige:
                held = reading.moment_at_source(connection, self.number, each)
                if held is not None and self.sending.client.has_api("contactmomenten"):
                    vorig = vorig or self.sending.client.url_of("contactmoment", str(UUID(bytes=held)))
        return Written(contact.uuid, contact.body, contact.moment, contact.initiator, contact.actor, vorig)

    def _own_zaken(self, zaken: list[UUID]) -> list[UUID]:
        """Those of these zaken that are the source's; one that is not held it is asked for."""
        found = []
        for zaak in zaken:
            with self.sending.read() as connection:
                held = raw_rows(connection, self.number, "zaak", [zaak.bytes])
            if not held:
                try:
                    self.sending.client.get("zaak", str(zaak))
                except NotFound:
                    continue
                except LegacyError as error:
                    raise refusal(error) from None
            found.append(zaak)
        return found

    def _nowhere(self, change: QueuedChange, zaken: list[UUID]) -> None:
        """Tell of a contact that this source is not sent, when no other one is either: its zaak is none of theirs."""
        with self.sending.read() as connection:
            told_elsewhere = written_back.all_of_document(connection, change.document)
            waits = queue.of_document(connection, change.document)
        if zaken and not told_elsewhere and all(each.id == change.id for each in waits):
            rule = "W4" if change.kind == "klantcontacten" else "W5"
            self._not_back(change, "zaak", "geen bron kent de zaak", rule)

    def _tell(self, change: QueuedChange, made: Outgoing) -> None:
        if made.findings:
            with self.sending.write() as connection:
                queue.tell(connection, self.number, change.document, made.findings)

    def _not_back(self, change: QueuedChange, field: str, why: str, rule: str = "W4") -> None:
        with self.sending.write() as connection:
            queue.tell(connection, self.number, change.document, [told.not_back(rule, field, why)])


def _ends(url: object) -> str:
    return str(url).rstrip("/").rpartition("/")[2].lower()
