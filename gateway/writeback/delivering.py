"""One change of what clients wrote to its source, by its kind: contacts, contact details, klanten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.config.model import Config
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback.contacts import Contacts
from gateway.writeback.details import Details
from gateway.writeback.sending import Parked, SourceSender
from mappings.model.findings import Finding
from mappings.writeback import told

# The standard wants an address of each klant, and nobody has one to give.
NO_WEBSITE = "https://klantbrug.invalid"


class Courier:
    """Tells one source of changes of any kind."""

    def __init__(self, sending: SourceSender, config: Config) -> None:
        self.sending = sending
        self.details = Details(sending, config.gateway.public_url or NO_WEBSITE)
        self.contacts = Contacts(sending, without_zaak=config.writeback.contacts_to == sending.source.name)

    def deliver(self, change: QueuedChange) -> Mapping[str, Any]:
        """Tell the source of a change. Out: the message of a write that came meanwhile.

        Raises Parked, StillUnderWay and LegacyErrors.
        """
        match change.kind:
            case "contactgegevens":
                return self.details.in_klant(change)
            case "rollen":
                return self.details.on_rollen(change)
            case "klanten":
                self.details.new_klant(change)
            case _:
                self.contacts.deliver(change)
        return {}

    def told_of(self, change: QueuedChange, parked: Parked) -> list[Finding]:
        """What an operator is told of a change that waits for him."""
        if parked.cause == told.CHANGED:
            return [told.changed("W9", change.kind)]
        return [told.refused(change.kind, parked.cause)]
