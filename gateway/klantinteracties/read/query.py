"""Query parameters: from what a client writes to conditions on documents, as pure data.

The rules are those measured of the real server: of a repeated parameter the last counts, but `expand` is united;
values are trimmed, an empty value is no filter; what can't be a uuid, an address, a date or one of the choices is an
error, and what can't be a boolean is no filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from gateway.http import problems
from gateway.http.problems import InvalidParam
from gateway.klantinteracties.model.declarations import Filter, Form, Resource
from gateway.klantinteracties.model.expand import Tree, tree
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.store.base.conditions import Compare, Condition, Where
from mappings.values.uuids import uuid_bytes_of

PAGE, PAGE_SIZE, EXPAND, CASCADE = "page", "pageSize", "expand", "cascade"
DEFAULT_SIZE, LARGEST_SIZE = 100, 500
LARGEST_PAGE = 2**53
LAST = "last"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FLAGS = {"true": 1, "1": 1, "false": 0, "0": 0}
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# As dates are written in the Netherlands.
DUTCH_DATES = ("%d-%m-%Y", "%d/%m/%Y")
DUTCH_MOMENTS = tuple(day + time for day in DUTCH_DATES for time in ("", " %H:%M", " %H:%M:%S"))
NO_DATE, NO_MOMENT = "Voer een geldige datum in.", "Voer een geldige datum/tijd in."
URL_LENGTH = 2048
# No other value that a filter looks for is longer but a long text; of that a part is enough to find it by.
VALUE_LENGTH = 1000
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?|\[[0-9a-f:.]+\]", re.I)
FILTERS: dict[str, dict[str, Filter]] = {
    resource.path: {item.name: item for item in resource.filters} for resource in RESOURCES
}

LIST_PARAMETERS: dict[str, set[str]] = {
    resource.path: {*FILTERS[resource.path], PAGE, PAGE_SIZE, *((EXPAND,) if resource.expansions else ())}
    for resource in RESOURCES
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A question to a list: `page` from 1 or None for the last; 0 is a page that doesn't exist.

    `filters` are the parameters that filter, as the client wrote them.
    """

    conditions: tuple[Condition, ...]
    filters: dict[str, str]
    page: int | None
    size: int
    expand: Tree


def parse_list(resource: Resource, text: str) -> ListQuery:
    """Read the query string of a list. Raises a 400 Problem that names every parameter that is wrong."""
    given = _parameters(text)
    known = FILTERS[resource.path]
    _refuse_unknown(given, LIST_PARAMETERS[resource.path])
    conditions, filters, wrong = [], {}, []
    for name, value in given.items():
        item = known.get(name)
        if item is None or not value:
            continue
        try:
            condition = _condition(item, value)
        except ValueError as error:
            wrong.append(InvalidParam(name, *error.args))
            continue
        if condition is not None:
            filters[name] = value
            conditions.append(condition)
    try:
        expand = _expand(resource, given)
    except problems.Problem as problem:
        wrong += problem.invalid_params
    if wrong:
        raise problems.invalid(*wrong)
    return ListQuery(tuple(conditions), filters, _page(given), _size(given), expand)


def parse_detail(resource: Resource, text: str) -> Tree:
    """Read the query string of a detail: what to expand. Raises a 400 Problem."""
    if not text:
        return ()
    given = _parameters(text)
    _refuse_unknown(given, _expand_of(resource))
    return _expand(resource, given)


def asks_cascade(text: str) -> bool:
    """Does the query string of a DELETE ask to take along what is around the object? Only `true` does: it destroys."""
    return _parameters(text).get(CASCADE) == "true"


def page_address(address: str, text: str, page: int) -> str:
    """The address of another page of the same question: parameters sorted by name, page 1 left unsaid."""
    given = parse_qs(_unicode(text), keep_blank_values=True)
    given.pop(PAGE, None)
    if page != 1:
        given[PAGE] = [str(page)]
    query = urlencode(sorted(given.items()), doseq=True)
    return f"{address}?{query}" if query else address


def _parameters(text: str) -> dict[str, str]:
    if "%" not in text and "+" not in text and text.isascii():
        # As parse_qsl reads it, in a third of the time: most questions have nothing that needs unquoting.
        parts = (part.partition("=") for part in text.split("&") if part)
        pairs = [(name, value.strip()) for name, _, value in parts]
    else:
        pairs = [(name, value.strip()) for name, value in parse_qsl(_unicode(text), keep_blank_values=True)]
    given = dict(pairs)
    if EXPAND in given and len(given) < len(pairs):
        given[EXPAND] = ",".join(value for name, value in pairs if name == EXPAND and value)
    return given


