"""The files that a configuration names: secrets that stand in one, and files that must be there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def secret_of(
    values: dict[str, Any], key: str, where: str, errors: list[str], needed_variable: str = ""
) -> str:
    """The secret of a section, from its key or from its file; blank when there is none or it is wrong.

    The key of its file is taken out of the values. With the variable that may hold it instead, one must be given.
    """
    secret: str = values[key]
    file: Path | None = values.pop(f"{key}_file")
    if secret and file:
        errors.append(f"{where}.{key}: staat er naast {key}_file; kies een van de twee")
        return ""
    if not file:
        if needed_variable and not secret:
            problem = f"ontbreekt; vul {key} of {key}_file in, of zet {needed_variable}"
            errors.append(f"{where}.{key}: {problem}")
        return secret
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except OSError as exc:
        errors.append(
            f"{where}.{key}_file: {file} kan niet gelezen worden ({exc.strerror}); noem een leesbaar bestand"
        )
        return ""
    except UnicodeDecodeError:
        errors.append(f"{where}.{key}_file: {file} is geen tekst; zet alleen het geheim in het bestand")
        return ""
    if not secret:
        errors.append(f"{where}.{key}_file: {file} is leeg; zet het geheim in het bestand")
    return secret


def must_exist(path: Path | None, where: str, errors: list[str]) -> None:
    """Note an error when the file of this key is not there or can't be read; a blank key is fine."""
    if path is None:
        return
    if not path.exists():
        errors.append(f"{where}: {path} bestaat niet; noem een bestand dat er is")
    elif not os.access(path, os.R_OK):
        errors.append(f"{where}: {path} is niet leesbaar; geef de gebruiker van Klantbrug leesrecht")
