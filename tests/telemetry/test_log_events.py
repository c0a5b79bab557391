"""The names of what stands in the log: plain, English, one for one thing, and all in the document."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders.sample_data import sample_slice, some_zaken
from builders.watched_gateway import watched_gateway
from tools import log_events

from gateway.sample.server import SampleServer

DUTCH = re.compile(r"\b(de|het|een|niet|wordt|zijn|naar|voor|opslag|bron|geen|met)\b")
CALLS = list(log_events.calls())


def test_the_document_has_every_event():
    assert log_events.DOCUMENT.read_text(encoding="utf-8") == log_events.document(), "run make reference"
    assert len(CALLS) > 80


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.place)
def test_an_event_has_a_fixed_english_name(call):
    assert call.event, f"{call.place}: no plain text, or values put into it"
    assert "%" not in call.event
    assert not DUTCH.search(call.event)


def lines_of(text: str) -> list[dict[str, str]]:
    """The lines of a log, each of which must be JSON with what every line has."""
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        assert {"timestamp", "level", "event"} <= line.keys(), line
    return found


def told(*arguments: str | Path) -> list[dict[str, str]]:
    """What a command writes on stderr."""
    line = [sys.executable, "-m", "gateway", "--log-json", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    found = lines_of(done.stderr)
    assert found
    return found


@pytest.mark.slow
def test_every_line_of_a_gateway_is_json(tmp_path, run_log):
    with SampleServer(some_zaken(sample_slice(), 5)) as sample:
        with watched_gateway(tmp_path, run_log, sample) as gateway:
            gateway.ask(gateway.some_person())
            found = told("--config", gateway.config, "backfill", "run")
            assert any(line["event"] == "backfill" for line in found)
            told("--verbose", "--config", gateway.config, "verify")
        assert len(lines_of(gateway.log.read_text())) > 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("serve", "--nothing"),
        ("--config", "/nowhere/config.toml", "status"),
        ("--config", "/nowhere/config.toml", "serve"),
    ],
    ids=" ".join,
)
def test_so_is_what_a_command_says_of_a_mistake(arguments):
    assert all(line["event"] == "said" and line["text"] for line in told(*arguments))


CRASH = """
from gateway.base.logs import json_stderr, setup_logging
json_stderr()
setup_logging(as_json=True)
{"111222333": 1}["999990019"]
"""


def test_so_is_the_end_of_a_process_that_nobody_caught_and_it_holds_no_value():
    done = subprocess.run(
        [sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=60, check=False
    )
    (line,) = lines_of(done.stderr)
    assert done.returncode == 1
    assert (line["event"], line["level"]) == ("unexpected error", "critical")
    assert line["error"].startswith("KeyError at __main__")
    assert "999990019" not in done.stderr
