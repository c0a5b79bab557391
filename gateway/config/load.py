"""config.toml, KLANTBRUG_* variables and secret files to one typed Config.

Environment beats file: `KLANTBRUG_<SECTION>__<KEY>`, and for a source by its name
`KLANTBRUG_SOURCE__<NAME>__<KEY>` (upper case, dashes as underscores). Relative paths in the file are
relative to the file's directory, those in the environment to the working directory.
"""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.config.audit import AuditSettings, wrong_in_audit
from gateway.config.database import judge_database
from gateway.config.fields import check, nearest
from gateway.config.files import must_exist, secret_of
from gateway.config.limits import as_sent
from gateway.config.login import LoginSettings, missing_for_provider
from gateway.config.model import (
    BackupJob,
    Config,
    Gateway,
    JobSettings,
    Live,
    Notifications,
    Source,
    WriteBack,
)
from gateway.config.sections import JOB, JOB_NAMES, JOB_SECTIONS, SECRET_LENGTH, SECTIONS, SOURCE
from gateway.config.store import StoreSettings
from gateway.config.target import Target
from gateway.config.telemetry import Metrics, Tracing
from gateway.config.written import PREFIX, ConfigError, read
from mappings.model.config_key import printable
from mappings.model.settings import DEFAULT_ZAAK_CODES, VERTROUWELIJKHEIDAANDUIDINGEN, Settings

# What stands in an Authorization header as it is.
CALLBACK_TOKEN = re.compile(rf"[!-~]{{{SECRET_LENGTH},}}")

# How the keys end that name a file with a secret; a client certificate may hold its key.
SECRET_FILES = ("secret_file", "token_file", "password_file", "url_file", "client_key", "client_cert")
# What `zaak_codes` replaced.
OLD_ZAAK_KEYS = ("zaak_objecttype", "zaak_register", "zaak_soort_object_id")

