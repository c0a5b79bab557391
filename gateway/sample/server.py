"""The sample Zaken API as a real HTTP server in this process: for tests, the demo and benchmarks."""

import re
import threading
from collections import deque
from typing import Any, NamedTuple, Self

from gateway.sample.access import Application
from gateway.sample.api import DEFAULT_APPLICATION, SampleState, create_app
from gateway.sample.contents.dataset import Dataset
from gateway.sample.listener import Listener
from gateway.sample.traps import Traps
from gateway.sample.versions import Rules, known_parameter

__all__ = ["DEFAULT_APPLICATION", "Application", "SampleServer", "SeenCall", "Traps", "create_app"]

_IDENTIFIER = re.compile(r"(/v1/[a-z]+)/[^/]+")
_REMEMBERED_CALLS = 100_000


class SeenCall(NamedTuple):
    """One request as the server saw it; `path` has parameter names without values, status 0 is no answer."""

    method: str
    path: str
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"


class SampleServer:
    """A threaded keep-alive server on 127.0.0.1, as a context manager or with start() and stop().

    It can be started again after stop(), and has the same address then. Arguments beside `port` are
    those of create_app.
    """

    def __init__(self, dataset: Dataset, *, port: int = 0, **as_create_app: Any) -> None:
        """Nothing listens yet. `port` 0 takes a free port at the first start."""
        self.app = create_app(dataset, **as_create_app)
        self._state: SampleState = self.app.extensions["sample"]
        self._port = port
        self._listener: Listener | None = None
        self._calls: deque[SeenCall] = deque(maxlen=_REMEMBERED_CALLS)
        self._count = 0
        self._lock = threading.Lock()

    def start(self) -> Self:
        """Listen and answer, in a thread; OSError when the port is taken."""
        if self._listener is not None:
            raise RuntimeError("the sample server is running already")
        listener = Listener(self._port, self.app, lambda: self._state.traps, self._record)
        self._listener, self._port = listener, listener.server_port
        threading.Thread(
            target=listener.serve_forever, kwargs={"poll_interval": 0.01}, name="sample server", daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Stop listening and cut open connections; harmless when it does not run."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()
            listener.close_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *args: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Scheme, host and port; RuntimeError before the first start when the port is not chosen."""
        if not self._port:
            raise RuntimeError("the sample server has no port before it starts")
        return f"http://127.0.0.1:{self._port}"

    @property
    def zaken_url(self) -> str:
        """The root of the Zaken API, with a slash at its end."""
        return f"{self.base_url}/zaken/api/v1/"

    @property
    def catalogi_url(self) -> str:
        """The root of the Catalogi API, with a slash at its end."""
        return f"{self.base_url}/catalogi/api/v1/"

    @property
    def klanten_url(self) -> str:
        """The root of the Klanten API, with a slash at its end."""
        return f"{self.base_url}/klanten/api/v1/"

    @property
    def contactmomenten_url(self) -> str:
        """The root of the Contactmomenten API, with a slash at its end."""
        return f"{self.base_url}/contactmomenten/api/v1/"

    @property
    def dataset(self) -> Dataset:
        """What it serves; changes show at once."""
        return self._state.dataset

    def become(self, version: str, open_zaak: bool = True, **more: Any) -> None:
        """Go on as another version, as after an upgrade; `more` is as for versions.Rules. ValueError for none such."""
        self._state.rules = Rules.of(version, open_zaak, **more)

    @property
    def traps(self) -> Traps:
        """The switches; change their fields, or put other Traps in their place, while it runs."""
        return self._state.traps

    @traps.setter
    def traps(self, traps: Traps) -> None:
        self._state.traps = traps

    @property
    def calls(self) -> list[SeenCall]:
        """The requests since the last reset, oldest first (the last 100,000)."""
        with self._lock:
            return list(self._calls)

    @property
    def calls_count(self) -> int:
        """How many requests there were since the last reset."""
        return self._count

    def reset_calls(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._calls.clear()
            self._count = 0

    def _record(self, method: str, path: str, names: list[str], status: int) -> None:
        # Names outside the standard are not kept either: they could be anything.
        query = "&".join(name if known_parameter(name) else "unknown" for name in names)
        template = _IDENTIFIER.sub(r"\1/{uuid}", path)
        with self._lock:
            self._calls.append(SeenCall(method, f"{template}?{query}" if query else template, status))
            self._count += 1
