"""The part of `klantbrug check` about the APIs of the earlier standards: Klanten API and Contactmomenten API 1.0."""

from dataclasses import replace
from urllib.parse import urlsplit

from gateway.config.load import EARLIER_APIS
from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.client.source_client import ZakenClient
from gateway.operator.check_report import Level, SourceReport, explain
from mappings.standards import KINDS
from mappings.standards.declaration import LegacyKind

_NAMES = {"klanten": "Klanten API", "contactmomenten": "Contactmomenten API"}


def check_earlier(client: ZakenClient, source: Source, report: SourceReport, deadline: float) -> None:
    """Ask each of those APIs that the source has, and report what works; it raises nothing of `errors`."""
    for api in EARLIER_APIS:
        if not client.has_api(api):
            continue
        url = getattr(source, f"{api}_url")
        own = getattr(source, f"{api}_client_id")
        asking = replace(source, client_id=own) if own else source
        path = api
        report.on_step(f"wat de {_NAMES[api]} laat zien")
        try:
            version = client.speaks(api, deadline=deadline)
            suffix = f", versie {version}" if version else ""
            report.add_line(Level.OK, f"De {_NAMES[api]} antwoordt{suffix}.")
            for kind in (kind for kind in KINDS.values() if kind.api == api and kind.paged):
                path = kind.path
                _count(client, kind, url, report, deadline)
        except errors.LegacyError as exc:
            explain(exc, asking, path, report, url=url)


def _count(client: ZakenClient, kind: LegacyKind, url: str, report: SourceReport, deadline: float) -> None:
    """How many there are to see, and whether they name themselves as we ask them."""
    objects, count = client.first(kind.name, deadline=deadline)
    report.counts[kind.name] = count.number
    if not objects:
        text = f"Er zijn geen {kind.path} te zien: er zijn er geen, of de rechten reiken er niet toe."
        report.add_line(Level.WARNING, text)
        return
    many = "onbekend hoeveel" if count.number is None else count.number
    report.add_line(Level.OK, f"Te zien: {many} {kind.path}.")
    base = str(objects[0].get("url", "")).rpartition(f"{kind.path}/")[0]
    if base and base != url:
        parts = urlsplit(base)
        report.add_line(
            Level.WARNING,
            f"De bron schrijft {parts.scheme}://{parts.netloc}{parts.path} in zijn URLs van {kind.path}: zet dat "
            "adres in de config. Rollen en andere objecten die zo'n URL noemen, vinden elkaar anders niet.",
        )
