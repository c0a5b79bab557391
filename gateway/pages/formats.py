"""How the pages write numbers, moments and spans of time, for Dutch people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from gateway.base.clock import DUTCH_TIME, utc_now
from gateway.pages.signs import sign, sign_paths

DAYS = ("ma", "di", "wo", "do", "vr", "za", "zo")
# As cron counts them.
WEEKDAYS = ("zondag", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag")


def number(value: float | None) -> str:
    """12.345; 3,5 for what is no whole number; a dash for what is not known."""
    if value is None:
        return "–"
    if value == int(value):
        return f"{int(value):,}".replace(",", ".")
    return f"{value:,.1f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def moment(value: int | str | None) -> str:
    """A moment (microseconds UTC, or ISO 8601) in Dutch time: `vandaag 14:03`, `di 24-11-2026 14:03`."""
    if not value:
        return "–"
    when = (
        datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1e6, UTC)
    )
    there, today = when.astimezone(DUTCH_TIME), utc_now().astimezone(DUTCH_TIME).date()
    if there.date() == today:
        return f"vandaag {there:%H:%M}"
    return f"{DAYS[there.weekday()]} {there:%d-%m-%Y %H:%M}"


def span(seconds: float | None) -> str:
    """About how long: `3 uur 20 minuten`; a dash for None."""
    if seconds is None:
        return "–"
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} seconden"
    if minutes < 90:
        return f"{minutes} minuten"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} uur {minutes} minuten" if minutes else f"{hours} uur"
    days, hours = divmod(hours, 24)
    return f"{days} dagen {hours} uur" if hours else f"{days} dagen"


def first(text: str) -> str:
    """With a capital."""
    return f"{text[:1].upper()}{text[1:]}"


def without_outcome(sentence: str) -> str:
    """The sentence of a proof where its outcome stands above it already."""
    return sentence.removeprefix("NIET schoon: ").removeprefix("schoon: ")


def shown(value: Any) -> str:
    """A value of a document, of whatever kind, as text."""
    if value is None or value == "":
        return "leeg"
    if isinstance(value, bool):
        return "ja" if value else "nee"
    return str(value)


def schedule(text: str) -> str:
    """When a job runs: `elke dag om 03:30` for five cron fields, `elke 5 minuten` for `elke 300 s`; else as it is."""
    fields = text.split()
    if len(fields) == 3 and fields[0] == "elke":
        seconds = int(fields[1])
        if seconds < 60 or seconds % 60:
            return f"elke {seconds} seconden"
        return "elke minuut" if seconds == 60 else f"elke {seconds // 60} minuten"
    if len(fields) != 5 or not (
        fields[0].isdigit() and fields[1].isdigit() and fields[2] == fields[3] == "*"
    ):
        return text
    at = f"om {int(fields[1]):02}:{int(fields[0]):02}"
    if fields[4] == "*":
        return f"elke dag {at}"
    return f"elke {WEEKDAYS[int(fields[4]) % 7]} {at}" if fields[4].isdigit() else text


# What the commands call what pages have a room or button for; the longest first.
_ON_PAGES = (
    ("; zie klantbrug quarantine list", "; zie Quarantaine"),
    (" met klantbrug quarantine dismiss UUID", ""),
    ("met klantbrug quarantine retry", "met Opnieuw proberen"),
    ("gebruik dan klantbrug quarantine dismiss", "kies dan Laten rusten"),
    ("draai klantbrug verify --full --repair", "laat alles bewijzen en herstellen (Bewijs)"),
    ("draai klantbrug verify --repair", "laat bewijzen en herstellen (Bewijs)"),
    ("draai dan klantbrug verify --full", "laat dan alles bewijzen (Bewijs)"),
    ("draai klantbrug verify --full", "laat alles bewijzen (Bewijs)"),
    ("draai klantbrug verify", "laat een steekproef maken (Bewijs)"),
    ("draai klantbrug backfill", "laat haar inlezen (Backfill)"),
    ("zie klantbrug writeback status", "zie Terugschrijven"),
    ("zie klantbrug writeback list", "zie Terugschrijven"),
    ("Zie klantbrug writeback list", "Zie Terugschrijven"),
    ("Kies met klantbrug writeback send of drop", "Kies bij Terugschrijven"),
    ("zie klantbrug explain", "zie Zoeken"),
    (" Wie het toch wil: --force --reason TEKST.", ""),
    (" (klantbrug writeback list)", ""),
    ("klantbrug jobs disable", "uitgezet door een beheerder"),
    (" (send)", ""),
    (" (drop)", ""),
)


# A sample of a size: the button takes the size that is needed.
_SAMPLE = re.compile(r"draai klantbrug verify --sample \d+( --repair)?")


def on_pages(text: str) -> str:
    """A text of the commands for who reads it on a page, where there is a room or a button for it."""
    text = _SAMPLE.sub(
        lambda found: f"laat een steekproef {'bewijzen en herstellen' if found[1] else 'maken'} (Bewijs)",
        text,
    )
    for command, instead in _ON_PAGES:
        text = text.replace(command, instead)
    return text


FILTERS = {
    "on_pages": on_pages,
    "number": number,
    "moment": moment,
    "span": span,
    "first_up": first,
    "without_outcome": without_outcome,
    "sign": sign,
    "sign_paths": sign_paths,
    "shown": shown,
    "schedule": schedule,
}
