"""Notifications in: what a Notificaties API posts to /notificaties/callback about changes at the sources.

A message is a hint, queued for a job: the answer comes at once, and nothing is fetched here.
Source: contracts/notificaties-consumer.yaml; legacy-behaviour 10.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask, Response, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from gateway.base.clock import now
from gateway.config.model import Config, Source
from gateway.http import problems
from gateway.http.problems import InvalidParam
from gateway.http.request_body import read_json
from gateway.http.responses import as_response, empty_reply
from gateway.store.base.store import Store
from gateway.store.operation import following, inbox
from gateway.store.operation.sources import source_id
from mappings.identity.urls import uuid_under
from mappings.standards import KINDS
from mappings.standards.declaration import ZAKEN

PATH = "/notificaties/callback"
KANAAL = "zaken"
RESOURCES = tuple(kind.name for kind in KINDS.values() if kind.api == ZAKEN)
FOREIGN, DROPPED = "foreign", "dropped"
NO_ROOM = "er kwamen meer notificaties dan er konden wachten"


class Notificatie(Schema):
    """A message, as far as the standard wants it to be complete. More than this is left unread."""

    class Meta:
        unknown = EXCLUDE

    kanaal = fields.String(required=True, validate=validate.Length(1, 50))
    hoofdObject = fields.String(required=True, validate=validate.Length(1, 1000))
    resource = fields.String(required=True, validate=validate.Length(1, 100))
    resourceUrl = fields.String(required=True, validate=validate.Length(1, 1000))
    actie = fields.String(required=True, validate=validate.Length(1, 100))
    aanmaakdatum = fields.DateTime(required=True)


SCHEMA = Notificatie()


class MessageSubject(NamedTuple):
    """What a message is about: an object of a source, and its zaak when the message names one of that source."""

    source: str
    kind: str
    uuid: UUID
    zaak: UUID | None


def hint_of(message: Mapping[str, Any], sources: Iterable[Source]) -> MessageSubject | None:
    """What a message on the kanaal zaken is about; None when no source has an object at that address."""
    kind = message["resource"]
    for source in sources:
        uuid = _object_of(source, kind, message["resourceUrl"])
        if uuid is not None:
            return MessageSubject(source.name, kind, uuid, _object_of(source, "zaak", message["hoofdObject"]))
    return None


def _object_of(source: Source, kind: str, url: str) -> UUID | None:
    """The uuid in the address of an object of this kind at this source; None for any other address."""
    return uuid_under(url, f"{source.zaken_url}{KINDS[kind].path}")


class Callback:
    """The endpoint, over one store."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._sources = config.sources
        self._token = config.notifications.callback_token.encode()

    def register(self, app: Flask) -> None:
        """Add the path to an application; without a configured token there is none."""
        if self._token:
            app.add_url_rule(
                PATH,
                "notificaties_callback",
                self._receive,
                methods=["POST"],
                provide_automatic_options=False,
            )

    def _receive(self) -> Response:
        # The last word: whether Bearer, Token or nothing stands before it was up to who made the abonnement.
        given = request.headers.get("Authorization", "").rpartition(" ")[2]
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token):
            raise problems.permission_denied()
        message = _load(read_json(request))
        if message["kanaal"] == KANAAL and message["resource"] in RESOURCES:
            self._keep(hint_of(message, self._sources))
        return as_response(empty_reply())

    def _keep(self, told: MessageSubject | None) -> None:
        with self._store.write() as connection:
            if told is None:
                inbox.count(connection, FOREIGN)
                return
            source, moment = source_id(connection, told.source), now()
            zaak = told.zaak.bytes if told.zaak and told.kind != "zaak" else None
            if not inbox.put(connection, source, told.kind, told.uuid.bytes, zaak, moment):
                inbox.count(connection, DROPPED)
                following.ask_hurry(connection, source, moment, NO_ROOM)


def _load(body: Any) -> dict[str, Any]:
    """A judged message. Raises a 400 Problem that says what is wrong with which field."""
    if not isinstance(body, dict):
        raise problems.invalid(InvalidParam("nonFieldErrors", "invalid", "Ongeldige data."))
    try:
        return dict(SCHEMA.load(body))
    except ValidationError as error:
        wrong = sorted(map(str, error.messages_dict))
        raise problems.invalid(
            *(
                InvalidParam(name, "invalid", "Dit veld is niet geldig.")
                if name in body
                else InvalidParam(name, "required", "Dit veld is vereist.")
                for name in wrong
            )
        ) from None
