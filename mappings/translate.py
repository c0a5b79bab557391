"""One legacy object of any kind, read and translated as far as it can be without its zaak."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mappings.incoming.unreadable import reason_in
from mappings.model.findings import Untranslatable
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.standards import KINDS

# Raised when the same legacy objects give other documents: an installation is then asked to rebuild. A test fails when
# that was forgotten.
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
    """What distinguishes this mapping from another: its version and the choices that documents depend on.

    Not the maximum of M34: what it leaves out is not held, and never needs translating again; nor how long is kept what
    makes no document (M2). And of the codes of a zaak only those that are served: by the others is only searched (M29).
    """
    choices = asdict(settings)
    del choices["max_vertrouwelijkheidaanduiding"]
    del choices["wachttijd_dagen"]
    choices["zaak_codes"] = choices["zaak_codes"][0]
    text = json.dumps([VERSION, choices], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
