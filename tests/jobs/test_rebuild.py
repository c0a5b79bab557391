"""Rebuild: what is held, translated again in place, is what a new store would have made of it (M1, M4, M19)."""

from __future__ import annotations

import random
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from builders import contactmomenten as earlier
from builders.configs import UUID_SECRET
from builders.killing import kill_after, kills_itself
from builders.legacy_objects import BSN, SECRET, SETTINGS, klantcontact, organisatie, persoon, uuid_of, zaak
from builders.probe.invariants import broken
from builders.probe.probe import Probe
from builders.register import SOURCE, Objects, Register, a_third, read_slice, read_ugly
from builders.store_digest import dump_digest
from builders.stores import DATABASE, ON_POSTGRES, copy_store, schema_of, store_keys
from click.testing import CliRunner
from tools import translation

from gateway.cli.main import cli
from gateway.config.store import StoreSettings
from gateway.ingest import incoming as taking
from gateway.ingest.ingest import Ingest
from gateway.store.base.errors import StoreError
from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.base.store import Store
from gateway.store.documents.writing import put_documents
from gateway.store.edits import editing
from gateway.store.operation import leases
from jobs.common.progress import Step
from jobs.common.work import Busy
from jobs.rebuild import rebuild as rebuilding
from jobs.rebuild import rehearsal
from jobs.rebuild.rebuild import Rebuild, RebuildOutcome
from jobs.rebuild.rehearsal import copy_of
from mappings import klantinteracties
from mappings.model.documents import Document
from mappings.model.findings import Untranslatable
from mappings.model.settings import Kanaal, Settings, ZaakCodes
from mappings.translate import VERSION, fingerprint, translate

pytestmark = pytest.mark.slow

CHANGES: dict[str, dict[str, Any]] = {
    "no addresses": {"adressen": "geen"},
    "addresses of organisations": {"adressen": "organisaties"},
    "only initiators are parties": {"partij_rollen": ("initiator",)},
    "other fixed values": {"voorkeurstaal": "nld", "taal": "fry", "actor_register": "ander"},
    "everybody takes part": {"klantcontact_betrokkenen": ("initiator", "belanghebbende", "adviseur")},
    "channels": {"kanalen": {"telefoon": Kanaal("Telefoon", False), "e-mail": Kanaal("Mail", True)}},
    "fillers": {"loze_identificaties": ("mw0119", "onbekend")},
    "contact persons": {"contactpersoon_adressen": "contactpersoon"},
}
SOME = a_third(a_third(read_slice())) + read_ugly()


def ingest_of(register: Register, settings: Settings) -> Ingest:
    return Ingest(register.store, settings, SECRET)


def rebuild(register: Register, settings: Settings = SETTINGS, **how: Any) -> RebuildOutcome:
    return Rebuild(register.store, ingest_of(register, settings), **how).run()


def changed(outcome: RebuildOutcome) -> dict[str, dict[str, int]]:
    """What is not the same, by kind."""
    counts = {
        kind: {what: count for what, count in counts.items() if what != "same" and count}
        for kind, counts in outcome.documents.items()
    }
    return {kind: what for kind, what in counts.items() if what}


