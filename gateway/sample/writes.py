"""Changing the sample data over HTTP: as much of the write side as tests need to move things under a job.

Complete objects are accepted without checking numbers and lengths; a real server refuses more.
Source: legacy-behaviour.md 9, 21 and 22.
"""

import datetime
import secrets
import string
import uuid as uuids
from typing import Any

import orjson

from gateway.sample.access import Application
from gateway.sample.contents.dataset import CANONICAL_BASE, Dataset
from gateway.sample.problems import (
    forbidden,
    invalid,
    not_found,
    parse_error,
    server_error,
    unsupported_media_type,
)

_KLANTCONTACT_LENGTHS = {"identificatie": 14, "kanaal": 20, "onderwerp": 200, "toelichting": 1000}
_CONTACTPERSOON = {"emailadres": "", "functie": "", "telefoonnummer": "", "naam": ""}


def read_body(body: bytes, media_type: str, base: str) -> dict[str, Any]:
    """The object in a request, with its addresses under the canonical base; Refusal over no JSON."""
    if media_type != "application/json":
        raise unsupported_media_type(media_type)
    try:
        obj = orjson.loads(body.replace(f"{base}/".encode(), f"{CANONICAL_BASE}/".encode()))
    except orjson.JSONDecodeError as error:
        raise parse_error(f"line {error.lineno} column {error.colno}") from None
    if not isinstance(obj, dict):
        raise invalid(("nonFieldErrors", "invalid", "Ongeldige data."))
    return obj


def create(dataset: Dataset, kind: str, obj: dict[str, Any], application: Application) -> dict[str, Any]:
    """Store a new zaak, rol or klantcontact with what the server adds to it, and return it as stored."""
    make = {"zaak": _new_zaak, "rol": _new_rol, "klantcontact": _new_klantcontact}[kind]
    if kind != "zaak":
        _check_zaak(dataset, obj, application)
    return dataset.add(kind, make(dataset, obj) | {"uuid": str(uuids.uuid4())})


def replace_rol(dataset: Dataset, uuid: str, obj: dict[str, Any], application: Application) -> dict[str, Any]:
    """Replace the fields of a rol that are given; the answer is as stale as the real one's.

    Raises Refusal: 404 without such a rol, 403 when its zaak is closed, 400 over another roltype, 500 when both or
    neither of `betrokkene` and `betrokkeneIdentificatie` say who it is.
    """
    try:
        old = dataset.get("rol", uuid)
    except KeyError:
        raise not_found() from None
    _check_open(dataset, str(old.get("zaak")).rpartition("/")[2], application)
    if obj.get("roltype", old.get("roltype")) != old.get("roltype"):
        raise invalid(("roltype", "wijzigen-niet-toegelaten", "Dit veld mag niet gewijzigd worden."))
    given = {name: value for name, value in obj.items() if name in old or name == "authenticatieContext"}
    if given.get("contactpersoonRol", {}) is None:
        del given["contactpersoonRol"]
    fixed = {name: old[name] for name in ("uuid", "url", "registratiedatum") if name in old}
    new = old | given | fixed
    if bool(new.get("betrokkene")) == bool(new.get("betrokkeneIdentificatie")):
        raise server_error()
    stored = dataset.replace("rol", uuid, new)
    if new["betrokkeneType"] == old["betrokkeneType"]:
        stored["betrokkeneIdentificatie"] = old["betrokkeneIdentificatie"]
    return stored


def destroy(dataset: Dataset, kind: str, uuid: str) -> None:
    """Remove a rol, or a zaak with all that hangs on it, as archiving does; Refusal (404) without it."""
    try:
        dataset.record(kind, uuid)
        if kind == "zaak":
            for child in ("rol", "klantcontact", "zaakcontactmoment"):
                for record in dataset.indexed(child, "zaak", uuid):
                    dataset.remove(child, record.uuid)
        dataset.remove(kind, uuid)
    except KeyError:
        raise not_found() from None


def _check_zaak(dataset: Dataset, obj: dict[str, Any], application: Application) -> None:
    if not obj.get("zaak"):
        raise invalid(("zaak", "required", "zaak is een verplicht veld voor permissies"))
    uuid = str(obj["zaak"]).rpartition("/")[2]
    try:
        zaak = dataset.record("zaak", uuid)
    except KeyError:
        raise invalid(("zaak", "does_not_exist", "Ongeldige hyperlink - Object bestaat niet.")) from None
    if not application.sees_all and not dataset.visible(zaak, application.max_rank):
        raise forbidden()
    _check_open(dataset, uuid, application)
    obj["zaak"] = zaak.load()["url"]


