"""Which query parameters each version of the Zaken API has, and the earlier standards; an unknown one is a 400.

Taken from the published contracts 1.0.2, 1.5.1 and 1.7.0 (Klanten and Contactmomenten: 1.0) and the version table of
the legacy behaviour.
"""

import re
from dataclasses import dataclass
from typing import Any

PAGE_SIZE = 500  # the largest that Open Zaak gives; more is clipped silently
DEFAULT_PAGE_SIZE = 100
# In which a page that can't be parsed is asked again: each fits a whole number of times in the one before it.
SMALLER_SIZES = (100, 20, 4, 1)

_PERSON = "betrokkeneIdentificatie__natuurlijkPersoon__"
_COMPANY = "betrokkeneIdentificatie__nietNatuurlijkPersoon__"
_BRANCH = "betrokkeneIdentificatie__vestiging__"
_SUBJECT_PERSON = "subjectNatuurlijkPersoon__"
_SUBJECT_COMPANY = "subjectNietNatuurlijkPersoon__"
_EMPLOYEE = "betrokkeneIdentificatie__medewerker__identificatie"
_UNIT = "betrokkeneIdentificatie__organisatorischeEenheid__identificatie"

Number = tuple[int, ...]
_ALWAYS: Number = (1, 0)
_NEVER: Number = (1000,)
# The versions that we know; a newer one below AFTER is asked as the newest known.
OLDEST, NEWEST, AFTER = (1, 0), (1, 7), (2, 0)


Spans = tuple[tuple[Number, Number], ...]  # first version that has it, first that does not any more


def _since(start: Number, *parameters: str, until: Number = _NEVER) -> dict[str, Spans]:
    return dict.fromkeys(parameters, ((start, until),))


def _span(name: str, *suffixes: str) -> list[str]:
    return [name, *(f"{name}__{suffix}" for suffix in suffixes)]


_STANDARD: dict[str, dict[str, Spans]] = {
    "rol": {
        **_since(
            _ALWAYS,
            *(
                "page",
                "zaak",
                "betrokkene",
                "betrokkeneType",
                "roltype",
                "omschrijving",
                "omschrijvingGeneriek",
            ),
            *(f"{_PERSON}{field}" for field in ("inpBsn", "anpIdentificatie", "inpA_nummer")),
            *(f"{_COMPANY}{field}" for field in ("innNnpId", "annIdentificatie")),
            f"{_BRANCH}vestigingsNummer",
            _EMPLOYEE,
        ),
        **_since(_ALWAYS, f"{_BRANCH}identificatie", until=(1, 2)),
        **_since((1, 2), _UNIT),
        **_since((1, 7), "expand"),
    },
    "zaak": {
        **_since(
            _ALWAYS,
            *(
                "page",
                "ordering",
                "identificatie",
                "bronorganisatie",
                "zaaktype",
                "maximaleVertrouwelijkheidaanduiding",
            ),
            *(*_span("archiefnominatie", "in"), *_span("archiefstatus", "in")),
            *(*_span("archiefactiedatum", "lt", "gt"), *_span("startdatum", "lt", "lte", "gt", "gte")),
            *("rol__betrokkeneType", "rol__betrokkene", "rol__omschrijvingGeneriek"),
            *(f"rol__{_PERSON}inpBsn", f"rol__{_EMPLOYEE}"),
        ),
        **_since(
            (1, 3),
            *("bronorganisatie__in", "archiefactiedatum__isnull"),
            *(*_span("registratiedatum", "lt", "gt"), *_span("einddatum", "isnull", "lt", "gt")),
            *(*_span("einddatumGepland", "lt", "gt"), *_span("uiterlijkeEinddatumAfdoening", "lt", "gt")),
            *(f"rol__{_PERSON}anpIdentificatie", f"rol__{_PERSON}inpA_nummer"),
            *(f"rol__{_COMPANY}innNnpId", f"rol__{_COMPANY}annIdentificatie"),
            *(f"rol__{_BRANCH}vestigingsNummer", f"rol__{_UNIT}"),
        ),
        "expand": (((1, 2), (1, 3)), ((1, 5), _NEVER)),
    },
    "klantcontact": _since(_ALWAYS, "page", "zaak"),
    "zaakcontactmoment": _since((1, 2), "zaak", "contactmoment"),
    # The Catalogi API has a version of its own; these are in all of them.
    "zaaktype": _since(_ALWAYS, "page", "catalogus", "identificatie", "status"),
    "roltype": _since(_ALWAYS, "page", "zaaktype", "omschrijvingGeneriek", "status"),
    # The Klanten API and the Contactmomenten API have one version, 1.0.
    "klant": _since(
        _ALWAYS,
        *("page", "bronorganisatie", "klantnummer", "bedrijfsnaam", "functie", "achternaam"),
        *("telefoonnummer", "emailadres", "subject", "subjectType"),
        *(f"adres__{field}" for field in ("straatnaam", "postcode", "woonplaatsNaam", "landcode")),
        *(f"{_SUBJECT_PERSON}{field}" for field in ("inpBsn", "anpIdentificatie", "inpA_nummer")),
        *(f"{_SUBJECT_COMPANY}{field}" for field in ("innNnpId", "annIdentificatie")),
        "subjectVestigingVestigingsNummer",  # so named in the standard: without the two underscores
    ),
    "contactmoment": _since(
        _ALWAYS,
        *("page", "ordering", "vorigContactmoment", "volgendContactmoment", "bronorganisatie"),
        *_span("registratiedatum", "gt", "gte", "lt", "lte"),
        *("kanaal", "voorkeurskanaal", "voorkeurstaal", "initiatiefnemer", "medewerker"),
    ),
    "klantcontactmoment": _since(_ALWAYS, "contactmoment", "klant", "rol"),
    "objectcontactmoment": _since(_ALWAYS, "page", "object", "contactmoment", "objectType"),
}

