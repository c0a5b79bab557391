"""A source that is told what clients write: a sample server, a backfilled store, a client, and the jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from builders.asker import API, write_client
from builders.configs import read_config, write_config
from builders.earlier_source import last
from builders.following import hurry
from builders.probe.probe import Probe
from builders.probe.writeback_probe import WriteBackProbe
from builders.quarantine import let_be
from builders.sample_data import small
from builders.store_digest import dump_digest
from builders.stores import copy_folder

from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.contents.earlier_objects import BRONORGANISATIE, add_earlier
from gateway.sample.server import SampleServer
from gateway.store.edits import written_back
from gateway.store.operation import writeback as queue
from jobs.backfill.backfill import Backfill
from jobs.registry import BY_NAME, run_job
from jobs.verify.verify import Verify

ZAAK_CODES = {"codeObjecttype": "zgw-Zaak", "codeRegister": "openzaak", "codeSoortObjectId": "uuid"}
CONTACT: dict[str, Any] = {
    "kanaal": "telefoon",
    "onderwerp": "Vraag over de aanvraag",
    "inhoud": "Wil weten hoe lang het duurt.",
    "taal": "nld",
    "vertrouwelijk": False,
    "plaatsgevondenOp": "2025-06-01T10:00:00Z",
}
# The address that a person has on rollen, see `with_addresses`.
OLD = "oud@example.nl"
SETTLED = 122 * 1_000_000


def earlier_data(every: int = 40) -> Dataset:
    """A part of the slice with an older contact system beside it."""
    return add_earlier(small(every))


def with_addresses(data: Dataset) -> Dataset:
    """The data with one person whose e-mail address stands on the rollen of two zaken, one of them open."""
    zaken = [zaak for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar"][:2]
    rol = next(
        rol
        for rol in data.objects("rol")
        if rol["betrokkeneType"] == "natuurlijk_persoon"
        and (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
    )
    person = {"inpBsn": "999990019", "geslachtsnaam": "Voorbeeld", "voornamen": "Anna"}
    for number, zaak in enumerate(zaken):
        data.replace("zaak", zaak["uuid"], zaak | {"einddatum": "2025-01-01" if number else None})
        contact = {"emailadres": OLD, "functie": "", "telefoonnummer": "", "naam": ""}
        own = {"zaak": zaak["url"], "betrokkene": "", "betrokkeneIdentificatie": person}
        fresh = {name: value for name, value in rol.items() if name not in ("url", "uuid")}
        data.add("rol", fresh | own | {"contactpersoonRol": contact})
    return data


class WriteBackWorld:
    """One sample server with backfilled installations on it that write back these kinds."""

    def __init__(
        self, folder: Path, server: SampleServer, kinds: Sequence[str], more: str = "", end: str = ""
    ) -> None:
        """`more` are lines of the source, `end` those at the end of config.toml."""
        self.server = server
        self.folder = folder
        self.count = 0
        self.pristine = server.dataset.copy()
        path = write_config(folder / "template", {"bron": server})
        text = f"write_back = {list(kinds)}\nbronorganisatie = '{BRONORGANISATIE}'\n{more}"
        if {"contactmomenten", "contactgegevens", "klanten"} & {*kinds}:
            text += f'klanten_url = "{server.klanten_url}"\ncontactmomenten_url = "{server.contactmomenten_url}"\n'
        if "contactmomenten" in kinds:
            end += '[writeback]\ncontacts_to = "bron"\n'
        path.write_text(path.read_text() + text + end, encoding="utf-8")
        installation = let_be(open_installation(read_config(path)))
        assert Backfill(installation.fetchers["bron"]).run()
        let_be(installation)
        Probe(installation.store).checkpoint()
        installation.store.close()

    def fresh(self) -> WritingBack:
        """An installation of its own, on the data as it was."""
        self.count += 1
        self.server.app.extensions["sample"].dataset = self.pristine.copy()
        own = self.folder / f"copy-{self.count}"
        copy_folder(self.folder / "template", own)
        return WritingBack(self.server, open_installation(read_config(own / "config.toml")))


class WritingBack:
    """One installation with its source."""

    def __init__(self, server: SampleServer, installation: Installation) -> None:
        self.server = server
        self.installation = installation
        self.store = installation.store
        self.client, self.headers = write_client(installation, installation.hydrator())

    @property
    def data(self) -> Dataset:
        """What the source has."""
        return self.server.dataset

    def ask(self, method: str, path: str, body: Any = None, status: int = 0) -> Any:
        """What the served API answers, its status checked."""
        answer = self.client.open(f"{API}/{path}", method=method, json=body, headers=self.headers)
        wanted = status or {"POST": 201, "DELETE": 204}.get(method, 200)
        assert answer.status_code == wanted, answer.get_data(as_text=True)
        return answer.get_json() if answer.data else None

    def contact(self, zaak: str | None = None, **more: Any) -> dict[str, Any]:
        """A klantcontact that a client made, about a zaak when it is given."""
        made: dict[str, Any] = self.ask("POST", "klantcontacten", CONTACT | more)
        if zaak is not None:
            self.about(made, zaak)
        return made

    def about(self, contact: dict[str, Any], zaak: str) -> dict[str, Any]:
        """A klantcontact's onderwerpobject for a zaak."""
        found: dict[str, Any] = self.ask(
            "POST",
            "onderwerpobjecten",
            {
                "klantcontact": {"uuid": contact["uuid"]},
                "wasKlantcontact": None,
                "onderwerpobjectidentificator": ZAAK_CODES | {"objectId": zaak},
            },
        )
        return found

    def with_person(self, contact: dict[str, Any], partij: str, **more: Any) -> dict[str, Any]:
        """A klantcontact's betrokkene."""
        body = {
            "hadKlantcontact": {"uuid": contact["uuid"]},
            "wasPartij": {"uuid": partij},
            "rol": "klant",
            "initiator": True,
        }
        found: dict[str, Any] = self.ask("POST", "betrokkenen", body | more)
        return found

    def with_actor(self, contact: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A klantcontact's medewerker."""
        body = {
            "naam": "M. de Vries",
            "soortActor": "medewerker",
            "indicatieActief": True,
            "actoridentificator": {
                "codeObjecttype": "mdw",
                "codeRegister": "msei",
                "codeSoortObjectId": "email",
                "objectId": "m.devries@x.example",
            },
        }
        actor: dict[str, Any] = self.ask("POST", "actoren", body | more)
        tie = {"actor": {"uuid": actor["uuid"]}, "klantcontact": {"uuid": contact["uuid"]}}
        self.ask("POST", "actorklantcontacten", tie)
        return actor

    def deliver(self) -> dict[str, int]:
        """Run the job until nothing may be sent any more."""
        return run_job(self.installation, BY_NAME["writeback"])

    def run(self, job: str) -> dict[str, int]:
        """Run a job once."""
        return run_job(self.installation, BY_NAME[job])

    def let_go(self) -> None:
        """Let what waits for a next try go now."""
        WriteBackProbe(self.store).later(0)

    def hurry(self) -> None:
        """Let everything that waits go now, as after the time that it waits for."""
        WriteBackProbe(self.store).later(SETTLED)

    def queue(self) -> list[queue.QueuedChange]:
        """What waits."""
        with self.store.read() as connection:
            return queue.listing(connection)

    def findings(self) -> set[tuple[str, str, str]]:
        """The rule, field and action of what an operator is told."""
        return WriteBackProbe(self.store).findings()

    def bound(self, document: str) -> dict[tuple[str, str], str]:
        """What a document became at the source: its uuid by kind and step."""
        with self.store.read() as connection:
            source = self.installation.fetchers["bron"].source
            notes = written_back.of_document(connection, source, UUID(document).bytes)
        return {(note.kind, note.step): str(UUID(bytes=note.uuid)) for note in notes if note.uuid}

    def read_all(self) -> None:
        """A sync and a whole round of the sweep."""
        hurry(self.installation)
        for job in ("sync", "sweep"):
            self.run(job)

    def nothing_changes(self) -> None:
        """A sync, a sweep and a whole verify leave the store as it is, and verify is clean."""
        before = dump_digest(self.store)
        self.read_all()
        assert dump_digest(self.store) == before
        report = Verify(self.installation.fetchers["bron"]).run()
        assert report["clean"], report["kinds"]
        assert dump_digest(self.store) == before


def zaak_of(world: WritingBack, number: int = 0) -> str:
    """A zaak that the store holds and shows."""
    return WriteBackProbe(world.store).shown_zaken()[number]


def partij_of_a_klant(world: WritingBack) -> tuple[str, str]:
    """A partij that is a klant at the source, and that klant's URL."""
    for klant in world.data.objects("klant"):
        subject = klant["subjectIdentificatie"] or {}
        if klant["subjectType"] == "natuurlijk_persoon" and subject.get("inpBsn"):
            path = f"partijen?partijIdentificator__objectId={subject['inpBsn']}"
            if found := world.ask("GET", path)["results"]:
                return found[0]["uuid"], klant["url"]
    raise AssertionError("no klant of the sample is a partij")


def made_at(data: Dataset, kind: str, before: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects of a kind that came since."""
    known = {each["url"] for each in before}
    return [each for each in data.objects(kind) if each["url"] not in known]


def uuid_of(shown: dict[str, Any]) -> str:
    """The uuid of what the source shows."""
    return last(shown["url"])


@contextlib.contextmanager
def serving(data: Dataset, **more: Any) -> Iterator[SampleServer]:
    """A sample server on this data."""
    with SampleServer(data, **more) as server:
        yield server
