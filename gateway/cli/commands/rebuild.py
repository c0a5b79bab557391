"""`klantbrug rebuild`: make the documents again from what is held."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
import orjson

from gateway.cli.terminal.options import (
    PROBLEMS,
    must_be_home,
    must_be_known,
    sources_option,
    spare_collections,
    stop_on_sigterm,
    telling,
    with_store,
)
from gateway.config.model import Config

if TYPE_CHECKING:
    from jobs.rebuild.rebuild import RebuildOutcome

RESULTS = {"same": "gelijk", "changed": "gewijzigd", "new": "nieuw", "gone": "verdwenen"}


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Vertelt alleen wat er zou veranderen (op een kopie van de opslag)."
)
@sources_option
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
@telling
def rebuild(config: Config, dry_run: bool, names: tuple[str, ...], as_json: bool) -> None:
    """Vertaalt alles wat bewaard is opnieuw, na een wijziging van [mapping]; vraagt niets aan een bron."""
    from gateway.cli.terminal.displays import REBUILD
    from gateway.cli.terminal.progress import show_progress
    from gateway.installation import make_ingest, open_installation, open_store
    from gateway.store.inspect import rebuilding
    from gateway.store.operation.leases import Lost
    from jobs.common.work import Busy
    from jobs.rebuild.rebuild import Rebuild
    from jobs.rebuild.rehearsal import copy_of

    stop_on_sigterm()
    spare_collections()
    store = open_store(config) if dry_run else open_installation(config).store
    if not dry_run:
        must_be_home(store)
    with store.read() as connection:
        must_be_known(names, rebuilding.sources(connection).values())
    outcomes: list[RebuildOutcome] = []
    try:
        with (
            show_progress(REBUILD) as show,
            copy_of(store, config.store, show) if dry_run else nullcontext(store) as used,
        ):
            ingest = make_ingest(config, used)
            for only in names or (None,):
                outcomes.append(Rebuild(used, ingest, only, show).run())
    except KeyboardInterrupt:
        again = "" if dry_run else " Hetzelfde commando gaat verder waar dit ophield."
        click.echo(f"Onderbroken.{again}", err=True)
        sys.exit(PROBLEMS)
    except (Busy, Lost) as error:
        reason = str(error) if isinstance(error, Busy) else "een ander proces nam het over"
        click.echo(f"Niet gedaan: {reason}.", err=True)
        sys.exit(PROBLEMS)
    for outcome in outcomes:
        text = (
            orjson.dumps({"dry_run": dry_run, **asdict(outcome)}).decode()
            if as_json
            else _text(outcome, dry_run)
        )
        click.echo(text)


def _text(outcome: RebuildOutcome, dry_run: bool) -> str:
    would = "Proefrun, er is niets gewijzigd. " if dry_run else ""
    lines = [
        f"{would}Opnieuw vertaald: {outcome.read} objecten; {outcome.changed} zeggen nu iets anders, "
        f"{outcome.quarantined} daarvan staan in quarantaine.",
        f"{'documenten':24}" + "".join(f"{name:>12}" for name in RESULTS.values()),
    ]
    for kind, counts in outcome.documents.items():
        if any(counts.values()):
            lines.append(f"{kind:24}" + "".join(f"{counts[result]:>12}" for result in RESULTS))
    return "\n".join(lines)
