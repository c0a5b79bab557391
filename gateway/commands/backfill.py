"""`klantbrug backfill`: read a source whole, and steer that while it runs, from another terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
import orjson

from gateway.commands.common import PROBLEMS, USAGE, spare_collections, stop_on_sigterm, with_config
from gateway.config import Config, Source
from gateway.store.database import Store

SOURCES = click.option("--source", "names", multiple=True, help="Alleen deze bron (mag vaker).")


@click.group(invoke_without_command=True)
@click.pass_context
def backfill(context: click.Context) -> None:
    """Leest een bron volledig in, en stuurt dat bij; zonder subcommando: run."""
    if context.invoked_subcommand is None:
        context.invoke(run_backfill)


@backfill.command("run")
@SOURCES
@with_config
def run_backfill(config: Config, names: tuple[str, ...] = ()) -> None:
    """Leest in, met voortgang; Ctrl-C kost niets: de volgende keer gaat het verder."""
    from gateway import backfills
    from gateway.installation import open_installation
    from gateway.legacy.errors import LegacyError
    from gateway.show import shown_progress
    from gateway.store.leases import Lost
    from jobs.backfill import Backfill, Busy, Stopped

    chosen = _chosen(config, names)
    stop_on_sigterm()
    spare_collections()
    installation = open_installation(config)
    complete = True
    for source in chosen:
        backfills.resume(installation.store, source)
        with shown_progress() as show:
            try:
                done = Backfill(installation.fetchers[source.name], show).run()
            except (KeyboardInterrupt, Stopped):
                click.echo("Onderbroken. Hetzelfde commando gaat verder waar dit ophield.", err=True)
                sys.exit(PROBLEMS)
            except (LegacyError, Busy) as error:
                click.echo(f"{error} Hetzelfde commando gaat verder waar dit ophield.", err=True)
                sys.exit(PROBLEMS)
            except Lost:
                click.echo("Een ander proces nam het over.", err=True)
                sys.exit(PROBLEMS)
        click.echo(
            f"Bron {source.name}: "
            + ("volledig ingelezen." if done else "NIET volledig; zie klantbrug status.")
        )
        complete = complete and done
    sys.exit(0 if complete else PROBLEMS)


@backfill.command("pause")
@SOURCES
@with_config
def pause_backfill(config: Config, names: tuple[str, ...]) -> None:
    """Laat een lopende backfill wachten, tot resume."""
    from gateway import backfills

    _each(config, names, backfills.pause, "wacht; verder met resume")


@backfill.command("resume")
@SOURCES
@with_config
def resume_backfill(config: Config, names: tuple[str, ...]) -> None:
    """Laat een backfill verdergaan na pause of stop."""
    from gateway import backfills

    def go_on(store: Store, source: Source) -> None:
        if not backfills.resume(store, source):
            raise backfills.NothingRuns(
                f"Er loopt geen backfill van bron {source.name}; klantbrug backfill run gaat verder"
                " waar de laatste ophield (of de job, waar [jobs.backfill] aanstaat)."
            )

    _each(config, names, go_on, "gaat verder")


@backfill.command("stop")
@SOURCES
@with_config
def stop_backfill(config: Config, names: tuple[str, ...]) -> None:
    """Laat een lopende backfill ophouden; run gaat later verder waar die was."""
    from gateway import backfills

    _each(config, names, backfills.stop, "houdt op")


@backfill.command("set")
@click.argument("settings", nargs=-1, required=True, metavar="rate=GETAL|connections=AANTAL...")
@SOURCES
@with_config
def set_backfill(config: Config, settings: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Verandert het tempo van een lopende backfill: rate in objecten per seconde (0: geen grens)."""
    from gateway import backfills

    given = dict(setting.partition("=")[::2] for setting in settings)
    try:
        rate, connections = given.pop("rate", None), given.pop("connections", None)
        limits = backfills.Limits(
            float(rate) if rate is not None else None, int(connections) if connections is not None else None
        )
    except ValueError:
        _refuse("rate en connections zijn getallen, bijvoorbeeld rate=500 connections=1.")
    if given:
        _refuse(f"Alleen rate en connections zijn in te stellen, niet {', '.join(sorted(given))}.")
    _each(
        config,
        names,
        lambda store, source: backfills.set_limits(store, source, limits),
        "gaat in dit tempo verder",
    )


@backfill.command("status")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@SOURCES
@with_config
def backfill_status(config: Config, as_json: bool, names: tuple[str, ...]) -> None:
    """Toont hoe ver de backfill is, hoe snel hij gaat en waar hij op wacht."""
    from gateway.backfills import overview
    from gateway.installation import open_store
    from gateway.show import backfills_text

    found = overview(open_store(config), [source.name for source in _chosen(config, names)])
    click.echo(orjson.dumps(found).decode() if as_json else backfills_text(found).rstrip())


def _chosen(config: Config, names: tuple[str, ...]) -> list[Source]:
    """The sources that were named, all when none was; a name that isn't there ends the command."""
    unknown = set(names) - {source.name for source in config.sources}
    if unknown or not config.sources:
        _refuse("Er is geen bron " + (", ".join(sorted(unknown)) or "in de configuratie") + ".")
    return [source for source in config.sources if not names or source.name in names]


def _each(config: Config, names: tuple[str, ...], deed: Callable[[Store, Source], object], done: str) -> None:
    """Do something to the backfill of each source; 1 when there was none to do it to."""
    from gateway.backfills import NothingRuns, NotPossible
    from gateway.installation import open_store

    store, steered = open_store(config), 0
    for source in _chosen(config, names):
        try:
            deed(store, source)
        except NothingRuns as error:
            click.echo(str(error), err=True)
            continue
        except NotPossible as error:
            _refuse(str(error))
        click.echo(f"De backfill van bron {source.name} {done}.")
        steered += 1
    sys.exit(0 if steered else PROBLEMS)


def _refuse(why: str) -> None:
    click.echo(why, err=True)
    sys.exit(USAGE)
