"""On PostgreSQL each machine has the same key of pseudonyms; on each machine old files go."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from builders.commands import command
from builders.configs import UUID_SECRET, read_config
from builders.stores import ON_POSTGRES, store_keys

from gateway.audit.files import AuditFile, files
from gateway.base import clock
from gateway.installation import open_store
from gateway.store.base.errors import StoreError

DAY = 86400 * 1_000_000


def machine(folder: Path, store: Path, key: str) -> Path:
    """The configuration of one machine, with a key of its own."""
    folder.mkdir()
    (folder / "audit").mkdir(mode=0o700)
    (folder / "audit.key").write_text(key)
    (folder / "audit.key").chmod(0o600)
    path = folder / "config.toml"
    path.write_text(
        f'[gateway]\nregister = true\n[store]\n{store_keys(store)}uuid_secret = "{UUID_SECRET}"\n'
        '[audit]\nenabled = true\nactivity = "https://gemeente.example.nl/verwerking/1"\n'
        f'directory = "{folder / "audit"}"\nkey_file = "{folder / "audit.key"}"\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
def test_machines_over_one_database_have_one_key(tmp_path: Path) -> None:
    store = tmp_path / "klantbrug.db"
    first = machine(tmp_path / "first", store, "a" * 64)
    same = machine(tmp_path / "same", store, "a" * 64)
    other = machine(tmp_path / "other", store, "b" * 64)
    for path in (first, same, first):
        open_store(read_config(path)).close()
    with pytest.raises(StoreError, match="audit forget-key"):
        open_store(read_config(other))
    done = command(other, "audit", "forget-key", "--yes")
    assert (done.exit_code, "losgelaten" in done.output) == (0, True), done.output
    open_store(read_config(other)).close()
    with pytest.raises(StoreError, match="audit forget-key"):
        open_store(read_config(first))


def test_old_files_go_on_each_machine_when_a_day_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [int(time.time()) * 1_000_000]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    file = AuditFile(tmp_path, keep_days=2)
    for number in range(5):
        file.write(b"%d\n" % number)
        moment[0] += DAY
    file.close()
    assert [path.read_bytes() for path in files(tmp_path)] == [b"2\n", b"3\n", b"4\n"]
    assert files(tmp_path)[0].stat().st_mode & 0o777 == 0o600
