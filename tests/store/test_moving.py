"""`klantbrug store copy`: a store goes from PostgreSQL to a file and back, whole, also when it is killed on its way."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from builders.asker import API, write_client
from builders.commands import command, command_process, klantbrug
from builders.configs import UUID_SECRET, read_config, write_config
from builders.following import backfilled
from builders.sample_data import small
from builders.store_digest import dump_digest
from builders.stores import DATABASE, ON_POSTGRES, copy_folder

from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation, open_store
from gateway.sample.server import SampleServer
from gateway.store.base.errors import StoreError
from gateway.store.base.moving import UNDER_WAY, MovedTable
from gateway.store.base.session import Row, Session
from gateway.store.base.store import Store
from gateway.store.file import moving as files
from gateway.store.login import operators
from gateway.store.moving import comparing, copying, moving
from gateway.store.operation import events, leases

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database"),
]
KILLS = 4
CONTACT = {
    "kanaal": "telefoon",
    "onderwerp": "Een vraag",
    "inhoud": "Straße, İstanbul \U0001f600",
    "taal": "nld",
    "vertrouwelijk": False,
    "indicatieContactGelukt": True,
    "plaatsgevondenOp": "2026-11-01T12:00:00Z",
}
MESSAGE = "INSERT INTO outbox (subject, message, created, next_try) VALUES ('x', '{}', 1, 1)"


def config_of(folder: Path, keys: str, secret: str = UUID_SECRET) -> Path:
    """A configuration of a register with a store by these keys."""
    folder.mkdir(exist_ok=True)
    path = folder / "config.toml"
    path.write_text(
        f'[gateway]\nregister = true\n[store]\n{keys}\nuuid_secret = "{secret}"\n', encoding="utf-8"
    )
    return path


_NUMBERS = itertools.count()


@pytest.fixture
def schemas() -> Iterator[Callable[[], str]]:
    """Names of schemas that are not there, removed at the end."""
    import psycopg

    given: list[str] = []

    def another() -> str:
        # Never the same again: of one that is gone there may still be a connection.
        given.append(f"klantbrug_test_{os.getpid()}_moved_{next(_NUMBERS)}")
        return given[-1]

    yield another
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        for name in given:
            connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a store that was backfilled (little, for each test copies it more than once), and that clients and
    operators changed; closed."""
    folder = tmp_path_factory.mktemp("lived-in") / "template"
    with SampleServer(small(every=20)) as server:
        config = read_config(write_config(folder, {"bron": server}))
        filled = backfilled(open_installation(config))
        client, headers = write_client(filled, filled.hydrator())
        made = client.post(f"{API}/klantcontacten", json=CONTACT, headers=headers).get_json()
        found = client.get(f"{API}/partijen?pageSize=3", headers=headers).get_json()["results"]
        changed = client.patch(
            f"{API}/partijen/{found[0]['uuid']}", json={"interneNotitie": "Nieuw"}, headers=headers
        )
        gone = client.delete(f"{API}/partijen/{found[1]['uuid']}", headers=headers)
        assert (made["onderwerp"], changed.status_code, gone.status_code) == ("Een vraag", 200, 204)
        operators.insert(filled.store, "beheerder", None, ("kijken",))
        assert leases.acquire(filled.store, "a lease", 3600)
        with filled.store.write() as session:
            session.run(MESSAGE)
            session.run(MESSAGE)
            last = session.insert(MESSAGE)
            session.run("DELETE FROM outbox WHERE id = ?", (last,))
            session.run("UPDATE source SET phase = 'cutover'")
            events.note(session, None, "iets", "iemand")
        filled.store.close()
        all_left(config.store.schema)
        yield folder


@pytest.fixture
def lived_in(template: Path, tmp_path: Path) -> Path:
    """The configuration of a copy of that store."""
    return copy_folder(template, tmp_path / "lived-in") / "config.toml"


