"""The pages that the `type` of a problem document leads to: what the error means and what to do about it, in Dutch.

For whoever reads an error of ours, without a token: nothing of a request, the store or the configuration is in it.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask, Response, render_template

from gateway.http import problems
from gateway.http.responses import PAGE_HEADERS

PATH = "/ref/fouten/"


class ProblemPage(NamedTuple):
    """What a page shows: the status and code of the answers, what they mean, and what each side can do."""

    status: str
    code: str
    meaning: str
    client: str
    operator: str = ""


PAGES: dict[str, ProblemPage] = {
    "ValidationError": ProblemPage(
        "400",
        "invalid",
        "Een of meer velden of parameters zijn niet goed.",
        "invalidParams noemt elk veld (name), een code en de reden. Veel voorkomende codes: required "
        "(ontbreekt), null en "
        "blank (mag niet leeg zijn), invalid (heeft niet de goede vorm), invalid_choice (geen van de "
        "toegestane waarden), "
        "unique (een ander object heeft dit al), unknown-parameters (deze zoekparameter bestaat niet; let op "
        "hoofdletters).",
    ),
    "ParseError": ProblemPage(
        "400",
        "parse_error",
        "De inhoud van de aanvraag is geen JSON.",
        "detail zegt op welke plek het misgaat. Stuur UTF-8.",
    ),
    "NotAuthenticated": ProblemPage(
        "401",
        "not_authenticated",
        "De aanvraag heeft geen token, of het staat er in een andere vorm dan hier wordt gelezen.",
        "Stuur de kop Authorization: Token <token>, met het woord Token ervoor. Bearer, Basic of alleen het "
        "token zelf "
        "wordt niet gelezen. Ook een proxy kan de kop hebben weggelaten.",
        "klantbrug token create maakt een token.",
    ),
    "AuthenticationFailed": ProblemPage(
        "401",
        "authentication_failed",
        "Er is een token, maar het is niet geldig.",
        "Controleer of het hele token is overgenomen, zonder spaties. Het kan zijn ingetrokken.",
        "klantbrug token list toont welke tokens er zijn; een token zelf is na het maken niet meer op te vragen.",
    ),
    "PermissionDenied": ProblemPage(
        "403",
        "permission_denied",
        "Het token is geldig, maar mag dit niet.",
        "detail zegt welke scope nodig is: read om klanten te lezen, write om ze te lezen en te schrijven, operate "
        "voor het beheer, monitor voor de aantallen alleen. Een token kan meer scopes hebben.",
        "Maak met klantbrug token create een token met die scope.",
    ),
    "NotFound": ProblemPage(
        "404",
        "not_found",
        "Er is niets op dit adres, of de pagina van een lijst bestaat niet.",
        "Let op streepjes en schuine strepen: een streep te veel aan het eind is een ander adres. Wat "
        "verwijderd is, geeft "
        "ook deze fout.",
        "klantbrug explain met de uuid zegt wat er van een object bekend is.",
    ),
    "MethodNotAllowed": ProblemPage(
        "405",
        "method_not_allowed",
        "Dit adres bestaat, maar kent deze methode niet.",
        "De kop Allow van het antwoord noemt de methoden die wel kunnen.",
    ),
    "NotAcceptable": ProblemPage(
        "406",
        "not_acceptable",
        "De client vraagt om een andere vorm dan JSON.",
        "Stuur Accept: application/json, of laat die kop weg.",
    ),
    "PreconditionFailed": ProblemPage(
        "412",
        "precondition_failed",
        "Het object is nu niet de versie die de aanvraag noemt: iemand anders heeft het intussen gewijzigd, of de "
        "bron.",
        "Lees het object opnieuw, breng de wijziging daarin aan en stuur de nieuwe ETag mee in If-Match. Een zwakke "
        'ETag (W/"...") telt daar niet: die ontstaat als een proxy antwoorden comprimeert.',
    ),
    "RequestEntityTooLarge": ProblemPage(
        "413",
        "request_entity_too_large",
        "De aanvraag is groter dan is toegestaan.",
        "Stuur minder in een keer.",
        "De grens is [gateway] max_body.",
    ),
    "UnsupportedMediaType": ProblemPage(
        "415",
        "unsupported_media_type",
        "De inhoud is volgens de aanvraag geen JSON.",
        "Stuur Content-Type: application/json.",
    ),
    "QuestionTooLong": ProblemPage(
        "503",
        "question_too_long",
        "Het zoeken naar het antwoord duurde langer dan een vraag mag duren, en is gestopt.",
        "Vraag minder: zoek op een nummer of op een tekst van drie tekens of meer, voeg een filter toe, of vraag een"
        " kleinere pagina met minder expand. Dezelfde vraag nog eens stellen helpt niet.",
        "De grens is [gateway] question_seconds.",
    ),
    "Throttled": ProblemPage(
        "429",
        "throttled",
        "Er kwamen te veel aanvragen met dit token, of te veel met een verkeerd token.",
        "Wacht zo lang als de kop Retry-After zegt. Herstel een verkeerd token; doe met een goed token minder "
        "aanvragen per seconde.",
        "De grens van elk token is [gateway] token_requests_per_second.",
    ),
    "APIException": ProblemPage(
        "400 of 500",
        "error",
        "De aanvraag kon niet worden gelezen (4xx), of er ging hier iets mis (5xx).",
        "Bij 5xx: probeer het later nog eens, en geef de waarde van instance door aan de beheerder.",
        "Het log zegt waar het misging, zonder persoonsgegevens.",
    ),
    "BadGateway": ProblemPage(
        "502",
        "bad_gateway",
        "De bron gaf geen bruikbaar antwoord, en hier is niets bewaard dat de vraag beantwoordt.",
        "Dit betekent niet dat iets niet bestaat: maak niets aan op grond van dit antwoord, en probeer het "
        "later opnieuw.",
        "klantbrug check zegt wat er met de bron is.",
    ),
    "ServiceUnavailable": ProblemPage(
        "503",
        "service_unavailable",
        "De vraag kan nu niet volledig worden beantwoord. Vaak is de bron nog niet ingelezen. Of er kan niet worden "
        "geschreven, zoals bij een volle schijf; dat zegt detail.",
        "Dit betekent niet dat iets niet bestaat. Probeer het opnieuw na de tijd in de kop Retry-After.",
        "Na klantbrug backfill kan elke vraag. Tot dan kan alleen worden gezocht met wat de bron zelf kan "
        "beantwoorden, "
        "zoals een BSN of een zaak. Zegt detail dat de opslag niet werkt of beschadigd is, dan zeggen /health/ready en "
        "klantbrug check waarom en wat te doen.",
    ),
    "GatewayTimeout": ProblemPage(
        "504",
        "gateway_timeout",
        "De bron antwoordde niet op tijd, en hier is niets bewaard dat de vraag beantwoordt.",
        "Dit betekent niet dat iets niet bestaat: maak niets aan op grond van dit antwoord, en probeer het "
        "later opnieuw.",
        "klantbrug check zegt hoe snel de bron is.",
    ),
}


def register(app: Flask) -> None:
    """Add the page of each kind of problem, and one that lists them."""
    app.add_url_rule(PATH, "problem_pages", _all, strict_slashes=False)
    app.add_url_rule(f"{PATH}<kind>/", "problem_page", _page, strict_slashes=False)


def _page(kind: str) -> Response:
    if kind not in PAGES:
        raise problems.not_found()
    return _shown({kind: PAGES[kind]})


def _all() -> Response:
    return _shown(PAGES)


def _shown(pages: dict[str, ProblemPage]) -> Response:
    return Response(render_template("problems.html", pages=pages), 200, list(PAGE_HEADERS))
