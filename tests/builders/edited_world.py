"""A register that legacy objects are put into by hand, with a client that writes over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from builders.configs import UUID_SECRET
from builders.writer import Writer, without_source

from gateway.ingest.ingest import Ingest
from gateway.store.inspect.dump import dump_lines
from jobs.rebuild.rebuild import Rebuild
from mappings.model.settings import Settings

Raw = dict[str, Any]
PATHS = (
    *(
        "actoren",
        "actorklantcontacten",
        "betrokkenen",
        "digitaleadressen",
        "klantcontacten",
        "onderwerpobjecten",
    ),
    *("partijen", "partij-identificatoren", "vertegenwoordigingen"),
)
SETTINGS = Settings("zaakvertrouwelijk")


class World:
    """A register that legacy objects are put into by hand, with a client that writes over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.client = Writer(without_source(folder))
        self.store = self.client.installation.store
        self.ingest = Ingest(self.store, SETTINGS, UUID_SECRET)

    def take(self, *raws: Raw) -> None:
        for kind, sign in (
            ("zaak", "registratiedatum"),
            ("rol", "betrokkeneType"),
            ("klantcontact", "datumtijd"),
        ):
            found = [raw for raw in raws if sign in raw and (kind != "zaak" or "zaaktype" in raw)]
            if found:
                self.ingest.take("bron", kind, found, asked=0)

    def write(self, method: str, path: str, body: Any = None) -> Raw:
        answer = self.client.send(method, path, body)
        assert answer.status_code in (200, 201, 204), answer.text
        return dict(answer.get_json() or {})

    def one(self, path: str, **query: str) -> Raw:
        (found,) = self.all(path, **query)
        return found

    def all(self, path: str, **query: str) -> list[Raw]:
        found = self.client.get(path, pageSize="500", **query).get_json()["results"]
        return [{name: value for name, value in each.items() if name != "_expand"} for each in found]

    def there(self, path: str, uuid: str) -> bool:
        return bool(self.client.get(f"{path}/{uuid}").status_code == 200)

    def seen(self) -> dict[str, list[Raw]]:
        """All that clients see."""
        return {path: sorted(self.all(path), key=lambda each: each["uuid"]) for path in PATHS}

    def findings(self, rule: str) -> list[Raw]:
        """What was found of objects by a rule."""
        lines = map(orjson.loads, dump_lines(self.store))
        return [line for line in lines if line["t"] == "finding" and line["rule"] == rule and "uuid" in line]

    def rebuild(self) -> None:
        Rebuild(self.store, self.ingest).run()

    def partij(self, bsn: str) -> str:
        return str(self.one("partijen", partijIdentificator__objectId=bsn)["uuid"])


def ref(uuid: str) -> dict[str, str]:
    """A reference as a client writes it."""
    return {"uuid": uuid}