SMALL = 50


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small store takes many transactions."""
    monkeypatch.setattr(rebuilding, "PIECE", SMALL)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    made = Register(tmp_path / "store.sqlite")
    yield made
    assert broken(made.store) == {}
    assert Probe(made.store).count("rebuild_note") == 0
    made.store.close()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The digest of a new store that takes objects by some settings."""
    known: dict[str, str] = {}

    def digest(settings: Settings = SETTINGS, objects: Objects = SOME) -> str:
        key = f"{settings} {id(objects)}"
        if key not in known:
            made = Register(tmp_path_factory.mktemp("fresh") / "store.sqlite")
            made.ingest = ingest_of(made, settings)
            made.take_all(objects)
            known[key] = made.digest()
            made.store.close()
        return known[key]

    return digest


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that took SOME."""
    made = Register(tmp_path_factory.mktemp("taken") / "store.sqlite")
    made.take_all(SOME)
    made.store.close()
    return made.store.path


@pytest.fixture
def filled(register: Register, taken: Path, tmp_path: Path) -> Register:
    """A register with what is in `taken`."""
    register.store.close()
    copy_store(taken, tmp_path / "store.sqlite")
    return register


# The outcome


@pytest.mark.rule("M1")
def test_without_a_change_everything_is_the_same(filled: Register, fresh: Callable[..., str]) -> None:
    outcome = rebuild(filled)
    assert (changed(outcome), outcome.changed, outcome.read > 500) == ({}, 0, True)
    assert outcome.documents["partij"]["same"] == len(filled.of("document", "partij"))
    assert filled.digest() == fresh()


@pytest.mark.rule("M14")
def test_switching_addresses_off_and_on_gives_the_first_dump_of_the_whole_slice(register: Register) -> None:
    register.take_all(read_slice())
    first = register.digest()
    off = rebuild(register, replace(SETTINGS, adressen="geen"))
    assert register.digest() != first
    assert changed(off) == {"partij": {"changed": off.documents["partij"]["changed"]}}
    on = rebuild(register)
    assert (register.digest(), changed(on)) == (first, changed(off))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_rebuilt_store_equals_a_new_one(
    filled: Register, fresh: Callable[..., str], change: dict[str, Any]
) -> None:
    settings = replace(SETTINGS, **change)
    there = rebuild(filled, settings)
    assert filled.digest() == fresh(settings) != fresh()
    back = rebuild(filled)
    assert filled.digest() == fresh()
    turned = {"new": "gone", "gone": "new", "changed": "changed"}
    assert changed(back) == {
        kind: {turned[what]: count for what, count in counts.items()}
        for kind, counts in changed(there).items()
    }


@pytest.mark.rule("M19")
def test_what_clients_wrote_and_deleted_stays(register: Register) -> None:
    register.take(
        zaak(),
        *(persoon(number, BSN[number], contact={"emailadres": f"p{number}@x.nl"}) for number in (1, 2)),
    )
    probe = Probe(register.store)
    with register.store.write() as connection:
        one, two = (
            editing.get(connection, row) for row in probe.values("document", "id", "uuid", kind="partij")
        )
        editing.update(connection, one, one.body | {"voorkeurstaal": "fry"}, one.links)
        editing.remove(connection, probe.values("document", "id", owner=two.id), two.uuid)
        register.ingest.seal(connection)
    before = register.digest()
    rebuild(register, replace(SETTINGS, voorkeurstaal="nld"))
    assert [line["body"]["voorkeurstaal"] for line in register.of("document", "partij")] == ["fry"]
    rebuild(register)
    assert register.digest() == before
    register.ingest.restore(two.uuid)
    assert len(register.of("document", "partij")) == 2


@pytest.mark.rule("M3")
def test_quarantine_is_tried_again_and_findings_are_made_anew(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = [zaak(), persoon(1, BSN[0]), persoon(2, "123"), klantcontact(1)]
    register.take(*objects)
    right = register.digest()

    def refuse(kind: str, raw: dict[str, Any], source: str, settings: Settings) -> Any:
        if raw["uuid"] in (uuid_of("rol", 1), uuid_of("rol", 2)):
            raise Untranslatable("een vorige versie kon dit niet lezen")
        return translate(kind, raw, source, settings)

    with monkeypatch.context() as patch:
        patch.setattr(taking, "translate", refuse)
        outcome = rebuild(register)
        assert (outcome.quarantined, changed(outcome)["partij"]) == (2, {"gone": 2})
        assert [line["reason"] for line in register.of("quarantine")] == [
            "een vorige versie kon dit niet lezen"
        ] * 2
        assert {line["rule"] for line in register.of("finding")} == {"M30"}
    outcome = rebuild(register)
    assert (outcome.quarantined, changed(outcome)["partij"]) == (0, {"new": 2})
    assert register.digest() == right


def test_of_one_source_only_its_objects_are_translated_again(register: Register) -> None:
    register.take(zaak(), persoon(1, BSN[0]), persoon(2, BSN[1]))
    register.take(zaak(2), persoon(3, BSN[0], zaak=2), organisatie(4, zaak=2), source="ander")
    settings = replace(SETTINGS, voorkeurstaal="nld")
    outcome = rebuild(register, settings, only="ander")
    assert (outcome.read, changed(outcome)) == (3, {"partij": {"changed": 2}})
    rebuild(register, settings)
    assert {line["body"]["voorkeurstaal"] for line in register.of("document", "partij")} == {"nld"}


@pytest.mark.rule("M32")
@pytest.mark.rule("M40")
@pytest.mark.rule("M41")
def test_the_earlier_standards_are_rebuilt_too(tmp_path: Path) -> None:
    client = UUID("11111111-0000-4000-8000-000000000001")
    here = f"{earlier.HERE}/klantinteracties/api/v1/klantcontacten/{client}"
    objects = [*earlier.WHOLE, ("zaakcontactmoment", earlier.zaakcontactmoment(3, 1, here))]
    other = replace(
        SETTINGS,
        taal="fry",
        zaak_codes=(ZaakCodes("zgw-Zaak", "ander"),),
        adressen="geen",
        kanalen={"telefoon": Kanaal("Bel", False)},
    )

    def taken_by(name: str, settings: Settings) -> earlier.EarlierRegister:
        made = earlier.EarlierRegister(tmp_path / name, settings)
        body = klantinteracties.defaults("klantcontact")
        with made.store.write() as connection:
            put_documents(connection, [(Document("klantcontact", client, body, 5, 5), None)], LOCAL_ORIGIN)
        made.take(*objects)
        return made

    one, wanted = taken_by("one.db", SETTINGS), taken_by("other.db", other)
    first = one.digest()
    one.ingest.settings = other
    Rebuild(one.store, one.ingest).run()
    assert one.digest() == wanted.digest() != first
    one.ingest.settings = SETTINGS
    Rebuild(one.store, one.ingest).run()
    assert one.digest() == first
    for made in (one, wanted):
        made.store.close()


# Meanwhile, and again


def test_what_comes_in_and_goes_meanwhile_is_right(filled: Register, fresh: Callable[..., str]) -> None:
    settings = replace(SETTINGS, adressen="geen", partij_rollen=("initiator", "belanghebbende"))
    live, chance = ingest_of(filled, settings), random.Random(5)
    rollen = [raw for kind, raw in SOME if kind == "rol" and raw.get("uuid")]
    seen: list[int] = []

    def meanwhile(step: Any) -> None:
        seen.append(step.done)
        some = chance.sample(rollen, 5)
        live.remove(SOURCE, "rol", [UUID(raw["uuid"]) for raw in some])
        live.take(SOURCE, "rol", [raw | {"afwijkendeNaamBetrokkene": "Even anders"} for raw in some], asked=0)
        live.take(SOURCE, "rol", some, asked=0)

    rebuild(filled, settings, show=meanwhile)
    assert len(seen) > 5
    assert filled.digest() == fresh(settings)


def killed(register: Register, settings: Settings, after: int) -> bool:
    """Rebuild in a process that is killed after so many steps of SQLite; out: was it killed?"""
    register.store.close()
    return kills_itself(rebuild_until, register.store.path, settings, after)


def rebuild_until(path: Path, settings: Settings, after: int) -> None:
    """What that process does."""
    register = Register(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuilding, "PIECE", SMALL)
        kill_after(register.store, after, 1000)
        rebuild(register, settings)


def kill_and_go_on(register: Register, settings: Settings, chance: random.Random, most: int) -> int:
    kills = 0
    if ON_POSTGRES:
        most *= 4  # statements are smaller steps: of a process that only begins there are some hundreds
    while killed(register, settings, chance.randrange(most // 10, most)):
        kills += 1
        assert kills < 60
    return kills


def test_killed_at_random_moments_and_gone_on_with_it_is_the_same(
    filled: Register, fresh: Callable[..., str], tmp_path: Path
) -> None:
    settings = replace(SETTINGS, adressen="geen", partij_rollen=("initiator",))
    assert kill_and_go_on(filled, settings, random.Random(11), 240) > 3
    assert filled.digest() == fresh(settings)
    (run,) = Probe(filled.store).runs()
    told = orjson.loads(run.counters)
    other = Register(tmp_path / "other.sqlite")
    other.take_all(SOME)
    undisturbed = rebuild(other, settings)
    assert (told["read"], told["changed"]) == (undisturbed.read, undisturbed.changed)
    other.store.close()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30))
def test_killed_often(register: Register, fresh: Callable[..., str], seed: int) -> None:
    chance = random.Random(seed)
    objects = read_slice()
    register.take_all(objects)
    for change in chance.sample(list(CHANGES.values()), 2):
        kill_and_go_on(register, replace(SETTINGS, **change), chance, 3000)
    kill_and_go_on(register, SETTINGS, chance, 3000)
    other = Register(register.store.path.with_name("other.sqlite"))
    other.take_all(objects)
    assert register.digest() == other.digest()
    other.store.close()


class Stop(Exception):
    """Raised to stop a rebuild half-way."""


def stop(step: Any) -> None:
    if step.done > 200:
        raise Stop


def test_it_goes_on_where_it_stopped_and_counts_what_was_done_before(
    filled: Register, fresh: Callable[..., str]
) -> None:
    settings = replace(SETTINGS, voorkeurstaal="nld")
    with pytest.raises(Stop):
        rebuild(filled, settings, show=stop)
    first: list[int] = []
    outcome = rebuild(filled, settings, show=lambda step: first.append(step.done))
    assert first[0] > 200
    assert outcome.documents["partij"]["changed"] == len(filled.of("document", "partij"))
    assert filled.digest() == fresh(settings)


def test_another_mapping_in_between_starts_it_over(filled: Register, fresh: Callable[..., str]) -> None:
    with pytest.raises(Stop):
        rebuild(filled, replace(SETTINGS, voorkeurstaal="nld"), show=stop)
    first: list[int] = []
    rebuild(filled, SETTINGS, show=lambda step: first.append(step.done))
    assert first[0] <= 50
    assert filled.digest() == fresh()


@pytest.mark.parametrize("name", ["rebuild", f"backfill {SOURCE}"])
def test_it_does_not_run_beside_another_or_a_backfill(register: Register, name: str) -> None:
    register.take(zaak(), persoon(1, BSN[0]))

    def hold() -> None:
        leases.take(register.store, name, 60)
        register.store.close()

    holder = threading.Thread(target=hold)
    holder.start()
    holder.join()
    with pytest.raises(Busy):
        rebuild(register)
    with register.store.write() as connection:
        leases.forget_all(connection)
    assert rebuild(register).read == 2


# Which mapping


def test_the_fingerprint_tells_every_choice_but_the_maximum() -> None:
    same = replace(SETTINGS, max_vertrouwelijkheidaanduiding="zeer_geheim")
    assert fingerprint(same) == fingerprint(SETTINGS)
    prints = {fingerprint(replace(SETTINGS, **change)) for change in CHANGES.values()}
    assert len(prints | {fingerprint(SETTINGS)}) == len(CHANGES) + 1


def test_whoever_changes_the_mapping_raises_its_version() -> None:
    """Only a new version asks an installation to rebuild, and nothing else would tell a developer."""
    kept = orjson.loads(translation.KEPT.read_bytes())
    assert not (told := translation.judge(kept, VERSION, translation.digest())), told


def test_what_is_kept_of_the_mapping_can_not_be_renewed_without_a_new_version() -> None:
    kept = {"version": 3, "digest": "a"}
    assert translation.judge(kept, 3, "a") == ""
    assert "make VERSION in mappings/translate.py 4" in translation.judge(kept, 3, "b")
    for version, digest in ((4, "b"), (4, "a"), (2, "a")):
        assert "run `make translation`" in translation.judge(kept, version, digest)


# The command


CONFIG = """
[store]
{store}uuid_secret = "{secret}"
[mapping]
max_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"
"""


class Command:
    """The command on a store of its own, which no source is configured for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "store.sqlite"
        self.config = folder / "config.toml"
        self.mapping("")

    def mapping(self, more: str) -> None:
        self.config.write_text(CONFIG.format(store=store_keys(self.path), secret=UUID_SECRET) + more)

    def __call__(self, *arguments: str) -> Any:
        return CliRunner().invoke(cli, ["--config", str(self.config), *arguments])

    def asks_for_it(self) -> tuple[bool, bool, bool]:
        """Do status, status --json and check ask for a rebuild?"""
        told = orjson.loads(self("status", "--json").stdout)["sources"][SOURCE]["rebuild"]
        text, checked = self("status").stdout, self("check").stdout
        return (
            "[mapping] of versie" in text and "klantbrug rebuild" in text,
            told,
            "klantbrug rebuild" in checked,
        )


