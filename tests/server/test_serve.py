"""`klantbrug serve` with several worker processes over one store."""

from __future__ import annotations

import json
import os
import signal
import stat
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.sample_data import sample_slice, some_zaken
from builders.served_process import a_port, wait_for
from builders.until import until

from gateway.http.auth import create_token
from gateway.installation import open_store
from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

WORKERS = 3


class Served:
    """A running gateway."""

    def __init__(self, base: str, token: str, config: Path, sample: SampleServer) -> None:
        self.base, self.token, self.config, self.sample = base, token, config, sample

    def get(self, path: str) -> tuple[int, Message, dict[str, Any]]:
        request = urllib.request.Request(
            f"{self.base}{path}", headers={"Authorization": f"Token {self.token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.headers, json.load(error)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, run_log: Path) -> Iterator[Served]:
    with SampleServer(some_zaken(sample_slice(), 20)) as sample:
        config = write_config(tmp_path_factory.mktemp("served"), {"bron": sample})
        port = a_port()
        text = f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = {WORKERS}\n' + config.read_text()
        config.write_text(text)
        token = create_token(open_store(read_config(config)), "tests", "read")
        with klantbrug(run_log, "--config", config, "serve"):
            base = f"http://127.0.0.1:{port}"
            wait_for(f"{base}/health/ready")
            yield Served(base, token, config, sample)


def some_bsns(sample: SampleServer, count: int) -> list[str]:
    found = []
    for rol in sample.dataset.objects("rol"):
        bsn = (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
        if bsn and bsn not in found:
            found.append(bsn)
    return found[:count]


def by_bsn(bsn: str) -> str:
    return (
        f"{API}/partijen?partijIdentificator__codeSoortObjectId=bsn"
        f"&partijIdentificator__objectId={bsn}&expand=digitaleAdressen"
    )


def test_workers_share_what_was_fetched(served: Served) -> None:
    """Many clients ask for the same people at once: every key is fetched once over all workers."""
    served.sample.reset_calls()
    bsns = some_bsns(served.sample, 5)
    answers: dict[str, list[tuple[int, str]]] = {bsn: [] for bsn in bsns}

    def ask(bsn: str) -> None:
        code, headers, body = served.get(by_bsn(bsn))
        while code == 503:  # as many wait for the source as may: it says when to come back
            time.sleep(int(headers["Retry-After"]))
            code, headers, body = served.get(by_bsn(bsn))
        body.pop("instance", None)
        answers[bsn].append((code, json.dumps(body, sort_keys=True)))

    threads = [threading.Thread(target=ask, args=(bsn,)) for bsn in bsns * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in answers.values():
        assert len(found) == 8
        assert len(set(found)) == 1
        assert found[0][0] == 200
    asked = [call for call in served.sample.calls if "rollen?" in call.path and "inpBsn" in call.path]
    assert len(asked) == len(bsns)


def test_health_needs_no_token(served: Served) -> None:
    for path in ("/health/live", "/health/ready"):
        with urllib.request.urlopen(f"{served.base}{path}", timeout=5) as answer:
            assert answer.status == 200


@pytest.mark.of_the_file
def test_store_and_its_companions_are_for_their_owner_only(served: Served) -> None:
    served.get(by_bsn(some_bsns(served.sample, 1)[0]))
    files = [path for path in served.config.parent.iterdir() if path.name.startswith("klantbrug.db")]
    assert {path.name for path in files} >= {"klantbrug.db", "klantbrug.db-wal"}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_live_questions_are_answered_while_a_backfill_runs(served: Served, run_log: Path) -> None:
    bsns = some_bsns(served.sample, 12)
    with klantbrug(run_log, "--config", served.config, "backfill") as process:
        for bsn in bsns:
            code, headers, body = served.get(by_bsn(bsn))
            assert code == 200
            assert headers["Klantbrug-Coverage"] == "complete"
            assert body["count"] <= 1
        assert process.wait(timeout=60) == 0
    code, _, body = served.get(f"{API}/partijen?pageSize=1")
    assert code == 200
    assert body["count"] > 100


def test_a_wrong_token_is_a_401(served: Served) -> None:
    stranger = Served(served.base, "kb_not-a-token", served.config, served.sample)
    assert stranger.get(f"{API}/partijen")[0] == 401


def test_ctrl_c_ends_it_at_once_with_its_jobs(tmp_path: Path, run_log: Path) -> None:
    """A terminal tells all processes of the command at once; none of them may be started again meanwhile."""
    port = a_port()
    path = tmp_path / "config.toml"
    path.write_text(f'[gateway]\nbind = "127.0.0.1:{port}"\nregister = true\n')
    with (
        (tmp_path / "log").open("w") as log,
        klantbrug(run_log, "--config", path, "serve", stderr=log) as process,
    ):
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=15) == 0
    said = (tmp_path / "log").read_text()
    assert "starting it again" not in said


def test_sighup_reads_the_config_again_without_a_failed_request(tmp_path: Path, run_log: Path) -> None:
    with SampleServer(some_zaken(sample_slice(), 60)) as sample:
        config = write_config(tmp_path, {"bron": sample}, partial="answer")
        port = a_port()
        plain = f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = 2\ntoken_requests_per_second = 0\n'
        plain += config.read_text()
        config.write_text(plain)
        token = create_token(open_store(read_config(config)), "tests", "read")
        with klantbrug(run_log, "--config", config, "serve") as process:
            gateway = Served(f"http://127.0.0.1:{port}", token, config, sample)
            wait_for(f"{gateway.base}/health/ready")
            codes: list[int] = []
            bases: list[str] = []
            ending = threading.Event()

            def ask() -> None:
                while not ending.is_set():
                    code, _, body = gateway.get(f"{API}/")
                    codes.append(code)
                    bases.append(body.get("partijen", ""))

            asking = [threading.Thread(target=ask) for _ in range(3)]
            for thread in asking:
                thread.start()
            jobs = jobs_process(process.pid)
            config.write_text(
                plain.replace("[gateway]\n", '[gateway]\npublic_url = "https://nieuw.example"\n')
            )
            process.send_signal(signal.SIGHUP)
            until(lambda: len(bases) > 50 and all("nieuw.example" in base for base in bases[-50:]))
            until(lambda: jobs_process(process.pid) not in (jobs, None))  # the jobs go by the new config too
            config.write_text(plain.replace("[gateway]\n", "[gateway]\nnope = 1\n"))
            process.send_signal(signal.SIGHUP)
            time.sleep(9)  # longer than it takes to follow one
            ending.set()
            for thread in asking:
                thread.join()
            assert set(codes) == {200}
            assert "nieuw.example" in bases[-1], "what can't be used is not followed"
            assert process.poll() is None


def jobs_process(server: int) -> int | None:
    """The process that runs the jobs beside a server, None while there is none."""
    for keeper in children(server):
        for child in children(keeper):
            if b"--supervisor" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found
