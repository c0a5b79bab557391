"""How long a client's write takes with write-back on, while the source hangs, beside off: `python -m bench.writeback`.

Two installations on one sample server, asked in turn, so that what else the machine does weighs the same on both. The
job of the one that writes back runs all the time and gets no answer.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import orjson
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.config.load import load_config
from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset, default_paths, load
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer, Traps
from jobs.backfill.backfill import Backfill
from jobs.common.work import Busy
from jobs.registry import BY_NAME, run_job

API = "/klantinteracties/api/v1"
CODES = {"codeObjecttype": "zgw-Zaak", "codeRegister": "openzaak", "codeSoortObjectId": "uuid"}
CONTACT = {
    "kanaal": "telefoon",
    "onderwerp": "Vraag",
    "inhoud": "Tekst.",
    "taal": "nld",
    "vertrouwelijk": False,
}
HANGS = 3600.0


def installed(folder: Path, server: SampleServer, write_back: str) -> Installation:
    """An installation on the sample server, read whole."""
    folder.mkdir()
    path = folder / "config.toml"
    path.write_text(
        f'[store]\npath = "klantbrug.db"\nuuid_secret = "{"a secret of the bench " * 3}"\n'
        '[mapping]\nmax_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"\n'
        f'[[source]]\nname = "bron"\nzaken_url = "{server.zaken_url}"\nclient_id = "{DEFAULT_APPLICATION.client_id}"\n'
        f'secret = "{DEFAULT_APPLICATION.secret}"\nread_timeout = 2\n{write_back}',
        encoding="utf-8",
    )
    installation = open_installation(load_config(path, {}))
    Backfill(installation.fetchers["bron"]).run()
    return installation


class Writer:
    """A client of one installation that registers contacts about a zaak, as a contact centre does."""

    def __init__(self, installation: Installation, zaak: str) -> None:
        self.zaak = zaak
        app = create_app(installation.config, store=installation.store, hydrator=installation.hydrator())
        self.client: FlaskClient = app.test_client()
        token = create_token(installation.store, "bench", "write")
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        self.seconds: list[float] = []

    def write(self) -> None:
        """A klantcontact and its onderwerpobject: two requests, each timed."""
        contact = self._post("klantcontacten", CONTACT)
        codes = CODES | {"objectId": self.zaak}
        body = {"klantcontact": {"uuid": contact["uuid"]}, "wasKlantcontact": None}
        self._post("onderwerpobjecten", body | {"onderwerpobjectidentificator": codes})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data = orjson.dumps(body)
        began = time.perf_counter()
        answer = self.client.post(f"{API}/{path}", data=data, headers=self.headers)
        self.seconds.append(time.perf_counter() - began)
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = answer.get_json()
        return shown


def run(pairs: int) -> dict[str, float]:
    """Median milliseconds of a request with write-back off and on, and how they relate."""
    data: Dataset = load(default_paths()[0])
    with tempfile.TemporaryDirectory() as folder, SampleServer(data) as server:
        off = installed(Path(folder) / "off", server, "")
        on = installed(Path(folder) / "on", server, 'write_back = ["klantcontacten"]\n')
        zaak = next(
            each["uuid"] for each in data.objects("zaak") if each["vertrouwelijkheidaanduiding"] == "openbaar"
        )
        writers = [Writer(off, zaak), Writer(on, zaak)]
        server.traps = Traps(stall_rate=1, stall_seconds=HANGS)
        stopping = threading.Event()
        job = threading.Thread(target=_deliver, args=(on, stopping), daemon=True)
        job.start()
        for number in range(pairs):
            for writer in writers if number % 2 else reversed(writers):
                writer.write()
        stopping.set()
        server.traps = Traps()
    without, with_it = (statistics.median(writer.seconds) * 1000 for writer in writers)
    return {"off_ms": without, "on_ms": with_it, "times": with_it / without}


def _deliver(installation: Installation, stopping: threading.Event) -> None:
    while not stopping.is_set():
        with contextlib.suppress(Busy):
            run_job(installation, BY_NAME["writeback"], stopping)
        stopping.wait(0.5)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    found = run(parser.parse_args().pairs)
    print(f"off {found['off_ms']:.2f} ms, on {found['on_ms']:.2f} ms: {found['times']:.3f} times as long")


if __name__ == "__main__":
    main()
