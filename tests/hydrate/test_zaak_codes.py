"""A zaak under the codes of several applications: each finds the contacts that the legacy gives (M29)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from builders.editor import KLANTCONTACT, Editor, ref
from builders.legacy_objects import SECRET, SETTINGS, klantcontact, uuid_of, zaak
from builders.served_store import Client

from gateway.ingest.ingest import Ingest
from gateway.store.base.store import Store

pytestmark = pytest.mark.slow

KISS = {"codeObjecttype": "zgw-Zaak", "codeRegister": "openzaak", "codeSoortObjectId": "uuid"}
ZAC = {"codeObjecttype": "zaak", "codeRegister": "open-zaak", "codeSoortObjectId": "uuid"}
OTHER = {"codeObjecttype": "formulier", "codeRegister": "open-formulieren", "codeSoortObjectId": "id"}
ABOUT, OF_CONTACT = "onderwerpobjectidentificator", "onderwerpobject__onderwerpobjectidentificator"
ZAAK = uuid_of("zaak", 1)


@pytest.fixture
def editor(store: Store, serve: Callable[..., Client]) -> Editor:
    """A client of a register with one contact from the legacy, about a zaak."""
    ingest = Ingest(store, SETTINGS, SECRET)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "klantcontact", [klantcontact(1)], asked=0)
    return Editor(serve(scope="write"))


def asked(prefix: str, codes: dict[str, str], object_id: str = "") -> str:
    given = codes | ({"objectId": object_id} if object_id else {})
    return urlencode({f"{prefix}{name[0].upper()}{name[1:]}": value for name, value in given.items()})


def found(editor: Editor, codes: dict[str, str], object_id: str = "") -> tuple[list[str], list[str]]:
    """The onderwerpobjecten, and the klantcontacten, that a question with these codes finds."""
    over = editor.get(f"/onderwerpobjecten?{asked(ABOUT, codes, object_id)}")
    contacts = editor.get(f"/klantcontacten?{asked(OF_CONTACT, codes, object_id)}")
    assert over["count"] == len(over["results"])
    return [one["uuid"] for one in over["results"]], [one["uuid"] for one in contacts["results"]]


def parts(codes: dict[str, str]) -> list[dict[str, str]]:
    """These codes, each alone, each two, and all."""
    return [
        {name: codes[name] for name in names}
        for size in (1, 2, 3)
        for names in itertools.combinations(codes, size)
    ]


@pytest.mark.rule("M29")
@pytest.mark.parametrize("object_id", ["", ZAAK])
@pytest.mark.parametrize("codes", [*parts(KISS), *parts(ZAC)], ids=lambda codes: "-".join(codes.values()))
def test_a_contact_of_the_legacy_is_found_by_the_codes_of_each_application(
    editor: Editor, codes: dict[str, str], object_id: str
) -> None:
    over, contacts = found(editor, codes, object_id)
    assert contacts == [uuid_of("klantcontact", 1)]
    shown = editor.get(f"/onderwerpobjecten/{over[0]}")["onderwerpobjectidentificator"]
    assert shown == {"objectId": ZAAK} | KISS


@pytest.mark.rule("M29")
@pytest.mark.parametrize(
    "codes",
    [
        *parts(OTHER),
        {"codeObjecttype": "zaak", "codeRegister": "openzaak"},
        {"codeObjecttype": "zgw-Zaak", "codeRegister": "open-zaak"},
    ],
    ids=lambda codes: "-".join(codes.values()),
)
def test_other_codes_and_a_mix_of_two_find_nothing(editor: Editor, codes: dict[str, str]) -> None:
    assert found(editor, codes) == ([], [])
    assert found(editor, codes, ZAAK) == ([], [])


@pytest.mark.rule("M29")
def test_what_a_client_wrote_keeps_its_own_codes(editor: Editor) -> None:
    other = uuid_of("zaak", 2)
    made: dict[str, Any] = {}
    for name, codes in (("kiss", KISS), ("zac", ZAC)):
        contact = editor.make("klantcontacten", KLANTCONTACT)
        about = {"klantcontact": ref(contact), "wasKlantcontact": None}
        about[ABOUT] = {"objectId": other} | codes
        made[name] = editor.make("onderwerpobjecten", about)
        assert made[name][ABOUT] == {"objectId": other} | codes
    assert found(editor, KISS, other)[0] == [made["kiss"]["uuid"]]
    assert found(editor, ZAC, other)[0] == [made["zac"]["uuid"]]


@pytest.mark.rule("M29")
@pytest.mark.rule("M19")
def test_codes_that_a_client_gave_to_one_of_the_legacy_are_its_codes(editor: Editor) -> None:
    (over,), _ = found(editor, KISS, ZAAK)
    editor.patch("onderwerpobjecten", {"uuid": over}, {ABOUT: {"objectId": ZAAK} | OTHER})
    assert found(editor, OTHER, ZAAK)[0] == [over]
    assert found(editor, KISS, ZAAK) == found(editor, ZAC, ZAAK) == ([], [])


@pytest.mark.rule("M29")
def test_pages_are_counted_and_walked_by_each_pair_of_codes(
    store: Store, serve: Callable[..., Client]
) -> None:
    ingest = Ingest(store, SETTINGS, SECRET)
    ingest.take("bron", "zaak", [zaak()], asked=0)
    ingest.take("bron", "klantcontact", [klantcontact(number) for number in range(1, 8)], asked=0)
    editor = Editor(serve())
    walked = []
    for page in (1, 2, 3):
        got = editor.get(f"/klantcontacten?{asked(OF_CONTACT, ZAC, ZAAK)}&pageSize=3&page={page}")
        assert got["count"] == 7
        walked += [one["uuid"] for one in got["results"]]
    assert sorted(walked) == [uuid_of("klantcontact", number) for number in range(1, 8)]