@pytest.fixture
def command(tmp_path: Path) -> Command:
    made = Command(tmp_path)
    assert made("token", "create", "x").exit_code == 0  # makes the store, with its secret
    register = Register(made.path)
    register.take_all(a_third(a_third(read_slice())))
    register.store.close()
    assert made("rebuild").exit_code == 0
    return made


def test_a_changed_mapping_is_told_until_a_rebuild(command: Command) -> None:
    assert command.asks_for_it() == (False, False, False)
    command.mapping('adressen = "geen"\n')
    assert command("restore", str(UUID(int=0))).exit_code == 1  # anything that works with the mapping
    assert command.asks_for_it() == (True, True, True)
    command.mapping("")
    assert command("restore", str(UUID(int=0))).exit_code == 1
    assert command.asks_for_it() == (True, True, True)  # something may have come in by the other
    found = command("rebuild")
    assert (found.exit_code, "Opnieuw vertaald" in found.stdout) == (0, True)
    assert command.asks_for_it() == (False, False, False)


def test_a_dry_run_tells_the_same_and_changes_nothing(command: Command) -> None:
    dump = command("dump").stdout
    command.mapping('adressen = "geen"\n')
    told = orjson.loads(command("rebuild", "--dry-run", "--json").stdout)
    assert command("dump").stdout == dump
    assert sorted(path.name for path in command.folder.glob("*rehearsal*")) == []
    done = orjson.loads(command("rebuild", "--json").stdout)
    assert told == done | {"dry_run": True}
    assert list(told["documents"]) == list(done["documents"])
    assert done["documents"]["partij"]["changed"] > 50
    assert command("dump").stdout != dump


