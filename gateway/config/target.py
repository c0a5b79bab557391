"""`[target]`: the register to leave to. It stands apart from the other sections because that module is full."""

from dataclasses import dataclass
from pathlib import Path

from gateway.config import limits
from gateway.config.defaults import MOST_CONNECTIONS
from mappings.model.config_key import at_least, choice, flag, key, secret_key, whole

SECONDS = "hele seconden"


@dataclass(frozen=True, slots=True)
class Target:
    """`[target]`: a Klantinteracties register that takes over everything. A blank `url` is none."""

    url: str = key(
        "",
        "The address of the Klantinteracties API of the register to leave to.",
        'laat leeg of schrijf het adres van de API: "https://openklant.example.nl/klantinteracties/api/v1"',
        limits.is_web_address,
        make=limits.without_slash,
    )
    token: str = secret_key("The token that its administrator issued.")
    ca_bundle: Path | None = key(
        None,
        "PEM file of the authority that signed its certificate, when that is not a public one.",
        "noem een PEM-bestand dat er is",
    )
    connect_timeout: int = whole(5, "How long to wait for a connection.", SECONDS)
    read_timeout: int = whole(
        30,
        "How long to wait for an answer. What got none is looked for before it is sent again (E3).",
        SECONDS,
    )
    max_connections: int = whole(4, "The most calls of an export at one time.", most=MOST_CONNECTIONS)
    requests_per_second: float = key(
        0,
        "The most calls of an export in a second; 0 is no limit.",
        "schrijf een getal, 0 voor geen grens",
        at_least(0),
    )
    on_existing: str = choice(
        "What becomes of the values of an object that the register has already (E4).", "keep", "update"
    )
    proxy: bool = flag(
        False,
        "true: in phase exported each request is handed on to that register, false: it is only read here.",
    )
