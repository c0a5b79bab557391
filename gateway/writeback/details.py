"""E-mail addresses and telephone numbers that clients wrote: in the klant of their partij (W6), on rollen (W7).

Only where the source still has the value that the client replaced (W9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from gateway.legacy.errors import LegacyError, NotFound
from gateway.store.edits import written_back
from gateway.store.legacy import client_sources
from gateway.store.operation import writeback as queue
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback import reading
from gateway.writeback.sending import Parked, SourceSender, refusal
from mappings.writeback import told
from mappings.writeback.klanten import FIELDS, holds, is_own, klant, value_in
from mappings.writeback.recognising import value_digest

# What a rol has that is not for us to send.
_NOT_SENT: Final = (
    "url",
    "uuid",
    "omschrijving",
    "omschrijvingGeneriek",
    "registratiedatum",
    "statussen",
    "_expand",
)


class Details:
    """Tells one source of contact details and new klanten."""

    def __init__(self, sending: SourceSender, website: str) -> None:
        """`website` is what a new klant gets as its own: the standard wants one."""
        self.sending = sending
        self.website = website
        self.number = sending.fetcher.source

    # In a klant

    def in_klant(self, change: QueuedChange) -> Mapping[str, Any]:
        """Give a klant the standard address of its partij. Out: the message of a write that came meanwhile."""
        uuid, _, soort = change.part.partition(" ")
        field = FIELDS[soort]
        with self.sending.read() as connection:
            adres = reading.standard_address(connection, change.document, soort)
        if adres is None and not change.message.get("deleted"):
            self._overtaken(change, uuid, soort)
            return change.message  # what clients wrote is not the standard one
        wanted = adres.body["adres"] if adres else ""
        try:
            shown = self.sending.client.get("klant", uuid)
        except NotFound:
            raise Parked("not_found") from None
        if holds(soort, shown.get(field), wanted):
            self.sending.wait_for_older(change, "klant", uuid, self._digest(soort, wanted))
            self.sending.take("klant", uuid)
            return {"base": self._digest(soort, wanted).hex()}
        digest = self._digest(soort, str(shown.get(field) or ""))
        accepted = digest.hex() == change.message.get("accepted")
        if adres is None and not accepted and self._stays(change, soort, shown.get(field)):
            self.sending.take("klant", uuid)
            self._overtaken(change, uuid, soort)
            return change.message
        ours = self.sending.was_sent(change, "klant", uuid, digest)
        if digest.hex() != change.message["base"] and not accepted and not ours:
            raise Parked(told.CHANGED, [f"klant.{field}"], digest)
        if adres:
            self._note("klantgegeven", adres.uuid, change.part, uuid, soort, wanted)
        after = self.sending.replace(
            change, "klant", uuid, {field: wanted}, shown, self._digest(soort, wanted), partial=True
        )
        if not holds(soort, after.get(field), wanted):
            raise Parked("not_taken", [f"klant.{field}"])
        if adres is None or self._is_held(
            adres.uuid
        ):  # else it would be read back as an address of the source
            self.sending.take("klant", uuid)
        return {"base": self._digest(soort, wanted).hex()}

    def _stays(self, change: QueuedChange, soort: str, shown: object) -> bool:
        """Is what a klant shows no address that a client deleted: one that the partij still has, or none at all?"""
        if not value_in(soort, shown):
            return True
        with self.sending.read() as connection:
            held = reading.addresses(connection, change.document)
        return any(
            each.body["soortDigitaalAdres"] == soort and holds(soort, shown, each.body["adres"])
            for each in held
        )

    def _is_held(self, adres: UUID) -> bool:
        with self.sending.read() as connection:
            return reading.address(connection, adres.bytes) is not None

    def _overtaken(self, change: QueuedChange, uuid: str, soort: str) -> None:
        """When the source has another value by now and was read since, the client's address went with the old one."""
        with self.sending.read() as connection:
            held = client_sources.held_object(connection, self.number, "klant", UUID(uuid).bytes) or {}
        if self._digest(soort, str(held.get(FIELDS[soort]) or "")).hex() != change.message["base"]:
            with self.sending.write() as connection:
                queue.tell(
                    connection, self.number, change.document, [told.changed("W9", f"klant.{FIELDS[soort]}")]
                )

    # A new klant

    def new_klant(self, change: QueuedChange) -> None:
        """Make a klant of a partij that a client made, unless the source has one."""
        body = self._klant_of(change)
        if body is None:
            return
        with self.sending.read() as connection:
            adressen = reading.addresses(connection, change.document)
        for adres in adressen:
            field = FIELDS.get(adres.body["soortDigitaalAdres"], "")
            if field and body.get(field) == adres.body["adres"]:
                soort = adres.body["soortDigitaalAdres"]
                self._note("klantgegeven", adres.uuid, f"nieuw {soort}", None, soort, adres.body["adres"])
        filters = {key: body[key] for key in ("bronorganisatie", "klantnummer")}
        note = self.sending.create(
            "klant", change.document, "", body, lambda note: self.sending.client.all("klant", filters)
        )
        self.sending.take("klant", str(UUID(bytes=note.uuid or b"")))
        with self.sending.write() as connection:
            for contact in reading.contacts_of_partij(connection, change.document):
                queue.put(
                    connection, self.number, "contactmomenten", contact, "", {}, self.sending.clock()
                ) if "contactmomenten" in self.sending.source.write_back else None

    def _klant_of(self, change: QueuedChange) -> dict[str, Any] | None:
        with self.sending.read() as connection:
            partij = reading.partij(connection, self.number, change.document)
        if partij is None or partij.klanten:
            return None
        return klant(
            partij.body,
            partij.uuid,
            partij.identificatoren,
            partij.details,
            self.sending.source.bronorganisatie,
            self.website,
            self.sending.uuids,
        )

    # On rollen

    def on_rollen(self, change: QueuedChange) -> Mapping[str, Any]:
        """Put a changed address on the rollen that had the one before. Out: as `in_klant`."""
        soort, base = change.message["soort"], change.message["base"]
        with self.sending.read() as connection:
            adres = reading.address(connection, change.document)
            partij = reading.partij(connection, self.number, bytes.fromhex(change.message["partij"]))
            own = adres and partij and reading.is_address_of(connection, adres, partij.uuid)
        if partij is None:
            return change.message  # it was deleted here, and stays there as it is (W8)
        wanted = adres.body["adres"] if adres and own and adres.body["soortDigitaalAdres"] == soort else ""
        if not self.sending.client.version().open_zaak:
            self._not_back(change, "de bron kan een rol niet wijzigen")
            return change.message
        for uuid in change.message["rollen"]:
            why = self._on_rol(change, uuid, soort, base, wanted, partij.body)
            if why:
                self._not_back(change, why)
        return {**change.message, "base": self._digest(soort, wanted).hex()}

    def _on_rol(
        self,
        change: QueuedChange,
        uuid: str,
        soort: str,
        base: str,
        wanted: str,
        partij: Mapping[str, Any],
    ) -> str:
        """Out: why a rol was left alone, blank when it has the value now."""
        client, field = self.sending.client, FIELDS[soort]
        try:
            rol = client.get("rol", uuid)
            zaak = client.get("zaak", str(rol.get("zaak", "")).rpartition("/")[2])
        except NotFound:
            return "de rol of haar zaak is er niet meer"
        except LegacyError as error:
            raise refusal(error) from None
        persoon = rol.get("contactpersoonRol") or {}
        if holds(soort, persoon.get(field), wanted):
            self.sending.wait_for_older(change, "rol", uuid, self._digest(soort, wanted))
            self.sending.take("rol", uuid)
            return ""
        if zaak.get("einddatum"):
            return "de zaak is gesloten"
        if not is_own(str(persoon.get("naam") or ""), partij):
            return "de contactpersoon is een ander"
        held = value_in(soort, persoon.get(field))
        shown = self._digest(soort, held)
        if not held or (shown.hex() != base and not self.sending.was_sent(change, "rol", uuid, shown)):
            return told.CHANGED
        if bool(rol.get("betrokkene")) == bool(rol.get("betrokkeneIdentificatie")):
            return "de rol heeft een betrokkene en een identificatie, of geen van beide"
        body = {name: value for name, value in rol.items() if name not in _NOT_SENT}
        body["contactpersoonRol"] = {**persoon, field: wanted}
        if wanted:
            adres = UUID(bytes=change.document)
            self._note("rolgegeven", adres, f"{uuid} {soort}", uuid, soort, wanted)
        after = self.sending.replace(
            change, "rol", uuid, body, rol, self._digest(soort, wanted), partial=False
        )
        expected = {**rol, "contactpersoonRol": body["contactpersoonRol"]}
        if {**after, "_expand": None} != {**expected, "_expand": None}:
            raise Parked("not_taken", [f"contactpersoonRol.{field}"])
        self.sending.take("rol", uuid)
        return ""

    # Of all

    def _digest(self, soort: str, value: str) -> bytes:
        return value_digest(self.sending.uuids, soort, value)

    def _note(self, kind: str, adres: UUID, step: str, at: str | None, soort: str, value: str) -> None:
        """What the source is about to be given is the client's address, whoever sees it there first."""
        sent, moment = self._digest(soort, value), self.sending.clock()
        with self.sending.write() as connection:
            note = written_back.begin(
                connection, self.number, kind, adres.bytes, step, "", None, sent, moment
            )
            if at is not None:
                written_back.bind(connection, note.id, UUID(at).bytes, sent, moment)
            else:
                written_back.say(connection, note.id, sent, moment)

    def _not_back(self, change: QueuedChange, why: str) -> None:
        rule = "W9" if why == told.CHANGED else "W7"
        finding = told.changed(rule, "rol") if rule == "W9" else told.not_back(rule, "rol", why)
        with self.sending.write() as connection:
            queue.tell(connection, self.number, change.document, [finding])
