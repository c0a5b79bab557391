"""The `klantbrug` command. Exit codes: 0 done, 1 finished with problems (it says which), 2 usage or config."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import orjson

from gateway.auth import SCOPES, TokenError, create_token
from gateway.config import Config, ConfigError, load_config
from gateway.logs import safe_error, setup_logging
from gateway.store.database import StoreError
from gateway.store.leases import Lost

PROBLEMS, USAGE = 1, 2
MARKS = {"ok": "[ok]  ", "warning": "[let op] ", "problem": "[FOUT] "}


@click.group()
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="Configuratie (anders ./config.toml)."
)
@click.option("--log-json", is_flag=True, help="Logregels als JSON.")
@click.option("--verbose", is_flag=True, help="Ook elke aanroep van een bron in het log (zonder waarden).")
@click.version_option(package_name="klantbrug")
@click.pass_context
def cli(context: click.Context, config_path: Path | None, log_json: bool, verbose: bool) -> None:
    """Klantbrug: de Klantinteracties API op een bestaande Zaken API."""
    setup_logging("debug" if verbose else "info", json=log_json)
    context.obj = config_path


def with_config(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command its configuration; what is wrong with it or with the store ends the command, in plain words."""

    @click.pass_obj
    def command(path: Path | None, **arguments: Any) -> Any:
        try:
            return function(load_config(path, os.environ), **arguments)
        except (ConfigError, StoreError) as error:
            click.echo(str(error), err=True)
            sys.exit(USAGE)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


@cli.command()
@with_config
def check(config: Config) -> None:
    """Zegt in gewone woorden wat werkt, wat de bronnen tonen, en wat ontbreekt."""
    from gateway.check import Level, check_config, check_source

    lines = check_config(config)
    for source in config.sources:
        lines += check_source(source).lines
    for line in lines:
        click.echo(MARKS[line.level] + line.text)
    sys.exit(PROBLEMS if any(line.level == Level.PROBLEM for line in lines) else 0)


@cli.command()
@click.option("--no-jobs", is_flag=True, help="Zonder jobs: die draaien elders met klantbrug jobs, of niet.")
@with_config
def serve(config: Config, no_jobs: bool) -> None:
    """Start de gateway ([gateway] workers processen), met de jobs in een proces ernaast."""
    from gateway.serve import serve as run
    from gateway.supervise import beside
    from jobs.table import enabled

    with beside(_jobs_command(config) if enabled(config) and not no_jobs else []):
        run(config)


def _jobs_command(config: Config) -> list[str]:
    """The command that runs the jobs as we would; the number of its supervisor comes after it."""
    chosen = click.get_current_context().find_root().params
    flags = [f"--{name.replace('_', '-')}" for name in ("log_json", "verbose") if chosen[name]]
    path = ["--config", str(config.path)] if config.path else []
    return [sys.executable, "-m", "gateway", *path, *flags, "jobs", "serve", "--supervisor"]


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_config
def status(config: Config, as_json: bool) -> None:
    """Toont per bron wat is gelezen, vertaald, in quarantaine of weggelaten, en de laatste runs."""
    from gateway.installation import open_store
    from gateway.show import status_text
    from gateway.store.status import status as read_status

    found = read_status(open_store(config))
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() if as_json else status_text(found))


@cli.command()
@with_config
def dump(config: Config) -> None:
    """Schrijft de inhoud van de opslag als JSON Lines (bevat persoonsgegevens)."""
    from gateway.installation import open_store
    from gateway.store.dump import dump_lines

    for line in dump_lines(open_store(config)):
        sys.stdout.buffer.write(line + b"\n")


