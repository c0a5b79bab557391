"""The client of the Zaken API, against the sample server and against a server that says what a test wants."""

import contextlib
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import jwt
import pytest
from builders.sample_data import sample_data
from builders.scripted_source import FAST, FOUND, ROL, UNKNOWN, Reply, Scripted, client_of
from builders.set_clock import SetClock
from builders.until import until

from gateway.base import clock as base_clock
from gateway.base.logs import safe_error, safe_traceback
from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.background import background
from gateway.legacy.client.addresses import uuid_of
from gateway.legacy.client.answers import Page
from gateway.legacy.client.api_versions import ApiVersion, parse
from gateway.legacy.client.jwt_tokens import RENEW_AFTER, Tokens
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.client.transport import Retries
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import DEFAULT_APPLICATION, Application, SampleServer, Traps

BSN = "betrokkeneIdentificatie__natuurlijkPersoon__inpBsn"
KVK = "betrokkeneIdentificatie__nietNatuurlijkPersoon__kvkNummer"
# Under a bad source some calls need more tries than five; the waits stay short.
PATIENT = Retries(attempts=20, costly_attempts=20, first_wait=0.005, longest_wait=0.01)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sample_data()


@pytest.fixture
def sample(dataset) -> Iterator[SampleServer]:
    with SampleServer(dataset) as server:
        yield server


@pytest.fixture
def clock(monkeypatch) -> SetClock:
    return SetClock(monkeypatch, skips=True)


def uuids(pages: Iterator[Page]) -> list[str]:
    return [each["uuid"] for page in pages for each in page.objects]


# --- a server that answers from a script


def problem(status: int, code: str) -> Reply:
    return Reply(status, {"type": "x", "code": code, "title": "x", "status": status, "detail": "x"})


# --- versions


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "open_zaak", "page_size"),
    [("1.5.1", True, True), ("1.5.1", False, False), ("1.0.2", False, False)],
)
def test_the_version_and_the_additions_are_found_by_asking(dataset, version, open_zaak, page_size):
    with SampleServer(dataset, version=version, open_zaak=open_zaak) as server:
        found = client_of(server).version()
    assert found == ApiVersion(parse(version), version, open_zaak, page_size)


def test_the_version_is_asked_once(sample):
    client = client_of(sample)
    client.version()
    sample.reset_calls()
    assert client.can("rol", BSN)
    assert client.version().number == (1, 5, 1)
    assert sample.calls_count == 0


def test_the_config_may_say_which_version_it_is(sample):
    version = client_of(sample, api_version="1.3").version()
    assert (version.number, version.open_zaak) == ((1, 3, 0), True)


def test_a_server_that_ignores_unknown_parameters_has_no_additions():
    """It answers 200 to everything, so a filter that it does not know would give everybody's rollen."""
    with Scripted(Reply(body={"count": 2, "results": [ROL, ROL]})) as server:
        version = client_of(server).version()
    assert not version.open_zaak
    assert not version.page_size


def test_a_source_that_names_no_version_is_told_to_the_operator():
    with (
        Scripted(Reply(headers={"API-version": ""})) as server,
        pytest.raises(errors.BadAnswer, match="api_version"),
    ):
        client_of(server).version()


