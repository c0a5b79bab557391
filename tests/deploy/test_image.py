"""The image: each command of the Containerfile runs in a clean folder, and what comes of it serves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.paths import ROOT
from builders.served_process import a_port, get, listening
from tools import image_build
from tools.image_build import CONTAINERFILE, Stage, instructions

ABSOLUTE = ("/build", "/opt", "/usr", "/data", "/etc", "/var")
NOBODY = 10_001


def instructions_of(*words: str) -> list[str]:
    return [rest for word, rest in instructions(CONTAINERFILE.read_text(encoding="utf-8")) if word in words]


def test_commands_name_paths_of_the_image_by_variables_alone() -> None:
    """Else they could not be tried in a folder."""
    commands = instructions_of("RUN")
    assert len(commands) >= 8
    for command in commands:
        assert not [word for word in command.split() if word.strip('"').startswith(ABSOLUTE)], command


def test_it_runs_as_a_number_that_is_not_root() -> None:
    assert instructions_of("USER") == [f"{NOBODY}:{NOBODY}"]


def test_each_package_comes_by_its_hash() -> None:
    installs = [command for command in instructions_of("RUN") if 'pip" install' in command]
    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes" in command or "--no-index" in command
        assert "--no-deps" in command


def test_what_is_copied_is_what_the_wheel_needs() -> None:
    """And the list of what a build is sent lets it through."""
    copied = [word for rest in instructions_of("COPY") if "--from" not in rest for word in rest.split()[:-1]]
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"]} <= set(copied)
    lets_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{path}" for path in copied} <= set(lets_through)
    assert "*" in lets_through


@pytest.mark.skipif(not shutil.which("hadolint", path=Path(sys.executable).parent), reason="no hadolint here")
def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--ignore", "DL3059", CONTAINERFILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def image() -> Iterator[Stage]:
    """The image as a folder that any user can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can give the folder of the data to another user")
    folder = Path(tempfile.mkdtemp(prefix="klantbrug-image-"))
    folder.chmod(0o755)
    try:
        yield image_build.build(folder)
    finally:
        shutil.rmtree(folder)


def reachable() -> bool:
    """Whether another user can start this machine's Python, as any can in the image."""
    python = Path(os.path.realpath(sys.executable))
    return all(folder.stat().st_mode & 0o001 for folder in python.parents)


def run(image: Stage, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """The entrypoint with these arguments, as the user of the image where that can be."""
    user, group = (int(each) if reachable() else None for each in image.user.split(":"))
    return subprocess.Popen(
        [image.variables()["PATH"].split(":")[0] + "/" + image.entrypoint[0], *arguments],
        env=image.variables() | more,
        cwd=image.at("."),
        user=user,
        group=group,
        extra_groups=[] if user else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.slow
def test_it_serves_without_writing_outside_its_data(image: Stage) -> None:
    before = {path for path in image.root.rglob("*") if not path.is_relative_to(image.at("/data"))}
    port = a_port()
    more = {
        "KLANTBRUG_CONFIG": "",
        "KLANTBRUG_GATEWAY__BIND": f"127.0.0.1:{port}",
        "KLANTBRUG_STORE__PATH": str(image.at("/data") / "klantbrug.db"),
    }
    serving = run(image, "--log-json", "serve", "--register", **more)
    try:
        listening(port)
        assert json.loads(get(port, "/health/ready"))["status"] == "ready"
        serving.send_signal(signal.SIGTERM)
        output, _ = serving.communicate(timeout=60)
    finally:
        if serving.poll() is None:
            os.killpg(serving.pid, signal.SIGKILL)
    assert serving.returncode == 0, output
    after = {path for path in image.root.rglob("*") if not path.is_relative_to(image.at("/data"))}
    assert after == before
    store = image.at("/data") / "klantbrug.db"
    assert store.stat().st_uid == (NOBODY if reachable() else os.geteuid())
    assert image.at("/data").stat().st_uid == NOBODY
    assert store.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_there_is_no_pip_and_no_tool_of_ours_in_it(image: Stage) -> None:
    bin_ = image.at("/opt/klantbrug/bin")
    assert not list(bin_.glob("pip*"))
    assert not (bin_ / "pytest").exists()
    assert (bin_ / "klantbrug").exists()
    assert image.command == ["serve"]


@pytest.mark.slow
def test_a_wrong_config_ends_with_2(image: Stage) -> None:
    """What a restart policy goes by."""
    ended = run(image, "serve")
    output, _ = ended.communicate(timeout=60)
    assert ended.returncode == 2
    assert "config.toml" in output
