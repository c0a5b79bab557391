"""POST /beheer/api/v1/oud: what contacts and customers, known by their old URLs, are here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from builders.configs import UUID_SECRET, read_config
from builders.earlier_objects import contactmoment, earlier_url, earlier_uuid, klant, klantcontactmoment
from builders.legacy_objects import BSN, persoon, uuid_of, zaak
from builders.legacy_objects import klantcontact as legacy_contact
from builders.stores import store_keys
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer
from gateway.store.operation.sources import set_covered, source_id

OUD = "/beheer/api/v1/oud"
API = "/klantinteracties/api/v1"
CONTACT = f"https://zaken.example/zaken/api/v1/klantcontacten/{uuid_of('klantcontact', 1)}"
ELSEWHERE = "https://elders.example/klanten/api/v1/klanten/d9000000-0000-4000-8000-000000000009"
CONFIG = f"""
[gateway]
public_url = "https://klant.example.nl"
[store]
uuid_secret = "{UUID_SECRET}"
[mapping]
max_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"
[[source]]
name = "bron"
zaken_url = "https://zaken.example/zaken/api/v1/"
klanten_url = "https://klanten.example/klanten/api/v1/"
contactmomenten_url = "https://contacten.example/contactmomenten/api/v1/"
client_id = "klantbrug"
secret = "{UUID_SECRET}"
"""


def config_of(folder: Path) -> str:
    """The configuration, with a store in that folder."""
    return CONFIG.replace("[store]\n", f"[store]\n{store_keys(folder / 'klantbrug.db')}")


class Asker:
    """Asks what URLs are here, with a token of a scope."""

    def __init__(self, installation: Installation, scope: str = "read", hydrates: bool = False) -> None:
        self.installation = installation
        hydrator = installation.hydrator()
        self.client: FlaskClient = create_app(
            installation.config, store=installation.store, hydrator=hydrator
        ).test_client()
        self.headers = {"Authorization": f"Token {create_token(installation.store, str(uuid4()), scope)}"}

    def post(self, body: Any) -> Any:
        return self.client.post(OUD, json=body, headers=self.headers)

    def ask(self, *urls: str) -> list[dict[str, Any]]:
        answer = self.post({"urls": list(urls)})
        assert answer.status_code == 200, answer.get_json()
        results: list[dict[str, Any]] = answer.get_json()["results"]
        assert [one["asked"] for one in results] == list(urls)
        return results

    def get(self, path: str) -> Any:
        return self.client.get(f"{API}/{path}", headers=self.headers)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A source that was read: a zaak with a contact, a klant with a contactmoment, and a rol that names a klant."""
    path = tmp_path / "config.toml"
    path.write_text(config_of(tmp_path))
    made = open_installation(read_config(path))
    for kind, *raws in (
        ("zaak", zaak(), zaak(2, "geheim")),
        ("rol", persoon(1, BSN[0]), persoon(2, BSN[1], url=ELSEWHERE)),
        ("klantcontact", legacy_contact(1), legacy_contact(2, zaak=2)),
        ("klant", klant(1, {"inpBsn": BSN[0]})),
        ("klantcontactmoment", klantcontactmoment(1, 1, 1)),
        ("contactmoment", contactmoment(1)),
    ):
        made.ingest.take("bron", str(kind), raws, asked=0)  # type: ignore[arg-type]
    with made.store.write() as connection:
        set_covered(connection, source_id(connection, "bron"), time.time_ns() // 1000)
    yield made
    made.store.close()


def test_old_urls_are_told_with_what_they_are_here(installation: Installation) -> None:
    asker = Asker(installation)
    urls = [CONTACT, earlier_url("contactmoment", 1), earlier_url("klant", 1)]
    contact, moment, customer = asker.ask(*urls)
    assert (contact["kind"], contact["uuid"]) == ("klantcontact", uuid_of("klantcontact", 1))
    assert (moment["kind"], moment["uuid"]) == ("klantcontact", earlier_uuid("contactmoment", 1))
    by_bsn = f"partijen?partijIdentificator__objectId={BSN[0]}"
    assert (customer["kind"], customer["uuid"]) == (
        "partij",
        asker.get(by_bsn).get_json()["results"][0]["uuid"],
    )
    for one in (contact, moment, customer):
        assert (one["found"], one["reason"]) == (True, "")
        assert one["url"].startswith(f"https://klant.example.nl{API}/")
        got = asker.get(one["url"].partition(f"{API}/")[2])
        assert (got.status_code, got.get_json()["url"]) == (200, one["url"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        CONTACT.replace("https:", "http:"),
        CONTACT + "/",
        CONTACT.replace("zaken.example", "ZAKEN.Example:443"),
        CONTACT[:-36] + CONTACT[-36:].upper(),
        f" {CONTACT} ",
    ],
)
def test_a_url_is_the_same_in_other_spellings(installation: Installation, url: str) -> None:
    (found,) = Asker(installation).ask(url)
    assert found["uuid"] == uuid_of("klantcontact", 1)


def test_a_klant_that_only_a_rol_names_is_found(installation: Installation) -> None:
    asker = Asker(installation)
    (found,) = asker.ask(ELSEWHERE)
    by_bsn = f"partijen?partijIdentificator__objectId={BSN[1]}"
    assert (found["kind"], found["uuid"]) == ("partij", asker.get(by_bsn).get_json()["results"][0]["uuid"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        CONTACT[:-1] + "9",
        CONTACT.replace("klantcontacten", "rollen"),
        CONTACT.replace("zaken.example", "zaken.example:8443"),
        CONTACT.replace("zaken.example", "zaken.example.boef.example"),
        CONTACT.replace("/klantcontacten/", "/x/klantcontacten/"),
        earlier_url("klant", 9),
        earlier_url("klant", 1).replace("/klanten/d", "/contactmomenten/d"),
        f"https://zaken.example/zaken/api/v1/klantcontacten/{uuid_of('klantcontact', 2)}",
        "geen url",
        "",
        "http://[",
        "https://klanten.example/\0/klanten/d0000000-0000-4000-8000-000000000001",
        uuid_of("klantcontact", 1),
    ],
)
def test_what_is_not_known_is_told_as_that(installation: Installation, url: str) -> None:
    """Also what may not be shown (M34): that it is there is not told."""
    (told,) = Asker(installation).ask(url)
    assert (told["found"], told["kind"], told["uuid"], told["url"]) == (False, None, None, None)
    assert told["reason"]


def test_what_a_client_deleted_is_not_here(installation: Installation) -> None:
    asker = Asker(installation, "write")
    assert (
        asker.client.delete(f"{API}/klantcontacten/{CONTACT[-36:]}", headers=asker.headers).status_code == 204
    )
    assert not asker.ask(CONTACT)[0]["found"]


def test_the_order_is_that_of_the_question_with_what_is_asked_twice(installation: Installation) -> None:
    other = earlier_url("klant", 9)
    found = Asker(installation).ask(CONTACT, other, CONTACT, *[other] * 497)
    assert [one["found"] for one in found] == [True, False, True, *[False] * 497]


@pytest.mark.parametrize(
    ("body", "name", "code"),
    [
        ({}, "urls", "required"),
        ({"urls": []}, "urls", "invalid"),
        ({"urls": CONTACT}, "urls", "invalid"),
        ({"urls": [CONTACT] * 501}, "urls", "invalid"),
        ({"urls": [CONTACT, 3, None]}, "urls.1", "invalid"),
        ([CONTACT], "urls", "invalid"),
    ],
)
def test_a_question_that_is_no_list_of_urls_is_refused(
    installation: Installation, body: Any, name: str, code: str
) -> None:
    answer = Asker(installation).post(body)
    assert answer.status_code == 400
    first = answer.get_json()["invalidParams"][0]
    assert (first["name"], first["code"]) == (name, code)
    assert b"zaken.example" not in answer.data


def test_it_asks_for_a_token_and_for_a_body(installation: Installation) -> None:
    asker = Asker(installation)
    assert asker.client.post(OUD, json={"urls": [CONTACT]}).status_code == 401
    for method in ("get", "put", "delete"):
        answer = getattr(asker.client, method)(f"{OUD}?urls={CONTACT}", headers=asker.headers)
        assert answer.status_code == 405


def test_nothing_of_a_url_is_logged(installation: Installation, run_log: Path) -> None:
    marked = f"https://klanten.example/klanten/api/v1/klanten/{BSN[5]}"
    Asker(installation).ask(marked)
    assert BSN[5] not in (run_log / "pytest.log").read_text()


@pytest.mark.slow
def test_before_the_backfill_a_contact_is_fetched_and_a_klant_is_told_as_not_known_yet(
    tmp_path: Path, slice_data: Dataset
) -> None:
    with SampleServer(slice_data) as server:
        path = tmp_path / "config.toml"
        text = config_of(tmp_path).replace("https://zaken.example/zaken/api/v1/", server.zaken_url)
        text = text.replace('"klantbrug"\nsecret', f'"{DEFAULT_APPLICATION.client_id}"\nsecret')
        text = text.replace(f'secret = "{UUID_SECRET}"\n', f'secret = "{DEFAULT_APPLICATION.secret}"\n')
        path.write_text(
            text.replace(f'uuid_secret = "{DEFAULT_APPLICATION.secret}"', f'uuid_secret = "{UUID_SECRET}"')
        )
        installation = open_installation(read_config(path))
        asker = Asker(installation)
        shown = {
            one["url"]
            for one in slice_data.objects("zaak")
            if one["vertrouwelijkheidaanduiding"] == "openbaar"
        }
        urls = [one["url"] for one in slice_data.objects("klantcontact") if one["zaak"] in shown][:3]
        here = [f"{server.zaken_url}klantcontacten/{url[-36:]}" for url in urls]
        *contacts, customer = asker.ask(*here, earlier_url("klant", 1))
        assert [one["uuid"] for one in contacts] == [str(UUID(url[-36:])) for url in urls]
        assert "nog niet ingelezen" in customer["reason"]
        server.traps.down = True
        began = time.monotonic()
        (unknown,) = asker.ask(f"{server.zaken_url}klantcontacten/{uuid4()}")
        assert "nog niet ingelezen" in unknown["reason"]
        assert time.monotonic() - began < 15
        installation.store.close()


def test_a_register_without_sources_knows_none(serve: Callable[..., Any]) -> None:
    client = serve()
    headers = {"Authorization": f"Token {client.token}", "Content-Type": "application/json"}
    got = client.send("POST", OUD, headers, json.dumps({"urls": [CONTACT]}).encode())
    assert (got.status, got.json["results"][0]["found"]) == (200, False)
