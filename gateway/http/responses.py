"""What every answer has in common: its security headers, its length, and the problem that it may be."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Response
from werkzeug.datastructures import Headers

from gateway.http.problems import Problem, not_acceptable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON = ("Content-Type", "application/json")
SECURITY = (
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Vary", "origin"),
)
# An answer in JSON needs nothing from anywhere.
JSON_ONLY = (
    *SECURITY,
    JSON,
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)
NOWHERE = ("default-src", "base-uri", "form-action", "frame-ancestors")
PAGE_POLICY = "; ".join([*(f"{what} 'none'" for what in NOWHERE), "style-src 'unsafe-inline'"])
PAGE_HEADERS = (
    *SECURITY,
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", PAGE_POLICY),
    ("Cache-Control", "no-store"),
)
ACCEPTED = {"*/*", "application/*", "application/json"}


@lru_cache(maxsize=256)
def takes_json(accept: str) -> bool:
    """Does a client with this Accept header take JSON? Preference is not looked at, as on the real server."""
    return not accept or any(part.split(";")[0].strip().lower() in ACCEPTED for part in accept.split(","))


def must_take_json(environ: dict[str, Any]) -> None:
    """Raises a 406 Problem when the client takes no JSON."""
    accept = environ.get("HTTP_ACCEPT")
    if accept is not None and not takes_json(accept):
        raise not_acceptable()


class Reply(NamedTuple):
    """An answer as it is sent: status, all of its headers, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class WholeAnswer(Response):
    """An answer whose headers were all given: they are sent as they are, which is half the work of an answer."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as given."""
        return self.headers


def as_response(reply: Reply) -> Response:
    """A reply for Flask to send."""
    response = WholeAnswer(reply.body, reply.status)
    response.headers = Headers(
        reply.headers
    )  # these and no others: Flask would add a type to an empty answer
    return response


def json_reply(body: bytes, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A reply in JSON."""
    return Reply(status, [*JSON_ONLY, ("Content-Length", str(len(body))), *headers], body)


def empty_reply(headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A reply that says it is done, with nothing in it; of its headers only those of the content are absent."""
    return Reply(
        204, [*(one for one in JSON_ONLY if one is not JSON), ("Content-Length", "0"), *headers], b""
    )


def unchanged_reply(headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A reply that says that the client has the answer already; its headers of the content are absent."""
    return Reply(304, [*(one for one in JSON_ONLY if one is not JSON), *headers], b"")


def problem_reply(problem: Problem, base: str, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A reply that is a problem document."""
    return json_reply(problem.document(base), problem.status, [*headers, *problem.headers])


def json_answer(body: bytes) -> Response:
    """An answer in JSON."""
    return as_response(json_reply(body))


def problem_answer(problem: Problem, base: str, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """An answer that is a problem document."""
    return as_response(problem_reply(problem, base, headers))
