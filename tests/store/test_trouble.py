"""When the store can't be written: a clear message, nothing lost, and it goes on when the cause is gone."""

from __future__ import annotations

import http.client
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from builders.commands import command_process
from builders.configs import read_config, write_config
from builders.sample_data import small
from builders.store_digest import dump_digest
from builders.stores import make_store

from gateway.app import create_app
from gateway.base import clock
from gateway.base.logs import safe_error
from gateway.config.defaults import BUSY_SECONDS
from gateway.http.auth import create_token
from gateway.installation import open_installation, open_store
from gateway.legacy.client import jwt_tokens
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.base.errors import OF_THE_STORE, PASSING, StoreDamaged, StoreFailed
from gateway.store.base.store import Store
from gateway.store.file.errors import KNOWN, told
from gateway.store.file.session import connect
from jobs.backfill.backfill import Backfill

API = "/klantinteracties/api/v1"
SMALL = 600_000  # bytes: more than an empty store, less than a full one
TINY_DISK = "1m"


@pytest.fixture
def data() -> Dataset:
    return small(30)


@pytest.mark.of_the_file
def test_an_error_of_sqlite_is_logged_by_its_code() -> None:
    with pytest.raises(StoreFailed) as caught:
        connect(":memory:").run("nonsense")
    assert safe_error(caught.value) == "gateway.store.base.errors.StoreFailed SQLITE_ERROR"


def undisturbed(folder: Path, server: SampleServer) -> str:
    """The digest of a store that nothing happened to."""
    installation = open_installation(read_config(write_config(folder / "undisturbed", {"bron": server})))
    assert Backfill(installation.fetchers["bron"]).run()
    return dump_digest(installation.store)


def ends_well(config: Path, expected: str) -> None:
    """The cause is gone: the same command finishes, and the store is as if nothing had happened."""
    done = command_process(config, "backfill")
    assert done.returncode == 0, done.stderr
    store = make_store(config.parent / "klantbrug.db")
    assert dump_digest(store) == expected
    store.close()