def all_left(schema: str) -> None:
    """End the connections of this process to a store; what settles the pace of sources makes new ones for a while."""
    quiet = 0
    with psycopg_connection() as connection:
        while quiet < 3:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = %s",
                (f"klantbrug {schema}",),
            ).fetchone()
            quiet = 0 if ended and ended[0] else quiet + 1
            time.sleep(0.5)


def opened(config: Path) -> Store:
    return open_store(read_config(config))


def in_file(lived_in: Path, folder: Path) -> Path:
    """That store copied to a file; the configuration of it."""
    done = command(lived_in, "store", "copy", "--to", str(folder / "klantbrug.db"))
    assert done.exit_code == 0, done.output
    return config_of(folder, 'path = "klantbrug.db"')


def ids_given(store: Store) -> tuple[int, int]:
    """The ids of a new message and of a new event."""
    with store.write() as session:
        message = session.insert(MESSAGE)
        events.note(session, None, "nog iets", "iemand")
        return message, session.one("SELECT max(id) FROM event")[0]


def test_a_store_goes_to_a_file_and_back(lived_in: Path, tmp_path: Path, schemas: Callable[[], str]) -> None:
    before = opened(lived_in)
    digest, token = dump_digest(before), create_token(before, "a client", "read")
    before.close()
    (tmp_path / "file").mkdir()
    done = command(lived_in, "store", "copy", "--to", str(tmp_path / "file" / "klantbrug.db"))
    assert done.exit_code == 0, done.output
    assert "canonieke dump ook" in done.stdout and "Bron bron: fase cutover." in done.stdout
    assert [each.name for each in (tmp_path / "file").iterdir()] == ["klantbrug.db"]
    assert (tmp_path / "file" / "klantbrug.db").stat().st_mode & 0o777 == 0o600
    config = config_of(tmp_path / "file", 'path = "klantbrug.db"')
    schema = schemas()
    done = command(config, "store", "copy", "--to", DATABASE, "--schema", schema)
    assert done.exit_code == 0, done.output
    back = config_of(tmp_path / "back", f'url = "{DATABASE}"\nschema = "{schema}"')
    told = []
    for each in (config, back, lived_in):
        store = opened(each)
        assert dump_digest(store) == digest
        with store.read() as session:
            assert session.one("SELECT count(*) FROM token WHERE name = 'a client'") == (1,)
            assert session.one("SELECT roles FROM operator WHERE name = 'beheerder'") == ("kijken",)
            assert session.one("SELECT count(*) FROM meta WHERE name LIKE 'copy %'") == (0,)
            if each != lived_in:  # who held something then is no more
                assert session.one("SELECT count(*) FROM lease WHERE expires > 0") == (0,)
        assert leases.acquire(store, "a lease", 3600)
        told.append(ids_given(store)[0])
        store.close()
    assert len(set(told)) == 1  # none is given again, though the last message was gone
    client, _ = write_client(install_of(back), hydrator_of(back))
    found = client.get(
        f"{API}/klantcontacten?onderwerp=Een vraag", headers={"Authorization": f"Token {token}"}
    )
    assert [each["inhoud"] for each in found.get_json()["results"]] == [CONTACT["inhoud"]]


def install_of(config: Path) -> Installation:
    return open_installation(read_config(config))


def hydrator_of(config: Path) -> Any:
    return install_of(config).hydrator()


