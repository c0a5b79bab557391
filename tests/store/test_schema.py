"""The schema of the store: frozen migrations, a store of an earlier version, and one of a later version."""

from __future__ import annotations

import ast
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard
from builders.asker import API
from builders.configs import read_config, write_config
from builders.paths import DATA
from builders.store_digest import dump_digest

from gateway.app import create_app
from gateway.config.store import StoreSettings
from gateway.installation import open_store
from gateway.operator.check_store import check_store
from gateway.store.base.errors import StoreError
from gateway.store.base.kinds import KIND
from gateway.store.edits.editing import TOMBSTONE
from gateway.store.file.database import FileStore
from gateway.store.file.session import connect
from gateway.store.indexes import field_values, profiles, text_search
from gateway.store.inspect.agreeing import disagreements
from gateway.store.operation import tokens
from gateway.store.schema import upgrade
from gateway.store.schema.migrations import ORDER, script

pytestmark = pytest.mark.of_the_file

# Made by commit 8522193 from a part of the slice: a source in phase synced and one in live, three tokens, and what a
# client wrote: a name, an address, a klantcontact, and a partij that it deleted.
BEFORE = DATA / "store-8522193.db.zst"
# As that commit dumped it.
DUMP = "bf3782ebcb59e77110b18d7faf68ca002255221fee354964bafb0f51094c8d3f"
RENAMED, DELETED = "35c38cd8-26d2-8eb4-9392-faf692193015", "feeec881-3b85-8704-a396-ec7c186ddbdd"
ADDRESS, CONTACT = "fc364130-5da8-43d5-8241-faae7a96e2e3", "b7c3f7ee-f913-4397-94fb-deb6d74ac3ae"
TOKENS = {
    "reader": "oud-lees-" + "r" * 40,
    "writer": "oud-schrijf-" + "w" * 40,
    "revoked": "oud-ingetrokken-" + "x" * 40,
}
SCHEMA = Path(upgrade.__file__).parent


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The file of a store that an earlier version made."""
    path = tmp_path / "klantbrug.db"
    path.write_bytes(zstandard.ZstdDecompressor().decompress(BEFORE.read_bytes()))
    return path


def tables(path: Path) -> dict[str, str]:
    """What stands in a store, by name: the statement that made it, without regard to how its lines are broken."""
    with closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {name: re.sub(r"(?<=\() | (?=\))", "", " ".join(text.split())) for name, text in made}


def test_a_store_of_before_keeps_what_clients_wrote(before: Path) -> None:
    store = FileStore(before)
    assert dump_digest(store) == DUMP
    with store.read() as connection:
        phases = dict(connection.execute("SELECT name, phase FROM source"))
        dead = {row[0] for row in connection.execute("SELECT uuid FROM local WHERE part = ?", (TOMBSTONE,))}
    assert phases == {"bron": "synced", "tweede": "live"}
    assert bytes.fromhex(DELETED.replace("-", "")) in dead
    assert {row.name: row.scope for row in tokens.listing(store)} == {
        "lezer": "read",
        "schrijver": "read write",
        "ingetrokken": "read",
    }
    store.close()


def test_a_store_of_before_is_served(before: Path) -> None:
    config = read_config(write_config(before.parent, {}))
    assert config.store.path == before
    store = open_store(config)
    client = create_app(config, store=store).test_client()

    def get(path: str, by: str = "reader") -> Any:
        return client.get(f"{API}/{path}", headers={"Authorization": f"Token {TOKENS[by]}"})

    assert (
        get(f"partijen/{RENAMED}").json["partijIdentificatie"]["contactnaam"]["achternaam"] == "Zelfgekozen"
    )
    assert get(f"digitaleadressen/{ADDRESS}").json["adres"] == "nieuw@example.nl"
    assert get(f"klantcontacten/{CONTACT}", "writer").json["onderwerp"] == "Zelf geschreven"
    assert get(f"partijen/{DELETED}").status_code == 404
    assert get("partijen", "revoked").status_code == 401
    store.close()


def test_a_store_of_before_becomes_as_a_new_one(before: Path, tmp_path: Path) -> None:
    FileStore(before).close()
    FileStore(tmp_path / "new.db").close()
    assert tables(before) == tables(tmp_path / "new.db")


def test_what_indexes_say_of_documents_is_made_for_a_store_that_had_none(before: Path) -> None:
    """By the migrations that made the tables, and after them."""
    names = ("profile", "profiled", "text_due", "text_erased")
    store = FileStore(before)
    with store.write() as connection:
        question = (
            "SELECT document, traits FROM profiled p JOIN profile f ON f.id = p.profile ORDER BY document"
        )
        had = connection.execute(question).fetchall()
        searched = text_search.search("klantcontact", "onderwerp", 1)
        sought = connection.execute(searched, ("zelf gesch",)).fetchall()
    store.close()
    assert had
    assert sought
    with closing(connect(before)) as connection:
        for kind, name in connection.execute(
            "SELECT type, name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP {kind} {name}")
        for name in (*names, *text_search.INDEXES.values()):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name IN ('0051_profiles', '0052_texts')")
        with connection.transaction():
            upgrade.upgrade(
                connection
            )  # as a back-up that is put back: by a connection that is not a store's
        assert connection.execute(question).fetchall() == had
        assert connection.execute(searched, ("zelf gesch",)).fetchall() == sought


def test_filling_that_was_killed_is_gone_on_with(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = tmp_path / "at-once.db"
    at_once.write_bytes(before.read_bytes())
    with closing(connect(at_once)) as connection, connection.transaction():
        upgrade.upgrade(connection)
    monkeypatch.setattr(field_values, "FILLED_AT_ONCE", 10)
    monkeypatch.setattr(profiles, "FILLED_AT_ONCE", 10)
    with closing(connect(before)) as connection:
        with connection.transaction():
            upgrade.make_tables(connection)
        for _ in range(7):
            with connection.transaction():
                assert upgrade.fill_some(connection)
        assert upgrade.is_to_fill(connection)
    FileStore(before).close()
    held = [filled_tables(path) for path in (before, at_once)]
    assert held[0] == held[1]
    assert held[0]["field_value"] > [(1,)]
    store = FileStore(before)
    with store.read() as connection:
        assert disagreements(connection) == []
    store.close()


def filled_tables(path: Path) -> dict[str, list[Any]]:
    """What is made of the documents; and nothing is noted as to be filled."""
    names = ("profile", "profiled", "field_value", "meta")
    with closing(sqlite3.connect(path)) as connection:
        held = {name: sorted(connection.execute(f"SELECT * FROM {name}")) for name in names}  # noqa: S608
    assert upgrade.TO_FILL not in dict(held.pop("meta"))
    return held


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "klantbrug.db"
    FileStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('klantbrug', '9999_later', '')"
        )
        connection.commit()
    said = r"nieuwere versie van Klantbrug \(9999_later\): werk Klantbrug bij"
    with pytest.raises(StoreError, match=said):
        FileStore(path)
    known = StoreSettings(path=path, uuid_secret="")
    assert [re.search(said, line.text) is not None for line in check_store(known)] == [True]


def test_a_store_that_an_older_version_has_open_is_not_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "klantbrug.db"
    older = FileStore(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = ?", (ORDER[-1],))
        connection.commit()
    with pytest.raises(StoreError, match="Stop eerst alles wat haar open heeft"):
        FileStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert not connection.execute(
            "SELECT count(*) FROM _sqlite_migrations WHERE name = ?", (ORDER[-1],)
        ).fetchone()[0]
    older.close()


def test_a_migration_depends_on_nothing_that_may_change() -> None:
    """Its text is its own: nothing is taken from elsewhere, and nothing is put together."""
    allowed = {"__future__", "sqlite_utils", "gateway.store.schema.migrations"}
    for path in SCHEMA.glob("*.py"):
        if path.name in ("__init__.py", "migrations.py", "upgrade.py"):
            continue
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        assert not any(isinstance(node, ast.Import) for node in nodes), path
        assert {node.module for node in nodes if isinstance(node, ast.ImportFrom)} <= allowed, path
        assert not any(isinstance(node, ast.JoinedStr) for node in nodes), path
        called = {
            node.func.attr
            for node in nodes
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert called <= {"execute", "fetchall", "to_bytes"}, path


def test_new_migrations_are_numbered_on() -> None:
    """Those of before the numbers were held keep theirs, for stores have them by name."""
    held = ORDER.index("0052_sealed") + 1
    numbers = [int(name.split("_")[0]) for name in ORDER]
    assert max(numbers[:held]) == 62
    assert numbers[held:] == sorted({*numbers[held:]} - {*range(63)})


def test_a_script_may_hold_triggers(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "klantbrug.db")
    text = """
    CREATE TABLE one (id INTEGER);  -- a comment; with a semicolon
    CREATE TRIGGER one_comes AFTER INSERT ON one BEGIN
        DELETE FROM one WHERE id = 1;
        DELETE FROM one WHERE id = 2;
    END; INSERT INTO one VALUES (1)
    """
    with store.write() as connection:
        script(store.operator(), text)
        assert not connection.execute("SELECT id FROM one").fetchall()
    store.close()


def test_triggers_and_indexes_are_of_what_the_program_looks_at(tmp_path: Path) -> None:
    """What a frozen text says of kinds, relations and fields is what the indexes are used for."""
    FileStore(tmp_path / "new.db").close()
    made = tables(tmp_path / "new.db")
    indexes = [text for text in made.values() if re.match(r"CREATE (UNIQUE )?INDEX \w+ ON document", text)]
    assert indexes
    assert not any("->>" in text for text in indexes)
    for (kind, field), name in text_search.INDEXES.items():
        assert f"OLD.body ->> '$.{field}'" in made[f"text_of_{kind}_changes"]
        assert f"WHEN NEW.kind = {KIND[kind]} " in made[f"text_of_{kind}_comes"]
        assert name in made
