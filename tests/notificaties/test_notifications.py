"""Notifications out: what a message says, and that it arrives whatever happens to the Notificaties API."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API, Asker
from builders.commands import klantbrug
from builders.configs import read_config
from builders.notificaties_server import NotificatiesServer, left, notifying, notifying_config, put
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.stores import store_keys
from builders.until import until
from click.testing import CliRunner

from gateway.base.clock import now
from gateway.cli.main import cli
from gateway.config.load import load_config
from gateway.config.written import ConfigError
from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation, open_store
from gateway.notificaties.message import KANALEN, message
from gateway.store.base.store import Store
from gateway.store.inspect.status import status
from gateway.store.operation import leases, outbox
from jobs.common.backoff import back_off
from jobs.common.work import Busy, Work
from jobs.deliver.outbox import deliver
from jobs.registry import BY_NAME, run_job, usable

pytestmark = pytest.mark.slow

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
URL = "http://klantbrug.example.nl/klantinteracties/api/v1/partijen/0f7fa4a0-2d3c-4a06-8f3a-6c0d7f9c0b11"
MOMENT = 1_767_225_600_250_000  # 2026-01-01T00:00:00.25Z


# What a message says


def test_a_new_partij_makes_a_message_on_the_kanaal_partijen() -> None:
    partij = {"nummer": "17", "interneNotitie": "belt vaak", "soortPartij": "persoon", "voorkeurstaal": "nld"}
    assert message("partij", "create", URL, partij, MOMENT) == {
        "kanaal": "partijen",
        "hoofdObject": URL,
        "resource": "partij",
        "resourceUrl": URL,
        "actie": "create",
        "aanmaakdatum": "2026-01-01T00:00:00.250000Z",
        "kenmerken": {"nummer": "17", "interneNotitie": "belt vaak", "soortPartij": "persoon"},
    }


def test_each_kind_with_a_kanaal_has_its_own_kenmerken() -> None:
    klantcontact = {"hoofdOnderwerpType": "https://a.nl/x", "indicatieContactGelukt": True, "taal": "nld"}
    made = message("klantcontact", "update", URL, klantcontact | {"verdereActieOndernomen": False}, MOMENT)
    assert made and made["kanaal"] == "klantcontacten"
    assert made["kenmerken"] == {
        "hoofdOnderwerpType": "https://a.nl/x",
        "indicatieContactGelukt": "true",
        "verdereActieOndernomen": "false",
    }
    internetaak = {"nummer": "3", "gevraagdeHandeling": "bel", "toelichting": "snel", "status": "verwerkt"}
    made = message("internetaak", "destroy", URL, internetaak, MOMENT)
    assert made and (made["kanaal"], made["resource"]) == ("internetaken", "internetaak")
    assert made["kenmerken"] == internetaak


def test_a_kenmerk_without_a_value_is_left_out_and_a_long_one_is_cut() -> None:
    """The standard wants texts of 1 to 1,000 characters."""
    partij = {"nummer": None, "interneNotitie": "x" * 1001, "soortPartij": ""}
    made = message("partij", "partial_update", URL, partij, MOMENT)
    assert made and made["kenmerken"] == {"interneNotitie": "x" * 1000}


def test_other_kinds_have_no_kanaal() -> None:
    assert message("digitaleadres", "create", URL, {}, MOMENT) is None
    assert set(KANALEN) == {"partij", "klantcontact", "internetaak"}


def test_an_actie_that_the_standard_does_not_have_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="actie"):
        message("partij", "delete", URL, {}, MOMENT)


# Delivery


@pytest.fixture
def installation(notificaties: NotificatiesServer, tmp_path: Path) -> Installation:
    return notifying(tmp_path, notificaties.url)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return now() + self.ahead


def send(installation: Installation, clock: Any = now) -> dict[str, int]:
    """One run of the delivery job."""
    grip = leases.take(installation.store, "job outbox", 60)
    assert grip
    try:
        return deliver(Work(installation, grip, clock=clock))
    finally:
        leases.let_go(installation.store, grip)


def waits(installation: Installation) -> dict[str, tuple[int, str]]:
    """Of each message that waits: the seconds until its next try (rounded), and why."""
    rows = Probe(installation.store).rows("outbox", "subject", "next_try", "cause", failed=None)
    return {subject: (round((next_try - now()) / SECOND), cause) for subject, next_try, cause in rows}


def test_messages_arrive_with_our_token_and_leave_the_outbox(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    put(installation.store, "a", "create", "17")
    put(installation.store, "b", "destroy")
    assert send(installation) == {"arrived": 2, "postponed": 0, "given_up": 0}
    assert notificaties.paths == {"/api/v1/notificaties"}
    assert [(one["actie"], one["kenmerken"]["nummer"]) for one in notificaties.messages] == [
        ("create", "17"),
        ("destroy", "1"),
    ]
    assert left(installation.store) == {"waiting": 0, "failed": 0}


def test_what_a_client_writes_is_told_and_what_is_refused_is_not(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    """From a request of a client to the message at the service: create, partial_update, update, destroy."""
    asker = Asker(installation)
    headers = {"Authorization": f"Token {create_token(installation.store, 'writer', 'write')}"}

    def ask(method: str, path: str, body: object = None) -> Any:
        return asker.client.open(f"{API}/{path}", method=method, json=body, headers=headers)

    partij = ask("POST", "partijen", {"soortPartij": "persoon", "indicatieActief": True}).get_json()
    assert ask("POST", "partijen", {"soortPartij": "onbekend"}).status_code == 400
    assert ask("PATCH", f"partijen/{partij['uuid']}", {"indicatieActief": False}).status_code == 200
    assert ask("PUT", f"partijen/{partij['uuid']}", partij).status_code == 200
    assert ask("POST", "categorieen", {"naam": "geen kanaal"}).status_code == 201
    assert ask("DELETE", f"partijen/{partij['uuid']}").status_code == 204
    assert send(installation)["arrived"] == 4
    told = [(body["actie"], body["resourceUrl"], body["kanaal"]) for body in notificaties.messages]
    assert told == [
        (actie, partij["url"], "partijen") for actie in ("create", "partial_update", "update", "destroy")
    ]


def test_a_write_that_is_rolled_back_tells_nobody(installation: Installation) -> None:
    made = message("partij", "create", URL, {}, MOMENT)
    assert made
    with pytest.raises(RuntimeError), installation.store.write() as connection:
        outbox.add(connection, made)
        raise RuntimeError
    assert left(installation.store) == {"waiting": 0, "failed": 0}


def test_messages_about_one_object_keep_their_order_when_one_fails(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    """The second message about an object waits for the first, also where its host is written otherwise."""
    put(installation.store, "a", nummer="1")
    put(installation.store, "a", nummer="2", host="127.0.0.1:8000")
    put(installation.store, "b")
    notificaties.answer = lambda message: 500 if message["resourceUrl"].endswith("/a") else 201
    assert send(installation) == {"arrived": 1, "postponed": 1, "given_up": 0}
    assert notificaties.subjects() == ["b"]
    notificaties.answer = lambda message: 201
    clock = Clock()
    clock.ahead = 6 * SECOND
    assert send(installation, clock) == {"arrived": 2, "postponed": 0, "given_up": 0}
    assert [one["kenmerken"]["nummer"] for one in notificaties.messages[1:]] == ["1", "2"]


def test_tries_are_seconds_then_minutes_then_an_hour_apart(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    put(installation.store, "a")
    notificaties.answer = lambda message: 503
    clock, seen = Clock(), []
    for _ in range(14):
        before = notificaties.calls
        send(installation, clock)
        assert notificaties.calls == before + 1
        waited = waits(installation)["a"][0] - round(clock.ahead / SECOND)
        clock.ahead += (waited - 1) * SECOND
        send(installation, clock)
        assert notificaties.calls == before + 1, "tried before its time"
        clock.ahead += 2 * SECOND
        seen.append(waited)
    assert seen == pytest.approx([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, *[3600] * 4], abs=1)
    assert back_off(1000) == HOUR


def test_while_the_service_is_down_one_message_finds_out_when_it_is_back(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    for subject in "abcd":
        put(installation.store, subject)
    notificaties.answer = lambda message: 503
    clock = Clock()
    for _ in range(3):
        assert send(installation, clock)["postponed"] == 1
        clock.ahead += HOUR
    assert notificaties.calls == 3
    notificaties.answer = lambda message: 201
    assert send(installation, clock)["arrived"] == 4
    assert notificaties.subjects() == ["a", "b", "c", "d"]


def test_what_failed_goes_as_soon_as_the_service_is_back(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    """Not each by its own time: the first that arrives shows that there is no more reason to wait."""
    for subject in "abc":
        put(installation.store, subject)
    notificaties.answer = lambda message: 500
    assert send(installation)["postponed"] == 3
    notificaties.answer = lambda message: 201
    clock = Clock()
    clock.ahead = 6 * SECOND
    Tamper(installation.store).message_later("next_try", HOUR // 2, "a", "b")
    assert send(installation, clock)["arrived"] == 3


def test_an_unreachable_service_loses_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        port = taken.getsockname()[1]
        installation = notifying(tmp_path, f"http://127.0.0.1:{port}/api/v1")
        put(installation.store, "a")
        assert send(installation) == {"arrived": 0, "postponed": 1, "given_up": 0}
        assert waits(installation)["a"][1] == "unreachable"
    with NotificatiesServer(port) as notificaties:
        clock = Clock()
        clock.ahead = 6 * SECOND
        assert send(installation, clock)["arrived"] == 1
        assert notificaties.subjects() == ["a"]


@pytest.mark.slow
def test_a_service_that_does_not_answer_in_time_gets_the_message_again(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    """It may have arrived: at least once is what is promised."""
    put(installation.store, "a")
    notificaties.delay = 1.5
    assert send(installation)["postponed"] == 1
    assert waits(installation)["a"][1] == "timed_out"
    notificaties.delay = 0
    clock = Clock()
    clock.ahead = 6 * SECOND
    assert send(installation, clock)["arrived"] == 1
    assert notificaties.subjects() == ["a", "a"]


def test_a_long_answer_is_not_read_to_its_end(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    put(installation.store, "a", nummer="9" * 900)
    put(installation.store, "b")
    notificaties.answer = lambda message: (201, {"X-Padding": "x" * 30_000})
    assert send(installation)["arrived"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("code", [301, 401, 403, 404, 405, 408, 410, 429, 502, 503, 504])
def test_trouble_of_the_service_is_tried_again(
    notificaties: NotificatiesServer, installation: Installation, code: int
) -> None:
    put(installation.store, "a")
    put(installation.store, "b")
    notificaties.answer = lambda message: code
    assert send(installation) == {"arrived": 0, "postponed": 1, "given_up": 0}
    assert waits(installation)["a"] == (5, f"status_{code}")


@pytest.mark.parametrize("code", [406, 409, 415])
def test_a_refusal_that_may_be_of_the_service_is_tried_again_and_the_next_goes_on(
    notificaties: NotificatiesServer, installation: Installation, code: int
) -> None:
    put(installation.store, "bad")
    put(installation.store, "good")
    notificaties.answer = lambda message: code if message["resourceUrl"].endswith("/bad") else 201
    assert send(installation) == {"arrived": 1, "postponed": 1, "given_up": 0}


def test_a_service_that_asks_for_time_gets_it(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    put(installation.store, "a")
    notificaties.answer = lambda message: (429, {"Retry-After": "120"})
    send(installation)
    assert waits(installation)["a"][0] == pytest.approx(120, abs=1)


def test_a_message_that_is_refused_is_kept_as_failed_and_the_next_goes_on(
    notificaties: NotificatiesServer, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    for nummer in ("123456782", "2"):
        put(installation.store, "a", nummer=nummer)
    notificaties.answer = lambda message: 400 if len(message["kenmerken"]["nummer"]) > 1 else 201
    assert send(installation) == {"arrived": 1, "postponed": 0, "given_up": 1}
    assert left(installation.store) == {"waiting": 0, "failed": 1}
    assert status(installation.store)["notifications"] == {"waiting": 0, "failed": 1}
    assert "notification given up" in caplog.text
    for personal in ("123456782", "/partijen/", notificaties.url):
        assert personal not in caplog.text


def test_after_five_days_of_failing_a_message_is_given_up_and_kept(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    for subject in "ab":
        put(installation.store, subject)
    notificaties.answer = lambda message: 503
    clock = Clock()
    clock.ahead = 5 * DAY - HOUR
    assert send(installation, clock) == {"arrived": 0, "postponed": 1, "given_up": 0}
    put(installation.store, "young")
    Tamper(installation.store).message_later("created", 5 * DAY, "young")
    clock.ahead = 5 * DAY + HOUR
    assert send(installation, clock) == {"arrived": 0, "postponed": 0, "given_up": 2}
    assert left(installation.store) == {"waiting": 1, "failed": 2}


def test_an_operator_has_what_was_given_up_tried_again(
    notificaties: NotificatiesServer, tmp_path: Path
) -> None:
    """And it has its five days again."""
    config = notifying_config(tmp_path, notificaties.url)
    installation = open_installation(read_config(config))
    for subject in "ab":
        put(installation.store, subject)
    notificaties.answer = lambda message: 404
    clock = Clock()
    clock.ahead = 5 * DAY + HOUR
    assert send(installation, clock)["given_up"] == 2
    assert "Notificaties: 0 wachten, 2 opgegeven: klantbrug notifications retry" in command(config, "status")[
        1
    ].replace("\n", " ")
    Tamper(installation.store).message_later("created", -6 * DAY)
    assert command(config, "notifications", "retry") == (0, "2 berichten gaan opnieuw.\n", "")
    assert left(installation.store) == {"waiting": 2, "failed": 0}
    assert send(installation) == {"arrived": 0, "postponed": 1, "given_up": 0}
    notificaties.answer = lambda message: 201
    clock.ahead = HOUR
    assert send(installation, clock)["arrived"] == 2
    assert notificaties.subjects() == ["a", "b"]
    assert command(config, "notifications", "retry") == (0, "0 berichten gaan opnieuw.\n", "")
    config.write_text(config.read_text().replace(f'url = "{notificaties.url}/"', 'url = ""'))
    assert command(config, "notifications", "retry")[0] == 2


def test_what_was_given_up_is_forgotten_when_it_is_old(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    for subject in ("old", "young"):
        put(installation.store, subject)
    notificaties.answer = lambda message: 400
    assert send(installation)["given_up"] == 2
    put(installation.store, "waits")
    tamper = Tamper(installation.store)
    tamper.message_later("created", -100 * DAY)
    tamper.message_later("failed", -91 * DAY, "old")
    assert run_job(installation, BY_NAME["purge"])["notifications"] == 1
    assert Probe(installation.store).values("outbox", "subject", "id") == ["young", "waits"]


def test_one_message_that_breaks_the_service_does_not_hold_up_the_others_for_ever(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    put(installation.store, "bad")
    notificaties.answer = lambda message: 500 if message["resourceUrl"].endswith("/bad") else 201
    clock = Clock()
    for day in range(7):
        put(installation.store, f"good-{day}")
        send(installation, clock)
        clock.ahead += DAY
    assert len(notificaties.messages) == 7
    assert left(installation.store) == {"waiting": 0, "failed": 1}


def test_a_clock_that_was_set_back_holds_nothing_up(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    put(installation.store, "a")
    notificaties.answer = lambda message: 503
    ahead = Clock()
    ahead.ahead = 3 * DAY
    send(installation, ahead)
    notificaties.answer = lambda message: 201
    assert send(installation)["arrived"] == 1


def test_a_wrong_secret_is_trouble_that_an_operator_can_mend(
    notificaties: NotificatiesServer, tmp_path: Path
) -> None:
    path = notifying_config(tmp_path, notificaties.url)
    path.write_text(path.read_text().replace("the secret that", "another secret that"))
    installation = Installation(read_config(path), open_store(read_config(path)), None, {})  # type: ignore[arg-type]
    put(installation.store, "a")
    assert send(installation)["postponed"] == 1
    assert waits(installation)["a"][1] == "status_403"


def test_who_lost_the_lease_writes_nothing(
    notificaties: NotificatiesServer, installation: Installation
) -> None:
    """A process that slept through its lease must not take out what another is delivering."""
    put(installation.store, "a")
    grip = leases.take(installation.store, "job outbox", 0.0)
    assert grip
    Tamper(installation.store).take_over("job outbox")
    with pytest.raises(leases.Lost):
        deliver(Work(installation, grip))
    assert left(installation.store)["waiting"] == 1


def test_a_job_that_runs_elsewhere_is_not_run_twice(installation: Installation) -> None:
    Tamper(installation.store).add_lease("job outbox", now() + HOUR)
    with pytest.raises(Busy):
        run_job(installation, BY_NAME["outbox"])


@pytest.mark.slow
def test_no_message_is_lost_by_a_kill_and_each_object_keeps_its_order(
    notificaties: NotificatiesServer, tmp_path: Path, run_log: Path
) -> None:
    """Kill -9 in the middle of a delivery, twice; what was on its way then may come twice, nothing is missing."""
    config = notifying_config(tmp_path, notificaties.url)
    store = open_store(read_config(config))
    for number in range(120):
        put(store, f"object-{number % 7}", nummer=str(number))
    notificaties.delay = 0.01
    for target in (30, 70):
        with klantbrug(run_log, "--config", config, "jobs") as process:
            until(lambda target=target: len(notificaties.messages) >= target)
            process.kill()
            process.wait()
    with klantbrug(run_log, "--config", config, "jobs"):
        until(lambda: left(store)["waiting"] == 0)
    for number in range(7):
        got = [
            m["kenmerken"]["nummer"] for m in notificaties.messages if m["resourceUrl"].endswith(f"-{number}")
        ]
        assert list(dict.fromkeys(got)) == [str(n) for n in range(120) if n % 7 == number]
    assert len(notificaties.messages) <= 120 + 2


# Configuration and command


def test_notifications_are_off_by_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[store]\n{store_keys(tmp_path / "klantbrug.db")}uuid_secret = "{"x" * 40}"\n')
    config = load_config(path, {})
    assert config.notifications.url == ""
    assert [job.name for job in usable(config)] == ["purge"]


def test_an_address_needs_a_client_and_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[store]\nuuid_secret = "{"x" * 40}"\n[notifications]\nurl = "https://n.example.nl/api/v1/"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert [line.partition(":")[0] for line in caught.value.lines] == [
        "notifications.secret",
        "notifications.client_id",
    ]


def test_the_secret_may_come_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    path = notifying_config(tmp_path, "https://n.example.nl/api/v1")
    config = load_config(path, {"KLANTBRUG_NOTIFICATIONS__SECRET": "from-the-environment"})
    assert config.notifications.secret == "from-the-environment"
    assert "from-the-environment" not in repr(config)
    assert config.notifications.url == "https://n.example.nl/api/v1"


def command(config: Path, *arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(cli, ["--config", str(config), *arguments])
    return found.exit_code, found.stdout, found.stderr


@pytest.mark.slow
def test_an_operator_lists_the_jobs_and_runs_one(notificaties: NotificatiesServer, tmp_path: Path) -> None:
    config = notifying_config(tmp_path, notificaties.url, "[jobs.outbox]\nenabled = false\n")
    store: Store = open_store(read_config(config))
    put(store, "a")
    code, said, _ = command(config, "jobs", "list")
    assert code == 0
    assert "outbox: brengt" in said
    assert "uit: [jobs.outbox] enabled is false" in said
    assert "uit: er is geen bron" in said
    code, said, _ = command(config, "jobs", "run", "outbox")
    assert (code, said) == (0, "Job outbox: arrived 1, postponed 0, given_up 0.\n")
    put(store, "b")
    notificaties.answer = lambda message: 503
    assert command(config, "jobs", "run", "outbox")[:2] == (
        1,
        "Job outbox: arrived 0, postponed 1, given_up 0.\n",
    )
    assert command(config, "jobs", "run", "outbx")[0] == 2
    code, _, complained = command(config, "jobs", "run", "sync")
    assert code == 2
    assert "er is geen bron" in complained
    assert command(config, "jobs", "disable", "outbox")[:2] == (0, "Job outbox staat uit.\n")
    assert "uit: klantbrug jobs disable" in command(config, "jobs", "list")[1]
    assert command(config, "jobs", "enable", "outbox")[:2] == (0, "Job outbox staat aan.\n")
    assert command(config, "jobs", "enable", "sync")[0] == 1
    assert command(config, "jobs", "enable", "outbx")[0] == 2
