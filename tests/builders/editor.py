"""A client that writes, and the smallest bodies that the API takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from builders.served_store import API, Client, Got

NOBODY = "00000000-0000-4000-8000-000000000000"
BSN, OTHER_BSN = "296648875", "999990019"
RSIN, KVK, VESTIGING = "296648875", "12345678", "000037178601"

KLANTCONTACT: dict[str, Any] = {
    "kanaal": "balie",
    "onderwerp": "Paspoort",
    "taal": "nld",
    "vertrouwelijk": False,
}
PERSOON: dict[str, Any] = {"soortPartij": "persoon", "indicatieActief": True}
ORGANISATIE: dict[str, Any] = {
    "soortPartij": "organisatie",
    "indicatieActief": True,
    "partijIdentificatie": {"naam": "Bakkerij"},
}
EMAIL: dict[str, Any] = {
    "adres": "iemand@example.nl",
    "soortDigitaalAdres": "email",
    "verstrektDoorPartij": None,
}


def ref(shown: dict[str, Any] | None) -> dict[str, str] | None:
    """A reference to what an answer shows; to nothing when there is none."""
    return None if shown is None else {"uuid": shown["uuid"]}


def identificator(soort: str, number: str, **rest: Any) -> dict[str, Any]:
    """The body of a partij-identificator of this soort."""
    return {"partijIdentificator": codes(soort, number), **rest}


def codes(soort: str, number: str) -> dict[str, str]:
    """The group of an identificator of this soort."""
    register, objecttype = {
        "bsn": ("brp", "natuurlijk_persoon"),
        "rsin": ("hr", "niet_natuurlijk_persoon"),
        "kvk_nummer": ("hr", "niet_natuurlijk_persoon"),
        "vestigingsnummer": ("hr", "vestiging"),
    }[soort]
    return {
        "codeRegister": register,
        "codeObjecttype": objecttype,
        "codeSoortObjectId": soort,
        "objectId": number,
    }


@dataclass(frozen=True)
class Editor:
    """Writes JSON, and gives what was answered after checking the status that is expected."""

    client: Client

    def send(self, method: str, path: str, data: Any = None, **headers: str) -> Got:
        """Any request; `data` as JSON, unless it is bytes already."""
        body = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
        sent = {"Authorization": f"Token {self.client.token}", "Content-Type": "application/json", **headers}
        return self.client.send(method, path, sent, body)

    def get(self, path: str) -> Any:
        got = self.client.get(path)
        assert got.status == 200, got.status
        return got.json

    def count(self, path: str) -> int:
        count: int = self.get(path)["count"]
        return count

    def make(self, path: str, data: dict[str, Any]) -> Any:
        """POST that must succeed."""
        got = self.send("POST", f"/{path}", data)
        assert got.status == 201, [param["name"] for param in got.json.get("invalidParams", [])]
        return got.json

    def patch(self, path: str, shown: dict[str, Any], data: dict[str, Any]) -> Any:
        """PATCH that must succeed."""
        got = self.send("PATCH", f"/{path}/{shown['uuid']}", data)
        assert got.status == 200, [param["name"] for param in got.json.get("invalidParams", [])]
        return got.json

    def put(self, path: str, shown: dict[str, Any], data: dict[str, Any]) -> Any:
        """PUT that must succeed."""
        got = self.send("PUT", f"/{path}/{shown['uuid']}", data)
        assert got.status == 200, [param["name"] for param in got.json.get("invalidParams", [])]
        return got.json

    def delete(self, path: str, shown: dict[str, Any]) -> None:
        """DELETE that must succeed."""
        got = self.send("DELETE", f"/{path}/{shown['uuid']}")
        assert (got.status, got.raw) == (204, b"")

    def again(self, path: str, shown: dict[str, Any]) -> Any:
        """The object as it is now."""
        return self.get(f"/{path}/{shown['uuid']}")

    def gone(self, path: str, shown: dict[str, Any]) -> bool:
        return self.client.get(f"/{path}/{shown['uuid']}").status == 404

    def refused(self, method: str, path: str, data: Any) -> list[tuple[str, str]]:
        """Names and codes of what is wrong with a request that must be refused with 400."""
        got = self.send(method, path, data)
        assert got.status == 400, got.status
        return [(param["name"], param["code"]) for param in got.json["invalidParams"]]

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        """Whatever happens inside, every list is afterwards as it was before."""
        before = self.everything()
        yield
        assert self.everything() == before, "something was written"

    def everything(self) -> dict[str, Any]:
        paths = sorted(self.get(f"{API}/").keys() - {"maak-klantcontact"})
        return {path: self.get(f"/{path}?pageSize=500") for path in paths}
