"""Changing objects of a source: each call once, for only who knows what it is about may send it again.

Of a call that ends in anything but a refusal nobody knows whether it was done: see `unknown`.
"""

from __future__ import annotations

from typing import Any

from gateway.legacy import errors
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.client.transport import WriteCall
from mappings.standards import LISTS

# The source said no, or it was never asked: nothing was done.
_SURELY_NOT = (
    errors.BadRequest,
    errors.Forbidden,
    errors.NotFound,
    errors.TooManyRequests,
    errors.NotConfigured,
    errors.CircuitOpen,
    errors.NoPlace,
    errors.WaitTooLong,
)


def unknown(error: errors.LegacyError) -> bool:
    """May a change that ended in this error have been done?"""
    return not isinstance(error, _SURELY_NOT)


def create(client: ZakenClient, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A new object. Out: as the source shows it. Raises LegacyErrors."""
    path = LISTS[kind].path
    return _object(
        client, client.change(kind, client.list_url(kind), f"POST /{path}", WriteCall("POST", body))
    )


def replace(
    client: ZakenClient, kind: str, uuid: str, body: dict[str, Any], *, partial: bool
) -> dict[str, Any]:
    """An object changed, `partial` in these fields only. Out: what the source answered, which may be stale. Raises
    LegacyErrors."""
    method = "PATCH" if partial else "PUT"
    url, template = client.url_of(kind, uuid), f"{method} /{LISTS[kind].path}/*"
    return _object(client, client.change(kind, url, template, WriteCall(method, body)))


def delete(client: ZakenClient, kind: str, uuid: str) -> None:
    """An object gone; one that was gone already is no error. Raises the other LegacyErrors."""
    try:
        client.change(kind, client.url_of(kind, uuid), f"DELETE /{LISTS[kind].path}/*", WriteCall("DELETE"))
    except errors.NotFound:
        return


def _object(client: ZakenClient, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict) or not isinstance(found.get("url"), str):
        # It was done, but nobody knows under which address: as good as no answer.
        raise errors.BadAnswer(client.source_name, "POST", text="het antwoord is geen object")
    return found
