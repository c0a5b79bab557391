"""The addresses of a source's lists and objects: of the configured bases, never of a host that some answer mentions."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from gateway.config.model import Source
from gateway.legacy import errors
from mappings.standards import LISTS
from mappings.values.uuids import is_usual, uuid_at_end


def uuid_of(url: str) -> str | None:
    """The uuid that ends the path of a URL (or is the whole text), in lower case; None when there is none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return uuid_at_end(path) or None


def list_template(kind: str, parameters: Iterable[str] = ()) -> str:
    """A call on a list, as it may be logged: without the values of these parameters."""
    query = "&".join(f"{name}=*" for name in parameters)
    return f"GET /{LISTS[kind].path}" + (f"?{query}" if query else "")


def object_template(kind: str) -> str:
    """A call on an object, as it may be logged."""
    return f"GET /{LISTS[kind].path}/*"


class SourceAddresses:
    """The addresses of one source."""

    def __init__(self, source: Source) -> None:
        self.source_name = source.name
        self._source = source

    def base(self, api: str) -> str:
        """The configured address of that API, with a slash at its end; blank when there is none."""
        return str(getattr(self._source, f"{api}_url"))

    def of_list(self, kind: str) -> str:
        """The address of a list. Raises NotConfigured for one of an API that the source does not have."""
        declared = LISTS[kind]
        base = self.base(declared.api)
        if not base:
            raise errors.NotConfigured(self.source_name, list_template(kind))
        return base + declared.path

    def of_object(self, kind: str, uuid: str) -> str:
        """The address of an object.

        Raises BadRequest for what is not a uuid (the real server answers such an address with a 500) and
        NotConfigured as `of_list` does.
        """
        if not is_usual(uuid):
            raise errors.BadRequest(self.source_name, object_template(kind), text="dit is geen uuid")
        return f"{self.of_list(kind)}/{uuid.lower()}"
