"""The one client of the register that we leave to: for the export, its verify and the proxy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
import requests
import urllib3
from requests.auth import AuthBase

from gateway.base import clock
from gateway.base.logs import get_logger, silence_http_libraries
from gateway.base.outgoing import outgoing_session, seconds_to_rest
from gateway.base.timed_http import ends_at
from gateway.config.target import Target
from gateway.target.errors import Declined, NoEntry, NotSent, NotThere, Unsure, WrongParam

silence_http_libraries()
log = get_logger("klantbrug.target")

Json = dict[str, Any]
REFUSED = (400, 409, 413, 422)
LATER = (429, 503)
# In which a name of a field may be of any length; more is not kept.
LONGEST_NAME = 100
MOST_PARAMS = 20
# A server that is down is asked again after so many seconds, and no longer than this in all.
FIRST_REST, LONGEST_REST, PATIENCE = 0.5, 30.0, 120.0


class ApiToken(AuthBase):
    """The token of a call. An auth object, because a header alone gives way to what requests finds elsewhere."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """As requests calls it."""
        request.headers["Authorization"] = f"Token {self._token}"
        return request


class TargetAnswer(NamedTuple):
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Pacer:
    """Lets calls go at most so many a second, and none while the register wants rest. For all threads."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, stopping: Callable[[], bool]) -> None:
        """Wait for a turn; gives up when it must stop."""
        with self._lock:
            at = max(clock.monotonic(), self._next)
            self._next = at + self._gap
        while (left := at - clock.monotonic()) > 0 and not stopping():
            clock.sleep(min(left, 0.2))

    def rest(self, seconds: float) -> None:
        """Let no call go for so long."""
        with self._lock:
            self._next = max(self._next, clock.monotonic() + seconds)


def _never() -> bool:
    return False


