"""What `klantbrug check` finds out: does each source answer, do the credentials work, what can they see.

Lines are plain Dutch for the operator, without personal data; how they look is the command's affair.
"""

from collections.abc import Callable, Collection, Iterator
from urllib.parse import urlsplit

from gateway.base import clock
from gateway.config.load import EARLIER_APIS
from gateway.config.model import Config, Source
from gateway.fetch.coverage import CUTOVER
from gateway.legacy import errors
from gateway.legacy.client.addresses import uuid_of
from gateway.legacy.client.answers import ListCount
from gateway.legacy.client.api_versions import NEWEST
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.client.transport import Retries
from gateway.legacy.client.zaaktypen import Zaaktype, without_zaken
from gateway.operator.check_earlier_standards import check_earlier
from gateway.operator.check_report import CheckLine, Level, SourceReport, explain
from gateway.operator.check_write_back import check_write_back
from gateway.operator.exposure import exposed_because, open_files
from gateway.store.base.errors import StoreError
from gateway.store.inspect.rebuilding import to_rebuild
from gateway.store.operation import events
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN
from mappings.standards import KINDS, of_every_source
from mappings.translate import fingerprint

# The whole check of a source, and how many zaaktypen are counted one by one: it must stay gentle.
SECONDS = 90.0
MOST_ZAAKTYPEN = 40
# A token is valid for an hour; a minute more or less is no trouble, five may be a wrong clock.
_SKEW_WARNING = 60.0
_SHORT_SECRET = 32

__all__ = [
    "MOST_ZAAKTYPEN",
    "CheckLine",
    "Level",
    "SourceReport",
    "check_config",
    "check_source",
    "check_sources",
]


def check_sources(
    config: Config,
    names: Collection[str] = (),
    *,
    on_source: Callable[[str], None] = lambda name: None,
    on_line: Callable[[CheckLine], None] = lambda line: None,
    on_step: Callable[[str], None] = lambda step: None,
) -> list[CheckLine]:
    """Ask each source (of `names`, when given) that may be asked: one in phase cutover is left alone, as everywhere.

    Out: all lines; each was passed to `on_line` as it came, and each step to `on_step`, after `on_source`.
    """

    def said(level: Level, text: str) -> list[CheckLine]:
        line = CheckLine(level, text)
        on_line(line)
        return [line]

    try:
        phases = events.phases_in(config.store)
    except StoreError as error:
        text = f"{error} Of een bron in fase cutover staat, is dus niet bekend: er is geen bron bevraagd."
        return said(Level.PROBLEM, text) if config.sources else []
    lines = []
    for source in config.sources:
        if names and source.name not in names:
            continue
        on_source(source.name)
        if phases.get(source.name) == CUTOVER:
            text = (
                f"Bron {source.name} staat in fase cutover: zij wordt niet meer bevraagd, ook niet door deze controle. "
                f"Terug kan met klantbrug phase live --source {source.name}."
            )
            lines += said(Level.OK, text)
        else:
            report = SourceReport(source.name, on_line=on_line, on_step=on_step)
            lines += check_source(source, report=report).lines
    return lines


def check_source(
    source: Source, *, seconds: float = SECONDS, report: SourceReport | None = None
) -> SourceReport:
    """Ask one source, within so many seconds, and report what works. It raises nothing of `errors`."""
    report = SourceReport(source.name) if report is None else report
    deadline = clock.monotonic() + seconds
    _before_asking(source, report)
    client = ZakenClient(source, retries=Retries(attempts=3))
    try:
        _ask_all(client, source, report, deadline)
        check_earlier(client, source, report, deadline)
        check_write_back(client, source, report, deadline)
    finally:
        client.close()
    return report


def _before_asking(source: Source, report: SourceReport) -> None:
    for key in ("zaken_url", "catalogi_url", *(f"{api}_url" for api in EARLIER_APIS)):
        parts = urlsplit(getattr(source, key))
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            report.add_line(
                Level.WARNING, f"{key} begint met http://: persoonsgegevens gaan onversleuteld over het net."
            )
    if len(source.secret) < _SHORT_SECRET:
        report.add_line(
            Level.WARNING,
            f"Het geheim heeft minder dan {_SHORT_SECRET} tekens: laat de bron een langer uitgeven.",
        )


