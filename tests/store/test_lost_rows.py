"""Whatever derived rows were lost or damaged, a rebuild makes them again of the legacy objects that are held (M1)."""

# ruff: noqa: S608  (what is done to a table)

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import contactmomenten as earlier
from builders import schemas
from builders.legacy_objects import BSN, SETTINGS, SOURCE, persoon, zaak
from builders.probe.invariants import broken
from builders.register import Register, a_third, read_slice
from builders.store_digest import dump_digest
from builders.stores import ON_POSTGRES, copy_store
from tools.translation import objects, take

from gateway.store.base.kinds import KIND
from gateway.store.file.session import connect
from jobs.rebuild import rebuild
from jobs.rebuild.rebuild import Rebuild

pytestmark = pytest.mark.rule("M1")

# Every third row or so, and never only the last ones.
SOME = "id % 3 = 1"
NOT_A_CLIENTS = "origin = 0"
DOCUMENTS = f"SELECT id FROM document WHERE id % 5 = 1 AND {NOT_A_CLIENTS}"

# Of what was left out nothing is held to make its tie of again (M34).
OF_HELD = "raw IN (SELECT id FROM raw WHERE body IS NOT NULL)"

# What is done to the store, by what it is called.
DAMAGE: dict[str, str] = {
    "every tie": f"DELETE FROM tie WHERE {OF_HELD}",
    "a tie to something else": "UPDATE tie SET contact = zeroblob(16), klant = NULL, zaak = NULL, vorig = NULL"
    f" WHERE {OF_HELD}",
    "every representation": "DELETE FROM representation",
    "representations of other zaken": "UPDATE representation SET zaak = zeroblob(16)",
    "every end": "DELETE FROM representation_end",
    "ends of other zaken": "UPDATE representation_end SET zaak = zeroblob(16), until = '2001-01-01'",
    "every claim": "DELETE FROM claim",
    "some claims": f"DELETE FROM claim WHERE {SOME}",
    "moments of claims": f"UPDATE claim SET moment = moment + 1 WHERE {SOME}",
    "who makes a claim": f"UPDATE claim SET rol = zeroblob(16) WHERE {SOME}",
    "claims of another statement": f"UPDATE claim SET statement = (SELECT min(id) FROM statement) WHERE {SOME}",
    "every claim key": "DELETE FROM claim_key",
    "some claim keys": "DELETE FROM claim_key WHERE statement % 3 = 1",
    "a claim key too many": "INSERT OR IGNORE INTO claim_key SELECT (SELECT min(id) FROM identity), id FROM statement"
    " WHERE id % 50 = 1",
    "claims and statements": "DELETE FROM claim WHERE statement % 3 = 1; DELETE FROM statement WHERE id % 3 = 1",
    "bodies of statements": "UPDATE statement SET body = json_set(body, '$.m', '12') WHERE id % 7 = 1",
    "digests of statements": "UPDATE statement SET digest = randomblob(16) WHERE id % 3 = 1",
    "documents of statements": "UPDATE statement SET document = NULL WHERE id % 3 = 1",
    "statements of another document": "UPDATE statement SET document ="
    " (SELECT document FROM statement WHERE id = 2) WHERE id % 7 = 1 AND id > 100",
    "everything that is said": "DELETE FROM claim_key; DELETE FROM claim; DELETE FROM statement; DELETE FROM identity",
    "keys": "UPDATE identity SET key = 'brp:bsn:' || id WHERE id % 7 = 1",
    "every link": f"DELETE FROM link WHERE source IN (SELECT id FROM document WHERE {NOT_A_CLIENTS})",
    "a link too many": "INSERT OR IGNORE INTO link (source, relation, target)"
    " SELECT source, relation, (SELECT min(target) FROM link l WHERE l.relation = link.relation)"
    " FROM link WHERE source % 3 = 1",
    "every alias": "DELETE FROM alias",
    "every candidate for the standard address": "DELETE FROM standard_candidate",
    "other candidates": "UPDATE standard_candidate SET moment = 1, soort = 'email' WHERE document % 3 = 1",
    "an alias of another document": "UPDATE alias SET document = (SELECT min(id) FROM document WHERE kind = 1)",
    "some documents": f"DELETE FROM link WHERE source IN ({DOCUMENTS}) OR target IN ({DOCUMENTS});"
    f" DELETE FROM document WHERE id IN ({DOCUMENTS})",
    "every document": f"DELETE FROM link; DELETE FROM document WHERE {NOT_A_CLIENTS}",
    "bodies of documents": f"UPDATE document SET body = '{{}}' WHERE id IN ({DOCUMENTS})",
    "places of documents": f"UPDATE document SET moment = 1, created = 1 WHERE id IN ({DOCUMENTS})",
    "owners of documents": f"UPDATE document SET owner = NULL WHERE id IN ({DOCUMENTS})",
    "a document of nobody": "INSERT INTO document (id, kind, uuid, owner, origin, created, moment, body)"
    f" SELECT max(id) + 1, {KIND['betrokkene']}, zeroblob(16), NULL, 0, 1, 1, '{{}}' FROM document",
    "what documents were made of": "DELETE FROM made_of_raw; DELETE FROM made_of_statement",
    "what else documents were made of": "INSERT OR IGNORE INTO made_of_raw SELECT document,"
    " (SELECT min(id) FROM raw) FROM made_of_raw",
    "counts of documents": "UPDATE span SET found = found + 1 WHERE kind % 2 = 1; DELETE FROM span WHERE kind = 2",
    "counts of objects and findings": "UPDATE raw_tally SET found = found + 1; DELETE FROM finding_tally",
    "every value": "DELETE FROM field_value",
    "values of others": "INSERT INTO field_value SELECT field, value, document + 1 FROM field_value WHERE field < 5"
    " ON CONFLICT DO NOTHING",
    "every profile": "DELETE FROM profiled; DELETE FROM profile",
    "profiles of others": "UPDATE profiled SET profile = (SELECT profile FROM profiled LIMIT 1)",
    "every finding": "DELETE FROM raw_finding; DELETE FROM statement_finding; DELETE FROM source_finding",
    "findings of others": "INSERT OR IGNORE INTO statement_finding SELECT id, 'M12', 'x', 'x', 'info' FROM statement;"
    " INSERT OR IGNORE INTO raw_finding SELECT id, 1, 'M12', 'x', 'x', 'info' FROM raw WHERE body IS NOT NULL;"
    " INSERT INTO source_finding SELECT id, 'M99', 'x', 'info', 'x' FROM source",
    "quarantine": "DELETE FROM quarantine",
    "quarantine of what is right": "INSERT OR IGNORE INTO quarantine (raw, reason, since)"
    " SELECT id, 'x', 1 FROM raw WHERE body IS NOT NULL",
    "whom it is about that could not be read": "DELETE FROM unread_key; UPDATE quarantine SET keyless = 1;"
    " UPDATE source SET unread = 2 - unread",
    "every fact": "UPDATE raw SET facts = NULL",
    "zaken of objects": "UPDATE raw SET zaak = NULL WHERE body IS NOT NULL AND id % 3 = 1",
    "digests of objects": "UPDATE raw SET digest = x'00' WHERE body IS NOT NULL AND id % 3 = 1",
    "states of objects": "UPDATE raw SET state = 2 WHERE body IS NOT NULL AND id % 3 = 1",
    "zaken that can't be read": "UPDATE raw SET state = 4 WHERE body IS NOT NULL AND kind = 1",
}
# How PostgreSQL has what stands there.
OTHERWISE = (
    (r"INSERT OR IGNORE ([^;]*)", r"INSERT \1 ON CONFLICT DO NOTHING"),
    (r"zeroblob\(16\)", "decode(repeat('00', 16), 'hex')"),
    (r"randomblob\(16\)", "decode(md5(random()::text), 'hex')"),
    (r"json_set\(body, '\$\.m', '12'\)", "jsonb_set(body::jsonb, '{m}', '\"12\"')::text"),
    (r"x'00'", "decode('00', 'hex')"),
)
# The tables that the dump does not show, with what rows are known by outside this file.
ASIDE = (
    "SELECT r.kind, r.uuid, t.contact, t.klant, t.zaak, t.vorig FROM tie t JOIN raw r ON r.id = t.raw",
    "SELECT zaak, uuid FROM representation",
    "SELECT d.uuid, c.partij, c.soort, c.moment, c.rol, c.place FROM standard_candidate c"
    " JOIN document d ON d.id = c.document",
    "SELECT zaak, until FROM representation_end",
    "SELECT r.uuid, c.facet, c.moment, c.rol, substr(s.digest, 7) FROM claim c JOIN raw r ON r.id = c.raw"
    " JOIN statement s ON s.id = c.statement",
    "SELECT substr(s.digest, 7), s.body, d.uuid FROM statement s LEFT JOIN document d ON d.id = s.document",
    "SELECT substr(s.digest, 7), i.key FROM claim_key k JOIN statement s ON s.id = k.statement"
    " JOIN identity i ON i.id = k.identity",
    "SELECT key, 0 FROM identity",
    "SELECT kind, uuid, facts, zaak FROM raw",
    "SELECT kind, uuid, origin, moment FROM document WHERE origin = 0",
    "SELECT name, unread, (SELECT count(*) FROM quarantine WHERE keyless = 0),"
    " (SELECT count(*) FROM unread_key) FROM source",
    "SELECT kind, sum(found) FROM span GROUP BY kind HAVING sum(found) > 0",
    "SELECT kind, state, found FROM raw_tally WHERE found <> 0",
    "SELECT rule, found FROM finding_tally WHERE found <> 0",
    "SELECT d.uuid, v.field, v.value FROM field_value v LEFT JOIN document d ON d.id = v.document",
    "SELECT d.uuid, f.traits FROM profiled p JOIN document d ON d.id = p.document JOIN profile f ON f.id = p.profile",
)


