"""Histories: clients that write and a source that changes, in any order; what is true after each step (M19, M42).

A step is an action and three numbers. The numbers choose among what is there at that moment, so a history of which
steps are left out is a history still, and a failing one gets small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from builders.earlier_objects import contactmoment, klant, klantcontactmoment
from builders.edited_world import Raw, World, ref
from builders.legacy_objects import BSN, KVK, klantcontact, medewerker, organisatie, persoon, uuid_of, zaak
from builders.probe.indexes import out_of_step
from builders.probe.probe import Probe

from gateway.store.inspect import rebuilding
from gateway.store.inspect.dump import dump_lines

Step = tuple[str, int, int, int]
Body = dict[str, Any]
Seen = dict[tuple[str, str], Body]

ZAKEN, ROLLEN, CONTACTS, MOMENTS = 2, 7, 3, 2
URL = "https://personen.example/1"
AANDUIDINGEN = ("openbaar", "openbaar", "intern", "geheim")
# What may change of a rol, and the values that it may have; the first is how it begins.
OF_A_ROL: dict[str, tuple[Any, ...]] = {
    "who": (0, 1, 2),
    "zaak": (1, 2),
    "generiek": ("initiator", "klantcontacter", "belanghebbende"),
    "kant": ("", "machtiginggever", "gemachtigde"),
    "mail": ("", "a@b.example", "c@d.example"),
    "naam": ("Voorbeeld", "Ander"),
    "url": ("", URL),
    "there": (True, False, True),
}
OF_A_MOMENT: dict[str, tuple[Any, ...]] = {
    "who": (0, 1),
    "tekst": ("Vraag", "Klacht"),
    "there": (True, False),
}
OF_A_CONTACT: dict[str, tuple[Any, ...]] = {"onderwerp": ("Vraag", "Klacht"), "there": (True, False, True)}

PATHS = {
    "partij": "partijen",
    "partij-identificator": "partij-identificatoren",
    "digitaleadres": "digitaleadressen",
    "vertegenwoordiging": "vertegenwoordigingen",
    "klantcontact": "klantcontacten",
    "betrokkene": "betrokkenen",
    "onderwerpobject": "onderwerpobjecten",
    "actor": "actoren",
    "internetaak": "internetaken",
    "actorklantcontact": "actorklantcontacten",
}
REFERENCES = {
    "wasPartij": "partij",
    "hadKlantcontact": "klantcontact",
    "klantcontact": "klantcontact",
    "actor": "actor",
    "verstrektDoorPartij": "partij",
    "verstrektDoorBetrokkene": "betrokkene",
    "vertegenwoordigendePartij": "partij",
    "vertegenwoordigdePartij": "partij",
    "voorkeursDigitaalAdres": "digitaleadres",
    "aanleidinggevendKlantcontact": "klantcontact",
    "toegewezenAanActor": "actor",
    "identificeerdePartij": "partij",
}


class History:
    """One store in which a history happens; each step raises AssertionError when something is not as it must be."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world = World(folder)
        self.aanduiding = dict.fromkeys(range(1, ZAKEN + 1), "openbaar")
        self.rollen = {
            number: {name: values[0] for name, values in OF_A_ROL.items()}
            | {"who": number % 3, "zaak": number % ZAKEN + 1}
            for number in range(1, ROLLEN + 1)
        }
        self.contacts = {
            number: {name: values[0] for name, values in OF_A_CONTACT.items()}
            for number in range(1, CONTACTS + 1)
        }
        # What clients made, in their order: the uuids are other ones in each run.
        self.made: list[str] = []
        # What clients wrote, of what is there: kind and uuid to fields.
        self.wrote: Seen = {}
        self.moments = {
            number: {name: values[0] for name, values in OF_A_MOMENT.items()}
            for number in range(1, MOMENTS + 1)
        }
        for number in self.aanduiding:
            self.world.take(self._zaak(number))
        self.world.ingest.take("bron", "klant", [klant(1, {"inpBsn": BSN[0]}, achternaam="Klant")], asked=0)
        for number in self.moments:
            self.world.ingest.take("bron", "contactmoment", [self._moment(number)], asked=0)
            self.world.ingest.take(
                "bron", "klantcontactmoment", [klantcontactmoment(number, number, 1)], asked=0
            )
        self.world.take(*map(self._rol, self.rollen), *map(self._contact, self.contacts))

    def close(self) -> None:
        self.world.store.close()

    def run(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.step(*step)

    def step(self, action: str, *numbers: int) -> None:
        before = Probe(self.world.store).came_from()
        if action in LEGACY:
            changed = LEGACY[action](self, *numbers)
            self._kept(before, changed, action)
        else:
            WRITES[action](self, *numbers)
        assert out_of_step(self.world.store) == {}, action
        self._saw()
        self._rebuilt(action)

    # The source

    def _zaak(self, number: int) -> Raw:
        return zaak(number, self.aanduiding[number])

    def _rol(self, number: int) -> Raw:
        it = self.rollen[number]
        rest: dict[str, Any] = {
            "zaak": it["zaak"],
            "generiek": it["generiek"],
            "url": it["url"],
            "on": number,
            "contact": {"emailadres": it["mail"], "naam": "Jo"} if it["mail"] else None,
            "naam": it["naam"],
        }
        if number % 3 == 0:
            return medewerker(number, f"mw-{it['who']}", **rest)
        rest["indicatieMachtiging"] = it["kant"]
        if number == 5:
            rest["kvk"] = KVK[it["who"]]
            return organisatie(number, **rest)
        bsn = "" if number == 7 and it["who"] == 1 else BSN[it["who"]]
        return persoon(number, bsn, **rest)

    def _contact(self, number: int) -> Raw:
        return klantcontact(number, number % ZAKEN + 1, onderwerp=self.contacts[number]["onderwerp"])

    def rol_changes(self, number: int, what: int, value: int) -> set[str]:
        number = number % ROLLEN + 1
        name = sorted(OF_A_ROL)[what % len(OF_A_ROL)]
        values = OF_A_ROL[name]
        self.rollen[number][name] = values[value % len(values)]
        self._take("rol", number, self._rol(number), self.rollen[number]["there"])
        return {uuid_of("rol", number)}

    def contact_changes(self, number: int, what: int, value: int) -> set[str]:
        number = number % CONTACTS + 1
        name = sorted(OF_A_CONTACT)[what % len(OF_A_CONTACT)]
        values = OF_A_CONTACT[name]
        self.contacts[number][name] = values[value % len(values)]
        self._take("klantcontact", number, self._contact(number), self.contacts[number]["there"])
        return {uuid_of("klantcontact", number)}

    def _moment(self, number: int) -> Raw:
        it = self.moments[number]
        who = {"identificatie": f"mw-{it['who']}", "achternaam": "Balie"}
        return contactmoment(number, tekst=it["tekst"], medewerkerIdentificatie=who)

    def moment_changes(self, number: int, what: int, value: int) -> set[str]:
        number = number % MOMENTS + 1
        name = sorted(OF_A_MOMENT)[what % len(OF_A_MOMENT)]
        values = OF_A_MOMENT[name]
        self.moments[number][name] = values[value % len(values)]
        raw = self._moment(number)
        uuid = raw["url"].rpartition("/")[2]
        if self.moments[number]["there"]:
            self.world.ingest.take("bron", "contactmoment", [raw], asked=0)
        else:
            self.world.ingest.remove("bron", "contactmoment", [UUID(uuid)])
        return {uuid}

    def _take(self, kind: str, number: int, raw: Raw, there: bool) -> None:
        if there:
            self.world.ingest.take("bron", kind, [raw], asked=0)
        else:
            self.world.ingest.remove("bron", kind, [UUID(uuid_of(kind, number))])

    def zaak_changes(self, number: int, value: int, _: int) -> set[str]:
        number = number % ZAKEN + 1
        self.aanduiding[number] = AANDUIDINGEN[value % len(AANDUIDINGEN)]
        result = self.world.ingest.take("bron", "zaak", [self._zaak(number)], asked=0)
        on_it = self._on(number)
        if result.refetch_zaken:
            self.world.take(*on_it)
        return {uuid_of("zaak", number), *(raw["uuid"] for raw in on_it)}

    def _on(self, number: int) -> list[Raw]:
        """What there is on a zaak."""
        rollen = [self._rol(n) for n, it in self.rollen.items() if it["zaak"] == number and it["there"]]
        contacts = [n for n, it in self.contacts.items() if n % ZAKEN + 1 == number and it["there"]]
        return [*rollen, *map(self._contact, contacts)]

    def all_comes_again(self, first: int, _: int, __: int) -> set[str]:
        """A sync of everything, each object a little otherwise and then as it was, from any of them on."""
        raws = [self._zaak(number) for number in self.aanduiding]
        raws += [raw for number in self.aanduiding for raw in self._on(number)]
        start = first % len(raws)
        for raw in (*raws[start:], *raws[:start]):
            self.world.take(raw | {"onbekend": "veld"})
            self.world.take(raw)
        return set()

    # Clients

    def _all(self, kind: str) -> list[str]:
        """The documents of a kind, in an order that is that of each run."""
        return sorted(Probe(self.world.store).document_uuids(kind), key=self._place)

    def _any(self, kind: str, number: int) -> str | None:
        found = self._all(kind)
        return found[number % len(found)] if found else None

    def _send(self, method: str, kind: str, uuid: str | None, body: Body) -> None:
        path = f"{PATHS[kind]}/{uuid}" if uuid else PATHS[kind]
        before = (self._shown(kind, uuid) or {}) if uuid else {}
        answer = self.world.client.send(method, path, body)
        assert answer.status_code in (200, 201, 400), answer.status_code
        if answer.status_code == 400:
            return
        shown = answer.get_json()
        if method == "POST":
            self.made.append(shown["uuid"])
            for each in shown.get("partijIdentificatoren", []):
                self.made.append(each["uuid"])
        told = {name for name in body if name not in ("partijIdentificatoren", "isStandaardAdres")}
        # What was so already is no edit.
        edits = {name: shown[name] for name in told if name not in before or before[name] != shown[name]}
        self.wrote.setdefault((kind, shown["uuid"]), {}).update(edits)

    def change_value(self, kind: int, which: int, value: int) -> None:
        kinds = sorted(VALUES)
        name = kinds[kind % len(kinds)]
        uuid = self._any(name, which)
        bodies = VALUES[name]
        if uuid:
            self._send("PATCH", name, uuid, bodies[value % len(bodies)])

    def change_reference(self, what: int, which: int, to: int) -> None:
        kind, field = MOVES[what % len(MOVES)]
        uuid, target = self._any(kind, which), self._any(REFERENCES[field], to)
        if uuid is None:
            return
        value = ref(target) if target else None
        if field in ("wasPartij", "voorkeursDigitaalAdres") and to % 4 == 0:
            value = None
        body: Body = {field: value}
        if field == "verstrektDoorPartij" and to % 3:
            body["isStandaardAdres"] = to % 3 == 1 and value is not None
        self._send("PATCH", kind, uuid, body)

    def merge_by_hand(self, what: int, which: int, to: int) -> None:
        """Have a document refer to another one, and delete the one that it referred to."""
        kind, field = MOVES[what % len(MOVES)]
        uuid = self._any(kind, which)
        before = self._shown(kind, uuid)[field] if uuid else None  # type: ignore[index]
        self.change_reference(what, which, to)
        if before:
            self._delete(REFERENCES[field], before["uuid"])

    def make(self, what: int, one: int, other: int) -> None:
        kinds = sorted(NEW)
        kind = kinds[what % len(kinds)]
        body = NEW[kind](self, one, other)
        if body is not None:
            self._send("POST", kind.split(" ")[0], None, body)

    def delete(self, kind: int, which: int, _: int) -> None:
        kinds = sorted(PATHS)
        name = kinds[kind % len(kinds)]
        uuid = self._any(name, which)
        if uuid:
            self._delete(name, uuid)

    def _delete(self, kind: str, uuid: str) -> None:
        answer = self.world.client.send("DELETE", f"{PATHS[kind]}/{uuid}")
        assert answer.status_code in (204, 400), answer.status_code

    def restore(self, which: int, _: int, __: int) -> None:
        """The operator brings back something that a client deleted."""
        written = Probe(self.world.store).written().items()
        roots = sorted({value["root"] for (_, part), value in written if part == ""}, key=self._place)
        if roots:
            self.world.ingest.restore(UUID(roots[which % len(roots)]))

    def _place(self, uuid: str) -> tuple[int, str]:
        return (self.made.index(uuid), "") if uuid in self.made else (-1, uuid)

    # What must be true

    def _shown(self, kind: str, uuid: str) -> Body | None:
        answer = self.world.client.get(f"{PATHS[kind]}/{uuid}")
        return answer.get_json() if answer.status_code == 200 else None

    def _saw(self) -> None:
        """What clients wrote is as they see it: a write may take back an earlier one, and a reference moves along."""
        for (kind, uuid), fields in list(self.wrote.items()):
            shown = self._shown(kind, uuid)
            if shown is None:
                del self.wrote[kind, uuid]
            else:
                self.wrote[kind, uuid] = {
                    name: shown[name]
                    for name, value in fields.items()
                    if shown[name] == value
                    or (name in REFERENCES and shown[name] and self._followed(name, value, shown[name]))
                }

    def _kept(self, origins: Mapping[str, set[str]], changed: set[str], action: str) -> None:
        """Nothing that a client wrote is lost, but what came from an object that changed and what refers to that."""
        for (kind, uuid), fields in self.wrote.items():
            shown = self._shown(kind, uuid)
            if shown is None:
                assert origins.get(uuid, set()) & changed, f"{action}: a {kind} that a client wrote is gone"
                continue
            if shown["uuid"] != uuid:
                continue  # it is part of another one now, which goes before
            for name, value in fields.items():
                now = shown[name]
                if now == value or (name in REFERENCES and self._followed(name, value, now)):
                    continue
                raise AssertionError(f"{action}: {kind}.{name} that a client wrote is lost")

    def _followed(self, name: str, before: Body | None, now: Body | None) -> bool:
        """Is it the same document by another uuid, or is that gone?"""
        if before is None:
            return False
        shown = self._shown(REFERENCES[name], before["uuid"])
        return shown is None or (now is not None and shown["uuid"] == now["uuid"])

    def _rebuilt(self, action: str) -> None:
        """What is kept of counts is what counting gives; and a rebuild changes nothing."""
        with self.world.store.read() as connection:
            assert not rebuilding.miscounted(connection), f"{action}: counts are not what counting gives"
        before = list(dump_lines(self.world.store))
        self.world.rebuild()
        after = list(dump_lines(self.world.store))
        if before != after:
            lost, new = (sorted({*one} - {*other}) for one, other in ((before, after), (after, before)))
            told = [_told(sign, line) for sign, lines in (("-", lost), ("+", new)) for line in lines]
            raise AssertionError(f"{action}: a rebuild changes {len(told)} lines: {'; '.join(told[:12])}")


def _told(sign: str, line: bytes) -> str:
    """A line of the dump without what it says of whom."""
    it = orjson.loads(line)
    names = ("t", "kind", "uuid", "part", "source", "target", "document", "alias", "rule", "origin", "owner")
    return sign + " ".join(f"{name}={it[name]}" for name in names if it.get(name))


LEGACY: Mapping[str, Callable[..., set[str]]] = {
    "rol": History.rol_changes,
    "contact": History.contact_changes,
    "zaak": History.zaak_changes,
    "moment": History.moment_changes,
    "again": History.all_comes_again,
}
WRITES: Mapping[str, Callable[..., None]] = {
    "value": History.change_value,
    "reference": History.change_reference,
    "make": History.make,
    "delete": History.delete,
    "merge": History.merge_by_hand,
    "restore": History.restore,
}
VALUES: Mapping[str, Sequence[Body]] = {
    "partij": (
        {"bezoekadres": {"straatnaam": "Eigen straat"}},
        {"interneNotitie": "bel na vijven"},
        {"indicatieGeheimhouding": True},
        {"voorkeurstaal": "nld"},
    ),
    "digitaleadres": (
        {"omschrijving": "werk"},
        {"isStandaardAdres": True},
        {"referentie": "portaal"},
        {"isStandaardAdres": False},
        {"soortDigitaalAdres": "telefoonnummer", "adres": "0201234567"},
    ),
    "klantcontact": ({"onderwerp": "Paspoort"}, {"inhoud": "Gezegd is dat het klaar ligt."}),
    "betrokkene": ({"contactnaam": {"achternaam": "Eigen"}}, {"organisatienaam": "Eigen bedrijf"}),
    "actor": ({"naam": "Balie Zuid"}, {"indicatieActief": False}),
    "onderwerpobject": (
        {
            "onderwerpobjectidentificator": {
                "objectId": "9",
                "codeObjecttype": "melding",
                "codeRegister": "meldingen",
                "codeSoortObjectId": "nummer",
            }
        },
    ),
}
MOVES = (
    ("betrokkene", "wasPartij"),
    ("betrokkene", "wasPartij"),
    ("betrokkene", "hadKlantcontact"),
    ("onderwerpobject", "klantcontact"),
    ("actorklantcontact", "actor"),
    ("actorklantcontact", "klantcontact"),
    ("vertegenwoordiging", "vertegenwoordigendePartij"),
    ("vertegenwoordiging", "vertegenwoordigdePartij"),
    ("digitaleadres", "verstrektDoorPartij"),
    ("digitaleadres", "verstrektDoorBetrokkene"),
    ("partij", "voorkeursDigitaalAdres"),
)


def _refer(history: History, number: int, kind: str, **fields: Any) -> Body | None:
    uuid = history._any(kind, number)
    field = fields.pop("field")
    return {field: ref(uuid)} | fields if uuid else None


def _pair(history: History, one: int, other: int) -> Body | None:
    first, second = history._any("partij", one), history._any("partij", other)
    if not first or not second:
        return None
    return {"vertegenwoordigendePartij": ref(first), "vertegenwoordigdePartij": ref(second)}


def _with_actor(history: History, one: int, other: int) -> Body | None:
    contact, actor = history._any("klantcontact", one), history._any("actor", other)
    return {"klantcontact": ref(contact), "actor": ref(actor)} if contact and actor else None


def _taak(history: History, one: int, other: int) -> Body | None:
    both = _with_actor(history, one, other)
    if both is None:
        return None
    return {
        "gevraagdeHandeling": "bellen",
        "status": "te_verwerken",
        "aanleidinggevendKlantcontact": both["klantcontact"],
        "toegewezenAanActor": both["actor"],
    }


def _person(history: History, one: int, _: int) -> Body:
    codes = {
        "codeObjecttype": "natuurlijk_persoon",
        "codeSoortObjectId": "bsn",
        "objectId": BSN[one % 4],
        "codeRegister": "brp",
    }
    return {
        "soortPartij": "persoon",
        "indicatieActief": True,
        "partijIdentificatie": {"contactnaam": {"achternaam": "Client"}},
        "partijIdentificatoren": [{"partijIdentificator": codes}],
    }


def _number(history: History, one: int, other: int) -> Body | None:
    partij = history._any("partij", other)
    codes = _person(history, one, 0)["partijIdentificatoren"][0]["partijIdentificator"]
    return {"partijIdentificator": codes, "identificeerdePartij": ref(partij)} if partij else None


def _actor(history: History, one: int, _: int) -> Body:
    codes = {
        "objectId": f"mw-{one % 4}",
        "codeObjecttype": "mdw",
        "codeRegister": "obj",
        "codeSoortObjectId": "idf",
    }
    return {
        "naam": "Eigen balie",
        "soortActor": "medewerker",
        "indicatieActief": True,
        "actoridentificator": codes,
    }


NEW: Mapping[str, Callable[[History, int, int], Body | None]] = {
    "actor": _actor,
    "actorklantcontact": _with_actor,
    "betrokkene": lambda history, one, other: (
        _refer(history, one, "klantcontact", field="hadKlantcontact", rol="klant", initiator=True)
        and {
            **(
                _refer(history, one, "klantcontact", field="hadKlantcontact", rol="klant", initiator=True)
                or {}
            ),
            **(_refer(history, other, "partij", field="wasPartij") or {"wasPartij": None}),
        }
    ),
    "digitaleadres": lambda history, one, other: _refer(
        history,
        one,
        "partij",
        field="verstrektDoorPartij",
        isStandaardAdres=other % 2 == 0,
        adres="client@example.nl",
        soortDigitaalAdres="email",
        omschrijving="eigen",
    ),
    "digitaleadres of a betrokkene": lambda history, one, _: _refer(
        history,
        one,
        "betrokkene",
        field="verstrektDoorBetrokkene",
        verstrektDoorPartij=None,
        adres="client@example.nl",
        soortDigitaalAdres="email",
        omschrijving="eigen",
    ),
    "internetaak": _taak,
    "partij-identificator": _number,
    "partij": _person,
    "partij without a number": lambda *_: {"soortPartij": "persoon", "indicatieActief": True},
    "vertegenwoordiging": _pair,
}
