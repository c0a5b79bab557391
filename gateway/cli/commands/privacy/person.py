"""`klantbrug person`: all that is held of one person, for a request for access, and erasing it."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from gateway.cli.terminal.options import PROBLEMS, refuse, with_store
from gateway.config.model import Config

if TYPE_CHECKING:
    from gateway.operator.person.erase import Erasure
    from gateway.store.person.belonging import Belonging, Wanted

MOST_TYPED = 100
MOST_SHOWN = 50
NOBODY = "Van deze persoon is niets bewaard."


def _who(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say whom a command is about: a number is typed, and never stands on the command line."""
    for option in (
        click.option(
            "--partij", type=click.UUID, help="De uuid van de partij (of een betrokkene zonder partij)."
        ),
        click.option("--kvk-stdin", is_flag=True, help="Lees het KVK-nummer van de standaardinvoer."),
        click.option(
            "--bsn-stdin", is_flag=True, help="Lees het BSN van de standaardinvoer; nooit als argument."
        ),
    ):
        function = option(function)
    return function


@click.group()
def person() -> None:
    """Inzage en verwijdering: alles wat van één persoon bewaard is (AVG artikel 15 en 17)."""


@person.command("export")
@_who
@click.option(
    "--stdout", "to_stdout", is_flag=True, help="Naar de standaarduitvoer in plaats van een bestand."
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="De map waarin het bestand komt (anders de huidige).",
)
@with_store
def person_export(
    config: Config, bsn_stdin: bool, kvk_stdin: bool, partij: UUID | None, to_stdout: bool, directory: Path
) -> None:
    """Schrijft alles wat van een persoon bewaard is, met waar het vandaan komt, naar een JSON-bestand (rechten 600)."""
    from gateway.config.load import ensure_secret
    from gateway.installation import make_ingest, open_store
    from gateway.operator.person.export import as_file, export

    config = ensure_secret(config)
    wanted = _wanted(config, bsn_stdin, kvk_stdin, partij)
    store = open_store(config)
    told = export(config, store, make_ingest(config, store), wanted)
    if told is None:
        click.echo(NOBODY, err=True)
        sys.exit(PROBLEMS)
    _note(config, "person export", wanted)  # after it: the record of this export says nothing of a person
    text = as_file(told)
    if to_stdout:
        click.echo(text.decode(), nl=False)
        return
    path = _write(directory, text)
    click.echo(
        f"{path}: {len(told['documenten'])} documenten, {len(told['bronobjecten'])} bronobjecten,"
        f" {len(told['auditlog']['regels'])} regels uit het auditlog."
    )
    click.echo(
        "Kijk het na voor u het geeft: in vrije tekst kunnen anderen genoemd worden. Verwijder het daarna."
    )


@person.command("erase")
@_who
@click.option("--yes", is_flag=True, help="Wis echt; zonder deze optie wordt alleen getoond wat er zou gaan.")
@click.option("--reason", default="", help="Waarom, zonder persoonsgegevens; komt in het logboek.")
@with_store
def person_erase(
    config: Config, bsn_stdin: bool, kvk_stdin: bool, partij: UUID | None, yes: bool, reason: str
) -> None:
    """Wist alles wat van een persoon bewaard is, en noemt waar het nog staat. Zonder --yes verandert er niets."""
    from gateway.config.load import ensure_secret
    from gateway.installation import make_ingest, open_store
    from gateway.operator.person.erase import Eraser
    from gateway.operator.person.export import backups_of

    if yes and not reason.strip():
        refuse("Zeg met --reason waarom, bijvoorbeeld het nummer van het verzoek; het komt in het logboek.")
    config = ensure_secret(config)
    wanted = _wanted(config, bsn_stdin, kvk_stdin, partij)
    store = open_store(config)
    eraser = Eraser(config, store, make_ingest(config, store))
    found = eraser.find(wanted)
    if not found.anything:
        click.echo(NOBODY, err=True)
        sys.exit(PROBLEMS)
    if any(name in reason for name in eraser.names(wanted, found)):
        refuse("In --reason staat een nummer of uuid van deze persoon; dat zou in het logboek blijven staan.")
    _note(config, "person erase", wanted, found)
    told = eraser.erase(wanted, found, getpass.getuser(), reason.strip()) if yes else eraser.plan(found)
    for line in _lines(told, done=yes):
        click.echo(line)
    for path in backups_of(config):
        click.echo(f"Staat mogelijk nog in back-ups: {path}")
    if yes and not told.files_clean and config.store.url == "":
        click.echo(
            "Het logboek van de opslag (-wal) is nog niet leeg: er wordt gelezen. De taak purge doet het vannacht."
        )
    if not yes:
        click.echo("Er is niets gewist. Doe hetzelfde met --yes en --reason om te wissen.")


