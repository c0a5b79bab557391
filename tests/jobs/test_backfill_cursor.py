"""Where a backfill is, as a store of an earlier version kept it: read as it is, and gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders.configs import write_config
from builders.sample_data import some_zaken
from builders.store_digest import dump_digest

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.status import status
from gateway.store.operation import runs
from jobs.backfill.backfill import Backfill, Progress
from jobs.backfill.cursor import BackfillCursor

Install = Callable[..., Installation]

# As the version before BackfillCursor kept them, word for word but for the terms.
IN_A_LIST = """{"terms": ["4"], "look": 1, "allowed": 6, "again": 0, "parts": {"rol": [{}], "zaak": [{}]},
 "deepest": {"rol": [1], "zaak": [1]}, "all_ties": 1, "look_began": 1795000000000000, "kind": 1, "part": 0, "page": 2,
 "read": 100, "surprises": 0, "met_known": false, "pending": 0, "shrank": false,
 "totals": {"klantcontact": 42, "rol": 154, "zaak": 49}, "sized": false}"""
IN_PARTS = """{"terms": ["4"], "look": 2, "allowed": 7, "again": 1,
 "parts": {"rol": [{}], "zaak": [{"registratiedatum__gt": "2025-01-01"}, {"registratiedatum__lt": "2025-01-02"}]},
 "deepest": {"rol": [12], "zaak": [3, 9]}, "all_ties": 3, "look_began": 1795000000000000, "kind": 0, "part": 1,
 "page": 7, "read": 300, "surprises": 1, "met_known": true, "pending": 4, "shrank": true,
 "totals": {"klantcontact": null, "rol": 154, "zaak": 49}, "sized": true,
 "lost": ["rol pagina 4", "zaakcontactmoment van een zaak"]}"""
IN_THE_SAMPLE = """{"terms": ["4"], "look": 2, "allowed": 6, "again": 0, "parts": {"rol": [{}], "zaak": [{}]},
 "deepest": {"rol": [2], "zaak": [1]}, "all_ties": 2, "look_began": 1795000000000000, "kind": 3, "part": 0, "page": 0,
 "read": 0, "surprises": 0, "met_known": false, "pending": 0, "shrank": false, "agreed": true,
 "totals": {"klantcontact": 42, "rol": 154, "zaak": 49}, "sized": false,
 "sample": {"way": "", "held": 49, "zaken": ["0838911076b745a4af750aee0adb8a30", "088a2027e37b49b49e7916d04be364f5"],
  "asked": 1, "found": 7}}"""
BY_ZAAK = (
    IN_THE_SAMPLE.replace('{"way": ""', '{"way": "by zaak"')[:-1] + ', "way": "by zaak", "connected": 0}'
)
AT_THE_END = BY_ZAAK.replace('"way": "by zaak", "connected": 0', '"way": "none", "connected": 49')


@pytest.fixture
def data(slice_data: Dataset) -> Dataset:
    return some_zaken(slice_data, 12)


@pytest.mark.parametrize(
    "kept", [IN_A_LIST, IN_PARTS, IN_THE_SAMPLE, BY_ZAAK, AT_THE_END, '{"terms": ["4"]}']
)
def test_a_cursor_of_before_is_read_and_kept_as_it_was(kept: str) -> None:
    assert BackfillCursor.from_json(json.loads(kept)).to_json() == json.loads(kept)


def stopped_at(installation: Installation, kept: str) -> None:
    """A backfill that an earlier version left with this cursor, after one whole look."""

    def stop(progress: Progress) -> None:
        if progress.look == 2:
            raise KeyboardInterrupt

    fetcher = installation.fetchers["bron"]
    with pytest.raises(KeyboardInterrupt):
        Backfill(fetcher, stop).run()
    with installation.store.write() as connection:
        run = runs.open_run(connection, "backfill", fetcher.source)
        assert run.resumed
        own: dict[str, Any] = {name: run.cursor[name] for name in ("terms", "look_began")}
        run.cursor = json.loads(kept) | own
        runs.save_run(connection, run)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kept", "asked"),
    [(IN_A_LIST, True), (IN_THE_SAMPLE, False), (BY_ZAAK, False)],
)
def test_a_store_of_before_goes_on_where_it_was(
    server: SampleServer, install: Install, tmp_path: Path, kept: str, asked: bool
) -> None:
    installation = install(write_config(tmp_path / "here", {"bron": server}))
    stopped_at(installation, kept)
    server.reset_calls()
    assert Backfill(installation.fetchers["bron"]).run()
    # Lists are read again where the looks had not agreed yet, and only there.
    assert any("/zaken?" in call.path for call in server.calls) is asked
    fresh = install(write_config(tmp_path / "fresh", {"bron": server}))
    assert Backfill(fresh.fetchers["bron"]).run()
    for each in (installation, fresh):
        assert status(each.store)["sources"]["bron"]["coverage"] == "complete"
    assert dump_digest(installation.store) == dump_digest(fresh.store)
