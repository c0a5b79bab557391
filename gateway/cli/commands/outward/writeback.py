"""`klantbrug writeback`: what clients wrote and the sources are still to be told."""

from __future__ import annotations

import getpass
import sys
from functools import partial
from typing import Any
from uuid import UUID

import click
import orjson

from gateway.base.dutch_time import local
from gateway.cli.terminal.options import PROBLEMS, USAGE, with_store
from gateway.cli.terminal.personal_values import as_text, may_show, show_option
from gateway.config.model import Config


@click.group()
def writeback() -> None:
    """Wat clients schreven en de bronnen nog moeten horen: bekijken, sturen, laten vervallen."""


@writeback.command("list")
@click.option("--parked", is_flag=True, help="Alleen wat op u wacht.")
@click.option("--source", "source", default="", help="Alleen van deze bron.")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def writeback_list(config: Config, parked: bool, source: str, as_json: bool) -> None:
    """Toont wat er wacht, en wat te doen met wat de bron niet aannam."""
    from gateway.installation import open_store
    from gateway.operator.writeback import listing

    found = listing(open_store(config), source, parked=parked)
    for each in found:
        click.echo(orjson.dumps(each).decode() if as_json else "\n".join(_lines(each)))
    if not found and not as_json:
        click.echo("Er wacht niets.")
    sys.exit(PROBLEMS if any(each["parked"] for each in found) else 0)


@writeback.command("show")
@click.argument("number", type=int, metavar="NUMMER")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@show_option
@with_store
def writeback_show(config: Config, number: int, as_json: bool, show: bool) -> None:
    """Toont een wijziging, en wat er zou gaan als zij nu ging: de velden, met --show ook de waarden."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import note_lookup
    from gateway.base import correlation
    from gateway.base.correlation import JOB
    from gateway.installation import open_installation
    from gateway.operator.writeback import NoChange, change_of
    from gateway.operator.writeback import show as shown
    from gateway.writeback.rehearsal import rehearse

    installation = open_installation(config)
    try:
        change = change_of(installation.store, number)
        if may_show(show):
            with correlation.part(JOB, "writeback show"):
                about = [str(UUID(bytes=change.document))]
                note_lookup(log_of(config), installation.store, "writeback show", getpass.getuser(), about)
        fetcher = installation.fetchers.get(change.source)
        would = partial(rehearse, fetcher, config) if fetcher else None
        told = shown(installation.store, number, would, values=may_show(show))
    except NoChange as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    if as_json:
        click.echo(orjson.dumps(told).decode())
        return
    click.echo("\n".join(_lines(told)))
    for call in told["calls"]:
        fields = call["fields"]
        values = (
            "".join(f"\n    {name} = {as_text(value)}" for name, value in fields.items())
            if isinstance(fields, dict)
            else f": {', '.join(fields)}"
        )
        click.echo(f"  {call['call']}{values}")
    if told["why"] or not told["calls"]:
        click.echo(f"  Gaat nu niet: {told['why'] or 'de bron hoeft hier niets van te horen'}.")


@writeback.command("send")
@click.argument("numbers", type=int, nargs=-1, metavar="NUMMER...")
@click.option("--all", "everything", is_flag=True, help="Alles wat op u wacht.")
@with_store
def writeback_send(config: Config, numbers: tuple[int, ...], everything: bool) -> None:
    """Stuurt opnieuw wat op u wacht; wat de bron intussen wijzigde, wordt daar overschreven."""
    from gateway.installation import open_store
    from gateway.operator.writeback import listing, send_again

    if everything == bool(numbers):
        click.echo("Noem een of meer nummers, of --all.", err=True)
        sys.exit(USAGE)
    store = open_store(config)
    asked = [each["id"] for each in listing(store, parked=True)] if everything else list(numbers)
    count = send_again(store, asked, getpass.getuser())
    click.echo(f"{count} gaan opnieuw, zodra de job writeback loopt.")
    sys.exit(0 if count == len(asked) else PROBLEMS)


@writeback.command("drop")
@click.argument("numbers", type=int, nargs=-1, required=True, metavar="NUMMER...")
@with_store
def writeback_drop(config: Config, numbers: tuple[int, ...]) -> None:
    """Laat wijzigingen vervallen: de bron houdt wat zij heeft, Klantbrug ook."""
    from gateway.installation import open_store
    from gateway.operator.writeback import NoChange, let_go

    store, missing = open_store(config), False
    for number in numbers:
        try:
            told = let_go(store, number, getpass.getuser())
        except NoChange as error:
            click.echo(str(error), err=True)
            missing = True
            continue
        click.echo(
            f"{number} ({told['kind']}, {told['document']}) gaat niet meer naar bron {told['source']}."
        )
    sys.exit(PROBLEMS if missing else 0)


@writeback.command("status")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def writeback_status(config: Config, as_json: bool) -> None:
    """Toont per bron en soort hoeveel er wacht, sinds wanneer, hoeveel op u wacht, en wat er van de rest werd."""
    from gateway.installation import open_store
    from gateway.operator.writeback import numbers, shown_numbers

    found = numbers(open_store(config))
    if as_json:
        click.echo(orjson.dumps({name: shown_numbers(each) for name, each in found.items()}).decode())
        return
    for source, of_source in found.items():
        for kind, each in of_source.kinds.items():
            oldest = f", de oudste van {local(each.oldest)}" if each.oldest else ""
            click.echo(
                f"Bron {source}, {kind}: {each.waiting} wachten{oldest}; {each.parked} wachten op u. Tot nu toe "
                f"{each.sent} klaar, {each.refused} geweigerd, {each.changed} bij de bron gewijzigd, "
                f"{each.unanswered} keer geen antwoord, {each.dropped} vervallen."
            )
        if of_source.findings:
            rules = ", ".join(f"{rule} {count}" for rule, count in of_source.findings.items())
            click.echo(f"Bron {source}, bevindingen: {rules} (zie klantbrug findings).")
    if not found:
        told = ", ".join(source.name for source in config.sources if source.write_back)
        click.echo(
            "Er wacht niets." if told else "Terugschrijven staat uit: geen [[source]] heeft write_back."
        )


def _lines(each: dict[str, Any]) -> list[str]:
    part = f" {each['part']}" if each["part"] else ""
    about = f"{each['id']}: {each['kind']} {each['document']}{part} (bron {each['source']}, {local(each['since'])})"
    if each["parked"] is None:
        tries = f", {each['attempts']} keer geprobeerd: {each['cause']}" if each["attempts"] else ""
        return [f"{about} wacht{tries}"]
    fields = f" op {each['fields']}" if each["fields"] else ""
    return [f"{about} wacht op u: {each['cause']}{fields}", f"  {each['advice']}"]
