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
FIX = "stop wat daar luistert, of schrijf met [{}] bind een ander adres of een andere poort"


def listen(bind: str, section: str = "gateway") -> socket.socket:
    """Listen there, for all worker processes together: what waits to be accepted is lost with none of them.

    In: the address, and the section of the configuration that names it. Raises ConfigError when it is not possible.
    """
    bound = _bound(bind, section)
    bound.listen(BACKLOG)
    return bound


def must_be_free(bind: str, section: str = "gateway") -> None:
    """Raise ConfigError when we can't listen at that address, or another server does."""
    _bound(bind, section).close()


def _bound(bind: str, section: str) -> socket.socket:
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
        raise ConfigError([f"{section}.bind: {bind!r} {problem}; {FIX.format(section)}"])
