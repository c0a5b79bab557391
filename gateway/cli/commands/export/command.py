"""`klantbrug export run|status|verify|follow|forget`: to a register, with proof."""

from __future__ import annotations

import getpass
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.cli.commands.export import files
from gateway.cli.terminal.options import (
    PROBLEMS,
    refuse,
    spare_collections,
    stop_on_sigterm,
    telling,
    with_store,
)
from gateway.config.model import Config


@click.group("export")
def export() -> None:
    """Verhuizen naar een Klantinteracties-register ([target]), of alles meenemen in bestanden."""


def the_target(config: Config) -> None:
    """End the command when there is no register to leave to."""
    if not config.target.url:
        refuse("[target] url is leeg: vul in naar welk register u verhuist.")


@export.command("run")
@click.option("--dry-run", is_flag=True, help="Proefrun: vraagt en telt alleen, verstuurt niets.")
@click.option("--parked", is_flag=True, help="Ook wat het register eerder weigerde.")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
@telling
def run(config: Config, dry_run: bool, parked: bool, as_json: bool) -> None:
    """Stuurt alles naar het register; kan altijd worden gestopt, en hetzelfde commando gaat verder."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import note_all
    from gateway.cli.terminal.displays import EXPORT
    from gateway.cli.terminal.progress import show_progress
    from gateway.installation import open_store
    from gateway.store.operation.leases import Lost
    from gateway.target.errors import TargetError
    from jobs.common.work import Busy
    from jobs.export.rehearsal import rehearse
    from jobs.export.rehearsal import text as told
    from jobs.export.run import ExportRun, OtherRegister

    the_target(config)
    spare_collections()
    store, stopping = open_store(config), threading.Event()
    store.for_bulk()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with show_progress(EXPORT) as show:
            if dry_run:
                found = rehearse(store, config.target, show)
                click.echo(orjson.dumps(found).decode() if as_json else told(found))
                return
            note_all(log_of(config), store, "export run", getpass.getuser())
            outcome = ExportRun(store, config.target, show, stopping).run(parked=parked)
    except (Busy, OtherRegister, TargetError) as error:
        click.echo(f"{error}.", err=True)
        sys.exit(PROBLEMS)
    except Lost:
        click.echo("Een ander proces nam het over.", err=True)
        sys.exit(PROBLEMS)
    refused = outcome.counts.get("parked", 0)
    if as_json:
        values = {"counts": outcome.counts, "waiting": outcome.waiting, "stopped": outcome.stopped}
        click.echo(orjson.dumps(values).decode())
    else:
        click.echo(_told(outcome.counts, outcome.waiting))
        if outcome.stopped:
            click.echo(f"Gestopt: {outcome.stopped}. Hetzelfde commando gaat verder.", err=True)
        elif refused or outcome.waiting:
            click.echo("Zie klantbrug export status voor wat geweigerd is.", err=True)
    sys.exit(PROBLEMS if outcome.stopped or refused or outcome.waiting else 0)


WORDS = {
    "sent": "verstuurd",
    "taken": "waren er al",
    "updated": "daarvan bijgewerkt",
    "found": "teruggevonden na een antwoord dat niet kwam",
    "preferences": "voorkeuren gezet",
    "changed": "gewijzigd",
    "deleted": "verwijderd",
    "parked": "geweigerd",
}


def _told(counts: dict[str, Any], waiting: int) -> str:
    parts = [f"{counts[name]} {word}" for name, word in WORDS.items() if counts.get(name)]
    parts += [f"{waiting} wachten op wat geweigerd is"] if waiting else []
    return f"{', '.join(parts) or 'Er was niets te versturen'}."


@export.command("status")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def status(config: Config, as_json: bool) -> None:
    """Toont hoe ver de verhuizing is, wat het register weigert en wat te doen."""
    from gateway.installation import open_store
    from gateway.operator.export.status import overview, text

    found = overview(open_store(config), config.target)
    click.echo(orjson.dumps(found).decode() if as_json else text(found))


@export.command("verify")
@click.option("--full", is_flag=True, help="Alles vergelijken; zonder --full een steekproef.")
@click.option("--sample", type=click.IntRange(1), help="Zoveel objecten, willekeurig (anders 500).")
@click.option("--seed", type=int, help="Dezelfde steekproef opnieuw: het getal uit het rapport.")
@click.option("--json", "as_json", is_flag=True, help="Het rapport voor machines.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Het rapport als pagina.")
@with_store
@telling
def verify(
    config: Config, full: bool, sample: int | None, seed: int | None, as_json: bool, html: Path | None
) -> None:
    """Leest beide kanten terug en vergelijkt elk veld; 0 is schoon, 1 is niet schoon."""
    from gateway.cli.terminal.displays import EXPORT_VERIFY
    from gateway.cli.terminal.progress import show_progress
    from gateway.installation import open_store
    from gateway.operator.export.report import page, text
    from gateway.target.errors import TargetError
    from jobs.common.work import Busy
    from jobs.export.run import OtherRegister
    from jobs.export.verify import ExportVerify

    the_target(config)
    if full and (sample is not None or seed is not None):
        refuse("Kies: --full, of een steekproef met --sample en --seed.")
    if html is not None and not (html.parent.is_dir() and os.access(html.parent, os.W_OK)):
        refuse(f"--html: map {html.parent} is er niet, of er mag niet in worden geschreven.")
    stop_on_sigterm()
    try:
        with show_progress(EXPORT_VERIFY) as show:
            size = None if full else sample or 0
            report = ExportVerify(open_store(config), config.target, show, sample=size, seed=seed).run()
    except (Busy, OtherRegister, TargetError) as error:
        click.echo(f"{error}. Er is geen rapport.", err=True)
        sys.exit(PROBLEMS)
    except KeyboardInterrupt:
        click.echo("Onderbroken: er is geen rapport.", err=True)
        sys.exit(PROBLEMS)
    click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if as_json else text(report))
    if html is not None:
        html.write_text(page(report), encoding="utf-8")
        click.echo(f"Rapport {report['id']} staat in {html}.", err=True)
    sys.exit(0 if report["clean"] else PROBLEMS)


@export.command("follow")
@click.option("--stop", is_flag=True, help="Volgt niet langer.")
@with_store
def follow(config: Config, stop: bool) -> None:
    """Stuurt voortaan elke wijziging binnen seconden naar het register, tot de overgang."""
    from gateway.installation import open_store
    from gateway.operator.export import following

    the_target(config)
    try:
        following.follow(open_store(config), config.target, getpass.getuser(), on=not stop)
    except following.NotPossibleYet as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    click.echo(
        "Wijzigingen worden niet langer gevolgd."
        if stop
        else "Wijzigingen gaan voortaan naar het register (job export)."
    )


@export.command("forget")
@click.option("--yes", is_flag=True, help="Zonder te vragen.")
@with_store
def forget(config: Config, yes: bool) -> None:
    """Vergeet wat in het register staat, om opnieuw te beginnen (na een proef); verwijdert daar niets."""
    from gateway.installation import open_store
    from gateway.operator.export import following

    if not yes:
        click.confirm("Alle koppelingen met uuids van het register vergeten?", abort=True)
    try:
        following.forget(open_store(config), getpass.getuser())
    except following.NotPossibleYet as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    click.echo("Vergeten. Een volgende klantbrug export run begint opnieuw.")


@export.command("moved")
@click.option("--from", "before", required=True, metavar="URL", help="Het adres waarheen is verstuurd.")
@click.option("--to", "after", required=True, metavar="URL", help="Het adres van nu, ook in [target] url.")
@click.option("--yes", is_flag=True, help="Zonder te vragen.")
@with_store
def moved(config: Config, before: str, after: str, yes: bool) -> None:
    """Zegt dat het register een ander adres kreeg: wat verstuurd is, staat daar nog."""
    from gateway.installation import open_store
    from gateway.operator.export import following, moving
    from gateway.target.errors import TargetError

    before, after = before.rstrip("/"), after.rstrip("/")
    if config.target.url != after:
        refuse(f"Zet eerst [target] url op {after}.")
    store = open_store(config)
    try:
        asked, there = moving.found_there(store, config.target)
    except TargetError as error:
        click.echo(f"{error}. Er is niets gewijzigd.", err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Van {asked} objecten die verstuurd zijn, heeft dit register er {there}.")
    if asked and not there:
        click.echo(
            "Dit is een ander register. Begin opnieuw met klantbrug export forget, of zet [target] url terug.",
            err=True,
        )
        sys.exit(PROBLEMS)
    if not yes:
        click.confirm("Is dit hetzelfde register, op een ander adres?", abort=True)
    try:
        moving.moved(store, before, after, getpass.getuser())
    except following.NotPossibleYet as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Genoteerd: het register staat op {after}.")


for command in (files.mapping, files.fixture, files.csv_files):
    export.add_command(command)
