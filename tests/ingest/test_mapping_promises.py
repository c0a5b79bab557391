"""What the mapping promises of any legacy object at all: nothing lost without a word, nothing that we would refuse.

Source: M2, M3; the objects are made from the schemas of what a Zaken API sends, with the ugliest values known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from builders.legacy_objects import (
    BSN,
    KVK,
    NO_BSN,
    RSIN,
    SECRET,
    SETTINGS,
    VESTIGING,
    klantcontact,
    rol,
    uuid_of,
    zaak,
)
from builders.stores import make_store
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.ingest.ingest import Ingest
from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.inspect.dump import dump_lines
from mappings.incoming import zaken
from mappings.incoming.given_fields import GivenText, GivenTexts
from mappings.klantinteracties import check, load
from mappings.values.landen import land_van_code, landcode

pytestmark = pytest.mark.slow

# What tells which object it is and of what sort, and is no value that anybody would look for.
STRUCTURE = {
    *("url", "uuid", "zaak", "roltype", "registratiedatum", "betrokkeneType", "omschrijvingGeneriek"),
    *("indicatieMachtiging", "betrokkene"),
}
UGLY = [
    *("", " ", "\t", "-", ".", "0", "x"),
    *("Voorbeeld", "van der Voorbeeld", "von und zu der Lange Voorvoegsel", "A.B.C.D.E.F.G."),
    *(
        "\u202eachterstevoren",
        "e\u0301e\u0301n",
        "\U0001f600 vier bytes",
        "\u05d0\u05d1\u05d2",
        "\u00ad\u200bzacht",
    ),
    *("woord " * 60, "aaneen" * 60, "regel een\nregel twee", "'; DROP TABLE partij; --", "<b>vet</b>"),
    *(
        "1234AB",
        "0000 AA",
        "9999ZZ",
        "99999",
        "100000",
        "-1",
        "1a",
        "0612345678",
        "+31612345678",
        "0900-1234",
    ),
    *("(0)20 123 45 67", "a@voorbeeld.nl", "A@VOORBEELD.NL", "geen@adres", "a@" + "b" * 90 + ".nl"),
    *("5022", "6014", "9999", "Marokko", "Bondsrepubliek Duitsland", "Nergensland"),
    *("0599010000000001", "059901000000000", "2024", "2024-02", "20240230", "1010101025"),
    *(BSN[0], BSN[1], NO_BSN, RSIN[0], KVK[0], VESTIGING[0], BSN[0][1:]),
]
TEXTS = st.one_of(st.just(""), st.sampled_from(UGLY), st.text(st.characters(codec="utf-8"), max_size=30))
SOORTEN = (
    "natuurlijk_persoon",
    "niet_natuurlijk_persoon",
    "vestiging",
    "medewerker",
    "organisatorische_eenheid",
)
GENERIEK = st.sampled_from(["initiator", "belanghebbende", "behandelaar", "klantcontacter", ""])
CAREFUL = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def of_schema(schema: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of a schema of `mappings.incoming.zaken`, each field blank or as ugly as it comes."""
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for name, item in schema.load_fields.items():
        inner = getattr(item, "_inner", None)
        if inner is not None:
            parts[item.data_key or name] = st.none() | of_schema(inner)
        elif isinstance(item, GivenTexts):
            parts[item.data_key or name] = st.lists(TEXTS, max_size=3)
        elif isinstance(item, GivenText):
            parts[item.data_key or name] = TEXTS
    return st.fixed_dictionaries({}, optional=parts)


def rollen(number: int) -> st.SearchStrategy[dict[str, Any]]:
    """A rol of any soort."""

    def of_soort(soort: str) -> st.SearchStrategy[dict[str, Any]]:
        fixed = {"betrokkeneType": st.just(soort), "omschrijvingGeneriek": GENERIEK}
        machtiging = {"indicatieMachtiging": st.sampled_from(["", "gemachtigde", "machtiginggever"])}
        given_fields = of_schema(zaken._ROLLEN[soort]).map(
            lambda found: {name: value for name, value in found.items() if name not in STRUCTURE}
        )
        return st.builds(
            lambda fields, own: rol(number) | fields | own,
            given_fields,
            st.fixed_dictionaries(fixed | machtiging),
        )

    return st.sampled_from(SOORTEN).flatmap(of_soort)


CONTACTEN = of_schema(zaken._KLANTCONTACT).map(
    lambda found: (
        klantcontact(1)
        | {name: value for name, value in found.items() if name not in STRUCTURE | {"datumtijd"}}
    )
)


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    store = make_store(tmp_path_factory.mktemp("promises") / "store.sqlite")
    yield Ingest(store, SETTINGS, SECRET)
    store.close()


