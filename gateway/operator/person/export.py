"""All that is held of one person as one document, for a request for access (AVG art. 15)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from gateway.audit.finding import records_of
from gateway.audit.log import directory_of, key_file_of, key_of
from gateway.base import clock
from gateway.config.model import BackupJob, Config
from gateway.ingest.ingest import Ingest
from gateway.operator.explain.explainer import STATES
from gateway.operator.explain.fields import named
from gateway.operator.person import about, at_sources
from gateway.operator.rooms.found import address
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.edits.local_rows import LINK
from gateway.store.inspect import explaining
from gateway.store.inspect.status import moment_of
from gateway.store.legacy import quarantine
from gateway.store.person import belonging, held
from gateway.store.person.belonging import Belonging, Wanted

FORM = 1
NOT_IN_HERE = (
    "De bronnen zelf: zie `elders` voor wat daar staat.",
    "Back-ups van de opslag, en wat een proxy of een logverzamelaar bewaart.",
    "Vrije tekst in klantcontacten en zaken van anderen waarin deze persoon genoemd wordt.",
    "Wie een waarde schreef staat alleen in het auditlog, en alleen zolang dat aan stond.",
)


def export(config: Config, store: Store, ingest: Ingest, wanted: Wanted) -> dict[str, Any] | None:
    """All that is held of a person; None when nothing is. Raises StoreFailed, ConfigError."""
    found = about.all_of(store, ingest, wanted)
    records, unreadable, log_kept = _audit(config, found)
    if not found.anything and not records:
        return None
    with store.read() as connection:
        uuids = belonging.uuids_of(connection, found.documents) | found.uuids
        sent = held.sent_away(connection, uuids)
        documents = [
            _document(config, connection, each) for each in held.documents(connection, found.documents)
        ]
        told = {
            "vorm": FORM,
            "gemaakt": moment_of(clock.now()),
            "aantallen": dict(Counter(document["soort"] for document in documents)),
            "documenten": documents,
            "door_clients_geschreven": [
                _written(each)
                for each in held.written(
                    connection, uuids | {name.uuid for name in found.raws.values() if name.kind != "zaak"}
                )
            ],
            "bronobjecten": [_raw(config, connection, row) for row in sorted(found.raws)],
            "gedeeld_met_anderen": {
                "klantcontacten": [
                    named("klantcontact", each.uuid) | {"inhoud": each.body}
                    for each in held.documents(connection, found.shared)
                ],
                "zaken": [
                    each._asdict()
                    for each in at_sources.of_raws(
                        connection, config.sources, found, found.shared_zaken.values()
                    )
                ],
            },
            "onderweg": [
                {"wachtrij": each.table, "bron": each.source, "soort": each.kind}
                for each in sent
                if each.table in (held.OUTBOX, held.QUEUED)
            ],
            "elders": [
                each._asdict()
                for each in (
                    *at_sources.of_raws(connection, config.sources, found, found.raws.values()),
                    *at_sources.of_sent(config, sent),
                )
            ],
        }
    return told | {
        "auditlog": {"bijgehouden": log_kept, "regels": records, "onleesbare_regels": unreadable},
        "niet_hierin": list(NOT_IN_HERE),
    }


def as_file(told: dict[str, Any]) -> bytes:
    """What `export` tells, as it is written."""
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def file_name() -> str:
    """What a file of now is called: it says nothing of whom it is about."""
    return f"inzage-{clock.utc_now():%Y%m%dT%H%M%S%f}.json"


def backups_of(config: Config) -> list[Path]:
    """Where copies of the store may be: what a restore put aside, and the directory of the nightly back-ups."""
    store = config.store.path
    aside = sorted(store.parent.glob(f"{store.name}.opzij-*")) if store.parent.is_dir() else []
    job = config.jobs.get("backup")
    kept = job.directory if isinstance(job, BackupJob) else None
    return [*aside, *([kept] if kept else [])]


def _audit(config: Config, found: Belonging) -> tuple[list[dict[str, Any]], int, bool]:
    """The records of the audit log, how many lines can't be read, and whether there is a key at all."""
    if not key_file_of(config).exists():
        return [], 0, False
    records, unreadable = records_of(directory_of(config), key_of(config), found.uuids)
    return records, unreadable, True


def _document(config: Config, connection: Session, each: held.PersonDocument) -> dict[str, Any]:
    sources = belonging.names_of(connection, each.raws)
    return {
        "soort": each.kind,
        "uuid": str(each.uuid),
        "pad": named(each.kind, each.uuid)["path"],
        "van": "een client" if each.local else "de bron",
        "gemaakt": moment_of(each.created),
        "inhoud": each.body,
        "verwijst_naar": [{"relatie": relation, "uuid": str(uuid)} for relation, uuid in each.links],
        "gemaakt_van": [
            {
                "bron": name.source_name,
                "soort": name.kind,
                "uuid": str(UUID(bytes=name.uuid)),
                "adres": address(config.sources, name.source_name, name.kind, UUID(bytes=name.uuid)),
            }
            for _, name in sorted(sources.items())
        ],
    }


def _written(each: held.WrittenByClients) -> dict[str, Any]:
    return {
        "uuid": str(each.uuid),
        "deel": "verwijderd" if each.deleted else each.part.removeprefix(LINK),
        "waarde": each.value,
        "geschreven": moment_of(each.written),
    }


def _raw(config: Config, connection: Session, row: int) -> dict[str, Any]:
    raw = explaining.raw(connection, row)
    kept = [each for each in quarantine.listing(connection, raw.uuid) if each.row == row]
    return {
        "bron": raw.source,
        "soort": raw.kind,
        "uuid": str(raw.uuid),
        "adres": address(config.sources, raw.source, raw.kind, raw.uuid),
        "stand": STATES[raw.state],
        "eerst_gezien": moment_of(raw.first_seen),
        "laatst_gezien": moment_of(raw.last_seen),
        "inhoud": raw.body,
        "werd": [{"soort": kind, "uuid": str(uuid)} for kind, uuid in explaining.made_of(connection, row)],
        "bevindingen": [
            {"regel": finding.rule, "veld": finding.field, "wat": finding.action}
            for _, finding in explaining.findings(connection, [row])
        ],
        "quarantaine": kept[0].reason if kept else None,
    }