PARAMETERS = {
    "rol": {
        "zaak": "zaken",
        "betrokkene": "personen",
        BSN: "111222333",
        KVK: "12345678",
        "betrokkeneIdentificatie__nietNatuurlijkPersoon__innNnpId": "123456782",
        "betrokkeneIdentificatie__nietNatuurlijkPersoon__vestigingsNummer": "000000000001",
        "betrokkeneIdentificatie__vestiging__vestigingsNummer": "000000000001",
        "betrokkeneIdentificatie__vestiging__kvkNummer": "12345678",
        "betrokkeneIdentificatie__vestiging__identificatie": "x",
        "betrokkeneIdentificatie__organisatorischeEenheid__identificatie": "x",
        "betrokkeneIdentificatie__medewerker__identificatie": "x",
        "machtiging": "eigen",
        "pageSize": "1",
        "nonsense": "x",
    },
    "zaak": {
        "identificatie": "x",
        "registratiedatum__gt": "2020-01-01",
        f"rol__{BSN}": "111222333",
        "rol__betrokkeneIdentificatie__nietNatuurlijkPersoon__innNnpId": "123456782",
        "expand": "rollen",
        "maximaleVertrouwelijkheidaanduiding": "intern",
    },
    "klantcontact": {"zaak": "zaken", "pageSize": "1"},
    "zaakcontactmoment": {"zaak": "zaken"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "open_zaak"),
    [(f"1.{minor}.0", False) for minor in range(8)] + [("1.5.1", True)],
)
def test_a_parameter_is_asked_exactly_when_the_version_has_it(dataset, version, open_zaak):
    """What we say that can be asked is never refused, and what we say that cannot, is."""
    with SampleServer(dataset, version=version, open_zaak=open_zaak) as server:
        client = client_of(server)
        for kind, parameters in PARAMETERS.items():
            for name, value in parameters.items():
                asked = f"{server.zaken_url}{value}/{UNKNOWN}" if name in ("zaak", "betrokkene") else value
                transport = client._transport
                try:
                    transport.get(client._addresses.of_list(kind), {name: asked}, "GET", None)
                    taken = True
                except (errors.BadRequest, errors.NotFound, errors.BadAnswer):
                    taken = False
                assert client.can(kind, name) == taken, (version, kind, name)


def test_a_parameter_that_the_version_lacks_is_not_asked(dataset):
    with SampleServer(dataset, version="1.5.1", open_zaak=False) as server:
        client = client_of(server)
        client.version()
        server.reset_calls()
        with pytest.raises(errors.BadRequest, match="kvkNummer"):
            client.all("rol", {KVK: "12345678"})
        assert server.calls_count == 0


# --- pages


@pytest.mark.slow
@pytest.mark.parametrize(("open_zaak", "size"), [(True, 500), (False, 100)])
def test_a_walk_reads_everything_once_in_the_order_of_the_source(dataset, open_zaak, size):
    with SampleServer(dataset, open_zaak=open_zaak) as server:
        pages = list(client_of(server).pages("rol"))
    everything = [each["uuid"] for each in dataset.objects("rol")]
    assert [each["uuid"] for page in pages for each in page.objects] == everything
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert {page.size for page in pages} == {size}
    assert {page.count for page in pages} == {len(everything)}


def test_next_and_count_are_not_believed(dataset):
    """With fuzzy pagination the first page says that it is the last one."""
    with SampleServer(dataset, traps=Traps(fuzzy_pagination=True)) as server:
        read = uuids(client_of(server).pages("rol"))
    assert len(read) == len(dataset.objects("rol"))


def test_a_walk_may_begin_at_a_later_page(sample, dataset):
    read = uuids(client_of(sample).pages("rol", start=3))
    assert read == [each["uuid"] for each in dataset.objects("rol")][1000:]


def test_a_walk_that_begins_past_the_end_is_empty(sample):
    assert uuids(client_of(sample).pages("rol", start=1000)) == []


def test_a_list_that_does_not_exist_is_not_an_empty_list():
    listing = Reply(body={"count": 0, "results": []})
    with Scripted(listing, problem(404, "not_found")) as server, pytest.raises(errors.NotFound):
        client_of(server).all("klantcontact")


def test_a_router_that_answers_404_is_not_the_end_of_a_list():
    html = Reply(404, b"<html>", {"Content-Type": "text/html"})
    listing = Reply(body={"count": 2, "results": [ROL]})
    with Scripted(Reply(), listing, html) as server, pytest.raises(errors.BadAnswer):
        client_of(server).all("rol")


