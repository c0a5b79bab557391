"""Notifications out: the message about a write, as the Notificaties standard has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

LONGEST_KENMERK = 1000


class MessageKanaal(NamedTuple):
    """Where messages about a kind of document go, and which of its fields subscribers can filter on."""

    name: str
    kenmerken: tuple[str, ...]


KANALEN: dict[str, MessageKanaal] = {
    "partij": MessageKanaal("partijen", ("nummer", "interneNotitie", "soortPartij")),
    "klantcontact": MessageKanaal(
        "klantcontacten", ("hoofdOnderwerpType", "indicatieContactGelukt", "verdereActieOndernomen")
    ),
    "internetaak": MessageKanaal("internetaken", ("nummer", "gevraagdeHandeling", "toelichting", "status")),
}
ACTIES = ("create", "update", "partial_update", "destroy")


def message(
    kind: str, action: str, url: str, document: Mapping[str, Any], moment: int
) -> dict[str, Any] | None:
    """The message for one write, or None when this kind of document has no kanaal.

    In: the kind, what was done (one of ACTIES), the address of the document, the document as it is answered (of
    a destroy: as it was), and the time of the write in microseconds UTC. A kenmerk without a value is left out,
    because the standard wants at least one character, and cut at the thousand that it allows. Raises ValueError
    for another action. Source: klantinteracties-behaviour, Notifications; Notificaties API, Notificatie.
    """
    kanaal = KANALEN.get(kind)
    if kanaal is None:
        return None
    if action not in ACTIES:
        raise ValueError("no actie of the standard")
    texts = {name: _text(document.get(name)) for name in kanaal.kenmerken}
    return {
        "kanaal": kanaal.name,
        "hoofdObject": url,
        "resource": kind,
        "resourceUrl": url,
        "actie": action,
        "aanmaakdatum": _moment(moment),
        "kenmerken": {name: text for name, text in texts.items() if text},
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:LONGEST_KENMERK]


def _moment(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    return moment.isoformat().replace("+00:00", "Z")
