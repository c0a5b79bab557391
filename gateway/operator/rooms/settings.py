"""The configuration as it is used, for reading: every key with its value, of secrets only whether there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gateway.config.model import Config, Source
from mappings.model.config_key import KEY, Key

SET, NOT_SET = "ingesteld (wordt niet getoond)", "niet ingesteld"


class Setting(NamedTuple):
    """A key and its value as text; `default` says that it is what it would be without a word of the operator."""

    name: str
    value: str
    default: bool


def sections(config: Config) -> list[tuple[str, list[Setting]]]:
    """Every section of the configuration as in config.toml, with its keys in the order of their declaration."""
    found: list[tuple[str, list[Setting]]] = []
    for each in fields(config):
        value = getattr(config, each.name)
        if isinstance(value, (tuple, list)):
            found += [(f"[[source]] {one.name}", _keys(one)) for one in value if isinstance(one, Source)]
        elif isinstance(value, Mapping):
            found += [
                (f"[{each.name}.{name}]", _keys(one)) for name, one in value.items() if is_dataclass(one)
            ]
        elif is_dataclass(value):
            found.append((f"[{each.name}]", _keys(value)))
    return [(name, keys) for name, keys in found if keys]


def _keys(section: Any) -> list[Setting]:
    found = []
    for each in fields(section):
        key: Key | None = each.metadata.get(KEY)
        if key is None:
            continue
        value = getattr(section, each.name)
        if key.secret:
            found.append(Setting(each.name, SET if value else NOT_SET, not value))
        else:
            found.append(Setting(each.name, _text(value), value == each.default))
    return found


def _text(value: Any) -> str:
    """A value as people read it. Of a table in a list the fields are named."""
    if value is None or value == "" or (not value and isinstance(value, (tuple, list, Mapping))):
        return "leeg"
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if isinstance(value, (str, int, float, Path)):
        return str(value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, (tuple, list, set, frozenset)):
        return ", ".join(_text(one) for one in value)
    if is_dataclass(value):
        shown = [(each.name, getattr(value, each.name)) for each in fields(value) if not _is_secret(each)]
        return ", ".join(f"{name} {_text(one)}" for name, one in shown)
    return type(value).__name__


def _is_secret(each: Any) -> bool:
    key: Key | None = each.metadata.get(KEY)
    return key is not None and key.secret
