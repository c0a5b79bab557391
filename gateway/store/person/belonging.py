"""What of the store belongs to one person: documents, what is said of it, and the legacy objects that say so.

A person is a partij, or a betrokkene that is no partij's. Call inside `Store.read()` or `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import (
    HIDDEN,
    KIND,
    NO_PARTY,
    ON_DELETE,
    RAW_KIND,
    RAW_KINDS,
    RELATION,
    RELATIONS,
    OnDelete,
)
from gateway.store.base.session import Session
from gateway.store.documents.lookup import IDENTIFICATOR, OBJECT_ID, with_value
from gateway.store.inspect import persons

_PARTIJ, _BETROKKENE, _CONTACT = KIND["partij"], KIND["betrokkene"], KIND["klantcontact"]
_IDENTIFIES = RELATION["partij-identificator.identificeerdePartij"]
_HAD = RELATION["betrokkene.hadKlantcontact"]
_GIVEN_AT, _GIVEN_BY = (
    RELATION["digitaleadres.verstrektDoorBetrokkene"],
    RELATION["digitaleadres.verstrektDoorPartij"],
)
_CONTACTS = (RAW_KIND["klantcontact"], RAW_KIND["contactmoment"])
# What says of a contact who took part in it, or what it was about.
_OF_CONTACTS = (*_CONTACTS, *(RAW_KIND[kind] for kind in RAW_KINDS if kind.endswith("contactmoment")))
_UNCLAIMED = (*sorted(HIDDEN), NO_PARTY)


class Wanted(NamedTuple):
    """Who is meant: by identity keys, as they are held readable and sealed, by the number of a soort, and by uuids."""

    keys: tuple[str, ...] = ()
    soort: str = ""
    number: str = ""
    uuids: frozenset[bytes] = frozenset()


class RawName(NamedTuple):
    """What a legacy object is called: its source (row and name), kind, uuid and zaak."""

    source: int
    source_name: str
    kind: str
    uuid: bytes
    zaak: bytes | None


@dataclass(slots=True)
class Belonging:
    """What belongs to a person, by rows. `shared` are klantcontacten, and `shared_zaken` zaken (legacy objects), in
    which others stand too; `under` are documents of others that a number of this one holds."""

    uuids: set[bytes] = field(default_factory=set)
    partijen: set[int] = field(default_factory=set)
    documents: set[int] = field(default_factory=set)
    statements: set[int] = field(default_factory=set)
    raws: dict[int, RawName] = field(default_factory=dict)
    shared: set[int] = field(default_factory=set)
    shared_zaken: dict[int, RawName] = field(default_factory=dict)
    under: set[int] = field(default_factory=set)

    @property
    def anything(self) -> bool:
        """Is anything held of this person?"""
        return bool(self.documents or self.statements or self.raws)


def find(connection: Session, wanted: Wanted, also: Iterable[int] = ()) -> Belonging:
    """All that belongs to a person. In: who, and legacy objects (rows) that are known to name it."""
    found = Belonging(uuids={*wanted.uuids}, statements=_with_keys(connection, wanted.keys))
    _identify(connection, wanted, found)
    found.documents = {*found.partijen}
    _grow(connection, found)
    _contacts(connection, found)
    rows = _one_column(
        connection, f"SELECT DISTINCT raw FROM claim WHERE statement {IN_IDS}", found.statements
    )
    found.raws = names_of(connection, {*rows, *also, *_unread(connection, found.uuids)})
    _moments(connection, found)
    _zaken(connection, found)
    _addresses(connection, found)
    found.under = _protected(connection, found.documents)
    return found


def names_of(connection: Session, rows: Collection[int]) -> dict[int, RawName]:
    """What these legacy objects (rows) are called."""
    return {
        row: RawName(source, name, RAW_KINDS[kind - 1], uuid, zaak)
        for row, source, name, kind, uuid, zaak in connection.all(
            "SELECT r.id, r.source, s.name, r.kind, r.uuid, r.zaak FROM raw r JOIN source s ON s.id = r.source"
            f" WHERE r.id {IN_IDS}",
            (id_list(rows),),
        )
    }


def unclaimed(connection: Session) -> Iterator[tuple[int, str, str, bytes]]:
    """The objects that no partij was made of, and whose content is held: row, source, kind, and body as it is kept.

    Whom they name is known by reading them only.
    """
    for row, source, kind, body in connection.each(
        "SELECT r.id, s.name, r.kind, r.body FROM raw r JOIN source s ON s.id = r.source"
        f" WHERE r.state IN ({', '.join(map(str, _UNCLAIMED))}) AND r.body IS NOT NULL AND r.kind <> {RAW_KIND['zaak']}"
    ):
        yield row, source, RAW_KINDS[kind - 1], body


def uuids_of(connection: Session, rows: Collection[int]) -> set[bytes]:
    """The uuids of documents (rows), with their other ones."""
    found = _one_column(connection, f"SELECT uuid FROM document WHERE id {IN_IDS}", rows)
    return found | _one_column(connection, f"SELECT uuid FROM alias WHERE document {IN_IDS}", rows)


def _with_keys(connection: Session, keys: Iterable[str]) -> set[int]:
    return _in_parts(
        connection,
        "SELECT k.statement FROM identity i JOIN claim_key k ON k.identity = i.id WHERE i.key IN ({})",
        keys,
    )


def _identify(connection: Session, wanted: Wanted, found: Belonging) -> None:
    """The partijen that are meant, and what is said of them; not what only shares another key with them (M6)."""
    rows: set[int] = set()
    if wanted.number:
        for row in with_value(connection, IDENTIFICATOR, OBJECT_ID, wanted.number):
            rows |= _one_column(
                connection,
                "SELECT l.target FROM link l JOIN document i ON i.id = l.source"
                f" WHERE l.relation = {_IDENTIFIES} AND i.id {IN_IDS}"
                " AND i.body ->> '$.partijIdentificator.codeSoortObjectId' = ?",
                [row],
                wanted.soort,
            )
    while True:
        before = len(rows), len(found.statements), len(found.uuids)
        found.uuids |= persons.all_uuids(connection, found.uuids | uuids_of(connection, rows))
        for question in (
            f"SELECT id FROM document WHERE +kind IN ({_PARTIJ}, {_BETROKKENE}) AND uuid IN ({{}})",
            "SELECT d.id FROM alias a JOIN document d ON d.id = a.document"
            f" WHERE d.kind = {_PARTIJ} AND a.uuid IN ({{}})",
        ):
            rows |= _in_parts(connection, question, found.uuids)
        found.statements |= _one_column(connection, f"SELECT id FROM statement WHERE document {IN_IDS}", rows)
        found.statements |= _in_parts(
            connection, "SELECT statement FROM hidden WHERE uuid IN ({})", found.uuids
        )
        rows |= _one_column(
            connection,
            f"SELECT d.id FROM statement s JOIN document d ON d.id = s.document WHERE d.kind = {_PARTIJ}"
            f" AND s.id {IN_IDS}",
            found.statements,
        )
        found.partijen = rows
        if before == (len(rows), len(found.statements), len(found.uuids)):
            return


def _grow(connection: Session, found: Belonging) -> None:
    """Add the documents that are nothing without those that are there."""
    ahead = {*found.documents}
    while ahead:
        rows = connection.all(f"SELECT source, relation FROM link WHERE target {IN_IDS}", (id_list(ahead),))
        ahead = {
            source for source, relation in rows if ON_DELETE[RELATIONS[relation - 1]] is OnDelete.CASCADE
        } - found.documents
        found.documents |= ahead


def _contacts(connection: Session, found: Belonging, rows: Collection[int] = ()) -> None:
    """Add the klantcontacten of the person, of these (rows) too, in which nobody else stands."""
    had = _one_column(
        connection,
        f"SELECT target FROM link WHERE relation = {_HAD} AND source {IN_IDS}",
        found.documents,
    )
    had |= {*rows}
    others = connection.all(
        f"SELECT target, source FROM link WHERE relation = {_HAD} AND target {IN_IDS}", (id_list(had),)
    )
    found.shared |= {contact for contact, betrokkene in others if betrokkene not in found.documents}
    found.documents |= had - found.shared
    _grow(connection, found)


def _moments(connection: Session, found: Belonging) -> None:
    """Add what ties contacts to the klanten of the person, with the contacts themselves where those are of nobody
    else, and what the person's own contacts were made of."""
    klanten = {(name.source, name.uuid) for name in found.raws.values() if name.kind == "klant"}
    rows = _one_column(
        connection,
        "SELECT m.raw FROM made_of_raw m JOIN document d ON d.id = m.document JOIN raw r ON r.id = m.raw"
        f" WHERE d.kind = {_CONTACT} AND r.kind IN ({', '.join(map(str, _OF_CONTACTS))}) AND d.id {IN_IDS}",
        found.documents,
    )
    contacts: set[tuple[int, bytes]] = set()
    for source, klant in klanten:
        for row, contact in connection.all(
            "SELECT raw, contact FROM tie WHERE source = ? AND klant = ?", (source, klant)
        ):
            rows.add(row)
            contacts.add((source, contact))
    shared = uuids_of(connection, found.shared)
    for source, contact in contacts:
        ties = connection.all(
            "SELECT raw, klant FROM tie WHERE source = ? AND contact = ?", (source, contact)
        )
        if contact not in shared and all(klant is None or (source, klant) in klanten for _, klant in ties):
            rows |= {row for row, _ in ties}
            rows |= _rows_of(connection, source, contact)
    found.raws |= names_of(connection, rows)


