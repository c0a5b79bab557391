"""Verify and its report."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from builders.probe.probe import Probe

from gateway.installation import Installation
from gateway.sample.access import Application
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer
from jobs.common.progress import Step
from jobs.verify.verify import Verify

# Sees everything that the tests' configuration does not leave out; a zaak above it is no longer visible.
LIMITED = Application(DEFAULT_APPLICATION.client_id, DEFAULT_APPLICATION.secret, "zaakvertrouwelijk")


def verify(installation: Installation, **options: Any) -> dict[str, Any]:
    return Verify(installation.fetchers["bron"], **options).run()


def totals(report: dict[str, Any]) -> dict[tuple[str, str], int]:
    """What is wrong in a report: by kind and sort how often; of documents as well."""
    groups = [*report["kinds"].items(), *report["documents"].items()]
    sorts = ("missing", "extra", "different", "invisible")
    return {(kind, sort): row[sort] for kind, row in groups for sort in sorts if row.get(sort)}


def repaired(installation: Installation) -> dict[str, Any]:
    """The report of a repair that left nothing wrong; the next verify finds nothing."""
    report = verify(installation, repair=True)
    assert report["clean"], report["named"]
    assert report["found"] == report["repaired"] > 0
    again = verify(installation)
    assert again["clean"]
    assert totals(again) == {}
    return report


def a_rol(server: SampleServer) -> dict[str, Any]:
    """The newest rol of a person of a zaak that is not left out."""
    secret = {
        zaak["url"]
        for zaak in server.dataset.objects("zaak")
        if zaak["vertrouwelijkheidaanduiding"] not in ("openbaar", "beperkt_openbaar", "intern")
    }
    return next(
        rol
        for rol in server.dataset.objects("rol")
        if rol["betrokkeneType"] == "natuurlijk_persoon"
        and rol["zaak"] not in secret
        and (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
    )


def outcome(report: dict[str, Any]) -> dict[str, Any]:
    """A report but for its number and its hours."""
    return {name: value for name, value in report.items() if name not in ("id", "began", "ended")}


def stop_at(when: Callable[[Step], bool]) -> Callable[[Step], None]:
    def show(step: Step) -> None:
        if when(step):
            raise KeyboardInterrupt

    return show


def interrupted(
    installation: Installation, chance: random.Random, repair: bool = False
) -> tuple[dict[str, Any], int, int]:
    """Verify, interrupted again and again. Out: the report, how often, and when the first began."""
    stops = first = 0
    while True:
        left = iter(range(chance.randrange(2, 9)))
        try:
            report = verify(
                installation,
                repair=repair,
                show=stop_at(lambda _, left=left: next(left, None) is None),
            )
            return report, stops, first
        except KeyboardInterrupt:
            stops += 1
            assert stops < 100
        first = first or Probe(installation.store).runs("verify")[0].started
