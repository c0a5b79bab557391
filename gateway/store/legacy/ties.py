"""How the objects of the earlier standards hang together: which klanten, zaken and earlier contactmomenten a
contactmoment is tied to. Call inside `Store.write()`, questions inside `Store.read()`.

A tie holds uuids only, so it may stay of what is left out (M34). A contactmoment has a tie of its own, for the klant
and the earlier contactmoment that it names itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, LOCAL_ORIGIN, RAW_KIND, TRANSLATED
from gateway.store.base.searched_fields import FIELD_NUMBER, kept_value
from gateway.store.base.session import Session
from mappings.model.ties import Tie

Moment = tuple[int, bytes]  # source and uuid of a contactmoment, as in claims.Zaak


@dataclass(frozen=True, slots=True)
class TieRow:
    """A tie as it is held, with the legacy object that it came from."""

    contact: bytes
    klant: bytes | None
    zaak: bytes | None
    vorig: bytes | None
    raw: int
    uuid: bytes
    kind: int
    facts: str


def put_ties(connection: Session, source: int, ties: Mapping[int, Tie | None]) -> None:
    """Write what legacy objects (rows) tie together; None: nothing."""
    connection.many("DELETE FROM tie WHERE raw = ?", [(raw,) for raw in ties])
    connection.many(
        "INSERT INTO tie (raw, source, contact, klant, zaak, vorig) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (raw, source, tie.contact, tie.klant, tie.zaak, tie.vorig)
            for raw, tie in ties.items()
            if tie is not None
        ],
    )


def ties_by(connection: Session, raws: Iterable[int]) -> dict[int, Tie]:
    """What these objects (rows) tie together."""
    rows = connection.all(
        f"SELECT raw, contact, klant, zaak, vorig FROM tie WHERE raw {IN_IDS}", (id_list(raws),)
    )
    return {row[0]: Tie(*row[1:]) for row in rows}


def moments_of_raws(connection: Session, raws: Iterable[int]) -> set[Moment]:
    """The contactmomenten that these legacy objects (rows) tie."""
    return set(connection.all(f"SELECT source, contact FROM tie WHERE raw {IN_IDS}", (id_list(raws),)))


def moments_of(connection: Session, source: int, column: str, uuids: Iterable[bytes]) -> set[Moment]:
    """The contactmomenten that are tied to these klanten, zaken or earlier ones: `column` says which."""
    if column not in ("klant", "zaak", "vorig"):
        raise ValueError(column)
    found = set[Moment]()
    for marks, some in in_parts(uuids):
        found.update(
            connection.all(
                f"SELECT source, contact FROM tie WHERE source = ? AND {column} IN ({marks})", (source, *some)
            )
        )
    return found


def moments_of_statements(connection: Session, statements: Iterable[int]) -> set[Moment]:
    """The contactmomenten whose klant or medewerker these statements are about."""
    ids = id_list(statements)
    found = set(
        connection.all(
            "SELECT t.source, t.contact FROM claim c JOIN raw r ON r.id = c.raw"
            " JOIN tie t ON t.source = r.source AND t.klant = r.uuid"
            f" WHERE c.statement {IN_IDS} AND +r.kind = ?",
            (ids, RAW_KIND["klant"]),
        )
    )
    found.update(
        connection.all(
            "SELECT r.source, r.uuid FROM claim c JOIN raw r ON r.id = c.raw"
            f" WHERE c.statement {IN_IDS} AND +r.kind = ?",
            (ids, RAW_KIND["contactmoment"]),
        )
    )
    return found


def states_of_zaken(
    connection: Session, source: int, contacts: Iterable[bytes]
) -> dict[bytes, set[int | None]]:
    """The states of the zaken that contactmomenten are tied to; None of a zaak that is not held."""
    found: dict[bytes, set[int | None]] = {}
    for marks, some in in_parts(contacts):
        for contact, zaak, state in connection.all(
            "SELECT t.contact, t.zaak, z.state FROM tie t LEFT JOIN raw z"
            f" ON z.source = t.source AND z.kind = {RAW_KIND['zaak']} AND z.uuid = t.zaak"
            f" WHERE t.source = ? AND t.contact IN ({marks})",
            (source, *some),
        ):
            if zaak is not None:
                found.setdefault(contact, set()).add(state)
    return found


def ties_of(connection: Session, source: int, contacts: Sequence[bytes]) -> list[TieRow]:
    """The readable ties of these contactmomenten, in an order that is not that of arrival."""
    rows = connection.all(
        "SELECT t.contact, t.klant, t.zaak, t.vorig, r.id, r.uuid, r.kind, r.facts FROM tie t"
        " JOIN raw r ON r.id = t.raw"
        f" WHERE t.source = ? AND t.contact {_marks(contacts)} AND r.state = ? ORDER BY t.contact, r.kind, r.uuid",
        (source, *contacts, TRANSLATED),
    )
    return [TieRow(*row) for row in rows]


def partijen_of(
    connection: Session, source: int, uuids: Sequence[bytes]
) -> dict[bytes, tuple[int, str, bytes | None, int | None]]:
    """What klanten became: by uuid its row, facts, and document (uuid, row; no row when a client deleted it)."""
    rows = connection.all(
        "SELECT r.uuid, r.id, r.facts, coalesce(d.uuid, h.uuid), d.id FROM raw r"
        " JOIN claim c ON c.raw = r.id AND c.facet = 'zelf' JOIN statement s ON s.id = c.statement"
        " LEFT JOIN document d ON d.id = s.document"
        " LEFT JOIN hidden h ON s.document IS NULL AND h.statement = s.id"
        f" WHERE r.source = ? AND r.kind = ? AND r.uuid {_marks(uuids)} AND r.state = ?",
        (source, RAW_KIND["klant"], *uuids, TRANSLATED),
    )
    return {row[0]: row[1:] for row in rows}


def actors_of(
    connection: Session, source: int, contacts: Sequence[bytes]
) -> dict[bytes, dict[str, tuple[bytes, int | None]]]:
    """The actors (uuid, row; no row when a client deleted it) that these contactmomenten name, by contactmoment and
    facet."""
    found: dict[bytes, dict[str, tuple[bytes, int | None]]] = {}
    for contact, facet, uuid, row in connection.all(
        "SELECT r.uuid, c.facet, coalesce(d.uuid, h.uuid), d.id FROM raw r JOIN claim c ON c.raw = r.id"
        " JOIN statement s ON s.id = c.statement LEFT JOIN document d ON d.id = s.document"
        " LEFT JOIN hidden h ON s.document IS NULL AND h.statement = s.id"
        f" WHERE r.source = ? AND r.kind = ? AND r.uuid {_marks(contacts)} AND r.state = ?"
        " AND coalesce(d.uuid, h.uuid) IS NOT NULL",
        (source, RAW_KIND["contactmoment"], *contacts, TRANSLATED),
    ):
        found.setdefault(contact, {})[facet] = (uuid, row)
    return found


def legacy_contacts(connection: Session, uuids: Sequence[bytes]) -> set[int]:
    """The rows of the klantcontacten among these that contactmomenten gave, whether those are still held or not.

    One of the Zaken API is not of them: a zaakcontactmoment may point at it too (M32).
    """
    rows = connection.all(
        f"SELECT id FROM document d WHERE uuid {_marks(uuids)} AND +kind = ? AND +origin = ? AND NOT EXISTS (SELECT 1"
        " FROM raw r WHERE r.source IN (SELECT id FROM source) AND r.kind = ? AND r.uuid = d.uuid)",
        (*uuids, KIND["klantcontact"], LEGACY_ORIGIN, RAW_KIND["klantcontact"]),
    )
    return {row[0] for row in rows}


def subjects_of(connection: Session, contacts: Iterable[bytes]) -> list[tuple[bytes, bytes, int, bytes]]:
    """The readable zaken that readable ties of any source say these klantcontacten are about: contact and zaak, and the
    row and uuid of the object that says so."""
    found: list[tuple[bytes, bytes, int, bytes]] = []
    for marks, some in in_parts(contacts):
        found += connection.all(
            "SELECT t.contact, t.zaak, r.id, r.uuid FROM tie t JOIN raw r ON r.id = t.raw"
            f" JOIN raw z ON z.source = t.source AND z.kind = {RAW_KIND['zaak']} AND z.uuid = t.zaak"
            f" WHERE t.source IN (SELECT id FROM source) AND t.contact IN ({marks})"
            f" AND r.state = {TRANSLATED} AND z.state = {TRANSLATED}",
            some,
        )
    return found


def local_contacts(connection: Session, uuids: Sequence[bytes]) -> dict[bytes, int]:
    """The klantcontacten among these that a client made: uuid and moment."""
    return dict(
        connection.all(
            f"SELECT uuid, moment FROM document WHERE uuid {_marks(uuids)} AND +kind = ? AND +origin = ?",
            (*uuids, KIND["klantcontact"], LOCAL_ORIGIN),
        )
    )


def subjects_made_of(connection: Session, raws: Iterable[int]) -> set[int]:
    """The rows of the onderwerpobjecten that were made of these legacy objects (rows)."""
    rows = connection.all(
        f"SELECT d.id FROM made_of_raw m JOIN document d ON d.id = m.document WHERE m.raw {IN_IDS} AND d.kind = ?",
        (id_list(raws), KIND["onderwerpobject"]),
    )
    return {row[0] for row in rows}


def klanten_of_keys(connection: Session, source: int, statements: Iterable[int]) -> list[bytes]:
    """The klanten of a source that make these statements."""
    rows = connection.all(
        "SELECT DISTINCT r.uuid FROM claim c JOIN raw r ON r.id = c.raw"
        f" WHERE c.statement {IN_IDS} AND +r.source = ? AND +r.kind = ? ORDER BY r.uuid",
        (id_list(statements), source, RAW_KIND["klant"]),
    )
    return [row[0] for row in rows]


def klanten_of_moment(connection: Session, source: int, contact: bytes) -> list[bytes]:
    """The klanten that a contactmoment is tied to."""
    rows = connection.all(
        "SELECT DISTINCT klant FROM tie WHERE source = ? AND contact = ? AND klant IS NOT NULL ORDER BY klant",
        (source, contact),
    )
    return [row[0] for row in rows]


def vorige_of_moment(connection: Session, source: int, contact: bytes) -> bytes | None:
    """The earlier contactmoment that a contactmoment names."""
    row = connection.one(
        "SELECT vorig FROM tie WHERE source = ? AND contact = ? AND vorig IS NOT NULL", (source, contact)
    )
    return row[0] if row else None


def unseen_ties(
    connection: Session, source: int, of: str, uuid: bytes, moment: int
) -> list[tuple[int, bytes]]:
    """Ties of a contactmoment, klant or zaak that no answer showed since `moment`: kind (number) and uuid."""
    column = {"contactmoment": "contact", "klant": "klant", "zaak": "zaak"}[of]
    return connection.all(
        f"SELECT r.kind, r.uuid FROM tie t JOIN raw r ON r.id = t.raw WHERE t.source = ? AND t.{column} = ?"
        " AND r.kind != ? AND r.last_seen < ? AND r.visible = 1 ORDER BY r.kind, r.uuid",
        (source, uuid, RAW_KIND["contactmoment"], moment),
    )


def keys_of_klant(connection: Session, source: int, klant: bytes) -> list[str]:
    """The identity keys of a klant."""
    rows = connection.all(
        "SELECT i.key FROM raw r JOIN claim c ON c.raw = r.id AND c.facet = 'zelf'"
        " JOIN claim_key k ON k.statement = c.statement JOIN identity i ON i.id = k.identity"
        " WHERE r.source = ? AND r.kind = ? AND r.uuid = ? AND i.key NOT LIKE 'dicht:%'",
        (source, RAW_KIND["klant"], klant),
    )
    return [row[0] for row in rows]


def lost_before(connection: Session, source: int, contacts: Sequence[bytes]) -> set[bytes]:
    """The contactmomenten that came before these, one before another, as long as their klantcontact is not there."""
    rows = connection.all(
        "WITH RECURSIVE lost(contact) AS ("
        f"SELECT vorig FROM tie WHERE source = ? AND contact {_marks(contacts)} AND vorig IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM document WHERE uuid = vorig)"
        " UNION SELECT t.vorig FROM lost JOIN tie t ON t.source = ? AND t.contact = lost.contact"
        " WHERE t.vorig IS NOT NULL AND NOT EXISTS (SELECT 1 FROM document WHERE uuid = t.vorig))"
        " SELECT contact FROM lost",
        (source, *contacts, source),
    )
    return {row[0] for row in rows}


def is_moment(connection: Session, uuid: bytes) -> bool:
    """Is a contactmoment of this uuid held?"""
    query = "SELECT 1 FROM raw WHERE kind = ? AND uuid = ? AND source IN (SELECT id FROM source)"
    return connection.one(query, (RAW_KIND["contactmoment"], uuid)) is not None


# The numbers of klanten (M41)


def numbers_of_raws(connection: Session, raws: Iterable[int]) -> set[str]:
    """The klantnummers in what these legacy objects (rows) say."""
    rows = connection.all(
        "SELECT s.body ->> '$.m' FROM claim c JOIN statement s ON s.id = c.statement"
        f" WHERE c.raw {IN_IDS} AND s.body ->> '$.m' IS NOT NULL",
        (id_list(raws),),
    )
    return {row[0] for row in rows}


def identities_of_numbers(connection: Session, numbers: Iterable[str]) -> set[int]:
    """The keys (rows) of the klanten that have one of these numbers."""
    wanted = sorted(numbers)
    if not wanted:
        return set()
    statements = connection.all(
        "SELECT id FROM statement s"
        " WHERE s.body ->> '$.m' IN (SELECT value FROM json_each(?)) AND s.body ->> '$.m' IS NOT NULL",
        (wanted,),
    )
    rows = connection.all(
        f"SELECT identity FROM claim_key WHERE statement {IN_IDS}", (id_list(row for (row,) in statements),)
    )
    return {row[0] for row in rows}


def numbers_of_clients(connection: Session, numbers: Iterable[str]) -> set[str]:
    """Which of these numbers clients gave to a partij of their own."""
    sought = {kept_value(number): number for number in numbers}
    held = connection.all(
        "SELECT n.value, v.document FROM json_each(CAST(? AS text)) n"
        f" CROSS JOIN field_value v ON v.field = {FIELD_NUMBER['partij', 'nummer']} AND v.value = n.value",
        (sorted(sought),),
    )
    if not held:
        return set()
    rows = connection.all(
        f"SELECT d.id FROM document d WHERE d.id {IN_IDS} AND (d.origin = ? OR EXISTS ("
        "SELECT 1 FROM local l WHERE (l.uuid = d.uuid OR l.uuid IN (SELECT uuid FROM alias WHERE document = d.id))"
        " AND l.part = 'nummer' AND l.value ->> '$.nummer' IS NOT NULL))",
        (id_list(document for _, document in held), LOCAL_ORIGIN),
    )
    theirs = {row[0] for row in rows}
    return {sought[value] for value, document in held if document in theirs}


def _marks(uuids: Sequence[bytes]) -> str:
    """The place of these uuids as bound values (at most some thousands)."""
    return f"IN ({','.join('?' * len(uuids)) or 'NULL'})"
