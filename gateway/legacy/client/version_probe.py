"""What a source speaks: found out by asking, remembered, and doubted when its answers give reason to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.legacy import errors
from gateway.legacy.client import api_versions
from gateway.legacy.client.api_versions import ApiVersion
from gateway.legacy.pacing.waiting_threads import take_waiting_place

log = get_logger("klantbrug.legacy")

# When it was just found out again, it is not doubted again for so long: of several servers behind one address, one may
# be older than the others.
SURE_SECONDS = 60.0
# A source can learn new filters and keep its number.
OLD_SECONDS = 24 * 3600.0

# Asks /rollen with these parameters, by that time. Out: the objects on the first page, and the API-version that the
# answer names (blank: none). Raises LegacyErrors.
Ask = Callable[[Mapping[str, str], float | None], tuple[list[dict[str, Any]], str]]


class VersionProbe:
    """The version of one source, for one process; safe to use from several threads."""

    def __init__(self, source_name: str, api_version: str, ask: Ask) -> None:
        """`api_version` is the number by the config, blank to go by what the source says."""
        self._source_name = source_name
        self._api_version = api_version
        self._ask = ask
        self._known: ApiVersion | None = None
        self._named = ""
        self._doubted = False
        self._sure_until = self._old_from = 0.0
        self._finding_out = threading.Lock()

    def version(self, deadline: float | None) -> ApiVersion:
        """What the source speaks. Asks it the first time, when there is doubt, and when a day went by.

        Raises BadAnswer when neither config nor source name a version to go by, and what asking raises. Once
        found, it stays what it was when asking again fails.
        """
        known = self._known
        if known is not None and not self._doubtful():
            return known
        if not self._finding_out.acquire(blocking=False):
            # Another finds it out, and the source may hang.
            take_waiting_place(self._source_name, "GET /rollen")
            left = -1 if deadline is None else max(0.0, deadline - clock.monotonic())
            if not self._finding_out.acquire(timeout=left):
                raise errors.DeadlinePassed(self._source_name, "GET /rollen")
        try:
            known = self._known
            if known is None:
                known = self._find(deadline)
                self._old_from = clock.monotonic() + OLD_SECONDS
            elif self._doubtful():
                known = self._find_again(known, deadline)
            self._known = known
            return known
        finally:
            self._finding_out.release()

    def hear(self, named: str) -> None:
        """An answer named this version (blank: none): another one than before is a reason to doubt."""
        if named and named != self._named and self._known is not None:
            self.recheck()

    def recheck(self) -> None:
        """Have it found out again, by whoever wants to know it next."""
        if clock.monotonic() >= self._sure_until:
            self._doubted = True

    def _doubtful(self) -> bool:
        return self._doubted or clock.monotonic() >= self._old_from

    def _find(self, deadline: float | None) -> ApiVersion:
        open_zaak = page_size = False
        try:
            objects, named = self._ask(api_versions.PROBE, deadline)
            open_zaak = page_size = api_versions.answers_probe(objects)
        except errors.BadRequest:
            try:
                objects, named = self._ask({"pageSize": "1"}, deadline)
                page_size = len(objects) <= 1
            except errors.BadRequest:
                _, named = self._ask({}, deadline)
        text = self._api_version or named
        number = api_versions.parse(text)
        if number is None or api_versions.trouble(text):
            raise errors.BadAnswer(self._source_name, "GET /rollen", text=api_versions.trouble(text))
        self._named = named
        return ApiVersion(number, ".".join(map(str, number)), open_zaak, page_size)

    def _find_again(self, known: ApiVersion, deadline: float | None) -> ApiVersion:
        found = known
        try:
            found = self._find(deadline)
        except errors.NoPlace:
            return known  # nothing was asked: the next one finds it out
        except errors.LegacyError as error:
            log.warning("version could not be found again", source=self._source_name, cause=error.cause)
        self._doubted = False
        self._sure_until = clock.monotonic() + SURE_SECONDS
        self._old_from = clock.monotonic() + OLD_SECONDS
        if found != known:
            log.warning(
                "source speaks another version", source=self._source_name, was=known.text, now=found.text
            )
        return found
