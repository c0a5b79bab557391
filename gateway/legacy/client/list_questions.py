"""What is asked of a list: only parameters that the version of the source has, in the source's own addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from gateway.legacy import errors
from gateway.legacy.client.addresses import SourceAddresses, list_template, uuid_of
from gateway.legacy.client.api_versions import DEFAULT_PAGE_SIZE, PAGE_SIZE, ApiVersion
from mappings.standards import LISTS
from mappings.standards.declaration import Pages


@dataclass(frozen=True, slots=True)
class SourceQuestion:
    """A question to a list, for a version of the source."""

    kind: str
    params: dict[str, str]
    template: str
    version: ApiVersion

    @property
    def sized(self) -> bool:
        """Does the source give pages of the size that is asked for?"""
        return "pageSize" in self.params

    @property
    def size(self) -> int:
        """How many objects a full page of a walk holds."""
        return PAGE_SIZE if self.sized else DEFAULT_PAGE_SIZE

    def in_pages_of(self, size: int) -> Self:
        """The same in pages of that size; only for one that is `sized`."""
        return replace(self, params={**self.params, "pageSize": str(size)})


def source_question(
    addresses: SourceAddresses, kind: str, filters: Mapping[str, str], version: ApiVersion, size: int
) -> SourceQuestion:
    """The filters as this source wants them, with pages of that size where it knows sizes.

    Raises BadRequest for a filter that the version does not have, and for a list without pages without a filter.
    """
    template = list_template(kind, filters)
    unknown = sorted(name for name in filters if not version.has(kind, name))
    if unknown:
        text = f"versie {version.text} van de bron heeft niet: {', '.join(unknown)}"
        raise errors.BadRequest(addresses.source_name, template, text=text)
    if LISTS[kind].pages is Pages.NONE and not filters:
        text = "deze lijst heeft geen pagina's; vraag per zaak of klant"
        raise errors.BadRequest(addresses.source_name, template, text=text)
    params = {}
    own_urls = LISTS[kind].own_urls
    for name, value in filters.items():
        uuid = uuid_of(value) if name in own_urls else None
        params[name] = addresses.of_object(own_urls[name], uuid) if uuid else value
    if version.has(kind, "pageSize"):
        params["pageSize"] = str(size)
    return SourceQuestion(kind, params, list_template(kind, params), version)
