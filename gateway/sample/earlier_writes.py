"""Changing klanten, contactmomenten and what ties them, over HTTP; zaakcontactmomenten too, for they make one of those.

Source: the contracts klanten-1.0 and contactmomenten-1.0, legacy-behaviour.md 21 and the recorded exchanges.
"""

import datetime
import uuid as uuids
from collections.abc import Mapping
from typing import Any, Final

from gateway.sample.contents import earlier_standards
from gateway.sample.contents.dataset import CANONICAL_BASE, PATHS, Dataset
from gateway.sample.problems import Refusal, invalid, not_found, server_error

KINDS: Final = earlier_standards.KINDS | {"zaakcontactmoment"}
# What a new object has where nobody said otherwise.
_BLANK: Final[Mapping[str, Mapping[str, Any]]] = {
    "klant": {
        "bronorganisatie": "",
        "klantnummer": "",
        "bedrijfsnaam": "",
        "functie": "",
        "websiteUrl": "",
        "voornaam": "",
        "voorvoegselAchternaam": "",
        "achternaam": "",
        "telefoonnummer": "",
        "emailadres": "",
        "adres": None,
        "subject": "",
        "subjectType": None,
        "subjectIdentificatie": None,
    },
    "contactmoment": {
        "vorigContactmoment": None,
        "volgendContactmoment": None,
        "bronorganisatie": "",
        "klant": "",
        "registratiedatum": "",
        "kanaal": "",
        "voorkeurskanaal": "",
        "voorkeurstaal": "",
        "tekst": "",
        "onderwerpLinks": [],
        "initiatiefnemer": "",
        "medewerker": "",
        "medewerkerIdentificatie": None,
    },
    "klantcontactmoment": {"contactmoment": "", "klant": "", "rol": ""},
    "objectcontactmoment": {"contactmoment": "", "object": "", "objectType": ""},
    "zaakcontactmoment": {"zaak": "", "contactmoment": ""},
}
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "klant": ("bronorganisatie", "klantnummer", "websiteUrl"),
    "contactmoment": ("bronorganisatie",),
    "klantcontactmoment": ("contactmoment", "klant", "rol"),
    "objectcontactmoment": ("contactmoment", "object", "objectType"),
    "zaakcontactmoment": ("zaak", "contactmoment"),
}
_LENGTHS: Final[Mapping[str, Mapping[str, int]]] = {
    "klant": {
        "bronorganisatie": 9,
        "klantnummer": 8,
        "bedrijfsnaam": 200,
        "voornaam": 200,
        "achternaam": 200,
        "voorvoegselAchternaam": 10,
        "telefoonnummer": 20,
        "emailadres": 254,
    },
    "contactmoment": {"bronorganisatie": 9, "kanaal": 50, "voorkeurskanaal": 50, "voorkeurstaal": 3},
}
# The fields that name another object of the source, and its kind.
_NAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "klantcontactmoment": {"contactmoment": "contactmoment", "klant": "klant"},
    "objectcontactmoment": {"contactmoment": "contactmoment"},
    "zaakcontactmoment": {"zaak": "zaak"},
}
# What goes with an object of a kind.
_GOING_ALONG: Final[Mapping[str, tuple[str, ...]]] = {
    "contactmoment": ("klantcontactmoment", "objectcontactmoment"),
    "klant": ("klantcontactmoment",),
}


