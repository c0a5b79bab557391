"""The earlier standards as sources, over real HTTP: sample server, client, configuration and check (M32, M40, M41)."""

from __future__ import annotations

import contextlib
import gzip
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import yaml
from builders.asker import Asker
from builders.configs import UUID_SECRET, write_config
from builders.operator_client import said
from builders.paths import DATA
from builders.probe.probe import Probe
from builders.sample_data import sample_data, some_zaken

from gateway.config.load import load_config
from gateway.config.model import Config, Source
from gateway.config.written import ConfigError
from gateway.installation import Installation, open_installation
from gateway.legacy import errors
from gateway.legacy.client.api_versions import EARLIER_VERSION
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.client.transport import Retries
from gateway.operator.check import Level, check_config, check_source
from gateway.sample.contents import earlier_standards
from gateway.sample.contents.dataset import Dataset
from gateway.sample.contents.earlier_objects import add_earlier
from gateway.sample.server import DEFAULT_APPLICATION, Application, SampleServer, Traps
from jobs.backfill.backfill import Backfill
from mappings.incoming.earlier_standards import load_contactmoment, load_klant
from mappings.model.settings import Settings
from mappings.rules.contactmoment_facts import read_contactmoment
from mappings.rules.klanten import translate_klant
from mappings.standards import KINDS

BSN = "subjectNatuurlijkPersoon__inpBsn"
FAST = Retries(first_wait=0.01)
ONLY_ZAKEN = Application("zaken", "a-sample-secret-that-opens-only-the-zaken-api", earlier=False)
SETTINGS = Settings("zaakvertrouwelijk")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return add_earlier(sample_data())


@pytest.fixture(scope="module")
def sample(dataset: Dataset) -> Iterator[SampleServer]:
    with SampleServer(dataset, applications=[DEFAULT_APPLICATION, ONLY_ZAKEN]) as server:
        yield server


def source_of(server: SampleServer, **more: Any) -> Source:
    values = {
        "name": "oud",
        "zaken_url": server.zaken_url,
        "klanten_url": server.klanten_url,
        "contactmomenten_url": server.contactmomenten_url,
        "client_id": DEFAULT_APPLICATION.client_id,
        "secret": DEFAULT_APPLICATION.secret,
    }
    return Source(**{**values, **more})


def client_of(server: SampleServer, **more: Any) -> ZakenClient:
    return ZakenClient(source_of(server, **more), retries=FAST)


def ask(url: str, application: Application = DEFAULT_APPLICATION, **params: str) -> requests.Response:
    claims = {"iss": "test", "iat": int(time.time()), "client_id": application.client_id}
    token = jwt.encode(claims, application.secret, algorithm="HS256")
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(url, params=params, headers=headers, timeout=10)


# --- the sample server


@pytest.mark.slow
def test_the_sample_data_is_the_same_each_time(dataset: Dataset) -> None:
    again = add_earlier(sample_data())
    for kind in (*earlier_standards.KINDS, "rol", "zaakcontactmoment"):
        assert again.objects(kind) == dataset.objects(kind)
        assert len(dataset.objects(kind)) > 200


def test_the_sample_ties_old_to_new(dataset: Dataset) -> None:
    """Rollen and zaakcontactmomenten name klanten and contactmomenten that are there."""
    klanten = {klant["url"] for klant in dataset.objects("klant")}
    contacten = {contact["url"] for contact in dataset.objects("contactmoment")}
    named = {rol["betrokkene"] for rol in dataset.objects("rol")}
    assert len(named & klanten) == 38
    assert {tie["contactmoment"] for tie in dataset.objects("zaakcontactmoment")} <= contacten


@pytest.mark.parametrize("kind", sorted(earlier_standards.KINDS))
def test_lists_are_in_the_form_of_the_standard(sample: SampleServer, dataset: Dataset, kind: str) -> None:
    url = f"{sample.base_url}{earlier_standards.PATHS[kind]}"
    answer = ask(url)
    assert answer.headers["API-version"] == "1.0.0"
    body = answer.json()
    if kind == "klantcontactmoment":
        assert len(body) == len(dataset.objects(kind))
        shown = body[0]
    else:
        assert (body["count"], len(body["results"])) == (len(dataset.objects(kind)), 100)
        assert body["next"] == f"{url}?page=2"
        shown = body["results"][0]
    assert shown["url"].startswith(url)
    assert ask(shown["url"]).json() == shown
    assert ask(url, pageSize="500").status_code == 400
    assert ask(f"{url}/00000000-0000-4000-8000-000000000000").status_code == 404
    assert ask(url, ONLY_ZAKEN).status_code == 403


