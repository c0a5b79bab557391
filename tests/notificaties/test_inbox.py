"""Notifications in: a message is a hint, and only what the source says now counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from builders.asker import Asker
from builders.commands import klantbrug
from builders.configs import UUID_SECRET, read_config, write_config
from builders.following import BREAKS, NO_ADDRESS, Broken, Clock, backfilled, given_long_ago, run
from builders.notificaties_server import CLIENT_ID, SECRET, TEST_MESSAGE, NotificatiesServer
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import an_open_zaak, new_contact, new_rol, new_zaak, small
from builders.sample_person import BSN, a_person
from builders.served_process import a_port
from builders.store_digest import dump_digest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.serving import make_server

import gateway.store.operation.inbox
from gateway.app import create_app
from gateway.base.clock import now
from gateway.config.written import ConfigError
from gateway.installation import Installation, open_installation
from gateway.notificaties.abonnementen import Abonnementen, AbonnementError
from gateway.notificaties.receiver import PATH, hint_of
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.sample.writes import destroy
from gateway.store.base.errors import StoreUnwritable
from gateway.store.legacy.claims import asked_by_key
from gateway.store.operation import following, inbox
from gateway.store.operation.sources import note_fetched, source_id
from jobs.follow.followed_source import Followed
from jobs.follow.inbox import anything_due, process_inbox
from jobs.follow.sweep import sweep
from jobs.follow.sync import sync
from jobs.registry import BY_NAME
from mappings.identity.identity import Uuids
from mappings.identity.sealed import sealed_text

pytestmark = pytest.mark.slow

TOKEN = "what the Notificaties API shows us".replace(" ", "-")
COLLECTIONS = {"zaak": "zaken", "rol": "rollen", "klantcontact": "klantcontacten"}


def config_of(folder: Path, server: SampleServer, more: str = "") -> Path:
    path = write_config(folder, {"bron": server})
    path.write_text(path.read_text() + f'[notifications]\ncallback_token = "{TOKEN}"\n{more}')
    return path


@pytest.fixture
def data() -> Dataset:
    return small(150)


@pytest.fixture
def installation(server: SampleServer, tmp_path: Path) -> Installation:
    return backfilled(open_installation(read_config(config_of(tmp_path / "here", server))))


def message(server: SampleServer, kind: str, uuid: str, actie: str, **more: Any) -> dict[str, Any]:
    """A message as Open Zaak sends it."""
    collection = COLLECTIONS.get(kind, "zaakcontactmomenten")
    url = f"{server.zaken_url}{collection}/{uuid}"
    zaak = more.pop("zaak", "")
    return {
        "kanaal": "zaken",
        "hoofdObject": f"{server.zaken_url}zaken/{zaak}" if zaak else url,
        "resource": kind,
        "resourceUrl": url,
        "actie": actie,
        "aanmaakdatum": "2026-11-24T10:00:00.123456Z",
        "kenmerken": {"bronorganisatie": "000000000", "vertrouwelijkheidaanduiding": "openbaar"},
    } | more


def post(
    installation: Installation, body: Any, authorization: str | None = f"Bearer {TOKEN}", **how: Any
) -> Any:
    app = create_app(installation.config, store=installation.store, hydrator=installation.hydrator())
    headers = {"Authorization": authorization} if authorization is not None else {}
    return app.test_client().post(PATH, json=body, headers=headers, **how)


def counts(installation: Installation) -> dict[str, int]:
    with installation.store.read() as connection:
        return inbox.counts(connection)


def held(installation: Installation, uuid: str) -> bool:
    return Probe(installation.store).has_raw(uuid)


def fresh(server: SampleServer, folder: Path) -> Installation:
    """A backfill of the same source into an empty store."""
    return backfilled(open_installation(read_config(config_of(folder, server))))


# The endpoint


@pytest.mark.slow
@pytest.mark.parametrize("authorization", [None, "", "Bearer", f"Bearer {TOKEN}x", f"{TOKEN} x", "Bearer é"])
def test_without_the_right_authorization_nothing_is_taken(
    installation: Installation, server: SampleServer, authorization: str | None
) -> None:
    """403 and not 401: a Notificaties API tests an abonnement by asking for exactly that."""
    answer = post(installation, message(server, "zaak", str(uuid4()), "create"), authorization)
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "permission_denied"
    assert counts(installation)["waiting"] == 0


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"Token {TOKEN}", TOKEN])
def test_a_message_is_kept_and_answered_at_once(
    installation: Installation, server: SampleServer, authorization: str
) -> None:
    server.reset_calls()
    answer = post(installation, message(server, "zaak", str(uuid4()), "create"), authorization)
    assert (answer.status_code, answer.data) == (204, b"")
    assert counts(installation)["waiting"] == 1
    assert not server.calls


def test_a_test_message_and_other_kanalen_are_taken_and_make_nothing(
    installation: Installation, server: SampleServer
) -> None:
    assert post(installation, TEST_MESSAGE).status_code == 204
    assert (
        post(installation, message(server, "zaak", str(uuid4()), "create", kanaal="documenten")).status_code
        == 204
    )
    assert post(installation, message(server, "status", str(uuid4()), "create")).status_code == 204
    assert counts(installation) == {"waiting": 0, "failing": 0, "foreign": 0, "dropped": 0}


def test_without_a_token_in_the_configuration_there_is_no_such_address(
    server: SampleServer, tmp_path: Path
) -> None:
    plain = open_installation(read_config(write_config(tmp_path / "plain", {"bron": server})))
    assert post(plain, TEST_MESSAGE).status_code == 404
    assert BY_NAME["inbox"].unusable(plain.config) == "[notifications] callback_token is leeg"


def test_a_message_that_is_not_whole_is_refused_by_field(
    installation: Installation, server: SampleServer
) -> None:
    body = message(server, "zaak", str(uuid4()), "create", aanmaakdatum="gisteren", resource=5)
    del body["actie"]
    answer = post(installation, body)
    assert answer.status_code == 400
    assert [(each["name"], each["code"]) for each in answer.get_json()["invalidParams"]] == [
        ("aanmaakdatum", "invalid"),
        ("actie", "required"),
        ("resource", "invalid"),
    ]
    assert "gisteren" not in answer.get_data(as_text=True)
    assert post(installation, ["lijst"]).status_code == 400


def test_a_token_that_is_too_short_is_told_without_showing_it(server: SampleServer, tmp_path: Path) -> None:
    path = config_of(tmp_path / "short", server)
    path.write_text(path.read_text().replace(TOKEN, "kort"))
    with pytest.raises(ConfigError, match=r"notifications\.callback_token.*openssl") as told:
        read_config(path)
    assert "kort'" not in str(told.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        "http://elders.example.nl/zaken/api/v1/rollen/{uuid}",
        "{host}/andere/api/v1/rollen/{uuid}",
        "{base}zaken/{uuid}",
        "{base}rollen/geen-uuid",
        "{base}rollen/",
        "ftp://127.0.0.1/zaken/api/v1/rollen/{uuid}",
        "http://[::1/zaken/api/v1/rollen/{uuid}",
        "{base}rollen/x/../../{uuid}",
        "http://127.0.0.1:99999/zaken/api/v1/rollen/{uuid}",
    ],
)
def test_an_address_of_no_source_is_counted_and_never_asked(
    installation: Installation, server: SampleServer, url: str
) -> None:
    url = url.format(uuid=uuid4(), host=server.base_url, base=server.zaken_url)
    server.reset_calls()
    assert post(installation, message(server, "rol", "x", "create", resourceUrl=url)).status_code == 204
    assert counts(installation) == {"waiting": 0, "failing": 0, "foreign": 1, "dropped": 0}
    run(installation, process_inbox)
    assert not server.calls


def test_the_scheme_and_a_usual_port_make_no_other_host(installation: Installation) -> None:
    """Behind a proxy a source writes http where its clients say https."""
    source, *_ = installation.config.sources
    from dataclasses import replace

    source = replace(source, zaken_url="https://zaak.example.nl/zaken/api/v1/")
    uuid = uuid4()
    for start in ("http://zaak.example.nl", "https://ZAAK.example.nl:443", "http://zaak.example.nl:80"):
        url = f"{start}/zaken/api/v1/rollen/{uuid}"
        told = hint_of({"resource": "rol", "resourceUrl": url, "hoofdObject": url}, [source])
        assert told and (told.source, told.kind, told.uuid, told.zaak) == (source.name, "rol", uuid, None)


# What becomes of a hint


def test_what_a_message_tells_of_is_fetched_or_removed_and_nothing_else(
    installation: Installation, server: SampleServer
) -> None:
    data = server.dataset
    rol, contact = new_rol(data), new_contact(data, new_zaak(data)["uuid"])
    other, gone = new_rol(data, 3), data.objects("rol")[-5]
    data.remove("rol", gone["uuid"])
    for kind, item, actie in (
        ("rol", rol, "create"),
        ("klantcontact", contact, "create"),
        ("rol", gone, "destroy"),
    ):
        post(installation, message(server, kind, item["uuid"], actie))
    server.reset_calls()
    assert run(installation, process_inbox) == {"done": 3, "postponed": 0}
    assert held(installation, rol["uuid"]) and held(installation, contact["uuid"])
    assert not held(installation, gone["uuid"]) and not held(installation, other["uuid"])
    assert server.calls_count == 4  # three objects, and the zaak that the klantcontact waits for
    assert counts(installation)["waiting"] == 0
    assert not anything_due(installation)


@pytest.mark.rule("M34")
def test_a_zaak_that_became_secret_goes_and_comes_back_whole(
    installation: Installation, server: SampleServer, tmp_path: Path
) -> None:
    data = server.dataset
    before = dump_digest(installation.store)
    zaak = an_open_zaak(data)
    for level in ("geheim", "openbaar"):
        data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": level})
        post(installation, message(server, "zaak", zaak["uuid"], "update"))
        run(installation, process_inbox)
        assert (dump_digest(installation.store) == before) == (level == "openbaar")


@pytest.mark.rule("M35")
def test_a_destroyed_zaak_takes_all_of_it_along(
    installation: Installation, server: SampleServer, tmp_path: Path
) -> None:
    zaak = next(each for each in server.dataset.objects("zaak") if each["rollen"])
    destroy(server.dataset, "zaak", zaak["uuid"])
    post(installation, message(server, "zaak", zaak["uuid"], "destroy"))
    run(installation, process_inbox)
    assert dump_digest(installation.store) == dump_digest(fresh(server, tmp_path / "fresh").store)


@pytest.mark.rule("M35")
def test_a_question_about_a_key_is_forgotten_with_its_last_rol(server: SampleServer, tmp_path: Path) -> None:
    """And that of another key is not; the next question asks the source anew, and is answered whole."""
    installation = open_installation(read_config(config_of(tmp_path / "here", server)))
    asker, bsn = Asker(installation), a_person(server.dataset)
    rol = next(
        rol
        for rol in server.dataset.objects("rol")
        if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn") == bsn
    )
    other = server.dataset.add("rol", {**rol, "uuid": str(uuid4())})

    def ask() -> Any:
        return asker.get("partijen", partijIdentificator__objectId=bsn, **BSN)

    def asked() -> set[str]:
        keys = Probe(installation.store).values("fetched", "key")
        return {key for key in keys if key.startswith("sleutel ")}

    assert ask().get_json()["count"] == 1
    with installation.store.write() as connection:
        source = installation.fetchers["bron"].source
        note_fetched(connection, source, "sleutel dicht:brp:bsn:van-een-ander", now())
    key = asked_by_key(sealed_text(Uuids(UUID_SECRET), f"brp:bsn:{bsn}"))
    assert bsn not in key
    assert key in asked()
    backfilled(installation)

    def destroyed(rol: dict[str, Any]) -> None:
        server.dataset.remove("rol", rol["uuid"])
        post(installation, message(server, "rol", rol["uuid"], "destroy"))
        run(installation, process_inbox)

    destroyed(other)
    assert key in asked()
    destroyed(rol)
    assert key not in asked()
    assert "sleutel dicht:brp:bsn:van-een-ander" in asked()
    answer = ask()
    assert answer.get_json()["count"] == 0
    assert answer.headers["Klantbrug-Coverage"] == "complete"


@pytest.mark.slow
def test_a_destroy_that_lies_does_nothing(installation: Installation, server: SampleServer) -> None:
    before = dump_digest(installation.store)
    for kind in COLLECTIONS:
        post(installation, message(server, kind, server.dataset.objects(kind)[0]["uuid"], "destroy"))
    assert run(installation, process_inbox)["done"] == 3
    assert dump_digest(installation.store) == before


def test_doubled_messages_cost_one_call(installation: Installation, server: SampleServer) -> None:
    rol = new_rol(server.dataset)
    for actie in ("create", "update", "update", "partial_update"):
        post(installation, message(server, "rol", rol["uuid"], actie))
    server.reset_calls()
    assert run(installation, process_inbox)["done"] == 1
    assert server.calls_count == 1


def test_a_zaakcontactmoment_has_its_zaak_read(installation: Installation, server: SampleServer) -> None:
    data = server.dataset
    zaak = an_open_zaak(data)
    contact = new_contact(data, zaak["uuid"])
    post(installation, message(server, "zaakcontactmoment", str(uuid4()), "create", zaak=zaak["uuid"]))
    assert run(installation, process_inbox) == {"done": 1, "postponed": 0}
    assert held(installation, contact["uuid"])


def test_a_message_that_comes_while_its_object_is_looked_into_is_not_lost(
    installation: Installation, server: SampleServer
) -> None:
    rol = server.dataset.objects("rol")[0]
    post(installation, message(server, "rol", rol["uuid"], "update"))
    source = installation.fetchers["bron"].source
    with installation.store.write() as connection:
        (hint,) = inbox.due(connection, source, 2**62, 10)
    post(installation, message(server, "rol", rol["uuid"], "destroy"))
    with installation.store.write() as connection:
        inbox.done(connection, hint)
    assert counts(installation)["waiting"] == 1


@pytest.mark.slow
def test_while_the_source_is_down_hints_wait_and_it_is_asked_now_and_then(
    installation: Installation, server: SampleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.1)
    monkeypatch.setattr("gateway.legacy.client.transport.Transport._wait_before", lambda self, attempt: 0.01)
    clock = Clock(monkeypatch)
    made = [new_rol(server.dataset, number) for number in range(5)]
    for rol in made:
        post(installation, message(server, "rol", rol["uuid"], "create"))
    server.stop()
    assert run(installation, process_inbox) == {"done": 0, "postponed": 1}
    assert counts(installation) == {"waiting": 5, "failing": 1, "foreign": 0, "dropped": 0}
    assert not anything_due(installation)
    clock.days = 6 / 86400
    assert run(installation, process_inbox) == {"done": 0, "postponed": 1}
    with server:
        clock.days = 1 / 24
        assert run(installation, process_inbox)["done"] == 5
    assert all(held(installation, rol["uuid"]) for rol in made)


@pytest.mark.slow
@pytest.mark.parametrize("status_line", [BREAKS, NO_ADDRESS])
def test_hints_of_objects_that_the_source_can_not_give_hold_up_no_others(
    installation: Installation,
    server: SampleServer,
    monkeypatch: pytest.MonkeyPatch,
    status_line: str,
) -> None:
    monkeypatch.setattr("gateway.legacy.client.transport.Transport._wait_before", lambda self, attempt: 0.001)
    rollen = [rol["uuid"] for rol in server.dataset.objects("rol")]
    bad, gone = rollen[:4], rollen[10:20]
    given_long_ago(monkeypatch, installation, bad)
    Broken(server, bad, status_line)
    for uuid in bad:
        post(installation, message(server, "rol", uuid, "update"))
    for uuid in gone:
        server.dataset.remove("rol", uuid)
        post(installation, message(server, "rol", uuid, "destroy"))
    assert run(installation, process_inbox) == {"done": 10, "postponed": 4}
    assert not any(held(installation, uuid) for uuid in gone)
    assert counts(installation)["failing"] == 4


def test_what_failed_least_is_looked_into_first(
    installation: Installation, server: SampleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hint that fails each time it is tried, and takes long over it, lets new ones go before it."""
    clock = Clock(monkeypatch)
    monkeypatch.setattr("gateway.legacy.client.transport.Transport._wait_before", lambda self, attempt: 0.001)
    bad, good = (rol["uuid"] for rol in server.dataset.objects("rol")[:2])
    broken = Broken(server, [bad])
    post(installation, message(server, "rol", bad, "update"))
    run(installation, process_inbox)
    clock.days = 1 / 24
    post(installation, message(server, "rol", good, "update"))
    clock.days = 2 / 24
    server.reset_calls()
    before, order = broken.calls, []
    look = Followed.reread

    def looking(self: Followed, kind: str, uuid: UUID, zaak: UUID | None = None) -> None:
        order.append(str(uuid))
        look(self, kind, uuid, zaak)

    monkeypatch.setattr(Followed, "reread", looking)
    assert run(installation, process_inbox) == {"done": 1, "postponed": 1}
    assert broken.calls > before
    assert order == [good, bad]


