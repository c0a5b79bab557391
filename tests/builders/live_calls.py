"""Calls to the source for each question of a client, in every phase: the questions, and what each may cost."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from builders.asker import API, write_client

from gateway.installation import Installation

ZAAK = "onderwerpobject__onderwerpobjectidentificatorObjectId"
ZAAK_CODES = "onderwerpobject__onderwerpobjectidentificator"
THREE = "leiddeTotInterneTaken,gingOverOnderwerpobjecten,hadBetrokkenen"
ADRES = "verstrektDoorPartij__partijIdentificator__"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who and what is asked for: of the sample, by a store that was backfilled."""

    bsn: str
    rsin: str
    kvk: str
    vestiging: str
    parent: str
    partij: str
    identificator: str
    contact: str
    zaak: str
    actor: str
    acted: str
    adres: str
    representing: str


class LiveClient:
    """A client that reads and writes, in this process."""

    def __init__(self, installation: Installation) -> None:
        self.hydrator = installation.hydrator()
        self.flask, self.headers = write_client(installation, self.hydrator)

    def get(self, path: str, **query: str) -> Any:
        """GET path?query."""
        return self.flask.get(f"{API}/{path}", query_string=query, headers=self.headers)

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """A write."""
        return self.flask.open(f"{API}/{path}", method=method, json=body, headers=self.headers)


Ask = Callable[[LiveClient, Subject], Any]


def by(soort: str, value: Callable[[Subject], str], **more: str) -> Ask:
    """Partijen by an identificator, as KISS asks."""
    return lambda client, of: client.get(
        "partijen",
        partijIdentificator__codeSoortObjectId=soort,
        partijIdentificator__objectId=value(of),
        expand="digitaleAdressen",
        **more,
    )


def _vestiging_of_parent(client: LiveClient, of: Subject) -> Any:
    ask = by(
        "vestigingsnummer",
        lambda of: of.vestiging,
        subIdentificatorVan__codeSoortObjectId="kvk_nummer",
        subIdentificatorVan__objectId=of.parent,
    )
    return ask(client, of)


def _maak_klantcontact(client: LiveClient, of: Subject) -> Any:
    return client.send(
        "POST",
        "maak-klantcontact",
        {
            "klantcontact": {
                "kanaal": "Telefoon",
                "onderwerp": "Vraag",
                "taal": "nld",
                "vertrouwelijk": False,
                "plaatsgevondenOp": "2026-11-20T10:00:00Z",
            },
            "betrokkene": {
                "wasPartij": {"uuid": of.partij},
                "rol": "klant",
                "initiator": True,
            },
            "onderwerpobject": {
                "wasKlantcontact": None,
                "onderwerpobjectidentificator": {
                    "objectId": of.zaak,
                    "codeObjecttype": "zgw-Zaak",
                    "codeRegister": "openzaak",
                    "codeSoortObjectId": "uuid",
                },
            },
        },
    )


def _adres_after(client: LiveClient, of: Subject) -> Any:
    made = _maak_klantcontact(client, of)
    if made.status_code != 201:
        return made
    return client.send(
        "POST",
        "digitaleadressen",
        {
            "verstrektDoorBetrokkene": {"uuid": made.get_json()["betrokkene"]["uuid"]},
            "verstrektDoorPartij": {"uuid": of.partij},
            "adres": f"{uuid.uuid4().hex}@example.nl",
            "soortDigitaalAdres": "email",
            "omschrijving": "",
        },
    )


def _internetaak_after(client: LiveClient, of: Subject) -> Any:
    made = _maak_klantcontact(client, of)
    if made.status_code != 201:
        return made
    return client.send(
        "POST",
        "internetaken",
        {
            "gevraagdeHandeling": "Bel terug",
            "aanleidinggevendKlantcontact": {"uuid": made.get_json()["klantcontact"]["uuid"]},
            "toegewezenAanActoren": [{"uuid": of.actor}],
            "status": "te_verwerken",
        },
    )


