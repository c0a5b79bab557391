"""A store to ask every filter of: invented klantcontacten with all the kinds of documents around them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.register import ACHTERNAMEN, FIRST_MOMENT, LEEG_ADRES, VOORNAMEN, YEARS, eleven_proof
from gateway.store.base.kinds import LEGACY_ORIGIN
from gateway.store.documents.writing import put_documents
from gateway.store.file.database import FileStore
from mappings.model.documents import Document

IN_A_TRANSACTION = 1000
# One in so many klantcontacten has a partij, an actor, ... of its own.
PARTIJ_EVERY, ACTOR_EVERY, TAAK_EVERY, BIJLAGE_EVERY = 2.5, 500, 10, 20
KANALEN = ("telefoon", "balie", "e-mail", "webformulier", "brief", "chat")
# Half of the words of a text are from the first list, so that some searches find nearly everything.
WORDS = (
    *("inwoner", "vraagt", "naar", "stand", "aanvraag", "doorverbonden", "behandelaar", "terugbellen"),
    *("paspoort", "vergunning", "bezwaar", "belasting", "afval", "parkeren", "uitkering", "verhuizing"),
)
RARE = "ooievaarsnest"
Group = list[tuple[Document, bytes | None]]


def fill(path: Path, klantcontacten: int, tell: Callable[[str], None]) -> None:
    """Make a store with so many klantcontacten at `path`, unless it is there already."""
    if path.exists():
        return
    making = path.with_name(f"{path.name}.unfinished")
    making.unlink(missing_ok=True)
    store = FileStore(making)
    store.for_bulk()
    groups, done = _groups(klantcontacten), 0
    while batch := list(islice(groups, IN_A_TRANSACTION)):
        with store.write() as connection:
            put_documents(connection, [pair for group in batch for pair in group], LEGACY_ORIGIN)
        done += len(batch)
        if done % (IN_A_TRANSACTION * 50) == 0:
            tell(f"{done} groups written")
    store.empty_log()
    store.close()
    making.rename(path)


def _groups(klantcontacten: int) -> Iterator[Group]:
    """Groups of documents that belong together, each after those that it refers to."""
    chance = random.Random(f"filters {klantcontacten}")
    make = _Maker(chance)
    categorieen = [make.one("categorie", {"naam": naam}) for naam in ("VIP", "Pilot", "Ondernemersloket")]
    yield [(one, None) for one in categorieen]
    actoren = [_actor(make, number) for number in range(max(3, klantcontacten // ACTOR_EVERY))]
    yield [(one, None) for one in actoren]
    partijen = []
    for number in range(round(klantcontacten / PARTIJ_EVERY)):
        group = _partij(make, number, categorieen, partijen)
        partijen.append(group[0][0])
        yield group
    for number in range(klantcontacten):
        # One actor did a fifth of the work.
        actor = actoren[0] if chance.random() < 0.2 else chance.choice(actoren)
        yield _klantcontact(make, number, chance.choice(partijen), actor)


class _Maker:
    """Makes documents at a random moment of the years, a little later for each of a group."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.at = FIRST_MOMENT

    def group(self) -> None:
        self.at = FIRST_MOMENT + self.chance.randrange(YEARS)

    def one(self, kind: str, body: dict[str, Any], **links: Document) -> Document:
        self.at += 1
        uuid = UUID(int=self.chance.getrandbits(128), version=4)
        made = Document(kind, uuid, body, self.at, self.at, {name: [to.uuid] for name, to in links.items()})
        if kind == "klantcontact":
            made.moment = self.at // 1_000_000 * 1_000_000 - self.chance.randrange(86_400) * 1_000_000
        return made

    def text(self, words: int, number: int) -> str:
        said = " ".join(self.chance.choice(WORDS) for _ in range(words))
        return f"{said} {RARE} {number}" if number % 50_000 == 7 else f"{said} {number}"


def _actor(make: _Maker, number: int) -> Document:
    soort = "medewerker" if number % 5 else "organisatorische_eenheid"
    naam = f"{make.chance.choice(VOORNAMEN)} {make.chance.choice(ACHTERNAMEN)} {number}"
    return make.one(
        "actor",
        {
            "naam": naam,
            "soortActor": soort if number != 1 else "geautomatiseerde_actor",
            "indicatieActief": number % 3 > 0,
            "actoridentificator": _codes("mdw", "msei", "idf", f"{number:06}"),
            "actorIdentificatie": None,
        },
    )


