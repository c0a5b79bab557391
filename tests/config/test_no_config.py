"""Without a source nothing serves unless it was asked to, and who only looks makes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders.commands import klantbrug
from builders.served_process import a_port, wait_for

pytestmark = pytest.mark.slow

UUID = "00000000-0000-4000-8000-000000000000"
LOOKS = (
    ["status"],
    ["status", "--json"],
    ["check"],
    ["dump"],
    ["explain", UUID],
    ["findings"],
    ["quarantine", "list"],
    ["quarantine", "show", UUID],
    ["token", "list"],
    ["token", "revoke", "iemand"],
    ["phase"],
    ["phase", "--log"],
    ["jobs", "list"],
    ["backfill", "status"],
    ["verify", "--list"],
    ["notifications", "status"],
    ["rebuild", "--dry-run"],
)
SERVES = (["serve"], ["serve", "--no-jobs"], ["jobs"], ["jobs", "serve"])
WITHOUT_SOURCE = '[store]\npath = "klantbrug.db"\n'


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command in an own folder, without the environment of whoever runs the tests."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("KLANTBRUG_")}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=folder,
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("written", [False, True], ids=["no file", "no source"])
@pytest.mark.parametrize("command", SERVES, ids=" ".join)
def test_what_serves_does_not_start_without_a_source(
    tmp_path: Path, command: list[str], written: bool
) -> None:
    if written:
        (tmp_path / "config.toml").write_text(WITHOUT_SOURCE)
    before = sorted(tmp_path.iterdir())
    done = run(tmp_path, *command)
    assert done.returncode == 2
    assert "--register" in done.stderr
    assert "[gateway] register = true" in done.stderr
    assert ("config.toml staat geen [[source]]" if written else "geen configuratie") in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("by", ["flag", "file", "environment"])
def test_a_register_is_asked_for_by_a_word(tmp_path: Path, run_log: Path, by: str) -> None:
    """It serves, with its jobs beside it, and its clients get a token of the same store."""
    port = a_port()
    text = f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = 1\n'
    text += "register = true\n" if by == "file" else ""
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert run(tmp_path, "token", "create", "kiss", "--scope", "read").returncode == 0
    flags = ["--register"] if by == "flag" else []
    if by == "environment":
        os.environ["KLANTBRUG_GATEWAY__REGISTER"] = "true"
    try:
        with klantbrug(run_log, "--config", path, "serve", *flags) as process:
            wait_for(f"http://127.0.0.1:{port}/health/ready")
            assert process.poll() is None
    finally:
        os.environ.pop("KLANTBRUG_GATEWAY__REGISTER", None)
    assert (tmp_path / "klantbrug.db.secret").exists()
    assert "kiss" in run(tmp_path, "token", "list").stdout


def test_a_register_with_a_source_is_neither(tmp_path: Path) -> None:
    text = WITHOUT_SOURCE + 'uuid_secret = "a secret of the tests, longer than thirty-two characters"\n'
    text += '[mapping]\nmax_vertrouwelijkheidaanduiding = "openbaar"\n[[source]]\nname = "bron"\n'
    text += 'zaken_url = "http://127.0.0.1:9/zaken/api/v1/"\nclient_id = "x"\nsecret = "x"\n'
    (tmp_path / "config.toml").write_text(text)
    done = run(tmp_path, "serve", "--register")
    assert done.returncode == 2
    assert "gateway.register" in done.stderr


@pytest.mark.parametrize("command", LOOKS, ids=" ".join)
def test_who_only_looks_makes_no_files(tmp_path: Path, command: list[str]) -> None:
    done = run(tmp_path, *command)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    said = done.stdout + done.stderr
    assert "[[source]]" in said or "is er nog niet" in said or "bron" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["backfill"], ["sync"], ["verify"], ["jobs", "run", "sync"]], ids=" ".join
)
def test_who_reads_a_source_makes_no_files_without_one(tmp_path: Path, command: list[str]) -> None:
    done = run(tmp_path, *command)
    assert done.returncode == 2, done.stderr
    assert list(tmp_path.iterdir()) == []
