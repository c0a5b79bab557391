"""What stands in deploy/monitoring, and which metrics it names."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from builders.paths import ROOT

FILES = ROOT / "deploy" / "monitoring"
ALERTS, DASHBOARD = FILES / "alerts.yaml", FILES / "dashboard.json"
DOCUMENT = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"])


def metrics_named() -> set[str]:
    """The metrics in the rules and the dashboard, without what a histogram adds to its name."""
    asked = [rule["expr"] for rule in rules()]
    asked += [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    asked.append(DOCUMENT)
    names = {name for text in asked for name in re.findall(r"\bklantbrug_\w+", text)}
    return {re.sub("_(count|sum|bucket)$", "", name) for name in names}
