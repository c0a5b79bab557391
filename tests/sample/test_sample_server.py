"""The sample legacy server against the recorded exchanges of a real one, and each of its traps.

Everything goes over real HTTP. Sources: legacy-behaviour.md, and the exchanges in data/zaken-samples.
"""

import json
import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests
from builders.paths import DATA
from builders.sample_data import sample_data

from gateway.sample.contents.dataset import CANONICAL_BASE, Dataset, load
from gateway.sample.server import DEFAULT_APPLICATION, Application, SampleServer, Traps

pytestmark = pytest.mark.slow

SAMPLES = sorted((DATA / "zaken-samples").glob("*.json"))
LIMITED = Application(
    "limited", "another-sample-secret-of-enough-length", "zaakvertrouwelijk", catalogi=False
)
BSN = "betrokkeneIdentificatie__natuurlijkPersoon__inpBsn"


def token(application: Application = DEFAULT_APPLICATION, *, without: str = "", **claims: object) -> str:
    payload = {"iss": "test", "iat": int(time.time()), "client_id": application.client_id} | claims
    payload.pop(without, None)
    return jwt.encode(payload, application.secret, algorithm="HS256")


def session(application: Application = DEFAULT_APPLICATION) -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.headers.update({"Authorization": f"Bearer {token(application)}", "Accept-Crs": "EPSG:4326"})
    return made


def slice_dataset() -> Dataset:
    return load(DATA / "slice.jsonl.gz")


def small_dataset(rollen: int = 30) -> Dataset:
    """A zaak with a few rollen of one kind, made here so that a test can count them."""
    dataset = Dataset()
    roltype = "http://127.0.0.1:8002/catalogi/api/v1/roltypen/7c4b6578-5506-4c6d-9a3b-b391ba6b49c7"
    dataset.add(
        "roltype",
        {"uuid": roltype[-36:], "omschrijving": "Belanghebbende", "omschrijvingGeneriek": "belanghebbende"},
    )
    zaak = dataset.add(
        "zaak", {"vertrouwelijkheidaanduiding": "openbaar", "rollen": [], "identificatie": "Z1"}
    )
    for number in range(rollen):
        dataset.add(
            "rol",
            {
                "zaak": zaak["url"],
                "betrokkene": "",
                "betrokkeneType": "natuurlijk_persoon",
                "roltype": roltype,
                "registratiedatum": "2024-01-01T00:00:00Z",
                "contactpersoonRol": {"naam": "Contact"},
                "betrokkeneIdentificatie": {"anpIdentificatie": f"p{number}", "verblijfsadres": None},
            },
        )
    return dataset


def uuids(server: SampleServer, client: requests.Session, query: str = "") -> list[str]:
    return [rol["uuid"] for rol in client.get(f"{server.zaken_url}rollen{query}").json()["results"]]


def walk(server: SampleServer, client: requests.Session, size: int) -> set[str]:
    """One walk by page number until 404."""
    seen: set[str] = set()
    for page in range(1, 1000):
        answer = client.get(f"{server.zaken_url}rollen?pageSize={size}&page={page}")
        if answer.status_code == 404:
            return seen
        seen.update(rol["uuid"] for rol in answer.json()["results"])
    raise AssertionError("the list has no end")


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    """The slice, unchanged by the tests that use it."""
    with SampleServer(slice_dataset(), applications=(DEFAULT_APPLICATION, LIMITED)) as running:
        yield running


@pytest.fixture(scope="module")
def client() -> requests.Session:
    return session()


@pytest.fixture
def small() -> Iterator[SampleServer]:
    """Thirty rollen that a test may change."""
    with SampleServer(small_dataset(), traps=Traps(seed=7)) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_answers_as_the_recorded_server(server: SampleServer, client: requests.Session, path: Path) -> None:
    """Asked the same thing under the same host, it gives the recorded status, headers and body or shape."""
    sample = json.loads(path.read_text())
    asked, recorded = sample["request"], sample["response"]
    headers = asked["headers"] | {"Host": CANONICAL_BASE.removeprefix("http://")}
    if path.stem == "zaken-list-no-accept-crs":
        headers["Accept-Crs"] = None
    body = asked["body"] if isinstance(asked["body"], str) else json.dumps(asked["body"] or {})
    given = client.request(
        asked["method"],
        server.base_url + asked["path"].replace("zaak=/zaken", f"zaak={CANONICAL_BASE}/zaken"),
        headers=headers,
        data=body if asked["method"] == "POST" else None,
    )
    assert given.status_code == recorded["status"]
    for name, value in recorded["headers"].items():
        assert given.headers.get(name) == value, name
    if recorded["body"] is None:
        assert given.headers["Content-Type"].startswith("text/html")
    elif given.ok:
        _assert_same_shape(given.json(), recorded["body"])
    else:
        assert _without_instance(given.json()) == _without_instance(recorded["body"])


