"""`klantbrug backfill`: read a source whole, and steer that while it runs, from another terminal."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable

import click
import orjson

from gateway.cli.terminal.options import (
    PROBLEMS,
    chosen_sources,
    must_be_home,
    refuse,
    sources_option,
    spare_collections,
    stop_on_sigterm,
    telling,
    with_config,
    with_store,
)
from gateway.config.model import Config, Source
from gateway.store.base.store import Store


@click.group(invoke_without_command=True)
@click.pass_context
def backfill(context: click.Context) -> None:
    """Leest een bron volledig in, en stuurt dat bij; zonder subcommando: run."""
    if context.invoked_subcommand is None:
        context.invoke(run_backfill)


@backfill.command("run")
@sources_option
@with_config
@telling
def run_backfill(config: Config, names: tuple[str, ...] = ()) -> None:
    """Leest in, met voortgang; Ctrl-C kost niets: de volgende keer gaat het verder."""
    from gateway.cli.terminal.displays import BACKFILL
    from gateway.cli.terminal.progress import show_progress
    from gateway.fetch.fetcher import Fetcher
    from gateway.installation import open_installation
    from gateway.legacy.errors import LegacyError
    from gateway.operator import backfills
    from gateway.store.operation.leases import Lost
    from jobs.backfill.all_sources import in_turn
    from jobs.backfill.backfill import Backfill, BackfillStopped, Busy, Yielded

    left = {source.name: source for source in chosen_sources(config, names)}
    stop_on_sigterm()
    spare_collections()
    installation = open_installation(config)
    must_be_home(installation.store)
    begun, complete = set[str](), True

    def begin(source: Source) -> None:
        # Once: whoever pauses it after that means this run.
        if source.name not in begun:
            backfills.resume(installation.store, source)
        begun.add(source.name)

    def read(fetcher: Fetcher, yields: Callable[[], bool]) -> None:
        nonlocal complete
        source, done = left[fetcher.name], False
        try:
            with show_progress(BACKFILL) as show:
                done = Backfill(fetcher, show, begins=lambda: begin(source), yields=yields).run()
        except Yielded:
            raise
        except Busy as error:
            click.echo(f"{error}.", err=True)
        except LegacyError as error:
            click.echo(f"{error}. Hetzelfde commando gaat verder waar dit ophield.", err=True)
        except Lost:
            click.echo(f"Bron {source.name}: een ander proces nam het over.", err=True)
        else:
            outcome = "volledig ingelezen." if done else "NIET volledig; zie klantbrug status."
            click.echo(f"Bron {source.name}: {outcome}")
        complete = complete and done
        del left[source.name]

    try:
        in_turn(lambda: [installation.fetchers[name] for name in left], read)
    except (KeyboardInterrupt, BackfillStopped):
        click.echo("Onderbroken. Hetzelfde commando gaat verder waar dit ophield.", err=True)
        sys.exit(PROBLEMS)
    sys.exit(0 if complete else PROBLEMS)


@backfill.command("pause")
@sources_option
@with_config
def pause_backfill(config: Config, names: tuple[str, ...]) -> None:
    """Laat een lopende backfill en de andere jobs op een bron wachten, tot resume; ook als er geen backfill loopt."""
    from gateway.base.clock import now
    from gateway.operator import backfills

    def wait(store: Store, source: Source) -> str:
        since = now()
        runs = backfills.pause(store, source, getpass.getuser())
        paused = runs and backfills.paused(store, source, since)
        if not backfills.runs_now(store, source):
            return f"De jobs op bron {source.name} wachten, tot resume; er loopt geen backfill."
        if paused:
            return f"De backfill van bron {source.name} wacht; verder met resume."
        raise backfills.NothingRuns(
            f"De pauze van bron {source.name} is gevraagd, maar het proces van de backfill heeft na "
            f"{backfills.REPORTS_WITHIN:.0f} s niet gemeld dat het wacht; zie klantbrug backfill status."
        )

    _each(config, names, wait)


@backfill.command("resume")
@sources_option
@with_config
def resume_backfill(config: Config, names: tuple[str, ...]) -> None:
    """Laat een backfill verdergaan na pause of stop."""
    from gateway.operator import backfills

    def go_on(store: Store, source: Source) -> str:
        was = backfills.resume(store, source, getpass.getuser())
        if was.runs:
            return f"De backfill van bron {source.name} gaat verder."
        idle = f"Er loopt geen backfill van bron {source.name}; klantbrug backfill run gaat verder waar de laatste"
        idle += " ophield (of de job, waar [jobs.backfill] aanstaat)."
        if not (was.pause or was.stop):
            raise backfills.NothingRuns(idle)
        lifted = "De pauze van alle jobs" if was.pause else "De stop"
        return f"{lifted} op bron {source.name} is opgeheven. {idle}"

    _each(config, names, go_on)


@backfill.command("stop")
@sources_option
@with_config
def stop_backfill(config: Config, names: tuple[str, ...]) -> None:
    """Laat een lopende backfill ophouden; run gaat later verder waar die was."""
    from gateway.operator import backfills

    def end(store: Store, source: Source) -> str:
        backfills.stop(store, source, getpass.getuser())
        return f"De backfill van bron {source.name} houdt op."

    _each(config, names, end)


@backfill.command("set")
@click.argument("settings", nargs=-1, metavar="rate=GETAL|connections=AANTAL...")
@click.option("--undo", is_flag=True, help="Weer zoals de configuratie zegt.")
@sources_option
@with_config
def set_backfill(config: Config, settings: tuple[str, ...], undo: bool, names: tuple[str, ...]) -> None:
    """Verandert het tempo van alle jobs op een bron, tot er een backfill klaar is of --undo.

    rate is in objecten per seconde (0: geen grens), connections hoeveel aanroepen tegelijk.
    """
    from gateway.operator import backfills

    if undo == bool(settings):
        refuse("Noem rate=GETAL, connections=AANTAL of beide; of alleen --undo.")
    if undo:

        def back(store: Store, source: Source) -> str:
            backfills.unset(store, source, getpass.getuser())
            return f"Voor bron {source.name} geldt weer het tempo van de configuratie."

        _each(config, names, back)
        return

    given = dict(setting.partition("=")[::2] for setting in settings)
    try:
        rate, connections = given.pop("rate", None), given.pop("connections", None)
        limits = backfills.BackfillLimits(
            float(rate) if rate is not None else None, int(connections) if connections is not None else None
        )
    except ValueError:
        refuse("rate en connections zijn getallen, bijvoorbeeld rate=500 connections=1.")
    if given:
        refuse(f"Alleen rate en connections zijn in te stellen, niet {', '.join(sorted(given))}.")

    def change(store: Store, source: Source) -> str:
        backfills.set_limits(store, source, limits, getpass.getuser())
        if backfills.runs_now(store, source):
            return f"De backfill van bron {source.name} gaat in dit tempo verder."
        return f"De jobs op bron {source.name} gaan in dit tempo; terug met backfill set --undo."

    _each(config, names, change)


@backfill.command("status")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@sources_option
@with_store
def backfill_status(config: Config, as_json: bool, names: tuple[str, ...]) -> None:
    """Toont hoe ver de backfill is, hoe snel hij gaat en waar hij op wacht."""
    from gateway.cli.terminal.status_text import backfills_text
    from gateway.installation import open_store
    from gateway.operator.backfills import overview

    found = overview(open_store(config), chosen_sources(config, names))
    click.echo(orjson.dumps(found).decode() if as_json else backfills_text(found).rstrip())


def _each(config: Config, names: tuple[str, ...], deed: Callable[[Store, Source], str]) -> None:
    """Do something to the backfill of each source, and print what `deed` returns; 1 when there was none to do it to."""
    from gateway.installation import open_store
    from gateway.operator.backfills import NothingRuns, NotPossible

    store, steered = open_store(config), 0
    for source in chosen_sources(config, names):
        try:
            text = deed(store, source)
        except NothingRuns as error:
            click.echo(str(error), err=True)
            continue
        except NotPossible as error:
            refuse(str(error))
        click.echo(text)
        steered += 1
    sys.exit(0 if steered else PROBLEMS)
