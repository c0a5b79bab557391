"""What was left out is not held: when it may be shown it is read again, also after the first try fails (M34, M35)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from builders.configs import write_config
from builders.earlier_source import EarlierSource, fixtures, last
from builders.following import Clock, backfilled, hurry, run
from builders.sample_data import small
from builders.store_digest import dump_digest

from gateway.base.clock import now
from gateway.config.load import load_config
from gateway.installation import Installation, open_installation
from gateway.legacy.client import transport
from gateway.sample.server import SampleServer
from gateway.sample.writes import destroy
from gateway.store.operation import inbox
from jobs.backfill.backfill import Backfill
from jobs.follow.inbox import process_inbox
from jobs.follow.sweep import sweep

pytestmark = pytest.mark.slow

whole, source, filled = fixtures()


def secret_zaak_with_a_contact(source: EarlierSource) -> dict[str, Any]:
    """A zaak above the maximum that an objectcontactmoment is about."""
    data = source.server.dataset
    zaken = {last(each["object"]) for each in data.objects("objectcontactmoment")}
    secret = [data.get("zaak", uuid) for uuid in sorted(zaken)]
    return next(zaak for zaak in secret if zaak["vertrouwelijkheidaanduiding"] == "geheim")


def fresh(source: EarlierSource) -> str:
    """The digest of what a backfill makes of the source as it is now."""
    return dump_digest(backfilled(source.open(f"fresh-{uuid4()}")).store)


def announce(installation: Installation, kind: str, uuid: str) -> None:
    """A notification came of this object."""
    with installation.store.write() as connection:
        inbox.put(connection, installation.fetchers["bron"].source, kind, UUID(uuid).bytes, None, now())


def round_of_the_sweep(installation: Installation) -> None:
    """A whole round, in a hurry."""
    hurry(installation)
    counts = run(installation, sweep)
    while not counts["rounds"]:
        counts = run(installation, sweep)
    assert counts["failed"] == 0


def by_notification(installation: Installation, zaak: str) -> None:
    announce(installation, "zaak", zaak)
    assert run(installation, process_inbox)["postponed"] == 0


def by_sweep(installation: Installation, _: str) -> None:
    round_of_the_sweep(installation)


def by_backfill(installation: Installation, _: str) -> None:
    assert Backfill(installation.fetchers["bron"]).run()


@pytest.mark.rule("M35")
@pytest.mark.parametrize("way", [by_notification, by_sweep, by_backfill])
def test_a_secret_zaak_is_destroyed_and_what_contacts_are_about_is_still_known(
    source: EarlierSource, filled: Installation, way: Callable[[Installation, str], None]
) -> None:
    """The contactmoment is in another API: it is there as before, and no longer about a zaak that is secret."""
    zaak = secret_zaak_with_a_contact(source)
    destroy(source.server.dataset, "zaak", zaak["uuid"])
    way(filled, zaak["uuid"])
    assert dump_digest(filled.store) == fresh(source)
    with filled.store.read() as connection:
        assert inbox.counts(connection)["waiting"] == 0


@pytest.mark.rule("M34")
def test_a_contact_that_is_no_longer_about_a_secret_zaak_is_there_in_the_same_round(
    source: EarlierSource, filled: Installation
) -> None:
    data, zaak = source.server.dataset, secret_zaak_with_a_contact(source)
    for kind in ("objectcontactmoment", "zaakcontactmoment"):
        for tie in data.objects(kind):
            if zaak["uuid"] in (last(tie.get("object", "")), last(tie.get("zaak", ""))):
                data.remove(kind, last(tie["url"]))
    round_of_the_sweep(filled)
    assert dump_digest(filled.store) == fresh(source)


class Failing:
    """Middleware of a source of which one list fails for as long as the test wants."""

    def __init__(self, server: SampleServer, path: str) -> None:
        self.inner, self.path, self.fails = server.app.wsgi_app, path, True
        server.app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if self.fails and environ["PATH_INFO"].endswith(self.path):
            start("503 down", [("Content-Type", "application/json"), ("Content-Length", "2")])
            return [b"{}"]
        return self.inner(environ, start)


@pytest.mark.rule("M34")
def test_a_zaak_that_became_readable_is_read_though_its_rollen_fail_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rollen are not held until then: a second look at the zaak alone would find nothing to do."""
    monkeypatch.setattr(transport.Transport, "_wait_before", lambda self, attempt: 0.001)
    clock = Clock(monkeypatch)
    with SampleServer(small(10)) as server:
        data = server.dataset
        zaak = next(
            zaak
            for zaak in data.objects("zaak")
            if zaak["rollen"] and zaak["vertrouwelijkheidaanduiding"] == "openbaar"
        )
        data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": "geheim"})
        config = load_config(write_config(tmp_path / "here", {"bron": server}), {})
        installation = backfilled(open_installation(config))
        data.replace("zaak", zaak["uuid"], zaak)
        failing = Failing(server, "/rollen")
        announce(installation, "zaak", zaak["uuid"])
        assert run(installation, process_inbox)["postponed"] == 1
        failing.fails = False
        clock.days = 0.5
        later = open_installation(config)
        run(later, process_inbox)
        with later.store.read() as connection:
            assert inbox.counts(connection)["waiting"] == 0
        again = load_config(write_config(tmp_path / "fresh", {"bron": server}), {})
        assert dump_digest(later.store) == dump_digest(backfilled(open_installation(again)).store)