@pytest.mark.of_the_file
@pytest.mark.slow
def test_a_disk_that_is_full_ends_a_backfill_with_words_and_the_next_goes_on(
    server: SampleServer, tmp_path: Path
) -> None:
    config = write_config(tmp_path, {"bron": server})

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))

    full = command_process(config, "backfill", preexec_fn=limited)
    assert full.returncode == 1
    assert "De opslag werkt niet: de schijf" in full.stderr
    assert "Traceback" not in full.stderr
    ends_well(config, undisturbed(tmp_path, server))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of one megabyte, where this user may make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TINY_DISK}", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode:
        pytest.skip("this user can't mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.of_the_file
@pytest.mark.soak
def test_a_disk_that_is_really_full(server: SampleServer, small_disk: Path, tmp_path: Path) -> None:
    config = write_config(small_disk, {"bron": server})
    full = command_process(config, "backfill")
    assert full.returncode == 1
    assert "de schijf is vol" in full.stderr
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    ends_well(config, undisturbed(tmp_path, server))


@pytest.mark.of_the_file
@pytest.mark.soak
def test_a_store_that_another_process_keeps_to_itself(server: SampleServer, tmp_path: Path) -> None:
    config = write_config(tmp_path, {"bron": server})
    store = open_installation(read_config(config)).store
    store.close()
    other = sqlite3.connect(tmp_path / "klantbrug.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    busy = command_process(config, "backfill")
    assert busy.returncode == 1
    assert "een ander proces houdt de opslag bezet" in busy.stderr
    assert time.monotonic() - began < BUSY_SECONDS * 3
    other.execute("ROLLBACK")
    other.close()
    ends_well(config, undisturbed(tmp_path, server))


@pytest.mark.of_the_file
@pytest.mark.soak
def test_a_store_that_may_not_be_written(server: SampleServer, small_disk: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    config = write_config(small_disk, {"bron": server})
    open_store(read_config(config)).close()  # with no source asked, nothing stays open there
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused = command_process(config, "backfill")
    assert refused.returncode in (1, 2)
    assert "schrijf" in refused.stderr
    assert "Traceback" not in refused.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    ends_well(config, undisturbed(tmp_path, server))


@pytest.mark.slow
def test_a_clock_that_jumps_costs_nothing(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an hour and a day, forwards and back, all through a backfill and the next one."""

    calls = 0

    def jumping() -> int:
        nonlocal calls
        calls += 1
        jump = (0, 3600, -3600, 86_400, -86_400)[calls // 50 % 5]
        return time.time_ns() + jump * 1_000_000_000

    expected = undisturbed(tmp_path, server)
    installation = open_installation(read_config(write_config(tmp_path / "jumping", {"bron": server})))
    # The source takes no token of another day: what jumps is what we write and compare.
    monkeypatch.setattr(jwt_tokens, "seconds", time.time)
    monkeypatch.setattr(clock, "time_ns", jumping)
    for _ in range(2):
        assert Backfill(installation.fetchers["bron"]).run()
        assert dump_digest(installation.store) == expected
    assert calls > 250


@pytest.mark.slow
def test_a_configuration_that_went_wrong_says_so_and_its_repair_is_enough(
    server: SampleServer, tmp_path: Path
) -> None:
    config = write_config(tmp_path, {"bron": server})
    right = config.read_text()
    config.write_text(right.replace('max_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"', ""))
    wrong = command_process(config, "backfill")
    assert wrong.returncode == 2
    assert "max_vertrouwelijkheidaanduiding" in wrong.stderr
    assert not (tmp_path / "klantbrug.db").exists()
    config.write_text(right)
    ends_well(config, undisturbed(tmp_path, server))


@pytest.mark.of_the_file
def test_a_gateway_whose_disk_is_full_reads_on_and_says_that_it_cannot_write(
    tmp_path: Path, full_disk: Callable[[Store], None]
) -> None:
    (tmp_path / "config.toml").write_text(
        f'[store]\npath = "klantbrug.db"\nuuid_secret = "{"x" * 40}"\n', encoding="utf-8"
    )
    installation = open_installation(read_config(tmp_path / "config.toml"))
    store = installation.store
    token = create_token(store, "writer", "write")
    client = create_app(installation.config, store=store).test_client()
    full_disk(store)
    headers = {"Authorization": f"Token {token}"}
    assert client.get(f"{API}/partijen", headers=headers).status_code == http.client.OK
    body = {"soortPartij": "persoon", "indicatieActief": True, "interneNotitie": ""}
    noted = [body | {"interneNotitie": token_hex(450)} for _ in range(60)]  # which can't be made shorter
    answers = [client.post(f"{API}/partijen", json=each, headers=headers) for each in noted]
    refused = [answer for answer in answers if answer.status_code != http.client.CREATED]
    assert refused
    assert {answer.status_code for answer in refused} == {503}
    assert refused[0].headers["Retry-After"]
    store.connection().execute("PRAGMA max_page_count = 1000000")
    assert client.post(f"{API}/partijen", json=body, headers=headers).status_code == http.client.CREATED


@pytest.fixture
def full_disk() -> Callable[[Store], None]:
    """Lets a store grow no more: SQLite says the same as when the disk is full."""

    def fill(store: Store) -> None:
        connection = store.connection()
        connection.execute("VACUUM")  # what migrations left free would be filled first
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    return fill


WORDS = {
    "SQLITE_FULL": "de schijf is vol; maak ruimte",
    "SQLITE_IOERR": "de schijf leest of schrijft niet goed; kijk of zij vol of defect is",
    "SQLITE_BUSY": "een ander proces houdt de opslag bezet; wacht tot het klaar is",
    "SQLITE_LOCKED": "een ander proces houdt de opslag bezet; wacht tot het klaar is",
    "SQLITE_READONLY": "mag niet worden beschreven; geef deze gebruiker dat recht",
    "SQLITE_CANTOPEN": "het bestand kan niet worden geopend; kijk of het er is en wie het mag lezen",
    "SQLITE_CORRUPT": "het bestand is beschadigd; klantbrug check --deep zegt wat er kapot is",
    "SQLITE_NOTADB": "het bestand is geen opslag van Klantbrug; klantbrug check --deep",
}


@pytest.mark.of_the_file
@pytest.mark.parametrize("name", KNOWN)
def test_every_trouble_has_its_words(name: str) -> None:
    error = sqlite3.OperationalError("a text that is not repeated")
    error.sqlite_errorname = f"{name}_SHMSIZE" if name == "SQLITE_IOERR" else name
    said = told(error)
    assert isinstance(said, OF_THE_STORE)
    assert WORDS[name] in str(said)
    assert str(said).endswith(f" ({name}).")
    assert "repeated" not in str(said)
    assert said.store_code == error.sqlite_errorname


@pytest.mark.of_the_file
def test_no_room_for_the_file_that_processes_share_is_told_as_a_full_disk() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    assert "de schijf is vol; maak ruimte (SQLITE_IOERR)" in told(error).unwritable


@pytest.mark.of_the_file
def test_a_fault_of_ours_is_no_passing_trouble() -> None:
    error = sqlite3.OperationalError("no such table")
    error.sqlite_errorname = "SQLITE_ERROR"
    assert not isinstance(told(error), OF_THE_STORE)


@pytest.mark.of_the_file
def test_a_text_that_is_none_is_damage() -> None:
    """Python's own error has no code; what it could not read is not repeated."""
    connection = connect(":memory:")
    with pytest.raises(StoreDamaged) as raised:
        connection.one("SELECT CAST(x'ff6a616e' AS TEXT)")
    assert not isinstance(raised.value, PASSING)
    assert "beschadigd" in str(raised.value)
    assert "jan" not in str(raised.value)
