"""Which keys config.toml knows, with their defaults and limits."""

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import ValidationError, validate

from gateway.base.cron import cron_trigger
from gateway.base.time_windows import Window
from gateway.config.defaults import BUSY_SECONDS, LEAST_LOG_MB, LOG_MB, MOST_CONNECTIONS
from gateway.config.fields import Flag, Number, Section, Table, Tables, Text, Texts, Whole, shown
from mappings.model.settings import (
    DEFAULT_ZAAK_CODES,
    OMSCHRIJVINGEN_GENERIEK,
    VERTROUWELIJKHEIDAANDUIDINGEN,
    ZaakCodes,
)

SECRET_LENGTH = 32
LONGEST_CODE = 200
# Those of jobs.table, which stands above us.
JOB_NAMES = ("outbox", "purge", "ends", "backfill", "sync", "inbox", "sweep", "verify", "backup")


def _whole(default: int | None, fix: str, least: int = 1) -> Whole:
    """A whole number with its default, what to write instead of one that is none, and the least that it may be."""
    return Whole(load_default=default, validate=_at_least(least), metadata=_meta(fix))


def _one_of(*choices: str) -> validate.OneOf:
    return validate.OneOf(choices, error=f"moet een van deze zijn: {', '.join(c or 'leeg' for c in choices)}")


def _at_least(lowest: float) -> validate.Range:
    return validate.Range(min=lowest, error=f"is kleiner dan {lowest:g}")


def _matches(pattern: str, problem: str) -> validate.Regexp:
    return validate.Regexp(re.compile(rf"(?:{pattern})\Z"), error=problem)


def _web_address(value: str) -> None:
    """Accept http(s) addresses of a host, without a name, password, query or fragment in them."""
    if not value:
        return
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValidationError("is geen webadres") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValidationError("is geen webadres dat met http:// of https:// begint")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValidationError("bevat meer dan een adres (naam, wachtwoord, vraagteken of #)")


def _origin(value: str) -> None:
    """Accept what a browser sends as Origin: scheme, host and perhaps a port, and nothing after them."""
    _web_address(value)
    if not value or urlsplit(value).path or "*" in value:
        raise ValidationError("is geen herkomst als https://kcc.example.nl, zonder iets erachter")


def _bind(value: str) -> None:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValidationError("is niet adres:poort")
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        raise ValidationError("is geen IP-adres:poort, want een naam kan meer adressen zijn") from None