def _without_instance(problem: dict) -> dict:
    assert problem["instance"].startswith("urn:uuid:")
    return problem | {"instance": ""}


def _assert_same_shape(given: dict | list, recorded: dict | list) -> None:
    if isinstance(recorded, list):
        assert list(given[0]) == list(recorded[0])
    elif "results" in recorded:
        assert list(given) == list(recorded)
        assert given["next"] == recorded["next"]
        assert given["previous"] == recorded["previous"]
        if recorded["results"]:
            kind = recorded["results"][0].get("betrokkeneType")
            same = next(each for each in given["results"] if each.get("betrokkeneType") == kind)
            assert list(same) == list(recorded["results"][0])
        else:
            assert given == recorded
    else:
        assert given == recorded, "a single object that the slice holds"


class TestPaging:
    def test_newest_first_in_the_order_of_the_data(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        expected = [rol["uuid"] for rol in server.dataset.objects("rol")[:100]]
        assert uuids(server, client) == expected

    @pytest.mark.parametrize(
        ("size", "length"), [("500", 500), ("1000", 500), ("7", 7), ("0", 100), ("-5", 100), ("abc", 100)]
    )
    def test_a_page_size_is_clipped_or_ignored_in_silence(
        self, server: SampleServer, client: requests.Session, size: str, length: int
    ) -> None:
        assert len(uuids(server, client, f"?pageSize={size}")) == length

    def test_the_word_last_gives_the_last_page(self, server: SampleServer, client: requests.Session) -> None:
        answer = client.get(f"{server.zaken_url}rollen?page=last&pageSize=500").json()
        assert (answer["count"], len(answer["results"]), answer["next"]) == (3485, 485, None)
        assert answer["previous"] == f"{server.zaken_url}rollen?page=6&pageSize=500"

    def test_page_one_is_named_without_its_number(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        answer = client.get(f"{server.zaken_url}rollen?page=2&omschrijvingGeneriek=initiator").json()
        assert answer["previous"] == f"{server.zaken_url}rollen?omschrijvingGeneriek=initiator"

    def test_past_the_end_is_404(self, server: SampleServer, client: requests.Session) -> None:
        assert client.get(f"{server.zaken_url}rollen?pageSize=500&page=7").status_code == 200
        assert client.get(f"{server.zaken_url}rollen?pageSize=500&page=8").status_code == 404

    def test_an_empty_list_has_a_first_page(self, server: SampleServer, client: requests.Session) -> None:
        answer = client.get(f"{server.zaken_url}rollen?{BSN}=111111110").json()
        assert answer == {"count": 0, "next": None, "previous": None, "results": []}

    def test_zaakcontactmomenten_are_a_bare_array(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        everything = client.get(f"{server.zaken_url}zaakcontactmomenten").json()
        assert len(everything) == 340
        one = client.get(f"{server.zaken_url}zaakcontactmomenten", params={"zaak": everything[0]["zaak"]})
        assert everything[0] in one.json()
        assert all(each["zaak"] == everything[0]["zaak"] for each in one.json())

    def test_pages_of_500_come_faster_than_3000_objects_a_second(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        best = 0.0
        for _ in range(3):
            started = time.perf_counter()
            assert client.get(f"{server.zaken_url}rollen?pageSize=500").status_code == 200
            best = max(best, 500 / (time.perf_counter() - started))
        assert best > 3000


class TestHosts:
    def test_addresses_follow_the_host_header(self, server: SampleServer, client: requests.Session) -> None:
        headers = {
            "Host": "gateway.test",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "not-followed.test",
        }
        answer = client.get(f"{server.zaken_url}rollen?pageSize=1", headers=headers)
        rol = answer.json()["results"][0]
        for url in (answer.json()["next"], rol["url"], rol["zaak"], rol["roltype"]):
            assert url.startswith("https://gateway.test/")
        assert CANONICAL_BASE not in answer.text

    def test_a_zaak_under_another_host_is_an_empty_list_and_no_error(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        zaak = client.get(f"{server.zaken_url}rollen?pageSize=1").json()["results"][0]["zaak"]
        here = client.get(f"{server.zaken_url}rollen", params={"zaak": zaak})
        secure = client.get(f"{server.zaken_url}rollen", params={"zaak": zaak.replace("http:", "https:")})
        elsewhere = client.get(
            f"{server.zaken_url}rollen", params={"zaak": zaak.replace("127.0.0.1", "localhost")}
        )
        assert here.json()["count"] == secure.json()["count"] > 0
        assert (elsewhere.status_code, elsewhere.json()["count"]) == (200, 0)


class TestFilters:
    def test_rollen_by_each_identification(self, server: SampleServer, client: requests.Session) -> None:
        """Each filter finds exactly the rollen that hold the value, newest first."""
        fields = {
            "natuurlijkPersoon__inpBsn": ("natuurlijk_persoon", "inpBsn"),
            "natuurlijkPersoon__inpA_nummer": ("natuurlijk_persoon", "inpA_nummer"),
            "nietNatuurlijkPersoon__innNnpId": ("niet_natuurlijk_persoon", "innNnpId"),
            "nietNatuurlijkPersoon__kvkNummer": ("niet_natuurlijk_persoon", "kvkNummer"),
            "nietNatuurlijkPersoon__vestigingsNummer": ("niet_natuurlijk_persoon", "vestigingsNummer"),
            "vestiging__vestigingsNummer": ("vestiging", "vestigingsNummer"),
            "vestiging__kvkNummer": ("vestiging", "kvkNummer"),
            "medewerker__identificatie": ("medewerker", "identificatie"),
            "organisatorischeEenheid__identificatie": ("organisatorische_eenheid", "identificatie"),
        }
        rollen = server.dataset.objects("rol")
        for name, (kind, field) in fields.items():
            holders: dict[str, list[str]] = {}
            for rol in rollen:
                if rol["betrokkeneType"] == kind and (rol["betrokkeneIdentificatie"] or {}).get(field):
                    holders.setdefault(rol["betrokkeneIdentificatie"][field], []).append(rol["uuid"])
            value = max(holders, key=lambda each: len(holders[each]))
            found = uuids(server, client, f"?betrokkeneIdentificatie__{name}={value}&pageSize=500")
            assert found == holders[value], f"filter {name}"

    def test_zaken_by_the_bsn_of_a_rol(self, server: SampleServer, client: requests.Session) -> None:
        rol = next(
            rol
            for rol in server.dataset.objects("rol")
            if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
        )
        query = {f"rol__{BSN}": rol["betrokkeneIdentificatie"]["inpBsn"]}
        found = client.get(f"{server.zaken_url}zaken", params=query).json()["results"]
        assert rol["zaak"].rpartition("/")[2] in {zaak["uuid"] for zaak in found}

    def test_zaken_by_date_and_by_vertrouwelijkheidaanduiding(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        query = {"registratiedatum__gt": "2024-12-31", "maximaleVertrouwelijkheidaanduiding": "intern"}
        found = client.get(f"{server.zaken_url}zaken", params=query | {"pageSize": 500}).json()["results"]
        expected = [
            zaak["uuid"]
            for zaak in server.dataset.objects("zaak")
            if zaak["registratiedatum"] > "2024-12-31"
            and zaak["vertrouwelijkheidaanduiding"] in ("openbaar", "beperkt_openbaar", "intern")
        ]
        assert [zaak["uuid"] for zaak in found] == expected
        assert expected

    def test_spaces_around_a_value_do_not_matter(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        rol = next(rol for rol in server.dataset.objects("rol") if rol["betrokkeneType"] == "medewerker")
        name = "betrokkeneIdentificatie__medewerker__identificatie"
        value = rol["betrokkeneIdentificatie"]["identificatie"]
        padded = client.get(f"{server.zaken_url}rollen", params={name: f" {value} "}).json()["count"]
        assert padded == client.get(f"{server.zaken_url}rollen", params={name: value}).json()["count"] > 0

    def test_zaken_expand_their_rollen(self, server: SampleServer, client: requests.Session) -> None:
        query = {"expand": "rollen,rollen.roltype,zaaktype", "pageSize": 20}
        for zaak in client.get(f"{server.zaken_url}zaken", params=query).json()["results"]:
            assert {rol["url"] for rol in zaak["_expand"]["rollen"]} == set(zaak["rollen"])
            assert zaak["_expand"]["zaaktype"]["url"] == zaak["zaaktype"]
            for rol in zaak["_expand"]["rollen"]:
                assert rol["_expand"]["roltype"]["url"] == rol["roltype"]


class TestVersions:
    CASES = (
        ("1.0.2", False, "rollen?betrokkeneIdentificatie__vestiging__identificatie=x", 200),
        ("1.0.2", False, "rollen?betrokkeneIdentificatie__organisatorischeEenheid__identificatie=x", 400),
        ("1.0.2", False, "rollen?pageSize=500", 400),
        ("1.0.2", False, "rollen?page=2", 200),
        ("1.0.2", False, "zaakcontactmomenten", 404),
        ("1.0.2", False, "zaken?registratiedatum__gt=2020-01-01", 400),
        ("1.0.2", False, "zaken?expand=rollen", 400),
        ("1.2.0", False, "rollen?betrokkeneIdentificatie__vestiging__identificatie=x", 400),
        ("1.2.0", False, "zaakcontactmomenten", 200),
        ("1.5.1", False, "zaken?registratiedatum__gt=2020-01-01", 200),
        ("1.5.1", False, "zaken?expand=rollen", 200),
        ("1.5.1", False, "rollen?machtiging=eigen", 400),
        ("1.5.1", False, "rollen?betrokkeneIdentificatie__vestiging__kvkNummer=1", 400),
        ("1.5.1", True, "rollen?betrokkeneIdentificatie__vestiging__kvkNummer=1", 200),
        ("1.5.1", True, "rollen?betrokkeneIdentificatie__nietNatuurlijkPersoon__kvkNummer=1", 200),
        ("1.5.1", True, "rollen?expand=roltype", 400),
        ("1.7.0", False, "rollen?expand=roltype", 200),
    )

    @pytest.mark.parametrize(("version", "open_zaak", "path", "status"), CASES)
    def test_a_parameter_that_a_version_lacks_is_refused(
        self, client: requests.Session, version: str, open_zaak: bool, path: str, status: int
    ) -> None:
        dataset = _versions_dataset()
        with SampleServer(dataset, version=version, open_zaak=open_zaak) as running:
            answer = client.get(running.zaken_url + path)
        assert answer.status_code == status
        if status != 404:
            assert answer.headers["API-version"] == version

    def test_a_field_that_a_version_lacks_is_not_sent(self, client: requests.Session) -> None:
        shown = {}
        for version, open_zaak in (("1.0.2", False), ("1.5.1", False), ("1.5.1", True)):
            with SampleServer(_versions_dataset(), version=version, open_zaak=open_zaak) as running:
                rollen = client.get(f"{running.zaken_url}rollen").json()["results"]
                shown[version, open_zaak] = {rol["betrokkeneType"]: rol for rol in rollen}
        old, plain, full = shown.values()
        assert "contactpersoonRol" not in old["vestiging"]
        assert "kvkNummer" not in old["vestiging"]["betrokkeneIdentificatie"]
        assert "contactpersoonRol" in plain["vestiging"]
        assert "kvkNummer" in plain["vestiging"]["betrokkeneIdentificatie"]
        assert "authenticatieContext" not in plain["vestiging"]
        assert "kvkNummer" not in plain["niet_natuurlijk_persoon"]["betrokkeneIdentificatie"]
        assert "authenticatieContext" in full["vestiging"]
        assert "kvkNummer" in full["niet_natuurlijk_persoon"]["betrokkeneIdentificatie"]

    def test_a_version_that_never_was_is_refused_at_the_start(self) -> None:
        for version in ("2.0", "1.8", "new"):
            with pytest.raises(ValueError, match="no Zaken API"):
                SampleServer(Dataset(), version=version)


def _versions_dataset() -> Dataset:
    """One rol of each type, and enough others that page 2 exists without pageSize."""
    kinds = ("rol", "zaak", "roltype", "zaaktype")
    lines = {kind: slice_objects(kind) for kind in kinds}
    chosen = {rol["betrokkeneType"]: rol for rol in lines["rol"] if rol["betrokkeneIdentificatie"]}
    several = list(chosen.values()) + [rol for rol in lines["rol"] if rol not in chosen.values()][:120]
    return Dataset(
        [("rol", rol) for rol in several]
        + [(kind, obj) for kind in ("zaak", "roltype", "zaaktype") for obj in lines[kind][:60]]
    )


_SLICE: dict[str, list[dict]] = {}


def slice_objects(kind: str) -> list[dict]:
    if kind not in _SLICE:
        _SLICE[kind] = slice_dataset().objects(kind)
    return _SLICE[kind]


class TestAccess:
    @pytest.mark.parametrize(
        ("header", "code"),
        [
            (lambda: None, "permission_denied"),
            (lambda: "Basic Zm9vOmJhcg==", "permission_denied"),
            (lambda: f"Token {token()}", "permission_denied"),
            (lambda: "Bearer garbage", "jwt-decode-error"),
            (lambda: f"Bearer {token(iat=int(time.time()) - 3700)}", "jwt-expired"),
            (lambda: f"Bearer {token(exp=int(time.time()) - 10)}", "jwt-expiredsignatureerror"),
            (lambda: f"Bearer {token(without='iat')}", "jwt-missing-iat-claim"),
            (lambda: f"Bearer {token(without='client_id')}", "missing-client-identifier"),
            (lambda: f"Bearer {token(Application('unknown', 'x' * 40))}", "invalid-client-identifier"),
            (
                lambda: f"Bearer {token(Application(DEFAULT_APPLICATION.client_id, 'x' * 40))}",
                "invalid-jwt-signature",
            ),
            (
                lambda: "Bearer " + jwt.encode({"client_id": "klantbrug", "iat": 1}, "", algorithm="none"),
                "jwt-invalidalgorithmerror",
            ),
        ],
    )
    def test_every_refusal_is_403_and_its_code_tells_why(
        self, server: SampleServer, header: object, code: str
    ) -> None:
        for path in ("rollen?pageSize=1", "zaken", "rollen/37fa0cf7-9122-4abd-9eec-ea31d43b9377"):
            answer = requests.get(server.zaken_url + path, headers={"Authorization": header()}, timeout=5)
            assert (answer.status_code, answer.json()["code"]) == (403, code)

    @pytest.mark.parametrize("age", [3540, -5, -3600])
    def test_a_token_of_59_minutes_and_one_from_the_future_are_good(
        self, server: SampleServer, age: int
    ) -> None:
        bearer = {"Authorization": f"Bearer {token(iat=int(time.time()) - age)}"}
        answer = requests.get(f"{server.zaken_url}rollen?pageSize=1", headers=bearer, timeout=5)
        assert answer.status_code == 200

    def test_few_rights_give_shorter_lists_and_403_on_objects(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        limited = session(LIMITED)
        secret = next(
            zaak for zaak in slice_objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "geheim"
        )
        for kind in ("zaken", "rollen", "klantcontacten"):
            everything = client.get(f"{server.zaken_url}{kind}?pageSize=1").json()["count"]
            seen = limited.get(f"{server.zaken_url}{kind}?pageSize=1").json()["count"]
            assert 0 < seen < everything
        assert limited.get(f"{server.zaken_url}zaken/{secret['uuid']}").status_code == 403
        rol = secret["rollen"][0].rpartition("/")[2]
        assert limited.get(f"{server.zaken_url}rollen/{rol}").json()["code"] == "permission_denied"
        zaak_here = f"{server.zaken_url}zaken/{secret['uuid']}"
        assert limited.get(f"{server.zaken_url}rollen", params={"zaak": zaak_here}).json()["count"] == 0
        assert limited.get(f"{server.catalogi_url}zaaktypen").status_code == 403


class TestEtags:
    def test_single_rollen_and_zaken_have_one_that_does_not_depend_on_the_host(
        self, server: SampleServer, client: requests.Session
    ) -> None:
        for kind in ("rol", "zaak"):
            uuid = slice_objects(kind)[0]["uuid"]
            url = f"{server.zaken_url}{'rollen' if kind == 'rol' else 'zaken'}/{uuid}"
            etag = client.get(url).headers["ETag"]
            assert client.get(url, headers={"Host": "gateway.test"}).headers["ETag"] == etag
            for condition in (etag, f"W/{etag}", "*"):
                answer = client.get(url, headers={"If-None-Match": condition})
                assert (answer.status_code, answer.content) == (304, b"")
            assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
            assert client.head(url).headers["ETag"] == etag
        for path in ("rollen?pageSize=1", f"klantcontacten/{slice_objects('klantcontact')[0]['uuid']}"):
            assert "ETag" not in client.get(server.zaken_url + path).headers

    def test_a_changed_name_may_leave_the_etag_as_it_was(self, small: SampleServer) -> None:
        """304 for changed data: what makes a conditional GET a hint and no proof."""
        mine = session()
        url = f"{small.zaken_url}rollen/{small.dataset.objects('rol')[0]['uuid']}"
        before = mine.get(url)
        body = before.json() | {
            "betrokkeneIdentificatie": {"anpIdentificatie": "new", "verblijfsadres": None}
        }
        assert mine.put(url, json=body).status_code == 200
        assert mine.get(url).json()["betrokkeneIdentificatie"]["anpIdentificatie"] == "new"
        assert mine.get(url, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
        mine.put(url, json=body | {"roltoelichting": "changed"})
        assert mine.get(url, headers={"If-None-Match": before.headers["ETag"]}).status_code == 200


class TestWriting:
    def test_a_rol_comes_changes_and_goes(self, small: SampleServer) -> None:
        mine = session()
        zaak = mine.get(f"{small.zaken_url}zaken").json()["results"][0]
        model = mine.get(f"{small.zaken_url}rollen?pageSize=1").json()["results"][0]
        made = mine.post(
            f"{small.zaken_url}rollen", json=model | {"betrokkeneIdentificatie": {"anpIdentificatie": "n"}}
        )
        assert made.status_code == 201
        url = made.headers["Location"]
        assert made.json()["url"] == url != model["url"]
        assert uuids(small, mine, "?pageSize=1") == [made.json()["uuid"]]
        assert url in mine.get(zaak["url"]).json()["rollen"]

        change = made.json() | {
            "betrokkeneIdentificatie": {"anpIdentificatie": "m"},
            "contactpersoonRol": None,
        }
        stale = mine.put(url, json=change)
        assert stale.json()["betrokkeneIdentificatie"] == {"anpIdentificatie": "n"}
        assert mine.get(url).json()["betrokkeneIdentificatie"] == {"anpIdentificatie": "m"}
        assert mine.get(url).json()["contactpersoonRol"] == {"naam": "Contact"}
        by_new = "?betrokkeneIdentificatie__natuurlijkPersoon__anpIdentificatie="
        assert uuids(small, mine, f"{by_new}m") == [made.json()["uuid"]]
        assert uuids(small, mine, f"{by_new}n") == []

        assert mine.put(url, json=change | {"betrokkene": "https://example.org/1"}).status_code == 500
        assert mine.put(url, json=change | {"roltype": "https://example.org/2"}).status_code == 400
        assert mine.patch(url, json={}).status_code == 405
        etag = mine.get(zaak["url"]).headers["ETag"]
        assert mine.delete(url).status_code == 204
        assert mine.get(zaak["url"]).headers["ETag"] == etag
        assert url not in mine.get(zaak["url"]).json()["rollen"]
        assert mine.delete(url).status_code == 404

    def test_a_klantcontact_is_made_and_is_deprecated(self, small: SampleServer) -> None:
        mine = session()
        zaak = mine.get(f"{small.zaken_url}zaken").json()["results"][0]["url"]
        made = mine.post(
            f"{small.zaken_url}klantcontacten",
            json={"zaak": zaak, "datumtijd": "2025-03-01T10:00:00+01:00", "kanaal": "telefoon"},
        )
        assert (made.status_code, made.json()["datumtijd"]) == (201, "2025-03-01T09:00:00Z")
        assert made.headers["Warning"].startswith("299 ")
        assert re.fullmatch(r"[A-Za-z0-9]{12}", made.json()["identificatie"])
        assert mine.put(made.json()["url"], json={}).status_code == 405
        late = {"zaak": zaak, "datumtijd": "2999-01-01T00:00:00Z"}
        assert mine.post(f"{small.zaken_url}klantcontacten", json=late).status_code == 400

    def test_a_zaak_goes_with_everything_that_hangs_on_it(self, small: SampleServer) -> None:
        mine = session()
        zaak = mine.get(f"{small.zaken_url}zaken").json()["results"][0]["url"]
        assert mine.delete(zaak).status_code == 204
        assert mine.get(f"{small.zaken_url}rollen").json()["count"] == 0
        assert mine.get(zaak).status_code == 404


class TestTraps:
    def test_fuzzy_pagination_ends_next_after_500(self, server: SampleServer) -> None:
        """A client that follows `next` or believes `count` reads a part and thinks it is done."""
        with SampleServer(slice_dataset(), traps=Traps(fuzzy_pagination=True)) as fuzzy:
            mine = session()
            first = mine.get(f"{fuzzy.zaken_url}rollen?pageSize=500").json()
            assert (first["count"], first["next"], first["countExact"]) == (500, None, False)
            third = mine.get(f"{fuzzy.zaken_url}rollen?pageSize=100&page=3").json()
            assert (third["count"], third["next"] is not None) == (700, True)
            last = mine.get(f"{fuzzy.zaken_url}rollen?pageSize=500&page=7").json()
            assert (last["count"], last["countExact"]) == (3485, True)
            assert mine.get(f"{fuzzy.zaken_url}rollen?page=last").status_code == 500
            assert len(walk(fuzzy, mine, 500)) == 3485

    def test_deletes_during_a_walk_hide_rollen_that_were_there_all_the_time(
        self, small: SampleServer
    ) -> None:
        everything = {rol["uuid"] for rol in small.dataset.objects("rol")}
        kept = sorted(everything)[:3]
        small.traps.protected = set(kept)
        small.traps.delete_during_walk = 3
        seen = walk(small, session(), size=5)
        small.traps.delete_during_walk = 0
        left = everything - set(small.traps.removed)
        assert {rol["uuid"] for rol in small.dataset.objects("rol")} == left
        assert left - seen, "the walk missed none: the trap did not bite"
        assert set(kept) <= left

    def test_inserts_during_a_walk_show_rollen_twice(self, small: SampleServer) -> None:
        small.traps.insert_during_walk = 1
        mine = session()
        first = uuids(small, mine, "?pageSize=5")
        second = uuids(small, mine, "?pageSize=5&page=2")
        assert len(small.traps.inserted) == 2
        assert set(first) & set(second)
        assert small.traps.inserted[0] not in first + second

    def test_a_dropped_connection_is_no_answer(self, small: SampleServer) -> None:
        small.traps.drop_rate = 1
        with pytest.raises(requests.ConnectionError):
            session().get(f"{small.zaken_url}rollen", timeout=5)
        assert small.calls == [("GET", "/zaken/api/v1/rollen", 0)]

    def test_a_truncated_body_is_shorter_than_its_content_length(self, small: SampleServer) -> None:
        small.traps.truncate_rate = 1
        answer = session().get(f"{small.zaken_url}rollen", stream=True, timeout=5)
        assert answer.status_code == 200
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            assert answer.content
        small.traps.truncate_rate = 0
        whole = session().get(f"{small.zaken_url}rollen", timeout=5)
        assert len(whole.content) == int(answer.headers["Content-Length"])

    def test_server_errors_come_in_their_share_and_repeat_with_the_seed(self) -> None:
        runs = []
        for _ in range(2):
            with SampleServer(small_dataset(), traps=Traps(error_rate=0.5, seed=3)) as unsteady:
                mine = session()
                runs.append([mine.get(f"{unsteady.zaken_url}rollen").status_code for _ in range(60)])
        assert runs[0] == runs[1]
        assert set(runs[0]) == {200, 500, 502, 503}
        assert 15 < sum(status != 200 for status in runs[0]) < 45

    def test_too_many_requests_says_when_to_come_back(self, small: SampleServer) -> None:
        small.traps.too_many_rate, small.traps.retry_after = 1, 17
        answer = session().get(f"{small.zaken_url}rollen", timeout=5)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "17")

    @pytest.mark.slow
    def test_slow_and_stalling_answers_outlast_a_read_timeout(self, small: SampleServer) -> None:
        mine = session()
        small.traps.slow = 0.3
        started = time.monotonic()
        assert mine.get(f"{small.zaken_url}rollen", timeout=5).status_code == 200
        assert time.monotonic() - started >= 0.3
        small.traps.slow = 0
        small.traps.stall_rate, small.traps.stall_seconds = 1, 30
        with pytest.raises(requests.ReadTimeout):
            mine.get(f"{small.zaken_url}rollen", timeout=0.2)

    def test_json_that_is_none(self, small: SampleServer) -> None:
        small.traps.json_not_json = True
        answer = session().get(f"{small.zaken_url}rollen", timeout=5)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()

    def test_down_is_down_for_open_connections_too(self, small: SampleServer) -> None:
        mine = session()
        assert mine.get(f"{small.zaken_url}rollen", timeout=5).status_code == 200
        small.traps.down = True
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                mine.get(f"{small.zaken_url}rollen", timeout=5)
        small.traps = Traps()
        assert mine.get(f"{small.zaken_url}rollen", timeout=5).status_code == 200

    def test_a_clock_that_is_ahead_makes_good_tokens_old(self, small: SampleServer) -> None:
        small.traps.clock_skew = 4000
        answer = session().get(f"{small.zaken_url}rollen", timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (403, "jwt-expired")


class TestServer:
    def test_one_connection_serves_many_requests(self, server: SampleServer) -> None:
        mine = session()
        ports = set()
        for _ in range(5):
            answer = mine.get(f"{server.zaken_url}rollen?pageSize=1", stream=True)
            ports.add(answer.raw.connection.sock.getsockname()[1])
            assert answer.json()["count"] == 3485
        assert len(ports) == 1

    def test_calls_have_names_of_parameters_and_no_values(self, small: SampleServer) -> None:
        mine = session()
        mine.get(f"{small.zaken_url}rollen", params={BSN: "111111110", "page": "1", "111222333": "x"})
        mine.get(f"{small.zaken_url}rollen/{small.dataset.objects('rol')[0]['uuid']}")
        assert [str(call) for call in small.calls] == [
            f"GET /zaken/api/v1/rollen?{BSN}&page&unknown 400",
            "GET /zaken/api/v1/rollen/{uuid} 200",
        ]
        assert small.calls_count == 2
        small.reset_calls()
        assert (small.calls, small.calls_count) == ([], 0)

    def test_nothing_is_logged(
        self, small: SampleServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            # The client's own library logs addresses; only the server is looked at here.
            caplog.set_level(logging.ERROR, logger="urllib3")
            session().get(f"{small.zaken_url}rollen", params={BSN: "111111110"})
            session().get(f"{small.zaken_url}nothing")
        assert caplog.text == ""
        assert capfd.readouterr() == ("", "")

    def test_it_stops_for_open_connections_and_starts_again_at_its_address(self) -> None:
        mine = session()
        running = SampleServer(small_dataset())
        with pytest.raises(RuntimeError):
            assert running.base_url
        running.start()
        address = running.base_url
        assert mine.get(f"{running.zaken_url}rollen", timeout=5).status_code == 200
        running.stop()
        with pytest.raises(requests.ConnectionError):
            mine.get(f"{address}/zaken/api/v1/rollen", timeout=5)
        running.start()
        assert running.base_url == address
        assert mine.get(f"{running.zaken_url}rollen", timeout=5).status_code == 200
        running.stop()

    @pytest.mark.slow
    def test_readers_and_writers_at_once(self, small: SampleServer) -> None:
        """While rollen come and go, every page is whole JSON and holds no rol twice."""
        stop = threading.Event()
        written = []

        def write() -> None:
            model = small.dataset.objects("rol")[0]
            while not stop.is_set():
                made = small.dataset.add("rol", {**model, "uuid": None})
                small.dataset.remove("rol", made["uuid"])
                written.append(made["uuid"])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            mine = session()
            for _ in range(100):
                page = uuids(small, mine, "?pageSize=500")
                assert len(page) == len(set(page)) >= 30
        finally:
            stop.set()
            writer.join()
        assert len(small.dataset.objects("rol")) == 30
        assert len(set(written)) > 10

    @pytest.mark.slow
    def test_as_a_process_it_says_where_it_is_and_stops_on_a_signal(self) -> None:
        command = [sys.executable, "-m", "gateway.sample", "--trap", "retry_after=2", "--version", "1.5.1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                line = process.stdout.readline().strip()
                found = re.fullmatch(r"sample Zaken API on (http://127\.0\.0\.1:\d+)", line)
                assert found, line
                answer = session().get(f"{found[1]}/zaken/api/v1/zaken?pageSize=1", timeout=5)
                assert answer.json()["count"] == 1174 + 10
            finally:
                process.terminate()
            assert process.wait(timeout=10) == 0

    @pytest.mark.slow
    @pytest.mark.parametrize("words", [["--trap", "nonsense=1"], ["--trap", "slow=x"], ["--version", "9.9"]])
    def test_as_a_process_it_refuses_what_it_does_not_know(self, words: list[str]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "gateway.sample", *words], capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")


@pytest.fixture(scope="module")
def ugly() -> Dataset:
    return load(DATA / "ugly.jsonl")


class TestUglySet:
    """The hand-made set holds what its users count on."""

    def test_it_is_large_enough_and_its_zaken_are_readable_but_one(self, ugly: Dataset) -> None:
        assert sum(len(ugly.objects(kind)) for kind in ("zaak", "rol", "klantcontact")) >= 60
        secret = [
            zaak["identificatie"]
            for zaak in ugly.objects("zaak")
            if zaak["vertrouwelijkheidaanduiding"] not in ("openbaar", "beperkt_openbaar", "intern")
        ]
        assert len(secret) == 1

    def test_zaken_list_the_rollen_that_name_them(self, ugly: Dataset) -> None:
        zaken = {zaak["url"]: zaak for zaak in ugly.objects("zaak")}
        named: dict[str, set[str]] = {url: set() for url in zaken}
        for rol in ugly.objects("rol"):
            named.setdefault(rol["zaak"], set()).add(rol["url"])
        orphans = set(named) - set(zaken)
        assert len(orphans) == 1
        for url, zaak in zaken.items():
            assert set(zaak["rollen"]) == named[url]

    def test_it_shares_no_uuid_with_the_slice(self, ugly: Dataset) -> None:
        both = sample_data()
        for kind in ("zaak", "rol", "klantcontact"):
            assert len(both.objects(kind)) == len(ugly.objects(kind)) + len(slice_objects(kind))

    def test_a_person_has_a_bsn_of_eight_digits_and_of_nine(self, ugly: Dataset) -> None:
        numbers = {
            str(rol["betrokkeneIdentificatie"]["inpBsn"])
            for rol in ugly.objects("rol")
            if isinstance(rol["betrokkeneIdentificatie"], dict)
            and rol["betrokkeneIdentificatie"].get("inpBsn")
        }
        assert any(len(number) == 8 and f"0{number}" in numbers for number in numbers)

    def test_it_is_served_with_every_broken_object(self, client: requests.Session) -> None:
        with SampleServer(load(DATA / "ugly.jsonl")) as running:
            for kind, name in (("rol", "rollen"), ("klantcontact", "klantcontacten")):
                shown = client.get(f"{running.zaken_url}{name}?pageSize=500").json()["results"]
                assert len(shown) == len(running.dataset.objects(kind))
        with SampleServer(load(DATA / "ugly.jsonl"), version="1.0.2", open_zaak=False) as running:
            assert client.get(f"{running.zaken_url}rollen").status_code == 200


def test_a_file_that_is_no_such_data_is_refused_by_line(tmp_path: Path) -> None:
    for text in ("no json", '["rol"]', '["house", {}]', '["rol", []]'):
        path = tmp_path / "data.jsonl"
        path.write_text(f'["zaak", {{"uuid": "1"}}]\n{text}\n')
        with pytest.raises(ValueError, match=r"data\.jsonl, line 2"):
            load(path)
