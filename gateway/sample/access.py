"""Who may see what: the JWT of a request, and the limits of the application behind it.

Source: legacy-behaviour.md 13 and 14. Every refusal is 403; only `code` tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from gateway.sample.contents.confidentiality import RANKS
from gateway.sample.problems import Refusal, forbidden

TOKEN_LIFETIME = 3600


@dataclass(frozen=True)
class Application:
    """A client: its credentials, how confidential the zaken are that it may see, and which other APIs it may ask.

    `catalogi` is the Catalogi API, `earlier` the Klanten and Contactmomenten API; they hide no single objects.
    `writes` is the right to change anything (zaken.bijwerken and its kin), `closed` that to change what hangs on a
    closed zaak too (zaken.geforceerd-bijwerken); `refused` are rights that it misses of one kind, as "PATCH klant".
    """

    client_id: str
    secret: str
    max_vertrouwelijkheidaanduiding: str = "zeer_geheim"
    catalogi: bool = True
    earlier: bool = True
    writes: bool = True
    closed: bool = True
    refused: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_vertrouwelijkheidaanduiding not in RANKS:
            raise ValueError("max_vertrouwelijkheidaanduiding is none of the eight of the standard")

    @property
    def max_rank(self) -> int:
        """The rank of the most confidential zaak that this application sees."""
        return RANKS[self.max_vertrouwelijkheidaanduiding]

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from this application."""
        return self.max_rank == len(RANKS) - 1


def authenticate(
    authorization: str | None, applications: Mapping[str, Application], now: float
) -> Application:
    """The application that an Authorization header speaks for; Refusal (403) with the code of the cause."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer" or not token:
        raise forbidden()
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.DecodeError:
        raise forbidden(
            "jwt-decode-error",
            "Het JWT kon niet gedecodeerd worden. Mogelijks heb je een copy-paste fout gemaakt",
        ) from None
    if "client_id" not in claims:
        raise forbidden("missing-client-identifier", "Client identifier is niet aanwezig in JWT")
    application = applications.get(str(claims["client_id"]))
    if application is None:
        raise forbidden("invalid-client-identifier", "Client identifier bestaat niet")
    _verify(token, application, now)
    return application


def has_exp(authorization: str | None) -> bool:
    """Does the token of this Authorization header say until when it holds?"""
    token = (authorization or "").partition(" ")[2]
    return "exp" in jwt.decode(token, options={"verify_signature": False})


def _verify(token: str, application: Application, now: float) -> None:
    try:
        claims = jwt.decode(
            token,
            application.secret,
            algorithms=["HS256"],
            # The real server accepts a token from the future and measures age by its own clock.
            options={"verify_iat": False, "verify_aud": False, "verify_exp": False},
        )
    except jwt.InvalidSignatureError:
        raise forbidden("invalid-jwt-signature", "Client credentials zijn niet geldig") from None
    except jwt.InvalidTokenError as error:
        raise _invalid(type(error).__name__) from None
    if isinstance(claims.get("exp"), int | float) and claims["exp"] < now:
        raise _invalid("ExpiredSignatureError")
    if not isinstance(claims.get("iat"), int | float):
        raise forbidden("jwt-missing-iat-claim", "Missing required iat claim")
    if claims["iat"] + TOKEN_LIFETIME < now:
        raise forbidden("jwt-expired", "De JWT die gebruikt is voor dit verzoek is verlopen")


def _invalid(cause: str) -> Refusal:
    return forbidden(f"jwt-{cause.lower()}", "JWT is niet valide")