def _ask_all(client: ZakenClient, source: Source, report: SourceReport, deadline: float) -> None:
    report.on_step("welke versie van de Zaken API zij heeft")
    try:
        version = client.version(deadline=deadline)
    except errors.LegacyError as exc:
        explain(exc, source, "rollen", report)
        _clock(client, report)
        return
    report.answers = True
    report.version, report.open_zaak = version.text, version.open_zaak
    origin = "vast gezet in de config" if source.api_version else "volgens de bron zelf"
    report.add_line(Level.OK, f"De bron antwoordt; Zaken API {version.text} ({origin}).")
    if version.newer:
        known = ".".join(map(str, NEWEST))
        report.add_line(
            Level.WARNING,
            f"Deze versie is nieuwer dan Klantbrug kent: zij wordt bevraagd als {known}. Klopt de versie niet, vul "
            "dan api_version in.",
        )
    if version.open_zaak:
        report.add_line(Level.OK, "De bron kent de filters van Open Zaak: zoeken op KVK-nummer kan meteen.")
    elif version.finds_kvk:
        report.add_line(
            Level.OK,
            "Deze versie heeft een KVK-nummer alleen in innNnpId: zoeken op KVK-nummer kan meteen.",
        )
    else:
        report.add_line(
            Level.WARNING,
            "De bron kent de filters van Open Zaak niet: op KVK-nummer zoeken kan pas na de backfill.",
        )
    _clock(client, report)
    shown = _counts(client, source, report, deadline)
    report.on_step("hoeveel zaken er zijn per vertrouwelijkheidaanduiding")
    try:
        _addresses(client, source, shown, report, deadline)
        _per_vertrouwelijkheid(client, report, deadline)
    except errors.LegacyError as exc:
        explain(exc, source, "zaken", report)
    if not source.catalogi_url:
        report.add_line(Level.OK, "catalogi_url is leeg: er is niet per zaaktype geteld.")
        return
    report.on_step("hoeveel zaken er zijn per zaaktype")
    try:
        _per_zaaktype(client, report, deadline)
    except errors.LegacyError as exc:
        explain(exc, source, "zaaktypen", report, Level.WARNING)


def _clock(client: ZakenClient, report: SourceReport) -> None:
    skew = report.clock_skew = client.clock_skew
    if skew is not None and abs(skew) > _SKEW_WARNING:
        side = "voor" if skew > 0 else "achter"
        report.add_line(
            Level.WARNING,
            f"De klok van de bron loopt {abs(skew):.0f} seconden {side}: tokens kunnen verlopen lijken.",
        )


def _counts(
    client: ZakenClient, source: Source, report: SourceReport, deadline: float
) -> dict[str, list[dict[str, object]]]:
    """Count what is visible of each kind. Out: the objects that came along, by kind."""
    shown: dict[str, list[dict[str, object]]] = {}
    guessed = False
    for kind in of_every_source():
        report.on_step(f"hoeveel {KINDS[kind].path} er te zien zijn")
        try:
            shown[kind], count = client.first(kind, deadline=deadline)
        except errors.LegacyError as exc:
            explain(exc, source, KINDS[kind].path, report)
            continue
        report.counts[kind] = count.number
        guessed |= not count.exact
        report.add_line(Level.OK if shown[kind] else Level.WARNING, _seen(kind, shown[kind], count))
    if guessed:
        report.add_line(
            Level.WARNING,
            "De bron telt niet precies (fuzzy pagination): aantallen en voortgang zijn schattingen.",
        )
    return shown


def _seen(kind: str, objects: list[dict[str, object]], count: ListCount) -> str:
    if not objects:
        return f"Er zijn geen {KINDS[kind].path} te zien: er zijn er geen, of de rechten reiken er niet toe."
    if count.number is None:
        return f"Er zijn {KINDS[kind].path} te zien; de bron zegt niet hoeveel."
    return f"Te zien: {'minstens ' if not count.exact else ''}{count.number} {KINDS[kind].path}."


def _addresses(
    client: ZakenClient,
    source: Source,
    shown: dict[str, list[dict[str, object]]],
    report: SourceReport,
    deadline: float,
) -> None:
    """Compare the URLs that the source writes with ours: `?zaak=` with another host finds nothing."""
    rol = next(iter(shown.get("rol", ())), None)
    if rol is None:
        return
    base = str(rol.get("url", "")).rpartition("rollen/")[0]
    if base == source.zaken_url:
        return
    zaak = uuid_of(str(rol.get("zaak", "")))
    if zaak and client.first("rol", {"zaak": zaak}, deadline=deadline)[0]:
        report.add_line(
            Level.OK, "De bron schrijft een ander adres in zijn URLs dan zaken_url, maar vindt ook het onze."
        )
        return
    parts = urlsplit(base)
    report.add_line(
        Level.PROBLEM,
        f"De bron schrijft {parts.scheme}://{parts.netloc}{parts.path} in zijn URLs en vindt niets op "
        "zaken_url: zet dat adres in zaken_url, of laat de proxy Host en X-Forwarded-Proto doorgeven.",
    )


def _per_vertrouwelijkheid(client: ZakenClient, report: SourceReport, deadline: float) -> None:
    """Count the zaken of each vertrouwelijkheidaanduiding from the counts up to it."""
    parameter = "maximaleVertrouwelijkheidaanduiding"
    if not report.counts.get("zaak") or not client.can("zaak", parameter, deadline=deadline):
        return
    below = 0
    for aanduiding in VERTROUWELIJKHEIDAANDUIDINGEN:
        _, count = client.first("zaak", {parameter: aanduiding}, deadline=deadline)
        if count.number is None or not count.exact:
            return
        report.per_vertrouwelijkheid[aanduiding] = max(0, count.number - below)
        below = count.number
    seen = [f"{name} {number}" for name, number in report.per_vertrouwelijkheid.items() if number]
    report.add_line(Level.OK, f"Zaken per vertrouwelijkheidaanduiding: {', '.join(seen) or 'geen'}.")
    closed = [name for name, number in report.per_vertrouwelijkheid.items() if not number]
    if closed:
        report.add_line(
            Level.WARNING,
            f"Niets te zien van: {', '.join(closed)}. Zulke zaken zijn er niet, of de rechten "
            "houden daar op; de bron geeft dan kortere lijsten en geen fout.",
        )


