"""Three gateways and two jobs processes on machines of their own, over one PostgreSQL, while all of it is killed."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from builders.client_bodies import KLANTCONTACT
from builders.configs import UUID_SECRET, read_config
from builders.own_postgres import OwnPostgres, is_there
from builders.sample_data import sample_slice
from builders.small_network import NETWORK, Forwarder, Machine, is_allowed
from builders.until import until

from gateway.http.auth import create_token
from gateway.installation import open_store
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not (is_there() and is_allowed()), reason="needs PostgreSQL and network namespaces"),
]
SECONDS, FROZEN_SECONDS = 120, 60
PORT = 8000
GATEWAYS, JOBS = range(3), range(3, 5)
WRITERS, LEAST_WRITES = 4, 500
BACK_SECONDS = 5.0
# What was frozen first answers those that came meanwhile, and what it held is no more.
THAW_SECONDS = 15.0
# A client leaves a gateway that gave no answer alone for so long, as a proxy does that looks whether each is well.
AVOIDED_SECONDS = 10.0
API = "/klantinteracties/api/v1/klantcontacten"


class World:
    """The machines, the database, and what clients were told."""

    def __init__(self, folder: Path, database: OwnPostgres, machines: list[Machine], source: str) -> None:
        self.folder, self.database, self.machines = folder, database, machines
        self.log = (folder / "processes.log").open("ab")
        self.frozen: int | None = None
        self.stop = threading.Event()
        self.lock, self.starting = threading.Lock(), threading.Lock()
        # By the onderwerp of each write: what came of it.
        self.acknowledged: dict[str, str] = {}
        self.refused: set[str] = set()
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        # When each was asked what it answered well the last time, and when it began to run.
        self.latest, self.begun = [0.0] * len(machines), [0.0] * len(machines)
        self.avoided = [0.0] * len(machines)
        for number, machine in enumerate(machines):
            self._write_config(number, machine, source)
        own = self._write_config(len(machines), None, source)
        self.store = open_store(read_config(own))
        self.token = create_token(self.store, "soak", "write")

    def _write_config(self, number: int, machine: Machine | None, source: str) -> Path:
        where = self.folder / f"machine{number}"
        where.mkdir()
        url = self.database.url(self.machines[0].ours if machine else "127.0.0.1")
        bind = f"{machine.address}:{PORT}" if machine else f"127.0.0.1:{PORT}"
        path = where / "config.toml"
        path.write_text(
            f'[gateway]\nbind = "{bind}"\npublic_url = "https://klantbrug.example.nl"\n'
            f'[store]\nurl = "{url}"\nsslmode = "disable"\nuuid_secret = "{UUID_SECRET}"\n'
            '[mapping]\nmax_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"\n'
            "[jobs.backfill]\nenabled = true\n"
            f'[[source]]\nname = "bron"\nzaken_url = "{source}"\nclient_id = "{DEFAULT_APPLICATION.client_id}"\n'
            f'secret = "{DEFAULT_APPLICATION.secret}"\nrequests_per_second = 5\n',
            encoding="utf-8",
        )
        return path

    def begin(self, number: int) -> None:
        config = str(self.folder / f"machine{number}" / "config.toml")
        what = ("serve", "--no-jobs") if number in GATEWAYS else ("jobs", "serve")
        self.begun[number] = time.monotonic()
        self.machines[number].run(sys.executable, "-m", "gateway", "--config", config, *what, log=self.log)

    def look_after(self) -> None:
        """Start again what ended by itself, as whoever manages services does: at a start the database may be away."""
        while not self.stop.wait(1.0):
            for number, machine in enumerate(self.machines):
                with self.starting:
                    if machine.process is not None and machine.process.poll() is not None:
                        self.statuses[f"{'gateway' if number in GATEWAYS else 'jobs'} ended"] += 1
                        self.begin(number)

    def ask(self, number: int, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection(self.machines[number].address, PORT, timeout=10)
        try:
            headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                json.loads(content) if content else None,
            )
        finally:
            connection.close()

    def notice(self, number: int, asked: float, what: str, status: int, headers: dict[str, str]) -> None:
        with self.lock:
            self.statuses[f"{what} {status}"] += 1
            if status in (200, 201):
                self.latest[number] = asked
            elif status != 503:
                self.wrong.append(f"{what} {status}")
            elif "retry-after" not in headers:
                self.wrong.append(f"{what} 503 without Retry-After")

    # Clients

    def choose(self) -> int:
        moment = time.monotonic()
        return random.choice([each for each in GATEWAYS if self.avoided[each] < moment] or GATEWAYS)

    def no_answer(self, number: int, what: str, error: Exception) -> None:
        with self.lock:
            self.statuses[f"{what} without answer"] += 1
            if isinstance(error, TimeoutError):
                self.avoided[number] = time.monotonic() + AVOIDED_SECONDS
        time.sleep(0.05)

    def write(self, mine: int) -> None:
        for count in itertools.count():
            if self.stop.is_set():
                return
            name, number, asked = f"soak-{mine}-{count}", self.choose(), time.monotonic()
            try:
                status, headers, body = self.ask(number, "POST", API, KLANTCONTACT | {"onderwerp": name})
            except (OSError, http.client.HTTPException) as error:
                self.no_answer(number, "write", error)
                continue
            self.notice(number, asked, "write", status, headers)
            with self.lock:
                if status == 201:
                    self.acknowledged[name] = body["uuid"]
                else:
                    self.refused.add(name)
            time.sleep(0.01 if status == 201 else 0.1)

    def read(self, number: int) -> None:
        while not self.stop.is_set():
            with self.lock:
                known = list(self.acknowledged.items())[-200:]
            if not known:
                time.sleep(0.1)
                continue
            (name, uuid), asked = random.choice(known), time.monotonic()
            try:
                status, headers, body = self.ask(number, "GET", f"{API}/{uuid}")
            except (OSError, http.client.HTTPException) as error:
                self.no_answer(number, "read", error)
                continue
            self.notice(number, asked, "read", status, headers)
            if status == 200 and body["onderwerp"] != name:
                self.wrong.append("read another")
            time.sleep(0.02)

    # What goes wrong

    def freeze_writer(self) -> None:
        """Stop all of a gateway at a moment at which it holds the writer's lock."""
        with psycopg.connect(self.database.url(), autocommit=True) as watching:
            for tries in itertools.count(1):
                number = random.choice(GATEWAYS)
                machine = self.machines[number]
                machine.signal(signal.SIGSTOP)
                row = watching.execute(
                    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE l.locktype = 'advisory' AND l.granted AND host(a.client_addr) = %s"
                    " AND a.state = 'idle in transaction'",
                    (machine.address,),
                ).fetchone()
                if row and row[0]:
                    self.frozen = number
                    print(f"frozen while it held the writer, at try {tries}")
                    return
                machine.signal(signal.SIGCONT)
                assert tries < 3000, "it never held the writer"
                time.sleep(0.02)

    def serving(self) -> list[int]:
        """The gateways that answered well since they began."""
        return [each for each in GATEWAYS if each != self.frozen and self.latest[each] > self.begun[each]]

    def restart_database(self, mode: str) -> list[float]:
        """Out: how long after its return each gateway that runs answered well again."""
        # One that was just starting needs the time that takes.
        ran = until(self.serving, 120)
        self.database.stop(mode)
        time.sleep(3)
        self.database.start()
        back = time.monotonic()
        waited = []

        def again(number: int) -> bool:
            return self.latest[number] > back

        for number in ran:
            until(partial(again, number), 30)
            waited.append(time.monotonic() - back)
        return waited

    def thaw(self) -> None:
        """Let what was frozen go on, and wait until it answers."""
        assert self.frozen is not None
        number, self.frozen, thawed = self.frozen, None, time.monotonic()
        self.machines[number].signal(signal.SIGCONT)
        self.avoided[number] = 0.0
        until(lambda: self.latest[number] > thawed, 120)
        waited = time.monotonic() - thawed
        print(f"answered again {waited:.1f} s after its thaw")
        assert waited < THAW_SECONDS

    def kill_one(self) -> None:
        """As a loss of power; it is started again at once, as whoever manages services does."""
        # A machine that has much to do would else have none that got as far as serving.
        number = random.choice([*self.serving(), *JOBS])
        with self.starting:
            self.machines[number].kill()
            self.begin(number)


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    machines = [Machine(number) for number in (*GATEWAYS, *JOBS)]
    with contextlib.ExitStack() as stack:
        for machine in machines:
            stack.callback(machine.remove)
            machine.make()
        server = stack.enter_context(SampleServer(sample_slice()))
        forwarder = stack.enter_context(Forwarder(int(server.base_url.rsplit(":", 1)[1])))
        port = forwarder.listen(machines[0].ours)
        source = server.zaken_url.replace(server.base_url, f"http://{machines[0].ours}:{port}")
        database = stack.enter_context(OwnPostgres([machines[0].ours], NETWORK))
        made = World(folder, database, machines, source)
        stack.callback(made.store.close)
        yield made


