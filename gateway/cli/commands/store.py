"""`klantbrug store`: a back-up of the store, putting one back, and moving to another database."""

from __future__ import annotations

import getpass
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from gateway.cli.terminal.options import PROBLEMS, refuse, stop_on_sigterm, with_config, with_store
from gateway.config.database import judge_database
from gateway.config.files import secret_of
from gateway.config.model import Config
from gateway.config.store import SSL_MODES, StoreSettings

DATABASES = ("postgresql://", "postgres://")
SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
FILE = click.argument("file", metavar="BESTAND", type=click.Path(path_type=Path))


# What only who manages the database can promise: that a copy is kept, is sound, and can be put back.
BACKUP = (
    "[store] url: van een opslag op PostgreSQL maakt Klantbrug geen back-up, want wat de database bewaart kan het niet "
    "beloven. De beheerder van de database maakt haar, ook terwijl alles draait:\n"
    "  pg_dump --format=custom --no-owner --schema={schema} --file=BESTAND {address}\n"
    "Of met zijn eigen middelen (een basiskopie met WAL-archief). Bewaar het uuid-geheim apart; probeer het "
    "terugzetten een keer uit. Zie docs/operation.md, Op PostgreSQL."
)
RESTORE = (
    "[store] url: een opslag op PostgreSQL zet Klantbrug niet terug; dat doet de beheerder van de database:\n"
    "  1. stop klantbrug serve en klantbrug jobs op alle machines;\n"
    "  2. psql --command='ALTER SCHEMA {schema} RENAME TO {schema}_opzij' {address}\n"
    "  3. pg_restore --exit-on-error --no-owner --dbname={address} BESTAND\n"
    "  4. klantbrug check, start, en klantbrug backfill: dan verdwijnt weer wat in de bron vernietigd is.\n"
    "Wat clients na de back-up schreven is weg, en tokens die daarna zijn ingetrokken gelden weer. Zie "
    "docs/operation.md, Op PostgreSQL."
)


def _must_be_a_file(config: Config, instead: str) -> None:
    """End a command that is of a file alone, on PostgreSQL: with what to do there."""
    if config.store.url:
        refuse(instead.format(schema=config.store.schema, address=config.store.address))


@click.group()
def store() -> None:
    """De opslag: een back-up maken en terugzetten, en verhuizen naar PostgreSQL of terug."""


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

    _must_be_a_file(config, BACKUP)
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

    _must_be_a_file(config, RESTORE)
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


@store.command("copy")
@click.option(
    "--to",
    "target",
    metavar="DOEL",
    required=True,
    help="Een adres postgresql://..., of een bestand dat er niet is.",
)
@click.option("--schema", default="klantbrug", show_default=True, help="Het schema in die database.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="Het bestand met het wachtwoord van die database.",
)
@click.option("--ca-bundle", type=click.Path(path_type=Path), help="De certificaten van die database (PEM).")
@click.option(
    "--sslmode",
    type=click.Choice(SSL_MODES),
    default="",
    help="Hoe de verbinding beveiligd is, zoals [store] sslmode.",
)
@with_store
def store_copy(
    config: Config, target: str, schema: str, password_file: Path | None, ca_bundle: Path | None, sslmode: str
) -> None:
    """Verhuist de opslag naar PostgreSQL, of naar een bestand terug, terwijl niets draait.

    Alles gaat mee, met alle rijnummers; de opslag zelf blijft zoals zij is. Onderbroken gaat hetzelfde commando verder
    waar het ophield. Aan het eind worden alle rijen en de dump van beide kanten vergeleken.
    """
    from gateway.cli.terminal.displays import COPY, Copied
    from gateway.cli.terminal.progress import show_progress
    from gateway.installation import open_store
    from gateway.store.moving import moving

    to_database = target.startswith(DATABASES)
    if to_database == bool(config.store.url):
        refuse(
            "store copy gaat van een bestand naar PostgreSQL of andersom. Binnen PostgreSQL verhuist de beheerder "
            "van de database met pg_dump en pg_restore; van bestand naar bestand gaat klantbrug store backup."
            if to_database
            else "Van bestand naar bestand kopieert klantbrug store backup BESTAND; naar PostgreSQL verhuist --to "
            "postgresql://gebruiker@host:5432/database."
        )
    new = _database(target, schema, password_file, ca_bundle, sslmode) if to_database else None
    if new is None and (password_file or ca_bundle or sslmode):
        refuse("--password-file, --ca-bundle en --sslmode horen bij een database; het doel is een bestand.")
    open_store(config).close()  # brought up to date, and known to be of the uuid secret that is in use
    stop_on_sigterm()
    try:
        with show_progress(COPY) as show:

            def tell(*copied: Any) -> None:
                show(Copied(*copied))

            if new is not None:
                done = moving.to_database(config.store.path, new, _who(), tell)
            else:
                done = moving.to_file(config.store, Path(target).absolute(), _who(), tell)
    except KeyboardInterrupt:
        click.echo("Onderbroken: hetzelfde commando gaat verder waar dit ophield.", err=True)
        sys.exit(PROBLEMS)
    rows = sum(done.rows.values())
    click.echo(
        f"{'Verder gegaan en gekopieerd' if done.again else 'Gekopieerd'}: {rows} rijen in {len(done.rows)} tabellen, "
        f"{done.seconds:.0f} s ({rows / max(done.seconds, 0.1):.0f} rijen/s, nakijken meegerekend)."
    )
    click.echo(
        "Alle rijen van alle tabellen zijn gelijk, en de canonieke dump ook "
        f"({done.lines} regels, {done.rows['document']} documenten, {done.rows['raw']} objecten van bronnen)."
    )
    for name, phase in done.sources.items():
        click.echo(f"Bron {name}: fase {phase}.")
    keys = f'url = "..." en schema = "{schema}"' if new else f'path = "{Path(target).absolute()}"'
    click.echo(
        f"Zet nu in config.toml onder [store] {keys} in plaats van {config.store.key}, met hetzelfde uuid-geheim, doe "
        f"klantbrug check en start. De oude opslag {config.store.shown} is onveranderd; start er niets meer op, want "
        "wat daar dan in komt, gaat niet mee."
    )


def _database(
    url: str, schema: str, password_file: Path | None, ca_bundle: Path | None, sslmode: str
) -> StoreSettings:
    """The settings of the database that was named; wrong ones end the command."""
    errors: list[str] = []
    values: dict[str, Any] = {"password": "", "password_file": password_file}
    password = secret_of(values, "password", "store", errors)
    judge_database(
        {"url": url, "path": Path("klantbrug"), "password": password, "ca_bundle": ca_bundle}, errors
    )
    if not SCHEMA.fullmatch(schema):
        errors.append("store.schema: bestaat niet uit kleine letters, cijfers en _")
    if errors:
        refuse("\n".join(errors))
    if not password and urlsplit(url).password:
        click.echo(
            "Het wachtwoord staat in het adres, en zolang dit loopt dus in de lijst van processen; geef het liever met "
            "--password-file.",
            err=True,
        )
    return StoreSettings(
        path=Path("klantbrug"),
        uuid_secret="",
        url=url,
        schema=schema,
        password=password,
        sslmode=sslmode,
        ca_bundle=ca_bundle,
    )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB".replace(".", ",")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
