"""`klantbrug backfill`: read a source whole."""

from __future__ import annotations

import sys

import click

from gateway.commands.common import PROBLEMS, USAGE, stop_on_sigterm, with_config
from gateway.config import Config


@click.group(invoke_without_command=True)
@click.pass_context
def backfill(context: click.Context) -> None:
    """Leest een bron volledig in; zonder subcommando: run."""
    if context.invoked_subcommand is None:
        context.invoke(run_backfill)


@backfill.command("run")
@click.option("--source", "names", multiple=True, help="Alleen deze bron (mag vaker).")
@with_config
def run_backfill(config: Config, names: tuple[str, ...] = ()) -> None:
    """Leest in, met voortgang; Ctrl-C kost niets: de volgende keer gaat het verder."""
    from gateway.installation import open_installation
    from gateway.legacy.errors import LegacyError
    from gateway.show import shown_progress
    from jobs.backfill import Backfill, Busy

    unknown = set(names) - {source.name for source in config.sources}
    if unknown or not config.sources:
        click.echo("Er is geen bron " + (", ".join(sorted(unknown)) or "in de configuratie") + ".", err=True)
        sys.exit(USAGE)
    stop_on_sigterm()
    installation = open_installation(config)
    complete = True
    for name, fetcher in installation.fetchers.items():
        if names and name not in names:
            continue
        with shown_progress() as show:
            try:
                done = Backfill(fetcher, show).run()
            except KeyboardInterrupt:
                click.echo("Onderbroken. Hetzelfde commando gaat verder waar dit ophield.", err=True)
                sys.exit(PROBLEMS)
            except (LegacyError, Busy) as error:
                click.echo(f"{error} Hetzelfde commando gaat verder waar dit ophield.", err=True)
                sys.exit(PROBLEMS)
        click.echo(
            f"Bron {name}: " + ("volledig ingelezen." if done else "NIET volledig; zie klantbrug status.")
        )
        complete = complete and done
    sys.exit(0 if complete else PROBLEMS)
