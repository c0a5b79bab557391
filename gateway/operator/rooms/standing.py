"""What a source and the whole installation say first: one word that differs at a glance, and a sentence.

The worst goes first. Words before colours: `level` only colours what the word says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.fetch.coverage import CUTOVER
from gateway.legacy.pacing.server_gates import answers
from gateway.operator.status import BAD, BUSY, GOOD, HALF, NO_SCHEDULER, trouble, unread_text
from gateway.store.operation import runs

ORDER = (BAD, HALF, BUSY, GOOD)


class Standing(NamedTuple):
    """What is said first: a word in capitals, how good that is (GOOD, BUSY, HALF, BAD), and a sentence."""

    word: str
    level: str
    text: str


NO_JOBS = "Geen jobs-proces"
KEPT_UP = Standing("In orde", GOOD, "Alles is ingelezen en wordt bijgehouden.")
UNKEPT = Standing(
    "Niet bijgehouden", HALF, "Alles is ingelezen; wat sindsdien nieuw is in de bron, komt hier nu niet."
)


def standing(way: Mapping[str, Any], *, kept_up: bool = True) -> Standing:
    """How a source is. In: what `ways` found of it; is there a process that keeps it up to date?"""
    backfill, proof, asking = way["backfill"], way["proof"], way["asking"]
    proving = _proving(way)
    if not answers(asking):
        return Standing(
            "Bron antwoordt niet",
            BAD,
            "Klantbrug laat de bron even met rust en probeert het vanzelf weer. Vragen worden beantwoord met wat hier "
            "staat.",
        )
    if proof and not proof["clean"] and not proving:
        return Standing("Bewijs mislukt", BAD, f"Rapport {proof['id']}: {proof['sentence']}.")
    if asking["paused"]:
        return Standing(
            "Gepauzeerd", HALF, f"{_paused_by(way)}Alle jobs op deze bron wachten tot iemand haar hervat."
        )
    if backfill["running"]:
        now = backfill["now"] or {}
        if now.get("waits"):
            return Standing("Inlezen wacht", HALF, f"{_first(now['waits'])}.")
        part = f"{backfill['percent']} % gelezen" if backfill["percent"] is not None else "het begin"
        return Standing("Inlezen loopt", BUSY, f"{_first(part)}.")
    if proving:
        return Standing("Bewijs loopt", BUSY, proving)
    if way["orders"]:
        return Standing(
            "Staat klaar",
            BUSY,
            f"Gevraagd: {', '.join(each['what'] for each in way['orders'])}. Het begint vanzelf.",
        )
    found = _at_rest(way)
    return UNKEPT if found == KEPT_UP and not kept_up else found


def _at_rest(way: Mapping[str, Any]) -> Standing:
    """How a source is of which nothing runs and nothing is wrong with the last proof."""
    backfill, unread = way["backfill"], way["unread"]
    if not way["complete"]:
        if backfill["stopped"]:
            return Standing(
                "Inlezen gestopt", HALF, "Een beheerder stopte het; het kan verdergaan waar het was."
            )
        if backfill["status"] in (runs.FAILED, runs.PROBLEMS):
            return Standing(
                "Inlezen mislukt", BAD, f"{_first(backfill['message'] or 'de reden is niet bekend')}."
            )
        if backfill["status"] == runs.INTERRUPTED:
            return Standing("Inlezen onderbroken", HALF, "Het kan verdergaan waar het was.")
        return Standing(
            "Nog niet ingelezen", HALF, "Zoekvragen die de bron niet kan beantwoorden, worden geweigerd."
        )
    if way["phase"] == CUTOVER:
        return Standing(
            "Overgegaan", GOOD, "De bron wordt niet meer bevraagd; deze opslag is nu het register."
        )
    if way["behind"]:
        return Standing("Loopt achter", BAD, "Wat nieuw is in de bron, is te lang niet opgehaald.")
    following = way["following"] or {}
    if following.get("still"):
        return Standing(
            "Sweep staat stil", BAD, f"{_first(following.get('cause') or 'de oorzaak is niet bekend')}."
        )
    if unread["objects"]:
        text = unread_text(unread)
        return Standing("Deels leesbaar", HALF, _first(text))
    return KEPT_UP


def whole(status: Mapping[str, Any], hanging: Sequence[str] = ()) -> Standing:
    """What the installation says first: the worst of all.

    In: the status, with the ways of its sources; the jobs that hang.
    """
    problems = status.get("store", {}).get("problems", ())
    scheduler = status.get("scheduler", {})
    if problems:
        return Standing("Opslag in de problemen", BAD, trouble(dict(status)))
    if scheduler.get("wanted") and not scheduler.get("runs"):
        return Standing(NO_JOBS, BAD, NO_SCHEDULER)
    if hanging:
        return Standing("Job hangt", BAD, f"Geen teken van leven van: {', '.join(hanging)}.")
    found = [
        (name, Standing(**source["way"]["standing"]))
        for name, source in status["sources"].items()
        if "way" in source
    ]
    if not found:
        return Standing("In orde", GOOD, "Er is geen bron: dit is een zelfstandig klantregister.")
    name, worst = min(found, key=lambda each: ORDER.index(each[1].level))
    return worst if len(found) == 1 else worst._replace(text=f"Bron {name}: {worst.text}")


def _paused_by(way: Mapping[str, Any]) -> str:
    """Who paused a source and why, as a sentence; blank when nobody wrote it down."""
    held = way.get("held_up") or {}
    if not held.get("by"):
        return ""
    why = f": {held['reason']}" if held["reason"] else ""
    return f"Door {held['by']}{why}. "


def _proving(way: Mapping[str, Any]) -> str:
    """What a verify that runs is doing; blank when none runs."""
    if not way["proving"]:
        return ""
    news = next(
        (each["news"] for each in way["orders"] if each["job"] == way["proving"]["job"] and each["news"]),
        None,
    )
    text = _first(way["proving"]["what"])
    if not news:
        return f"{text}."
    if news["waits"]:
        return f"{text} wacht: {news['waits']}."
    of = f" van {news['total']}" if news["total"] else ""
    return f"{text}: {news['what']}, {news['done']}{of}."


def _first(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