def test_a_source_that_gives_one_page_for_ever_does_not_hold_us():
    with Scripted(Reply(), Reply(body={"count": 1, "results": [ROL]})) as server:
        with pytest.raises(errors.BadAnswer, match="steeds dezelfde pagina"):
            list(client_of(server).pages("rol"))
        assert len(server.paths) < 10


def test_a_short_question_ends_at_a_page_that_is_the_last_by_all_signs():
    """Not full, no next page, and the exact count reached: a live question is not asked twice."""
    with Scripted(Reply(), Reply(body={"count": 1, "next": None, "results": [ROL]})) as server:
        assert len(client_of(server).all("rol")) == 1
        assert len(server.paths) == 2


def test_a_count_that_disagrees_keeps_a_short_question_going():
    first = Reply(body={"count": 2, "next": None, "results": [ROL]})
    with Scripted(Reply(), first, problem(404, "not_found")) as server:
        assert len(client_of(server).all("rol")) == 1
        assert len(server.paths) == 3


def test_a_list_in_hal_form_is_read():
    hal = Reply(body={"_embedded": {"rollen": [ROL]}})
    with Scripted(Reply(), hal, problem(404, "not_found")) as server:
        assert client_of(server).all("rol") == [ROL]


@pytest.mark.parametrize("body", [{"results": {}}, {"results": ["x"]}, [], {}, "x", None])
def test_a_list_of_another_shape_is_a_bad_answer(body):
    with Scripted(Reply(), Reply(body=body)) as server, pytest.raises(errors.BadAnswer):
        client_of(server).all("rol")


def test_zaakcontactmomenten_are_one_bare_page_and_need_a_filter(sample, dataset):
    client = client_of(sample)
    zaak = dataset.objects("zaakcontactmoment")[0]["zaak"]
    expected = [each for each in dataset.objects("zaakcontactmoment") if each["zaak"] == zaak]
    (page,) = client.pages("zaakcontactmoment", {"zaak": zaak})
    assert len(page.objects) == len(expected) > 0
    sample.reset_calls()
    with pytest.raises(errors.BadRequest, match="vraag per zaak"):
        client.all("zaakcontactmoment")
    assert sample.calls_count == 0


def test_a_walk_with_deletes_and_inserts_going_on_comes_to_its_end():
    changing = sample_data()
    with SampleServer(changing, traps=Traps(delete_during_walk=5, insert_during_walk=2)) as server:
        assert len(uuids(client_of(server).pages("rol"))) > 3000


# --- addresses


def test_addresses_are_built_from_the_configured_base(sample, dataset):
    rol = dataset.objects("rol")[0]
    assert client_of(sample).url_of("rol", rol["uuid"].upper()) == f"{sample.zaken_url}rollen/{rol['uuid']}"


def test_a_zaak_is_found_whatever_host_its_url_names(sample, dataset):
    """The source answers an empty list for another host, so the URL is rebuilt before asking."""
    rol = dataset.objects("rol")[0]
    zaak = uuid_of(rol["zaak"])
    client = client_of(sample)
    for given in (zaak, f"https://elsewhere.example.nl/api/zaken/{zaak}", client.url_of("zaak", zaak)):
        assert rol["uuid"] in [each["uuid"] for each in client.all("rol", {"zaak": given})]


@pytest.mark.parametrize(
    ("url", "uuid"),
    [
        (f"https://x.nl/zaken/{UNKNOWN}", UNKNOWN),
        (f"https://x.nl/zaken/{UNKNOWN.upper()}/", UNKNOWN),
        (UNKNOWN, UNKNOWN),
        ("https://x.nl/zaken/12", None),
        (f"https://x.nl/zaken/{UNKNOWN}/status", None),
        ("http://[x", None),
        ("", None),
    ],
)
def test_the_uuid_of_an_object_is_the_end_of_its_path(url, uuid):
    assert uuid_of(url) == uuid


