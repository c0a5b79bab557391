"""The sections of config.toml as the Schemas that judge them, made of the keys that their dataclasses declare."""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, cast, get_type_hints

from marshmallow.fields import Field

from gateway.config.audit import Activity, AuditSettings
from gateway.config.fields import File, Flag, Number, Section, Several, Table, Text, Whole
from gateway.config.login import LoginSettings
from gateway.config.model import BackupJob, Gateway, JobSettings, Live, Notifications, Source, WriteBack
from gateway.config.store import StoreSettings
from gateway.config.target import Target
from gateway.config.telemetry import Metrics, Tracing
from mappings.model.config_key import KEY, Key
from mappings.model.settings import Kanaal, Settings, ZaakCodes

SECRET_LENGTH = 32
# Those of jobs.table, which stands above us.
JOB_NAMES = (
    "outbox",
    "purge",
    "ends",
    "backfill",
    "orders",
    "sync",
    "inbox",
    "sweep",
    "verify",
    "backup",
    "writeback",
    "export",
)

FILE_FIX, FILE_DOC = "noem een bestand met het geheim erin", "A file with that secret in it."


def _as_it_is(value: Any) -> Any:
    return value


def _path(text: str) -> Path | None:
    return Path(text) if text else None


# The field that takes what is written for a value of each type, and what makes that value of it.
_FIELDS: dict[Any, tuple[type[Field[Any]], Callable[[Any], Any]]] = {
    str: (Text, _as_it_is),
    int: (Whole, _as_it_is),
    int | None: (Whole, _as_it_is),
    float: (Number, _as_it_is),
    bool: (Flag, _as_it_is),
    Path: (File, _path),
    Path | None: (File, _path),
    Mapping[str, Kanaal]: (Table, _as_it_is),
}
_LISTS: dict[Any, type[Field[Any]]] = {
    tuple[str, ...]: Text,
    tuple[ZaakCodes, ...]: Table,
    tuple[Activity, ...]: Table,
}


def _field(name: str, wanted: Any, key: Key, default: Any, **more: Any) -> Field[Any]:
    """The field for a key of this type; without a default it must be given."""
    known: dict[str, Any] = {"required": True} if default is MISSING else {"load_default": default}
    fix = key.fix.replace("{key}", name).replace("{}", f"{name} = {json.dumps(default, default=str)}")
    made, make = _FIELDS.get(wanted, (Several, tuple))
    told = {"doc": key.doc, "fix": fix, "secret": key.secret, "make": key.make or make, **more}
    known |= {"validate": key.limits, "metadata": told}
    return Several(_LISTS[wanted](validate=key.each), **known) if wanted in _LISTS else made(**known)


def schema_of(section: type) -> Section:
    """The Schema of a section: a field for each key of its dataclass, and for each secret one more, for its file."""
    types, made = get_type_hints(section), {}
    for each in fields(section):
        key: Key | None = each.metadata.get(KEY)
        if key is None:
            continue
        default = each.default if key.default is MISSING else key.default
        made[each.name] = _field(each.name, types[each.name], key, default)
        if key.secret:
            name = f"{each.name}_file"
            made[name] = _field(name, Path | None, Key(FILE_DOC, FILE_FIX), None, instead=each.name)
    return cast(Section, Section.from_dict(made, name=section.__name__)())


SECTIONS: dict[str, Section] = {
    "gateway": schema_of(Gateway),
    "store": schema_of(StoreSettings),
    "live": schema_of(Live),
    "mapping": schema_of(Settings),
    "notifications": schema_of(Notifications),
    "writeback": schema_of(WriteBack),
    "target": schema_of(Target),
    "login": schema_of(LoginSettings),
    "metrics": schema_of(Metrics),
    "tracing": schema_of(Tracing),
    "audit": schema_of(AuditSettings),
}
SOURCE = schema_of(Source)
JOB = schema_of(JobSettings)
# Jobs with keys of their own.
JOB_SECTIONS: dict[str, Section] = {"backup": schema_of(BackupJob)}
