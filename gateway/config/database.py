"""What `[store]` says of a database in the place of a file, judged."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.config.files import must_exist
from gateway.config.sections import SECTIONS

# After a % stands which sign it is; libpq would tell the whole url, with the password.
_NO_SIGN = re.compile("%(?![0-9a-fA-F]{2})|%00")


def judge_database(values: Mapping[str, Any], errors: list[str]) -> None:
    """Judge the keys of a store on PostgreSQL."""
    try:
        parts = urlsplit(values["url"])
        known = (
            not _NO_SIGN.search(values["url"])
            and parts.scheme in ("postgresql", "postgres")
            and len(parts.path) > 1
            and parts.port != 0
        )
        password = parts.password
    except ValueError:
        known, password = False, None
    if not known:
        fix = SECTIONS["store"].fields["url"].metadata["fix"]
        errors.append(f"store.url: is geen adres van een database; {fix}")
    elif password and values["password"]:
        errors.append("store.password: staat er naast een wachtwoord in url; haal een van de twee weg")
    if values["path"].is_absolute():
        errors.append("store.path: staat er naast url; kies een bestand (path) of PostgreSQL (url)")
    must_exist(values["ca_bundle"], "store.ca_bundle", errors)
