"""Where a person still stands when it is erased here: at which source, under which address, and what to do there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from gateway.config.model import Config, Source
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.operator.rooms.found import address
from gateway.store.base.session import Session
from gateway.store.inspect import searching
from gateway.store.person import held
from gateway.store.person.belonging import Belonging, RawName
from gateway.store.person.held import SentAway
from mappings.standards import KINDS

REGISTER = "register"
ADVICE = {
    "zaak": "vernietig de zaak in het zaaksysteem, als haar bewaartermijn om is",
    "rol": "verwijder de rol van de zaak, of vernietig de zaak",
    "klantcontact": "verdwijnt daar alleen met de zaak",
    "klant": "verwijder de klant",
    "contactmoment": "verwijder het contactmoment",
}
OF_TIES = "verdwijnt daar met het contactmoment of de klant"
IN_REGISTER = "verwijder het daar, als het overzetten dat niet al deed"


class StandsAt(NamedTuple):
    """An object elsewhere: at which source (or the register), what, under which address, and what to do about it."""

    where: str
    kind: str
    uuid: str
    zaaknummer: str
    address: str
    advice: str


def of_raws(
    connection: Session, sources: Sequence[Source], found: Belonging, names: Iterable[RawName]
) -> list[StandsAt]:
    """Where these objects are at their sources. Inside `Store.read()`."""
    names = sorted(names, key=lambda each: (each.source_name, _place(each.kind), each.uuid))
    numbers: dict[tuple[str, UUID], str] = {}
    for source in {each.source_name for each in names}:
        zaken = {UUID(bytes=each.zaak) for each in names if each.zaak and each.source_name == source}
        told = searching.zaaknummers(connection, source, zaken)
        numbers |= {(source, zaak): number for zaak, number in told.items()}
    return [
        StandsAt(
            each.source_name,
            each.kind,
            str(UUID(bytes=each.uuid)),
            numbers.get((each.source_name, UUID(bytes=each.zaak)), "") if each.zaak else "",
            address(sources, each.source_name, each.kind, UUID(bytes=each.uuid)),
            ADVICE.get(each.kind, OF_TIES),
        )
        for each in names
    ]


def of_sent(config: Config, found: Iterable[SentAway]) -> list[StandsAt]:
    """What went from here to sources and to the register that is left for."""
    there = []
    for each in found:
        uuid = str(each.there) if each.there else ""
        if each.table == held.SENT:
            where = address(config.sources, each.source, each.kind, each.there) if each.there else ""
            there.append(StandsAt(each.source, each.kind, uuid, "", where, ADVICE.get(each.kind, OF_TIES)))
        elif each.table == held.REGISTER:
            where = (
                f"{config.target.url}/{BY_KIND[each.kind].path}/{uuid}" if config.target.url and uuid else ""
            )
            there.append(StandsAt(REGISTER, each.kind, uuid, "", where, IN_REGISTER))
    return there


def _place(kind: str) -> int:
    return list(KINDS).index(kind)
