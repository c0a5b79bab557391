"""When a command may show personal values: asked for with --show, and to a person at a terminal only."""

from __future__ import annotations

import sys
from typing import Any

import click

from gateway.cli.terminal.options import USAGE

show_option = click.option("--show", is_flag=True, help="Ook persoonsgegevens; alleen op een terminal.")


def may_show(show: bool) -> bool:
    """Is `--show` given? Ends the command when the output is no terminal: a file or pipe would keep the values."""
    if show and not sys.stdout.isatty():
        click.echo("--show toont persoonsgegevens en werkt alleen op een terminal.", err=True)
        sys.exit(USAGE)
    return show


def as_text(value: Any) -> str:
    """A value as it stands on a line: control characters in it can't do anything to the terminal."""
    if value is None or value == "":
        return "(leeg)"
    text = value if isinstance(value, str) else repr(value)
    return "".join(sign if sign.isprintable() else " " for sign in text)
