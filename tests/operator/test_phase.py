"""Phases: what each asks for, what each does to the calls that a source gets, and the log of who switched."""

from __future__ import annotations

import getpass
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from builders.asker import Asker
from builders.commands import command, klantbrug
from builders.probe.tamper import Tamper
from builders.sample_data import sample_data, some_zaken
from builders.sample_person import BSN, a_person

from gateway.fetch.fetcher import CutOver
from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.operator.phase import NotAllowed, fingerprint, switch
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation import events
from jobs import registry
from jobs.backfill.backfill import Backfill
from jobs.registry import BY_NAME, JOBS, run_job
from jobs.verify.verify import Verify
from mappings.translate import VERSION

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return some_zaken(sample_data(), 40)


@pytest.fixture
def filled(server: SampleServer, install: Install) -> Installation:
    """Every question may ask the source anew: what was read is at once too old."""
    installation = install(bron=server, max_age=0)
    assert Backfill(installation.fetchers["bron"]).run()
    return installation


def prove(installation: Installation, sample: int | None = None) -> dict[str, Any]:
    return Verify(installation.fetchers["bron"], sample=sample).run()


def calls_of(server: SampleServer, action: Callable[[], Any]) -> int:
    """How many calls the source gets by an action."""
    server.reset_calls()
    action()
    return len(server.calls)


def a_question(installation: Installation, server: SampleServer) -> Callable[[], None]:
    asker, bsn = Asker(installation), a_person(server.dataset)

    def ask() -> None:
        answer = asker.get("partijen", partijIdentificator__objectId=bsn, **BSN)
        assert answer.get_json()["count"] == 1

    return ask


def test_synced_asks_for_a_backfill_and_a_clean_verify_of_today(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server)
    told = command(installation, "phase", "synced")
    assert told.exit_code == 1
    assert "nog niet volledig ingelezen" in told.output
    assert Backfill(installation.fetchers["bron"]).run()
    assert "nog geen bewijs" in command(installation, "phase", "synced").output
    rol = server.dataset.objects("rol")[0]
    server.dataset.remove("rol", rol["uuid"])
    assert not prove(installation)["clean"]
    assert "niet schoon" in command(installation, "phase", "synced").output
    server.dataset.add("rol", rol)
    assert prove(installation)["clean"]
    Tamper(installation.store).proved_before(86_400_000_001)
    assert "ouder dan een dag" in command(installation, "phase", "synced").output
    assert prove(installation, sample=10)["clean"]
    assert command(installation, "phase", "synced").output == "Bron bron: fase synced, was live.\n"
    assert command(installation, "phase").output == "bron: synced, dekking volledig\n"


def test_cutover_asks_for_synced_and_a_clean_verify_of_everything(filled: Installation) -> None:
    store = filled.store
    assert prove(filled, sample=10)["clean"]
    mapping = fingerprint(filled.config.mapping)
    with pytest.raises(NotAllowed, match="eerst moet zij in fase synced zijn"):
        switch(store, "bron", "cutover", "iemand", mapping=mapping)
    assert switch(store, "bron", "synced", "iemand", mapping=mapping) == "live"
    with pytest.raises(NotAllowed, match="verify --full"):
        switch(store, "bron", "cutover", "iemand", mapping=mapping)
    assert prove(filled)["clean"]
    assert switch(store, "bron", "cutover", "iemand", mapping=mapping) == "synced"
    assert switch(store, "bron", "live", "iemand") == "cutover"


def test_what_was_not_clean_is_undone_only_by_as_much(server: SampleServer, filled: Installation) -> None:
    """Everything by everything; a sample by one as large, or everything."""
    rol = server.dataset.objects("rol")[0]

    def unclean(sample: int | None = None) -> None:
        server.dataset.remove("rol", rol["uuid"])
        assert not prove(filled, sample)["clean"]
        server.dataset.add("rol", rol)

    unclean()
    for sample in (1, 300):
        assert prove(filled, sample)["clean"]
        told = command(filled, "phase", "synced")
        assert told.exit_code == 1
        assert "niet schoon" in told.output
        assert "klantbrug verify --full --repair" in told.output
    assert prove(filled)["clean"]
    unclean(300)
    assert prove(filled, 299)["clean"]
    assert "klantbrug verify --sample 300 --repair" in command(filled, "phase", "synced").output
    assert prove(filled, 300)["clean"]
    assert command(filled, "phase", "synced").exit_code == 0
    # The last whole one was clean, but a sample since was not.
    unclean(300)
    assert "niet schoon" in command(filled, "phase", "cutover").output
    assert prove(filled)["clean"]
    assert command(filled, "phase", "cutover").exit_code == 0


def test_a_proof_is_of_the_mapping_of_now(filled: Installation) -> None:
    assert prove(filled)["clean"]
    path = filled.config.path
    assert path
    text = path.read_text()
    path.write_text(text.replace("[mapping]\n", "[mapping]\nadressen = 'geen'\n"))
    told = command(filled, "phase", "synced")
    assert told.exit_code == 1
    assert "[mapping]" in told.output
    path.write_text(text)
    assert command(filled, "phase", "synced").exit_code == 0
    path.write_text(text.replace("[mapping]\n", "[mapping]\nadressen = 'geen'\n"))
    assert command(filled, "phase", "cutover").exit_code == 1
    assert command(filled, "rebuild").exit_code == 0
    assert command(filled, "phase", "cutover").exit_code == 1
    assert command(filled, "verify", "--full").exit_code == 0
    assert command(filled, "phase", "cutover").exit_code == 0