def test_what_is_no_uuid_is_not_asked(sample):
    """The real server answers that with a 500, and a path could be smuggled in."""
    with pytest.raises(errors.BadRequest):
        client_of(sample).get("rol", "../zaken")
    assert sample.calls_count == 0


def test_a_redirect_is_told_and_not_followed():
    with (
        Scripted(Reply()) as elsewhere,
        Scripted(Reply(302, {}, {"Location": elsewhere.zaken_url})) as server,
    ):
        with pytest.raises(errors.BadAnswer, match="verwijst door"):
            client_of(server).get("rol", UNKNOWN)
        assert elsewhere.paths == []


def test_catalogi_needs_an_address(sample):
    with pytest.raises(errors.NotConfigured):
        client_of(sample, catalogi_url="").all("zaaktype")
    assert len(client_of(sample).all("zaaktype")) == 5


# --- causes


def test_one_object_is_given_as_it_is(sample, dataset):
    rol = dataset.objects("rol")[0]
    given = client_of(sample).get("rol", rol["uuid"])
    assert given["uuid"] == rol["uuid"]
    assert given["betrokkeneType"] == rol["betrokkeneType"]


def test_an_object_that_is_not_there_is_not_found(sample):
    with pytest.raises(errors.NotFound):
        client_of(sample).get("rol", UNKNOWN)
    assert sample.calls_count == 1


def test_only_the_api_itself_may_say_that_an_object_is_gone():
    """Believing a router's 404 would delete what is still there."""
    html = Reply(404, b"<html>", {"Content-Type": "text/html"})
    with Scripted(html) as server, pytest.raises(errors.BadAnswer) as caught:
        client_of(server).get("rol", UNKNOWN)
    assert not isinstance(caught.value, errors.NotFound)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"secret": "another-secret-than-the-server-has-for-us"}, "invalid-jwt-signature"),
        ({"client_id": "nobody"}, "invalid-client-identifier"),
    ],
)
def test_a_refusal_is_told_apart_by_its_code_and_not_tried_again(sample, more, code):
    with pytest.raises(errors.Forbidden) as caught:
        client_of(sample, **more).get("rol", UNKNOWN)
    assert caught.value.code == code
    assert sample.calls_count == 1


def test_an_application_with_few_rights_is_refused_a_single_object(dataset):
    few = Application(DEFAULT_APPLICATION.client_id, DEFAULT_APPLICATION.secret, "openbaar")
    geheim = next(each for each in dataset.objects("zaak") if each["vertrouwelijkheidaanduiding"] == "geheim")
    with SampleServer(dataset, applications=(few,)) as server, pytest.raises(errors.Forbidden) as caught:
        client_of(server).get("zaak", geheim["uuid"])
    assert caught.value.code == "permission_denied"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, errors.BadRequest), (406, errors.BadRequest), (412, errors.BadRequest), (410, errors.Gone)],
)
def test_a_refused_question_is_asked_once(status, kind):
    with Scripted(problem(status, "x")) as server:
        with pytest.raises(kind):
            client_of(server).get("rol", UNKNOWN)
        assert len(server.paths) == 1


def test_nothing_listening_is_unreachable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        source = Source("gone", f"http://127.0.0.1:{taken.getsockname()[1]}/", "k", "s" * 32)
        with pytest.raises(errors.Unreachable) as caught:
            ZakenClient(source, retries=FAST).get("rol", UNKNOWN)
    assert caught.value.temporary


def test_a_connection_without_certificate_is_not_trusted_nor_tried_again():
    with Scripted(FOUND) as server:
        url = server.zaken_url.replace("http://", "https://")
        with pytest.raises(errors.Untrusted) as caught:
            client_of(server, zaken_url=url).get("rol", UNKNOWN)
    assert not caught.value.temporary


