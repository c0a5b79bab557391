"""Which uuid is which, and a register that has ours."""

from __future__ import annotations

import pytest
from builders.editor import ref
from builders.old_home import OldHome
from builders.other_register import OtherRegister
from builders.probe.copied import add_uuid, copy_documents

from gateway.operator.export import mapping


@pytest.mark.slow
@pytest.mark.rule("E2")
def test_every_uuid_of_here_leads_to_the_same_object_there(home: OldHome, register: OtherRegister) -> None:
    home.fill(6)
    home.export(register.settings())
    rows = list(mapping.rows(home.store))
    ours = {shown["uuid"]: shown for shown in home.client.send("GET", "partijen?pageSize=500")["results"]}
    theirs = {shown["uuid"]: shown for shown in register.all("partijen")}
    of_partijen = [(own, other) for resource, own, other, _ in rows if resource == "partijen"]
    assert len(of_partijen) == len(ours) == len(theirs)
    for own, other in of_partijen:
        assert own != other
        assert ours[own]["partijIdentificatie"].get("naam") == theirs[other]["partijIdentificatie"].get(
            "naam"
        )
        assert ours[own]["bezoekadres"] == theirs[other]["bezoekadres"]
    assert len(rows) == sum(register.counts().values())
    assert {how for *_, how in rows} == {"sent"}


@pytest.mark.rule("E2")
def test_an_earlier_uuid_of_a_document_leads_there_too(home: OldHome, register: OtherRegister) -> None:
    home.fill(2)
    partij = home.client.send("GET", "partijen")["results"][0]
    other = "00000000-0000-8000-8000-000000000001"
    add_uuid(home.store, partij["uuid"], other)
    home.export(register.settings())
    found = {own: (there, how) for _, own, there, how in mapping.rows(home.store)}
    assert found[other] == (found[partij["uuid"]][0], "alias")


@pytest.mark.slow
@pytest.mark.rule("E9")
def test_a_register_that_was_filled_with_our_uuids_gets_nothing_twice(
    home: OldHome, register: OtherRegister
) -> None:
    home.fill(6)
    # As loaddata leaves it: the same documents under the same uuids.
    copy_documents(home.store.path, register.store)
    late = home.client.make("klantcontacten", _contact())
    outcome = home.export(register.settings())
    assert outcome.counts["sent"] == 1
    report = home.verify(register.settings())
    assert report["clean"], report["details"]
    assert not any(report["others"].values())
    found = {own: there for _, own, there, _ in mapping.rows(home.store)}
    assert {own for own, there in found.items() if own != there} == {late["uuid"]}
    assert ref(late)


def _contact() -> dict[str, object]:
    return {"kanaal": "balie", "onderwerp": "Later", "taal": "nld", "vertrouwelijk": False}
