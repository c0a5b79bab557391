"""The Zaken API of one source, as the rest of the gateway asks it: objects, pages, and what it can do.

Written against the measured behaviour of such APIs: `next` and `count` are not believed, URLs are rebuilt
from uuid and the one configured base, and only parameters that the version has are asked.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateway.config import Source
from gateway.legacy import errors, versions
from gateway.legacy.throttle import Rate
from gateway.legacy.transport import Answer, Retries, Transport
from gateway.legacy.versions import ApiVersion

PATHS = {
    "zaak": "zaken",
    "rol": "rollen",
    "klantcontact": "klantcontacten",
    "zaakcontactmoment": "zaakcontactmomenten",
    "zaaktype": "zaaktypen",
    "roltype": "roltypen",
}
CATALOGI = frozenset({"zaaktype", "roltype"})
# Bare arrays without pages: 80,000 rows ended in a closed connection, so a filter is a must.
UNPAGED = frozenset({"zaakcontactmoment"})
# Filters that hold the URL of an object of the source itself.
_OWN_URLS = frozenset({"zaak", "zaaktype", "roltype"})
# A source that gives one page over and over does not know `page`; inserts can make two equal, not three.
_SAME_PAGES = 3

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    `count` is what the source says there is in all (None when it does not), a hint for progress only.
    `size` is how many objects a full page holds. `ends` tells that three signs agree that this is the last page:
    it is not full, no next page is named, and the exact count is reached. One of them alone is not to be trusted.
    """

    number: int
    objects: list[dict[str, Any]]
    count: int | None
    size: int
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """How many objects the source says a list has; `exact` is False where it admits to guessing."""

    number: int | None
    exact: bool