def create(dataset: Dataset, kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    """Store a new object and return it as stored. Raises Refusal; a tie that is there already is a 500."""
    _judge(dataset, kind, obj, partial=False)
    identifier = str(uuids.uuid4())
    made = {**_BLANK[kind], **{name: obj[name] for name in _BLANK[kind] if name in obj}}
    if kind == "contactmoment":
        made["registratiedatum"] = _moment(obj.get("registratiedatum"))
    if _alike(dataset, kind, made):
        raise server_error()
    if kind == "zaakcontactmoment":
        if _uuid(made["contactmoment"]) not in {each.uuid for each in dataset.snapshot("contactmoment")}:
            reason = "De URL kon niet opgehaald worden."
            raise invalid(("contactmoment", "bad-url", reason))
        other = {"contactmoment": made["contactmoment"], "object": made["zaak"], "objectType": "zaak"}
        if not _alike(dataset, "objectcontactmoment", other):
            create(dataset, "objectcontactmoment", other)
        return dataset.add(kind, made)
    return dataset.add(kind, made | {"url": f"{CANONICAL_BASE}{PATHS[kind]}/{identifier}"})


def change(dataset: Dataset, kind: str, uuid: str, obj: dict[str, Any]) -> dict[str, Any]:
    """Give a klant or contactmoment the fields that are given; Refusal (400, 404)."""
    _judge(dataset, kind, obj, partial=True)
    try:
        old = dataset.get(kind, uuid)
    except KeyError:
        raise not_found() from None
    given = {name: value for name, value in obj.items() if name in _BLANK[kind]}
    if "registratiedatum" in given:
        given["registratiedatum"] = _moment(given["registratiedatum"])
    return dataset.replace(kind, uuid, old | given)


def destroy(dataset: Dataset, kind: str, uuid: str) -> None:
    """Remove an object with what ties it; a zaakcontactmoment takes the objectcontactmoment that it made along.

    Refusal: 404 without it, 400 for an objectcontactmoment whose zaak still knows it.
    """
    try:
        held = dataset.get(kind, uuid)
    except KeyError:
        raise not_found() from None
    if kind in ("contactmoment", "objectcontactmoment"):
        contact = held["url"] if kind == "contactmoment" else held["contactmoment"]
        if dataset.indexed("zaakcontactmoment", "contactmoment", contact):
            reason = "Het object heeft nog een relatie met dit contactmoment."
            raise invalid(("nonFieldErrors", "remote-relation-exists", reason))
    for going in _GOING_ALONG.get(kind, ()):
        for record in dataset.indexed(going, kind, held["url"]):
            dataset.remove(going, record.uuid)
    dataset.remove(kind, uuid)
    if kind == "zaakcontactmoment":
        for record in dataset.indexed("objectcontactmoment", "contactmoment", held["contactmoment"]):
            if record.load()["object"] == held["zaak"]:
                dataset.remove("objectcontactmoment", record.uuid)


def _judge(dataset: Dataset, kind: str, obj: dict[str, Any], *, partial: bool) -> None:
    wrong = [
        (name, "required", "Dit veld is vereist.")
        for name in _REQUIRED[kind]
        if not partial and not obj.get(name)
    ]
    for name, most in _LENGTHS.get(kind, {}).items():
        if len(str(obj.get(name) or "")) > most:
            reason = f"Zorg ervoor dat dit veld niet meer dan {most} karakters bevat."
            wrong.append((name, "max_length", reason))
    for name, named in _NAMED.get(kind, {}).items():
        if obj.get(name):
            try:
                dataset.record(named, _uuid(obj[name]))
            except KeyError:
                wrong.append((name, "does_not_exist", "Ongeldige hyperlink - Object bestaat niet."))
    if wrong:
        raise invalid(*wrong)
    if kind == "klant" and obj.get("klantnummer") and not partial:
        taken = dataset.indexed("klant", "klantnummer", obj["klantnummer"])
        if any(each.load()["bronorganisatie"] == obj["bronorganisatie"] for each in taken):
            reason = "De combinatie van bronorganisatie en klantnummer bestaat al."
            raise invalid(("klantnummer", "identificatie-niet-uniek", reason))


def _alike(dataset: Dataset, kind: str, made: Mapping[str, Any]) -> bool:
    """Is there such a tie already?"""
    if kind not in _NAMED:
        return False
    both = [name for name in made if name not in ("rol", "objectType")]
    return any(
        all(each.load()[name] == made[name] for name in both)
        for each in dataset.indexed(kind, "contactmoment", made["contactmoment"])
    )


def _moment(given: object) -> str:
    if not given:
        return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        moment = datetime.datetime.fromisoformat(str(given))
    except ValueError:
        raise _bad_moment() from None
    moment = moment.replace(tzinfo=moment.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _bad_moment() -> Refusal:
    reason = "Datetime heeft een ongeldig formaat, gebruik YYYY-MM-DDThh:mm:ss."
    return invalid(("registratiedatum", "invalid", reason))


def _uuid(url: object) -> str:
    return str(url).rpartition("/")[2]
