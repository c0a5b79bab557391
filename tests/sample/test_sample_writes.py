"""Writes as the recordings show them (w-*.json), those of the earlier standards, and what goes wrong with writes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests
from builders.sample_data import small

from gateway.sample.contents.earlier_objects import BRONORGANISATIE, add_earlier
from gateway.sample.server import DEFAULT_APPLICATION, Application, SampleServer, Traps


class SampleWriter:
    """A client of a sample server."""

    def __init__(self, server: SampleServer, application: Application = DEFAULT_APPLICATION) -> None:
        self.server = server
        claims = {"iss": application.client_id, "iat": int(time.time()), "client_id": application.client_id}
        token = jwt.encode(claims, application.secret, algorithm="HS256")
        self.headers = {"Authorization": f"Bearer {token}", "Accept-Crs": "EPSG:4326"}

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        address = path if path.startswith("http") else self.server.base_url + path
        return requests.request(method, address, json=body, headers=self.headers, timeout=10)

    def first(self, path: str) -> dict[str, Any]:
        found = self.ask("GET", path).json()
        return (found if isinstance(found, list) else found["results"])[0]


ZAKEN, KLANTEN, CONTACTEN = (f"/{name}/api/v1" for name in ("zaken", "klanten", "contactmomenten"))


@pytest.fixture
def writer() -> Iterator[SampleWriter]:
    with SampleServer(add_earlier(small(60))) as server:
        yield SampleWriter(server)


def codes(answer: requests.Response) -> list[tuple[str, str]]:
    return [(each["name"], each["code"]) for each in answer.json()["invalidParams"]]


def test_an_identificatie_is_taken_once_and_nothing_lies_in_the_future(writer: SampleWriter) -> None:
    body = {"zaak": writer.first(f"{ZAKEN}/zaken")["url"], "datumtijd": "2025-03-01T10:00:00Z"}
    body["identificatie"] = "Y8pSV5DMrxmS"
    assert writer.ask("POST", f"{ZAKEN}/klantcontacten", body).status_code == 201
    again = writer.ask("POST", f"{ZAKEN}/klantcontacten", body)
    assert (again.status_code, codes(again)) == (400, [("identificatie", "unique")])
    late = writer.ask("POST", f"{ZAKEN}/klantcontacten", body | {"datumtijd": "2099-03-01T10:00:00Z"})
    assert codes(late) == [("datumtijd", "date-in-future")]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_klantcontact_stays_as_it_is(writer: SampleWriter, method: str) -> None:
    answer = writer.ask(method, writer.first(f"{ZAKEN}/klantcontacten")["url"], {})
    assert answer.status_code == 405
    assert answer.headers["Warning"].startswith("299 ")


def test_a_zaakcontactmoment_makes_the_other_tie_and_takes_it_along(writer: SampleWriter) -> None:
    moment = writer.ask("POST", f"{CONTACTEN}/contactmomenten", {"bronorganisatie": BRONORGANISATIE}).json()
    body = {"zaak": writer.first(f"{ZAKEN}/zaken")["url"], "contactmoment": moment["url"]}
    made = writer.ask("POST", f"{ZAKEN}/zaakcontactmomenten", body)
    ties = f"{CONTACTEN}/objectcontactmomenten?contactmoment={moment['url']}"
    assert made.status_code == 201
    assert writer.first(ties)["object"] == body["zaak"]
    assert writer.ask("POST", f"{ZAKEN}/zaakcontactmomenten", body).status_code == 500
    assert writer.ask("PUT", made.json()["url"], body).status_code == 405
    kept = writer.ask("DELETE", moment["url"])
    assert codes(kept) == [("nonFieldErrors", "remote-relation-exists")]
    assert writer.ask("DELETE", made.json()["url"]).status_code == 204
    assert writer.ask("GET", ties).json()["count"] == 0
    assert writer.ask("DELETE", moment["url"]).status_code == 204
    lost = writer.ask("POST", f"{ZAKEN}/zaakcontactmomenten", body)
    assert codes(lost) == [("contactmoment", "bad-url")]


def test_a_contactmoment_keeps_the_moment_that_it_was_given(writer: SampleWriter) -> None:
    moment = "2025-06-01T10:00:00.123456Z"
    body = {"bronorganisatie": BRONORGANISATIE, "registratiedatum": moment}
    made = writer.ask("POST", f"{CONTACTEN}/contactmomenten", body).json()
    asked = f"{CONTACTEN}/contactmomenten?bronorganisatie={BRONORGANISATIE}&registratiedatum={moment}"
    assert writer.first(asked)["url"] == made["url"]
    changed = writer.ask("PATCH", made["url"], {"tekst": "Anders"}).json()
    assert (changed["tekst"], changed["registratiedatum"]) == ("Anders", moment)


def test_a_klantnummer_is_taken_once(writer: SampleWriter) -> None:
    klant = {"bronorganisatie": BRONORGANISATIE, "klantnummer": "abc", "websiteUrl": "https://x.example"}
    assert writer.ask("POST", f"{KLANTEN}/klanten", klant).status_code == 201
    assert codes(writer.ask("POST", f"{KLANTEN}/klanten", klant)) == [
        ("klantnummer", "identificatie-niet-uniek")
    ]
    assert codes(writer.ask("POST", f"{KLANTEN}/klanten", {})) == [
        ("bronorganisatie", "required"),
        ("klantnummer", "required"),
        ("websiteUrl", "required"),
    ]


def test_a_contactpersoon_is_cleared_by_empty_texts_only(writer: SampleWriter) -> None:
    rol = next(
        each
        for each in writer.ask("GET", f"{ZAKEN}/rollen").json()["results"]
        if each["betrokkeneIdentificatie"] and not each["betrokkene"]
    )
    filled = {"emailadres": "a@b.example", "functie": "", "telefoonnummer": "", "naam": ""}
    assert writer.ask("PUT", rol["url"], rol | {"contactpersoonRol": filled}).status_code == 200
    writer.ask("PUT", rol["url"], rol | {"contactpersoonRol": None})
    assert writer.ask("GET", rol["url"]).json()["contactpersoonRol"] == filled
    writer.ask("PUT", rol["url"], rol | {"contactpersoonRol": filled | {"emailadres": ""}})
    assert writer.ask("GET", rol["url"]).json()["contactpersoonRol"]["emailadres"] == ""


def test_a_closed_zaak_asks_for_more_rights(writer: SampleWriter) -> None:
    known = writer.server.app.extensions["sample"].applications
    known["few"] = Application("few", "a secret of the tests that is long enough", closed=False)
    zaak = writer.first(f"{ZAKEN}/zaken")
    uuid = zaak["uuid"]
    body = {"zaak": zaak["url"], "datumtijd": "2025-03-01T10:00:00Z"}
    few = SampleWriter(writer.server, known["few"])
    for closed, status in ((None, 201), ("2025-01-01", 403)):
        held = writer.server.dataset.get("zaak", uuid)
        writer.server.dataset.replace("zaak", uuid, held | {"einddatum": closed})
        assert few.ask("POST", f"{ZAKEN}/klantcontacten", body).status_code == status
        assert writer.ask("POST", f"{ZAKEN}/klantcontacten", body).status_code == 201


@pytest.mark.parametrize(
    ("traps", "done", "status"),
    [
        ({"lost_answer_rate": 1}, 1, 0),
        ({"late_error_rate": 1}, 1, 502),
        ({"write_error_rate": 1}, 0, 500),
        ({"forbid_after": 0}, 0, 403),
        ({"slow_writes": 0.2}, 1, 201),
    ],
)
def test_what_goes_wrong_with_a_write(
    writer: SampleWriter, traps: dict[str, Any], done: int, status: int
) -> None:
    body = {"bronorganisatie": BRONORGANISATIE}
    before = len(writer.server.dataset.objects("contactmoment"))
    writer.server.traps = Traps(**traps)
    began = time.monotonic()
    try:
        answered = writer.ask("POST", f"{CONTACTEN}/contactmomenten", body).status_code
    except requests.ConnectionError:
        answered = 0
    assert answered == status
    assert time.monotonic() - began >= traps.get("slow_writes", 0)
    assert len(writer.server.dataset.objects("contactmoment")) == before + done
    assert writer.ask("GET", f"{ZAKEN}/zaken").status_code == 200


def test_rights_may_end_halfway(writer: SampleWriter) -> None:
    writer.server.traps = Traps(forbid_after=2)
    body = {"bronorganisatie": BRONORGANISATIE}
    given = [writer.ask("POST", f"{CONTACTEN}/contactmomenten", body).status_code for _ in range(4)]
    assert given == [201, 201, 403, 403]
