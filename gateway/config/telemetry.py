"""`[metrics]` and `[tracing]`: what is counted, and where traces go. The module of the other sections is full."""

from dataclasses import dataclass
from pathlib import Path

from gateway.config import limits
from mappings.model.config_key import between, flag, key


def collector(doc: str) -> str:
    """The key `url` of what is sent to a collector. In: what it is."""
    fix = 'laat leeg of schrijf het adres: "http://127.0.0.1:4318/v1/traces"'
    return key("", doc, fix, limits.is_web_address)


def authority() -> Path | None:
    """The key `ca_bundle` beside it."""
    doc = "PEM file of the authority that signed its certificate, when that is not a public one."
    return key(None, doc, "noem een PEM-bestand dat er is")


@dataclass(frozen=True, slots=True)
class Metrics:
    """`[metrics]`: what Prometheus reads."""

    enabled: bool = flag(
        False, "true: count, and serve the counts at /metrics to tokens with the scope monitor."
    )
    bind: str = key(
        "",
        'An address and port of its own for /metrics, where no token is asked, such as "127.0.0.1:9464".',
        'laat leeg of schrijf bijvoorbeeld bind = "127.0.0.1:9464"',
        limits.is_bind_or_blank,
    )


@dataclass(frozen=True, slots=True)
class Tracing:
    """`[tracing]`: OpenTelemetry. A blank `url` records nothing."""

    url: str = collector("Where an OpenTelemetry collector takes traces by OTLP over HTTP.")
    ca_bundle: Path | None = authority()
    part: float = key(
        1,
        "Which part of what begins here is recorded, from 0 to 1.",
        "schrijf een getal van 0 tot en met 1: {}",
        between(0, 1),
    )