@cli.command()
@click.argument("uuid", type=click.UUID)
@with_config
def restore(config: Config, uuid: UUID) -> None:
    """Zet terug wat een client verwijderde en uit een bron kwam."""
    from gateway.installation import open_installation

    count = open_installation(config).ingest.restore(uuid)
    if not count:
        click.echo(f"Er is niets verwijderd onder {uuid}.", err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Teruggezet: {count} document(en).")


@cli.group(invoke_without_command=True)
@click.pass_context
def backfill(context: click.Context) -> None:
    """Leest een bron volledig in; zonder subcommando: run."""
    if context.invoked_subcommand is None:
        context.invoke(run_backfill)


@backfill.command("run")
@click.option("--source", "names", multiple=True, help="Alleen deze bron (mag vaker).")
@with_config
def run_backfill(config: Config, names: tuple[str, ...] = ()) -> None:
    """Leest in, met voortgang; Ctrl-C kost niets: de volgende keer gaat het verder."""
    from gateway.installation import open_installation
    from gateway.legacy.errors import LegacyError
    from gateway.show import shown_progress
    from jobs.backfill import Backfill, Busy

    unknown = set(names) - {source.name for source in config.sources}
    if unknown or not config.sources:
        click.echo("Er is geen bron " + (", ".join(sorted(unknown)) or "in de configuratie") + ".", err=True)
        sys.exit(USAGE)
    signal.signal(signal.SIGTERM, _interrupt)
    installation = open_installation(config)
    complete = True
    for name, fetcher in installation.fetchers.items():
        if names and name not in names:
            continue
        with shown_progress() as show:
            try:
                done = Backfill(fetcher, show).run()
            except KeyboardInterrupt:
                click.echo("Onderbroken. Hetzelfde commando gaat verder waar dit ophield.", err=True)
                sys.exit(PROBLEMS)
            except (LegacyError, Busy) as error:
                click.echo(f"{error} Hetzelfde commando gaat verder waar dit ophield.", err=True)
                sys.exit(PROBLEMS)
        click.echo(
            f"Bron {name}: " + ("volledig ingelezen." if done else "NIET volledig; zie klantbrug status.")
        )
        complete = complete and done
    sys.exit(0 if complete else PROBLEMS)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@cli.group(invoke_without_command=True)
@click.pass_context
def jobs(context: click.Context) -> None:
    """Voert jobs uit op hun tijd; zonder subcommando: serve."""
    if context.invoked_subcommand is None:
        context.invoke(jobs_serve)


@jobs.command("serve")
@click.option("--supervisor", type=int, hidden=True)
@with_config
def jobs_serve(config: Config, supervisor: int | None = None) -> None:
    """Voert de jobs uit die aanstaan, tot Ctrl-C; van meer processen doet er een het werk."""
    from gateway.installation import open_installation
    from jobs.scheduler import Scheduler, UntilStopped
    from jobs.table import enabled

    if not enabled(config):
        click.echo("Er staat geen job aan; zie klantbrug jobs list.", err=True)
        return
    wait = UntilStopped(supervisor)
    try:
        Scheduler(open_installation(config)).run(wait)
    except sqlite3.Error as error:
        click.echo(f"De opslag antwoordt niet ({safe_error(error)}).", err=True)
        sys.exit(PROBLEMS)


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_config
def jobs_list(config: Config, as_json: bool) -> None:
    """Toont de jobs: of ze aanstaan, wanneer ze draaien, en hun laatste run."""
    from gateway.installation import open_store
    from gateway.show import moment_text
    from jobs.table import listing

    for line in listing(config, open_store(config)):
        values = line._asdict() | {"last_run": moment_text(line.last_run)}
        if as_json:
            click.echo(orjson.dumps(values).decode())
            continue
        state = f"uit: {line.off_because}" if line.off_because else line.when
        last = f", laatste run {values['last_run']} ({line.last_status})" if line.last_run else ""
        click.echo(f"{line.name}: {line.about} ({state}{last})")


@jobs.command("run")
@click.argument("name")
@with_config
def jobs_run(config: Config, name: str) -> None:
    """Voert een job nu uit, ook als hij uitstaat in [jobs.<naam>]."""
    from gateway.installation import open_installation
    from jobs.table import BY_NAME, run_job
    from jobs.work import Busy

    job = BY_NAME.get(name)
    if job is None:
        click.echo(f"Er is geen job {name!r}; er zijn: {', '.join(BY_NAME)}.", err=True)
        sys.exit(USAGE)
    if reason := job.unusable(config):
        click.echo(f"Job {name} kan niets doen: {reason}.", err=True)
        sys.exit(USAGE)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        counters = run_job(open_installation(config), job)
    except KeyboardInterrupt:
        click.echo("Onderbroken. Hetzelfde commando gaat verder waar dit ophield.", err=True)
        sys.exit(PROBLEMS)
    except (Busy, Lost) as error:
        click.echo(f"Job {name} loopt in een ander proces ({type(error).__name__}).", err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Job {name}: " + ", ".join(f"{what} {count}" for what, count in counters.items()) + ".")


@cli.group()
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
        click.echo(create_token(open_store(config), name, scope))
    except TokenError as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_config
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
@with_config
def token_revoke(config: Config, name: str) -> None:
    """Trekt een token in; binnen enkele seconden werkt het nergens meer."""
    from gateway.installation import open_store
    from gateway.store.tokens import revoke

    if not revoke(open_store(config), name):
        click.echo(f"Er is geen token in gebruik met de naam {name!r}.", err=True)
        sys.exit(USAGE)
    click.echo(f"Token {name!r} is ingetrokken.")


@cli.command()
@click.option("--port", default=8000, show_default=True, help="Een bezette poort wordt overgeslagen.")
def demo(port: int) -> None:
    """Een voorbeeld-Zaken API, een backfill, de gateway en de statuspagina, tot Ctrl-C."""
    from gateway.demo import run

    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(port))


def main() -> None:
    """The entry point of the distribution."""
    cli(prog_name="klantbrug")
