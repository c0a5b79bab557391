"""An installation that leaves: what clients made in it, of every resource, and a run of the export."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from builders.configs import UUID_SECRET, read_config
from builders.editor import codes, ref
from builders.other_register import API
from builders.sample_data import sample_data, some_zaken
from builders.slow_source import a_bsn
from builders.stores import make_store, store_keys

from gateway.app import create_app
from gateway.config.target import Target
from gateway.http.auth import create_token
from gateway.installation import Installation
from gateway.klantinteracties.model.freshness import LocalOnly
from gateway.sample.server import SampleServer
from gateway.store.base.store import Store
from gateway.target.client import Register
from jobs.backfill.backfill import Backfill
from jobs.export.run import ExportOutcome, ExportRun
from jobs.export.verify import ExportVerify


class HomeClient:
    """A client that writes in the installation that leaves."""

    def __init__(self, app: Any, store: Store) -> None:
        self._client = app.test_client()
        self._token = create_token(store, f"client-{uuid4()}", "read write")

    def try_to(self, method: str, path: str, data: Any = None) -> bool:
        """A request that may be refused for what it is. Out: was it not?"""
        status = self._asked(method, path, data).status_code
        assert status < 300 or status == 400, (method, path.split("/")[0], status)
        return bool(status < 300)

    def send(self, method: str, path: str, data: Any = None) -> Any:
        """A request that must succeed."""
        answer = self._asked(method, path, data)
        assert answer.status_code < 300, (method, path.split("/")[0], answer.status_code)
        return answer.get_json(silent=True)

    def _asked(self, method: str, path: str, data: Any) -> Any:
        return self._client.open(
            f"{API}/{path}",
            method=method,
            data=None if data is None else orjson.dumps(data),
            headers={"Authorization": f"Token {self._token}", "Content-Type": "application/json"},
        )

    def make(self, path: str, data: dict[str, Any]) -> Any:
        return self.send("POST", path, data)


class OldHome:
    """The store that leaves, and its clients. Without sources, unless it is made of an installation."""

    def __init__(self, folder: Path, store: Store | None = None, config: Any = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        if config is None:
            path = folder / "config.toml"
            keys = store_keys(folder / "old.db")
            path.write_text(f'[gateway]\nregister = true\n[store]\n{keys}uuid_secret = "{UUID_SECRET}"\n')
            config = read_config(path)
        self.config = config
        self.store = store or make_store(config.store.path)
        self.client = HomeClient(create_app(config, store=self.store, hydrator=LocalOnly()), self.store)

    def export(self, target: Target, **options: Any) -> ExportOutcome:
        """One run of the export, to its end."""
        return ExportRun(self.store, target, lambda step: None).run(**options)

    def posts_of_a_run(self, target: Target) -> int:
        """How many objects one more run makes, or tries to."""
        run = ExportRun(self.store, target, lambda step: None)
        posts, post = [], run.register.post
        run.register.post = lambda path, body: (posts.append(path), post(path, body))[1]  # type: ignore[method-assign]
        run.run()
        return len(posts)

    def verify(self, target: Target, **options: Any) -> dict[str, Any]:
        """The report of a verify."""
        return ExportVerify(self.store, target, lambda step: None, **options).run()

    def fill(self, number: int, seed: int = 1, first: int = 0) -> None:
        """Objects of every resource: `number` partijen and what hangs on them."""
        chance, make = random.Random(seed), self.client.make
        actoren = [make("actoren", body) for body in _actoren(first)]
        categorie = make("categorieen", {"naam": f"Ondernemer {first}"})
        partijen, organisaties = list[Any](), list[Any]()
        for place in range(first, first + number):
            partij = make("partijen", _partij(place, organisaties))
            if partij["soortPartij"] == "organisatie":
                organisaties.append(partij)
            partijen.append(partij)
            self._hang_on(partij, place, categorie, chance, partijen)
        for place, partij in enumerate(partijen[: number // 2]):
            self._contact(partij, first + place, actoren, chance)

    def _hang_on(
        self, partij: Any, place: int, categorie: Any, chance: random.Random, partijen: list[Any]
    ) -> None:
        make = self.client.make
        if partij["soortPartij"] == "persoon" and place % 3:
            number = {"identificeerdePartij": ref(partij), "partijIdentificator": codes("bsn", a_bsn(place))}
            make("partij-identificatoren", number)
        if partij["soortPartij"] == "organisatie":
            kvk = make(
                "partij-identificatoren",
                {
                    # A number may be nobody's: KISS makes one so as the parent of a vestiging.
                    "identificeerdePartij": ref(partij) if place % 2 else None,
                    "partijIdentificator": codes("kvk_nummer", f"{10_000_000 + place}"),
                },
            )
            vestiging = {
                "identificeerdePartij": None if place % 2 else ref(partij),
                "partijIdentificator": codes("vestigingsnummer", f"{place + 1:012d}"),
                "subIdentificatorVan": ref(kvk),
            }
            make("partij-identificatoren", vestiging)
        email = {
            "adres": f"iemand{place}@example.nl",
            "soortDigitaalAdres": "email",
            "verstrektDoorPartij": ref(partij),
            "isStandaardAdres": bool(place % 2),
            "referentie": f"r{place}" if place % 4 == 0 else "",
            "verificatieDatum": "2026-01-01" if place % 5 == 0 else None,
        }
        adres = make("digitaleadressen", email)
        rekening = make("rekeningnummers", {"partij": ref(partij), "iban": "NL91ABNA0417164300"})
        if chance.random() < 0.5:
            prefers = {"voorkeursDigitaalAdres": ref(adres), "voorkeursRekeningnummer": ref(rekening)}
            self.client.send("PATCH", f"partijen/{partij['uuid']}", prefers)
        if place % 4 == 0:
            relatie = {"partij": ref(partij), "categorie": ref(categorie), "eindDatum": "2027-01-01"}
            make("categorie-relaties", relatie)
        if len(partijen) > 1 and place % 3 == 0:
            pair = {"vertegenwoordigendePartij": ref(partij), "vertegenwoordigdePartij": ref(partijen[-2])}
            make("vertegenwoordigingen", pair)

    def _contact(self, partij: Any, place: int, actoren: list[Any], chance: random.Random) -> None:
        make = self.client.make
        contact = make(
            "klantcontacten",
            {
                "kanaal": "telefoon",
                "onderwerp": f"Vraag {place}",
                "inhoud": "tekst " * (place % 5),
                "taal": "nld",
                "vertrouwelijk": bool(place % 2),
                "nummer": str(1000 + place) if place % 3 == 0 else None,
                "metadata": {"bronApplicatie": "kiss"} if place % 2 else {},
                # Many at one moment, as from a source that knows days only.
                "plaatsgevondenOp": f"2026-01-{place % 3 + 1:02d}T00:00:00Z",
            },
        )
        betrokkene = make(
            "betrokkenen",
            {
                "hadKlantcontact": ref(contact),
                "wasPartij": ref(partij) if place % 2 else None,
                "rol": "klant",
                "initiator": True,
                "contactnaam": {"voornaam": "Jan", "achternaam": f"Proef{place}"},
                "bezoekadres": {"straatnaam": "Kade", "huisnummer": 1, "postcode": "1234 AC", "land": "NL"},
            },
        )
        number = {
            "adres": "0123456789",
            "soortDigitaalAdres": "telefoonnummer",
            "verstrektDoorBetrokkene": ref(betrokkene),
            "verstrektDoorPartij": ref(partij) if place % 4 == 0 else None,
        }
        make("digitaleadressen", number)
        zaak = {
            "objectId": str(uuid4()),
            "codeObjecttype": "zgw-Zaak",
            "codeRegister": "openzaak",
            "codeSoortObjectId": "uuid",
        }
        make(
            "onderwerpobjecten",
            {"klantcontact": ref(contact), "wasKlantcontact": None, "onderwerpobjectidentificator": zaak},
        )
        document = {**zaak, "codeObjecttype": "document"}
        bijlage = {"wasBijlageVanKlantcontact": ref(contact), "bijlageidentificator": document}
        make("bijlagen", bijlage)
        actor = chance.choice(actoren)
        make("actorklantcontacten", {"actor": ref(actor), "klantcontact": ref(contact)})
        taak = {
            "aanleidinggevendKlantcontact": ref(contact),
            "gevraagdeHandeling": "Terugbellen",
            "status": "verwerkt" if place % 2 else "te_verwerken",
            "toegewezenAanActoren": [ref(one) for one in chance.sample(actoren, 2)],
        }
        make("internetaken", taak)


def _actoren(first: int) -> list[dict[str, Any]]:
    shown = {"codeObjecttype": "mdw", "codeRegister": "obj", "codeSoortObjectId": "idf"}
    medewerker = {"functie": "consulent", "emailadres": "m@example.nl", "telefoonnummer": "0123456780"}
    return [
        {
            "naam": "M. Medewerker",
            "soortActor": "medewerker",
            "actoridentificator": {**shown, "objectId": f"m{first}"},
            "actorIdentificatie": medewerker,
        },
        {
            "naam": "KCC",
            "soortActor": "organisatorische_eenheid",
            "actoridentificator": {**shown, "objectId": f"kcc{first}", "codeObjecttype": "afd"},
        },
        {
            "naam": f"Robot {first}",
            "soortActor": "geautomatiseerde_actor",
            "actorIdentificatie": {"functie": "f", "omschrijving": "o"},
        },
    ]


def _partij(place: int, organisaties: list[Any]) -> dict[str, Any]:
    common = {
        "indicatieActief": True,
        "voorkeurstaal": "nld",
        "indicatieGeheimhouding": (None, True, False)[place % 3],
        "bezoekadres": {"straatnaam": "Dorpsstraat", "huisnummer": place + 1, "postcode": "1234 AB"},
    }
    if place % 5 == 1:
        return common | {
            "soortPartij": "organisatie",
            "partijIdentificatie": {"naam": f"Bakkerij {place} B.V."},
        }
    naam = {"voornaam": "Jan", "achternaam": "Voorbeeld" if place % 2 else f"Voorbeeld{place}"}
    if place % 5 == 2 and organisaties:
        return common | {
            "soortPartij": "contactpersoon",
            "partijIdentificatie": {"werkteVoorPartij": ref(organisaties[-1]), "contactnaam": naam},
        }
    nummer = {"nummer": str(place + 1)} if place % 7 == 0 else {}
    return common | nummer | {"soortPartij": "persoon", "partijIdentificatie": {"contactnaam": naam}}


def filled(folder: Path, install: Callable[..., Installation], every: int, number: int) -> OldHome:
    """A home with each `every`th zaak of the slice and the ugly set, and what clients made: so many partijen."""
    data = sample_data() if every == 1 else some_zaken(sample_data(), every)
    with SampleServer(data) as server:
        installation = install(bron=server)
        for fetcher in installation.fetchers.values():
            Backfill(fetcher).run()
    home = OldHome(folder, installation.store, installation.config)
    home.fill(number, first=40_000)
    return home


def leave_and_die(store: Path, settings: Target, answers: int) -> None:
    """A run in a process of its own, that is killed when so many answers came, before it did anything with the last."""
    asked, left = Register._call, iter(range(answers))

    def call(self: Register, method: str, *arguments: Any, **more: Any) -> Any:
        answer = asked(self, method, *arguments, **more)
        if method == "POST" and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Register._call = call  # type: ignore[method-assign]
    outcome = ExportRun(make_store(store), settings, lambda step: None).run()
    assert outcome.stopped == ""