def _codes(objecttype: str, register: str, soort: str, value: str) -> dict[str, str]:
    return {
        "codeObjecttype": objecttype,
        "codeRegister": register,
        "codeSoortObjectId": soort,
        "objectId": value,
    }


def _adres(make: _Maker, number: int) -> dict[str, Any]:
    chance = make.chance
    adres = LEEG_ADRES | {
        "nummeraanduidingId": f"0363200{number:09}",
        "straatnaam": "Dorpsstraat",
        "huisnummer": chance.randrange(1, 400),
        "postcode": f"{chance.randrange(1000, 9999)} AB",
        "stad": "Amsterdam",
        "land": "NL" if number % 1000 else "BE",
    }
    if number % 10 == 0:
        adres |= {
            "adresregel1": f"Dorpsstraat {number % 3000}",
            "adresregel2": "Amsterdam",
            "adresregel3": f"Streek {number % 12}",
        }
    return adres


def _partij(make: _Maker, number: int, categorieen: list[Document], partijen: list[Document]) -> Group:
    make.group()
    chance, persoon = make.chance, number % 5 > 0
    voornaam, achternaam = chance.choice(VOORNAMEN), chance.choice(ACHTERNAMEN)
    partij = make.one(
        "partij",
        {
            "nummer": f"{number + 1:010}",
            "interneNotitie": "",
            "soortPartij": "persoon" if persoon else "organisatie" if number else "contactpersoon",
            "indicatieGeheimhouding": number % 1000 == 1,
            "voorkeurstaal": "nld",
            "indicatieActief": number % 100 > 0,
            "bezoekadres": _adres(make, number),
            "correspondentieadres": _adres(make, number + 7),
            "partijIdentificatie": {"naam": f"{voornaam} {achternaam} {number}"},
        },
    )
    group = [partij]
    if persoon:
        codes = _codes("natuurlijk_persoon", "brp", "bsn", eleven_proof(number))
    else:
        codes = _codes("niet_natuurlijk_persoon", "hr", "kvk_nummer", f"{10_000_000 + number}")
    identificator = make.one(
        "partij-identificator",
        {"anderePartijIdentificator": f"klant {number}", "partijIdentificator": codes},
        identificeerdePartij=partij,
    )
    group.append(identificator)
    if number % 10 == 0:
        codes = _codes("vestiging", "hr", "vestigingsnummer", f"{number:012}")
        body = {"anderePartijIdentificator": "", "partijIdentificator": codes}
        group.append(
            make.one(
                "partij-identificator", body, identificeerdePartij=partij, subIdentificatorVan=identificator
            )
        )
    for place in range(1 + number % 2):
        group.append(make.one("digitaleadres", _digitaal(make, number, place), verstrektDoorPartij=partij))
    if number % 8 == 0:
        body = {
            "iban": f"NL{number % 97:02}BANK{number:010}",
            "bic": "BANKNL2A" if number % 800 else "ANDRNL2A",
        }
        group.append(make.one("rekeningnummer", body, partij=partij))
    if number % 4 == 0:
        categorie = categorieen[0 if number % 40 else 1]
        body = {"beginDatum": f"20{number // 8 % 20 + 5:02}-0{number // 4 % 9 + 1}-01", "eindDatum": None}
        if number % 3 == 0:
            body["eindDatum"] = f"2024-0{number // 3 % 9 + 1}-01"
        group.append(make.one("categorie-relatie", body, partij=partij, categorie=categorie))
    if partijen and number % 10 == 3:
        # One partij represents a tenth of those.
        door = partijen[0] if chance.random() < 0.1 else chance.choice(partijen)
        group.append(
            make.one("vertegenwoordiging", {}, vertegenwoordigendePartij=door, vertegenwoordigdePartij=partij)
        )
    return [(one, partij.uuid.bytes) for one in group]


