"""Who represents whom, from the rollen of one zaak (M25, M26)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.model.documents import Document
from mappings.model.findings import Finding, Severity
from mappings.values import nummers

GEMACHTIGDE: Final = "gemachtigde"
MACHTIGINGGEVER: Final = "machtiginggever"
MACHTIGINGEN: Final = (GEMACHTIGDE, MACHTIGINGGEVER)
# The facet of a rol's claim on the party that its betrokkene acts for.
FACET: Final = "vertegenwoordigde"

_MACHTIGING: Final = "indicatieMachtiging"
REPRESENTEE: Final = "authenticatieContext.representee"
# identifierType, in small letters without signs: what sort of number it is, the key, and the soort of claim.
_SOORTEN: Final[Mapping[str, tuple[str, str, str]]] = {
    "bsn": ("bsn", "brp:bsn:", "persoon"),
    "rsin": ("rsin", "hr:rsin:", "organisatie"),
    "kvk": ("kvk_nummer", "hr:kvk:", "organisatie"),
    "kvknummer": ("kvk_nummer", "hr:kvk:", "organisatie"),
    "vestiging": ("vestigingsnummer", "hr:vestiging:", "vestiging"),
    "vestigingsnummer": ("vestigingsnummer", "hr:vestiging:", "vestiging"),
}
_VALID: Final = {
    "bsn": nummers.bsn,
    "rsin": nummers.rsin,
    "kvk_nummer": nummers.kvk_nummer,
    "vestigingsnummer": nummers.vestigingsnummer,
}

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Representee:
    """The party that a rol's betrokkene acts for: its identity key, its identificator, the soort of its claim."""

    key: str
    identificator: tuple[str, str]
    soort: str


@dataclass(frozen=True, slots=True)
class Machtiging:
    """A rol of a zaak that has a part in representation.

    `partij` is the party that it became, `representee` the one that its authenticatieContext names; either is None
    when it is not there. `facts` are those of `machtiging_facts`; `moment` is the registratiedatum.
    """

    rol: UUID
    moment: int
    facts: Mapping[str, Any]
    partij: UUID | None
    representee: UUID | None = None


@dataclass(slots=True)
class InZaak:
    """What the rollen of one zaak say: for each pair (represented, representative) the rollen that say so, findings
    by rol, and the day after which it has to be asked again (None: never)."""

    pairs: dict[Pair, set[UUID]] = field(default_factory=dict)
    findings: list[tuple[UUID, Finding]] = field(default_factory=list)
    until: date | None = None


def representee(context: Mapping[str, Any] | None, found: list[Finding]) -> Representee | None:
    """The party that an authenticatieContext names as represented (M26).

    None when there is none; `found` gets a finding when it is there and names nobody. Raises nothing.
    """
    given = (context or {}).get("representee")
    if given in (None, "", {}, []):
        return None
    if not isinstance(given, Mapping):
        found.append(_dropped(REPRESENTEE, "heeft geen soort nummer en nummer: geen vertegenwoordiging"))
        return None
    wanted = "".join(filter(str.isalnum, str(given.get("identifierType") or ""))).casefold()
    value = str(given.get("identifier") or "").strip()
    if wanted not in _SOORTEN:
        found.append(_dropped(REPRESENTEE + ".identifierType", "onbekend soort nummer: niet overgenomen"))
        return None
    soort, start, claim = _SOORTEN[wanted]
    number = _VALID[soort](value)
    if number is None:
        found.append(
            _dropped(REPRESENTEE + ".identifier", f"geen geldig nummer ({soort}): geen vertegenwoordiging")
        )
        return None
    if number != value:
        found.append(Finding("M5", REPRESENTEE + ".identifier", Severity.ADJUSTED, "aangevuld tot 9 cijfers"))
    return Representee(f"{start}{number}", (soort, number), claim)


def machtiging_facts(rol: Mapping[str, Any], named: bool, found: list[Finding]) -> dict[str, Any] | None:
    """What a loaded rol says of representation, JSON-ready; None when it has no part in it (M25, M26).

    `named` tells that it has a `representee`. `found` gets a finding for what can't be read.
    """
    side = rol[_MACHTIGING]
    if side and side not in MACHTIGINGEN:
        found.append(_dropped(_MACHTIGING, "onbekende waarde: geen vertegenwoordiging", "M25"))
        side = ""
    if not side and not named:
        return None
    end = ""
    if rol["eindeGeldigheid"]:
        try:
            end = date.fromisoformat(rol["eindeGeldigheid"][:10]).isoformat()
        except ValueError:
            found.append(_dropped("eindeGeldigheid", "geen datum: de vertegenwoordiging eindigt niet"))
    return {"kant": side, "einde": end, "namens": named}


