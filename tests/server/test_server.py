"""The server behind `klantbrug serve`: how it starts, stops, and what it says."""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from builders.asker import API
from builders.served_process import SLOW, a_port, asked, get, listening, plain_config, process
from builders.until import until

from gateway.base.process_identity import born
from gateway.config.load import load_config
from gateway.config.model import Gateway
from gateway.server.serve import settings

pytestmark = pytest.mark.slow

SLOWLY_BORN = """
import os
import time
import gateway.server.serve

def first(*_):
    os.write(1, b"born %d\\n" % os.getpid())  # One write: both workers have one pipe, and print() can take two.
    time.sleep(60)

gateway.server.serve.work = first
"""


def test_it_knows_the_proxy_that_it_is_asked_by(tmp_path: Path) -> None:
    """The address of who asks comes from the server itself."""
    port = a_port()
    path = plain_config(tmp_path, port)
    path.write_text(path.read_text().replace("[store]", 'trusted_proxies = ["127.0.0.1"]\n[store]'))
    with process("-m", "gateway", "--config", str(path), "serve", "--no-jobs"):
        listening(port)
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}{API}/partijen",
            headers={"Host": "brug.example.nl", "X-Forwarded-Proto": "https"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=20)
        assert b'"https://brug.example.nl/ref/fouten/' in refused.value.read()


def test_a_request_that_is_being_answered_when_the_server_must_stop_is_answered() -> None:
    port = a_port()
    answers: list[str] = []
    with process("-c", SLOW.format(port=port, workers=2, threads=2)) as running:
        listening(port)
        asking = threading.Thread(target=lambda: answers.append(get(port, "/slow")))
        asking.start()
        asked(running)
        running.terminate()
        asking.join()
        assert running.wait(timeout=20) == 0
    assert answers == ["whole"]


def test_several_processes_answer_and_threads_wait_beside_each_other() -> None:
    port = a_port()
    with process("-c", SLOW.format(port=port, workers=2, threads=4)):
        listening(port)
        until = time.monotonic() + 20
        while len({get(port, "/pid") for _ in range(20)}) < 2:
            assert time.monotonic() < until
        threads = [threading.Thread(target=get, args=(port, "/slow")) for _ in range(3)]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - start < 4.4  # one after another they take 4.5 seconds


def test_a_worker_that_is_only_just_born_hears_that_it_must_stop() -> None:
    """It has the main process's handlers then. Here it stays like that for long, as on a machine with much to do."""
    with process("-c", SLOWLY_BORN + SLOW.format(port=a_port(), workers=2, threads=1)) as running:
        assert running.stdout is not None
        assert [running.stdout.readline().split()[0] for _ in range(2)] == ["born"] * 2
        running.terminate()
        assert running.wait(timeout=15) == 0


def test_killed_hard_it_takes_its_workers_along() -> None:
    """Else they would answer on by the old configuration, beside those of the next server on the same port."""
    port = a_port()
    with process("-c", SLOW.format(port=port, workers=2, threads=1)) as running:
        listening(port)
        workers: set[str] = set()
        until(lambda: workers.add(get(port, "/pid")) or len(workers) == 2)
        running.kill()
        running.wait()
        until(lambda: all(born(int(worker)) is None for worker in workers))


def test_killed_hard_while_its_workers_are_born_it_takes_them_along() -> None:
    with process("-c", SLOWLY_BORN + SLOW.format(port=a_port(), workers=2, threads=1)) as running:
        assert running.stdout is not None
        workers = [int(running.stdout.readline().split()[1]) for _ in range(2)]
        running.kill()
        running.wait()
        until(lambda: all(born(worker) is None for worker in workers))


def test_where_the_kernel_does_not_tell_workers_see_that_their_server_is_gone() -> None:
    """As on a Mac: they look for themselves."""
    port = a_port()
    elsewhere = "import sys\nsys.platform = 'elsewhere'\n"
    program = SLOW.format(port=port, workers=1, threads=1)
    with process("-c", program.replace("def make():", elsewhere + "def make():")) as running:
        listening(port)
        worker = int(get(port, "/pid"))
        running.kill()
        running.wait()
        until(lambda: born(worker) is None)


def test_a_second_server_on_the_same_address_does_not_start(tmp_path: Path) -> None:
    """The kernel would let both listen, and share the questions out among them."""
    port = a_port()
    config = plain_config(tmp_path, port)
    with process("-m", "gateway", "--config", str(config), "serve", "--no-jobs") as first:
        listening(port)
        with process("-m", "gateway", "--config", str(config), "serve") as second:
            output, _ = second.communicate(timeout=60)
            assert second.returncode == 2
        assert f"gateway.bind: '127.0.0.1:{port}' is al in gebruik" in output
        assert "[gateway] bind" in output
        assert first.poll() is None
        assert get(port, "/health/live")


def test_a_server_starts_again_at_once_on_the_address_of_the_one_before(tmp_path: Path) -> None:
    """Also while a connection of the one before lingers in the kernel."""
    port = a_port()
    config = plain_config(tmp_path, port)
    for _ in range(2):
        with process("-m", "gateway", "--config", str(config), "serve", "--no-jobs") as running:
            listening(port)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/health/live")
            assert connection.getresponse().read()
            running.terminate()
            running.wait(timeout=60)
            connection.close()


@pytest.mark.parametrize("after", [0.3, 0.6, 0.9, 1.2])
def test_it_stops_soon_also_while_it_starts(tmp_path: Path, after: float) -> None:
    config = plain_config(tmp_path, a_port())
    with process("-m", "gateway", "--config", str(config), "serve") as running:
        time.sleep(after)
        running.terminate()
        running.wait(timeout=15)


def test_nothing_of_a_request_is_written_anywhere(tmp_path: Path) -> None:
    """Good and wrong requests, also those that HTTP itself refuses: the output shows which path they asked, no more."""
    port = a_port()
    config = plain_config(tmp_path, port)
    asked = f"{API}/partijen?partijIdentificator__objectId=123456782"
    with process("-m", "gateway", "--config", str(config), "serve") as running:
        listening(port)
        for line in (f"GET {asked} HTTP/1.1", f"BREW {asked} HTTP/1.1", f"GET {asked} HTTP/9.9", asked):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(f"{line}\r\nHost: x\r\nAuthorization: Token verzwegen\r\n\r\n".encode())
                assert connection.recv(4096)
        running.terminate()
        output, _ = running.communicate(timeout=20)
    for part in ("123456782", "verzwegen", "objectId", "BREW"):
        assert part not in output
    assert '"method":"other"' in output


def test_threads_are_for_waiting_for_a_source(tmp_path: Path) -> None:
    """Without a source one thread in each process does the work; with one it is what the operator chose."""
    alone = load_config(plain_config(tmp_path, 8000), {})
    assert settings(alone) == Gateway(bind="127.0.0.1:8000", threads=1, register=True)
    with_source = tmp_path / "with-source.toml"
    written = alone.path.read_text()  # type: ignore[union-attr]
    if "uuid_secret" not in written:
        written += "uuid_secret = 'a secret of the tests, longer than thirty-two characters'\n"
    with_source.write_text(
        written
        + "[mapping]\nmax_vertrouwelijkheidaanduiding = 'openbaar'\n"
        + "[[source]]\nname = 'bron'\nzaken_url = 'http://127.0.0.1:1/zaken/api/v1/'\n"
        + "client_id = 'x'\nsecret = 'a secret of the tests, longer than thirty-two characters'\n"
    )
    assert settings(load_config(with_source, {})).threads == 4
