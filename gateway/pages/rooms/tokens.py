"""Tokens: which there are and how they are used; make one, replace one under the same name, end one.

The answer with a new token is the only page that is no redirect: it is shown once and kept nowhere.
"""

from __future__ import annotations

from flask import request
from werkzeug import Response as BaseResponse

from gateway.http.auth import TokenError, create_token, rotate_token
from gateway.http.scopes import ANY, IMPLIES, PERSONAL, READ, opens
from gateway.klantinteracties.model.resources import PATHS
from gateway.login.guard import page as plain_page
from gateway.login.roles import PERSONS
from gateway.operator.rooms import tokens
from gateway.operator.rooms.notes import note
from gateway.operator.rooms.tokens import NoDay
from gateway.pages.desk import Desk
from gateway.pages.numbers import whole

SCOPES = {
    "read": "klanten en contacten lezen",
    "write": "lezen en schrijven",
    "operate": "Klantbrug bedienen; ziet geen klanten",
    "monitor": "alleen aantallen zien",
}
NOT_ABOUT_PERSONS = f"Een token waarmee persoonsgegevens te lezen zijn, vraagt ook de rol {PERSONS}"
MOST_OVERLAP = 30 * 24


class TokensRoom:
    """The page of the tokens."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.room("tokens", self._shown)
        desk.form("tokens", self._make)
        desk.form("tokens/vervangen", self._rotate)
        desk.form("tokens/intrekken", self._revoke)

    def _shown(self, wrong: str = "", secret: str = "", name: str = "") -> str:
        return self.desk.page(
            "tokens",
            "room_tokens",
            rows=tokens.listing(self.desk.store),
            scopes={
                scope: text
                for scope, text in SCOPES.items()
                if scope not in PERSONAL or self.desk.may(PERSONS)
            },
            resources=sorted(PATHS),
            most=MOST_OVERLAP,
            wrong=wrong,
            secret=secret,
            name=name,
        )

    def _make(self) -> BaseResponse:
        form = request.form
        name = form.get("naam", "").strip()
        chosen = [scope for scope in form.getlist("scope") if scope in IMPLIES]
        scope = tokens.scopes_of(chosen, form.get("resource", ""))
        if self._beyond(scope):
            return self._wrong(NOT_ABOUT_PERSONS, 403)
        try:
            secret = create_token(self.desk.store, name, scope, tokens.end_of_day(form.get("tot", "")), PATHS)
        except (TokenError, NoDay) as error:
            return self._wrong(error)
        note(self.desk.store, f"token {name} gemaakt ({scope})", self.desk.who(), self.desk.why())
        return plain_page(self._shown(secret=secret, name=name))

    def _rotate(self) -> BaseResponse:
        form = request.form
        name, hours = form.get("naam", ""), whole(form.get("uren", "").strip() or "0", MOST_OVERLAP)
        if hours is None:
            return self._wrong(f"Schrijf een aantal uren van 0 tot {MOST_OVERLAP}.")
        if self._beyond(tokens.scope_of(self.desk.store, name)):
            return self._wrong(NOT_ABOUT_PERSONS, 403)
        try:
            secret = rotate_token(self.desk.store, name, hours * 3600, tokens.end_of_day(form.get("tot", "")))
        except (TokenError, NoDay) as error:
            return self._wrong(error)
        what = f"token {name} vervangen, het oude werkt nog {hours} uur"
        note(self.desk.store, what, self.desk.who(), self.desk.why())
        return plain_page(self._shown(secret=secret, name=name))

    def _revoke(self) -> BaseResponse:
        if not tokens.revoke(self.desk.store, request.form.get("naam", ""), self.desk.who(), self.desk.why()):
            return self._wrong("Er is geen token in gebruik met deze naam.")
        return self.desk.did("tokens", "token")

    def _beyond(self, scope: str) -> bool:
        """Would whoever asks read of persons by such a token what the pages don't show that one?"""
        return opens(scope, READ, ANY) and not self.desk.may(PERSONS)

    def _wrong(self, error: object, status: int = 409) -> BaseResponse:
        text = str(error)
        return self.desk.answer(self._shown(wrong=f"{text[:1].upper()}{text[1:].rstrip('.')}."), status)
