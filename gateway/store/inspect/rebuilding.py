"""What a rebuild asks of the store: held objects a piece at a time, and what documents were made with.

Writes go inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_bytes

from gateway.config.store import StoreSettings
from gateway.store import chosen
from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.base.kinds import BY_STATE, RAW_KIND, RAW_KINDS, TRANSLATED
from gateway.store.base.session import Session
from gateway.store.indexes import spans, tallies
from gateway.store.inspect import comparing
from gateway.store.legacy.claims import SAID, Zaak

LOST_AT_ONCE = 5000
LEFT_AT_ONCE = 100
_HELD = f"SELECT 1 FROM raw WHERE source = s.id AND {BY_STATE}"


# Held objects


@dataclass(slots=True)
class HeldContent:
    """A held legacy object with its content."""

    id: int
    source: int
    kind: str
    uuid: bytes
    digest: bytes | None
    body: bytes


def sources(connection: Session) -> dict[int, str]:
    """The sources that objects are held of: row to name."""
    return dict(connection.all(f"SELECT id, name FROM source s WHERE EXISTS ({_HELD}) ORDER BY name"))


def extent(connection: Session, source: int | None) -> tuple[int, int]:
    """The last row of the held objects (of one source), and how many there are."""
    where, values = ("WHERE source = ?", (source,)) if source else ("", ())
    last, count = connection.one(f"SELECT max(id), count(*) FROM raw {where}", values)
    return last or 0, count


def piece(connection: Session, source: int | None, after: int, until: int, limit: int) -> list[HeldContent]:
    """Objects with content (of one source) from row `after` up to and with `until`, in the order of their rows."""
    where, values = (" AND +source = ?", (source,)) if source else ("", ())
    rows = connection.all(
        "SELECT id, source, kind, uuid, digest, body FROM raw"
        f" WHERE id > ? AND id <= ? AND body IS NOT NULL{where} ORDER BY id LIMIT ?",
        (after, until, *values, limit),
    )
    return [HeldContent(row[0], row[1], RAW_KINDS[row[2] - 1], *row[3:]) for row in rows]


def without_facts(connection: Session, source: int | None) -> list[int]:
    """Some of the objects (of one source; rows) that count as translated while what others need of them was lost."""
    rows = connection.all(
        "SELECT id FROM raw WHERE (source = ?1 OR ?1 IS NULL) AND state = ?2 AND facts IS NULL LIMIT ?3",
        (source, TRANSLATED, LOST_AT_ONCE),
    )
    return [row[0] for row in rows]


# A claim as the store has it: facet, moment, who says it; and of its statement a digest of what is said, body and keys.
Said = tuple[str, int, bytes, bytes, str, str]


def one_text(keys: Iterable[str]) -> str:
    """Keys as `Said` has them."""
    return "\n".join(sorted(set("\n".join(keys).split("\n"))))


def said(connection: Session, raws: Iterable[int]) -> dict[int, set[Said]]:
    """What these objects (rows) say."""
    claims = connection.all(
        f"SELECT c.raw, c.statement, c.facet, c.moment, c.rol, {SAID}, s.body"
        f" FROM claim c JOIN statement s ON s.id = c.statement WHERE c.raw {IN_IDS}",
        (id_list(raws),),
    )
    keys: dict[int, list[str]] = {statement: [] for _, statement, *_ in claims}
    for statement, key in connection.all(
        "SELECT k.statement, i.key FROM claim_key k JOIN identity i ON i.id = k.identity"
        f" WHERE k.statement {IN_IDS}",
        (id_list(keys),),
    ):
        keys[statement].append(key)
    found: dict[int, set[Said]] = {}
    for raw, statement, *said_of in claims:
        found.setdefault(raw, set()).add((*said_of, one_text(keys[statement])))
    return found


def distrust(connection: Session, raw: int, held: Iterable[Said], wanted: Iterable[Said]) -> None:
    """See to it that nobody says any more what a statement of an object (row) lost or had altered: all who did say it
    anew."""
    right = {digest: told for *_, digest, body, keys in wanted for told in [(body, keys)]}
    wrong = [
        (token_bytes(16), raw, digest)
        for *_, digest, body, keys in held
        if digest in right and right[digest] != (body, keys)
    ]
    connection.many(
        "UPDATE statement SET digest = ? WHERE id IN (SELECT s.id FROM claim c"
        f" JOIN statement s ON s.id = c.statement WHERE c.raw = ? AND {SAID} = ?)",
        wrong,
    )


def statements_of(connection: Session, raws: Iterable[int]) -> set[int]:
    """The statements (rows) that these objects (rows) make."""
    rows = connection.all(f"SELECT DISTINCT statement FROM claim WHERE raw {IN_IDS}", (id_list(raws),))
    return {row[0] for row in rows}


def zaken_to_do(connection: Session, raws: Iterable[int]) -> set[Zaak]:
    """The zaken of the klantcontacten among these objects that are the first of their zaak, and of the rollen that
    have a part in representation."""
    rows = connection.all(
        "SELECT DISTINCT r.source, r.zaak FROM raw r WHERE r.id IN (SELECT value FROM json_each(?1))"
        " AND r.zaak IS NOT NULL AND (r.facts ->> '$.machtiging' IS NOT NULL OR (r.kind = ?2 AND NOT EXISTS"
        " (SELECT 1 FROM raw o WHERE o.source = r.source AND o.zaak = r.zaak AND o.kind = r.kind AND o.id < r.id)))",
        (id_list(raws), RAW_KIND["klantcontact"]),
    )
    return set(rows)


@dataclass(slots=True)
class Leftovers:
    """What a rebuild did not come across on its way: rows of `statements` that are part of no document (a client
    deleted it, or it was lost), `zaken` that are noted to give a vertegenwoordiging while none of their rollen takes
    part in one, and rows of documents that come from nothing."""

    statements: list[int]
    zaken: set[Zaak]
    orphans: list[int]


def leftovers(connection: Session, after: int) -> Leftovers | None:
    """Some of what is left; `after` is the last statement (row) that was seen to. None: nothing is."""
    statements = connection.all(
        "SELECT id FROM statement WHERE document IS NULL AND id > ? ORDER BY id LIMIT ?",
        (after, LEFT_AT_ONCE),
    )
    zaken = connection.all(
        "SELECT source, zaak FROM (SELECT source, zaak FROM representation UNION"
        " SELECT source, zaak FROM representation_end) noted WHERE NOT EXISTS (SELECT 1 FROM raw r"
        " WHERE r.source = noted.source AND r.zaak = noted.zaak AND r.facts ->> '$.machtiging' IS NOT NULL)"
        " LIMIT ?",
        (LEFT_AT_ONCE,),
    )
    found = Leftovers([row[0] for row in statements], set(zaken), orphans(connection))
    return found if found.statements or found.zaken or found.orphans else None


def orphans(connection: Session) -> list[int]:
    """Some of the documents (rows) from the legacy that come from no legacy object."""
    return [row for row, _, _ in comparing.orphans(connection, LEFT_AT_ONCE)]


def miscounted(connection: Session) -> bool:
    """Do the counts of lists, or of the status, differ from the rows that are there?"""
    counted = dict(connection.all("SELECT kind, count(*) FROM document GROUP BY kind"))
    kept = {kind: count for kind, count in spans.counts(connection).items() if count}
    return kept != counted or tallies.miscounted(connection)


def count_again(connection: Session) -> None:
    """Count the documents for lists again, and what the status shows."""
    spans.count_again(connection)
    tallies.count_again(connection)


def forget_source_findings(connection: Session, source: int | None) -> None:
    """Forget what was found about sources as a whole: it is found again."""
    connection.run("DELETE FROM source_finding WHERE source = ?1 OR ?1 IS NULL", (source,))


# What documents were made with

_STALE = f"SELECT name FROM source s WHERE mapping IS DISTINCT FROM ? AND EXISTS ({_HELD}) ORDER BY name"


def made_otherwise(connection: Session, fingerprint: str) -> list[str]:
    """The sources of which something is held that was made with another mapping."""
    return [row[0] for row in connection.all(_STALE, (fingerprint,))]


def follow_mapping(connection: Session, fingerprint: str) -> list[str]:
    """Note by which mapping objects are taken from now on; out: the sources that other objects are held of.

    Those count as made with several until they were rebuilt, also when the first mapping comes back.
    """
    stale = made_otherwise(connection, fingerprint)
    for name in stale:
        connection.run("UPDATE source SET mapping = NULL WHERE name = ? AND mapping IS NOT NULL", (name,))
    connection.run(
        "UPDATE source SET mapping = ?1 WHERE mapping IS DISTINCT FROM ?1"
        f" AND NOT EXISTS (SELECT 1 FROM raw WHERE source = source.id AND {BY_STATE})",
        (fingerprint,),
    )
    return stale


def mixed(connection: Session) -> set[str]:
    """The sources of which not all that is held was made with one mapping."""
    rows = connection.all(f"SELECT name FROM source s WHERE mapping IS NULL AND EXISTS ({_HELD})")
    return {row[0] for row in rows}


def made_with(connection: Session, names: Iterable[str], fingerprint: str) -> None:
    """All that is held of these sources was made with this mapping."""
    connection.many("UPDATE source SET mapping = ? WHERE name = ?", [(fingerprint, name) for name in names])


def to_rebuild(store: StoreSettings, fingerprint: str) -> list[str]:
    """The sources in a store that were not made with this mapping alone; it is only looked at.

    One that can't be read, or that an earlier version made, gives nothing.
    """
    try:
        with chosen.looking(store) as connection:
            return made_otherwise(connection, fingerprint)
    except (StoreError, StoreFailed):
        return []
