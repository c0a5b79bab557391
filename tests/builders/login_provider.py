"""A provider of logins over real HTTP: Authlib's server side, that can be told to answer wrongly."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.util import create_half_hash
from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

from gateway.base import clock
from gateway.config.login import LoginSettings

CLIENT_ID, CLIENT_SECRET = "klantbrug", "geheim-van-de-aanbieder"
SUB = "3f1c"


@dataclass
class ProviderUser:
    """Who logs in at the provider, with the claims of the ID token, and those of userinfo."""

    claims: dict[str, Any] = field(
        default_factory=lambda: {"preferred_username": "d.jansen", "roles": ["kb-bediener", "iets anders"]}
    )
    userinfo: dict[str, Any] = field(default_factory=dict)
    sub: str = SUB


@cache
def _key(name: str, *, stranger: bool = False) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


class _Application(ClientMixin):
    """Klantbrug, as its administrator registered it."""

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/inloggen/terug")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return True

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class _Code(AuthorizationCodeMixin):
    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class LoginProvider:
    """Serves in the block. `person` logs in without being asked for anything.

    `spoil` are claims of the ID token that are otherwise than right, None for one that lacks; `discovery` is what it
    says of itself otherwise; `stranger` lets a key sign that it does not show.
    """

    def __init__(self) -> None:
        self.person = ProviderUser()
        self.spoil: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.stranger = False
        self.asked: list[str] = []
        self._key, self._strange = _key("een"), _key("een", stranger=True)
        self._codes: dict[str, _Code] = {}
        self._access: set[str] = set()
        app = self._application()
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/gemeente"

    def settings(self, **more: Any) -> LoginSettings:
        """As much of `[login]` as it takes."""
        known = {
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "kijken": ("kb-kijker",),
            "bedienen": ("kb-bediener",),
            "connect_timeout": 2,
            "read_timeout": 2,
        }
        return LoginSettings(**known | more)

    def turn_key(self) -> None:
        """Sign with another key from now on, of another name."""
        self._key = _key("twee")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _application(self) -> Flask:
        provider = self
        app = Flask("provider")
        server = AuthorizationServer(
            app, query_client=lambda client_id: _Application() if client_id == CLIENT_ID else None
        )
        server.save_token = lambda token, request: provider._access.add(token["access_token"])

        class Codes(AuthorizationCodeGrant):
            def save_authorization_code(self, code: str, request: Any) -> None:
                data = request.payload.data
                provider._codes[code] = _Code(
                    code,
                    request.payload.redirect_uri,
                    request.payload.scope,
                    data.get("nonce", ""),
                    data["code_challenge"],
                    data["code_challenge_method"],
                )

            def query_authorization_code(self, code: str, client: Any) -> _Code | None:
                return provider._codes.get(code)

            def delete_authorization_code(self, authorization_code: _Code) -> None:
                provider._codes.pop(authorization_code.code)

            def authenticate_user(self, authorization_code: _Code) -> ProviderUser:
                return provider.person

        class IdTokens(OpenIDCode):
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return False

            def encode_id_token(self, token: Any, request: Any) -> str:
                now, person = int(clock.seconds()), provider.person
                claims = {
                    "iss": provider.issuer,
                    "aud": CLIENT_ID,
                    "iat": now,
                    "exp": now + 300,
                    "sub": person.sub,
                    "at_hash": create_half_hash(token["access_token"], "RS256").decode(),
                    **self.get_authorization_code_claims(request.authorization_code),
                    **person.claims,
                    **provider.spoil,
                }
                told = {name: value for name, value in claims.items() if value is not None}
                key = provider._strange if provider.stranger else provider._key
                return jwt.encode({"alg": "RS256", "kid": provider._key.kid}, told, key, ["RS256"])

        server.register_grant(Codes, [IdTokens(require_nonce=True), CodeChallenge(required=True)])

        @app.before_request
        def note() -> None:
            provider.asked.append(request.path)

        @app.get("/gemeente/.well-known/openid-configuration")
        def discovery() -> Response:
            base = provider.issuer
            said = {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/keys",
                "userinfo_endpoint": f"{base}/userinfo",
                "end_session_endpoint": f"{base}/logout",
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
            return jsonify(said | provider.discovery)

        @app.get("/gemeente/keys")
        def keys() -> Response:
            return jsonify(KeySet([provider._key]).as_dict(private=False))

        @app.get("/gemeente/authorize")
        def authorize() -> Response:
            grant = server.get_consent_grant(end_user=provider.person)
            answer: Response = server.create_authorization_response(grant=grant, grant_user=provider.person)
            return answer

        @app.post("/gemeente/token")
        def token() -> Response:
            answer: Response = server.create_token_response()
            return answer

        @app.get("/gemeente/userinfo")
        def userinfo() -> Any:
            shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if shown not in provider._access:
                return "", 401
            return {"sub": provider.person.sub} | provider.person.userinfo

        @app.get("/gemeente/logout")
        def logout() -> Any:
            return redirect(request.args["post_logout_redirect_uri"], 303)

        return app
