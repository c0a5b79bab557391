"""What click says of itself, in Dutch: usage, options, what is wrong with them."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

import click

# click asks the default domain of gettext.
DOMAIN = "messages"
LOCALE = Path(__file__).parent / "locale"
# What stands for the value of an option, by the name of its type.
VALUES = {
    "text": "TEKST",
    "integer": "GETAL",
    "integer range": "GETAL",
    "float": "GETAL",
    "path": "BESTAND",
    "file": "BESTAND",
    "uuid": "UUID",
}


def speak_dutch() -> None:
    """Let this process, and those that it starts, speak Dutch, whatever the language of the machine."""
    os.environ["LANGUAGE"] = "nl"
    gettext.bindtextdomain(DOMAIN, str(LOCALE))
    gettext.textdomain(DOMAIN)


def with_dutch_usage(command: click.Command) -> None:
    """Let the usage of a command, and of all below it, stand in Dutch: what click does not ask gettext for."""
    command.options_metavar = "[OPTIES]"
    for param in command.params:
        if isinstance(param, click.Option) and not param.is_flag and param.metavar is None:
            param.metavar = VALUES.get(param.type.name)
    if isinstance(command, click.Group):
        command.subcommand_metavar = "COMMANDO [ARGUMENTEN]..."
        for below in command.commands.values():
            with_dutch_usage(below)
