"""`klantbrug store`: a back-up of the store, and putting one back."""

from __future__ import annotations

import getpass
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway.cli.terminal.options import PROBLEMS, refuse, stop_on_sigterm, with_config, with_store
from gateway.config.model import Config
from gateway.store.backup.copy import Progress

TELL_SECONDS = 5.0
FILE = click.argument("file", metavar="BESTAND", type=click.Path(path_type=Path))


@click.group()
def store() -> None:
    """De opslag als bestand: een back-up maken en terugzetten."""


@store.command("backup")
@FILE
@with_store
def store_backup(config: Config, file: Path) -> None:
    """Schrijft een back-up naar een nieuw bestand, ook terwijl alles draait, en kijkt haar na.

    Alleen de eigenaar kan het bestand lezen. Een bestand dat er al is, wordt nooit overschreven.
    """
    from gateway.store.backup.copy import BackupError, back_up
    from gateway.store.file import holders

    holders.examine(config.store.path)
    stop_on_sigterm()
    try:
        with _shown() as progress:
            made = back_up(config.store.path, file.absolute(), progress)
    except BackupError as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    except KeyboardInterrupt:
        click.echo("Onderbroken: er is geen back-up gemaakt.", err=True)
        sys.exit(PROBLEMS)
    click.echo(
        f"Back-up gemaakt en nagekeken: {made.path} ({_megabytes(made.size)}, {made.seconds:.0f} s). Zij bevat "
        "persoonsgegevens; bewaar het uuid-geheim apart."
    )


@store.command("restore")
@FILE
@with_config
def store_restore(config: Config, file: Path) -> None:
    """Zet een back-up terug, terwijl niets draait. Wat er stond, gaat opzij en blijft bewaard."""
    from gateway.base.dutch_time import local
    from gateway.config.load import ensure_secret
    from gateway.installation import secret_fingerprint
    from gateway.store.backup.restore import restore

    if (
        not config.store.uuid_secret
        and not config.store.path.with_name(f"{config.store.path.name}.secret").exists()
    ):
        refuse(
            "[store] uuid_secret: het uuid-geheim is er niet; zet het eerst terug, het hoort bij de back-up."
        )
    secret = ensure_secret(config).store.uuid_secret
    stop_on_sigterm()
    try:
        with _shown() as progress:
            done = restore(config.store.path, file.absolute(), secret_fingerprint(secret), _who(), progress)
    except KeyboardInterrupt:
        click.echo("Onderbroken: doe hetzelfde commando opnieuw.", err=True)
        sys.exit(PROBLEMS)
    made = f", gemaakt {local(done.made)}" if done.made else ""
    click.echo(
        f"Teruggezet in {config.store.path}: {file}{made}, met {done.documents} documenten en {done.objects} objecten "
        "van bronnen; nagekeken, en het uuid-geheim hoort erbij."
    )
    if done.aside:
        click.echo(f"Wat er stond, ligt in {done.aside}. Verwijder die map als u haar niet meer nodig hebt.")
    for name, phase in done.sources.items():
        click.echo(f"Bron {name}: fase {phase}; de sweep leest haar opnieuw zodra de jobs draaien.")
    click.echo(
        "Niet in de opslag staat nu wat clients na de back-up schreven. Wat daarna gewist of vernietigd werd, staat er "
        "weer in; doe na de start klantbrug backfill, dan verdwijnt wat de bron niet meer heeft."
    )


@contextmanager
def _shown() -> Iterator[Progress]:
    """Gives a function that shows how far it is: on a terminal in one line, elsewhere a line now and then."""
    terminal, last, began = sys.stderr.isatty(), 0.0, time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        moment = time.monotonic()
        if total and done < total and moment - last < (0.2 if terminal else TELL_SECONDS):
            return
        if total and not terminal and moment - began < TELL_SECONDS:
            return
        last = moment
        text = f"{what} ..." if not total else f"{what}: {100 * done // total} %"
        if done and total and (left := (moment - began) * (total - done) / done) > 1:
            text += f", nog {left:.0f} s"
        click.echo(f"\r{text:60}" if terminal else text, nl=not terminal, err=True)

    try:
        yield show
    finally:
        if terminal:
            click.echo("", err=True)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB".replace(".", ",")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
