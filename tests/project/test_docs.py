"""The documents say what is true of the code, and the code keeps the walls that they promise."""

from __future__ import annotations

import ast
import io
import re
import shlex
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from builders.paths import ROOT
from tools import command_reference
from tools.rules import RULES

from gateway.cli.main import cli
from gateway.config.defaults import LOG_MB
from gateway.config.load import load_config
from gateway.config.sections import JOB_SECTIONS
from gateway.klantinteracties.model.freshness import FRESHNESS
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.legacy import errors
from gateway.store.base.kinds import LEFT_OUT_RULES
from gateway.store.file.write_ahead_log import BULK_PART

README = ROOT / "README.md"
ARCHITECTURE, MAPPING, OPERATION = (
    ROOT / "docs" / f"{name}.md" for name in ("architecture", "mapping", "operation")
)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PACKAGES = ("gateway", "jobs", "mappings")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Tables that a later migration dropped.
GONE_TABLES = {"profile_due", "profile_state"}

CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
CONFIG_KEY = re.compile(r"\[+(gateway|store|source|live|mapping|jobs|notifications)\]+ ([a-z_]+)$")
SQL = re.compile(
    r"\b(SELECT\s|INSERT\s+(OR|INTO)\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|CREATE\s+(TABLE|INDEX)\b"
    r"|DROP\s+(TABLE|INDEX)\b|PRAGMA\b|BEGIN IMMEDIATE\b)"
)


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


def code_in(document: Path) -> Iterator[str]:
    """Each piece of inline code, and each line of a code block without its comment."""
    for block, inline in CODE.findall(text_of(document)):
        for line in block.splitlines() if block else [inline]:
            yield line.split("  #")[0].strip()


def section(document: Path, heading: str) -> str:
    return text_of(document).split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


# What documents name


