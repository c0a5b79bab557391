"""The configuration: what an operator may write, and what is said about what they may not."""

import re
import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders.paths import ROOT
from tools.configuration_reference import DOCUMENT, document

from gateway.config.fields import check
from gateway.config.load import ensure_secret, ensure_secret_file, load_config
from gateway.config.model import Config, Source
from gateway.config.sections import JOB, JOB_NAMES, JOB_SECTIONS, SECTIONS, SOURCE
from gateway.config.written import ConfigError
from jobs.registry import BY_NAME
from mappings.model.settings import Kanaal, ZaakCodes

EXAMPLE = ROOT / "config.example.toml"
UUID_SECRET = "a-uuid-secret-of-more-than-32-characters"
HIDDEN = "nobody-may-read-this"
SECRETS = {"KLANTBRUG_STORE__UUID_SECRET": UUID_SECRET, "KLANTBRUG_SOURCE__OPENZAAK__SECRET": "source-secret"}

SOURCE_TABLE = """
[[source]]
name = "open-zaak"
zaken_url = "https://zaak.example.nl/zaken/api/v1"
client_id = "klantbrug"
secret = "source-secret"
"""
STORE_TABLE = f'[store]\nuuid_secret = "{UUID_SECRET}"\n'
MAPPING_TABLE = '[mapping]\nmax_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"\n'
WHOLE = STORE_TABLE + MAPPING_TABLE + SOURCE_TABLE


def load(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, environ or {})


def faults(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, environ)
    return str(caught.value).splitlines()


def test_without_a_file_there_are_defaults_and_no_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_config(None, {})
    assert config.path is None
    assert config.sources == ()
    assert config.gateway.bind == "127.0.0.1:8000"
    assert config.live.partial == "refuse"
    assert config.mapping.max_vertrouwelijkheidaanduiding == "openbaar"


def test_without_a_source_a_secret_is_made_beside_the_store_for_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config(None, {}).store.uuid_secret == ""
    assert list(tmp_path.iterdir()) == []
    config = ensure_secret(load_config(None, {}))
    made = tmp_path / "klantbrug.db.secret"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert config.store.origin == "generated"
    assert len(config.store.uuid_secret) >= 32
    assert load_config(None, {}).store.uuid_secret == config.store.uuid_secret


def test_processes_that_start_together_get_the_same_secret(tmp_path):
    path = tmp_path / "store.secret"
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: ensure_secret_file(path), range(64)))
    assert len(made) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["store.secret"]


