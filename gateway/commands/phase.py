"""`klantbrug phase`: how much a source is still relied on, and the log of who changed that."""

from __future__ import annotations

import getpass
import sys

import click

from gateway.commands.common import PROBLEMS, USAGE, with_store
from gateway.config import Config
from gateway.phase import PHASES


@click.command()
@click.argument("phase", type=click.Choice(PHASES), required=False)
@click.option("--source", "name", help="De bron; mag weg als er een is.")
@click.option("--force", is_flag=True, help="Ook zonder bewijs; vraagt om --reason.")
@click.option("--reason", default="", help="Waarom; komt in het logboek.")
@click.option("--log", "log", is_flag=True, help="Toont wie wanneer wat deed.")
@with_store
def phase(config: Config, phase: str | None, name: str | None, force: bool, reason: str, log: bool) -> None:
    """Toont of wijzigt de fase van een bron: live, synced of cutover."""
    from gateway.installation import open_store
    from gateway.phase import NotAllowed, switch
    from gateway.show import moment_text
    from gateway.store import events
    from gateway.store.status import status
    from jobs.ledger import fingerprint

    store = open_store(config)
    if log:
        with store.read() as connection:
            found = events.events(connection)
        for event in found:
            why = f": {event.why}" if event.why else ""
            click.echo(f"{moment_text(event.moment)} {event.source or '-'} {event.what} ({event.who}){why}")
        return
    names = [source.name for source in config.sources]
    if name is None and len(names) == 1:
        name = names[0]
    if name not in names and not (name is None and phase is None):
        click.echo(f"Kies een bron met --source: {', '.join(names) or 'er is er geen'}.", err=True)
        sys.exit(USAGE)
    if name is None or phase is None:
        held = status(store)["sources"]
        for each in names if name is None else [name]:
            now = held.get(each, {"phase": "live", "coverage": "partial"})
            click.echo(f"{each}: {now['phase']}, dekking {now['coverage']}")
        return
    try:
        mapping = fingerprint(config.mapping)
        before = switch(store, name, phase, getpass.getuser(), reason, force, mapping)
    except NotAllowed as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    click.echo(
        f"Bron {name}: fase {phase}" + (" (dat was zij al)." if before == phase else f", was {before}.")
    )
