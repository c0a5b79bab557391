"""The audit files by themselves: days, what a full disk cuts off, what is removed, what is refused."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest
from builders.configs import read_config, write_config
from builders.legacy_objects import SECRET

from gateway.audit import files
from gateway.audit.files import DAY, AuditFile
from gateway.audit.finding import records_of
from gateway.audit.log import AuditLog, key_file_of, key_of, open_log
from gateway.base import clock, correlation
from gateway.config.audit import AuditSettings, is_activity_uri
from gateway.config.model import Config
from gateway.config.written import ConfigError

URI = "https://register.example.nl/activiteit/1"


def config_with(folder: Path, text: str) -> Config:
    path = write_config(folder, {})
    path.write_text(path.read_text() + text)
    return read_config(path)


def noted(log: AuditLog, person: bytes) -> None:
    with correlation.part("job", "proef") as operation:
        log.note(operation, "proef", URI, 200, [person])


def test_a_new_day_is_a_new_file(tmp_path, monkeypatch):
    moment = [1_700_000_000 * 1_000_000]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    file = AuditFile(tmp_path)
    file.write(b"een\n")
    file.write(b"twee\n")
    moment[0] += DAY
    file.write(b"drie\n")
    file.close()
    assert [path.read_bytes() for path in files.files(tmp_path)] == [b"een\ntwee\n", b"drie\n"]


def test_what_is_older_than_its_days_is_removed_and_nothing_else(tmp_path):
    names = [
        "audit-20230101-7-1f.jsonl",
        "audit-20230102-7-1f.jsonl",
        "audit-20230101.txt",
        "ander-20230101-7-1f.jsonl",
    ]
    for name in names:
        (tmp_path / name).touch()
    third_noon = 1_672_747_200 * 1_000_000  # 2023-01-03
    assert files.remove_old(tmp_path, 1, third_noon) == 1
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])


def test_a_line_that_a_full_disk_cut_off_spoils_no_other(tmp_path, monkeypatch):
    log = AuditLog(AuditSettings(), AuditFile(tmp_path), SECRET)
    person, write, full = uuid.uuid4().bytes, os.write, [False]

    def on_a_full_disk(fd: int, data: bytes) -> int:
        if not full[0]:
            return write(fd, data)
        if full[0] == "nothing more":
            raise OSError(28, "No space left on device")
        full[0] = "nothing more"
        return write(fd, data[:40])

    monkeypatch.setattr(os, "write", on_a_full_disk)
    noted(log, person)
    full[0] = True
    with pytest.raises(OSError, match="No space"):
        noted(log, person)
    full[0] = False
    noted(log, person)
    found = records_of(tmp_path, SECRET, [person])
    assert (len(found.records), found.unreadable) == (2, 1)


def test_a_record_of_a_job_of_which_only_the_end_was_cut_off_is_told(tmp_path, monkeypatch):
    """What is left of it ends with two braces, as a record of a person does."""
    log = AuditLog(AuditSettings(), AuditFile(tmp_path), SECRET)
    person, write, full = uuid.uuid4().bytes, os.write, [True]

    def all_but_the_end(fd: int, data: bytes) -> int:
        if data in (b"}\n", b"\n"):
            raise OSError(28, "No space left on device")
        return write(fd, data[:-2] if full[0] else data)

    monkeypatch.setattr(os, "write", all_but_the_end)
    with correlation.part("job", "proef") as operation, pytest.raises(OSError, match="No space"):
        log.note_batch(operation, "proef", URI, {"rol": 3})
    full[0] = False
    noted(log, person)
    (path,) = files.files(tmp_path)
    assert path.read_bytes().split(b"\n")[0].rstrip().endswith(b"}}")
    found = records_of(tmp_path, SECRET, [person])
    assert (len(found.records), found.unreadable) == (1, 1)


@pytest.mark.parametrize("size", [1, 7, 300, 1000, 1 << 20])
@pytest.mark.parametrize("torn", [False, True])
def test_all_of_a_person_is_found_wherever_files_are_cut(size, torn, tmp_path, monkeypatch):
    log = AuditLog(AuditSettings(), AuditFile(tmp_path), SECRET)
    people = [uuid.uuid4().bytes for _ in range(3)]
    for number in range(30):
        noted(log, people[number % 3])
    (path,) = files.files(tmp_path)
    if torn:  # and the file goes on behind it
        with path.open("ab") as file:
            file.write(b'{"trace_id":"0\n')
        noted(log, people[2])
    monkeypatch.setattr(files, "BLOCK", size)
    assert b"".join(files.blocks(tmp_path)) == path.read_bytes()
    assert all(block.endswith(b"\n") for block in files.blocks(tmp_path))
    found = records_of(tmp_path, SECRET, people[1:])
    assert (len(found.records), found.unreadable) == (20 + torn, torn)
    assert [each["start_time"] for each in found.records] == sorted(
        each["start_time"] for each in found.records
    )


def test_a_record_that_is_being_written_is_found_when_it_is_whole(tmp_path):
    log = AuditLog(AuditSettings(), AuditFile(tmp_path), SECRET)
    person = uuid.uuid4().bytes
    noted(log, person)
    noted(log, person)
    (path,) = files.files(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    found = records_of(tmp_path, SECRET, [person])
    assert (len(found.records), found.unreadable) == (1, 1)


def test_a_key_that_was_lost_is_not_replaced(tmp_path):
    config = config_with(tmp_path, f'[audit]\nenabled = true\nactivity = "{URI}"\n')
    log = open_log(config)
    assert key_of(config) == key_of(config)
    noted(log, uuid.uuid4().bytes)
    key_file_of(config).unlink()
    with pytest.raises(ConfigError, match="audit-key is er niet"):
        open_log(config)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("enabled = true", "audit.activity: ontbreekt"),
        ('enabled = true\nactivity = "verwerking 7"', "audit.activity"),
        (f'enabled = true\nactivity = "{URI}"\ndirectory = "er-niet"', "audit.directory"),
        (f'enabled = true\nactivity = "{URI}"\nkey_file = "er-niet/key"', "audit.key_file"),
        (
            f'enabled = true\nactivity = "{URI}"\ndirectory = "."\nkey_file = "sleutel"',
            "ligt in de map van het auditlog",
        ),
        ('activities = [{token = "kcc"}]', "audit.activities"),
        ('activities = [{activity = "geen adres"}]', "audit.activities"),
        ('activities = [{activity = "https://a.nl", wie = "kcc"}]', "audit.activities"),
        ("keep_days = 0", "audit.keep_days"),
        ('header = "X Activity"', "audit.header"),
        ("enable = true", "audit.enable: deze sleutel is onbekend"),
    ],
)
def test_what_is_wrong_in_the_configuration_is_named(tmp_path, text, problem):
    with pytest.raises(ConfigError) as raised:
        config_with(tmp_path, f"[audit]\n{text}\n")
    assert problem in str(raised.value)


def test_the_first_activity_that_fits_counts(tmp_path):
    text = (
        f'[audit]\nenabled = true\nactivity = "{URI}"\nactivities = ['
        '{token = "kcc", operation = "GET /a", activity = "https://a.nl/1"}, '
        '{token = "kcc", activity = "https://a.nl/2"}, {operation = "GET /a", activity = "https://a.nl/3"}]\n'
    )
    log = open_log(config_with(tmp_path, text))
    asked = [("kcc", "GET /a"), ("kcc", "GET /b"), ("ander", "GET /a"), ("ander", "GET /b")]
    assert [log.activity(*each) for each in asked] == [
        "https://a.nl/1",
        "https://a.nl/2",
        "https://a.nl/3",
        URI,
    ]


@pytest.mark.parametrize(
    "text", ["", "x", "https://", "https://a.nl/?bsn=1", "https://u@a.nl", "https://a.nl/" + "x" * 500]
)
def test_what_a_client_says_must_be_an_address(text):
    assert not is_activity_uri(text)
    assert is_activity_uri(URI)
