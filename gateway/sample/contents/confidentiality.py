"""How confidential a zaak is: the values of the standard, in their order."""

VERTROUWELIJKHEIDAANDUIDINGEN = (
    "openbaar",
    "beperkt_openbaar",
    "intern",
    "zaakvertrouwelijk",
    "vertrouwelijk",
    "confidentieel",
    "geheim",
    "zeer_geheim",
)
RANKS = {name: rank for rank, name in enumerate(VERTROUWELIJKHEIDAANDUIDINGEN)}


def rank(vertrouwelijkheidaanduiding: object) -> int | None:
    """The place of a vertrouwelijkheidaanduiding in the standard's order; None when it is not one of them."""
    return RANKS.get(vertrouwelijkheidaanduiding) if isinstance(vertrouwelijkheidaanduiding, str) else None