def test_nothing_is_lost_and_nothing_comes_twice_while_everything_is_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 10**9))
    random.seed(seed)
    print(f"SOAK_SEED={seed}")
    with world(tmp_path) as made:
        for number in (*GATEWAYS, *JOBS):
            made.begin(number)
        clients = [threading.Thread(target=made.write, args=(mine,)) for mine in range(WRITERS)]
        clients.append(threading.Thread(target=made.look_after))
        clients += [threading.Thread(target=made.read, args=(number,)) for number in GATEWAYS]
        for client in clients:
            client.start()
        try:
            until(lambda: all(made.latest[number] for number in GATEWAYS), 180)
            spoil(made)
            # A machine with much to do gets less done.
            until(lambda: len(made.acknowledged) > LEAST_WRITES, 180)
        finally:
            made.stop.set()
            for client in clients:
                client.join()
        print(dict(made.statuses))
        assert made.wrong == []
        nothing_runs_on(made)
        everything_is_there_once(made)


def spoil(made: World) -> None:
    began = time.monotonic()

    def passed() -> float:
        return time.monotonic() - began

    waited: list[float] = []
    events = [(15, "fast"), (30, "freeze"), (60, "immediate"), (30 + FROZEN_SECONDS, "thaw"), (SECONDS, "")]
    for moment, what in events:
        while passed() < moment:
            time.sleep(min(random.uniform(3, 6), max(0.0, moment - passed())))
            if passed() < moment:
                made.kill_one()
        if what in ("fast", "immediate"):
            waited += made.restart_database(what)
        elif what == "freeze":
            made.freeze_writer()
        elif what == "thaw":
            made.thaw()
    print("answered again after", [round(each, 1) for each in waited])
    assert max(waited) < BACK_SECONDS


