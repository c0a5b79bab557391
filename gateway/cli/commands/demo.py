"""`klantbrug demo`: sample sources, a backfill, the gateway and a few questions to paste, until Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import click

from gateway.cli.terminal.displays import BACKFILL
from gateway.cli.terminal.progress import show_progress
from gateway.cli.terminal.status_text import status_text
from gateway.config.load import load_config
from gateway.config.model import Source
from gateway.http.auth import create_token
from gateway.installation import open_installation, open_store
from gateway.legacy.client.jwt_tokens import Tokens
from gateway.login.links import new_link
from gateway.login.roles import ROLES
from gateway.operator.export.report import text as proof_text
from gateway.sample.contents.dataset import default_paths
from gateway.sample.server import DEFAULT_APPLICATION
from gateway.store.inspect.examples import examples
from gateway.store.inspect.status import status
from jobs.backfill.backfill import Backfill
from jobs.export.run import ExportRun
from jobs.export.verify import ExportVerify
from mappings.model.settings import DEFAULT_ZAAK_CODES

# The slice is a consistent piece of a Zaken API's content; the second set holds what goes wrong in practice.
SOURCE_NAMES = ("voorbeeld", "lastig")
API = "/klantinteracties/api/v1"
START_SECONDS = 30
CONFIG = """\
[gateway]
bind = "127.0.0.1:{port}"
access_log = false
{more}
[store]
path = "klantbrug.db"
uuid_secret = "{secret}"

[mapping]
max_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"
"""
SOURCE = """
[[source]]
name = "{name}"
zaken_url = "{base}/zaken/api/v1/"
catalogi_url = "{base}/catalogi/api/v1/"
client_id = "{client_id}"
secret = "{client_secret}"
write_back = ["klantcontacten"]
"""
# A contact as a contact centre registers it.
CONTACT = {
    "kanaal": "telefoon",
    "onderwerp": "Vraag over de zaak",
    "inhoud": "Belde via Klantbrug, en staat ook in het oude systeem.",
    "taal": "nld",
    "vertrouwelijk": False,
}
TARGET = """
[target]
url = "{url}"
token = "{token}"
read_timeout = 5
"""


def run(port: int) -> int:
    """Run the demo until Ctrl-C or a stop signal. Out: the exit code."""
    try:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="klantbrug-demo-")))
            bases = {
                name: stack.enter_context(_sample_server(path))
                for name, path in zip(SOURCE_NAMES, default_paths(), strict=True)
            }
            for name, base in bases.items():
                _print(f"Voorbeeldbron {name}: {base}")
            port = free_port(port)
            config_path = _write_config(folder, port, bases)
            questions = _fill(config_path)
            base = f"http://127.0.0.1:{port}"
            gateway = stack.enter_context(_gateway(config_path, base))
            _print_questions(base, questions, _command(config_path))
            _print_write_back(base, bases[SOURCE_NAMES[0]], questions)
            _leave(stack, folder, bases, port + 1)
            _print("\nCtrl-C stopt alles.")
            gateway.wait()
            return 1
    except KeyboardInterrupt:
        _print("Gestopt.")
        return 0


def _fill(config_path: Path) -> dict[str, str]:
    """Backfill every source with progress, and show the counts. Out: the tokens and values of the questions."""
    installation = open_installation(load_config(config_path, {}))
    for fetcher in installation.fetchers.values():
        with show_progress(BACKFILL) as show:
            Backfill(fetcher, show).run()
    _print(status_text(status(installation.store), _command(config_path)))
    found = {
        "read": create_token(installation.store, "demo", "read"),
        "write": create_token(installation.store, "demo-schrijver", "write"),
        "operate": create_token(installation.store, "demo-beheer", "operate"),
        "link": new_link(installation.store, installation.config.gateway, "demo", ROLES, "demo"),
        **examples(installation.store, SOURCE_NAMES[0]),
    }
    installation.store.close()
    return found


def _command(config_path: Path) -> str:
    """How to run `klantbrug` on the demo's configuration, from any folder and without its environment."""
    return shlex.join([sys.executable, "-m", "gateway", "--config", str(config_path)])


def _print_questions(base: str, found: dict[str, str], command: str) -> None:
    """Print the questions: each a line that works when pasted."""

    def curl(path: str, token: str = found["read"], **parameters: str) -> None:
        query = f"?{urlencode(parameters, safe=',')}" if parameters else ""
        _print(f'curl -s -H "Authorization: Token {token}" "{base}{path}{query}"')

    _print(f"\nBeheerpagina: {found['link']}")
    _print(f"Die link werkt één keer; een nieuwe: {command} operator link\n")
    _print("# een persoon, bij BSN")
    bsn = {
        "partijIdentificator__codeSoortObjectId": "bsn",
        "partijIdentificator__objectId": found["bsn"],
    }
    curl(f"{API}/partijen", **bsn, expand="digitaleAdressen,betrokkenen")
    _print("# een organisatie, bij KVK-nummer")
    kvk = {
        "partijIdentificator__codeSoortObjectId": "kvk_nummer",
        "partijIdentificator__objectId": found["kvk_nummer"],
    }
    curl(f"{API}/partijen", **kvk)
    _print("# de klantcontacten van een persoon")
    curl(f"{API}/klantcontacten", hadBetrokkene__wasPartij__uuid=found["partij"], expand="hadBetrokkenen")
    _print("# de klantcontacten bij een zaak")
    curl(f"{API}/klantcontacten", onderwerpobject__onderwerpobjectidentificatorObjectId=found["zaak"])
    _print("# de stand van zaken, voor beheerders")
    curl("/beheer/api/v1/status", token=found["operate"])
    _print("# waarom is deze persoon zo?")
    _print(f"{command} explain {found['partij']}")
    _print("# wat niet paste, en wat niet te lezen was")
    _print(f"{command} findings")
    _print(f"{command} quarantine list")