QUESTIONS: dict[str, Ask] = {
    "partijen by BSN": by("bsn", lambda of: of.bsn, soortPartij="persoon"),
    "partijen by KVK number": by("kvk_nummer", lambda of: of.kvk),
    "partijen by RSIN": by("rsin", lambda of: of.rsin),
    "partijen by vestigingsnummer": by("vestigingsnummer", lambda of: of.vestiging),
    "partijen by vestigingsnummer and parent": _vestiging_of_parent,
    "partijen by soortPartij": lambda client, of: client.get("partijen", soortPartij="persoon"),
    "partijen, page of 100": lambda client, of: client.get("partijen", pageSize="100"),
    "partijen, page of 500": lambda client, of: client.get("partijen", pageSize="500"),
    "partij by uuid, with digitaleAdressen": lambda client, of: client.get(
        f"partijen/{of.partij}", expand="digitaleAdressen"
    ),
    "partij-identificator by uuid": lambda client, of: client.get(
        f"partij-identificatoren/{of.identificator}"
    ),
    "betrokkenen by wasPartij url, page of 100": lambda client, of: client.get(
        "betrokkenen", wasPartij__url=f"http://localhost{API}/partijen/{of.partij}", pageSize="100"
    ),
    "betrokkenen by identificator": lambda client, of: client.get(
        "betrokkenen",
        wasPartij__partijIdentificator__codeSoortObjectId="bsn",
        wasPartij__partijIdentificator__objectId=of.bsn,
    ),
    "klantcontacten, page 1": lambda client, of: client.get("klantcontacten"),
    "klantcontacten by zaak": lambda client, of: client.get(
        "klantcontacten",
        **{
            ZAAK: of.zaak,
            f"{ZAAK_CODES}CodeObjecttype": "zgw-Zaak",
            f"{ZAAK_CODES}CodeRegister": "openzaak",
            f"{ZAAK_CODES}CodeSoortObjectId": "uuid",
        },
    ),
    "klantcontacten by wasPartij uuid": lambda client, of: client.get(
        "klantcontacten", hadBetrokkene__wasPartij__uuid=of.partij
    ),
    "klantcontacten by kanaal": lambda client, of: client.get("klantcontacten", kanaal="Telefoon"),
    "klantcontact by uuid, with three expands": lambda client, of: client.get(
        f"klantcontacten/{of.contact}", expand=THREE
    ),
    "digitaleadressen by adres": lambda client, of: client.get(
        "digitaleadressen",
        adres=of.adres,
        expand="verstrektDoorBetrokkene,verstrektDoorBetrokkene.hadKlantcontact",
    ),
    "digitaleadressen by the partij's four codes": lambda client, of: client.get(
        "digitaleadressen",
        **{
            f"{ADRES}codeObjecttype": "natuurlijk_persoon",
            f"{ADRES}codeRegister": "brp",
            f"{ADRES}codeSoortObjectId": "bsn",
            f"{ADRES}objectId": of.bsn,
        },
    ),
    "actoren by identificator": lambda client, of: client.get("actoren", actoridentificatorObjectId=of.acted),
    "internetaken by actor and status": lambda client, of: client.get(
        "internetaken", toegewezenAanActor__uuid=of.actor, status="te_verwerken"
    ),
    "actorklantcontacten by klantcontact": lambda client, of: client.get(
        "actorklantcontacten", klantcontact__uuid=of.contact
    ),
    "vertegenwoordigingen by partij": lambda client, of: client.get(
        "vertegenwoordigingen", vertegenwoordigendePartij__uuid=of.representing
    ),
    "onderwerpobjecten by zaak": lambda client, of: client.get(
        "onderwerpobjecten", onderwerpobjectidentificatorObjectId=of.zaak
    ),
    "maak-klantcontact": _maak_klantcontact,
    "POST digitaleadressen after it": _adres_after,
    "POST internetaken after it": _internetaak_after,
}