_OPEN_ZAAK: dict[str, set[str]] = {
    "rol": {
        f"{_COMPANY}kvkNummer",
        f"{_COMPANY}vestigingsNummer",
        f"{_BRANCH}kvkNummer",
        "machtiging",
        "machtiging__loa",
    },
    "zaak": {"expand"},
}
_PAGED_BY_SIZE = ("rol", "zaak", "klantcontact")

# What the client asks to find out about the additions: nobody's number, so mostly an empty list.
PROBE = {f"{_COMPANY}kvkNummer": "00000000", "pageSize": "1"}


def answers_probe(objects: list[dict[str, Any]]) -> bool:
    """Whether these rollen answer PROBE; a server that ignores unknown parameters gives others."""
    identificaties = [each.get("betrokkeneIdentificatie") for each in objects]
    return len(objects) <= 1 and all(
        isinstance(each, dict) and each.get("kvkNummer") == "00000000" for each in identificaties
    )


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """What a source speaks: the version of the standard, and which additions of Open Zaak it knows."""

    number: Number
    text: str
    open_zaak: bool
    page_size: bool

    @property
    def finds_kvk(self) -> bool:
        """Whether rollen can be asked by KVK number in each field that holds one; before 1.3 only innNnpId does."""
        return self.number < (1, 3) or (
            self.has("rol", f"{_COMPANY}kvkNummer") and self.has("rol", f"{_BRANCH}kvkNummer")
        )

    @property
    def newer(self) -> bool:
        """Whether it is newer than any that we know."""
        return self.number[:2] > NEWEST

    def has(self, kind: str, parameter: str) -> bool:
        """Whether the list of that kind takes that query parameter. Raises KeyError for an unknown kind."""
        if parameter == "pageSize":
            return self.page_size and kind in _PAGED_BY_SIZE
        if any(start <= self.number < until for start, until in _STANDARD[kind].get(parameter, ())):
            return True
        return self.open_zaak and parameter in _OPEN_ZAAK.get(kind, ())


EARLIER_VERSION = ApiVersion((1, 0, 0), "1.0.0", open_zaak=False, page_size=False)


def trouble(text: str) -> str:
    """Why a version that a source (or the config) names is none to go by, for an operator; blank when it is one."""
    number = parse(text)
    todo = "vul api_version in de config in"
    if not text.strip():
        return f"de bron noemt geen versie; {todo}"
    if number is None:
        return f"de bron noemt een versie die niet te lezen is; {todo}"
    if not OLDEST <= number < AFTER:
        known = f"{'.'.join(map(str, OLDEST))} tot en met {'.'.join(map(str, NEWEST))}"
        return f"versie {number[0]}.{number[1]} is niet bekend, wel {known}; klopt dat niet, {todo}"
    return ""


def parse(text: str) -> Number | None:
    """The numbers of a version such as `1.5.1` or `v1.5`; None when it is not one."""
    match = re.match(r"\s*[vV]?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", text)
    return tuple(int(part) for part in match.groups(default="0")) if match else None