def _wanted(config: Config, bsn_stdin: bool, kvk_stdin: bool, partij: UUID | None) -> Wanted:
    """Who is meant; what is not one valid number or uuid ends the command."""
    from gateway.operator.person import about
    from mappings.identity.identity import Uuids
    from mappings.values import nummers

    if bsn_stdin + kvk_stdin + (partij is not None) != 1:
        refuse("Noem één persoon: --bsn-stdin, --kvk-stdin of --partij UUID.")
    if partij is not None:
        return about.by_uuid(partij)
    typed = sys.stdin.readline(MOST_TYPED).strip()
    number = nummers.bsn(typed) if bsn_stdin else nummers.kvk_nummer(typed)
    if not number:
        refuse("Op de standaardinvoer staat geen geldig nummer.")
    return about.by_number(Uuids(config.store.uuid_secret), about.BSN if bsn_stdin else about.KVK, number)


def _note(config: Config, name: str, wanted: Wanted, found: Belonging | None = None) -> None:
    """Note in the audit log that somebody is about to see, or to erase, what is held of this person."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import note_persons
    from gateway.base import correlation
    from gateway.base.correlation import JOB
    from gateway.installation import open_store
    from gateway.operator.person import about

    audit = log_of(config)
    if audit is None:
        return
    uuids = about.in_the_log(open_store(config), wanted, found)
    with correlation.part(JOB, name):
        note_persons(audit, name, getpass.getuser(), uuids)


def _write(directory: Path, text: bytes) -> Path:
    """A file that only its owner reads, of which the name says nothing of whom it is about."""
    from gateway.operator.person.export import file_name

    path = directory / file_name()
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(text)
    return path


def _lines(told: Erasure, *, done: bool) -> list[str]:
    verb = "Gewist" if done else "Wordt gewist"
    lines = [
        f"{verb}: {_counted(told.documents)}.",
        f"{verb} van wat uit bronnen kwam: {_counted(told.objects)}.",
    ]
    if told.waiting:
        lines.append(f"{verb} uit de wachtrijen naar buiten: {told.waiting}.")
    if done:
        lines.append(
            f"Gewist van wat clients erover schreven: {told.edits} delen; uit bewaarde verslagen: {told.scrubbed}."
        )
    if told.elsewhere:
        lines.append(
            "Dit staat ook elders. Zolang de bron het heeft, komt het hier terug bij de volgende lezing:"
        )
        lines += [
            f"  {each.where}: {each.kind} {each.address or each.uuid or '(uuid onbekend)'}"
            + (f" (zaak {each.zaaknummer})" if each.zaaknummer else "")
            + f": {each.advice}"
            for each in told.elsewhere[:MOST_SHOWN]
        ]
        if len(told.elsewhere) > MOST_SHOWN:
            lines.append(
                f"  ... en nog {len(told.elsewhere) - MOST_SHOWN}; klantbrug person export noemt alles (elders)"
            )
    if told.shared_contacts:
        lines.append(
            "Deze klantcontacten blijven, want er staan anderen in; lees of de tekst over deze persoon gaat:"
        )
        lines += [f"  {uuid}" for uuid in told.shared_contacts[:MOST_SHOWN]]
    if told.shared_zaken:
        lines.append("Deze zaken blijven, want anderen hebben er een rol in:")
        lines += [
            f"  {each.where}: zaak {each.address or each.uuid}" for each in told.shared_zaken[:MOST_SHOWN]
        ]
    return lines


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "niets"
