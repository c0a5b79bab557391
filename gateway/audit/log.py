"""The records: who did what with whose data, when, and for which processing activity; persons under a pseudonym.

The fields are those of the Dutch standard Logboek Dataverwerkingen. What was done is one operation, however many
persons it was about: their records share its ids, and each names one person.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Collection
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from gateway.audit.files import AuditFile, files
from gateway.base import clock
from gateway.base.correlation import Operation
from gateway.base.logs import get_logger
from gateway.config.audit import ANY, AuditSettings
from gateway.config.load import ensure_secret_file
from gateway.config.model import Config
from gateway.config.written import ConfigError
from gateway.telemetry import running as telemetry

if TYPE_CHECKING:
    from gateway.audit.copies import Copies

log = get_logger(__name__)

SUBJECT = "dpl.core.data_subject_id"
ACTIVITY = "dpl.core.processing_activity_id"
TOKEN, STATUS, COUNTED = "klantbrug.token", "klantbrug.status", "klantbrug.counted"
SUBJECTS = "klantbrug.subjects"
OK = "Ok"
REMEMBERED = 65_536


class AuditLog:
    """The audit log of one process."""

    def __init__(self, settings: AuditSettings, file: AuditFile, key: str) -> None:
        """In: the section of the configuration, where to write, and the key of the pseudonyms."""
        self.settings = settings
        self._file = file
        self._copies: Copies | None = None
        self.activity = lru_cache(1024)(self._activity)
        self._pseudonym = lru_cache(REMEMBERED)(pseudonyms(key))

    def note(
        self, operation: Operation, name: str, activity: str, status: int | str, persons: Collection[bytes]
    ) -> None:
        """Write a record for each person. In: their uuids. Raises OSError: it is not written."""
        before = f'{_opened(operation, name, activity, status)},"{SUBJECT}":"'
        pseudonym = self._pseudonym
        self._write("".join([f'{before}{pseudonym(person)}"}}}}\n' for person in persons]).encode())

    def note_batch(self, operation: Operation, name: str, activity: str, counted: dict[str, int]) -> None:
        """Write the one record of a job that was done. In: how much of what it did. Raises OSError.

        It says how many persons it was about, as far as the operation counted them.
        """
        own: dict[str, Any] = {COUNTED: counted}
        if operation.subjects is not None:
            own[SUBJECTS] = operation.subjects.count
        opened = _opened(operation, name, activity, operation.status or "finished")
        self._write(b"%b,%b}\n" % (opened.encode(), orjson.dumps(own)[1:]))

    def close(self) -> None:
        """Nothing more is noted."""
        self._file.close()
        if self._copies is not None:
            self._copies.close()
            self._copies = None

    def _write(self, lines: bytes) -> None:
        """To the file first: a copy is of what stands there."""
        try:
            self._file.write(lines)
        except OSError as error:
            log.error("the audit log can't be written", cause=type(error).__name__, errno=error.errno)
            telemetry.audit_failed()
            raise
        if self.settings.url:
            if self._copies is None:
                self._begin_copies()
            if self._copies is not None:
                self._copies.send(lines)

    def _begin_copies(self) -> None:
        from gateway.audit.copies import Copies

        with _beginning:
            if self._copies is None:
                self._copies = Copies(self.settings.url, self.settings.ca_bundle)

    def _activity(self, token: str, operation: str) -> str:
        """The activity that the configuration names for an operation by a token."""
        for each in self.settings.activities:
            if each.token in (ANY, token) and each.operation in (ANY, operation):
                return each.activity
        return self.settings.activity


def pseudonyms(key: str) -> Callable[[bytes], str]:
    """From the uuid (16 bytes) of a person to the pseudonym: keyed, so that nobody finds it by trying."""
    secret = key.encode()

    def pseudonym(uuid: bytes) -> str:
        return hmac.digest(secret, uuid, hashlib.sha256).hex()

    return pseudonym


def directory_of(config: Config) -> Path:
    """Where the audit files are."""
    return config.audit.directory or config.store.path.with_name(f"{config.store.path.name}.audit")


def key_file_of(config: Config) -> Path:
    """Where the key of the pseudonyms is."""
    return config.audit.key_file or config.store.path.with_name(f"{config.store.path.name}.audit-key")


def key_of(config: Config) -> str:
    """The key of the pseudonyms. It is made when nothing was logged yet. Raises ConfigError."""
    path = key_file_of(config)
    if not path.exists() and files(directory_of(config)):
        fix = "zet hem terug uit uw back-up; zonder hem is niets van wie dan ook terug te vinden"
        raise ConfigError([f"audit.key_file: {path} is er niet, maar er zijn wel auditbestanden; {fix}"])
    try:
        return ensure_secret_file(path)
    except OSError as error:
        problem = f"{path} is niet te maken of te lezen ({error.strerror})"
        raise ConfigError([f"audit.key_file: {problem}; geef dit account lees- en schrijfrecht"]) from None


def open_log(config: Config) -> AuditLog:
    """An audit log. Makes key and directory. Raises ConfigError."""
    folder = directory_of(config)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        problem = f"{folder} is niet te maken ({error.strerror})"
        raise ConfigError([f"audit.directory: {problem}; maak die map (chmod 700)"]) from None
    return AuditLog(config.audit, AuditFile(folder, config.audit.keep_days), key_of(config))


# Two threads may write the first record.
_beginning = threading.Lock()
_logs: dict[tuple[int, Path, AuditSettings], AuditLog] = {}


def log_of(config: Config) -> AuditLog | None:
    """The audit log of this process, the same at each call; None when it is off. Raises ConfigError."""
    key = (os.getpid(), directory_of(config), config.audit)
    if config.audit.enabled and key not in _logs:
        _logs[key] = open_log(config)
    return _logs.get(key)


def close_logs() -> None:
    """Send what this process still has of copies, before it ends."""
    for (pid, *_), each in [*_logs.items()]:
        if pid == os.getpid():
            each.close()


def _opened(operation: Operation, name: str, activity: str, status: int | str) -> str:
    """A record as it is written, up to the end of the attributes that all have: those of its own are for the caller.

    Written by hand: as a dict, orjson and datetime took three times as long over it. The ids are hexadecimal.
    """
    parent = f'"{operation.parent_operation_id}"' if operation.parent_operation_id else "null"
    foreign = "null"
    if operation.foreign:
        foreign, parent = f'{{"trace_id":"{operation.trace_id}","operation_id":{parent}}}', "null"
    said, attributes = _words(name, activity, operation.who, status)
    return (
        f'{{"trace_id":"{operation.trace_id}","operation_id":"{operation.operation_id}"'
        f',"parent_operation_id":{parent},{said}'
        f',"start_time":"{clock.text_of(operation.began_at)}+00:00"'
        f',"end_time":"{clock.text_of(clock.now())}+00:00"'
        f',"foreign_operation":{foreign},"attributes":{attributes}'
    )


@lru_cache(1024)
def _words(name: str, activity: str, who: str, status: int | str) -> tuple[str, str]:
    """What of a record is the same for many: its fields `status_code` and `name`, and its attributes, not ended."""
    said = orjson.dumps({"status_code": OK, "name": name})
    attributes = orjson.dumps({ACTIVITY: activity, TOKEN: who, STATUS: status})
    return said[1:-1].decode(), attributes[:-1].decode()
