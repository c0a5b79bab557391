"""Which party is this? Identity keys, the sets that they form, and the uuids derived from them (M5-M9)."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from uuid import UUID

from mappings.identity.urls import spelled_alike
from mappings.values import nummers

# Highest first (M5). The part of a key before its value gives its place.
ORDER: tuple[str, ...] = (
    "brp:bsn:",
    "brp:anr:",
    "anp:",
    "hr:rsin:",
    "hr:kvk:",
    "ann:",
    "hr:vestiging:",
    "actor:",
    "actor-url:",
    "actor-rol:",
    "url:",
    "rol:",
)
_PLACE: Mapping[str, int] = {start: number for number, start in enumerate(ORDER)}
# Keys that begin with one of these name what sort of number follows.
REGISTERS: frozenset[str] = frozenset({"brp", "hr"})
# One party never has two of these (M6).
# Of an actor that a contactmoment calls a groep (M40).
GROEP = ("actor:groep|", "actor-rol:groep|")
SINGLE: tuple[str, ...] = ("brp:bsn:", "brp:anr:", "hr:rsin:", "hr:kvk:", "hr:vestiging:", "actor:")
# Keys of different families never name one party: a person, an organisation, one of its vestigingen, an actor.
FAMILY: Mapping[str, str] = {
    "brp:bsn:": "persoon",
    "brp:anr:": "persoon",
    "anp:": "persoon",
    "hr:rsin:": "organisatie",
    "hr:kvk:": "organisatie",
    "ann:": "organisatie",
    "hr:vestiging:": "vestiging",
}

# Why keys are not joined (M6): a party would have two numbers of a kind, be of two soorten, or be a vestiging of two
# organisations.
TWO_NUMBERS: Final = "nummers"
TWO_SOORTEN: Final = "soorten"
TWO_PARENTS: Final = "ouders"

_VESTIGING: Final = "hr:vestiging:"


class Uuids:
    """Derives the uuids of objects that the legacy doesn't have, from their natural key (M9)."""

    def __init__(self, secret: str) -> None:
        self._keyed = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def derive(self, *parts: str) -> UUID:
        """The version 8 uuid (RFC 9562) of the natural key `parts`: the same for the same secret, always."""
        return UUID(bytes=self.derive_bytes(*parts))

    def derive_bytes(self, *parts: str) -> bytes:
        """The 16 bytes of that uuid."""
        keyed = self._keyed.copy()
        keyed.update("|".join(parts).encode())
        value = bytearray(keyed.digest()[:16])
        value[6] = value[6] & 0x0F | 0x80
        value[8] = value[8] & 0x3F | 0x80
        return bytes(value)


def key_uuid(uuids: Uuids, key: str) -> UUID:
    """The uuid of the party or actor that `key` names, when it is the highest of its set (M9)."""
    return UUID(bytes=sealed(uuids, key))


def sealed(uuids: Uuids, key: str) -> bytes:
    """The keyed hash under which a key is remembered where it may not stand readable itself.

    It is the uuid that the key would give its partij or actor (M9): so who is asked for by that uuid is found as well.
    """
    if key.startswith("actor-url:"):
        # Not as `actor|...`: an identificatie may be written like a URL.
        return uuids.derive_bytes("actor-url", key.removeprefix("actor-url:"))
    if key.startswith("actor"):
        return uuids.derive_bytes("actor", key.split(":", 1)[1])
    return uuids.derive_bytes("partij", key)


def prefix(key: str) -> str:
    """The part of an identity key that is its kind: "brp:bsn:" of "brp:bsn:123456782"."""
    start, _, value = key.partition(":")
    return f"{start}:{value.partition(':')[0]}:" if start in REGISTERS else f"{start}:"


def place(key: str) -> tuple[int, str]:
    """Sort value of a key: the order of M5, then its value. The highest key sorts first."""
    return _PLACE[prefix(key)], key


def persoon_keys(identificatie: Mapping[str, str], urls: Sequence[str], source: str, rol: UUID) -> list[str]:
    """Identity keys of a natuurlijk_persoon, highest first (M5)."""
    keys = []
    if bsn := nummers.bsn(identificatie.get("inpBsn", "")):
        keys.append(f"brp:bsn:{bsn}")
    if a_nummer := nummers.a_nummer(identificatie.get("inpA_nummer", "")):
        keys.append(f"brp:anr:{a_nummer}")
    if anp := identificatie.get("anpIdentificatie", ""):
        keys.append(f"anp:{source}:{anp}")
    return _with_urls(keys, urls, rol)


