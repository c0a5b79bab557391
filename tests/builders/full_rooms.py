"""An installation in which every room of the pages has something to show, also Terugschrijven and Export."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from builders.configs import read_config, write_config
from builders.following import backfilled
from builders.other_register import API, DECLINED, OtherRegister
from builders.other_register import running as register_running
from builders.pages_world import jobs_process
from builders.sample_data import small
from builders.unreadable_person import bad_rol
from builders.writeback_world import WritingBack, zaak_of

from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.operator import backfills
from gateway.sample.contents.earlier_objects import BRONORGANISATIE
from gateway.sample.server import SampleServer, Traps
from jobs.export.run import ExportRun
from jobs.export.verify import ExportVerify
from jobs.verify.verify import Verify

SOURCE = "zaaksysteem"


class FullRooms(NamedTuple):
    """The installation, its source, and the register that it leaves to."""

    installation: Installation
    server: SampleServer
    register: OtherRegister


@contextlib.contextmanager
def full_rooms(folder: Path) -> Iterator[FullRooms]:
    """It read a source with an object that nobody can read, was proven, and has a token; one change of a client waits
    for the operator and one to be sent; all was sent to a register, which refused some."""
    data = small(12)
    bad_rol(data)
    with register_running(folder / "register") as register, SampleServer(data) as server:
        path = write_config(folder / "home", {SOURCE: server})
        text = f"write_back = ['klantcontacten']\nbronorganisatie = '{BRONORGANISATIE}'\n"
        text += f'[target]\nurl = "{register.base}{API}/"\ntoken = "{register.token}"\n'
        text += '[audit]\nenabled = true\nactivity = "https://register.example.nl/inzage"\n'
        path.write_text(path.read_text() + text, encoding="utf-8")
        installation = backfilled(open_installation(read_config(path)))
        jobs_process(installation)
        for sample in (10, None):
            Verify(installation.fetchers[SOURCE], sample=sample).run()
        create_token(installation.store, "kcc", "read write")
        source = installation.config.sources[0]
        backfills.pause(installation.store, source, "anna", "de bron is traag")
        backfills.resume(installation.store, source, "anna")
        clients = WritingBack(server, installation)
        clients.contact(zaak_of(clients))
        server.traps = Traps(forbid_after=0)
        clients.deliver()
        server.traps = Traps()
        clients.contact(zaak_of(clients, 1))
        _leave(installation, register)
        yield FullRooms(installation, server, register)


def _leave(installation: Installation, register: OtherRegister) -> None:
    refused = iter(range(3))
    register.traps.trap = lambda method, path, number: (
        DECLINED if (method, path) == ("POST", "klantcontacten") and next(refused, None) is not None else None
    )
    ExportRun(installation.store, installation.config.target, lambda _: None).run()
    ExportVerify(installation.store, installation.config.target, lambda _: None).run()
