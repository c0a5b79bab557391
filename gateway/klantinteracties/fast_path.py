"""The short way of the questions that are asked most: GET of a list or a document of the API.

They go from WSGI straight to their view. Flask's routing, contexts and response objects cost as much as the whole
answer and add nothing to it. Everything else, and every request that needs more than that view, goes by Flask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gateway.base import correlation
from gateway.base.correlation import Operation
from gateway.http.request_ids import REQUEST_ID, WAITED, begun
from gateway.http.responses import Reply
from gateway.klantinteracties.model.resources import BASE_PATH
from gateway.klantinteracties.views import Api, View

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

PREFIX = f"{BASE_PATH}/"
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
NO_PARTS: dict[str, str] = {}

Environ = dict[str, Any]


class Shortcut:
    """A WSGI application around another one, that takes the short way where there is one.

    `on_fault` makes the answer to an unexpected exception; `begin` is called before each request, also one that takes
    the long way, with the seconds that it waited before we got it. Each request is an operation
    (`gateway.base.correlation`), whose id stands in its answer.
    """

    def __init__(
        self,
        long_way: WSGIApplication,
        api: Api,
        on_fault: Callable[[Exception, Environ], Reply],
        begin: Callable[[float], None],
    ) -> None:
        self._begin = begin
        self._long_way = long_way
        self._api = api
        self._on_fault = on_fault

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        self._begin(environ.get(WAITED, 0.0))
        operation = begun(environ)
        found = self._find(environ)
        if found is None:
            return self._by_flask(operation, environ, start_response)
        view, operation.name, parts = found
        try:
            reply = view(environ, parts)
        except Exception as fault:  # noqa: BLE001 - as Flask does: whatever it is, the client gets an answer
            reply = self._on_fault(fault, environ)
        reply.headers.append((REQUEST_ID, operation.request_id))
        correlation.end(operation, reply.status)
        correlation.take_up(None)
        start_response(STATUS_LINES[reply.status], reply.headers)
        return [reply.body]

    def _by_flask(
        self, operation: Operation, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
            headers.append((REQUEST_ID, operation.request_id))
            operation.status = int(status[:3])
            return start_response(status, headers, *more)

        try:
            return self._long_way(environ, start)
        finally:
            correlation.end(operation, operation.status or 500)
            correlation.take_up(None)

    def _find(self, environ: Environ) -> tuple[View, str, dict[str, str]] | None:
        path: str = environ["PATH_INFO"]
        # Pages of other websites need the headers of CORS.
        if environ["REQUEST_METHOD"] != "GET" or not path.startswith(PREFIX) or "HTTP_ORIGIN" in environ:
            return None
        resource, slash, uuid = path[len(PREFIX) :].partition("/")
        if slash:
            view = self._api.details.get(resource) if uuid and "/" not in uuid else None
            return None if view is None else (view, f"{PREFIX}{resource}/{{uuid}}", {"uuid": uuid})
        view = self._api.lists.get(resource)
        return None if view is None else (view, path, NO_PARTS)
