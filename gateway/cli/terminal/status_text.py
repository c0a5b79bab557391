"""The status, and how backfills are doing, as text with colours and tables."""

from __future__ import annotations

import io
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.base.dutch_time import local_of
from gateway.legacy.pacing.gate import LONG, PAUSED
from gateway.legacy.pacing.turns import BROKEN
from gateway.operator.status import (
    COLOURS,
    COVERAGES,
    StatusLabel,
    doing_text,
    export_text,
    kinds_shown,
    run_label,
    trouble,
    unread_text,
)
from gateway.operator.writeback import text as written_back_text
from jobs.backfill.progress import waits_text

# Wide enough for a run on a line: two moments are never cut off.
WIDTH = 120


def backfills_text(overview: dict[str, Any]) -> str:
    """How backfills are doing (`gateway.operator.backfills.overview`) as text for a person."""
    console, written = _paper()
    for name, one in overview["sources"].items():
        run, news = one["run"], one["now"]
        # What a backfill that runs waits for, it says itself.
        asking = asking_lines(one["asking"], waits=news is None)
        if run is None:
            console.print("\n".join([f"Bron {name}: er liep nog geen backfill.", *asking]))
            continue
        if not one["running"]:
            state = run_label("backfill", run["status"])
            # What it says of itself may begin with that same word.
            message = run["message"] or ""
            rest = (
                message.removeprefix(state.word)
                if message.startswith(state.word)
                else f". {message}".rstrip()
            )
            console.print(
                f"Bron {name}: er loopt geen backfill; de laatste is ", _styled(state), rest, sep=""
            )
            if one["stopped"]:
                console.print(
                    "  Hij begint niet vanzelf: verder met klantbrug backfill run, of met resume als de job het doet."
                )
        elif news is None:
            console.print(f"Bron {name}: begint.")
        else:
            console.print(f"Bron {name}: {doing_text(news)}")
            console.print(
                f"  gemiddeld {news['rate_average']:.0f}/s; hoogstens {news['connections']} aanroepen tegelijk"
                + (f" en {news['rate']:g} objecten/s" if news["rate"] else "")
            )
        for line in asking:
            console.print(line)
        table = Table()
        headings = {
            "seen": "gelezen",
            "stored": "nieuw",
            "changed": "gewijzigd",
            "unchanged": "ongewijzigd",
            "quarantined": "quarantaine",
        }
        table.add_column("soort")
        for heading in headings.values():
            table.add_column(heading, justify="right")
        for kind, counts in run["kinds"].items():
            label = "per uuid" if kind == "by_uuid" else kind
            table.add_row(label, *(str(counts.get(column, 0)) for column in headings))
        console.print(table)
    return written.getvalue()


def asking_lines(asking: dict[str, Any], *, waits: bool = True) -> list[str]:
    """What holds up the jobs on a source (`server_gates.describe`), and what an operator set; nothing when all is as
    usual."""
    lines = list[str]()
    for one in (asking, *asking.get("others", ())):
        reason = one["waiting"] or ""
        if waits and reason in LONG:
            until = ", tot klantbrug backfill resume" if reason == PAUSED else ""
            lines.append(f"  Jobs op deze bron wachten: {waits_text(reason, one['until'])}{until}.")
        if one["breaker"] != "dicht" and reason != BROKEN:
            lines.append(f"  Storing: de circuit breaker is {one['breaker']}.")
    if set_to := ", ".join(f"{name}={value:g}" for name, value in asking["overrides"].items()):
        lines.append(f"  Met backfill set ingesteld, tot er een backfill klaar is: {set_to}.")
    return list(dict.fromkeys(lines))


