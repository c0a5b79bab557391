"""What the operator wrote: the tables of config.toml with the KLANTBRUG_* variables laid over them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.config.fields import File, Section, from_text, nearest
from gateway.config.sections import JOB, JOB_SECTIONS, SECTIONS, SOURCE

PREFIX = "KLANTBRUG_"
DEFAULT_FILE = "config.toml"


class ConfigError(Exception):
    """The configuration cannot be used; the text has one line for each fault: key, problem, fix."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def read(path: Path | None, environ: Mapping[str, str]) -> tuple[Path | None, dict[str, Any], list[str]]:
    """Find and read the file, and lay the environment over it.

    In: the file asked for, or None; the environment. Out: the file read, if any; the raw tables, not
    judged yet; an error line for each variable that is not known. Raises ConfigError when the file
    cannot be read.
    """
    path, raw = _read_file(path, environ)
    errors: list[str] = []
    raw = _with_absolute_paths(raw, path.parent if path else Path.cwd())
    _overlay(raw, environ, errors)
    return path, raw, errors


def _read_file(path: Path | None, environ: Mapping[str, str]) -> tuple[Path | None, dict[str, Any]]:
    if path is None and environ.get(f"{PREFIX}CONFIG"):
        path = Path(environ[f"{PREFIX}CONFIG"])
    if path is None:
        path = Path(DEFAULT_FILE)
        if not path.exists():
            return None, {}
    path = path.absolute()
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        problem = f"{path} kan niet gelezen worden ({exc.strerror})"
    except UnicodeDecodeError:
        problem = f"{path} is geen UTF-8"
    except tomllib.TOMLDecodeError as exc:
        # Only the place: the rest of the text can repeat what stands there.
        place = str(exc).rpartition("(")[2].rstrip(")")
        problem = f"{path} is geen geldige TOML ({place})"
    raise ConfigError([f"config: {problem}; noem met --config of {PREFIX}CONFIG een leesbaar TOML-bestand"])


def _with_absolute_paths(raw: dict[str, Any], base: Path) -> dict[str, Any]:
    """The same tables with each path made absolute, before the environment is laid over them."""

    def absolute(schema: Section, table: Any) -> Any:
        if not isinstance(table, dict):
            return table
        paths = {key for key, known in schema.fields.items() if isinstance(known, File)}
        return {
            key: str(base / value) if key in paths and isinstance(value, str) and value else value
            for key, value in table.items()
        }

    out = {
        name: absolute(SECTIONS[name], table) if name in SECTIONS else table for name, table in raw.items()
    }
    if isinstance(out.get("source"), list):
        out["source"] = [absolute(SOURCE, table) for table in out["source"]]
    if isinstance(out.get("jobs"), dict):
        out["jobs"] = {
            name: absolute(JOB_SECTIONS.get(name, JOB), table) for name, table in out["jobs"].items()
        }
    return out


def _overlay(raw: dict[str, Any], environ: Mapping[str, str], errors: list[str]) -> None:
    """Lay the KLANTBRUG_* variables over the tables of the file."""
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        section, *rest = variable.removeprefix(PREFIX).split("__")
        section = section.lower()
        text = environ[variable]
        if not rest:
            for name in (*SECTIONS, "source", "jobs"):
                if section.startswith(f"{name}_"):
                    fix = f"schrijf twee liggende streepjes na {name.upper()}"
                    errors.append(f"{variable}: deze variabele is onbekend; {fix}")
        elif section == "source" and len(rest) == 2:
            _overlay_source(
                raw, variable, rest[0].lower().replace("_", "-"), rest[1].lower(), text, environ, errors
            )
        elif section == "jobs" and len(rest) == 2:
            jobs = raw.setdefault("jobs", {})
            if isinstance(jobs, dict):
                name = rest[0].lower()
                schema = JOB_SECTIONS.get(name, JOB)
                _set(jobs.setdefault(name, {}), schema, variable, rest[1].lower(), text, errors)
        elif section in SECTIONS and len(rest) == 1:
            _set(raw.setdefault(section, {}), SECTIONS[section], variable, rest[0].lower(), text, errors)
        else:
            errors.append(
                f"{variable}: deze variabele is onbekend; {nearest(section, [*SECTIONS, 'source', 'jobs'])}"
            )


def _overlay_source(
    raw: dict[str, Any],
    variable: str,
    name: str,
    key: str,
    text: str,
    environ: Mapping[str, str],
    errors: list[str],
) -> None:
    sources = raw.setdefault("source", [])
    if not isinstance(sources, list):
        return  # told where the sources are judged
    named = [table for table in sources if isinstance(table, dict) and table.get("name") == name]
    if not named:
        # A whole source may stand in the environment; a wrong name in it must not make a half one.
        if f"{variable.rpartition('__')[0]}__ZAKEN_URL" not in environ:
            known = [str(table.get("name")) for table in sources if isinstance(table, dict)]
            errors.append(f"{variable}: er is geen bron {name}; {nearest(name, known)}")
            if not sources:
                del raw["source"]
            return
        named = [{"name": name}]
        sources.append(named[0])
    _set(named[0], SOURCE, variable, key, text, errors)


def _set(table: Any, schema: Section, variable: str, key: str, text: str, errors: list[str]) -> None:
    if not isinstance(table, dict):
        return  # told where the section is judged
    known = schema.fields.get(key)
    if known is None:
        errors.append(f"{variable}: deze variabele is onbekend; {nearest(key, list(schema.fields))}")
        return
    if isinstance(known, File) and text:
        text = str(Path(text).absolute())
    # A secret and its file are two spellings of one key: the environment's choice ends the file's.
    table.pop(known.metadata.get("instead", f"{key}_file"), None)
    table[key] = from_text(known, text)
