"""Somebody whose object can not be read, and questions about them."""

from __future__ import annotations

from typing import Any

from builders.asker import Asker
from builders.sample_data import an_open_zaak, person

from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import DEFAULT_APPLICATION, Application

LIMITED = Application(DEFAULT_APPLICATION.client_id, DEFAULT_APPLICATION.secret, "zaakvertrouwelijk")

NUMBER = "partijIdentificator__"

BSN, OTHER = "111222333", "123456782"

# The same person asked for in every way in which a key can be given.
WAYS = {
    "partijen": NUMBER,
    "digitaleadressen": f"verstrektDoorPartij__{NUMBER}",
    "betrokkenen": f"wasPartij__{NUMBER}",
    "klantcontacten": f"hadBetrokkene__wasPartij__{NUMBER}",
}


def bad_rol(data: Dataset, bsn: str = BSN, **changes: Any) -> dict[str, Any]:
    """One that no translation can read."""
    return person(data, bsn, 1, betrokkeneType="marsmannetje", **changes)


def bad_zaak(data: Dataset) -> dict[str, Any]:
    """The zaak of a good rol, of which nobody can say who may see it."""
    zaak = an_open_zaak(data)
    return data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": ["openbaar"]})


def by_bsn(asker: Asker, bsn: str, path: str = "partijen") -> Any:
    start = WAYS[path]
    return asker.get(path, **{f"{start}codeSoortObjectId": "bsn", f"{start}objectId": bsn})


def coverage(answer: Any) -> str:
    found: str = answer.headers["Klantbrug-Coverage"]
    return found


def refused(answer: Any) -> bool:
    """Is it refused because of quarantine, and does it say so?"""
    told = answer.json.get("detail", "") if answer.status_code == 503 else ""
    return "quarantaine" in told and coverage(answer) == "partial; reason=quarantaine"


def count(answer: Any) -> tuple[int, int, str]:
    return answer.status_code, answer.json["count"], coverage(answer)
