"""Contactmomenten and what they are tied to, as objects, and a store that takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from builders.earlier_objects import (
    CONTACTMOMENTEN,
    contactmoment,
    earlier_url,
    earlier_uuid,
    klant,
    klantcontactmoment,
    objectcontactmoment,
)
from builders.legacy_objects import (
    BSN,
    SECRET,
    SETTINGS,
    SOURCE,
    ZAKEN,
    klantcontact,
    medewerker,
    persoon,
    uuid_of,
    zaak,
)
from builders.store_digest import dump_digest
from builders.stores import make_store

from gateway.ingest.ingest import Ingest
from gateway.store.inspect.dump import dump_lines
from mappings.model.settings import Settings

HERE = "https://klantbrug.example"

MEDEWERKER = {"identificatie": "mw-1", "achternaam": "Balie", "voorletters": "", "voorvoegselAchternaam": ""}

Raw = tuple[str, dict[str, Any]]

Raws = list[Raw]


def zaakcontactmoment(number: int, zaak: int, url: str) -> dict[str, Any]:
    uuid = earlier_uuid("zaakcontactmoment", number)
    return {
        "url": f"{ZAKEN}/zaakcontactmomenten/{uuid}",
        "uuid": uuid,
        "zaak": f"{ZAKEN}/zaken/{uuid_of('zaak', zaak)}",
        "contactmoment": url,
    }


class EarlierRegister:
    """A store with an ingest, and questions about what stands in it."""

    def __init__(self, path: Path, settings: Settings = SETTINGS) -> None:
        self.store = make_store(path)
        self.ingest = Ingest(self.store, settings, SECRET)
        self.ingest.addresses = {SOURCE: {"bron": f"{CONTACTMOMENTEN}/", "hier": HERE}}

    def take(self, *objects: Raw) -> None:
        for kind, raw in objects:
            self.ingest.take(SOURCE, kind, [raw], asked=0)

    def remove(self, kind: str, uuid: str) -> None:
        self.ingest.remove(SOURCE, kind, [UUID(uuid)])

    def lines(self, t: str) -> list[dict[str, Any]]:
        return [line for each in dump_lines(self.store) if (line := orjson.loads(each))["t"] == t]

    def documents(self, kind: str) -> dict[str, dict[str, Any]]:
        return {line["uuid"]: line["body"] for line in self.lines("document") if line["kind"] == kind}

    def links(self, kind: str) -> list[tuple[str, str]]:
        return [(line["source"], line["target"]) for line in self.lines("link") if line["kind"] == kind]

    def states(self, kind: str) -> list[int]:
        return [line["state"] for line in self.lines("raw") if line["kind"] == kind]

    def digest(self) -> str:
        return dump_digest(self.store)


CONTACT = earlier_uuid("contactmoment", 1)

WHOLE: Raws = [
    ("zaak", zaak(1)),
    ("zaak", zaak(2, "zaakvertrouwelijk")),
    ("zaak", zaak(3, "geheim")),
    ("rol", persoon(1, BSN[0], naam="Jansen")),
    ("rol", persoon(2, url=earlier_url("klant", 2), naam="Pieters", zaak=2)),
    ("rol", medewerker(3, "mw-1", "Balie")),
    (
        "klant",
        klant(1, {"inpBsn": BSN[0]}, achternaam="Jansen", klantnummer="7", emailadres="j@voorbeeld.example"),
    ),
    ("klant", klant(2, None, None, achternaam="Pieters", klantnummer="7")),
    ("klant", klant(3, {"inpBsn": BSN[1]}, achternaam="Smit", klantnummer="9")),
    ("contactmoment", contactmoment(1, medewerkerIdentificatie=MEDEWERKER)),
    ("contactmoment", contactmoment(2, vorigContactmoment=earlier_url("contactmoment", 1))),
    ("contactmoment", contactmoment(3, klant=earlier_url("klant", 3))),
    ("contactmoment", contactmoment(4, vorigContactmoment=earlier_url("contactmoment", 3))),
    ("klantcontactmoment", klantcontactmoment(1, 1, 1)),
    ("klantcontactmoment", klantcontactmoment(2, 1, 1, "gesprekspartner")),
    ("klantcontactmoment", klantcontactmoment(3, 1, 2, "gesprekspartner")),
    ("klantcontactmoment", klantcontactmoment(4, 2, 3)),
    ("objectcontactmoment", objectcontactmoment(1, 1, 1)),
    ("objectcontactmoment", objectcontactmoment(2, 1, 2)),
    ("objectcontactmoment", objectcontactmoment(3, 3, 3)),
    ("objectcontactmoment", objectcontactmoment(4, 3, 1)),
    ("zaakcontactmoment", zaakcontactmoment(1, 1, earlier_url("contactmoment", 2))),
    ("zaakcontactmoment", zaakcontactmoment(2, 1, "https://elders.example/contactmomenten/" + CONTACT)),
]

HELD = uuid_of("klantcontact", 1)

POINTS_HERE = f"{HERE}/klantinteracties/api/v1/klantcontacten/{HELD}"

# A klantcontact of the Zaken API, and zaakcontactmomenten that say it is about another zaak too, and about its own.
POINTED_AT: Raws = [
    ("zaak", zaak(1)),
    ("zaak", zaak(2)),
    ("rol", persoon(1, BSN[0], generiek="initiator")),
    ("klantcontact", klantcontact(1)),
    ("zaakcontactmoment", zaakcontactmoment(1, 2, POINTS_HERE)),
    ("zaakcontactmoment", zaakcontactmoment(2, 1, POINTS_HERE)),
]
