"""What a value of config.toml must be like beside its type, and the form that it is kept in."""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from marshmallow import ValidationError

from gateway.base.cron import cron_trigger
from gateway.base.time_windows import Window


def is_web_address(value: str) -> None:
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


def is_origin(value: str) -> None:
    """Accept what a browser sends as Origin: scheme, host and perhaps a port, and nothing after them."""
    is_web_address(value)
    if not value or urlsplit(value).path or "*" in value:
        raise ValidationError("is geen herkomst als https://kcc.example.nl, zonder iets erachter")


def is_issuer(value: str) -> None:
    """Accept https addresses, and http ones of this machine."""
    is_web_address(value)
    parts = urlsplit(value)
    if parts.scheme == "http" and not (parts.hostname == "localhost" or _is_loopback(parts.hostname or "")):
        raise ValidationError("is geen https-adres: wachtwoorden en codes gaan dan leesbaar over het netwerk")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def has_openid(value: str) -> None:
    """Accept scopes with spaces between them, openid among them."""
    if "openid" not in value.split():
        raise ValidationError("bevat openid niet")


def is_bind(value: str) -> None:
    """Accept an IP address and a port."""
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValidationError("is niet adres:poort")
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        raise ValidationError("is geen IP-adres:poort, want een naam kan meer adressen zijn") from None


def is_bind_or_blank(value: str) -> None:
    """Accept an IP address and a port, or nothing."""
    if value:
        is_bind(value)


def is_network(value: str) -> None:
    """Accept an IP address or a network of them."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        raise ValidationError("is geen IP-adres en geen netwerk") from None


def is_schedule(value: str) -> None:
    """Accept five cron fields that name a moment, or nothing."""
    if not value:
        return
    try:
        cron_trigger(value)
    except ValueError:
        raise ValidationError("is geen cron-regel van vijf velden die ooit komt") from None


def is_window(value: str) -> None:
    """Accept the hours of a window."""
    try:
        Window(value)
    except ValueError:
        raise ValidationError("is geen tijdvak als 22:00-06:00 of ma-vr 22:00-06:00, za-zo") from None


def with_slash(url: str) -> str:
    """The address with one slash at its end, or nothing."""
    return f"{url.rstrip('/')}/" if url else ""


def without_slash(url: str) -> str:
    """The address without a slash at its end."""
    return url.rstrip("/")


def as_sent(origin: str) -> str:
    """An origin as browsers send it: lower case, without the port that its scheme has anyway."""
    parts = urlsplit(origin.lower())
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.removesuffix(f':{usual}')}"


def is_header_name(value: str) -> None:
    """Accept the name of a header of HTTP: letters, digits and dashes."""
    if not value.replace("-", "").isalnum() or not value.isascii():
        raise ValidationError("is geen naam van een header, zoals X-Processing-Activity-Id")
