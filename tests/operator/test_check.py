"""What `klantbrug check` tells the operator about sources and config."""

import os
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from builders.commands import command
from builders.configs import read_config, write_config
from builders.operator_client import said
from builders.sample_data import sample_data
from builders.stores import ON_POSTGRES, store_keys

from gateway.config.load import load_config
from gateway.config.model import Config, Source
from gateway.installation import open_installation
from gateway.operator.check import (
    MOST_ZAAKTYPEN,
    Level,
    check_config,
    check_source,
    check_sources,
)
from gateway.operator.phase import switch
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import DEFAULT_APPLICATION, Application, SampleServer, Traps
from mappings.standards import of_every_source

pytestmark = pytest.mark.slow

UUID_SECRET = "a-uuid-secret-of-more-than-32-characters"


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sample_data()


def source_of(server: SampleServer, **more: str) -> Source:
    source = Source(
        "sample",
        server.zaken_url,
        DEFAULT_APPLICATION.client_id,
        DEFAULT_APPLICATION.secret,
        catalogi_url=server.catalogi_url,
    )
    return replace(source, **more)


def test_a_good_source_has_no_problems_and_its_counts(dataset):
    with SampleServer(dataset) as server:
        report = check_source(source_of(server))
    assert report.answers
    assert (report.version, report.open_zaak) == ("1.5.1", True)
    assert report.counts == {kind: len(dataset.objects(kind)) for kind in of_every_source()}
    aanduidingen = Counter(each["vertrouwelijkheidaanduiding"] for each in dataset.objects("zaak"))
    assert {name: n for name, n in report.per_vertrouwelijkheid.items() if n} == dict(aanduidingen)
    assert sum(report.per_zaaktype.values()) == len(dataset.objects("zaak"))
    assert said(report, Level.PROBLEM) == ""
    assert "Zaken API 1.5.1" in said(report, Level.OK)


def test_a_check_is_gentle(dataset):
    with SampleServer(dataset) as server:
        check_source(source_of(server))
        assert server.calls_count <= 20 + MOST_ZAAKTYPEN


def test_a_plain_old_version_is_checked_too(dataset):
    with SampleServer(dataset, version="1.0.2", open_zaak=False) as server:
        report = check_source(source_of(server))
    assert (report.version, report.open_zaak) == ("1.0.2", False)
    assert "alleen in innNnpId" in said(report, Level.OK)
    assert report.counts["rol"] == len(dataset.objects("rol"))


def test_few_rights_give_shorter_lists_and_the_operator_hears_where_they_end(dataset):
    few = Application(DEFAULT_APPLICATION.client_id, DEFAULT_APPLICATION.secret, "intern")
    with SampleServer(dataset, applications=(few,)) as server:
        report = check_source(source_of(server))
    assert 0 < report.counts["zaak"] < len(dataset.objects("zaak"))
    assert "zaakvertrouwelijk, vertrouwelijk, confidentieel" in said(report, Level.WARNING)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secret": "not-the-secret-that-the-source-knows"}, "Het geheim klopt niet"),
        ({"client_id": "somebody"}, "kent client_id 'somebody' niet"),
    ],
)
def test_each_refusal_has_its_own_words(dataset, more, words):
    with SampleServer(dataset) as server:
        report = check_source(source_of(server, **more))
    assert words in said(report, Level.PROBLEM)
    assert report.answers, "a refusal is an answer"
    assert "not-the-secret" not in said(report, Level.PROBLEM)


def test_clocks_that_differ_are_told(dataset):
    with SampleServer(dataset, traps=Traps(clock_skew=7200)) as server:
        report = check_source(source_of(server))
    assert report.clock_skew == pytest.approx(7200, abs=5)
    assert "klokken lopen niet gelijk" in said(report, Level.PROBLEM)
    assert "seconden voor" in said(report, Level.WARNING)


def test_a_guessed_count_is_told(dataset):
    with SampleServer(dataset, traps=Traps(fuzzy_pagination=True)) as server:
        report = check_source(source_of(server))
    assert "fuzzy pagination" in said(report, Level.WARNING)


def test_a_source_that_is_not_there_is_a_problem_with_something_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/zaken/api/v1/"
        report = check_source(Source("gone", url, "k", "s" * 32))
    assert not report.answers
    assert "staat de bron aan" in said(report, Level.PROBLEM)


