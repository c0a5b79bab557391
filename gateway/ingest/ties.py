"""What ties a contactmoment of an earlier standard to klanten, zaken and another one (M32, M34)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from uuid import UUID

from gateway.store.base.kinds import GONE, LEFT_OUT, TRANSLATED, UNREADABLE
from gateway.store.legacy import ties
from gateway.store.legacy.ties import Tie
from mappings.identity.urls import wijst_naar
from mappings.rules.contactmomenten import onbekend_contactmoment, zaak_of
from mappings.translate import Translated

# What ties a contactmoment to a klant or zaak.
TIES = ("klantcontactmoment", "objectcontactmoment", "zaakcontactmoment")
# These tie something; a contactmoment by the klant and the earlier one that it names itself.
TYING = (*TIES, "contactmoment")
# No zaak decides on these. On a contactmoment decide all the zaken that it is tied to.
FREE = ("klant", "klantcontactmoment")


def point(translated: Translated, addresses: Mapping[str, str]) -> None:
    """Note in a zaakcontactmoment where its contactmoment is: in this source, here, or (a finding) elsewhere (M32).

    In: the translated object and the base addresses that are known, by name.
    """
    _, contact = wijst_naar(translated.facts["contactmoment"], addresses)
    translated.facts["contact"] = str(contact or "")
    if contact is None:
        translated.findings = [onbekend_contactmoment()]


def tie_of(kind: str, uuid: bytes, translated: Translated) -> Tie | None:
    """What a readable object of TYING ties; None when it ties nothing that is known."""
    facts = translated.facts
    if kind == "contactmoment":
        return Tie(uuid, klant=_bytes(facts["klant"]), vorig=_bytes(facts["vorig"]))
    if kind == "klantcontactmoment":
        return Tie(UUID(facts["contactmoment"]).bytes, klant=_bytes(facts["klant"]))
    if kind == "objectcontactmoment":
        return Tie(UUID(facts["contactmoment"]).bytes, zaak=_bytes(zaak_of(facts)))
    contact = _bytes(facts["contact"])
    return Tie(contact, zaak=_bytes(facts["zaak"])) if contact else None


def state_of_zaken(connection: sqlite3.Connection, source: int, contact: bytes) -> int | None:
    """The strictest state of the zaken that a contactmoment is tied to; None when one is not known yet (M34).

    Without a zaak it is TRANSLATED: nothing makes it confidential. A zaak that can't be judged, because it is refused
    or gone, hides it: its text may tell of that zaak.
    """
    states = set(ties.states_of_zaken(connection, source, contact).values())
    if LEFT_OUT in states:
        return LEFT_OUT
    if states & {UNREADABLE, GONE}:
        return UNREADABLE
    return TRANSLATED if states <= {TRANSLATED} else None


def _bytes(uuid: str) -> bytes | None:
    return UUID(uuid).bytes if uuid else None
