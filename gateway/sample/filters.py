"""From query parameters to the objects that a list shows.

Source: legacy-behaviour.md 1, 2, 11, 12 and "Versions of the standard"; texts from the recorded exchanges.
"""

import datetime
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

from gateway.sample.access import Application
from gateway.sample.contents import earlier_standards
from gateway.sample.contents.confidentiality import VERTROUWELIJKHEIDAANDUIDINGEN, rank
from gateway.sample.contents.dataset import CANONICAL_BASE, NAMED_BY_URL, PATHS, Dataset, Record
from gateway.sample.contents.indexes import IDENTIFICATIONS, LOCAL_URLS
from gateway.sample.problems import invalid, no_such_choice, unknown_parameters
from gateway.sample.versions import Rules

_OMSCHRIJVINGEN_GENERIEK = (
    "adviseur",
    "behandelaar",
    "belanghebbende",
    "beslisser",
    "initiator",
    "klantcontacter",
    "zaakcoordinator",
    "mede_initiator",
)
# From low to high; a filter on one of them also shows what lies below it.
_LEVELS = (
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
    ),
    (
        "urn:etoegang:core:assurance-class:loa1",
        "urn:etoegang:core:assurance-class:loa2",
        "urn:etoegang:core:assurance-class:loa2plus",
        "urn:etoegang:core:assurance-class:loa3",
        "urn:etoegang:core:assurance-class:loa4",
    ),
)
_CHOICES = {
    "betrokkeneType": tuple(IDENTIFICATIONS),
    "omschrijvingGeneriek": _OMSCHRIJVINGEN_GENERIEK,
    "machtiging": ("eigen", "gemachtigde", "machtiginggever"),
    "machtiging__loa": tuple(level for levels in _LEVELS for level in levels),
    "maximaleVertrouwelijkheidaanduiding": VERTROUWELIJKHEIDAANDUIDINGEN,
    "archiefnominatie": ("blijvend_bewaren", "vernietigen"),
    "archiefstatus": (
        *("nog_te_archiveren", "gearchiveerd", "gearchiveerd_procestermijn_onbekend", "overgedragen"),
    ),
    **earlier_standards.CHOICES,
}
_URLS = {*LOCAL_URLS, "betrokkene", *earlier_standards.URL_FILTERS}
_DATES = re.compile(
    r"(registratiedatum|startdatum|einddatum|einddatumGepland|archiefactiedatum|uiterlijkeEinddatumAfdoening)"
    r"(?:__(gte?|lte?|isnull))?"
)
# Filters on a field of the zaak itself: one value, or several with commas between them.
_SEVERAL = re.compile(r"(archiefnominatie|archiefstatus|bronorganisatie)(?:__in)?")
_ORDERINGS = (
    "startdatum",
    "einddatum",
    "publicatiedatum",
    "archiefactiedatum",
    "registratiedatum",
    "identificatie",
)
# Version 1.0 names this filter for the vestiging, and describes it as the unit's.
_RENAMED = {
    "betrokkeneIdentificatie__vestiging__identificatie": (
        "betrokkeneIdentificatie__organisatorischeEenheid__identificatie"
    )
}
_CONTROLS = {"page", "pageSize", "expand", "ordering"}


def check_parameters(args: MultiDict[str, str], allowed: frozenset[str]) -> None:
    """Raise Refusal (400) when the query names a parameter that this version does not have."""
    unknown = [name for name in args if name not in allowed]
    if unknown:
        raise unknown_parameters(unknown)


def matching(
    dataset: Dataset, rules: Rules, kind: str, args: MultiDict[str, str], application: Application, host: str
) -> Sequence[Record]:
    """The records that a list shows, newest first (or in the asked `ordering`).

    `host` is the host that the client asked under: an address under another host finds nothing.
    Raises Refusal (400) over unknown parameters and values that do not fit their parameter.
    """
    check_parameters(args, rules.parameters(kind))
    max_rank = None if application.sees_all or kind in NAMED_BY_URL else application.max_rank
    found: set[Record] | None = None
    for name in args:
        if name not in _CONTROLS:
            matches = _matches(dataset, kind, name, _value(name, args), host)
            found = matches if found is None else found & matches
    if found is None:
        records: Sequence[Record] = dataset.snapshot(kind, max_rank)
    else:
        visible = (each for each in found if max_rank is None or dataset.visible(each, max_rank))
        records = sorted(visible, key=lambda record: -record.seq)
    return _in_order(records, args)


