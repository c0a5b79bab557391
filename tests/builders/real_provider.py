"""A real OpenID Connect provider on loopback: npm `oidc-provider`, as tests/tools/oidc locks it."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any, Self

import pytest
from builders.paths import ROOT

from gateway.config.login import LoginSettings

FOLDER = ROOT / "tests" / "tools" / "oidc"
CLIENT_ID, CLIENT_SECRET = "klantbrug", "geheim-van-de-aanbieder"
# Who has an account there, and what the provider tells of that one.
USERS = {
    "anna": {"preferred_username": "a.bakker", "roles": ["kb-bediener", "kb-persoon", "iets anders"]},
    "kees": {"preferred_username": "k.visser", "roles": ["kb-kijker"]},
    "bezoeker": {"preferred_username": "b.zoeker", "roles": ["iets anders"]},
}


def needs_provider() -> None:
    """Have it here: fetched with npm as the lock names it, when that can be. Else the test is skipped."""
    if not shutil.which("node"):
        pytest.skip("there is no node on this machine")
    if not (FOLDER / "node_modules" / "oidc-provider").exists() and shutil.which("npm"):
        subprocess.run(
            ["npm", "ci", "--prefix", str(FOLDER), "--no-audit", "--no-fund"],
            check=False,
            capture_output=True,
            timeout=300,
        )
    if not (FOLDER / "node_modules" / "oidc-provider").exists():
        pytest.skip("npm reaches no registry: npm ci --prefix tests/tools/oidc")


class RealProvider:
    """Serves in the block, for one gateway. In: where that is; `in_id_token` is whether claims stand there too."""

    def __init__(self, base: str, *, in_id_token: bool = False) -> None:
        asked = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "base": base,
            "users": USERS,
            "in_id_token": in_id_token,
        }
        self._process = subprocess.Popen(
            ["node", str(FOLDER / "provider.mjs"), json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it warns that it is no production
            text=True,
        )
        self.issuer = self._heard()

    def settings(self, **more: Any) -> LoginSettings:
        """As much of `[login]` as it takes."""
        known = {
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "kijken": ("kb-kijker",),
            "bedienen": ("kb-bediener",),
            "personen_inzien": ("kb-persoon",),
        }
        return LoginSettings(**known | more)

    def spoil(self, **claims: Any) -> None:
        """Have these claims of ID tokens otherwise than right, from now on; None is one that lacks."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(claims)}\n")
        self._process.stdin.flush()
        assert self._heard() == "gehoord"

    def stop(self) -> None:
        """Be away."""
        self._process.kill()
        self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
