"""One person everywhere: at a source with three APIs, in what clients wrote, in quarantine, queues and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders.asker import API, write_client
from builders.commands import command
from builders.configs import read_config, write_config
from builders.probe.all_texts import texts_of
from builders.quarantine import let_be
from builders.sample_data import an_open_zaak, new_contact, new_rol, new_zaak, small
from builders.writeback_world import CONTACT

from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.contents.earlier_objects import BRONORGANISATIE, add_earlier
from gateway.sample.server import SampleServer
from gateway.store.base.store import Store
from gateway.store.operation.sources import source_id
from gateway.store.operation.verify_reports import put_report
from jobs.backfill.backfill import Backfill
from jobs.registry import BY_NAME, run_job

BSN = "111222333"
# What is written of this person and of nobody else.
MARKS = (
    BSN,
    "Zoekerman",
    "Wisselius",
    "zoekerman@example.nl",
    "wisselius@example.nl",
    "Vertelselstraat",
    "belde over iets heel eigens",
    "schreef over iets anders eigens",
    "bijzondere taakomschrijving",
)


def person_data() -> Dataset:
    """A part of the slice, with a person of our own in it."""
    data = add_earlier(small(30))
    other = an_open_zaak(data)["uuid"]
    own = new_zaak(data)
    for zaak in (own["uuid"], other):
        _rol(data, zaak)
    somebody = {"inpBsn": "123456782", "geslachtsnaam": "Ander"}
    _rol(data, other, betrokkeneIdentificatie=somebody, contactpersoonRol=None)
    for _ in range(2):
        new_contact(data, own["uuid"])
    klant = next(each for each in data.objects("klant") if each["subjectType"] == "natuurlijk_persoon")
    subject = {"inpBsn": BSN, "geslachtsnaam": "Zoekerman", "voornamen": "Zoeker"}
    data.replace("klant", klant["url"].rpartition("/")[2], klant | {"subjectIdentificatie": subject})
    _rol(data, other, betrokkeneType="marsmannetje")
    _rol(data, other, omschrijvingGeneriek="adviseur")
    return data


def _rol(data: Dataset, zaak: str, **changes: Any) -> None:
    made = new_rol(data, 0, zaak)
    identity = {
        "inpBsn": BSN,
        "geslachtsnaam": "Zoekerman",
        "voornamen": "Zoeker",
        "verblijfsadres": {
            "aoaIdentificatie": "1",
            "gorOpenbareRuimteNaam": "Vertelselstraat",
            "aoaHuisnummer": 3,
        },
    }
    contact = {"emailadres": "zoekerman@example.nl", "functie": "", "telefoonnummer": "", "naam": ""}
    whole = {
        "betrokkene": "",
        "betrokkeneType": "natuurlijk_persoon",
        "omschrijvingGeneriek": "initiator",
        "betrokkeneIdentificatie": identity,
        "contactpersoonRol": contact,
    }
    data.replace("rol", made["uuid"], made | whole | changes)


class PersonWorld:
    """An installation that read that source, and whose clients wrote of the person."""

    def __init__(self, server: SampleServer, folder: Path) -> None:
        self.server = server
        path = write_config(folder, {"bron": server})
        kinds = ["contactmomenten", "contactgegevens", "klanten"]
        more = (
            f"write_back = {kinds}\nbronorganisatie = '{BRONORGANISATIE}'\n"
            f'klanten_url = "{server.klanten_url}"\ncontactmomenten_url = "{server.contactmomenten_url}"\n'
            '[writeback]\ncontacts_to = "bron"\n'
            '[notifications]\nurl = "http://127.0.0.1:9/api/v1"\n'
            'client_id = "klantbrug"\nsecret = "a secret of the tests, long enough for it"\n'
            f'[audit]\nenabled = true\nactivity = "https://register.example.nl/inzage"\n'
        )
        text = path.read_text().replace(
            "[mapping]", '[mapping]\npartij_rollen = ["initiator", "belanghebbende"]'
        )
        path.write_text(text + more, encoding="utf-8")
        self.installation: Installation = let_be(open_installation(read_config(path)))
        assert Backfill(self.installation.fetchers["bron"]).run()
        let_be(self.installation)
        self.store: Store = self.installation.store
        self.client, self.headers = write_client(self.installation, self.installation.hydrator())
        self.partij = self.one(f"partijen?partijIdentificator__objectId={BSN}")
        self.other = next(
            each
            for each in self.ask("GET", "partijen?pageSize=100")["results"]
            if each["uuid"] != self.partij["uuid"] and each["soortPartij"] == "persoon"
        )
        self._write()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the served API answers."""
        answer = self.client.open(f"{API}/{path}", method=method, json=body, headers=self.headers)
        assert answer.status_code < 300, (answer.status_code, path.partition("?")[0])
        return answer.get_json() if answer.data else None

    def one(self, path: str) -> Any:
        """The one result of a list."""
        (found,) = self.ask("GET", path)["results"]
        return found

    def _write(self) -> None:
        who, ref = self.partij["uuid"], {"uuid": self.partij["uuid"]}
        name = {"voorletters": "W.", "voornaam": "W", "voorvoegselAchternaam": "", "achternaam": "Wisselius"}
        self.ask(
            "PATCH",
            f"partijen/{who}",
            {"soortPartij": "persoon", "partijIdentificatie": {"contactnaam": name}},
        )
        address = {
            "adres": "wisselius@example.nl",
            "soortDigitaalAdres": "email",
            "verstrektDoorPartij": ref,
            "verstrektDoorBetrokkene": None,
            "omschrijving": "van Wisselius",
        }
        self.ask("POST", "digitaleadressen", address)
        self.own = self._contact("belde over iets heel eigens", [who])
        self.shared = self._contact("gesprek met twee", [who, self.other["uuid"]])
        self.dropped = self._contact("schreef over iets anders eigens", [who])
        run_job(self.installation, BY_NAME["writeback"])
        task = {
            "gevraagdeHandeling": "bellen",
            "aanleidinggevendKlantcontact": {"uuid": self.own["uuid"]},
            "toegewezenAanActoren": [],
            "toelichting": "bijzondere taakomschrijving",
            "status": "te_verwerken",
        }
        self.ask("POST", "internetaken", task)
        # What stood in the source and a client changed before deleting it.
        legacy = [
            each
            for each in self.ask("GET", f"klantcontacten?hadBetrokkene__wasPartij__uuid={who}&pageSize=100")[
                "results"
            ]
            if each["uuid"] not in {self.own["uuid"], self.shared["uuid"], self.dropped["uuid"]}
        ]
        for each in legacy[:1]:
            self.ask("PATCH", f"klantcontacten/{each['uuid']}", {"inhoud": "schreef over iets anders eigens"})
            self.ask("DELETE", f"klantcontacten/{each['uuid']}")
        with self.store.write() as connection:
            source = source_id(connection, "bron")
            report = {"began": 1, "ended": 2, "mode": "full", "clean": False, "kinds": {"partij": [who]}}
            put_report(connection, source, report)

    def _contact(self, text: str, partijen: list[str]) -> Any:
        made = self.ask("POST", "klantcontacten", CONTACT | {"inhoud": text})
        for number, partij in enumerate(partijen):
            body = {
                "hadKlantcontact": {"uuid": made["uuid"]},
                "wasPartij": {"uuid": partij},
                "rol": "klant",
                "initiator": not number,
            }
            self.ask("POST", "betrokkenen", body)
        return made

    def person(self, *words: str, typed: str = BSN) -> Any:
        """What `klantbrug person ...` ended with, the number typed."""
        return command(self.installation, "person", *words, typed=typed)

    def texts(self) -> str:
        """All that the store holds in its tables, what is compressed in it unpacked."""
        return "\n".join(texts_of(self.store))

    def files(self) -> bytes:
        """The bytes of the store file and its log, also those of free pages."""
        path = self.installation.config.store.path
        beside = [path.with_name(path.name + end) for end in ("", "-wal")]
        return b"".join(each.read_bytes() for each in beside if each.exists())


def marks_in(text: str | bytes) -> list[str]:
    """Which of the marks of the person occur there."""
    return [mark for mark in MARKS if (mark if isinstance(text, str) else mark.encode()) in text]