def organisatie_keys(
    identificatie: Mapping[str, str], urls: Sequence[str], source: str, rol: UUID
) -> list[str]:
    """Identity keys of a niet_natuurlijk_persoon that is no vestiging, highest first (M5)."""
    keys = hr_keys(identificatie)
    if ann := identificatie.get("annIdentificatie", ""):
        keys.append(f"ann:{source}:{ann}")
    return _with_urls(keys, urls, rol)


def hr_keys(identificatie: Mapping[str, str]) -> list[str]:
    """RSIN and KVK number keys: innNnpId holds either, by its length (M5)."""
    nnp_id = identificatie.get("innNnpId", "")
    found = [f"hr:rsin:{rsin}"] if (rsin := nummers.rsin(nnp_id)) else []
    kvk = {nummers.kvk_nummer(text) for text in (nnp_id, identificatie.get("kvkNummer", ""))} - {None}
    return found + sorted(f"hr:kvk:{nummer}" for nummer in kvk)


def vestiging_keys(identificatie: Mapping[str, str], urls: Sequence[str], rol: UUID) -> list[str]:
    """Identity keys of a betrokkene of type vestiging, highest first (M5)."""
    nummer = nummers.vestigingsnummer(identificatie.get("vestigingsNummer", ""))
    return _with_urls([f"hr:vestiging:{nummer}"] if nummer else [], urls, rol)


def actor_keys(soort: str, identificatie: str, urls: Sequence[str], source: str, rol: UUID) -> list[str]:
    """Identity keys of a medewerker or organisatorische eenheid, highest first (M6, M27)."""
    keys = [f"actor:{soort}|{source}|{identificatie}"] if identificatie else []
    keys += [f"actor-url:{soort}|{source}|{url}" for url in urls]
    return keys or [f"actor-rol:{soort}|{source}|{rol}"]


def spellings(url: str, addresses: Sequence[str]) -> list[str]:
    """The URL of a betrokkene or klant as it is written, and as all URLs of that object can be (M6).

    Under the first it was known before, by the second it is known as one with the others. In: the base addresses of
    the APIs that tell kind and uuid apart. Out: sorted; nothing for a blank URL.
    """
    if not url:
        return []
    alike = spelled_alike(url, addresses) if addresses else ""
    return sorted({url, alike}) if alike else [url]


def _with_urls(keys: list[str], urls: Sequence[str], rol: UUID) -> list[str]:
    keys += [f"url:{url}" for url in urls]
    return keys or [f"rol:{rol}"]


@dataclass(frozen=True, slots=True)
class KeySet:
    """One party: the members (positions in the input) that name it and its keys, the one that gives its uuid first.

    `conflict` tells why the set that its keys were part of was not joined (M6), "" when it was. `loose` are keys of
    such a set that name none of its parties: their number is kept once, without a party.
    """

    members: tuple[int, ...]
    keys: tuple[str, ...]
    conflict: str = ""
    loose: tuple[str, ...] = ()

    def names(self, key: str) -> bool:
        """Is `key` one of this party, also when it is that of one of the pairs of a vestigingsnummer?"""
        return key in self.keys or (key.startswith(_VESTIGING) and self.keys[0].startswith(f"{key}:"))


@dataclass(frozen=True, slots=True)
class Ouder:
    """The KVK number that a claim says a vestiging is under ("": none), and when: its newest rol with the moment, and
    the moment of its oldest."""

    kvk: str
    moment: int = 0
    rol: bytes = b""
    oldest: int = 0


def key_sets(
    claims: Sequence[Sequence[str]],
    soorten: Sequence[str],
    ouders: Mapping[int, Ouder] = MappingProxyType({}),
) -> list[KeySet]:
    """Join claims by the keys that they share (M6); the order of the claims does not matter.

    In: the keys of each claim, highest first, its soort (persoon, organisatie, vestiging, that of an actor, or ""
    when it goes along with the others), and for vestigingen, by position, under which KVK number they are. Out: the
    sets. A set that would hold two values of a key that a party has once, or that would make one party of a person and
    an organisation, or of an organisation and its vestiging (M5), is not joined: each claim goes to its own highest
    key. A vestigingsnummer with one KVK number is also known as that pair; with several each pair is a party, and who
    knew the number alone finds the pair that was there first.
    """
    joined: list[KeySet] = []
    for members in _components(claims):
        if len(members) == 1 and len(claims[members[0]]) == 1 and members[0] not in ouders:
            joined.append(KeySet((members[0],), (claims[members[0]][0],)))
            continue
        own, also = _pairs(claims, members, ouders)
        if own is None:
            joined += _joined(claims, members, soorten, also, "")
            continue
        told = dict(zip(members, own, strict=True))
        for part in _components(own):
            joined += _joined(told, [members[place] for place in part], soorten, also, TWO_PARENTS)
    return joined


