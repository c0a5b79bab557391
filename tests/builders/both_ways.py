"""One application, asked by the short way past the routing and by the long one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from builders.served_store import settings
from werkzeug.test import EnvironBuilder, run_wsgi_app

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.http.request_ids import REQUEST_ID
from gateway.klantinteracties.fast_path import Shortcut
from gateway.store.base.store import Store

TRACE = re.compile(rb'"instance":"[^"]*"')  # another one for each problem


class BothWays:
    """One application, reached by both ways."""

    def __init__(self, store: Store, name: str = "both ways", **chosen: Any) -> None:
        self.app = create_app(settings(store.path, **chosen), store=store)
        assert isinstance(self.app.wsgi_app, Shortcut)
        self.shortcut = self.app.wsgi_app
        self.token = create_token(store, name, "read")

    def ask(
        self, method: str, path: str, headers: dict[str, str], peer: str = "127.0.0.1"
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """The answer, when both ways give the same."""
        short = self._run(self.shortcut, method, path, headers, peer)
        long = self._run(self.shortcut._long_way, method, path, headers, peer)
        assert short == long
        return short

    def _run(self, app, method: str, path: str, headers: dict[str, str], peer: str):  # type: ignore[no-untyped-def]
        plain, _, query = path.partition("?")
        base = {"REMOTE_ADDR": peer}
        builder = EnvironBuilder(
            unquote(plain), method=method, query_string=query, headers=headers, environ_base=base
        )
        chunks, status, sent = run_wsgi_app(app, builder.get_environ(), buffered=True)
        body = TRACE.sub(b"", _joined(chunks))
        # It is given by the short way, whichever way the request goes from there.
        told = [(name.title(), value) for name, value in sent if name != REQUEST_ID]
        return status[:3], sorted(told), body


def _joined(chunks: Iterable[bytes]) -> bytes:
    return b"".join(chunks)