def test_an_answer_that_is_no_api_is_a_bad_answer():
    with Scripted(Reply(200, b"<html>", {"Content-Type": "text/html"})) as server:
        with pytest.raises(errors.BadAnswer, match="geen API-antwoord"):
            client_of(server).get("rol", UNKNOWN)
        assert len(server.paths) == 1


# --- trying again


@pytest.mark.slow
@pytest.mark.parametrize(
    "traps",
    [
        Traps(drop_rate=0.4, seed=1),
        Traps(truncate_rate=0.4, seed=2),
        Traps(error_rate=0.4, seed=3),
        Traps(too_many_rate=0.4, retry_after=0, seed=4),
    ],
    ids=["dropped", "truncated", "5xx", "429"],
)
def test_a_walk_over_a_bad_source_reads_everything(dataset, traps):
    with SampleServer(dataset, traps=traps) as server:
        client = client_of(server, PATIENT)
        read = uuids(client.pages("rol"))
        assert read == [each["uuid"] for each in dataset.objects("rol")]
        pages = len(read) // 500 + 2
        assert server.calls_count > pages + 1, "the trap never struck"


def test_trying_again_has_an_end(dataset):
    with SampleServer(dataset, traps=Traps(down=True)) as server, pytest.raises(errors.Unreachable):
        client_of(server).get("rol", UNKNOWN)


def test_a_cut_off_answer_is_asked_again():
    def cut(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
        )

    early = Reply(body=b'{"url": "x", "uuid"')  # the length is right, the JSON is not
    with Scripted(Reply(raw=cut), early, FOUND) as server:
        assert client_of(server).get("rol", UNKNOWN) == ROL
        assert len(server.paths) == 3


def test_a_500_is_asked_again_once():
    with Scripted(Reply(500, {}), Reply(500, {}), FOUND) as server:
        with pytest.raises(errors.ServerError):
            client_of(server).get("rol", UNKNOWN)
        assert len(server.paths) == 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed(status, form, clock):
    after = "10" if form == "seconds" else formatdate(time.time() + 11, usegmt=True)
    with Scripted(Reply(status, {}, {"Retry-After": after}), FOUND) as server:
        began = clock.monotonic()
        assert client_of(server).get("rol", UNKNOWN) == ROL
    assert 9 <= clock.monotonic() - began < 15


def test_a_very_long_retry_after_is_capped():
    short = Retries(first_wait=0.01, longest_retry_after=0.1)
    with Scripted(Reply(503, {}, {"Retry-After": "86400"}), FOUND) as server:
        assert client_of(server, short).get("rol", UNKNOWN) == ROL


@pytest.mark.parametrize("header", ["Retry-After", "Date"])
@pytest.mark.parametrize(
    "date", [f"Mon, 01 Jan 2400 00:00:00 +{'9' * 20}", "Mon, 01 Jan 0001 00:00:00 +1400", "morgen", "9" * 400]
)
def test_a_date_that_is_none_is_as_no_date(header, date):
    def answer(
        connection: socket.socket,
    ) -> None:  # by hand: the server of these tests writes a good Date itself
        connection.sendall(
            f"HTTP/1.1 503 x\r\n{header}: {date}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
        )

    short = Retries(first_wait=0.01, longest_retry_after=0.1)
    with Scripted(Reply(raw=answer), FOUND) as server:
        assert client_of(server, short).get("rol", UNKNOWN) == ROL


def test_a_source_that_is_down_fails_clients_at_once_after_a_while():
    with Scripted(Reply(502, {})) as server:
        client = client_of(server)
        with pytest.raises(errors.ServerError):
            client.get("rol", UNKNOWN)
        asked = len(server.paths)
        with pytest.raises(errors.CircuitOpen) as caught:
            client.get("rol", UNKNOWN)
    assert asked == len(server.paths) == 5
    assert caught.value.temporary


