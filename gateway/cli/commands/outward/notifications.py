"""`klantbrug notifications`: hear from a Notificaties API what changes at the sources; try again what we told it."""

from __future__ import annotations

import sys

import click

from gateway.cli.terminal.options import PROBLEMS, USAGE, with_config, with_store
from gateway.config.model import Config


@click.group()
def notifications() -> None:
    """Berichten van de Notificaties API over wat in de bronnen verandert, en eraan over wat clients schreven."""


@notifications.command("register")
@with_config
def register(config: Config) -> None:
    """Maakt het abonnement op het kanaal zaken, of werkt het bij; herhalen mag."""
    from gateway.notificaties.abonnementen import Abonnementen, AbonnementError

    try:
        abonnementen = Abonnementen(config)
        did = abonnementen.register()
    except AbonnementError as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Abonnement op het kanaal zaken {did}: {abonnementen.callback_url}")


@notifications.command("status")
@with_store
def status(config: Config) -> None:
    """Zegt of het abonnement er is, en hoeveel berichten wachten of niet konden worden aangenomen."""
    from gateway.installation import open_store
    from gateway.notificaties.abonnementen import Abonnementen, AbonnementError
    from gateway.store.operation import inbox

    with open_store(config).read() as connection:
        counts = inbox.counts(connection)
    click.echo(
        f"Berichten: {counts['waiting']} wachten (van {counts['failing']} mislukte een poging),"
        f" {counts['foreign']} met een adres dat van geen bron is, {counts['dropped']} pasten er niet bij."
    )
    try:
        abonnementen = Abonnementen(config)
        found = abonnementen.own()
    except AbonnementError as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    if not found:
        click.echo("Er is geen abonnement; maak het met: klantbrug notifications register", err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Er is een abonnement: {abonnementen.callback_url}")


@notifications.command("retry")
@with_store
def retry(config: Config) -> None:
    """Laat de berichten aan de Notificaties API die zijn opgegeven opnieuw gaan."""
    from gateway.base.clock import now
    from gateway.installation import open_store
    from gateway.store.operation import outbox

    if not config.notifications.url:
        click.echo("[notifications] url is leeg: er is niemand om ze naar te sturen.", err=True)
        sys.exit(USAGE)
    with open_store(config).write() as connection:
        count = outbox.retry(connection, now())
    click.echo(f"{count} berichten gaan opnieuw.")
