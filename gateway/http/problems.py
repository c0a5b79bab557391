"""Every error as the problem document that clients know.

Codes, titles and details are those recorded of a real Klantinteracties API, in Dutch whatever the client asks
for; two titles carry their placeholder unfilled there, and so they do here. No text holds a value of ours.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from gateway.base import correlation

NO_SUCH_PAGE = "Ongeldige pagina."
NO_SUCH_VERSION = "Ongeldige versie in URL-pad."


class InvalidParam(NamedTuple):
    """What is wrong with one field or parameter."""

    name: str
    code: str
    reason: str


class Problem(Exception):
    """An answer that says what is wrong. `kind` is the last part of the document's type.

    `said` are the headers that tell how complete and fresh what it was judged by is; None when the request knows.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        code: str,
        title: str,
        detail: str = "",
        *,
        invalid_params: Sequence[InvalidParam] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.kind = kind
        self.code = code
        self.title = title
        self.detail = detail or title
        self.invalid_params = tuple(invalid_params)
        self.headers = tuple(headers)
        self.said: Sequence[tuple[str, str]] | None = None

    def document(self, base_url: str) -> bytes:
        """The problem document as JSON; `base_url` is where this server is reached."""
        instance = f"urn:uuid:{uuid.uuid4()}"
        if operation := correlation.current():
            operation.instance = instance  # so that the line of the request in the log has it
        body: dict[str, object] = {
            "type": f"{base_url}/ref/fouten/{self.kind}/",
            "code": self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.invalid_params:
            body["invalidParams"] = [param._asdict() for param in self.invalid_params]
        return orjson.dumps(body)


def invalid(*params: InvalidParam) -> Problem:
    """400: fields or parameters are not right."""
    return Problem(400, "ValidationError", "invalid", "Ongeldige invoerwaarde.", invalid_params=params)


def not_authenticated(scheme: str = "") -> Problem:
    """401: no credentials were given, or not as ours: `scheme` is the word that they begin with.

    Then a header says how they are written, and the detail too, but for Bearer: that answer is recorded [155].
    """
    title = "Authenticatiegegevens zijn niet opgegeven."
    hint = [("Klantbrug-Hint", "Authorization: Token <token>")] if scheme else []
    detail = f"{title} Schrijf de kop als Authorization: Token <token>."
    return Problem(
        401,
        "NotAuthenticated",
        "not_authenticated",
        title,
        detail if scheme and scheme.lower() != "bearer" else "",
        headers=[("WWW-Authenticate", "Token"), *hint],
    )


def authentication_failed(detail: str) -> Problem:
    """401: the credentials given are not right."""
    return Problem(
        401,
        "AuthenticationFailed",
        "authentication_failed",
        "Ongeldige authenticatiegegevens.",
        detail,
        headers=[("WWW-Authenticate", "Token")],
    )


def permission_denied(needed: str = "", given: str = "") -> Problem:
    """403: the token may not do this; `needed` is the scope that it takes, `given` the one that the token has."""
    title = "Je hebt geen toestemming om deze actie uit te voeren."
    detail = f"{title} Hiervoor is een token met scope {needed} nodig; dit token heeft scope {given}."
    return Problem(403, "PermissionDenied", "permission_denied", title, detail if needed else "")


def not_found(detail: str = "") -> Problem:
    """404."""
    return Problem(404, "NotFound", "not_found", "Niet gevonden.", detail)


def method_not_allowed(method: str) -> Problem:
    """405. The unfilled placeholder in the title is the recorded server's, and clients may compare it."""
    return Problem(
        405,
        "MethodNotAllowed",
        "method_not_allowed",
        'Methode "{method}" niet toegestaan.',
        f'Methode "{method}" niet toegestaan.',
    )


def not_acceptable() -> Problem:
    """406: the client takes no JSON."""
    return Problem(406, "NotAcceptable", "not_acceptable", "Kan niet voldoen aan de opgegeven Accept header.")


def unsupported_media_type(given: str) -> Problem:
    """415: a body that isn't JSON. The title's placeholder is the recorded server's, as in method_not_allowed."""
    return Problem(
        415,
        "UnsupportedMediaType",
        "unsupported_media_type",
        'Ongeldige media type "{media_type}" in aanvraag.',
        f'Ongeldige media type "{given}" in aanvraag.',
    )


def parse_error(detail: str) -> Problem:
    """400: a body that is no JSON; the detail says where, and repeats nothing of it."""
    return Problem(
        400,
        "ParseError",
        "parse_error",
        "Ongeldig samengestelde request.",
        f"JSON parse error - {detail}",
    )


def precondition_failed() -> Problem:
    """412: the document is not, or no longer, the version that If-Match or If-None-Match names."""
    return Problem(
        412,
        "PreconditionFailed",
        "precondition_failed",
        "Er is niet voldaan aan de voorwaarde van de aanvraag.",
        "Het object is nu niet de versie die de kop If-Match of If-None-Match noemt. Lees het opnieuw en neem de ETag "
        "over.",
    )


def too_large() -> Problem:
    """413: the body is larger than `[gateway] max_body`."""
    return Problem(413, "RequestEntityTooLarge", "request_entity_too_large", "De aanvraag is te groot.")


def too_many_requests(retry_after: int) -> Problem:
    """429: too many wrong tokens; `retry_after` is in seconds."""
    return Problem(
        429,
        "Throttled",
        "throttled",
        "Er zijn te veel aanvragen gedaan.",
        headers=[("Retry-After", str(retry_after))],
    )


def server_error() -> Problem:
    """500: a fault of ours."""
    return Problem(500, "APIException", "error", "Er is een serverfout opgetreden.")


def bad_gateway(detail: str) -> Problem:
    """502: the source answered something that can't be used, and the store has nothing for the question."""
    return Problem(502, "BadGateway", "bad_gateway", "De bron gaf geen bruikbaar antwoord.", detail)


def unavailable(detail: str, retry_after: int | None = None) -> Problem:
    """503: the question can't be answered yet; `retry_after` is in seconds, None when asking again is not advised."""
    return Problem(
        503,
        "ServiceUnavailable",
        "service_unavailable",
        "Deze vraag kan nu niet worden beantwoord.",
        detail,
        headers=[] if retry_after is None else [("Retry-After", str(retry_after))],
    )


def store_busy(retry_after: int) -> Problem:
    """503: another process writes for longer than we wait; `retry_after` is in seconds."""
    detail = (
        "De opslag is bezet: een ander proces schrijft. Er is niets gewijzigd; probeer het straks opnieuw."
    )
    return unavailable(detail, retry_after)


def question_too_long(seconds: float) -> Problem:
    """503: the answer took longer to find than `[gateway] question_seconds`."""
    return Problem(
        503,
        "QuestionTooLong",
        "question_too_long",
        "Deze vraag kost te veel tijd.",
        f"Het antwoord was na {seconds} seconden niet gevonden. Vraag minder: zoek op een nummer of een langere tekst, "
        "voeg een filter toe, of vraag een kleinere pagina met minder expand.",
    )


def gateway_timeout(detail: str) -> Problem:
    """504: the source did not answer in time, and the store has nothing for the question."""
    return Problem(504, "GatewayTimeout", "gateway_timeout", "De bron antwoordde niet op tijd.", detail)


def of_status(status: int, method: str) -> Problem:
    """The problem for an HTTP status that no view gave."""
    if status == 404:
        return not_found()
    if status == 405:
        return method_not_allowed(method)
    if status == 413:
        return too_large()
    if 400 <= status < 500:
        return Problem(status, "APIException", "error", "Ongeldige aanvraag.")
    return server_error()
