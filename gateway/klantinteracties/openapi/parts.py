"""What the OpenAPI document says in many places: fields by their class, answers, headers, problems, paging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field

from gateway.klantinteracties.read.query import DEFAULT_SIZE, LARGEST_SIZE
from mappings.klantinteracties.fields import (
    Choice,
    Date,
    FlagField,
    Identity,
    Moment,
    NumberField,
    TextField,
)
from mappings.klantinteracties.nested_fields import Group, Many, TextsField

Json = dict[str, Any]
API_VERSION = "0.9.0"


def ref(name: str) -> Json:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


# Fields


def describe(field: Field[Any], of_schema: Callable[[Schema], Json]) -> Json:
    """The OpenAPI form of a field, as far as it follows from our own classes.

    In: the field, and what gives the reference to the component of a schema. What marshmallow knows of every
    field (readOnly, nullable, description) apispec adds itself.
    """
    form: Json = {}
    match field:
        case TextField():
            form |= _text(field)
        case Choice():
            form |= {"type": "string", "enum": list(field.choices)}
        case FlagField():
            form["type"] = "boolean"
        case NumberField():
            form |= {"type": "integer", "minimum": field.least, "maximum": field.most}
        case Moment():
            form |= {"type": "string", "format": "date-time"}
        case Date():
            form |= {"type": "string", "format": "date"}
        case Identity():
            form |= {"type": "string", "format": "uuid"}
        case Group():
            form["allOf"] = [of_schema(field.inner)]
        case Many():
            item = field.item
            inner = of_schema(item.inner) if isinstance(item, Group) else describe(item, of_schema)
            form |= {"type": "array", "items": inner}
        case TextsField():
            form |= {"type": "object", "additionalProperties": describe(field.item, of_schema)}
    return form


def _text(field: TextField) -> Json:
    form: Json = {"type": "string"}
    if field.most is not None:
        form["maxLength"] = field.most
    least = field.least or (1 if field.required and not field.dump_only else 0)
    narrow: Json = {"minLength": least} if least else {}
    if field.pattern:
        narrow["pattern"] = field.pattern
    if field.format:
        narrow["format"] = field.format
    if narrow and field.may_be_blank:
        # The contract forgets that what was never given is "" in answers.
        return form | {"anyOf": [narrow, {"enum": [""]}]}
    return form | narrow


# Answers

VERSION_HEADER: Json = {"schema": {"type": "string"}, "description": "Versie van de API die antwoordt."}
HEADERS: Json = {
    "API-version": VERSION_HEADER,
    "Klantbrug-Coverage": {
        "schema": {"type": "string"},
        "description": "`complete`, of `partial; reason=...` als een bron niet alles kon geven.",
    },
    "Klantbrug-Freshness": {
        "schema": {"type": "string", "enum": ["live", "fresh", "stale", "local"]},
        "description": "Voor deze vraag opgehaald, recent genoeg, ouder dan de bedoeling, of zonder bron.",
    },
}
ETAG: Json = {
    "schema": {"type": "string"},
    "description": "De versie van het object: met If-Match schrijft u alleen over deze heen, anders is het 412.",
}
LOCATION: Json = {"schema": {"type": "string", "format": "uri"}, "description": "Adres van wat is gemaakt."}


def answer(
    about: str, schema: Json, *, location: bool = False, version: bool = False, links: Json | None = None
) -> Json:
    """An answer that succeeds; with `version` it names that of the object."""
    more = {"Location": LOCATION} if location else {}
    made: Json = {
        "description": about,
        "headers": HEADERS | more | ({"ETag": ETAG} if version else {}),
        "content": {"application/json": {"schema": schema}},
    }
    if links:
        made["links"] = links
    return made


def nothing(about: str) -> Json:
    """An answer without a body."""
    return {"description": about, "headers": {"API-version": VERSION_HEADER}}


def page_of(results: Json) -> Json:
    """The schema of a page of a list."""
    address = {"type": "string", "format": "uri", "nullable": True}
    return {
        "type": "object",
        "required": ["count", "results"],
        "properties": {
            "count": {"type": "integer", "minimum": 0, "description": "Aantal over alle pagina's."},
            "next": address | {"description": "Adres van de volgende pagina."},
            "previous": address | {"description": "Adres van de vorige pagina."},
            "results": {"type": "array", "items": results},
        },
    }


# Problems

_PROBLEM = {
    "type": {"type": "string", "format": "uri", "description": "Adres van de soort fout."},
    "code": {"type": "string", "description": "Vaste code van de fout."},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string"},
    "instance": {"type": "string", "description": "Aanduiding van deze ene fout, `urn:uuid:...`."},
}
_INVALID_PARAM = {
    "name": {"type": "string", "description": "Pad van het veld, met punten, of `nonFieldErrors`."},
    "code": {"type": "string"},
    "reason": {"type": "string", "description": "Uitleg, in het Nederlands."},
}
PROBLEM_SCHEMAS: Json = {
    "Fout": {"type": "object", "properties": _PROBLEM, "required": list(_PROBLEM)},
    "ValidatieFout": {
        "type": "object",
        "properties": _PROBLEM
        | {
            "invalidParams": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": _INVALID_PARAM,
                    "required": list(_INVALID_PARAM),
                },
            }
        },
        "required": list(_PROBLEM),
    },
}
_ABOUT_PROBLEMS = {
    "400": "Iets in de vraag of de gegevens klopt niet; `invalidParams` zegt wat.",
    "401": "Er is geen geldig token gegeven.",
    "403": "Het token mag dit niet.",
    "404": "Dit bestaat niet.",
    "406": "Alleen JSON kan worden gegeven.",
    "412": "Het object is niet de versie die If-Match of If-None-Match noemt.",
    "413": "De gegevens zijn te groot.",
    "415": "De gegevens zijn geen JSON.",
    "429": "Te veel aanvragen met dit token, of verkeerde tokens.",
    "500": "Een fout van de server.",
    "502": "De bron gaf geen bruikbaar antwoord.",
    "503": "De vraag kan nu niet worden beantwoord.",
    "504": "De bron antwoordde niet op tijd.",
}
_PROBLEM_HEADERS: dict[str, Json] = {
    "401": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    "429": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconden."}},
    "503": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconden."}},
}


def _problem_response(status: str) -> Json:
    schema = ref("ValidatieFout" if status == "400" else "Fout")
    return {
        "description": _ABOUT_PROBLEMS[status],
        "headers": {"API-version": VERSION_HEADER, **_PROBLEM_HEADERS.get(status, {})},
        "content": {"application/json": {"schema": schema}},
    }


PROBLEM_RESPONSES: Json = {f"fout{status}": _problem_response(status) for status in _ABOUT_PROBLEMS}


def problems(*statuses: str) -> Json:
    """References to the answers for these statuses."""
    return {status: {"$ref": f"#/components/responses/fout{status}"} for status in statuses}


COMMON = problems("400", "401", "403", "406", "429", "500", "502", "503", "504")
# A list has pages that don't exist, a detail documents that don't.
READ_PROBLEMS = COMMON | problems("404")
CREATE_PROBLEMS = COMMON | problems("413", "415")
CHANGE_PROBLEMS = CREATE_PROBLEMS | problems("404", "412")
DETAIL_PROBLEMS = READ_PROBLEMS | problems("412")

# Parameters

PARAMETERS: Json = {
    "uuid": {
        "name": "uuid",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
        "description": "Unieke identificatie.",
    },
    "page": {
        "name": "page",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1},
        "description": "Nummer van de pagina, vanaf 1; `last` is de laatste.",
    },
    "pageSize": {
        "name": "pageSize",
        "in": "query",
        "schema": {"type": "integer"},
        "description": f"Aantal per pagina: zonder waarde {DEFAULT_SIZE}, hoogstens {LARGEST_SIZE}.",
    },
}
CASCADE: Json = {
    "in": "query",
    "name": "cascade",
    "schema": {"type": "boolean", "default": False},
    "description": "Verwijder ook het klantcontact en de digitale adressen die geen ander onderwerpobject heeft.",
}
KEPT: Json = {
    "type": "object",
    "required": ["behouden"],
    "properties": {
        "behouden": {
            "type": "array",
            "items": {"type": "string", "format": "uri"},
            "description": "Adressen van klantcontacten die zijn gebleven.",
        }
    },
}

# Bodies to start from, by kind


def _identificator(objecttype: str, soort: str, number: str, register: str) -> Json:
    codes = {"codeObjecttype": objecttype, "codeSoortObjectId": soort, "objectId": number}
    return {"partijIdentificator": codes | {"codeRegister": register}}


EXAMPLES: dict[str, Json] = {
    "partij": {
        "persoon": {
            "value": {
                "soortPartij": "persoon",
                "indicatieActief": True,
                "partijIdentificatie": {"contactnaam": {"voornaam": "Voor", "achternaam": "Beeld"}},
            }
        },
        "organisatie": {
            "value": {
                "soortPartij": "organisatie",
                "indicatieActief": True,
                "partijIdentificatie": {"naam": "Voorbeeld B.V."},
            }
        },
    },
    "partij-identificator": {
        "bsn": {"value": _identificator("natuurlijk_persoon", "bsn", "111222333", "brp")},
        "kvk_nummer": {"value": _identificator("niet_natuurlijk_persoon", "kvk_nummer", "12345678", "hr")},
    },
    "digitaleadres": {
        "email": {
            "value": {
                "adres": "voorbeeld@example.nl",
                "soortDigitaalAdres": "email",
                "verstrektDoorPartij": None,
            }
        },
        "telefoonnummer": {
            "value": {
                "adres": "0201234567",
                "soortDigitaalAdres": "telefoonnummer",
                "verstrektDoorPartij": None,
            }
        },
    },
    "klantcontact": {
        "telefoon": {
            "value": {
                "kanaal": "telefoon",
                "onderwerp": "Een vraag",
                "taal": "nld",
                "vertrouwelijk": False,
            }
        }
    },
}
