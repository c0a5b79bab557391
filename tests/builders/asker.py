"""Clients of the served API, in this process."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from builders.served_store import settings
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.installation import Installation
from gateway.klantinteracties.model.freshness import Hydrator
from gateway.login.links import new_link
from gateway.login.roles import LOOK

API = "/klantinteracties/api/v1"


class Asker:
    """A client of the served API, in this process."""

    def __init__(self, installation: Installation) -> None:
        self.hydrator: Any = installation.hydrator()
        self.store = installation.store
        app = create_app(installation.config, store=installation.store, hydrator=self.hydrator)
        self.client: FlaskClient = app.test_client()
        self.token = create_token(installation.store, f"asker-{uuid4()}", "read")

    def get(self, path: str, **query: str) -> Any:
        """The answer to GET path?query."""
        headers = {"Authorization": f"Token {self.token}"}
        return self.client.get(f"{API}/{path}", query_string=query, headers=headers)

    def page(self) -> str:
        """The page Overzicht, as an operator sees it."""
        link = new_link(self.store, settings(self.store.path).gateway, "kijker", [LOOK], "test")
        assert self.client.get(urlsplit(link).path).status_code == 303
        answer = self.client.get("/")
        assert answer.status_code == 200
        return answer.get_data(as_text=True)


def write_client(installation: Installation, hydrator: Hydrator) -> tuple[FlaskClient, dict[str, str]]:
    """A client of the served API that may write, with the headers of its requests."""
    app = create_app(installation.config, store=installation.store, hydrator=hydrator)
    token = create_token(installation.store, f"writer-{uuid4()}", "write")
    return app.test_client(), {"Authorization": f"Token {token}"}
