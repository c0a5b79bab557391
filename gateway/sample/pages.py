"""Lists as the Zaken API pages them, and objects as text under the address that the client used.

Source: legacy-behaviour.md 2, 3 and 11.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

import orjson

from gateway.sample.contents.dataset import CANONICAL_BASE, Dataset, Record
from gateway.sample.problems import no_such_choice, not_found, server_error
from gateway.sample.versions import COLLECTIONS, Rules

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 500
FUZZY_LIMIT = 500


def under(body: bytes, base: str) -> bytes:
    """The text with every canonical address of this server moved to `base`."""
    return (
        body if base == CANONICAL_BASE else body.replace(f"{CANONICAL_BASE}/".encode(), f"{base}/".encode())
    )


def rendered(rules: Rules, kind: str, record: Record) -> bytes:
    """One object as text, as this version shows it, under the canonical base; made once."""
    text = record.rendered.get(rules.key)
    if text is None:
        text = orjson.dumps(rules.trim(kind, record.load()))
        record.rendered[rules.key] = text
    return text


def page_of(
    records: Sequence[Record],
    page: str | None,
    page_size: str | None,
    url: str,
    query: str,
    text_of: Callable[[Record], bytes],
    *,
    fuzzy: bool,
    hal: str = "",
) -> bytes:
    """One page of a list as JSON text, under the canonical base but for `next` and `previous`.

    `url` and `query` are those of the request; `hal` is the name of the list where it is in the form of HAL. Raises
    Refusal: 404 over a page that is not there, 500 over `page=last` with fuzzy pagination, as measured.
    """
    size, total = _page_size(page_size), len(records)
    last = max(1, -(-total // size))
    if page == "last" and fuzzy:
        raise server_error()
    number = last if page == "last" else _page_number(page)
    if not 1 <= number <= last:
        raise not_found("Ongeldige pagina.")
    offset = (number - 1) * size
    count = min(total, offset + FUZZY_LIMIT) if fuzzy else total
    head: dict[str, Any] = {
        "count": count,
        "next": _link(url, query, number + 1) if count > number * size else None,
        "previous": _link(url, query, number - 1) if number > 1 else None,
    }
    if fuzzy:
        head["countExact"] = total - offset < FUZZY_LIMIT
    results = b",".join(text_of(record) for record in records[offset : offset + size])
    if hal:
        links = {"self": _link(url, query, number), **{name: head.pop(name) for name in ("next", "previous")}}
        head["_links"] = {name: {"href": link} for name, link in links.items() if link}
        return orjson.dumps(head)[:-1] + f',"_embedded":{{"{hal}":['.encode() + results + b"]}}"
    return orjson.dumps(head)[:-1] + b',"results":[' + results + b"]}"


def expanded(dataset: Dataset, rules: Rules, kind: str, record: Record, expand: str | None) -> bytes:
    """One object as text, with `_expand` filled as asked; Refusal (400) over what cannot be expanded."""
    text = rendered(rules, kind, record)
    if expand is None:
        return orjson.dumps(_as_hal(orjson.loads(text))) if _in_hal(rules, kind) else text
    names = [name.strip() for name in expand.split(",")]
    for name in names:
        if name not in rules.expansions(kind):
            raise no_such_choice("expand", name)
    obj = orjson.loads(text)
    obj["_expand"] = _expand(dataset, rules, obj, names)
    return orjson.dumps(_as_hal(obj) if _in_hal(rules, kind) else obj)


def _in_hal(rules: Rules, kind: str) -> bool:
    """Whether objects of this kind are in the form of HAL; those beside the Zaken API never are."""
    return rules.hal and kind in COLLECTIONS.values()


def _as_hal(obj: dict[str, Any]) -> dict[str, Any]:
    """The object with links, and with what is expanded under the name that HAL has for it."""
    made = {"_links": {"self": {"href": obj.get("url")}}} | obj
    if "_expand" in made:
        made["_embedded"] = {
            name: [_as_hal(each) for each in found] if isinstance(found, list) else _as_hal(found)
            for name, found in made.pop("_expand").items()
        }
    return made


def _expand(dataset: Dataset, rules: Rules, obj: dict[str, Any], names: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in sorted({name.partition(".")[0] for name in names}):
        deeper = [each.partition(".")[2] for each in names if each.startswith(f"{name}.")]
        if name == "rollen":
            rollen = sorted(dataset.indexed("rol", "zaak", obj["uuid"]), key=lambda rol: -rol.seq)
            found = [orjson.loads(rendered(rules, "rol", rol)) for rol in rollen]
        else:
            found = _linked(dataset, rules, name, obj.get(name))
        for each in found:
            if deeper:
                each["_expand"] = _expand(dataset, rules, each, deeper)
        if name == "rollen":
            result[name] = found
        elif found:
            result[name] = found[0]
    return result


def _linked(dataset: Dataset, rules: Rules, kind: str, url: object) -> list[dict[str, Any]]:
    try:
        record = dataset.record(kind, str(url).rpartition("/")[2])
    except KeyError:
        return []
    return [orjson.loads(rendered(rules, kind, record))]


def _page_size(text: str | None) -> int:
    size = _integer(text)
    return min(size, MAX_PAGE_SIZE) if size is not None and size > 0 else DEFAULT_PAGE_SIZE


def _page_number(text: str | None) -> int:
    if not text:
        return 1
    number = _integer(text)
    return 0 if number is None else number


def _integer(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None


def _link(url: str, query: str, page: int) -> str:
    params = parse_qs(query, keep_blank_values=True)
    params["page"] = [str(page)]
    if page == 1:
        del params["page"]
    query = urlencode(sorted(params.items()), doseq=True)
    return f"{url}?{query}" if query else url
