"""What `klantbrug check` says of the register to leave to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.commands import command
from builders.old_home import OldHome
from builders.other_register import API, OtherRegister, running
from builders.stores import copy_store

from gateway.config.target import Target
from gateway.http.auth import create_token
from gateway.operator.check_report import Level
from gateway.operator.export.check_register import check_register
from gateway.store.export import pairs

pytestmark = pytest.mark.slow


def told(home: OldHome, target: Target) -> dict[str, str]:
    """The lines by their level; of one level one after another."""
    found = dict[str, str]()
    for line in check_register(replace(home.config, target=target)):
        found[line.level] = f"{found.get(line.level, '')}{line.text} "
    return found


@pytest.fixture
def silent(register: OtherRegister) -> Iterator[OtherRegister]:
    """A register that must not be changed by a check."""
    before = register.counts()
    yield register
    assert register.counts() == before


def test_a_register_that_may_be_used_is_told_so(home: OldHome, silent: OtherRegister) -> None:
    home.fill(2)
    found = told(home, silent.settings(read_timeout=30))
    assert Level.PROBLEM not in found
    assert "Klantinteracties API 0.9.0" in found[Level.OK]
    assert "mag in het register lezen, maken, wijzigen en verwijderen" in found[Level.OK]
    assert "zelf een Klantbrug" in found[Level.WARNING]
    assert told(home, Target()) == {}


@pytest.mark.parametrize(
    ("scope", "problem"),
    [
        ("read", "mag in het register niets maken"),
        ("monitor", "neemt het token niet aan"),
    ],
)
def test_rights_that_miss_are_named(home: OldHome, silent: OtherRegister, scope: str, problem: str) -> None:
    target = replace(silent.settings(read_timeout=30), token=create_token(silent.store, f"t-{scope}", scope))
    problems = told(home, target)[Level.PROBLEM]
    assert problem in problems
    assert ("wijzigen" in problems) == (scope != "monitor")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"url": "http://127.0.0.1:9/klantinteracties/api/v1"}, "niet te bereiken"),
        ({"token": "kb_geen"}, "neemt het token niet aan"),
        ({"path": "/klantinteracties/api/v9"}, "antwoordt geen Klantinteracties API (status 404)"),
        ({"path": "/health/live"}, "antwoordt geen Klantinteracties API"),
    ],
)
def test_what_is_wrong_is_told_in_words(
    home: OldHome, silent: OtherRegister, change: dict[str, Any], problem: str
) -> None:
    if "path" in change:
        change = {"url": silent.base + change["path"]}
    assert problem in told(home, replace(silent.settings(read_timeout=30), **change))[Level.PROBLEM]


def test_an_address_without_tls_is_told(home: OldHome) -> None:
    target = Target(url=f"http://register.invalid{API}", token="t", connect_timeout=1, read_timeout=1)
    assert "onversleuteld" in told(home, target)[Level.WARNING]


def test_klantbrug_itself_is_no_register_to_leave_to(home: OldHome, tmp_path: Path) -> None:
    """By its address, and behind another address by what it has."""
    own = f"http://{home.config.gateway.bind}{API}"
    assert "deze Klantbrug zelf" in told(home, Target(url=own, token="t"))[Level.PROBLEM]
    home.fill(1)
    folder = tmp_path / "itself"
    folder.mkdir()
    copy_store(home.store.path, folder / "register.db")
    with running(folder) as itself:
        assert "deze Klantbrug zelf" in told(home, itself.settings(read_timeout=30))[Level.PROBLEM]


@pytest.mark.slow
def test_another_register_than_before_is_seen(home: OldHome, silent: OtherRegister, tmp_path: Path) -> None:
    home.fill(1)
    with running(tmp_path / "before") as before:
        home.export(before.settings())
        assert "staan er" in told(home, before.settings(read_timeout=30))[Level.OK]
        problem = told(home, silent.settings(read_timeout=30))[Level.PROBLEM]
        assert (
            f"klantbrug export moved --from {before.settings().url} --to {silent.settings().url}" in problem
        )
    with home.store.write() as connection:
        pairs.moved(connection, silent.settings().url)
    assert (
        "kent niets van wat eerder is verstuurd"
        in told(home, silent.settings(read_timeout=30))[Level.PROBLEM]
    )


def test_the_command_says_it(home: OldHome, silent: OtherRegister) -> None:
    path = home.folder / "config.toml"
    token = home.folder / "register.token"
    token.write_text(create_token(silent.store, "reader", "read"))
    token.chmod(0o600)
    path.write_text(path.read_text() + f'[target]\nurl = "{silent.settings().url}"\ntoken_file = "{token}"\n')
    path.chmod(0o600)
    result = command(path, "check")
    assert result.exit_code == 1
    assert "[FOUT]   Het token mag in het register niets maken" in result.output