def _unicode(text: str) -> str:
    # WSGI gives the query string byte for byte as Latin-1; what isn't ASCII was meant as UTF-8.
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _expand_of(resource: Resource) -> set[str]:
    return {EXPAND} if resource.expansions else set()


def _refuse_unknown(given: dict[str, str], known: set[str]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        reason = f"Onbekende query parameters: {', '.join(unknown)}"
        raise problems.invalid(InvalidParam("nonFieldErrors", "unknown-parameters", reason))


def _expand(resource: Resource, given: dict[str, str]) -> Tree:
    value = given.get(EXPAND)
    return tree(resource.kind, value) if value else ()


def _page(given: dict[str, str]) -> int | None:
    value = given.get(PAGE)
    if not value:
        return 1
    if value == LAST:
        return None
    number = _number(value)
    return number if number is not None and 0 < number < LARGEST_PAGE else 0


def _size(given: dict[str, str]) -> int:
    value = given.get(PAGE_SIZE)
    number = _number(value) if value else None
    return min(number, LARGEST_SIZE) if number is not None and number > 0 else DEFAULT_SIZE


def _number(value: str) -> int | None:
    try:
        return int(value)
    except ValueError:
        return None


def _condition(item: Filter, value: str) -> Condition | None:
    """The condition that a value asks, None for no filter. Raises ValueError(code, reason)."""
    if "\x00" in value:
        raise ValueError("null_characters_not_allowed", "Null-tekens zijn niet toegestaan.")
    if len(value) > VALUE_LENGTH and item.form is not Form.URL:
        reason = f"Zorg ervoor dat deze waarde niet meer dan {VALUE_LENGTH} karakters bevat."
        raise ValueError("max_length", reason)
    found: str | int | bytes | None
    match item.form:
        case Form.TEXT:
            return _any_of(item.where, value) if item.several else Condition(item.where, value)
        case Form.CHOICE:
            if value not in item.choices:
                reason = f"Selecteer een geldige keuze. {value} is geen beschikbare keuze."
                raise ValueError("invalid_choice", reason)
            return Condition(item.where, value)
        case Form.FLAG:
            flag = FLAGS.get(value.lower())
            return None if flag is None else Condition(item.where, flag)
        case Form.UUID:
            found = uuid_bytes_of(value)
            if found is None:
                raise ValueError("invalid", "Voer een geldige UUID in.")
        case Form.URL:
            found = uuid_bytes_of(_address(value).rstrip("/").rpartition("/")[2])
        case Form.DATE:
            found = _date(value)
        case Form.MOMENT:
            found = moment(value)
        case Form.MOMENT_TEXT:
            found = _moment_text(moment(value))
    return _nothing(item.where) if found is None else Condition(item.where, found)


def _any_of(where: Where, value: str) -> Condition:
    """One of the texts in a comma list."""
    texts = [text for text in (part.strip() for part in value.split(",")) if text]
    if len(texts) == 1:
        return Condition(where, texts[0])
    return Condition(replace(where, compare=Compare.AMONG), texts)


def _nothing(where: Where) -> Condition:
    return Condition(Where(where.kind, compare=Compare.NEVER), 0)


def _address(value: str) -> str:
    """The path of an address. Raises ValueError(code, reason) when it is none."""
    wrong = ValueError("invalid", "Voer een geldige URL in.")
    if len(value) > URL_LENGTH or any(sign.isspace() for sign in value):
        raise wrong
    bare = "://" not in value
    try:
        parts = urlsplit(f"http://{value}" if bare else value)
        port = parts.port
    except ValueError:
        raise wrong from None
    host = parts.netloc.rpartition("@")[2]
    host = host.removesuffix(f":{port}") if port is not None else host.removesuffix(":")
    if parts.scheme not in ("http", "https", "ftp", "ftps") or not HOST.fullmatch(host):
        raise wrong
    # Without a scheme only a name with a dot counts as a host, else every word would be an address.
    if bare and "." not in host and host != "localhost":
        raise wrong
    return parts.path


def _date(value: str) -> str:
    """A day as YYYY-MM-DD. Raises ValueError(code, reason) when it can't be read as one."""
    try:
        if DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("invalid", NO_DATE) from None
    return _dutch(value, DUTCH_DATES, NO_DATE).date().isoformat()


def _dutch(value: str, forms: tuple[str, ...], wrong: str) -> datetime:
    for form in forms:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError("invalid", wrong)


def moment(value: str) -> int | None:
    """A time in microseconds UTC; a date alone is midnight, no zone is UTC. None for one beyond all times.

    Raises ValueError(code, reason) when it can't be read.
    """
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        parsed = _dutch(value, DUTCH_MOMENTS, NO_MOMENT)
    try:
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        return (parsed - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def _moment_text(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    try:
        found = EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return None
    return found.isoformat().replace("+00:00", "Z")
