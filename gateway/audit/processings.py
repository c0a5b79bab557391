"""Which routes and commands are processings of persons' data, and how each is noted: the one declaration of it.

A route or command that is not here fails `tests/audit/test_processings.py`, so that none is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND, MAAK_KLANTCONTACT


class Noted(Enum):
    """How what is done is noted."""

    ANSWER = "a record for each person in the answer (answers.py)"
    LOOKUP = "a record for each person that somebody looks up (lookups.note_lookup, note_persons)"
    BATCH = "one record, with the number of persons (lookups.note_job, note_command, note_all)"
    ITS_JOBS = "each of its jobs notes itself"
    NO_PERSON = "none: it shows and changes nothing of any person: counts, rules, uuids of objects, settings"
    NO_ONE_SEES = "none: a copy of the store as a whole, that shows nobody anything"


BEHEER: Final = "/beheer/api/v1"
# Routes, as Flask writes them.
ROUTES: Final[Mapping[str, Noted]] = {
    **{f"{BASE_PATH}/{each.path}": Noted.ANSWER for each in BY_KIND.values()},
    **{f"{BASE_PATH}/{each.path}/<uuid>": Noted.ANSWER for each in BY_KIND.values()},
    f"{BASE_PATH}/{MAAK_KLANTCONTACT}": Noted.ANSWER,
    f"{BEHEER}/explain": Noted.LOOKUP,
    f"{BEHEER}/explain/<uuid:uuid>": Noted.LOOKUP,
    f"{BEHEER}/oud": Noted.LOOKUP,
    "/beheer/zoeken": Noted.LOOKUP,
    "/beheer/zoeken/inzage": Noted.LOOKUP,
    **dict.fromkeys(
        (
            "/",
            BASE_PATH,
            f"{BASE_PATH}/",
            *(f"{BASE_PATH}/openapi.{form}" for form in ("json", "yaml")),
            *(f"{BASE_PATH}/schema{rest}" for rest in ("", "/", "/openapi.json", "/openapi.yaml")),
            *(f"{BEHEER}/{path}" for path in ("status", "findings", "export", "openapi.json", "schema/")),
            *(f"{BEHEER}/backfill{rest}" for rest in ("", "/<source>/<deed>")),
            *(f"{BEHEER}/verify{rest}" for rest in ("", "/<int:number>")),
            *(f"{BEHEER}/writeback{rest}" for rest in ("", "/<int:number>", "/<int:number>/<deed>")),
            *(f"/beheer/backfill{rest}" for rest in ("", "/nu", "/<source>/tempo")),
            *(f"/beheer/bevindingen{rest}" for rest in ("", "/csv", "/lijst")),
            *(f"/beheer/bewijs{rest}" for rest in ("", "/nu", "/vergelijken", "/<int:number>")),
            "/beheer/bewijs/<int:number>/bestand",
            "/beheer/bron/<source>/<deed>",
            *(f"/beheer/{room}" for room in ("export", "fasen", "instellingen", "terugschrijven")),
            "/beheer/fasen/<source>/<phase>",
            *(f"/beheer/export/{deed}" for deed in ("vertrek", "terug")),
            "/beheer/logboek",
            *(f"/beheer/jobs{rest}" for rest in ("", "/nu", "/<name>/<state>")),
            "/beheer/overzicht/nu",
            *(f"/beheer/quarantaine{rest}" for rest in ("", "/csv", "/opnieuw", "/rust")),
            "/beheer/static/<version>/<name>",
            *(f"/beheer/terugschrijven/<int:number>/{deed}" for deed in ("sturen", "vervallen")),
            *(f"/beheer/tokens{rest}" for rest in ("", "/intrekken", "/vervangen")),
            *(f"/health/{each}" for each in ("live", "ready", "status")),
            *(f"/inloggen{rest}" for rest in ("", "/link/<secret>", "/stijl.css")),
            *(f"/inloggen/{each}" for each in ("aanbieder", "terug")),
            "/uitloggen",
            "/uitgelogd",
            "/metrics",
            *(f"/ref/{each}" for each in ("documentatie/<name>", "fouten/", "fouten/<kind>/")),
        ),
        Noted.NO_PERSON,
    ),
    # A message of a source: which object changed. What comes of it is noted by the job inbox.
    "/notificaties/callback": Noted.ITS_JOBS,
}
# Commands, as they are typed after `klantbrug`.
COMMANDS: Final[Mapping[str, Noted]] = {
    **dict.fromkeys(
        (
            "explain",
            "audit show",
            "person export",
            "person erase",
            "quarantine show",
            "writeback show",
            "restore",
        ),
        Noted.LOOKUP,
    ),
    **dict.fromkeys(
        (
            "dump",
            "export csv",
            "export fixture",
            "export run",
            "export verify",
            "backfill run",
            "sync",
            "verify",
            "rebuild",
            "quarantine retry",
        ),
        Noted.BATCH,
    ),
    **dict.fromkeys(("serve", "jobs serve", "jobs run", "demo"), Noted.ITS_JOBS),
    **dict.fromkeys(("store backup", "store restore", "store copy"), Noted.NO_ONE_SEES),
    **dict.fromkeys(
        (
            *("check", "status", "phase", "findings", "quarantine list", "quarantine dismiss"),
            *(f"audit {each}" for each in ("purge", "forget-key")),
            *(f"backfill {each}" for each in ("pause", "resume", "stop", "set", "status")),
            *(f"export {each}" for each in ("status", "follow", "forget", "moved", "mapping")),
            *(f"jobs {each}" for each in ("list", "enable", "disable")),
            *(f"notifications {each}" for each in ("register", "status", "retry")),
            *(f"writeback {each}" for each in ("list", "send", "drop", "status")),
            *(f"token {each}" for each in ("create", "rotate", "list", "revoke")),
            *(f"operator {each}" for each in ("create", "password", "roles", "disable")),
            *(f"operator {each}" for each in ("logout", "list", "log", "link")),
        ),
        Noted.NO_PERSON,
    ),
}
