"""Legacy objects for examples: small rollen, zaken and klantcontacten as a Zaken API gives them, and their parties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.model.claims import Claim
from mappings.model.documents import Document
from mappings.model.findings import Finding
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.rules.merge import merge, sets_of
from mappings.rules.merged import Merged
from mappings.translate import translate

ZAKEN = "https://zaken.example/zaken/api/v1"
SOURCE = "bron"
SECRET = "a secret of the tests, longer than thirty-two characters"
UUIDS = Uuids(SECRET)
SETTINGS = Settings("zaakvertrouwelijk")


def _passing_eleven_test(start: int, count: int) -> list[str]:
    found = []
    number = start
    while len(found) < count:
        digits = f"{number:09d}"
        weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
        if sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 == 0:
            found.append(digits)
        number += 1
    return found


BSN = _passing_eleven_test(900_000_000, 12)
RSIN = _passing_eleven_test(800_000_000, 6)
BSN_WITH_ZERO = _passing_eleven_test(12_345_000, 1)[0]
NO_BSN = "900000001" if "900000001" not in BSN else "900000002"
KVK = [f"9000000{number}" for number in range(1, 8)]
VESTIGING = [f"00009000000{number}" for number in range(1, 8)]


def uuid_of(kind: str, number: int) -> str:
    """The uuid of the example object of that kind and number."""
    start = {"zaak": "a", "rol": "b", "klantcontact": "c"}[kind]
    return f"{start}0000000-0000-4000-8000-{number:012d}"


def rol_uuid(number: int) -> UUID:
    """The uuid of rol `number`."""
    return UUID(uuid_of("rol", number))


def day(number: int) -> str:
    """A moment: the so many'th day of January 2024."""
    return f"2024-01-{number:02d}T12:00:00Z"


def zaak(number: int = 1, aanduiding: str = "openbaar", **fields: Any) -> dict[str, Any]:
    """A zaak."""
    uuid = uuid_of("zaak", number)
    return {
        "url": f"{ZAKEN}/zaken/{uuid}",
        "uuid": uuid,
        "identificatie": f"ZAAK-{number}",
        "zaaktype": "https://catalogi.example/zaaktypen/1",
        "vertrouwelijkheidaanduiding": aanduiding,
        "registratiedatum": "2024-01-01",
    } | fields


def rol(
    number: int,
    identificatie: dict[str, Any] | None = None,
    soort: str = "natuurlijk_persoon",
    *,
    url: str = "",
    zaak: int = 1,
    on: int = 1,
    generiek: str = "belanghebbende",
    contact: dict[str, str] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A rol, registered on the so many'th day of January 2024."""
    uuid = uuid_of("rol", number)
    return {
        "url": f"{ZAKEN}/rollen/{uuid}",
        "uuid": uuid,
        "zaak": f"{ZAKEN}/zaken/{uuid_of('zaak', zaak)}",
        "betrokkene": url,
        "betrokkeneType": soort,
        "omschrijvingGeneriek": generiek,
        "registratiedatum": day(on),
        "indicatieMachtiging": "",
        "contactpersoonRol": contact,
        "betrokkeneIdentificatie": identificatie,
    } | fields


def persoon(number: int, bsn: str = "", **rest: Any) -> dict[str, Any]:
    """A rol of a natuurlijk_persoon; `naam` is its geslachtsnaam, `anr` its A-nummer."""
    identificatie = {"inpBsn": bsn, "geslachtsnaam": rest.pop("naam", "Voorbeeld")}
    if "anr" in rest:
        identificatie["inpA_nummer"] = rest.pop("anr")
    return rol(number, identificatie, **rest)


def organisatie(number: int, naam: str = "Voorbeeld B.V.", **rest: Any) -> dict[str, Any]:
    """A rol of a niet_natuurlijk_persoon; `rsin`, `kvk` and `vestiging` are its numbers."""
    names = {
        "rsin": "innNnpId",
        "kvk": "kvkNummer",
        "vestiging": "vestigingsNummer",
        "ann": "annIdentificatie",
    }
    identificatie = {field: rest.pop(name) for name, field in names.items() if name in rest}
    return rol(number, identificatie | {"statutaireNaam": naam}, "niet_natuurlijk_persoon", **rest)


def vestiging(number: int, nummer: str, kvk: str = "", naam: str = "Filiaal", **rest: Any) -> dict[str, Any]:
    """A rol of a vestiging."""
    identificatie = {"vestigingsNummer": nummer, "kvkNummer": kvk, "handelsnaam": [naam]}
    return rol(number, identificatie, "vestiging", **rest)


def medewerker(number: int, identificatie: str = "mw-1", naam: str = "Balie", **rest: Any) -> dict[str, Any]:
    """A rol of a medewerker."""
    return rol(number, {"identificatie": identificatie, "achternaam": naam}, "medewerker", **rest)


def klantcontact(number: int, zaak: int = 1, on: int = 2, **fields: Any) -> dict[str, Any]:
    """A klantcontact."""
    uuid = uuid_of("klantcontact", number)
    return {
        "url": f"{ZAKEN}/klantcontacten/{uuid}",
        "uuid": uuid,
        "zaak": f"{ZAKEN}/zaken/{uuid_of('zaak', zaak)}",
        "identificatie": f"KC{number}",
        "datumtijd": day(on),
        "kanaal": "Telefoon",
        "onderwerp": "Vraag",
        "toelichting": "Hoe lang duurt het nog?",
    } | fields


def said(raw: dict[str, Any], settings: Settings = SETTINGS) -> Translated:
    """What a rol says."""
    return translate("rol", raw, SOURCE, settings)


def claim(raw: dict[str, Any], settings: Settings = SETTINGS) -> Claim:
    """What a rol says of its own betrokkene."""
    return said(raw, settings).claims[0]


def merged(rollen: Sequence[dict[str, Any]], settings: Settings = SETTINGS) -> list[Merged]:
    """The parties and actors of these rollen, by uuid."""
    claims = [each for raw in rollen for each in said(raw, settings).claims]
    sets = sets_of(claims)
    made = [merge([claims[member] for member in keys.members], keys, UUIDS, settings) for keys in sets]
    return sorted(made, key=lambda each: each.documents[0].uuid)


def party(rollen: Sequence[dict[str, Any]], settings: Settings = SETTINGS) -> Merged:
    """The one party or actor of these rollen."""
    (only,) = merged(rollen, settings)
    return only


def documents(made: Merged, kind: str) -> list[Document]:
    """The documents of one kind."""
    return [document for document in made.documents if document.kind == kind]


def numbers(made: Merged) -> dict[str, str]:
    """The identificatoren of a party: soort to objectId."""
    rows = [each.body["partijIdentificator"] for each in documents(made, "partij-identificator")]
    assert len({row["codeSoortObjectId"] for row in rows}) == len(rows)
    return {row["codeSoortObjectId"]: row["objectId"] for row in rows}


def rules(found: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """Rule, field and severity of findings."""
    return sorted((each.rule, each.field.rpartition(".")[2], str(each.severity)) for each in found)