def test_a_job_waits_for_a_source_that_is_down_and_goes_on(monkeypatch, clock):
    # Longer than the pauses between tries, or nobody would wait for it.
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 1.0)
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.LONGEST_SECONDS", 1.0)
    reasons = []
    with Scripted(*[Reply(500, {})] * 8, FOUND) as server, background(waiting=reasons.append):
        assert client_of(server).get("rol", UNKNOWN) == ROL
    assert len(server.paths) == 9
    assert {each.reason for each in reasons if each} == {"storing (circuit breaker)"}
    assert reasons[-1] is None


@pytest.mark.slow
def test_a_job_fails_at_a_page_that_is_broken_while_others_are_not():
    def reply(path: str) -> Reply:
        return FOUND if path.endswith(UNKNOWN) else Reply(500, {})

    broken = UNKNOWN.replace("4", "5")
    with Scripted(Reply(choose=reply)) as server, ThreadPoolExecutor(1) as pool:
        client, stop = client_of(server), threading.Event()

        def others() -> None:
            while not stop.is_set():
                client.get("rol", UNKNOWN)

        busy = pool.submit(others)
        try:
            with background(), pytest.raises(errors.ServerError):
                client.get("rol", broken)
        finally:
            stop.set()
        busy.result()


def test_a_job_that_must_stop_does_not_wait_any_longer():
    stop = threading.Event()
    with Scripted(Reply(503, {}, {"Retry-After": "30"})) as server, background(stop):
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        with pytest.raises(errors.Stopped):
            client_of(server).get("rol", UNKNOWN)
        assert time.monotonic() - began < 20
        assert len(server.paths) == 1


def test_a_job_with_little_patience_hears_why_nothing_is_asked():
    with Scripted(Reply(503, {}, {"Retry-After": "30"})) as server, background(patience=1):
        with pytest.raises(errors.WaitTooLong, match="rust") as caught:
            client_of(server).get("rol", UNKNOWN)
        assert caught.value.waiting.until is not None
        assert len(server.paths) == 1


def test_an_expired_token_is_renewed_and_asked_again_once():
    with Scripted(problem(403, "jwt-expired"), FOUND) as server:
        assert client_of(server).get("rol", UNKNOWN) == ROL
    with Scripted(problem(403, "jwt-expired")) as server:
        with pytest.raises(errors.Forbidden):
            client_of(server).get("rol", UNKNOWN)
        assert len(server.paths) == 2


# --- time


@pytest.mark.slow
@pytest.mark.parametrize(
    "traps", [Traps(slow=10), Traps(stall_rate=1, stall_seconds=10)], ids=["slow", "stall"]
)
def test_the_deadline_bounds_a_slow_source(dataset, traps):
    with SampleServer(dataset, traps=traps) as server:
        client = client_of(server)
        began = time.monotonic()
        with pytest.raises(errors.DeadlinePassed):
            client.all("rol", {BSN: "111222333"}, deadline=began + 0.4)
        assert time.monotonic() - began < 8


