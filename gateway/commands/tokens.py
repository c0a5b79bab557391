"""`klantbrug token`: what clients show to be let in."""

from __future__ import annotations

import sys

import click
import orjson

from gateway.auth import SCOPES, TokenError, create_token
from gateway.commands.common import USAGE, with_config, with_store
from gateway.config import Config, ensure_secret


@click.group()
def token() -> None:
    """Tokens van clients."""


@token.command("create")
@click.argument("name")
@click.option("--scope", type=click.Choice(list(SCOPES)), default="read", show_default=True)
@with_config
def token_create(config: Config, name: str, scope: str) -> None:
    """Maakt een token; het wordt eenmaal getoond en nergens bewaard."""
    from gateway.installation import open_store

    try:
        click.echo(create_token(open_store(ensure_secret(config)), name, scope))
    except TokenError as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def token_list(config: Config, as_json: bool) -> None:
    """Toont de tokens: naam, scope, gemaakt, laatst gebruikt; nooit het token zelf."""
    from gateway.installation import open_store
    from gateway.show import moment_text
    from gateway.store.tokens import listing

    for row in listing(open_store(config)):
        values = row._asdict() | {
            name: moment_text(getattr(row, name)) for name in ("created", "last_used", "revoked")
        }
        if as_json:
            click.echo(orjson.dumps(values).decode())
            continue
        state = (
            f"ingetrokken {values['revoked']}"
            if row.revoked
            else f"laatst gebruikt {values['last_used'] or 'nooit'}"
        )
        click.echo(f"{row.name}: {row.scope}, gemaakt {values['created']}, {state}")


@token.command("revoke")
@click.argument("name")
@with_store
def token_revoke(config: Config, name: str) -> None:
    """Trekt een token in; binnen enkele seconden werkt het nergens meer."""
    from gateway.installation import open_store
    from gateway.store.tokens import revoke

    if not revoke(open_store(config), name):
        click.echo(f"Er is geen token in gebruik met de naam {name!r}.", err=True)
        sys.exit(USAGE)
    click.echo(f"Token {name!r} is ingetrokken.")