def test_the_mapping_has_no_rules_that_nobody_knows():
    rows = re.findall(r"^\| (M\d+) \|", text_of(MAPPING), re.MULTILINE)
    assert sorted(rows) == sorted(RULES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_rules_named_in_documents_are_rules_of_the_mapping(document):
    assert set(re.findall(r"\bM\d+\b", text_of(document))) <= set(RULES)


def keys_of_the_example() -> dict[str, set[str]]:
    """Sections of config.example.toml with their keys; those of [jobs.<name>] stand there as comments."""
    text = text_of(ROOT / "config.example.toml")
    of_jobs = "|".join(JOB_SECTIONS["backup"].fields)
    text = re.sub(rf"^# (\[jobs\.\w+\]|({of_jobs}) = .*)$", r"\1", text, flags=re.MULTILINE)
    raw = tomllib.loads(text)
    keys = {name: set(table) for name, table in raw.items() if isinstance(table, dict)}
    keys["source"] = set(raw["source"][0])
    keys["jobs"] = {key for job in raw["jobs"].values() for key in job}
    return keys


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_configuration_keys_in_documents_are_explained_in_the_example(document):
    known = keys_of_the_example()
    for code in code_in(document):
        if match := CONFIG_KEY.match(code):
            assert match[2] in known[match[1]], f"{named(document)}: no key {code}"


def test_settings_named_with_the_mapping_rules_are_keys_of_the_mapping_section():
    known = keys_of_the_example()["mapping"]
    settings = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", text_of(MAPPING)))
    values = {"persoon", "organisatie", "overig", "vertrouwelijk"}
    values |= {
        "bron",
        "wordt",
        "aantal",
        "bevindingen",
        "info",
        "adjusted",
        "dropped",
    }  # words of the examples
    assert settings - values <= known


def test_the_smallest_configuration_in_the_readme_is_one_that_loads(tmp_path):
    block = re.search(r"```toml\n(.*?)```", text_of(README), re.DOTALL)
    path = tmp_path / "config.toml"
    path.write_text(block[1], encoding="utf-8")
    for name in re.findall(r'secret_file = "([^"]+)"', block[1]):
        (tmp_path / name).write_text("x" * 40, encoding="utf-8")
    config = load_config(path, {})
    assert [source.name for source in config.sources] == ["openzaak"]


def judge_command(line: str) -> None:
    """Follow a `klantbrug ...` line through the command tree. Raises AssertionError where it goes wrong."""
    words = iter(shlex.split(line)[1:])
    command: click.Command = cli
    for word in words:
        if word.startswith("-"):
            options = {name: option for option in command.params for name in option.opts}
            assert word in options, f"{line}: {command.name} has no option {word}"
            if not options[word].is_flag:
                next(words)
        elif isinstance(command, click.Group):
            assert word in command.commands, f"{line}: there is no command {word}"
            command = command.commands[word]
        else:
            arguments = [one for one in command.params if isinstance(one, click.Argument)]
            assert arguments, f"{line}: {command.name} takes no {word}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_commands_in_documents_exist(document):
    for code in code_in(document):
        if code.startswith("klantbrug "):
            judge_command(code)


@pytest.mark.parametrize("line", ["klantbrug fly", "klantbrug status --xml", "klantbrug status now"])
def test_a_command_that_does_not_exist_is_noticed(line):
    with pytest.raises(AssertionError):
        judge_command(line)


def test_the_readme_names_every_command():
    said = text_of(README)
    for name in cli.commands:
        assert f"`klantbrug {name}" in said, f"README.md does not name klantbrug {name}"


def test_the_readme_begins_with_the_two_commands_that_start_everything():
    first_screen = text_of(README).split("\n## ", 1)[0]
    targets = re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    for target in ("demo", "test"):
        assert f"make {target} " in first_screen
        assert target in targets


def anchors(document: Path) -> set[str]:
    """The names under which the headings of a document can be linked to."""
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def judge_link(document: Path, target: str) -> None:
    """Raises AssertionError when a link of a document leads to no file, or to no heading of it."""
    path, _, anchor = target.partition("#")
    there = (document.parent / path).resolve() if path else document
    assert there.exists(), f"{named(document)}: {target} is not there"
    assert not anchor or anchor in anchors(there), f"{named(document)}: {target} is no heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if not target.startswith("http"):
            judge_link(document, target)


@pytest.mark.parametrize("target", ["docs/elsewhere.md", "docs/operation.md#nowhere", "#nowhere"])
def test_a_link_that_leads_nowhere_is_noticed(target):
    with pytest.raises(AssertionError):
        judge_link(README, target)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_files_named_in_documents_exist(document):
    for path in re.findall(r"`((?:docs|tests|bench|gateway|jobs|mappings)/[\w./-]*\w)`", text_of(document)):
        assert (ROOT / path).exists(), f"{named(document)}: {path} is not there"


def test_every_decision_is_listed_and_short():
    decisions = ROOT / "docs" / "decisions"
    told = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text_of(decisions / "README.md"))
    assert told == sorted(path.name for path in decisions.glob("[0-9]*.md"))
    assert [name[:4] for name in told] == [f"{number:04}" for number in range(1, len(told) + 1)]
    assert max(len(text_of(decisions / name).splitlines()) for name in told) <= 12


def test_no_point_in_what_operators_read_is_long():
    points = re.findall(r"^(?:- |\d+\. ).*\n(?:  .*\n)*", text_of(OPERATION), re.MULTILINE)
    assert [point for point in points if point.count("\n") > 4] == []


def test_the_reference_of_commands_is_what_the_command_says(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "nl")  # what it sets for all of the process goes back after the test
    told = command_reference.document()
    assert text_of(command_reference.DOCUMENT) == told, "run make reference"


def test_the_licence_is_the_one_that_the_project_names():
    assert text_of(ROOT / "LICENSE").startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["license"] == "EUPL-1.2"


# The architecture


MOST_MODULES = 14
MOST_LINES = 400


