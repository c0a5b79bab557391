"""What of an installation lies open to others: on this machine its files, on the network what it says.

Texts are for the operator, in Dutch, without values.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from gateway.config.load import EARLIER_APIS
from gateway.config.model import Config
from gateway.config.written import ConfigError

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
BESIDE_STORE = ("-wal", "-shm")


class OpenPath(NamedTuple):
    """A file or directory that others can get at; `personal`: what clients' data lies in."""

    text: str
    personal: bool = False


def open_files(config: Config) -> Iterator[OpenPath]:
    """What others on this machine may read or change of the files that this configuration uses."""
    if config.path is not None:
        if _mode(config.path) & OTHERS and _holds_secret(config):
            yield OpenPath(f"{config.path} is voor anderen leesbaar en kan geheimen bevatten: doe chmod 600.")
        elif _mode(config.path) & OTHERS_WRITE:
            yield OpenPath(f"{config.path} is voor anderen te wijzigen: doe chmod go-w.")
    files = dict(config.secret_files)
    if config.store.origin == "generated":
        files["store.uuid_secret"] = Path(f"{config.store.path}.secret")
    for key, file in files.items():
        if _mode(file) & OTHERS:
            yield OpenPath(f"{key}: {file} is voor anderen toegankelijk en bevat een geheim: doe chmod 600.")
    store = config.store.path
    for file in (store, *(Path(f"{store}{end}") for end in BESIDE_STORE)):
        if _mode(file) & OTHERS:
            text = f"De store {file} is voor anderen leesbaar en bevat persoonsgegevens: doe chmod 600."
            yield OpenPath(text, personal=True)
    folder = store.parent
    # In a sticky directory, as /tmp, others can't take the place of a file of ours.
    if _mode(folder) & OTHERS_WRITE and not _mode(folder) & stat.S_ISVTX:
        text = f"De map {folder} van de store is voor anderen te wijzigen, dus de store ook: doe chmod go-w."
        yield OpenPath(text, personal=bool(_mode(folder) & stat.S_IWOTH))


def exposed_because(config: Config) -> str:
    """Why this configuration would carry personal data over the network in the clear; blank when it doesn't."""
    host = config.gateway.bind.rpartition(":")[0].strip("[]")
    if ip_address(host).is_loopback or config.gateway.public_url.startswith("https://"):
        return ""
    return (
        f"gateway.bind: {config.gateway.bind!r} is voor andere machines te bereiken, en gateway.public_url is geen "
        "https-adres: persoonsgegevens en tokens gaan dan leesbaar over het netwerk"
    )


def refuse_exposed(config: Config) -> None:
    """Raise ConfigError when this configuration would carry personal data over the network in the clear."""
    why = exposed_because(config)
    if why:
        fix = (
            "zet er een proxy met TLS voor en noem haar adres in [gateway] public_url, luister op 127.0.0.1, "
            "of start met --insecure"
        )
        raise ConfigError([f"{why}; {fix}"])


def _mode(path: Path) -> int:
    """Who may do what with a file; 0 when it isn't there or can't be looked at.

    What root gave us by our group, as Kubernetes gives a volume with its fsGroup, is not open to others by it: taking
    away the rights of the group would shut us out.
    """
    try:
        found = path.stat()
    except OSError:
        return 0
    mode = stat.S_IMODE(found.st_mode)
    ours = {os.getegid(), *os.getgroups()}
    if found.st_uid == 0 != os.geteuid() and found.st_gid in ours:
        mode &= ~stat.S_IRWXG
    return mode


def _holds_secret(config: Config) -> bool:
    """Whether one of the secrets in use stands in the config file itself."""
    if config.path is None:
        return False
    text = config.path.read_text(encoding="utf-8")
    secrets = [config.store.uuid_secret, config.notifications.secret, config.notifications.callback_token]
    secrets += [config.target.token, config.login.client_secret, config.store.secret]
    for source in config.sources:
        secrets += [source.secret, *(getattr(source, f"{api}_secret") for api in EARLIER_APIS)]
    return any(secret and secret in text for secret in secrets)
