"""`[store]`: where the data lies, in a file or in a database of PostgreSQL."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gateway.config.defaults import BUSY_SECONDS, LEAST_LOG_MB, LOG_MB
from mappings.model.config_key import NOT_EMPTY, about, choice, key, matches, secret_key, whole

# As libpq has them; blank is what is safe there.
SSL_MODES = ("", "disable", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """`[store]`: where the data lies.

    `origin` says where the secret came from: config, file or generated. A generated one is blank for as long as its
    file was not made, see `ensure_secret`.
    """

    path: Path = field(
        metadata=about(
            "The file that holds everything.",
            "schrijf bijvoorbeeld {}",
            NOT_EMPTY,
            default=Path("klantbrug.db"),
        )
    )
    uuid_secret: str = field(
        repr=False,
        metadata=about(
            "The secret from which the uuids of derived objects are made (M9), at least 32 characters.",
            'schrijf het geheim als tekst: uuid_secret = "..."',
            default="",
            secret=True,
        ),
    )
    origin: str = "config"
    busy_seconds: int = whole(
        BUSY_SECONDS, "How many seconds a write waits at most while another process writes."
    )
    log_mb: int = whole(
        LOG_MB,
        "How large the write-ahead log beside the store (-wal) may become, in megabytes.",
        f"een aantal megabytes vanaf {LEAST_LOG_MB}",
        LEAST_LOG_MB,
    )
    url: str = secret_key(
        "A PostgreSQL database in the place of the file, as postgresql://user@host:5432/database.",
        'schrijf url = "postgresql://gebruiker@host:5432/database"',
    )
    password: str = secret_key("The password for that database, when it does not stand in url.")
    sslmode: str = choice(
        "How the way to the database is made safe, as libpq has it; blank is verify-full to another machine.",
        *SSL_MODES,
    )
    ca_bundle: Path | None = key(
        None,
        "The certificates by which the database is known. Blank: those of the system.",
        "noem een PEM-bestand dat er is",
    )
    schema: str = key(
        "klantbrug",
        "The schema in that database in which the tables stand.",
        "schrijf bijvoorbeeld {}",
        matches(r"[a-z_][a-z0-9_]{0,62}", "bestaat niet uit kleine letters, cijfers en _"),
    )

    @property
    def key(self) -> str:
        """The key that says where it is."""
        return "url" if self.url else "path"

    @property
    def secret(self) -> str:
        """The password of the database, wherever it stands; blank when there is none."""
        return self.password or urlsplit(self.url).password or ""

    @property
    def shown(self) -> str:
        """Where it is, as it may be told: a url without a name or password."""
        if not self.url:
            return str(self.path)
        parts = urlsplit(self.url)
        where = parts.netloc.rpartition("@")[2] or "localhost"
        return f"postgresql://{where}{parts.path} (schema {self.schema})"

    @property
    def address(self) -> str:
        """The url as commands of the database take it, with the name of who connects and without a password."""
        parts = urlsplit(self.url)
        who, _, where = parts.netloc.rpartition("@")
        name = who.partition(":")[0]
        return f"postgresql://{name}{'@' if name else ''}{where}{parts.path}"
