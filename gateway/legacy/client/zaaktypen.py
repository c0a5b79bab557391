"""The zaaktypen of a Catalogi API as people see them: versions of one zaaktype share a name and an identificatie."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, Self

from gateway.legacy.client.addresses import uuid_of


class Zaaktype(NamedTuple):
    """One version of a zaaktype: its uuid, the zaaktype that it is a version of, and its text for people."""

    uuid: str
    of: str
    text: str

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self | None:
        """A zaaktype as the Catalogi API gives it; None without a uuid in its URL."""
        uuid = uuid_of(str(raw.get("url", "")))
        if uuid is None:
            return None
        # One identificatie may occur in several catalogi.
        identificatie = str(raw.get("identificatie") or "")
        of = f"{raw.get('catalogus') or ''} {identificatie or raw.get('omschrijving') or uuid}"
        return cls(str(uuid), of, label(raw, str(uuid)))


def label(raw: dict[str, Any], otherwise: str) -> str:
    """`Paspoort (ZT-12, versie van 2024-05-01)`, with what is filled of it."""
    name, identificatie = (str(raw.get(key) or "") for key in ("omschrijving", "identificatie"))
    version = str(raw.get("versiedatum") or raw.get("beginGeldigheid") or "")
    details = [
        part for part in (identificatie if name else "", f"versie van {version}" if version else "") if part
    ]
    return (name or identificatie or otherwise) + (f" ({', '.join(details)})" if details else "")


def without_zaken(zaaktypen: Iterable[Zaaktype], with_zaken: Collection[str]) -> list[str]:
    """The zaaktypen of which no version has a zaak: a text for each, of its first version.

    `with_zaken` are the uuids of versions of which zaken were seen.
    """
    first: dict[str, str] = {}
    met = set()
    for zaaktype in zaaktypen:
        first.setdefault(zaaktype.of, zaaktype.text)
        if zaaktype.uuid in with_zaken:
            met.add(zaaktype.of)
    return [text for of, text in first.items() if of not in met]
