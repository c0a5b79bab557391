"""What is known of an identity key: its party, its zaken, its rollen.

A plus before a column keeps SQLite from walking all objects of a source by an index on that column.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import RAW_KIND, RELATION
from gateway.store.base.session import Session
from gateway.store.documents.lookup import with_value
from gateway.store.legacy.claims import Zaak, connected

# A key that is of nobody but whom a client deleted can't be asked for (see sealed_claims.py).
READABLE = "i.key NOT LIKE 'dicht:%'"


def identity_rows(connection: Session, keys: Iterable[str]) -> set[int]:
    """The rows of the keys that are held."""
    found = set()
    for key in keys:
        row = connection.one("SELECT id FROM identity WHERE key = ?", (key,))
        if row:
            found.add(row[0])
    return found


def key_is_held(connection: Session, key: str) -> bool:
    """Does a document, of the legacy or of a client, have this number, or this identificatie of an actor (M5, M17)?

    In: a key of a BSN, RSIN, KVK number, vestigingsnummer, or of an actor (whatever its source).
    """
    kind, field = (
        ("actor", "actoridentificator.objectId")
        if key.startswith("actor:")
        else ("partij-identificator", "partijIdentificator.objectId")
    )
    value = key.split("|", 2)[2] if kind == "actor" else key.split(":", 2)[2]
    return bool(with_value(connection, kind, field, value))


def keys_of_document(connection: Session, document: int) -> list[str]:
    """The identity keys of the statements that made a partij or actor."""
    return [
        row[0]
        for row in connection.all(
            "SELECT DISTINCT i.key FROM statement s JOIN claim_key k ON k.statement = s.id"
            " JOIN identity i ON i.id = k.identity WHERE s.document = ? ORDER BY i.key",
            (document,),
        )
    ]


def numbers_of_partij(connection: Session, partij: int) -> list[tuple[str, str]]:
    """The numbers that a partij is identified by, whoever wrote them: soort and number."""
    return connection.all(
        "SELECT d.body ->> '$.partijIdentificator.codeSoortObjectId', d.body ->> '$.partijIdentificator.objectId'"
        " FROM link l JOIN document d ON d.id = l.source WHERE l.target = ? AND l.relation = ? ORDER BY d.uuid",
        (partij, RELATION["partij-identificator.identificeerdePartij"]),
    )


def keys_of_statements(connection: Session, statements: Iterable[int]) -> list[str]:
    """The identity keys of these statements (rows)."""
    rows = connection.all(
        "SELECT DISTINCT i.key FROM claim_key k JOIN identity i ON i.id = k.identity"
        f" WHERE k.statement {IN_IDS} AND {READABLE} ORDER BY i.key",
        (id_list(statements),),
    )
    return [row[0] for row in rows]


def connected_keys(connection: Session, key: str) -> list[tuple[str, str]]:
    """The keys that hang together with `key`, each with the name of a source that gave it."""
    statements = connected(connection, identity_rows(connection, [key]))
    return connection.all(
        "SELECT i.key, min(s.name) FROM claim_key k JOIN identity i ON i.id = k.identity"
        " JOIN source s ON s.id = (SELECT r.source FROM claim c JOIN raw r ON r.id = c.raw"
        " WHERE c.statement = k.statement LIMIT 1)"
        f" WHERE k.statement {IN_IDS} AND {READABLE} GROUP BY i.key ORDER BY i.key",
        (id_list(statements),),
    )


def zaken_of_party(connection: Session, source: int, key: str) -> list[bytes]:
    """The zaken in which the party of `key` has a rol itself, newest rol first."""
    statements = connected(connection, identity_rows(connection, [key]))
    return [
        row[0]
        for row in connection.all(
            "SELECT r.zaak FROM claim c JOIN raw r ON r.id = c.raw"
            f" WHERE c.statement {IN_IDS} AND c.facet = 'zelf' AND +r.source = ? AND r.zaak IS NOT NULL"
            " GROUP BY r.zaak ORDER BY max(c.moment) DESC, r.zaak",
            (id_list(statements), source),
        )
    ]


def keys_of_zaak(connection: Session, source: int, zaak: bytes) -> list[tuple[str, list[str]]]:
    """The betrokkenen of a zaak: the facts of each rol and its keys."""
    found: dict[int, tuple[str, list[str]]] = {}
    for raw, facts, key in connection.all(
        "SELECT r.id, r.facts, i.key FROM raw r JOIN claim c ON c.raw = r.id AND c.facet = 'zelf'"
        " JOIN claim_key k ON k.statement = c.statement JOIN identity i ON i.id = k.identity"
        f" WHERE r.source = ? AND r.zaak = ? AND r.kind = ? AND {READABLE}",
        (source, zaak, RAW_KIND["rol"]),
    ):
        found.setdefault(raw, (facts, []))[1].append(key)
    return list(found.values())


def unseen_of_key(connection: Session, source: int, kind: str, key: str, moment: int) -> list[bytes]:
    """Held objects of a kind with this key that no answer showed since `moment`."""
    return [
        row[0]
        for row in connection.all(
            "SELECT DISTINCT r.uuid FROM identity i JOIN claim_key k ON k.identity = i.id"
            " JOIN claim c ON c.statement = k.statement JOIN raw r ON r.id = c.raw"
            " WHERE i.key = ? AND +r.source = ? AND +r.kind = ? AND +r.last_seen < ? AND r.visible = 1"
            # No question about a key shows the rollen that only name it as represented.
            " AND c.facet != 'vertegenwoordigde'",
            (key, source, RAW_KIND[kind], moment),
        )
    ]


def identities_to_merge(connection: Session, owners: Iterable[bytes]) -> set[int]:
    """The keys of statements that are part of no document, or of one of these (uuids)."""
    keys = connection.all(
        "SELECT DISTINCT k.identity FROM statement s JOIN claim_key k ON k.statement = s.id"
        " WHERE s.document IS NULL"
    )
    found = {row[0] for row in keys}
    for owner in owners:
        keys = connection.all(
            "SELECT DISTINCT k.identity FROM statement s JOIN claim_key k ON k.statement = s.id WHERE s.document ="
            " coalesce((SELECT id FROM document WHERE uuid = ?1), (SELECT document FROM alias WHERE uuid = ?1))",
            (owner,),
        )
        found |= {row[0] for row in keys}
    return found


def moments_of_contacts(connection: Session, contacts: Iterable[bytes]) -> set[tuple[int, bytes]]:
    """The contactmomenten (source, uuid) among these uuids of klantcontacten."""
    found: set[tuple[int, bytes]] = set()
    for marks, some in in_parts(contacts):
        found.update(
            connection.all(
                "SELECT source, uuid FROM raw WHERE source IN (SELECT id FROM source) AND kind = ?"
                f" AND uuid IN ({marks})",
                (RAW_KIND["contactmoment"], *some),
            )
        )
    return found


def zaken_of_contacts(connection: Session, contacts: Iterable[bytes]) -> set[Zaak]:
    """The zaken of the legacy klantcontacten among these uuids."""
    found: set[Zaak] = set()
    for marks, some in in_parts(contacts):
        found.update(
            connection.all(
                "SELECT source, zaak FROM raw WHERE source IN (SELECT id FROM source) AND kind = ?"
                f" AND uuid IN ({marks}) AND zaak IS NOT NULL",
                (RAW_KIND["klantcontact"], *some),
            )
        )
    return found
