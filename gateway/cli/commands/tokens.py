"""`klantbrug token`: what clients show to be let in."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click
import orjson

from gateway.base.clock import DUTCH_TIME, utc_now
from gateway.cli.terminal.options import USAGE, with_config, with_store
from gateway.config.load import ensure_secret
from gateway.config.model import Config
from gateway.http.auth import TokenError, create_token, rotate_token
from gateway.http.scopes import IMPLIES, ScopeError, as_text

if TYPE_CHECKING:
    from gateway.store.operation.tokens import TokenRow


def last_day(value: str) -> int:
    """The end in Dutch time, in microseconds UTC, of a day that is written as 2027-01-31 or 31-01-2027.

    Raises BadParameter for what is no day, and for one that is past.
    """
    end = _end_of(value)
    if end is None:
        raise click.BadParameter(f"{value!r} is geen dag; schrijf bijvoorbeeld 2027-01-31.")
    if end <= utc_now():
        raise click.BadParameter(f"{value!r} is voorbij.")
    return int(end.timestamp()) * 1_000_000


def _end_of(day: str) -> datetime | None:
    """The first moment after a day in Dutch time; None for what is no day."""
    for form in ("%Y-%m-%d", "%d-%m-%Y"):
        with contextlib.suppress(ValueError):
            return datetime.strptime(day, form).replace(tzinfo=DUTCH_TIME) + timedelta(days=1)
    return None


EXPIRES = click.option(
    "--expires",
    type=last_day,
    metavar="DAG",
    help="De laatste dag waarop het werkt (Nederlandse tijd).",
)


@click.group()
def token() -> None:
    """Tokens van clients."""


@token.command("create")
@click.argument("name", metavar="NAAM")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=["read"],
    show_default=True,
    metavar="SCOPE",
    help=f"{', '.join(IMPLIES)}; mag vaker. read:RESOURCE en write:RESOURCE gelden voor één resource.",
)
@EXPIRES
@with_config
def token_create(config: Config, name: str, scopes: tuple[str, ...], expires: int | None) -> None:
    """Maakt een token; het wordt eenmaal getoond en nergens bewaard.

    read leest klanten, write leest en schrijft ze, operate bedient Klantbrug en ziet de aantallen, monitor ziet alleen
    die. operate ziet geen klanten: noem read erbij als dat nodig is.
    """
    from gateway.installation import open_store
    from gateway.klantinteracties.model.resources import PATHS

    try:
        opened = as_text(" ".join(scopes), PATHS)  # before a store is made
    except ScopeError as error:
        click.echo(f"{error}.", err=True)
        sys.exit(USAGE)
    _show_new(lambda: create_token(open_store(ensure_secret(config)), name, opened, expires, PATHS))


@token.command("rotate")
@click.argument("name", metavar="NAAM")
@click.option(
    "--overlap",
    type=click.IntRange(0, 30 * 24),
    default=0,
    show_default=True,
    metavar="UREN",
    help="Zo lang werkt het oude token nog.",
)
@EXPIRES
@with_store
def token_rotate(config: Config, name: str, overlap: int, expires: int | None) -> None:
    """Vervangt een token door een nieuw met dezelfde naam en scope, dat eenmaal wordt getoond."""
    from gateway.installation import open_store

    _show_new(lambda: rotate_token(open_store(config), name, overlap * 3600, expires))


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def token_list(config: Config, as_json: bool) -> None:
    """Toont de tokens: naam, scope, gemaakt, laatst gebruikt; nooit het token zelf."""
    from gateway.base.clock import now
    from gateway.base.dutch_time import local
    from gateway.installation import open_store
    from gateway.store.inspect.status import moment_of
    from gateway.store.operation.tokens import listing

    rows, moment = listing(open_store(config)), now()
    for row in rows:
        if as_json:
            moments = ("created", "last_used", "expires", "revoked")
            values = row._asdict() | {name: moment_of(getattr(row, name)) for name in moments}
            click.echo(orjson.dumps(values).decode())
            continue
        used = f"laatst gebruikt {local(row.last_used) or 'nooit'}"
        click.echo(f"{row.name}: {row.scope}, gemaakt {local(row.created)}, {used}{_end(row, moment)}")
    if not rows and not as_json:
        click.echo("Er zijn nog geen tokens; maak er een met klantbrug token create NAAM.")


@token.command("revoke")
@click.argument("name", metavar="NAAM")
@with_store
def token_revoke(config: Config, name: str) -> None:
    """Trekt een token in; binnen enkele seconden werkt het nergens meer. De naam kan daarna opnieuw."""
    from gateway.installation import open_store
    from gateway.store.operation.tokens import revoke

    if not revoke(open_store(config), name):
        click.echo(f"Er is geen token in gebruik met de naam {name!r}.", err=True)
        sys.exit(USAGE)
    click.echo(f"Token {name!r} is ingetrokken.")


def _show_new(make: Callable[[], str]) -> None:
    try:
        click.echo(make())
    except TokenError as error:
        click.echo(f"{error}.", err=True)
        sys.exit(USAGE)


def _end(row: TokenRow, moment: int) -> str:
    """When a token stops, or stopped, being taken."""
    from gateway.base.dutch_time import local

    if row.revoked is not None:
        return f", {'ingetrokken' if row.revoked <= moment else 'vervangen, werkt tot'} {local(row.revoked)}"
    if row.expires is not None:
        return f", {'verlopen' if row.expires <= moment else 'verloopt'} {local(row.expires)}"
    return ""