@pytest.mark.parametrize("back", [False, True], ids=["to a file", "to a database"])
def test_a_copy_that_is_killed_is_gone_on_with(
    back: bool, lived_in: Path, tmp_path: Path, schemas: Callable[[], str], run_log: Path
) -> None:
    folder, schema = tmp_path / "file", schemas()
    folder.mkdir()
    source, target = lived_in, [str(folder / "klantbrug.db")]
    if back:
        source, target = in_file(lived_in, folder), [DATABASE, "--schema", schema]
    how_far = database_reached(schema) if back else file_reached(folder / "klantbrug.db.deel", tmp_path)
    seen, kills = None, 0
    while kills < KILLS:
        with klantbrug(run_log, "--config", source, "store", "copy", "--to", *target) as process:
            while process.poll() is None:
                process.send_signal(signal.SIGSTOP)  # it would be done before we looked twice
                now = how_far()
                if now not in (None, seen):
                    process.kill()
                    seen, kills = now, kills + 1
                    break
                process.send_signal(signal.SIGCONT)
                time.sleep(0.005)
            else:
                break
            process.wait()
    assert kills
    done = command_process(source, "store", "copy", "--to", *target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Verder gegaan")
    keys = f'url = "{DATABASE}"\nschema = "{schema}"' if back else 'path = "klantbrug.db"'
    copied, original = opened(config_of(tmp_path / "new" if back else folder, keys)), opened(source)
    assert dump_digest(copied) == dump_digest(original)


def test_a_table_goes_in_parts_and_is_asked_for_once_wherever_it_was_broken_off(
    lived_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says that a database has an index in this order: each question more would sort all of it again."""
    known, target = read_config(lived_in).store, tmp_path / "klantbrug.db"
    asked: list[tuple[str, bool]] = []
    real, parts = MovedTable.rows, 0

    def noted(table: MovedTable, session: Session, after: Sequence[object] | None = None) -> Iterator[Row]:
        asked.append((table.name, bool(after)))
        return real(table, session, after)

    def broken_off(_what: str, _done: int, _total: int) -> None:
        nonlocal parts
        parts += bool(asked) and asked[-1][0] == "document"
        if parts == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(MovedTable, "rows", noted)
    monkeypatch.setattr(copying, "AT_ONCE", 20)
    with pytest.raises(KeyboardInterrupt):
        moving.to_file(known, target, "a test", broken_off)
    asked.clear()
    moved = moving.to_file(known, target, "a test", lambda *_: None)
    assert moved.again and moved.rows["document"] > 4 * copying.AT_ONCE
    assert asked[0] == ("document", True)
    assert not any(after for _, after in asked[1:])
    # Once on each side to be compared, and once to be copied what was not there yet.
    assert Counter(name for name, _ in asked) == {
        table.name: 2 + (table.name >= "document") for table in files.tables_of_program()
    }
    assert dump_digest(opened(config_of(tmp_path, 'path = "klantbrug.db"'))) == dump_digest(opened(lived_in))


def file_reached(part: Path, folder: Path) -> Callable[[], str | None]:
    """How far a copy in a file is, as it says itself: to a copy of it in that folder, for it lets nobody else in."""
    looked_at = folder / "looked-at.db"

    def ask() -> str | None:
        try:
            for end in ("", "-wal"):
                shutil.copyfile(f"{part}{end}", f"{looked_at}{end}")
            with closing(sqlite3.connect(looked_at)) as connection:
                row = connection.execute("SELECT value FROM meta WHERE name = ?", (UNDER_WAY,)).fetchone()
        except (OSError, sqlite3.Error):  # it is not there yet, or was copied halfway a write
            return None
        finally:
            for end in ("", "-wal", "-shm"):
                Path(f"{looked_at}{end}").unlink(missing_ok=True)
        return str(row[0]) if row else None

    return ask


def database_reached(schema: str) -> Callable[[], str | None]:
    """How far a copy in a database is, as it says itself."""
    import psycopg

    connection = psycopg.connect(DATABASE, autocommit=True)

    def ask() -> str | None:
        try:
            row = connection.execute(
                f'SELECT value FROM "{schema}".meta WHERE name = %s',  # type: ignore[arg-type]  # noqa: S608
                (UNDER_WAY,),
            ).fetchone()
        except psycopg.Error:
            return None
        return str(row[0]) if row else None

    return ask


def test_a_half_copy_is_no_store_and_one_of_a_changed_store_begins_again(
    lived_in: Path, tmp_path: Path, schemas: Callable[[], str]
) -> None:
    (tmp_path / "file").mkdir()
    source, schema = in_file(lived_in, tmp_path / "file"), schemas()
    target = config_of(tmp_path / "new", f'url = "{DATABASE}"\nschema = "{schema}"')
    half(source, target)
    with pytest.raises(StoreError, match="nog niet af"):
        opened(target)
    store = opened(source)
    with store.write() as session:
        events.note(session, None, "veranderd", "iemand")
    store.close()
    done = command(source, "store", "copy", "--to", DATABASE, "--schema", schema)
    assert done.exit_code == 0, done.output
    assert "Alle rijen" in done.stdout
    opened(target).close()


def half(source: Path, target: Path, tables: int = 20) -> None:
    """Copy some of the tables, and no more."""
    from gateway.store import chosen

    known = read_config(source), read_config(target)
    with files.giving(known[0].store.path) as gives, chosen.database_taking(known[1].store) as takes:
        moved = files.tables_of_program()
        held = copying.counts(gives.session, moved)
        reached, _ = copying.begin(gives, takes, moved, copying.state_of(gives.session, held))
        copying.copy_rows(gives, takes, moved[:tables], reached, held, lambda *_: None)


def test_what_holds_a_store_is_refused_as_target(
    lived_in: Path, tmp_path: Path, schemas: Callable[[], str]
) -> None:
    (tmp_path / "file").mkdir()
    source, schema = in_file(lived_in, tmp_path / "file"), schemas()
    target = config_of(tmp_path / "new", f'url = "{DATABASE}"\nschema = "{schema}"')
    opened(target).close()
    done = command(source, "store", "copy", "--to", DATABASE, "--schema", schema)
    assert done.exit_code == 2
    assert "staat al een opslag" in done.stderr
    again = command(lived_in, "store", "copy", "--to", str(tmp_path / "file" / "klantbrug.db"))
    assert again.exit_code == 2
    assert "bestaat al" in again.stderr
    for wrong in ([str(tmp_path / "x.db")], ["mysql://x"]):
        assert command(source, "store", "copy", "--to", *wrong).exit_code == 2
    within = command(lived_in, "store", "copy", "--to", DATABASE, "--schema", schemas())
    assert within.exit_code == 2
    assert "pg_dump" in within.stderr


def test_half_of_another_store_is_refused(lived_in: Path, tmp_path: Path, schemas: Callable[[], str]) -> None:
    (tmp_path / "file").mkdir()
    source, schema = in_file(lived_in, tmp_path / "file"), schemas()
    half(source, config_of(tmp_path / "new", f'url = "{DATABASE}"\nschema = "{schema}"'))
    other = config_of(
        tmp_path / "other", 'path = "klantbrug.db"', "another secret, longer than thirty-two characters"
    )
    opened(other).close()
    done = command(other, "store", "copy", "--to", DATABASE, "--schema", schema)
    assert done.exit_code == 2
    assert "andere opslag" in done.stderr


def test_a_store_that_is_in_use_is_not_copied(
    lived_in: Path, tmp_path: Path, schemas: Callable[[], str]
) -> None:
    (tmp_path / "file").mkdir()
    source = in_file(lived_in, tmp_path / "file")
    for config, target in (
        (source, [DATABASE, "--schema", schemas()]),
        (lived_in, [str(tmp_path / "x.db")]),
    ):
        store = opened(config)
        with store.read() as session:
            session.one("SELECT 1 FROM meta")  # from here on it has a connection
        done = command_process(config, "store", "copy", "--to", *target)
        assert done.returncode == 2, done.stdout
        assert "Stop eerst alles" in done.stderr
        store.close()


@pytest.mark.parametrize(
    ("table", "tamper"),
    [
        ("token", "UPDATE token SET scope = 'read' WHERE id = (SELECT min(id) FROM token)"),
        ("document", "UPDATE document SET body = replace(body, 'Een vraag', 'Twee vragen')"),
        ("event", "DELETE FROM event WHERE id = (SELECT max(id) FROM event)"),
        ("row_id", "UPDATE row_id SET last = last + 1 WHERE name = 'raw'"),
    ],
)
def test_a_copy_that_differs_is_found(table: str, tamper: str, lived_in: Path, tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    copied, original = opened(in_file(lived_in, tmp_path / "file")), opened(lived_in)
    tables = [
        each
        for each in files.tables_of_program()
        if each.name not in ("lease", "event", "pace", "pace_share")
    ]
    events_too = [
        each for each in files.tables_of_program() if each.name not in ("lease", "pace", "pace_share")
    ]

    def compare(which: Any) -> int:
        with copied.read() as one, original.read() as other:
            return comparing.compare(one, other, which, copying.counts(one, which), lambda *_: None)

    assert compare(tables) > 100
    with original.write() as session:
        session.run(tamper)
    with pytest.raises(StoreError, match=f"tabel {table}"):
        compare(events_too if table == "event" else tables)


def test_a_password_in_a_file_is_used_and_one_in_the_address_is_told(
    lived_in: Path, tmp_path: Path, schemas: Callable[[], str]
) -> None:
    password = urlsplit(DATABASE).password
    if not password:
        pytest.skip("the database lets us in without a password")
    (tmp_path / "file").mkdir()
    source, schema = in_file(lived_in, tmp_path / "file"), schemas()
    secret = tmp_path / "password"
    secret.write_text(password, encoding="utf-8")
    bare = DATABASE.replace(f":{password}@", "@")
    done = command(source, "store", "copy", "--to", bare, "--schema", schema, "--password-file", str(secret))
    assert done.exit_code == 0, done.output
    assert "lijst van processen" not in done.stderr


def test_the_commands_that_are_written_out_for_a_back_up_work(
    lived_in: Path, tmp_path: Path, schemas: Callable[[], str]
) -> None:
    if not shutil.which("pg_dump") or not shutil.which("pg_restore"):
        pytest.skip("no pg_dump on this machine")
    (tmp_path / "file").mkdir()
    source, schema = in_file(lived_in, tmp_path / "file"), schemas()
    assert command(source, "store", "copy", "--to", DATABASE, "--schema", schema).exit_code == 0
    config = config_of(tmp_path / "new", f'url = "{DATABASE}"\nschema = "{schema}"')
    before = opened(config)
    digest = dump_digest(before)
    before.close()
    file, environ = str(tmp_path / "dumped"), {**os.environ, "PGPASSWORD": urlsplit(DATABASE).password or ""}
    done = command(config, "store", "backup", str(tmp_path / "x"))
    assert done.exit_code == 2
    run_lines(done.stderr, ("pg_dump",), file, environ)
    with psycopg_connection() as connection:
        connection.execute(f'DROP SCHEMA "{schema}" CASCADE')
        connection.execute(f'CREATE SCHEMA "{schema}"')  # that is put aside
    done = command(config, "store", "restore", str(tmp_path / "x"))
    assert done.exit_code == 2
    run_lines(done.stderr, ("psql", "pg_restore"), file, environ)
    after = opened(config)
    assert dump_digest(after) == digest
    after.close()
    with psycopg_connection() as connection:
        connection.execute(f'DROP SCHEMA "{schema}_opzij"')


def psycopg_connection() -> Any:
    import psycopg

    return psycopg.connect(DATABASE, autocommit=True)


def run_lines(said: str, programs: tuple[str, ...], file: str, environ: dict[str, str]) -> None:
    """Run the lines of these programs as an operator copies them, with a file."""
    lines = [line.strip().split(". ", 1)[-1].rstrip(";") for line in said.splitlines()]
    chosen = [line for line in lines if line.startswith(programs)]
    assert len(chosen) == len(programs)
    for line in chosen:
        assert urlsplit(DATABASE).password is None or f":{urlsplit(DATABASE).password}@" not in line
        words = shlex.split(line.replace("BESTAND", file))
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
