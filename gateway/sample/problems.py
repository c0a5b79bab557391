"""Refusals as the Zaken API words them: problem documents in Dutch, with `application/json`.

Source: legacy-behaviour.md 12, 13 and 23, and the recorded exchanges.
"""

import uuid
from typing import Any

import orjson

NOT_FOUND_PAGE = """<!doctype html>
<html lang="nl"><head><title>Pagina niet gevonden</title></head>
<body><h1>Pagina niet gevonden</h1></body></html>
"""

BAD_GATEWAY_PAGE = """<html><head><title>{status} {reason}</title></head>
<body><center><h1>{status} {reason}</h1></center></body></html>
"""


class Refusal(Exception):
    """A request that is answered with a problem document.

    `invalid` holds (name, code, reason) for each parameter or field that a 400 names.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        code: str,
        title: str,
        detail: str | None = None,
        invalid: tuple[tuple[str, str, str], ...] = (),
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.kind = kind
        self.code = code
        self.title = title
        self.detail = title if detail is None else detail
        self.invalid = invalid

    def body(self, base: str) -> bytes:
        """The problem document; `base` is scheme and host as the client named them."""
        document: dict[str, Any] = {
            "type": f"{base}/ref/fouten/{self.kind}/",
            "code": self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:uuid:{uuid.uuid4()}",
        }
        if self.status == 400 and self.invalid:
            document["invalidParams"] = [
                {"name": name, "code": code, "reason": reason} for name, code, reason in self.invalid
            ]
        return orjson.dumps(document)


def invalid(*params: tuple[str, str, str]) -> Refusal:
    """400 over one or more parameters or fields, each as (name, code, reason)."""
    return Refusal(400, "ValidationError", "invalid", "Ongeldige invoer.", invalid=params)


def unknown_parameters(names: list[str]) -> Refusal:
    """400 over query parameters that this version of the standard does not have."""
    reason = f"Onbekende query parameters: {', '.join(names)}"
    return invalid(("nonFieldErrors", "unknown-parameters", reason))


def no_such_choice(name: str, value: str) -> Refusal:
    """400 over a value outside the list of values that the parameter knows."""
    reason = f"Selecteer een geldige keuze. {value} is geen beschikbare keuze."
    return invalid((name, "invalid_choice", reason))


def forbidden(code: str = "permission_denied", detail: str | None = None) -> Refusal:
    """403: the only answer that this API has for missing, wrong and insufficient credentials."""
    return Refusal(
        403, "PermissionDenied", code, "Je hebt geen toestemming om deze actie uit te voeren.", detail
    )


def not_found(detail: str = "Niet gevonden.") -> Refusal:
    """404 over an object or a page."""
    return Refusal(404, "NotFound", "not_found", "Niet gevonden.", detail)


def method_not_allowed(method: str) -> Refusal:
    """405; the unfilled placeholder in the title is how the real server answers."""
    detail = f'Methode "{method}" niet toegestaan.'
    return Refusal(
        405, "MethodNotAllowed", "method_not_allowed", 'Methode "{method}" niet toegestaan.', detail
    )


def not_acceptable(detail: str | None = None) -> Refusal:
    """406 over Accept or Accept-Crs."""
    title = "Kan niet voldoen aan de opgegeven Accept header."
    return Refusal(406, "NotAcceptable", "not_acceptable", title, detail)


def crs_missing() -> Refusal:
    """412: zaken hold geometry, so the request must say in which coordinates it wants it."""
    return Refusal(
        412,
        "PreconditionFailed",
        "precondition_failed",
        "Voorwaarde is niet vervuld",
        "'Accept-Crs' header ontbreekt",
    )


def unsupported_media_type(media_type: str) -> Refusal:
    """415 over a body that is not JSON by its header."""
    return Refusal(
        415,
        "UnsupportedMediaType",
        "unsupported_media_type",
        'Ongeldige media type "{media_type}" in aanvraag.',
        f'Ongeldige media type "{media_type}" in aanvraag.',
    )


def parse_error(detail: str) -> Refusal:
    """400 over a body that is no JSON."""
    title = "Ongeldig samengestelde request."
    return Refusal(400, "ParseError", "parse_error", title, f"JSON parse error - {detail}")


def server_error() -> Refusal:
    """500 as the real server gives it, for instance for an id that is no uuid."""
    title = "Er is een serverfout opgetreden."
    return Refusal(500, "APIException", "error", title, "Internal Server Error")
