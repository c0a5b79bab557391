"""The APIs of one source, as the rest of the gateway asks them: objects, pages, and what they can do.

That is its Zaken API with the Catalogi API beside it, and the Klanten and Contactmomenten API 1.0 where it has them.

Written against the measured behaviour of such APIs: `next` and `count` are not believed, URLs are rebuilt
from uuid and the one configured base, and only parameters that the version has are asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.base import clock
from gateway.config.load import EARLIER_APIS
from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.background import Waiting, current
from gateway.legacy.client import api_versions, lenient_parser
from gateway.legacy.client.api_versions import ApiVersion
from gateway.legacy.client.smaller_pages import Fits, Part, first_address, in_parts, next_size
from gateway.legacy.client.transport import Change, Retries, SourceAnswer, Transport
from gateway.legacy.client.version_probe import Spoken
from gateway.legacy.pacing.server_gates import Gates
from mappings.incoming.unreadable import Unreadable, unreadable
from mappings.standards import LISTS
from mappings.standards.declaration import ZAKEN, Pages
from mappings.values.uuids import is_usual, usual_at_end

# A source that gives one page over and over does not know `page`; inserts can make two equal, not three.
_SAME_PAGES = 3


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    `count` is what the source says there is in all (None when it does not), a hint only; `exact`: it says it counted.
    `size` is how many objects a full page holds. `ends` tells that three signs agree that this is the last page:
    it is not full, no next page is named, and the exact count is reached. One of them alone is not to be trusted.
    `asked` is when it was asked for (microseconds UTC).
    """

    number: int
    objects: list[dict[str, Any]]
    count: int | None
    size: int
    ends: bool = False
    asked: int = 0
    exact: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of a list, and for which version of the source."""

    kind: str
    params: dict[str, str]
    template: str
    version: ApiVersion


@dataclass(frozen=True, slots=True)
class ListCount:
    """How many objects the source says a list has; `exact` is False where it admits to guessing."""

    number: int | None
    exact: bool


def uuid_of(url: str) -> str | None:
    """The uuid that ends the path of a URL (or is the whole text), in lower case; None when there is none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return usual_at_end(path) or None


