"""What hangs on documents is kept by whoever writes them: no trigger does it, and no way of writing goes past them."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.histories import LEGACY, WRITES, History, Step
from builders.paths import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.documents.rows import (
    insert_one,
    keep_order,
    link,
    relink,
    remove_documents,
    unlink,
    update,
)
from gateway.store.export import pairs
from gateway.store.indexes import spans

STORE = ROOT / "gateway" / "store"
# Which module alone writes a table.
WRITTEN_BY = {
    "document": "documents/rows.py",
    "link": "documents/rows.py",
    "alias": "documents/rows.py",
    "local": "edits/local_rows.py",
    "named": "edits/local_rows.py",
    "profiled": "indexes/profiles.py",
    "field_value": "indexes/field_values.py",
    "span": "indexes/spans.py",
    "raw_tally": "indexes/tallies.py",
    "finding_tally": "indexes/tallies.py",
}
WRITES_TO = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")

# All that is served of each document, by uuid: what a register that we leave to must be told of.
LINKS = "SELECT l.source, l.relation, t.uuid, l.place FROM link l JOIN document t ON t.id = l.target"
STEPS = st.lists(
    st.tuples(st.sampled_from([*WRITES, *LEGACY]), *[st.integers(0, 11)] * 3), min_size=2, max_size=12
)


def test_a_table_is_written_by_one_module() -> None:
    found = {
        (table, str(path.relative_to(STORE)))
        for path in STORE.rglob("*.py")
        if path.parent.name != "schema"
        for table in WRITES_TO.findall(path.read_text(encoding="utf-8"))
        if table in WRITTEN_BY
    }
    assert found == set(WRITTEN_BY.items())


@pytest.mark.of_the_file
def test_the_only_triggers_are_those_of_the_indexes_of_texts(store: Store) -> None:
    rows = store.connection().all("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    assert {name.rpartition("_")[0] for (name,) in rows} == {
        "text_of_actor",
        "text_of_digitaleadres",
        "text_of_klantcontact",
    }


def served(store: Store) -> dict[bytes, tuple[str, list[str]]]:
    with store.read() as connection:
        links: dict[int, list[str]] = defaultdict(list)
        for source, *link_of in connection.all(LINKS):
            links[source].append(repr(link_of))
        documents = connection.all("SELECT id, uuid, body FROM document")
    return {uuid: (body, sorted(links[row])) for row, uuid, body in documents}


class Exported(History):
    """A history in which all that changes is noted for the export."""

    def step(self, action: str, *numbers: int) -> None:
        store = self.world.store
        with store.write() as connection:
            connection.run("DELETE FROM export_due")
        before = served(store)
        super().step(action, *numbers)
        after = served(store)
        with store.read() as connection:
            noted = {uuid for (uuid,) in connection.all("SELECT uuid FROM export_due")}
        changed = {uuid for uuid in before.keys() | after.keys() if before.get(uuid) != after.get(uuid)}
        assert changed <= noted, f"{action}: {len(changed - noted)} of {len(changed)} changes are not noted"


@pytest.mark.slow
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(STEPS)
def test_counts_and_notes_are_right_after_any_writes(steps: list[Step]) -> None:
    """Counts of lists and of the status, profiles, indexes and what references name, too: see `History`."""
    with tempfile.TemporaryDirectory() as folder:
        history = Exported(Path(folder))
        with history.world.store.write() as connection:
            pairs.begin(connection, "https://nieuw.example", 0)
        try:
            history.run(steps)
        finally:
            history.close()


# Each changes one document of three: the first refers to the second by 1.
CHANGES: dict[str, Callable[[Session, list[int]], object]] = {
    "a reference comes": lambda to, rows: link(to, [(rows[0], 1, rows[2])]),
    "a reference goes": lambda to, rows: unlink(to, [(rows[0], 1, rows[1])]),
    "a reference moves": lambda to, rows: relink(to, (rows[0], 1, rows[1]), rows[2]),
    "references get an order": lambda to, rows: keep_order(to, rows[0], 1, [rows[1]]),
    "a body changes": lambda to, rows: update(to, {rows[0]: {"body": '{"naam": "x"}'}}),
    "a document goes": lambda to, rows: remove_documents(to, rows[:1]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_is_noted_once_for_the_export(
    store: Store, change: Callable[[Session, list[int]], object]
) -> None:
    with store.write() as connection:
        rows = [insert_one(connection, 5, bytes([number]) * 16, 1, "{}", 1, 1) for number in range(3)]
        link(connection, [(rows[0], 1, rows[1])])
    with store.write() as connection:
        pairs.begin(connection, "https://nieuw.example", 0)
    for version in (1, 2):
        with store.write() as connection:
            change(connection, rows)
        with store.read() as connection:
            noted = connection.all("SELECT uuid, kind, version FROM export_due")
        assert noted == [(bytes(16), 5, 1)], version
        if version == 1:  # undone: nothing is noted of it, and what is the same again is no change
            with pytest.raises(ZeroDivisionError), store.write() as connection:
                update(connection, {rows[0]: {"body": "{}"}})
                raise ZeroDivisionError
            change = _nothing


def test_a_reference_that_moves_to_where_it_is_stays(store: Store) -> None:
    with store.write() as connection:
        rows = [insert_one(connection, 5, bytes([number]) * 16, 1, "{}", 1, 1) for number in range(2)]
        link(connection, [(rows[0], 1, rows[1])])
        relink(connection, (rows[0], 1, rows[1]), rows[1])
        assert connection.all("SELECT source, relation, target FROM link") == [(rows[0], 1, rows[1])]


def _nothing(*_: object) -> None:
    """Changes nothing."""


def test_nothing_is_noted_for_an_export_that_did_not_begin(store: Store) -> None:
    with store.write() as connection:
        row = insert_one(connection, 5, b"u" * 16, 1, "{}", 1, 1)
    with store.write() as connection:
        update(connection, {row: {"body": '{"naam": "x"}'}})
    with store.read() as connection:
        assert connection.one("SELECT count(*) FROM export_due") == (0,)
        assert connection.one("SELECT noting FROM export_state") == (0,)


def test_what_a_transaction_did_is_forgotten_when_it_is_undone(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        insert_one(connection, 5, b"u" * 16, 1, "{}", 1, 1)
        raise ZeroDivisionError
    with store.write() as connection:
        row = insert_one(connection, 5, b"v" * 16, 1, "{}", 1, 1)
        assert spans.count(connection, 5) == 1
        remove_documents(connection, [row])
        assert spans.count(connection, 5) == 0
        insert_one(connection, 5, b"w" * 16, 1, "{}", 1, 1)
    with store.read() as connection:
        assert spans.count(connection, 5) == 1
        assert connection.one("SELECT count(*) FROM profiled") == (1,)
