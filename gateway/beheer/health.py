"""The health endpoints: does the process live, may it be asked (ready), and does anything stand still (status)?

Live and ready are for what runs the process: ended and started again when it does not live, asked nothing while it is
not ready. Status is for who keeps it going: 503 when something that matters stands still, and what. Who shows no token
gets one word for each thing; names of sources and moments are for the scope monitor.
"""

from __future__ import annotations

import orjson
from flask import Flask, Response, request

from gateway.base import clock
from gateway.base.logs import get_logger, safe_error
from gateway.base.process_identity import ending
from gateway.http import problems
from gateway.http.auth import Gatekeeper
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import as_response, json_answer, json_reply, problem_answer
from gateway.http.scopes import MONITOR
from gateway.operator.watch.standing import STANDS_STILL, Standstill, Watch
from gateway.store.base.errors import StoreError, StoreFailed, TooLong
from gateway.store.base.store import Store
from gateway.store.inspect import status as store_status

READY_SECONDS = 1.0
STOPS = "Dit proces stopt."
NOT_KEPT = (("Cache-Control", "no-store"),)
NO_ANSWER = "De opslag antwoordt niet."

log = get_logger(__name__)


class Health:
    """The views over one store."""

    def __init__(
        self, store: Store, watch: Watch, addresses: PublicAddresses, gatekeeper: Gatekeeper
    ) -> None:
        self._store = store
        self._watch = watch
        self._addresses = addresses
        self._gatekeeper = gatekeeper
        self._look_again = 0.0

    def register(self, app: Flask) -> None:
        """Add the paths to an application."""
        app.add_url_rule("/health/live", "health_live", self._live)
        app.add_url_rule("/health/ready", "health_ready", self._ready)
        app.add_url_rule("/health/status", "health_status", self._status)

    def _live(self) -> Response:
        return json_answer(b'{"status":"live"}')

    def _ready(self) -> Response:
        if ending.is_set():
            return self._unready(STOPS)
        try:
            if why := self._schema_trouble():
                return self._unready(why)
        except (StoreFailed, StoreError) as error:
            log.warning("not ready", error=safe_error(error))
            self._store.troubles.notice(error)
            return self._unready(self._store.troubles.damaged or NO_ANSWER)
        if self._store.troubles.damaged:
            return self._unready(self._store.troubles.damaged)
        said = self._store.trouble()  # it is read, so it is ready
        return json_answer(orjson.dumps({"status": "ready"} | ({"problems": said} if said else {})))

    def _unready(self, why: str) -> Response:
        problem = problems.unavailable(why, retry_after=5)
        return problem_answer(problem, self._addresses.base(request.environ))

    def _schema_trouble(self) -> str:
        """Why the store can't be used; looked at no more than so often, for who asks all the time."""
        moment = clock.monotonic()
        if moment >= self._look_again:
            if why := store_status.unready(self._store):
                return why
            self._look_again = moment + READY_SECONDS
        return ""

    def _status(self) -> Response:
        credentials = request.environ.get("HTTP_AUTHORIZATION")
        knows = credentials is not None and self._gatekeeper.admit(credentials, MONITOR, request.environ)
        try:
            goes_on, told = self._watch.told()
        except (StoreFailed, StoreError, TooLong) as error:
            log.warning("the status could not be found", error=safe_error(error))
            standing = Standstill("store", "", None, self._store.troubles.damaged or NO_ANSWER)
            goes_on, told = False, {"status": STANDS_STILL, "standing_still": [standing._asdict()]}
        if not knows:
            words = sorted({each["what"] for each in told["standing_still"]})
            told = {"status": told["status"], "standing_still": words}
        return as_response(json_reply(orjson.dumps(told), 200 if goes_on else 503, NOT_KEPT))