def test_a_file_in_the_working_directory_is_found(tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text("[gateway]\nworkers = 7\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_config(None, {}).gateway.workers == 7


def test_the_file_named_by_the_environment_is_read(tmp_path):
    path = tmp_path / "elsewhere.toml"
    path.write_text(WHOLE, encoding="utf-8")
    assert load_config(None, {"KLANTBRUG_CONFIG": str(path)}).path == path


def test_a_whole_source_is_read_and_its_address_gets_its_slash(tmp_path):
    source = load(tmp_path, WHOLE).sources[0]
    assert source == Source(
        "open-zaak", "https://zaak.example.nl/zaken/api/v1/", "klantbrug", "source-secret"
    )


def test_the_environment_beats_the_file(tmp_path):
    config = load(
        tmp_path,
        WHOLE + "[gateway]\nworkers = 2\n",
        {
            "KLANTBRUG_GATEWAY__WORKERS": "5",
            "KLANTBRUG_SOURCE__OPEN_ZAAK__SECRET": "another-secret",
            "KLANTBRUG_SOURCE__OPEN_ZAAK__REQUESTS_PER_SECOND": "2.5",
            "KLANTBRUG_MAPPING__PARTIJ_ROLLEN": "initiator, belanghebbende",
            "KLANTBRUG_JOBS__SYNC__ENABLED": "false",
        },
    )
    assert config.gateway.workers == 5
    assert config.sources[0].secret == "another-secret"
    assert config.sources[0].requests_per_second == 2.5
    assert config.mapping.partij_rollen == ("initiator", "belanghebbende")
    assert config.jobs["sync"].enabled is False


def test_a_source_may_stand_in_the_environment_altogether(tmp_path):
    config = load(
        tmp_path,
        STORE_TABLE + MAPPING_TABLE,
        {
            "KLANTBRUG_SOURCE__ZAAK_TWEE__ZAKEN_URL": "http://127.0.0.1:1/zaken/api/v1/",
            "KLANTBRUG_SOURCE__ZAAK_TWEE__CLIENT_ID": "klantbrug",
            "KLANTBRUG_SOURCE__ZAAK_TWEE__SECRET": "source-secret",
        },
    )
    assert [source.name for source in config.sources] == ["zaak-twee"]


def test_secrets_may_stand_in_files_beside_the_config(tmp_path):
    (tmp_path / "source.secret").write_text("from-a-file\n", encoding="utf-8")
    (tmp_path / "uuid.secret").write_text(UUID_SECRET + "\n", encoding="utf-8")
    text = WHOLE.replace('secret = "source-secret"', 'secret_file = "source.secret"')
    text = text.replace(f'uuid_secret = "{UUID_SECRET}"', 'uuid_secret_file = "uuid.secret"')
    config = load(tmp_path, text)
    assert config.sources[0].secret == "from-a-file"
    assert (config.store.uuid_secret, config.store.origin) == (UUID_SECRET, "file")


def test_a_secret_in_the_environment_ends_the_secret_file_of_the_config(tmp_path):
    text = WHOLE.replace('secret = "source-secret"', 'secret_file = "is-not-there"')
    config = load(tmp_path, text, {"KLANTBRUG_SOURCE__OPEN_ZAAK__SECRET": "from-the-environment"})
    assert config.sources[0].secret == "from-the-environment"


def test_paths_in_the_file_are_relative_to_the_file(tmp_path):
    assert load(tmp_path, STORE_TABLE + 'path = "data.db"\n').store.path == tmp_path / "data.db"
    assert load(tmp_path, STORE_TABLE).store.path == tmp_path / "klantbrug.db"


@pytest.mark.rule("M28")
def test_a_channel_gets_another_name_and_says_who_began(tmp_path):
    text = WHOLE + '[mapping.kanalen]\nbalie = "Balie"\nbrief = {kanaal = "Post", initiator = false}\n'
    kanalen = load(tmp_path, text).mapping.kanalen
    assert kanalen == {"balie": Kanaal("Balie", True), "brief": Kanaal("Post", False)}


@pytest.mark.rule("M29")
def test_a_zaak_has_the_codes_of_several_applications(tmp_path):
    assert load(tmp_path, WHOLE).mapping.zaak_codes == (
        ZaakCodes("zgw-Zaak", "openzaak", "uuid"),
        ZaakCodes("zaak", "open-zaak", "uuid"),
    )
    given = (
        '{objecttype = "zaak", register = "zrc"}, {objecttype = "a", register = "b", soort_object_id = "c"}'
    )
    text = WHOLE.replace("[mapping]\n", f"[mapping]\nzaak_codes = [{given}]\n")
    assert load(tmp_path, text).mapping.zaak_codes == (
        ZaakCodes("zaak", "zrc", "uuid"),
        ZaakCodes("a", "b", "c"),
    )
    environ = {"KLANTBRUG_MAPPING__ZAAK_CODES": '[{objecttype = "x", register = "y"}]'}
    assert load(tmp_path, text, environ).mapping.zaak_codes == (ZaakCodes("x", "y", "uuid"),)


@pytest.mark.rule("M29")
def test_the_three_keys_of_before_still_say_what_is_served(tmp_path):
    old = WHOLE.replace("[mapping]\n", '[mapping]\nzaak_objecttype = "zaak"\nzaak_register = "zrc"\n')
    codes = load(tmp_path, old).mapping.zaak_codes
    assert codes[0] == ZaakCodes("zaak", "zrc", "uuid")
    assert ZaakCodes("zgw-Zaak", "openzaak", "uuid") in codes
    both = old.replace("[mapping]\n", '[mapping]\nzaak_codes = [{objecttype = "a", register = "b"}]\n')
    (line,) = faults(tmp_path, both)
    assert line.startswith("mapping.zaak_objecttype: zaak_objecttype en zaak_register naast zaak_codes;")


@pytest.mark.rule("M34")
def test_what_may_be_shown_must_be_chosen_when_there_is_a_source(tmp_path):
    (line,) = faults(tmp_path, STORE_TABLE + SOURCE_TABLE)
    assert line.startswith("mapping.max_vertrouwelijkheidaanduiding: ontbreekt;")


def test_a_source_needs_a_uuid_secret_that_is_kept(tmp_path):
    (line,) = faults(tmp_path, MAPPING_TABLE + SOURCE_TABLE)
    assert line.startswith("store.uuid_secret: ontbreekt;")
    assert not (tmp_path / "klantbrug.db.secret").exists()


WRONG = [
    ("[gateway]\nworker = 2\n", "gateway.worker", "onbekend", "workers"),
    ("[gatewy]\nworkers = 2\n", "gatewy", "onbekend", "gateway"),
    ('[gateway]\nworkers = "twee"\n', "gateway.workers", "'twee' is geen geheel getal", "workers = 2"),
    ("[gateway]\nworkers = true\n", "gateway.workers", "true is geen geheel getal", "workers = 2"),
    ("[gateway]\nworkers = 0\n", "gateway.workers", "0 is kleiner dan 1", "workers = 2"),
    ('[gateway]\nbind = "8000"\n', "gateway.bind", "'8000' is niet adres:poort", "127.0.0.1:8000"),
    ('[gateway]\nbind = "localhost:80"\n', "gateway.bind", "is geen IP-adres:poort", "127.0.0.1:8000"),
    ('[gateway]\npublic_url = "klantbrug.nl"\n', "gateway.public_url", "geen webadres", "https://"),
    ("[gateway]\ntrusted_proxies = ['proxy']\n", "gateway.trusted_proxies", "geen IP-adres", "10.0.0.7"),
    ("[gateway]\ntrusted_proxies = '::1'\n", "gateway.trusted_proxies", "geen lijst", "10.0.0.7"),
    (
        "[gateway]\nalso_known_as = ['http://b.nl']\n",
        "gateway.also_known_as",
        "zonder public_url",
        "vul public_url in",
    ),
    (
        "[gateway]\npublic_url = 'http://b.nl/x'\nalso_known_as = ['http://B.nl:80/y']\n",
        "gateway.also_known_as",
        "twee keer dezelfde server",
        "noem elk adres een keer",
    ),
    (
        "[gateway]\npublic_url = 'http://b.nl'\nalso_known_as = ['c.nl']\n",
        "gateway.also_known_as",
        "geen webadres",
        "klantbrug.intern",
    ),
    ("gateway = 3\n", "gateway", "geen tabel", "[gateway]"),
    ("[live]\nmax_age = 1.5\n", "live.max_age", "1.5 is geen geheel getal", "hele seconden"),
    ('[live]\npartial = "maybe"\n', "live.partial", "'maybe' moet", '"refuse" of "answer"'),
    ("[mapping]\nloze_identificaties = ''\n", "mapping.loze_identificaties", "geen lijst", "M5"),
    ("[mapping]\npartij_rollen = 'initiator'\n", "mapping.partij_rollen", "geen lijst", "M10"),
    ("[mapping]\npartij_rollen = ['initator']\n", "mapping.partij_rollen", "'initator' moet", "M10"),
    ("[mapping.kanalen]\nbalie = 3\n", "mapping.kanalen", "'balie'", "M28"),
    ("[mapping]\nzaak_codes = []\n", "mapping.zaak_codes", "is leeg", "M29"),
    ("[mapping]\nzaak_codes = ['zaak']\n", "mapping.zaak_codes", "geen tabel", "M29"),
    ("[mapping]\nzaak_codes = [{objecttype = 'a'}]\n", "mapping.zaak_codes", "register", "M29"),
    (
        "[mapping]\nzaak_codes = [{objecttype = 'a', register = 1}]\n",
        "mapping.zaak_codes",
        "als register",
        "M29",
    ),
    ("[mapping]\nzaak_objecttype = 3\n", "mapping.zaak_codes", "als objecttype", "M29"),
    ("[mapping]\nadressen = 'soms'\n", "mapping.adressen", "'soms' moet", "M14"),
    ("[jobs.sync]\nschedule = 'daily'\n", "jobs.sync.schedule", "geen cron-regel", "0 2 * * *"),
    (
        "[jobs.backfil]\nenabled = true\n",
        "jobs.backfil",
        "deze job is onbekend",
        "bekend zijn: outbox, purge,",
    ),
    ("[notifications]\nurl = 'x'\n", "notifications.url", "geen webadres", "https://"),
    ("[notifications]\nuri = 'x'\n", "notifications.uri", "onbekend", "url"),
    ("[gateway]\ncors_origins = ['*']\n", "gateway.cors_origins", "geen webadres", "https://kcc"),
    ("[gateway]\ncors_origins = ['https://a.nl/x']\n", "gateway.cors_origins", "herkomst", "https://kcc"),
    ("[jobs.sync]\nschedule = '0 2 31 2 *'\n", "jobs.sync.schedule", "geen cron-regel", "0 2 * * *"),
    ("[jobs.sync]\nschedule = '0 2 * * 8'\n", "jobs.sync.schedule", "geen cron-regel", "0 2 * * *"),
    ("[store]\npath = 'no/such/directory/k.db'\n", "store.path", "bestaat niet", "maak die map"),
    ("[store]\npath = '.'\n", "store.path", "is een map", "noem een bestand"),
    ("[store]\nuuid_secret = 'short'\n", "store.uuid_secret", "korter dan 32 tekens", "openssl rand"),
    ("[store]\nuuid_secret_file = 'none'\n", "store.uuid_secret_file", "kan niet gelezen", "leesbaar"),
    ("[source]\nname = 'x'\n", "source", "geen lijst", "[[source]]"),
]


@pytest.mark.parametrize(("text", "key", "problem", "fix"), WRONG, ids=[wrong[1] for wrong in WRONG])
def test_a_fault_is_one_line_with_the_key_the_problem_and_the_fix(tmp_path, text, key, problem, fix):
    (line,) = faults(tmp_path, text)
    assert line.startswith(f"{key}: ")
    said, _, advice = line.partition("; ")
    assert problem in said
    assert fix in advice


WRONG_SOURCES = [
    ('name = "Open Zaak"', "name", "mag alleen a-z"),
    ('zaken_url = "zaak.example.nl"', "zaken_url", "geen webadres"),
    ('zaken_url = "https://zaak.example.nl/zaken/api/v1/?page=1"', "zaken_url", "meer dan een adres"),
    ('api_version = "latest"', "api_version", "geen versie"),
    ('ca_bundle = "no-such.pem"', "ca_bundle", "bestaat niet"),
    ('client_key = "config.toml"', "client_cert", "ontbreekt naast client_key"),
    ('window = "25:00-06:00"', "window", "geen tijdvak"),
    ('secret_file = "config.toml"', "secret", "staat er naast secret_file"),
    ('secret = ""', "secret", "KLANTBRUG_SOURCE__OPEN_ZAAK__SECRET"),
    ("read_timeout = 0", "read_timeout", "0 is kleiner dan 1"),
    ("requests_per_second = -1", "requests_per_second", "is kleiner dan 0"),
    ("requests_per_second = nan", "requests_per_second", "nan is geen getal"),
    ("objects_per_second = inf", "objects_per_second", "inf is geen getal"),
    (f"objects_per_second = 1{'0' * 400}", "objects_per_second", "... is te groot"),
    ("max_connections = 33", "max_connections", "33 is niet 1 tot en met 32"),
    ("max_connections = 0", "max_connections", "0 is niet 1 tot en met 32"),
    ('secrets = "x"', "secrets", "bedoeld is misschien secret"),
]


@pytest.mark.parametrize(("text", "key", "problem"), WRONG_SOURCES, ids=[wrong[1] for wrong in WRONG_SOURCES])
def test_a_fault_in_a_source_names_the_source(tmp_path, text, key, problem):
    """Each line replaces the good one of that key."""
    name = text.partition(" = ")[0]
    kept = [line for line in SOURCE_TABLE.splitlines() if not line.startswith(f"{name} =")]
    (line,) = faults(tmp_path, STORE_TABLE + MAPPING_TABLE + "\n".join([*kept, text]))
    assert re.match(rf"source\.(open-zaak|Open Zaak)\.{key}: ", line)
    assert problem in line


def test_the_jobs_that_may_be_configured_are_those_that_there_are(tmp_path):
    assert set(JOB_NAMES) == set(BY_NAME)
    assert set(load(tmp_path, "".join(f"[jobs.{name}]\n" for name in BY_NAME)).jobs) == set(BY_NAME)
    (line,) = faults(tmp_path, "", {"KLANTBRUG_JOBS__SWEP__ENABLED": "false"})
    assert line.startswith("jobs.swep: deze job is onbekend; ")


def test_two_sources_cannot_have_one_name(tmp_path):
    (line,) = faults(tmp_path, WHOLE + SOURCE_TABLE)
    assert "komt twee keer voor" in line


def test_all_faults_are_told_at_once(tmp_path):
    text = "[gateway]\nworkers = 'x'\nthreads = 'y'\n[live]\ndeadlin = 3\n"
    assert [line.partition(":")[0] for line in faults(tmp_path, text)] == [
        "gateway.workers",
        "gateway.threads",
        "live.deadlin",
    ]


@pytest.mark.parametrize(
    ("variable", "advice"),
    [
        ("KLANTBRUG_GATEWAY__WORKER", "bedoeld is misschien workers"),
        ("KLANTBRUG_GATEWAY_WORKERS", "twee liggende streepjes"),
        ("KLANTBRUG_GATWAY__WORKERS", "bedoeld is misschien gateway"),
        ("KLANTBRUG_SOURCE__OPEN_ZAK__SECRET", "bedoeld is misschien open-zaak"),
        ("KLANTBRUG_SOURCE__OPEN_ZAAK__SECRT", "bedoeld is misschien secret"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_known_one(tmp_path, variable, advice):
    (line,) = faults(tmp_path, WHOLE, {variable: HIDDEN})
    assert line.startswith(f"{variable}: ")
    assert advice in line
    assert HIDDEN not in line


@pytest.mark.parametrize(
    "text",
    [
        f'[store]\nuuid_secret = ["{HIDDEN}"]\n',
        f'[store]\nuuid_secret = "{HIDDEN}"\n',  # too short
        f'[[source]]\nname = "a"\nzaken_url = "https://x:{HIDDEN}@example.nl/"\n',
        f'[[source]]\nname = "a"\nsecret = {{x = "{HIDDEN}"}}\n',
        f'[[source]]\nname = "a"\nsecret = "{HIDDEN}"\nsecret_file = "config.toml"\n',
        f'[[source]]\nsecret = "{HIDDEN}\n',  # not TOML
    ],
)
def test_no_error_shows_a_secret(tmp_path, text):
    assert not [line for line in faults(tmp_path, text) if HIDDEN in line]


def test_a_config_does_not_show_its_secrets_when_printed(tmp_path):
    config = load(tmp_path, WHOLE)
    assert UUID_SECRET not in repr(config)
    assert "source-secret" not in repr(config)


def test_a_file_that_is_no_toml_is_told_with_the_place(tmp_path):
    (line,) = faults(tmp_path, "[gateway]\nworkers == 2\n")
    assert "geen geldige TOML (at line 2" in line


def test_a_file_that_is_asked_for_must_be_there(tmp_path):
    with pytest.raises(ConfigError, match="kan niet gelezen worden"):
        load_config(tmp_path / "none.toml", {})


def uncommented_example() -> dict[str, Any]:
    """The example with its commented tables and keys switched on."""
    text = EXAMPLE.read_text(encoding="utf-8")
    return tomllib.loads(re.sub(r"^# (\[.*\]|[a-z_]+ = .*)$", r"\1", text, flags=re.MULTILINE))


def test_the_example_explains_every_key_and_no_other():
    example = uncommented_example()
    for name, schema in SECTIONS.items():
        assert set(example[name]) == set(schema.fields), name
    assert set(example["source"][0]) == set(SOURCE.fields)
    assert set(next(iter(example["jobs"].values()))) == set(JOB.fields)
    for name, schema in JOB_SECTIONS.items():
        assert set(example["jobs"][name]) | set(JOB.fields) == set(schema.fields), name
    assert set(example) == {*SECTIONS, "source", "jobs"}


def comments_of_the_example() -> dict[str, str]:
    """By section and key, what stands before it."""
    comments, section, block = {}, "", []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if named := re.fullmatch(r"(?:# )?\[+([a-z.]+)\]+", line):
            section = named[1]
            comments[section] = " ".join(block)  # a table may be a key, as mapping.kanalen
        elif key := re.match(r"(?:# )?([a-z_]+) = ", line):
            comments[f"{section}.{key[1]}"] = " ".join(block)
        elif line.startswith("# "):
            block.append(line.removeprefix("# "))
            continue
        block = []
    return comments


def test_each_key_of_the_example_has_the_sentence_of_its_declaration_before_it():
    comments = comments_of_the_example()
    declared = {**SECTIONS, "source": SOURCE, "jobs.backfill": JOB, "jobs.backup": JOB_SECTIONS["backup"]}
    for section, schema in declared.items():
        own = schema.fields.keys() - (JOB.fields.keys() if section == "jobs.backup" else ())
        for key in own:
            said = comments.get(f"{section}.{key}", "")
            assert said.startswith(schema.fields[key].metadata["doc"]), f"{section}.{key}"


def test_the_reference_says_what_the_keys_declare():
    """When this fails: make reference."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_the_example_loads_once_the_secrets_are_filled_in(tmp_path):
    config = load(tmp_path, EXAMPLE.read_text(encoding="utf-8"), SECRETS)
    assert [source.name for source in config.sources] == ["openzaak"]


def test_the_values_of_the_example_are_the_defaults():
    example = uncommented_example()
    del example["jobs"]["backfill"]["most_seconds"]  # an example: left out, it is that of the job
    chosen = {"name", "zaken_url", "client_id", "max_vertrouwelijkheidaanduiding"}
    example["mapping"]["kanalen"] = {}  # has examples of its own
    for schema, table in [
        *((SECTIONS[name], example[name]) for name in SECTIONS),
        (SOURCE, example["source"][0]),
        (JOB, example["jobs"]["backfill"]),
        (JOB_SECTIONS["backup"], example["jobs"]["backup"]),
    ]:
        given, lines = check(schema, table, "")
        assert not lines
        assert given == check(schema, {key: table[key] for key in chosen & set(table)}, "")[0]
