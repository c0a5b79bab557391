"""`klantbrug findings`: what did not fit, counted, and what to do about it."""

from __future__ import annotations

from typing import Any

import click
import orjson

from gateway.cli.terminal.options import must_be_known, sources_option, with_store
from gateway.cli.terminal.personal_values import as_text, may_show, show_option
from gateway.config.model import Config

SEVERITIES = {"info": "ter informatie", "adjusted": "aangepast", "dropped": "weggelaten"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@sources_option
@click.option("--rule", default="", help="Alleen van deze regel, bijvoorbeeld M12.")
@click.option("--severity", type=click.Choice(list(SEVERITIES)), default=None, help="Alleen deze ernst.")
@click.option(
    "--examples", type=click.IntRange(0, 1000), default=3, show_default=True, help="Per regel en veld."
)
@show_option
@with_store
def findings(
    config: Config,
    as_json: bool,
    names: tuple[str, ...],
    rule: str,
    severity: str | None,
    examples: int,
    show: bool,
) -> None:
    """Telt wat niet paste, per regel, met wat u eraan kunt doen en voorbeelden uit de bron."""
    from gateway.installation import open_store
    from gateway.operator.findings import count_findings
    from gateway.store.inspect import rebuilding
    from gateway.store.inspect.findings import Selection

    shown = may_show(show)
    store = open_store(config)
    with store.read() as connection:
        must_be_known(
            names, [*rebuilding.sources(connection).values(), *(source.name for source in config.sources)]
        )
    found = count_findings(store, Selection(names, rule.upper(), severity or ""), examples)
    if shown:
        _add_values(store, found)
    if as_json:
        for line in found:
            click.echo(orjson.dumps(line).decode())
        return
    if not found:
        click.echo("Geen bevindingen.")
    told_rule = None
    for line in found:
        if line["rule"] != told_rule:
            told_rule = line["rule"]
            click.echo(f"\n{told_rule} {line['about']}\n  Wat te doen: {line['advice']}")
        severity_text = SEVERITIES[line["severity"]]
        click.echo(f"  {line['count']} x {line['field']} ({severity_text}, bron {line['source']})")
        if line["action"]:
            click.echo(f"      {line['action']}")
        for example in line["examples"]:
            value = f" = {as_text(example['value'])}" if "value" in example else ""
            click.echo(f"      {example['kind']} {example['uuid']}{value}: {example['action']}")


def _add_values(store: Any, found: list[dict[str, Any]]) -> None:
    """Beside each example what the source has in that field."""
    from uuid import UUID

    from gateway.store.inspect import explaining
    from mappings.explain.why import legacy_value

    with store.read() as connection:
        for line in found:
            for example in line["examples"]:
                for raw in explaining.raws(connection, UUID(example["uuid"])):
                    if (raw.source, raw.kind) == (line["source"], example["kind"]):
                        objects = {raw.kind: raw.body or {}}
                        if raw.zaak is not None and (
                            of := explaining.zaak(connection, raw.source_row, raw.zaak)
                        ):
                            objects["zaak"] = of.body or {}
                        path = line["field"]
                        whole = path if path.startswith("zaak.") else f"{raw.kind}.{path}"
                        example["value"] = legacy_value(objects, whole)
