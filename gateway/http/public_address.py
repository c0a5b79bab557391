"""The address that a client reached this server by: URLs in its answer begin with it.

What a proxy adds to a request (X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-For) counts only when that proxy is one
that the operator named, because any client can send it. And X-Forwarded-Host only chooses among configured addresses:
a proxy that does not know that header passes on the client's.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wsgi import get_host

USUAL_PORTS = {"http": 80, "https": 443}
REMEMBERED = 1024


class PublicAddresses:
    """Where clients reach this server."""

    def __init__(
        self, public_url: str = "", also_known_as: Iterable[str] = (), trusted_proxies: Iterable[str] = ()
    ) -> None:
        """`[gateway]` has these three, validated. Without `public_url` addresses are as each client asked."""
        self.main = public_url.rstrip("/")
        self.all = tuple(url.rstrip("/") for url in (public_url, *also_known_as) if url)
        self._proxies = [ip_network(proxy, strict=False) for proxy in trusted_proxies]
        self._known: dict[str, dict[str, str]] = {}  # host, then scheme, to base URL
        for url in self.all:
            parts = urlsplit(url)
            for host in _spellings(parts.scheme, parts.netloc.lower()):
                self._known.setdefault(host, {}).setdefault(parts.scheme, url)
        # Few clients, proxies and names, many requests.
        self._chosen = lru_cache(REMEMBERED)(self._choose)

    def base(self, environ: dict[str, Any]) -> str:
        """The base URL of the answer to a request, without a slash at the end."""
        if len(self.all) == 1:
            return self.main
        return self._chosen(
            environ["wsgi.url_scheme"],
            environ.get("HTTP_HOST") or get_host(environ),
            environ.get("HTTP_X_FORWARDED_PROTO", ""),
            environ.get("HTTP_X_FORWARDED_HOST", ""),
            environ.get("REMOTE_ADDR", "") if self._proxies else "",
        )

    def path(self, environ: dict[str, Any]) -> str:
        """What stands before our own paths at that address: "" unless a proxy puts us under a path."""
        return urlsplit(self.base(environ)).path if self.main else ""

    def client(self, environ: dict[str, Any]) -> str:
        """The address of who asks: what a proxy that the operator named says it is, else who is connected to us."""
        peer: str = environ.get("REMOTE_ADDR", "")
        if not self._proxies or not self._trusts(peer):
            return peer
        # Each proxy adds whom it was asked by at the end; what stands before the first that is not ours is anybody's.
        for said in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            try:
                peer = str(ip_address(_without_port(said.strip())))
            except ValueError:
                return peer
            if not self._trusts(peer):
                return peer
        return peer

    def _choose(self, scheme: str, host: str, proto: str, forwarded_host: str, peer: str) -> str:
        hosts = [host]
        if (proto or forwarded_host) and self._trusts(peer):
            # Of several values the last is of the proxy that asks us; those before it may be anybody's.
            proto = proto.rpartition(",")[2].strip().lower()
            scheme = proto if proto in USUAL_PORTS else scheme
            hosts.insert(0, forwarded_host.rpartition(",")[2].strip())
        if not self._known:
            return f"{scheme}://{host}"
        for each in hosts:
            if found := self._known.get(each.lower()):
                return found.get(scheme) or next(iter(found.values()))
        return self.main

    def _trusts(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in proxy for proxy in self._proxies)


def _without_port(address: str) -> str:
    """An address as some proxies write it, with a port behind it."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _spellings(scheme: str, host: str) -> tuple[str, ...]:
    """How a client may write this host and port: a port that the scheme has anyway is given or not."""
    bare = host.removesuffix(f":{USUAL_PORTS[scheme]}")
    return (host,) if bare == host and urlsplit(f"//{host}").port else (bare, f"{bare}:{USUAL_PORTS[scheme]}")
