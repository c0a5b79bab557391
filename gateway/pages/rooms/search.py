"""Zoeken: why is this so? Value by value where it came from and who wrote it; all that is held of one person as a file.

By POST: whom it is about never stands in an address or log.
"""

from __future__ import annotations

from flask import Response, request
from werkzeug import Response as BaseResponse

from gateway.audit.log import AuditLog
from gateway.audit.lookups import documents_in, note_lookup, note_persons
from gateway.http.responses import SECURITY
from gateway.ingest.ingest import Ingest
from gateway.login.guard import log_event
from gateway.login.roles import PERSONS
from gateway.operator.explain.explainer import Explainer
from gateway.operator.person import about
from gateway.operator.person.export import as_file, export, file_name
from gateway.operator.rooms.looking_up import Hit, look_up
from gateway.pages.desk import Desk
from gateway.store.base.errors import TooLong
from mappings.values.uuids import uuid_in

MOST_TEXT = 300
NOTHING = (
    "Niets gevonden. Zoek op een hele uuid, een URL van een document of bronobject, een zaaknummer, of een BSN, RSIN, "
    "KVK- of vestigingsnummer. Is een bron nog niet volledig ingelezen, dan kan het daar wel bestaan."
)
NOBODY = "Van deze persoon is hier niets bewaard."
# What the log of events says of it.
EXPORTED = "alles van een persoon opgeslagen: {}"
TOO_LONG = "Een zaaknummer zoeken duurt in deze opslag te lang; zoek op de uuid of de URL van de zaak."


# By what may stand in the log of events; sources and clients may write other words, which may be anything.
SORTS = ("uuid", "zaaknummer", "bsn", "rsin", "kvk_nummer", "vestigingsnummer", "actoridentificator")


def _trace(hits: list[Hit]) -> str:
    """What the log of events says of a search: by what, and what it showed; never what was asked."""
    if not hits:
        return "gezocht, niets gevonden"
    sorts = sorted({each.by if each.by in SORTS else "nummer" for each in hits})
    return f"gezocht op {', '.join(sorts)}: {', '.join(str(each.uuid) for each in hits)}"


class SearchRoom:
    """The page where one looks things up."""

    def __init__(self, desk: Desk, explainer: Explainer, ingest: Ingest, audit: AuditLog | None) -> None:
        self.desk = desk
        self.ingest = ingest
        self.audit = audit
        self.explainer = explainer
        desk.room("zoeken", self._form, PERSONS)
        desk.form("zoeken", self._found, PERSONS)
        desk.form("zoeken/inzage", self._export, PERSONS)

    def _form(self) -> str:
        return self.desk.page("zoeken", "room_search", told="", hits=[], explained=None)

    def _found(self) -> str | BaseResponse:
        text = request.form.get("zoek", "")[:MOST_TEXT]
        try:
            hits = look_up(self.desk.store, self.ingest, text)
        except TooLong:
            return self.desk.page("zoeken", "room_search", told=TOO_LONG, hits=[], explained=None)
        explained = self.explainer.explain(hits[0].uuid) if len(hits) == 1 else None
        seen = [str(hit.uuid) for hit in hits] + (documents_in(explained) if explained else [])
        note_lookup(self.audit, self.desk.store, "zoeken", self.desk.who(), seen)
        unseen = frozenset().union(*(hit.persons for hit in hits))
        note_persons(self.audit, "zoeken", self.desk.who(), unseen)
        told = "" if hits else NOTHING
        if explained is not None and not explained["found"]:
            told, explained = explained["story"], None
        log_event(_trace(hits if explained or len(hits) > 1 else []))
        return self.desk.page(
            "zoeken",
            "room_search",
            told=told,
            hits=hits if len(hits) > 1 else [],
            explained=explained,
        )

    def _export(self) -> BaseResponse:
        """All that is held of one person, as `klantbrug person export` writes it."""
        uuid = uuid_in(request.form.get("uuid", "")[:MOST_TEXT])
        if uuid is None:
            return self.desk.refused(NOBODY)
        wanted, store = about.by_uuid(uuid), self.desk.store
        told = export(self.desk.config, store, self.ingest, wanted)
        if told is None:
            return self.desk.refused(NOBODY)
        note_persons(self.audit, "person export", self.desk.who(), about.in_the_log(store, wanted))
        log_event(EXPORTED.format(uuid))
        named = ("Content-Disposition", f'attachment; filename="{file_name()}"')
        headers = [*SECURITY, named, ("Cache-Control", "no-store")]
        return Response(as_file(told), 200, headers, content_type="application/json")
