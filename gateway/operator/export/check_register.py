"""What `klantbrug check` finds out about `[target]`: does the register answer, and may we do there what an export does?

Nothing is made, changed or deleted: what is tried can't be done, and only whether it is allowed is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import orjson

from gateway.base import clock
from gateway.config.model import Config
from gateway.config.store import StoreSettings
from gateway.config.target import Target
from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND, RESOURCES
from gateway.klantinteracties.views import API_VERSION
from gateway.operator.check_report import CheckLine, Level
from gateway.store import chosen
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL
from gateway.target.client import Register, TargetAnswer
from gateway.target.errors import TargetError

SECONDS = 60.0
ASKED_FOR = 5
HERE = ("localhost", "127.0.0.1", "::1")
# A body that is no object is refused by whoever may write, and uuids of chance are nobody's.
DEEDS = (("lezen", "GET"), ("maken", "POST"), ("wijzigen", "PATCH"), ("verwijderen", "DELETE"))
NO_RIGHT = (401, 403, 405)
CAUSES = {
    "unreachable": "is niet te bereiken: klopt [target] url, staat het register aan en laat de firewall ons door?",
    "untrusted": "heeft een certificaat dat niet te vertrouwen is: zie [target] ca_bundle.",
    "timed_out": "antwoordt niet op tijd ([target] read_timeout).",
    "broken_off": "verbreekt de verbinding: zit er een proxy tussen?",
}


class KnownHere(NamedTuple):
    """The register that was sent to before, how many objects it has of ours, a few of them (kind, and uuid there), and
    a few documents of ours (the same)."""

    target: str = ""
    there: int = 0
    sent: tuple[tuple[str, str], ...] = ()
    held: tuple[tuple[str, str], ...] = ()


def check_register(config: Config, on_step: Callable[[str], None] = lambda step: None) -> Iterator[CheckLine]:
    """Ask the register of `[target]`, if there is one; the lines come as they are known."""
    settings = config.target
    if not settings.url:
        return
    if urlsplit(settings.url).scheme == "http" and urlsplit(settings.url).hostname not in HERE:
        text = "[target] url begint met http://: persoonsgegevens gaan onversleuteld over het net."
        yield CheckLine(Level.WARNING, text)
    if settings.url in _own_addresses(config):
        yield CheckLine(Level.PROBLEM, ITSELF)
        return
    known = _known(config.store)
    register = Register(settings)
    try:
        yield from _asked(settings, register, known, on_step)
    except TargetError as error:
        why = CAUSES.get(error.cause, f"antwoordt niet zoals het hoort ({error.cause}).")
        yield CheckLine(Level.PROBLEM, f"Het register {why}")
    finally:
        register.close()


ITSELF = (
    "[target] url is het adres van deze Klantbrug zelf: een export zou alles bij zichzelf zoeken. Vul het adres van "
    "het register in."
)


def _own_addresses(config: Config) -> set[str]:
    gateway = config.gateway
    own = [f"http://{gateway.bind}", gateway.public_url, *gateway.also_known_as]
    return {f"{each.rstrip('/')}{BASE_PATH}" for each in own if each}


def _known(store: StoreSettings) -> KnownHere:
    """What the store knows of it; it is only looked at. What is wrong with it, the lines on the store tell."""
    try:
        if not chosen.is_there(store):
            return KnownHere()
        with chosen.looking(store) as connection:
            count = pairs.count_there(connection)
            places = range(0, count, max(1, count // ASKED_FOR))[:ASKED_FOR]
            sent = pairs.of_own(connection, pairs.there_at(connection, places)).values()
            oldest = [documents.every(connection, resource.kind, BEFORE_ALL, 1) for resource in RESOURCES]
            return KnownHere(
                pairs.state(connection).target,
                count,
                tuple((pair.kind, str(UUID(bytes=pair.theirs or b""))) for pair in sent),
                tuple((one.kind, str(UUID(bytes=one.uuid))) for found in oldest for one in found),
            )
    except (StoreError, StoreFailed):
        return KnownHere()


def _asked(
    settings: Target, register: Register, known: KnownHere, on_step: Callable[[str], None]
) -> Iterator[CheckLine]:
    on_step("of het register antwoordt")
    first = RESOURCES[0].path
    answer = _call(register, "GET", f"{first}?pageSize=1")
    if answer.status in (401, 403):
        text = "Het register neemt het token niet aan: vraag er een dat mag lezen en schrijven ([target] token_file)."
        yield CheckLine(Level.PROBLEM, text)
        return
    if answer.status != 200 or not _is_list(answer):
        text = (
            f"Op [target] url antwoordt geen Klantinteracties API (status {answer.status}): het adres eindigt meestal "
            f"op {BASE_PATH}."
        )
        yield CheckLine(Level.PROBLEM, text)
        return
    yield _version(answer)
    if "Klantbrug-Coverage" in answer.headers:
        # Under our own uuids only this installation has them, or a copy of it.
        if any(_is_there(register, *one) for one in known.held[:ASKED_FOR]):
            yield CheckLine(Level.PROBLEM, ITSELF)
            return
        text = "Dit register is zelf een Klantbrug: goed om te oefenen, niet om naar te verhuizen."
        yield CheckLine(Level.WARNING, text)
    on_step("wat het token daar mag")
    yield from _rights(register)
    if known.target:
        on_step("of het hetzelfde register is als eerder")
        yield _same_as_before(settings, register, known)


def _call(register: Register, method: str, path: str, body: bytes | None = None) -> TargetAnswer:
    path, _, query = path.partition("?")
    return register.hand_on(method, path, query, body, {"Content-Type": "application/json"} if body else {})


def _is_list(answer: TargetAnswer) -> bool:
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and "results" in found


def _version(answer: TargetAnswer) -> CheckLine:
    name, known = API_VERSION
    said = str(answer.headers.get(name, ""))[:20]
    if not said:
        return CheckLine(
            Level.OK, "Het register antwoordt; welke versie van de API het heeft, zegt het niet."
        )
    if said.split(".")[:2] != known.split(".")[:2]:
        text = (
            f"Het register heeft versie {said} van de Klantinteracties API; Klantbrug kent {known}. Oefen eerst, en "
            "kijk na met klantbrug export verify --full."
        )
        return CheckLine(Level.WARNING, text)
    return CheckLine(Level.OK, f"Het register antwoordt; Klantinteracties API {said}.")


def _is_there(register: Register, kind: str, uuid: str) -> bool:
    return _call(register, "GET", f"{BY_KIND[kind].path}/{uuid}").status == 200


def _rights(register: Register) -> Iterator[CheckLine]:
    """Try each deed on each resource with what can't be done."""
    deadline, missing = clock.monotonic() + SECONDS, defaultdict[str, list[str]](list)
    for resource in RESOURCES:
        for deed, method in DEEDS:
            if clock.monotonic() > deadline:
                yield CheckLine(Level.WARNING, "Het register is traag: niet alle rechten zijn nagekeken.")
                return
            path = f"{resource.path}?pageSize=1" if method == "GET" else resource.path
            if method in ("PATCH", "DELETE"):
                path = f"{resource.path}/{uuid4()}"
            answer = _call(register, method, path, b"[]" if method in ("POST", "PATCH") else None)
            if answer.status in NO_RIGHT:
                missing[deed].append(resource.path)
    for deed, paths in missing.items():
        what = "niets" if len(paths) == len(RESOURCES) else f"geen {', '.join(paths)}"
        text = f"Het token mag in het register {what} {deed}: vraag de beheerder ervan om dat recht."
        yield CheckLine(Level.PROBLEM, text)
    if not missing:
        yield CheckLine(Level.OK, "Het token mag in het register lezen, maken, wijzigen en verwijderen.")


def _same_as_before(settings: Target, register: Register, known: KnownHere) -> CheckLine:
    if known.target != settings.url:
        return CheckLine(
            Level.PROBLEM,
            f"Er is al verstuurd naar een ander adres: {known.target}. Is het register verhuisd, dan: klantbrug export "
            f"moved --from {known.target} --to {settings.url}; is het een ander, dan: klantbrug export forget.",
        )
    if known.sent and not any(_is_there(register, *one) for one in known.sent):
        return CheckLine(
            Level.PROBLEM,
            "Het register kent niets van wat eerder is verstuurd: is het leeggemaakt, of een ander? Begin dan opnieuw "
            "met klantbrug export forget.",
        )
    return CheckLine(Level.OK, f"Van de objecten hier staan er {known.there} in dit register.")
