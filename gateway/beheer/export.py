"""How far the export to a register is, in the operator's API."""

from __future__ import annotations

from typing import Any

from gateway.beheer.routes import Operating
from gateway.config.target import Target
from gateway.operator.export.status import overview
from gateway.operator.export.switch import is_exported
from gateway.store.file.database import Store


def register(operating: Operating, store: Store, target: Target) -> None:
    """Add the path: `export`."""

    def now() -> dict[str, Any]:
        return {**overview(store, target), "exported": is_exported(store)}

    operating.add("export", now)
