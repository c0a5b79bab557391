"""What is in quarantine."""

from __future__ import annotations

from gateway.base.clock import now
from gateway.installation import Installation
from gateway.store.legacy import quarantine, untranslated_keys


def quarantined(installation: Installation) -> list[tuple[str, str, str]]:
    """Kind, uuid and reason of each."""
    with installation.store.read() as connection:
        return [(each.kind, str(each.uuid), each.reason) for each in quarantine.listing(connection)]


def let_be(installation: Installation) -> Installation:
    """The same installation, with all that is in quarantine dismissed: its data holds some, on purpose."""
    with installation.store.write() as connection:
        quarantine.dismiss(connection, [each.row for each in quarantine.listing(connection)], now())
        untranslated_keys.settle(connection)
    return installation