def uuid_of(url: str) -> str | None:
    """The uuid that ends the path of a URL (or is the whole text), in lower case; None when there is none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    last = path.rstrip("/").rpartition("/")[2]
    return last.lower() if _UUID.fullmatch(last) else None


class ZakenClient:
    """One source. One object for each process; safe to use from several threads.

    Every method that asks raises a LegacyError; `deadline` is a time.monotonic that bounds all of it.
    """

    def __init__(self, source: Source, *, retries: Retries | None = None) -> None:
        self.source_name = source.name
        self._source = source
        self._transport = Transport(source, retries or Retries())
        self._objects = Rate(source.objects_per_second)
        self._version: ApiVersion | None = None
        self._finding_out = threading.Lock()

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    @property
    def clock_skew(self) -> float | None:
        """Seconds that the source's clock is ahead of ours, by its last answer; None if it did not say."""
        return self._transport.clock_skew

    def version(self, *, deadline: float | None = None) -> ApiVersion:
        """What the source speaks; asked once and remembered.

        The number is `api_version` of the config, else the API-version header. Raises BadAnswer when
        neither is there.
        """
        if self._version is None:
            left = -1 if deadline is None else max(0.0, deadline - time.monotonic())
            if not self._finding_out.acquire(timeout=left):
                raise errors.DeadlinePassed(self.source_name, "GET /rollen")
            try:
                if self._version is None:
                    self._version = self._find_version(deadline)
            finally:
                self._finding_out.release()
        return self._version

    def can(self, kind: str, parameter: str, *, deadline: float | None = None) -> bool:
        """Whether this source's list of that kind takes that query parameter."""
        return self.version(deadline=deadline).has(kind, parameter)

    def url_of(self, kind: str, uuid: str) -> str:
        """The address of an object: the configured base, never the host that some answer mentioned.

        Raises BadRequest for what is not a uuid (the real server answers such an address with a 500) and
        NotConfigured for a kind of the Catalogi API without catalogi_url.
        """
        if not _UUID.fullmatch(uuid):
            template = f"GET /{PATHS[kind]}/*"
            raise errors.BadRequest(self.source_name, template, text="dit is geen uuid")
        return f"{self._list_url(kind)}/{uuid.lower()}"

    def get(self, kind: str, uuid: str, *, deadline: float | None = None) -> dict[str, Any]:
        """One object. Raises NotFound only when the API itself says that it is not there."""
        template = f"GET /{PATHS[kind]}/*"
        answer = self._transport.get(self.url_of(kind, uuid), {}, template, deadline)
        if not isinstance(answer.body, dict) or "url" not in answer.body:
            raise errors.BadAnswer(self.source_name, template, text="het antwoord is geen object")
        return answer.body

    def pages(
        self,
        kind: str,
        filters: Mapping[str, str] | None = None,
        *,
        start: int = 1,
        deadline: float | None = None,
    ) -> Iterator[Page]:
        """Page after page, until the source has no more: a 404 of the API or an empty page.

        Deleting while we walk makes the source skip objects, so one walk proves nothing complete. Walks
        without a deadline keep to objects_per_second. Raises BadRequest, before asking, for a filter that
        the version does not have, and for zaakcontactmomenten without a filter.
        """
        params, template = self._question(kind, filters or {}, deadline)
        if kind in UNPAGED:
            answer = self._transport.get(self._list_url(kind), params, template, deadline)
            objects = self._objects_in(answer, kind, template)
            if objects:
                yield Page(1, objects, len(objects), len(objects))
            return
        size = versions.DEFAULT_PAGE_SIZE
        if self.can(kind, "pageSize", deadline=deadline):
            size = versions.PAGE_SIZE
            params["pageSize"] = str(size)
            template = self._template(kind, params)
        number, before, same = start, None, 1
        while True:
            if deadline is None:
                self._objects.wait(0)
            try:
                answer = self._transport.get(
                    self._list_url(kind), {**params, "page": str(number)}, template, deadline
                )
            except errors.NotFound:
                if number == 1:
                    raise  # an empty list is a 200: this list does not exist
                return
            objects = self._objects_in(answer, kind, template)
            if not objects:
                return
            self._objects.charge(len(objects))
            now = [each.get("url") for each in objects]
            same = same + 1 if now == before else 1
            if same >= _SAME_PAGES:
                raise errors.BadAnswer(
                    self.source_name, template, text="de bron geeft steeds dezelfde pagina"
                )
            before = now
            count = answer.body.get("count")
            ends = (
                len(objects) < size
                and answer.body.get("next") is None
                and answer.body.get("countExact") is not False
                and count == (number - 1) * size + len(objects)
            )
            known = count if isinstance(count, int) else None
            yield Page(number, objects, known, max(size, len(objects)), ends)
            number += 1

    def all(
        self, kind: str, filters: Mapping[str, str] | None = None, *, deadline: float | None = None
    ) -> list[dict[str, Any]]:
        """All pages together; for questions with a filter that keeps the answer small.

        Stops at a page that is the last by all signs, to spare a waiting client a call for each question.
        """
        found: list[dict[str, Any]] = []
        for page in self.pages(kind, filters, deadline=deadline):
            found += page.objects
            if page.ends:
                break
        return found

    def first(
        self, kind: str, filters: Mapping[str, str] | None = None, *, deadline: float | None = None
    ) -> tuple[list[dict[str, Any]], Count]:
        """The first objects of a list (one, where pageSize exists) and how many the source says there are."""
        params, template = self._question(kind, filters or {}, deadline)
        if kind not in UNPAGED and self.can(kind, "pageSize", deadline=deadline):
            params["pageSize"] = "1"
            template = self._template(kind, params)
        answer = self._transport.get(self._list_url(kind), params, template, deadline)
        objects = self._objects_in(answer, kind, template)
        if isinstance(answer.body, list):
            return objects, Count(len(objects), True)
        count = answer.body.get("count")
        exact = answer.body.get("countExact") is not False
        return objects, Count(count if isinstance(count, int) else None, exact)

    def _find_version(self, deadline: float | None) -> ApiVersion:
        url = self._list_url("rol")
        answer, open_zaak, page_size = None, False, False
        try:
            template = self._template("rol", versions.PROBE)
            answer = self._transport.get(url, versions.PROBE, template, deadline)
            open_zaak = page_size = versions.answers_probe(self._objects_in(answer, "rol", template))
        except errors.BadRequest:
            try:
                template = self._template("rol", {"pageSize": "1"})
                answer = self._transport.get(url, {"pageSize": "1"}, template, deadline)
                page_size = len(self._objects_in(answer, "rol", template)) <= 1
            except errors.BadRequest:
                answer = self._transport.get(url, {}, "GET /rollen", deadline)
        text = self._source.api_version or answer.headers.get("API-version", "")
        number = versions.parse(text)
        if number is None:
            raise errors.BadAnswer(
                self.source_name,
                "GET /rollen",
                text="de bron noemt geen versie; vul api_version in de config in",
            )
        return ApiVersion(number, ".".join(map(str, number)), open_zaak, page_size)

    def _list_url(self, kind: str) -> str:
        base = self._source.catalogi_url if kind in CATALOGI else self._source.zaken_url
        if not base:
            raise errors.NotConfigured(self.source_name, f"GET /{PATHS[kind]}")
        return base + PATHS[kind]

    def _template(self, kind: str, params: Mapping[str, str]) -> str:
        query = "&".join(f"{name}=*" for name in params)
        return f"GET /{PATHS[kind]}" + (f"?{query}" if query else "")

    def _question(
        self, kind: str, filters: Mapping[str, str], deadline: float | None
    ) -> tuple[dict[str, str], str]:
        """The filters as this source wants them, and the call's template."""
        template = self._template(kind, filters)
        version = self.version(deadline=deadline)
        unknown = sorted(name for name in filters if not version.has(kind, name))
        if unknown:
            text = f"versie {version.text} van de bron heeft niet: {', '.join(unknown)}"
            raise errors.BadRequest(self.source_name, template, text=text)
        if kind in UNPAGED and not filters:
            raise errors.BadRequest(
                self.source_name, template, text="deze lijst heeft geen pagina's; vraag per zaak"
            )
        params = {}
        for name, value in filters.items():
            uuid = uuid_of(value) if name in _OWN_URLS else None
            params[name] = self.url_of(name, uuid) if uuid else value
        return params, template

    def _objects_in(self, answer: Answer, kind: str, template: str) -> list[dict[str, Any]]:
        """The objects of a list's answer: `results`, a bare array where that is the rule, or the HAL form."""
        body = answer.body
        objects: Any = None
        if isinstance(body, dict):
            objects = body.get("results")
            embedded = body.get("_embedded")
            if objects is None and isinstance(embedded, dict):
                objects = embedded.get(PATHS[kind])
        elif kind in UNPAGED:
            objects = body
        if not isinstance(objects, list) or not all(isinstance(each, dict) for each in objects):
            raise errors.BadAnswer(self.source_name, template, text="het antwoord is geen lijst van objecten")
        return objects
