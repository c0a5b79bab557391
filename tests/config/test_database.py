"""`[store] url`: a database in the place of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.load import load_config
from gateway.config.model import Config
from gateway.config.written import ConfigError

SECRET = 'uuid_secret = "a secret of more than thirty-two characters"\n'
URL = "postgresql://klantbrug@db.example.nl:5432/klanten"


def load(folder: Path, keys: str, environ: dict[str, str] | None = None) -> Config:
    path = folder / "config.toml"
    path.write_text(f"[store]\n{keys}", encoding="utf-8")
    return load_config(path, environ or {})


def refused(folder: Path, keys: str) -> list[str]:
    with pytest.raises(ConfigError) as wrong:
        load(folder, keys)
    return wrong.value.lines


def test_a_url_is_taken_with_what_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "word").write_text("geheim\n", encoding="utf-8")
    keys = f'{SECRET}url = "{URL}"\npassword_file = "word"\nca_bundle = "ca.pem"\n'
    keys += 'sslmode = "verify-ca"\nschema = "kcc"\n'
    store = load(tmp_path, keys).store
    assert (store.url, store.password, store.sslmode, store.schema) == (URL, "geheim", "verify-ca", "kcc")
    assert store.ca_bundle == tmp_path / "ca.pem"
    assert store.key == "url"


def test_it_may_come_from_the_environment(tmp_path: Path) -> None:
    assert load(tmp_path, SECRET, {"KLANTBRUG_STORE__URL": URL}).store.url == URL


def test_no_password_is_ever_shown(tmp_path: Path) -> None:
    store = load(tmp_path, f'{SECRET}url = "postgresql://klantbrug:h3eft@db.example.nl/klanten"\n').store
    assert store.shown == "postgresql://db.example.nl/klanten (schema klantbrug)"
    other = load(tmp_path, f'{SECRET}url = "{URL}"\npassword = "h3eft"\n').store
    assert "h3eft" not in f"{store!r} {other!r} {store.shown} {other.shown}"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (f'url = "{URL}"\npath = "x.db"\n', "store.path: staat er naast url; kies een bestand (path) of"),
        ('url = "mysql://h3eft@db/klanten"\n', "store.url: is geen adres van een database; schrijf url = "),
        ('url = "postgresql://db:h3eft/klanten"\n', "store.url: is geen adres van een database"),
        ('url = "postgresql://u:h3eft%zz@db/klanten"\n', "store.url: is geen adres van een database"),
        ('url = "postgresql://db"\n', "store.url: is geen adres van een database"),
        ('url = "postgresql://a:h3eft@db/k"\npassword = "x"\n', "store.password: staat er naast een wachtwoord"),
        (f'url = "{URL}"\npassword_file = "nergens"\n', "store.password_file: "),
        (f'url = "{URL}"\nca_bundle = "nergens.pem"\n', "store.ca_bundle: "),
        (f'url = "{URL}"\nsslmode = "allow"\n', "store.sslmode: "),
        (f'url = "{URL}"\nschema = "Kcc; drop"\n', "store.schema: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_line_without_a_secret(tmp_path: Path, keys: str, problem: str) -> None:
    (line,) = refused(tmp_path, SECRET + keys)
    assert line.startswith(problem)
    assert "h3eft" not in line


def test_the_uuid_secret_is_of_all_machines_so_none_is_made(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, f'url = "{URL}"\n')
    assert line.startswith("store.uuid_secret: ontbreekt")