def _per_zaaktype(client: ZakenClient, report: SourceReport, deadline: float) -> None:
    known = [found for raw in _zaaktypen(client, deadline) if (found := Zaaktype.read(raw)) is not None]
    for zaaktype in known[:MOST_ZAAKTYPEN]:
        _, count = client.first("zaak", {"zaaktype": zaaktype.uuid}, deadline=deadline)
        report.per_zaaktype[zaaktype.uuid] = count.number or 0
    if len(known) > MOST_ZAAKTYPEN:
        text = f"Van de {len(known)} versies van zaaktypen zijn alleen de eerste {MOST_ZAAKTYPEN} geteld."
        report.add_line(Level.OK, text)
    counted, beyond = known[:MOST_ZAAKTYPEN], {each.of for each in known[MOST_ZAAKTYPEN:]}
    seen = [
        f"{each.text} {report.per_zaaktype[each.uuid]}" for each in counted if report.per_zaaktype[each.uuid]
    ]
    if seen:
        report.add_line(Level.OK, f"Zaken per zaaktype: {', '.join(seen)}.")
    with_zaken = {uuid for uuid, number in report.per_zaaktype.items() if number}
    if empty := without_zaken((each for each in counted if each.of not in beyond), with_zaken):
        report.add_line(
            Level.WARNING,
            f"Geen zaken te zien van zaaktype: {', '.join(empty)}. Ze zijn er niet, of de rechten missen.",
        )


def _zaaktypen(client: ZakenClient, deadline: float) -> Iterator[dict[str, object]]:
    for page in client.pages("zaaktype", deadline=deadline):
        yield from page.objects


def check_config(config: Config) -> list[CheckLine]:
    """What can be said without asking anybody: files, secret, and choices that deserve a second look."""
    lines = []
    where = (
        f"Config gelezen uit {config.path}."
        if config.path
        else "Geen config-bestand: alleen standaardwaarden."
    )
    lines.append(CheckLine(Level.OK, where))
    for found in open_files(config):
        lines.append(CheckLine(Level.PROBLEM if found.personal else Level.WARNING, found.text))
    if config.sources:
        names = ", ".join(source.name for source in config.sources)
        lines.append(CheckLine(Level.OK, f"Bronnen: {names}."))
        limit = config.mapping.max_vertrouwelijkheidaanduiding
        lines.append(
            CheckLine(Level.OK, f"Zaken boven {limit} worden weggelaten, met hun rollen en klantcontacten.")
        )
    elif config.gateway.register:
        lines.append(CheckLine(Level.OK, "Geen bron: Klantbrug is een leeg Klantinteracties-register."))
    else:
        text = (
            "Er is geen [[source]]: klantbrug serve start zo niet. Wilt u een leeg register zonder bron, zet dan "
            "[gateway] register = true (of start met --register)."
        )
        lines.append(CheckLine(Level.PROBLEM, text))
    lines += _store_lines(config)
    if config.live.partial == "answer":
        lines.append(
            CheckLine(
                Level.WARNING,
                'live.partial = "answer": tot de backfill klaar is, kan een zoekvraag te weinig vinden '
                "zonder fout. Clients letten daar niet op en maken dubbele partijen.",
            )
        )
    if why := exposed_because(config):
        text = f"{why}. klantbrug serve start zo alleen met --insecure."
        lines.append(CheckLine(Level.PROBLEM, text))
    return lines


def _store_lines(config: Config) -> Iterator[CheckLine]:
    path = config.store.path
    if config.store.url:
        pass  # what there is to say of a database, the lines on the store tell
    elif not path.exists():
        yield CheckLine(Level.OK, f"De store {path} is er nog niet en wordt bij de eerste start gemaakt.")
    elif not any(found.personal for found in open_files(config)):
        yield CheckLine(Level.OK, f"De store is {path}; alleen de eigenaar kan erbij.")
    for name in to_rebuild(config.store, fingerprint(config.mapping)):
        text = (
            f"De gegevens van bron {name} zijn met een andere [mapping] of versie vertaald: klantbrug rebuild "
            "(met --dry-run om eerst te zien wat er verandert)."
        )
        yield CheckLine(Level.WARNING, text)
    place = "store.uuid_secret"
    if config.store.origin == "file":
        place = "het bestand van store.uuid_secret_file"
    elif config.store.origin == "generated":
        place = f"{path}.secret"
    yield CheckLine(
        Level.OK,
        f"Het uuid-geheim hoort bij de gegevens: neem {place} op in de back-up, apart van de store. "
        "Met een ander geheim start Klantbrug niet.",
    )
