"""Traits: the values that many documents share, of each kind, and how they are found in a document.

A trait is a value of which few others are used (a kanaal, a code, a flag), of the document itself or of what it is
linked with, named by the path from the document. What becomes of them stands in profiles.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from gateway.store.base.conditions import Hop
from gateway.store.base.kinds import LEGACY_ORIGIN, RELATION

_CODES = ("codeObjecttype", "codeRegister", "codeSoortObjectId")
_OF_PARTIJ = tuple(f"partijIdentificator.{code}" for code in _CODES)
_IDENTIFICATOR = "<partij-identificator.identificeerdePartij"
_ONDERWERP = tuple(f"onderwerpobjectidentificator.{code}" for code in _CODES)


def _named(path: str, fields: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{path}:{field}" for field in fields)


# The traits of each kind, as `name_of` names them: the path of hops, a colon, the field. A hop is `>relation` to the
# document that this one refers to, `<relation` to those that refer to it: `>betrokkene.wasPartij:soortPartij` is the
# soortPartij of the partij that a betrokkene was. Without a field: whether there is a document at the end of the path.
# With ?: whether the field is filled. With ~: what only counts of documents from the legacy. Each kind stands after
# those that it looks at.
TRAITS: dict[str, tuple[str, ...]] = {
    "categorie": _named("", ("naam",)),
    "onderwerpobject": (*_named("", _ONDERWERP), *_named("", (f"~{field}" for field in _ONDERWERP))),
    "bijlage": _named("", (f"bijlageidentificator.{code}" for code in _CODES)),
    "actor": (
        *_named("", (f"actoridentificator.{code}" for code in _CODES)),
        *_named("", ("indicatieActief", "soortActor")),
    ),
    "internetaak": _named("", ("status",)),
    "categorie-relatie": _named(">categorie-relatie.categorie", ("naam",)),
    "partij-identificator": (
        *_named("", _OF_PARTIJ),
        *_named(">partij-identificator.subIdentificatorVan", _OF_PARTIJ),
    ),
    "partij": (
        *_named("", ("soortPartij", "indicatieActief", "indicatieGeheimhouding")),
        *_named("", ("bezoekadres.land", "correspondentieadres.land")),
        *_named(_IDENTIFICATOR, _OF_PARTIJ),
        *_named(f"{_IDENTIFICATOR}>partij-identificator.subIdentificatorVan", _OF_PARTIJ),
        *_named("<categorie-relatie.partij>categorie-relatie.categorie", ("naam",)),
    ),
    "betrokkene": (
        *_named("", ("rol", "contactnaam.voorvoegselAchternaam")),
        *_named(">betrokkene.wasPartij", ("",)),
        *_named(f">betrokkene.wasPartij{_IDENTIFICATOR}", _OF_PARTIJ),
    ),
    "digitaleadres": (
        *_named("", ("isStandaardAdres", "soortDigitaalAdres", "?verificatieDatum")),
        *_named(">digitaleadres.verstrektDoorBetrokkene", ("rol",)),
        *_named(">digitaleadres.verstrektDoorPartij", ("soortPartij",)),
        *_named(f">digitaleadres.verstrektDoorPartij{_IDENTIFICATOR}", _OF_PARTIJ),
    ),
    "klantcontact": (
        *_named("", ("indicatieContactGelukt", "kanaal", "vertrouwelijk")),
        *_named("<internetaak.aanleidinggevendKlantcontact", ("",)),
        *_named("<betrokkene.hadKlantcontact>betrokkene.wasPartij", ("",)),
        *_named(f"<betrokkene.hadKlantcontact>betrokkene.wasPartij{_IDENTIFICATOR}", _OF_PARTIJ),
        *(
            name
            for relation in ("klantcontact", "wasKlantcontact")
            for sign in ("", "~")
            for name in _named(f"<onderwerpobject.{relation}", (f"{sign}{field}" for field in _ONDERWERP))
        ),
    ),
}
# At the end of which relation there is a document of which kind.
_TO: dict[str, str] = {
    "categorie-relatie.categorie": "categorie",
    "categorie-relatie.partij": "partij",
    "partij-identificator.subIdentificatorVan": "partij-identificator",
    "partij-identificator.identificeerdePartij": "partij",
    "betrokkene.wasPartij": "partij",
    "betrokkene.hadKlantcontact": "klantcontact",
    "digitaleadres.verstrektDoorBetrokkene": "betrokkene",
    "digitaleadres.verstrektDoorPartij": "partij",
    "internetaak.aanleidinggevendKlantcontact": "klantcontact",
    "onderwerpobject.klantcontact": "klantcontact",
    "onderwerpobject.wasKlantcontact": "klantcontact",
}
# What a document has in the places of its own traits.
Values = tuple[Any, ...]


class TraitPlan(NamedTuple):
    """How the profile of one kind is made: own traits, and the hops to what it looks at with the names taken there."""

    own: tuple[tuple[str, str], ...]  # the name, and the sign before the field
    places: tuple[tuple[str, str], ...]  # where they stand: a key of the body, and one inside that or ""
    by_origin: bool
    # By hop: what the names begin with here, by the name there; a document there counts itself by the name "".
    near: dict[Hop, dict[str, str]]


def _hop(text: str) -> tuple[Hop, str]:
    """The first hop of a name, and the rest of the name."""
    end = min(place for place in (text.find(sign, 1) for sign in "<>:") if place > 0)
    return Hop(text[1:end], back=text[0] == "<"), text[end:]


def _plan() -> dict[str, TraitPlan]:
    kinds = {}
    for kind, names in TRAITS.items():
        own, places, near = [], [], defaultdict[Hop, dict[str, str]](dict)
        for name in names:
            if name.startswith(":"):
                sign = name[1] if name[1] in "?~" else ""
                key, _, inner = name[1 + len(sign) :].partition(".")
                own.append((name, sign))
                places.append((key, inner))
            else:
                hop, rest = _hop(name)
                near[hop]["" if rest == ":" else rest] = name
        by_origin = any(sign == "~" for _, sign in own)
        kinds[kind] = TraitPlan(tuple(own), tuple(places), by_origin, dict(near))
    return kinds


PLAN = _plan()
# Who looks at a kind: by the kind, the relation and whether the one who looks is its target.
LOOKED_AT: dict[str, list[Hop]] = defaultdict(list)
for _kind in PLAN.values():
    for _one in _kind.near:
        LOOKED_AT[_one.relation.split(".")[0] if _one.back else _TO[_one.relation]].append(_one)
# The hops of all names, by the number of their relation.
HOPS = {RELATION[hop.relation]: hop for kind in PLAN.values() for hop in kind.near}


def own_values(plan: TraitPlan, body: dict[str, Any], origin: int) -> Values:
    """The values of a document's own traits, in the order of the plan, and its origin where that matters."""
    found = [body.get(key) if not inner else (body.get(key) or {}).get(inner) for key, inner in plan.places]
    return (*found, origin if plan.by_origin else 0)


def own_traits(plan: TraitPlan, values: Values) -> set[str]:
    """The traits that these values are."""
    *found, origin = values
    traits = set()
    for (name, sign), value in zip(plan.own, found, strict=True):
        if value is not None and value != "" and not (sign == "~" and origin != LEGACY_ORIGIN):
            traits.add(as_trait(name, 1 if sign == "?" else value))
    return traits


def as_trait(name: str, value: object) -> str:
    """A trait as profiles have it: its name with this value."""
    return f"{name}={int(value) if isinstance(value, bool) else value}"