def _network(value: str) -> None:
    """Accept an IP address or a network of them."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        raise ValidationError("is geen IP-adres en geen netwerk") from None


def _schedule(value: str) -> None:
    if not value:
        return
    try:
        cron_trigger(value)
    except ValueError:
        raise ValidationError("is geen cron-regel van vijf velden die ooit komt") from None


def _window(value: str) -> None:
    try:
        Window(value)
    except ValueError:
        raise ValidationError("is geen tijdvak als 22:00-06:00 of ma-vr 22:00-06:00, za-zo") from None


def _kanalen(value: Mapping[str, Any]) -> None:
    """Each channel is a name, or a table with `kanaal` and, if wanted, `initiator`."""
    for naam, naar in value.items():
        if isinstance(naar, str):
            naar = {"kanaal": naar}
        if not isinstance(naar, dict) or set(naar) - {"kanaal", "initiator"} or "kanaal" not in naar:
            raise ValidationError(f"kanaal {shown(naam)} is geen tekst en geen {{kanaal, initiator}}")
        kanaal, initiator = naar["kanaal"], naar.get("initiator", True)
        if not isinstance(kanaal, str) or not 1 <= len(kanaal.strip()) <= 50 or type(initiator) is not bool:
            raise ValidationError(
                f"kanaal {shown(naam)}: een naam van 1 tot 50 tekens, initiator true of false"
            )


def _zaak_codes(value: Mapping[str, Any]) -> None:
    """A table with `objecttype` and `register` and, if wanted, `soort_object_id`."""
    if set(value) - {*ZaakCodes._fields} or not {"objecttype", "register"} <= set(value):
        raise ValidationError("is geen {objecttype, register} of {objecttype, register, soort_object_id}")
    for name, code in value.items():
        if not isinstance(code, str) or not 1 <= len(code) <= LONGEST_CODE:
            raise ValidationError(f"heeft als {name} geen tekst van 1 tot {LONGEST_CODE} tekens")


_CODE = validate.Length(min=1, max=LONGEST_CODE, error=f"moet 1 tot {LONGEST_CODE} tekens hebben")
_ROLLEN = Text(validate=_one_of(*OMSCHRIJVINGEN_GENERIEK))
_TAAL = "drie kleine letters, bijvoorbeeld nld"


def _meta(fix: str, **more: Any) -> dict[str, Any]:
    return {"fix": fix, **more}


class GatewaySection(Section):
    """`[gateway]`: how the service listens."""

    bind = Text(
        load_default="127.0.0.1:8000", validate=_bind, metadata=_meta('schrijf bind = "127.0.0.1:8000"')
    )
    public_url = Text(
        load_default="",
        validate=_web_address,
        metadata=_meta(
            'schrijf het adres dat clients gebruiken, bijvoorbeeld "https://klantbrug.example.nl"'
        ),
    )
    also_known_as = Texts(
        Text(validate=[validate.Length(min=1, error="is leeg"), _web_address]),
        load_default=list,
        metadata=_meta('laat leeg of schrijf een lijst: ["http://klantbrug.intern:8000"]'),
    )
    trusted_proxies = Texts(
        Text(validate=_network),
        load_default=list,
        metadata=_meta(
            'laat leeg of schrijf een lijst van adressen of netwerken: ["10.0.0.7", "10.1.0.0/16"]'
        ),
    )
    workers = _whole(2, "schrijf bijvoorbeeld workers = 2")
    threads = _whole(4, "schrijf bijvoorbeeld threads = 4")
    question_seconds = _whole(
        5, "schrijf een aantal hele seconden vanaf 1, bijvoorbeeld question_seconds = 5"
    )
    max_body = _whole(
        1024 * 1024, "schrijf een aantal bytes vanaf 1024, bijvoorbeeld max_body = 1048576", least=1024
    )
    token_requests_per_second = Number(
        load_default=1000,
        validate=_at_least(0),
        metadata=_meta("schrijf een getal, 0 voor geen grens: token_requests_per_second = 1000"),
    )
    max_connections = _whole(
        4000, "schrijf een aantal vanaf 100, bijvoorbeeld max_connections = 4000", least=100
    )
    client_seconds = _whole(20, "schrijf een aantal seconden, bijvoorbeeld client_seconds = 20")
    nummers = Text(
        load_default="leeg",
        validate=_one_of("leeg", "uitdelen"),
        metadata=_meta('schrijf nummers = "leeg" of nummers = "uitdelen"'),
    )
    cors_origins = Texts(
        Text(validate=_origin),
        load_default=list,
        metadata=_meta('laat leeg of schrijf een lijst: ["https://kcc.example.nl"]'),
    )
    register = Flag(load_default=False, metadata=_meta("schrijf register = true of laat het weg"))


class StoreSection(Section):
    """`[store]`: where the data lies."""

    path = Text(
        load_default="klantbrug.db",
        validate=validate.Length(min=1, error="is leeg"),
        metadata=_meta('schrijf bijvoorbeeld path = "klantbrug.db"', path=True),
    )
    uuid_secret = Text(
        load_default="", metadata=_meta('schrijf het geheim als tekst: uuid_secret = "..."', secret=True)
    )
    uuid_secret_file = Text(
        load_default="",
        metadata=_meta("noem een bestand met het geheim erin", path=True, instead="uuid_secret"),
    )
    busy_seconds = _whole(BUSY_SECONDS, "schrijf bijvoorbeeld busy_seconds = 5")
    log_mb = _whole(
        LOG_MB,
        f"schrijf een aantal megabytes vanaf {LEAST_LOG_MB}, bijvoorbeeld log_mb = {LOG_MB}",
        least=LEAST_LOG_MB,
    )


def _own_client_id(api: str) -> Text:
    """The client-ID of an earlier standard's API, where it is not that of the source."""
    fix = f"laat leeg voor client_id van de bron, of schrijf die van de {api}"
    return Text(load_default="", metadata=_meta(fix))


