"""A legacy object on its way in: what it is, what it becomes, how it is kept. Nothing here touches the store.

Made before the transaction of its batch begins, which is kept short by that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.base.clock import today
from gateway.store.base.compression import pack
from gateway.store.base.kinds import GONE, LEFT_OUT, NO_PARTY, QUARANTINED, TRANSLATED, UNREADABLE, WAITING
from mappings.identity.identity import Uuids, sealed
from mappings.incoming.unreadable import Unreadable, unreadable
from mappings.model.findings import Untranslatable
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.rules.klantcontacten import too_confidential
from mappings.rules.rollen import Claim
from mappings.standards import KINDS
from mappings.translate import translate
from mappings.untranslated import named_in
from mappings.values.uuids import uuid_bytes_in


@dataclass(slots=True)
class Incoming:
    """A legacy object on its way in; `translated` and `body` are made outside the transaction."""

    kind: str
    uuid: bytes
    zaak: bytes | None
    raw: dict[str, Any]
    text: bytes
    digest: bytes
    translated: Translated | Untranslatable | None = None
    body: bytes = b""


class Translator:
    """The rules of one `[mapping]`, and what else the translation depends on (M1)."""

    def __init__(self, settings: Settings, uuid_secret: str) -> None:
        self.settings = settings
        self.uuids = Uuids(uuid_secret)
        # By source, the addresses that the contactmoment of a zaakcontactmoment may lie under, by name (M32).
        self.addresses: dict[str, dict[str, str]] = {}
        self.today = today  # the day is an input of the translation (M1, M26)

    def prepare(self, source: str, item: Incoming) -> Translated | Untranslatable:
        """Translate and compress one object, once."""
        if not item.body:
            item.body = pack(item.text)
        return self.translate(source, item)

    def translate(self, source: str, item: Incoming) -> Translated | Untranslatable:
        """Translate one object, once."""
        if item.translated is None:
            try:
                item.translated = translate(item.kind, item.raw, source, self.settings)
                if point := KINDS[item.kind].point:
                    point(item.translated, self.addresses.get(source, {}))
            except Untranslatable as error:
                item.translated = error
        return item.translated

    def keys_in(self, source: str, item: Incoming) -> tuple[set[bytes], bool]:
        """The keyed hashes of the keys that occur in an object, with the contactmomenten that it names; and are those
        all? For what is not translated (M3)."""
        named = named_in(item.kind, item.raw, source, self.settings)
        hashes = {sealed(self.uuids, key) for key in named.keys}
        return hashes | {contact.bytes for contact in named.contacts}, named.whole

    def emptied_digest(self, digest: bytes) -> bytes:
        """The digest that is kept of an emptied object: who lacks the secret can't try out what was in it."""
        return self.uuids.derive_bytes("inhoud", digest.hex())

    def is_unchanged(self, item: Incoming, digest: bytes | None, *, emptied: bool) -> bool:
        """Is an object just as it came before? In: the digest that is kept of it."""
        return digest == (self.emptied_digest(item.digest) if emptied else item.digest)


def incoming(kind: str, raw: dict[str, Any]) -> Incoming:
    """An object of a kind, as the legacy gave it; one without a uuid is known by what it says."""
    if "_expand" in raw:
        raw = {name: value for name, value in raw.items() if name != "_expand"}
    try:
        text = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # it can be read, but not written: nested too deep
        raw = unreadable(raw, Unreadable.DEPTH)
        text = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    return from_stored(kind, raw, text, digest_of_text(text))


def from_stored(kind: str, raw: dict[str, Any], text: bytes, digest: bytes) -> Incoming:
    """An object of which the text as it is kept, and the digest of that, are known already."""
    uuid = uuid_bytes_in(raw.get("uuid")) or uuid_bytes_in(raw.get("url"))
    return Incoming(kind, uuid or digest, zaak_in(kind, uuid, raw), raw, text, digest)


def digest_of_text(text: bytes) -> bytes:
    """The digest by which a change of an object is seen."""
    return hashlib.blake2b(text, digest_size=16).digest()


def zaak_in(kind: str, uuid: bytes | None, raw: dict[str, Any]) -> bytes | None:
    """The zaak of a legacy object that is known by this uuid; of a zaak it is that zaak itself."""
    if kind == "zaak":
        return uuid
    return uuid_bytes_in(KINDS[kind].zaak_in(raw))


def body_of(claim: Claim) -> str:
    """A claim as its statement is kept."""
    return orjson.dumps(claim.body(), option=orjson.OPT_SORT_KEYS).decode()


def state_of(kind: str, translated: Translated | Untranslatable, zaak: int | None, settings: Settings) -> int:
    """What becomes of an object (see kinds.py); `zaak` is the state of its zaak, None when that is not held (M34)."""
    if kind == "zaak":
        if isinstance(translated, Untranslatable):
            return QUARANTINED
        aanduiding = translated.facts["vertrouwelijkheidaanduiding"]
        secret = too_confidential(aanduiding, settings.max_vertrouwelijkheidaanduiding)
        return LEFT_OUT if secret else TRANSLATED
    if zaak == LEFT_OUT:
        return LEFT_OUT
    if isinstance(translated, Untranslatable):
        return QUARANTINED
    if zaak in (UNREADABLE, GONE):
        return UNREADABLE
    if zaak != TRANSLATED:
        return WAITING
    return NO_PARTY if kind == "rol" and not translated.claims else TRANSLATED
