"""Where to look at the register for what may be there already (E3, E4), and what of that is the same one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.klantinteracties.model.resources import BY_KIND
from gateway.target.contents import differing

Json = Mapping[str, Any]
NUMBERS = "partijIdentificatoren"
CODES = ("objectId", "codeObjecttype", "codeRegister", "codeSoortObjectId")
# By what an object is the same one, where that is less than all of it.
IDENTIFYING: dict[str, tuple[str, ...]] = {
    "actor": ("actoridentificator", "soortActor"),
    "partij-identificator": ("partijIdentificator", "subIdentificatorVan"),
    "digitaleadres": ("adres", "soortDigitaalAdres", "verstrektDoorPartij", "verstrektDoorBetrokkene"),
    "rekeningnummer": ("iban", "partij"),
    "categorie": ("naam",),
    "categorie-relatie": ("partij", "categorie"),
    "vertegenwoordiging": ("vertegenwoordigendePartij", "vertegenwoordigdePartij"),
    "actorklantcontact": ("actor", "klantcontact"),
}
# What hangs on something: by which parameter it is asked, and the field that says of whom it is.
HANGS_ON: dict[str, tuple[tuple[str, str], ...]] = {
    "digitaleadres": (
        ("verstrektDoorPartij__uuid", "verstrektDoorPartij"),
        ("verstrektDoorBetrokkene__uuid", "verstrektDoorBetrokkene"),
    ),
    "categorie-relatie": (("partij__uuid", "partij"), ("categorie__uuid", "categorie")),
    "vertegenwoordiging": (
        ("vertegenwoordigendePartij__uuid", "vertegenwoordigendePartij"),
        ("vertegenwoordigdePartij__uuid", "vertegenwoordigdePartij"),
    ),
    "betrokkene": (("hadKlantcontact__uuid", "hadKlantcontact"), ("wasPartij__uuid", "wasPartij")),
    "onderwerpobject": (
        ("klantcontact__uuid", "klantcontact"),
        ("wasKlantcontact__uuid", "wasKlantcontact"),
    ),
    "bijlage": (("klantcontact__uuid", "wasBijlageVanKlantcontact"),),
    "actorklantcontact": (("klantcontact__uuid", "klantcontact"), ("actor__uuid", "actor")),
    "internetaak": (("aanleidinggevendKlantcontact__uuid", "aanleidinggevendKlantcontact"),),
}
# A value by which it is asked beside that: parameter and field.
BY_VALUE: dict[str, tuple[tuple[str, str], ...]] = {
    "digitaleadres": (("adres", "adres"),),
    "rekeningnummer": (("iban", "iban"),),
    "klantcontact": (("plaatsgevondenOp", "plaatsgevondenOp"),),
}


class Lookup(NamedTuple):
    """A question to the register: the path of a list, its parameters, and whether its answer is the whole truth."""

    path: str
    params: dict[str, str]


def searches(kind: str, sent: Json, known_by: Sequence[Json] = ()) -> list[Lookup]:
    """Where what was sent may be found, the most precise first.

    In: `known_by`: the codes of numbers of a partij that are not sent along with it, for they stand under another.
    """
    path = BY_KIND[kind].path
    found = [Lookup(path, params) for params in _by_identificator(kind, sent, known_by) if params]
    if nummer := sent.get("nummer"):
        found.append(Lookup(path, {"nummer": str(nummer)}))
    if kind == "klantcontact" and sent.get("referentienummer"):
        found.append(Lookup(path, {"referentienummer": sent["referentienummer"]}))
    if kind in ("actor", "partij-identificator") and found:
        return found
    params = {parameter: str(sent[name]) for parameter, name in BY_VALUE.get(kind, ()) if sent.get(name)}
    for parameter, name in HANGS_ON.get(kind, ()):
        if sent.get(name):
            params[parameter] = sent[name]["uuid"]
    # Without any parameter it is the whole list, newest first.
    return [*found, Lookup(path, params)]


def _by_identificator(kind: str, sent: Json, known_by: Sequence[Json]) -> list[dict[str, str]]:
    if kind == "partij":
        numbers = [*(number["partijIdentificator"] for number in sent.get(NUMBERS) or ()), *known_by]
        return [{f"partijIdentificator__{code}": number[code] for code in CODES} for number in numbers]
    name = {"actor": "actoridentificator", "partij-identificator": "partijIdentificator"}.get(kind)
    codes = sent.get(name) if name else None
    if not codes or not codes["objectId"]:
        return []
    return [{f"{name}{code[0].upper()}{code[1:]}": codes[code] for code in CODES if codes[code]}]


def is_same(kind: str, sent: Json, shown: Json, *, lost: bool, known_by: Sequence[Json] = ()) -> bool:
    """Is what the register shows the same one as what was sent?

    In: `lost`: was it sent, without an answer? Then it must be all of it, where nothing else says who it is.
    `known_by`: as of `searches`; a vestiging is the same one under another KVK number too.
    """
    if kind == "partij" and known_by and not lost:
        codes = [tuple(number.get(code) for code in CODES) for number in known_by]
        return any(_codes(number) in codes for number in shown.get(NUMBERS) or ())
    if kind == "partij" and (numbers := sent.get(NUMBERS)):
        theirs = [
            _codes(number) for number in shown.get(NUMBERS) or () if not number.get("subIdentificatorVan")
        ]
        if any(_codes(number) in theirs for number in numbers):
            return True
        # A lost one may have been made without its numbers.
        return lost and not theirs and not differing(without_numbers(sent), shown)
    if kind == "actor" and not (sent.get("actoridentificator") or {}).get("objectId"):
        return not differing(sent, shown)
    if kind == "partij-identificator" and not lost and _under_another(sent, shown):
        return True
    fields = IDENTIFYING.get(kind)
    return not differing({name: sent[name] for name in fields} if fields else without_numbers(sent), shown)


def _under_another(sent: Json, shown: Json) -> bool:
    """Is it the same number of the same partij (or of nobody yet), under another KVK number than ours?"""
    name = "identificeerdePartij"
    owned = not shown.get(name) or not differing({name: sent.get(name)}, shown)
    return bool(
        sent.get("subIdentificatorVan")
        and shown.get("subIdentificatorVan")
        and owned
        and _codes(sent) == _codes(shown)
    )


def without_numbers(sent: Json) -> dict[str, Any]:
    """What was sent without the identificatoren of a partij, which are documents of their own."""
    return {name: value for name, value in sent.items() if name != NUMBERS}


def _codes(number: Json) -> tuple[Any, ...]:
    return tuple(number["partijIdentificator"].get(code) for code in CODES)


def numbers_at(sent: Json, shown: Json) -> list[str | None]:
    """The uuids at the register of the identificatoren that were sent with a partij, None for what is not there."""
    theirs = {
        _codes(number): number["uuid"]
        for number in shown.get(NUMBERS) or ()
        if not number.get("subIdentificatorVan")
    }
    return [theirs.get(_codes(number)) for number in sent.get(NUMBERS) or ()]
