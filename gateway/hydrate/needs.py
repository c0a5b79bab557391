"""From a question or write of a client to what must be known for it: pure, no store, no legacy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from mappings.model.settings import Settings
from mappings.values import nummers
from mappings.values.uuids import uuid_in

# Kinds that no legacy object becomes: what the store holds of them is all there is. Only contactmomenten of a type in
# `[mapping] contactverzoek_typen` become internetaken (M40).
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
    "internetaak": {"aanleidinggevendKlantcontact": "klantcontact"},
    # Those that this one represents: its own rollen and zaken say so.
    "partij": {"vertegenwoordigdePartij": "partij"},
    # The one that acts first: its own rollen and zaken say whom it represents.
    "vertegenwoordiging": {"vertegenwoordigendePartij": "partij", "vertegenwoordigdePartij": "partij"},
}


# Filters that only what clients write can meet. Either no legacy object fills the field (M11, M21, M28): "". Or none
# becomes what it refers to: then a kind of LOCAL_KINDS. The store is all there is of those.
CLIENTS_FILTERS: Mapping[str, Mapping[str, str]] = {
    "partij": {
        "categorierelatie__categorie__naam": "categorie-relatie",
        "indicatieGeheimhouding": "",
    },
    "klantcontact": {
        "indicatieContactGelukt": "",
        "leiddeTotInterneTaken": "internetaak",
        "referentienummer": "",
    },
    "digitaleadres": {
        "isGeverifieerd": "",
        "referentie": "",
        "verificatieDatum": "",
        **{f"verificatieDatum__{compare}": "" for compare in ("gt", "gte", "lt", "lte")},
    },
}
# Of these, the ones that ask whether something is there: only "yes" is about what clients wrote.
IS_THERE = ("isGeverifieerd", "leiddeTotInterneTaken")
YES = ("true", "1")
# Filters by which a client finds again what it wrote itself: no source can be asked, but what is written here is known.
WRITTEN_FILTERS: Mapping[str, tuple[str, ...]] = {
    "digitaleadres": ("adres", "adres__icontains"),
    "betrokkene": ("verstrektedigitaalAdres__adres",),
    "klantcontact": ("hadBetrokkene__digitaaladres__adres__icontains",),
}
# Filters with a value that at most one document of the kind has.
UNIQUE_FILTERS: Mapping[str, tuple[str, ...]] = {"partij": ("nummer",), "klantcontact": ("nummer",)}
GROEP = "groep"
SOORTEN_ACTOR = ("medewerker", "organisatorische_eenheid")
CODES = ("codeObjecttype", "codeRegister", "codeSoortObjectId")
# The codes of the actoridentificator that legacy actoren have, by soortActor (M27).
ActorCodes = Mapping[str, tuple[str, str, str]]
ANY_CODES: ActorCodes = {}


@dataclass(frozen=True, slots=True)
class Need:
    """Something to know before answering.

    `what` is one of:

    - "partij": all of a party or actor, its rollen, their zaken and contacts;
    - "identiteit": its rollen only;
    - "zaak", "klantcontact": a uuid;
    - "document": a document by uuid, of this `kind`.
    """

    what: str
    value: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """What a list asks: `needs`, or, when `unbounded`, everything of its kind.

    `partial` tells what a source can't be asked for, so that the needs alone do not make the answer whole. Of an
    unbounded one `written` says that what clients wrote is an answer to it, and `unique` that whatever is found is.
    """

    needs: tuple[Need, ...] = ()
    unbounded: bool = False
    partial: str = ""
    written: bool = False
    unique: bool = False


def question(
    kind: str,
    filters: Mapping[str, str],
    actor_codes: ActorCodes = ANY_CODES,
    local_kinds: Set[str] = LOCAL_KINDS,
) -> ListQuestion:
    """What a list of `kind` with these filters (API names, raw values) needs from the legacy.

    One filter that the legacy can be asked bounds the answer; the others then narrow it in the store. Without
    `actor_codes` legacy actoren may have any.
    """
    if kind in local_kinds or _only_of_clients(kind, filters, local_kinds):
        return ListQuestion()
    for read in (_by_identificator, _by_zaak, _by_reference):
        needs = read(kind, filters)
        if needs is not None:
            hidden = read is _by_reference and _by_represented(kind, filters)
            return ListQuestion(tuple(needs), partial=NO_REPRESENTEE if hidden else "")
    if kind == "actor" and "actoridentificatorObjectId" in filters and not _by_groep(filters, actor_codes):
        return ListQuestion(tuple(_by_actor(filters, actor_codes)))
    written = any(name in filters for name in WRITTEN_FILTERS.get(kind, ()))
    unique = any(name in filters for name in UNIQUE_FILTERS.get(kind, ()))
    return ListQuestion(unbounded=True, written=written, unique=unique)


def _only_of_clients(kind: str, filters: Mapping[str, str], local_kinds: Set[str]) -> bool:
    return any(
        (not of or of in local_kinds) and (name not in IS_THERE or filters[name].lower() in YES)
        for name, of in CLIENTS_FILTERS.get(kind, {}).items()
        if name in filters
    )


def actor_codes(settings: Settings, *, moments: bool = False) -> ActorCodes:
    """The codes that legacy actoren are served with; `moments`: contactmomenten are a source (M40)."""
    rest = (settings.actor_register, settings.actor_soort_object_id)
    objecttypes = (settings.actor_objecttype_medewerker, settings.actor_objecttype_eenheid)
    codes = {soort: (own, *rest) for soort, own in zip(SOORTEN_ACTOR, objecttypes, strict=True)}
    return codes | ({GROEP: (settings.actor_objecttype_groep, *rest)} if moments else {})


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


def written_keys(kind: str, loaded: Mapping[str, Any], actor_codes: ActorCodes = ANY_CODES) -> list[str]:
    """The identity keys that a loaded body sets: on an identificator, on those of a partij, or on an actor."""
    if kind == "actor":
        group = loaded.get("actoridentificator") or {}
        given = tuple(group.get(code, "") for code in CODES)
        return _actor_keys(group.get("objectId", ""), loaded.get("soortActor"), given, actor_codes)
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
    uuid = uuid_in(value)
    # Only zaken are subjects of legacy contacts, and they are named by uuid (M29).
    return [Need("zaak", str(uuid))] if uuid else []


def _by_reference(kind: str, filters: Mapping[str, str]) -> list[Need] | None:
    for name, target in REFERENCE_FILTERS.get(kind, {}).items():
        for suffix in UUID_SUFFIXES:
            value = filters.get(name + suffix)
            uuid = uuid_in(value) if value else None
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


def _by_groep(filters: Mapping[str, str], served: ActorCodes) -> bool:
    """Is a groep asked for? Only contactmomenten name those, which can't be asked by whom they name (M40)."""
    return GROEP in served and filters.get("actoridentificatorCodeObjecttype") == served[GROEP][0]


def _by_actor(filters: Mapping[str, str], served: ActorCodes) -> list[Need]:
    given = tuple(filters.get(f"actoridentificator{code[0].upper()}{code[1:]}") for code in CODES)
    value = filters["actoridentificatorObjectId"]
    return [Need("identiteit", key) for key in _actor_keys(value, filters.get("soortActor"), given, served)]


def _actor_keys(value: str, soort: str | None, codes: Sequence[str | None], served: ActorCodes) -> list[str]:
    """The identity keys of the legacy actoren with this objectId.

    In: the soort and the codes asked for (None: any). With other codes than are served no legacy actor is meant.
    """
    return [
        f"actor:{each}|*|{value}"
        for each in SOORTEN_ACTOR
        if value
        and soort in (None, each)
        and all(code in (None, own) for code, own in zip(codes, served.get(each, codes), strict=True))
    ]
