"""The reference of the command: `make reference` writes docs/commands.md, a test compares it.

All of it is what `klantbrug ... --help` says, in the order of `klantbrug --help`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click
from builders.paths import ROOT

from gateway.cli.dutch import speak_dutch
from gateway.cli.main import cli

DOCUMENT = ROOT / "docs" / "commands.md"
NAME, USAGE = "klantbrug", "Gebruik:"
ABOUT = """# Commando's

Gemaakt uit het commando zelf met `make reference`; wat hier staat, zegt ook `--help`. Wat wanneer te
doen is, staat in [operation.md](operation.md). Eindcodes: 0 klaar, 1 klaar met problemen (de tekst zegt welke),
2 verkeerd gebruik of een fout in de configuratie.
"""


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, each with how it is called."""
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, f"{path} {name}")


def section(path: str, command: click.Command) -> str:
    """What one command does, how it is written, and its options."""
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [
        f"## {path}",
        "",
        plain(inspect.cleandoc(command.help or "")),
        "",
        "```",
        f"{USAGE} {usage}",
        "```",
    ]
    options = [each.get_help_record(context) for each in command.params if isinstance(each, click.Option)]
    # Every command has --help: that is said once, at the top.
    rows = [(cell(name), cell(plain(said))) for name, said in filter(None, options)]
    if rows:
        lines += ["", "| Optie | |", "|---|---|", *(f"| `{name}` | {said} |" for name, said in rows)]
    return "\n".join(lines)


def plain(text: str) -> str:
    """A text in which Markdown sees no markup."""
    return re.sub(r"<(?=\w)", r"\\<", text)


def cell(text: str) -> str:
    """A text as it stands in a table."""
    return " ".join(text.replace("|", "\\|").split())


def document() -> str:
    """The whole document."""
    speak_dutch()
    return "\n\n".join([ABOUT.strip(), *(section(*one) for one in commands(cli, NAME))]) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