def copied(register: Register) -> AbstractContextManager[Store]:
    """The copy of a dry run."""
    return copy_of(register.store, place_of(register), lambda step: None)


def place_of(register: Register) -> StoreSettings:
    """Where its store is."""
    path = register.store.path
    return StoreSettings(
        path=path, uuid_secret=SECRET, url=DATABASE, schema=schema_of(path) if DATABASE else ""
    )


def test_the_copy_is_the_owners_alone_and_goes_whatever_happens(register: Register) -> None:
    register.take(zaak(), persoon(1, BSN[0]))
    with pytest.raises(KeyboardInterrupt), copied(register) as copy:
        assert dump_digest(copy) == register.digest()
        assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
        raise KeyboardInterrupt
    assert list(copy.path.parent.glob("*rehearsal*")) == []
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for tail in ("", "-wal", ".turn", ".open"):
        copy.path.with_name(f"store.sqlite.rehearsal.{dead.pid}{tail}").touch()
    with copied(register) as copy:
        beside = {path.name.partition("-")[0] for path in copy.path.parent.glob("*rehearsal*")}
        assert beside <= {copy.path.name, f"{copy.path.name}.turn", f"{copy.path.name}.open"}
    assert list(copy.path.parent.glob("*rehearsal*")) == []


def test_a_copy_is_of_one_moment_and_keeps_nobody_from_writing(register: Register) -> None:
    register.take(zaak(), persoon(1, BSN[0]))
    before = register.digest()

    def writes(step: Step) -> None:
        if step.what == "kopiëren":
            register.take(persoon(2, BSN[1]))

    with copy_of(register.store, place_of(register), writes) as copy:
        if not ON_POSTGRES:  # a file is copied in one go
            register.take(persoon(2, BSN[1]))
        assert dump_digest(copy) == before
    assert register.digest() != before


def test_without_room_for_a_copy_there_is_no_dry_run(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.take(zaak(), persoon(1, BSN[0]))
    monkeypatch.setattr(rehearsal, "MARGIN", 1e12)
    with pytest.raises(StoreError, match="MB nodig"), copied(register):
        pass


def test_a_source_that_nothing_is_held_of_is_a_mistake(command: Command) -> None:
    found = command("rebuild", "--source", "onbekend")
    assert (found.exit_code, "Er is geen bron" in found.stderr) == (2, True)
    assert orjson.loads(command("rebuild", "--source", SOURCE, "--json").stdout)["changed"] == 0
