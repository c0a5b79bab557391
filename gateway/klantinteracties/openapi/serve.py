"""The description of the API, for machines and for people: without token, and without anything from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
import yaml
from flask import Flask, Response, request

from gateway.http.api_viewer import viewer_page
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import JSON_ONLY, SECURITY
from gateway.klantinteracties.model.resources import BASE_PATH
from gateway.klantinteracties.openapi.document import document
from gateway.klantinteracties.openapi.parts import API_VERSION

Json = dict[str, Any]

# As recorded (183, 184).
OPENAPI_TYPE = "application/vnd.oai.openapi"
FORMS = {
    "yaml": f"{OPENAPI_TYPE}; charset=utf-8",
    "json": f"{OPENAPI_TYPE}+json",  # JSON has no charset
}
COMMON = (("Allow", "GET, HEAD, OPTIONS"), ("API-version", API_VERSION))
PAGE_TITLE = f"Klantinteracties API {API_VERSION}"


def register(app: Flask, addresses: PublicAddresses) -> None:
    """Add the paths of the document and of the page that shows it."""

    def described(form: str) -> Response:
        return _document(form, addresses.base(request.environ) if addresses.main else "")

    def moved(to: str) -> Response:
        return _moved(f"{addresses.path(request.environ)}{BASE_PATH}/{to}")

    def shown() -> Response:
        page = viewer_page(PAGE_TITLE, addresses, {form.upper(): f"../openapi.{form}" for form in FORMS})
        page.headers.extend(COMMON)
        return page

    for form in FORMS:
        app.add_url_rule(f"{BASE_PATH}/openapi.{form}", f"openapi_{form}", described, defaults={"form": form})
        app.add_url_rule(
            f"{BASE_PATH}/schema/openapi.{form}",
            f"old_openapi_{form}",
            moved,
            defaults={"to": f"openapi.{form}"},
        )
    app.add_url_rule(f"{BASE_PATH}/schema", "documentation_bare", moved, defaults={"to": "schema/"})
    app.add_url_rule(f"{BASE_PATH}/schema/", "documentation", shown)


def _document(form: str, base: str) -> Response:
    headers = [item for item in JSON_ONLY if item[0] != "Content-Type"]
    return Response(
        _written(form, base),
        200,
        [
            *headers,
            *COMMON,
            ("Content-Type", FORMS[form]),
            ("Content-Disposition", f'inline; filename="klantinteracties.{form}"'),
            # Nothing personal is in it: tools in a browser may read it from anywhere.
            ("Access-Control-Allow-Origin", "*"),
        ],
    )


@cache
def _written(form: str, base: str) -> bytes:
    """The document for clients that come by one of the configured addresses (few), "" for any."""
    described = document() | {"servers": [{"url": f"{base}{BASE_PATH}"}]}
    if form == "json":
        return orjson.dumps(described)
    text: str = yaml.dump(described, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100)
    return text.encode()


class _PlainDumper(yaml.SafeDumper):
    """Writes shared parts out in full: anchors are legal, but few readers of OpenAPI expect them."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


def _moved(to: str) -> Response:
    return Response(b"", 302, [*SECURITY, ("Location", to)])
