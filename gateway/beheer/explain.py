"""Explain and findings in the operator's API, for tokens that may operate; with values for those that also may read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from gateway.audit.log import AuditLog
from gateway.audit.lookups import documents_in, note_lookup
from gateway.beheer.routes import Operating, token_has_scope
from gateway.beheer.told import ANYTHING, COUNT, TEXT, UUID_TEXT, Told, several, thing
from gateway.http import problems
from gateway.http.problems import InvalidParam
from gateway.http.scopes import READ
from gateway.operator import findings
from gateway.operator.explain.explainer import Explainer, without_values
from gateway.store.base.store import Store
from gateway.store.inspect.findings import Selection
from mappings.model.settings import Settings
from mappings.values.uuids import uuid_in

EXAMPLES = 3
NO_UUID = "Dit is geen uuid en geen URL die op een uuid eindigt."

EXPLAINED = thing(
    uuid=UUID_TEXT,
    found=several(
        ANYTHING, "Het document, het object van de bron, of wat er is verwijderd: elk met zijn verhaal."
    ),
    story=TEXT,
)
VALUES = "Met waarden als het token ook de scope read heeft, anders staat er gevuld of leeg."
BY_UUID = Told(
    "waarom",
    "Waarom een document is zoals het is",
    EXPLAINED,
    VALUES,
    parts={"uuid": {"description": "De uuid van een document, of van een object van een bron."}},
    problems=("404",),
)
BY_URL = Told(
    "waarom",
    "Hetzelfde bij een URL",
    EXPLAINED,
    VALUES,
    query={
        "url": {
            "type": "string",
            "format": "uri",
            "description": "Van een object hier of bij de bron.",
        }
    },
    problems=("400", "404"),
)
FINDINGS = Told(
    "bevindingen",
    "Wat niet paste, geteld",
    thing(
        findings=several(
            thing(
                rule=TEXT,
                about=TEXT,
                severity=TEXT,
                source=TEXT,
                field=TEXT,
                count=COUNT,
                action=TEXT,
                advice=TEXT,
                examples=several(thing(kind=TEXT, uuid=UUID_TEXT, action=TEXT)),
            )
        )
    ),
    query={
        "source": {"type": "array", "items": TEXT, "description": "Alleen van deze bron; mag vaker."},
        "rule": {"type": "string", "description": "Alleen van deze regel, zoals M9."},
        "severity": {"type": "string", "description": "Alleen van deze ernst."},
    },
)


def register(
    operating: Operating, store: Store, settings: Settings, uuid_secret: str, audit: AuditLog | None
) -> None:
    """Add the paths `explain/<uuid>`, `explain?url=` (the URL of an object of either side) and `findings`."""
    explainer = Explainer(store, settings, uuid_secret)

    def by_uuid(uuid: UUID) -> dict[str, Any]:
        explained = explainer.explain(uuid)
        if not explained["found"]:
            raise problems.not_found(explained["story"])
        note_lookup(audit, store, "explain", "", documents_in(explained))
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

    operating.add("explain/<uuid:uuid>", by_uuid, BY_UUID)
    operating.add("explain", by_url, BY_URL)
    operating.add("findings", counted, FINDINGS)
