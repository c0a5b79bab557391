"""`klantbrug demo`: what it prints works when pasted, also without a terminal."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from builders.commands import klantbrug
from builders.until import until

pytestmark = pytest.mark.slow

CURL_LINES = 7


@pytest.fixture(scope="module")
def lines(run_log: Path):  # type: ignore[no-untyped-def]
    """The lines of a running demo, up to and including its last."""
    with klantbrug(run_log, "demo", "--port", "8640") as process:
        found: list[str] = []
        assert process.stdout is not None

        def read() -> None:
            for line in process.stdout:  # type: ignore[union-attr]
                found.append(line.rstrip("\n"))

        threading.Thread(target=read, daemon=True).start()
        until(lambda: process.poll() is not None or any(line.startswith("Ctrl-C") for line in found), 120)
        assert process.poll() is None
        yield found


def pasted(line: str) -> dict:  # type: ignore[type-arg]
    words = shlex.split(line)
    assert words[0] == "curl"
    if shutil.which("curl"):
        done = subprocess.run(words, capture_output=True, check=True, timeout=30)
        return json.loads(done.stdout)
    given = [words[place + 1] for place, word in enumerate(words) if word == "-H"]
    headers = dict(each.split(": ", 1) for each in given)
    data = words[words.index("-d") + 1].encode() if "-d" in words else None
    with urllib.request.urlopen(
        urllib.request.Request(words[-1], data=data, headers=headers), timeout=30
    ) as answer:
        return json.load(answer)


def test_every_curl_line_gives_an_answer(lines: list[str]) -> None:
    curls = [line for line in lines if line.startswith("curl ")]
    assert len(curls) == CURL_LINES
    person, organisation, contacts, of_zaak, told = map(pasted, curls[:5])
    assert person["count"] == 1
    assert person["results"][0]["soortPartij"] == "persoon"
    assert person["results"][0]["partijIdentificatoren"][0]["partijIdentificator"]["objectId"] in curls[0]
    assert organisation["count"] == 1
    assert organisation["results"][0]["soortPartij"] == "organisatie"
    assert contacts["count"] == len(person["results"][0]["betrokkenen"])
    assert of_zaak["count"] > 0
    assert told["sources"]["voorbeeld"]["kinds"]["rol"]["seen"] == 3485


def test_a_contact_written_here_appears_in_the_old_system(lines: list[str]) -> None:
    *_, write, look = [line for line in lines if line.startswith("curl ")]
    made = pasted(write)["klantcontact"]
    assert until(lambda: made["onderwerp"] in [each["onderwerp"] for each in pasted(look)["results"]], 60)


def test_every_command_that_is_hinted_works_when_pasted(lines: list[str], tmp_path: Path) -> None:
    start = f"{sys.executable} -m gateway --config "
    hints = [line[line.index(start) :] for line in lines if start in line]
    assert {shlex.split(hint)[5] for hint in hints} == {
        "quarantine",
        "explain",
        "findings",
        "operator",
        "export",
    }
    assert not any("klantbrug " in line for line in lines), "not on the PATH of who pastes"
    for hint in hints:
        done = subprocess.run(
            ["sh", "-c", hint], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
    listed = [hint for hint in hints if hint.endswith("quarantine list")]
    assert len(listed) == 2, "once with the counts, once at the end"


def test_the_ugly_set_is_counted_apart(lines: list[str]) -> None:
    told = pasted(next(line for line in lines if line.startswith("curl ") and "beheer" in line))
    ugly = told["sources"]["lastig"]["kinds"]
    assert sum(counts["quarantined"] for counts in ugly.values()) > 5
    assert sum(counts["seen"] for counts in ugly.values()) >= 60


@pytest.mark.rule("E6")
def test_the_small_source_leaves_for_a_second_register_with_proof(lines: list[str]) -> None:
    place = next(place for place, line in enumerate(lines) if "verhuist naar een leeg register" in line)
    told = lines[place:]
    assert any("Schoon: het register zegt hetzelfde als Klantbrug." in line for line in told)
    assert any("  partij: " in line and "vergeleken" in line for line in told)


def test_the_status_page_answers(lines: list[str]) -> None:
    address = next(line for line in lines if line.startswith("Beheerpagina: ")).split()[1]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(address, timeout=10) as answer:
        page = answer.read().decode()
    assert "voorbeeld" in page
    assert "3.485" in page or "3485" in page


def test_a_busy_port_is_avoided(lines: list[str], run_log: Path) -> None:
    """A second demo beside the first takes another port."""
    from gateway.cli.commands.demo import free_port

    assert free_port(8640) != 8640
