"""What an operator is told to do next, and what is said first, for each state of a source."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.operator.rooms.next_step import next_step
from gateway.operator.rooms.standing import standing, whole

ASKING = {"breaker": "dicht", "paused": False}
RESTS = {
    "running": False,
    "stopped": False,
    "status": "finished",
    "message": "",
    "percent": 100,
    "now": None,
}
WAY: dict[str, Any] = {
    "phase": "live",
    "forward": "synced",
    "complete": True,
    "behind": False,
    "following": None,
    "unread": {"objects": 0, "keyless": 0},
    "asking": ASKING,
    "backfill": RESTS,
    "proof": None,
    "proving": None,
    "orders": [],
    "missing": "",
}
RUNS = {"scheduler": {"wanted": True, "runs": True}}
CLEAN = {"id": 3, "clean": True, "mode": "full", "sentence": "schoon"}
RED = {"id": 4, "clean": False, "mode": "sample", "sentence": "NIET schoon: 1 verschil"}


def order(job: str) -> dict[str, Any]:
    return {"job": job, "what": job, "news": {}}


@pytest.mark.parametrize(
    ("changed", "word", "level", "deed", "room"),
    [
        ({}, "In orde", "good", "", "fasen"),
        ({"phase": "cutover", "forward": None, "behind": True}, "Overgegaan", "good", "", ""),
        ({"missing": "er is nog geen bewijs; draai klantbrug verify."}, "In orde", "good", "steekproef", ""),
        (
            {"phase": "synced", "forward": "cutover", "missing": "draai klantbrug verify --full."},
            "In orde",
            "good",
            "alles",
            "",
        ),
        ({"missing": "3 wijzigingen moeten nog terug."}, "In orde", "good", "", "fasen"),
        ({"behind": True}, "Loopt achter", "bad", "", "jobs"),
        ({"unread": {"objects": 2, "keyless": 0}}, "Deels leesbaar", "half", "", "quarantaine"),
        ({"proof": RED}, "Bewijs mislukt", "bad", "herstel", ""),
        ({"proof": RED, "unread": {"objects": 2, "keyless": 0}}, "Bewijs mislukt", "bad", "", "quarantaine"),
        (
            {"proof": RED, "proving": {"job": "verify", "what": "bewijs"}},
            "Bewijs loopt",
            "busy",
            "",
            "bewijs",
        ),
        ({"proof": CLEAN}, "In orde", "good", "", "fasen"),
        ({"orders": [order("verify")]}, "Staat klaar", "busy", "", "bewijs"),
        ({"orders": [order("backfill")]}, "Staat klaar", "busy", "", "backfill"),
        ({"orders": [order("quarantine")]}, "Staat klaar", "busy", "", "quarantaine"),
        ({"orders": [order("quarantine"), order("verify")]}, "Staat klaar", "busy", "", "bewijs"),
        (
            {"asking": ASKING | {"breaker": "open"}, "proof": RED},
            "Bron antwoordt niet",
            "bad",
            "",
            "backfill",
        ),
        ({"asking": ASKING | {"breaker": "proef"}}, "Bron antwoordt niet", "bad", "", "backfill"),
        ({"asking": ASKING | {"paused": True}, "proof": RED}, "Bewijs mislukt", "bad", "hervat", ""),
        ({"asking": ASKING | {"paused": True}, "proof": CLEAN}, "Gepauzeerd", "half", "hervat", ""),
        (
            {"asking": ASKING | {"others": [ASKING, ASKING | {"breaker": "open"}]}},
            "Bron antwoordt niet",
            "bad",
            "",
            "backfill",
        ),
        ({"following": {"still": "2026-01-01", "cause": "de bron"}}, "Sweep staat stil", "bad", "", "jobs"),
        ({"following": {"still": None}}, "In orde", "good", "", "fasen"),
        ({"backfill": RESTS | {"running": True, "percent": 43}}, "Inlezen loopt", "busy", "", "backfill"),
        (
            {"backfill": RESTS | {"running": True, "now": {"waits": "buiten het venster, verder om 22:00"}}},
            "Inlezen wacht",
            "half",
            "",
            "backfill",
        ),
        (
            {"complete": False, "backfill": RESTS | {"status": None}},
            "Nog niet ingelezen",
            "half",
            "inlezen",
            "",
        ),
        (
            {"complete": False, "backfill": RESTS | {"status": "failed", "message": "de bron zei 500"}},
            "Inlezen mislukt",
            "bad",
            "inlezen",
            "",
        ),
        (
            {"complete": False, "backfill": RESTS | {"status": "interrupted"}},
            "Inlezen onderbroken",
            "half",
            "inlezen",
            "",
        ),
        (
            {"complete": False, "backfill": RESTS | {"status": "interrupted", "stopped": True}},
            "Inlezen gestopt",
            "half",
            "inlezen",
            "",
        ),
    ],
)
def test_each_state_says_what_it_is_and_what_to_do(
    changed: dict[str, Any], word: str, level: str, deed: str, room: str
) -> None:
    way = WAY | changed
    said, step = standing(way), next_step(way, RUNS)
    assert (said.word, said.level) == (word, level)
    assert said.text
    assert (step.deed, step.room) == (deed, room)
    assert step.text
    assert bool(step.label) == bool(step.deed or step.room)


def test_without_jobs_process_starting_it_goes_first() -> None:
    status = {"scheduler": {"wanted": True, "runs": False}, "sources": {}}
    assert "klantbrug serve" in next_step(WAY | {"proof": RED}, status).text
    assert whole(status).word == "Geen jobs-proces"
    assert whole(status | {"store": {"problems": ["De schijf is vol."]}}).word == "Opslag in de problemen"
    assert whole(RUNS | {"sources": {}}).level == "good"
    assert whole(RUNS | {"sources": {}}, ["sync"]) == ("Job hangt", "bad", "Geen teken van leven van: sync.")


def test_of_several_sources_the_worst_goes_first() -> None:
    def source(word: str, level: str) -> dict[str, Any]:
        return {"way": {"standing": {"word": word, "level": level, "text": "x."}}}

    sources = {
        "a": source("In orde", "good"),
        "b": source("Bewijs mislukt", "bad"),
        "c": source("Wacht", "half"),
    }
    said = whole(RUNS | {"sources": sources})
    assert (said.word, said.level, said.text) == ("Bewijs mislukt", "bad", "Bron b: x.")


def test_what_nobody_keeps_up_is_not_in_order() -> None:
    assert standing(WAY).word == "In orde"
    said = standing(WAY, kept_up=False)
    assert (said.word, said.level) == ("Niet bijgehouden", "half")


def test_a_pause_says_who_and_why() -> None:
    held = {"by": "anna", "reason": "de bron is traag"}
    said = standing(WAY | {"asking": ASKING | {"paused": True}, "held_up": held})
    assert said.text.startswith("Door anna: de bron is traag. Alle jobs")
