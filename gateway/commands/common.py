"""What every command has in common: its configuration, exit codes, and stopping by a signal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.config import ConfigError, load_config
from gateway.store.database import StoreError

PROBLEMS, USAGE = 1, 2


def with_config(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command its configuration; what is wrong with it or with the store ends the command, in plain words."""

    @click.pass_obj
    def command(path: Path | None, **arguments: Any) -> Any:
        try:
            return function(load_config(path, os.environ), **arguments)
        except (ConfigError, StoreError) as error:
            click.echo(str(error), err=True)
            sys.exit(USAGE)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


def stop_on_sigterm() -> None:
    """Let SIGTERM end a command as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
