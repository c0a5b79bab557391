"""`klantbrug quarantine`: what could not be read at all: look at it, try again, let it be."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import click
import orjson

from gateway.base.dutch_time import local
from gateway.cli.terminal.options import PROBLEMS, USAGE, must_be_home, with_store
from gateway.cli.terminal.personal_values import as_text, may_show, show_option
from gateway.config.model import Config

EMPTIED = (
    "De inhoud is niet meer bewaard ([mapping] wachttijd_dagen): alleen de uuid, en onleesbaar gemaakt welke nummers "
    "erin staan. klantbrug quarantine retry UUID vraagt het object opnieuw aan de bron."
)


@click.group()
def quarantine() -> None:
    """Bronobjecten die niet te lezen zijn: bekijken, opnieuw proberen, laten rusten."""


@quarantine.command("list")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@click.option("--all", "everything", is_flag=True, help="Ook wat u liet rusten.")
@with_store
def quarantine_list(config: Config, as_json: bool, everything: bool) -> None:
    """Toont wat er te bekijken is: object, reden, sinds wanneer."""
    found = [held for held in _held(config) if everything or held.dismissed is None]
    for held in found:
        if as_json:
            click.echo(orjson.dumps(_told(held)).decode())
            continue
        rest = f", laten rusten op {local(held.dismissed)}" if held.dismissed else ""
        click.echo(
            f"{held.kind} {held.uuid} (bron {held.source}, sinds {local(held.since)}{rest}): {held.reason}"
        )
    if not found and not as_json:
        click.echo("Niets in quarantaine dat u moet bekijken.")


@quarantine.command("show")
@click.argument("uuid", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@show_option
@with_store
def quarantine_show(config: Config, uuid: UUID, as_json: bool, show: bool) -> None:
    """Toont van een object de reden, wat te doen, en welke velden gevuld zijn."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import note_persons
    from gateway.base import correlation
    from gateway.base.correlation import JOB
    from gateway.installation import open_store
    from gateway.store.inspect import explaining
    from gateway.store.legacy import untranslated_keys
    from mappings.explain.advice import QUARANTINE
    from mappings.explain.why import flat

    shown = may_show(show)
    store = open_store(config)
    for held in _chosen(config, (uuid,)):
        with store.read() as connection:
            raw = explaining.raw(connection, held.row)
            about = untranslated_keys.keys_of(connection, held.row)
        if shown:
            with correlation.part(JOB, "quarantine show"):
                note_persons(log_of(config), "quarantine show", getpass.getuser(), about)
        values = flat(raw.body or {})
        fields: Any = values if shown else sorted(_known(name) for name, value in values.items() if value)
        told = {**_told(held), "advice": QUARANTINE, "fields": fields}
        if as_json:
            click.echo(orjson.dumps(told).decode())
            continue
        click.echo(f"{held.kind} {held.uuid} (bron {held.source})\n  Reden: {held.reason}")
        click.echo(f"  Sinds: {local(held.since)}\n  Wat te doen: {QUARANTINE}")
        if held.dismissed:
            click.echo(f"  Laten rusten op: {local(held.dismissed)}")
        if held.emptied:
            click.echo(f"  {EMPTIED}")
            continue
        click.echo("  Velden:" if shown else "  Gevulde velden (de waarden alleen met --show):")
        for name in fields:
            value = f" = {as_text(values[name])}" if isinstance(fields, Mapping) else ""
            click.echo(f"    {as_text(name)}{value}")


@quarantine.command("retry")
@click.argument("uuids", type=click.UUID, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Alles wat in quarantaine is.")
@with_store
def quarantine_retry(config: Config, uuids: tuple[UUID, ...], everything: bool) -> None:
    """Vertaalt opnieuw wat bewaard is, en zegt wat ervan werd. Wat niet meer bewaard is, wordt de bron gevraagd."""
    from gateway.installation import open_installation
    from gateway.legacy.errors import LegacyError
    from gateway.operator.explain.explainer import STATES
    from gateway.store.base import kinds
    from gateway.store.inspect import explaining
    from gateway.store.legacy import quarantine

    if everything == bool(uuids):
        click.echo("Noem een of meer uuids, of --all.", err=True)
        sys.exit(USAGE)
    installation = open_installation(config)
    must_be_home(installation.store)
    left = 0
    for held in _held(config) if everything else _chosen(config, uuids):
        named = f"{held.kind} {held.uuid} (bron {held.source})"
        try:
            installation.retry(held.source, held.kind, held.uuid, emptied=held.emptied)
        except LegacyError as error:
            click.echo(f"{named}: de bron gaf het niet ({error.cause})", err=True)
            left += 1
            continue
        with installation.store.read() as connection:
            found = [each for each in explaining.raws(connection, held.uuid) if each.row == held.row]
            left += any(each.row == held.row for each in quarantine.listing(connection, held.uuid))
        click.echo(f"{named}: {STATES[found[0].state if found else kinds.GONE]}")
    sys.exit(PROBLEMS if left else 0)


@quarantine.command("dismiss")
@click.argument("uuids", type=click.UUID, nargs=-1, required=True)
@with_store
def quarantine_dismiss(config: Config, uuids: tuple[UUID, ...]) -> None:
    """Laat een object rusten: bewaard, niet meer geteld, tot de bron het gewijzigd geeft."""
    from gateway.base.clock import now
    from gateway.installation import open_store
    from gateway.store.legacy import quarantine as store
    from gateway.store.legacy import untranslated_keys

    chosen = _chosen(config, uuids)
    with open_store(config).write() as connection:
        store.dismiss(connection, [held.row for held in chosen], now())
        untranslated_keys.settle(connection)
    for held in chosen:
        click.echo(
            f"{held.kind} {held.uuid} (bron {held.source}) blijft bewaard en telt niet meer mee: zoekvragen ernaar "
            "worden weer volledig genoemd, zonder dit object."
        )


def _held(config: Config) -> list[Any]:
    from gateway.installation import open_store
    from gateway.store.legacy.quarantine import listing

    with open_store(config).read() as connection:
        return listing(connection)


def _chosen(config: Config, uuids: tuple[UUID, ...]) -> list[Any]:
    """What is in quarantine under these uuids; ends the command when one of them is not."""
    found = [held for held in _held(config) if held.uuid in uuids]
    for uuid in sorted(set(uuids) - {held.uuid for held in found}):
        click.echo(f"{uuid} is niet in quarantaine.", err=True)
        sys.exit(PROBLEMS)
    return found


def _told(held: Any) -> dict[str, Any]:
    from gateway.store.inspect.status import moment_of

    moments = {name: moment_of(getattr(held, name)) for name in ("since", "dismissed")}
    shown: dict[str, Any] = held._asdict() | moments | {"uuid": str(held.uuid)}
    del shown["row"]
    return shown


def _known(name: str) -> str:
    """A field's name as the standard has it: what a source made up may hold anything."""
    return ".".join(part if part.isidentifier() and len(part) <= 40 else "?" for part in name.split("."))
