"""Explain and findings in the operator's API, for tokens that may operate; with values for those that also may read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from gateway.beheer.routes import Operating, token_has_scope
from gateway.http import problems
from gateway.http.problems import InvalidParam
from gateway.http.scopes import READ
from gateway.operator import findings
from gateway.operator.explain.explainer import Explainer, without_values
from gateway.store.file.database import Store
from gateway.store.inspect.findings import Selection
from mappings.model.settings import Settings
from mappings.values.uuids import uuid_in

EXAMPLES = 3
NO_UUID = "Dit is geen uuid en geen URL die op een uuid eindigt."


def register(operating: Operating, store: Store, settings: Settings, uuid_secret: str) -> None:
    """Add the paths `explain/<uuid>`, `explain?url=` (the URL of an object of either side) and `findings`."""
    explainer = Explainer(store, settings, uuid_secret)

    def by_uuid(uuid: UUID) -> dict[str, Any]:
        explained = explainer.explain(uuid)
        if not explained["found"]:
            raise problems.not_found(explained["story"])
        return explained if token_has_scope(READ) else without_values(explained)

    def by_url() -> dict[str, Any]:
        uuid = uuid_in(request.args.get("url"))
        if uuid is None:
            raise problems.invalid(InvalidParam("url", "invalid", NO_UUID))
        return by_uuid(uuid)

    def counted() -> dict[str, Any]:
        sources = tuple(filter(None, request.args.getlist("source")))
        rule, severity = (request.args.get(name, "") for name in ("rule", "severity"))
        return {"findings": findings.count_findings(store, Selection(sources, rule, severity), EXAMPLES)}

    operating.add("explain/<uuid:uuid>", by_uuid)
    operating.add("explain", by_url)
    operating.add("findings", counted)
