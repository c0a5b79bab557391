"""What a question gets before and after the backfill and with the source away: the table of docs/operation.md.

Each cell is asked over HTTP. The table here and the one that operators read are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from builders.client_bodies import BSN, KLANTCONTACT, PERSOON, a_contact, a_medewerker, actor, bsn
from builders.editor import ref
from builders.paths import ROOT
from builders.sample_data import sample_slice, some_zaken
from builders.set_clock import SetClock
from builders.talker import Said, Talker, talking

from gateway.installation import Installation
from gateway.sample.server import SampleServer
from jobs.backfill.backfill import Backfill

OPERATION = ROOT / "docs" / "operation.md"
TITLE = "## Welke vraag wanneer antwoord krijgt"
Install = Callable[..., Installation]

# The words of a cell: which statuses, coverages and freshnesses an answer then has (none: whatever it says).
WHOLE, PART, HELD, DONE = "volledig", "deels", "wat er is", "gelukt"
LATER, AWAY, ABSENT, NO_ROW = "503", "502", "404", "-"
CELLS: dict[str, tuple[set[int], set[str], set[str]]] = {
    WHOLE: ({200}, {"complete"}, {"live", "fresh", "local"}),
    PART: ({200}, {"partial"}, set()),
    HELD: ({200}, set(), {"stale"}),
    DONE: ({201}, set(), set()),
    LATER: ({503}, {"partial"}, set()),
    AWAY: ({502, 504}, {"partial"}, {"stale"}),
    ABSENT: ({404}, {"complete"}, set()),
}
NUMBER = "partijIdentificator__"
OF_PARTIJ = "verstrektDoorPartij__partijIdentificator__"
ZAAK = "onderwerpobjectidentificatorObjectId"
THREE = "leiddeTotInterneTaken,gingOverOnderwerpobjecten,hadBetrokkenen"


@dataclass
class World:
    """Values of the source, to ask for."""

    bsn: str
    number: dict[str, str]  # soort and a number of it that a legacy partij has
    partij: str
    identificator: str
    contact: str
    zaak: str
    medewerker: str
    adres: str
    actor: str


def path(of: str, **query: str) -> str:
    return f"{of}?{urlencode(query)}" if query else of


def numbered(world: World, start: str = NUMBER) -> Iterator[dict[str, str]]:
    for soort, number in world.number.items():
        yield {f"{start}codeSoortObjectId": soort, f"{start}objectId": number}


def four_codes(world: World) -> dict[str, str]:
    return {f"{OF_PARTIJ}{code}": text for code, text in bsn(world.bsn).items()}


def by_bsn(world: World) -> str:
    return path("partijen", **{f"{NUMBER}codeSoortObjectId": "bsn", f"{NUMBER}objectId": world.bsn})


@dataclass(frozen=True)
class Row:
    """A question with its cells: before the backfill, after it, and before it with the source away.

    `asks` gives paths, or a method, a path and a body; `known` paths that were asked before it where something is held.
    """

    words: str
    before: str
    after: str
    away_held: str
    away_not_held: str
    asks: Callable[[World], list[Any]]
    known: Callable[[World], list[str]] = field(default=lambda world: [])
    config: dict[str, str] = field(default_factory=dict)


def identificators(world: World) -> list[str]:
    return [
        path(
            "partij-identificatoren",
            partijIdentificatorCodeSoortObjectId=soort,
            partijIdentificatorObjectId=number,
        )
        for soort, number in world.number.items()
    ]


def partijen_of(world: World) -> list[str]:
    return [path("partijen", expand="digitaleAdressen", **query) for query in numbered(world)]


def is_known(world: World) -> list[str]:
    return [by_bsn(world)]


TABLE = [
    Row("partijen op BSN, RSIN, KVK-nummer of vestigingsnummer", WHOLE, WHOLE, HELD, AWAY, partijen_of),
    Row("partij-identificatoren op nummer", WHOLE, WHOLE, HELD, AWAY, identificators),
    Row(
        "digitaleadressen op de vier codes van een partij", WHOLE, WHOLE, HELD, AWAY,
        lambda world: [path("digitaleadressen", **four_codes(world))],
    ),
    Row(
        "een partij op uuid (bewaard: eerder gevraagd)", WHOLE, WHOLE, HELD, LATER,
        lambda world: [path(f"partijen/{world.partij}", expand="digitaleAdressen")], is_known,
    ),
    Row(
        "een partij-identificator op uuid", WHOLE, WHOLE, HELD, LATER,
        lambda world: [f"partij-identificatoren/{world.identificator}"], is_known,
    ),
    Row(
        "betrokkenen en klantcontacten van een partij op uuid of url", WHOLE, WHOLE, HELD, LATER,
        lambda world: [
            path("betrokkenen", wasPartij__url=f"http://hier/partijen/{world.partij}", pageSize="100"),
            path("betrokkenen", wasPartij__uuid=world.partij),
            path("klantcontacten", hadBetrokkene__wasPartij__uuid=world.partij),
            path("klantcontacten", hadBetrokkene__wasPartij__url=f"http://hier/partijen/{world.partij}"),
        ],
        is_known,
    ),
    Row(
        "vertegenwoordigingen van wie een partij vertegenwoordigt", WHOLE, WHOLE, HELD, LATER,
        lambda world: [path("vertegenwoordigingen", vertegenwoordigendePartij__uuid=world.partij)], is_known,
    ),
    Row(
        "vertegenwoordigingen van wie een partij vertegenwoordigd wordt", LATER, WHOLE, LATER, LATER,
        lambda world: [path("vertegenwoordigingen", vertegenwoordigdePartij__uuid=world.partij)], is_known,
    ),
    Row(
        "een onbekende uuid van een partij uit de bron", LATER, ABSENT, LATER, LATER,
        lambda world: ["partijen/00000000-0000-8000-8000-000000000000"],
    ),
    Row(
        "een klantcontact op uuid, met expand", WHOLE, WHOLE, HELD, AWAY,
        lambda world: [path(f"klantcontacten/{world.contact}", expand=THREE)],
    ),
    Row(
        "klantcontacten en onderwerpobjecten van een zaak", WHOLE, WHOLE, HELD, AWAY,
        lambda world: [
            path("klantcontacten", **{f"onderwerpobject__{ZAAK}": world.zaak}),
            path("onderwerpobjecten", **{ZAAK: world.zaak}),
        ],
    ),
    Row(
        "actorklantcontacten van een klantcontact", WHOLE, WHOLE, HELD, AWAY,
        lambda world: [path("actorklantcontacten", klantcontact__uuid=world.contact)],
    ),
    Row(
        "actoren op identificator", WHOLE, WHOLE, HELD, AWAY,
        lambda world: [path("actoren", actoridentificatorObjectId=world.medewerker)],
    ),
    Row(
        "internetaken op actor en status, bijlagen, rekeningnummers, categorieën", WHOLE, WHOLE, WHOLE, WHOLE,
        lambda world: [
            path("internetaken", toegewezenAanActor__uuid=world.actor, status="te_verwerken"),
            "bijlagen",
            "rekeningnummers",
            "categorieen",
        ],
    ),
    Row(
        "wat alleen clients invullen: referentienummer, categorie, referentie van een adres",
        WHOLE, WHOLE, WHOLE, WHOLE,
        lambda world: [
            path("klantcontacten", referentienummer="K-1"),
            path("partijen", categorierelatie__categorie__naam="VIP"),
            path("digitaleadressen", referentie="portaal"),
        ],
    ),
    Row(
        "op een nummer dat een client aan een klantcontact of partij gaf", WHOLE, WHOLE, WHOLE, WHOLE,
        lambda world: [path("klantcontacten", nummer="123"), path("partijen", nummer="456")],
    ),
    Row(
        "op een e-mailadres of telefoonnummer dat een client hier schreef", PART, WHOLE, PART, PART,
        lambda world: [
            path("digitaleadressen", adres="klant@example.nl"),
            path("digitaleadressen", adres__icontains="KLANT@example.nl", soortDigitaalAdres="email"),
            path("betrokkenen", verstrektedigitaalAdres__adres="klant@example.nl"),
            path("klantcontacten", hadBetrokkene__digitaaladres__adres__icontains="klant@example.nl"),
        ],
    ),
    Row(
        "op een e-mailadres of telefoonnummer dat niemand hier schreef", LATER, WHOLE, LATER, LATER,
        lambda world: [
            path("digitaleadressen", adres=world.adres),
            path("digitaleadressen", adres__icontains=world.adres),
            path("digitaleadressen", adres="niemand@example.nl"),
            path("betrokkenen", verstrektedigitaalAdres__adres=world.adres),
        ],
        is_known,
    ),
    Row(
        "op kanaal, onderwerp, naam of een ander veld", LATER, WHOLE, LATER, LATER,
        lambda world: [
            path("klantcontacten", kanaal=KLANTCONTACT["kanaal"]),
            path("klantcontacten", onderwerp=KLANTCONTACT["onderwerp"]),
            path("partijen", soortPartij="persoon"),
            path("betrokkenen", contactnaamAchternaam="Voorbeeld"),
            path("actoren", naam="Balie"),
            path("klantcontacten", leiddeTotInterneTaken="false"),
        ],
    ),
    Row(
        'een lijst zonder filter, met `[live] partial_lists` = "refuse"', LATER, WHOLE, LATER, LATER,
        lambda world: ["klantcontacten", "partijen", path("partijen", page="1", expand="digitaleAdressen")],
    ),
    Row(
        'een lijst zonder filter, met `[live] partial_lists` = "answer"', PART, WHOLE, PART, PART,
        lambda world: [
            "klantcontacten",
            "partijen",
            path("partijen", page="1", pageSize="1", expand="digitaleAdressen", soortPartij=""),
        ],
        config={"partial_lists": "answer"},
    ),
    Row(
        "schrijven: maak-klantcontact, en wat hangt aan iets dat bewaard is", DONE, DONE, DONE, DONE,
        lambda world: [
            ("POST", "maak-klantcontact", {"klantcontact": KLANTCONTACT}),
            ("POST", "klantcontacten", KLANTCONTACT),
            ("POST", "partijen", PERSOON),
        ],
    ),
    Row(
        "schrijven van een actor met een identificator", DONE, DONE, DONE, AWAY,
        lambda world: [("POST", "actoren", actor(world.medewerker))],
    ),
    Row(
        "schrijven van een partij met een nummer dat nog niet bewaard is", DONE, DONE, AWAY, AWAY,
        lambda world: [("POST", "partijen", {**PERSOON, "partijIdentificatoren": [{"partijIdentificator": bsn(BSN)}]})],
    ),
]  # fmt: skip
WORDS = [row.words for row in TABLE]


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with SampleServer(some_zaken(sample_slice(), 10)) as running:
        yield running


@pytest.fixture(scope="module")
def passing() -> Iterator[SetClock]:
    """The clock of all tests: it must not go back for the gateway that they share."""
    with pytest.MonkeyPatch.context() as patch:
        yield SetClock(patch)


@pytest.fixture
def reached(server: SampleServer, passing: SetClock) -> Iterator[SampleServer]:
    """The source, back again after each test."""
    yield server
    server.traps.down = passing.skips = False


@pytest.fixture
def away(reached: SampleServer, passing: SetClock) -> Callable[[], None]:
    """Lets the source be away: what waits to ask it again then waits no real seconds."""

    def let() -> None:
        reached.traps.down = passing.skips = True

    return let


@pytest.fixture(scope="module")
def world(server: SampleServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    """What there is to ask for, from a backfilled installation; derived uuids are the same in each."""
    from builders.configs import read_config, write_config

    from gateway.installation import open_installation

    folder = tmp_path_factory.mktemp("world")
    installation = open_installation(read_config(write_config(folder, {"bron": server})))
    assert Backfill(installation.fetchers["bron"]).run()
    data = server.dataset
    contact = a_contact(data)
    with talking(installation) as talker:
        number = {}
        for soort in ("bsn", "rsin", "kvk_nummer", "vestigingsnummer"):
            rows = talker.get("partij-identificatoren", partijIdentificatorCodeSoortObjectId=soort).json[
                "results"
            ]
            number[soort] = rows[0]["partijIdentificator"]["objectId"]
        partij, one = next(persons(talker))
        medewerker = a_medewerker(data)
        return World(
            bsn=one,
            number=number,
            partij=partij["uuid"],
            identificator=partij["partijIdentificatoren"][0]["uuid"],
            contact=contact["uuid"],
            zaak=contact["zaak"].rsplit("/", 1)[1],
            medewerker=medewerker,
            adres=talker.get("digitaleadressen").json["results"][0]["adres"],
            actor=talker.get("actoren", actoridentificatorObjectId=medewerker).json["results"][0]["uuid"],
        )


def persons(talker: Talker) -> Iterator[tuple[Any, str]]:
    """Partijen with a BSN that have contacts, with that BSN."""
    for betrokkene in talker.get("betrokkenen").json["results"]:
        if betrokkene["wasPartij"]:
            partij = talker.get(f"partijen/{betrokkene['wasPartij']['uuid']}").json
            for each in partij["partijIdentificatoren"]:
                if each["partijIdentificator"]["codeSoortObjectId"] == "bsn":
                    yield partij, each["partijIdentificator"]["objectId"]


@pytest.fixture(scope="module")
def filled(server: SampleServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talker]:
    """A client of a gateway after its backfill."""
    from builders.configs import read_config, write_config

    from gateway.installation import open_installation

    folder = tmp_path_factory.mktemp("filled")
    installation = open_installation(read_config(write_config(folder, {"bron": server})))
    assert Backfill(installation.fetchers["bron"]).run()
    with talking(installation) as talker:
        write(talker)
        yield talker


def write(talker: Talker) -> None:
    """What a client wrote here before it asks."""
    contact = talker.make("klantcontacten", {**KLANTCONTACT, "nummer": "123", "referentienummer": "K-1"})
    partij = talker.make("partijen", {**PERSOON, "nummer": "456"})
    betrokkene = talker.make(
        "betrokkenen",
        {"hadKlantcontact": ref(contact), "wasPartij": ref(partij), "rol": "klant", "initiator": True},
    )
    talker.make(
        "digitaleadressen",
        {
            "adres": "klant@example.nl",
            "soortDigitaalAdres": "email",
            "referentie": "portaal",
            "verstrektDoorPartij": None,
            "verstrektDoorBetrokkene": ref(betrokkene),
        },
    )
    categorie = talker.make("categorieen", {"naam": "VIP"})
    talker.make("categorie-relaties", {"partij": ref(partij), "categorie": ref(categorie)})


def ask(talker: Talker, row: Row, world: World) -> Iterator[tuple[str, Said]]:
    for one in row.asks(world):
        method, where, body = one if isinstance(one, tuple) else ("GET", one, None)
        yield where.split("?")[0], talker.ask(method, where, body)


def judge(talker: Talker, row: Row, cell: str, world: World, filled: Talker | None = None) -> None:
    """Ask all of a row, and see that each answer is what the cell says; a whole one has as much as after a backfill."""
    statuses, coverages, freshnesses = CELLS[cell]
    wholes = ask(filled, row, world) if filled and cell in (WHOLE, HELD) else None
    for where, said in ask(talker, row, world):
        if wholes is not None:
            assert said.json.get("count") == next(wholes)[1].json.get("count"), where
        assert said.status in statuses, (where, said.status)
        assert not coverages or said.coverage in coverages, (where, said.coverage)
        assert not freshnesses or said.freshness in freshnesses, (where, said.freshness)
        if cell in (PART, HELD) and row.config == {} and "results" in said.json:
            assert said.json["count"] or "vertegenwoordigingen" in where or "actorklant" in where, where
        if cell == LATER:
            assert int(said.all("Retry-After")[0]) > 0
            assert "backfill" in said.json["detail"] or "vertegenwoordigde" in said.json["detail"]


def cold(install: Install, server: SampleServer, row: Row, **more: Any) -> Installation:
    return install(bron=server, deadline=4, **row.config, **more)


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=WORDS)
def test_before_the_backfill(
    install: Install, reached: SampleServer, world: World, row: Row, filled: Talker
) -> None:
    with talking(cold(install, reached, row)) as talker:
        write(talker)
        for known in row.known(world):
            assert talker.get(known).status == 200
        judge(talker, row, row.before, world, filled)


@pytest.mark.parametrize("row", TABLE, ids=WORDS)
def test_after_the_backfill(filled: Talker, reached: SampleServer, world: World, row: Row) -> None:
    """Also with the source away: nothing is asked of it."""
    judge(filled, row, row.after, world)
    if row.after != DONE:
        reached.traps.down = True
        judge(filled, row, row.after, world)


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=WORDS)
def test_with_the_source_away_and_what_is_asked_held(
    install: Install,
    reached: SampleServer,
    away: Callable[[], None],
    world: World,
    row: Row,
    filled: Talker,
) -> None:
    installation = cold(install, reached, row, max_age=0)
    with talking(installation) as talker:
        write(talker)
        for known in row.known(world):
            assert talker.get(known).status == 200
        if row.away_held == HELD:
            assert all(said.status == 200 for _, said in ask(talker, row, world))
        if row.away_held == DONE:
            assert all(said.status == 201 for _, said in ask(talker, row, world))
        away()
        judge(talker, row, row.away_held, world, filled)


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=WORDS)
def test_with_the_source_away_and_nothing_of_it_held(
    install: Install, reached: SampleServer, away: Callable[[], None], world: World, row: Row
) -> None:
    with talking(cold(install, reached, row)) as talker:
        write(talker)
        away()
        judge(talker, row, row.away_not_held, world)


def test_operators_read_this_table() -> None:
    text = OPERATION.read_text(encoding="utf-8").split(TITLE)[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)[1:]
    assert rows == [(row.words, row.before, row.after, row.away_held, row.away_not_held) for row in TABLE]


def test_no_legacy_object_meets_a_filter_that_only_clients_can(filled: Talker) -> None:
    """So the store alone can answer those; of all that the source gives."""
    for where, query, own in (
        ("klantcontacten", {"referentienummer": "K-1"}, 1),
        ("klantcontacten", {"leiddeTotInterneTaken": "true"}, 0),
        ("klantcontacten", {"indicatieContactGelukt": "true"}, 0),
        ("klantcontacten", {"indicatieContactGelukt": "false"}, 0),
        ("partijen", {"indicatieGeheimhouding": "true"}, 0),
        ("partijen", {"indicatieGeheimhouding": "false"}, 0),
        ("digitaleadressen", {"isGeverifieerd": "true"}, 0),
        ("digitaleadressen", {"verificatieDatum__gte": "1900-01-01"}, 0),
        ("digitaleadressen", {"referentie": "portaal"}, 1),
    ):
        assert filled.get(where, **query).json["count"] == own, (where, query)
