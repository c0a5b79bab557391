"""Everything to an empty register, once."""

from __future__ import annotations

import pytest
from builders.old_home import OldHome
from builders.other_register import OtherRegister

from gateway.store.base.kinds import KINDS
from gateway.store.export import documents


@pytest.mark.rule("E1")
def test_everything_goes_and_a_second_run_sends_nothing(home: OldHome, register: OtherRegister) -> None:
    home.fill(12)
    outcome = home.export(register.settings())
    assert (outcome.stopped, outcome.waiting, outcome.counts.get("parked", 0)) == ("", 0, 0)
    with home.store.read() as connection:
        ours = sorted(documents.count(connection, kind) for kind in KINDS)
    assert sorted(register.counts().values()) == ours
    report = home.verify(register.settings())
    assert report["clean"], report["details"]
    register.traps.asked.clear()
    again = home.export(register.settings())
    assert again.counts.get("sent", 0) == 0
    assert {method for method, _ in register.traps.asked} <= {"GET"}
