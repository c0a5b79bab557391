"""`klantbrug sync`: take what is new at the sources, now."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from gateway.cli.terminal.options import (
    PROBLEMS,
    chosen_sources,
    must_be_home,
    sources_option,
    stop_on_sigterm,
    telling,
    with_config,
)
from gateway.config.model import Config


@click.command()
@sources_option
@with_config
@telling
def sync(config: Config, names: tuple[str, ...]) -> None:
    """Haalt op wat nieuw is sinds de vorige keer; dit gebeurt ook vanzelf, zie klantbrug jobs list."""
    from gateway.installation import open_installation
    from gateway.legacy.errors import LegacyError
    from gateway.store.operation.leases import Lost
    from jobs.common.work import Busy, Work
    from jobs.follow.sync import sync_source
    from jobs.job import TIME_OVER
    from jobs.registry import BY_NAME, run_job

    chosen = {source.name for source in chosen_sources(config, names)}
    stop_on_sigterm()
    problems = 0

    def one_by_one(work: Work) -> dict[str, int]:
        nonlocal problems
        for name, fetcher in work.installation.fetchers.items():
            try:
                done = sync_source(work, fetcher)
            except LegacyError as error:
                click.echo(str(error), err=True)
                problems += 1
                continue
            if done.skipped:
                click.echo(f"Bron {name}: niets gedaan, want {done.skipped}.")
                continue
            click.echo(f"Bron {name}: {done.new} nieuwe objecten, {done.pages} pagina's gelezen.")
            if not done.agreed:
                click.echo(f"Bron {name}: NIET bij; de sweep leest nu alles opnieuw.", err=True)
                problems += 1
        return {}

    installation = open_installation(config)
    must_be_home(installation.store)
    fetchers = {name: fetcher for name, fetcher in installation.fetchers.items() if name in chosen}
    try:
        job = replace(BY_NAME["sync"], function=one_by_one)
        if run_job(replace(installation, fetchers=fetchers), job).get(TIME_OVER):
            click.echo("Afgebroken: langer dan [jobs.sync] most_seconds.", err=True)
            problems += 1
    except KeyboardInterrupt:
        click.echo("Onderbroken. Hetzelfde commando begint waar deze keer begon.", err=True)
        sys.exit(PROBLEMS)
    except (Busy, Lost):
        click.echo("Er loopt al een sync in een ander proces.", err=True)
        sys.exit(PROBLEMS)
    sys.exit(PROBLEMS if problems else 0)
