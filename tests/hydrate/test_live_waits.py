"""How long a question waits for a source in phase live, and what is read on after the answer."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from builders.asker import API, Asker
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.following import DAY, Clock, backfilled
from builders.live_calls import LiveClient
from builders.sample_data import small
from builders.served_process import a_port
from builders.slow_source import a_bsn, hang, timed, zaken

from gateway.http.auth import create_token
from gateway.installation import Installation, open_store
from gateway.legacy.pacing import circuit_breaker
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation import events

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
ZAAK = "onderwerpobject__onderwerpobjectidentificatorObjectId"
# What a machine that does much else may add to a time: less than half of the deadline of most tests here.
WORK, DEADLINE = 1.8, 4


@pytest.fixture
def data() -> Dataset:
    return small(30)


def test_with_a_hanging_source_what_is_held_is_answered_in_half_the_deadline(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, installation = Clock(monkeypatch), backfilled(install(bron=server, deadline=DEADLINE))
    asker, zaak = Asker(installation), zaken(server.dataset)[0]
    fresh = asker.get("klantcontacten", **{ZAAK: zaak})
    clock.days = 600 / DAY
    hang(server)
    took, answer = timed(lambda: asker.get("klantcontacten", **{ZAAK: zaak}))
    assert DEADLINE / 2 - 0.2 < took < DEADLINE / 2 + WORK
    assert answer.get_json() == fresh.get_json()
    assert answer.headers["Klantbrug-Coverage"] == "complete"
    assert answer.headers["Klantbrug-Freshness"] == "stale"
    took, _ = timed(lambda: asker.get("partijen", pageSize="100"))
    assert took < WORK, "a list of a covered source waits for nothing"


def test_with_a_hanging_source_what_is_not_held_is_refused_within_the_deadline(
    server: SampleServer, install: Install
) -> None:
    asker = Asker(install(bron=server, deadline=DEADLINE))
    hang(server)
    took, answer = timed(lambda: asker.get("klantcontacten", **{ZAAK: zaken(server.dataset)[0]}))
    assert DEADLINE - 0.2 < took < DEADLINE + WORK
    assert answer.status_code == 504


@pytest.mark.parametrize("phase", ["synced", "cutover"])
def test_in_synced_and_cutover_nothing_waits_and_nothing_is_asked(
    server: SampleServer, install: Install, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, installation = Clock(monkeypatch), backfilled(install(bron=server, deadline=DEADLINE))
    with installation.store.write() as connection:
        events.set_phase(connection, installation.fetchers["bron"].source, phase)
    asker = Asker(installation)
    hang(server)
    server.reset_calls()
    clock.days = 1.0
    took, answer = timed(lambda: asker.get("klantcontacten", **{ZAAK: zaken(server.dataset)[0]}))
    assert took < WORK
    assert answer.headers["Klantbrug-Freshness"] == ("stale" if phase == "synced" else "fresh")
    assert asker.hydrator.drain(0)
    assert server.calls_count == 0


def test_a_write_waits_once_for_all_that_it_is_about(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is changed, each number and each reference had a deadline of its own: a client had long given up."""
    clock, installation = Clock(monkeypatch), backfilled(install(bron=server, deadline=DEADLINE))
    client = LiveClient(installation)
    one = client.get("partij-identificatoren", partijIdentificatorCodeSoortObjectId="bsn").get_json()[
        "results"
    ][0]
    body = {"partijIdentificator": one["partijIdentificator"] | {"objectId": a_bsn(1)}}
    clock.days = 600 / DAY
    hang(server)
    took, answer = timed(lambda: client.send("PATCH", f"partij-identificatoren/{one['uuid']}", body))
    assert answer.status_code == 200
    assert DEADLINE / 2 - 0.2 < took < DEADLINE / 2 + WORK


