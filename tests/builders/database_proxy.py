"""A way to the database of the tests that loses answers, or leaves out what poolers leave out."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

from builders.stores import DATABASE


class DatabaseProxy:
    """Passes on what is sent to the database; for the block."""

    def __init__(self) -> None:
        # The next COMMIT of a writer is passed on and its answer lost ("after"; "down": and nobody gets in any more),
        # or it is lost itself ("before"); all cut the connection.
        self.cut = ""
        self.no_writers = False  # who wants to write is cut off
        self.still = False  # nothing is passed on
        self.down = False  # nobody gets in any more
        self.without_options = False  # as PgBouncer with ignore_startup_parameters = options
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._to = urlsplit(DATABASE)
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        """The database, by this way."""
        who = self._to.netloc.rpartition("@")[0]
        where = f"{who}@127.0.0.1:{self._listener.getsockname()[1]}"
        return urlunsplit(self._to._replace(netloc=where, query="sslmode=disable"))

    def __enter__(self) -> DatabaseProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for end in self._open:
            end.close()

    def sever(self) -> None:
        """Let nobody in any more, and break all that is open."""
        self.down = True
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.down:
                    client.close()
                    continue
                server = socket.create_connection((self._to.hostname or "127.0.0.1", self._to.port or 5432))
                self._open += [client, server]
                threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):  # the block ended
            first = self._first(client)
            server.sendall(first)
            writes = False
            for sent, said in self._between(client, server):
                while self.still:
                    time.sleep(0.01)
                writes |= b"advisory_xact_lock" in sent
                if self.no_writers and writes:
                    break
                if self.cut and writes and b"COMMIT\0" in sent:
                    how, self.cut = self.cut, ""
                    if how != "before":
                        server.sendall(sent)
                        server.recv(65536)
                    self.cuts += 1
                    self.down = how == "down"
                    break
                writes &= b"COMMIT\0" not in sent
                server.sendall(sent)
                client.sendall(said)
        client.close()
        server.close()

    @staticmethod
    def _between(client: socket.socket, server: socket.socket) -> Iterator[tuple[bytes, bytes]]:
        while True:
            ready = wait([client, server])
            sent = client.recv(65536) if client in ready else b""
            said = server.recv(65536) if server in ready else b""
            if not sent and not said:
                return
            yield sent, said

    def _first(self, client: socket.socket) -> bytes:
        """The first thing that a client says: who it is, and what it wants set."""
        (size,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
        said = client.recv(size - 4, socket.MSG_WAITALL)
        words = said[4:].rstrip(b"\0").split(b"\0")
        if self.without_options and b"options" in words[::2]:
            at = words[::2].index(b"options") * 2
            del words[at : at + 2]
            said = said[:4] + b"\0".join(words) + b"\0\0"
        return struct.pack("!i", len(said) + 4) + said
