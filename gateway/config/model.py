"""The configuration: each key of config.toml declared once, and the typed, validated Config that they make.

The keys of `[mapping]` are declared with its settings, in mappings.model.settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config import limits
from gateway.config.audit import AuditSettings
from gateway.config.defaults import MOST_CONNECTIONS
from gateway.config.login import LoginSettings
from gateway.config.store import StoreSettings
from gateway.config.target import Target
from gateway.config.telemetry import Metrics, Tracing
from mappings.model.config_key import (
    NOT_EMPTY,
    SECRET,
    Limit,
    about,
    at_least,
    choice,
    flag,
    key,
    matches,
    one_of,
    secret_key,
    whole,
)
from mappings.model.settings import NUMMERS, Settings

# What `[[source]] write_back` may name.
WRITE_BACK_KINDS = ("klantcontacten", "contactmomenten", "contactgegevens", "klanten", "rollen")
# What to write, for several keys.
SECONDS, NO_LIMIT = "hele seconden", "schrijf een getal, 0 voor geen grens"


def _pem(doc: str) -> Path | None:
    return key(None, doc, "noem een PEM-bestand dat er is")


@dataclass(frozen=True, slots=True)
class Gateway:
    """`[gateway]`: how the service listens."""

    bind: str = key("127.0.0.1:8000", "Address and port to listen on.", "schrijf {}", limits.is_bind)
    public_url: str = key(
        "",
        "The address by which clients know this service.",
        'schrijf het adres dat clients gebruiken, bijvoorbeeld "https://klantbrug.example.nl"',
        limits.is_web_address,
        make=limits.without_slash,
    )
    also_known_as: tuple[str, ...] = key(
        (),
        'Other addresses by which clients reach this service, such as ["http://klantbrug.intern:8000"].',
        'laat leeg of schrijf een lijst: ["http://klantbrug.intern:8000"]',
        each=(NOT_EMPTY, limits.is_web_address),
        make=lambda urls: tuple(map(limits.without_slash, urls)),
    )
    trusted_proxies: tuple[str, ...] = key(
        (),
        'The proxies before this service, as addresses or networks such as ["10.0.0.7", "10.1.0.0/16"].',
        'laat leeg of schrijf een lijst van adressen of netwerken: ["10.0.0.7", "10.1.0.0/16"]',
        each=(limits.is_network,),
    )
    workers: int = whole(2, "Processes that answer requests.")
    threads: int = whole(4, "Threads in each process that answer requests.")
    question_seconds: int = whole(
        5,
        "How long finding one answer in the store may take.",
        "een aantal hele seconden vanaf 1",
    )
    max_body: int = whole(
        1024 * 1024, "The largest request body that is taken, in bytes.", "een aantal bytes vanaf 1024", 1024
    )
    token_requests_per_second: float = key(
        1000,
        "How many requests a second each token may do, over all processes together.",
        f"{NO_LIMIT}: {{}}",
        at_least(0),
    )
    max_connections: int = whole(
        4000, "How many connections of clients may be open.", "een aantal vanaf 100", 100
    )
    client_seconds: int = whole(
        20,
        "How long a client may take over each part of a request.",
        "een aantal seconden",
    )
    leave_seconds: int = whole(
        0,
        "How long it answers on after it was asked to stop, while /health/ready says 503.",
        "een aantal seconden vanaf 0",
        0,
    )
    nummers: str = choice(
        "The nummer of klantcontacten, internetaken and partijen for which nobody gave one (M11, M28).",
        *NUMMERS,
        fix='schrijf nummers = "leeg" of nummers = "uitdelen"',
    )
    cors_origins: tuple[str, ...] = key(
        (),
        'The websites whose pages may use this service from a browser (CORS), such as ["https://kcc.example.nl"].',
        'laat leeg of schrijf een lijst: ["https://kcc.example.nl"]',
        each=(limits.is_origin,),
        make=lambda origins: tuple(map(limits.as_sent, origins)),
    )
    access_log: bool = flag(True, "Whether each request is a line of JSON in the log.")
    register: bool = key(
        False,
        "true: serve an empty Klantinteracties register of its own, without any [[source]] (as serve --register).",
        "schrijf register = true of laat het weg",
    )


def _optional(doc: str, example: str, *more: Limit, **how: Any) -> str:
    return key("", doc, f"laat leeg of schrijf bijvoorbeeld {example}", *more, **how)


def _api_url(doc: str, example: str) -> str:
    return _optional(doc, f'"{example}"', limits.is_web_address, make=limits.with_slash)


def _own_client_id(api: str) -> str:
    """The client-ID of an earlier standard's API, where it is not that of the source."""
    fix = f"laat leeg voor client_id van de bron, of schrijf die van de {api}"
    return key("", f"The client-ID for the {api}. Blank: it takes the credentials of this source.", fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One `[[source]]`: a Zaken API and how gently to ask it. Its URLs end in a slash, or are blank."""

    name: str = field(
        kw_only=False,
        metadata=about(
            "A short name of your own: a-z, 0-9, dashes.",
            'schrijf bijvoorbeeld name = "openzaak"',
            matches("[a-z0-9]([a-z0-9-]*[a-z0-9])?", "mag alleen a-z, 0-9 en streepjes daartussen hebben"),
        ),
    )
    zaken_url: str = field(
        kw_only=False,
        metadata=about(
            "The one address of its Zaken API.",
            'schrijf het adres van de API, bijvoorbeeld "https://zaak.example.nl/zaken/api/v1/"',
            NOT_EMPTY,
            limits.is_web_address,
            make=limits.with_slash,
        ),
    )
    catalogi_url: str = _api_url(
        "The address of its Catalogi API, used by `klantbrug check` to count per zaaktype.",
        "https://zaak.example.nl/catalogi/api/v1/",
    )
    klanten_url: str = _api_url(
        "The address of its Klanten API 1.0.",
        "https://klanten.example.nl/klanten/api/v1/",
    )
    klanten_client_id: str = _own_client_id("Klanten API")
    klanten_secret: str = secret_key("The secret for the Klanten API.")
    contactmomenten_url: str = _api_url(
        "The address of its Contactmomenten API 1.0.",
        "https://contacten.example.nl/contactmomenten/api/v1/",
    )
    contactmomenten_client_id: str = _own_client_id("Contactmomenten API")
    contactmomenten_secret: str = secret_key("The secret for the Contactmomenten API.")
    api_version: str = key(
        "",
        'The version of the Zaken API, such as "1.5.1".',
        'laat leeg om de versie te laten vinden, of schrijf bijvoorbeeld "1.5.1"',
        matches(r"|\d{1,3}\.\d{1,3}(\.\d{1,3})?", "is geen versie als 1.5.1"),
    )
    client_id: str = field(
        kw_only=False,
        metadata=about(
            "The client-ID that the source's administrator issued for Klantbrug.",
            "schrijf de client-ID die de beheerder van de bron heeft uitgegeven",
            NOT_EMPTY,
        ),
    )
    secret: str = field(
        kw_only=False,
        repr=False,
        metadata=about("The secret that goes with it.", SECRET, default="", secret=True),
    )
    user_id: str = _optional(
        "Who the source writes in its audit trail for our calls.", 'user_id = "klantbrug"'
    )
    user_representation: str = _optional(
        "The name that it writes beside it.", 'user_representation = "Klantbrug"'
    )
    jwt_exp: bool = flag(
        False, "true for a source that wants to read in each token until when it holds (claim exp)."
    )
    ca_bundle: Path | None = _pem(
        "PEM file of the authority that signed the source's certificate, when that is not a public one."
    )
    client_cert: Path | None = _pem("PEM file of a client certificate, when the source asks for one.")
    client_key: Path | None = _pem("PEM file of its key, when that is not in client_cert.")
    max_connections: int = whole(
        2, "The most calls at one time, of all processes together.", most=MOST_CONNECTIONS
    )
    requests_per_second: float = key(
        0, "The most calls in a second, of all processes together; 0 is no limit.", NO_LIMIT, at_least(0)
    )
    objects_per_second: float = key(
        0, "The most objects in a second that jobs read, of all processes together.", NO_LIMIT, at_least(0)
    )
    connect_timeout: int = whole(5, "How long to wait for a connection.", SECONDS)
    read_timeout: int = whole(60, "How long to wait for the next bytes of an answer.", SECONDS)
    call_timeout: int = whole(120, "How long one call may last in all, with all of its answer.", SECONDS)
    longest_rest: int = whole(
        3600, "The longest that jobs leave it alone when it asks for rest (Retry-After).", SECONDS, most=3600
    )
    max_answer: int = whole(
        32 * 1024 * 1024,
        "The largest answer that is read, in bytes, after it was unzipped.",
        "een aantal bytes vanaf 1048576",
        1024 * 1024,
    )
    window: str = key(
        "",
        "The hours in which jobs may ask this source, in Dutch time.",
        'laat leeg voor altijd, of schrijf bijvoorbeeld window = "22:00-06:00" of "ma-vr 22:00-06:00, za-zo"',
        limits.is_window,
    )
    sweep_days: int = whole(7, "Within so many days everything is read again, bit by bit.", "hele dagen")
    zaakcontactmomenten: str = choice(
        "How jobs read the zaakcontactmomenten of this source, a list without pages (M32).",
        "auto",
        "per_zaak",
        "geen",
    )
    write_back: tuple[str, ...] = key(
        (),
        "What clients write and this source is told too; an empty list is nothing.",
        f"laat leeg of schrijf een lijst van: {', '.join(WRITE_BACK_KINDS)}",
        each=(one_of(*WRITE_BACK_KINDS),),
    )
    write_back_dry_run: bool = flag(
        False, "true: only `klantbrug writeback list` tells what the source would be told."
    )
    bronorganisatie: str = key(
        "",
        "The RSIN that contactmomenten and klanten get which are made at this source.",
        'schrijf het RSIN van de gemeente, bijvoorbeeld bronorganisatie = "002220647"',
        matches(r"|\d{9}", "is geen RSIN van negen cijfers"),
    )


@dataclass(frozen=True, slots=True)
class WriteBack:
    """`[writeback]`: what write-back needs to know of all sources together."""

    contacts_to: str = key(
        "",
        "The source whose Contactmomenten API gets the contacts that are about no zaak; blank is none.",
        "laat leeg of noem een bron met contactmomenten in write_back",
    )


@dataclass(frozen=True, slots=True)
class Live:
    """`[live]`: how far a request goes to get fresh data."""

    max_age: int = whole(
        300, "How old what is held may be before a question about it asks the source again.", SECONDS, 0
    )
    deadline: int = whole(4, "How long a question may wait for sources, over all its calls.", SECONDS)
    partial: str = choice(
        "What to do with a question that a source cannot answer completely yet.", "refuse", "answer"
    )
    partial_lists: str = choice("The same for lists without any filter.", "refuse", "answer")


@dataclass(frozen=True, slots=True)
class JobSettings:
    """One `[jobs.<name>]`: whether and when a job runs by itself.

    A blank schedule, and None for most_seconds, mean that of the job itself.
    """

    enabled: bool = flag(True, "false: the job does not run by itself.")
    schedule: str = key(
        "",
        "When it runs, as five cron fields; blank: the job's own schedule.",
        'schrijf minuut, uur, dag, maand, weekdag, bijvoorbeeld schedule = "0 2 * * *"',
        limits.is_schedule,
    )
    most_seconds: int | None = key(
        None,
        "How many seconds a run may last, of jobs that ask sources: of each source; 0 is no limit.",
        "schrijf hele seconden, bijvoorbeeld most_seconds = 7200, of 0 voor geen grens",
        at_least(0),
    )


@dataclass(frozen=True, slots=True)
class BackupJob(JobSettings):
    """`[jobs.backup]`: where back-ups of the store are made, and how many are kept; none without a directory."""

    directory: Path | None = key(
        None,
        "Where back-ups are written: a directory that is there, better on another disk.",
        'noem een map die er is, bijvoorbeeld directory = "/srv/klantbrug-backup"',
    )
    keep: int = whole(7, "How many are kept.", "een heel getal")


@dataclass(frozen=True, slots=True)
class Notifications:
    """`[notifications]`: the Notificaties API, told of what clients write, and telling of what sources change.

    A blank `url`, without a slash at its end, tells nobody; a blank `callback_token` takes no messages of sources.
    """

    url: str = key(
        "",
        'The address of a Notificaties API, such as "https://notificaties.example.nl/api/v1/".',
        'laat leeg of schrijf het adres van de API, bijvoorbeeld "https://notificaties.example.nl/api/v1/"',
        limits.is_web_address,
        make=limits.without_slash,
    )
    client_id: str = key(
        "",
        "The client-ID that its administrator issued.",
        "schrijf de client-ID die de beheerder van de Notificaties API heeft uitgegeven",
    )
    secret: str = secret_key("The secret that goes with it.")
    ca_bundle: Path | None = _pem(
        "PEM file of the authority that signed its certificate, when that is not a public one."
    )
    connect_timeout: int = whole(5, "How long to wait for a connection.", SECONDS)
    read_timeout: int = whole(30, "How long to wait for an answer.", SECONDS)
    callback_token: str = secret_key(
        "The secret that the Notificaties API shows when it tells of changes at a source.",
        'schrijf het geheim als tekst: callback_token = "..."',
    )


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that the operator chose, validated.

    `path` is the file read, or None; `secret_files` are the files that secrets stand in, by their key.
    """

    gateway: Gateway
    store: StoreSettings
    sources: tuple[Source, ...]
    live: Live
    mapping: Settings
    jobs: Mapping[str, JobSettings] = field(hash=False)
    notifications: Notifications
    path: Path | None
    writeback: WriteBack = WriteBack()
    secret_files: Mapping[str, Path] = field(default_factory=dict, hash=False)
    target: Target = Target()
    login: LoginSettings = LoginSettings()
    metrics: Metrics = Metrics()
    tracing: Tracing = Tracing()
    audit: AuditSettings = AuditSettings()
