"""One legacy object of any kind, read and translated as far as it can be without its zaak."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from mappings.incoming.unreadable import reason_in
from mappings.model.findings import Untranslatable
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.standards import KINDS

_USUAL: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Raised when the same legacy objects give other documents: an installation is then asked to rebuild. A test tells when.
VERSION = 8


def translate(kind: str, raw: Mapping[str, Any], source: str, settings: Settings) -> Translated:
    """Read and translate an object of `source` (M1); ties of the earlier standards are only read.

    Raises Untranslatable when it can't be read at all (M3).
    """
    reason = reason_in(raw)
    if reason is not None:
        raise Untranslatable(reason)
    declared = KINDS[kind]
    return declared.translate(declared.schema(dict(raw)), raw, source, settings)


def fingerprint(settings: Settings) -> str:
    """What tells this mapping from another: its version and the choices that documents depend on.

    Not the maximum of M34: what it leaves out is not held, and never needs translating again; nor how long is kept what
    makes no document (M2). And of the codes of a zaak only those that are served: by the others is only searched (M29).
    """
    choices = asdict(settings)
    del choices["max_vertrouwelijkheidaanduiding"]
    del choices["wachttijd_dagen"]
    choices["zaak_codes"] = choices["zaak_codes"][0]
    told = json.dumps([VERSION, choices], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def uuid_in(value: object) -> UUID | None:
    """The uuid of a uuid text or at the end of a URL, None when there is none."""
    if not isinstance(value, str):
        return None
    try:
        return UUID(value.strip().rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None


def uuid_bytes_in(value: object) -> bytes | None:
    """The 16 bytes of `uuid_in`; at once when it is written as uuids usually are."""
    if isinstance(value, str) and _USUAL.fullmatch(last := value[-36:]) and value[-37:-36] in ("", "/"):
        return bytes.fromhex(last.replace("-", ""))
    uuid = uuid_in(value)
    return uuid.bytes if uuid else None
