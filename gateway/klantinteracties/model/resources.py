"""The resources of the Klantinteracties API, one declaration each; everything served is made from these.

Sources: the contract of API version 0.9.0, and the recorded behaviour where that is silent. The order of the
fields is that of the recorded answers, the order of RESOURCES that of the recorded root.
"""

from __future__ import annotations

from gateway.klantinteracties.model.declarations import Resource
from gateway.klantinteracties.model.klantcontacten import (
    actoren,
    actorklantcontacten,
    betrokkenen,
    bijlagen,
    internetaken,
    klantcontacten,
    onderwerpobjecten,
)
from gateway.klantinteracties.model.partijen import (
    categorie_relaties,
    categorieen,
    digitaleadressen,
    partij_identificatoren,
    partijen,
    rekeningnummers,
    vertegenwoordigingen,
)

RESOURCES: tuple[Resource, ...] = (
    actoren,
    digitaleadressen,
    rekeningnummers,
    actorklantcontacten,
    klantcontacten,
    betrokkenen,
    onderwerpobjecten,
    bijlagen,
    internetaken,
    categorieen,
    categorie_relaties,
    partijen,
    partij_identificatoren,
    vertegenwoordigingen,
)
BY_KIND: dict[str, Resource] = {resource.kind: resource for resource in RESOURCES}
# The one path that only takes writes: klantcontact, betrokkene and onderwerpobject at once.
MAAK_KLANTCONTACT = "maak-klantcontact"
BASE_PATH = "/klantinteracties/api/v1"
# Everything that stands directly under the base path.
PATHS = frozenset({MAAK_KLANTCONTACT, *(resource.path for resource in RESOURCES)})