def test_a_proof_is_of_the_translation_of_now(filled: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of Klantbrug that translates otherwise asks for a proof of its own."""
    assert prove(filled)["clean"]
    monkeypatch.setattr("mappings.translate.VERSION", VERSION + 1)
    assert "[mapping]" in command(filled, "phase", "synced").output


def test_force_needs_a_reason_and_is_in_the_log_with_who_and_why(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server)
    assert command(installation, "phase", "synced", "--force").exit_code == 1
    told = command(installation, "phase", "synced", "--force", "--reason", "proef op de testomgeving")
    assert told.exit_code == 0
    assert command(installation, "phase", "live").exit_code == 0
    log = command(installation, "phase", "--log").output.splitlines()
    assert len(log) == 2
    assert "fase synced -> live" in log[0]
    assert "fase live -> synced zonder bewijs (--force)" in log[1]
    assert f"({getpass.getuser()}): proef op de testomgeving" in log[1]
    asker = Asker(installation)
    operator = {"Authorization": f"Token {create_token(installation.store, 'operator', 'operate')}"}
    status = asker.client.get("/beheer/api/v1/status", headers=operator).get_json()
    assert status["events"][0]["what"] == "fase synced -> live"
    page = asker.page()
    assert "fase synced -&gt; live" in page
    assert "testomgeving" not in page
    with installation.store.read() as connection:
        assert {event.source for event in events.events(connection) if event.what.startswith("fase")} == {
            "bron"
        }


def test_each_phase_does_what_it_says(server: SampleServer, filled: Installation) -> None:
    """live asks the source, synced lets only jobs ask it, cutover nobody; and back again."""
    ask, fetcher = a_question(filled, server), filled.fetchers["bron"]
    assert calls_of(server, ask) > 0
    switch(filled.store, "bron", "synced", "test", "proef", force=True)
    assert calls_of(server, ask) == 0
    assert calls_of(server, lambda: prove(filled)) > 0
    switch(filled.store, "bron", "cutover", "test", "proef", force=True)
    assert calls_of(server, ask) == 0
    for asking in (Backfill(fetcher).run, Verify(fetcher).run, lambda: fetcher.client):

        def refused(asking: Callable[[], Any] = asking) -> None:
            with pytest.raises(CutOver, match="wordt niet meer bevraagd"):
                asking()

        assert calls_of(server, refused) == 0
    for name in ("sync", "sweep", "verify"):
        assert calls_of(server, lambda name=name: run_job(filled, BY_NAME[name])) == 0
    told = command(filled, "verify")
    assert told.exit_code == 1
    assert "wordt niet meer bevraagd" in told.output
    assert command(filled, "backfill").exit_code == 1
    switch(filled.store, "bron", "live", "test")
    assert calls_of(server, ask) > 0


def test_a_running_gateway_follows_a_switch_at_once(
    server: SampleServer, filled: Installation, run_log: Any
) -> None:
    """Another process switches; the application that was asked before does not ask the source again."""
    ask = a_question(filled, server)
    assert calls_of(server, ask) > 0
    path = filled.config.path
    with klantbrug(run_log, "--config", path, "phase", "synced", "--force", "--reason", "proef") as process:
        assert process.wait(timeout=60) == 0
    assert calls_of(server, ask) == 0


def test_no_cutover_while_the_source_is_being_read(filled: Installation) -> None:
    switch(filled.store, "bron", "synced", "test", "proef", force=True)
    refused: list[str] = []

    def try_to(_: object) -> None:
        other = open_installation(filled.config)

        def attempt() -> None:
            try:
                switch(other.store, "bron", "cutover", "test", "proef", force=True)
            except NotAllowed as error:
                refused.append(str(error))
            other.store.close()

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Verify(filled.fetchers["bron"], show=try_to).run()
    assert "Er loopt een backfill of verify van bron bron" in refused[0]
    switch(filled.store, "bron", "cutover", "test", "proef", force=True)


def test_the_job_takes_a_sample_of_what_is_synced(server: SampleServer, filled: Installation) -> None:
    job = BY_NAME["verify"]
    assert not job.anything(filled)
    assert run_job(filled, job)["verified"] == 0
    switch(filled.store, "bron", "synced", "test", "proef", force=True)
    assert job.anything(filled)
    found = run_job(filled, job)
    assert found == {"verified": 1, "clean": 1, "not_clean": 0, "differences": 0, "skipped": 0}
    assert command(filled, "jobs", "run", "verify").exit_code == 0
    for rol in server.dataset.objects("rol")[:20]:
        server.dataset.add("rol", {**rol, "uuid": str(uuid4())})
    found = run_job(filled, job)
    assert found["clean"] == 0
    assert found["differences"] > 0
    assert command(filled, "jobs", "run", "verify").exit_code == 1


def test_each_job_counts_what_it_calls_trouble(filled: Installation) -> None:
    for job in JOBS:
        if not job.unusable(filled.config):
            counters = run_job(filled, job)
            assert set(job.trouble) <= counters.keys()
            assert not job.in_trouble(counters)


def test_a_job_that_could_not_ask_its_source_ends_as_the_command_of_it_does(
    server: SampleServer, filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PATIENCE", 0.5)
    assert command(filled, "jobs", "run", "sync").exit_code == 0
    server.stop()
    told = command(filled, "jobs", "run", "sync")
    assert "failed 1" in told.output
    assert told.exit_code == 1


def test_an_unknown_source_is_a_usage_error(filled: Installation) -> None:
    assert command(filled, "phase", "live", "--source", "geen").exit_code == 2
