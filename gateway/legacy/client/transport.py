"""One HTTP call to a source, done with care: its turn at the gate, token, timeouts, deadline, retries, whole answers.

It knows HTTP and the refusals of the standard; what is asked is the client's affair. Nothing that it logs
or raises holds a parameter's value.
"""

import codecs
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import urllib3

from gateway.base import clock, correlation, memory
from gateway.base.clock import seconds
from gateway.base.correlation import CALL
from gateway.base.logs import get_logger, silence_http_libraries
from gateway.base.outgoing import Bearer, moment_of, outgoing_session, seconds_to_rest
from gateway.base.timed_http import ends_at
from gateway.config.defaults import MOST_CONNECTIONS
from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.background import current
from gateway.legacy.client import lenient_parser
from gateway.legacy.client.broken_calls import error_of
from gateway.legacy.client.jwt_tokens import Tokens
from gateway.legacy.pacing import circuit_breaker
from gateway.legacy.pacing.ended_calls import EndedCall
from gateway.legacy.pacing.gate import Gate
from gateway.legacy.pacing.server_gates import Gates
from gateway.legacy.pacing.waiting_threads import take_waiting_place

silence_http_libraries()
log = get_logger("klantbrug.legacy")

_CHUNK = 64 * 1024
# So much of an answer that is too large is kept, to see what it is of.
_BEGIN = 64 * 1024
# A call that breaks off after so long was being worked on.
LONG_SECONDS = 20.0
_SENDS_JSON = {"Content-Type": "application/json"}
# Nothing was asked, or there is no time to ask again.
_NOT_ASKED = (errors.DeadlinePassed, errors.CircuitOpen, errors.NoPlace, errors.WaitTooLong)


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how long apart a call is tried; waits are seconds."""

    attempts: int = 5
    # A timeout, a plain 500 and what broke off late have cost the source its work already: one more try and no further.
    costly_attempts: int = 2
    # A job is not done with that, and gives a bad moment time to pass.
    costly_background_attempts: int = 12
    first_wait: float = 0.25
    longest_wait: float = 20.0
    longest_retry_after: float = 3600.0


@dataclass(frozen=True, slots=True)
class WriteCall:
    """What a call changes: its method and the JSON that it sends, None for nothing."""

    method: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """A whole answer; `body` is the parsed JSON, or None when it was not JSON.

    `lenient`: it is not quite JSON, and was read as far as it goes (see `lenient`). Then `text` is what came where
    its structure is broken, and there is no body.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    lenient: bool = False
    text: str | None = None


