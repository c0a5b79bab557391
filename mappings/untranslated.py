"""Which keys occur in an object that is not translated: in quarantine, or waiting for its zaak (M3, M34).

A search for one of them must not be answered with "there is nothing". So this reads more than a translation would: a
number in any field counts as whatever number it can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from mappings.identity import identity
from mappings.incoming.unreadable import MARK
from mappings.model.settings import Settings
from mappings.standards import KINDS
from mappings.standards.declaration import FoundBy, LegacyKind
from mappings.values import nummers
from mappings.values.uuids import uuid_in

# Fields that say what an object is and where it hangs, never whom it is about.
_OWN: Final = frozenset({"uuid", "zaak", "zaaktype", "roltype", "statussen", MARK})
# Fields that hold a number of a partij; in these it may also be written with dots, dashes or blanks.
_NUMBER: Final = frozenset(
    {"inpBsn", "inpA_nummer", "innNnpId", "kvkNummer", "vestigingsNummer"}
    | {"bsn", "rsin", "kvk", "identificatie", "anpIdentificatie", "annIdentificatie"}
)
# Fields in which a partij or actor is named otherwise.
_NAMING: Final = frozenset(
    {"betrokkene", "klant", "subject", "medewerker", "behandelaar", "afdeling", "groep"}
)
# When one of these can't be read, neither can what it holds.
_GROUPS: Final = frozenset({"betrokkeneIdentificatie", "subjectIdentificatie", "authenticatieContext"})
_ACTOREN: Final = ("medewerker", "organisatorische_eenheid", "groep")
_LONGEST_NUMBER: Final = 20


@dataclass(slots=True)
class NamedKeys:
    """The identity keys in an object, the contactmomenten that it names by uuid, and whether that may be all:
    `whole` is False when a key can't be read, or when there is none that a search could find."""

    keys: set[str] = field(default_factory=set)
    contacts: set[UUID] = field(default_factory=set)
    whole: bool = True


def named_in(kind: str, raw: Mapping[str, Any], source: str, settings: Settings) -> NamedKeys:
    """The keys that occur in a legacy object of `source`, however it is written. Raises nothing, whatever it holds."""
    found = NamedKeys()
    for name, value in _values(raw):
        found.keys |= _keys(name, value, source, settings)
        if name == "contactmoment" and (contact := uuid_in(value)):
            found.contacts.add(contact)
    own = uuid_in(raw.get("uuid")) or uuid_in(raw.get("url"))
    declared = KINDS[kind]
    if declared.url_is_key and isinstance(raw.get("url"), str):
        found.keys |= {f"url:{url}" for url in identity.spellings(raw["url"], settings.klanten_adressen)}
    if declared.uuid_key and own:
        found.keys.add(f"{declared.uuid_key}:{own}")
    if kind == "contactmoment" and own:
        found.contacts.add(own)
    found.whole = not _hides(raw) and _findable(declared, raw, found)
    return found


def _findable(declared: LegacyKind, raw: Mapping[str, Any], found: NamedKeys) -> bool:
    """Does a search lead to what this object would become?"""
    match declared.found_by:
        case FoundBy.ITS_UUID:
            return True
        case FoundBy.ITS_ZAAK:
            return uuid_in(raw.get("zaak")) is not None
        case FoundBy.ITS_CONTACT:
            return bool(found.contacts)
        case FoundBy.ITS_KEYS:
            return any(not key.startswith(f"{declared.uuid_key}:") for key in found.keys)


def _values(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number in an object, with the field that holds it."""
    if isinstance(value, Mapping):
        for inner, each in value.items():
            if inner not in _OWN and (name or inner != "url"):
                yield from _values(each, str(inner))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _values(each, name)
    elif isinstance(value, str):
        yield name, value.strip()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        yield name, str(whole)


def _keys(name: str, text: str, source: str, settings: Settings) -> set[str]:
    spellings = {text}
    if name in _NUMBER and len(text) <= _LONGEST_NUMBER:
        spellings.add(re.sub(r"[\s.\-]", "", text))
    keys = {key for spelling in spellings for key in _numbers(spelling)}
    if text and text.casefold() not in settings.loze_identificaties:
        if name in ("anpIdentificatie", "annIdentificatie"):
            keys.add(f"{name[:3]}:{source}:{text}")
        elif name == "identificatie" or name in _ACTOREN or name in ("behandelaar", "afdeling"):
            keys |= {f"actor:{soort}|{source}|{text}" for soort in _ACTOREN}
    if name in _NAMING and "://" in text:
        for url in identity.spellings(text, settings.klanten_adressen):
            keys.add(f"url:{url}")
            keys |= {f"actor-url:{soort}|{source}|{url}" for soort in _ACTOREN}
    return keys


def _numbers(text: str) -> Iterator[str]:
    """The keys of all that a number can be."""
    if number := nummers.bsn(text):
        yield f"brp:bsn:{number}"
    if number := nummers.a_nummer(text):
        yield f"brp:anr:{number}"
    if number := nummers.rsin(text):
        yield f"hr:rsin:{number}"
    if number := nummers.kvk_nummer(text):
        yield f"hr:kvk:{number}"
    if number := nummers.vestigingsnummer(text):
        yield f"hr:vestiging:{number}"


def _hides(raw: Mapping[str, Any]) -> bool:
    """Is something that may hold a key marked as not to be read?"""
    if MARK not in raw:
        return False
    mark = raw[MARK]
    if not isinstance(mark, Mapping):
        return True
    telling = _NUMBER | _NAMING | _GROUPS | {"", "zaak", "contactmoment"}
    return any(str(path).rsplit(".", 1)[-1] in telling for path in mark)
