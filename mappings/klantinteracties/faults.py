"""What is said of a value that is not right: codes and Dutch texts as recorded of a real Klantinteracties API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from marshmallow import ValidationError
from marshmallow.exceptions import SCHEMA

NON_FIELD: Final = "nonFieldErrors"


class InvalidField(NamedTuple):
    """What is wrong with one field: its dotted camelCase path, a code, and the reason in Dutch."""

    name: str
    code: str
    reason: str


class Invalid(Exception):
    """A body that is not right. Its text holds no value of the body; `params` may repeat what the client sent.

    `sound` are the fields in which nothing is wrong, as `load` gives them.
    """

    def __init__(self, params: tuple[InvalidField, ...], sound: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{len(params)} fields are not right")
        self.params = params
        self.sound = dict(sound or {})


class Fault(NamedTuple):
    """What is wrong with one value, wherever it stands."""

    code: str
    reason: str


REQUIRED: Final = Fault("required", "Dit veld is vereist.")
NULL: Final = Fault("null", "Dit veld mag niet leeg zijn.")
BLANK: Final = Fault("blank", "Dit veld mag niet leeg zijn.")
NO_TEXT: Final = Fault("invalid", "Not a valid string.")
NO_FLAG: Final = Fault("invalid", "Must be a valid boolean.")
NO_UUID: Final = Fault("invalid", "Must be a valid UUID.")
NO_NUMBER: Final = Fault("invalid", "Een geldig getal is verplicht.")
NO_WHOLE_NUMBER: Final = Fault("invalid", "Voer een geldig geheel getal in.")
NO_ADDRESS: Final = Fault("invalid", "Voer een geldige URL in.")
NO_EMAIL: Final = Fault("invalid", "Voer een geldig e-mailadres in.")
NO_VALUE: Final = Fault("invalid", "Voer een geldige waarde in.")
NO_SLUG: Final = Fault(
    "invalid", 'Voer een geldige "slug" in, bestaande uit letters, cijfers, lage streepjes of streepjes.'
)
NO_MOMENT: Final = Fault(
    "invalid",
    "Datetime heeft een ongeldig formaat, gebruik 1 van de volgende formaten: "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
)
NO_DATE: Final = Fault(
    "invalid", "Date heeft het verkeerde formaat, gebruik 1 van deze formaten: YYYY-MM-DD."
)
NO_COUNTRY: Final = Fault("invalid", "Ongeldige landcode, de code moet behoren tot de ISO 3166-standaard")
NO_TELEPHONE: Final = Fault(
    "invalid",
    "Het opgegeven telefoonnummer is ongeldig, telefoonnummers beginnend met 0800, 0900, 1400 of 140xx "
    "zijn niet toegestaan.",
)
SHORT_TELEPHONE: Final = Fault("invalid", "Het opgegeven telefoonnummer is ongeldig.")
TOO_MANY_DIGITS: Final = Fault("max_string_length", "Tekstwaarde is te lang.")
NO_STANDARD: Final = Fault("invalid", "Alleen een adres van een partij kan het standaardadres zijn.")
NULL_CHARACTERS: Final = Fault("null_characters_not_allowed", "Null-tekens zijn niet toegestaan.")


def too_long(most: int) -> Fault:
    """A text of more than `most` characters."""
    return Fault("max_length", f"Zorg ervoor dat dit veld niet meer dan {most} karakters bevat.")


def too_short(least: int) -> Fault:
    """A text of less than `least` characters."""
    return Fault("min_length", f"Zorg ervoor dat dit veld minimaal {least} karakters bevat.")


def too_small(least: int) -> Fault:
    """A number below `least`."""
    return Fault("min_value", f"Zorg ervoor dat deze waarde groter is dan of gelijk is aan {least}.")


def too_large(most: int) -> Fault:
    """A number above `most`."""
    return Fault("max_value", f"Zorg ervoor dat deze waarde kleiner is dan of gelijk is aan {most}.")


def no_choice(given: object) -> Fault:
    """A value that the enumeration doesn't have."""
    return Fault("invalid_choice", f'"{given}" is een ongeldige keuze.')


def no_group(given: object) -> Fault:
    """Something else where an object is expected."""
    return Fault("invalid", f"Ongeldige data. Verwacht een dictionary, kreeg een {type(given).__name__}.")


def no_list(given: object) -> Fault:
    """Something else where a list is expected."""
    return Fault("not_a_list", f'Verwacht een lijst met items, maar kreeg type "{type(given).__name__}".')


def no_map(given: object) -> Fault:
    """Something else where an object with free keys is expected."""
    return Fault(
        "not_a_dict", f'Verwacht een dictionary van items, maar kreeg type "{type(given).__name__}".'
    )


def surrogate(character: str) -> Fault:
    """Half of a surrogate pair: JSON can carry it as an escape, UTF-8 can't."""
    return Fault(
        "surrogate_characters_not_allowed", f"Surrogate characters are not allowed: U+{ord(character):X}."
    )


def nothing_to_prefer(name: str, own: str) -> Fault:
    """A preference with nothing to choose from: of the list `own`."""
    return Fault("invalid", f"{name} mag niet meegegeven worden als {own} leeg is.")


def refused(*faults: Fault) -> ValidationError:
    """The error to raise for a value; marshmallow puts its place around it."""
    return ValidationError(list(faults))


def params(messages: Any, prefix: str = "") -> Iterator[InvalidField]:
    """What marshmallow collected, as named errors in the order of the fields.

    In: nested dicts by field or list index, with lists of Fault at the ends. What is wrong with a whole object
    is named nonFieldErrors.
    """
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            part = NON_FIELD if name == SCHEMA else str(name)
            yield from params(inner, f"{prefix}.{part}" if prefix else part)
    else:
        for fault in messages:
            yield InvalidField(prefix or NON_FIELD, fault.code, fault.reason)
