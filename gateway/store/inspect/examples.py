"""Values that a first question can be asked with: for the demo, on synthetic data only."""

from __future__ import annotations

from uuid import UUID

from gateway.store.base.kinds import KIND, RELATION
from gateway.store.base.store import Store

_FROM_SOURCE = (
    "EXISTS (SELECT 1 FROM provenance v JOIN raw r ON r.id = v.raw JOIN source s ON s.id = r.source"
    " WHERE v.document = {document}.id AND s.name = :name)"
)


def examples(store: Store, source: str) -> dict[str, str]:
    """Of what came from `source`: a `bsn` and `partij` (uuid) with contacts, a `kvk_nummer`, a `zaak` with contacts."""
    with store.read() as connection:
        bsn, partij = connection.one(
            "SELECT i.body ->> '$.partijIdentificator.objectId', p.uuid FROM document i"
            " JOIN link l ON l.source = i.id AND l.relation = :identifies JOIN document p ON p.id = l.target"
            " WHERE i.kind = :identificator AND i.body ->> '$.partijIdentificator.codeSoortObjectId' = 'bsn'"
            f" AND {_FROM_SOURCE.format(document='i')}"
            " ORDER BY (SELECT count(*) FROM link b WHERE b.target = p.id AND b.relation = :was) DESC, p.uuid LIMIT 1",
            {
                "identifies": RELATION["partij-identificator.identificeerdePartij"],
                "identificator": KIND["partij-identificator"],
                "was": RELATION["betrokkene.wasPartij"],
                "name": source,
            },
        )
        (kvk,) = connection.one(
            "SELECT i.body ->> '$.partijIdentificator.objectId' FROM document i WHERE i.kind = :identificator"
            " AND i.body ->> '$.partijIdentificator.codeSoortObjectId' = 'kvk_nummer'"
            f" AND {_FROM_SOURCE.format(document='i')} ORDER BY i.uuid LIMIT 1",
            {"identificator": KIND["partij-identificator"], "name": source},
        )
        (zaak,) = connection.one(
            "SELECT o.body ->> '$.onderwerpobjectidentificator.objectId' FROM document o WHERE o.kind = :subject"
            f" AND {_FROM_SOURCE.format(document='o')} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
            {"subject": KIND["onderwerpobject"], "name": source},
        )
    return {"bsn": bsn, "partij": str(UUID(bytes=partij)), "kvk_nummer": kvk, "zaak": zaak}
