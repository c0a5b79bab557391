"""Zaken of the Zaken API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.incoming.zaken import load_zaak
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.rules.klantcontacten import zaak_facts
from mappings.standards.betrokkenen import BRANCH, COMPANY, EMPLOYEE, PERSON, UNIT
from mappings.standards.declaration import (
    ALWAYS,
    NEVER,
    ZAKEN,
    Decides,
    FoundBy,
    LegacyKind,
    Newest,
    Pages,
    since,
    with_suffixes,
)


def _translate(
    zaak: dict[str, Any], _raw: Mapping[str, Any], _source: str, _settings: Settings
) -> Translated:
    return Translated(zaak_facts(zaak))


ZAAK: Final = LegacyKind(
    name="zaak",
    number=1,
    title="Zaken",
    path="zaken",
    api=ZAKEN,
    pages=Pages.SIZED,
    filters={
        **since(
            ALWAYS,
            *(
                "page",
                "ordering",
                "identificatie",
                "bronorganisatie",
                "zaaktype",
                "maximaleVertrouwelijkheidaanduiding",
            ),
            *(*with_suffixes("archiefnominatie", "in"), *with_suffixes("archiefstatus", "in")),
            *with_suffixes("archiefactiedatum", "lt", "gt"),
            *with_suffixes("startdatum", "lt", "lte", "gt", "gte"),
            *("rol__betrokkeneType", "rol__betrokkene", "rol__omschrijvingGeneriek"),
            *(f"rol__{PERSON}inpBsn", f"rol__{EMPLOYEE}"),
        ),
        **since(
            (1, 3),
            *("bronorganisatie__in", "archiefactiedatum__isnull"),
            *with_suffixes("registratiedatum", "lt", "gt"),
            *with_suffixes("einddatum", "isnull", "lt", "gt"),
            *with_suffixes("einddatumGepland", "lt", "gt"),
            *with_suffixes("uiterlijkeEinddatumAfdoening", "lt", "gt"),
            *(f"rol__{PERSON}anpIdentificatie", f"rol__{PERSON}inpA_nummer"),
            *(f"rol__{COMPANY}innNnpId", f"rol__{COMPANY}annIdentificatie"),
            *(f"rol__{BRANCH}vestigingsNummer", f"rol__{UNIT}"),
        ),
        "expand": (((1, 2), (1, 3)), ((1, 5), NEVER)),
    },
    additions=frozenset({"expand"}),
    own_urls={"zaaktype": "zaaktype"},
    order=1,
    dated="registratiedatum",
    newest=Newest(since="registratiedatum__gt"),
    schema=load_zaak,
    translate=_translate,
    decides=Decides.ITSELF,
    found_by=FoundBy.ITS_UUID,
    becomes_documents=False,
)
