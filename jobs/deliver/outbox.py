"""Delivers notifications from the outbox to the Notificaties API: in order for each object, at least once.

A message leaves the outbox when it arrived. When it did not, it is tried again later: after seconds, then minutes,
then each hour. Trouble of the service as a whole holds up everything, and one message finds out when it is over.
What the service refuses for what it is, or failed for five days, is given up and kept: an operator may try it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
import requests
import urllib3

from gateway.base import clock
from gateway.base.clock import now
from gateway.base.logs import get_logger, silence_http_libraries
from gateway.base.outgoing import Bearer, outgoing_session, seconds_to_rest
from gateway.base.timed_http import ends_at
from gateway.config.model import Notifications, Source
from gateway.installation import Installation
from gateway.legacy.client.jwt_tokens import Tokens
from gateway.store.operation import outbox as rows
from jobs.common.backoff import LONGEST_WAIT, back_off
from jobs.common.work import Work

silence_http_libraries()
log = get_logger("klantbrug.notifications")

SECOND = 1_000_000
GIVE_UP_AFTER = 5 * 24 * 3600 * SECOND
TOO_LATE = "too_late"
BATCH = 50
# Trouble that may be the message's own: so many in a row are the service's.
IN_A_ROW = 3
# How much of an answer is read, and for how long, to be able to use its connection again.
ANSWER_BYTES = 64 * 1024
ANSWER_SECONDS = 2.0
# Of any message: not let in, no such address (`[notifications] url` is wrong, a deploy goes on), too busy, down.
SERVICE_STATUSES = (401, 403, 404, 405, 408, 410, 429, 502, 503, 504)
# Surely of this message, which says the same the next time.
REFUSED_STATUSES = (400, 413, 422)


class Delivery(Enum):
    """What came of sending one message."""

    ARRIVED = "arrived"
    REFUSED = "refused, and it will be again"
    TROUBLE = "failed, perhaps by this message"
    SERVICE = "failed, and so would any other"


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome of one call: a verdict, a short cause, and the seconds that the service asks to wait."""

    verdict: Delivery
    cause: str = ""
    retry_after: float = 0.0


class Notificaties:
    """The connection to a Notificaties API; for one thread."""

    def __init__(self, settings: Notifications) -> None:
        self._address = f"{settings.url}/notificaties"
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        self._most_seconds = settings.connect_timeout + settings.read_timeout
        self._tokens = Tokens(Source("notificaties", settings.url, settings.client_id, settings.secret))
        self._session = outgoing_session(settings.ca_bundle)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def send(self, message: dict[str, Any]) -> SendResult:
        """Send one message. Raises nothing: what went wrong is the outcome, without a value or a library's text."""
        token = self._tokens.current()
        try:
            with ends_at(clock.monotonic() + self._most_seconds, self._timeout[1]):
                response = self._session.post(
                    self._address,
                    data=orjson.dumps(message),
                    headers={"Content-Type": "application/json"},
                    auth=Bearer(token),
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                )
        except requests.ReadTimeout:
            return SendResult(Delivery.TROUBLE, "timed_out")
        except requests.exceptions.SSLError:
            return SendResult(Delivery.SERVICE, "untrusted")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            return SendResult(Delivery.SERVICE, "unreachable")
        _finish(response)
        if response.status_code in (401, 403):
            self._tokens.expired(token)
        return _judge(response.status_code, response.headers.get("Retry-After"))


def _finish(response: requests.Response) -> None:
    """Read the answer away, which nobody needs; one that is long or slow costs its connection."""
    until, size = clock.monotonic() + ANSWER_SECONDS, 0
    try:
        while part := response.raw.read1(8192):
            size += len(part)
            if size > ANSWER_BYTES or clock.monotonic() > until:
                break
        else:
            response.raw.release_conn()
            return
    except (urllib3.exceptions.HTTPError, OSError):
        log.debug("notification answer cut off")  # its status was there, and that is the answer
    response.raw.close()


