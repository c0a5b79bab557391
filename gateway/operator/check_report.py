"""What `klantbrug check` says of one source: lines of how it is, counts, and errors with what to do about them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from gateway.config.model import Source
from gateway.legacy import errors


class Level(StrEnum):
    """How an operator should take a line."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One finding of the check."""

    level: Level
    text: str


@dataclass(slots=True)
class SourceReport:
    """What was found out about one source; the counts are what these credentials can see.

    A count is None where the source did not say. `per_vertrouwelijkheid` and `per_zaaktype` count zaken.
    """

    name: str
    lines: list[CheckLine] = field(default_factory=list)
    answers: bool = False
    version: str = ""
    open_zaak: bool = False
    clock_skew: float | None = None
    counts: dict[str, int | None] = field(default_factory=dict)
    per_vertrouwelijkheid: dict[str, int] = field(default_factory=dict)
    per_zaaktype: dict[str, int] = field(default_factory=dict)
    # Told of each line as it comes, and of each step before it is done.
    on_line: Callable[[CheckLine], None] = lambda line: None
    on_step: Callable[[str], None] = lambda step: None

    @property
    def level(self) -> Level:
        """The worst of the lines."""
        levels = {line.level for line in self.lines}
        return next((level for level in (Level.PROBLEM, Level.WARNING) if level in levels), Level.OK)

    def add_line(self, level: Level, text: str) -> None:
        """Add a line."""
        line = CheckLine(level, text)
        self.lines.append(line)
        self.on_line(line)


_REFUSED = {
    "invalid-client-identifier": (
        "De bron kent client_id {client_id!r} niet: vraag de beheerder of deze applicatie bestaat, "
        "of verbeter client_id."
    ),
    "invalid-jwt-signature": (
        "Het geheim klopt niet bij client_id {client_id!r}: neem het opnieuw over van de bron."
    ),
    "missing-client-identifier": "De bron vindt geen client_id in ons token: vul client_id in.",
    "permission_denied": (
        "De bron kent client_id {client_id!r}, maar geeft geen rechten op {path}: vraag de beheerder om de "
        "autorisatie {scope}{voor}."
    ),
    "": (
        "De toegang tot {path} is geweigerd zonder code van de standaard: waarschijnlijk weigert een "
        "proxy of firewall ervoor; vraag of dit adres toegelaten is."
    ),
}
_SCOPES = {
    "zaaktypen": "catalogi.lezen",
    "klanten": "klanten.lezen",
    **dict.fromkeys(
        ("contactmomenten", "klantcontactmomenten", "objectcontactmomenten"), "contactmomenten.lezen"
    ),
}
_REFUSED_EXPIRED = (
    "De bron vindt ons token verlopen: de klokken lopen niet gelijk. "
    "Zet op beide machines de tijd goed (NTP)."
)
_WANTS_EXP = (
    "De bron mist in ons token tot wanneer het geldt (code {code}): zet jwt_exp = true bij [[source]]."
)
_REFUSED_OTHERWISE = "De bron weigert ons token op {path}, code {code}: leg deze code voor aan de beheerder."


def explain(
    exc: errors.LegacyError,
    source: Source,
    path: str,
    report: SourceReport,
    level: Level = Level.PROBLEM,
    url: str | None = None,
) -> None:
    """Turn an error into a line with what to do about it.

    `path` is the collection that was asked; `url` the base address of its API when that is not the Zaken API.
    """
    if isinstance(exc, errors.Forbidden):
        report.answers = True
        text = _REFUSED_EXPIRED if exc.expired else _REFUSED.get(exc.code, _REFUSED_OTHERWISE)
        if exc.wants_exp and not source.jwt_exp:
            text = _WANTS_EXP
        scope = _SCOPES.get(path, "zaken.lezen")
        voor = "" if path in _SCOPES else " voor alle zaaktypen die mee moeten"
        report.add_line(
            level,
            text.format(client_id=source.client_id, path=path, code=exc.code, scope=scope, voor=voor),
        )
        return
    todo = ""
    if isinstance(exc, errors.Unreachable | errors.TimedOut) and exc.temporary:
        host = urlsplit(source.zaken_url if url is None else url)
        todo = f" Klopt {host.hostname} in de config, staat de bron aan en laat de firewall ons door?"
    elif isinstance(exc, errors.NotFound):
        todo = " Klopt het pad in de config? Het eindigt meestal op /api/v1/."
    elif isinstance(exc, errors.DeadlinePassed):
        todo = " De rest is niet nagekeken."
    report.add_line(level, f"{exc}.{todo}")
