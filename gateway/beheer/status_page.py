"""For whoever keeps the gateway running: the status page, the status as JSON, and the health endpoints."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, render_template, request

from gateway.base import clock
from gateway.base.dutch_time import local_of
from gateway.base.logs import safe_error
from gateway.beheer.page_access import PageAccess
from gateway.beheer.routes import Operating
from gateway.http import problems
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import PAGE_HEADERS, json_answer, problem_answer
from gateway.http.scopes import MONITOR
from gateway.operator import writeback
from gateway.operator.status import (
    COVERAGES,
    doing_text,
    export_text,
    kinds_shown,
    overview,
    run_label,
    trouble,
    unread_text,
)
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.file.database import Store
from gateway.store.inspect import status as store_status

if TYPE_CHECKING:
    from gateway.config.model import Config

STATUS_SECONDS = 2.0
READY_SECONDS = 1.0
PHASES = {
    "live": "live: de bron wordt bevraagd waar dat nodig is",
    "synced": "synced: de opslag is gevuld en wordt bijgehouden",
    "cutover": "cutover: de bron wordt niet meer bevraagd",
}

log = logging.getLogger(__name__)


class Beheer:
    """The operator's views over one store."""

    def __init__(self, store: Store, config: Config, addresses: PublicAddresses, access: PageAccess) -> None:
        self._access = access
        self._store = store
        self._config = config
        self._addresses = addresses
        self._look_again = 0.0
        self._held: tuple[float, dict[str, Any]] | None = None

    def register(self, app: Flask, operating: Operating) -> None:
        """Add the paths to an application."""
        app.add_url_rule("/", "status_page", self._page)
        self._access.register(app)
        app.add_url_rule("/health/live", "health_live", self._live)
        app.add_url_rule("/health/ready", "health_ready", self._ready)
        operating.add("status", self._numbers, scope=MONITOR)

    def _page(self) -> Response:
        refusal = self._access.refusal()
        if refusal is not None:
            return refusal
        status = self._numbers()
        page = render_template(
            "status.html",
            status=status,
            trouble=trouble(status),
            phases=PHASES,
            coverages=COVERAGES,
            run_label=run_label,
            kinds_shown=kinds_shown,
            unread=unread_text,
            written_back=writeback.text,
            export_text=export_text,
            when=local_of,
            doing=partial(_doing, status),
        )
        return Response(page, 200, list(PAGE_HEADERS))

    def _live(self) -> Response:
        return json_answer(b'{"status":"live"}')

    def _ready(self) -> Response:
        try:
            if not self._looks_ready():
                detail = "De opslag heeft een ouder schema dan deze versie nodig heeft."
            elif not self._store.troubles.damaged:
                said = self._store.trouble()  # it is read, so it is ready
                return json_answer(orjson.dumps({"status": "ready"} | ({"problems": said} if said else {})))
            else:
                detail = self._store.troubles.damaged
        except (StoreFailed, StoreError) as error:
            log.warning("not ready: %s", safe_error(error))
            self._store.troubles.notice(error)
            detail = self._store.troubles.damaged or "De opslag antwoordt niet."
        problem = problems.unavailable(detail, retry_after=5)
        return problem_answer(problem, self._addresses.base(request.environ))

    def _looks_ready(self) -> bool:
        """Whether the store is ready; looked at no more than so often, for who asks all the time."""
        moment = clock.monotonic()
        if moment >= self._look_again:
            if not store_status.ready(self._store):
                return False
            self._look_again = moment + READY_SECONDS
        return True

    def _numbers(self) -> dict[str, Any]:
        # Many may look, and what they see need not be newer than this.
        moment = clock.monotonic()
        held = self._held
        if held is None or held[0] < moment:
            held = self._held = (moment + STATUS_SECONDS, overview(self._store, self._config))
        return held[1]


def _doing(status: dict[str, Any], run: dict[str, Any]) -> str:
    """What a running backfill is doing, for the page; blank for anything else."""
    news = status["sources"].get(run["source"], {}).get("backfill")
    return f": {doing_text(news)}" if news and run["job"] == "backfill" and run["status"] == "running" else ""