# The APIs of the earlier standards that a source may have beside its Zaken API.
EARLIER_APIS = ("klanten", "contactmomenten")


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read and judge the configuration.

    In: the file asked for with --config (else KLANTBRUG_CONFIG, else ./config.toml when it is there;
    no file means defaults without a source) and the environment. Out: the Config. It makes nothing: whoever makes a
    store calls `ensure_secret` too. Raises ConfigError.
    """
    path, raw, errors = read(path, environ)
    _take_old_zaak_codes(raw.get("mapping"), errors)

    for name in raw:
        if name not in (*SECTIONS, "source", "jobs"):
            errors.append(f"{name}: deze sectie is onbekend; {nearest(name, [*SECTIONS, 'source', 'jobs'])}")
    values = {}
    for name, schema in SECTIONS.items():
        values[name], lines = check(schema, raw.get(name, {}), name)
        errors += lines
    wrong_store = any(line.startswith("store") for line in errors)
    sources = _sources(raw.get("source", []), errors)
    jobs = _jobs(raw.get("jobs", {}), errors)
    has_source = isinstance(raw.get("source"), list) and bool(raw["source"])
    mapping = _mapping(values["mapping"], has_source, errors)
    notifications = _notifications(values["notifications"], errors)
    if values["writeback"]:
        _contacts_to(values["writeback"], sources, errors)
    target = _target(values["target"], errors)
    login = _login(values["login"], errors)
    if values["tracing"]:
        must_exist(values["tracing"]["ca_bundle"], "tracing.ca_bundle", errors)
    if values["audit"]:
        errors += wrong_in_audit(values["audit"])
        must_exist(values["audit"]["ca_bundle"], "audit.ca_bundle", errors)
    if values["gateway"]:
        _other_addresses(values["gateway"], errors)
    store = None if wrong_store else _store(values["store"], path, has_source, errors)
    if errors or store is None or mapping is None:
        raise ConfigError(errors)
    gateway, live = Gateway(**values["gateway"]), Live(**values["live"])
    adressen = sorted({source.klanten_url for source in sources if source.klanten_url})
    mapping = replace(mapping, nummers=gateway.nummers, klanten_adressen=tuple(adressen))
    back = WriteBack(**values["writeback"])
    files = _secret_files(raw, store)
    return Config(
        gateway,
        store,
        sources,
        live,
        mapping,
        jobs,
        notifications,
        path,
        back,
        secret_files=files,
        target=target,
        login=login,
        metrics=Metrics(**values["metrics"]),
        tracing=Tracing(**values["tracing"]),
        audit=AuditSettings(**values["audit"]),
    )


def _secret_files(raw: Mapping[str, Any], store: StoreSettings) -> dict[str, Path]:
    """The files that hold a secret, by the key that names each (that of a store without a source: by its own)."""
    tables = {name: raw.get(name, {}) for name in SECTIONS}
    tables |= {f"source.{table['name']}": table for table in raw.get("source", [])}
    files = {
        f"{where}.{key}": Path(value)
        for where, table in tables.items()
        for key, value in table.items()
        if value and key.endswith(SECRET_FILES)
    }
    if store.origin == "generated":
        files["store.uuid_secret_file"] = _secret_beside(store.path)
    return files


def ensure_secret(config: Config) -> Config:
    """The configuration with a uuid secret: one without any source may do without, and gets it in a file beside the
    store, made when it is not there. Raises ConfigError."""
    if config.store.uuid_secret:
        return config
    beside = _secret_beside(config.store.path)
    try:
        secret = ensure_secret_file(beside)
    except OSError as exc:
        problem = f"{beside} kan niet gemaakt worden ({exc.strerror}); geef schrijfrecht"
        raise ConfigError([f"store.uuid_secret: {problem}"]) from None
    return replace(config, store=replace(config.store, uuid_secret=secret))


def _secret_beside(store: Path) -> Path:
    return store.with_name(f"{store.name}.secret")


def ensure_secret_file(path: Path) -> str:
    """The secret in that file, made first (mode 0600) when it is not there.

    Several processes may call this at once: the file appears whole or not at all, and all get the same
    secret. Raises OSError.
    """
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp gives mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48) + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)  # fails where another process was first; replacing would not
        finally:
            Path(temporary).unlink()
    return path.read_text(encoding="utf-8").strip()


def _sources(raw: Any, errors: list[str]) -> tuple[Source, ...]:
    if not isinstance(raw, list):
        errors.append("source: is geen lijst; schrijf [[source]] met dubbele haken")
        return ()
    sources: list[Source] = []
    names: set[str] = set()
    for number, table in enumerate(raw, 1):
        name = table.get("name") if isinstance(table, dict) else None
        where = f"source.{name if isinstance(name, str) and name else number}"
        values, lines = check(SOURCE, table, where)
        errors += lines
        if lines:
            continue
        if values["name"] in names:
            errors.append(
                f"{where}.name: {printable(name)} komt twee keer voor; geef elke bron een eigen naam"
            )
        names.add(values["name"])
        variable = f"{PREFIX}SOURCE__{values['name'].upper().replace('-', '_')}__SECRET"
        values["secret"] = secret_of(values, "secret", where, errors, variable)
        for key in ("ca_bundle", "client_cert", "client_key"):
            must_exist(values[key], f"{where}.{key}", errors)
        if values["client_key"] and not values["client_cert"]:
            errors.append(f"{where}.client_cert: ontbreekt naast client_key; noem ook het certificaat")
        for api in EARLIER_APIS:
            _own_credentials(values, api, where, errors)
        _write_back(values, where, errors)
        sources.append(Source(**values))
    return tuple(sources)


def _own_credentials(values: dict[str, Any], api: str, where: str, errors: list[str]) -> None:
    """The credentials of an earlier standard's API: both client-ID and secret, or neither."""
    name, client_id = f"{api}_secret", f"{api}_client_id"
    before = len(errors)
    values[name] = secret_of(values, name, where, errors)
    if len(errors) == before and bool(values[name]) != bool(values[client_id]):
        missing, given = (name, client_id) if values[client_id] else (client_id, name)
        errors.append(f"{where}.{missing}: ontbreekt naast {given}; vul beide in, of geen van beide")
    if (values[name] or values[client_id]) and not values[f"{api}_url"]:
        errors.append(f"{where}.{api}_url: ontbreekt; vul het adres in waar {client_id} voor is")