def subject(client: LiveClient, zaak_of: Callable[[str], str]) -> Subject:
    """Who and what to ask for, from a store that holds everything. In: from a klantcontact to its zaak."""

    def results(path: str, **query: str) -> list[dict[str, Any]]:
        return client.get(path, pageSize="500", **query).get_json()["results"]

    numbers: dict[str, list[dict[str, Any]]] = {}
    for each in sorted(results("partij-identificatoren"), key=lambda each: each["uuid"]):
        code = each["partijIdentificator"]
        numbers.setdefault(code["codeSoortObjectId"], []).append(each)

    def first(soort: str, *, parent: bool = False) -> dict[str, Any]:
        return next(each for each in numbers[soort] if not parent or each["subIdentificatorVan"])

    vestiging = first("vestigingsnummer", parent=True)
    parents = {each["uuid"]: each for each in numbers["kvk_nummer"]}
    contacts = {}
    for betrokkene in sorted(results("betrokkenen"), key=lambda each: each["uuid"]):
        contacts.setdefault(
            (betrokkene["wasPartij"] or {}).get("uuid"), betrokkene["hadKlantcontact"]["uuid"]
        )
    with_address = {
        (each["verstrektDoorPartij"] or {}).get("uuid"): each["adres"] for each in results("digitaleadressen")
    }
    person = next(
        each
        for each in numbers["bsn"]
        if each["identificeerdePartij"]["uuid"] in contacts.keys() & with_address.keys()
    )
    partij = person["identificeerdePartij"]["uuid"]
    actor = min(
        (each for each in results("actoren") if each["soortActor"] == "medewerker"),
        key=lambda each: each["uuid"],
    )
    representing = min(results("vertegenwoordigingen"), key=lambda each: each["uuid"])
    return Subject(
        bsn=person["partijIdentificator"]["objectId"],
        rsin=first("rsin")["partijIdentificator"]["objectId"],
        kvk=first("kvk_nummer")["partijIdentificator"]["objectId"],
        vestiging=vestiging["partijIdentificator"]["objectId"],
        parent=parents[vestiging["subIdentificatorVan"]["uuid"]]["partijIdentificator"]["objectId"],
        partij=partij,
        identificator=person["uuid"],
        contact=contacts[partij],
        zaak=zaak_of(contacts[partij]),
        actor=actor["uuid"],
        acted=actor["actoridentificator"]["objectId"],
        adres=with_address[partij],
        representing=representing["vertegenwoordigendePartij"]["uuid"],
    )


# How often the source is called for one question, by the state of the source; "503": the question is refused, and no
# call is made. Shown in docs/performance.md.
STATES = {
    "unread": "nothing held",
    "found": "partij found by BSN",
    "young": "backfilled, young",
    "old": "older than max_age",
    "behind": "sync stands still",
    "synced": "synced",
    "cutover": "cutover",
}
CALLS: dict[str, tuple[str, ...]] = {
    "partijen by BSN": ("7", "0", "0", "6", "6", "0", "0"),
    "partijen by KVK number": ("6", "5", "0", "4", "4", "0", "0"),
    "partijen by RSIN": ("9", "8", "0", "8", "8", "0", "0"),
    "partijen by vestigingsnummer": ("6", "5", "0", "5", "5", "0", "0"),
    "partijen by vestigingsnummer and parent": ("6", "5", "0", "5", "5", "0", "0"),
    "partijen by soortPartij": ("503", "503", "0", "0", "0", "0", "0"),
    "partijen, page of 100": ("503", "503", "0", "0", "0", "0", "0"),
    "partijen, page of 500": ("503", "503", "0", "0", "0", "0", "0"),
    "partij by uuid, with digitaleAdressen": ("503", "0", "0", "6", "6", "0", "0"),
    "partij-identificator by uuid": ("503", "0", "0", "4", "4", "0", "0"),
    "betrokkenen by wasPartij url, page of 100": ("503", "0", "0", "6", "6", "0", "0"),
    "betrokkenen by identificator": ("7", "0", "0", "6", "6", "0", "0"),
    "klantcontacten, page 1": ("503", "503", "0", "0", "0", "0", "0"),
    "klantcontacten by zaak": ("5", "0", "0", "4", "4", "0", "0"),
    "klantcontacten by wasPartij uuid": ("503", "0", "0", "6", "6", "0", "0"),
    "klantcontacten by kanaal": ("503", "503", "0", "0", "0", "0", "0"),
    "klantcontact by uuid, with three expands": ("7", "0", "0", "4", "4", "0", "0"),
    "digitaleadressen by adres": ("503", "503", "0", "0", "0", "0", "0"),
    "digitaleadressen by the partij's four codes": ("5", "0", "0", "4", "4", "0", "0"),
    "actoren by identificator": ("5", "4", "0", "4", "4", "0", "0"),
    "internetaken by actor and status": ("0", "0", "0", "0", "0", "0", "0"),
    "actorklantcontacten by klantcontact": ("7", "0", "0", "4", "4", "0", "0"),
    "vertegenwoordigingen by partij": ("503", "503", "0", "8", "8", "0", "0"),
    "onderwerpobjecten by zaak": ("5", "0", "0", "4", "4", "0", "0"),
    "maak-klantcontact": ("503", "0", "0", "0", "0", "0", "0"),
    "POST digitaleadressen after it": ("503", "0", "0", "0", "0", "0", "0"),
    "POST internetaken after it": ("503", "503", "0", "0", "0", "0", "0"),
}