def _print_write_back(base: str, source: str, found: dict[str, str]) -> None:
    """Print how a contact is written here, and how it is seen in the old system some seconds later."""
    zaak = f"{source}/zaken/api/v1/zaken/{found['zaak']}"
    codes = DEFAULT_ZAAK_CODES[0]
    about = {
        "objectId": found["zaak"],
        "codeObjecttype": codes.objecttype,
        "codeRegister": codes.register,
        "codeSoortObjectId": codes.soort_object_id,
    }
    body = {
        "klantcontact": CONTACT,
        "onderwerpobject": {"wasKlantcontact": None, "onderwerpobjectidentificator": about},
    }
    _print("# een contact bij die zaak, geschreven via Klantbrug")
    headers = f'-H "Authorization: Token {found["write"]}" -H "Content-Type: application/json"'
    _print(f'curl -s {headers} -d {shlex.quote(json.dumps(body))} "{base}{API}/maak-klantcontact"')
    _print("# en enkele seconden later in de voorbeeldbron zelf")
    token = Tokens(
        Source("demo", source, DEFAULT_APPLICATION.client_id, DEFAULT_APPLICATION.secret)
    ).current()
    address = f"{source}/zaken/api/v1/klantcontacten?{urlencode({'zaak': zaak})}"
    _print(f'curl -s -H "Authorization: Bearer {token}" "{address}"')


def _leave(stack: contextlib.ExitStack, folder: Path, bases: dict[str, str], port: int) -> None:
    """The last act: what the small source has leaves for a second, empty register, with proof."""
    there, home = folder / "register", folder / "verhuizing"
    for each in (there, home):
        each.mkdir()
    port = free_port(port)
    config = _write_config(there, port, {}, "register = true\n")
    store = open_store(load_config(config, {}))
    token = create_token(store, "verhuizing", "read write")
    store.close()
    base = f"http://127.0.0.1:{port}"
    stack.enter_context(_gateway(config, base, "--no-jobs"))
    name = SOURCE_NAMES[1]
    leaving = _write_config(home, port, {name: bases[name]})
    with leaving.open("a", encoding="utf-8") as file:
        file.write(TARGET.format(url=f"{base}{API}", token=token))
    installation = open_installation(load_config(leaving, {}))
    for fetcher in installation.fetchers.values():
        Backfill(fetcher, lambda progress: None).run()
    target = installation.config.target
    _print(f"\n# bron {name} verhuist naar een leeg register: {base}")
    ExportRun(installation.store, target, lambda step: None).run()
    _print(proof_text(ExportVerify(installation.store, target, lambda step: None).run()))
    installation.store.close()
    _print("# wat het register weigert, en wat eraan te doen is")
    _print(f"{_command(leaving)} export status")


def _write_config(folder: Path, port: int, bases: dict[str, str], more: str = "") -> Path:
    path = folder / "config.toml"
    text = CONFIG.format(port=port, secret=secrets.token_urlsafe(48), more=more)
    for name, base in bases.items():
        text += SOURCE.format(
            name=name,
            base=base,
            client_id=DEFAULT_APPLICATION.client_id,
            client_secret=DEFAULT_APPLICATION.secret,
        )
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


@contextlib.contextmanager
def _sample_server(data: Path) -> Iterator[str]:
    """A sample Zaken API with this data in a process of its own; gives its address."""
    command = [sys.executable, "-m", "gateway.sample", "--port", "0", "--data", str(data)]
    with _process(command, stdout=subprocess.PIPE) as process:
        line = process.stdout.readline().decode() if process.stdout else ""
        if " on " not in line:
            raise click.ClickException("de voorbeeldbron start niet")
        yield line.rsplit(" on ", 1)[1].strip()


@contextlib.contextmanager
def _gateway(config_path: Path, base: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`klantbrug serve` in a process of its own, when it is ready."""
    command = [sys.executable, "-m", "gateway", "--config", str(config_path), "serve", *options]
    with _process(command) as process:
        until = time.monotonic() + START_SECONDS
        while not _ready(base):
            if process.poll() is not None or time.monotonic() > until:
                raise click.ClickException("de gateway start niet")
            time.sleep(0.1)
        yield process


@contextlib.contextmanager
def _process(command: list[str], stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=stdout, start_new_session=True, env=os.environ)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def _ready(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/health/ready", timeout=2) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port(wanted: int) -> int:
    """The port asked for, or the next one that is free."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise click.ClickException(f"geen vrije poort vanaf {wanted}")


def _print(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()