def test_a_wrong_path_is_a_problem(dataset):
    with SampleServer(dataset) as server:
        report = check_source(source_of(server, zaken_url=f"{server.base_url}/zaken/v1/"))
    assert "klopt het?" in said(report, Level.PROBLEM)


@pytest.mark.slow
def test_a_check_ends_in_time(dataset):
    with SampleServer(dataset, traps=Traps(slow=0.3)) as server:
        report = check_source(source_of(server), seconds=0.8)
    assert "De rest is niet nagekeken" in said(report, Level.PROBLEM)


def test_another_address_that_works_as_well_is_no_problem(dataset):
    """The sample takes over the Host of the request, as Open Zaak does."""
    with SampleServer(dataset) as server:
        local = server.zaken_url.replace("127.0.0.1", "localhost")
        report = check_source(source_of(server, zaken_url=local))
    assert said(report, Level.PROBLEM) == ""


def test_without_catalogi_it_is_told_that_zaaktypen_were_not_counted(dataset):
    with SampleServer(dataset) as server:
        report = check_source(source_of(server, catalogi_url=""))
    assert report.per_zaaktype == {}
    assert "catalogi_url is leeg" in said(report, Level.OK)


@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_a_short_secret_and_plain_http_get_a_warning():
    source = Source("far", "http://zaak.example.invalid/zaken/api/v1/", "k", "short", connect_timeout=1)
    report = check_source(source, seconds=2)
    assert "onversleuteld" in said(report, Level.WARNING)
    assert "minder dan 32 tekens" in said(report, Level.WARNING)


def config_of(tmp_path: Path, text: str = "") -> Config:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[store]\n{store_keys(tmp_path / "klantbrug.db")}uuid_secret = "{UUID_SECRET}"\n' + text,
        encoding="utf-8",
    )
    path.chmod(0o600)
    return load_config(path, {})


def levels(config: Config, words: str) -> list[Level]:
    return [line.level for line in check_config(config) if words in line.text]


def test_a_plain_config_has_no_warnings(tmp_path):
    config = config_of(tmp_path, "[gateway]\nregister = true\n")
    assert {line.level for line in check_config(config)} == {Level.OK}


def test_nothing_to_serve_is_a_problem(tmp_path):
    assert levels(config_of(tmp_path), "[[source]]") == [Level.PROBLEM]


def test_the_secret_must_be_in_the_backup(tmp_path):
    assert levels(config_of(tmp_path), "back-up") == [Level.OK]


def test_answering_with_a_part_is_warned_of(tmp_path):
    config = config_of(tmp_path, '[live]\npartial = "answer"\n')
    assert levels(config, "live.partial") == [Level.WARNING]


@pytest.mark.of_the_file
def test_a_store_that_others_may_read_is_a_problem(tmp_path):
    config = config_of(tmp_path)
    config.store.path.touch(mode=0o600)
    assert levels(config, "alleen de eigenaar") == [Level.OK]
    for end in ("", "-wal", "-shm"):
        file = Path(f"{config.store.path}{end}")
        file.touch()
        file.chmod(0o644)
        assert levels(config, "voor anderen leesbaar") == [Level.PROBLEM]
        assert levels(config, "alleen de eigenaar") == []
        file.chmod(0o600)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o777, [Level.PROBLEM]),
        (0o702, [Level.PROBLEM]),
        (0o770, [Level.WARNING]),  # a group of one's own is no harm
        (0o755, []),
        (0o1777, []),
    ],
)
def test_a_directory_in_which_others_can_replace_the_store_is_told(tmp_path, mode, said):
    config = config_of(tmp_path)
    tmp_path.chmod(mode)
    assert levels(config, "De map") == said
    tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files that are root's")
