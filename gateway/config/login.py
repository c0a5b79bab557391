"""`[login]`: how operators log in to the pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config import limits
from mappings.model.config_key import NOT_EMPTY, key, secret_key, whole

SECONDS = "hele seconden"
VALUES = 'laat leeg of schrijf een lijst: {key} = ["klantbrug-beheer"]'


def _values(doc: str) -> tuple[str, ...]:
    return key((), doc, VALUES, each=(NOT_EMPTY,))


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """`[login]`: an OpenID Connect provider where operators log in; without `issuer` only local accounts do."""

    issuer: str = key(
        "",
        "The issuer of the provider, as its own discovery document writes it.",
        'laat leeg of schrijf de issuer: "https://login.example.nl/realms/gemeente"',
        limits.is_issuer,
    )
    client_id: str = key(
        "", "The client-ID that its administrator issued.", "schrijf de client-ID van de aanbieder"
    )
    client_secret: str = secret_key("The secret that goes with it.")
    label: str = key(
        "de gemeente",
        'What the button of the provider says after "Inloggen bij".',
        "schrijf {}",
        NOT_EMPTY,
    )
    scopes: str = key(
        "openid profile",
        "What is asked of the provider; openid must be among it.",
        "schrijf {}",
        limits.has_openid,
    )
    claim: str = key(
        "roles",
        'The claim that holds the roles of somebody: its name, or a path as "realm_access.roles".',
        "schrijf {}",
        NOT_EMPTY,
    )
    kijken: tuple[str, ...] = _values("The values of that claim that let somebody look.")
    bedienen: tuple[str, ...] = _values("Those that let somebody steer as well.")
    personen_inzien: tuple[str, ...] = _values("Those that let somebody look up persons as well.")
    name_claim: str = key(
        "preferred_username",
        "The claim that holds the name by which the log of events knows somebody.",
        "schrijf {}",
        NOT_EMPTY,
    )
    hosts: tuple[str, ...] = key(
        (),
        'Other hosts than that of the issuer that the provider may be called at, such as ["keys.example.nl"].',
        'laat leeg of schrijf een lijst van namen: ["keys.example.nl"]',
        each=(NOT_EMPTY,),
    )
    ca_bundle: Path | None = key(
        None,
        "PEM file of the authority that signed its certificate, when that is not a public one.",
        "noem een PEM-bestand dat er is",
    )
    connect_timeout: int = whole(5, "How long to wait for a connection with the provider.", SECONDS)
    read_timeout: int = whole(10, "How long to wait for its answer.", SECONDS)
    idle_minutes: int = whole(
        30, "After how many minutes without use an operator is logged out.", "hele minuten", most=24 * 60
    )
    session_hours: int = whole(
        10, "After how many hours an operator is logged out, however busy.", "hele uren", most=7 * 24
    )


def missing_for_provider(values: Mapping[str, Any]) -> Iterator[str]:
    """An error line for each key that a provider needs and that was not given."""
    if not values["issuer"]:
        return
    if not values["client_id"]:
        yield "login.client_id: ontbreekt; schrijf de client-ID van de aanbieder"
    if not any(values[role] for role in ("kijken", "bedienen", "personen_inzien")):
        yield "login.kijken: ontbreekt; noem welke waarden van claim iemand binnenlaten, hier of bij bedienen"
