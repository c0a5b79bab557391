"""Every `klantbrug ...` that the program tells somebody to run exists, with its options: in code and pages.

What stands in a sentence is followed word by word for as long as its words are of the command; whole commands, with
options or a value, are parsed as the command line would.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from builders.paths import ROOT

from gateway.cli.main import cli

SOURCES = sorted(
    path
    for package in ("gateway", "jobs", "mappings")
    for ending in ("*.py", "*.html")
    for path in (ROOT / package).rglob(ending)
)
HINT = re.compile(r"\bklantbrug ((?:--?[a-z-]+|[A-Za-z{][\w{}.|-]*)(?: (?:--?[a-z-]+|[\w{}.|-]+))*)")
# A value for what stands in capitals or came from a variable.
VALUES = {"NUMMER": "1", "UUID": "28be5044-9d85-4354-b06f-4c3964f01290", "MINUTEN": "5"}
VALUE = "x"
# What is no command: the name of the program before another word.
NAMES = {
    # of logs, metrics and threads
    *("call", "command", "background", "login", "metrics", "operation", "question", "form", "uuid_secret"),
    VALUE,
}


def texts(path: Path) -> Iterator[str]:
    """What a file may say: each text of a module, with a value where one is filled in; else the whole file."""
    if path.suffix != ".py":
        yield " ".join(
            re.sub(r"\{\{.*?\}\}|\{%.*?%\}|<[^>]+>", VALUE, path.read_text(encoding="utf-8")).split()
        )
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def judge(hint: str) -> bool:
    """Follow a hint through the command tree. Out: is it a command? Raises AssertionError where it goes wrong."""
    words = hint.split()
    if words[0].rstrip(".") in NAMES:
        return False
    command: click.Command = cli
    path: list[str] = []
    rest = list(words)
    while rest and isinstance(command, click.Group):
        word = rest[0].rstrip(".")
        choices = word.split("|")
        if not all(choice in command.commands for choice in choices):
            # A group that does something by itself may stand in a sentence.
            assert path or word.startswith("-"), f"there is no command {word}"
            assert command.invoke_without_command or not word.startswith("-") or word in options_of(command)
            if not command.invoke_without_command:
                assert word in SENTENCE, f"klantbrug {' '.join(path)} has no {word}"
            break
        command = command.commands[choices[0]]
        path.append(word)
        rest = rest[1:]
    for word in rest:
        if word.startswith("--"):
            assert word in options_of(command), f"klantbrug {' '.join(path)} has no option {word}"
    if any(word.startswith("--") or word.isupper() for word in rest) and not isinstance(command, click.Group):
        parse(command, rest)
    return True


def options_of(command: click.Command) -> set[str]:
    return {name for option in command.params for name in option.opts} | {"--help"}


def parse(command: click.Command, rest: list[str]) -> None:
    """Let the command read its options and values, up to where the sentence goes on."""
    options = {name: option for option in command.params for name in option.opts}
    given: list[str] = []
    takes = 0
    places = [each for each in command.params if isinstance(each, click.Argument)]
    for word in rest:
        if takes:
            given.append(VALUES.get(word, word))
            takes = 0
        elif word.startswith("--"):
            given.append(word)
            takes = not options[word].is_flag  # type: ignore[attr-defined]
        elif places and (word.isupper() or word == VALUE):
            given.append(VALUES.get(word, word))
        else:
            break  # the sentence goes on
    if takes:
        given.append(VALUE)
    if any(each.required for each in places) and not [each for each in given if not each.startswith("--")]:
        given.append(VALUES["UUID"])
    command.make_parser(click.Context(command)).parse_args(given)


# Words of a sentence that may come after a group.
SENTENCE = {"en", "of", "kan", "de", "het", "wat"}


def hints(path: Path) -> Iterator[str]:
    for text in texts(path):
        yield from HINT.findall(" ".join(text.split()))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_told_to_be_run_exists(path: Path) -> None:
    for hint in hints(path):
        judge(hint)


def test_there_are_hints_and_wrong_ones_are_noticed() -> None:
    assert sum(judge(hint) for path in SOURCES for hint in hints(path)) > 80
    for wrong in (
        "vlieg weg",
        "quarantine lst",
        "verify --volledig",
        "export verify --ful",
        "writeback list --alles",
        "phase synced --bron x",
    ):
        with pytest.raises((AssertionError, click.UsageError)):
            judge(wrong)