def _judge(status: int, retry_after: str | None) -> SendResult:
    cause = f"status_{status}"
    if 200 <= status < 300:
        return SendResult(Delivery.ARRIVED)
    if status in SERVICE_STATUSES or status < 400:  # a redirect says that the address is wrong
        return SendResult(Delivery.SERVICE, cause, seconds_to_rest(retry_after) or 0.0)
    if status in REFUSED_STATUSES:
        return SendResult(Delivery.REFUSED, cause)
    return SendResult(Delivery.TROUBLE, cause, seconds_to_rest(retry_after) or 0.0)


def anything_due(installation: Installation) -> bool:
    """Is there a message that may be sent now?"""
    with installation.store.read() as connection:
        return bool(rows.due(connection, now(), 1))


def deliver(work: Work) -> dict[str, int]:
    """Send what may be sent now, until nothing is left or the service fails.

    Out: how many arrived, were postponed and were given up. Raises leases.Lost; a message that was sent just then
    is sent again by who took over.
    """
    counts = {"arrived": 0, "postponed": 0, "given_up": 0}
    if not work.installation.config.notifications.url:
        return counts
    client = Notificaties(work.installation.config.notifications)
    try:
        _Delivery(work, client, counts).run()
    finally:
        client.close()
    return counts


class _Delivery:
    def __init__(self, work: Work, client: Notificaties, counts: dict[str, int]) -> None:
        self.work = work
        self.client = client
        self.counts = counts
        self.in_a_row = 0

    def run(self) -> None:
        while batch := self._due():
            for waiting in batch:
                if self.work.stopping.is_set() or not self._one(waiting):
                    return

    def _due(self) -> list[rows.DueMessage]:
        with self.work.installation.store.read() as connection:
            return rows.due(connection, self.work.clock(), BATCH)

    def _one(self, waiting: rows.DueMessage) -> bool:
        """Send one message and write down what came of it. Out: may the others be tried?"""
        sent = self.client.send(waiting.message)
        if sent.verdict is Delivery.ARRIVED:
            self._arrived(waiting)
        elif sent.verdict is Delivery.REFUSED:
            self.in_a_row = 0
            self._give_up(waiting, sent.cause)
        else:
            return self._failed(waiting, sent)
        return True

    def _arrived(self, waiting: rows.DueMessage) -> None:
        self.in_a_row = 0
        with self.work.write(synced=True) as connection:
            rows.delivered(connection, waiting.id)
            if waiting.attempts:
                rows.try_all(connection, self.work.clock())
        self.counts["arrived"] += 1

    def _give_up(self, waiting: rows.DueMessage, cause: str) -> None:
        with self.work.write(synced=True) as connection:
            rows.give_up(connection, waiting.id, self.work.clock(), cause)
        self.counts["given_up"] += 1
        log.error("notification given up", cause=cause, attempts=waiting.attempts + 1, **_named(waiting))

    def _failed(self, waiting: rows.DueMessage, sent: SendResult) -> bool:
        self.in_a_row += 1
        of_service = sent.verdict is Delivery.SERVICE or self.in_a_row >= IN_A_ROW
        moment = self.work.clock()
        if waiting.created < moment - GIVE_UP_AFTER:
            if not of_service:
                self._give_up(waiting, TOO_LATE)
                return True
            with self.work.write(synced=True) as connection:
                given_up = rows.give_up_older(connection, moment - GIVE_UP_AFTER, moment, TOO_LATE)
            self.counts["given_up"] += given_up
            log.error("notifications given up", cause=sent.cause, count=given_up)
            return False
        wait = min(LONGEST_WAIT, max(back_off(waiting.attempts), int(sent.retry_after * SECOND)))
        with self.work.write(synced=True) as connection:
            rows.postpone(connection, waiting.id, moment + wait, sent.cause, holds_up=of_service)
        self.counts["postponed"] += 1
        log.warning(
            "notification postponed",
            cause=sent.cause,
            attempts=waiting.attempts + 1,
            seconds=wait // SECOND,
            **_named(waiting),
        )
        return not of_service


def _named(waiting: rows.DueMessage) -> dict[str, Any]:
    """A message as it may be logged."""
    return {"kanaal": waiting.message.get("kanaal"), "actie": waiting.message.get("actie")}