@pytest.mark.slow
def test_the_deadline_bounds_an_answer_that_drips():
    """Each byte comes within the read timeout; all of them would take half a minute."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n"
        )
        for _ in range(300):
            try:
                connection.sendall(b" ")
            except OSError:
                return
            time.sleep(0.1)

    with Scripted(Reply(raw=drip)) as server:
        began = time.monotonic()
        with pytest.raises(errors.DeadlinePassed):
            client_of(server).get("rol", UNKNOWN, deadline=began + 0.5)
        assert time.monotonic() - began < 15


@pytest.mark.slow
def test_the_deadline_bounds_connecting_and_waiting_together():
    """A server that is too busy to take a connection at once: what connecting took is not there for the answer."""
    with contextlib.ExitStack() as open_sockets:
        listening = open_sockets.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):  # until no more fit in its queue
            one = open_sockets.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        # A second later there is room, but nobody answers.
        taken: list[Any] = []
        make_room = threading.Timer(0.2, lambda: taken.extend(listening.accept() for _ in range(2)))
        make_room.start()
        source = Source(
            "sample", f"http://127.0.0.1:{listening.getsockname()[1]}/zaken/api/v1/", "me", "s" * 40
        )
        began = time.monotonic()
        with pytest.raises((errors.DeadlinePassed, errors.TimedOut)):
            ZakenClient(source, retries=Retries(attempts=1)).get("rol", UNKNOWN, deadline=began + 1.5)
        took = time.monotonic() - began
        make_room.join()
        for connection, _ in taken:
            connection.close()
    assert took < 1.8


def test_there_is_no_waiting_past_the_deadline():
    """The error that was met is told at once, for it says more than that the time is over."""
    with Scripted(Reply(503, {}, {"Retry-After": "30"})) as server:
        began = time.monotonic()
        with pytest.raises(errors.ServerError):
            client_of(server).get("rol", UNKNOWN, deadline=began + 15)
        assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_source_that_does_not_answer_times_out(dataset):
    with SampleServer(dataset, traps=Traps(slow=3)) as server:
        client = client_of(server, Retries(attempts=1), read_timeout=1)
        with pytest.raises(errors.TimedOut):
            client.get("rol", UNKNOWN)


# --- gently


@pytest.mark.slow
def test_there_are_never_more_calls_at_once_than_configured(dataset):
    with SampleServer(dataset, traps=Traps(slow=0.2)) as server, ThreadPoolExecutor(8) as pool:
        client = client_of(server, max_connections=2)
        zaken = [each["uuid"] for each in dataset.objects("zaak")[:8]]
        began = time.monotonic()
        found = list(pool.map(lambda uuid: client.get("zaak", uuid)["uuid"], zaken))
        took = time.monotonic() - began
    assert found == zaken
    assert took >= 0.8, "eight calls of 0.2 s, two at a time"


@pytest.mark.slow
def test_waiting_for_a_place_is_bounded_by_the_deadline(dataset):
    with SampleServer(dataset, traps=Traps(slow=1)) as server, ThreadPoolExecutor(1) as pool:
        client = client_of(server, max_connections=1)
        zaak = dataset.objects("zaak")[0]["uuid"]
        slow = pool.submit(client.get, "zaak", zaak)
        until(lambda: server.calls)
        with pytest.raises(errors.DeadlinePassed):
            client.get("zaak", zaak, deadline=time.monotonic() + 0.2)
        assert slow.result()["uuid"] == zaak


@pytest.mark.slow
def test_the_rate_is_kept(clock):
    with Scripted(FOUND) as server:
        client = client_of(server, requests_per_second=2)
        began = clock.monotonic()
        for _ in range(20):
            client.get("rol", UNKNOWN)
    assert 8.5 <= clock.monotonic() - began < 14, "two at once, the others half a second apart"


@pytest.mark.slow
def test_a_job_keeps_to_the_objects_per_second_and_a_request_need_not(clock):
    pages = [Reply(body={"count": 4, "results": [{"url": str(number)}]}) for number in range(4)]
    with Scripted(Reply(), *pages, problem(404, "not_found")) as server:
        began = clock.monotonic()
        with background():
            assert len(client_of(server, objects_per_second=2).all("rol")) == 4
        assert clock.monotonic() - began >= 1.0, "two at once, the others half a second apart"
    with Scripted(Reply(), *pages, problem(404, "not_found")) as server:
        client = client_of(server, objects_per_second=0.1)
        assert len(client.all("rol", deadline=clock.monotonic() + 5)) == 4


def test_a_connection_is_used_again():
    with Scripted(FOUND) as server:
        client = client_of(server)
        for _ in range(5):
            client.get("rol", UNKNOWN)
        assert (server.connections, len(server.paths)) == (1, 5)


def test_every_call_says_how_it_wants_coordinates():
    """Zaken answers 412 without this header; it harms nowhere."""
    with Scripted(FOUND) as server:
        client_of(server).get("rol", UNKNOWN)
        assert server.requests[0]["Accept-Crs"] == "EPSG:4326"


def test_cookies_of_a_load_balancer_are_not_kept():
    with Scripted(Reply(body=ROL, headers={"Set-Cookie": "node=1; Path=/"})) as server:
        client = client_of(server)
        client.get("rol", UNKNOWN)
        client.get("rol", UNKNOWN)
        assert server.requests[1]["Cookie"] is None


# --- tokens


class StandingClock:
    """Moves only when a test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_000.0
        monkeypatch.setattr(base_clock, "time_ns", lambda: int(self.now * 1_000_000_000))


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> StandingClock:
    return StandingClock(monkeypatch)


