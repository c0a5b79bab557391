"""The sample Zaken and Catalogi API, and the Klanten and Contactmomenten API 1.0, as a Flask application.

It answers as the measured Open Zaak 1.30 does, or as a plain server of another version of the
standard. Source: legacy-behaviour.md and the recorded exchanges.
"""

import datetime
import time
import uuid as uuids
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, g, request

from gateway.sample import earlier_writes, pages, writes
from gateway.sample.access import Application, authenticate, has_exp
from gateway.sample.contents import earlier_standards
from gateway.sample.contents.dataset import NAMED_BY_URL, PATHS, Dataset, Record
from gateway.sample.filters import check_parameters, matching
from gateway.sample.problems import (
    BAD_GATEWAY_PAGE,
    NOT_FOUND_PAGE,
    Refusal,
    crs_missing,
    forbidden,
    method_not_allowed,
    not_acceptable,
    not_found,
    server_error,
)
from gateway.sample.traps import LOST, Traps
from gateway.sample.versions import CATALOGI_COLLECTIONS, COLLECTIONS, Rules

DEFAULT_APPLICATION = Application("klantbrug", "sample-secret-that-guards-only-synthetic-data")
CATALOGI_VERSION = "1.3.1"
CRS = "EPSG:4326"
_CATALOGI = frozenset(CATALOGI_COLLECTIONS.values())
_COLLECTIONS = {
    "zaken": COLLECTIONS,
    "catalogi": CATALOGI_COLLECTIONS,
    "klanten": earlier_standards.KLANTEN_COLLECTIONS,
    "contactmomenten": earlier_standards.CONTACTMOMENTEN_COLLECTIONS,
}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_DEPRECATED = (
    "Deze endpoint is verouderd en zal binnenkort uit dienst worden genomen. "
    "Maak gebruik van de vervangende contactmomenten API."
)
_ERRORS = {500: "", 502: "Bad Gateway", 503: "Service Unavailable"}


@dataclass
class SampleState:
    """What one sample application serves and how; `app.extensions["sample"]`."""

    dataset: Dataset
    rules: Rules
    applications: dict[str, Application]
    traps: Traps


def create_app(
    dataset: Dataset,
    *,
    version: str = "1.5.1",
    open_zaak: bool = True,
    hal: bool = False,
    says: str | None = None,
    applications: Iterable[Application] = (DEFAULT_APPLICATION,),
    traps: Traps | None = None,
) -> Flask:
    """A sample server over a dataset.

    `version` is a version of the standard (1.0 to 1.7), `open_zaak` adds what Open Zaak 1.30 has beyond
    it; `hal` and `says` are those of versions.Rules. Raises ValueError for a version that does not exist.
    The traps on the connection (dropping, truncating, stalling, being down) need SampleServer; the others
    work here.
    """
    app = Flask(__name__)
    app.url_map.merge_slashes = False
    state = SampleState(
        dataset=dataset,
        rules=Rules.of(version, open_zaak, hal=hal, says=says),
        applications={application.client_id: application for application in applications},
        traps=traps or Traps(),
    )
    app.extensions["sample"] = state
    views = _Views(state)
    for names in _COLLECTIONS:
        prefix = f"/{names}/api/v1"
        shown: dict[str, Callable[..., Response]] = {
            "<collection>": views.list_view,
            "<collection>/<uuid>": views.detail_view,
        }
        for path, view in shown.items():
            app.add_url_rule(
                f"{prefix}/{path}",
                endpoint=f"{names}-{view.__name__}",
                view_func=view,
                methods=_METHODS,
                defaults={"kinds": names},
                provide_automatic_options=False,
            )
    app.before_request(views.spring_traps)
    app.after_request(views.add_headers)
    app.register_error_handler(Refusal, views.refuse)
    app.register_error_handler(404, lambda error: _not_a_page())
    return app


