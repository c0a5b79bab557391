"""Whatever is written in whatever order, the register stays whole.

Random writes over all resources at once, over HTTP, refused ones included. After each: no link leads nowhere,
both ends of a link tell the same, counts are right, and the rules about one-of-each hold.
"""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from builders.editor import KLANTCONTACT, NOBODY, Editor, codes, ref
from builders.served_store import Client
from builders.served_store import settings as configuration
from builders.stores import make_store
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from werkzeug.serving import make_server

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.klantinteracties.model.expand import names
from gateway.klantinteracties.model.resources import RESOURCES

Draw = Callable[..., Any]
BY_PATH = {resource.path: resource for resource in RESOURCES}
PATHS = sorted(BY_PATH)
# Where most of the rules are, most is written.
RULED = ("digitaleadressen", "partijen", "partij-identificatoren")
MOSTLY_RULED = [*PATHS, *RULED * 6]
# A list at one end and the reference at the other: path, field, path, field.
BOTH_ENDS = (
    ("partijen", "digitaleAdressen", "digitaleadressen", "verstrektDoorPartij"),
    ("partijen", "rekeningnummers", "rekeningnummers", "partij"),
    ("partijen", "partijIdentificatoren", "partij-identificatoren", "identificeerdePartij"),
    ("partijen", "betrokkenen", "betrokkenen", "wasPartij"),
    ("partijen", "categorieRelaties", "categorie-relaties", "partij"),
    ("betrokkenen", "digitaleAdressen", "digitaleadressen", "verstrektDoorBetrokkene"),
    ("klantcontacten", "hadBetrokkenen", "betrokkenen", "hadKlantcontact"),
    ("klantcontacten", "gingOverOnderwerpobjecten", "onderwerpobjecten", "klantcontact"),
    ("klantcontacten", "omvatteBijlagen", "bijlagen", "wasBijlageVanKlantcontact"),
    ("klantcontacten", "leiddeTotInterneTaken", "internetaken", "aanleidinggevendKlantcontact"),
)
NUMBERS = (
    ("bsn", "296648875"),
    ("bsn", "999990019"),
    ("rsin", "296648875"),
    ("kvk_nummer", "12345678"),
    ("kvk_nummer", "87654321"),
    ("vestigingsnummer", "000037178601"),
)
PHONE = {"adres": "0612345678", "soortDigitaalAdres": "telefoonnummer"}
MOMENTS = ("2024-02-29", "2025-01-01T12:00:00+01:00", "2025-01-01 11:00:00.000001")


