"""What is true of every store, whatever happened to it."""
# ruff: noqa: S608  (numbers of kinds and relations only)

from __future__ import annotations

from builders.probe.indexes import out_of_step

from gateway.store.base.kinds import KIND, RAW_KIND, RELATION, TRANSLATED
from gateway.store.base.store import Store
from gateway.store.inspect import rebuilding

OWNER_KINDS = ("partij", "actor", "klantcontact", "vertegenwoordiging")

# Each gives the rows that are wrong. Only ids and kinds: what is wrong must not be shown with whose it is.
WRONG: dict[str, str] = {
    "a link without an end": (
        "SELECT source, relation FROM link WHERE source NOT IN (SELECT id FROM document)"
        " OR target NOT IN (SELECT id FROM document)"
    ),
    "a document without its owner": (
        "SELECT id, kind FROM document WHERE owner IS NULL OR owner NOT IN (SELECT id FROM document)"
    ),
    "an owner of a kind that owns nothing": (
        "SELECT d.id, o.kind FROM document d JOIN document o ON o.id = d.owner"
        f" WHERE o.kind NOT IN ({', '.join(str(KIND[kind]) for kind in OWNER_KINDS)})"
    ),
    "another uuid of nothing, or that is also a document's own": (
        "SELECT document, NULL FROM alias WHERE document NOT IN (SELECT id FROM document)"
        " OR uuid IN (SELECT uuid FROM document)"
    ),
    "a key that nobody has": (
        "SELECT id, NULL FROM identity WHERE id NOT IN (SELECT identity FROM claim_key)"
    ),
    "a statement that nobody makes": (
        "SELECT id, NULL FROM statement WHERE id NOT IN (SELECT statement FROM claim)"
    ),
    "a statement without a partij or actor": (
        "SELECT s.id, d.kind FROM statement s LEFT JOIN document d ON d.id = s.document"
        f" WHERE d.kind IS NULL OR d.kind NOT IN ({KIND['partij']}, {KIND['actor']})"
    ),
    "a claim of a rol that is not translated": (
        f"SELECT c.id, r.state FROM claim c JOIN raw r ON r.id = c.raw WHERE r.state != {TRANSLATED}"
    ),
    "a partij or actor that nobody speaks of": (
        f"SELECT id, kind FROM document WHERE kind IN ({KIND['partij']}, {KIND['actor']})"
        " AND id NOT IN (SELECT document FROM statement WHERE document IS NOT NULL)"
        " AND body ->> '$.soortPartij' IS DISTINCT FROM 'contactpersoon'"
    ),
    "a document that came from nothing": (
        "SELECT id, kind FROM document WHERE id NOT IN (SELECT document FROM provenance)"
    ),
    "two identificatoren of one soort on a partij": (
        "SELECT l.target, count(*) FROM link l JOIN document d ON d.id = l.source"
        f" WHERE l.relation = {RELATION['partij-identificator.identificeerdePartij']}"
        " GROUP BY l.target, d.body ->> '$.partijIdentificator.codeSoortObjectId' HAVING count(*) > 1"
    ),
    "one number twice, under one parent": (
        "SELECT min(d.id), count(*) FROM document d LEFT JOIN link l ON l.source = d.id"
        f" AND l.relation = {RELATION['partij-identificator.subIdentificatorVan']}"
        f" WHERE d.kind = {KIND['partij-identificator']}"
        " GROUP BY d.body ->> '$.partijIdentificator', l.target HAVING count(*) > 1"
    ),
    "a vestigingsnummer under what is no KVK number": (
        "SELECT l.source, l.target FROM link l JOIN document d ON d.id = l.target"
        f" WHERE l.relation = {RELATION['partij-identificator.subIdentificatorVan']}"
        " AND d.body ->> '$.partijIdentificator.codeSoortObjectId' != 'kvk_nummer'"
    ),
    "a contactpersoon without the organisatie that it belongs to": (
        "SELECT id, owner FROM document d WHERE body ->> '$.soortPartij' = 'contactpersoon' AND NOT EXISTS (SELECT 1"
        f" FROM link WHERE source = d.id AND relation = {RELATION['partij.werkteVoorPartij']} AND target = d.owner)"
    ),
    "a vertegenwoordiging that no zaak gives, or the other way around": (
        f"SELECT id, kind FROM document WHERE kind = {KIND['vertegenwoordiging']}"
        " AND uuid NOT IN (SELECT uuid FROM representation)"
        " UNION ALL SELECT source, 0 FROM representation"
        f" WHERE uuid NOT IN (SELECT uuid FROM document WHERE kind = {KIND['vertegenwoordiging']})"
    ),
    "two vertegenwoordigingen of one pair, or one of a party with itself": (
        "SELECT min(a.source), count(*) FROM link a JOIN link b ON b.source = a.source"
        f" WHERE a.relation = {RELATION['vertegenwoordiging.vertegenwoordigendePartij']}"
        f" AND b.relation = {RELATION['vertegenwoordiging.vertegenwoordigdePartij']}"
        " GROUP BY a.target, b.target HAVING count(*) > 1 OR a.target = b.target"
    ),
    "a contact with another than the rol is about": (
        "SELECT l.source, l.target FROM link l JOIN document d ON d.id = l.source"
        " JOIN made_of_raw m ON m.document = d.id JOIN claim c ON c.raw = m.raw AND c.facet = 'zelf'"
        f" JOIN raw r ON r.id = m.raw AND r.kind = {RAW_KIND['rol']} JOIN statement s ON s.id = c.statement"
        f" WHERE l.relation IN ({RELATION['betrokkene.wasPartij']}, {RELATION['actorklantcontact.actor']})"
        " AND l.target != s.document AND d.uuid NOT IN (SELECT uuid FROM local)"
    ),
    "a standard address twice": (
        "SELECT l.target, count(*) FROM link l JOIN document d ON d.id = l.source"
        f" WHERE l.relation = {RELATION['digitaleadres.verstrektDoorPartij']}"
        " AND d.body ->> '$.isStandaardAdres' = 1 GROUP BY l.target, d.body ->> '$.soortDigitaalAdres'"
        " HAVING count(*) > 1"
    ),
    "content of an object that was left out": (
        "SELECT id, kind FROM raw WHERE state = 3 AND (body IS NOT NULL OR facts IS NOT NULL OR digest IS NOT NULL)"
    ),
    "quarantine of what is not in quarantine, or the other way around": (
        "SELECT id, kind FROM raw WHERE (state = 5) != (id IN (SELECT raw FROM quarantine))"
    ),
    "a zaak that cannot be read and that nothing belongs to": (
        "SELECT z.id, z.state FROM raw z WHERE z.kind = 1 AND z.state IN (4, 7)"
        " AND NOT EXISTS (SELECT 1 FROM raw r WHERE r.source = z.source AND r.zaak = z.uuid AND r.kind != 1)"
    ),
}
# Each document of these kinds has exactly these references.
NEEDS: dict[str, tuple[str, ...]] = {
    "digitaleadres": ("verstrektDoorPartij",),
    "betrokkene": ("wasPartij", "hadKlantcontact"),
    "onderwerpobject": ("klantcontact",),
    "actorklantcontact": ("actor", "klantcontact"),
    "vertegenwoordiging": ("vertegenwoordigendePartij", "vertegenwoordigdePartij"),
}


def broken(store: Store) -> dict[str, int]:
    """The invariants that do not hold, each with how often."""
    with store.read() as connection:
        found = {what: len(connection.execute(query).fetchall()) for what, query in WRONG.items()}
        for kind, fields in NEEDS.items():
            for name in fields:
                (count,) = connection.execute(
                    "SELECT count(*) FROM document d WHERE d.kind = ? AND (SELECT count(*) FROM link l"
                    " WHERE l.source = d.id AND l.relation = ?) != 1",
                    (KIND[kind], RELATION[f"{kind}.{name}"]),
                ).fetchone()
                found[f"{kind} without one {name}"] = count
        found["counts that are not what counting gives"] = int(rebuilding.miscounted(connection))
        if connection.dialect.is_a_file:  # PostgreSQL lets none be broken
            found["foreign keys"] = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    found |= out_of_step(store)
    return {what: count for what, count in found.items() if count}
