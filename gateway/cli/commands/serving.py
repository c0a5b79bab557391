"""The gateway itself: check, serve, status, dump, restore, demo."""

from __future__ import annotations

import getpass
import os
import sys
from uuid import UUID

import click
import orjson

from gateway.cli.terminal.options import (
    PROBLEMS,
    must_be_known,
    serving,
    sources_option,
    stop_on_sigterm,
    with_config,
    with_store,
)
from gateway.config.model import Config

MARKS = {"ok": "[ok]     ", "warning": "[let op] ", "problem": "[FOUT]   "}
COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command()
@sources_option
@click.option("--deep", is_flag=True, help="Kijk de hele opslag na; bij een grote duurt dat minuten.")
@with_config
def check(config: Config, names: tuple[str, ...], deep: bool) -> None:
    """Zegt in gewone woorden wat werkt, wat de bronnen tonen, en wat ontbreekt."""
    from gateway.login.check import check_login
    from gateway.operator.check import SECONDS, CheckLine, Level, check_config, check_sources
    from gateway.operator.check_store import check_store
    from gateway.operator.export.check_register import check_register

    must_be_known(names, [source.name for source in config.sources])

    def show(line: CheckLine) -> None:
        click.echo(click.style(MARKS[line.level], fg=COLOURS[line.level]) + line.text)

    def begin(name: str) -> None:
        click.echo(f"\nBron {name} (hoogstens {SECONDS:.0f} seconden):")

    def wait_for(what: str, step: str) -> None:
        click.echo(click.style(f"       {what}: {step} ...", dim=True), err=True)

    def wait(step: str) -> None:
        click.echo(click.style(f"       vraagt {step} ...", dim=True), err=True)

    lines = check_config(config)
    for line in lines:
        show(line)
    stop_on_sigterm()
    try:
        for line in check_store(config.store, deep, lambda step: wait_for("de opslag", step)):
            lines.append(line)
            show(line)
        for line in check_login(config.login) if not names else ():
            lines.append(line)
            show(line)
        lines += check_sources(config, names, on_source=begin, on_line=show, on_step=wait)
        if config.target.url and not names:
            click.echo("\nHet register ([target]):")
        for line in check_register(config, wait) if not names else ():
            lines.append(line)
            show(line)
    except KeyboardInterrupt:
        click.echo("Onderbroken: wat hierboven staat is nagekeken, de rest niet.", err=True)
        sys.exit(PROBLEMS)
    sys.exit(PROBLEMS if any(line.level == Level.PROBLEM for line in lines) else 0)


@click.command()
@click.option("--no-jobs", is_flag=True, help="Zonder jobs: die draaien elders met klantbrug jobs, of niet.")
@click.option(
    "--register", is_flag=True, help="Een leeg register zonder bron, als [gateway] register = true."
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Ook luisteren waar anderen bij kunnen zonder https: voor proeven zonder echte gegevens.",
)
@with_config
def serve(config: Config, no_jobs: bool, register: bool, insecure: bool) -> None:
    """Start de gateway ([gateway] workers processen), met de jobs in een proces ernaast.

    SIGHUP leest de configuratie opnieuw, zonder dat een verzoek mislukt.
    """
    from gateway.config.load import load_config
    from gateway.operator.exposure import refuse_exposed
    from gateway.server.serve import must_be_free
    from gateway.server.serve import serve as run
    from gateway.server.supervise import supervised
    from jobs import registry

    def judged(found: Config) -> Config:
        found = serving(found, register)
        if not insecure:
            refuse_exposed(found)
        return found

    config = judged(config)
    if config.metrics.enabled and config.metrics.bind:
        must_be_free(config.metrics.bind, "metrics")
    must_be_free(config.gateway.bind)  # before anything is started beside it
    with supervised([] if no_jobs else _jobs_command(config, register)) as restart:
        run(config, lambda: judged(load_config(config.path, os.environ)), restart, registry)


def _jobs_command(config: Config, register: bool) -> list[str]:
    """The command that runs the jobs as we would; the number of its supervisor comes after it."""
    chosen = click.get_current_context().find_root().params
    flags = [f"--{name.replace('_', '-')}" for name in ("log_json", "verbose") if chosen[name]]
    path = ["--config", str(config.path)] if config.path else []
    served = ["--register"] if register else []
    return [sys.executable, "-m", "gateway", *path, *flags, "jobs", "serve", *served, "--supervisor"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def status(config: Config, as_json: bool) -> None:
    """Toont per bron wat is gelezen, vertaald, in quarantaine of weggelaten, en de laatste runs."""
    from gateway.cli.terminal.status_text import status_text
    from gateway.installation import open_store
    from gateway.operator.rooms.overview import whole_overview

    found = whole_overview(open_store(config), config)
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() if as_json else status_text(found))


@click.command()
@with_store
def dump(config: Config) -> None:
    """Schrijft de inhoud van de opslag als JSON Lines (bevat persoonsgegevens)."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import note_all
    from gateway.installation import open_store
    from gateway.store.inspect.dump import dump_lines

    store = open_store(config)
    note_all(log_of(config), store, "dump", getpass.getuser())
    for line in dump_lines(store):
        sys.stdout.buffer.write(line + b"\n")


@click.command()
@click.argument("uuid", type=click.UUID)
@with_store
def restore(config: Config, uuid: UUID) -> None:
    """Zet terug wat een client verwijderde en uit een bron kwam."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import note_lookup
    from gateway.base import correlation
    from gateway.base.correlation import JOB
    from gateway.installation import open_installation

    installation = open_installation(config)
    with correlation.part(JOB, "restore"), installation.store.write():  # what can't be noted is undone
        count = installation.ingest.restore(uuid)
        note_lookup(log_of(config), installation.store, "restore", getpass.getuser(), [str(uuid)])
    if not count:
        click.echo(f"Er is niets verwijderd onder {uuid}.", err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Teruggezet: {count} document(en).")


@click.command()
@click.option("--port", default=8000, show_default=True, help="Een bezette poort wordt overgeslagen.")
def demo(port: int) -> None:
    """Een voorbeeld-Zaken API, een backfill, de gateway en de beheerpagina's, tot Ctrl-C."""
    from gateway.cli.commands.demo import run

    stop_on_sigterm()
    sys.exit(run(port))
