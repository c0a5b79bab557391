"""From a question of a client to what must be known to answer it: pure, no store, no legacy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mappings import nummers

# Kinds that no legacy object becomes (yet): what the store holds of them is all there is.
LOCAL_KINDS = frozenset({"rekeningnummer", "categorie", "categorie-relatie", "bijlage", "internetaak"})
NO_REPRESENTEE = "bij deze bron is niet te vragen op welke rollen een partij als vertegenwoordigde staat"
UUID_SUFFIXES = ("__uuid", "__url")
# Where a filter names a partij's identificator, and whether the answer holds all of that partij.
IDENTIFICATOR_FILTERS: Mapping[str, tuple[str, bool]] = {
    "partij": ("partijIdentificator__", True),
    "partij-identificator": ("partijIdentificator", False),
    "digitaleadres": ("verstrektDoorPartij__partijIdentificator__", False),
    "betrokkene": ("wasPartij__partijIdentificator__", True),
    "klantcontact": ("hadBetrokkene__wasPartij__partijIdentificator__", True),
}
ZAAK_FILTERS: Mapping[str, str] = {
    "klantcontact": "onderwerpobject__onderwerpobjectidentificatorObjectId",
    "onderwerpobject": "onderwerpobjectidentificatorObjectId",
}
# Filters on a reference: the kind of the document that they name.
REFERENCE_FILTERS: Mapping[str, Mapping[str, str]] = {
    "digitaleadres": {"verstrektDoorPartij": "partij", "verstrektDoorBetrokkene": "betrokkene"},
    "betrokkene": {
        "wasPartij": "partij",
        "hadKlantcontact": "klantcontact",
        "verstrektedigitaalAdres": "digitaleadres",
    },
    "klantcontact": {
        "hadBetrokkene": "betrokkene",
        "hadBetrokkene__wasPartij": "partij",
        "onderwerpobject": "onderwerpobject",
        "wasOnderwerpobject": "onderwerpobject",
    },
    "onderwerpobject": {"klantcontact": "klantcontact", "wasKlantcontact": "klantcontact"},
    "actorklantcontact": {"actor": "actor-met-contacten", "klantcontact": "klantcontact"},
    # Those that this one represents: its own rollen and zaken tell.
    "partij": {"vertegenwoordigdePartij": "partij"},
    # The one that acts first: its own rollen and zaken tell whom it represents.
    "vertegenwoordiging": {"vertegenwoordigendePartij": "partij", "vertegenwoordigdePartij": "partij"},
}


@dataclass(frozen=True, slots=True)
class Need:
    """Something to know before answering.

    `what` is "partij" (all of a party or actor: its rollen, their zaken and contacts), "identiteit" (its rollen
    only), "zaak" or "klantcontact" (a uuid), or "document" (a document by uuid: `kind` tells which).
    """

    what: str
    value: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a list asks: `needs`, or, when `unbounded`, everything of its kind.

    `partial` tells what a source can't be asked for, so that the needs alone do not make the answer whole.
    """

    needs: tuple[Need, ...] = ()
    unbounded: bool = False
    partial: str = ""


def question(kind: str, filters: Mapping[str, str]) -> Question:
    """What a list of `kind` with these filters (API names, raw values) needs from the legacy.

    One filter that the legacy can be asked bounds the answer; the others then narrow it in the store.
    """
    if kind in LOCAL_KINDS:
        return Question()
    for read in (_by_identificator, _by_zaak, _by_reference, _by_actor):
        needs = read(kind, filters)
        if needs is not None:
            hidden = read is _by_reference and _by_represented(kind, filters)
            return Question(tuple(needs), partial=NO_REPRESENTEE if hidden else "")
    return Question(unbounded=True)


def _by_identificator(kind: str, filters: Mapping[str, str]) -> list[Need] | None:
    if kind not in IDENTIFICATOR_FILTERS:
        return None
    start, whole = IDENTIFICATOR_FILTERS[kind]
    what = "partij" if whole else "identiteit"
    names = (
        ("ObjectId", "CodeSoortObjectId")
        if kind == "partij-identificator"
        else ("objectId", "codeSoortObjectId")
    )
    value, soort = filters.get(start + names[0]), filters.get(start + names[1], "")
    if value:
        return [Need(what, key) for key in number_keys(value, soort)]
    if kind == "partij" and (parent := filters.get("subIdentificatorVan__objectId")):
        parent_soort = filters.get("subIdentificatorVan__codeSoortObjectId", "")
        return [Need("identiteit", key) for key in number_keys(parent, parent_soort) if "kvk" in key]
    return None


def number_keys(value: str, soort: str = "") -> list[str]:
    """The identity keys that an identificator's objectId can be; none for a number that is not valid."""
    keys = []
    if soort in ("", "bsn") and (bsn := nummers.bsn(value)):
        keys.append(f"brp:bsn:{bsn}")
    if soort in ("", "rsin") and (rsin := nummers.rsin(value)):
        keys.append(f"hr:rsin:{rsin}")
    if soort in ("", "kvk_nummer") and (kvk := nummers.kvk_nummer(value)):
        keys.append(f"hr:kvk:{kvk}")
    if soort in ("", "vestigingsnummer") and (vestiging := nummers.vestigingsnummer(value)):
        keys.append(f"hr:vestiging:{vestiging}")
    return keys


def written_keys(kind: str, loaded: Mapping[str, Any]) -> list[str]:
    """The identity keys that a loaded body sets, on an identificator or on those of a partij."""
    if kind == "partij-identificator":
        found = [loaded]
    elif kind == "partij":
        found = list(loaded.get("partijIdentificatoren") or ())
    else:
        found = []
    codes = [one["partijIdentificator"] for one in found if one.get("partijIdentificator")]
    return [key for group in codes for key in number_keys(group["objectId"], group["codeSoortObjectId"])]


def _by_zaak(kind: str, filters: Mapping[str, str]) -> list[Need] | None:
    value = filters.get(ZAAK_FILTERS.get(kind, ""))
    if not value:
        return None
    uuid = uuid_at_end(value)
    # Only zaken are subjects of legacy contacts, and they are named by uuid (M29).
    return [Need("zaak", str(uuid))] if uuid else []


def _by_reference(kind: str, filters: Mapping[str, str]) -> list[Need] | None:
    for name, target in REFERENCE_FILTERS.get(kind, {}).items():
        for suffix in UUID_SUFFIXES:
            value = filters.get(name + suffix)
            uuid = uuid_at_end(value) if value else None
            if value:
                return [Need("document", str(uuid), target)] if uuid else []
    return None


def _by_represented(kind: str, filters: Mapping[str, str]) -> bool:
    """Is it bounded only by who is represented? That may stand on rollen of others, as representee (M26)."""
    names = [name.partition("__")[0] for name in filters]
    return (
        kind == "vertegenwoordiging"
        and "vertegenwoordigdePartij" in names
        and "vertegenwoordigendePartij" not in names
    )


def _by_actor(kind: str, filters: Mapping[str, str]) -> list[Need] | None:
    value = filters.get("actoridentificatorObjectId")
    if kind != "actor" or not value:
        return None
    soorten = ("medewerker", "organisatorische_eenheid")
    wanted = filters.get("soortActor")
    return [
        Need("identiteit", f"actor:{soort}|*|{value}") for soort in soorten if wanted in (None, "", soort)
    ]


def uuid_at_end(value: str) -> UUID | None:
    """The uuid that a text is, or that a URL ends in."""
    try:
        return UUID(value.rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None
