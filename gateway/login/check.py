"""What `klantbrug check` says of the provider where operators log in."""

from __future__ import annotations

from gateway.config.login import LoginSettings
from gateway.login.provider import Provider, ProviderAway
from gateway.operator.check_report import CheckLine, Level

# What to do about a cause, in the operator's words; for any other its own word is shown.
ADVICE = {
    "untrusted": "haar certificaat wordt niet vertrouwd; zet dat van uw eigen instantie in login.ca_bundle",
    "too slow": "zij antwoordt te langzaam (login.connect_timeout, login.read_timeout)",
    "unreachable": "zij is niet te bereiken; kijk naar het adres in login.issuer, DNS en de firewall",
    "no JSON": "op login.issuer staat geen discovery-document van OpenID Connect",
    "no object": "op login.issuer staat geen discovery-document van OpenID Connect",
    "status 404": "op login.issuer staat geen discovery-document van OpenID Connect",
    "another issuer": "zij noemt zichzelf anders; schrijf login.issuer precies zoals haar discovery-document",
    "an endpoint is missing or at another host": "een adres in haar discovery-document ontbreekt of is van een "
    "andere host; noem die host in login.hosts als dat klopt",
    "no keys": "zij toont geen sleutels waarmee zij ondertekent",
}


def check_login(settings: LoginSettings) -> list[CheckLine]:
    """Ask the provider what it says of itself, and its keys. Nobody is logged in, and no secret is shown.

    Out: one line; none when no provider is configured. It raises nothing: not answering is a finding.
    """
    if not settings.issuer:
        return []
    try:
        provider = Provider(settings)
        found = bool(provider.about() and provider.keys(None))
        cause = "" if found else "no keys"
    except ProviderAway as error:
        cause = error.cause
    if not cause:
        return [CheckLine(Level.OK, "De inlogdienst ([login]) antwoordt en toont haar sleutels.")]
    text = f"Inloggen bij {settings.label} lukt nu niet: {ADVICE.get(cause, f'de inlogdienst gaf {cause}')}."
    return [CheckLine(Level.PROBLEM, text)]
