"""URLs of legacy objects, compared by what they name: the same object may be written in several ways."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_USUAL_PORTS: Final = {"http": 80, "https": 443}


def place(url: str) -> tuple[str, str]:
    """Where a URL lies: host (with a port that is not the scheme's own) and path, both as they are compared.

    The scheme is not compared: behind a proxy a source may write http where we say https. Nor are the case of the
    host and a slash at the end. Raises ValueError for what is no http(s) URL.
    """
    parts = urlsplit(url.strip())
    port = parts.port
    if parts.scheme not in _USUAL_PORTS or not parts.hostname:
        raise ValueError("no http(s) URL")
    host = parts.hostname if port in (None, _USUAL_PORTS[parts.scheme]) else f"{parts.hostname}:{port}"
    return host, parts.path.rstrip("/")


def uuid_under(url: str, collection: str) -> UUID | None:
    """The uuid of the object that a URL names, when that lies in the collection at this URL, else None."""
    try:
        host, path = place(url)
        above, _, last = path.rpartition("/")
        return UUID(last) if _UUID.fullmatch(last) and (host, above) == place(collection) else None
    except ValueError:
        return None