def _digitaal(make: _Maker, number: int, place: int) -> dict[str, Any]:
    mail = make.chance.random() < 0.6
    naam = f"{make.chance.choice(VOORNAMEN)}.{make.chance.choice(ACHTERNAMEN)}".replace(" ", "").lower()
    return {
        "adres": f"{naam}{number}@{'example' if number % 20 else 'zeldzaam'}.nl"
        if mail
        else f"06{number:08}",
        "soortDigitaalAdres": "email" if mail else "telefoonnummer" if number % 2000 else "overig",
        "isStandaardAdres": place == 0,
        "verificatieDatum": f"2024-0{number // 10 % 9 + 1}-1{number % 10}" if number % 3 == 0 else None,
        "omschrijving": f"{'werk' if number % 2 else 'thuis'} {number}" if number % 4 else "",
        "referentie": f"ref {number}" if number % 2 else "portaalvoorkeur" if number % 4 else "",
    }


def _klantcontact(make: _Maker, number: int, partij: Document, actor: Document) -> Group:
    make.group()
    chance = make.chance
    klantcontact = make.one(
        "klantcontact",
        {
            "nummer": f"{number + 1:010}",
            "referentienummer": f"R{number}" if number % 2 else None,
            # One channel went out of use: its contacts are the oldest.
            "kanaal": "fax" if make.at < FIRST_MOMENT + YEARS // 50 else chance.choice(KANALEN),
            "onderwerp": make.text(3, number),
            "inhoud": make.text(18, number),
            "reactie": make.text(8, number) if number % 4 == 0 else "",
            "indicatieContactGelukt": number % 50 > 0,
            "hoofdOnderwerpType": None,
            "verdereActieOndernomen": None,
            "taal": "nld",
            "vertrouwelijk": number % 10 == 0,
            "plaatsgevondenOp": "2024-05-01T10:00:00Z",
            "metadata": {},
        },
    )
    voornaam, achternaam = chance.choice(VOORNAMEN), chance.choice(ACHTERNAMEN)
    contactnaam = {
        "voorletters": f"{voornaam[0]}.",
        "voornaam": voornaam,
        "voorvoegselAchternaam": "van der" if number % 9 == 0 else "",
        "achternaam": achternaam if number % 2 else f"{achternaam}-{number}",
    }
    body = {
        "bezoekadres": LEEG_ADRES,
        "correspondentieadres": LEEG_ADRES,
        "contactnaam": contactnaam,
        "volledigeNaam": f"{voornaam} {achternaam}",
        "rol": "klant" if number % 30 else "vertegenwoordiger",
        "organisatienaam": f"Bakkerij {number % 5000}" if number % 5 == 0 else "",
        "initiator": number % 4 != 0,
    }
    links = {"wasPartij": partij} if number % 20 else {}
    betrokkene = make.one("betrokkene", body, hadKlantcontact=klantcontact, **links)
    codes = ("zaak", "open-zaak", "uuid") if number % 5 else ("pand", "bag", "identificatie")
    zaak = str(UUID(int=number // 3 + 1, version=4))
    onderwerp = {"onderwerpobjectidentificator": _codes(*codes, zaak)}
    relation = {"klantcontact": klantcontact} if number % 40 else {"wasKlantcontact": klantcontact}
    group = [klantcontact, betrokkene, make.one("onderwerpobject", onderwerp, **relation)]
    group.append(make.one("actorklantcontact", {}, actor=actor, klantcontact=klantcontact))
    if number % 5 == 0:
        address = _digitaal(make, number, 1) | {"isStandaardAdres": False}
        group.append(make.one("digitaleadres", address, verstrektDoorBetrokkene=betrokkene))
    if number % TAAK_EVERY == 0:
        taak = {
            "nummer": f"{number + 1:010}",
            "referentienummer": None,
            "gevraagdeHandeling": "terugbellen",
            "toelichting": make.text(5, number),
            "status": "te_verwerken" if number % 100 == 0 else "verwerkt",
            "toegewezenOp": f"2024-05-{number // 10 % 28 + 1:02}T10:00:00Z",
            "afgehandeldOp": None,
        }
        made = make.one("internetaak", taak, aanleidinggevendKlantcontact=klantcontact)
        made.links["toegewezenAanActoren"] = [actor.uuid]
        group.append(made)
    if number % BIJLAGE_EVERY == 0:
        bijlage = {"bijlageidentificator": _codes("document", "open-zaak", "uuid", f"doc {number}")}
        group.append(make.one("bijlage", bijlage, klantcontact=klantcontact))
    return [(one, klantcontact.uuid.bytes) for one in group]
