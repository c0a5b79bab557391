"""The keys of config.toml: `make reference` writes docs/configuration.md, a test compares it.

All of it is what the keys declare of themselves, in gateway/config/model.py and mappings/model/settings.py.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from builders.paths import ROOT
from marshmallow import validate
from marshmallow.fields import Field

from gateway.config.audit import AuditSettings
from gateway.config.fields import File, Flag, Number, Section, Several, Table, Whole
from gateway.config.login import LoginSettings
from gateway.config.model import BackupJob, Gateway, JobSettings, Live, Notifications, Source
from gateway.config.sections import JOB, JOB_NAMES, JOB_SECTIONS, SECTIONS, SOURCE
from gateway.config.store import StoreSettings
from gateway.config.target import Target
from mappings.model.settings import Settings

DOCUMENT = ROOT / "docs" / "configuration.md"
ABOUT = """# Configuration

Every key of `config.toml`, with what it may be and its default. [config.example.toml](../config.example.toml) has all
of them with more words, to begin with. `make reference` writes this list, of what the code declares.

- The file is named by `--config FILE`, else by `KLANTBRUG_CONFIG`, else it is `./config.toml`.
- The environment beats the file: `KLANTBRUG_<SECTION>__<KEY>`, as `KLANTBRUG_GATEWAY__BIND`; for a source by its name,
  with dashes as underscores: `KLANTBRUG_SOURCE__OPENZAAK__SECRET`; for a job: `KLANTBRUG_JOBS__SYNC__ENABLED`.
- Paths in the file are relative to its directory, those in the environment to the working directory.
- A secret is given by its key or by the file that the next key names, not by both.
- A key that is not known, or a value that is not right, is told with what to write; nothing starts before that.
"""
KINDS: dict[type, str] = {
    Whole: "whole number",
    Number: "number",
    Flag: "`true` or `false`",
    File: "path",
    Table: "table",
}
SHOWN: dict[str, tuple[type, Section]] = {
    "gateway": (Gateway, SECTIONS["gateway"]),
    "store": (StoreSettings, SECTIONS["store"]),
    "source": (Source, SOURCE),
    "live": (Live, SECTIONS["live"]),
    "mapping": (Settings, SECTIONS["mapping"]),
    "jobs": (JobSettings, JOB),
    "jobs.backup": (BackupJob, JOB_SECTIONS["backup"]),
    "notifications": (Notifications, SECTIONS["notifications"]),
    "target": (Target, SECTIONS["target"]),
    "login": (LoginSettings, SECTIONS["login"]),
    "audit": (AuditSettings, SECTIONS["audit"]),
}


def toml(value: Any) -> str:
    """A value as config.toml writes it."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, default=str)


def values_of(field: Field[Any]) -> str:
    """What the value of a key may be."""
    if isinstance(field, Several):
        return f"list: {values_of(field.inner)}"
    if field.metadata.get("secret"):
        return "secret"
    text = KINDS.get(type(field), "text")
    for limit in field.validators:
        if isinstance(limit, validate.OneOf):
            text = ", ".join(f"`{toml(each)}`" for each in limit.choices)
        elif isinstance(limit, validate.Range):
            text += f", {limit.min} to {limit.max}" if limit.max else f", {limit.min} or more"
    return text


def default_of(field: Field[Any]) -> str:
    """What it is when it is left out."""
    if field.required:
        return "must be given"
    if field.load_default is None:
        return '`""`' if isinstance(field, File) else "that of the job"
    return f"`{toml(field.load_default)}`"


def lines() -> Iterator[str]:
    """The sections, with a line for each key."""
    for name, (declared, schema) in SHOWN.items():
        said = (declared.__doc__ or "").partition("\n")[0]
        yield f"\n## {name}\n\n{said}"
        if name == "jobs":
            yield f"Its name is one of: {', '.join(JOB_NAMES)}."
        yield "\n| Key | Value | Default | What it is |\n|---|---|---|---|"
        for key, field in schema.fields.items():
            if name != "jobs.backup" or key not in JOB.fields:
                cells = (f"`{key}`", values_of(field), default_of(field), field.metadata["doc"])
                yield "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def document() -> str:
    """The whole document."""
    return ABOUT + "\n".join(lines()) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
