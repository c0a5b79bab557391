"""A small world that every version of the Zaken API can be the server of, and which versions those are.

Made objects, each with fields that only later versions have, beside some zaken of the slice. The server itself leaves
out what its version does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from builders.legacy_objects import (
    BSN,
    KVK,
    RSIN,
    VESTIGING,
    ZAKEN,
    klantcontact,
    medewerker,
    organisatie,
    persoon,
    rol,
    uuid_of,
    vestiging,
    zaak,
)
from builders.sample_data import sample_slice, some_zaken

from gateway.legacy.client.api_versions import parse
from gateway.sample.contents.dataset import CANONICAL_BASE, Dataset

EVERY = 150
ANR = "9000000011"
PERSOON_URL = "https://personen.voorbeeldstad.example/1"
CONTACT = {
    "naam": "Contact Persoon",
    "emailadres": "contact@voorbeeld.example",
    "telefoonnummer": "0201234567",
    "functie": "inkoper",
}
# Numbers of the parties in the made objects, by what they show.
CITIZEN, BY_URL, NAMELESS, REPRESENTED, ONCE_REPRESENTED, SECRET, REPRESENTATIVE = BSN[:7]


@dataclass(frozen=True)
class Case:
    """One server: the version that it says it is, and its variant."""

    version: str
    open_zaak: bool = False
    hal: bool = False

    def __str__(self) -> str:
        variant = "-open-zaak" if self.open_zaak else "-hal" if self.hal else ""
        return self.version + variant

    @property
    def server(self) -> dict[str, Any]:
        """The arguments of a sample server."""
        return {"version": self.version, "open_zaak": self.open_zaak, "hal": self.hal}

    def since(self, version: str) -> bool:
        """Is it that version of the standard, or a later one?"""
        number, other = parse(self.version), parse(version)
        assert number and other
        return number >= other


NUMBERS = ("1.0.2", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.1", "1.6.0", "1.7.0")
CASES = [
    *(Case(number) for number in NUMBERS),
    Case("1.2.0", hal=True),
    *(Case(number, open_zaak=True) for number in NUMBERS),
]


def _representing(number: str) -> dict[str, Any]:
    return {
        "source": "digid",
        "levelOfAssurance": "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard",
        "representee": {"identifierType": "bsn", "identifier": number},
        "mandate": {"services": []},
    }


def _made() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "zaak", zaak(1, "intern")
    yield "zaak", zaak(2, "geheim")
    yield "zaak", zaak(3)
    machtiging = {"indicatieMachtiging": "gemachtigde", "zaak": 3}
    for each in (
        persoon(
            1, CITIZEN, anr=ANR, on=3, generiek="initiator", naam="Nieuw", statussen=[f"{ZAKEN}/statussen/1"]
        ),
        persoon(2, anr=ANR, on=2, naam="Oud", zaak=3),
        persoon(3, url=PERSOON_URL, naam="Adres"),
        persoon(4, BY_URL, url=PERSOON_URL, naam="Adres", zaak=3),
        organisatie(5, "Levert B.V.", rsin=RSIN[0], kvk=KVK[0], contact=CONTACT),
        organisatie(6, "Oude Vorm B.V.", rsin=KVK[1]),
        organisatie(7, "Hoofd B.V.", rsin=RSIN[1], kvk=KVK[2], vestiging=VESTIGING[0]),
        vestiging(8, VESTIGING[1], kvk=KVK[3]),
        medewerker(9, "mw-versies", generiek="klantcontacter"),
        rol(10, {"identificatie": "afd-versies", "naam": "Afdeling"}, "organisatorische_eenheid"),
        persoon(11, NAMELESS, naam="", afwijkendeNaamBetrokkene="Buurtbewoner"),
        persoon(12, REPRESENTATIVE, authenticatieContext=_representing(REPRESENTED), **machtiging),
        persoon(
            13,
            REPRESENTATIVE,
            authenticatieContext=_representing(ONCE_REPRESENTED),
            beginGeldigheid="2020-01-01",
            eindeGeldigheid="2021-01-01",
            **machtiging,
        ),
        persoon(14, SECRET, zaak=2, generiek="initiator"),
    ):
        yield "rol", each
    yield "klantcontact", klantcontact(1)
    yield "klantcontact", klantcontact(2, zaak=2)


def world(every: int = EVERY) -> Dataset:
    """The made objects, and each `every`th zaak of the slice with all of it."""
    data = some_zaken(sample_slice(), every)
    whole = data.objects("zaak")[0]
    for kind, made in _made():
        text = orjson.dumps(made).replace(ZAKEN.encode(), f"{CANONICAL_BASE}/zaken/api/v1".encode())
        data.add(kind, (whole | {"rollen": []} if kind == "zaak" else {}) | orjson.loads(text))
    return data


__all__ = [
    "ANR",
    "BSN",
    "BY_URL",
    "CASES",
    "CITIZEN",
    "KVK",
    "NAMELESS",
    "ONCE_REPRESENTED",
    "REPRESENTATIVE",
    "REPRESENTED",
    "RSIN",
    "SECRET",
    "VESTIGING",
    "Case",
    "uuid_of",
    "world",
]  # fmt: skip
