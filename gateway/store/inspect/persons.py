"""Whose data is this? From documents to the partijen that they are about, and to the uuids that are one person's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from gateway.store.base.kinds import KIND, RELATION
from gateway.store.base.session import Session

# From a document to the partij that it is about.
_TO_PARTIJ = (
    "partij-identificator.identificeerdePartij",
    "digitaleadres.verstrektDoorPartij",
    "rekeningnummer.partij",
    "categorie-relatie.partij",
    "vertegenwoordiging.vertegenwoordigendePartij",
    "vertegenwoordiging.vertegenwoordigdePartij",
    "partij.werkteVoorPartij",
)
_TO_BETROKKENE = ("digitaleadres.verstrektDoorBetrokkene",)
_TO_CONTACT = (
    "onderwerpobject.klantcontact",
    "onderwerpobject.wasKlantcontact",
    "bijlage.klantcontact",
    "internetaak.aanleidinggevendKlantcontact",
    "actorklantcontact.klantcontact",
)
# No database takes any number of values in one question.
AT_ONCE = 500
_WAS, _HAD = RELATION["betrokkene.wasPartij"], RELATION["betrokkene.hadKlantcontact"]


def of_betrokkenen(connection: Session, uuids: Collection[bytes]) -> set[bytes]:
    """Who these betrokkenen are: the uuids of their partijen, or their own where no partij is known."""
    found: set[bytes] = set()
    asked = [*uuids]
    for start in range(0, len(asked), AT_ONCE):
        some = asked[start : start + AT_ONCE]
        found |= {uuid for (uuid,) in connection.all(_who_they_are(len(some)), some)}
    return found


@lru_cache(AT_ONCE)
def _who_they_are(many: int) -> str:
    return (
        "SELECT coalesce(p.uuid, b.uuid) FROM document b"
        f" LEFT JOIN link l ON l.source = b.id AND l.relation = {_WAS}"
        f" LEFT JOIN document p ON p.id = l.target WHERE b.uuid IN ({', '.join('?' * many)})"
    )


def of_documents(connection: Session, uuids: Collection[bytes]) -> set[bytes]:
    """Whom documents are about, whatever they are: partijen, and betrokkenen without one. Also by another uuid (M6)."""
    rows = _known(connection, uuids)
    persons = {uuid for _, kind, uuid in rows if kind == KIND["partij"]}
    ids = [number for number, _, _ in rows]
    persons |= {uuid for _, uuid in _targets(connection, ids, _TO_PARTIJ)}
    betrokkenen = {uuid for _, kind, uuid in rows if kind == KIND["betrokkene"]}
    betrokkenen |= {uuid for _, uuid in _targets(connection, ids, _TO_BETROKKENE)}
    contacts = [number for number, kind, _ in rows if kind == KIND["klantcontact"]]
    contacts += [number for number, _ in _targets(connection, ids, _TO_CONTACT)]
    if contacts:
        places = ", ".join("?" * len(contacts))
        found = connection.all(
            f"SELECT b.uuid FROM link l JOIN document b ON b.id = l.source WHERE l.relation = {_HAD}"
            f" AND l.target IN ({places})",
            contacts,
        )
        betrokkenen |= {uuid for (uuid,) in found}
    return persons | of_betrokkenen(connection, betrokkenen)


def all_uuids(connection: Session, uuids: Collection[bytes]) -> set[bytes]:
    """All uuids by which these persons may have been noted: also former ones, and those of their betrokkenen."""
    found = {*uuids}
    rows = _known(connection, uuids)
    ids = [number for number, _, _ in rows]
    found |= {uuid for _, _, uuid in rows}
    if ids:
        places = ", ".join("?" * len(ids))
        found |= {
            uuid for (uuid,) in connection.all(f"SELECT uuid FROM alias WHERE document IN ({places})", ids)
        }
        found |= {
            uuid
            for (uuid,) in connection.all(
                f"SELECT b.uuid FROM link l JOIN document b ON b.id = l.source WHERE l.relation = {_WAS}"
                f" AND l.target IN ({places})",
                ids,
            )
        }
    for uuid in tuple(found):
        for pair in connection.all("SELECT uuid, own FROM adopted WHERE uuid = ? OR own = ?", (uuid, uuid)):
            found |= {*pair}
    return found


def uuids_of_rows(connection: Session, rows: Collection[int]) -> set[bytes]:
    """The uuids of partijen, by their rows."""
    places = ", ".join("?" * len(rows))
    found = connection.all(f"SELECT uuid FROM document WHERE id IN ({places})", list(rows)) if rows else []
    return {uuid for (uuid,) in found}


def count_all(connection: Session) -> int:
    """How many partijen are held."""
    (found,) = connection.one("SELECT count(*) FROM document WHERE kind = ?", (KIND["partij"],))
    return int(found)


def _known(connection: Session, uuids: Collection[bytes]) -> list[tuple[int, int, bytes]]:
    if not uuids:
        return []
    places = ", ".join("?" * len(uuids))
    own = f"SELECT id, kind, uuid FROM document WHERE uuid IN ({places})"
    other = (
        "SELECT d.id, d.kind, d.uuid FROM alias a JOIN document d ON d.id = a.document"
        f" WHERE a.uuid IN ({places})"
    )
    return [*connection.all(own, list(uuids)), *connection.all(other, list(uuids))]


def _targets(connection: Session, ids: list[int], relations: Iterable[str]) -> list[tuple[int, bytes]]:
    if not ids:
        return []
    places = ", ".join("?" * len(ids))
    numbers = ", ".join(str(RELATION[name]) for name in relations)
    return connection.all(
        f"SELECT d.id, d.uuid FROM link l JOIN document d ON d.id = l.target WHERE l.relation IN ({numbers})"
        f" AND l.source IN ({places})",
        ids,
    )
