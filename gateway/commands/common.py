"""What every command has in common: its configuration, exit codes, and stopping by a signal."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.config import ConfigError, load_config
from gateway.processes import NotShared
from gateway.store.database import StoreError
from gateway.store.trouble import in_words

PROBLEMS, USAGE = 1, 2
OBJECTS_BETWEEN_COLLECTIONS = 20_000


def with_config(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command its configuration; what is wrong with it or with the store ends the command, in plain words."""

    @click.pass_obj
    def command(path: Path | None, **arguments: Any) -> Any:
        try:
            return function(load_config(path, os.environ), **arguments)
        except (ConfigError, StoreError, NotShared) as error:
            click.echo(str(error), err=True)
            sys.exit(USAGE)
        except sqlite3.Error as error:
            # Whatever was in hand is undone whole, so nothing is lost.
            click.echo(f"{in_words(error)} Hetzelfde commando gaat verder waar dit ophield.", err=True)
            sys.exit(PROBLEMS)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


def stop_on_sigterm() -> None:
    """Let SIGTERM end a command as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)


def spare_collections() -> None:
    """Look for cycles less often: taking objects in makes many small ones and hardly a cycle (5 % of its time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