def test_a_filter_finds_what_it_names(sample: SampleServer, dataset: Dataset) -> None:
    tie = dataset.objects("klantcontactmoment")[0]
    klant = dataset.get("klant", tie["klant"].rpartition("/")[2])
    here = {name: value.replace("http://127.0.0.1:8002", sample.base_url) for name, value in tie.items()}
    ties = ask(f"{sample.contactmomenten_url}klantcontactmomenten", klant=here["klant"]).json()
    assert here in ties
    assert {each["klant"] for each in ties} == {here["klant"]}
    number = klant["klantnummer"]
    (found,) = ask(f"{sample.klanten_url}klanten", klantnummer=number).json()["results"]
    assert found["url"] == here["klant"]
    contacts = f"{sample.contactmomenten_url}contactmomenten"
    late = ask(contacts, registratiedatum__gte="2025-02-10T00:00:00Z").json()["count"]
    early = ask(contacts, registratiedatum__lt="2025-02-10T00:00:00Z").json()["count"]
    assert late and early
    assert late + early == len(dataset.objects("contactmoment"))


# --- the client


def test_every_kind_is_read_whole(sample: SampleServer, dataset: Dataset) -> None:
    client = client_of(sample)
    for kind in ("klant", "contactmoment", "objectcontactmoment"):
        found = [each["url"].rpartition("/")[2] for page in client.pages(kind) for each in page.objects]
        assert found == [each["url"].rpartition("/")[2] for each in dataset.objects(kind)]
        assert client.get(kind, found[0])["url"] == client.url_of(kind, found[0])


def test_what_hangs_on_a_contactmoment_is_asked_by_our_own_address(
    sample: SampleServer, dataset: Dataset
) -> None:
    """Whatever host the uuid was met under: with another one the source finds nothing."""
    client = client_of(sample)
    tie, about = dataset.objects("klantcontactmoment")[0], dataset.objects("objectcontactmoment")[0]
    elsewhere = tie["contactmoment"].replace("127.0.0.1:8002", "elders.example")
    assert len(client.all("klantcontactmoment", {"contactmoment": elsewhere})) >= 1
    assert len(client.all("klantcontactmoment", {"klant": tie["klant"]})) >= 1
    assert len(client.all("objectcontactmoment", {"object": about["object"]})) >= 1
    assert len(client.all("objectcontactmoment", {"contactmoment": about["contactmoment"]})) == 1


@pytest.mark.rule("M32")
def test_a_zaakcontactmoment_is_asked_by_the_address_that_it_holds(
    sample: SampleServer, dataset: Dataset
) -> None:
    client = client_of(sample)
    here = dataset.objects("zaakcontactmoment")[0]["contactmoment"]
    here = here.replace("http://127.0.0.1:8002", sample.base_url)
    assert len(client.all("zaakcontactmoment", {"contactmoment": here})) == 1
    elsewhere = here.replace(sample.base_url, "https://elders.example")
    assert client.all("zaakcontactmoment", {"contactmoment": elsewhere}) == []


def test_a_bare_list_is_not_asked_without_a_filter(sample: SampleServer) -> None:
    with pytest.raises(errors.BadRequest):
        client_of(sample).all("klantcontactmoment")


def test_filters_follow_the_contract(sample: SampleServer) -> None:
    """Every filter of the published contracts can be asked, no other, and the sample takes each."""
    client = client_of(sample)
    for name in ("klanten", "contactmomenten"):
        contract = yaml.safe_load(gzip.decompress((DATA / f"{name}-1.0.yaml.gz").read_bytes()))
        for kind in (kind for kind, each in KINDS.items() if each.api == name):
            operation = contract["paths"][f"/{KINDS[kind].path}"]["get"]
            wanted = {each["name"] for each in operation["parameters"] if each.get("in") == "query"}
            assert {each for each in wanted if client.can(kind, each)} == wanted
            assert earlier_standards.parameters(kind) == wanted
            assert not client.can(kind, "pageSize")
    assert EARLIER_VERSION.has("klant", BSN)
    with pytest.raises(errors.BadRequest, match="heeft niet: zaak"):
        client.all("klant", {"zaak": "x"})