def _rows_of(connection: Session, source: int, contact: bytes) -> set[int]:
    return {
        row
        for (row,) in connection.all(
            f"SELECT id FROM raw WHERE source = ? AND kind = {RAW_KIND['contactmoment']} AND uuid = ?",
            (source, contact),
        )
    }


def _zaken(connection: Session, found: Belonging) -> None:
    """Add the zaken in which nobody else has a rol, with all of them, and the klantcontacten of those."""
    zaken = {(each.source, each.zaak) for each in found.raws.values() if each.kind == "rol" and each.zaak}
    whole: dict[int, RawName] = {}
    contacts: set[int] = set()
    for source, zaak in sorted(zaken):
        rows = {
            row
            for (row,) in connection.all(
                "SELECT id FROM raw WHERE source = ? AND zaak = ? AND kind IN"
                f" ({RAW_KIND['rol']}, {RAW_KIND['klantcontact']})",
                (source, zaak),
            )
        }
        itself = connection.all(
            f"SELECT id FROM raw WHERE source = ? AND kind = {RAW_KIND['zaak']} AND uuid = ?", (source, zaak)
        )
        names = names_of(connection, {row for (row,) in itself})
        made = _one_column(
            connection,
            "SELECT m.document FROM made_of_raw m JOIN document d ON d.id = m.document"
            f" WHERE d.kind = {_CONTACT} AND m.raw {IN_IDS}",
            rows,
        )
        if _others_in(connection, rows - found.raws.keys()) or made & found.shared:
            found.shared_zaken |= names
            continue
        whole |= names_of(connection, rows) | names
        contacts |= made
    _contacts(connection, found, contacts)
    found.raws |= whole


