"""Which object a URL names, however it is spelled (M6, M32)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.identity.identity import spellings
from mappings.identity.urls import spelled_alike, wijst_naar

BASES = ("https://klanten.example/klanten/api/v1/", "http://other.example:8080/k/")
UUID = "d0000000-0000-4000-8000-00000000000a"
OWN = f"https://klanten.example/klanten/api/v1/klanten/{UUID}"


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """A URL of OWN, as some supplier may write it."""
    host = "".join(draw(st.sampled_from([letter, letter.upper()])) for letter in "klanten.example")
    scheme = draw(st.sampled_from(["http", "https", "HTTPS"]))
    port = draw(st.sampled_from(["", ":443", ":80"]))
    uuid = draw(st.sampled_from([UUID, UUID.upper()]))
    return f"{scheme}://{host}{port}/klanten/api/v1/klanten/{uuid}" + draw(st.sampled_from(["", "/"]))


@pytest.mark.rule("M6")
@given(spelled())
def test_all_spellings_of_one_object_are_alike(url: str) -> None:
    assert spelled_alike(url, BASES) == OWN
    assert set(spellings(url, BASES)) == {url, OWN}
    assert str(wijst_naar(url, {"klanten": BASES[0]})[1]) == UUID


@pytest.mark.rule("M6")
@pytest.mark.parametrize(
    "url",
    [
        f"https://elders.example/klanten/api/v1/klanten/{UUID}",
        f"https://klanten.example:8443/klanten/api/v1/klanten/{UUID}",
        f"https://klanten.example/andere/api/v1/klanten/{UUID}",
        f"https://klanten.example/klanten/api/v10/klanten/{UUID}",
        f"https://klanten.example/klanten/api/v1/{UUID}",
        f"https://iemand@klanten.example/klanten/api/v1/klanten/{UUID}",
        f"{OWN}?versie=2",
        "https://klanten.example/klanten/api/v1/klanten/12",
        "https://klanten.example:poort/klanten/api/v1/klanten/12",
        "geen adres",
    ],
)
def test_a_url_elsewhere_or_of_something_else_stays_as_written(url: str) -> None:
    assert spelled_alike(url, BASES) == ""
    assert spellings(url, BASES) == [url]


@pytest.mark.rule("M6")
def test_one_uuid_of_two_kinds_is_two_objects() -> None:
    assert spelled_alike(OWN.replace("/klanten/d", "/medewerkers/d"), BASES) != OWN
    assert spelled_alike(f"HTTP://OTHER.example:8080/k/klanten/{UUID}/", BASES) == (
        f"http://other.example:8080/k/klanten/{UUID}"
    )
    assert spellings("", BASES) == []
