"""`klantbrug export mapping|fixture|csv`: what somebody takes along in files."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from gateway.cli.terminal.options import PROBLEMS, refuse, stop_on_sigterm, with_store
from gateway.config.model import Config

if TYPE_CHECKING:
    from gateway.store.base.store import Store

# What tells of progress: of what, how many are done, how many there are.
Told = Callable[[str, int, int], None]


@click.command("mapping")
@click.option("--csv", "as_csv", is_flag=True, help="Als CSV; anders een JSON-object per regel.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Naar dit nieuwe bestand.")
@with_store
def mapping(config: Config, as_csv: bool, output: Path | None) -> None:
    """Geeft van elke uuid van hier de uuid in het register, voor wie die van hier bewaart."""
    from gateway.installation import open_store
    from gateway.operator.export import mapping as pairs
    from gateway.operator.export.directory import create

    store = open_store(config)
    try:
        file = create(output) if output else sys.stdout.buffer
    except OSError as error:
        refuse(f"--output: {output} is niet te maken ({error.strerror}).")
    if as_csv:
        file.write((",".join(pairs.HEADINGS) + "\r\n").encode())
    for row in pairs.rows(store):
        line = ",".join(row) + "\r\n" if as_csv else ""
        file.write(
            line.encode() if as_csv else orjson.dumps(dict(zip(pairs.HEADINGS, row, strict=True))) + b"\n"
        )
    file.flush()
    if output:
        file.close()


@click.command("fixture")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--for", "version", type=click.Choice(["openklant-2.18"]), required=True, help="Voor welk register."
)
@click.option(
    "--pk-start", type=click.IntRange(1), default=1, show_default=True, help="Het eerste nummer (pk)."
)
@with_store
def fixture(config: Config, directory: Path, version: str, pk_start: int) -> None:
    """Maakt bestanden voor loaddata van een leeg Open Klant, met de uuids van hier."""
    from gateway.operator.export.fixture import write

    counts = _written(config, lambda store, told: write(store, directory, pk_start, told))
    click.echo(f"{sum(counts.values())} objecten in {directory}; zie LEESMIJ.txt daarin.")


@click.command("csv")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@with_store
def csv_files(config: Config, directory: Path) -> None:
    """Maakt een CSV-bestand per resource, met een beschrijving van elke kolom."""
    from gateway.operator.export.csv_files import write

    counts = _written(config, lambda store, told: write(store, directory, told))
    click.echo(f"{sum(counts.values())} rijen in {directory}; de kolommen staan in datawoordenboek.csv.")


def _written(config: Config, write: Callable[[Store, Told], dict[str, int]]) -> dict[str, int]:
    """Write files with progress; what keeps that from being done ends the command."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import note_all
    from gateway.cli.terminal.displays import EXPORT
    from gateway.cli.terminal.progress import show_progress
    from gateway.installation import open_store
    from gateway.operator.export.directory import NoSuchPlace
    from jobs.common.progress import Step

    stop_on_sigterm()
    store = open_store(config)
    note_all(log_of(config), store, f"export {click.get_current_context().info_name}", getpass.getuser())
    try:
        with show_progress(EXPORT) as show:
            return write(store, lambda what, done, total: show(Step("bestanden", what, done, total)))
    except NoSuchPlace as error:
        refuse(str(error))
    except KeyboardInterrupt:
        click.echo("Onderbroken: de bestanden zijn niet volledig; verwijder ze.", err=True)
    except OSError as error:
        click.echo(f"Niet gelukt: {error.strerror}. De bestanden zijn niet volledig; verwijder ze.", err=True)
    sys.exit(PROBLEMS)
