"""The slice and the ugly set, parts of them, and what may change in them."""

from __future__ import annotations

import functools
import time
import uuid
from pathlib import Path
from typing import Any

from gateway.sample.contents.dataset import COLLECTION_KINDS, Dataset, default_paths, load


@functools.cache
def _loaded(*paths: Path) -> Dataset:
    return load(paths)


def sample_data() -> Dataset:
    """The slice and the ugly set together, to change at will."""
    return _loaded(*default_paths()).copy()


def sample_slice() -> Dataset:
    """The slice, to change at will."""
    return _loaded(default_paths()[0]).copy()


def some_zaken(data: Dataset, every: int) -> Dataset:
    """A consistent part of a dataset: each `every`th zaak with all that hangs on it."""
    kept = {zaak.uuid for zaak in data.snapshot("zaak")[::every]}
    return data.copy(lambda kind, record: kind not in COLLECTION_KINDS or record.zaak_uuid in kept)


def small(every: int) -> Dataset:
    """Each `every`th zaak of the slice with all that hangs on it, to change at will."""
    return some_zaken(sample_slice(), every)


def new_rol(data: Dataset, number: int = 0, zaak: str = "") -> dict[str, Any]:
    """A new rol as an old one is, on its zaak or on another."""
    rollen = data.snapshot("rol")
    made = rollen[-1 - number % min(500, len(rollen))].load()
    made |= {"uuid": str(uuid.uuid4()), "registratiedatum": "2026-11-20T10:00:00Z"}
    if zaak:
        made["zaak"] = data.get("zaak", zaak)["url"]
    return data.add("rol", made)


def an_open_zaak(data: Dataset) -> dict[str, Any]:
    """A zaak that anybody may see."""
    return next(zaak for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar")


def person(data: Dataset, bsn: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    """A new rol of somebody with this BSN, on a zaak that anybody may see."""
    rol = new_rol(data, number, an_open_zaak(data)["uuid"]) | {
        "betrokkeneType": "natuurlijk_persoon",
        "betrokkene": "",
        "betrokkeneIdentificatie": {"inpBsn": bsn, "geslachtsnaam": "Voorbeeld"},
    }
    return data.replace("rol", rol["uuid"], rol | changes)


def new_zaak(data: Dataset) -> dict[str, Any]:
    """A new zaak that anybody may see, of today."""
    made = data.snapshot("zaak")[0].load() | {
        "uuid": str(uuid.uuid4()),
        "rollen": [],
        "registratiedatum": time.strftime("%Y-%m-%d", time.gmtime(time.time_ns() // 1_000_000_000)),
        "vertrouwelijkheidaanduiding": "openbaar",
    }
    return data.add("zaak", made)


def new_contact(data: Dataset, zaak: str) -> dict[str, Any]:
    """A new klantcontact on a zaak."""
    made = data.snapshot("klantcontact")[0].load()
    return data.add("klantcontact", made | {"uuid": str(uuid.uuid4()), "zaak": data.get("zaak", zaak)["url"]})
