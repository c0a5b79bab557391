"""How PostgreSQL is connected to: what no answer tells, and what holds whatever stands between."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from builders.database_proxy import DatabaseProxy
from builders.databases import another
from builders.stores import DATABASE, ON_POSTGRES, schema_of

from gateway.config.store import StoreSettings
from gateway.operator.check_store import check_store
from gateway.store.base.errors import StoreError

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")
SECRET = "h3eft"
SETTINGS = (
    "SELECT current_schema(), current_setting('jit'), current_setting('statement_timeout'),"
    " current_setting('default_transaction_isolation'), current_setting('synchronous_commit'),"
    " current_setting('max_parallel_workers_per_gather'), current_setting('cursor_tuple_fraction')"
)


@pytest.mark.parametrize(
    "url", [f"postgresql://u:{SECRET}%zz@127.0.0.1/x", f"postgresql://u:{SECRET}@127.0.0.1/x?foo=1"]
)
def test_a_wrong_address_is_told_without_the_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="geen adres") as refused:
        another(tmp_path / "store", url)
    told = "".join(traceback.format_exception(refused.value))
    known = StoreSettings(path=tmp_path / "store", uuid_secret="", url=url)
    told += "".join(line.text for line in check_store(known))
    assert SECRET not in told


def test_what_we_count_on_holds_when_a_pooler_leaves_out_the_options(tmp_path: Path) -> None:
    """Else two stores behind it would have each other's tables."""
    with DatabaseProxy() as proxy:
        proxy.without_options = True
        one, two = another(tmp_path / "one", proxy.url), another(tmp_path / "two", proxy.url)
        with one.write() as session:
            session.run("INSERT INTO meta VALUES ('of one', '1')")
        assert two.connection().one("SELECT count(*) FROM meta WHERE name = 'of one'") == (0,)
        names = [schema_of(tmp_path / name) for name in ("one", "two")]
        assert [store.connection().one(SETTINGS) for store in (one, two)] == [
            (name, "off", "0", "read committed", "on", "0", "1") for name in names
        ]
        one.close()
        two.close()


@pytest.mark.parametrize(
    ("host", "variables", "near"),
    [
        ("localhost", {}, True),
        ("127.0.0.1", {"PGHOST": "db.example.nl"}, True),
        ("", {}, True),
        ("", {"PGHOST": "db.example.nl"}, False),
        ("", {"PGHOSTADDR": "192.0.2.1"}, False),
        ("", {"PGSERVICE": "kcc"}, False),
        ("localhost,db.example.nl", {}, False),
        ("localhost&hostaddr=192.0.2.1", {}, False),
        ("localhost&service=kcc", {}, False),
    ],
)
def test_nothing_goes_unguarded_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, host: str, variables: dict[str, str], near: bool
) -> None:
    """What libpq is given, also where it finds the machine elsewhere than in the url."""
    import psycopg

    from gateway.store.postgres.address import DatabaseAddress

    asked: dict[str, object] = {}

    def note(**given: object) -> None:
        asked.update(given)
        raise psycopg.OperationalError

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(psycopg.Connection, "connect", note)
    with pytest.raises(psycopg.OperationalError):
        DatabaseAddress(f"postgresql:///x?host={host}").connect()
    assert asked["sslmode"] == ("prefer" if near else "verify-full")


@pytest.mark.parametrize("options", ["", "?application_name=ons-kcc"])
def test_who_takes_a_store_along_sees_who_has_it_open(tmp_path: Path, options: str) -> None:
    from gateway.store.postgres import moving
    from gateway.store.postgres.address import DatabaseAddress

    store = another(tmp_path / "store", DATABASE + options)
    assert store.connection().one("SELECT 1") == (1,)
    address = DatabaseAddress(DATABASE, schema_of(tmp_path / "store"))
    with pytest.raises(StoreError, match="mee bezig"), moving.giving(address):
        raise AssertionError
    store.close()
    with moving.giving(address) as side:
        assert side.is_there()
