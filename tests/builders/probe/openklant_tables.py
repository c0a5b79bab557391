"""Tables as Open Klant 2.18 has them, made after its dump; a loader that does what loaddata does; and its answers.

Each object is a row by its pk, put in at once or over what was there, with foreign keys on all the time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from builders.paths import DATA

DUMP = json.loads((DATA / "openklant" / "dump.json").read_text(encoding="utf-8"))
ANSWERS = json.loads((DATA / "openklant" / "answers.json").read_text(encoding="utf-8"))
# Fields that hold the pk of a row: of which model, where that is not the name of the field.
REFERENCES = {
    "actor": "actor",
    "klantcontact": "klantcontact",
    "was_klantcontact": "klantcontact",
    "partij": "partij",
    "voorkeurs_digitaal_adres": "digitaaladres",
    "voorkeurs_rekeningnummer": "rekeningnummer",
    "vertegenwoordigende_partij": "partij",
    "vertegenwoordigde_partij": "partij",
    "werkte_voor_partij": "partij",
    "categorie": "categorie",
    "sub_identificator_van": "partijidentificator",
    "betrokkene": "betrokkene",
    "internetaak": "internetaak",
}
NULLABLE = {
    "nummer",
    "referentienummer",
    "indicatie_geheimhouding",
    "indicatie_contact_gelukt",
    "bezoekadres_huisnummer",
    "correspondentieadres_huisnummer",
    "eind_datum",
    "begin_datum",
    "verificatie_datum",
    "afgehandeld_op",
} | set(REFERENCES)
ADRES = (
    "nummeraanduidingId",
    "straatnaam",
    "huisnummer",
    "huisnummertoevoeging",
    "postcode",
    "stad",
    "adresregel1",
    "adresregel2",
    "adresregel3",
    "land",
)
CODES = ("objectId", "codeObjecttype", "codeRegister", "codeSoortObjectId")
NAAM = ("voorletters", "voornaam", "voorvoegselAchternaam", "achternaam")


def fields_by_model() -> dict[str, list[str]]:
    """The models of the dump, with the names of their fields."""
    found: dict[str, list[str]] = {}
    for one in DUMP:
        names = found.setdefault(one["model"].split(".")[1], list(one["fields"]))
        assert names == list(one["fields"])
    return found


MODELS = fields_by_model()


def snake(name: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)


class Tables:
    """An empty database with the tables of the models; `ordered`: what is loaded must stand in order."""

    def __init__(self, *, ordered: bool = True) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute(f"PRAGMA foreign_keys = {'ON' if ordered else 'OFF'}")
        for model, names in MODELS.items():
            columns = []
            for name in names:
                column = f"{name} {'' if name in NULLABLE else 'NOT NULL'}"
                column += " UNIQUE" if name == "uuid" else ""
                column += f" REFERENCES {REFERENCES[name]} (pk)" if name in REFERENCES else ""
                columns.append(column)
            self.connection.execute(f"CREATE TABLE {model} (pk INTEGER PRIMARY KEY, {', '.join(columns)})")

    def dangling(self) -> int:
        """How many references lead nowhere."""
        return len(self.connection.execute("PRAGMA foreign_key_check").fetchall())

    def load(self, objects: Iterable[dict[str, Any]]) -> None:
        """Put objects in, in this order."""
        for one in objects:
            app, model = one["model"].split(".")
            assert app == "klantinteracties"
            assert list(one) == ["model", "pk", "fields"]
            fields = one["fields"]
            assert sorted(fields) == sorted(MODELS[model]), model
            values = [
                json.dumps(value) if isinstance(value, dict) else value
                for value in (fields[name] for name in MODELS[model])
            ]
            marks = ", ".join("?" * (len(values) + 1))
            over = ", ".join(f"{name} = excluded.{name}" for name in MODELS[model])
            self.connection.execute(
                f"INSERT INTO {model} (pk, {', '.join(MODELS[model])}) VALUES ({marks})"
                f" ON CONFLICT (pk) DO UPDATE SET {over}",
                (one["pk"], *values),
            )

    def load_files(self, directory: Path) -> int:
        """Load the files of a directory in the order of their names; out: how many there are."""
        files = sorted(directory.glob("*.json"))
        for path in files:
            objects = json.loads(path.read_text(encoding="utf-8"))
            assert len(objects) <= 10_000
            self.load(objects)
        return len(files)

    def rows(self, model: str, order: str = "pk", **where: Any) -> list[sqlite3.Row]:
        tests = " AND ".join(f"{name} = ?" for name in where) or "1"
        return self.connection.execute(
            f"SELECT * FROM {model} WHERE {tests} ORDER BY {order}", tuple(where.values())
        ).fetchall()

    def named(self, model: str, pk: int | None) -> dict[str, str] | None:
        if pk is None:
            return None
        (row,) = self.rows(model, pk=pk)
        return {"uuid": row["uuid"]}

    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """What its API answers for each list, newest first, without addresses."""
        shown = {
            "actoren": ("actor", self._actor),
            "actorklantcontacten": ("actorklantcontact", self._actorklantcontact),
            "betrokkenen": ("betrokkene", self._betrokkene),
            "bijlagen": ("bijlage", self._bijlage),
            "categorie-relaties": ("categorierelatie", self._relatie),
            "categorieen": ("categorie", lambda row: {"uuid": row["uuid"], "naam": row["naam"]}),
            "digitaleadressen": ("digitaaladres", self._adres),
            "internetaken": ("internetaak", self._taak),
            "klantcontacten": ("klantcontact", self._contact),
            "onderwerpobjecten": ("onderwerpobject", self._onderwerp),
            "partij-identificatoren": ("partijidentificator", self._identificator),
            "partijen": ("partij", self._partij),
            "rekeningnummers": ("rekeningnummer", self._rekening),
            "vertegenwoordigingen": ("vertegenwoordigden", self._vertegenwoordiging),
        }
        orders = {"klantcontacten": "plaatsgevonden_op DESC, pk DESC"}
        return {
            path: [show(row) for row in self.rows(model, orders.get(path, "pk DESC"))]
            for path, (model, show) in shown.items()
        }

    def _actor(self, row: sqlite3.Row) -> dict[str, Any]:
        groups = {
            "medewerker": ("medewerker", ("functie", "emailadres", "telefoonnummer")),
            "organisatorische_eenheid": (
                "organisatorischeeenheid",
                ("omschrijving", "emailadres", "faxnummer", "telefoonnummer"),
            ),
            "geautomatiseerde_actor": ("geautomatiseerdeactor", ("functie", "omschrijving")),
        }
        model, names = groups[row["soort_actor"]]
        inner = self.rows(model, actor=row["pk"])
        return {
            "uuid": row["uuid"],
            "naam": row["naam"],
            "soortActor": row["soort_actor"],
            "indicatieActief": bool(row["indicatie_actief"]),
            "actoridentificator": _group(row, "actoridentificator_", CODES),
            "actorIdentificatie": {name: inner[0][name] for name in names} if inner else None,
        }

    def _actorklantcontact(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "uuid": row["uuid"],
            "actor": self.named("actor", row["actor"]),
            "klantcontact": self.named("klantcontact", row["klantcontact"]),
        }

    def _betrokkene(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "uuid": row["uuid"],
            "wasPartij": self.named("partij", row["partij"]),
            "hadKlantcontact": self.named("klantcontact", row["klantcontact"]),
            "digitaleAdressen": self._listed("digitaaladres", betrokkene=row["pk"]),
            **_adressen(row),
            "contactnaam": _group(row, "contactnaam_", NAAM),
            "volledigeNaam": _full_name(row),
            "rol": row["rol"],
            "organisatienaam": row["organisatienaam"],
            "initiator": bool(row["initiator"]),
        }

    def _bijlage(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "uuid": row["uuid"],
            "wasBijlageVanKlantcontact": self.named("klantcontact", row["klantcontact"]),
            "bijlageidentificator": _group(row, "bijlageidentificator_", CODES),
        }

    def _relatie(self, row: sqlite3.Row) -> dict[str, Any]:
        categorie = None
        if row["categorie"] is not None:
            (found,) = self.rows("categorie", pk=row["categorie"])
            categorie = {"uuid": found["uuid"], "naam": found["naam"]}
        return {
            "uuid": row["uuid"],
            "partij": self.named("partij", row["partij"]),
            "categorie": categorie,
            "beginDatum": row["begin_datum"],
            "eindDatum": row["eind_datum"],
        }

    def _adres(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "uuid": row["uuid"],
            "verstrektDoorBetrokkene": self.named("betrokkene", row["betrokkene"]),
            "verstrektDoorPartij": self.named("partij", row["partij"]),
            "adres": row["adres"],
            "soortDigitaalAdres": row["soort_digitaal_adres"],
            "isStandaardAdres": bool(row["is_standaard_adres"]),
            "omschrijving": row["omschrijving"],
            "referentie": row["referentie"],
            "verificatieDatum": row["verificatie_datum"],
        }

    def _taak(self, row: sqlite3.Row) -> dict[str, Any]:
        through = self.rows("internetakenactorenthoughmodel", internetaak=row["pk"])
        actoren = [self.named("actor", one["actor"]) for one in through]
        return {
            "uuid": row["uuid"],
            "nummer": row["nummer"],
            "referentienummer": row["referentienummer"],
            "gevraagdeHandeling": row["gevraagde_handeling"],
            "aanleidinggevendKlantcontact": self.named("klantcontact", row["klantcontact"]),
            "toegewezenAanActor": actoren[0] if actoren else {"uuid": None},
            "toegewezenAanActoren": actoren,
            "toelichting": row["toelichting"],
            "status": row["status"],
            "toegewezenOp": row["toegewezen_op"],
            "afgehandeldOp": row["afgehandeld_op"],
        }

    def _contact(self, row: sqlite3.Row) -> dict[str, Any]:
        acted = self.rows("actorklantcontact", klantcontact=row["pk"])
        return {
            "uuid": row["uuid"],
            "gingOverOnderwerpobjecten": self._listed("onderwerpobject", klantcontact=row["pk"]),
            "hadBetrokkenActoren": [self._actor(self.rows("actor", pk=one["actor"])[0]) for one in acted],
            "omvatteBijlagen": self._listed("bijlage", klantcontact=row["pk"]),
            "hadBetrokkenen": self._listed("betrokkene", klantcontact=row["pk"]),
            "leiddeTotInterneTaken": self._listed("internetaak", klantcontact=row["pk"]),
            "nummer": row["nummer"],
            "referentienummer": row["referentienummer"],
            "kanaal": row["kanaal"],
            "onderwerp": row["onderwerp"],
            "inhoud": row["inhoud"],
            "reactie": row["reactie"],
            "indicatieContactGelukt": _flag(row["indicatie_contact_gelukt"]),
            "hoofdOnderwerpType": row["hoofd_onderwerp_type"],
            "verdereActieOndernomen": bool(row["verdere_actie_ondernomen"]),
            "taal": row["taal"],
            "vertrouwelijk": bool(row["vertrouwelijk"]),
            "plaatsgevondenOp": row["plaatsgevonden_op"],
            "metadata": json.loads(row["metadata"]),
        }

    def _onderwerp(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "uuid": row["uuid"],
            "klantcontact": self.named("klantcontact", row["klantcontact"]),
            "wasKlantcontact": self.named("klantcontact", row["was_klantcontact"]),
            "onderwerpobjectidentificator": _group(row, "onderwerpobjectidentificator_", CODES),
        }

    def _identificator(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "uuid": row["uuid"],
            "identificeerdePartij": self.named("partij", row["partij"]),
            "anderePartijIdentificator": row["andere_partij_identificator"],
            "partijIdentificator": _group(row, "partij_identificator_", CODES),
            "subIdentificatorVan": self.named("partijidentificator", row["sub_identificator_van"]),
        }

    def _partij(self, row: sqlite3.Row) -> dict[str, Any]:
        relaties = []
        for one in self.rows("categorierelatie", partij=row["pk"]):
            shown = self._relatie(one)
            relaties.append(
                {
                    "uuid": shown["uuid"],
                    "categorieNaam": shown["categorie"] and shown["categorie"]["naam"],
                    "beginDatum": shown["beginDatum"],
                    "eindDatum": shown["eindDatum"],
                }
            )
        pairs = self.rows("vertegenwoordigden", vertegenwoordigende_partij=row["pk"])
        return {
            "uuid": row["uuid"],
            "nummer": row["nummer"],
            "interneNotitie": row["interne_notitie"],
            "betrokkenen": self._listed("betrokkene", partij=row["pk"]),
            "categorieRelaties": relaties,
            "digitaleAdressen": self._listed("digitaaladres", partij=row["pk"]),
            "voorkeursDigitaalAdres": self.named("digitaaladres", row["voorkeurs_digitaal_adres"]),
            "vertegenwoordigden": [self.named("partij", one["vertegenwoordigde_partij"]) for one in pairs],
            "rekeningnummers": self._listed("rekeningnummer", partij=row["pk"]),
            "voorkeursRekeningnummer": self.named("rekeningnummer", row["voorkeurs_rekeningnummer"]),
            "partijIdentificatoren": [
                self._identificator(one) for one in self.rows("partijidentificator", partij=row["pk"])
            ],
            "soortPartij": row["soort_partij"],
            "indicatieGeheimhouding": _flag(row["indicatie_geheimhouding"]),
            "voorkeurstaal": row["voorkeurstaal"],
            "indicatieActief": bool(row["indicatie_actief"]),
            **_adressen(row),
            "partijIdentificatie": self._partij_identificatie(row),
        }

    def _partij_identificatie(self, row: sqlite3.Row) -> dict[str, Any] | None:
        found = self.rows(row["soort_partij"], partij=row["pk"])
        if not found:
            return None
        inner = found[0]
        if row["soort_partij"] == "organisatie":
            return {"naam": inner["naam"]}
        name = {"contactnaam": _group(inner, "contactnaam_", NAAM), "volledigeNaam": _full_name(inner)}
        if row["soort_partij"] == "persoon":
            return name
        works = self.named("partij", inner["werkte_voor_partij"])
        return {"uuid": inner["uuid"], "werkteVoorPartij": works, **name}

    def _rekening(self, row: sqlite3.Row) -> dict[str, Any]:
        partij = self.named("partij", row["partij"])
        return {"uuid": row["uuid"], "partij": partij, "iban": row["iban"], "bic": row["bic"]}

    def _vertegenwoordiging(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "uuid": row["uuid"],
            "vertegenwoordigendePartij": self.named("partij", row["vertegenwoordigende_partij"]),
            "vertegenwoordigdePartij": self.named("partij", row["vertegenwoordigde_partij"]),
        }

    def _listed(self, model: str, **where: Any) -> list[dict[str, str]]:
        return [{"uuid": row["uuid"]} for row in self.rows(model, **where)]


def _group(row: sqlite3.Row, prefix: str, names: Iterable[str]) -> dict[str, Any]:
    return {name: row[f"{prefix}{snake(name)}"] for name in names}


def _adressen(row: sqlite3.Row) -> dict[str, Any]:
    return {name: _group(row, f"{name}_", ADRES) for name in ("bezoekadres", "correspondentieadres")}


def _full_name(row: sqlite3.Row) -> str:
    parts = (row[f"contactnaam_{snake(name)}"] for name in NAAM[1:])
    return " ".join(part for part in parts if part)


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def without_addresses(value: Any) -> Any:
    """What an answer says, without the addresses in it, and without what a list adds to be expanded."""
    if isinstance(value, dict):
        return {
            name: without_addresses(each) for name, each in value.items() if name not in ("url", "_expand")
        }
    return [without_addresses(each) for each in value] if isinstance(value, list) else value
