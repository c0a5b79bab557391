"""The rules for writing that need other documents: what is refused, what the server adds, what follows elsewhere.

Source: the recorded exchanges named at each, and the behaviour that was measured with them.
A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from gateway.base.clock import utc_now
from gateway.http.problems import InvalidParam
from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.klantinteracties.write.drafts import Draft, link_field
from gateway.store.base.session import Session
from gateway.store.documents import lookup, reading
from gateway.store.edits import editing, standard_addresses
from gateway.store.edits.editing import EditableDocument
from mappings.klantinteracties import NEEDS_KVK_NUMMER
from mappings.klantinteracties.faults import nothing_to_prefer

PARENT = "partij-identificator.subIdentificatorVan"
OF_PARTIJ = "partij-identificator.identificeerdePartij"
NOT_UNIQUE = InvalidParam(
    "__all__",
    "invalid",
    "`PartijIdentificator` moet uniek zijn, er bestaat er al een met deze gegevenscombinatie.",
)
ONE_OF_EACH_SOORT = InvalidParam("__all__", "invalid", "`CodeSoortObjectId` moet uniek zijn voor de Partij.")
# Where only the beginning was measured, the rest is in our own words.
OWN_PARENT = InvalidParam(
    "subIdentificatorVan", "invalid", "Een `PartijIdentificator` kan niet onder zichzelf vallen."
)
HAS_CHILDREN = InvalidParam(
    "partijIdentificatorCodeSoortObjectId",
    "invalid",
    "Het is niet mogelijk om de codeSoortObjectId te wijzigen: er vallen andere PartijIdentificatoren onder.",
)
WRONG_PARENT = InvalidParam(
    "subIdentificatorVan",
    "invalid",
    "Het is alleen mogelijk om een subIdentificatorVan te kiezen met codeSoortObjectId = `kvk_nummer`.",
)
ACTOR_NOT_UNIQUE = InvalidParam(
    "actoridentificator", "unique", "Er bestaat al een actor met deze `actoridentificator`."
)
NOT_LINKED = {
    "voorkeursDigitaalAdres": "Het voorkeurs adres moet een gelinkte digitaal adres zijn.",
    "voorkeursRekeningnummer": "Het voorkeurs rekeningnummer moet een gelinkte rekeningnummer zijn.",
}
NUMBERS_OF_PARTIJ = "partijIdentificatoren.identificeerdePartij"
NAMED_TWICE = InvalidParam(
    NUMBERS_OF_PARTIJ, "duplicated", "Dezelfde `uuid` mag in `partijIdentificatoren` maar één keer voorkomen."
)
NAMES_ITS_PARTIJ = InvalidParam(
    NUMBERS_OF_PARTIJ,
    "invalid",
    "`identificeerdePartij` volgt uit de partij zelf en hoort niet in `partijIdentificatoren`.",
)
REPRESENTS_ITSELF = InvalidParam(
    "vertegenwoordigdePartij", "invalid", "De partij kan niet zichzelf vertegenwoordigen."
)
OF_ADRES = "digitaleadres.verstrektDoorPartij"


def _set_not_unique(fields: str) -> InvalidParam:
    return InvalidParam("nonFieldErrors", "unique", f"De velden {fields} moeten een unieke set zijn.")


PAIR_NOT_UNIQUE = _set_not_unique("vertegenwoordigende_partij, vertegenwoordigde_partij")
CONTACT_NOT_UNIQUE = _set_not_unique("actor, klantcontact")
REFERENTIE_NOT_UNIQUE = _set_not_unique("['verstrekt_door_partij', 'referentie', 'soort_digitaal_adres']")


def _preferences() -> Iterator[tuple[str, str]]:
    for resource in RESOURCES:
        lists = {item.name: item for item in resource.fields if isinstance(item, declared.Listing)}
        for item in resource.fields:
            if isinstance(item, declared.DocumentReference) and item.among:
                yield lists[item.among].relation, item.relation


# By the relation that makes something belong to a document: the relation by which that document prefers it.
PREFERENCES: Mapping[str, str] = dict(_preferences())


def existing_actor(connection: Session, kind: str, given: Mapping[str, Any]) -> EditableDocument | None:
    """The actor that a body of a POST means, when a client made one of that soort with its actoridentificator (M31).

    The recorded server makes another one of it, so clients do not expect to be refused; with two of them they can't
    tell any more who it was. One that only the legacy gives is not answered: the client's becomes one with it, and
    keeps the uuid that his POST gave (M19).
    """
    codes = given.get("actoridentificator") if kind == "actor" else None
    if not codes or not codes["objectId"]:
        return None
    found = lookup.having(
        connection, lookup.same_actoren(connection, codes), "soortActor", given["soortActor"]
    )
    return editing.get(connection, found[0]) if found else None


def judge(connection: Session, draft: Draft) -> list[InvalidParam]:
    """What is wrong with a merged draft as a whole, as far as only the store can decide."""
    rule = _RULES.get(draft.resource.kind)
    return list(rule(connection, draft)) if rule else []


def _partij(connection: Session, draft: Draft) -> Iterator[InvalidParam]:
    """Its numbers are its own, each once; what it prefers is one of its own, as its lists would become [140]."""
    lists = {item.name: item for item in draft.resource.fields if isinstance(item, declared.Listing)}
    numbers = draft.lists.get("partijIdentificatoren", [])
    if len(set(numbers)) < len(numbers):
        yield NAMED_TWICE
    for number in draft.given.get("partijIdentificatoren", ()):
        named = number.get("identificeerdePartij")
        # What an answer showed may come back.
        if named and not (draft.held and _is(connection, draft.held, named["uuid"])):
            yield NAMES_ITS_PARTIJ
            break
    for item in draft.resource.fields:
        if (
            not isinstance(item, declared.DocumentReference)
            or not item.among
            or not draft.given.get(item.name)
        ):
            continue
        own = draft.lists.get(item.among)
        if own is None:
            relation = lists[item.among].relation
            own = lookup.referring(connection, relation, draft.held.id) if draft.held else []
        if not own and item.among not in draft.given:
            yield InvalidParam(item.name, *nothing_to_prefer(item.name, item.among))
        elif not set(draft.links[link_field(item.relation)]) <= set(own):
            yield InvalidParam(item.name, "invalid", NOT_LINKED[item.name])


def _is(connection: Session, held: EditableDocument, uuid: UUID) -> bool:
    """Is this a uuid of that document, its own or another one (M6)?"""
    found = reading.find(connection, held.kind, uuid.bytes)
    return found is not None and found[0] == held.id


def _identificator(connection: Session, draft: Draft) -> Iterator[InvalidParam]:
    """Its place under another one [138], and its uniqueness in the register [136] and within its partij."""
    held, own = draft.held, {draft.held.id} if draft.held else set()
    codes = draft.merged["partijIdentificator"]
    soort = codes["codeSoortObjectId"]
    parents = draft.links.get("subIdentificatorVan", [])
    if own & set(parents):
        yield OWN_PARENT
        return
    if soort == "vestigingsnummer" and not parents and not stays_without_parent(draft):
        yield InvalidParam(*NEEDS_KVK_NUMMER)
        return
    if parents and not lookup.having(
        connection, parents, "partijIdentificator.codeSoortObjectId", "kvk_nummer"
    ):
        yield WRONG_PARENT
        return
    other_soort = held is not None and soort != held.body["partijIdentificator"]["codeSoortObjectId"]
    if held and other_soort and lookup.referring(connection, PARENT, held.id):
        yield HAS_CHILDREN
        return
    if lookup.same_identificatoren(connection, codes, next(iter(parents), None)) - own:
        yield NOT_UNIQUE
    for partij in draft.links.get("identificeerdePartij", []):
        others = [row for row in lookup.referring(connection, OF_PARTIJ, partij) if row not in own]
        if lookup.having(connection, others, "partijIdentificator.codeSoortObjectId", soort):
            yield ONE_OF_EACH_SOORT


def stays_without_parent(draft: Draft) -> bool:
    """Does an identificator that the legacy gave without parent stay as it was served (M17)?"""
    held = draft.held
    return (
        held is not None
        and not held.links.get("subIdentificatorVan")
        and not draft.links.get("subIdentificatorVan")
        and draft.merged["partijIdentificator"] == held.body["partijIdentificator"]
    )


def _vertegenwoordiging(connection: Session, draft: Draft) -> Iterator[InvalidParam]:
    """Two different partijen [143], and each pair once [144]."""
    one, other = draft.links["vertegenwoordigendePartij"], draft.links["vertegenwoordigdePartij"]
    if one == other:  # under whatever uuids they were named
        yield REPRESENTS_ITSELF
        return
    pair = [
        ("vertegenwoordiging.vertegenwoordigendePartij", one[0]),
        ("vertegenwoordiging.vertegenwoordigdePartij", other[0]),
    ]
    if lookup.referring_to_all(connection, pair) - ({draft.held.id} if draft.held else set()):
        yield PAIR_NOT_UNIQUE


def _actorklantcontact(connection: Session, draft: Draft) -> Iterator[InvalidParam]:
    """An actor is named once at a klantcontact."""
    if draft.held and draft.links == draft.held.links:
        return
    pair = [(f"actorklantcontact.{name}", draft.links[name][0]) for name in ("klantcontact", "actor")]
    if lookup.referring_to_all(connection, pair) - ({draft.held.id} if draft.held else set()):
        yield CONTACT_NOT_UNIQUE


def _digitaleadres(connection: Session, draft: Draft) -> Iterator[InvalidParam]:
    """A referentie is of one address of a soort of a partij."""
    held, name = draft.held, "verstrektDoorPartij"
    same = held and all(
        held.body[field] == draft.merged[field] for field in ("referentie", "soortDigitaalAdres")
    )
    if held and same and set(draft.links.get(name, [])) <= set(held.links.get(name, [])):
        return
    for partij in draft.links.get(name, []):
        if _taken(connection, partij, draft.merged) - ({held.id} if held else set()):
            yield REFERENTIE_NOT_UNIQUE


def _taken(connection: Session, partij: int, adres: Mapping[str, Any]) -> set[int]:
    """The addresses of a partij with the soort and referentie of this one, when it has a referentie."""
    if not adres["referentie"]:
        return set()
    found = lookup.referring(connection, OF_ADRES, partij)
    for field in ("referentie", "soortDigitaalAdres"):
        found = lookup.having(connection, found, field, adres[field])
    return set(found)


def joined(connection: Session, held: EditableDocument, partij: int) -> list[InvalidParam]:
    """What is wrong with an address that a partij has just taken over."""
    others = _taken(connection, partij, held.body) - {held.id} if held.kind == "digitaleadres" else set()
    return [REFERENTIE_NOT_UNIQUE] if others else []


def _actor(connection: Session, draft: Draft) -> Iterator[InvalidParam]:
    """An actor does not become another one that clients made; with one of the legacy it becomes one (M31)."""
    codes, held = draft.merged["actoridentificator"], draft.held
    if not codes or not codes["objectId"] or (held and held.body["actoridentificator"] == codes):
        return
    if set(lookup.same_actoren(connection, codes)) - ({held.id} if held else set()):
        yield ACTOR_NOT_UNIQUE


_RULES: Mapping[str, Callable[[Session, Draft], Iterator[InvalidParam]]] = {
    "actor": _actor,
    "actorklantcontact": _actorklantcontact,
    "digitaleadres": _digitaleadres,
    "partij": _partij,
    "partij-identificator": _identificator,
    "vertegenwoordiging": _vertegenwoordiging,
}


def complete(draft: Draft) -> None:
    """Add to a merged draft what the server's clock says [012, 015, 026, 027, 113]."""
    clock = utc_now()
    now = clock.isoformat().replace("+00:00", "Z")
    merged = draft.merged
    match draft.resource.kind:
        case "klantcontact":
            merged["plaatsgevondenOp"] = merged["plaatsgevondenOp"] or now
        case "internetaak":
            merged["toegewezenOp"] = merged["toegewezenOp"] or now
            handled = merged["status"] == "verwerkt"
            merged["afgehandeldOp"] = (merged["afgehandeldOp"] or now) if handled else None
        case "categorie-relatie":
            was_there = draft.held is None or draft.held.body["beginDatum"]
            if was_there and not merged["beginDatum"]:
                merged["beginDatum"] = clock.date().isoformat()


def follow(connection: Session, before: EditableDocument | None, row: int, *, prefer: bool) -> None:
    """What a written document means for others: nobody prefers what isn't his, one standaardadres of each soort.

    `prefer` tells whether partijen from the legacy prefer an address of themselves (`[mapping] voorkeursadres`).
    """
    after = editing.get(connection, row)
    for name, targets in (before.links if before else {}).items():
        preference = PREFERENCES.get(f"{after.kind}.{name}")
        for former in set(targets) - set(after.links.get(name, [])) if preference else ():
            _lose_preference(connection, former, link_field(preference or ""), row)
    if after.kind == "digitaleadres" and after.body[standard_addresses.STANDARD]:
        standard_addresses.chosen_by_client(connection, before, after)
    of = [held.links.get(standard_addresses.BY, []) for held in (before, after) if held]
    partijen = {row} if after.kind == "partij" else {partij for targets in of for partij in targets}
    standard_addresses.settle(connection, partijen, prefer=prefer)


def _lose_preference(connection: Session, partij: int, name: str, row: int) -> None:
    held = editing.get(connection, partij)
    if row in held.links.get(name, []):
        editing.amend(connection, held, held.body, {**held.links, name: []})
