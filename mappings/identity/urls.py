"""URLs of objects in the APIs of sources: which object one names, however it is spelled (M6, M32).

Behind a proxy a source may write http where we say https, and suppliers differ in case, port and trailing slash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from mappings.values.uuids import is_usual

_DEFAULT_PORTS: Final = {80, 443}


def wijst_naar(url: str, bases: Mapping[str, str]) -> tuple[str, UUID | None]:
    """Under which of these base addresses a URL lies, and the uuid at its end.

    In: the URL, and the base addresses that are known, by a name for each. Out: the name and the uuid; ("", None) when
    it lies under none or ends in no uuid. The scheme is not compared.
    """
    try:
        uuid = UUID(url.rstrip("/").rpartition("/")[2])
        host, path = place(url)
        for name, base in bases.items():
            base_host, base_path = _place_of_base(base) if base else ("", "")
            if host == base_host and path.startswith(f"{base_path}/"):
                return name, uuid
    except ValueError:
        return "", None
    return "", None


def spelled_alike(url: str, bases: Iterable[str]) -> str:
    """The one spelling of a URL that names an object of an API by its kind and uuid.

    In: the URL and the base addresses of the APIs. Out: the same for all URLs of that object, and itself when it is
    written as the base address is; "" for a URL elsewhere, or of something else than an object. Raises nothing.
    """
    try:
        parts = urlsplit(url)
        host, path = place(url)
        head, _, last = path.rpartition("/")
        uuid = UUID(last)
    except ValueError:
        return ""
    if parts.query or parts.fragment:
        return ""
    for base in bases:
        base_host, base_path = _place_of_base(base)
        if host == base_host and head.startswith(f"{base_path}/"):
            return f"{base.rstrip('/')}{head.removeprefix(base_path)}/{uuid}"
    return ""


def uuid_under(url: str, collection: str) -> UUID | None:
    """The uuid of the object that a URL names, when that lies in the collection at this URL, else None."""
    try:
        host, path = place(url)
        above, _, last = path.rpartition("/")
        return UUID(last) if is_usual(last) and (host, above) == _place_of_base(collection) else None
    except ValueError:
        return None


def place(url: str) -> tuple[str, str]:
    """Host (with a port that is no default) and path of a URL, as they are compared.

    Nor are the scheme, the case of the host and a slash at the end compared. Raises ValueError for what is no http(s)
    URL, and for one with a name or password in it.
    """
    parts = urlsplit(url.strip())
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("no http(s) URL")
    if "@" in parts.netloc:
        raise ValueError("a name or password in a URL")
    if parts.port is not None and parts.port not in _DEFAULT_PORTS:
        host = f"{host}:{parts.port}"
    return host, parts.path.rstrip("/")


# A few addresses of the configuration, while URLs may hold a BSN.
_place_of_base = lru_cache(maxsize=64)(place)