class Transport:
    """The connections to one source. Safe for threads; a forked process makes its own connections."""

    def __init__(self, source: Source, retries: Retries, gates: Gates) -> None:
        self._source = source
        self._gates = gates
        self._retries = retries
        self._tokens = Tokens(source)
        bases = (source.zaken_url, source.catalogi_url, source.klanten_url, source.contactmomenten_url)
        self._bases = tuple(base for base in bases if base)
        self._session = self._new_session()
        self._pid = os.getpid()
        self.clock_skew: float | None = None

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def get(self, url: str, params: Mapping[str, str], template: str, deadline: float | None) -> SourceAnswer:
        """GET until there is an answer worth having.

        In: an address under one of the source's base URLs, the query parameters, how the call may be
        named, and the clock.monotonic by which all must be over. Out: a 200 with its JSON. Raises one of
        `errors`, by what was wrong with the last try; never on a first passing trouble. A background call (see
        `background`) that waits as long as it takes goes on while the circuit breaker is open. May raise Stopped;
        a live call that finds no place to wait raises NoPlace.
        """
        gate = self.gate_of(url, template)
        take_waiting_place(self._source.name, template)
        attempt = costly = 0
        renewed = False
        while True:
            attempt += 1
            try:
                return self.once(gate, url, params, template, deadline, attempt)
            except errors.Forbidden as exc:
                if not exc.expired or renewed:
                    raise
                renewed = True
                continue  # at once: only the token was wrong, and the next one is new
            except errors.LegacyError as exc:
                if not exc.temporary or isinstance(exc, _NOT_ASKED):
                    raise
                costly += _is_costly(exc)
                if self._enough(gate, attempt, costly):
                    raise
                wait = self._wait_before(attempt)
                rest = getattr(exc, "retry_after", None) or 0.0
                if deadline is not None and clock.monotonic() + max(wait, rest) >= deadline:
                    raise  # the cause says more than that the time is over
            _sleep(wait)

    def _enough(self, gate: Gate, attempt: int, costly: int) -> bool:
        """Was the call tried often enough? That of a job with all patience is not, while no call gets through."""
        retries, job = self._retries, current()
        if job is None or job.patience is not None:
            return attempt >= retries.attempts or costly >= retries.costly_attempts
        if costly >= retries.costly_background_attempts:
            return True
        return attempt >= max(retries.attempts, circuit_breaker.IN_A_ROW) and not gate.broken()

    def _wait_before(self, attempt: int) -> float:
        """Seconds until the next try; what a source asks for in Retry-After is waited for at the gate."""
        longest = min(self._retries.longest_wait, self._retries.first_wait * 2 ** min(attempt - 1, 10))
        return random.uniform(0, longest)  # noqa: S311  spreads load, protects nothing

    def gate_of(self, url: str, template: str) -> Gate:
        """The gate of an address of this source. Raises BadRequest for any other address."""
        if not url.startswith(self._bases):
            raise errors.BadRequest(self._source.name, template, text="dit adres is niet van deze bron")
        return self._gates.of(url)

    def once(
        self,
        gate: Gate,
        url: str,
        params: Mapping[str, str],
        template: str,
        deadline: float | None,
        attempt: int,
        change: WriteCall | None = None,
    ) -> SourceAnswer:
        """One try of a call, through the gate. Raises one of `errors`; of a change nobody knows then whether it was
        done, unless the error is a refusal."""
        name = self._source.name
        asked_by = "client" if current() is None else "job"
        with correlation.part(CALL, template, source=name, asked_by=asked_by, attempt=attempt) as operation:
            place = gate.enter(template, deadline)
            started = operation.begin_again()  # its turn was waited for: that is no time of the source
            status: int | None = None
            asked: EndedCall | None = None
            try:
                token = self._tokens.current()
                error: errors.LegacyError | None
                try:
                    status, headers, content = self._exchange(url, params, template, token, deadline, change)
                except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
                    error = error_of(exc, name, template, deadline)
                    took = clock.monotonic() - started
                except errors.TooLarge as large:
                    error, took = large, clock.monotonic() - started
                else:
                    took, operation.status = clock.monotonic() - started, status
                    answer, error = self._judge(status, headers, content, template, params)
                    if isinstance(error, errors.Forbidden) and error.expired:
                        self._tokens.expired(token)
                asked = EndedCall(template, _page(params), took, error)
            finally:
                gate.leave(place, asked)
            log.debug(
                "legacy call",
                source=name,
                call=template,
                status=status,
                error=error.cause if error else None,
                ms=round(took * 1000),
                attempt=attempt,
            )
            if error:
                error.took = took
                raise error
            return answer

    def _exchange(
        self,
        url: str,
        params: Mapping[str, str],
        template: str,
        token: str,
        deadline: float | None,
        change: WriteCall | None,
    ) -> tuple[int, Mapping[str, str], bytearray]:
        source = self._source
        left = min(source.call_timeout, source.call_timeout if deadline is None else _left(deadline))
        if left <= 0.001:
            raise requests.Timeout
        # What connecting took is not there for the answer. Each address that a name stands for is tried so long.
        connect, read = min(source.connect_timeout, left / 2), min(source.read_timeout, left)
        timeout = urllib3.Timeout(total=left, connect=connect, read=read)
        asked = seconds()
        with ends_at(clock.monotonic() + left, read):
            sent = None if change is None or change.body is None else orjson.dumps(change.body)
            response = self._sessions().request(
                change.method if change else "GET",
                url,
                params=dict(params),
                data=sent,
                headers=_SENDS_JSON if sent else None,
                auth=Bearer(token),
                timeout=timeout,  # type: ignore[arg-type]  # urllib3 takes it as it stands; the stubs don't know
                allow_redirects=False,
                stream=True,
            )
            self._note_clock(response.headers.get("Date"), asked)
            whole = False
            try:
                content = self._read(response.raw, template)
                whole = True
            finally:
                if whole:
                    response.raw.release_conn()
                else:
                    response.raw.close()  # what is left of this answer must not begin the next one
        return response.status_code, response.headers, content

    def _read(self, raw: urllib3.HTTPResponse, template: str) -> bytearray:
        parts = bytearray()
        while part := raw.read1(_CHUNK, decode_content=True):
            parts += part
            if len(parts) > self._source.max_answer:
                memory.note_answer(len(parts))
                version = raw.headers.get("API-version", "")
                begin = bytes(parts[:_BEGIN])
                raise errors.TooLarge(self._source.name, template, begin=begin, version=version)
        memory.note_answer(len(parts))
        if raw.length_remaining:
            raise urllib3.exceptions.ProtocolError("incomplete")
        return parts

    def _judge(
        self,
        status: int,
        headers: Mapping[str, str],
        content: bytearray,
        template: str,
        params: Mapping[str, str],
    ) -> tuple[SourceAnswer, errors.LegacyError | None]:
        name = self._source.name
        is_json = "json" in headers.get("Content-Type", "").lower()
        answer = _answer(status, headers, content) if is_json else None
        if status == 204:  # of a deletion: there is nothing to read
            return SourceAnswer(status, headers, None), None
        if status in (200, 201):
            if answer is not None:
                return answer, None
            text = "het antwoord is afgebroken" if is_json else "dit is geen API-antwoord; klopt het adres?"
            error = errors.BadAnswer(name, template, text=text, status=status, cut_off=is_json)
            return SourceAnswer(status, headers, None), error
        answer = answer or SourceAnswer(status, headers, None)
        return answer, self._refusal(answer, template, params)

    def _refusal(self, answer: SourceAnswer, template: str, params: Mapping[str, str]) -> errors.LegacyError:
        name, status = self._source.name, answer.status
        problem = answer.body if isinstance(answer.body, dict) and "code" in answer.body else None
        if status in (401, 403):
            code = problem.get("code") if problem else None
            return errors.Forbidden(name, template, code=code if isinstance(code, str) else "", status=status)
        if status in (404, 410):
            if problem is None:
                # A router in between also answers 404; only the API itself may say that an object is gone.
                return errors.BadAnswer(
                    name, template, text="op dit adres antwoordt geen API; klopt het?", status=status
                )
            kind = errors.NotFound if status == 404 else errors.Gone
            return kind(name, template, status=status)
        if status == 429 or status >= 500:
            busy = errors.TooManyRequests if status == 429 else errors.ServerError
            error = busy(name, template, status=status)
            retry_after = seconds_to_rest(answer.headers.get("Retry-After"))
            if retry_after is not None:
                longest = min(self._retries.longest_retry_after, self._source.longest_rest)
                error.retry_after, error.asked_rest = min(retry_after, longest), retry_after
            return error
        if 400 <= status < 500:
            text = f"de bron neemt deze vraag niet aan (status {status}"
            text += f", gevraagd met {', '.join(sorted(params))})" if params else ")"
            return errors.BadRequest(name, template, text=text, status=status, wrong=_wrong_in(problem))
        text = (
            "de bron verwijst door; zet het uiteindelijke adres in de config" if 300 <= status < 400 else ""
        )
        return errors.BadAnswer(name, template, text=text, status=status)

    def _note_clock(self, date: str | None, asked: float) -> None:
        theirs = None if date is None else moment_of(date)
        if theirs is not None:
            # The header has whole seconds, and was written between asking and now.
            self.clock_skew = theirs + 0.5 - (asked + seconds()) / 2

    def _sessions(self) -> requests.Session:
        if self._pid != os.getpid():
            # Two processes on one inherited socket would read each other's answers.
            self._session, self._pid = self._new_session(), os.getpid()
        return self._session

    def _new_session(self) -> requests.Session:
        source = self._source
        cert: str | tuple[str, str] | None = str(source.client_cert) if source.client_cert else None
        if cert is not None and source.client_key:
            cert = (str(source.client_cert), str(source.client_key))
        hosts = {urlsplit(base)[:2] for base in self._bases}
        session = outgoing_session(source.ca_bundle, cert, hosts=len(hosts), connections=MOST_CONNECTIONS)
        session.headers["Accept-Crs"] = "EPSG:4326"
        return session


