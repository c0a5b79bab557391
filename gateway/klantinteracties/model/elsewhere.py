"""What the served API must know of a register that took over (E8): who answers a request, here or there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from gateway.http.responses import Reply
from gateway.store.base.session import Session
from gateway.store.operation.tokens import StoredToken


class Elsewhere(Protocol):
    """A register that may have taken over. Its methods raise Problem."""

    def answer(self, environ: dict[str, Any], base: str, token: StoredToken) -> Reply | None:
        """The answer to a request that was admitted, None when it is to be answered here.

        In: the base URL of the answer, and the token of the client, which opens what the path names.
        """
        ...

    @property
    def guard(self) -> Callable[[Session], None]:
        """What looks at each write transaction: raises a Problem when nothing may be written here any more."""
        ...
