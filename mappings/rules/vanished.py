"""What is left of a document when its legacy objects are gone and only clients still refer to it (M20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.values.adressen import LEEG
from mappings.values.namen import LEGE_NAAM


def vanished(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without what came from the legacy; a partij or actor is no longer active.

    In: the kind of the document and its body. Out: a body of the same shape. An identificator keeps its number:
    it is what the client's own document refers to.
    """
    left = dict(body)
    if kind == "partij":
        wie: dict[str, Any] = {"naam": ""}
        if body["soortPartij"] != "organisatie":
            wie = {"contactnaam": dict(LEGE_NAAM), "volledigeNaam": ""}
        left |= {
            "indicatieActief": False,
            "bezoekadres": dict(LEEG),
            "correspondentieadres": dict(LEEG),
            "partijIdentificatie": wie,
            "interneNotitie": "",
        }
    elif kind == "actor":
        codes = dict.fromkeys(("objectId", "codeObjecttype", "codeRegister", "codeSoortObjectId"), "")
        left |= {
            "indicatieActief": False,
            "naam": "onbekend",
            "actoridentificator": codes,
            "actorIdentificatie": None,
        }
    elif kind == "klantcontact":
        left |= {
            "onderwerp": "(geen onderwerp)",
            "inhoud": "",
            "reactie": "",
            "hoofdOnderwerpType": "",
            "metadata": {},
        }
    elif kind == "betrokkene":
        left |= {"contactnaam": dict(LEGE_NAAM), "volledigeNaam": "", "organisatienaam": ""}
    return left