def status_text(status: dict[str, Any], command: str = "klantbrug") -> str:
    """The status (`store.status.status`) as text for a person, with colours.

    `command` is how that person runs us: hints hold it, each on one line, so that they can be pasted.
    """
    console, written = _paper()
    if found := trouble(status):
        console.print(f"Let op: {found}")
    for name, source in status["sources"].items():
        table = Table(
            title=Text.assemble(
                f"Bron {name}: fase {source['phase']}, dekking ", _styled(COVERAGES[source["coverage"]])
            ),
            title_justify="left",
        )
        for heading in ("soort", "gezien", "vertaald", "quarantaine", "weggelaten"):
            table.add_column(heading, justify="left" if heading in ("soort", "weggelaten") else "right")
        for kind, counts in kinds_shown(source["kinds"]).items():
            left_out = ", ".join(f"{rule}: {count}" for rule, count in counts["left_out"].items())
            table.add_row(
                kind,
                str(counts["seen"]),
                str(counts["translated"]),
                str(counts["quarantined"]),
                left_out or "-",
            )
        console.print(table)
        for line in asking_lines(source["asking"]) if "asking" in source else ():
            console.print(line)
        if told := written_back_text(source.get("writeback", {})):
            console.print(f"  {told}")
        if source["rebuild"]:
            hint = f"Bron {name} is met een andere [mapping] of versie vertaald: {command} rebuild"
            console.print(hint, soft_wrap=True)
    if not status["sources"]:
        console.print("Geen bron: een zelfstandig Klantinteracties-register.")
    if status["runs"]:
        table = Table(title="Laatste runs", title_justify="left", box=SIMPLE_HEAD)
        for heading in ("taak", "bron", "stand", "begonnen", "klaar"):
            table.add_column(heading, no_wrap=True)
        table.add_column("bericht", overflow="fold")
        for run in status["runs"]:
            state = _styled(run_label(run["job"], run["status"]))
            started, finished = local_of(run["started"]), local_of(run["finished"])
            table.add_row(run["job"], run["source"] or "", state, started, finished, run["message"] or "")
        console.print(table)
    if status["quarantine"]["open"]:
        hint = f"Te bekijken in quarantaine: {status['quarantine']['open']}: {command} quarantine list"
        console.print(hint, soft_wrap=True)
    for name, source in status["sources"].items():
        if text := unread_text(source["unread"]):
            console.print(f"Bron {name}: {text}", soft_wrap=True)
    notifications = status["notifications"]
    if any(notifications.values()):
        given_up = f"{notifications['failed']} opgegeven"
        given_up += f": {command} notifications retry" if notifications["failed"] else ""
        console.print(f"Notificaties: {notifications['waiting']} wachten, {given_up}", soft_wrap=True)
    if export := status["export"]:
        console.print(export_text(export), soft_wrap=True)
    inbox = status["inbox"]
    if any(inbox.values()):
        text = f"{inbox['foreign']} van een adres dat van geen bron is, {inbox['dropped']} pasten er niet bij"
        console.print(f"Berichten over de bronnen: {inbox['waiting']} wachten, {text}.")
    for name, source in status["sources"].items():
        if followed := source.get("following"):
            hurry = f"; leest nu alles opnieuw: {followed['hurry']}" if followed["hurry"] else ""
            moments = [local_of(followed[what]) or "nog niet" for what in ("synced", "swept")]
            console.print(f"{name}: nieuw opgehaald {moments[0]}, alles nagelopen {moments[1]}{hurry}.")
            if followed["failed"]:
                console.print(f"{name}: bij het nalopen bleven {followed['failed']} vragen zonder antwoord.")
            if followed["still"]:
                console.print(
                    f"{name}: het nalopen staat stil sinds {local_of(followed['still'])} ({followed['cause']})."
                )
    return written.getvalue()


def styled(label: StatusLabel) -> str:
    """A word in its colour; click leaves the colour out where the output is no terminal."""
    return click.style(label.word, fg=COLOURS[label.level], bold=True)


def _styled(label: StatusLabel) -> Text:
    return Text(label.word, style=f"bold {COLOURS[label.level]}")


def _paper() -> tuple[Console, io.StringIO]:
    """Something to print text with colours on, of a fixed width, and where that text then is."""
    written = io.StringIO()
    console = Console(
        file=written,
        width=WIDTH,
        highlight=False,
        markup=False,
        force_terminal=True,
        color_system="standard",
    )
    return console, written
