"""One bad byte costs one object, not a page, a job or a source (M2, M3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from builders.asker import Asker
from builders.configs import read_config, write_config
from builders.following import backfilled, hurry, run
from builders.probe.probe import Probe
from builders.quarantine import quarantined
from builders.sample_data import new_rol, small
from builders.store_digest import dump_digest
from hypothesis import given
from hypothesis import strategies as st

from gateway.base.clock import now
from gateway.installation import Installation, open_installation
from gateway.legacy.client import lenient_parser
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.dump import dump_lines
from gateway.store.operation import inbox
from jobs.follow.inbox import process_inbox
from jobs.follow.sweep import sweep
from jobs.follow.sync import sync
from jobs.verify.verify import Verify
from mappings.incoming.unreadable import MARK, Unreadable, reason_in

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
PLACE = "betrokkeneIdentificatie.geslachtsnaam"
NAME = "Bedorven Voorbeeld"
# What comes instead of the name, and why it can't be read.
FAULTS = {
    "surrogate": (b"Kapotte \\ud83d", f"{PLACE} (half teken)"),
    "byte": (b"Kapotte \xff", f"{PLACE} (byte die geen UTF-8 is)"),
    "latin-1": (b"Kapotte Zo\xeb", f"{PLACE} (byte die geen UTF-8 is)"),
    "control": (b"Kapotte \x01\n", f"{PLACE} (stuurteken)"),
    "number": (
        b'Kapotte","waarde":NaN,"einde":"',
        "betrokkeneIdentificatie.waarde (getal dat geen getal is)",
    ),
    "infinity": (
        b'Kapotte","waarde":-1e999,"einde":"',
        "betrokkeneIdentificatie.waarde (getal dat geen getal is)",
    ),
    "bytes of a surrogate": (b"Kapotte \xed\xa0\xbd", f"{PLACE} (byte die geen UTF-8 is)"),
    "name": (b'Kapotte","\\ud83d":"', "betrokkeneIdentificatie (half teken)"),
    "twice": (b'Kapotte","geslachtsnaam":"Anders', "betrokkeneIdentificatie (dubbele naam)"),
    "deep": (b'Kapotte","diep":' + b"[" * 500 + b"]" * 500 + b',"einde":"', "te diep genest"),
    "deeper": (b'Kapotte","diep":' + b"[" * 99999 + b"]" * 99999 + b',"einde":"', "geen geldige JSON"),
    "quote": (b'Kap"otte', "geen geldige JSON"),
    "backslash": (b"Kapotte \\", "geen geldige JSON"),
    "escape": (b"Kapotte \\x", "geen geldige JSON"),
}
# A source with sizes of pages, one without, and one in the form of HAL.
SOURCES = {
    "open zaak": {},
    "1.5": {"version": "1.5.1", "open_zaak": False},
    "hal": {"version": "1.2", "open_zaak": False, "hal": True},
}


@pytest.fixture
def data() -> Dataset:
    return small(12)


def a_person(data: Dataset, number: int = 0) -> dict[str, Any]:
    """A rol of somebody with a BSN, whose name is one that a trap can find."""
    found = [rol for rol in data.objects("rol") if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")][
        40 + number
    ]
    person = found["betrokkeneIdentificatie"] | {"geslachtsnaam": NAME}
    return data.replace("rol", found["uuid"], found | {"betrokkeneIdentificatie": person})


def spoil(server: SampleServer, fault: str) -> None:
    server.traps.spoil = {NAME.encode(): FAULTS[fault][0]}


@pytest.fixture(scope="module", params=SOURCES)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SampleServer, str, str]]:
    """A source, the uuid of the rol in it that can be spoiled, and the dump of a backfill while it is not."""
    made = small(12)
    rol = a_person(made)
    with SampleServer(made, **SOURCES[request.param]) as server:
        config = write_config(tmp_path_factory.mktemp("whole"), {"bron": server})
        yield server, rol["uuid"], dump_digest(backfilled(open_installation(read_config(config))).store)


@pytest.mark.rule("M3")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_backfill_takes_everything_but_the_one_object(
    whole: tuple[SampleServer, str, str], install: Install, fault: str
) -> None:
    server, rol, unspoiled = whole
    data = server.dataset
    spoil(server, fault)
    installation = backfilled(install(bron=server))
    assert quarantined(installation) == [("rol", rol, f"niet te lezen: {FAULTS[fault][1]}")]
    everything = {each["uuid"] for kind in ("zaak", "rol", "klantcontact") for each in data.objects(kind)}
    assert set(Probe(installation.store).raw_uuids()) >= everything
    assert not any(b"Kapotte" in line for line in dump_lines(installation.store) if b'"raw"' not in line)
    server.traps.spoil = {}
    backfilled(installation)
    assert quarantined(installation) == []
    assert dump_digest(installation.store) == unspoiled


@pytest.mark.rule("M3")
@pytest.mark.parametrize("fault", ["surrogate", "quote"])
@pytest.mark.parametrize("kind", ["zaak", "klantcontact", "zaakcontactmoment"])
def test_so_it_is_with_every_kind(data: Dataset, install: Install, fault: str, kind: str) -> None:
    each = data.objects(kind)[3]
    field = {"zaak": "omschrijving", "klantcontact": "onderwerp", "zaakcontactmoment": "contactmoment"}[kind]
    data.replace(kind, each["uuid"], each | {field: NAME})
    with SampleServer(data) as server:
        spoil(server, fault)
        installation = backfilled(install(bron=server))
        assert [found[:2] for found in quarantined(installation)] == [(kind, each["uuid"])]


def test_a_name_that_stands_twice_with_the_same_value_is_no_fault(data: Dataset, install: Install) -> None:
    a_person(data)
    with SampleServer(data) as server:
        server.traps.spoil = {NAME.encode(): b'Echt","geslachtsnaam":"Echt'}
        assert not quarantined(backfilled(install(bron=server)))


@pytest.mark.rule("M3")
@pytest.mark.parametrize("fault", ["byte", "quote"])
def test_two_bad_objects_next_to_each_other(data: Dataset, install: Install, fault: str) -> None:
    rollen = [each["uuid"] for each in data.objects("rol")[30:32]]
    for uuid in rollen:
        data.replace("rol", uuid, data.get("rol", uuid) | {"roltoelichting": NAME})
    with SampleServer(data, version="1.5.1", open_zaak=False) as server:
        spoil(server, fault)
        assert {found[1] for found in quarantined(backfilled(install(bron=server)))} == {*rollen}


def sync_once(installation: Installation, uuid: str) -> None:
    run(installation, sync)


def sweep_once(installation: Installation, uuid: str) -> None:
    hurry(installation)
    run(installation, sweep)


def notified(installation: Installation, uuid: str) -> None:
    with installation.store.write() as connection:
        inbox.put(connection, installation.fetchers["bron"].source, "rol", UUID(uuid).bytes, None, now())
    assert run(installation, process_inbox)["done"] == 1


def verified(installation: Installation, uuid: str) -> None:
    Verify(installation.fetchers["bron"], repair=True).run()


@pytest.mark.rule("M3")
@pytest.mark.parametrize("fault", ["surrogate", "quote"])
@pytest.mark.parametrize("job", [sync_once, sweep_once, notified, verified])
def test_jobs_go_on_and_see_it_mended(
    data: Dataset, install: Install, job: Callable[[Installation, str], None], fault: str
) -> None:
    with SampleServer(data) as server:
        installation = backfilled(install(bron=server))
        rol = new_rol(data, 1)
        person = (rol["betrokkeneIdentificatie"] or {}) | {"geslachtsnaam": NAME}
        data.replace("rol", rol["uuid"], rol | {"betrokkeneIdentificatie": person})
        other = new_rol(data, 2)
        spoil(server, fault)
        job(installation, rol["uuid"])
        assert [found[:2] for found in quarantined(installation)] == [("rol", rol["uuid"])]
        assert job is notified or other["uuid"] in set(Probe(installation.store).raw_uuids())
        server.traps.spoil = {}
        job(installation, rol["uuid"])
        assert quarantined(installation) == []
        assert not Verify(installation.fetchers["bron"]).run()["kinds"]["rol"]["different"]


@pytest.mark.rule("M3")
@pytest.mark.parametrize("source", ["open zaak", "1.5", "1.7"])
@pytest.mark.parametrize("fault", ["surrogate", "latin-1", "quote"])
def test_a_question_is_answered_with_all_that_can_be_read(
    data: Dataset, install: Install, fault: str, source: str
) -> None:
    """Also where rollen come within their zaken: it is the rol that can't be read, not the zaak.

    To who wants half an answer: else it is refused, for of whom it is about there may be more. What is no JSON at all
    may be about anybody, so nobody is refused for it.
    """
    rol = a_person(data)
    good = new_rol(data, 3)
    zaak = data.objects("zaak")[5]["url"]
    data.replace(
        "rol",
        good["uuid"],
        rol
        | {"uuid": good["uuid"], "url": good["url"], "zaak": zaak}
        | {"betrokkeneIdentificatie": rol["betrokkeneIdentificatie"] | {"geslachtsnaam": "Leesbaar"}},
    )
    options = {"1.7": {"version": "1.7", "open_zaak": False}, **SOURCES}[source]
    with SampleServer(data, **options) as server:
        spoil(server, fault)
        installation = install(bron=server, partial="answer")
        bsn = rol["betrokkeneIdentificatie"]["inpBsn"]
        asked = {"partijIdentificator__objectId": bsn, "partijIdentificator__codeSoortObjectId": "bsn"}
        refused = Asker(install(bron=server)).get("partijen", **asked)
        assert refused.status_code == (200 if fault == "quote" else 503)
        assert refused.headers["Klantbrug-Coverage"] == "partial; reason=quarantaine"
        answer = Asker(installation).get("partijen", **asked)
        assert (answer.status_code, answer.headers["Klantbrug-Coverage"]) == (
            200,
            "partial; reason=quarantaine",
        )
        (partij,) = answer.json["results"]
        assert partij["partijIdentificatie"]["contactnaam"]["achternaam"] == "Leesbaar"
        assert [found[:2] for found in quarantined(installation)] == [("rol", rol["uuid"])]


@pytest.mark.rule("M3")
def test_an_unreadable_object_stays_so_when_it_is_translated_again(data: Dataset, install: Install) -> None:
    """What was read leniently is marked where it is kept, so no retry takes it for good."""
    rol = a_person(data)
    with SampleServer(data) as server:
        spoil(server, "latin-1")
        installation = backfilled(install(bron=server))
        assert installation.ingest.retry("bron", "rol", [UUID(rol["uuid"])]).quarantined == 1
        assert len(quarantined(installation)) == 1


def test_a_byte_order_mark_changes_nothing(data: Dataset, install: Install) -> None:
    with SampleServer(data) as server:
        clean = dump_digest(backfilled(install(bron=server)).store)
        server.traps.spoil = {b'{"count"': b'\xef\xbb\xbf{"count"'}
        marked = backfilled(install(bron=server))
        assert quarantined(marked) == []
        assert dump_digest(marked.store) == clean


def test_json_that_is_cut_off_is_asked_again(data: Dataset, install: Install) -> None:
    """Also where it ends behind a bracket: what is not there can't be read, however leniently."""
    with SampleServer(data) as server:
        clean = dump_digest(backfilled(install(bron=server)).store)
        inner, cut = server.app.wsgi_app, iter(range(1000))

        def short(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            def answered(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                kept = [pair for pair in headers if pair[0].lower() != "content-length"]
                return start(status, kept, *more)

            odd = next(cut) % 2 and "/rollen" in environ["PATH_INFO"]
            body = b"".join(inner(environ, answered if odd else start))
            return [body[: body.rindex(b"}", 0, -2) + 1] if odd and body.count(b"}") > 2 else body]

        server.app.wsgi_app = short  # type: ignore[method-assign]
        installation = backfilled(install(bron=server))
        assert quarantined(installation) == []
        assert dump_digest(installation.store) == clean


def test_an_object_that_is_nested_too_deep_to_be_kept_goes_to_quarantine(
    data: Dataset, install: Install
) -> None:
    rol = a_person(data)
    with SampleServer(data) as server:
        deep = b'","diep":' + b"[" * 300 + b"]" * 300 + b',"einde":"'
        server.traps.spoil = {NAME.encode(): deep}
        found = quarantined(backfilled(install(bron=server)))
        assert found == [("rol", rol["uuid"], "niet te lezen: te diep genest")]


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts.filter(lambda name: name not in (MARK, "_expand")), values, max_size=5))
def test_what_is_good_is_read_leniently_as_it_is_read_strictly(raw: dict[str, Any]) -> None:
    content = orjson.dumps(raw)
    found = lenient_parser.read(content)
    assert found is not None and found.text is None
    assert orjson.dumps(lenient_parser.marked(found.body)) == orjson.dumps(orjson.loads(content))