def _pairs(
    claims: Sequence[Sequence[str]], members: list[int], ouders: Mapping[int, Ouder]
) -> tuple[list[Sequence[str]] | None, dict[str, str]]:
    """Tell apart the vestigingen of one number under several KVK numbers (M6).

    Out: the keys of each member with the pair for the number, None when there is no such number; and by key another
    one that leads to the same party.
    """
    said: dict[str, list[Ouder]] = {}
    for member in members:
        if member in ouders and ouders[member].kvk:
            said.setdefault(claims[member][0], []).append(ouders[member])
    also: dict[str, str] = {}
    newest: dict[str, str] = {}
    for key, known in said.items():
        first = min(known, key=lambda ouder: (ouder.oldest, ouder.kvk)).kvk
        if len({ouder.kvk for ouder in known}) == 1:
            also[key] = f"{key}:{first}"
        else:
            also[f"{key}:{first}"] = key
            newest[key] = max(known, key=lambda ouder: (ouder.moment, ouder.rol, ouder.kvk)).kvk
    if not newest:
        return None, also
    own: list[Sequence[str]] = []
    for member in members:
        key = claims[member][0]
        if key in newest:
            kvk = ouders[member].kvk if member in ouders else ""
            own.append([f"{key}:{kvk or newest[key]}", *claims[member][1:]])
        else:
            own.append(claims[member])
    return own, also


def _joined(
    claims: Sequence[Sequence[str]] | Mapping[int, Sequence[str]],
    members: list[int],
    soorten: Sequence[str],
    also: Mapping[str, str],
    parents: str,
) -> list[KeySet]:
    """The party of claims that hang together by their keys, or the parties when that can't be one.

    `parents` is the conflict of those that are a pair of a vestigingsnummer that was told apart.
    """
    keys = sorted({key for member in members for key in claims[member]}, key=place)
    if conflict := conflicting(keys, {soorten[member] for member in members}):
        sets = _apart(claims, members, conflict)
    else:
        paired = parents if any(key.count(":") > 2 for key in keys if key.startswith(_VESTIGING)) else ""
        sets = [KeySet(tuple(members), tuple(keys), paired)]
    if not also:
        return sets
    return [
        replace(each, keys=(*each.keys, *(also[key] for key in each.keys if key in also))) for each in sets
    ]


def _apart(
    claims: Sequence[Sequence[str]] | Mapping[int, Sequence[str]], members: list[int], conflict: str
) -> list[KeySet]:
    """The sets of a conflict: by the highest key of each claim."""
    groups: dict[str, list[int]] = defaultdict(list)
    for member in members:
        groups[min(claims[member], key=place)].append(member)
    loose: dict[str, list[str]] = defaultdict(list)
    for key in sorted({key for member in members for key in claims[member]} - groups.keys()):
        holders = [own for own, group in groups.items() if any(key in claims[member] for member in group)]
        loose[min(holders, key=place)].append(key)
    return [
        KeySet(tuple(group), (own,), conflict, tuple(loose[own])) for own, group in sorted(groups.items())
    ]


def conflicting(keys: Iterable[str], soorten: Iterable[str]) -> str:
    """Which conflict these keys, of claims of these soorten, would be on one party; "" when none (M5, M6)."""
    seen: set[str] = set()
    families = set(soorten) - {""}
    numbered = {FAMILY[start] for key in keys if (start := prefix(key)) in FAMILY}
    if "vestiging" in families and "organisatie" not in numbered:
        # An organisation that is known by its URL only may be that vestiging.
        families.discard("organisatie")
    for key in keys:
        start = prefix(key)
        if start in SINGLE and start in seen:
            return TWO_NUMBERS
        seen.add(start)
    return TWO_SOORTEN if len(families) > 1 else ""


def _components(claims: Sequence[Sequence[str]]) -> list[list[int]]:
    root = list(range(len(claims)))

    def find(member: int) -> int:
        while root[member] != member:
            root[member] = root[root[member]]
            member = root[member]
        return member

    first: dict[str, int] = {}
    for member, keys in enumerate(claims):
        for key in keys:
            if key in first:
                root[find(member)] = find(first[key])
            else:
                first[key] = member
    groups: dict[int, list[int]] = defaultdict(list)
    for member in range(len(claims)):
        groups[find(member)].append(member)
    return list(groups.values())