def test_what_root_gave_our_group_is_not_open_to_others(tmp_path, monkeypatch):
    """As Kubernetes gives a volume and a Secret: to another owner chmod 600 would shut us out."""
    config = config_of(tmp_path)
    config.store.path.touch(mode=0o600)
    config.store.path.chmod(0o640)
    tmp_path.chmod(0o770)
    assert levels(config, "voor anderen leesbaar") == [Level.PROBLEM]
    monkeypatch.setattr("os.geteuid", lambda: 10_001)
    monkeypatch.setattr("os.getegid", lambda: config.store.path.stat().st_gid)
    assert levels(config, "voor anderen leesbaar") == []
    assert levels(config, "De map") == []
    config.store.path.chmod(0o644)
    assert levels(config, "voor anderen leesbaar") == [Level.PROBLEM]
    tmp_path.chmod(0o700)


def test_a_config_without_secrets_may_be_read_but_not_changed_by_others(tmp_path):
    (tmp_path / "uuid.secret").write_text(UUID_SECRET)
    (tmp_path / "uuid.secret").chmod(0o600)
    path = tmp_path / "config.toml"
    path.write_text('[store]\nuuid_secret_file = "uuid.secret"\n')
    for mode, expected in ((0o644, []), (0o664, [Level.WARNING]), (0o602, [Level.WARNING])):
        path.chmod(mode)
        assert levels(load_config(path, {}), str(path) + " is voor anderen") == expected


def test_a_config_file_with_secrets_that_others_may_read_is_warned_of(tmp_path):
    config = config_of(tmp_path)
    assert config.path is not None
    config.path.chmod(0o644)
    assert levels(config, "voor anderen leesbaar") == [Level.WARNING]


@pytest.mark.parametrize(
    ("bind", "public_url", "open_"),
    [
        ("0.0.0.0:8000", "", True),
        ("[::]:8000", "", True),
        ("192.0.2.1:8000", "http://klant.example.nl", True),
        ("0.0.0.0:8000", "https://klant.example.nl", False),
        ("127.0.0.9:8000", "", False),
        ("[::1]:8000", "http://klant.example.nl", False),
    ],
)
def test_listening_to_the_network_in_the_clear_is_a_problem(tmp_path, bind, public_url, open_):
    config = config_of(tmp_path, f'[gateway]\nbind = "{bind}"\npublic_url = "{public_url}"\n')
    assert levels(config, "public_url") == ([Level.PROBLEM] if open_ else [])


def test_no_line_holds_a_secret(tmp_path):
    assert not [line for line in check_config(config_of(tmp_path)) if UUID_SECRET in line.text]


def test_a_source_in_cutover_is_not_asked(tmp_path: Path, dataset: Dataset) -> None:
    """Not one call, and it says why; the other source is asked."""
    with SampleServer(dataset) as old, SampleServer(dataset) as new:
        config = read_config(write_config(tmp_path, {"oud": old, "nieuw": new}))
        assert check_sources(config)
        assert old.calls_count > 0  # no store yet, so nothing is in cutover
        store = open_installation(config).store
        switch(store, "oud", "cutover", "test", "proef", force=True)
        for server in (old, new):
            server.reset_calls()
        told = command(config.path, "check")
        assert old.calls_count == 0
        assert new.calls_count > 0
        assert "Bron oud staat in fase cutover: zij wordt niet meer bevraagd" in told.output
        switch(store, "oud", "live", "test", "proef")
        store.close()
        assert "cutover" not in "".join(line.text for line in check_sources(config))
        assert old.calls_count > 0


def test_a_store_that_cannot_be_read_may_hold_a_cutover(tmp_path: Path, dataset: Dataset) -> None:
    with SampleServer(dataset) as server:
        config = read_config(write_config(tmp_path, {"bron": server}))
        if ON_POSTGRES:
            config = replace(config, store=replace(config.store, url="postgresql://nobody@127.0.0.1:1/x"))
        else:
            config.store.path.write_text("this is no database at all, however long it is made to be" * 20)
        (line,) = check_sources(config)
        assert line.level is Level.PROBLEM
        assert "er is geen bron bevraagd" in line.text
        assert server.calls_count == 0


def test_a_source_that_wants_to_read_until_when_a_token_holds(dataset):
    with SampleServer(dataset, traps=Traps(demands_exp=True)) as server:
        refused = check_source(source_of(server))
        assert "jwt_exp = true" in said(refused, Level.PROBLEM)
        report = check_source(source_of(server, jwt_exp=True))
        assert said(report, Level.PROBLEM) == ""
        assert report.version == "1.5.1"
