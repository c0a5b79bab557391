"""The log of events has an end, but for how things came to be as they are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders.configs import read_config, write_config
from builders.set_clock import SetClock

from gateway.base.clock import now
from gateway.installation import open_installation
from gateway.sample.server import SampleServer
from gateway.store.operation import events
from jobs.registry import BY_NAME, run_job

DAY = 86400 * 1_000_000


def test_purge_forgets_old_events_but_the_last_of_what_was_done_to_a_source(
    tmp_path: Path, slice_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SampleServer(slice_data) as sample:
        installation = open_installation(read_config(write_config(tmp_path / "purge", {"bron": sample})))
    source = installation.fetchers["bron"].source
    clock = SetClock(monkeypatch)
    done = (
        (2000, source, "gepauzeerd"),
        (1500, source, "gepauzeerd"),
        (1400, None, "ingelogd met een wachtwoord"),
        (1300, None, "persoon gewist"),
        (1250, None, "fase exported -> terug"),
        (1200, None, "fase exported -> terug"),
        (10, None, "uitgelogd"),
    )
    with installation.store.write() as connection:
        for days, of, what in done:
            clock.jump(timedelta(days=-days))
            events.note(connection, of, what, "beheerder", "waarom")
    clock.jump(timedelta())
    assert run_job(installation, BY_NAME["purge"])["events"] == 4
    with installation.store.read() as connection:
        left = [(each.moment, each.what) for each in events.events(connection, logins=True)]
    ages = [round((now() - at) / DAY) for at, _ in left]
    assert list(zip(ages, [what for _, what in left], strict=True)) == [
        (10, "uitgelogd"),
        (1200, "fase exported -> terug"),
        (1500, "gepauzeerd"),
    ]
