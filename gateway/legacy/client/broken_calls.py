"""What became of a call that did not come to an end: the errors of the HTTP libraries as ours."""

import ssl

import requests
import urllib3

from gateway.base import clock
from gateway.legacy import errors

NO_TLS = "zij spreekt geen TLS: haar adres begint met https://, maar op deze poort antwoordt http"
# Why a TLS handshake fails when the other side speaks plain HTTP, by the version of OpenSSL.
_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")


def error_of(exc: Exception, name: str, template: str, deadline: float | None) -> errors.LegacyError:
    """The error for a call on a source (name) that did not come to an end; the library's text is left behind."""
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    if isinstance(exc, timeouts):
        if deadline is not None and clock.monotonic() >= deadline - 0.05:
            return errors.DeadlinePassed(name, template)
        return errors.TimedOut(name, template)
    if isinstance(exc, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return errors.Untrusted(name, template, text=NO_TLS if _speaks_http(exc) else "")
    if isinstance(exc, (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError)):
        return errors.BadAnswer(name, template, text="het antwoord is afgebroken", cut_off=True)
    if isinstance(exc, requests.ConnectionError):
        return errors.Unreachable(name, template)
    if isinstance(exc, urllib3.exceptions.HTTPError):
        # The status line was there, the rest was not.
        return errors.BadAnswer(name, template, text="het antwoord is afgebroken", cut_off=True)
    if isinstance(exc, ConnectionError):
        return errors.Unreachable(name, template)
    if isinstance(exc, requests.RequestException):
        return errors.BadAnswer(name, template)
    # What is left of OSError: a certificate file that cannot be used.
    return errors.Untrusted(name, template)


def _speaks_http(exc: BaseException) -> bool:
    """Did a TLS handshake fail because the other side speaks plain HTTP? The reason lies deep in the chain."""
    seen: set[int] = set()
    ask: list[object] = [exc]
    while ask:
        each = ask.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, ssl.SSLError) and each.reason in _PLAIN_HTTP:
            return True
        ask += [*each.args, each.__cause__, each.__context__, getattr(each, "reason", None)]
    return False
