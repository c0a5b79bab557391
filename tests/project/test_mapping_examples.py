"""docs/mapping.md: every rule has a chapter, and every example of it is what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.earlier_objects import (
    CONTACTMOMENTEN,
    contactmoment,
    earlier_url,
    earlier_uuid,
    klant,
    klantcontactmoment,
    objectcontactmoment,
)
from builders.legacy_objects import ZAKEN, klantcontact, rol, uuid_of, zaak
from builders.paths import ROOT
from builders.served_store import settings
from builders.stores import make_store
from tools import rules

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.ingest.ingest import Ingest
from gateway.store.inspect.dump import dump_lines
from mappings.model.settings import Kanaal, Settings, ZaakCodes

DOCUMENT = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
NORMATIVE = [int(rule.removeprefix("M")) for rule in rules.RULES]
API = "/klantinteracties/api/v1"
SECRET = "a secret of the tests, longer than thirty-two characters"
ANYTHING = "*"
MAKERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "zaak": zaak,
    "rol": rol,
    "klantcontact": klantcontact,
    "klant": klant,
    "contactmoment": contactmoment,
    "klantcontactmoment": lambda number: klantcontactmoment(number, 1, 1),
    "objectcontactmoment": lambda number: objectcontactmoment(number, 1, 1),
    "zaakcontactmoment": lambda number: {
        "url": earlier_url("zaakcontactmoment", number),
        "uuid": earlier_uuid("zaakcontactmoment", number),
        "zaak": zaak(1)["url"],
    },
}


def chapters() -> Iterator[tuple[int, str]]:
    """Each rule with the text of its chapter."""
    parts = re.split(r"^### M(\d+) ", DOCUMENT, flags=re.MULTILINE)
    yield from zip(map(int, parts[1::2]), parts[2::2], strict=True)


def examples() -> Iterator[Any]:
    for rule, text in chapters():
        for number, block in enumerate(re.findall(r"```json\n(.*?)```", text, re.DOTALL), start=1):
            yield pytest.param(json.loads(block), id=f"M{rule}-{number}")


def objects(listed: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The legacy objects of an example, completed; without a zaak there is one that is open to all."""
    made, counts = [], dict.fromkeys(MAKERS, 0)
    for entry in listed:
        ((kind, fields),) = entry.items()
        counts[kind] += 1
        raw = MAKERS[kind](counts[kind]) | fields
        if kind == "klantcontact" and "uuid" in fields:
            raw["url"] = f"{ZAKEN}/klantcontacten/{fields['uuid']}"
        made.append((kind, raw))
    return made if counts["zaak"] else [("zaak", zaak(1)), *made]


def settings_of(example: Mapping[str, Any]) -> Settings:
    given = dict(example.get("instellingen", {}))
    if "kanalen" in given:
        given["kanalen"] = {name: Kanaal(other) for name, other in given["kanalen"].items()}
    if "zaak_codes" in given:
        given["zaak_codes"] = [ZaakCodes(*codes) for codes in given["zaak_codes"]]
    for name, value in given.items():
        given[name] = tuple(value) if isinstance(value, list) else value
    return replace(Settings("zaakvertrouwelijk"), **given)


def matches(wanted: Any, found: Any) -> bool:
    """Is everything that an example shows there? Of objects what is named, of lists each item in its order."""
    if wanted == ANYTHING:
        return found is not None
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            name in found and matches(value, found[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        if not wanted:
            return found == []
        rest = iter(found)
        return isinstance(found, list) and all(any(matches(one, other) for other in rest) for one in wanted)
    return bool(wanted == found)


@pytest.mark.parametrize("example", list(examples()))
@pytest.mark.slow
def test_an_example_is_what_the_code_does(example: dict[str, Any], tmp_path: Path) -> None:
    store = make_store(tmp_path / "store.sqlite")
    ingest = Ingest(store, settings_of(example), SECRET)
    ingest.addresses = {"bron": {"bron": f"{CONTACTMOMENTEN}/", "hier": "https://klantbrug.example"}}
    listed = objects(example["bron"])
    for kind in MAKERS:
        ingest.take("bron", kind, [raw for each, raw in listed if each == kind], asked=0)
    client = create_app(settings(store.path), store=store).test_client()
    headers = {"Authorization": f"Token {create_token(store, 'example', 'read')}"}
    for path, wanted in example.get("wordt", {}).items():
        if path == "aantal":
            counted = {
                name: client.get(f"{API}/{name}", headers=headers).get_json()["count"] for name in wanted
            }
            assert counted == wanted
            continue
        found = client.get(f"{API}/{path}", headers=headers).get_json()["results"]
        for one in wanted:
            assert any(matches(one, other) for other in found), (one, found)
    lines = [json.loads(line) for line in dump_lines(store)]
    told = [line for line in lines if line["t"] == "finding"]
    if "bevindingen" in example:
        judge_findings(example["bevindingen"], told)
    assert sum(line["t"] == "quarantine" for line in lines) == example.get("quarantaine", 0)
    store.close()


def judge_findings(wanted: list[str], told: list[dict[str, Any]]) -> None:
    """Every finding that an example names is there, as often, and none of rules that it names beside them."""
    rules = {one.split()[0] for one in wanted}
    left = [line for line in told if line["rule"] in rules]
    for one in wanted:
        rule, rest = one.split(" ", 1)
        field, severity = rest.rsplit(" ", 1)
        for line in left:
            if (
                line["rule"] == rule
                and field in (ANYTHING, line["field"])
                and severity in (ANYTHING, line["severity"])
            ):
                left.remove(line)
                break
        else:
            raise AssertionError(
                f"no finding {one}: {[(x['rule'], x['field'], x['severity']) for x in told]}"
            )
    assert not left


def test_every_rule_has_its_chapter() -> None:
    assert sorted(rule for rule, _ in chapters()) == NORMATIVE


def test_the_table_of_rules_is_that_of_the_code() -> None:
    assert DOCUMENT.endswith(rules.table()), "run: make reference"


@pytest.mark.parametrize("rule", [*rules.RULES, *rules.WRITEBACK_RULES])
def test_every_rule_is_cited_by_a_test(rule: str) -> None:
    others = [path for path in rules.test_files() if path != Path(__file__)]
    assert any(rule in rules.cited(path.read_text(encoding="utf-8")) for path in others)


def test_an_example_that_is_not_so_is_noticed() -> None:
    assert not matches({"a": [{"b": 1}]}, {"a": [{"b": 2}]})
    assert not matches({"a": None}, {"a": 1})
    assert matches({"a": [{"b": 1}]}, {"a": [{"b": 2}, {"b": 1, "c": 3}], "d": 4})
    assert uuid_of("zaak", 1) in DOCUMENT