TOKEN_SOURCE = Source("a", "http://127.0.0.1/", "me", "s" * 40, user_id="u", user_representation="The user")


def test_a_token_says_who_we_are_and_when_it_was_made(standing):
    claims = jwt.decode(
        Tokens(TOKEN_SOURCE).current(), TOKEN_SOURCE.secret, ["HS256"], options={"verify_iat": False}
    )
    assert claims == {
        "iss": "me",
        "client_id": "me",
        "user_id": "u",
        "user_representation": "The user",
        "iat": int(standing.now),
    }


def test_a_token_is_made_anew_before_it_expires(standing):
    tokens = Tokens(TOKEN_SOURCE)
    first = tokens.current()
    standing.now += RENEW_AFTER - 1
    assert tokens.current() == first
    standing.now += 2
    assert tokens.current() != first


def test_a_token_is_made_anew_when_the_clock_was_set_back(standing):
    tokens = Tokens(TOKEN_SOURCE)
    first = tokens.current()
    standing.now -= 3600
    assert tokens.current() != first


def test_a_source_with_short_lived_tokens_gets_them_in_half_that_time(standing):
    tokens = Tokens(TOKEN_SOURCE)
    first = tokens.current()
    standing.now += 300
    tokens.expired(first)
    second = tokens.current()
    assert second != first
    standing.now += 149
    assert tokens.current() == second
    standing.now += 2
    assert tokens.current() != second


def test_a_token_refused_at_once_does_not_make_us_renew_all_the_time(standing):
    """Then the clocks differ, and a newer token is no better."""
    tokens = Tokens(TOKEN_SOURCE)
    tokens.expired(tokens.current())
    assert tokens.renew_after == RENEW_AFTER


# --- privacy

SECRET_NUMBER = "111222333"


def test_no_error_or_log_line_holds_what_was_asked(dataset, caplog):
    """The Zaken API takes the BSN in its query string; it must be seen nowhere else."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    seen = []
    traps = [
        Traps(),
        Traps(down=True),
        Traps(truncate_rate=1),
        Traps(error_rate=1),
        Traps(json_not_json=True),
    ]
    for trap in traps:
        with SampleServer(dataset) as server:
            client = client_of(server, Retries(attempts=2, first_wait=0.001))
            client.version()
            server.traps = trap
            try:
                client.all("rol", {BSN: SECRET_NUMBER})
            except errors.LegacyError as exc:
                seen += [str(exc), repr(exc), safe_error(exc), safe_traceback(exc)]
                seen += traceback.format_exception(exc)
    with Scripted(problem(400, "invalid")) as server, pytest.raises(errors.BadRequest) as caught:
        client = client_of(server)
        client._version_probe._known = ApiVersion((1, 5, 1), "1.5.1", True, True)
        client.all("rol", {BSN: SECRET_NUMBER})
    seen += [str(caught.value), *traceback.format_exception(caught.value)]
    assert any("inpBsn=*" in text for text in seen)
    assert any("inpBsn=*" in record.getMessage() for record in caplog.records)
    assert not any(SECRET_NUMBER in text for text in [*seen, caplog.text]), "a BSN was shown"