class Register:
    """A Klantinteracties API, for any number of threads. Methods raise TargetError."""

    def __init__(self, settings: Target, stopping: Callable[[], bool] = _never) -> None:
        """`stopping` tells whether to give up waiting."""
        self.url = settings.url
        self.read_timeout = settings.read_timeout
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        self._auth = ApiToken(settings.token)
        self._session = outgoing_session(settings.ca_bundle, connections=max(settings.max_connections, 8))
        self._pacer = Pacer(settings.requests_per_second)
        self._stopping = stopping

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def page(self, path: str, params: Mapping[str, Any]) -> Json:
        """One page of a list."""
        return self._json(self._patient("GET", path, f"GET {path}", params=params))

    def pages(self, path: str, params: Mapping[str, Any], size: int = 500) -> Iterator[Json]:
        """Each page of a list; one that was there and is no more, because objects went, ends it."""
        number = 1
        while True:
            try:
                found = self.page(path, {**params, "page": number, "pageSize": size})
            except NotThere as error:
                if number == 1:
                    raise NoEntry(error.template, error.cause) from None
                return
            yield found
            if not found.get("next"):
                return
            number += 1

    def count(self, path: str) -> int:
        """How many objects a list has."""
        return int(self.page(path, {"pageSize": 1})["count"])

    def get(self, path: str, uuid: str) -> Json | None:
        """One object; None when it is not there."""
        try:
            return self._json(self._patient("GET", f"{path}/{uuid}", f"GET {path}/<uuid>"))
        except NotThere:
            return None

    def post(self, path: str, body: bytes) -> Json:
        """Make an object. Raises Unsure when it may have been made."""
        return self._json(self._write("POST", path, f"POST {path}", body))

    def patch(self, path: str, uuid: str, body: bytes) -> Json:
        """Change an object, which may be done twice."""
        template = f"PATCH {path}/<uuid>"
        return self._json(self._patient("PATCH", f"{path}/{uuid}", template, body=body))

    def delete(self, path: str, uuid: str) -> None:
        """Delete an object; one that is not there is deleted."""
        try:
            self._patient("DELETE", f"{path}/{uuid}", f"DELETE {path}/<uuid>")
        except NotThere:
            return

    def hand_on(
        self, method: str, path: str, query: str, body: bytes | None, headers: Mapping[str, str]
    ) -> TargetAnswer:
        """A request of a client, once and as it is. Raises Unsure, NotSent."""
        template = f"{method} {path.split('/', 1)[0]}"
        address = f"{path}?{query}" if query else path
        return self._call(method, address, template, body=body, headers=headers)

    def _write(self, method: str, path: str, template: str, body: bytes) -> TargetAnswer:
        """A write that must not be done twice: sent again only as long as it surely was not done."""
        return self._until_sent(lambda: self._judged(self._call(method, path, template, body=body), template))

    def _patient(
        self,
        method: str,
        path: str,
        template: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
    ) -> TargetAnswer:
        """A call that may be done twice: tried again when no answer came."""

        def once() -> TargetAnswer:
            try:
                return self._judged(self._call(method, path, template, params=params, body=body), template)
            except Unsure as error:
                raise NotSent(template, error.cause) from None

        return self._until_sent(once)

    def _until_sent(self, once: Callable[[], TargetAnswer]) -> TargetAnswer:
        end, rest = clock.monotonic() + PATIENCE, FIRST_REST
        while True:
            try:
                return once()
            except NotSent as error:
                pause = max(rest, error.rest)
                if self._stopping() or clock.monotonic() + pause > end:
                    raise
                log.warning("register wants rest", call=error.template, cause=error.cause, seconds=pause)
                self._pacer.rest(pause)
                rest = min(LONGEST_REST, rest * 2)

    def _call(
        self,
        method: str,
        path: str,
        template: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TargetAnswer:
        self._pacer.wait(self._stopping)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        try:
            with ends_at(clock.monotonic() + sum(self._timeout), self._timeout[1]):
                response = self._session.request(
                    method,
                    f"{self.url}/{path}",
                    params=params,
                    data=body,
                    headers={**sent, **(headers or {})},
                    auth=self._auth,
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except requests.exceptions.SSLError:
            raise NoEntry(template, "untrusted") from None
        except requests.exceptions.ConnectTimeout:
            raise NotSent(template, "unreachable") from None
        except requests.exceptions.ConnectionError as error:
            # Only when no connection came about it is sure that nothing was sent.
            if isinstance(getattr(error.args[0] if error.args else None, "reason", None), _NO_CONNECTION):
                raise NotSent(template, "unreachable") from None
            raise Unsure(template, "broken_off") from None
        except requests.RequestException:
            raise Unsure(template, "timed_out") from None
        except (urllib3.exceptions.HTTPError, OSError):
            raise Unsure(template, "broken_off") from None
        log.debug("call", call=template, status=response.status_code)
        return TargetAnswer(response.status_code, response.headers, response.content)

    def _judged(self, answer: TargetAnswer, template: str) -> TargetAnswer:
        """The answer, when it is what was asked for."""
        status, cause = answer.status, f"status_{answer.status}"
        if 200 <= status < 300:
            return answer
        if status in LATER:
            rest = seconds_to_rest(answer.headers.get("Retry-After")) or 0.0
            if status == 429:
                raise NotSent(template, cause, min(rest, LONGEST_REST))
            self._pacer.rest(min(rest, LONGEST_REST))
        if status in REFUSED:
            raise _declined(answer, template)
        if status == 404 and ("<uuid>" in template or template.startswith("GET")):
            raise NotThere(template, cause)
        if status >= 500:
            raise Unsure(template, cause)
        raise NoEntry(template, cause)

    def _json(self, answer: TargetAnswer) -> Json:
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise Unsure("answer", "no_json") from None
        if not isinstance(found, dict):
            raise Unsure("answer", "no_object")
        return found


_NO_CONNECTION = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


def _declined(answer: TargetAnswer, template: str) -> Declined:
    """The refusal: its code, and the names and codes of the fields; no reason, which may hold a value."""
    try:
        problem = orjson.loads(answer.body)
        params = tuple(
            WrongParam(str(one["name"])[:LONGEST_NAME], str(one["code"])[:LONGEST_NAME])
            for one in problem.get("invalidParams", ())[:MOST_PARAMS]
        )
        code = str(problem.get("code", ""))[:LONGEST_NAME]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        params, code = (), ""
    return Declined(template, code or f"status_{answer.status}", params)
