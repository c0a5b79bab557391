"""`klantbrug operator`: who may log in to the pages, with an account of here."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import Any

import click
import orjson

from gateway.cli.terminal.options import USAGE, with_config, with_store
from gateway.config.load import ensure_secret
from gateway.config.model import Config

MOST_TYPED = 4096
# As one word, so that nobody has to quote it.
CHOICES = {"kijken": "kijken", "bedienen": "bedienen", "personen-inzien": "personen inzien"}


def _role_option(*default: str) -> Callable[[Any], Any]:
    return click.option(
        "--role",
        "roles",
        multiple=True,
        type=click.Choice(list(CHOICES)),
        default=default,
        show_default=bool(default),
        help="Wat iemand mag; mag vaker. Wie bedient of personen inziet, mag ook kijken.",
    )


@click.group()
def operator() -> None:
    """Beheerders die op de pagina's inloggen met een account van hier."""


@operator.command("create")
@click.argument("name", metavar="NAAM")
@_role_option("kijken")
@click.option("--no-password", is_flag=True, help="Alleen toegang met klantbrug operator link.")
@with_config
def operator_create(config: Config, name: str, roles: tuple[str, ...], no_password: bool) -> None:
    """Maakt een account; vraagt om het wachtwoord, of leest het van de invoer (één regel)."""
    from gateway.installation import open_store
    from gateway.login import accounts

    def make() -> str:
        wanted = accounts.judged_name(name)
        password = None if no_password else _asked_password()
        accounts.create(open_store(ensure_secret(config)), wanted, password, _meant(roles), _who())
        return f"Beheerder {wanted} is gemaakt."

    _say(make)


@operator.command("password")
@click.argument("name", metavar="NAAM")
@with_store
def operator_password(config: Config, name: str) -> None:
    """Vervangt het wachtwoord, en logt de beheerder overal uit."""
    from gateway.installation import open_store
    from gateway.login import accounts

    def change() -> str:
        accounts.change_password(open_store(config), name, _asked_password(), _who())
        return f"Het wachtwoord van {name} is vervangen."

    _say(change)


@operator.command("roles")
@click.argument("name", metavar="NAAM")
@_role_option()
@with_store
def operator_roles(config: Config, name: str, roles: tuple[str, ...]) -> None:
    """Geeft een account andere rollen; wie ingelogd is, merkt het meteen."""
    from gateway.installation import open_store
    from gateway.login import accounts

    def change() -> str:
        accounts.change_roles(open_store(config), name, _meant(roles), _who())
        return f"{name} mag nu: {', '.join(roles)}."

    _say(change)


@operator.command("disable")
@click.argument("name", metavar="NAAM")
@click.option("--undo", is_flag=True, help="Laat de beheerder weer toe.")
@with_store
def operator_disable(config: Config, name: str, undo: bool) -> None:
    """Laat een beheerder niet meer toe, en logt die overal uit."""
    from gateway.installation import open_store
    from gateway.login import accounts

    def change() -> str:
        ended = accounts.disable(open_store(config), name, _who(), again=undo)
        return (
            f"{name} mag weer inloggen."
            if undo
            else f"{name} mag niet meer inloggen; sessies beëindigd: {ended}."
        )

    _say(change)


@operator.command("logout")
@click.argument("name", metavar="NAAM")
@with_store
def operator_logout(config: Config, name: str) -> None:
    """Logt iemand overal uit, ook wie via de aanbieder van de gemeente inlogde."""
    from gateway.installation import open_store
    from gateway.login import accounts

    click.echo(f"Sessies beëindigd: {accounts.log_out(open_store(config), name, _who())}.")


@operator.command("list")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def operator_list(config: Config, as_json: bool) -> None:
    """Toont de accounts van hier, hun rollen, en wie nu is ingelogd."""
    from gateway.base.dutch_time import local
    from gateway.installation import open_store
    from gateway.store.inspect.status import moment_of
    from gateway.store.login import operators, sessions

    with open_store(config).read() as connection:
        rows = operators.listing(connection)
        inside = sessions.count_by_name(connection, config.login.idle_minutes * 60 * 1_000_000)
    if as_json:
        for row in rows:
            moments = {name: moment_of(getattr(row, name)) for name in ("created", "last_login", "disabled")}
            values = {"name": row.name, "roles": sorted(row.roles), "password": row.password is not None}
            click.echo(orjson.dumps(values | moments | {"sessions": inside.get(row.name, 0)}).decode())
        return
    for row in rows:
        parts = [f"{row.name}: {', '.join(sorted(row.roles))}", f"gemaakt {local(row.created)}"]
        parts.append(f"laatst ingelogd {local(row.last_login) or 'nooit'}")
        parts += [] if row.password else ["zonder wachtwoord"]
        parts += [f"nu ingelogd: {inside[row.name]} keer"] if row.name in inside else []
        parts += [f"geweigerd sinds {local(row.disabled)}"] if row.disabled else []
        click.echo(", ".join(parts))
    others = {name: count for name, count in inside.items() if name not in {row.name for row in rows}}
    for name, count in others.items():
        click.echo(f"{name}: zonder account van hier, nu ingelogd: {count} keer")
    if not rows and not others:
        click.echo("Er is nog niemand; maak een account met klantbrug operator create NAAM.")


@operator.command("log")
@with_store
def operator_log(config: Config) -> None:
    """Toont wie het laatst inlogde, uitlogde of iets deed."""
    from gateway.base.dutch_time import local
    from gateway.installation import open_store
    from gateway.store.operation import events

    with open_store(config).read() as connection:
        found = events.events(connection, logins=True)
    for event in found:
        why = f": {event.why}" if event.why else ""
        click.echo(f"{local(event.moment)} {event.source or '-'} {event.what} ({event.who}){why}")
    if not found:
        click.echo("Er is nog niets gedaan.")


@operator.command("link")
@click.argument("name", metavar="NAAM", default="")
@_role_option("kijken", "bedienen")
@with_store
def operator_link(config: Config, name: str, roles: tuple[str, ...]) -> None:
    """Geeft een link die één keer inlogt. Zonder NAAM heet die beheerder zoals u op deze machine heet.

    Is er een account van die naam, dan gelden de rollen daarvan.
    """
    from gateway.installation import open_store
    from gateway.login.links import LINK_SECONDS, new_link

    _say(lambda: new_link(open_store(config), config.gateway, name or _who(), _meant(roles), _who()))
    click.echo(f"Werkt één keer, binnen {LINK_SECONDS // 60} minuten.", err=True)


def _say(do: Callable[[], str]) -> None:
    from gateway.login.accounts import AccountError

    try:
        click.echo(do())
    except AccountError as error:
        click.echo(f"{str(error)[:1].upper()}{str(error)[1:]}.", err=True)
        sys.exit(USAGE)


def _meant(roles: tuple[str, ...]) -> list[str]:
    return [CHOICES[role] for role in roles]


def _who() -> str:
    return getpass.getuser()


def _asked_password() -> str:
    """The password: asked twice at a terminal, else the first line of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(MOST_TYPED).rstrip("\r\n")
    typed: str = click.prompt("Wachtwoord", hide_input=True, confirmation_prompt="Nog een keer")
    return typed
