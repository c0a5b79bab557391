"""The one way out over HTTP."""

from __future__ import annotations

import re
from email.utils import formatdate

import pytest
from builders.paths import ROOT

from gateway.base import clock
from gateway.base.outgoing import outgoing_session, seconds_to_rest


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("²", None),
        (" 120 ", 120.0),
        ("9" * 400, 999_999_999.0),
        (f"Mon, 01 Jan 2400 00:00:00 +{'9' * 20}", None),
        (formatdate(1_000_060, usegmt=True), 60.0),
        (formatdate(999_000, usegmt=True), 0.0),
    ],
)
def test_how_long_a_server_asks_to_be_left_alone(
    header: str | None, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "time_ns", lambda: 1_000_000 * 1_000_000_000)
    assert seconds_to_rest(header) == expected


def test_a_session_sends_no_password_or_cookie_that_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://elders.example.nl:3128")
    session = outgoing_session(None)
    settings = session.merge_environment_settings("https://bron.example.nl", {}, None, None, None)
    assert settings["proxies"] == {}
    assert settings["verify"] is True
    assert not session.trust_env
    assert session.cookies.get_policy().allowed_domains() == ()  # type: ignore[attr-defined]


def test_nothing_has_a_session_of_its_own() -> None:
    """But the command of the demo, that asks our own loopback address whether it is ready."""
    makes = re.compile(
        r"requests\.(Session|get|post|put|request)\(|urlopen\(|PoolManager\(|HTTPS?Connection\(\w"
    )
    found = {
        str(path.relative_to(ROOT))
        for package in ("gateway", "jobs", "mappings")
        for path in (ROOT / package).rglob("*.py")
        if makes.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"gateway/base/outgoing.py", "gateway/cli/commands/demo.py"}
