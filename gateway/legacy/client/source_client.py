"""The APIs of one source, as the rest of the gateway asks them: objects, pages, and what they can do.

That is its Zaken API with the Catalogi API beside it, and the Klanten and Contactmomenten API 1.0 where it has them.

Written against the measured behaviour of such APIs: `next` and `count` are not believed, URLs are rebuilt
from uuid and the one configured base, and only parameters that the version has are asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.base import clock
from gateway.config.load import EARLIER_APIS
from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.background import Waiting, current
from gateway.legacy.client import api_versions, lenient_parser
from gateway.legacy.client.addresses import SourceAddresses, list_template, object_template
from gateway.legacy.client.answers import (
    ListCount,
    Page,
    count_in,
    object_in,
    objects_in,
    plain,
    unreadable_object,
)
from gateway.legacy.client.api_versions import ApiVersion
from gateway.legacy.client.list_questions import SourceQuestion, source_question
from gateway.legacy.client.smaller_pages import OversizedPages, Part, first_address, in_parts, next_size
from gateway.legacy.client.transport import Retries, SourceAnswer, Transport, WriteCall
from gateway.legacy.client.version_probe import VersionProbe
from gateway.legacy.pacing.server_gates import Gates
from mappings.incoming.unreadable import Unreadable
from mappings.standards import LISTS
from mappings.standards.declaration import ZAKEN, Pages

# A source that gives one page over and over does not know `page`; inserts can make two equal, not three.
_SAME_PAGES = 3


class ZakenClient:
    """One source. One object for each process; safe to use from several threads.

    Every method that asks raises a LegacyError; `deadline` is a clock.monotonic that bounds all of it.
    """

    def __init__(self, source: Source, *, retries: Retries | None = None, pace: Path | None = None) -> None:
        """`pace`: the path of the store whose processes ask the source together; None asks by itself."""
        self.source_name = source.name
        self._source = source
        self._addresses = SourceAddresses(source)
        retries = retries or Retries()
        self._gates = Gates(source, pace)
        self._transport = Transport(source, retries, self._gates)
        self._own_transports = {
            api: Transport(own, retries, self._gates)
            for api in EARLIER_APIS
            if (own := _own_credentials(source, api))
        }
        self._fits = OversizedPages()
        self._version_probe = VersionProbe(source.name, source.api_version, self._probe)

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

    def clear_overrides(self) -> None:
        """Let the limits of the configuration hold again (see `server_gates.set_overrides`)."""
        for gate in self._gates.all():
            gate.clear_overrides()

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
        return self._version_probe.version(deadline)

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
        return self._addresses.base(api)

    def speaks(self, api: str, *, deadline: float | None = None) -> str:
        """The version that an API of the earlier standards names in its answers; blank when it names none.

        Raises NotConfigured for an API that the source does not have.
        """
        kind = next(each.name for each in LISTS.values() if each.api == api)
        answer = self._ask(kind, self._addresses.of_list(kind), {}, list_template(kind), deadline)
        return answer.headers.get("API-version", "")

    def can(self, kind: str, parameter: str, *, deadline: float | None = None) -> bool:
        """Whether this source's list of that kind takes that query parameter; none where the config says so (M32)."""
        if kind == "zaakcontactmoment" and self.zaakcontactmomenten == "geen":
            return False
        return self.version_of(kind, deadline=deadline).has(kind, parameter)

    def url_of(self, kind: str, uuid: str) -> str:
        """The address of an object. Raises what `SourceAddresses.of_object` raises."""
        return self._addresses.of_object(kind, uuid)

    def get(self, kind: str, uuid: str, *, deadline: float | None = None) -> dict[str, Any]:
        """One object. Raises NotFound only when the API itself says that it is not there.

        One that can't be read as it stands comes marked (`mappings.incoming.unreadable`), as it does in lists (M3).
        """
        template = object_template(kind)
        try:
            answer = self._ask(kind, self.url_of(kind, uuid), {}, template, deadline)
        except errors.TooLarge as error:
            return self._unreadable(kind, uuid, error.begin, Unreadable.SIZE)
        self._charge(kind, 1)
        if answer.text is not None:
            return self._unreadable(kind, uuid, answer.text)
        return object_in(answer, self.source_name, template)

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
            size, template, asked = question.size, question.template, clock.now()
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
        question = SourceQuestion(kind, {}, list_template(kind), version)
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
        return objects, count_in(answer)

    def _probe(self, params: Mapping[str, str], deadline: float | None) -> tuple[list[dict[str, Any]], str]:
        """The rollen that these parameters give, and the version that the answer names."""
        template = list_template("rol", params)
        try:
            answer = self._transport.get(self._addresses.of_list("rol"), params, template, deadline)
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
            self._version_probe.hear(answer.headers.get("API-version", ""))
        return answer

    def change(self, kind: str, url: str, template: str, change: WriteCall) -> Any:
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
        return plain(answer.body)

    def list_url(self, kind: str) -> str:
        """The address of a list. Raises NotConfigured."""
        return self._addresses.of_list(kind)

    def _list(
        self, question: SourceQuestion, deadline: float | None, page: int | None = None
    ) -> SourceAnswer:
        """One call on a list. Raises VersionChanged when the source turns out to speak another version by now."""
        kind, params = question.kind, question.params
        if page is not None:
            params = {**params, "page": str(page)}
        try:
            return self._ask(kind, self._addresses.of_list(kind), params, question.template, deadline)
        except errors.BadRequest as error:
            if error.status != 400 or not _of_zaken_api(kind):
                raise
            self._version_probe.recheck()
            if self.version(deadline=deadline) == question.version:
                raise
            raise errors.VersionChanged(self.source_name, question.template) from None

    def _charge(self, kind: str, objects: int) -> None:
        """Count what a background call read, for objects_per_second."""
        self._gates.of(self._addresses.of_list(kind)).charge(objects)

    def _question(
        self, kind: str, filters: Mapping[str, str], deadline: float | None, size: int
    ) -> SourceQuestion:
        return source_question(self._addresses, kind, filters, self.version_of(kind, deadline=deadline), size)

    def _page(self, question: SourceQuestion, number: int, size: int, deadline: float | None) -> Part:
        """One page of a list; one that is too large, or has a broken structure, in smaller ones, down to the object
        that is so (M3). Raises TooLarge where the source knows no sizes."""
        kind, sized = question.kind, question.sized
        smaller = next_size(size) if sized else 0

        def in_smaller() -> Part:
            parts = question.in_pages_of(smaller)
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
        count = count_in(answer)
        last = isinstance(answer.body, dict) and answer.body.get("next") is None
        return Part(objects, count.number, count.exact and count.number is not None, last)

    def _from_text(self, kind: str, text: str, deadline: float | None) -> list[dict[str, Any]]:
        """The objects of a list with a broken structure; those that can't be read there are asked for by uuid."""
        found = []
        for each in lenient_parser.split(text, LISTS[kind].path):
            if not isinstance(each, lenient_parser.Broken):
                found.append(lenient_parser.marked(plain(each)))
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
        return unreadable_object(self._addresses, kind, uuid, text, fault)

    def _objects_in(
        self, answer: SourceAnswer, kind: str, template: str, deadline: float | None
    ) -> list[dict[str, Any]]:
        """The objects of a list's answer, also of one with a broken structure."""
        if answer.text is not None:
            return self._from_text(kind, answer.text, deadline)
        return objects_in(answer, kind, self.source_name, template)


def _of_zaken_api(kind: str) -> bool:
    return LISTS[kind].api == ZAKEN


def _own_credentials(source: Source, api: str) -> Source | None:
    """The source as an API of the earlier standards wants it; None when it takes the source's own credentials."""
    client_id = getattr(source, f"{api}_client_id")
    if not client_id:
        return None
    return replace(source, client_id=client_id, secret=getattr(source, f"{api}_secret"))
