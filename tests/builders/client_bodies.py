"""Bodies of objects that clients make while the source is away, and what of the sample they are about."""

from __future__ import annotations

from typing import Any

from gateway.sample.contents.dataset import Dataset

KLANTCONTACT = {"kanaal": "telefoon", "onderwerp": "Paspoort", "taal": "nld", "vertrouwelijk": False}

PERSOON = {"soortPartij": "persoon", "indicatieActief": True}

BSN, OTHER_BSN = "296648875", "999990019"

CODES = {"codeObjecttype": "mdw", "codeRegister": "obj", "codeSoortObjectId": "idf"}


def a_medewerker(data: Dataset) -> str:
    """The identificatie of a medewerker in a zaak that may be shown."""
    shown = {
        zaak["url"] for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar"
    }
    return next(
        rol["betrokkeneIdentificatie"]["identificatie"]
        for rol in data.objects("rol")
        if rol["zaak"] in shown
        and rol["betrokkeneType"] == "medewerker"
        and (rol["betrokkeneIdentificatie"] or {}).get("identificatie")
    )


def a_contact(data: Dataset) -> dict[str, Any]:
    """A klantcontact of a zaak that may be shown."""
    shown = {
        zaak["url"] for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar"
    }
    return next(contact for contact in data.objects("klantcontact") if contact["zaak"] in shown)


def actor(identificatie: str, **more: Any) -> dict[str, Any]:
    return {
        "naam": "M. Medewerker",
        "soortActor": "medewerker",
        "actoridentificator": {**CODES, "objectId": identificatie},
        **more,
    }


def bsn(number: str) -> dict[str, Any]:
    return {
        "codeRegister": "brp",
        "codeObjecttype": "natuurlijk_persoon",
        "codeSoortObjectId": "bsn",
        "objectId": number,
    }