def _write_back(values: Mapping[str, Any], where: str, errors: list[str]) -> None:
    """What may be written back needs the API, and of what is made there who makes it."""
    wanted = values["write_back"]
    for kind, api in (
        ("contactmomenten", "contactmomenten"),
        ("contactgegevens", "klanten"),
        ("klanten", "klanten"),
    ):
        if kind in wanted and not values[f"{api}_url"]:
            errors.append(f"{where}.write_back: {kind} kan alleen met {api}_url; vul dat adres in")
    if "klantcontacten" in wanted and values["contactmomenten_url"]:
        fix = "schrijf contactmomenten"
        errors.append(
            f"{where}.write_back: klantcontacten is voor een bron zonder contactmomenten_url; {fix}"
        )
    if {"contactmomenten", "klanten"} & {*wanted} and not values["bronorganisatie"]:
        errors.append(
            f"{where}.bronorganisatie: ontbreekt; {SOURCE.fields['bronorganisatie'].metadata['fix']}"
        )


def _contacts_to(values: Mapping[str, Any], sources: Iterable[Source], errors: list[str]) -> None:
    name = values["contacts_to"]
    if name and not any(each.name == name and "contactmomenten" in each.write_back for each in sources):
        fix = SECTIONS["writeback"].fields["contacts_to"].metadata["fix"]
        errors.append(
            f"writeback.contacts_to: {printable(name)} is geen bron die contactmomenten krijgt; {fix}"
        )


def _notifications(values: dict[str, Any], errors: list[str]) -> Notifications:
    """The section, or notifications that are off when something in it is wrong or url is blank."""
    if not values:
        return Notifications()
    callback_token = values["callback_token"] = secret_of(values, "callback_token", "notifications", errors)
    if callback_token and not CALLBACK_TOKEN.fullmatch(callback_token):
        fix = "maak een geheim met: openssl rand -hex 32"
        errors.append(
            f"notifications.callback_token: is korter dan {SECRET_LENGTH} tekens of heeft spaties; {fix}"
        )
    if not values["url"]:
        return Notifications(callback_token=callback_token)
    before = len(errors)
    variable = f"{PREFIX}NOTIFICATIONS__SECRET"
    values["secret"] = secret_of(values, "secret", "notifications", errors, variable)
    if not values["client_id"]:
        fix = SECTIONS["notifications"].fields["client_id"].metadata["fix"]
        errors.append(f"notifications.client_id: ontbreekt; {fix}")
    must_exist(values["ca_bundle"], "notifications.ca_bundle", errors)
    return Notifications() if len(errors) > before else Notifications(**values)


def _target(values: dict[str, Any], errors: list[str]) -> Target:
    """The section, or no register to leave to when something in it is wrong or url is blank."""
    if not values or not values["url"]:
        return Target()
    before = len(errors)
    values["token"] = secret_of(values, "token", "target", errors, f"{PREFIX}TARGET__TOKEN")
    must_exist(values["ca_bundle"], "target.ca_bundle", errors)
    return Target() if len(errors) > before else Target(**values)


def _login(values: dict[str, Any], errors: list[str]) -> LoginSettings:
    """The section. A provider needs our client-ID and secret there, and values that let somebody in."""
    before = len(errors)
    if values:
        needed = f"{PREFIX}LOGIN__CLIENT_SECRET" if values["issuer"] else ""
        values["client_secret"] = secret_of(values, "client_secret", "login", errors, needed)
        must_exist(values["ca_bundle"], "login.ca_bundle", errors)
        errors += missing_for_provider(values)
    return LoginSettings() if len(errors) > before else LoginSettings(**values)


def _other_addresses(gateway: Mapping[str, Any], errors: list[str]) -> None:
    """Judge the addresses that go with public_url."""
    public, also = gateway["public_url"], gateway["also_known_as"]
    if also and not public:
        fix = "vul public_url in, of haal also_known_as weg: zonder public_url volgen URLs het verzoek"
        errors.append(f"gateway.also_known_as: staat er zonder public_url; {fix}")
    places = [as_sent(url) for url in (public, *also)] if public else []
    if len(set(places)) < len(places):
        fix = "noem elk adres een keer: aan het pad is niet te zien waarlangs een client kwam"
        errors.append(f"gateway.also_known_as: noemt twee keer dezelfde server; {fix}")


