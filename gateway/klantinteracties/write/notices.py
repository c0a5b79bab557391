"""Notifications of writes, put in the outbox in the transaction of the write itself."""

from __future__ import annotations

from gateway.base.clock import now
from gateway.klantinteracties.model.resources import BASE_PATH
from gateway.klantinteracties.read.compose import Json
from gateway.notificaties.message import message
from gateway.store.base.session import Session
from gateway.store.operation import outbox


class Notices:
    """Tells of writes when notifications are on; else does nothing."""

    def __init__(self, public_url: str, *, on: bool) -> None:
        self.on = on
        self._public_url = public_url

    def tell(self, connection: Session, kind: str, action: str, answer: Json) -> None:
        """Put the notification of a write in the outbox. In: the document as the write answers it."""
        if not self.on:
            return
        url = answer["url"]
        if self._public_url:  # whoever takes it need not know the address by which the writer came
            url = f"{self._public_url}{BASE_PATH}{url.rpartition(BASE_PATH)[2]}"
        notification = message(kind, action, url, answer, now())
        if notification is not None:
            outbox.add(connection, notification)