def _own_secret(key: str) -> tuple[Text, Text]:
    """The secret that goes with it, and the file that it may stand in."""
    secret = Text(load_default="", metadata=_meta("schrijf het geheim als tekst", secret=True))
    fix = "noem een bestand met het geheim erin"
    return secret, Text(load_default="", metadata=_meta(fix, path=True, instead=key))


class SourceSection(Section):
    """One `[[source]]`: a Zaken API and how gently to ask it."""

    name = Text(
        required=True,
        validate=_matches(
            "[a-z0-9]([a-z0-9-]*[a-z0-9])?", "mag alleen a-z, 0-9 en streepjes daartussen hebben"
        ),
        metadata=_meta('schrijf bijvoorbeeld name = "openzaak"'),
    )
    zaken_url = Text(
        required=True,
        validate=[validate.Length(min=1, error="is leeg"), _web_address],
        metadata=_meta('schrijf het adres van de API, bijvoorbeeld "https://zaak.example.nl/zaken/api/v1/"'),
    )
    catalogi_url = Text(
        load_default="",
        validate=_web_address,
        metadata=_meta('laat leeg of schrijf bijvoorbeeld "https://zaak.example.nl/catalogi/api/v1/"'),
    )
    klanten_url = Text(
        load_default="",
        validate=_web_address,
        metadata=_meta('laat leeg of schrijf bijvoorbeeld "https://klanten.example.nl/klanten/api/v1/"'),
    )
    klanten_client_id = _own_client_id("Klanten API")
    klanten_secret, klanten_secret_file = _own_secret("klanten_secret")
    contactmomenten_url = Text(
        load_default="",
        validate=_web_address,
        metadata=_meta(
            'laat leeg of schrijf bijvoorbeeld "https://contacten.example.nl/contactmomenten/api/v1/"'
        ),
    )
    contactmomenten_client_id = _own_client_id("Contactmomenten API")
    contactmomenten_secret, contactmomenten_secret_file = _own_secret("contactmomenten_secret")
    api_version = Text(
        load_default="",
        validate=_matches(r"|\d{1,3}\.\d{1,3}(\.\d{1,3})?", "is geen versie als 1.5.1"),
        metadata=_meta('laat leeg om de versie te laten vinden, of schrijf bijvoorbeeld "1.5.1"'),
    )
    client_id = Text(
        required=True,
        validate=validate.Length(min=1, error="is leeg"),
        metadata=_meta("schrijf de client-ID die de beheerder van de bron heeft uitgegeven"),
    )
    secret = Text(load_default="", metadata=_meta("schrijf het geheim als tekst", secret=True))
    secret_file = Text(
        load_default="", metadata=_meta("noem een bestand met het geheim erin", path=True, instead="secret")
    )
    user_id = Text(load_default="", metadata=_meta('laat leeg of schrijf bijvoorbeeld user_id = "klantbrug"'))
    user_representation = Text(
        load_default="", metadata=_meta('laat leeg of schrijf bijvoorbeeld user_representation = "Klantbrug"')
    )
    jwt_exp = Flag(load_default=False, metadata=_meta("schrijf jwt_exp = true of jwt_exp = false"))
    ca_bundle = Text(load_default="", metadata=_meta("noem een PEM-bestand dat er is", path=True))
    client_cert = Text(load_default="", metadata=_meta("noem een PEM-bestand dat er is", path=True))
    client_key = Text(load_default="", metadata=_meta("noem een PEM-bestand dat er is", path=True))
    max_connections = Whole(
        load_default=2,
        validate=validate.Range(1, MOST_CONNECTIONS, error=f"is niet 1 tot en met {MOST_CONNECTIONS}"),
        metadata=_meta("schrijf bijvoorbeeld max_connections = 2"),
    )
    requests_per_second = Number(
        load_default=0, validate=_at_least(0), metadata=_meta("schrijf een getal, 0 voor geen grens")
    )
    objects_per_second = Number(
        load_default=0, validate=_at_least(0), metadata=_meta("schrijf een getal, 0 voor geen grens")
    )
    connect_timeout = _whole(5, "schrijf hele seconden, bijvoorbeeld connect_timeout = 5")
    read_timeout = _whole(60, "schrijf hele seconden, bijvoorbeeld read_timeout = 60")
    call_timeout = _whole(120, "schrijf hele seconden, bijvoorbeeld call_timeout = 120")
    longest_rest = Whole(
        load_default=3600,
        validate=validate.Range(1, 3600, error="is niet 1 tot en met 3600"),
        metadata=_meta("schrijf hele seconden, bijvoorbeeld longest_rest = 3600"),
    )
    max_answer = _whole(
        32 * 1024 * 1024,
        "schrijf een aantal bytes vanaf 1048576, bijvoorbeeld max_answer = 33554432",
        least=1024 * 1024,
    )
    window = Text(
        load_default="",
        validate=_window,
        metadata=_meta(
            'laat leeg voor altijd, of schrijf bijvoorbeeld window = "22:00-06:00" of "ma-vr 22:00-06:00, za-zo"'
        ),
    )
    sweep_days = _whole(7, "schrijf hele dagen, bijvoorbeeld sweep_days = 7")
    zaakcontactmomenten = Text(
        load_default="auto",
        validate=_one_of("auto", "per_zaak", "geen"),
        metadata=_meta('schrijf "auto", "per_zaak" of "geen"'),
    )


