"""What every command has in common: its configuration, exit codes, and stopping by a signal."""

from __future__ import annotations

import functools
import gc
import os
import signal
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway.audit.log import log_of
from gateway.audit.lookups import note_command
from gateway.base import correlation
from gateway.base.correlation import JOB
from gateway.base.process_identity import NotShared
from gateway.base.subjects import Subjects
from gateway.config.load import ensure_secret, load_config
from gateway.config.model import Config, Source
from gateway.config.written import ConfigError
from gateway.legacy.pacing import machine_shares
from gateway.store.base.errors import StoreDamaged, StoreError, StoreFailed
from gateway.telemetry import running as telemetry

if TYPE_CHECKING:
    from gateway.store.base.store import Store

PROBLEMS, USAGE = 1, 2
NOT_HOME = "In fase exported wordt geen bron meer gevraagd; ga eerst terug: klantbrug phase exported --back."
# The one way to name sources, of every command that is about them.
sources_option = click.option(
    "--source", "names", multiple=True, metavar="BRON", help="Alleen deze bron (mag vaker); anders alle."
)
OBJECTS_BETWEEN_COLLECTIONS = 20_000


def with_config(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command its configuration; what is wrong with it or with the store ends the command, in plain words."""
    return _command(function, lambda config: config)


def with_store(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that looks at a store, or at what is in it: it makes none."""
    return _command(function, there)


def telling(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command that gets a configuration tell of what it does (metrics, traces), as one operation."""

    @functools.wraps(function)
    def told(config: Config, **arguments: Any) -> Any:
        name = click.get_current_context().command_path
        with telemetry.telling(config), correlation.part(JOB, name) as operation:
            audit = log_of(config)
            operation.subjects = Subjects() if audit else None
            try:
                return function(config, **arguments)
            except SystemExit as end:
                operation.status = "problems" if end.code else "finished"
                raise
            finally:
                machine_shares.leave()
                note_command(audit, operation)

    return told


def there(config: Config) -> Config:
    """The configuration, when its store was made already. Raises StoreError."""
    from gateway.store import chosen

    if chosen.is_there(config.store):
        return config
    file = (
        config.path or "er is geen config.toml in deze map; noem uw bestand met --config of KLANTBRUG_CONFIG"
    )
    raise StoreError(
        f"[store] {config.store.key}: de opslag {config.store.shown} is er nog niet (configuratie: {file}). "
        "Zij wordt gemaakt door klantbrug serve, klantbrug backfill en klantbrug token create."
    )


def serving(config: Config, register: bool) -> Config:
    """The configuration of what serves: with a source, or of a register that was asked for by that word.

    An empty register answers every question with "there is nothing", and clients then make doubles; so a file that
    was not mounted must not look like one. Raises ConfigError.
    """
    register = register or config.gateway.register
    if config.sources and register:
        raise ConfigError(["gateway.register: staat aan naast een [[source]]; haal een van de twee weg"])
    if not config.sources and not register:
        problem = f"in {config.path} staat geen [[source]]"
        if config.path is None:
            problem = "er is geen configuratie: geen config.toml in deze map, geen --config en geen KLANTBRUG_CONFIG"
        fix = (
            "wilt u een leeg register zonder bron, start dan met --register of zet [gateway] register = true"
        )
        raise ConfigError([f"source: {problem}; {fix}"])
    return ensure_secret(config)


def _command(function: Callable[..., Any], judge: Callable[[Config], Config]) -> Callable[..., Any]:
    @click.pass_obj
    def command(path: Path | None, /, **arguments: Any) -> Any:
        try:
            return function(judge(load_config(path, os.environ)), **arguments)
        except (ConfigError, StoreError, NotShared) as error:
            click.echo(str(error), err=True)
            sys.exit(USAGE)
        except StoreFailed as error:
            # Whatever was in hand is undone whole, so nothing is lost.
            again = (
                "" if isinstance(error, StoreDamaged) else " Hetzelfde commando gaat verder waar dit ophield."
            )
            click.echo(f"{error}{again}", err=True)
            sys.exit(PROBLEMS)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


def chosen_sources(config: Config, names: Collection[str]) -> list[Source]:
    """The sources that were named, all when none was; one that isn't there, or none at all, ends the command."""
    if not config.sources:
        refuse("Er is geen bron in de configuratie.")
    must_be_known(names, [source.name for source in config.sources])
    return [source for source in config.sources if not names or source.name in names]


def must_be_known(names: Collection[str], known: Collection[str]) -> None:
    """End the command when one of these names is of no known source."""
    if unknown := sorted(set(names) - set(known)):
        there = f"er is: {', '.join(sorted(set(known)))}" if known else "er is er geen"
        refuse(f"Er is geen bron {', '.join(unknown)}; {there}.")


def must_be_home(store: Store) -> None:
    """End a command that takes something in from the legacy side once a register took over: it would land nowhere."""
    from gateway.operator.export.switch import is_exported

    if is_exported(store):
        refuse(NOT_HOME)


def refuse(why: str) -> NoReturn:
    """End the command: it was asked for what can't be."""
    click.echo(why, err=True)
    sys.exit(USAGE)


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
