"""What an operator had best do next about a source: one sentence, and the button that does it or the room to go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.fetch.coverage import CUTOVER
from gateway.legacy.pacing.server_gates import answers
from gateway.store.operation import runs

# What buttons do: `deed` of a NextStep. The others only go to a room.
READ_IN, RESUME, PROVE_SAMPLE, PROVE_WHOLE, REPAIR = "inlezen", "hervat", "steekproef", "alles", "herstel"

# Among what was ordered: the job that reads a source in, and that which asks it for what is in quarantine.
READS, LOOKS_AGAIN = "backfill", "quarantine"


class NextStep(NamedTuple):
    """A sentence; `label` is what stands on the button, `deed` what it does, `room` where it goes if it does nothing.

    Without a label there is nothing to press: waiting is right, or it is for somebody else.
    """

    text: str
    label: str = ""
    deed: str = ""
    room: str = ""


def next_step(way: Mapping[str, Any], status: Mapping[str, Any]) -> NextStep:
    """What to do. In: what `ways` found of the source, and the status of the whole."""
    scheduler, asking, proof, backfill = status["scheduler"], way["asking"], way["proof"], way["backfill"]
    if scheduler["wanted"] and not scheduler["runs"] and not backfill["running"]:
        return NextStep(
            "Start het proces voor de jobs op de server: klantbrug serve, of klantbrug jobs.",
            "Jobs",
            room="jobs",
        )
    if not answers(asking):
        return NextStep(
            "Vraag de beheerder van de bron wat er is; hier hoeft niets.",
            "Hoe de bron antwoordt",
            room="backfill",
        )
    if asking["paused"]:
        return NextStep(
            "Hervat de jobs op deze bron als de reden voor de pauze voorbij is.", "Hervatten", RESUME
        )
    if backfill["running"] or way["proving"] or way["orders"]:
        return NextStep("Wachten: dit gaat vanzelf door.", "Voortgang bekijken", room=_room_of_what_runs(way))
    if proof and not proof["clean"]:
        return _after_failed_proof(way, proof)
    if not way["complete"]:
        return _reading(backfill)
    if way["behind"] and way["phase"] != CUTOVER:
        return NextStep("Kijk bij de jobs waarom sync niet lukt.", "Jobs", room="jobs")
    if (way["following"] or {}).get("still") and way["phase"] != CUTOVER:
        return NextStep("Kijk bij de jobs waarom de sweep stilstaat.", "Jobs", room="jobs")
    if way["unread"]["objects"]:
        return NextStep(
            "Bekijk wat niet te lezen is: laat het in de bron verbeteren, of laat het rusten.",
            "Quarantaine",
            room="quarantaine",
        )
    return _forward(way)


def _room_of_what_runs(way: Mapping[str, Any]) -> str:
    jobs = {each["job"] for each in way["orders"]}
    if way["backfill"]["running"] or READS in jobs:
        return "backfill"
    return "bewijs" if way["proving"] or jobs - {LOOKS_AGAIN} else "quarantaine"


def _after_failed_proof(way: Mapping[str, Any], proof: Mapping[str, Any]) -> NextStep:
    if way["unread"]["objects"]:
        return NextStep(
            "Bekijk eerst wat niet te lezen is: daardoor kan geen bewijs schoon zijn.",
            "Quarantaine",
            room="quarantaine",
        )
    again = " van alles" if proof["mode"] == "full" else ""
    return NextStep(
        f"Bekijk rapport {proof['id']}, en laat herstellen: een nieuw bewijs{again} dat meteen herstelt.",
        "Herstellen",
        REPAIR,
    )


def _reading(backfill: Mapping[str, Any]) -> NextStep:
    if backfill["status"] is None or backfill["status"] in runs.ENDED:
        return NextStep(
            "Lees de bron in: daarna worden alle vragen volledig beantwoord.", "Inlezen starten", READ_IN
        )
    return NextStep("Laat het inlezen verdergaan waar het was.", "Verder inlezen", READ_IN)


def _forward(way: Mapping[str, Any]) -> NextStep:
    if way["phase"] == CUTOVER:
        return NextStep("Niets: deze bron is klaar.")
    if not way["missing"]:
        return NextStep(
            f"Alles is er voor de fase {way['forward']}: schakel als u daar aan toe bent.",
            "Fasen",
            room="fasen",
        )
    if "verify" in way["missing"] or "bewijs" in way["missing"]:
        whole = way["forward"] == CUTOVER
        text = f"Bewijs dat de opslag gelijk is aan de bron; dan kan zij naar {way['forward']}."
        return NextStep(
            text, "Alles bewijzen" if whole else "Steekproef starten", PROVE_WHOLE if whole else PROVE_SAMPLE
        )
    return NextStep(f"Voor de fase {way['forward']} ontbreekt nog iets.", "Fasen", room="fasen")
