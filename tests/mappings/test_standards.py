"""The declarations of the legacy kinds: what is stored of them stays, and what they are asked stands in their lists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappings.standards import KINDS, LISTS, asked_by, declare, in_order
from mappings.standards.declaration import LegacyKind, Number

KEYS = (
    *("brp:bsn:012345672", "brp:anr:1234567890", "anp:bron:a1", "ann:bron:b1", "anp:elders:a1"),
    *("hr:rsin:123456782", "hr:kvk:12345678", "hr:vestiging:123456789012", "hr:pair:12345678:123456789012"),
    *("url:https://klanten.example/klanten/1", "rol:6f0e8c1c-0000-4000-8000-000000000001"),
    *("actor:medewerker|bron|m1", "actor:organisatorische_eenheid|*|e1", "actor:groep|bron|g1"),
    *("actor-url:medewerker|bron|https://hr.example/1", "actor:medewerker|elders|m1"),
)


class Asked:
    """A source that has every parameter, and remembers which it was asked about."""

    source = "bron"

    def __init__(self, kind: LegacyKind, version: Number = (1, 7)) -> None:
        self.kind = kind
        self.number = version

    def can(self, parameter: str) -> bool:
        return parameter in self.kind.filters or parameter in self.kind.additions

    def version(self) -> Number:
        return self.number


def test_the_numbers_in_stores_never_change() -> None:
    assert {kind.name: kind.number for kind in KINDS.values()} == {
        "zaak": 1,
        "rol": 2,
        "klantcontact": 3,
        "zaakcontactmoment": 4,
        "klant": 5,
        "contactmoment": 6,
        "klantcontactmoment": 7,
        "objectcontactmoment": 8,
    }


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_a_kind_is_asked_stands_in_its_list(name: str) -> None:
    kind = KINDS[name]
    asked = {*kind.own_urls, *kind.asked_by.values()}
    if kind.newest:
        asked |= {kind.newest.since} - {""}
        asked |= {"ordering"} if kind.newest.ordering else set()
    if kind.dated:
        asked |= {f"{kind.dated}__gt", f"{kind.dated}__lt"}
    if kind.by_key:
        asked |= {parameter for key in KEYS for parameter, _ in kind.by_key(key, Asked(kind))[0]}
    assert asked <= {*kind.filters, *kind.additions}
    assert ("page" in kind.filters) == kind.paged
    assert {*kind.own_urls.values(), *kind.asked_by} <= LISTS.keys()


def test_what_comes_later_refers_to_what_comes_before() -> None:
    order = [kind.name for kind in in_order()]
    assert len({kind.order for kind in KINDS.values()}) == len(KINDS)
    for kind in KINDS.values():
        if not kind.ties:
            assert all(order.index(other) < order.index(kind.name) for other in kind.asked_by)
    # But what ties a contactmoment is known before it is: it tells who may see it (M34).
    for tie in asked_by("contactmoment"):
        assert order.index(tie.name) < order.index("contactmoment")


def test_a_name_or_number_that_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="declared already"):
        declare(replace(KINDS["rol"], number=len(KINDS) + 1))
    with pytest.raises(ValueError, match="not the next number"):
        declare(replace(KINDS["rol"], name="melder"))
    assert "melder" not in KINDS