def _value(name: str, args: MultiDict[str, str]) -> str:
    value, plain = args.getlist(name)[-1].strip(), name.removeprefix("rol__")
    if plain in _URLS:
        if not _is_url(value):
            raise invalid((name, "invalid", "Voer een geldige URL in."))
    elif not value:
        raise invalid((name, "required", "Dit veld is verplicht."))
    elif name.endswith("__isnull"):
        if value.lower() not in ("true", "false"):
            raise no_such_choice(name, value)
    elif (choices := _CHOICES.get(plain.removesuffix("__in"))) is not None:
        values = value.split(",") if plain.endswith("__in") else [value]
        for each in values:
            if each not in choices:
                raise no_such_choice(name, each)
    elif _DATES.fullmatch(name) and not (_is_date(value) or _is_moment(value)):
        raise invalid((name, "invalid", "Voer een geldige datum in."))
    return value


def _matches(dataset: Dataset, kind: str, name: str, value: str, host: str) -> set[Record]:
    if kind in earlier_standards.KINDS:
        return _matches_earlier(dataset, kind, name, value, host)
    if kind == "zaak":
        if name.startswith("rol__"):
            rollen = _matches(dataset, "rol", name.removeprefix("rol__"), value, host)
            return _zaken_of(dataset, rollen)
        if name == "maximaleVertrouwelijkheidaanduiding":
            return set(dataset.snapshot(kind, rank(value)))
        if dates := _DATES.fullmatch(name):
            return _by_date(dataset, dates[1], dates[2], value)
        if several := _SEVERAL.fullmatch(name):
            wanted = value.split(",") if name.endswith("__in") else [value]
            return {zaak for zaak in dataset.snapshot(kind) if zaak.load().get(several[1]) in wanted}
    if name == "machtiging__loa":
        levels = next(levels for levels in _LEVELS if value in levels)
        below = levels[: levels.index(value) + 1]
        return set().union(*(dataset.indexed(kind, name, level) for level in below))
    if name in LOCAL_URLS:
        return dataset.indexed(kind, name, _local_uuid(name, value, host))
    if name in ("betrokkene", "contactmoment"):
        value = _canonical(value, host)
    return dataset.indexed(kind, _RENAMED.get(name, name), value)


def _matches_earlier(dataset: Dataset, kind: str, name: str, value: str, host: str) -> set[Record]:
    dates = _DATES.fullmatch(name)
    if dates:
        return _by_date(dataset, dates[1], dates[2], value, kind)
    return dataset.indexed(
        kind, name, _canonical(value, host) if name in earlier_standards.URL_FILTERS else value
    )


def _zaken_of(dataset: Dataset, rollen: set[Record]) -> set[Record]:
    zaken = set()
    for uuid in {rol.zaak_uuid for rol in rollen}:
        try:
            zaken.add(dataset.record("zaak", uuid))
        except KeyError:
            # The ugly set has rollen whose zaak is not there.
            continue
    return zaken


def _by_date(
    dataset: Dataset, field: str, comparison: str | None, value: str, kind: str = "zaak"
) -> set[Record]:
    def fits(date: object) -> bool:
        if comparison == "isnull":
            return (date is None) == (value.lower() == "true")
        if not isinstance(date, str):
            return False
        # Days and moments in UTC with a Z sort as text.
        return {
            None: date == value,
            "gt": date > value,
            "gte": date >= value,
            "lt": date < value,
            "lte": date <= value,
        }[comparison]

    return {record for record in dataset.snapshot(kind) if fits(record.load().get(field))}


def _in_order(records: Sequence[Record], args: MultiDict[str, str]) -> Sequence[Record]:
    if "ordering" not in args:
        return records
    ordering = args["ordering"]
    field = ordering.removeprefix("-")
    if field not in _ORDERINGS:
        raise no_such_choice("ordering", ordering)
    values = {record: record.load().get(field) or "" for record in records}
    return sorted(records, key=lambda record: values[record], reverse=ordering.startswith("-"))


def _local_uuid(name: str, url: str, host: str) -> str:
    parts = urlsplit(url)
    # The scheme is not compared: behind a proxy the real server sees http where clients say https.
    path, _, uuid = parts.path.rpartition("/")
    known = [path_of_kind for path_of_kind in PATHS.values() if path_of_kind.endswith(f"/{LOCAL_URLS[name]}")]
    return uuid if parts.netloc == host and (path in known or name == "catalogus") else ""


def _canonical(url: str, host: str) -> str:
    parts = urlsplit(url)
    return url.replace(f"{parts.scheme}://{host}", CANONICAL_BASE, 1) if parts.netloc == host else url


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme in ("http", "https") and ("." in host or host == "localhost") and " " not in value


def _is_date(value: str) -> bool:
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == len("2025-01-31")


def _is_moment(value: str) -> bool:
    return value.endswith("Z") and _is_date(value.partition("T")[0])