class Taken:
    """What became of some legacy objects, after which they are removed again."""

    def __init__(
        self, ingest: Ingest, rollen: list[dict[str, Any]], contact: dict[str, Any] | None = None
    ) -> None:
        ingest.take("bron", "zaak", [zaak(1)], asked=0)
        ingest.take("bron", "rol", rollen, asked=0)
        ingest.take("bron", "klantcontact", [contact] if contact else [], asked=0)
        lines = [orjson.loads(line) for line in dump_lines(ingest.store)]
        ingest.remove("bron", "zaak", [UUID(uuid_of("zaak", 1))])
        self.documents = [line for line in lines if line["t"] == "document"]
        self.findings = [line for line in lines if line["t"] == "finding"]
        self.quarantined = {line["uuid"] for line in lines if line["t"] == "quarantine"}
        self.links = [line for line in lines if line["t"] == "link"]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number in an object, with its path; items of a list have the path of the list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if path or name not in STRUCTURE:
                yield from leaves(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield path, str(value)


def plain(text: str) -> str:
    """Letters and digits only, without regard to case: what a value is, however it was written."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def words(text: str) -> set[str]:
    return {found for word in text.split() if (found := plain(word))}


def lost(taken: Taken, raw: dict[str, Any]) -> list[str]:
    """The paths of values that stand in no document and in no finding."""
    # Word by word: a value may be split over the lines of an address, and its numbers padded.
    there = plain(orjson.dumps([line["body"] for line in taken.documents]).decode())
    lands = set(
        re.findall(r'"land":"(..)"', orjson.dumps([line["body"] for line in taken.documents]).decode())
    )
    told = {line["field"] for line in taken.findings if line.get("uuid") in (raw["uuid"], None)}
    missing = []
    for path, text in leaves(raw):
        named = any(path == field or path.startswith(f"{field}.") for field in told)
        land = _land(path, text)
        if not named and (land not in lands if land else any(word not in there for word in words(text))):
            missing.append(path)
    return missing


def _land(path: str, text: str) -> str | None:
    """The country that a name or code of one stands for (M15): an address has only its ISO code."""
    match path.rpartition(".")[2]:
        case "lndLandcode":
            return land_van_code(text.strip())
        case "lndLandnaam":
            return landcode(text.strip(), "")
    return None


def _abroad(**fields: str) -> dict[str, Any]:
    return rol(1) | {
        "betrokkeneType": "natuurlijk_persoon",
        "betrokkeneIdentificatie": {"subVerblijfBuitenland": fields},
    }


@pytest.mark.rule("M2")
@CAREFUL
@given(rollen(1), CONTACTEN)
@example(_abroad(lndLandcode="5022"), klantcontact(1))
@example(_abroad(lndLandnaam="Marokko"), klantcontact(1))
@example(_abroad(lndLandnaam="Marokko", lndLandcode="6029"), klantcontact(1))
def test_no_value_is_lost_without_a_finding(
    ingest: Ingest, raw: dict[str, Any], contact: dict[str, Any]
) -> None:
    taken = Taken(ingest, [raw], contact)
    for one in (raw, contact):
        if one["uuid"] not in taken.quarantined:
            assert lost(taken, one) == []


@pytest.mark.rule("M1")
@CAREFUL
@given(
    st.lists(st.integers(1, 3), min_size=3, max_size=3, unique=True).flatmap(
        lambda order: st.tuples(*map(rollen, order))
    )
)
def test_every_document_is_one_that_we_would_take_from_a_client(
    ingest: Ingest, raws: tuple[dict[str, Any], ...]
) -> None:
    """Of what the API asks, only a vestigingsnummer may lack the KVK number above it (M17)."""
    taken = Taken(ingest, list(raws), klantcontact(1))
    for line in taken.documents:
        body = as_client(line, taken.links)
        given_fields = load(line["kind"], body, partial=False, stored=line["body"])
        wrong = check(line["kind"], {**line["body"], **given_fields}, given_fields, creating=False)
        assert [param for param in wrong if param.name != "subIdentificatorVan"] == [], line["kind"]


def as_client(line: dict[str, Any], links: list[dict[str, Any]]) -> dict[str, Any]:
    """A document as a client would PUT it."""
    body = dict(line["body"])
    targets: dict[str, list[str]] = {}
    for link in links:
        if link["source"] == line["uuid"]:
            targets.setdefault(link["kind"], []).append(link["target"])
    for item in BY_KIND[line["kind"]].fields:
        match item:
            case declared.DocumentReference() | declared.References(first=True):
                found = [{"uuid": uuid} for uuid in targets.get(item.relation, [])]
                body[item.name] = next(iter(found), None)
            case declared.References():
                body[item.name] = [{"uuid": uuid} for uuid in targets.get(item.relation, [])]
            case declared.Listing(writes=declared.Writes.TAKES_OVER):
                body[item.name] = []
            case declared.Inside(reference=inner) if body.get(item.name):
                found = [{"uuid": uuid} for uuid in targets.get(inner.relation, [])]
                body[item.name] = {**body[item.name], inner.name: next(iter(found), None)}
    return body


def test_what_is_lost_is_noticed(ingest: Ingest) -> None:
    raw = rol(1, {"inpBsn": BSN[0], "geslachtsnaam": "Voorbeeld"})
    taken = Taken(ingest, [raw])
    assert lost(taken, raw) == []
    assert lost(taken, raw | {"roltoelichting": str(uuid4())}) == ["roltoelichting"]
