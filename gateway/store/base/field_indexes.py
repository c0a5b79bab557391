"""Which fields of documents have an index of their own: a search starts from these.

The indexes are made by the migrations of `schema`, so a change here needs a new one.
"""

from __future__ import annotations

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


def filter_index(kind: str, field: str) -> str:
    """The name of the index on `field` (a path in the body) of the documents of `kind`."""
    return f"filter_{kind}_{field}".replace("-", "_").replace(".", "_").lower()


# The names of the indexes; the second ones hold only the documents in which the field is not blank.
FILTER_INDEXES: dict[tuple[str, str], str] = {pair: filter_index(*pair) for pair in FEW_SHARE}
FILLED_INDEXES: dict[tuple[str, str], str] = {pair: filter_index(*pair) for pair in FILLED}