class LiveSection(Section):
    """`[live]`: how far a request goes to get fresh data."""

    max_age = _whole(300, "schrijf hele seconden, bijvoorbeeld max_age = 300", least=0)
    deadline = _whole(4, "schrijf hele seconden, bijvoorbeeld deadline = 4")

    class Meta(Section.Meta):
        # Not as attributes: a schema has one of its own that is called partial.
        include: ClassVar = {
            name: Text(
                load_default="refuse",
                validate=_one_of("refuse", "answer"),
                metadata=_meta('schrijf "refuse" of "answer"'),
            )
            for name in ("partial", "partial_lists")
        }


def _code(default: str, rule: str) -> Text:
    return Text(
        load_default=default, validate=_CODE, metadata=_meta(f'schrijf bijvoorbeeld "{default}" ({rule})')
    )


class MappingSection(Section):
    """`[mapping]`: the choices that the translation rules leave to the municipality."""

    max_vertrouwelijkheidaanduiding = Text(
        load_default="",
        validate=_one_of("", *VERTROUWELIJKHEIDAANDUIDINGEN),
        metadata=_meta(
            'schrijf de hoogste aanduiding die getoond mag worden, bijvoorbeeld "zaakvertrouwelijk" (M34)'
        ),
    )
    partij_rollen = Texts(
        _ROLLEN, load_default=list, metadata=_meta('schrijf een lijst, leeg voor alle (M10): ["initiator"]')
    )
    loze_identificaties = Texts(
        Text(validate=validate.Length(min=1, error="heeft een lege tekst")),
        load_default=lambda: ["0", "-", "onbekend", "nvt", "n.v.t."],
        metadata=_meta('schrijf een lijst van teksten (M5): ["0", "onbekend"]'),
    )
    adressen = Text(
        load_default="alle",
        validate=_one_of("alle", "organisaties", "geen"),
        metadata=_meta('schrijf bijvoorbeeld adressen = "alle" (M14)'),
    )
    voorkeurstaal = Text(
        load_default="",
        validate=_matches("|[a-z]{3}", f"is niet leeg en niet {_TAAL}"),
        metadata=_meta("laat leeg (M11)"),
    )
    voorkeursadres = Flag(
        load_default=True,
        metadata=_meta("schrijf voorkeursadres = true of voorkeursadres = false (M11)"),
    )
    taal = Text(
        load_default="nld",
        validate=_matches("[a-z]{3}", f"is niet {_TAAL}"),
        metadata=_meta('schrijf taal = "nld" (M28)'),
    )
    kanalen = Table(
        load_default=dict,
        validate=_kanalen,
        metadata=_meta(
            'schrijf naam = "nieuwe naam" of naam = {kanaal = "nieuwe naam", initiator = false} (M28)'
        ),
    )
    zaak_codes = Tables(
        Table(validate=_zaak_codes),
        load_default=lambda: [codes._asdict() for codes in DEFAULT_ZAAK_CODES],
        validate=validate.Length(min=1, error="is leeg"),
        metadata=_meta(
            'schrijf een lijst, de eerste wordt getoond (M29): [{objecttype = "zaak", register = "zrc"}]'
        ),
    )
    actor_objecttype_medewerker = _code("mdw", "M27")
    actor_objecttype_eenheid = _code("afd", "M27")
    actor_objecttype_groep = _code("grp", "M40")
    actor_register = _code("obj", "M27")
    actor_soort_object_id = _code("idf", "M27")
    klantcontact_betrokkenen = Texts(
        _ROLLEN, load_default=lambda: ["initiator"], metadata=_meta('schrijf een lijst (M30): ["initiator"]')
    )
    contactpersoon_adressen = Text(
        load_default="beide",
        validate=_one_of("beide", "contactpersoon", "organisatie"),
        metadata=_meta('schrijf bijvoorbeeld contactpersoon_adressen = "beide" (M22)'),
    )
    overige_adressen = Text(
        load_default="tonen",
        validate=_one_of("tonen", "weglaten"),
        metadata=_meta('schrijf bijvoorbeeld overige_adressen = "tonen" (M21)'),
    )
    verdwenen_partij = Text(
        load_default="inactief",
        validate=_one_of("inactief", "verwijderen"),
        metadata=_meta('schrijf bijvoorbeeld verdwenen_partij = "inactief" (M20)'),
    )
    contactverzoek_typen = Texts(
        Text(), load_default=list, metadata=_meta('schrijf een lijst (M40): ["Contactverzoek"]')
    )
    afgehandeld = Texts(
        Text(),
        load_default=lambda: ["afgehandeld"],
        metadata=_meta('schrijf een lijst (M40): ["afgehandeld"]'),
    )
    wachttijd_dagen = _whole(
        30, "schrijf een aantal dagen van minstens 1, bijvoorbeeld wachttijd_dagen = 30 (M2)"
    )


