"""The Flask application: the served API, the status page and the health endpoints over one store."""

from __future__ import annotations

import logging
import traceback
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from jinja2 import FileSystemLoader
from werkzeug.exceptions import HTTPException

from gateway.base.logs import safe_error
from gateway.beheer import backfill, explain, export, old_urls, verify, writeback
from gateway.beheer.page_access import PageAccess
from gateway.beheer.routes import Operating
from gateway.beheer.status_page import Beheer
from gateway.http import cors, problem_pages, problems
from gateway.http.auth import Gatekeeper
from gateway.http.problems import Problem
from gateway.http.public_address import PublicAddresses
from gateway.http.rate_limit import Rates
from gateway.http.responses import Reply, as_response, problem_reply
from gateway.http.wrong_tokens import WrongTokens
from gateway.ingest.ingest import Ingest
from gateway.installation import store_of
from gateway.klantinteracties.fast_path import Shortcut
from gateway.klantinteracties.model.freshness import Hydrator, LocalOnly
from gateway.klantinteracties.model.resources import BASE_PATH
from gateway.klantinteracties.openapi import serve
from gateway.klantinteracties.read import slow_queries
from gateway.klantinteracties.views import API_VERSION, Api, unknown_version
from gateway.notificaties.receiver import Callback
from gateway.store.base.errors import (
    PASSING,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreUnwritable,
    TooLong,
)
from gateway.store.file.database import Store
from gateway.target.proxy import Resting, TookOver
from gateway.writeback.noting import noting_of
from mappings.identity.identity import Uuids

if TYPE_CHECKING:
    from gateway.config.model import Config

ROOT = Path(__file__).parent
# What shows pages; each has its own templates beside it.
WITH_PAGES = ("beheer", "http", "klantinteracties/openapi")
# Seconds: a store in trouble is soon well again, a damaged one when an operator restored it.
STORE_RETRY = 30
DAMAGE_RETRY = 300
NO_STORE = "De opslag werkt nu niet."
DAMAGED = "De opslag is beschadigd; de beheerder van Klantbrug moet haar herstellen (klantbrug check --deep)."
UNWRITABLE = (
    "De opslag kan nu niet worden beschreven; lezen gaat door. De beheerder ziet op /health/ready waarom."
)

log = logging.getLogger(__name__)


def create_app(
    config: Config,
    *,
    store: Store | None = None,
    hydrator: Hydrator | None = None,
    counted: memoryview[float] | None = None,
    guesses: WrongTokens | None = None,
) -> Flask:
    """The application for a configuration.

    In: the configuration; the store to serve, else that of the configuration; what fetches from the sources,
    which only an installation without sources can do without; what it counts together with other processes:
    requests of tokens (`gateway.http.rate_limit.shared_memory`) and wrong tokens. Raises StoreError, ValueError.
    """
    if hydrator is None:
        if config.sources:
            raise ValueError("an installation with sources needs a hydrator")
        hydrator = LocalOnly()
    store = store or store_of(config)
    store.question_seconds = config.gateway.question_seconds
    known = config.gateway
    addresses = PublicAddresses(known.public_url, known.also_known_as, known.trusted_proxies)
    gatekeeper = Gatekeeper(
        store,
        rates=Rates(known.token_requests_per_second, counted),
        guesses=guesses,
        client_of=addresses.client,
    )
    app = Flask("gateway", static_folder=None, root_path=str(ROOT))
    app.jinja_loader = FileSystemLoader([ROOT / each / "templates" for each in WITH_PAGES])
    # A body in chunks is cut off at this length without a word, so one byte more shows what is too large.
    app.config["MAX_CONTENT_LENGTH"] = config.gateway.max_body + 1
    app.url_map.merge_slashes = False  # a path with two slashes is another path, not found
    ingest = Ingest(store, config.mapping, config.store.uuid_secret)
    # Also without [target] url: who empties it after the move must not make us accept writes again.
    elsewhere = TookOver(store, config.target)
    hydrator = Resting(hydrator, elsewhere.is_now)
    api = Api(
        store,
        gatekeeper,
        hydrator,
        addresses,
        notify=bool(config.notifications.url),
        zaak_codes=config.mapping.zaak_codes,
        numbers=Uuids(config.store.uuid_secret) if config.mapping.nummers == "uitdelen" else None,
        prefer=config.mapping.voorkeursadres,
        join=ingest.join,
        seal=ingest.seal,
        back=noting_of(config),
        elsewhere=elsewhere,
    )
    api.register(app)
    serve.register(app, addresses)
    operating = Operating(app, gatekeeper)
    access = PageAccess(store, gatekeeper, addresses)
    Beheer(store, config, addresses, access).register(app, operating)
    verify.register(operating, store)
    export.register(operating, store, config.target)
    backfill.register(operating, store, config.sources)
    explain.register(operating, store, config.mapping, config.store.uuid_secret)
    writeback.register(operating, store)
    old_urls.register(operating, store, config, hydrator, addresses)
    Callback(store, config).register(app)
    problem_pages.register(app)
    _handle_errors(app, addresses, store)
    cors.allow(app, config.gateway.cors_origins, BASE_PATH)
    # Flask's own place for what stands around it; mypy takes a method for something that can't be replaced.
    short = Shortcut(app.wsgi_app, api, partial(_fault, addresses, store), store.waiting.new_request)
    app.wsgi_app = short  # type: ignore[method-assign]
    return app


