"""What an operator is told: outcomes in words and colour, moments in Dutch time, empty lists, usage in Dutch."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from builders.asker import Asker
from builders.commands import command, klantbrug
from builders.following import DAY, SECOND, Clock, backfilled
from builders.sample_data import small
from builders.until import until
from click.testing import CliRunner

from gateway.base.clock import DUTCH_TIME, now
from gateway.base.dutch_time import local, local_day, local_of
from gateway.cli.dutch import LOCALE
from gateway.cli.main import cli
from gateway.cli.terminal.status_text import status_text
from gateway.http.auth import Gatekeeper, create_token, rotate_token
from gateway.http.problems import Problem
from gateway.installation import Installation
from gateway.operator.check import Level, check_config, check_source
from gateway.operator.status import overview
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation.sources import forget_coverage
from jobs.backfill.backfill import Backfill
from jobs.registry import BY_NAME, run_job
from jobs.verify.verify import Verify

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
MOMENT = re.compile(r"\b\d{2}-\d{2}-\d{4} \d{2}:\d{2}:\d{2} \+0[12]:00")
# A moment in any other form: of machines, or cut off.
OTHER_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]|UTC|\d{2}:\d{2}:\d{2}Z|\d{2}-\d{2}-\d{4} (?!\d{2}:\d{2}:\d{2} \+0[12]:00)"
)
IN_JSON = re.compile(r'"(\d{4}-\d{2}-\d{2}T[^"]*)"')
RED, GREEN = "\x1b[1;31m", "\x1b[1;32m"


@pytest.fixture
def data() -> Dataset:
    return small(60)


@pytest.fixture
def installation(server: SampleServer, install: Install) -> Installation:
    return install(bron=server)


def page_of(installation: Installation) -> str:
    return Asker(installation).page()


# Outcomes


def test_a_failed_proof_is_red_and_not_clean_everywhere(
    installation: Installation, server: SampleServer
) -> None:
    backfilled(installation)
    rol = server.dataset.objects("rol")[0]
    server.dataset.remove("rol", rol["uuid"])
    verify = Verify(installation.fetchers["bron"], sample=None)
    assert not verify.run()["clean"]
    told = overview(installation.store, installation.config)
    (run,) = [run for run in told["runs"] if run["job"] == "verify"]
    assert run["status"] == "problems"
    assert '<span class="kb-word kb-bad">NIET schoon</span>' in page_of(installation)
    assert f"{RED}NIET schoon" in status_text(told)
    listed = CliRunner().invoke(
        cli, ["--config", str(installation.config.path), "verify", "--list"], color=True
    )
    assert "\x1b[31m\x1b[1mNIET schoon" in listed.output
    shown = CliRunner().invoke(
        cli, ["--config", str(installation.config.path), "verify", "--report", "1"], color=True
    )
    assert "\x1b[31m\x1b[1mNIET schoon: 1 verschil" in shown.output
    server.dataset.add("rol", rol)
    assert Verify(installation.fetchers["bron"], sample=None).run()["clean"]
    assert '<span class="kb-word kb-good">schoon</span>' in page_of(installation)
    assert f"{GREEN}schoon" in status_text(overview(installation.store, installation.config))


def test_a_run_that_ended_with_problems_is_not_gone_on_with(
    installation: Installation, server: SampleServer
) -> None:
    backfilled(installation)
    server.dataset.remove("rol", server.dataset.objects("rol")[0]["uuid"])
    for _ in range(2):
        assert not Verify(installation.fetchers["bron"], sample=None).run()["clean"]
    runs = overview(installation.store, installation.config)["runs"]
    assert [run["status"] for run in runs if run["job"] == "verify"] == ["problems", "problems"]


def test_the_weekly_verify_that_found_differences_is_not_green(
    installation: Installation, server: SampleServer
) -> None:
    backfilled(installation)
    forced = ("--force", "--reason", "proef")
    assert command(installation, "phase", "synced", *forced).exit_code == 0
    for rol in server.dataset.objects("rol"):
        server.dataset.remove("rol", rol["uuid"])
    run_job(installation, BY_NAME["verify"])
    listed = command(installation, "jobs", "list").output
    assert re.search(r"^verify: .*laatste run .*: NIET schoon\)$", listed, re.MULTILINE)
    weekly = [
        run for run in overview(installation.store, installation.config)["runs"] if run["source"] is None
    ]
    assert [run["status"] for run in weekly] == ["problems"]


def test_a_backfill_that_is_not_complete_is_not_green(installation: Installation) -> None:
    fetcher = installation.fetchers["bron"]

    def forget(_: Any) -> None:
        with installation.store.write() as connection:
            forget_coverage(connection, fetcher.source)

    assert not Backfill(fetcher, forget).run()
    assert '<span class="kb-word kb-bad">klaar, NIET goed</span>' in page_of(installation)
    assert "klaar, NIET goed" in command(installation, "status").output
    assert "de laatste is klaar, NIET goed" in command(installation, "backfill", "status").output


# Moments


def test_moments_for_people_are_in_dutch_time_with_the_offset_of_their_day() -> None:
    summer = int(datetime(2026, 7, 1, 22, 30, 1, tzinfo=DUTCH_TIME).timestamp()) * 1_000_000
    assert local(summer) == "01-07-2026 22:30:01 +02:00"
    assert local(None) == ""
    assert local_of("2026-11-28T23:30:00Z") == "29-11-2026 00:30:00 +01:00"
    assert local_of(None) == ""
    assert local_day("2026-11-28T23:30:00Z") == "29-11-2026"


def test_no_command_tells_a_moment_otherwise(installation: Installation, server: SampleServer) -> None:
    backfilled(installation)
    create_token(installation.store, "kiss", "read", now() + 10**12)
    forced = ("--force", "--reason", "proef")
    assert command(installation, "phase", "synced", *forced).exit_code == 0
    Verify(installation.fetchers["bron"], sample=2).run()
    run_job(installation, BY_NAME["purge"])
    rol = server.dataset.objects("rol")[0]["uuid"]
    looks = [("status",), ("token", "list"), ("jobs", "list"), ("phase", "--log"), ("verify", "--list")]
    looks += [("verify", "--report", "1"), ("backfill", "status"), ("explain", rol)]
    for look in looks:
        text = command(installation, *look).output
        assert not OTHER_MOMENT.search(text), look
        if look != ("backfill", "status"):
            assert MOMENT.search(text), look
    for look in [
        ("status", "--json"),
        ("token", "list", "--json"),
        ("jobs", "list", "--json"),
        ("verify", "--list", "--json"),
    ]:
        moments = IN_JSON.findall(command(installation, *look).stdout)
        assert moments, look
        assert all(moment.endswith("Z") for moment in moments), look


def test_the_runs_of_the_status_show_both_moments_whole(installation: Installation) -> None:
    backfilled(installation)
    told = overview(installation.store, installation.config)
    told["runs"][0]["message"] = "een lang bericht " * 20
    lines = [
        line for line in click.unstyle(status_text(told)).splitlines() if line.lstrip().startswith("backfill")
    ]
    assert len(MOMENT.findall(lines[0])) == 2
    assert "…" not in status_text(told)


def test_the_page_tells_dutch_time(installation: Installation) -> None:
    backfilled(installation)
    page = page_of(installation)
    there = datetime.now(DUTCH_TIME)
    assert f"vandaag {there:%H:}" in page
    assert not re.search(r"\d{4}-\d{2}-\d{2}[T ]|UTC", page)


# Zaaktypen


def versions_of_one_zaaktype(server: SampleServer) -> dict[str, Any]:
    """Give a zaaktype that has zaken a second version that has none; out: the first."""
    used = {zaak["zaaktype"] for zaak in server.dataset.objects("zaak")}
    first = next(each for each in server.dataset.objects("zaaktype") if each["url"] in used)
    uuid = "0c0c0c0c-0c0c-4c0c-8c0c-0c0c0c0c0c0c"
    url = first["url"].rpartition("/")[0] + f"/{uuid}"
    server.dataset.add("zaaktype", first | {"url": url, "uuid": uuid, "versiedatum": "2026-02-03"})
    return first


def test_check_and_verify_agree_on_a_zaaktype_of_which_one_version_has_no_zaken(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server)
    source = replace(installation.config.sources[0], catalogi_url=server.catalogi_url)
    first = versions_of_one_zaaktype(server)
    report = check_source(source)
    text = "\n".join(line.text for line in report.lines)
    empty = "\n".join(line.text for line in report.lines if line.level is Level.WARNING)
    assert f"({first['identificatie']}, versie van {first['versiedatum']})" in text
    assert first["identificatie"] not in empty
    installation.fetchers["bron"].client.close()
    path = installation.config.path
    assert path
    path.write_text(path.read_text() + f'catalogi_url = "{server.catalogi_url}"\n')
    assert command(installation, "backfill").exit_code == 0
    assert command(installation, "verify", "--full").exit_code == 0
    proof = orjson.loads(command(installation, "verify", "--report", "1", "--json").stdout)
    names = [text for text in proof["zaaktype_namen"].values() if first["omschrijving"] in text]
    assert len(set(names)) == 2, "versions are told apart"
    told = command(installation, "verify", "--report", "1").output
    number = re.search(r"Van (\d+) zaaktype", told)
    warned = re.search(r"Geen zaken te zien van zaaktype: (.*)\. Ze zijn", empty)
    assert (int(number[1]) if number else 0) == (len(warned[1].split("), ")) if warned else 0)


# Commands


def test_lists_that_are_empty_say_so(installation: Installation) -> None:
    assert "Er zijn nog geen tokens" in command(installation, "token", "list").output
    assert "Er is nog geen rapport" in command(installation, "verify", "--list").output
    assert "Er is nog niets geschakeld" in command(installation, "phase", "--log").output
    assert "Geen bevindingen" in command(installation, "findings").output
    assert "Niets in quarantaine" in command(installation, "quarantine", "list").output


def test_an_interrupted_backfill_says_so_once(installation: Installation) -> None:
    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Backfill(installation.fetchers["bron"], interrupt).run()
    told = command(installation, "backfill", "status").output
    assert told.count("onderbroken") == 1


SOURCE_COMMANDS = [
    ("backfill", "run"),
    ("backfill", "status"),
    ("backfill", "pause"),
    ("sync",),
    ("verify",),
    ("rebuild",),
    ("findings",),
    ("phase",),
    ("check",),
]


@pytest.mark.parametrize("words", SOURCE_COMMANDS, ids=" ".join)
def test_a_source_is_named_in_one_way(installation: Installation, words: tuple[str, ...]) -> None:
    backfilled(installation)
    told = command(installation, *words, "--source", "nope")
    assert told.exit_code == 2
    assert "Er is geen bron nope; er is: bron." in told.output
    help_text = command(installation, *words, "--help").output
    assert "--source BRON" in help_text
    assert "(mag vaker)" in " ".join(help_text.split())


def test_a_second_backfill_tells_which_one_runs(
    installation: Installation, server: SampleServer, run_log: Path
) -> None:
    path = str(installation.config.path)
    server.traps.slow = 2
    with klantbrug(run_log, "--config", path, "backfill") as first:
        asked = ("backfill", "status", "--json")
        until(lambda: json.loads(command(installation, *asked).stdout)["sources"]["bron"]["running"])
        told = command(installation, "backfill")
        assert told.exit_code == 1
        assert f"een backfill in proces {first.pid}, begonnen " in told.output
        assert MOMENT.search(told.output)
        assert "klantbrug backfill status" in told.output
        assert "Hetzelfde commando" not in told.output


def test_check_prints_as_it_goes_and_ends_in_dutch(installation: Installation, server: SampleServer) -> None:
    asked, over = threading.Event(), threading.Event()
    inner = server.app.wsgi_app

    def keeps_zaken(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].endswith("/zaken"):
            asked.set()
            over.wait(60)
        return inner(environ, start_response)

    server.app.wsgi_app = keeps_zaken  # type: ignore[method-assign]
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "--config", str(installation.config.path), "check"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "De bron antwoordt" in line:
                break
        assert asked.wait(60), "the rest is still to come"
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    over.set()
    assert any(line.startswith("Bron bron") for line in lines)
    assert "Te zien" not in rest
    assert "vraagt hoeveel zaken er te zien zijn" in said
    assert "Onderbroken" in said
    assert "Aborted" not in said
    assert process.returncode == 1


def test_https_to_a_port_of_http_is_told_as_that(server: SampleServer, installation: Installation) -> None:
    source = replace(
        installation.config.sources[0], zaken_url=server.zaken_url.replace("http://", "https://")
    )
    report = check_source(source, seconds=10)
    (problem,) = [line.text for line in report.lines if line.level is Level.PROBLEM]
    assert "spreekt geen TLS" in problem
    assert "certificaat" not in problem


def test_secret_files_open_to_others_are_told(
    installation: Installation, install: Install, tmp_path: Path
) -> None:
    path = installation.config.path
    assert path
    secret = tmp_path / "bron.secret"
    secret.write_text(installation.config.sources[0].secret)
    text = re.sub(r'\nsecret = ".*?"\n', f'\nsecret_file = "{secret}"\n', path.read_text())
    path.write_text(text)
    secret.chmod(0o644)
    told = "\n".join(line.text for line in check_config(install(path).config) if line.level is Level.WARNING)
    assert f"source.bron.secret_file: {secret} is voor anderen toegankelijk" in told
    secret.chmod(0o600)
    told = "\n".join(line.text for line in check_config(install(path).config))
    assert str(secret) not in told


# Tokens


def test_a_revoked_name_can_be_used_again(installation: Installation) -> None:
    first = command(installation, "token", "create", "kiss").output.strip()
    assert command(installation, "token", "create", "kiss").exit_code == 2
    assert command(installation, "token", "revoke", "kiss").exit_code == 0
    second = command(installation, "token", "create", "kiss").output.strip()
    keeper = Gatekeeper(installation.store)
    assert keeper.admit(f"Token {second}", "read").name == "kiss"
    with pytest.raises(Problem):
        keeper.admit(f"Token {first}", "read")
    assert command(installation, "token", "list").output.count("kiss:") == 2


def test_rotate_gives_a_new_token_and_the_old_one_ends(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    first = create_token(installation.store, "omc", "write")
    second = rotate_token(installation.store, "omc", overlap=3600)
    keeper = Gatekeeper(installation.store, remembered_seconds=0)
    assert keeper.admit(f"Token {first}", "write").name == "omc", "for as long as they overlap"
    assert keeper.admit(f"Token {second}", "write").scope == "write"
    clock.days = 3601 / DAY
    with pytest.raises(Problem):
        keeper.admit(f"Token {first}", "read")
    assert keeper.admit(f"Token {second}", "write")
    told = command(installation, "token", "rotate", "niemand")
    assert told.exit_code == 2
    assert "geen token in gebruik" in told.output


def test_a_token_expires_and_its_name_is_free(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    secret = create_token(installation.store, "tijdelijk", "read", now() + 3600 * SECOND)
    keeper = Gatekeeper(installation.store, remembered_seconds=0)
    assert keeper.admit(f"Token {secret}", "read")
    clock.days = 3601 / DAY
    with pytest.raises(Problem):
        keeper.admit(f"Token {secret}", "read")
    assert ", verlopen " in command(installation, "token", "list").output
    assert command(installation, "token", "create", "tijdelijk", "--expires", "2099-12-31").exit_code == 0
    assert "verloopt 01-01-2100 00:00:00 +01:00" in command(installation, "token", "list").output
    assert command(installation, "token", "create", "t", "--expires", "2020-01-01").exit_code == 2


# Dutch


def as_a_process(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def all_commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(group, click.Group):
        for name, below in group.commands.items():
            yield from all_commands(below, (*path, name))


def test_the_help_of_every_command_is_in_dutch() -> None:
    english = re.compile(
        r"Usage|Options|Commands|Show (this|the)|\[ARGS\]|COMMAND\b|INTEGER|TEXT|FLOAT|PATH|required|default:"
    )
    script = "import gateway.cli.main as c, sys, gateway.cli.dutch as d; d.speak_dutch()\n"
    script += "from click.testing import CliRunner\nimport json\n"
    script += "print(json.dumps([CliRunner().invoke(c.cli, [*p, '--help']).output for p in json.loads(sys.argv[1])]))"
    paths = orjson.dumps(list(all_commands(cli))).decode()
    done = subprocess.run([sys.executable, "-c", script, paths], capture_output=True, check=True, timeout=60)
    texts = orjson.loads(done.stdout)
    assert len(texts) > 30
    for text in texts:
        assert "Gebruik: " in text
        assert not english.search(text), text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("token", "creat"), "Er is geen commando 'creat'"),
        (("--nope",), "Er is geen optie"),
        (("token", "create"), "Er ontbreekt een argument 'NAAM'"),
        (("token", "create", "x", "--scope", "y"), "scope 'y' is onbekend; kies uit read"),
        (("quarantine", "show", "x"), "is geen uuid"),
        (("verify", "--sample", "x"), "is geen geldig getal"),
        (("--version",), ", versie "),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_wrong_with_a_command_is_told_in_dutch(words: tuple[str, ...], told: str) -> None:
    assert told in as_a_process(*words)


def test_the_texts_of_click_are_all_translated_and_compiled(tmp_path: Path) -> None:
    folder = LOCALE / "nl" / "LC_MESSAGES"
    with (folder / "messages.po").open("rb") as source:
        catalog = read_po(source)
    fresh = tmp_path / "messages.mo"
    with fresh.open("wb") as target:
        write_mo(target, catalog)
    with (folder / "messages.mo").open("rb") as kept, fresh.open("rb") as made:
        assert _texts(read_mo(kept)) == _texts(read_mo(made))
    # What a person at the command line can meet: not what a programmer of commands does wrong, nor what we don't use.
    asked = set()
    for module in ("exceptions.py", "parser.py", "formatting.py", "types.py"):
        for _, message, *_ in extract_from_file("python", Path(click.__file__).with_name(module)):
            asked.add(message[0] if isinstance(message, tuple) else message)
    known = {message.id[0] if isinstance(message.id, tuple) else message.id for message in catalog}
    unused = {"Invalid start character for option ({option})", "Choice({choices})"}
    assert asked - known - unused == set()


def _texts(catalog: Catalog) -> dict[str, Any]:
    """All but the header, which holds the moment at which it was made."""
    return {str(message.id): message.string for message in catalog if message.id}
