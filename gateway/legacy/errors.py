"""What can go wrong when a legacy system is asked: one type for each cause.

The texts are for an operator. They hold the source's name and the call's template (parameter names only),
never a value, a body or the text of a library.
"""

import re

from gateway.legacy.background import Waiting

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}\Z")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class LegacyError(Exception):
    """Base of all; `cause` is a short code, `temporary` tells whether trying later can help, `took` how many seconds
    the call lasted."""

    cause = "legacy_error"
    temporary = False
    took = 0.0
    text = "de bron gaf geen bruikbaar antwoord"

    def __init__(self, source: str, template: str, *, text: str = "", status: int | None = None) -> None:
        super().__init__(f"Bron {source}: {text or self.text} ({template})")
        self.source = source
        self.template = template
        self.status = status


class Unreachable(LegacyError):
    """No connection, or it broke before an answer."""

    cause = "unreachable"
    temporary = True
    text = "er is geen verbinding te krijgen"


class Untrusted(Unreachable):
    """The connection is refused by us or them over certificates."""

    cause = "untrusted"
    temporary = False
    text = "het certificaat klopt niet; zie ca_bundle, client_cert en client_key"


class TimedOut(LegacyError):
    """No answer within connect_timeout or read_timeout, or not all of it within call_timeout."""

    cause = "timed_out"
    temporary = True
    text = "er kwam geen antwoord binnen de tijd"


class DeadlinePassed(LegacyError):
    """The time that the caller gave for all of it is over."""

    cause = "deadline_passed"
    temporary = True
    text = "de tijd voor deze vraag is om"


class TooManyRequests(LegacyError):
    """429, also after waiting.

    `asked_rest` is what the source asked for in seconds, `retry_after` as much of that as it gets.
    """

    cause = "too_many_requests"
    temporary = True
    text = "de bron vindt dat er te veel gevraagd wordt"
    retry_after: float | None = None
    asked_rest: float | None = None


class ServerError(LegacyError):
    """5xx, also after trying again. `retry_after` and `asked_rest` as for TooManyRequests."""

    cause = "server_error"
    temporary = True
    retry_after: float | None = None
    asked_rest: float | None = None

    def __init__(self, source: str, template: str, *, text: str = "", status: int | None = None) -> None:
        text = text or f"er ging iets mis bij de bron (status {status})"
        super().__init__(source, template, text=text, status=status)


class BadAnswer(LegacyError):
    """An answer that is not what the API promises: cut off, no JSON, another shape, a redirect.

    `cut_off` is True when a second try may bring the rest.
    """

    cause = "bad_answer"
    text = "het antwoord is niet te begrijpen"

    def __init__(
        self, source: str, template: str, *, text: str = "", status: int | None = None, cut_off: bool = False
    ) -> None:
        super().__init__(source, template, text=text, status=status)
        self.cut_off = cut_off
        self.temporary = cut_off


class TooLarge(BadAnswer):
    """An answer of more than `[[source]] max_answer` bytes.

    `begin` is how it begins, never to be told anyone; `version` is what its API-version header names.
    """

    cause = "too_large"
    text = "het antwoord is groter dan max_answer, en niet in kleinere delen te vragen"

    def __init__(self, source: str, template: str, *, begin: bytes = b"", version: str = "") -> None:
        super().__init__(source, template)
        self.begin, self.version = begin, version


class BadRequest(LegacyError):
    """The source does not take this question (400, 406, 412, ...), or we know that it would not.

    `wrong` are the fields that it named, each with its code.
    """

    cause = "bad_request"
    text = "de bron neemt deze vraag niet aan"

    def __init__(
        self,
        source: str,
        template: str,
        *,
        text: str = "",
        status: int | None = None,
        wrong: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(source, template, text=text, status=status)
        # They come from outside: only what looks like a name and a code is repeated.
        self.wrong = tuple(pair for pair in wrong if _NAME.match(pair[0]) and _CODE.match(pair[1]))


class VersionChanged(BadRequest):
    """The source refused a question that its version has: it speaks another version by now. Asking anew helps."""

    cause = "version_changed"
    temporary = True
    text = "de bron is van versie veranderd; vraag het opnieuw"


class NotFound(LegacyError):
    """The API itself says that this object, or this list, is not there."""

    cause = "not_found"
    text = "dit bestaat niet (meer) in de bron"


class Gone(NotFound):
    """410: it was there."""

    cause = "gone"


class NotConfigured(LegacyError):
    """The config has no address for this kind of object."""

    cause = "not_configured"
    text = "catalogi_url is niet ingevuld"


_EXPIRED = "de bron vindt het token verlopen; waarschijnlijk lopen de klokken niet gelijk"
# The standard has no code for it; libraries name it after the claim, or after their own exception.
_MISSES_EXP = re.compile(r"missing-?required-?claim|(missing|no|required)[-_](claim[-_])?exp(?![a-z])", re.I)
_REFUSALS = {
    "invalid-client-identifier": "de bron kent deze client_id niet",
    "missing-client-identifier": "de bron mist de client_id in het token",
    "invalid-jwt-signature": "het geheim (secret) klopt niet bij deze client_id",
    "jwt-expired": _EXPIRED,
    "jwt-expiredsignatureerror": _EXPIRED,
    "permission_denied": "deze client_id heeft hier geen rechten voor",
}


class Forbidden(LegacyError):
    """403 (or 401); `code` tells the refusals apart, as listed in the legacy behaviour under Access."""

    cause = "forbidden"

    def __init__(self, source: str, template: str, *, code: str = "", status: int | None = 403) -> None:
        # The code comes from outside: only something that looks like one is repeated.
        self.code = code if _CODE.match(code) else ""
        reason = f"geweigerd, code {self.code}" if self.code else "geweigerd zonder code"
        super().__init__(source, template, text=_REFUSALS.get(self.code, reason), status=status)

    @property
    def expired(self) -> bool:
        """Whether a fresh token may help."""
        return self.code in ("jwt-expired", "jwt-expiredsignatureerror")

    @property
    def wants_exp(self) -> bool:
        """Whether the source misses a claim in the token that we leave out by default: until when it holds."""
        return bool(_MISSES_EXP.search(self.code))


class CircuitOpen(Unreachable):
    """Not asked: it failed so often that it is left alone for a while."""

    cause = "circuit_open"
    text = "is even niet gevraagd, want de bron faalde steeds"


class NoPlace(LegacyError):
    """Not asked: as many questions of clients wait for sources as may (see `gateway.legacy.pacing.waiting_threads`)."""

    cause = "no_place"
    temporary = True
    text = "is niet gevraagd, want er wachten al genoeg vragen op bronnen"


class WaitTooLong(LegacyError):
    """Not asked: background calls must wait longer than this one wants to. `waiting` tells why and until when."""

    cause = "not_now"
    temporary = True

    def __init__(self, source: str, template: str, waiting: Waiting) -> None:
        super().__init__(source, template, text=f"er wordt nu niets gevraagd ({waiting.reason})")
        self.waiting = waiting


class Stopped(Exception):
    """A background call waited when it had to stop. Nothing is wrong with the source."""

    def __init__(self, source: str) -> None:
        super().__init__(f"Bron {source}: gestopt terwijl een vraag wachtte")
