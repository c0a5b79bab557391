"""Logboek: what operators did, newest first, page by page; with who logged in and out when that is asked."""

from __future__ import annotations

from flask import request

from gateway.pages.desk import Desk
from gateway.pages.numbers import whole
from gateway.store.operation import events

SHOWN = 100


class LogbookRoom:
    """The page of the log of events."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("logboek", self._shown)

    def _shown(self) -> str:
        before, logins = whole(request.args.get("voor", "")), "inloggen" in request.args
        with self.desk.store.read() as connection:
            log, onward = events.page(connection, before, SHOWN, logins=logins)
        return self.desk.page(
            "logboek", "room_logbook", log=log, onward=onward, later=before is not None, logins=logins
        )