def rows(store: Any) -> list[list[Any]]:
    with store.read() as connection:
        return [sorted(map(repr, connection.execute(query))) for query in ASIDE]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what belongs together is met at different times."""
    monkeypatch.setattr(rebuild, "PIECE", 50)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[list[Any]]]:
    """A store file that took all of it, its dump and its rows."""
    made = earlier.EarlierRegister(tmp_path_factory.mktemp("right") / "store.db")
    take(made, objects(a_third(a_third(a_third(a_third(read_slice()))))))
    assert all(rows(made.store))
    found = dump_digest(made.store), rows(made.store)
    made.store.close()
    return made.store.path, *found


@pytest.fixture
def damaged(
    right: tuple[Path, Any, Any], tmp_path: Path
) -> Iterator[Callable[[str], earlier.EarlierRegister]]:
    """Makes a register of that store after a script was run on it."""
    copy_store(right[0], tmp_path / "store.db")
    made = earlier.EarlierRegister(tmp_path / "store.db", SETTINGS)

    def damage(script: str) -> earlier.EarlierRegister:
        if ON_POSTGRES:
            for form, other in OTHERWISE:
                script = re.sub(form, other, script)
            schemas.schemas().run(made.store.path, *script.split(";"))
            return made
        connection = connect(made.store.path)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(script)
        connection.close()
        return made

    yield damage
    made.store.close()


@pytest.mark.slow
@pytest.mark.parametrize("script", DAMAGE.values(), ids=DAMAGE)
def test_a_rebuild_makes_it_again(
    damaged: Callable[[str], earlier.EarlierRegister], right: tuple[Path, str, list[list[Any]]], script: str
) -> None:
    register = damaged(script)
    _, digest, before = right
    assert (register.digest(), rows(register.store)) != (digest, before), "nothing was damaged"
    Rebuild(register.store, register.ingest).run()
    for query, now, then in zip(ASIDE, rows(register.store), before, strict=True):
        assert now == then, query
    assert register.digest() == digest
    assert broken(register.store) == {}


def test_a_rebuild_of_one_source_leaves_what_another_one_lost(tmp_path: Path) -> None:
    register = Register(tmp_path / "store.db")
    register.take(zaak(1), persoon(1, BSN[0]))
    register.take(zaak(2), persoon(2, BSN[1], zaak=2), source="ander")
    before = register.of("document"), register.states()
    with register.store.write() as connection:
        connection.execute("UPDATE raw SET facts = NULL")
    Rebuild(register.store, register.ingest, SOURCE).run()
    assert (register.of("document"), register.states()) == before
    with register.store.read() as connection:
        lost = connection.execute("SELECT count(*) FROM raw WHERE facts IS NULL").fetchone()
    assert lost == (2,)
    register.store.close()
