"""A gateway with its jobs that runs, seen as those see it who watch it: its log, its metrics, its health."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

from builders.asker import API
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.served_process import a_port, wait_for
from builders.until import until
from flask import request
from prometheus_client.parser import text_string_to_metric_families

from gateway.http.auth import create_token
from gateway.installation import open_store
from gateway.sample.server import SampleServer

Answer = tuple[int, dict[str, str], bytes]


class WatchedGateway:
    """What runs, and how it is asked. `passed_on` is the traceparent of each call on the source."""

    def __init__(self, port: int, config: Path, log: Path, sample: SampleServer, process: Popen[str]) -> None:
        self.port, self.config, self.log, self.sample, self.process = port, config, log, sample, process
        self.metrics_port = 0
        store = open_store(read_config(config))
        self.store = store.path
        self.token = create_token(store, "balie", "read write")
        self.monitor = create_token(store, "bewaking", "monitor")
        store.close()
        self.passed_on: list[str] = []
        # Also for a source that answered before, where Flask refuses another hook by its own method.
        hooks = sample.app.before_request_funcs.setdefault(None, [])
        hooks.append(lambda: self.passed_on.append(request.headers.get("traceparent", "")))

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: str | None = None,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request; headers with underscores for dashes."""
        given = self.token if token is None else token
        sent = {"Authorization": f"Token {given}"} if given else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return _asked(self.port, path, method, body, sent)

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the access log until now."""
        found = [line for line in self.log.read_text().splitlines() if '"klantbrug.access"' in line]
        return [json.loads(line) for line in found]

    def line_of(self, request_id: str) -> dict[str, Any]:
        """The one line of this request, which comes a moment after its answer."""
        until(lambda: any(line["request_id"] == request_id for line in self.lines()))
        (line,) = [line for line in self.lines() if line["request_id"] == request_id]
        return line

    def metrics(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every number at the address of its own, by name and labels."""
        status, headers, body = _asked(self.metrics_port, "/metrics", "GET", None, {})
        assert status == 200, status
        assert headers["content-type"].startswith("text/plain")
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

    def total(self, name: str, **labels: str) -> float:
        """The sum of a number over all labels but these."""
        return sum(
            value
            for (found, has), value in self.metrics().items()
            if found == name and labels.items() <= dict(has).items()
        )

    def workers(self) -> list[int]:
        """The numbers of the processes that answer requests."""
        return sorted({line["pid"] for line in self.lines()})

    def some_person(self) -> str:
        """A question about somebody whom the source knows."""
        people = (each["betrokkeneIdentificatie"] for each in self.sample.dataset.objects("rol"))
        bsn = next(each["inpBsn"] for each in people if each and each.get("inpBsn"))
        query = f"partijIdentificator__codeSoortObjectId=bsn&partijIdentificator__objectId={bsn}"
        return f"{API}/partijen?{query}"


def _asked(port: int, path: str, method: str, body: str | None, headers: dict[str, str]) -> Answer:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@contextlib.contextmanager
def watched_gateway(
    folder: Path, run_log: Path, sample: SampleServer, more: str = "", *of_serve: str
) -> Iterator[WatchedGateway]:
    """It runs in the block, over a store in this folder. In: what runs as a source, and more of the configuration."""
    config, port, metrics_port = write_config(folder, {"bron": sample}, deadline=5), a_port(), a_port() + 1
    text = f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = 2\nclient_seconds = 2\n{config.read_text()}'
    text += f'[metrics]\nenabled = true\nbind = "127.0.0.1:{metrics_port}"\n'
    config.write_text(text + more)
    log = folder / "stderr.log"
    with (
        log.open("w") as errors,
        klantbrug(run_log, "--log-json", "--config", config, "serve", *of_serve, stderr=errors) as process,
    ):
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        gateway = WatchedGateway(port, config, log, sample, process)
        gateway.metrics_port = metrics_port
        yield gateway
    (run_log / f"{folder.name}.log").write_text(log.read_text())
