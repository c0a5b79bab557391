"""The Flask application: the served API, the pages of operators and the health endpoints over one store."""

from __future__ import annotations

import traceback
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from jinja2 import FileSystemLoader
from werkzeug.exceptions import HTTPException

from gateway.audit.answers import Answers
from gateway.audit.log import log_of
from gateway.audit.lookups import NotNoted
from gateway.base.logs import get_logger, safe_error
from gateway.beheer import backfill, explain, export, metrics, old_urls, openapi, status, verify, writeback
from gateway.beheer.health import Health
from gateway.beheer.metrics import MetricsPage
from gateway.beheer.routes import Operating
from gateway.http import api_viewer, cors, problem_pages, problems
from gateway.http.auth import Gatekeeper
from gateway.http.problems import Problem
from gateway.http.public_address import PublicAddresses
from gateway.http.rate_limit import Rates
from gateway.http.request_ids import name_by_route
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
from gateway.login import guard
from gateway.login.views import Login
from gateway.notificaties.receiver import Callback
from gateway.operator.rooms.jobs import JobTable
from gateway.operator.watch.standing import Watch
from gateway.pages import house, numbers
from gateway.store.base.errors import (
    PASSING,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreUnsure,
    StoreUnwritable,
    TooLong,
)
from gateway.store.base.store import Store
from gateway.target.proxy import Resting, TookOver
from gateway.writeback.noting import noting_of
from mappings.identity.identity import Uuids

if TYPE_CHECKING:
    from gateway.config.model import Config

ROOT = Path(__file__).parent
# What shows pages; each has its own templates beside it.
WITH_PAGES = ("http", "login", "pages")
# Seconds: a store in trouble is soon well again, a damaged one when an operator restored it.
STORE_RETRY = 30
DAMAGE_RETRY = 300
NO_STORE = "De opslag werkt nu niet."
DAMAGED = "De opslag is beschadigd; de beheerder van Klantbrug moet haar herstellen (klantbrug check --deep)."
UNWRITABLE = (
    "De opslag kan nu niet worden beschreven; lezen gaat door. De beheerder ziet op /health/ready waarom."
)
UNSURE = (
    "De opslag viel weg terwijl deze wijziging werd bevestigd: het is niet bekend of zij is opgeslagen. Kijk dat na "
    "voor u haar herhaalt."
)

log = get_logger(__name__)


def create_app(
    config: Config,
    *,
    store: Store | None = None,
    hydrator: Hydrator | None = None,
    counted: memoryview[float] | None = None,
    guesses: WrongTokens | None = None,
    jobs: JobTable | None = None,
) -> Flask:
    """The application for a configuration.

    In: the configuration; the store to serve, else that of the configuration; what fetches from the sources,
    which only an installation without sources can do without; what it counts together with other processes:
    requests of tokens (`gateway.http.rate_limit.shared_memory`) and wrong tokens; the jobs, for the page that shows
    them. Raises StoreError, ValueError.
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
    numbers.bound_paths(app)
    ingest = Ingest(store, config.mapping, config.store.uuid_secret)
    # Also without [target] url: who empties it after the move must not make us accept writes again.
    elsewhere = TookOver(store, config.target)
    if type(hydrator) is not LocalOnly:  # which asks no source anyway
        hydrator = Resting(hydrator, elsewhere.is_now)
    audit = log_of(config)
    answers = Answers(audit, store, addresses) if audit else None
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
        around=answers.noted if answers else None,
        saw=answers.saw if answers else None,
    )
    api.register(app)
    api_viewer.register(app)
    serve.register(app, addresses)
    operating = Operating(app, gatekeeper)
    watch = Watch(store, config)
    Health(store, watch, addresses, gatekeeper).register(app)
    if config.metrics.enabled:
        metrics.register(app, gatekeeper, MetricsPage(watch))
    Login(store, config, addresses).register(app)
    status.register(operating, store, config)
    house.register(app, store, config, addresses, ingest, jobs, audit)
    verify.register(operating, store)
    export.register(operating, store, config.target)
    backfill.register(operating, store, config.sources)
    explain.register(operating, store, config.mapping, config.store.uuid_secret, audit)
    writeback.register(operating, store)
    old_urls.register(operating, store, config, hydrator, addresses, audit)
    openapi.register(app, operating, addresses)
    Callback(store, config).register(app)
    problem_pages.register(app)
    _handle_errors(app, addresses, store)
    name_by_route(app)
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

    def of_audit(error: NotNoted) -> Response:
        return answer(problems.unavailable(str(error), retry_after=STORE_RETRY))

    def of_fault(error: Exception) -> Response:
        problem = _problem_of(store, error, request.environ)
        return guard.trouble(problem) if house.is_page(request.path) else answer(problem)

    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(NotNoted, of_audit)
    app.register_error_handler(Exception, of_fault)


def _reply(addresses: PublicAddresses, problem: Problem, environ: dict[str, Any]) -> Reply:
    in_api = environ.get("PATH_INFO", "").startswith(f"{BASE_PATH}/")
    return problem_reply(problem, addresses.base(environ), [API_VERSION] if in_api else [])


def _fault(addresses: PublicAddresses, store: Store, error: Exception, environ: dict[str, Any]) -> Reply:
    """The answer to an exception that no view made one of."""
    return _reply(addresses, _problem_of(store, error, environ), environ)


def _problem_of(store: Store, error: Exception, environ: dict[str, Any]) -> Problem:
    """What is told of it, and logged."""
    if isinstance(error, TooLong):
        return slow_queries.ended(environ, store.question_seconds)
    if isinstance(error, StoreBusy):  # it was logged where it waited
        return problems.store_busy(ceil(store.waiting.seconds))
    # The text of an exception may hold personal data; its type and place don't.
    places = traceback.extract_tb(error.__traceback__)[-3:]
    trail = " < ".join(f"{Path(at.filename).name}:{at.lineno} {at.name}" for at in reversed(places))
    if isinstance(error, StoreError):  # a new connection of a thread; the text names the file and what to do
        log.error("the store can't be opened", problem=str(error), at=trail)
        return problems.unavailable(NO_STORE, retry_after=STORE_RETRY)
    if isinstance(error, StoreDamaged):
        log.error("the store is damaged", error=safe_error(error), at=trail)
        store.troubles.notice(error)
        return problems.unavailable(DAMAGED, retry_after=DAMAGE_RETRY)
    if isinstance(error, PASSING):
        log.error("the store is in trouble", error=safe_error(error), at=trail)
        said = UNWRITABLE if isinstance(error, StoreUnwritable) else NO_STORE
        return problems.unavailable(said, retry_after=STORE_RETRY)
    if isinstance(error, StoreUnsure):  # who would do it again might do it twice
        log.error("a write may have been done or not", error=safe_error(error), at=trail)
        return problems.unavailable(UNSURE)
    log.error("unexpected error", error=type(error).__name__, at=trail)
    return problems.server_error()