def _check_open(dataset: Dataset, zaak: str, application: Application) -> None:
    """What hangs on a closed zaak is only for who may force it."""
    if not application.closed and dataset.get("zaak", zaak).get("einddatum"):
        raise forbidden()


def _new_rol(dataset: Dataset, obj: dict[str, Any]) -> dict[str, Any]:
    if not obj.get("betrokkene") and not obj.get("betrokkeneIdentificatie"):
        reason = "betrokkene or betrokkeneIdentificatie must be provided"
        raise invalid(("nonFieldErrors", "invalid-betrokkene", reason))
    try:
        roltype = dataset.get("roltype", str(obj.get("roltype")).rpartition("/")[2])
    except KeyError:
        raise invalid(("roltype", "unknown-service", "De service voor deze URL is niet bekend.")) from None
    rol = {
        "url": "",
        "uuid": "",
        "zaak": obj["zaak"],
        "betrokkene": obj.get("betrokkene", ""),
        "betrokkeneType": obj.get("betrokkeneType", ""),
        "afwijkendeNaamBetrokkene": obj.get("afwijkendeNaamBetrokkene", ""),
        "roltype": obj["roltype"],
        "omschrijving": roltype["omschrijving"],
        "omschrijvingGeneriek": roltype["omschrijvingGeneriek"],
        "roltoelichting": obj.get("roltoelichting", ""),
        "registratiedatum": _now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "indicatieMachtiging": obj.get("indicatieMachtiging", ""),
        "contactpersoonRol": obj.get("contactpersoonRol") or dict(_CONTACTPERSOON),
        "statussen": [],
        "beginGeldigheid": obj.get("beginGeldigheid"),
        "eindeGeldigheid": obj.get("eindeGeldigheid"),
        "betrokkeneIdentificatie": obj.get("betrokkeneIdentificatie") or None,
    }
    if rol["betrokkeneType"] not in ("medewerker", "organisatorische_eenheid"):
        rol["authenticatieContext"] = obj.get("authenticatieContext")
    return rol


def _new_klantcontact(dataset: Dataset, obj: dict[str, Any]) -> dict[str, Any]:
    try:
        moment = datetime.datetime.fromisoformat(str(obj.get("datumtijd")))
    except ValueError:
        reason = "Datetime heeft een ongeldig formaat, gebruik YYYY-MM-DDThh:mm:ss."
        raise invalid(("datumtijd", "invalid", reason)) from None
    moment = moment.replace(tzinfo=moment.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    if moment > _now():
        raise invalid(("datumtijd", "date-in-future", "Deze datum mag niet in de toekomst zijn"))
    identificatie = str(obj.get("identificatie") or "")
    if identificatie and dataset.indexed("klantcontact", "identificatie", identificatie):
        reason = "Er bestaat al een klantcontact met eenzelfde identificatie."
        raise invalid(("identificatie", "unique", reason))
    for name, most in _KLANTCONTACT_LENGTHS.items():
        if len(str(obj.get(name) or "")) > most:
            reason = f"Zorg ervoor dat dit veld niet meer dan {most} karakters bevat."
            raise invalid((name, "max_length", reason))
    alphabet = string.ascii_letters + string.digits
    return {
        "url": "",
        "uuid": "",
        "zaak": obj["zaak"],
        "identificatie": identificatie or "".join(secrets.choice(alphabet) for _ in range(12)),
        "datumtijd": moment.isoformat().replace("+00:00", "Z"),
        "kanaal": obj.get("kanaal", ""),
        "onderwerp": obj.get("onderwerp", ""),
        "toelichting": obj.get("toelichting", ""),
    }


def _new_zaak(dataset: Dataset, obj: dict[str, Any]) -> dict[str, Any]:
    today = _now().date().isoformat()
    try:
        zaaktype = dataset.get("zaaktype", str(obj.get("zaaktype")).rpartition("/")[2])
    except KeyError:
        raise invalid(("zaaktype", "unknown-service", "De service voor deze URL is niet bekend.")) from None
    number = len(dataset.snapshot("zaak")) + 1
    given = {
        "url": "",
        "uuid": "",
        "identificatie": f"ZAAK-{today[:4]}-{number:010d}",
        "bronorganisatie": "",
        "omschrijving": "",
        "toelichting": "",
        "registratiedatum": today,
        "startdatum": today,
        "einddatum": None,
        "vertrouwelijkheidaanduiding": zaaktype["vertrouwelijkheidaanduiding"],
    } | obj
    return given | {"rollen": [], "_expand": {}}


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