class JobSection(Section):
    """One `[jobs.<name>]`: whether and when a job runs by itself."""

    enabled = Flag(load_default=True, metadata=_meta("schrijf enabled = true of enabled = false"))
    schedule = Text(
        load_default="",
        validate=_schedule,
        metadata=_meta('schrijf minuut, uur, dag, maand, weekdag, bijvoorbeeld schedule = "0 2 * * *"'),
    )
    most_seconds = _whole(
        None, "schrijf hele seconden, bijvoorbeeld most_seconds = 7200, of 0 voor geen grens", least=0
    )


class BackupSection(JobSection):
    """`[jobs.backup]`: when a back-up of the store is made, where, and how many are kept."""

    directory = Text(
        load_default="",
        metadata=_meta('noem een map die er is, bijvoorbeeld directory = "/srv/klantbrug-backup"', path=True),
    )
    keep = _whole(7, "schrijf een heel getal, bijvoorbeeld keep = 7")


class NotificationsSection(Section):
    """`[notifications]`: the Notificaties API, that is told of what clients write and tells of what sources change."""

    url = Text(
        load_default="",
        validate=_web_address,
        metadata=_meta(
            'laat leeg of schrijf het adres van de API, bijvoorbeeld "https://notificaties.example.nl/api/v1/"'
        ),
    )
    client_id = Text(
        load_default="",
        metadata=_meta("schrijf de client-ID die de beheerder van de Notificaties API heeft uitgegeven"),
    )
    secret = Text(load_default="", metadata=_meta("schrijf het geheim als tekst", secret=True))
    secret_file = Text(
        load_default="", metadata=_meta("noem een bestand met het geheim erin", path=True, instead="secret")
    )
    ca_bundle = Text(load_default="", metadata=_meta("noem een PEM-bestand dat er is", path=True))
    connect_timeout = _whole(5, "schrijf hele seconden, bijvoorbeeld connect_timeout = 5")
    read_timeout = _whole(30, "schrijf hele seconden, bijvoorbeeld read_timeout = 30")
    callback_token = Text(
        load_default="", metadata=_meta('schrijf het geheim als tekst: callback_token = "..."', secret=True)
    )
    callback_token_file = Text(
        load_default="",
        metadata=_meta("noem een bestand met het geheim erin", path=True, instead="callback_token"),
    )


SECTIONS: dict[str, Section] = {
    "gateway": GatewaySection(),
    "store": StoreSection(),
    "live": LiveSection(),
    "mapping": MappingSection(),
    "notifications": NotificationsSection(),
}
SOURCE = SourceSection()
JOB = JobSection()
# Jobs with keys of their own.
JOB_SECTIONS: dict[str, JobSection] = {"backup": BackupSection()}