@pytest.mark.slow
def test_a_source_that_breaks_on_everything_is_left_alone_for_a_while(
    installation: Installation, server: SampleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.legacy.client.transport.Transport._wait_before", lambda self, attempt: 0.001)
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.0)
    for rol in server.dataset.objects("rol")[:10]:
        post(installation, message(server, "rol", rol["uuid"], "update"))
    down = Broken(server, ["/"])
    assert run(installation, process_inbox) == {"done": 0, "postponed": 1}
    assert down.calls < 10
    assert not anything_due(installation)


def test_an_unexpected_failure_postpones_one_hint_and_no_others(
    installation: Installation,
    server: SampleServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, *good = [rol["uuid"] for rol in server.dataset.objects("rol")[:4]]
    for uuid in (bad, *good):
        post(installation, message(server, "rol", uuid, "update"))
    look = Followed.reread

    def breaks(self: Followed, kind: str, uuid: UUID, zaak: UUID | None = None) -> None:
        if str(uuid) == bad:
            raise ValueError("999990019")
        look(self, kind, uuid, zaak)

    monkeypatch.setattr(Followed, "reread", breaks)
    assert run(installation, process_inbox) == {"done": 3, "postponed": 1}
    assert counts(installation)["failing"] == 1
    assert not anything_due(installation)
    assert "ValueError at" in caplog.text
    assert "999990019" not in caplog.text


def test_trouble_of_the_store_is_no_hint_s_own(
    installation: Installation, server: SampleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(installation, message(server, "rol", server.dataset.objects("rol")[0]["uuid"], "update"))

    def full(*_: Any) -> None:
        raise StoreUnwritable("SQLITE_FULL")

    monkeypatch.setattr(Followed, "reread", full)
    with pytest.raises(StoreUnwritable):
        run(installation, process_inbox)
    assert counts(installation)["failing"] == 0


def test_hints_of_one_source_take_no_room_of_another(
    installation: Installation, server: SampleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of one that left the configuration, whose hints nobody looks into."""
    monkeypatch.setattr(gateway.store.operation.inbox, "MOST_WAITING", 3)
    with installation.store.write() as writing:
        other = source_id(writing, "weg")
        for _ in range(3):
            assert inbox.put(writing, other, "rol", uuid4().bytes, None, 1)
        assert not inbox.put(writing, other, "rol", uuid4().bytes, None, 1)
    post(installation, message(server, "rol", server.dataset.objects("rol")[0]["uuid"], "update"))
    assert counts(installation)["dropped"] == 0
    assert run(installation, process_inbox)["done"] == 1


@pytest.mark.slow
def test_more_hints_than_fit_make_the_sweep_hurry(
    installation: Installation, server: SampleServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gateway.store.operation.inbox, "MOST_WAITING", 3)
    for number in range(6):
        post(installation, message(server, "rol", new_rol(server.dataset, number)["uuid"], "create"))
    assert counts(installation) == {"waiting": 3, "failing": 0, "foreign": 0, "dropped": 3}
    with installation.store.read() as connection:
        assert following.summary(connection)["bron"]["hurry"]
    run(installation, process_inbox)
    run(installation, sweep)
    assert dump_digest(installation.store) == dump_digest(fresh(server, tmp_path / "fresh").store)


def test_after_the_cutover_hints_are_forgotten(installation: Installation, server: SampleServer) -> None:
    post(installation, message(server, "zaak", str(uuid4()), "create"))
    Tamper(installation.store).set_phase("cutover")
    server.reset_calls()
    run(installation, process_inbox)
    assert counts(installation)["waiting"] == 0
    assert not server.calls


# The abonnement


@contextmanager
def served(installation: Installation) -> Iterator[None]:
    """The gateway over real HTTP, at its public_url."""
    app = create_app(installation.config, store=installation.store, hydrator=installation.hydrator())
    running = make_server(
        "127.0.0.1", int(installation.config.gateway.public_url.rpartition(":")[2]), app, threaded=True
    )
    thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def registering(folder: Path, server: SampleServer, api: NotificatiesServer) -> Path:
    more = f'url = "{api.url}/"\nclient_id = "{CLIENT_ID}"\nsecret = "{SECRET}"\n'
    return config_of(folder, server, more + f'[gateway]\npublic_url = "http://127.0.0.1:{a_port()}"\n')


@pytest.mark.slow
def test_an_abonnement_is_made_once_and_brings_messages(
    server: SampleServer, tmp_path: Path, run_log: Path
) -> None:
    with NotificatiesServer() as api:
        config = registering(tmp_path / "here", server, api)
        installation = backfilled(open_installation(read_config(config)))

        def say(*arguments: str) -> tuple[int, str]:
            with klantbrug(run_log, "--config", config, "notifications", *arguments) as process:
                output, _ = process.communicate(timeout=60)
            return process.returncode, output

        with served(installation):
            callback = installation.config.gateway.public_url + PATH
            assert say("register") == (0, f"Abonnement op het kanaal zaken gemaakt: {callback}\n")
            code, output = say("status")
            assert code == 0 and "0 wachten" in output and callback in output
            (made,) = api.abonnementen.values()
            assert made["kanalen"] == [{"naam": "zaken", "filters": {}}]
            rol = new_rol(server.dataset)
            assert api.send(message(server, "rol", rol["uuid"], "create")) == [204]
        run(installation, process_inbox)
        assert held(installation, rol["uuid"])


def test_an_abonnement_that_is_there_is_brought_up_to_date_and_doubles_go(
    server: SampleServer, tmp_path: Path
) -> None:
    with NotificatiesServer() as api:
        installation = open_installation(read_config(registering(tmp_path / "here", server, api)))
        ours = {
            "callbackUrl": installation.config.gateway.public_url + PATH,
            "auth": "Bearer oud",
            "kanalen": [],
        }
        other = {"callbackUrl": "http://elders.example.nl/", "auth": "x", "kanalen": []}
        for number, body in (("1", ours), ("2", other), ("3", ours)):
            api.abonnementen[number] = body | {"url": f"http://intern/api/v1/abonnement/{number}"}
        with served(installation):
            assert Abonnementen(installation.config).register() == "bijgewerkt"
            assert Abonnementen(installation.config).register() == "bijgewerkt"
        assert set(api.abonnementen) == {"1", "2"}
        assert api.abonnementen["1"]["auth"] == f"Bearer {TOKEN}"
        assert api.abonnementen["2"]["auth"] == "x"


def test_what_goes_wrong_with_an_abonnement_is_told(server: SampleServer, tmp_path: Path) -> None:
    with NotificatiesServer() as api:
        path = registering(tmp_path / "here", server, api)
        config = read_config(path)
        with pytest.raises(AbonnementError, match=r"Status 400.*callbackUrl"):  # nobody answers there
            Abonnementen(config).register()
        path.write_text(path.read_text().replace(SECRET, "another secret, of thirty-two characters"))
        with pytest.raises(AbonnementError, match=r"Status 403.*client_id"):
            Abonnementen(read_config(path)).register()
    with pytest.raises(AbonnementError, match="niet bereikbaar"):
        Abonnementen(config).own()
    with pytest.raises(AbonnementError, match=r"public_url"):
        Abonnementen(read_config(config_of(tmp_path / "bare", server)))


# Whatever happens to messages

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "new rol",
                "new contact",
                "new zaak",
                "change",
                "remove rol",
                "remove contact",
                "remove zaak",
                "lie",
            ]
        ),
        st.integers(0, 10**6),
        st.sampled_from(["at once", "lost", "doubled", "late", "early"]),
        st.sampled_from(["wait", "look into", "sync"]),
    ),
    min_size=3,
    max_size=14,
)
Steps = list[tuple[str, int, str, str]]
LEVELS = ("openbaar", "geheim", "intern")


def change(data: Dataset, what: str, number: int) -> tuple[str, str, str] | None:
    """Do something at the source; out: what a message tells of it (kind, uuid, actie)."""

    def pick(kind: str) -> dict[str, Any] | None:
        found = data.snapshot(kind)
        return found[number % len(found)].load() if found else None

    zaak, rol, contact = pick("zaak"), pick("rol"), pick("klantcontact")
    if what == "new zaak":
        return "zaak", new_zaak(data)["uuid"], "create"
    if zaak is None or rol is None or contact is None:
        return None
    if what == "new rol":
        return "rol", new_rol(data, number, zaak["uuid"])["uuid"], "create"
    if what == "new contact":
        return "klantcontact", new_contact(data, zaak["uuid"])["uuid"], "create"
    if what == "change":
        data.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": LEVELS[number % 3]})
        return "zaak", zaak["uuid"], "update"
    if what == "remove rol":
        data.remove("rol", rol["uuid"])
        return "rol", rol["uuid"], "destroy"
    if what == "remove contact":
        data.remove("klantcontact", contact["uuid"])
        return "klantcontact", contact["uuid"], "destroy"
    if what == "remove zaak":
        destroy(data, "zaak", zaak["uuid"])
        return "zaak", zaak["uuid"], "destroy"
    return "zaak", zaak["uuid"], "destroy"  # a lie


@pytest.mark.slow
@pytest.mark.rule("M42")
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_lost_doubled_late_and_early_messages_do_no_harm(
    steps: Steps, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """After a sweep the store is as a fresh backfill of the same source."""
    follow(steps, tmp_path_factory)


@pytest.mark.soak
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_two_hundred_sequences_of_messages_do_no_harm(
    steps: Steps, tmp_path_factory: pytest.TempPathFactory
) -> None:
    follow(steps, tmp_path_factory)


def follow(steps: Steps, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Backfill, do the steps at the source with messages, sweep, and compare with a fresh backfill."""
    folder = tmp_path_factory.mktemp("order")
    with SampleServer(small(60)) as server:
        installation = backfilled(open_installation(read_config(config_of(folder / "here", server))))
        late: list[dict[str, Any]] = []
        for what, number, fate, then in steps:
            if fate == "early":
                post(installation, message(server, "rol", str(uuid4()), "create"))
            told = change(server.dataset, what, number)
            if told is not None and fate != "lost":
                body = message(server, *told)
                for _ in range(2 if fate == "doubled" else 1):
                    assert fate == "late" or post(installation, body).status_code == 204
                late += [body] * (fate == "late")
            if then != "wait":
                run(installation, process_inbox if then == "look into" else sync)
        for body in reversed(late):
            post(installation, body)
        assert run(installation, process_inbox)["postponed"] == 0
        with installation.store.write() as connection:
            following.ask_hurry(connection, installation.fetchers["bron"].source, 2, "test")
        assert run(installation, sweep)["rounds"] == 1
        assert dump_digest(installation.store) == dump_digest(fresh(server, folder / "fresh").store)
