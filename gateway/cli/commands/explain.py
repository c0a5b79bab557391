"""`klantbrug explain`: where each value of a document came from, or what became of a legacy object."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click
import orjson

from gateway.base import correlation
from gateway.base.correlation import JOB
from gateway.base.dutch_time import local, local_day, local_of
from gateway.cli.terminal.options import PROBLEMS, USAGE, with_store
from gateway.cli.terminal.personal_values import as_text, may_show, show_option
from gateway.config.model import Config


@click.command()
@click.argument("what", metavar="UUID_OF_URL")
@click.option("--json", "as_json", is_flag=True, help="Voor machines.")
@show_option
@with_store
def explain(config: Config, what: str, as_json: bool, show: bool) -> None:
    """Legt uit waar een document uit ontstond, of wat er van een bronobject werd; een uuid of URL van een van beide."""
    from gateway.audit.log import log_of
    from gateway.audit.lookups import documents_in, note_lookup
    from gateway.installation import open_store
    from gateway.operator.explain.explainer import Explainer, without_values
    from mappings.values.uuids import uuid_in

    shown = may_show(show)
    uuid = uuid_in(what)
    if uuid is None:
        click.echo("Dit is geen uuid en geen URL die op een uuid eindigt.", err=True)
        sys.exit(USAGE)
    opened = open_store(config)
    explained = Explainer(opened, config.mapping, config.store.uuid_secret).explain(uuid)
    with correlation.part(JOB, "explain"):
        note_lookup(log_of(config), opened, "explain", getpass.getuser(), documents_in(explained))
    if not shown:
        explained = without_values(explained)
    if as_json:
        click.echo(orjson.dumps(explained, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo("\n".join(_lines(explained, shown)))
    sys.exit(0 if explained["found"] else PROBLEMS)


def _lines(told: dict[str, Any], shown: bool) -> Iterator[str]:
    if not told["found"]:
        yield told["story"]
        return
    if not shown:
        yield "Zonder waarden: er staat alleen of een veld gevuld is. Met --show op een terminal staan ze erbij."
    for item in told["found"]:
        yield ""
        yield f"{item['kind']} {item['uuid']}" + (f"  {item['path']}" if "path" in item else "")
        yield f"  {item['story']}"
        if item["what"] == "document":
            yield from _document(item, shown)
        elif item["what"] == "legacy":
            yield from _legacy(item)
        elif item["what"] == "deleted":
            yield f"  Terugzetten: {item['restore']}"


def _document(item: dict[str, Any], shown: bool) -> Iterator[str]:
    if item["asked_by_other_uuid"]:
        yield "  Gevraagd met een andere uuid, die naar dit document verwijst (M6)."
    for uuid in item["other_uuids"]:
        yield f"  Ook bekend als {uuid} (M6)"
    for key in item["keys"]:
        yield f"  Sleutel {key['key']}: {as_text(key['value'])} (M5)"
    for group in item["groups"]:
        by = ", ".join(_by(each) for each in group["given_by"])
        yield f"  {group['group']}" + (f": van {by}" if by else "")
        blank = 0
        for field in group["fields"]:
            empty = field["value"] in (None, "") if shown else field["value"] == "leeg"
            if empty and field["rule"] != "M19":
                blank += 1
                continue
            yield f"    {field['field']} = {as_text(field['value'])}  {_why(field)}"
            if "legacy" in field:
                yield f"      de bron zegt: {as_text(field['legacy'])}"
        if blank:
            yield f"    ({blank} lege velden)"
        for other in group["others"]:
            values = ", ".join(f"{name} = {as_text(value)}" for name, value in other["values"].items())
            yield f"    niet gekozen, {_by(other['given_by'][0])}, {other['rollen']} rol(len): {values}"
            yield f"      {other['because']}"
    for link in item["links"]:
        arrow = "<-" if link["incoming"] else "->"
        rule = f" ({link['rule']})" if link["rule"] else ""
        made_of = ", ".join(_by(each) for each in link.get("made_of", ()))
        yield f"  {link['relation']} {arrow} {link['to']['path']}{rule}" + (
            f": van {made_of}" if made_of else ""
        )
    if item["links_total"] > len(item["links"]):
        yield f"  ... en nog {item['links_total'] - len(item['links'])} verwijzingen"
    for link in item["links_by_client"]:
        yield f"  {link['relation']}: door een client bepaald op {local_of(link['written'])} (M19)"
    yield from _sent(item.get("sent", ()))
    for source in item["sources"]:
        yield f"  Bron: {_by(source)}"
    if item["sources_total"] > len(item["sources"]):
        yield f"  ... en nog {item['sources_total'] - len(item['sources'])} bronobjecten"
    yield from _findings(item)


def _sent(told: Iterable[dict[str, Any]]) -> Iterator[str]:
    for each in told:
        if "advice" not in each:
            as_what = each["uuid"] or "of het aankwam is nog niet bekend"
            moment = local(each["sent"])
            yield f"  Teruggeschreven naar bron {each['source']} op {moment}: {each['kind']} {as_what}"
        elif each["parked"] is None:
            yield f"  Wacht op terugschrijven naar bron {each['source']} ({each['kind']}), sinds {local(each['since'])}"
        else:
            where = f"bron {each['source']} ({each['kind']})"
            yield f"  Niet teruggeschreven naar {where}: {each['cause']}; nummer {each['id']}"


def _legacy(item: dict[str, Any]) -> Iterator[str]:
    yield f"  Bron {item['source']}, eerst gezien {local_of(item['first_seen'])}"
    yield f"  Laatst gezien {local_of(item['last_seen'])}"
    if item["zaak"]:
        yield f"  Hoort bij zaak {item['zaak']}"
    for content in item.get("contents", []):
        yield f"  {content['count']} x {content['kind']}: {content['state']}"
    for document in item["documents"]:
        gives = f" (geeft {', '.join(document['gives'])})" if document["gives"] else ""
        yield f"  Werd {document['kind']} {document['path']}{gives}"
    if item["documents_total"] > len(item["documents"]):
        yield f"  ... en nog {item['documents_total'] - len(item['documents'])} documenten"
    yield from _findings(item)


def _findings(item: dict[str, Any]) -> Iterator[str]:
    for each in item["findings"]:
        on = f"{each['on']['kind']} {each['on']['uuid']}"
        yield f"  Bevinding {each['rule']} op {on}, {each['field']}: {each['action']}"


def _why(field: dict[str, Any]) -> str:
    origins = ", ".join(f"{each['field']} ({each['rule']})" for each in field["from"])
    reason = " ".join(part for part in (f"<- {origins}" if origins else "", field["because"]) if part)
    return f"{reason} ({field['rule']})" if field["rule"] and not origins else reason


def _by(each: dict[str, Any]) -> str:
    moment = f" van {local_day(each['registered'])}" if "registered" in each else ""
    return f"{each['kind']} {each['uuid']}{moment} (bron {each['source']})"
