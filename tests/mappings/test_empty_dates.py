"""A date 0001-01-01 is blank, whatever object and field it stands in: never a reason for quarantine (M3)."""

from __future__ import annotations

from typing import Any

import pytest
from builders.earlier_objects import contactmoment
from builders.legacy_objects import BSN, SETTINGS, SOURCE, klantcontact, persoon, rules, zaak

from mappings.translate import translate

DATED = {
    "zaak": (zaak(), "registratiedatum"),
    "rol": (persoon(1, BSN[0]), "registratiedatum"),
    "klantcontact": (klantcontact(1), "datumtijd"),
    "contactmoment": (contactmoment(1), "registratiedatum"),
}
FINDINGS: dict[str, list[tuple[str, str, str]]] = {
    "rol": [("M18", "registratiedatum", "info")],
    "contactmoment": [("M40", "registratiedatum", "adjusted")],
}


@pytest.mark.rule("M3")
@pytest.mark.parametrize("kind", DATED)
@pytest.mark.parametrize(
    "empty",
    ["0001-01-01", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", " 0001-01-01T00:00:00.0000000+00:00 "],
)
def test_an_object_with_an_empty_moment_is_translated(kind: str, empty: str) -> None:
    raw, field = DATED[kind]
    before = translate(kind, raw, SOURCE, SETTINGS)
    made = translate(kind, raw | {field: empty}, SOURCE, SETTINGS)
    new = [each for each in rules(made.findings) if each not in rules(before.findings)]
    assert new == FINDINGS.get(kind, [])
    assert all(claim.moment == 0 for claim in made.claims)


@pytest.mark.rule("M26")
@pytest.mark.rule("M36")
def test_an_empty_date_within_an_object_says_nothing() -> None:
    def facts(value: Any) -> dict[str, Any]:
        raw = persoon(
            1, BSN[0], indicatieMachtiging="gemachtigde", eindeGeldigheid=value, beginGeldigheid=value
        )
        raw["betrokkeneIdentificatie"]["geboortedatum"] = value
        return translate("rol", raw, SOURCE, SETTINGS).facts

    assert facts("0001-01-01") == facts("0001-01-01T00:00:00") == facts(None) != facts("2001-01-01")
