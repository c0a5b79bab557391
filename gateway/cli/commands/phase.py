"""`klantbrug phase`: how much a source is still relied on, and the log of who changed that."""

from __future__ import annotations

import getpass
import sys

import click

from gateway.base.dutch_time import local
from gateway.cli.terminal.options import (
    NOT_HOME,
    PROBLEMS,
    chosen_sources,
    refuse,
    sources_option,
    with_store,
)
from gateway.config.model import Config
from gateway.operator.phase import PHASES
from gateway.store.base.store import Store

EXPORTED = "exported"


@click.command()
@click.argument("phase", type=click.Choice([*PHASES, EXPORTED]), required=False)
@sources_option
@click.option("--force", is_flag=True, help="Ook zonder bewijs; vraagt om --reason.")
@click.option("--reason", default="", help="Waarom; komt in het logboek.")
@click.option("--back", is_flag=True, help="Met exported: terug, zolang clients daar nog niets schreven.")
@click.option("--log", "log", is_flag=True, help="Toont wie wanneer wat deed.")
@with_store
def phase(
    config: Config, phase: str | None, names: tuple[str, ...], force: bool, reason: str, back: bool, log: bool
) -> None:
    """Toont of wijzigt de fase van een bron (live, synced of cutover), of van de hele installatie: exported."""
    from gateway.cli.terminal.status_text import styled
    from gateway.installation import open_store
    from gateway.operator.export.switch import is_exported
    from gateway.operator.phase import NotAllowed, fingerprint, switch
    from gateway.operator.status import COVERAGES, unread_text
    from gateway.store.inspect.status import status
    from gateway.store.operation import events

    store = open_store(config)
    if log:
        with store.read() as connection:
            found = events.events(connection)
        for event in found:
            why = f": {event.why}" if event.why else ""
            click.echo(f"{local(event.moment)} {event.source or '-'} {event.what} ({event.who}){why}")
        if not found:
            click.echo("Er is nog niets geschakeld.")
        return
    if phase == EXPORTED:
        if names:
            refuse("exported is van de hele installatie; laat --source weg.")
        _exported(config, store, force, reason, back)
        return
    if back:
        refuse("--back hoort bij exported; een bron gaat terug met klantbrug phase live of synced.")
    if is_exported(store):
        click.echo(f"Installatie: fase exported, naar {config.target.url or 'een register'}")
        if phase is not None:
            refuse(NOT_HOME)
    if phase is None and not config.sources:
        return
    asked = [source.name for source in chosen_sources(config, names)]
    if phase is None:
        held = status(store)["sources"]
        for name in asked:
            now = held.get(name, {"phase": "live", "coverage": "partial"})
            click.echo(f"{name}: {now['phase']}, dekking {styled(COVERAGES[now['coverage']])}")
            if told := unread_text(now.get("unread", {"objects": 0, "keyless": 0})):
                click.echo(f"  {told[:1].upper()}{told[1:]}")
        return
    if not names and len(asked) > 1:
        refuse(f"Kies een bron met --source: {', '.join(asked)}.")
    refused = False
    for name in asked:
        try:
            mapping = fingerprint(config.mapping)
            before = switch(store, name, phase, getpass.getuser(), reason, force, mapping)
        except NotAllowed as error:
            click.echo(str(error), err=True)
            refused = True
            continue
        was = " (dat was zij al)." if before == phase else f", was {before}."
        click.echo(f"Bron {name}: fase {phase}{was}")
    sys.exit(PROBLEMS if refused else 0)


def _exported(config: Config, store: Store, force: bool, reason: str, back: bool) -> None:
    from gateway.operator.export import switch
    from gateway.operator.phase import NotAllowed
    from gateway.target.errors import TargetError

    who = getpass.getuser()
    try:
        if not back:
            left = switch.leave(store, config.target, who, reason, force=force)
            how = (
                "elk verzoek gaat door naar"
                if config.target.proxy
                else "hier wordt alleen nog gelezen; schrijf bij"
            )
            click.echo(f"Fase exported{'' if left else ' (dat was zij al)'}: {how} {config.target.url}.")
            _settle(config, store)
            return
        for one in switch.compare(store, config.target):
            told = "" if one.here == one.there else "  verschilt"
            click.echo(f"  {one.kind}: {one.here} hier, {one.there} daar{told}")
        switch.come_back(store, who, reason)
        click.echo(
            "Terug: deze installatie antwoordt weer zelf. Wat daar los van Klantbrug is geschreven, staat hier niet."
        )
    except (NotAllowed, TargetError) as error:
        click.echo(f"{error}", err=True)
        sys.exit(PROBLEMS)


def _settle(config: Config, store: Store) -> None:
    """What was on its way when the phase was switched with --force is not lost: find out what became of it."""
    from gateway.target.errors import TargetError
    from jobs.common.work import Busy
    from jobs.export.settling import any_on_their_way, settle

    if not any_on_their_way(store):
        return
    click.echo("Wat nog onderweg was, wordt afgewacht ...", err=True)
    try:
        settled = settle(store, config.target)
    except (Busy, TargetError) as error:
        click.echo(
            f"{error}. Van wat onderweg was, is niet bekend of het aankwam: doe dit commando straks nog eens.",
            err=True,
        )
        sys.exit(PROBLEMS)
    click.echo(
        f"Wat onderweg was: {settled.found} kwam aan, {settled.not_sent} niet. Wat niet aankwam, staat alleen hier."
    )
