"""How often a wrong password may be given: of one account, and from one address, over all processes and gateways.

A try is counted before the password is looked at, so that many at once count too. The right one takes its account's
count away. What is kept of names and addresses are keyed digests.
"""

from __future__ import annotations

from hashlib import blake2b
from math import ceil

from gateway.base.clock import now
from gateway.http.wrong_tokens import site_of
from gateway.store.base.store import Store
from gateway.store.login import attempts

WINDOW_SECONDS = 15 * 60
# An account that is guessed at from many places is closed for the window; a link or the provider still lets in who
# has it.
OF_ACCOUNT, OF_ADDRESS = 10, 20


class Throttle:
    """Counts tries to log in with a password."""

    def __init__(self, store: Store, secret: str) -> None:
        """In: `secret` keys the digests; it must be the same for all processes."""
        self._store = store
        self._key = blake2b(secret.encode(), digest_size=32, person=b"klantbrug login").digest()

    def take(self, name: str, address: str) -> int:
        """Count a try. Out: 0 when the password may be looked at, else after how many seconds there may be another."""
        window, moment = WINDOW_SECONDS * 1_000_000, now()
        counted = ((self._account(name), OF_ACCOUNT), (self._address(address), OF_ADDRESS))
        with self._store.write(synced=False) as connection:
            ends = [
                end
                for who, most in counted
                for count, end in [attempts.failures(connection, who, window)]
                if count >= most
            ]
            if ends:  # not counted: the window is not made longer by who goes on
                return max(1, ceil((max(ends) - moment) / 1_000_000))
            for who, _ in counted:
                attempts.note_failure(connection, who, window)
        return 0

    def right(self, name: str) -> None:
        """The password was right."""
        with self._store.write(synced=False) as connection:
            attempts.forget_failures(connection, self._account(name))

    def _account(self, name: str) -> bytes:
        return self._digest(f"account {name}")

    def _address(self, address: str) -> bytes:
        return self._digest(f"address {site_of(address)}")

    def _digest(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "replace"), digest_size=16, key=self._key).digest()