def _answer(status: int, headers: Mapping[str, str], content: bytearray) -> SourceAnswer | None:
    """The answer with this JSON; None when it is none, or ends too early."""
    if content.startswith(codecs.BOM_UTF8):
        del content[: len(codecs.BOM_UTF8)]  # says nothing, so nothing is lost with it
    try:
        body = orjson.loads(content)
        if not lenient_parser.has_doubles(content, body):
            return SourceAnswer(status, headers, body)
    except orjson.JSONDecodeError:
        pass
    found = lenient_parser.read(content)
    return None if found is None else SourceAnswer(status, headers, found.body, True, found.text)


def _wrong_in(problem: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """The fields that a problem document names, each with its code; never what it says of them."""
    params = problem.get("invalidParams") if problem else None
    named = [each for each in params if isinstance(each, dict)] if isinstance(params, list) else []
    return tuple((str(each.get("name")), str(each.get("code"))) for each in named)


def _sleep(seconds: float) -> None:
    job = current()
    if job is not None and job.stop is not None:
        clock.wait(job.stop.wait, seconds)  # the gate then says that it stops
    else:
        clock.sleep(seconds)


def _page(params: Mapping[str, str]) -> int:
    page = params.get("page", "")
    return int(page) if page.isdecimal() else 0


def _left(deadline: float) -> float:
    return max(0.0, deadline - clock.monotonic())


def _is_costly(error: errors.LegacyError) -> bool:
    return isinstance(error, errors.TimedOut) or error.status == 500 or error.took > LONG_SECONDS
