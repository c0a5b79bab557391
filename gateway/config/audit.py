"""`[audit]`: the log of what was done with whose data, as the Dutch standard Logboek Dataverwerkingen has it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from marshmallow import ValidationError

from gateway.config import limits
from gateway.config.telemetry import authority, collector
from mappings.model.config_key import NOT_EMPTY, flag, key, whole

EXAMPLE = "https://example.nl/verwerkingsactiviteiten/klantcontact"
ANY = "*"


class Activity(NamedTuple):
    """Which processing activity it is when a token does an operation; `ANY` is each."""

    activity: str
    token: str = ANY
    operation: str = ANY


def _is_activity(value: Mapping[str, Any]) -> None:
    """A table with `activity` and, if wanted, `token` and `operation`."""
    if set(value) - {*Activity._fields} or "activity" not in value:
        raise ValidationError("is geen {activity, token, operation} met minstens activity")
    if not all(isinstance(text, str) and text for text in value.values()):
        raise ValidationError("heeft een waarde die geen tekst is, of leeg")
    limits.is_web_address(value["activity"])


def _activities(value: Iterable[Mapping[str, str]]) -> tuple[Activity, ...]:
    return tuple(Activity(**table) for table in value)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`[audit]`. A blank `directory` and `key_file` lie beside the store."""

    enabled: bool = flag(False, "true: note of each answer whose data stood in it, before it is sent.")
    directory: Path | None = key(
        None,
        "The directory of the audit files.",
        "laat leeg of noem een map op een lokale schijf",
    )
    keep_days: int = whole(1095, "After how many days the files of a day are removed.", "hele dagen")
    url: str = collector("Where an OpenTelemetry collector takes a copy of each record, by OTLP over HTTP.")
    ca_bundle: Path | None = authority()
    events_days: int = whole(
        1095, "After how many days events of the log of events (who did what here) are removed.", "hele dagen"
    )
    key_file: Path | None = key(
        None,
        "The file with the key of the pseudonyms.",
        "laat leeg of noem een bestand buiten de map van het auditlog",
    )
    activity: str = key(
        "",
        "The URI of the processing activity, in the municipality's register of them, where nothing else says which.",
        f'schrijf het adres van de activiteit, bijvoorbeeld activity = "{EXAMPLE}"',
        limits.is_web_address,
    )
    activities: tuple[Activity, ...] = key(
        (),
        "Other activities for some tokens or operations; the first that fits counts.",
        f'laat leeg of schrijf een lijst: [{{token = "kcc", activity = "{EXAMPLE}"}}]',
        each=(_is_activity,),
        make=_activities,
    )
    header_tokens: tuple[str, ...] = key(
        (),
        "The names of the tokens whose clients may say themselves which activity it is.",
        'laat leeg of schrijf een lijst van namen van tokens: ["kcc"]',
        each=(NOT_EMPTY,),
    )
    header: str = key(
        "X-Processing-Activity-Id",
        "The header in which they say it.",
        "schrijf {}",
        NOT_EMPTY,
        limits.is_header_name,
    )


def wrong_in_audit(values: Mapping[str, Any]) -> Iterator[str]:
    """An error line for each thing that an audit log needs, and that is not so."""
    if not values["enabled"]:
        return
    if not values["activity"]:
        yield f'audit.activity: ontbreekt; schrijf het adres van de activiteit, bijvoorbeeld activity = "{EXAMPLE}"'
    folder, secret = values["directory"], values["key_file"]
    if folder is not None and not folder.is_dir():
        yield f"audit.directory: {folder} is geen map; maak die map (chmod 700) of noem een andere"
    if secret is not None and not secret.parent.is_dir():
        yield f"audit.key_file: de map {secret.parent} bestaat niet; maak die map of noem een ander bestand"
    if folder is not None and secret is not None and folder in secret.parents:
        yield "audit.key_file: ligt in de map van het auditlog; noem een bestand daarbuiten, met een eigen back-up"


def is_activity_uri(text: str) -> bool:
    """May this stand in the log as the activity that a client named? An address of some length, without a query."""
    if not text or len(text) > 500 or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and "@" not in text
