"""An operator: runs commands and asks the API of operators, of a store into which objects are put."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders.commands import command
from builders.configs import read_config, write_config
from builders.register import kind_of
from click.testing import Result

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.installation import open_installation
from gateway.operator.check import Level, SourceReport


class Operator:
    """A configuration with its store, what is put in it, and who asks: the command, and the API."""

    def __init__(self, folder: Path) -> None:
        self.config = write_config(folder, {})
        self.config.write_text(self.config.read_text().replace("[[source]]", ""))
        self.installation = open_installation(read_config(self.config))
        self.store = self.installation.store
        self.api = create_app(self.installation.config, store=self.store).test_client()
        self.tokens = {
            scope: create_token(self.store, scope, scope)
            for scope in ("read", "operate", "write", "read operate")
        }

    def take(self, *raws: dict[str, Any], source: str = "bron") -> None:
        for kind in ("zaak", "rol", "klantcontact"):
            objects = [raw for raw in raws if kind_of(raw) == kind]
            self.installation.ingest.take(source, kind, objects, asked=0)

    def run(self, *arguments: str, code: int = 0) -> Result:
        done = command(self.config, *arguments)
        assert done.exit_code == code, done.output
        return done

    def get(self, path: str, scope: str = "read operate", **query: str) -> Any:
        headers = {"Authorization": f"Token {self.tokens[scope]}"}
        return self.api.get(f"/beheer/api/v1/{path}", headers=headers, query_string=query)

    def explain(self, uuid: object) -> list[dict[str, Any]]:
        answer = self.get(f"explain/{uuid}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.get_json()["found"]
        return found

    def only(self, kind: str) -> str:
        """The uuid of the one document of a kind."""
        path = {"partij": "partijen", "digitaleadres": "digitaleadressen", "actor": "actoren"}.get(kind, kind)
        listed = self.api.get(
            f"/klantinteracties/api/v1/{path}", headers={"Authorization": f"Token {self.tokens['read']}"}
        ).get_json()
        assert listed["count"] == 1
        uuid: str = listed["results"][0]["uuid"]
        return uuid

    def send(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.tokens['write']}"}
        return self.api.open(f"/klantinteracties/api/v1/{path}", method=method, headers=headers, json=body)


def field(item: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for group in item["groups"] for each in group["fields"] if each["field"].endswith(name)]
    return found


def group(item: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in item["groups"] if each["group"] == name]
    return found


def said(report: SourceReport, level: Level) -> str:
    """What a check says of a source at a level."""
    return "\n".join(line.text for line in report.lines if line.level is level)