def _others_in(connection: Session, rows: set[int]) -> bool:
    """Is there anybody but medewerkers in these objects (rows) of a zaak?"""
    rollen = connection.all(
        "SELECT r.id, i.key FROM raw r LEFT JOIN claim c ON c.raw = r.id"
        " LEFT JOIN claim_key k ON k.statement = c.statement LEFT JOIN identity i ON i.id = k.identity"
        f" WHERE r.kind = {RAW_KIND['rol']} AND r.id {IN_IDS}",
        (id_list(rows),),
    )
    return any(key is None or not key.removeprefix("dicht:").startswith("actor") for _, key in rollen)


def _addresses(connection: Session, found: Belonging) -> None:
    """Add the addresses that were given at the person's contacts, and that are nobody else's."""
    given = _one_column(
        connection,
        f"SELECT source FROM link WHERE relation = {_GIVEN_AT} AND target {IN_IDS}",
        found.documents,
    )
    of_others = connection.all(
        f"SELECT source, target FROM link WHERE relation = {_GIVEN_BY} AND source {IN_IDS}", (id_list(given),)
    )
    found.documents |= given - {row for row, partij in of_others if partij not in found.documents}
    _grow(connection, found)


def _unread(connection: Session, hashes: Iterable[bytes]) -> set[int]:
    """The objects that nobody is shown, and in which one of these keys was seen (M3)."""
    return _in_parts(connection, "SELECT raw FROM unread_key WHERE hash IN ({})", hashes)


def _protected(connection: Session, documents: Collection[int]) -> set[int]:
    rows = connection.all(f"SELECT source, relation FROM link WHERE target {IN_IDS}", (id_list(documents),))
    return {
        source
        for source, relation in rows
        if ON_DELETE[RELATIONS[relation - 1]] is OnDelete.PROTECT and source not in documents
    }


def _one_column(connection: Session, question: str, rows: Iterable[int], *more: Any) -> set[Any]:
    return {value for (value,) in connection.all(question, (id_list(rows), *more))}


def _in_parts(connection: Session, question: str, values: Iterable[Any]) -> set[Any]:
    found: set[Any] = set()
    for marks, some in in_parts(values):
        found |= {value for (value,) in connection.all(question.format(marks), some)}
    return found