class ZakenClient:
    """One source. One object for each process; safe to use from several threads.

    Every method that asks raises a LegacyError; `deadline` is a time.monotonic that bounds all of it.
    """

    def __init__(self, source: Source, *, retries: Retries | None = None, pace: Path | None = None) -> None:
        """`pace`: the path of the store whose processes ask the source together; None asks by itself."""
        self.source_name = source.name
        self._source = source
        retries = retries or Retries()
        self._gates = Gates(source, pace)
        self._transport = Transport(source, retries, self._gates)
        self._own_transports = {
            api: Transport(own, retries, self._gates)
            for api in EARLIER_APIS
            if (own := _own_credentials(source, api))
        }
        self._fits = Fits()
        self._spoken = Spoken(source.name, source.api_version, self._probe)

    def close(self) -> None:
        """Close the idle connections."""
        for transport in (self._transport, *self._own_transports.values()):
            transport.close()
        self._gates.close()

    def share_pace(self) -> None:
        """See that the pace is shared with the other processes of the store. Raises NotShared."""
        self._gates.share()

    def waits(self, *, window: bool = True) -> Waiting | None:
        """What background calls wait for now, of what may take long (window, pause, rest, circuit breaker)."""
        return self._gates.waits(window=window)

    def refuse_when_broken(self) -> None:
        """Raise CircuitOpen when the Zaken API failed so often that a client's question is not asked now."""
        if current() is None:
            self._gates.all()[0].refuse_when_broken("GET /zaken")

    def forget_overrides(self) -> None:
        """Let the limits of the configuration hold again (see `server_gates.set_overrides`)."""
        for gate in self._gates.all():
            gate.forget_wishes()

    def describe(self) -> dict[str, Any]:
        """How its Zaken API is asked now: limits, what calls wait for, the circuit breaker (see `Gate.describe`)."""
        return self._gates.all()[0].describe()

    @property
    def clock_skew(self) -> float | None:
        """Seconds that the source's clock is ahead of ours, by its last answer; None if it did not say."""
        return self._transport.clock_skew

    def version(self, *, deadline: float | None = None) -> ApiVersion:
        """What the source speaks; asked once and remembered, until an answer gives reason to ask again.

        The number is `api_version` of the config, else the API-version header. Raises BadAnswer when neither is
        there, or it is none to go by.
        """
        return self._spoken.version(deadline)

    def version_of(self, kind: str, *, deadline: float | None = None) -> ApiVersion:
        """The version that a kind's filters depend on; the earlier standards have only one."""
        earlier = LISTS[kind].api in EARLIER_APIS
        return api_versions.EARLIER_VERSION if earlier else self.version(deadline=deadline)

    def has_api(self, api: str) -> bool:
        """Whether the config names an address of that API of the earlier standards ("klanten", ...)."""
        return bool(self.base_of(api))

    @property
    def zaakcontactmomenten(self) -> str:
        """How jobs are to read the zaakcontactmomenten, by the config: "auto", "per_zaak" or "geen"."""
        return self._source.zaakcontactmomenten

    def base_of(self, api: str) -> str:
        """The configured address of that API, with a slash at its end; blank when there is none."""
        return str(getattr(self._source, f"{api}_url"))

    def speaks(self, api: str, *, deadline: float | None = None) -> str:
        """The version that an API of the earlier standards names in its answers; blank when it names none.

        Raises NotConfigured for an API that the source does not have.
        """
        kind = next(each.name for each in LISTS.values() if each.api == api)
        answer = self._ask(kind, self.list_url(kind), {}, self._template(kind, {}), deadline)
        return answer.headers.get("API-version", "")

    def can(self, kind: str, parameter: str, *, deadline: float | None = None) -> bool:
        """Whether this source's list of that kind takes that query parameter; none where the config says so (M32)."""
        if kind == "zaakcontactmoment" and self.zaakcontactmomenten == "geen":
            return False
        return self.version_of(kind, deadline=deadline).has(kind, parameter)

    def url_of(self, kind: str, uuid: str) -> str:
        """The address of an object: the configured base, never the host that some answer mentioned.

        Raises BadRequest for what is not a uuid (the real server answers such an address with a 500) and
        NotConfigured for a kind of the Catalogi API without catalogi_url.
        """
        if not is_usual(uuid):
            template = f"GET /{LISTS[kind].path}/*"
            raise errors.BadRequest(self.source_name, template, text="dit is geen uuid")
        return f"{self.list_url(kind)}/{uuid.lower()}"

    def get(self, kind: str, uuid: str, *, deadline: float | None = None) -> dict[str, Any]:
        """One object. Raises NotFound only when the API itself says that it is not there.

        One that can't be read as it stands comes marked (`mappings.incoming.unreadable`), as it does in lists (M3).
        """
        template = f"GET /{LISTS[kind].path}/*"
        try:
            answer = self._ask(kind, self.url_of(kind, uuid), {}, template, deadline)
        except errors.TooLarge as error:
            return self._unreadable(kind, uuid, error.begin, Unreadable.SIZE)
        self._charge(kind, 1)
        if answer.text is not None:
            return self._unreadable(kind, uuid, answer.text)
        if not isinstance(answer.body, dict) or "url" not in answer.body:
            raise errors.BadAnswer(self.source_name, template, text="het antwoord is geen object")
        found: dict[str, Any] = _plain(answer.body)
        return lenient_parser.marked(found) if answer.lenient else found

    def pages(
        self,
        kind: str,
        filters: Mapping[str, str] | None = None,
        *,
        start: int = 1,
        deadline: float | None = None,
    ) -> Iterator[Page]:
        """Page after page, until the source has no more: a 404 of the API or an empty page.

        Deleting while we walk makes the source skip objects, so one walk proves nothing complete. Background
        calls keep to objects_per_second. Raises BadRequest, before asking, for a filter that
        the version does not have, and for zaakcontactmomenten without a filter.
        """
        question = self._question(kind, filters or {}, deadline, api_versions.PAGE_SIZE)
        asked = clock.now()
        if LISTS[kind].pages is Pages.NONE:
            objects = self._objects_in(self._list(question, deadline), kind, question.template, deadline)
            if objects:
                yield Page(1, objects, len(objects), len(objects), asked=asked)
            return
        number, before, same = start, None, 1
        while True:
            size = api_versions.PAGE_SIZE if "pageSize" in question.params else api_versions.DEFAULT_PAGE_SIZE
            template, asked = question.template, clock.now()
            try:
                page = self._page(question, number, size, deadline)
            except errors.VersionChanged:
                if number > start:
                    raise  # the pages so far may be of another size
                question = self._question(kind, filters or {}, deadline, api_versions.PAGE_SIZE)
                continue
            except errors.NotFound:
                if number == 1:
                    raise  # an empty list is a 200: this list does not exist
                return
            objects, count, exact, last = page
            if not objects:
                return
            self._charge(kind, len(objects))
            now = [each.get("url") for each in objects]
            same = same + 1 if now == before else 1
            if same >= _SAME_PAGES:
                raise errors.BadAnswer(
                    self.source_name, template, text="de bron geeft steeds dezelfde pagina"
                )
            before = now
            ends = last and exact and len(objects) < size and count == (number - 1) * size + len(objects)
            yield Page(number, objects, count, max(size, len(objects)), ends, asked, exact)
            number += 1

    def all(
        self, kind: str, filters: Mapping[str, str] | None = None, *, deadline: float | None = None
    ) -> list[dict[str, Any]]:
        """All pages together; for questions with a filter that keeps the answer small.

        Stops at a page that is the last by all signs, to spare a waiting client a call for each question.
        """

        def whole() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            for page in self.pages(kind, filters, deadline=deadline):
                found += page.objects
                if page.ends:
                    break
            return found

        try:
            return whole()
        except errors.VersionChanged:
            return whole()

    def unfiltered(self, kind: str) -> list[dict[str, Any]]:
        """All of a list without pages, in one call; for who knows that it is short: a long one breaks the source."""
        version = self.version_of(kind)
        question = _Question(kind, {}, self._template(kind, {}), version)
        found = self._objects_in(self._list(question, None), kind, question.template, None)
        self._charge(kind, len(found))
        return found

    def first(
        self, kind: str, filters: Mapping[str, str] | None = None, *, deadline: float | None = None
    ) -> tuple[list[dict[str, Any]], ListCount]:
        """The first objects of a list (one, where pageSize exists) and how many the source says there are."""
        question = self._question(kind, filters or {}, deadline, 1)
        try:
            answer = self._list(question, deadline)
        except errors.VersionChanged:
            question = self._question(kind, filters or {}, deadline, 1)
            answer = self._list(question, deadline)
        except errors.TooLarge:
            return [], ListCount(None, False)  # it is there, and does not say how long it is
        objects = self._objects_in(answer, kind, question.template, deadline)
        if isinstance(answer.body, list):
            return objects, ListCount(len(objects), True)
        return objects, _count_in(answer)

    def _probe(self, params: Mapping[str, str], deadline: float | None) -> tuple[list[dict[str, Any]], str]:
        """The rollen that these parameters give, and the version that the answer names."""
        template = self._template("rol", params)
        try:
            answer = self._transport.get(self.list_url("rol"), params, template, deadline)
        except errors.TooLarge as error:
            return [{}, {}], error.version  # more than one, so what was asked for made no difference
        return self._objects_in(answer, "rol", template, deadline), answer.headers.get("API-version", "")

    def _ask(
        self, kind: str, url: str, params: Mapping[str, str], template: str, deadline: float | None
    ) -> SourceAnswer:
        """One call, with the credentials of the API that this kind belongs to."""
        transport = self._own_transports.get(LISTS[kind].api, self._transport)
        answer = transport.get(url, params, template, deadline)
        if _of_zaken_api(kind):
            self._spoken.hear(answer.headers.get("API-version", ""))
        return answer

    def change(self, kind: str, url: str, template: str, change: Change) -> Any:
        """Send a change once, through the gate; again only when the token turns out to be too old. Out: the body of
        the answer. Raises LegacyErrors: see `gateway.legacy.client.changes`, which is where changes are made."""
        transport = self._own_transports.get(LISTS[kind].api, self._transport)
        gate = transport.gate_of(url, template)
        try:
            answer = transport.once(gate, url, {}, template, None, 1, change)
        except errors.Forbidden as error:
            if not error.expired:
                raise
            answer = transport.once(gate, url, {}, template, None, 2, change)
        return _plain(answer.body)

    def _list(self, question: "_Question", deadline: float | None, page: int | None = None) -> SourceAnswer:
        """One call on a list. Raises VersionChanged when the source turns out to speak another version by now."""
        kind, params = question.kind, question.params
        if page is not None:
            params = {**params, "page": str(page)}
        try:
            return self._ask(kind, self.list_url(kind), params, question.template, deadline)
        except errors.BadRequest as error:
            if error.status != 400 or not _of_zaken_api(kind):
                raise
            self._spoken.doubt()
            if self.version(deadline=deadline) == question.version:
                raise
            raise errors.VersionChanged(self.source_name, question.template) from None

    def _charge(self, kind: str, objects: int) -> None:
        """Count what a background call read, for objects_per_second."""
        self._gates.of(self.list_url(kind)).charge(objects)

    def list_url(self, kind: str) -> str:
        """The address of a list: on the configured base. Raises NotConfigured."""
        declared = LISTS[kind]
        base = self.base_of(declared.api)
        if not base:
            raise errors.NotConfigured(self.source_name, f"GET /{declared.path}")
        return base + declared.path

    def _template(self, kind: str, params: Mapping[str, str]) -> str:
        query = "&".join(f"{name}=*" for name in params)
        return f"GET /{LISTS[kind].path}" + (f"?{query}" if query else "")

    def _question(
        self, kind: str, filters: Mapping[str, str], deadline: float | None, size: int
    ) -> "_Question":
        """The filters as this source wants them, with pages of that size where it knows sizes."""
        template = self._template(kind, filters)
        version = self.version_of(kind, deadline=deadline)
        unknown = sorted(name for name in filters if not version.has(kind, name))
        if unknown:
            text = f"versie {version.text} van de bron heeft niet: {', '.join(unknown)}"
            raise errors.BadRequest(self.source_name, template, text=text)
        if LISTS[kind].pages is Pages.NONE and not filters:
            raise errors.BadRequest(
                self.source_name, template, text="deze lijst heeft geen pagina's; vraag per zaak of klant"
            )
        params = {}
        own_urls = LISTS[kind].own_urls
        for name, value in filters.items():
            uuid = uuid_of(value) if name in own_urls else None
            params[name] = self.url_of(own_urls[name], uuid) if uuid else value
        if version.has(kind, "pageSize"):
            params["pageSize"] = str(size)
        return _Question(kind, params, self._template(kind, params), version)

    def _page(self, question: "_Question", number: int, size: int, deadline: float | None) -> Part:
        """One page of a list; one that is too large, or has a broken structure, in smaller ones, down to the object
        that is so (M3). Raises TooLarge where the source knows no sizes."""
        kind, sized = question.kind, "pageSize" in question.params
        smaller = next_size(size) if sized else 0

        def in_smaller() -> Part:
            parts = replace(question, params={**question.params, "pageSize": str(smaller)})
            return in_parts(lambda part, of: self._page(parts, part, of, deadline), number, size, smaller)

        if smaller and not self._fits.may_try(kind, size):
            return in_smaller()
        try:
            answer = self._list(question, deadline, number)
        except errors.TooLarge as error:
            if smaller:
                self._fits.too_large(kind, size)
                return in_smaller()
            uuid = first_address(error.begin, LISTS[kind].path) if sized else None
            if uuid is None:
                raise
            return Part([self._unreadable(kind, uuid, error.begin, Unreadable.SIZE)], None, False)
        self._fits.fitted(kind, size)
        if answer.text is not None and smaller:
            return in_smaller()
        objects = self._objects_in(answer, kind, question.template, deadline)
        count = _count_in(answer)
        last = isinstance(answer.body, dict) and answer.body.get("next") is None
        return Part(objects, count.number, count.exact and count.number is not None, last)

    def _from_text(self, kind: str, text: str, deadline: float | None) -> list[dict[str, Any]]:
        """The objects of a list with a broken structure; those that can't be read there are asked for by uuid."""
        found = []
        for each in lenient_parser.split(text, LISTS[kind].path):
            if not isinstance(each, lenient_parser.Broken):
                found.append(lenient_parser.marked(_plain(each)))
                continue
            if each.uuid is None:
                found.append(lenient_parser.nameless(each.text))
                continue
            try:
                found.append(self.get(kind, each.uuid, deadline=deadline))
            except errors.NotFound:
                continue  # gone since
            except errors.Forbidden as error:
                if error.code != "permission_denied":
                    raise
                found.append(self._unreadable(kind, each.uuid, each.text))
        return found

    def _unreadable(
        self, kind: str, uuid: str, text: str | bytes, fault: Unreadable = Unreadable.STRUCTURE
    ) -> dict[str, Any]:
        """An object that can't be read, with the zaak that its text names: that decides on who may know of it (M34)."""
        known = {"url": self.url_of(kind, uuid), "uuid": uuid.lower()}
        zaak = uuid_of(
            lenient_parser.zaak_in(text if isinstance(text, str) else text.decode("utf-8", "replace"))
        )
        if zaak:
            known["zaak"] = self.url_of("zaak", zaak)
        return unreadable(known, fault)

    def _objects_in(
        self, answer: SourceAnswer, kind: str, template: str, deadline: float | None
    ) -> list[dict[str, Any]]:
        """The objects of a list's answer: `results`, a bare array where that is the rule, or the HAL form."""
        if answer.text is not None:
            return self._from_text(kind, answer.text, deadline)
        body = answer.body
        objects: Any = None
        if isinstance(body, dict):
            objects = body.get("results")
            embedded = body.get("_embedded")
            if objects is None and isinstance(embedded, dict):
                objects = embedded.get(LISTS[kind].path)
                objects = [_plain(each) for each in objects] if isinstance(objects, list) else objects
        elif LISTS[kind].pages is Pages.NONE:
            objects = body
        if not isinstance(objects, list) or not all(isinstance(each, dict) for each in objects):
            raise errors.BadAnswer(self.source_name, template, text="het antwoord is geen lijst van objecten")
        return [lenient_parser.marked(each) for each in objects] if answer.lenient else objects


