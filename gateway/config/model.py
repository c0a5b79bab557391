"""The configuration as the rest of the gateway knows it: typed, validated, complete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config.defaults import BUSY_SECONDS, LOG_MB
from mappings.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Gateway:
    """`[gateway]`."""

    bind: str = "127.0.0.1:8000"
    public_url: str = ""
    also_known_as: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    workers: int = 2
    threads: int = 4
    question_seconds: int = 5
    max_body: int = 1024 * 1024
    token_requests_per_second: float = 1000
    max_connections: int = 4000
    client_seconds: int = 20
    cors_origins: tuple[str, ...] = ()
    register: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """`[store]`; `origin` says where the secret came from: config, file or generated.

    A generated one is blank for as long as its file was not made, see `ensure_secret`.
    """

    path: Path
    uuid_secret: str = field(repr=False)
    origin: str = "config"
    # How long a write waits for another, and how large the write-ahead log becomes.
    busy_seconds: int = BUSY_SECONDS
    log_mb: int = LOG_MB


@dataclass(frozen=True, slots=True)
class Source:
    """One `[[source]]`; its URLs end in a slash (or are blank).

    A blank `klanten_client_id` or `contactmomenten_client_id`: that API takes the credentials of the source.
    """

    name: str
    zaken_url: str
    client_id: str
    secret: str = field(repr=False)
    catalogi_url: str = ""
    klanten_url: str = ""
    klanten_client_id: str = ""
    klanten_secret: str = field(default="", repr=False)
    contactmomenten_url: str = ""
    contactmomenten_client_id: str = ""
    contactmomenten_secret: str = field(default="", repr=False)
    api_version: str = ""
    user_id: str = ""
    user_representation: str = ""
    jwt_exp: bool = False
    ca_bundle: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    max_connections: int = 2
    requests_per_second: float = 0
    objects_per_second: float = 0
    connect_timeout: int = 5
    read_timeout: int = 60
    call_timeout: int = 120
    longest_rest: int = 3600
    max_answer: int = 32 * 1024 * 1024
    window: str = ""
    sweep_days: int = 7
    zaakcontactmomenten: str = "auto"


@dataclass(frozen=True, slots=True)
class Live:
    """`[live]`."""

    max_age: int = 300
    deadline: int = 4
    partial: str = "refuse"
    partial_lists: str = "refuse"


@dataclass(frozen=True, slots=True)
class Job:
    """One `[jobs.<name>]`; a blank schedule, and None for most_seconds, mean that of the job itself."""

    enabled: bool = True
    schedule: str = ""
    most_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class BackupJob(Job):
    """`[jobs.backup]`; without a directory nothing is made."""

    directory: str = ""
    keep: int = 7


@dataclass(frozen=True, slots=True)
class Notifications:
    """`[notifications]`; `url` has no slash at the end.

    A blank `url` tells nobody of what clients write; a blank `callback_token` takes no messages of sources.
    """

    url: str = ""
    client_id: str = ""
    secret: str = field(default="", repr=False)
    ca_bundle: Path | None = None
    connect_timeout: int = 5
    read_timeout: int = 30
    callback_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that the operator chose, validated.

    `path` is the file read, or None; `secret_files` are the files that secrets stand in, by their key.
    """

    gateway: Gateway
    store: Store
    sources: tuple[Source, ...]
    live: Live
    mapping: Settings
    jobs: Mapping[str, Job] = field(hash=False)
    notifications: Notifications
    path: Path | None
    secret_files: Mapping[str, Path] = field(default_factory=dict, hash=False)
