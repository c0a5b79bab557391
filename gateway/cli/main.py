"""The `klantbrug` command. Exit codes: 0 done, 1 finished with problems (it says which), 2 usage or config."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.base.logs import json_stderr, setup_logging
from gateway.cli.commands import (
    backfill,
    explain,
    findings,
    jobs,
    operator,
    phase,
    quarantine,
    rebuild,
    serving,
    store,
    sync,
    tokens,
    verify,
)
from gateway.cli.commands.export import command as export
from gateway.cli.commands.outward import notifications, writeback
from gateway.cli.commands.privacy.audit import audit
from gateway.cli.commands.privacy.person import person
from gateway.cli.dutch import speak_dutch, with_dutch_usage

# In the order of `klantbrug --help`.
COMMANDS: tuple[click.Command, ...] = (
    serving.check,
    serving.serve,
    serving.demo,
    serving.status,
    serving.dump,
    backfill.backfill,
    serving.restore,
    sync.sync,
    verify.verify,
    rebuild.rebuild,
    export.export,
    phase.phase,
    explain.explain,
    audit,
    person,
    findings.findings,
    quarantine.quarantine,
    jobs.jobs,
    store.store,
    notifications.notifications,
    writeback.writeback,
    tokens.token,
    operator.operator,
)


def _speak_json(_context: click.Context, _option: click.Parameter, wanted: bool) -> bool:
    """At once: what is wrong with the words after it is told in JSON too."""
    if wanted:
        json_stderr()
    return wanted


@click.group()
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="Configuratie (anders ./config.toml)."
)
@click.option(
    "--log-json",
    is_flag=True,
    is_eager=True,
    callback=_speak_json,
    help="Elke regel op stderr als JSON, ook wat het commando zegt.",
)
@click.option("--verbose", is_flag=True, help="Ook elke aanroep van een bron in het log (zonder waarden).")
@click.version_option(
    package_name="klantbrug", message="%(prog)s, versie %(version)s", help="Toont de versie."
)
@click.pass_context
def cli(context: click.Context, config_path: Path | None, log_json: bool, verbose: bool) -> None:
    """Klantbrug: de Klantinteracties API op een bestaande Zaken API."""
    setup_logging("debug" if verbose else "info", as_json=log_json)
    context.obj = config_path


for command in COMMANDS:
    cli.add_command(command)
with_dutch_usage(cli)


def main() -> None:
    """The entry point of the distribution."""
    speak_dutch()
    cli(prog_name="klantbrug")
