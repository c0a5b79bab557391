"""`klantbrug verify`: prove that the store is what the source says, repair it, and show reports."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.cli.terminal.options import (
    PROBLEMS,
    chosen_sources,
    must_be_home,
    refuse,
    sources_option,
    spare_collections,
    stop_on_sigterm,
    telling,
    there,
    with_config,
)
from gateway.config.model import Config


@click.command()
@click.option("--full", is_flag=True, help="Alles vergelijken; zonder --full een steekproef.")
@click.option(
    "--sample", type=click.IntRange(1), help="Zoveel zaken, willekeurig van beide kanten (anders 500)."
)
@click.option("--seed", type=int, help="Dezelfde steekproef opnieuw: het getal uit het rapport.")
@sources_option
@click.option("--repair", is_flag=True, help="Herstelt wat ontbreekt, te veel is of verschilt.")
@click.option(
    "--json", "as_json", is_flag=True, help="Het rapport voor machines; van meer bronnen een lijst."
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Het rapport als pagina.")
@click.option("--list", "listing", is_flag=True, help="Toont de bewaarde rapporten.")
@click.option("--report", "number", type=int, help="Toont een bewaard rapport.")
@with_config
@telling
def verify(
    config: Config,
    full: bool,
    sample: int | None,
    seed: int | None,
    names: tuple[str, ...],
    repair: bool,
    as_json: bool,
    html: Path | None,
    listing: bool,
    number: int | None,
) -> None:
    """Vergelijkt bron en opslag, van beide kanten; 0 is schoon, 1 is niet schoon.

    Met --full gaat hetzelfde commando na onderbreken verder waar het was, tot een dag na het begin. Een
    andere [mapping], wel of geen --repair of een andere versie begint opnieuw.
    """
    if full and (sample is not None or seed is not None):
        refuse("Kies: --full, of een steekproef met --sample en --seed.")
    if html is not None and not (html.parent.is_dir() and os.access(html.parent, os.W_OK)):
        refuse(f"--html: map {html.parent} is er niet, of er mag niet in worden geschreven.")
    if listing or number is not None:
        _kept(config, number, as_json, html)
        return
    asked, done = [source.name for source in chosen_sources(config, names)], list[dict[str, Any]]()
    if html is not None and len(asked) > 1:
        refuse("Er zijn meer bronnen: kies er een met --source voor een pagina.")
    stop_on_sigterm()
    try:
        for each in asked:
            report = _run(config, each, None if full else sample or 0, seed, repair)
            done.append(report)
            if len(asked) == 1 or not as_json:
                _show(report, as_json, html)
    finally:
        # Also when the verify of a later source did not come to a report.
        if as_json and len(asked) > 1:
            _tell_json(done)
    sys.exit(0 if all(report["clean"] for report in done) else PROBLEMS)


def _run(config: Config, name: str, sample: int | None, seed: int | None, repair: bool) -> dict[str, Any]:
    from gateway.cli.terminal.displays import VERIFY
    from gateway.cli.terminal.progress import show_progress
    from gateway.fetch.fetcher import CutOver
    from gateway.installation import open_installation
    from gateway.legacy.background import background
    from gateway.legacy.errors import LegacyError
    from gateway.store.operation.leases import Lost
    from jobs.common.work import Busy
    from jobs.verify.verify import SAMPLE, Verify

    spare_collections()
    installation = open_installation(config)
    must_be_home(installation.store)
    fetcher = installation.fetchers[name]
    again = "gaat verder waar dit ophield" if sample is None else "begint opnieuw"
    try:
        # Asked by hand, so the hours of the window don't count; but requests of clients go first.
        with show_progress(VERIFY) as show, background(window=False):
            size = SAMPLE if sample == 0 else sample
            return Verify(fetcher, sample=size, repair=repair, show=show, seed=seed).run()
    except KeyboardInterrupt:
        click.echo(f"Onderbroken: er is geen rapport. Hetzelfde commando {again}.", err=True)
    except (Busy, CutOver) as error:
        click.echo(f"{error}. Er is geen rapport.", err=True)
    except LegacyError as error:
        click.echo(f"{error}. Er is geen rapport. Hetzelfde commando {again}.", err=True)
    except Lost:
        click.echo("Een ander proces nam het over; er is geen rapport.", err=True)
    sys.exit(PROBLEMS)


def _kept(config: Config, number: int | None, as_json: bool, html: Path | None) -> None:
    from gateway.base.dutch_time import local
    from gateway.cli.terminal.status_text import styled
    from gateway.installation import open_store
    from gateway.operator.status import proof_label
    from gateway.store.inspect.status import moment_of
    from gateway.store.operation import verify_reports

    store = open_store(there(config))
    with store.read() as connection:
        kept = verify_reports.list_reports(connection) if number is None else []
        report = verify_reports.get_report(connection, number) if number is not None else None
    if number is None:
        for line in kept:
            values = line._asdict() | {"began": moment_of(line.began), "ended": moment_of(line.ended)}
            if as_json:
                click.echo(orjson.dumps(values).decode())
                continue
            outcome = styled(proof_label(line.clean))
            mode = "alles" if line.mode == "full" else "steekproef"
            click.echo(f"{line.id}: bron {line.source}, {mode}, {local(line.ended)}, {outcome}")
        if not kept and not as_json:
            click.echo("Er is nog geen rapport; klantbrug verify maakt er een.")
        return
    if report is None:
        refuse(f"Er is geen rapport {number}; zie klantbrug verify --list.")
    else:
        _show(report, as_json, html)


def _show(report: dict[str, Any], as_json: bool, html: Path | None) -> None:
    from gateway.operator.verify_report import page, text

    if as_json:
        _tell_json(report)
    else:
        click.echo(text(report))
    if html is None:
        return
    try:
        html.write_text(page(report), encoding="utf-8")
    except OSError as error:
        again = f"klantbrug verify --report {report['id']} --html BESTAND"
        click.echo(
            f"{html} is niet te schrijven: {error.strerror}. Het rapport is bewaard: {again}.", err=True
        )
        sys.exit(PROBLEMS)
    click.echo(f"Rapport {report['id']} staat in {html}.", err=True)


def _tell_json(what: Any) -> None:
    click.echo(orjson.dumps(what, option=orjson.OPT_INDENT_2).decode())