def packages_of_the_house() -> dict[str, str]:
    """The packages in the drawing of the house, with what is said of each."""
    drawing = re.search(r"```\n(gateway/ .*?)```", text_of(ARCHITECTURE), re.DOTALL)[1]
    packages: dict[str, str] = {}
    above: list[str] = []
    for line in drawing.splitlines():
        name, said = line.split("/", 1)
        above[(len(name) - len(name.lstrip())) // 2 :] = [name.strip()]
        packages["/".join(above)] = said.strip()
    return packages


def modules_by_package() -> dict[str, set[str]]:
    built: dict[str, set[str]] = {}
    for path in MODULES:
        package = built.setdefault(str(path.parent.relative_to(ROOT)), set())
        if path.name != "__init__.py":
            package.add(path.stem)
    return built


def test_the_house_is_drawn_with_every_package_and_no_other():
    drawn = packages_of_the_house()
    assert set(drawn) == set(modules_by_package())
    assert all(drawn.values())


def test_every_package_is_one_and_says_what_it_is():
    for package in modules_by_package():
        init = ROOT / package / "__init__.py"
        assert init.is_file(), f"{package} is no package"
        assert ast.get_docstring(ast.parse(text_of(init))), (
            f"{package}/__init__.py does not say what is in it"
        )


def test_a_package_is_seen_at_a_glance():
    large = {
        name: len(modules) for name, modules in modules_by_package().items() if len(modules) > MOST_MODULES
    }
    assert large == {}
    assert {named(path) for path in MODULES if len(text_of(path).splitlines()) > MOST_LINES} == set()
    assert modules_by_package()["gateway"] == {"__main__", "app", "installation"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_modules_named_with_their_path_exist(document):
    for path in re.findall(r"\b(?:gateway|mappings|jobs|tests)/[\w/]+\.py\b", text_of(document)):
        assert (ROOT / path).is_file(), f"{named(document)}: {path} is not there"


def test_the_tables_of_the_store_are_those_that_the_architecture_tells_of():
    schema = "".join(map(text_of, (ROOT / "gateway" / "store").rglob("*.py")))
    made = set(re.findall(r"CREATE TABLE (\w+)", schema)) - GONE_TABLES
    rows = re.findall(r"^\| (`.+?`) \|", section(ARCHITECTURE, "The store"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == made


RECORDINGS = ROOT / "tests" / "data" / "klantinteracties"
RECORDING = re.compile(r"\[(\d{3}(?:(?:, |-)\d{3})*)\]")


def recordings_named_in(path: Path) -> set[str]:
    """The numbers of recorded exchanges in comments and docstrings."""
    said = set()
    for token in tokenize.generate_tokens(io.StringIO(text_of(path)).readline):
        if token.type == tokenize.COMMENT or token.string.startswith('"""'):
            said |= {
                number for named in RECORDING.findall(token.string) for number in re.split(", |-", named)
            }
    return said


def test_recordings_named_by_their_number_are_there_and_every_module_says_where():
    kept = {path.name[:3] for path in RECORDINGS.glob("*.json")}
    naming = {path: numbers for path in MODULES if (numbers := recordings_named_in(path))}
    assert len(naming) > 5
    for path, numbers in naming.items():
        assert numbers <= kept, f"{named(path)}: {sorted(numbers - kept)}"
        assert "tests/data/klantinteracties/<number>-*.json" in text_of(path), named(path)


# What the operator reads


def test_the_operator_finds_every_freshness():
    rows = re.findall(r"^\| (?:Klantbrug-Freshness )?\| `(\w+)` \|", text_of(OPERATION), re.MULTILINE)
    assert sorted(rows) == sorted(FRESHNESS)


def test_the_operator_finds_every_reason_for_leaving_an_object_out():
    for reason in LEFT_OUT_RULES.values():
        assert f"\n| {reason} |" in text_of(OPERATION)


def causes(kind: type[errors.LegacyError] = errors.LegacyError) -> set[str]:
    return {below.cause for below in kind.__subclasses__()}.union(*map(causes, kind.__subclasses__()))


def test_the_operator_finds_every_cause_of_a_failing_source():
    said = section(OPERATION, "Als een bron hapert")
    assert {cause for cause in causes() if f"`{cause}`" not in said} == set()


def test_the_operator_finds_every_code_of_a_refusal():
    rows = section(OPERATION, "Als een bron hapert").split("| Code |")[1]
    first_cells = re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE)
    assert set(re.findall(r"`([\w-]+)`", " ".join(first_cells))) == set(errors._REFUSALS)


def test_the_documents_agree_on_how_large_the_write_ahead_log_gets():
    part, megabytes = f"{BULK_PART:.0%}".replace("%", " %"), f"{BULK_PART * LOG_MB:.0f} MB"
    assert f"tot {part} van `[store] log_mb` ({LOG_MB} MB), dus {megabytes};" in text_of(OPERATION)
    assert f"{megabytes} ({part} of `[store] log_mb`)" in text_of(ROOT / "docs" / "performance.md")
    assert f"{part} of\n`[store] log_mb`" in text_of(ARCHITECTURE)


def test_the_readme_names_the_resources_as_they_are_served():
    paths = {resource.path for resource in RESOURCES}
    named_there = re.search(r"fills: (.*?)\.", text_of(README), re.DOTALL)[1]
    words = set(re.findall(r"[a-z-]{5,}", named_there))
    assert len(words & paths) == 9
    assert words <= paths


# The walls


def imports_of(path: Path) -> set[str]:
    """The full names of the modules that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}: imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
            # Of a package its modules are imported.
            if not (ROOT / (node.module or "").replace(".", "/")).is_dir():
                found.add(node.module or "")
    return found


def within(modules: set[str], *packages: str) -> set[str]:
    return {name for name in modules if name.split(".")[0] in packages or name in packages}


def modules_in(folder: str) -> list[Path]:
    found = [path for path in MODULES if path.is_relative_to(ROOT / folder)]
    assert found
    return found


@pytest.mark.parametrize("path", modules_in("mappings"), ids=named)
def test_mappings_know_nothing_of_what_is_around_them(path):
    outside = ("gateway", "jobs", "flask", "requests", "urllib3", "sqlite3", "sqlite_utils", "werkzeug")
    assert within(imports_of(path), *outside) == set()


@pytest.mark.parametrize("path", modules_in("gateway/store"), ids=named)
def test_the_store_knows_no_http_and_nothing_that_stands_above_it(path):
    used = imports_of(path)
    assert within(used, "flask", "requests", "urllib3", "werkzeug", "http", "jobs") == set()
    # Which process, what time, what does [store] say, what do machines settle? Those know nothing, and stand below.
    own = ("gateway.store", "gateway.base.process_identity", "gateway.base.clock", "gateway.config.defaults")
    own += ("gateway.config.model", "gateway.config.store", "gateway.base.logs", "gateway.base.pace_share")
    own += ("gateway.base.correlation",)  # which operation this thread is busy with
    assert {name for name in used if name.startswith("gateway.") and not name.startswith(own)} == set()


@pytest.mark.parametrize("path", modules_in("gateway/legacy"), ids=named)
def test_the_client_of_a_source_knows_no_store_and_no_flask(path):
    used = imports_of(path)
    assert within(used, "flask", "sqlite3", "sqlite_utils", "jobs") == set()
    assert {name for name in used if name.startswith(("gateway.store", "gateway.klantinteracties"))} == set()


@pytest.mark.parametrize("path", modules_in("gateway/klantinteracties"), ids=named)
def test_the_served_api_asks_no_source_by_itself(path):
    used = imports_of(path)
    reaching = ("gateway.legacy", "gateway.fetch", "gateway.hydrate", "gateway.ingest", "jobs", "requests")
    assert {name for name in used if name.startswith(reaching)} == set()


OUTSIDE_THE_STORE = [path for path in MODULES if not path.is_relative_to(ROOT / "gateway" / "store")]


@pytest.mark.parametrize("path", OUTSIDE_THE_STORE, ids=named)
def test_sql_stands_only_in_the_store(path):
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not SQL.search(node.value), f"{named(path)}:{node.lineno} holds SQL"
        if isinstance(node, ast.Attribute):
            asks = node.attr in ("execute", "executemany", "executescript")
            assert not asks, f"{named(path)}:{node.lineno} asks the database itself"
