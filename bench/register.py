"""A register to measure on: invented partijen and klantcontacten, put straight into a store file."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from bench import places
from gateway.http.auth import create_token
from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.documents.writing import put_documents
from mappings.model.documents import Document

PARTIJEN, KLANTCONTACTEN, ZAKEN = 20_000, 50_000, 25_000
# On a busy machine more would let a database wait for longer than a writer may stand still.
IN_A_TRANSACTION = 500
SAMPLE = 2_000
FIRST_MOMENT = 1_577_836_800_000_000  # 2020-01-01, in microseconds
YEARS = 5 * 365 * 86_400_000_000
LEEG_ADRES: dict[str, Any] = {
    "nummeraanduidingId": "",
    "straatnaam": "",
    "huisnummer": None,
    "huisnummertoevoeging": "",
    "postcode": "",
    "stad": "",
    "adresregel1": "",
    "adresregel2": "",
    "adresregel3": "",
    "land": "",
}
VOORNAMEN = ("Anna", "Bram", "Chantal", "Driss", "Eva", "Fatima", "Gerrit", "Hülya", "Iris", "Jan")
ACHTERNAMEN = ("Jansen", "Bakker", "Yılmaz", "Smit", "Visser", "El Amrani", "Mulder", "Dekker", "Peters")
INHOUD = "Inwoner vraagt naar de stand van zaken van de aanvraag; doorverbonden met de behandelaar."


@dataclass(slots=True)
class Register:
    """What to ask of a filled store: a token, and some of what is in it."""

    token: str
    partijen: list[UUID] = field(default_factory=list)
    bsns: list[str] = field(default_factory=list)
    zaken: list[UUID] = field(default_factory=list)
    talkative: list[UUID] = field(default_factory=list)  # partijen with three klantcontacten
    klantcontacten: int = 0  # how many there are


def fill(path: Path, scale: float, url: str = "") -> Register:
    """Make a store of `scale` times the usual size at `path`, unless it is there already.

    In: the url of a database, where it is to be in one. The same scale always gives the same register. Out: what to ask
    of it.
    """
    there = places.is_there(path, url)
    making = path if there else path.with_name(f"{path.name}.unfinished")
    if not there:
        places.remove(making, url)
    store = places.opened(making, url)
    register = Register(create_token(store, f"bench {secrets.token_hex(8)}", "read"))
    groups = _documents(
        register, round(PARTIJEN * scale), round(KLANTCONTACTEN * scale), round(ZAKEN * scale)
    )
    while batch := list(islice(groups, IN_A_TRANSACTION)):
        if not there:
            with store.write() as connection:
                put_documents(connection, [pair for group in batch for pair in group], LOCAL_ORIGIN)
    store.close()
    if not there:
        places.rename(making, path, url)
    return register


Group = list[tuple[Document, bytes | None]]


def _documents(register: Register, partijen: int, klantcontacten: int, zaken: int) -> Iterator[Group]:
    """Groups of documents that belong together, each after those that it refers to."""
    chance = random.Random(f"register {partijen} {klantcontacten}")
    people = []
    for number in range(partijen):
        group, bsn = _partij(chance, number)
        uuid = group[0][0].uuid
        people.append(uuid)
        if len(register.partijen) < SAMPLE and chance.random() < SAMPLE * 1.2 / partijen:
            register.partijen.append(uuid)
            if bsn:
                register.bsns.append(bsn)
        yield group
    subjects = [_uuid(chance) for _ in range(zaken)]
    register.zaken += chance.sample(subjects, min(SAMPLE, zaken))
    contacts: dict[UUID, int] = dict.fromkeys(people, 0)
    register.klantcontacten = klantcontacten
    for number in range(klantcontacten):
        partij = chance.choice(people)
        contacts[partij] += 1
        yield _klantcontact(chance, number, partij, chance.choice(subjects))
    busy = [uuid for uuid, count in contacts.items() if count == 3]
    register.talkative += chance.sample(busy, min(SAMPLE, len(busy)))


def _partij(chance: random.Random, number: int) -> tuple[Group, str]:
    created = FIRST_MOMENT + chance.randrange(YEARS)
    uuid, own = _uuid(chance), chance.random() < 0.8
    voornaam, achternaam = chance.choice(VOORNAMEN), chance.choice(ACHTERNAMEN)
    identificatie: dict[str, Any] = {"naam": f"{achternaam} & Zn {number}"}
    if own:
        contactnaam = {
            "voorletters": voornaam[0],
            "voornaam": voornaam,
            "voorvoegselAchternaam": "",
            "achternaam": achternaam,
        }
        identificatie = {"contactnaam": contactnaam, "volledigeNaam": f"{voornaam} {achternaam}"}
    body = {
        "nummer": f"{number + 1:010}",
        "interneNotitie": "",
        "soortPartij": "persoon" if own else "organisatie",
        "indicatieGeheimhouding": False,
        "voorkeurstaal": "nld",
        "indicatieActief": True,
        "bezoekadres": _adres(chance),
        "correspondentieadres": LEEG_ADRES,
        "partijIdentificatie": {"uuid": str(_uuid(chance)), **identificatie} if own else identificatie,
    }
    partij = Document("partij", uuid, body, created, created)
    addresses = [_digitaal(chance, uuid, created + 1, number)]
    if chance.random() < 0.5:
        addresses.append(_digitaal(chance, uuid, created + 2, number))
    partij.links["voorkeursDigitaalAdres"] = [addresses[0].uuid]
    bsn = eleven_proof(number) if own else ""
    others = (
        [_identificator(chance, uuid, created + 3, "natuurlijk_persoon", "bsn", "brp", bsn)] if own else []
    )
    if not own:
        kvk = f"{10_000_000 + number}"
        others.append(
            _identificator(chance, uuid, created + 3, "niet_natuurlijk_persoon", "kvk_nummer", "hr", kvk)
        )
    return [(one, uuid.bytes) for one in (partij, *addresses, *others)], bsn


def _digitaal(chance: random.Random, partij: UUID, created: int, number: int) -> Document:
    mail = chance.random() < 0.6
    body = {
        "adres": f"klant{number}@example.nl" if mail else f"06{number:08}",
        "soortDigitaalAdres": "email" if mail else "telefoonnummer",
        "isStandaardAdres": False,
        "verificatieDatum": None,
        "omschrijving": "",
        "referentie": "",
    }
    links = {"verstrektDoorPartij": [partij]}
    return Document("digitaleadres", _uuid(chance), body, created, created, links)


def _identificator(
    chance: random.Random, partij: UUID, created: int, objecttype: str, soort: str, bron: str, value: str
) -> Document:
    inner = {
        "codeObjecttype": objecttype,
        "codeSoortObjectId": soort,
        "objectId": value,
        "codeRegister": bron,
    }
    body = {"anderePartijIdentificator": "", "partijIdentificator": inner}
    links = {"identificeerdePartij": [partij]}
    return Document("partij-identificator", _uuid(chance), body, created, created, links)


def _klantcontact(chance: random.Random, number: int, partij: UUID, zaak: UUID) -> Group:
    created = FIRST_MOMENT + chance.randrange(YEARS)
    moment = created - chance.randrange(86_400_000_000)
    uuid = _uuid(chance)
    body = {
        "nummer": f"{number + 1:010}",
        "referentienummer": None,
        "kanaal": chance.choice(("telefoon", "balie", "e-mail", "webformulier")),
        "onderwerp": "Stand van de aanvraag",
        "inhoud": INHOUD,
        "reactie": "",
        "indicatieContactGelukt": True,
        "hoofdOnderwerpType": None,
        "verdereActieOndernomen": None,
        "taal": "nld",
        "vertrouwelijk": False,
        "plaatsgevondenOp": "2024-05-01T10:00:00Z",
        "metadata": {},
    }
    klantcontact = Document("klantcontact", uuid, body, created, moment)
    contactnaam = {"voorletters": "", "voornaam": "", "voorvoegselAchternaam": "", "achternaam": ""}
    betrokkene = Document(
        "betrokkene",
        _uuid(chance),
        {
            "bezoekadres": LEEG_ADRES,
            "correspondentieadres": LEEG_ADRES,
            "contactnaam": contactnaam | {"achternaam": chance.choice(ACHTERNAMEN)},
            "volledigeNaam": chance.choice(ACHTERNAMEN),
            "rol": "klant",
            "organisatienaam": "",
            "initiator": True,
        },
        created + 1,
        created + 1,
        {"wasPartij": [partij], "hadKlantcontact": [uuid]},
    )
    identificator = {
        "codeObjecttype": "zaak",
        "codeSoortObjectId": "uuid",
        "objectId": str(zaak),
        "codeRegister": "open-zaak",
    }
    onderwerp = Document(
        "onderwerpobject",
        _uuid(chance),
        {"onderwerpobjectidentificator": identificator},
        created + 2,
        created + 2,
        {"klantcontact": [uuid]},
    )
    return [(one, uuid.bytes) for one in (klantcontact, betrokkene, onderwerp)]


def _adres(chance: random.Random) -> dict[str, Any]:
    return LEEG_ADRES | {
        "nummeraanduidingId": f"0363200{chance.randrange(10**9):09}",
        "straatnaam": "Dorpsstraat",
        "huisnummer": chance.randrange(1, 400),
        "postcode": f"{chance.randrange(1000, 9999)} AB",
        "stad": "Amsterdam",
        "land": "NL",
    }


def eleven_proof(number: int) -> str:
    """Nine digits that pass the eleven-test, others for each `number`."""
    start = 10_000_000 + number * 7
    # A rest of 10 can't be the last digit; the next six numbers are nobody else's.
    for digits in (f"{start + step:08}" for step in range(7)):
        rest = sum((9 - place) * int(digit) for place, digit in enumerate(digits)) % 11
        if rest < 10:
            return f"{digits}{rest}"
    raise ValueError("seven numbers in a row without a check digit")


def _uuid(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
