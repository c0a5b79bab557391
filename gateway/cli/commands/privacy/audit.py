"""`klantbrug audit`: what was logged about one person, and away with what is too old."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
import orjson

from gateway.cli.terminal.options import PROBLEMS, USAGE, with_config, with_store
from gateway.config.model import Config

if TYPE_CHECKING:
    from gateway.store.base.session import Session

MOST_TYPED = 100


@click.group()
def audit() -> None:
    """Het auditlog van verwerkingen (Logboek Dataverwerkingen): opzoeken en opruimen."""


@audit.command("show")
@click.option("--bsn-stdin", is_flag=True, help="Lees het BSN van de standaardinvoer; nooit als argument.")
@click.option("--partij", type=click.UUID, default=None, help="De uuid van de partij.")
@click.option("--json", "as_json", is_flag=True, help="Voor machines: elke regel zoals zij is gelogd.")
@with_store
def audit_show(config: Config, bsn_stdin: bool, partij: UUID | None, as_json: bool) -> None:
    """Toont wie wat wanneer met de gegevens van een persoon deed, voor een verzoek om inzage."""
    from gateway.audit.finding import records_of
    from gateway.audit.log import directory_of, key_file_of, key_of, log_of
    from gateway.audit.lookups import note_persons
    from gateway.base import correlation
    from gateway.base.correlation import JOB
    from gateway.installation import open_store

    bsn = _bsn() if bsn_stdin and partij is None else ""
    if not bsn and (bsn_stdin or partij is None):
        click.echo(
            "Noem één persoon: --bsn-stdin met een geldig BSN op de standaardinvoer, of --partij UUID.",
            err=True,
        )
        sys.exit(USAGE)
    if not key_file_of(config).exists():
        click.echo(f"Er is geen sleutel ({key_file_of(config)}): hier is nog nooit iets gelogd.", err=True)
        sys.exit(PROBLEMS)
    store = open_store(config)
    with store.read() as connection:
        uuids = _uuids(config, connection, bsn, partij)
    found = records_of(directory_of(config), key_of(config), uuids)
    with correlation.part(JOB, "audit show"):
        note_persons(log_of(config), "audit show", getpass.getuser(), uuids)
    for record in found.records:
        click.echo(orjson.dumps(record).decode() if as_json else _line(record))
    if not found.records and not as_json:
        click.echo(f"Niets gelogd over deze persoon in de afgelopen {config.audit.keep_days} dagen.")
    if found.unreadable:
        click.echo(f"{found.unreadable} regels zijn niet te lezen (een volle schijf kapte ze af).", err=True)
        sys.exit(PROBLEMS)


@audit.command("purge")
@with_config
def audit_purge(config: Config) -> None:
    """Verwijdert de bestanden van dagen langer geleden dan [audit] keep_days; de job purge doet dat elke nacht."""
    from gateway.audit.files import remove_old
    from gateway.audit.log import directory_of
    from gateway.base import clock

    removed = remove_old(directory_of(config), config.audit.keep_days, clock.now())
    click.echo(f"{removed} bestanden verwijderd, van meer dan {config.audit.keep_days} dagen geleden.")


@audit.command("forget-key")
@click.option("--yes", is_flag=True, help="Zonder vraag vooraf.")
@with_config
def audit_forget_key(config: Config, yes: bool) -> None:
    """Op PostgreSQL: laat een andere sleutel toe. De eerste machine die daarna start, legt de hare vast."""
    from gateway.installation import AUDIT_KEY, store_of
    from gateway.store.operation.sources import release_secret

    if not yes:
        click.echo("Met een andere sleutel is wat tot nu toe is gelogd alleen met de oude terug te vinden.")
        click.confirm(
            "Staat het log met zijn sleutel elders, en draait er geen enkele Klantbrug?", abort=True
        )
    known = release_secret(store_of(config), AUDIT_KEY)
    click.echo("De sleutel is losgelaten." if known else "Er lag geen sleutel vast.")


def _bsn() -> str:
    """The BSN on the standard input; blank when it is none."""
    from mappings.values import nummers

    return nummers.bsn(sys.stdin.readline(MOST_TYPED).strip()) or ""


def _uuids(config: Config, connection: Session, bsn: str, partij: UUID | None) -> set[bytes]:
    from gateway.audit.finding import uuids_of_bsn, uuids_of_partij
    from gateway.config.load import ensure_secret
    from mappings.identity.identity import Uuids

    if partij is not None:
        return uuids_of_partij(connection, partij)
    return uuids_of_bsn(connection, Uuids(ensure_secret(config).store.uuid_secret), bsn)


def _line(record: dict[str, Any]) -> str:
    from gateway.audit.log import ACTIVITY, TOKEN

    told = record["attributes"]
    return f"{record['start_time']}  {told[TOKEN] or '-'}  {record['name']}  {told[ACTIVITY]}"