def _store(
    values: dict[str, Any], file: Path | None, has_source: bool, errors: list[str]
) -> StoreSettings | None:
    before = len(errors)
    url = values["url"] = secret_of(values, "url", "store", errors)
    values["password"] = secret_of(values, "password", "store", errors)
    folder = file.parent if file else Path.cwd()
    # Only the default path is still relative here.
    path = folder / values["path"]
    if url:
        judge_database(values, errors)
        path = folder / f"klantbrug-{values['schema']}"
    elif path.is_dir():
        errors.append(f"store.path: {path} is een map; noem een bestand in die map")
    elif not path.parent.is_dir():
        errors.append(f"store.path: de map {path.parent} bestaat niet; maak die map of noem een andere")
    elif not os.access(path.parent, os.W_OK | os.X_OK) or (
        path.exists() and not os.access(path, os.R_OK | os.W_OK)
    ):
        errors.append(
            f"store.path: {path.parent} is niet schrijfbaar; geef schrijfrecht of noem een andere map"
        )
    origin = "file" if values["uuid_secret_file"] else "config"
    secret = secret_of(values, "uuid_secret", "store", errors)
    if not secret and len(errors) == before:
        beside = _secret_beside(path)
        if has_source or url:
            hint = (
                f"noem uuid_secret_file = {str(beside)!r}"
                if beside.exists()
                else "vul uuid_secret_file of uuid_secret in"
            )
            errors.append(
                f"store.uuid_secret: ontbreekt; {hint} (minstens {SECRET_LENGTH} tekens, en bewaar het)"
            )
            return None
        origin = "generated"
        try:
            secret = beside.read_text(encoding="utf-8").strip() if beside.exists() else ""
        except (OSError, UnicodeDecodeError):
            errors.append(f"store.uuid_secret: {beside} kan niet gelezen worden; geef leesrecht")
    if secret and len(secret) < SECRET_LENGTH:
        fix = "maak een geheim met: openssl rand -base64 48"
        errors.append(f"store.uuid_secret: is korter dan {SECRET_LENGTH} tekens; {fix}")
    if len(errors) > before:
        return None
    return StoreSettings(**values | {"path": path, "uuid_secret": secret, "origin": origin})


def _mapping(values: dict[str, Any], has_source: bool, errors: list[str]) -> Settings | None:
    if not values:
        return None
    if not values["max_vertrouwelijkheidaanduiding"]:
        if has_source:
            field_ = SECTIONS["mapping"].fields["max_vertrouwelijkheidaanduiding"]
            errors.append(f"mapping.max_vertrouwelijkheidaanduiding: ontbreekt; {field_.metadata['fix']}")
            return None
        # No source, so nothing comes in: the strictest value is the one that cannot show too much.
        values["max_vertrouwelijkheidaanduiding"] = VERTROUWELIJKHEIDAANDUIDINGEN[0]
    return Settings(**values)


def _take_old_zaak_codes(mapping: Any, errors: list[str]) -> None:
    """Let the three keys of before `zaak_codes` still say what onderwerpobjecten are served with."""
    if not isinstance(mapping, dict):
        return
    old = {key: mapping.pop(key) for key in OLD_ZAAK_KEYS if key in mapping}
    if not old:
        return
    if "zaak_codes" in mapping:
        given = " en ".join(old)
        errors.append(
            f"mapping.{next(iter(old))}: {given} naast zaak_codes; haal weg, zaak_codes zegt hetzelfde"
        )
        return
    served = DEFAULT_ZAAK_CODES[0]._asdict() | {
        key.removeprefix("zaak_"): value for key, value in old.items()
    }
    mapping["zaak_codes"] = [served, *(codes._asdict() for codes in DEFAULT_ZAAK_CODES)]


def _jobs(raw: Any, errors: list[str]) -> dict[str, JobSettings]:
    if not isinstance(raw, dict):
        errors.append("jobs: is geen tabel; schrijf [jobs.<naam>]")
        return {}
    jobs: dict[str, JobSettings] = {}
    for name, table in raw.items():
        if name not in JOB_NAMES:
            errors.append(f"jobs.{name}: deze job is onbekend; bekend zijn: {', '.join(JOB_NAMES)}")
            continue
        values, lines = check(JOB_SECTIONS.get(name, JOB), table, f"jobs.{name}")
        errors += lines
        if not lines:
            jobs[name] = (BackupJob if name == "backup" else JobSettings)(**values)
    return jobs
