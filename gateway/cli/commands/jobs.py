"""`klantbrug jobs`: run them by schedule, look at them, run one now."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click
import orjson

from gateway.cli.terminal.options import (
    PROBLEMS,
    USAGE,
    must_be_home,
    serving,
    stop_on_sigterm,
    telling,
    with_config,
    with_store,
)
from gateway.config.load import ensure_secret
from gateway.config.model import Config
from gateway.store.operation.leases import FREE, Lost
from gateway.telemetry import running as telemetry

if TYPE_CHECKING:
    from jobs.job import Job


REGISTER = click.option(
    "--register", is_flag=True, help="Bij een leeg register zonder bron, als [gateway] register = true."
)


@click.group(invoke_without_command=True)
@REGISTER
@click.pass_context
def jobs(context: click.Context, register: bool) -> None:
    """Voert jobs uit op hun tijd; zonder subcommando: serve."""
    if context.invoked_subcommand is None:
        context.invoke(jobs_serve, register=register)


@jobs.command("serve")
@click.option("--supervisor", type=int, hidden=True)
@REGISTER
@with_config
def jobs_serve(config: Config, supervisor: int | None = None, register: bool = False) -> None:
    """Voert de jobs uit die aanstaan, tot Ctrl-C; van meer processen doet er een het werk."""
    from gateway.installation import open_when_there
    from gateway.legacy.pacing import machine_shares
    from jobs.scheduler import Scheduler, UntilStopped

    config = serving(config, register)
    wait = UntilStopped(supervisor)
    with telemetry.telling(config), contextlib.ExitStack() as ends:
        ends.callback(machine_shares.leave)
        Scheduler(open_when_there(config, wait)).run(wait)


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@with_store
def jobs_list(config: Config, as_json: bool) -> None:
    """Toont de jobs: of ze aanstaan, wanneer ze draaien, en hun laatste run."""
    from gateway.base.dutch_time import local
    from gateway.cli.terminal.status_text import styled
    from gateway.installation import open_store
    from gateway.operator.status import run_label
    from gateway.store.inspect.status import moment_of
    from jobs.registry import listing

    for line in listing(config, open_store(config)):
        if as_json:
            values = line._asdict() | {"last_run": moment_of(line.last_run)}
            click.echo(orjson.dumps(values).decode())
            continue
        state = f"uit: {line.off_because}" if line.off_because else line.when
        state += f", {line.now}" if line.now != FREE else ""
        last = ""
        if line.last_run is not None and line.last_status is not None:
            last = f", laatste run {local(line.last_run)}: {styled(run_label(line.name, line.last_status))}"
        click.echo(f"{line.name}: {line.about} ({state}{last})")


@jobs.command("enable")
@click.argument("name")
@with_config
def jobs_enable(config: Config, name: str) -> None:
    """Laat een job uit zichzelf draaien, ook als hij uitstaat in [jobs.<naam>]."""
    _switch(config, name, on=True)


@jobs.command("disable")
@click.argument("name")
@with_config
def jobs_disable(config: Config, name: str) -> None:
    """Laat een job niet meer uit zichzelf draaien, tot klantbrug jobs enable."""
    _switch(config, name, on=False)


def _switch(config: Config, name: str, *, on: bool) -> None:
    from gateway.installation import open_store
    from jobs.registry import off_because, switch

    job, store = _job(name), open_store(ensure_secret(config))
    switch(store, name, on=on)
    reason = off_because(job, config, store)
    if on and reason:
        click.echo(f"Job {name} staat aan, maar kan nog niets doen: {reason}.", err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Job {name} staat {'aan' if on else 'uit'}.")


def _job(name: str) -> Job:
    """The job of that name; ends the command when there is none."""
    from jobs.registry import BY_NAME

    job = BY_NAME.get(name)
    if job is None:
        click.echo(f"Er is geen job {name!r}; er zijn: {', '.join(BY_NAME)}.", err=True)
        sys.exit(USAGE)
    return job


@jobs.command("run")
@click.argument("name")
@with_config
@telling
def jobs_run(config: Config, name: str) -> None:
    """Voert een job nu uit, ook als hij uitstaat in [jobs.<naam>]; eindigt met 1 als niet alles goed ging."""
    from gateway.installation import open_installation
    from jobs.common.work import Busy
    from jobs.registry import AFTER_LEAVING, run_job

    job = _job(name)
    if reason := job.unusable(config):
        click.echo(f"Job {name} kan niets doen: {reason}.", err=True)
        sys.exit(USAGE)
    stop_on_sigterm()
    installation = open_installation(ensure_secret(config))
    if job.name not in AFTER_LEAVING:
        must_be_home(installation.store)
    try:
        counters = run_job(installation, job)
    except KeyboardInterrupt:
        click.echo("Onderbroken. Hetzelfde commando gaat verder waar dit ophield.", err=True)
        sys.exit(PROBLEMS)
    except (Busy, Lost) as error:
        click.echo(f"Job {name} loopt in een ander proces ({type(error).__name__}).", err=True)
        sys.exit(PROBLEMS)
    click.echo(f"Job {name}: " + ", ".join(f"{what} {count}" for what, count in counters.items()) + ".")
    sys.exit(PROBLEMS if job.in_trouble(counters) else 0)
