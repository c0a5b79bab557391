"""What write-back made at a source and the source now shows: it is a client's document already (W3).

It is not held as an object of the source and makes no document; neither does what ties a contactmoment of that sort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.base.clock import now
from gateway.ingest.incoming import Incoming
from gateway.store.base.session import Session
from gateway.store.edits import written_back
from gateway.store.edits.written_back import WrittenBack
from gateway.store.operation import writeback as queue
from mappings.identity.identity import Uuids
from mappings.values.uuids import uuid_bytes_in
from mappings.writeback import told
from mappings.writeback.recognising import CONTACTS, key_digest, natural_key, said_digest

TYING = ("klantcontactmoment", "objectcontactmoment", "zaakcontactmoment")


def recognised(
    connection: Session, source: int, kind: str, objects: Sequence[Incoming], uuids: Uuids, asked: int = 0
) -> set[bytes]:
    """The uuids of those of these objects that write-back made, or that tie one that it made.

    One that was sent, and of which nobody knew whether it was done, is known from here on. `asked` is when they were
    asked for, 0 for just now: what was told since then they do not show yet. In a write transaction.
    """
    ours = known(connection, source, kind, objects)
    found = set(ours)
    for item in objects if ours else ():
        note = ours.get(item.uuid)
        if note is not None and asked and note.done is not None and note.done >= asked:
            continue
        if note is not None and not says_what_was_sent(note, kind, item.raw, uuids):
            _changed_there(connection, source, note, said_digest(uuids, kind, item.raw))
    if kind not in (*CONTACTS, "klant") or not written_back.any_at(connection, source):
        return found
    waiting = written_back.unknown(connection, source, kind)
    for item in objects if waiting else ():
        if item.uuid in found:
            continue
        key = key_digest(uuids, kind, natural_key(kind, item.raw))
        sent = said_digest(uuids, kind, item.raw)
        note = chosen(waiting.get(key, ()), sent)
        if note is not None:
            written_back.bind(connection, note.id, item.uuid, sent, now())
            waiting[key].remove(note)
            found.add(item.uuid)
    # A klant says more than the client's partij did: it is held, and makes that partij.
    return set() if kind == "klant" else found


def _changed_there(connection: Session, source: int, note: WrittenBack, said: bytes) -> None:
    """Somebody changed at the source what write-back made there: that waits for an operator (W9), unless the client's
    own next change is on its way, which finds it out."""
    if note.kind == "contactmoment" and not queue.of_document(connection, note.document):
        moment = now()
        queue.put(connection, source, "contactmomenten", note.document, "", {"shown": said.hex()}, moment)
        (change,) = queue.of_document(connection, note.document)
        queue.park(connection, change, moment, told.CHANGED, "contactmoment")
        queue.tell(connection, source, note.document, [told.changed("W9", "contactmomenten")])


def known(
    connection: Session, source: int, kind: str, objects: Sequence[Incoming]
) -> Mapping[bytes, WrittenBack | None]:
    """Those of these objects that are known to be made by write-back, by uuid; None for a tie of one."""
    if kind not in (*CONTACTS, *TYING) or not written_back.any_at(connection, source):
        return {}
    if kind in CONTACTS:
        return dict(written_back.bound(connection, source, kind, [item.uuid for item in objects]))
    contacts = {item.uuid: uuid_bytes_in(item.raw.get("contactmoment")) for item in objects}
    made = written_back.bound(
        connection, source, "contactmoment", [each for each in contacts.values() if each]
    )
    return {uuid: None for uuid, contact in contacts.items() if contact in made}


def says_what_was_sent(note: WrittenBack | None, kind: str, raw: Mapping[str, Any], uuids: Uuids) -> bool:
    """Does an object that write-back made say what was sent (W14)? What ties one says no more than that it is there."""
    return note is None or note.sent == said_digest(uuids, kind, raw)


def chosen(notes: Sequence[WrittenBack], sent: bytes) -> WrittenBack | None:
    """Which of what was sent with one natural key an object is: what says the same, else the only one."""
    alike = next((note for note in notes if note.sent == sent), None)
    return alike or (notes[0] if len(notes) == 1 else None)