def test_what_there_was_no_time_for_is_there_at_the_next_question(
    server: SampleServer, install: Install
) -> None:
    """Each call takes longer than the client has: without reading on no question would ever be answered."""
    asker, zaak = Asker(install(bron=server, deadline=1)), zaken(server.dataset)[0]
    server.traps.slow = 0.6
    answer = asker.get("klantcontacten", **{ZAAK: zaak})
    assert answer.status_code in (200, 504)
    assert asker.hydrator.drain()
    server.reset_calls()
    answer = asker.get("klantcontacten", **{ZAAK: zaak})
    assert answer.headers["Klantbrug-Coverage"] == "complete"
    assert answer.headers["Klantbrug-Freshness"] == "fresh"
    assert server.calls_count == 0


def test_many_questions_about_the_same_are_read_on_once(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, installation = Clock(monkeypatch), backfilled(install(bron=server, deadline=1))
    asker, zaak = Asker(installation), zaken(server.dataset)[0]
    clock.days = 600 / DAY
    server.traps.slow = 0.8
    server.reset_calls()
    answers: list[str] = []

    def ask() -> None:
        answers.append(asker.get("klantcontacten", **{ZAAK: zaak}).headers["Klantbrug-Freshness"])
        installation.store.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["stale"] * 6
    assert asker.hydrator.drain()
    whole = [call for call in server.calls if call.path.endswith("/zaken/{uuid}") and call.status == 200]
    # The one after the answers, and those that a question began and had no time for: not one for each question.
    assert len(whole) <= 3
    assert asker.get("klantcontacten", **{ZAAK: zaak}).headers["Klantbrug-Freshness"] == "fresh"


def test_what_is_read_on_does_not_wait_for_the_hours_of_jobs(
    server: SampleServer, install: Install, tmp_path: Path
) -> None:
    path = write_config(tmp_path / "here", {"bron": server}, deadline=1)
    hour = (time.localtime().tm_hour + 12) % 24
    path.write_text(path.read_text() + f'window = "{hour:02}:00-{hour:02}:30"\n')
    asker, zaak = Asker(install(path)), zaken(server.dataset)[0]
    server.traps.slow = 0.6
    asker.get("klantcontacten", **{ZAAK: zaak})
    assert asker.hydrator.drain()
    assert asker.get("klantcontacten", **{ZAAK: zaak}).headers["Klantbrug-Freshness"] == "fresh"


def test_a_source_that_hangs_is_soon_not_waited_for(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the default deadline no call was ever long enough on the line to tell that the source hangs."""
    clock, installation = Clock(monkeypatch), backfilled(install(bron=server, deadline=DEADLINE))
    asker = Asker(installation)
    clock.days = 600 / DAY
    hang(server, 60)
    for zaak in zaken(server.dataset)[: circuit_breaker.IN_A_ROW]:
        took, _ = timed(lambda zaak=zaak: asker.get("klantcontacten", **{ZAAK: zaak}))
        assert took < DEADLINE / 2 + WORK
    took, answer = timed(lambda: asker.get("klantcontacten", **{ZAAK: zaken(server.dataset)[-1]}))
    assert took < WORK
    assert answer.headers["Klantbrug-Freshness"] == "stale"
    asker.hydrator.refresher.stop()


def test_the_gateway_stops_at_once_though_a_source_hangs(
    server: SampleServer, tmp_path: Path, run_log: Path
) -> None:
    """What it reads after an answer does not hold it up."""
    path = write_config(tmp_path / "here", {"bron": server}, deadline=1)
    port = a_port()
    path.write_text(f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = 1\n' + path.read_text())
    token = create_token(open_store(read_config(path)), "test", "read")
    hang(server, 60)
    with klantbrug(run_log, "--config", path, "serve", "--no-jobs") as process:
        url = f"http://127.0.0.1:{port}{API}/klantcontacten"
        until = time.monotonic() + 60
        while True:
            try:
                answer = requests.get(
                    url,
                    params={ZAAK: zaken(server.dataset)[0]},
                    headers={"Authorization": f"Token {token}"},
                    timeout=60,
                )
                break
            except requests.ConnectionError:
                assert time.monotonic() < until
                time.sleep(0.2)
        assert answer.status_code == 504
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        assert time.monotonic() - began < 20, "a call of the source may take thirty"
