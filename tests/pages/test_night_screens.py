"""The five screens that an operator wants to see at night: each says first what is so, and none looks like another."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from builders.following import PLAIN
from builders.pages_world import NIGHT, State, first_said, pages_of, text_of, title_of
from builders.sample_data import small

from gateway.http.auth import create_token
from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow


@pytest.fixture
def data() -> Dataset:
    """Enough for a backfill of some calls."""
    return small(12)


@pytest.fixture
def source_options() -> dict[str, Any]:
    """Pages of a hundred, so that there are several."""
    return PLAIN


@pytest.mark.parametrize(("name", "state", "word", "level"), NIGHT, ids=[each[0] for each in NIGHT])
def test_what_a_screen_says_first(
    server: SampleServer, install: Callable[..., Installation], name: str, state: State, word: str, level: str
) -> None:
    installation = install(bron=server)
    with state(installation, server), pages_of(installation) as pages:
        got = pages.got("/")
        page = got.raw.decode()
        assert first_said(got.raw) == word
        assert title_of(got.raw) == f"{word} | Klantbrug"  # also in a tab that is not looked at
        assert f"kb-standing kb-{level}" in page
        main = text_of(page[page.index("<main") :].encode())
        assert main.startswith(word)  # before anything else, in words
        others = [each[2] for each in NIGHT if each[2] != word]
        assert not any(first_said(got.raw) == other for other in others)
        assert "Wat nu:" in main
        # The API of operators says the same.
        token = create_token(installation.store, "kijker", "monitor")
        status = (
            pages.browser().get("/beheer/api/v1/status", Authorization=f"Token {token}", Accept="*/*").json
        )
        assert status["standing"]["word"] == word
        assert status["standing"]["level"] == level
        if name == "loopt":
            percent = status["sources"]["bron"]["way"]["backfill"]["percent"]
            assert re.search(r"Inlezen: \d+ %", main)
            assert percent is not None
            assert "nu " in main
            assert "/s, gemiddeld " in main
        elif name == "gepauzeerd":
            assert "gepauzeerd, sinds vandaag " in main
            assert "door anna: de bron is traag" in main
            assert "Hervatten" in main
        elif name == "bron weg":
            assert "storing (circuit breaker)" in main
        elif name == "bewijs mislukt":
            assert "NIET schoon" in main
            assert ">schoon<" not in page
            assert re.search(r"kb-bad\">verify|NIET goed|NIET schoon", page)
            assert "Herstellen" in main
        else:
            assert "Start het proces voor de jobs op de server" in main


def test_a_failed_proof_is_nowhere_green(server: SampleServer, install: Callable[..., Installation]) -> None:
    installation = install(bron=server)
    state = next(each[1] for each in NIGHT if each[0] == "bewijs mislukt")
    with state(installation, server), pages_of(installation) as pages:
        for path in ("/", "/beheer/bewijs", "/beheer/bewijs/1", "/beheer/jobs"):
            page = pages.got(path).raw.decode()
            said = re.findall(r'<span class="kb-word kb-(\w+)">([^<]*)</span>', page)
            assert not [word for level, word in said if level == "good" and "schoon" in word], path
            assert any(level == "bad" and "NIET schoon" in word for level, word in said) or (
                "kb-standing kb-bad" in page
            ), path
