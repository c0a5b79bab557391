"""What legacy objects became, by their uuid: for who knows them by what they were. Call inside `Store.read()`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import KIND, RAW_KIND, TRANSLATED
from gateway.store.base.session import Session
from gateway.store.legacy.ties import partijen_of
from gateway.store.operation.sources import held_source, source_state


def became(connection: Session, source: str, kind: str, uuids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The documents that these objects of a source are here: of a klant its partij, of others their klantcontact.

    In: the name of the source, the kind (klant, klantcontact or contactmoment). Out: by uuid that of the document, for
    those that have one now; not for what is left out (M34) or what a client deleted.
    """
    number = held_source(connection, source)
    if number is None:
        return {}
    asked = sorted({uuid.bytes for uuid in uuids})
    if kind == "klant":
        held = partijen_of(connection, number, asked)
        return {
            UUID(bytes=uuid): UUID(bytes=partij)
            for uuid, (_, _, partij, row) in held.items()
            if partij is not None and row is not None
        }
    found: dict[UUID, UUID] = {}
    for marks, part in in_parts(asked):
        rows = connection.all(
            "SELECT r.uuid, d.uuid FROM raw r JOIN document d ON d.uuid = r.uuid AND d.kind = ?"
            f" WHERE r.source = ? AND r.kind = ? AND r.state = ? AND r.uuid IN ({marks})",
            (KIND["klantcontact"], number, RAW_KIND[kind], TRANSLATED, *part),
        )
        found |= {UUID(bytes=uuid): UUID(bytes=document) for uuid, document in rows}
    return found


def parties_by_url(connection: Session, urls: Iterable[str]) -> dict[str, UUID]:
    """The partijen that rollen name by these URLs; not for a URL that turned out to be of several (M6)."""
    found: dict[str, set[bytes]] = defaultdict(set)
    for url in urls:
        rows = connection.all(
            "SELECT DISTINCT d.uuid FROM identity i JOIN claim_key k ON k.identity = i.id"
            " JOIN statement s ON s.id = k.statement JOIN document d ON d.id = s.document AND d.kind = ?"
            " WHERE i.key = ?",
            (KIND["partij"], f"url:{url}"),
        )
        found[url].update(row[0] for row in rows)
    return {url: UUID(bytes=min(uuids)) for url, uuids in found.items() if len(uuids) == 1}


def covered(connection: Session, source: str) -> bool:
    """Was all that a source shows read once? Then what is not held is not there."""
    number = held_source(connection, source)
    return number is not None and source_state(connection, number)[1] > 0