@pytest.mark.slow
def test_an_old_source_is_not_asked_about_its_zaken_api_first(sample: SampleServer) -> None:
    sample.reset_calls()
    assert client_of(sample).all("klant", {BSN: "000000000"}) == []
    (call,) = sample.calls
    assert call.path.startswith("/klanten/api/v1/klanten?")


@pytest.mark.slow
def test_an_api_may_have_credentials_of_its_own(sample: SampleServer) -> None:
    zaken = {"client_id": ONLY_ZAKEN.client_id, "secret": ONLY_ZAKEN.secret}
    own = {
        f"{api}_{key}": getattr(DEFAULT_APPLICATION, key)
        for api in ("klanten", "contactmomenten")
        for key in ("client_id", "secret")
    }
    with pytest.raises(errors.Forbidden):
        client_of(sample, **zaken).first("klant")
    client = client_of(sample, **zaken, **own)
    assert client.first("klant")[0]
    assert client.first("contactmoment")[0]
    assert client.first("zaak")[0]


@pytest.mark.slow
def test_an_api_that_is_not_configured_is_not_asked(sample: SampleServer) -> None:
    client = client_of(sample, klanten_url="")
    assert not client.has_api("klanten")
    assert client.has_api("contactmomenten")
    with pytest.raises(errors.NotConfigured):
        client.all("klant", {"klantnummer": "1"})


@pytest.mark.slow
@pytest.mark.rule("M3")
def test_all_that_the_sample_gives_can_be_translated(sample: SampleServer) -> None:
    client = client_of(sample)
    klanten = [each for page in client.pages("klant") for each in page.objects]
    contacten = [each for page in client.pages("contactmoment") for each in page.objects]
    assert all(translate_klant(load_klant(raw), "oud", SETTINGS).claims for raw in klanten)
    actors = [read_contactmoment(load_contactmoment(raw), "oud", SETTINGS).claims for raw in contacten]
    assert 0 < sum(map(bool, actors)) < len(contacten)


@pytest.mark.slow
def test_the_traps_hold_for_these_apis_too(dataset: Dataset) -> None:
    patient = Retries(attempts=20, costly_attempts=20, first_wait=0.005, longest_wait=0.01)
    with SampleServer(dataset, traps=Traps(error_rate=0.2, drop_rate=0.1, truncate_rate=0.1)) as server:
        client = ZakenClient(source_of(server), retries=patient)
        found = [each["url"] for page in client.pages("klant") for each in page.objects]
        assert len(found) == len(dataset.objects("klant"))
        assert {call.status for call in server.calls} > {200}


@pytest.mark.slow
def test_the_sample_command_serves_them() -> None:
    command = [sys.executable, "-m", "gateway.sample", "--earlier", "--data", str(DATA / "ugly.jsonl")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base = process.stdout.readline().split()[-1]
            assert ask(f"{base}/klanten/api/v1/klanten").json()["count"] > 0
        finally:
            process.terminate()


# --- configuration and check

FILE = """
[store]
uuid_secret = "{secret}"
[mapping]
max_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"
[[source]]
name = "oud"
zaken_url = "https://zaken.example/zaken/api/v1"
client_id = "klantbrug"
secret = "geheim-van-de-bron"
{more}
"""


def config(folder: Path, more: str, environ: dict[str, str] | None = None) -> Config:
    path = folder / "config.toml"
    path.write_text(FILE.format(secret=UUID_SECRET, more=more), encoding="utf-8")
    path.chmod(0o644)
    return load_config(path, environ or {})


@pytest.mark.slow
def test_the_addresses_of_a_source_end_in_a_slash(tmp_path: Path) -> None:
    source = config(tmp_path, 'klanten_url = "https://k.example/api/v1"').sources[0]
    assert (source.klanten_url, source.contactmomenten_url) == ("https://k.example/api/v1/", "")


@pytest.mark.slow
def test_own_credentials_come_from_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "geheim").write_text("uit-het-bestand\n", encoding="utf-8")
    more = (
        'klanten_url = "https://k.example/api/v1"\nklanten_client_id = "k"\nklanten_secret_file = "geheim"\n'
        'contactmomenten_url = "https://c.example/api/v1"\ncontactmomenten_client_id = "c"\n'
    )
    environ = {"KLANTBRUG_SOURCE__OUD__CONTACTMOMENTEN_SECRET": "uit-de-omgeving"}
    source = config(tmp_path, more, environ).sources[0]
    assert source.klanten_secret == "uit-het-bestand"
    assert source.contactmomenten_secret == "uit-de-omgeving"
    assert "uit-" not in repr(source)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "key", "problem"),
    [
        ('klanten_url = "klanten.example"', "klanten_url", "geen webadres"),
        ('klanten_client_id = "k"\nklanten_secret = "s"', "klanten_url", "ontbreekt"),
        ('klanten_url = "https://k.example/"\nklanten_client_id = "k"', "klanten_secret", "ontbreekt naast"),
        (
            'contactmomenten_url = "https://c.example/"\ncontactmomenten_secret = "s"',
            "contactmomenten_client_id",
            "ontbreekt naast",
        ),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, more: str, key: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, more)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"source.oud.{key}: ")
    assert problem in line