def _of_zaken_api(kind: str) -> bool:
    return LISTS[kind].api == ZAKEN


def _count_in(answer: SourceAnswer) -> ListCount:
    """What a list's answer says of its length."""
    body = answer.body if isinstance(answer.body, dict) else {}
    count = body.get("count")
    return ListCount(count if isinstance(count, int) else None, body.get("countExact") is not False)


def _plain(found: Any) -> Any:
    """An object in the form of HAL as the plain form has it; any other as it is.

    HAL adds `_links`, and puts under `_embedded` what `expand` asked for. All of that is another object's.
    """
    if not isinstance(found, dict) or not ("_links" in found or "_embedded" in found):
        return found
    plain = {name: value for name, value in found.items() if name not in ("_links", "_embedded")}
    embedded = found.get("_embedded")
    if isinstance(embedded, dict):
        plain["_expand"] = {
            name: [_plain(each) for each in value] if isinstance(value, list) else _plain(value)
            for name, value in embedded.items()
        }
    return plain


def _own_credentials(source: Source, api: str) -> Source | None:
    """The source as an API of the earlier standards wants it; None when it takes the source's own credentials."""
    client_id = getattr(source, f"{api}_client_id")
    if not client_id:
        return None
    return replace(source, client_id=client_id, secret=getattr(source, f"{api}_secret"))
