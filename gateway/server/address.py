"""The address that the service listens on."""

from __future__ import annotations

import errno
import socket
import time

from gateway.config.written import ConfigError

# So long the server of before may still be ending.
FREE_WITHIN = 5.0
LOOK_SECONDS = 0.5
BACKLOG = 1024
FIX = "stop wat daar luistert, of schrijf met [gateway] bind een ander adres of een andere poort"


def listen(bind: str) -> socket.socket:
    """Listen there, for all worker processes together: what waits to be accepted is lost with none of them.

    Raises ConfigError when that is not possible.
    """
    bound = _bound(bind)
    bound.listen(BACKLOG)
    return bound


def must_be_free(bind: str) -> None:
    """Raise ConfigError when we can't listen at that address, or another server does."""
    _bound(bind).close()


def _bound(bind: str) -> socket.socket:
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    give_up = time.monotonic() + FREE_WITHIN
    while True:
        listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        # What lingers of a server that ended is no server.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listening.bind((host, int(port)))
            return listening
        except OSError as error:
            listening.close()
            problem = f"kan niet gebruikt worden ({error.strerror})"
            if error.errno == errno.EADDRINUSE:
                problem = "is al in gebruik, misschien door een andere klantbrug serve"
                if time.monotonic() < give_up:
                    time.sleep(LOOK_SECONDS)
                    continue
        raise ConfigError([f"gateway.bind: {bind!r} {problem}; {FIX}"])
