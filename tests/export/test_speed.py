"""Bound by the register: the export asks it nothing that it need not; the measurement measures what it says."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from builders.old_home import OldHome
from builders.other_register import OtherRegister
from builders.stores import make_store

from bench import export
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.operator.export import fixture


@pytest.mark.slow
@pytest.mark.rule("E12")
def test_an_empty_register_is_sent_each_object_and_asked_hardly_anything(
    home: OldHome, register: OtherRegister
) -> None:
    home.fill(10)
    outcome = home.export(register.settings())
    made, posts = sum(register.counts().values()), register.traps.count("POST")
    numbers = len(register.all("partij-identificatoren"))
    # What goes along with its partij costs no request.
    assert made - numbers <= posts == outcome.counts["sent"] < made
    asked = sum(
        1 for method, path in register.traps.asked if method == "GET" and path.startswith(("actoren", "cate"))
    )
    looked_first = len(register.all("actoren")) + len(register.all("categorieen"))
    assert asked <= looked_first + 3 * len(RESOURCES)


@pytest.mark.rule("E12")
def test_the_measurement_posts_what_the_export_sends(tmp_path: Path) -> None:
    store = make_store(tmp_path / "old.db")
    export.fill(store, 1100)
    bodies = [orjson.loads(body) for body in export.bodies(store)]
    assert len(bodies) == 1100
    assert {body["soortPartij"] for body in bodies} == {"persoon"}
    counts = fixture.write(store, tmp_path / "files", 1, lambda what, done, total: None)
    assert counts["partij"] == counts["persoon"] == 1100
