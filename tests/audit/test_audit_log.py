"""The audit log of a real gateway: one record for each person in each answer, whatever happens to the process."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API
from builders.sample_data import sample_slice, some_zaken
from builders.until import until
from builders.watched_gateway import WatchedGateway, watched_gateway

from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

ACTIVITY = "https://register.example.nl/activiteit/klantcontact"
OF_WRITES = "https://register.example.nl/activiteit/registreren"
SAID = "https://register.example.nl/activiteit/gezegd"
ON = (
    f'[audit]\nenabled = true\nactivity = "{ACTIVITY}"\nheader_tokens = ["balie"]\n'
    f'activities = [{{operation = "POST {API}/partijen", activity = "{OF_WRITES}"}}]\n'
)
LISTS = ("partijen", "klantcontacten", "betrokkenen", "digitaleadressen", "partij-identificatoren", "actoren")
EXPANDED = ("partijen?expand=digitaleAdressen,betrokkenen", "klantcontacten?expand=hadBetrokkenen.wasPartij")
SUBJECT = "dpl.core.data_subject_id"


@pytest.fixture(scope="module")
def sample() -> Iterator[SampleServer]:
    with SampleServer(some_zaken(sample_slice(), 25)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, run_log: Path, sample: SampleServer
) -> Iterator[WatchedGateway]:
    with running(tmp_path_factory.mktemp("audit"), run_log, sample) as found:
        yield found


@contextlib.contextmanager
def running(folder: Path, run_log: Path, sample: SampleServer) -> Iterator[WatchedGateway]:
    """A gateway that logs, with all of its source read."""
    with watched_gateway(folder, run_log, sample, ON) as found:
        subprocess.run(
            [sys.executable, "-m", "gateway", "--config", found.config, "backfill"],
            check=True,
            capture_output=True,
        )
        yield found


def records(gateway: WatchedGateway) -> list[dict[str, Any]]:
    paths = sorted(Path(f"{gateway.store}.audit").iterdir())
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def by_trace(gateway: WatchedGateway) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in records(gateway):
        if SUBJECT in record["attributes"]:
            found.setdefault(record["trace_id"], []).append(record["attributes"][SUBJECT])
    return found


def pseudonym(gateway: WatchedGateway, text: str) -> str:
    key = Path(f"{gateway.store}.audit-key").read_text().strip().encode()
    return hmac.new(key, uuid.UUID(text).bytes, hashlib.sha256).hexdigest()


def urls_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "url" and isinstance(item, str):
                yield item
            yield from urls_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from urls_in(item)


def persons_in(answer: Any, was: dict[str, str]) -> set[str]:
    """The persons in an answer, as a client sees them."""
    found = set()
    for url in urls_in(answer):
        resource, last = url.rsplit("/", 2)[1:]
        if resource == "partijen":
            found.add(last)
        elif resource == "betrokkenen":
            found.add(was[last])
    return found


def who_is_who(gateway: WatchedGateway) -> tuple[dict[str, str], list[str]]:
    """Which partij each betrokkene was (itself where there is none), and paths of documents of all sorts."""
    was, paths = {}, []
    for resource in LISTS:
        page = json.loads(gateway.ask(f"{API}/{resource}?pageSize=500")[2])
        assert page["next"] is None, resource
        paths += [f"{API}/{resource}/{each['uuid']}" for each in page["results"]]
        if resource == "betrokkenen":
            for each in page["results"]:
                was[each["uuid"]] = (each["wasPartij"] or each)["uuid"]
    assert was and any("partijen" in path for path in paths)
    return was, paths


def of_one_person(gateway: WatchedGateway) -> str:
    """The path of a partij that names no other."""
    for path in who_is_who(gateway)[1]:
        partij = json.loads(gateway.ask(path)[2])
        if (
            "/partijen/" in path
            and not partij["vertegenwoordigden"]
            and partij["soortPartij"] != "contactpersoon"
        ):
            return path
    raise AssertionError("each names another")


def ask_traced(
    gateway: WatchedGateway, path: str, method: str = "GET", body: str | None = None
) -> tuple[str, Any]:
    """Ask as a part of a trace of its own. Out: its id, and the answer."""
    trace = uuid.uuid4().hex
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    if body:
        headers["Content-Type"] = "application/json"
    status, _, got = gateway.ask(path, method, body, **headers)
    assert status < 400, (status, path.partition("?")[0])
    return trace, json.loads(got) if got else None


def somebody(number: int) -> str:
    person = {"voorletters": "", "voornaam": "", "voorvoegselAchternaam": "", "achternaam": f"Proef {number}"}
    return json.dumps(
        {
            "digitaleAdressen": [],
            "voorkeursDigitaalAdres": None,
            "rekeningnummers": [],
            "voorkeursRekeningnummer": None,
            "soortPartij": "persoon",
            "indicatieGeheimhouding": False,
            "indicatieActief": True,
            "partijIdentificatie": {"contactnaam": person},
        }
    )


@pytest.mark.parametrize("many", [400, pytest.param(10_000, marks=pytest.mark.soak)])
def test_each_answer_under_load_has_one_record_for_each_person_in_it(gateway, many):
    was, paths = who_is_who(gateway)
    chosen = random.Random(16)

    def one(number: int) -> tuple[str, set[str]]:
        dice = chosen.random()
        if dice < 0.1:
            trace, answer = ask_traced(gateway, f"{API}/partijen", "POST", somebody(number))
        elif dice < 0.3:
            listed = chosen.choice([*LISTS, *EXPANDED])
            trace, answer = ask_traced(gateway, f"{API}/{listed}{'&' if '?' in listed else '?'}pageSize=20")
        else:
            trace, answer = ask_traced(gateway, chosen.choice(paths))
        return trace, {pseudonym(gateway, each) for each in persons_in(answer, was)}

    with ThreadPoolExecutor(8) as threads:
        expected = dict(threads.map(one, range(many)))
    assert sum(map(bool, expected.values())) > many // 2
    found = by_trace(gateway)
    wrong = [trace for trace, persons in expected.items() if sorted(found.get(trace, [])) != sorted(persons)]
    assert not wrong, (len(wrong), len(expected))


def test_a_record_says_what_the_standard_asks(gateway):
    path = of_one_person(gateway)
    trace, _ = ask_traced(gateway, path)
    (record,) = [each for each in records(gateway) if each["trace_id"] == trace]
    assert re.fullmatch("[0-9a-f]{16}", record["operation_id"])
    assert record["foreign_operation"] == {"trace_id": trace, "operation_id": "00f067aa0ba902b7"}
    assert record["parent_operation_id"] is None
    assert record["status_code"] == "Ok"
    assert record["name"] == f"GET {API}/partijen/{{uuid}}"
    assert record["start_time"] <= record["end_time"]
    told = record["attributes"]
    assert (told["dpl.core.processing_activity_id"], told["klantbrug.token"]) == (ACTIVITY, "balie")


def test_the_partijen_that_a_partij_names_are_noted_with_it(gateway):
    _, organisation = ask_traced(
        gateway,
        f"{API}/partijen",
        "POST",
        json.dumps(
            json.loads(somebody(1))
            | {"soortPartij": "organisatie", "partijIdentificatie": {"naam": "Proef BV"}}
        ),
    )
    contact = json.loads(somebody(2)) | {"soortPartij": "contactpersoon"}
    contact["partijIdentificatie"]["werkteVoorPartij"] = {"uuid": organisation["uuid"]}
    _, worker = ask_traced(gateway, f"{API}/partijen", "POST", json.dumps(contact))
    pair = {"vertegenwoordigendePartij": {"uuid": organisation["uuid"]}}
    pair["vertegenwoordigdePartij"] = {"uuid": worker["uuid"]}
    ask_traced(gateway, f"{API}/vertegenwoordigingen", "POST", json.dumps(pair))
    asked = [ask_traced(gateway, f"{API}/partijen/{each['uuid']}")[0] for each in (organisation, worker)]
    found, both = by_trace(gateway), {pseudonym(gateway, each["uuid"]) for each in (organisation, worker)}
    assert [set(found[trace]) for trace in asked] == [both, both]
    for each in (worker, organisation):  # others ask for any partij, and expect it to name no other
        ask_traced(gateway, f"{API}/partijen/{each['uuid']}", "DELETE")


def test_a_change_and_a_deletion_are_noted_of_whom_they_were_about(gateway):
    made, answer = ask_traced(gateway, f"{API}/partijen", "POST", somebody(0))
    path = f"{API}/partijen/{answer['uuid']}"
    changed, _ = ask_traced(gateway, path, "PATCH", '{"indicatieActief": false}')
    deleted, _ = ask_traced(gateway, path, "DELETE")
    found, who = by_trace(gateway), [pseudonym(gateway, answer["uuid"])]
    assert [found[trace] for trace in (made, changed, deleted)] == [who, who, who]
    activities = {
        each["trace_id"]: each["attributes"]["dpl.core.processing_activity_id"] for each in records(gateway)
    }
    assert (activities[made], activities[changed]) == (OF_WRITES, ACTIVITY)


def test_only_a_token_that_may_says_which_activity_it_is(gateway):
    path = of_one_person(gateway)
    before = {each["operation_id"] for each in records(gateway)}  # one file a process: no order over them
    for said in (SAID, "geen adres", f"{SAID}?bsn=999990019"):
        assert gateway.ask(path, X_Processing_Activity_Id=said)[0] == 200
    named = [
        each["attributes"]["dpl.core.processing_activity_id"]
        for each in records(gateway)
        if each["operation_id"] not in before
    ]
    assert sorted(named) == sorted([SAID, ACTIVITY, ACTIVITY])


def test_an_answer_that_is_still_the_same_is_noted_and_a_refusal_is_not(gateway):
    path = of_one_person(gateway)
    _, headers, _ = gateway.ask(path)
    before = len(records(gateway))
    assert gateway.ask(path, If_None_Match=headers["etag"])[0] == 304
    assert len(records(gateway)) == before + 1
    assert gateway.ask(path, token="kb_wrong")[0] == 401
    assert gateway.ask(path, method="DELETE", token="kb_wrong")[0] == 401
    assert gateway.ask(f"{API}/partijen/{uuid.uuid4()}")[0] in (404, 503)
    assert len(records(gateway)) == before + 1


def test_the_files_hold_no_number_of_anybody_and_only_their_owner_reads_them(gateway):
    bsns = {
        each["betrokkeneIdentificatie"].get("inpBsn")
        for each in gateway.sample.dataset.objects("rol")
        if each["betrokkeneIdentificatie"]
    } - {None, ""}
    assert bsns and gateway.ask(gateway.some_person())[0] == 200
    folder = Path(f"{gateway.store}.audit")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert Path(f"{gateway.store}.audit-key").stat().st_mode & 0o777 == 0o600
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert re.fullmatch(r"audit-\d{8}-\d+-[0-9a-f]+\.jsonl", path.name)
        text = path.read_text()
        assert not [number for number in range(len(bsns)) if sorted(bsns)[number] in text]


def test_show_finds_all_records_of_a_person_by_bsn(gateway):
    path = gateway.some_person()
    bsn = path.rpartition("=")[2]
    asked = set()
    for _ in range(3):
        trace, answer = ask_traced(gateway, path)
        asked.add(trace)
    detail, _ = ask_traced(gateway, f"{API}/partijen/{answer['results'][0]['uuid']}")
    shown = [json.loads(line) for line in show(gateway, "--bsn-stdin", typed=bsn).splitlines()]
    assert asked | {detail} <= {each["trace_id"] for each in shown}
    assert {each["attributes"][SUBJECT] for each in shown} <= {
        pseudonym(gateway, answer["results"][0]["uuid"]),
        *(pseudonym(gateway, each["uuid"]) for each in answer["results"][0]["betrokkenen"]),
    }
    by_uuid = show(gateway, "--partij", answer["results"][0]["uuid"]).splitlines()
    again = [json.loads(line) for line in by_uuid]
    # That somebody asked for these is a record as well: of each of the uuids that this person has.
    assert [each for each in again if each["name"] != "audit show"] == shown
    assert {each["name"] for each in again} - {each["name"] for each in shown} == {"audit show"}
    refused = run_show(gateway, "--bsn-stdin", typed="123456789")
    assert refused.returncode == 2 and "123456789" not in refused.stderr


def run_show(gateway: WatchedGateway, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "gateway",
        "--config",
        str(gateway.config),
        "audit",
        "show",
        "--json",
        *words,
    ]
    return subprocess.run(command, input=typed, text=True, capture_output=True, check=False)


def show(gateway: WatchedGateway, *words: str, typed: str = "") -> str:
    done = run_show(gateway, *words, typed=typed)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_explain_by_an_operator_is_noted_and_jobs_too(gateway):
    path = of_one_person(gateway)
    last = path.rpartition("/")[2]
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "--config", str(gateway.config), "explain", last],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [each for each in records(gateway) if each["name"] == "explain"]
    assert [each["attributes"][SUBJECT] for each in found] == [pseudonym(gateway, last)]
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "--config", str(gateway.config), "jobs", "run", "sync"],
        capture_output=True,
        text=True,
        check=False,
    )
    jobs = [each for each in records(gateway) if each["name"] == "job sync"]
    assert jobs and all(any(each["attributes"]["klantbrug.counted"].values()) for each in jobs), done.stderr


def test_a_kill_loses_no_record_of_an_answer_that_was_sent(tmp_path, run_log, sample):
    with running(tmp_path, run_log, sample) as gateway:
        was, paths = who_is_who(gateway)
        until(lambda: len(gateway.workers()) == 2)
        got: dict[str, set[str]] = {}
        over = threading.Event()

        def client(seed: int) -> None:
            chosen = random.Random(seed)
            while not over.is_set():
                try:
                    trace, answer = ask_traced(gateway, chosen.choice(paths))
                except (OSError, http.client.HTTPException):
                    if gateway.process.poll() is not None:
                        return
                    continue
                got[trace] = persons_in(answer, was)

        threads = [threading.Thread(target=client, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        until(lambda: len(got) > 60)
        workers = gateway.workers()
        os.kill(gateway.process.pid, signal.SIGKILL)
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        over.set()
        for thread in threads:
            thread.join(30)
        found = by_trace(gateway)
        lost = [
            trace
            for trace, persons in got.items()
            if sorted(found.get(trace, [])) != sorted(pseudonym(gateway, each) for each in persons)
        ]
        assert not lost, (len(lost), len(got))