@pytest.mark.slow
def test_check_tells_what_the_earlier_apis_show(sample: SampleServer, dataset: Dataset) -> None:
    report = check_source(source_of(sample))
    assert "De Klanten API antwoordt, versie 1.0.0." in said(report, Level.OK)
    assert "De Contactmomenten API antwoordt, versie 1.0.0." in said(report, Level.OK)
    for kind in ("klant", "contactmoment", "objectcontactmoment"):
        assert report.counts[kind] == len(dataset.objects(kind))
    assert said(report, Level.PROBLEM) == ""


@pytest.mark.slow
def test_check_tells_what_is_wrong_with_them(sample: SampleServer) -> None:
    closed = {"klanten_client_id": ONLY_ZAKEN.client_id, "klanten_secret": ONLY_ZAKEN.secret}
    report = check_source(source_of(sample, **closed, contactmomenten_url="http://127.0.0.1:9/x/"))
    problems = said(report, Level.PROBLEM)
    assert "'zaken', maar geeft geen rechten op klanten" in problems
    assert "klanten.lezen." in problems
    assert "127.0.0.1" in problems
    other = sample.klanten_url.replace("127.0.0.1", "localhost")
    assert "in zijn URLs" not in said(check_source(source_of(sample, klanten_url=other)), Level.WARNING)


@pytest.mark.slow
def test_check_warns_of_addresses_that_never_match(sample: SampleServer, dataset: Dataset) -> None:
    """A klant that names itself otherwise than we ask it is not joined with the rollen that name it."""
    klant = dataset.objects("klant")[0]
    uuid = klant["url"].rpartition("/")[2]
    dataset.replace("klant", uuid, klant | {"url": f"https://oud.example/klanten/{uuid}"})
    try:
        report = check_source(source_of(sample))
    finally:
        dataset.replace("klant", uuid, klant)
    assert "De bron schrijft https://oud.example/ in zijn URLs van klanten" in said(report, Level.WARNING)


@pytest.mark.slow
def test_check_sees_the_secrets_of_the_earlier_apis_in_a_readable_file(tmp_path: Path) -> None:
    more = (
        'klanten_url = "https://k.example/api/v1"\nklanten_client_id = "k"\n'
        'klanten_secret = "een-eigen-geheim-van-de-klanten-api"'
    )
    lines = check_config(config(tmp_path, more))
    assert any("chmod 600" in line.text and "config.toml" in line.text for line in lines)


# --- old beside new, through the served API


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Callable[..., tuple[Installation, SampleServer]]]:
    """Makes an installation on a sample server that has both: `beside(data)`."""
    with contextlib.ExitStack() as stack:
        servers: dict[int, SampleServer] = {}
        count = iter(range(100))

        def make(data: Dataset, **live: Any) -> tuple[Installation, SampleServer]:
            if id(data) not in servers:
                servers[id(data)] = stack.enter_context(SampleServer(data))
            server = servers[id(data)]
            path = write_config(tmp_path / f"beside-{next(count)}", {"bron": server}, **live)
            text = path.read_text(encoding="utf-8") + (
                f'klanten_url = "{server.klanten_url}"\ncontactmomenten_url = "{server.contactmomenten_url}"\n'
            )
            path.write_text(text, encoding="utf-8")
            return open_installation(load_config(path, {})), server

        yield make


def read_everything(installation: Installation) -> None:
    """A backfill of all kinds."""
    assert Backfill(installation.fetchers["bron"]).run()


