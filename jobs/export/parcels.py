"""One document on its way to the register, and the order in which they go (E1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from gateway.store.export.documents import UNDER, Leaving
from gateway.store.export.pairs import FOUND, TAKEN, Intent, Pair
from gateway.target.contents import content, digest_of
from gateway.target.lookup import NUMBERS

Json = dict[str, Any]
# What a register refuses without a parent; such a number never goes along with its partij.
ONLY_UNDER_ANOTHER = "vestigingsnummer"
# Actoren are not unique at a register, and one categorie is as good as another of that name.
ALWAYS_LOOKED_FOR = ("actor", "categorie")
# What was there before us may have these already.
OWNERS: dict[str, tuple[str, ...]] = {
    "digitaleadres": ("verstrektDoorPartij", "verstrektDoorBetrokkene"),
    "rekeningnummer": ("partij",),
    "categorie-relatie": ("partij",),
    "vertegenwoordiging": ("vertegenwoordigendePartij", "vertegenwoordigdePartij"),
    "betrokkene": ("hadKlantcontact",),
    "onderwerpobject": ("klantcontact",),
    "actorklantcontact": ("klantcontact",),
    "bijlage": ("klantcontact",),
    "internetaak": ("aanleidinggevendKlantcontact",),
}


class Stage(NamedTuple):
    """Documents that go together: of a kind, and only those that refer to something by `relation` (or do not)."""

    name: str
    kind: str
    relation: str = ""
    having: bool = False


PREFERENCES = "voorkeuren van partijen"
STAGES: tuple[Stage, ...] = (
    Stage("actoren", "actor"),
    Stage("partijen", "partij", "partij.werkteVoorPartij"),
    Stage("contactpersonen", "partij", "partij.werkteVoorPartij", having=True),
    Stage("partij-identificatoren", "partij-identificator", "partij-identificator.subIdentificatorVan"),
    Stage(
        "partij-identificatoren onder een ander",
        "partij-identificator",
        "partij-identificator.subIdentificatorVan",
        having=True,
    ),
    Stage("digitaleadressen van partijen", "digitaleadres", "digitaleadres.verstrektDoorBetrokkene"),
    Stage("rekeningnummers", "rekeningnummer"),
    Stage("categorieen", "categorie"),
    Stage("categorie-relaties", "categorie-relatie"),
    Stage("vertegenwoordigingen", "vertegenwoordiging"),
    Stage("klantcontacten", "klantcontact"),
    Stage("betrokkenen", "betrokkene"),
    Stage(
        "digitaleadressen van betrokkenen",
        "digitaleadres",
        "digitaleadres.verstrektDoorBetrokkene",
        having=True,
    ),
    Stage("onderwerpobjecten", "onderwerpobject"),
    Stage("actorklantcontacten", "actorklantcontact"),
    Stage("bijlagen", "bijlage"),
    Stage("internetaken", "internetaak"),
)
# A partij may prefer an address that was given at a contact as well, so preferences go when all is there.


@dataclass(slots=True)
class Parcel:
    """A document as it is sent.

    `numbers` are the identificatoren that go along with a partij; `turn` and `moment` say with which lot and when it
    was sent, 0 before that; `looks_first` whether the register may have it already, `known_by` by which codes of
    numbers that do not go along, `left` which fields it had to do without.
    """

    own: bytes
    kind: str
    sent: Json
    digest: bytes
    numbers: list[tuple[bytes, bytes]] = field(default_factory=list)  # uuid and digest
    turn: int = 0
    moment: int = 0
    looks_first: bool = False
    known_by: list[Json] = field(default_factory=list)
    left: Json = field(default_factory=dict)

    def intent(self) -> Intent:
        """What is noted before it goes."""
        return Intent(self.own, self.kind, orjson.dumps(self.sent).decode(), self.digest)

    def without(self, name: str) -> None:
        """Leave a field out of what is sent."""
        value = self.sent.pop(name, None)
        if name == NUMBERS:
            self.numbers = []
        else:
            self.left[name] = value


def parcel_of(leaving: Leaving, numbers: Sequence[Leaving] = ()) -> Parcel:
    """A document made ready; `numbers` of a partij go along. Raises ReferenceMissing."""
    made = Parcel(leaving.uuid, leaving.kind, content(leaving), digest_of(leaving))
    along = [one for one in numbers if _alone(one)]
    if along:
        made.sent[NUMBERS] = [_inside(one) for one in along]
        made.numbers = [(one.uuid, digest_of(one)) for one in along]
    made.known_by = _known_by(numbers)
    there = any(
        linked.state in (FOUND, TAKEN)
        for name in OWNERS.get(leaving.kind, ())
        for linked in leaving.links.get(name, ())
    )
    codes = made.sent.get("actoridentificator") or {}
    known = bool(codes.get("objectId")) if leaving.kind == "actor" else leaving.kind in ALWAYS_LOOKED_FOR
    under = leaving.kind == "partij-identificator" and bool(leaving.links.get(UNDER))
    made.looks_first = known or there or under or bool(made.known_by)
    return made


def parcel_again(pair: Pair, numbers: Sequence[Leaving]) -> Parcel:
    """A document that was on its way when the process ended."""
    sent = orjson.loads(pair.sent or "{}")
    made = Parcel(pair.own, pair.kind, sent, pair.digest or b"", turn=pair.turn, moment=pair.moment)
    made.known_by = [] if sent.get(NUMBERS) else _known_by(numbers)
    made.looks_first = bool(made.known_by)
    inside = [one["partijIdentificator"] for one in sent.get(NUMBERS, ())]
    by_codes = {orjson.dumps(_inside(one)["partijIdentificator"]): one for one in numbers if _alone(one)}
    for codes in inside:
        one = by_codes.get(orjson.dumps(codes))
        made.numbers.append((one.uuid, digest_of(one)) if one else (b"", b""))
    return made


def _known_by(numbers: Sequence[Leaving]) -> list[Json]:
    """The codes of the numbers of a partij that does not have any that goes along with it."""
    if any(_alone(one) for one in numbers):
        return []
    return [orjson.loads(one.body)["partijIdentificator"] for one in numbers]


def _alone(number: Leaving) -> bool:
    """May it go along with its partij?"""
    codes = orjson.loads(number.body)["partijIdentificator"]
    return not number.links.get(UNDER) and bool(codes["codeSoortObjectId"] != ONLY_UNDER_ANOTHER)


def _inside(number: Leaving) -> Json:
    body = orjson.loads(number.body)
    return {name: body[name] for name in ("anderePartijIdentificator", "partijIdentificator")}
