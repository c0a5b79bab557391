"""How long a client waits in phase live: `python -m bench.live [--deadline 4]`.

Per question and per source (an answer after 5, 50 or 500 ms, or none at all) the milliseconds until the answer: cold
(nothing held), warm (backfilled, young), expired (backfilled, longer ago than max_age; its last sync is in step). A
third of the slice, the gateway and the source in one process. Each measurement has a store of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gateway.app import create_app
from gateway.config.load import load_config
from gateway.http.auth import create_token
from gateway.hydrate.hydrator import LegacyHydrator
from gateway.installation import Installation, open_installation
from gateway.klantinteracties.model.freshness import Hydrator
from gateway.klantinteracties.model.resources import BASE_PATH
from gateway.sample.contents.dataset import Dataset, default_paths, load
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer
from jobs.backfill.backfill import Backfill

SOURCES = {"5 ms": 0.005, "50 ms": 0.05, "500 ms": 0.5, "hanging": 0.0}
HANGS_SECONDS = 60.0
CONFIG = """
[store]
path = "klantbrug.db"
uuid_secret = "a secret of the bench, longer than thirty-two characters"
[live]
max_age = {max_age}
deadline = {deadline}
[mapping]
max_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"
[[source]]
name = "bron"
zaken_url = "{url}"
client_id = "{client_id}"
secret = "{secret}"
"""


def questions(data: Dataset, full: Installation) -> dict[str, str]:
    """What is asked, by name: path and query of somebody with contacts, and of lists of everything."""
    ask = client(full)
    contact = ask("klantcontacten?expand=hadBetrokkenen")["results"][0]
    numbers = {
        each["identificeerdePartij"]["uuid"]: each["partijIdentificator"]["objectId"]
        for each in ask("partij-identificatoren?partijIdentificatorCodeSoortObjectId=bsn&pageSize=500")[
            "results"
        ]
    }
    partij = next(
        each["wasPartij"]["uuid"]
        for each in ask("betrokkenen?pageSize=500")["results"]
        if each["wasPartij"] and each["wasPartij"]["uuid"] in numbers
    )
    zaak = data.get("klantcontact", contact["uuid"])["zaak"].rsplit("/", 1)[1]
    bsn = "codeSoortObjectId=bsn&{0}objectId=" + numbers[partij]
    start = "partijIdentificator__"
    return {
        "partijen by BSN": f"partijen?{start}{bsn.format(start)}&expand=digitaleAdressen",
        "klantcontacten by zaak": f"klantcontacten?onderwerpobject__onderwerpobjectidentificatorObjectId={zaak}",
        "klantcontact by uuid": f"klantcontacten/{contact['uuid']}",
        "partij by uuid": f"partijen/{partij}?expand=digitaleAdressen",
        "klantcontacten by wasPartij uuid": f"klantcontacten?hadBetrokkene__wasPartij__uuid={partij}",
        "partijen, page of 100": "partijen?pageSize=100",
        "klantcontacten by kanaal": "klantcontacten?kanaal=Telefoon",
    }


def client(installation: Installation, hydrator: Hydrator | None = None) -> Callable[[str], Any]:
    """Asks the gateway, and gives the body of the answer."""
    hydrator = hydrator or installation.hydrator()
    app = create_app(installation.config, store=installation.store, hydrator=hydrator)
    headers = {
        "Authorization": f"Token {create_token(installation.store, f'bench {time.time_ns()}', 'read')}"
    }
    flask = app.test_client()
    return lambda path: flask.get(f"{BASE_PATH}/{path}", headers=headers).get_json()


def install(folder: Path, url: str, max_age: int, deadline: int, full: Installation | None) -> Installation:
    """An installation with an empty store, or with a copy of a full one."""
    folder.mkdir(parents=True)
    path = folder / "config.toml"
    of = DEFAULT_APPLICATION
    values = {"url": url, "client_id": of.client_id, "secret": of.secret}
    path.write_text(CONFIG.format(max_age=max_age, deadline=deadline, **values), encoding="utf-8")
    if full is not None:
        full.store.copy_to(folder / "klantbrug.db")
        (folder / "klantbrug.db").chmod(0o600)
    return open_installation(load_config(path, {}))


def one(installation: Installation, path: str) -> str:
    """The milliseconds that one answer takes, with its status when it is not 200."""
    hydrator = LegacyHydrator(installation.store, installation.fetchers, installation.config.live)
    ask = client(installation, hydrator)
    ask("internetaken")  # what a first request costs by itself
    began = time.perf_counter()
    body = ask(path)
    took = round((time.perf_counter() - began) * 1000)
    hydrator.refresher.stop()
    refused = f" ({body['status']})" if "code" in body and "status" in body else ""
    return f"{took:,}{refused}"


def measured(server: SampleServer, folder: Path, deadline: int) -> Iterator[tuple[str, list[str]]]:
    """Each question, and per source what it takes cold, warm and expired."""
    full = install(folder / "full", server.zaken_url, 300, deadline, None)
    if not Backfill(full.fetchers["bron"]).run():
        raise SystemExit("the backfill did not finish")
    count = 0
    for name, path in questions(server.dataset, full).items():
        cells = []
        for source, seconds in SOURCES.items():
            server.traps.slow, server.traps.stall_seconds = seconds, HANGS_SECONDS
            server.traps.stall_rate = 0 if seconds else 1
            times = []
            for held, max_age in ((None, 300), (full, 86400), (full, 0)):
                count += 1
                installation = install(folder / str(count), server.zaken_url, max_age, deadline, held)
                times.append(one(installation, path))
                installation.store.close()
            cells.append(" / ".join(times))
            print(f"{name}, {source}: {cells[-1]}", flush=True)
        yield name, cells


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__.splitlines()[0])
    parser.add_argument("--deadline", type=int, default=4)
    given = parser.parse_args()
    whole = load(default_paths()[:1])
    kept = {zaak.uuid for zaak in whole.snapshot("zaak")[::3]}
    data = whole.copy(lambda kind, record: not record.zaak_uuid or record.zaak_uuid in kept)
    with SampleServer(data) as server, tempfile.TemporaryDirectory(prefix="bench-") as name:
        rows = list(measured(server, Path(name), given.deadline))
    print(f"\n| Question | {' | '.join(SOURCES)} |\n|{'---|' * (len(SOURCES) + 1)}")
    for name, cells in rows:
        print(f"| {name} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