class Bodies:
    """Draws bodies; `known` says which uuids there are, by path."""

    def __init__(self, draw: Draw, known: dict[str, list[str]]) -> None:
        self.draw = draw
        self.known = known

    def one_of(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def ref(self, path: str, *, empty: bool = True) -> dict[str, str] | None:
        """A reference, nearly always to something that is there."""
        uuids = self.known[path][-5:] * 4
        drawn = self.draw(st.sampled_from([*uuids, NOBODY, *([None] * 8 if empty else [])]))
        return {"uuid": drawn} if drawn else None

    def refs(self, path: str) -> list[dict[str, str]]:
        drawn = (
            self.draw(st.lists(st.sampled_from(self.known[path][-5:]), max_size=2))
            if self.known[path]
            else []
        )
        return [{"uuid": uuid} for uuid in drawn]

    def some_of(self, **optional: Any) -> dict[str, Any]:
        """Some of these fields."""
        return {name: optional[name] for name in self.draw(st.sets(st.sampled_from(sorted(optional))))}

    def of(self, path: str) -> dict[str, Any]:
        make: Callable[[], dict[str, Any]] = getattr(self, path.replace("-", "_"))
        return make()

    def actoren(self) -> dict[str, Any]:
        soort = self.one_of("medewerker", "geautomatiseerde_actor")
        wie = {"functie": "x"} | ({"telefoonnummer": "0201234567"} if soort == "medewerker" else {})
        return {"naam": "a", "soortActor": soort, "actorIdentificatie": self.one_of(None, wie)}

    def digitaleadressen(self) -> dict[str, Any]:
        partij = self.ref("partijen")
        return {
            "adres": "0612345678",
            "soortDigitaalAdres": self.one_of("telefoonnummer", "telefoonnummer", "overig"),
            "verstrektDoorPartij": partij,
            "isStandaardAdres": self.one_of(True, True, False) if partij else self.one_of(False, False, True),
            **self.some_of(verstrektDoorBetrokkene=self.ref("betrokkenen")),
        }

    def rekeningnummers(self) -> dict[str, Any]:
        return {"iban": "NL91ABNA0417164300", "partij": self.ref("partijen")}

    def actorklantcontacten(self) -> dict[str, Any]:
        return {
            "actor": self.ref("actoren", empty=False),
            "klantcontact": self.ref("klantcontacten", empty=False),
        }

    def klantcontacten(self) -> dict[str, Any]:
        return {
            "nummer": self.one_of(None, None, "1"),
            "kanaal": "k",
            "onderwerp": "o",
            "taal": "nld",
            "vertrouwelijk": False,
            "plaatsgevondenOp": self.one_of(*MOMENTS),
            **self.some_of(
                indicatieContactGelukt=True, verdereActieOndernomen=True, metadata={"some_key": " x "}
            ),
        }

    def betrokkenen(self) -> dict[str, Any]:
        return {
            "hadKlantcontact": self.ref("klantcontacten", empty=False),
            "wasPartij": self.ref("partijen"),
            "contactnaam": self.one_of(None, {"voornaam": "A", "achternaam": "B"}),
            "rol": "klant",
            "initiator": True,
        }

    def onderwerpobjecten(self) -> dict[str, Any]:
        return {"klantcontact": self.ref("klantcontacten"), "wasKlantcontact": self.ref("klantcontacten")}

    def bijlagen(self) -> dict[str, Any]:
        return {"wasBijlageVanKlantcontact": self.ref("klantcontacten")}

    def internetaken(self) -> dict[str, Any]:
        one = self.one_of(True, False)
        actoren = {"toegewezenAanActor": self.ref("actoren")} if one else {}
        several = {} if one else {"toegewezenAanActoren": self.refs("actoren")}
        return {
            "nummer": self.one_of(None, None, "1"),
            "gevraagdeHandeling": "g",
            "aanleidinggevendKlantcontact": self.ref("klantcontacten", empty=False),
            "status": self.one_of("te_verwerken", "verwerkt"),
            **actoren,
            **several,
        }

    def categorieen(self) -> dict[str, Any]:
        return {"naam": self.one_of("a", "b")}

    def categorie_relaties(self) -> dict[str, Any]:
        return {"partij": self.ref("partijen"), "categorie": self.ref("categorieen")}

    def partij_identificatoren(self) -> dict[str, Any]:
        return {
            "partijIdentificator": codes(*self.one_of(*NUMBERS)),
            "identificeerdePartij": self.ref("partijen"),
            "subIdentificatorVan": self.ref("partij-identificatoren"),
        }

    def partijen(self) -> dict[str, Any]:
        soort = self.one_of("persoon", "organisatie", "organisatie", "contactpersoon")
        wie = {
            "persoon": {"contactnaam": {"achternaam": "B"}},
            "organisatie": {"naam": "O"},
            "contactpersoon": {"werkteVoorPartij": self.ref("partijen")},
        }[soort]
        numbers = [self.partij_identificatoren() for _ in range(self.one_of(0, 1, 1, 2))]
        for number in numbers:
            if self.known["partij-identificatoren"] and self.one_of(True, False):
                number["uuid"] = self.one_of(*self.known["partij-identificatoren"])
        adressen, rekeningen = self.refs("digitaleadressen"), self.refs("rekeningnummers")
        return {
            "soortPartij": soort,
            "indicatieActief": True,
            **self.some_of(
                nummer=self.one_of(None, "1"),
                partijIdentificatie=self.one_of(None, wie),
                digitaleAdressen=self.one_of(adressen, None),
                voorkeursDigitaalAdres=self.one_of(*adressen, None),
                rekeningnummers=rekeningen,
                voorkeursRekeningnummer=self.one_of(*rekeningen, None),
                partijIdentificatoren=self.one_of(numbers, numbers, None),
            ),
        }

    def vertegenwoordigingen(self) -> dict[str, Any]:
        return {
            "vertegenwoordigendePartij": self.ref("partijen", empty=False),
            "vertegenwoordigdePartij": self.ref("partijen", empty=False),
        }


class Writing(RuleBasedStateMachine):
    """A register of its own for each run; what it holds is read back whole after each write."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "store.sqlite"
        self.store = make_store(path)
        app = create_app(configuration(path), store=self.store)  # type: ignore[arg-type]
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        token = create_token(self.store, "test", "write")
        self.editor = Editor(Client(f"http://127.0.0.1:{self.server.server_port}", token))
        self.now = self.editor.everything()

    def teardown(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.store.close()
        self.folder.cleanup()

    def known(self) -> dict[str, list[str]]:
        return {path: [one["uuid"] for one in shown["results"]] for path, shown in self.now.items()}

    def some(self, draw: Draw) -> tuple[str, dict[str, Any]]:
        """An object that is there."""
        path = draw(st.sampled_from([path for path in PATHS if self.now[path]["results"]]))
        return path, draw(st.sampled_from(self.now[path]["results"]))

    def write(self, method: str, path: str, data: Any) -> None:
        got = self.editor.send(method, path, data)
        after = self.editor.everything()
        assert got.status in (200, 201, 204, 400), got.status
        if got.status == 400:
            assert got.json["invalidParams"]
            assert after == self.now, "a refused write left something behind"
        self.now = after

    @initialize()
    def begin_with_something(self) -> None:
        """A little of everything, so that what follows has something to refer to."""
        make, contacts = self.editor.make, []
        for number in range(2):
            adres = make("digitaleadressen", {**PHONE, "verstrektDoorPartij": None})
            own = {"digitaleAdressen": [ref(adres)], "voorkeursDigitaalAdres": ref(adres)}
            soort = ("organisatie", "persoon")[number]
            make("partijen", {"soortPartij": soort, "indicatieActief": True, **own})
            self.editor.patch("digitaleadressen", adres, {"isStandaardAdres": True})
            contacts.append(make("klantcontacten", KLANTCONTACT))
        partij = self.editor.get("/partijen")["results"][0]
        actor = make("actoren", {"naam": "a", "soortActor": "medewerker"})
        contact = ref(contacts[0])
        wie = {"hadKlantcontact": contact, "wasPartij": ref(partij), "rol": "klant", "initiator": True}
        make("betrokkenen", wie)
        make("onderwerpobjecten", {"klantcontact": contact, "wasKlantcontact": ref(contacts[1])})
        make("partij-identificatoren", {"partijIdentificator": codes("kvk_nummer", "12345678")})
        taak = {"gevraagdeHandeling": "g", "status": "te_verwerken", "toegewezenAanActor": ref(actor)}
        make("internetaken", {**taak, "aanleidinggevendKlantcontact": contact})
        make("categorieen", {"naam": "a"})
        make("rekeningnummers", {"iban": "NL91ABNA0417164300"})
        self.now = self.editor.everything()

    @rule(data=st.data(), path=st.sampled_from(MOSTLY_RULED))
    def create(self, data: st.DataObject, path: str) -> None:
        self.write("POST", f"/{path}", Bodies(data.draw, self.known()).of(path))

    @rule(data=st.data())
    def maak_klantcontact(self, data: st.DataObject) -> None:
        bodies = Bodies(data.draw, self.known())
        parts = {"klantcontact": bodies.klantcontacten(), "betrokkene": bodies.betrokkenen()}
        self.write("POST", "/maak-klantcontact", parts | {"onderwerpobject": bodies.onderwerpobjecten()})

    @precondition(lambda self: any(shown["count"] for shown in self.now.values()))
    @rule(data=st.data(), method=st.sampled_from(["PUT", "PATCH"]))
    def change(self, data: st.DataObject, method: str) -> None:
        path, shown = self.some(data.draw)
        body = Bodies(data.draw, self.known()).of(path)
        if method == "PATCH":
            body = {name: body[name] for name in data.draw(st.sets(st.sampled_from(sorted(body))))}
        self.write(method, f"/{path}/{shown['uuid']}", body)

    @precondition(lambda self: any(shown["count"] for shown in self.now.values()))
    @rule(data=st.data(), cascade=st.booleans())
    def delete(self, data: st.DataObject, cascade: bool) -> None:
        path, shown = self.some(data.draw)
        self.write("DELETE", f"/{path}/{shown['uuid']}" + ("?cascade=true" if cascade else ""), None)

    @precondition(lambda self: any(shown["count"] for shown in self.now.values()))
    @rule(data=st.data(), method=st.sampled_from(["PUT", "PATCH"]))
    def give_back_what_was_shown(self, data: st.DataObject, method: str) -> None:
        path, shown = self.some(data.draw)
        got = self.editor.send(method, f"/{path}/{shown['uuid']}", shown)
        assert got.status == 200
        assert self.editor.everything() == self.now, "giving back what was shown changed something"

    @precondition(lambda self: any(shown["count"] for shown in self.now.values()))
    @rule(data=st.data())
    def expand(self, data: st.DataObject) -> None:
        """What is expanded is what a GET of each gives."""
        path, shown = self.some(data.draw)
        relations = list(names(BY_PATH[path].expansions))
        if relations:
            got = self.editor.get(f"/{path}/{shown['uuid']}?expand={','.join(relations)}")
            assert without_expand(got) == without_expand(shown)
            for one in expanded(got):
                separate = self.editor.get(one["url"].removeprefix(self.editor.client.base))
                assert without_expand(one) == separate, "an expanded object differs from its own GET"

    @invariant()
    def no_link_leads_nowhere(self) -> None:
        there = {one["url"] for shown in self.now.values() for one in shown["results"]}
        for shown in self.now.values():
            assert shown["count"] == len(shown["results"])
            for one in links(shown["results"]):
                assert one["url"] in there
                assert one["url"].endswith(f"/{one['uuid']}")

    @invariant()
    def both_ends_tell_the_same(self) -> None:
        for path, many, other, field in BOTH_ENDS:
            here = {(one["uuid"], link["uuid"]) for one in self.now[path]["results"] for link in one[many]}
            there = {(one[field]["uuid"], one["uuid"]) for one in self.now[other]["results"] if one[field]}
            assert here == there, f"{path}.{many}"

    @invariant()
    def there_is_one_of_what_there_is_one_of(self) -> None:
        adressen = self.now["digitaleadressen"]["results"]
        standard = [
            (one["verstrektDoorPartij"]["uuid"], one["soortDigitaalAdres"])
            for one in adressen
            if one["isStandaardAdres"]
        ]
        assert once(standard)
        numbers = self.now["partij-identificatoren"]["results"]
        assert once(
            (*sorted(one["partijIdentificator"].items()), (one["subIdentificatorVan"] or {}).get("uuid"))
            for one in numbers
        )
        assert once(
            (one["identificeerdePartij"]["uuid"], one["partijIdentificator"]["codeSoortObjectId"])
            for one in numbers
            if one["identificeerdePartij"]
        )
        for path in ("partijen", "klantcontacten", "internetaken"):
            assert once(one["nummer"] for one in self.now[path]["results"] if one["nummer"])
        assert once(
            (one["vertegenwoordigendePartij"]["uuid"], one["vertegenwoordigdePartij"]["uuid"])
            for one in self.now["vertegenwoordigingen"]["results"]
        )

    @invariant()
    def what_a_partij_prefers_and_whom_it_works_for_is_right(self) -> None:
        for partij in self.now["partijen"]["results"]:
            for preference, own in (
                ("voorkeursDigitaalAdres", "digitaleAdressen"),
                ("voorkeursRekeningnummer", "rekeningnummers"),
            ):
                assert partij[preference] is None or partij[preference] in partij[own]
            identificatie = partij["partijIdentificatie"] or {}
            assert ("werkteVoorPartij" in identificatie) <= (partij["soortPartij"] == "contactpersoon")

    @invariant()
    def a_taak_was_handled_when_it_says_so(self) -> None:
        for taak in self.now["internetaken"]["results"]:
            assert (taak["status"] == "verwerkt") == bool(taak["afgehandeldOp"])
            first = next(iter(taak["toegewezenAanActoren"]), {"uuid": None})
            assert taak["toegewezenAanActor"] == first


def once(found: Any) -> bool:
    return all(times == 1 for times in Counter(found).values())


def links(shown: Any) -> Iterator[dict[str, Any]]:
    """Everything in an answer that has an address."""
    if isinstance(shown, dict):
        if "url" in shown:
            yield shown
        for value in shown.values():
            yield from links(value)
    elif isinstance(shown, list):
        for value in shown:
            yield from links(value)


def expanded(shown: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object that stands under an _expand."""
    for value in shown.get("_expand", {}).values():
        for one in value if isinstance(value, list) else [value] if value else []:
            yield one
            yield from expanded(one)


def without_expand(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name != "_expand"}


TestWriting = pytest.mark.slow(Writing.TestCase)
TestWriting.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
