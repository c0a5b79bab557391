"""The alert rules and the dashboard: well-formed, explained, and about metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from builders.monitoring_files import ALERTS, DASHBOARD, DOCUMENT, FILES, panels, rules
from jsonschema import validate

# A rule file of Prometheus, as strict as ours are.
TEXT = {"type": "string", "minLength": 1}
RULE = {
    "type": "object",
    "required": ["alert", "expr", "labels", "annotations"],
    "additionalProperties": False,
    "properties": {
        "alert": {"type": "string", "pattern": "^Klantbrug[A-Za-z]+$"},
        "expr": TEXT,
        "for": {"type": "string", "pattern": "^[0-9]+[smhd]$"},
        "labels": {
            "type": "object",
            "required": ["severity"],
            "additionalProperties": False,
            "properties": {"severity": {"enum": ["critical", "warning"]}},
        },
        "annotations": {
            "type": "object",
            "required": ["summary", "runbook"],
            "additionalProperties": False,
            "properties": {"summary": TEXT, "runbook": TEXT},
        },
    },
}
SCHEMA = {
    "type": "object",
    "required": ["groups"],
    "additionalProperties": False,
    "properties": {
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "rules"],
                "additionalProperties": False,
                "properties": {"name": TEXT, "rules": {"type": "array", "minItems": 1, "items": RULE}},
            },
        }
    },
}


def test_the_rules_are_what_prometheus_takes():
    validate(yaml.safe_load(ALERTS.read_text(encoding="utf-8")), SCHEMA)
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names) > 15


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_has_its_paragraph_and_says_where(rule):
    assert rule["annotations"]["runbook"] == f"docs/monitoring.md#{rule['alert'].lower()}"
    paragraph = re.search(rf"^### {rule['alert']}\n(.+?)\n(?:\n|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert paragraph, "no paragraph"
    assert len(paragraph[1].split()) > 20


def test_no_paragraph_is_about_an_alert_that_is_not_there():
    assert set(re.findall(r"^### (\w+)$", DOCUMENT, re.MULTILINE)) == {rule["alert"] for rule in rules()}


def test_the_dashboard_is_one_that_grafana_takes():
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert (found["uid"], found["title"]) == ("klantbrug", "Klantbrug")
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids) > 20
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] == "row":
            continue
        assert panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is of the package prometheus")
def test_prometheus_itself_takes_the_rules_and_the_example(tmp_path: Path):
    for name in ("alerts.yaml", "prometheus.example.yaml"):
        shutil.copy(FILES / name, tmp_path)
    for check in (["rules", "alerts.yaml"], ["config", "prometheus.example.yaml"]):
        done = subprocess.run(["promtool", "check", *check], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