def in_zaak(rollen: Iterable[Machtiging], day: date) -> InZaak:
    """What the rollen of one zaak say on a day, in any order (M25, M26).

    One machtiginggever or one gemachtigde: each pair; several on both sides: none. A representee is represented by
    the betrokkene of its rol. A rol that ended before the day says nothing.
    """
    result = InZaak()
    ends, held = set[date](), list[Machtiging]()
    for rol in sorted(rollen, key=lambda rol: rol.rol.bytes):
        end = date.fromisoformat(rol.facts["einde"]) if rol.facts["einde"] else None
        if end is not None and end < day:
            result.findings.append(
                (rol.rol, _told("M26", "eindeGeldigheid", "voorbij: geen vertegenwoordiging"))
            )
            continue
        if end is not None:
            ends.add(end)
        held.append(rol)
    result.until = min(ends, default=None)
    sides = {side: [rol for rol in held if rol.facts["kant"] == side] for side in MACHTIGINGEN}
    for rol in held:
        if rol.facts["namens"]:
            _pair(result, rol.representee, rol.partij, {rol.rol}, ("M26", REPRESENTEE))
    _of_sides(result, sides[MACHTIGINGGEVER], sides[GEMACHTIGDE])
    return result


def _of_sides(result: InZaak, givers: Sequence[Machtiging], takers: Sequence[Machtiging]) -> None:
    both = [*givers, *takers]
    if len({rol.partij for rol in givers}) > 1 and len({rol.partij for rol in takers}) > 1:
        action = (
            "dubbelzinnig: meer machtiginggevers en meer gemachtigden op een zaak, geen vertegenwoordiging"
        )
        result.findings += [(rol.rol, _told("M25", _MACHTIGING, action)) for rol in both]
    elif givers and takers:
        for giver in givers:
            for taker in takers:
                _pair(result, giver.partij, taker.partij, {giver.rol, taker.rol}, ("M25", _MACHTIGING))
    else:
        action = "geen andere kant op de zaak: geen vertegenwoordiging"
        alone = [rol for rol in both if not rol.facts["namens"]]
        result.findings += [(rol.rol, _told("M25", _MACHTIGING, action)) for rol in alone]


def _pair(
    result: InZaak,
    represented: UUID | None,
    representative: UUID | None,
    rollen: set[UUID],
    said: tuple[str, str],
) -> None:
    """Add a pair, or a finding where both are one party; `said` is the rule and the field that give the pair."""
    if represented is None or representative is None:
        return  # a client deleted that party
    if represented == representative:
        action = "beide kanten zijn dezelfde partij: geen vertegenwoordiging"
        result.findings += [(rol, _told(*said, action)) for rol in sorted(rollen)]
        return
    result.pairs.setdefault((represented, representative), set()).update(rollen)


def pair_uuid(uuids: Uuids, pair: Pair) -> UUID:
    """The uuid of the vertegenwoordiging of a pair (M9)."""
    return uuids.derive("vertegenwoordiging", str(pair[0]), str(pair[1]))


def pair_uuids(uuids: Uuids, pair: Pair, others: tuple[Sequence[UUID], Sequence[UUID]]) -> list[UUID]:
    """Its uuid, and those that it would have by the other uuids of either party (M6)."""
    represented, representative = ([own, *more] for own, more in zip(pair, others, strict=True))
    return [pair_uuid(uuids, (one, other)) for one in represented for other in representative]


def vertegenwoordiging(
    pair: Pair, created: int, rollen: Iterable[UUID], known_as: Sequence[UUID]
) -> Document:
    """The one document of a pair, over all zaken that give it.

    In: the moment of its oldest rol (M42), and the uuids that it is known by, its own first.
    """
    represented, representative = pair
    uuid, *others = known_as
    return Document(
        "vertegenwoordiging",
        uuid,
        {},
        created,
        created,
        {"vertegenwoordigendePartij": [representative], "vertegenwoordigdePartij": [represented]},
        frozenset(rollen),
        tuple(others),
    )


def _told(rule: str, path: str, action: str) -> Finding:
    return Finding(rule, path, Severity.INFO, action)


def _dropped(path: str, action: str, rule: str = "M26") -> Finding:
    return Finding(rule, path, Severity.DROPPED, action)
