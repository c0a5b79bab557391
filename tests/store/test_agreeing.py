"""`klantbrug check --deep` finds what is kept beside the documents and does not agree with them."""

from __future__ import annotations

import pytest
from builders.commands import command
from builders.sample_data import small

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.store.inspect.agreeing import disagreements


@pytest.fixture
def data() -> Dataset:
    """What the source has: little."""
    return small(every=40)


def told(installation: Installation) -> list[str]:
    with installation.store.read() as session:
        return disagreements(session)


def test_a_store_that_was_filled_agrees(filled: Installation) -> None:
    assert told(filled) == []
    done = command(filled, "check", "--deep")
    assert "nagekeken" in done.output
    assert "klopt niet" not in done.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM field_value WHERE document = (SELECT max(document) FROM field_value)", "te weinig"),
        ("INSERT INTO field_value VALUES (1, 'iets anders', 1)", "field_value: 1 te veel"),
        ("INSERT INTO field_value VALUES (1, 'van niemand', 999999)", "field_value: 1 te veel"),
        ("UPDATE field_value SET value = 'anders' WHERE document = (SELECT max(document) FROM field_value)", "te veel"),
        ("UPDATE row_id SET last = 1 WHERE name = 'raw'", "row_id: raw"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_told(filled: Installation, change: str, said: str) -> None:
    with filled.store.write() as session:
        assert session.run(change) >= 1
    assert said in "; ".join(told(filled))
    done = command(filled, "check", "--deep")
    assert done.exit_code == 1
    assert said in done.output
    if "field_value" in change:
        assert command(filled, "rebuild").exit_code == 0
        assert told(filled) == []
