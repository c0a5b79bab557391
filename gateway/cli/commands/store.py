"""`klantbrug store`: a back-up of the store, and putting one back."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

import click

from gateway.cli.terminal.options import PROBLEMS, refuse, stop_on_sigterm, with_config, with_store
from gateway.config.model import Config

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
    from gateway.cli.terminal.displays import COPY, Copied
    from gateway.cli.terminal.progress import show_progress
    from gateway.store.backup.copy import BackupError, back_up
    from gateway.store.file import holders

    holders.examine(config.store.path)
    stop_on_sigterm()
    try:
        with show_progress(COPY) as show:
            made = back_up(config.store.path, file.absolute(), lambda *copied: show(Copied(*copied)))
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
    from gateway.cli.terminal.displays import COPY, Copied
    from gateway.cli.terminal.progress import show_progress
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
        with show_progress(COPY) as show:
            done = restore(
                config.store.path,
                file.absolute(),
                secret_fingerprint(secret),
                _who(),
                lambda *copied: show(Copied(*copied)),
            )
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


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB".replace(".", ",")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
