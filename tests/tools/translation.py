"""What the mapping makes of the objects of the tests, as a digest: `make translation` keeps it.

With another mapping an installation must rebuild, and it is asked to by `mappings.translate.VERSION` alone. So that
nobody has to think of that, the digest is kept with the version that gave it, and a test compares.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from builders import contactmomenten as earlier
from builders.legacy_objects import (
    BSN,
    KVK,
    SETTINGS,
    SOURCE,
    VESTIGING,
    klantcontact,
    organisatie,
    persoon,
    vestiging,
    zaak,
)
from builders.paths import DATA
from builders.probe.probe import Probe
from builders.register import a_third, kind_of, read_slice, read_ugly

from gateway.store.inspect.dump import dump_lines
from mappings.model.settings import Kanaal
from mappings.translate import VERSION

KEPT = DATA / "translation.json"
# Every choice that is not the default.
OTHER = replace(
    SETTINGS,
    adressen="organisaties",
    partij_rollen=("initiator", "belanghebbende"),
    klantcontact_betrokkenen=("initiator", "belanghebbende"),
    contactpersoon_adressen="contactpersoon",
    kanalen={"telefoon": Kanaal("Bel", False)},
    taal="fry",
    voorkeurstaal="nld",
    verdwenen_partij="verwijderen",
    voorkeursadres=False,
    overige_adressen="weglaten",
)
# What others need of an object is held beside it, and may be all that another version can't read.
HELD = (
    ("raw", ("kind", "uuid", "facts"), "kind, uuid"),
    ("statement", ("body", "0", "0"), "body"),
)


def objects(of_slice: earlier.Raws) -> earlier.Raws:
    """Some objects of the slice, with all ugly ones, the earlier standards, and who represents whom."""
    context = {"representee": {"identifierType": "bsn", "identifier": BSN[4]}}
    contact = {"naam": "Jo", "emailadres": "jo@voorbeeld.example", "functie": "chef", "telefoonnummer": "112"}
    more = [
        zaak(10),
        persoon(10, BSN[2], zaak=10, indicatieMachtiging="machtiginggever"),
        persoon(11, BSN[3], zaak=10, indicatieMachtiging="gemachtigde", eindeGeldigheid="2999-01-01"),
        organisatie(12, zaak=10, authenticatieContext=context, contact=contact),
        vestiging(13, VESTIGING[0], KVK[0], zaak=10, generiek="initiator", contact=contact),
        klantcontact(10, zaak=10),
    ]
    here = earlier.POINTS_HERE.replace(earlier.HELD, more[-1]["uuid"])
    tie = ("zaakcontactmoment", earlier.zaakcontactmoment(9, 1, here))
    return [*of_slice, *read_ugly(), *earlier.WHOLE, *((kind_of(raw), raw) for raw in more), tie]


def digest() -> str:
    """The digest of what this mapping makes: documents, references, findings (not their words), what is held aside."""
    told = hashlib.sha256()
    slice_ = read_slice()
    for settings, taken in ((SETTINGS, a_third(slice_)), (OTHER, a_third(a_third(slice_)))):
        with tempfile.TemporaryDirectory() as folder:
            register = earlier.EarlierRegister(Path(folder) / "store.db", settings)
            register.ingest.today = lambda: date(2026, 1, 1)
            take(register, objects(taken))
            for line in map(orjson.loads, dump_lines(register.store)):
                if line["t"] in ("document", "link", "key", "finding"):
                    line.pop("action", None)
                    told.update(orjson.dumps(line, option=orjson.OPT_SORT_KEYS))
            for table, columns, order in HELD:
                for row in Probe(register.store).rows(table, *columns, order=order):
                    told.update(repr(row).encode())
            register.store.close()
    return told.hexdigest()


def take(register: earlier.EarlierRegister, found: earlier.Raws) -> None:
    """Take objects, those of a kind together."""
    for kind in dict.fromkeys(kind for kind, _ in found):
        register.ingest.take(SOURCE, kind, [raw for each, raw in found if each == kind], asked=0)


def judge(kept: Mapping[str, Any], version: int, found: str) -> str:
    """What a developer has to do about a digest that was found with a version; empty when nothing."""
    if found != kept["digest"] and version <= kept["version"]:
        return (
            "The same legacy objects give something else than they did, so installations have to rebuild, and are only "
            f"asked to by a new version: make VERSION in mappings/translate.py {kept['version'] + 1} and run "
            "`make translation`. If they should not: the change was not meant."
        )
    if (found, version) != (kept["digest"], kept["version"]):
        return "VERSION in mappings/translate.py was changed: run `make translation` to keep what it gives."
    return ""


def main() -> None:
    """Keep the digest, with the version that gives it; refuse another one under the same version."""
    kept, found = json.loads(KEPT.read_text()), digest()
    if found != kept["digest"] and kept["version"] >= VERSION:
        sys.exit(judge(kept, VERSION, found))
    KEPT.write_text(json.dumps({"version": VERSION, "digest": found}) + "\n")


if __name__ == "__main__":
    main()
