"""What deploy/ names exists: keys of the configuration, commands and options; units and compose files are sound."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from builders.paths import ROOT

from gateway.cli.main import cli
from gateway.config.load import load_config
from gateway.config.sections import SECTIONS

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in [*DEPLOY.rglob("*"), ROOT / "Containerfile"] if path.is_file())
VARIABLE = re.compile(r"KLANTBRUG_([A-Z]+)__([A-Z_]+)")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_variable_is_a_key(file: Path) -> None:
    for section, key in VARIABLE.findall(file.read_text(encoding="utf-8")):
        assert key.lower() in SECTIONS[section.lower()].fields, f"{section}__{key}"


def test_variables_are_looked_at_at_all() -> None:
    assert sum(len(VARIABLE.findall(file.read_text(encoding="utf-8"))) for file in FILES) > 10


def resolves(words: list[str]) -> bool:
    """Whether these words after `klantbrug` are a command with options that it has."""
    group: click.Command = cli
    for word in words:
        if word.startswith("--"):
            if not any(word in each.opts for each in [*group.params, *cli.params]):
                return False
        elif isinstance(group, click.Group):
            found = group.get_command(click.Context(group), word)
            if found is None:
                return False
            group = found
    return True


def test_each_command_exists() -> None:
    commands = [
        line.split("klantbrug ", 1)[1].split()
        for file in UNITS
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("ExecStart")
    ]
    assert commands
    for words in commands:
        assert resolves(words), words
    assert not resolves(["serve", "--no-such-option"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    """With a program in the place of ours, which is not installed here."""
    text = re.sub(
        r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    tried = tmp_path / unit.name
    tried.write_text(text, encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", tried], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", tried],
        capture_output=True,
        text=True,
        check=False,
    )
    assert exposed.returncode == 0, exposed.stdout[-400:]


COMPOSE = DEPLOY / "compose"


def test_compose_gives_no_more_rights_than_needed() -> None:
    composed = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
    ours = composed["services"]["klantbrug"]
    assert ours["read_only"] is True
    assert ours["cap_drop"] == ["ALL"]
    assert ours["stop_grace_period"] == "45s"
    assert "ports" not in ours  # only the proxy is reached
    assert "log" not in re.findall(r"^\s*(\w+)", (COMPOSE / "Caddyfile").read_text(), re.MULTILINE)


def test_the_files_of_compose_fit_together() -> None:
    """Each volume, network and service that one names is there, in it or in the file that it is laid over."""
    files = [
        yaml.safe_load((COMPOSE / name).read_text()) for name in ("compose.yaml", "compose.postgresql.yaml")
    ]
    known = {
        part: {name for file in files for name in file[part]} for part in ("services", "volumes", "networks")
    }
    assert "ports" not in files[1]["services"]["database"]
    for service in [each for file in files for each in file["services"].values()]:
        assert set(service["networks"]) <= known["networks"]
        assert set(service.get("depends_on", ())) <= known["services"]
        for volume in service.get("volumes", ()):
            assert volume.startswith("./") or volume.split(":")[0] in known["volumes"]


@pytest.mark.parametrize("way", ["file", "database"])
def test_the_configuration_of_compose_is_read(way: str, tmp_path: Path) -> None:
    """As it stands, and with the lines of PostgreSQL in the place of the path."""
    text = (COMPOSE / "config.toml.example").read_text(encoding="utf-8")
    if way == "database":
        text = re.sub(
            r"^path = .*\n", "", re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE), flags=re.MULTILINE
        )
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("openzaak.secret", "uuid.secret", "postgresql.password"):
        (secrets / name).write_text("x" * 40)
    text = text.replace("/run/secrets", str(secrets)).replace("/data", str(tmp_path))
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    composed = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]["klantbrug"]["environment"]
    environment = {
        name: value.replace("/run/secrets", str(secrets)).replace(
            "${KLANTBRUG_HOST:-klantbrug.localhost}", "k.nl"
        )
        for name, value in composed.items()
    }
    known = load_config(tmp_path / "config.toml", environment)
    assert bool(known.store.url) == (way == "database")
    assert known.gateway.public_url == "https://k.nl"