class _Views:
    def __init__(self, state: SampleState) -> None:
        self._state = state

    def spring_traps(self) -> Response | None:
        """What goes wrong before the API has looked at the request."""
        traps = self._state.traps
        if traps.slow:
            time.sleep(traps.slow)
        if traps.strikes(traps.too_many_rate):
            page = BAD_GATEWAY_PAGE.format(status=429, reason="Too Many Requests")
            response = Response(page, 429, content_type="text/html")
            response.headers["Retry-After"] = str(traps.retry_after)
            return response
        if traps.strikes(traps.error_rate):
            status = traps.choose(list(_ERRORS))[0]
            if status == 500:
                raise server_error()
            page = BAD_GATEWAY_PAGE.format(status=status, reason=_ERRORS[status])
            return Response(page, status, content_type="text/html")
        if traps.json_not_json:
            return _json(b"<html><body>Onderhoud</body></html>")
        return None

    def list_view(self, kinds: str, collection: str) -> Response:
        """GET and POST on a collection."""
        kind = self._kind(kinds, collection)
        if kind is None:
            return _not_a_page()
        application = self._admit(kind)
        if request.method not in self._state.rules.methods(kind, detail=False):
            raise method_not_allowed(request.method)
        if request.method == "POST":
            return self._write(application, lambda: self._create(kind, application))
        return self._list(kind, application)

    def detail_view(self, kinds: str, collection: str, uuid: str) -> Response:
        """GET, PUT, PATCH and DELETE on one object."""
        kind = self._kind(kinds, collection)
        if kind is None:
            return _not_a_page()
        application = self._admit(kind)
        if not _is_uuid(uuid):
            raise server_error()
        if request.method not in self._state.rules.methods(kind, detail=True):
            raise method_not_allowed(request.method)
        if request.method in ("PUT", "PATCH"):
            return self._write(application, lambda: self._change(kind, uuid, application))
        if request.method == "DELETE":
            return self._write(application, lambda: self._destroy(kind, uuid, application))
        return self._detail(kind, uuid, application)

    def refuse(self, refusal: Refusal) -> Response:
        """A problem document instead of an answer."""
        return _json(refusal.body(_base()), refusal.status)

    def add_headers(self, response: Response) -> Response:
        """The headers that the real server puts on every answer of its API; and what a trap spoils in it."""
        for good, bad in self._state.traps.spoil.items():
            response.set_data(response.get_data().replace(good, bad))
        kind = g.get("kind")
        if kind is None:
            response.headers["Vary"] = "origin, Cookie"
            return response
        rules = self._state.rules
        if response.status_code != 304:
            version = CATALOGI_VERSION if kind in _CATALOGI else rules.header
            response.headers["API-version"] = (
                earlier_standards.VERSION if kind in earlier_standards.KINDS else version
            )
            if not response.headers["API-version"]:
                del response.headers["API-version"]
        detail = request.view_args is not None and "uuid" in request.view_args
        response.headers["Allow"] = ", ".join(rules.methods(kind, detail=detail))
        response.headers["Vary"] = "origin, Cookie" if kind == "zaak" else "Accept, origin, Cookie"
        if kind == "zaak":
            response.headers["Content-Crs"] = CRS
        if kind == "klantcontact" and rules.open_zaak:
            response.headers["Warning"] = f'299 "{_base()}{request.path}" "{_DEPRECATED}"'
        return response

    def _kind(self, kinds: str, collection: str) -> str | None:
        kind = _COLLECTIONS[kinds].get(collection)
        if kind is None or not self._state.rules.has(kind):
            return None
        g.kind = kind
        return kind

    def _admit(self, kind: str) -> Application:
        accepted = request.headers.get("Accept", "*/*")
        if not any(each in accepted for each in ("application/json", "*/*", "application/*")):
            raise not_acceptable()
        now = time.time() + self._state.traps.clock_skew
        application = authenticate(request.headers.get("Authorization"), self._state.applications, now)
        if self._state.traps.demands_exp and not has_exp(request.headers.get("Authorization")):
            raise forbidden("jwt-missingrequiredclaimerror", "JWT is niet valide")
        if self._state.traps.strikes(self._state.traps.expire_rate):
            raise forbidden("jwt-expired", "De JWT die gebruikt is voor dit verzoek is verlopen")
        closed = (kind in _CATALOGI and not application.catalogi) or (
            kind in earlier_standards.KINDS and not application.earlier
        )
        if request.method == "OPTIONS" or closed:
            raise forbidden()
        if kind == "zaak" and request.method != "DELETE":
            crs = request.headers.get("Accept-Crs")
            if crs is None:
                raise crs_missing()
            if crs != CRS:
                raise not_acceptable(f"CRS '{crs}' is niet ondersteund")
        return application

    def _list(self, kind: str, application: Application) -> Response:
        state, base = self._state, _base()
        records = matching(state.dataset, state.rules, kind, request.args, application, request.host)
        expand = request.args.get("expand")

        def text_of(record: Record) -> bytes:
            return pages.expanded(state.dataset, state.rules, kind, record, expand)

        if kind == "zaakcontactmoment" or kind in earlier_standards.UNPAGED:
            return _json(pages.under(b"[" + b",".join(map(text_of, records)) + b"]", base))
        hal = request.view_args["collection"] if request.view_args and state.rules.hal else ""
        body = pages.page_of(
            records,
            request.args.get("page"),
            request.args.get("pageSize"),
            f"{base}{request.path}",
            request.query_string.decode("latin-1"),
            text_of,
            fuzzy=state.traps.fuzzy_pagination and kind in COLLECTIONS.values(),
            hal=hal if kind in COLLECTIONS.values() else "",
        )
        if kind == "rol":
            self._change_during_walk()
        return _json(pages.under(body, base))

    def _detail(self, kind: str, uuid: str, application: Application) -> Response:
        state, base = self._state, _base()
        record = self._visible(kind, uuid, application)
        check_parameters(request.args, state.rules.parameters(kind, detail=True))
        body = pages.expanded(state.dataset, state.rules, kind, record, request.args.get("expand"))
        response = _json(pages.under(body, base))
        if kind in _CATALOGI or (kind in ("rol", "zaak") and state.rules.etags):
            response.set_etag(record.etag)
            if request.if_none_match.contains_weak(record.etag):
                response.set_data(b"")
                response.status_code = 304
                del response.headers["Content-Type"]
        return response

    def _visible(self, kind: str, uuid: str, application: Application) -> Record:
        try:
            record = self._state.dataset.record(kind, uuid)
        except KeyError:
            raise not_found() from None
        hidden = not application.sees_all and kind not in NAMED_BY_URL
        if hidden and not self._state.dataset.visible(record, application.max_rank):
            raise forbidden()
        return record

    def _write(self, application: Application, write: Callable[[], Response]) -> Response:
        """A write, and what goes wrong with it."""
        traps = self._state.traps
        if traps.slow_writes:
            time.sleep(traps.slow_writes)
        if not application.writes or f"{request.method} {g.kind}" in application.refused or traps.forbids():
            raise forbidden()
        if traps.strikes(traps.write_error_rate):
            raise server_error()
        response = write()
        if traps.strikes(traps.late_error_rate):
            page = BAD_GATEWAY_PAGE.format(status=502, reason=_ERRORS[502])
            return Response(page, 502, content_type="text/html")
        if traps.strikes(traps.lost_answer_rate):
            response.headers[LOST] = "1"
        return response

    def _change(self, kind: str, uuid: str, application: Application) -> Response:
        self._visible(kind, uuid, application)
        body = writes.read_body(request.get_data(), request.mimetype, _base())
        dataset = self._state.dataset
        if kind == "rol":
            stored = writes.replace_rol(dataset, uuid, body, application)
        else:
            stored = earlier_writes.change(dataset, kind, uuid, body)
        return _json(pages.under(self._text(kind, stored), _base()))

    def _destroy(self, kind: str, uuid: str, application: Application) -> Response:
        self._visible(kind, uuid, application)
        module = earlier_writes if kind in earlier_writes.KINDS else writes
        module.destroy(self._state.dataset, kind, uuid)
        return Response(status=204)

    def _create(self, kind: str, application: Application) -> Response:
        body = writes.read_body(request.get_data(), request.mimetype, _base())
        if kind in earlier_writes.KINDS:
            stored = earlier_writes.create(self._state.dataset, kind, body)
        else:
            stored = writes.create(self._state.dataset, kind, body, application)
        response = _json(pages.under(self._text(kind, stored), _base()), 201)
        response.headers["Location"] = f"{_base()}{PATHS[kind]}/{stored['url'].rpartition('/')[2]}"
        return response

    def _text(self, kind: str, obj: dict[str, Any]) -> bytes:
        return orjson.dumps(self._state.rules.trim(kind, obj))

    def _change_during_walk(self) -> None:
        dataset, traps = self._state.dataset, self._state.traps
        if traps.delete_during_walk:
            uuids_now = [record.uuid for record in dataset.snapshot("rol")]
            victims = [uuid for uuid in uuids_now if uuid not in traps.protected]
            for uuid in traps.choose(victims, traps.delete_during_walk):
                try:
                    dataset.remove("rol", uuid)
                except KeyError:
                    # Another walker's request removed it at the same moment.
                    continue
                traps.removed.append(uuid)
        models = list(dataset.snapshot("rol")) if traps.insert_during_walk else []
        for record in traps.choose(models, traps.insert_during_walk):
            now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            fresh = {"uuid": str(uuids.uuid4()), "registratiedatum": now}
            traps.inserted.append(dataset.add("rol", record.load() | fresh)["uuid"])


def _base() -> str:
    # The real server follows Host and X-Forwarded-Proto, and not X-Forwarded-Host.
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    return f"{'https' if scheme == 'https' else 'http'}://{request.host}"


def _is_uuid(text: str) -> bool:
    try:
        return str(uuids.UUID(text)) == text.lower()
    except ValueError:
        return False


def _not_a_page() -> Response:
    return Response(NOT_FOUND_PAGE, 404, content_type="text/html; charset=utf-8")


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type="application/json")
