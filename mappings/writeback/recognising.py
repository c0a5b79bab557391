"""How an object that write-back made is known again at its source: its natural key, and what it says (W2, W3, W14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.values.uuids import uuid_in

# The kinds that write-back makes and that would become a klantcontact: those that it made do not (W3).
CONTACTS: Final = ("klantcontact", "contactmoment")
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IDENTIFICATIE: Final = 12
_KLANTNUMMER: Final = 8
_SECOND: Final = 1_000_000
# The fields that say what an object is, by kind; of a medewerker and a zaak what tells who or which it is.
_SAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "klantcontact": ("zaak", "identificatie", "datumtijd", "kanaal", "onderwerp", "toelichting"),
    "contactmoment": (
        *("bronorganisatie", "registratiedatum", "kanaal", "tekst", "voorkeurstaal", "initiatiefnemer"),
        *("vorigContactmoment", "medewerkerIdentificatie"),
    ),
    "klant": ("bronorganisatie", "klantnummer"),
}
_MOMENTS: Final = ("datumtijd", "registratiedatum")
_URLS: Final = ("zaak", "vorigContactmoment")


def identificatie_of(uuids: Uuids, contact: UUID, zaak: UUID) -> str:
    """The identificatie of the klantcontact that a client's contact becomes on a zaak (W4)."""
    return _spelled(uuids.derive_bytes("terug klantcontact", str(contact), str(zaak)), _IDENTIFICATIE)


def klantnummer_of(uuids: Uuids, partij: UUID) -> str:
    """The klantnummer of the klant that a client's partij becomes (W6)."""
    return _spelled(uuids.derive_bytes("terug klant", str(partij)), _KLANTNUMMER)


def registratiedatum_of(moment: int, contact: UUID) -> int:
    """The registratiedatum (microseconds) of the contactmoment that a contact of that moment becomes (W2).

    A moment in whole seconds gets microseconds of the contact's own: by those it is found again.
    """
    return moment if moment % _SECOND else moment + 1 + contact.int % (_SECOND - 1)


def natural_key(kind: str, raw: Mapping[str, Any]) -> str:
    """What tells an object of a kind from all others of its source, before its address is known; "" for nothing."""
    if kind == "klantcontact":
        return _text(raw.get("identificatie"))
    if kind == "contactmoment":
        return f"{_text(raw.get('bronorganisatie'))}|{_moment(raw.get('registratiedatum'))}"
    return f"{_text(raw.get('bronorganisatie'))}|{_text(raw.get('klantnummer'))}"


def key_digest(uuids: Uuids, kind: str, natural: str) -> bytes:
    """A natural key as it is kept."""
    return uuids.derive_bytes("terug sleutel", kind, natural)


def said_digest(uuids: Uuids, kind: str, raw: Mapping[str, Any]) -> bytes:
    """What an object says, as it is kept and compared: whatever host its URLs have and however moments are written."""
    said = [f"{name}={_plain(name, raw.get(name))}" for name in _SAYS[kind]]
    return uuids.derive_bytes("terug inhoud", kind, *said)


def value_digest(uuids: Uuids, soort: str, value: str) -> bytes:
    """A telephone number or e-mail address as it travels with a message (W9)."""
    return uuids.derive_bytes("terug waarde", soort, value.strip())


def _plain(name: str, value: Any) -> str:
    if name in _MOMENTS:
        return str(_moment(value))
    if name in _URLS:
        return str(uuid_in(value) or "")
    if isinstance(value, Mapping):
        return "|".join(_text(value.get(inner)) for inner in ("identificatie", "achternaam"))
    return _text(value)


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


def _moment(value: Any) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)


def _spelled(value: bytes, length: int) -> str:
    number, letters = int.from_bytes(value, "big"), ""
    for _ in range(length):
        number, place = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[place]
    return letters