def nothing_runs_on(made: World) -> None:
    """A jobs process dies; within half a minute nothing runs but what the other one runs."""
    first, second = (made.machines[number] for number in JOBS)
    first.kill()
    died = time.monotonic()

    def running() -> list[Any]:
        found: list[Any] = made.store.connection().all("SELECT job FROM run WHERE status = 'running'")
        return found

    def held_by_the_other() -> bool:
        rows = made.store.connection().all(
            "SELECT holder FROM lease WHERE expires > this_moment() AND (name LIKE 'backfill %' OR name = 'rebuild')"
        )
        # Nobody's any more is not enough: a run of the dead one is marked so in the next round of the other's clock.
        return bool(rows) and all(holder.endswith(second.name) for (holder,) in rows)

    until(lambda: not running() or held_by_the_other(), 45)
    print("after a death nothing of it ran after", round(time.monotonic() - died, 1))
    second.stop(60)
    assert running() == []


def everything_is_there_once(made: World) -> None:
    rows = made.store.connection().all("SELECT body FROM document WHERE body LIKE '%\"soak-%'")
    found = Counter(json.loads(body)["onderwerp"] for (body,) in rows)
    print(f"{len(made.acknowledged)} acknowledged, {len(found)} found, {len(made.refused)} refused")
    assert [name for name in made.acknowledged if not found[name]] == []
    assert [name for name, times in found.items() if times > 1] == []
    assert [name for name in made.refused if found[name]] == []
