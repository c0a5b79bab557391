"""`klantbrug serve` tells which files lie open, and does not carry personal data over a network in the clear."""

from __future__ import annotations

import signal
import socket
from functools import partial
from pathlib import Path
from subprocess import Popen

import pytest
from builders.served_process import a_port, get, listening, plain_config, process
from builders.until import until_it_works

pytestmark = pytest.mark.slow

SERVE = ("serve", "--no-jobs")


def configured(folder: Path, bind: str, public_url: str = "") -> Path:
    config = plain_config(folder, a_port())
    text = config.read_text()
    line = next(line for line in text.splitlines() if line.startswith("bind"))
    port = line.rpartition(":")[2].strip('"')
    config.write_text(text.replace(line, f'bind = "{bind}:{port}"\npublic_url = "{public_url}"'))
    return config


def told(running: Popen[str], words: str) -> str:
    """All that a process says up to and with these words."""
    assert running.stdout
    text = ""
    for line in running.stdout:
        text += line
        if words in line:
            return text
    raise AssertionError(text)


def port_of(config: Path) -> int:
    line = next(line for line in config.read_text().splitlines() if line.startswith("bind"))
    return int(line.rpartition(":")[2].strip('"'))


@pytest.mark.parametrize("public_url", ["", "http://klant.example.nl"])
def test_it_does_not_listen_to_the_network_in_the_clear(tmp_path: Path, public_url: str) -> None:
    config = configured(tmp_path, "0.0.0.0", public_url)
    with process("-m", "gateway", "--config", str(config), *SERVE) as refused:
        output, _ = refused.communicate(timeout=60)
    assert refused.returncode == 2
    for part in ("gateway.bind", "[gateway] public_url", "--insecure", "127.0.0.1"):
        assert part in output
    assert not (tmp_path / "klantbrug.db").exists()


@pytest.mark.parametrize(
    ("bind", "public_url", "flags"),
    [
        ("0.0.0.0", "https://klant.example.nl", ()),
        ("0.0.0.0", "", ("--insecure",)),
        ("127.0.0.2", "http://klant.example.nl", ()),
    ],
)
def test_it_listens_behind_https_or_when_told_to(
    tmp_path: Path, bind: str, public_url: str, flags: tuple[str, ...]
) -> None:
    config = configured(tmp_path, bind, public_url)
    with process("-m", "gateway", "--config", str(config), *SERVE, *flags) as running:
        if bind == "127.0.0.2":
            connect = partial(socket.create_connection, (bind, port_of(config)))
            until_it_works(lambda: connect().close(), (OSError,))
        else:
            listening(port_of(config))
            assert get(port_of(config), "/health/live")
        assert running.poll() is None


def test_a_reload_that_would_lay_it_open_is_not_followed(tmp_path: Path) -> None:
    config = configured(tmp_path, "0.0.0.0", "https://klant.example.nl")
    with process("-m", "gateway", "--config", str(config), *SERVE) as running:
        listening(port_of(config))
        config.write_text(config.read_text().replace("https://", "http://"))
        running.send_signal(signal.SIGHUP)
        assert "gateway.public_url is geen" in told(running, "the configuration is not taken over")


def test_files_that_lie_open_are_told_at_the_start(tmp_path: Path) -> None:
    config = configured(tmp_path, "127.0.0.1")
    config.chmod(0o666)
    tmp_path.chmod(0o777)
    with process("-m", "gateway", "--config", str(config), *SERVE) as running:
        text = told(running, "De map")
        listening(port_of(config))
    assert f"{config} is voor anderen" in text
    assert "doe chmod go-w" in text
    assert "klantbrug.db is voor anderen leesbaar" not in text  # it is made for its owner alone
    tmp_path.chmod(0o700)
