"""The JWT with which a source knows us: HS256, made anew before it expires."""

import threading
import warnings

import jwt

from gateway.base.clock import seconds
from gateway.config.model import Source

# A short secret is the source's choice; `klantbrug check` tells the operator, each token need not.
warnings.filterwarnings("ignore", message="The HMAC key is", module="jwt")

# The standard's tokens live 3,600 seconds after iat.
LIFETIME = 3600
RENEW_AFTER = 50 * 60.0
# A token refused this young is not too old: the clocks differ, and renewing faster would not help.
_TOO_YOUNG = 10.0


class Tokens:
    """Gives the current token of one source; safe to use from several threads."""

    def __init__(self, source: Source) -> None:
        self._claims = {"iss": source.client_id, "client_id": source.client_id}
        if source.user_id:
            self._claims["user_id"] = source.user_id
        if source.user_representation:
            self._claims["user_representation"] = source.user_representation
        self._secret = source.secret
        self._exp = source.jwt_exp
        self._lock = threading.Lock()
        self._token = ""
        self._made = 0.0
        self.renew_after = RENEW_AFTER

    def current(self) -> str:
        """A token that is not due for renewal."""
        with self._lock:
            now = seconds()
            # A clock that was set back also asks for a new one.
            if not self._token or not 0 <= now - self._made < self.renew_after:
                self._made = now
                claims = {**self._claims, "iat": int(now)}
                if self._exp:
                    claims["exp"] = int(now) + LIFETIME
                self._token = jwt.encode(claims, self._secret, algorithm="HS256")
            return self._token

    def expired(self, token: str) -> None:
        """Tell that the source called this token expired: the next one is new.

        Its age shows how long tokens live there, so later ones are renewed at half of that.
        """
        with self._lock:
            if token != self._token:
                return  # another thread has told already
            age = seconds() - self._made
            if age > _TOO_YOUNG:
                self.renew_after = min(self.renew_after, age / 2)
            self._token = ""
