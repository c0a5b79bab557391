"""A kind that no standard has is added here, in one file: it is backfilled, followed, verified and asked for by key.

Tables by kind are made when they are imported, so this file is also a program that declares the kind before that: at
its top it imports nothing of gateway and jobs, nor of the builders that do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.paths import ROOT

from mappings.incoming.given_fields import (
    GivenMoment,
    GivenNumber,
    GivenText,
    GivenUuid,
    LenientSchema,
    loaded,
)
from mappings.model.claims import Claim
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.standards import KINDS, declare
from mappings.standards.declaration import (
    ALWAYS,
    ZAKEN,
    Asking,
    Decides,
    FoundBy,
    LegacyKind,
    Newest,
    Pages,
    Questions,
    since,
)

pytestmark = pytest.mark.slow

PREFIX = "/zaken/api/v1"


# The schema, the rules and the declaration: who reported something about a zaak.


class Melder(LenientSchema):
    uuid = GivenUuid()
    bsn = GivenNumber()
    naam = GivenText()
    registratiedatum = GivenMoment()


SCHEMA = Melder()


def translate(melder: dict[str, Any], raw: Mapping[str, Any], source: str, settings: Settings) -> Translated:
    bsn, uuid = melder["bsn"], UUID(melder["uuid"])
    naam = {"voorletters": "", "voornaam": "", "voorvoegselAchternaam": "", "achternaam": melder["naam"]}
    claim = Claim("zelf", "persoon", [f"brp:bsn:{bsn}"], uuid, melder["registratiedatum"], naam=naam)
    claim.identificatoren.append(["bsn", bsn])
    return Translated({}, [claim])


def by_key(key: str, asking: Asking) -> Questions:
    return ([("bsn", key.removeprefix("brp:bsn:"))] if key.startswith("brp:bsn:") else []), True


MELDER = LegacyKind(
    name="melder",
    number=len(KINDS) + 1,
    title="Melders",
    path="melders",
    api=ZAKEN,
    pages=Pages.FIXED,
    filters=since(ALWAYS, "page", "zaak", "bsn"),
    own_urls={"zaak": "zaak"},
    order=max(kind.order for kind in KINDS.values()) + 1,
    newest=Newest(),
    asked_by={"zaak": "zaak"},
    by_key=by_key,
    schema=lambda raw: loaded(SCHEMA, raw),
    translate=translate,
    says=True,
    decides=Decides.ITS_ZAAK,
    found_by=FoundBy.ITS_KEYS,
)


# A source that has it.


class Source:
    """A small Zaken API: one zaak, and melders of it."""

    def __init__(self) -> None:
        from flask import Flask, request

        self.lists: dict[str, list[dict[str, Any]]] = {
            kind.path: [] for kind in KINDS.values() if kind.api == ZAKEN
        }
        self.base = ""
        self.app = Flask(__name__)

        @self.app.get(f"{PREFIX}/<path>")
        def listed(path: str) -> Any:
            if path not in self.lists or int(request.args.get("page", 1)) > 1:
                return {"status": 404, "code": "not_found"}, 404
            filters = {name: value for name, value in request.args.items() if name in ("zaak", "bsn")}
            found = [each for each in self.lists[path] if filters.items() <= each.items()]
            if path == "zaakcontactmomenten":
                return found
            return {"count": len(found), "next": None, "previous": None, "results": found}

        @self.app.get(f"{PREFIX}/<path>/<uuid>")
        def single(path: str, uuid: str) -> Any:
            found = [each for each in self.lists.get(path, []) if each["uuid"] == uuid]
            return found[0] if found else ({"status": 404, "code": "not_found"}, 404)

        @self.app.after_request
        def say_version(response: Any) -> Any:
            response.headers["API-version"] = "1.5.1"
            return response

    @contextmanager
    def running(self) -> Iterator[None]:
        from werkzeug.serving import make_server

        server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.base = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()

    def add(self, path: str, number: int, **fields: str) -> dict[str, Any]:
        """Add an object to the front of a list, which has the newest first."""
        uuid = str(UUID(int=number))
        made = {"uuid": uuid, "url": f"{self.base}{PREFIX}/{path}/{uuid}", **fields}
        self.lists[path].insert(0, made)
        return made

    def melder(self, number: int, bsn: str) -> dict[str, Any]:
        """Add a melder of the first zaak."""
        zaak = self.lists["zaken"][-1]["url"]
        moment = "2026-01-02T03:04:05Z"
        return self.add("melders", number, zaak=zaak, bsn=bsn, naam=f"Mol {number}", registratiedatum=moment)


# What is seen of it.


def program(folder: Path) -> None:
    """Backfill, follow, verify and ask for what the source has."""
    from builders.asker import Asker
    from builders.commands import command
    from builders.configs import UUID_SECRET, read_config
    from builders.following import hurry, run
    from builders.stores import store_keys

    from gateway.installation import open_installation
    from jobs.backfill.backfill import Backfill
    from jobs.follow.sweep import sweep
    from jobs.follow.sync import sync
    from jobs.verify.verify import Verify

    source = Source()

    def installed(name: str) -> Any:
        path = folder / f"{name}.toml"
        path.write_text(
            f'[store]\n{store_keys(path.with_suffix(".db"))}uuid_secret = "{UUID_SECRET}"\n'
            '[mapping]\nmax_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"\n[[source]]\nname = "bron"\n'
            f'zaken_url = "{source.base}{PREFIX}/"\nclient_id = "test"\nsecret = "{"s" * 40}"\n'
        )
        return open_installation(read_config(path))

    def named(installation: Any, bsn: str) -> list[str]:
        """The names of the partijen that a search for a BSN finds."""
        query = {
            "partijIdentificator__codeObjecttype": "natuurlijk_persoon",
            "partijIdentificator__codeSoortObjectId": "bsn",
            "partijIdentificator__objectId": bsn,
            "partijIdentificator__codeRegister": "brp",
        }
        answer = Asker(installation).get("partijen", **query)
        assert answer.status_code == 200, answer.get_data()
        return [each["partijIdentificatie"]["volledigeNaam"] for each in answer.get_json()["results"]]

    def verified(installation: Any, **options: Any) -> dict[str, Any]:
        return Verify(installation.fetchers["bron"], **options).run()

    def explained(installation: Any, uuid: str) -> str:
        """What `klantbrug explain` says of an object."""
        told = command(installation, "explain", uuid)
        assert told.exit_code == 0, told.output
        return told.stdout.split("erbij.")[-1].strip()

    with source.running():
        source.add(
            "zaken",
            1,
            identificatie="Z1",
            zaaktype=f"{source.base}/catalogi/api/v1/zaaktypen/{UUID(int=9)}",
            vertrouwelijkheidaanduiding="openbaar",
            registratiedatum="2026-01-01",
        )
        first, second = source.melder(11, "111222333"), source.melder(12, "123456782")
        installation, asked = installed("filled"), installed("asked")

        # Asked for by its key, where nothing was read yet.
        assert named(asked, "111222333") == ["Mol 11"]

        assert Backfill(installation.fetchers["bron"]).run()
        assert named(installation, "111222333") == ["Mol 11"]
        assert named(installation, "123456782") == ["Mol 12"]
        report = verified(installation)
        assert report["clean"], report
        assert report["kinds"]["melder"]["compared"] == 2

        # What became of it is told, and why the partij is as it is.
        made = explained(installation, first["uuid"])
        assert made.startswith("melder ")
        assert f"melder {first['uuid']}" in explained(installation, made.split("/partijen/")[1].split()[0])

        third = source.melder(13, "999990019")
        assert run(installation, sync)["new"] == 1
        assert named(installation, "999990019") == ["Mol 13"]
        third["naam"] = "Daarna"
        hurry(installation)
        assert run(installation, sweep)["changed"] == 1
        assert named(installation, "999990019") == ["Daarna"]

        first["naam"] = "Anders"
        source.lists["melders"].remove(second)
        report = verified(installation)
        assert not report["clean"]
        row = report["kinds"]["melder"]
        assert (row["different"], row["extra"], row["missing"]) == (1, 1, 0)
        assert verified(installation, repair=True)["clean"]
        assert verified(installation, sample=1)["clean"]
        assert named(installation, "111222333") == ["Anders"]
        assert named(installation, "123456782") == []

        # A zaak that is gone takes them along.
        source.lists = {path: [] for path in source.lists}
        assert Backfill(installation.fetchers["bron"]).run()
        assert named(installation, "111222333") == []
        assert verified(installation)["clean"]


def test_a_kind_is_added_in_one_file(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    told = subprocess.run(
        [sys.executable, __file__, str(tmp_path)], env=environ, capture_output=True, text=True, timeout=300
    )
    assert told.returncode == 0, told.stderr[-3000:]


if __name__ == "__main__":
    declare(MELDER)
    program(Path(sys.argv[1]))
