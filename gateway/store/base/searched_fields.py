"""Which fields of documents are kept beside them as rows of `field_value`: a search starts from these.

The numbers stand in the rows: a field keeps its number, a new one comes at the end of its list, and then a migration
must have the rows made again (`schema/upgrade.py`).
"""

from __future__ import annotations

import hashlib

# Longer values are kept as a digest: an index of PostgreSQL takes no row of more than some 2,700 bytes, and no text of
# so many signs has more.
LONGEST = 600
# How a digest begins; a text that begins so is kept as a digest too, so that no two values are kept alike.
DIGEST = "\x01"

# Fields that clients search by an exact value that few documents share: kind, and place in the body.
FEW_SHARE: tuple[tuple[str, str], ...] = (
    ("partij", "nummer"),
    ("partij", "bezoekadres.nummeraanduidingId"),
    ("partij-identificator", "partijIdentificator.objectId"),
    ("partij-identificator", "anderePartijIdentificator"),
    ("digitaleadres", "adres"),
    ("rekeningnummer", "iban"),
    ("categorie", "naam"),
    ("klantcontact", "nummer"),
    ("klantcontact", "referentienummer"),
    ("betrokkene", "contactnaam.achternaam"),
    ("onderwerpobject", "onderwerpobjectidentificator.objectId"),
    ("bijlage", "bijlageidentificator.objectId"),
    ("actor", "actoridentificator.objectId"),
    ("internetaak", "nummer"),
    ("internetaak", "referentienummer"),
)
# Fields that clients filter on and that are blank in most documents: kind, and place in the body.
FILLED: tuple[tuple[str, str], ...] = (
    ("actor", "naam"),
    ("betrokkene", "contactnaam.voorletters"),
    ("betrokkene", "contactnaam.voornaam"),
    ("betrokkene", "organisatienaam"),
    ("categorie-relatie", "beginDatum"),
    ("categorie-relatie", "eindDatum"),
    ("digitaleadres", "referentie"),
    ("digitaleadres", "verificatieDatum"),
    ("internetaak", "toegewezenOp"),
    ("partij", "bezoekadres.adresregel1"),
    ("partij", "bezoekadres.adresregel2"),
    ("partij", "bezoekadres.adresregel3"),
    ("partij", "correspondentieadres.adresregel1"),
    ("partij", "correspondentieadres.adresregel2"),
    ("partij", "correspondentieadres.adresregel3"),
    ("partij", "correspondentieadres.nummeraanduidingId"),
    ("rekeningnummer", "bic"),
)


def kept_value(value: str) -> str:
    """How a value stands in `field_value`: as it is, or as a digest when it is long or has a NUL, which PostgreSQL has
    in no text. Who looks for a value looks for this."""
    if len(value) <= LONGEST and "\0" not in value and not value.startswith(DIGEST):
        return value
    return DIGEST + hashlib.sha256(value.encode()).hexdigest()


# The numbers of the fields. Of those in FILLED only values that are not blank are kept.
FIELD_NUMBER: dict[tuple[str, str], int] = {
    **{pair: number for number, pair in enumerate(FEW_SHARE, 1)},
    **{pair: number for number, pair in enumerate(FILLED, 101)},
}
