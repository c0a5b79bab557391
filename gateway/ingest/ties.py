"""What ties a contactmoment of an earlier standard to klanten, zaken and another one (M32, M34)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gateway.store.base.kinds import GONE, LEFT_OUT, TRANSLATED, UNREADABLE
from gateway.store.base.session import Session
from gateway.store.legacy import ties
from mappings.model.ties import Tie
from mappings.model.translated import Translated
from mappings.standards import KINDS, in_order
from mappings.standards.declaration import Decides

# What ties a contactmoment to a klant or zaak.
TIES = tuple(kind.name for kind in in_order() if kind.ties)
# These tie something; a contactmoment by the klant and the earlier one that it names itself.
TYING = frozenset(kind.name for kind in KINDS.values() if kind.tie)


def tie_of(kind: str, uuid: bytes, translated: Translated) -> Tie | None:
    """What a readable object ties; None when it ties nothing that is known."""
    tie = KINDS[kind].tie
    return tie(uuid, translated.facts) if tie else None


def decided_by_ties(kind: str) -> bool:
    """Does what ties it to zaken decide on an object of this kind (M34)?"""
    return KINDS[kind].decides is Decides.ITS_TIES


def states_by_ties(connection: Session, source: int, contacts: Collection[bytes]) -> dict[bytes, int | None]:
    """The strictest state of the zaken that contactmomenten are tied to; None when one is not known yet (M34).

    Without a zaak it is TRANSLATED: nothing makes it confidential. A zaak that can't be judged, because it is refused
    or gone, hides it: its text may tell of that zaak.
    """
    held = ties.states_of_zaken(connection, source, contacts)
    return {contact: _strictest(held.get(contact, set())) for contact in contacts}


def _strictest(states: set[int | None]) -> int | None:
    if LEFT_OUT in states:
        return LEFT_OUT
    if states & {UNREADABLE, GONE}:
        return UNREADABLE
    return TRANSLATED if states <= {TRANSLATED} else None


def deciding_state(
    kind: str,
    uuid: bytes,
    zaak: bytes | None,
    states: Mapping[bytes, int],
    by_ties: Mapping[bytes, int | None],
) -> int | None:
    """The state of the zaak or zaken that decide on an object; None when one is not known yet (M34).

    In: the zaak that the object names, the `states` of zaken by their uuid, and those `by_ties` of the objects on which
    those decide. What no zaak decides on is as free as what hangs on a readable one.
    """
    decides = KINDS[kind].decides
    if decides is Decides.NOTHING or (decides is Decides.ITS_ZAAK_IF_ANY and zaak is None):
        return TRANSLATED
    if decides is Decides.ITS_TIES:
        return by_ties[uuid]
    return states.get(zaak) if zaak else None