EXPAND = "digitaleAdressen,betrokkenen,betrokkenen.hadKlantcontact"
EXPAND_CONTACT = "hadBetrokkenen,hadBetrokkenen.wasPartij,gingOverOnderwerpobjecten"


def beside_questions(data: Dataset) -> Iterator[tuple[str, dict[str, str]]]:
    soorten = {"inpBsn": "bsn", "innNnpId": "rsin", "vestigingsNummer": "vestigingsnummer"}
    for klant in data.objects("klant"):
        for name, value in (klant["subjectIdentificatie"] or {}).items():
            of = {"codeSoortObjectId": soorten[name], "objectId": value}
            yield "partijen", {f"partijIdentificator__{k}": v for k, v in of.items()} | {"expand": EXPAND}
            start = "hadBetrokkene__wasPartij__partijIdentificator__"
            yield "klantcontacten", {f"{start}{k}": v for k, v in of.items()} | {"expand": EXPAND_CONTACT}
    for tie in data.objects("objectcontactmoment"):
        zaak = tie["object"].rpartition("/")[2]
        name = "onderwerpobject__onderwerpobjectidentificatorObjectId"
        yield "klantcontacten", {name: zaak, "expand": EXPAND_CONTACT}
    for contact in data.objects("contactmoment"):
        yield f"klantcontacten/{contact['url'].rpartition('/')[2]}", {"expand": EXPAND_CONTACT}


@pytest.mark.slow
@pytest.mark.rule("M40")
@pytest.mark.rule("M41")
def test_a_cold_gateway_answers_as_one_that_read_everything(beside: Callable[..., Any]) -> None:
    data = add_earlier(some_zaken(sample_data(), 30))
    full, _ = beside(data)
    read_everything(full)
    cold, _ = beside(data)
    here, there = Asker(cold), Asker(full)
    asked = contacts = 0
    for path, query in beside_questions(data):
        cold_answer, full_answer = here.get(path, **query), there.get(path, **query)
        if not cold_answer.headers["Klantbrug-Coverage"].startswith("complete"):
            continue
        asked += 1
        assert cold_answer.status_code == full_answer.status_code, path
        if full_answer.status_code == 200:
            assert cold_answer.get_json() == full_answer.get_json(), path
            contacts += len(full_answer.get_json().get("results", [1]))
    assert asked > 50
    assert contacts > 50


@pytest.mark.slow
@pytest.mark.rule("M35")
def test_a_contactmoment_that_is_gone_goes_here_too(beside: Callable[..., Any]) -> None:
    data = add_earlier(some_zaken(sample_data(), 60))
    installation, server = beside(data, max_age=0)
    asker = Asker(installation)
    uuid = next(
        uuid
        for contact in data.objects("contactmoment")
        if asker.get(f"klantcontacten/{(uuid := contact['url'].rpartition('/')[2])}").status_code == 200
    )
    server.dataset.remove("contactmoment", uuid)
    assert asker.get(f"klantcontacten/{uuid}").status_code == 404


@pytest.mark.slow
@pytest.mark.rule("M6")
def test_a_klant_of_the_contact_system_is_the_betrokkene_of_a_zaak(beside: Callable[..., Any]) -> None:
    """A rol that only names the klant by its URL is that klant's party, with its e-mail address."""
    data = add_earlier(some_zaken(sample_data(), 60))
    klant = next(each for each in data.objects("klant") if (each["subjectIdentificatie"] or {}).get("inpBsn"))
    bsn = klant["subjectIdentificatie"]["inpBsn"]
    zaak = next(
        each for each in data.objects("zaak") if each["vertrouwelijkheidaanduiding"] in ("openbaar", "intern")
    )
    model = next(each for each in data.objects("rol") if each["betrokkeneType"] == "natuurlijk_persoon")
    added = data.add(
        "rol",
        {name: value for name, value in model.items() if name not in ("uuid", "url")}
        | {"zaak": zaak["url"], "betrokkene": klant["url"], "betrokkeneIdentificatie": None},
    )
    installation, _ = beside(data)
    query = {"partijIdentificator__codeSoortObjectId": "bsn", "partijIdentificator__objectId": bsn}
    (party,) = Asker(installation).get("partijen", expand="digitaleAdressen", **query).get_json()["results"]
    addresses = [each["adres"] for each in party["_expand"]["digitaleAdressen"]]
    assert klant["emailadres"] in addresses
    assert Probe(installation.store).made_of(added["uuid"], "partij") == [party["uuid"]]