@given(values, st.sampled_from([b"\\ud83d", b"\\udc00x", b"\xff", b"\xe9", b"\x00", b"\x1f", b"\n"]))
def test_what_is_not_good_is_never_taken_for_good(value: Any, bad: bytes) -> None:
    content = b'{"goed":' + orjson.dumps(value) + b',"slecht":"' + bad + b'"}'
    found = lenient_parser.read(content)
    assert found is not None
    made = lenient_parser.marked(found.body)
    assert set(made[MARK]) == {"slecht"}
    assert reason_in(made)
    assert orjson.loads(orjson.dumps(made)) == made
    assert made["goed"] == orjson.loads(orjson.dumps(value))


@given(st.lists(values, min_size=1, max_size=5), st.data())
def test_a_broken_list_gives_every_object_but_the_broken_ones(bodies: list[Any], draw: Any) -> None:
    objects = [
        {"url": f"https://z.example/rollen/00000000-0000-4000-8000-{number:012d}", "waarde": body}
        for number, body in enumerate(bodies)
    ]
    bad = draw.draw(st.integers(0, len(objects) - 1))
    texts_of = [json.dumps(each) for each in objects]
    texts_of[bad] = texts_of[bad][:-1] + ', "kapot": "P"2"}'
    text = '{"count": 3, "next": null, "results": [' + ", ".join(texts_of) + "]}"
    assert lenient_parser.read(text.encode()) == lenient_parser.ParsedBody(text=text)
    found = list(lenient_parser.split(text, "rollen"))
    uuids = [each.uuid if isinstance(each, lenient_parser.Broken) else each["url"][-36:] for each in found]
    assert uuids == [each["url"][-36:] for each in objects]
    assert [each for number, each in enumerate(found) if number != bad] == [
        each for number, each in enumerate(objects) if number != bad
    ]


def test_a_mark_that_a_source_makes_up_tells_nothing() -> None:
    assert (
        reason_in({MARK: {"900000004": Unreadable.BYTE, "naam": "Jansen"}})
        == "niet te lezen: ? (byte die geen UTF-8 is)"
    )
    assert reason_in({MARK: "Jansen"}) == "niet te lezen: onbekend"