def _handle_errors(app: Flask, addresses: PublicAddresses, store: Store) -> None:
    """Make a problem document of everything that no view answered."""

    def answer(problem: Problem) -> Response:
        return as_response(_reply(addresses, problem, request.environ))

    def of_http(error: HTTPException) -> Response:
        if error.code == 404 and unknown_version(request.path):
            return answer(problems.not_found(problems.NO_SUCH_VERSION))
        return answer(problems.of_status(error.code or 500, request.method))

    def of_fault(error: Exception) -> Response:
        return as_response(_fault(addresses, store, error, request.environ))

    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_fault)


def _reply(addresses: PublicAddresses, problem: Problem, environ: dict[str, Any]) -> Reply:
    in_api = environ.get("PATH_INFO", "").startswith(f"{BASE_PATH}/")
    return problem_reply(problem, addresses.base(environ), [API_VERSION] if in_api else [])


def _fault(addresses: PublicAddresses, store: Store, error: Exception, environ: dict[str, Any]) -> Reply:
    """The answer to an exception that no view made one of."""
    if isinstance(error, TooLong):
        return _reply(addresses, slow_queries.ended(environ, store.question_seconds), environ)
    if isinstance(error, StoreBusy):  # it was logged where it waited
        return _reply(addresses, problems.store_busy(ceil(store.waiting.seconds)), environ)
    # The text of an exception may hold personal data; its type and place don't.
    places = traceback.extract_tb(error.__traceback__)[-3:]
    trail = " < ".join(f"{Path(at.filename).name}:{at.lineno} {at.name}" for at in reversed(places))
    if isinstance(error, StoreError):  # a new connection of a thread; the text names the file and what to do
        log.error("store can't be opened: %s at %s", error, trail)
        return _reply(addresses, problems.unavailable(NO_STORE, retry_after=STORE_RETRY), environ)
    if isinstance(error, StoreDamaged):
        log.error("store damaged: %s at %s", safe_error(error), trail)
        store.troubles.notice(error)
        return _reply(addresses, problems.unavailable(DAMAGED, retry_after=DAMAGE_RETRY), environ)
    if isinstance(error, PASSING):
        log.error("store in trouble: %s at %s", safe_error(error), trail)
        said = UNWRITABLE if isinstance(error, StoreUnwritable) else NO_STORE
        return _reply(addresses, problems.unavailable(said, retry_after=STORE_RETRY), environ)
    log.error("unexpected %s at %s", type(error).__name__, trail)
    return _reply(addresses, problems.server_error(), environ)
