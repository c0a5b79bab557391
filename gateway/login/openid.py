"""Logging in at the provider: where a browser is sent, and who came back (OpenID Connect, code flow with PKCE)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from authlib.integrations.requests_client.oauth2_session import OAuth2ClientAuth
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from gateway.base import clock
from gateway.base.outgoing import Bearer
from gateway.login.accounts import LONGEST_NAME
from gateway.login.provider import About, Provider, ProviderAway, told
from gateway.login.roles import LOOK, PERSONS, STEER, complete
from gateway.store.login.sessions import Entrant

BY_PROVIDER = "aanbieder"
# So many seconds may clocks differ.
LEEWAY = 60


class NotAccepted(Exception):
    """What came back is not what was asked for; `cause` is a word for the log."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class NoRole(Exception):
    """The provider knows who it is, but nothing in the claim lets that one in."""


class AuthorizationRequest(NamedTuple):
    """What was asked of the provider, and must fit with what comes back."""

    back: str  # the address at which the browser comes back
    state: str
    nonce: str
    verifier: str


class _Client(OAuth2Client):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client, that shows our secret as requests wants it."""

    client_auth_class = OAuth2ClientAuth


class OpenId:
    """Sends browsers to the provider, and knows who comes back."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._settings = provider.settings

    def address(self, asked: AuthorizationRequest) -> str:
        """Where the browser must go. Raises ProviderAway."""
        about = self._provider.about()
        url, _ = self._client(about, asked.back).create_authorization_url(
            about.endpoints["authorization_endpoint"],
            state=asked.state,
            nonce=asked.nonce,
            code_verifier=asked.verifier,
        )
        return str(url)

    def identify(self, asked: AuthorizationRequest, given: Mapping[str, str]) -> Entrant:
        """Who came back, with what stood in the address.

        Raises ProviderAway, NotAccepted for an answer that is not to this question, NoRole.
        """
        about = self._provider.about()
        issuer = given.get("iss", "" if about.names_itself else self._settings.issuer)
        if issuer != self._settings.issuer:
            raise NotAccepted("answer of another issuer")
        if "error" in given or not given.get("code"):
            raise NotAccepted("refused by the provider")
        tokens = self._exchange(about, asked, given["code"])
        claims = self._judged(about, tokens, asked.nonce)
        if _at(claims, self._settings.claim) is None:
            claims = self._more(about, tokens, claims)
        roles = self._roles(claims)
        if not roles:
            raise NoRole
        return Entrant(self._name(claims), roles, BY_PROVIDER)

    def logout_address(self, back: str) -> str | None:
        """Where a browser ends its session at the provider; None when there is no such place now."""
        try:
            where = self._provider.about().endpoints.get("end_session_endpoint")
        except ProviderAway:
            return None
        if where is None:
            return None
        # Without the ID token as a hint: it holds who it is, and would stand in an address.
        query = urlencode({"client_id": self._settings.client_id, "post_logout_redirect_uri": back})
        return f"{where}{'&' if '?' in where else '?'}{query}"

    def _client(self, about: About, back: str) -> OAuth2Client:
        return _Client(
            self._provider.calls,
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret,
            token_endpoint_auth_method="client_secret_post" if about.by_post else "client_secret_basic",
            scope=self._settings.scopes,
            redirect_uri=back,
            code_challenge_method="S256",
        )

    def _exchange(self, about: About, asked: AuthorizationRequest, code: str) -> Mapping[str, Any]:
        try:
            with told():
                tokens: Mapping[str, Any] = self._client(about, asked.back).fetch_token(
                    about.endpoints["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=asked.verifier,
                )
        except OAuth2Error:
            raise NotAccepted("the provider does not take the code") from None
        except ValueError:
            raise ProviderAway("no tokens") from None
        return tokens

    def _judged(self, about: About, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token, when the provider signed it for us, now, and for this question."""
        raw = tokens.get("id_token")
        if not isinstance(raw, str):
            raise NotAccepted("no ID token")
        try:
            kid = extract_compact(raw.encode()).headers().get("kid")
            token = self._verified(raw, kid if isinstance(kid, str) else None, about)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self._settings.issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                    "exp": {"essential": True},
                },
                params={
                    "nonce": nonce,
                    "client_id": self._settings.client_id,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=int(clock.seconds()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            raise NotAccepted(
                f"ID token: {type(error).__name__} {getattr(error, 'claim', '')}".strip()
            ) from None
        return dict(claims)

    def _verified(self, raw: str, kid: str | None, about: About) -> jwt.Token:
        """The token, as one of the provider's keys signed it."""
        wrong: Exception = NotAccepted("signed with no key of the provider")
        for key in self._provider.keys(kid):
            try:
                return jwt.decode(raw, key, algorithms=list(about.algorithms))
            except (JoseError, ValueError, TypeError) as error:
                wrong = error
        raise wrong

    def _more(self, about: About, tokens: Mapping[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """The claims with what the provider tells apart (userinfo), where it does."""
        url, access = about.endpoints.get("userinfo_endpoint"), tokens.get("access_token")
        if url is None or not isinstance(access, str):
            return claims
        more = self._provider.calls.get(url, auth=Bearer(access))
        if more.get("sub") != claims["sub"]:
            raise NotAccepted("userinfo of somebody else")
        return more | claims

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[str]:
        found = _at(claims, self._settings.claim)
        held = (
            {found} if isinstance(found, str) else set(map(str, found)) if isinstance(found, list) else set()
        )
        wanted = {
            LOOK: self._settings.kijken,
            STEER: self._settings.bedienen,
            PERSONS: self._settings.personen_inzien,
        }
        return complete(role for role, values in wanted.items() if held & set(values))

    def _name(self, claims: Mapping[str, Any]) -> str:
        """The name for the log of events; where there is none, the provider's own id."""
        name = _at(claims, self._settings.name_claim)
        text = name.strip() if isinstance(name, str) else ""
        return (
            text
            if text.isprintable() and 0 < len(text) <= LONGEST_NAME
            else str(claims["sub"])[:LONGEST_NAME]
        )


def _at(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, which may be an address with dots; else by its path. None when it is not there."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found
