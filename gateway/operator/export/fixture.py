"""`klantbrug export fixture`: everything as files for Open Klant's own loaddata, under our uuids (E9).

Rows get numbers in the order of creation (M42), so that its lists stand in the order of ours. What a partij prefers
refers to what refers to that partij; so partijen come first without it, and those that have one once more, last.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID

import orjson

from gateway.operator.export import openklant
from gateway.operator.export.directory import create, prepare
from gateway.operator.export.openklant import APP, MODELS, PARTIJ, PARTIJ_IDENTIFICATOR, THROUGH, Model
from gateway.store.base.kinds import KINDS
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.export import documents, filed
from gateway.store.export.documents import BEFORE_ALL, Numbered
from gateway.target.contents import at_home, content
from gateway.target.marks import marks_of

VERSIONS = ("openklant-2.18",)
IN_A_FILE = 10_000
READ_AT_ONCE = 1000
LAST = "999-partij-voorkeuren"
README = """Bestanden voor loaddata van Open Klant 2.18, gemaakt door Klantbrug.

ALLEEN VOOR EEN LEEG REGISTER. loaddata overschrijft rijen met hetzelfde nummer (pk). De nummers hier lopen per
model van {first} tot en met hoogstens {last}. Staat er al iets in het register, neem dan klantbrug export run.

1. Zet de bestanden op de machine van Open Klant, waar alleen de gebruiker van Open Klant bij kan.
2. Laad ze in een keer, in de volgorde van hun naam:
       python src/manage.py loaddata *.json
   Verwijzingen kloppen op elk moment; de laatste bestanden vullen in wat partijen verkiezen.
3. Vul [target] in, en draai klantbrug export run: dat ziet dat de uuids gelijk zijn, koppelt alles en stuurt alleen
   wat daarna kwam of wijzigde; wat intussen hier verdween, verwijdert het ook daar. Bewijs het met
   klantbrug export verify --full. Zo veel hoort er per soort te zijn:
{counts}
4. Verwijder de bestanden: er staan persoonsgegevens in.

Nummers die niet aan de regels van de API voldoen (een vestigingsnummer zonder KVK-nummer) laadt loaddata wel.
"""


def write(
    store: Store, directory: Path, pk_start: int, told: Callable[[str, int, int], None]
) -> dict[str, int]:
    """Write the files; out: how many objects of each model. Raises NoSuchPlace, OSError."""
    prepare(directory)
    with TemporaryFile(dir=directory) as aside:
        with store.read() as connection:
            made = Fixture(connection, directory, pk_start, told)
            made.write()
            counts = {kind: documents.count(connection, kind) for kind in KINDS}
            _spool(connection, aside)
        _note(store, aside)
    lines = "\n".join(f"       {kind}: {count}" for kind, count in counts.items())
    last = pk_start + max([*counts.values(), *made.counts.values(), 1]) - 1
    with create(directory / "LEESMIJ.txt") as file:
        file.write(README.format(first=pk_start, last=last, counts=lines).encode())
    return dict(made.counts)


def _spool(connection: Session, file: IO[bytes]) -> None:
    """The marks of all that stands in the files, aside: nothing is written while a store is read."""
    for kind in KINDS:
        after = BEFORE_ALL
        while found := documents.every(connection, kind, after, READ_AT_ONCE):
            after = found[-1].place
            for one in found:
                marks = marks_of(content(at_home(one)))
                file.write(one.uuid + len(marks).to_bytes(2) + marks)


def _note(store: Store, file: IO[bytes]) -> None:
    """Keep what stands in the files, so that a run of the export knows what went or changed here since."""
    file.seek(0)
    while lot := list(islice(_spooled(file), READ_AT_ONCE)):
        with store.write(synced=False) as connection:
            filed.note(connection, lot)


def _spooled(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    while uuid := file.read(16):
        yield uuid, file.read(int.from_bytes(file.read(2)))


class Fixture:
    """The files of one store, as it is at one moment."""

    def __init__(
        self,
        connection: Session,
        directory: Path,
        pk_start: int,
        told: Callable[[str, int, int], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._connection = connection
        self._directory = directory
        self._start = pk_start
        self._told = told
        # By the row of a document its number: four or eight bytes each.
        self._pks = array("Q", bytes(8 * (documents.last_row(connection) + 1)))
        self._waiting: dict[str, list[bytes]] = {}
        self._files: Counter[str] = Counter()

    def write(self) -> None:
        """All files."""
        for kind in KINDS:
            for number, row in enumerate(documents.rows_in_order(self._connection, kind), start=self._start):
                self._pks[row] = number
        for place, model in enumerate(MODELS):
            self._model(f"{place * 10:03d}-{model.name}", model)
        for name in [*self._waiting]:
            self._close(name)

    def _model(self, name: str, model: Model) -> None:
        """The rows of a model, and what stands beside them. Names of files are in the order in which they load."""
        total = documents.count(self._connection, model.kind)
        after = f"{int(name[:3]) + 1:03d}{name[3:]}"
        found = documents.numbered(self._connection, model.kind, READ_AT_ONCE)
        for done, document in enumerate(found, start=1):
            body, own = orjson.loads(document.body), self._pks[document.row]
            fields = self._fields(model, document, body)
            under = model is PARTIJ_IDENTIFICATOR and document.targets.get("subIdentificatorVan")
            self._put(f"{after}-onder-een-ander" if under else name, model.name, own, fields)
            for other, row in self._beside(model, document, body):
                self._put(f"{after}-rijen-ernaast", other, self._start + self.counts[other], row)
            if model is PARTIJ:
                self._prefer(document, own, fields)
            if done % READ_AT_ONCE == 0 or done == total:
                self._told(model.name, done, total)

    def _prefer(self, document: Numbered, own: int, fields: dict[str, Any]) -> None:
        """A partij that prefers something once more, with that."""
        preferred = {field: self._pk(document, place) for field, place in PARTIJ.links.items()}
        if any(preferred.values()):
            self._put(LAST, PARTIJ.name, own, fields | preferred)
            self.counts[PARTIJ.name] -= 1

    def _fields(self, model: Model, document: Numbered, body: dict[str, Any]) -> dict[str, Any]:
        fields = openklant.values(model.values, {**body, "uuid": str(UUID(bytes=document.uuid))})
        for field, name in model.links.items():
            fields[field] = None if model is PARTIJ else self._pk(document, name)
        return fields

    def _pk(self, document: Numbered, name: str) -> int | None:
        targets = document.targets.get(name)
        return self._pks[targets[0]] if targets else None

    def _beside(
        self, model: Model, document: Numbered, body: dict[str, Any]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        own = self._pks[document.row]
        for other, fields in openklant.beside(model.kind, body):
            fields[model.kind] = own
            if other == "contactpersoon":
                fields["werkte_voor_partij"] = self._pk(document, "werkteVoorPartij")
            yield other, fields
        for actor in document.targets.get("toegewezenAanActoren", ()):
            yield THROUGH, {"actor": self._pks[actor], "internetaak": own}

    def _put(self, name: str, model: str, pk: int, fields: dict[str, Any]) -> None:
        self.counts[model] += 1
        waiting = self._waiting.setdefault(name, [])
        waiting.append(orjson.dumps({"model": f"{APP}.{model}", "pk": pk, "fields": fields}))
        if len(waiting) == IN_A_FILE:
            self._close(name)

    def _close(self, name: str) -> None:
        waiting = self._waiting.pop(name)
        self._files[name] += 1
        with create(self._directory / f"{name}-{self._files[name]:05d}.json") as file:
            file.write(b"[\n" + b",\n".join(waiting) + b"\n]\n")
