"""An older contact system beside the sample zaken: klanten and contactmomenten, made from the zaken and rollen.

The same data gives the same klanten and contactmomenten. Everything is synthetic, as the zaken are.
"""

import uuid as uuids
from typing import Any

from gateway.sample.contents.dataset import CANONICAL_BASE, Dataset
from gateway.sample.contents.earlier_standards import PATHS
from gateway.sample.contents.esuite_objects import add_esuite

BRONORGANISATIE = "002220647"
# The addresses under which the slice names klanten and contactmomenten of a system that it does not hold.
KLANTEN_ELSEWHERE = "https://klanten.voorbeeldstad.example/klanten/api/v1/klanten/"
CONTACTMOMENTEN_ELSEWHERE = (
    "https://contactmomenten.voorbeeldstad.example/contactmomenten/api/v1/contactmomenten/"
)
_NAMESPACE = uuids.UUID("6f1d5f0e-54c0-4a3f-8f0c-1f3c1d0b7a11")
_KANALEN = ("telefoon", "e-mail", "balie", "post")
_TEKSTEN = (
    "Vraagt wanneer het besluit komt.",
    "Wil een afspraak maken aan de balie.\nTeruggebeld op verzoek.",
    "Stuurde ontbrekende stukken na.",
    "Is verhuisd en geeft een nieuw telefoonnummer.",
)
_NUMBERS = {
    "natuurlijk_persoon": ("inpBsn",),
    "niet_natuurlijk_persoon": ("innNnpId",),
    "vestiging": ("vestigingsNummer",),
}
# Each so many'th identification is a klant too; each so many'th klant has a contactmoment without a zaak.
_EACH_IDENTIFICATION = 5
_EACH_KLANT = 4


def add_earlier(dataset: Dataset) -> Dataset:
    """Add klanten and contactmomenten to a dataset, and let its zaken and rollen point at them; returns it.

    - A klant for each `betrokkene` that names one, without a subject: only the URL joins the two (M6).
    - A klant for each fifth number (BSN, RSIN, KVK number, vestigingsnummer) of the rollen.
    - A contactmoment for each zaakcontactmoment, tied to the zaak and to a klant of the zaak where it has one; and
      one without a zaak for each fourth klant. Each third refers to the one before it.
    - A few contactmomenten with fields beside the standard.
    """
    klanten = _add_klanten(dataset)
    _add_contactmomenten(dataset, klanten)
    return add_esuite(dataset)


def _add_klanten(dataset: Dataset) -> dict[str, str]:
    """Out: the klant of each number, and of each betrokkene URL (as rewritten)."""
    found: dict[str, str] = {}
    numbers = 0
    for rol in reversed(dataset.objects("rol")):
        soort, url = rol.get("betrokkeneType"), rol.get("betrokkene") or ""
        if soort not in _NUMBERS:
            continue
        if url.startswith(KLANTEN_ELSEWHERE):
            uuid = url.removeprefix(KLANTEN_ELSEWHERE)
            url = _url("klant", uuid)
            dataset.replace("rol", rol["uuid"], rol | {"betrokkene": url})
            if url not in found:
                found[url] = dataset.add("klant", _klant(uuid, len(found), None, {}, {}))["url"]
        identificatie = rol.get("betrokkeneIdentificatie")
        for name in _NUMBERS[soort]:
            number = identificatie.get(name) if isinstance(identificatie, dict) else None
            if not isinstance(number, str) or not number or number in found:
                continue
            numbers += 1
            if numbers % _EACH_IDENTIFICATION == 0:
                uuid = str(uuids.uuid5(_NAMESPACE, f"klant {number}"))
                own = _klant(uuid, len(found), soort, {name: number}, identificatie)
                found[number] = dataset.add("klant", own)["url"]
    return found


def _klant(
    uuid: str, number: int, soort: str | None, subject: dict[str, Any], of: dict[str, Any]
) -> dict[str, Any]:
    """A klant with some of what the rol says of it, and contact details of its own."""
    verblijf = of.get("verblijfsadres") or {}
    adres = {
        "straatnaam": verblijf.get("gorOpenbareRuimteNaam") or "",
        "huisnummer": verblijf.get("aoaHuisnummer"),
        "huisletter": "",
        "huisnummertoevoeging": "",
        "postcode": verblijf.get("aoaPostcode") or "",
        "woonplaatsnaam": verblijf.get("wplWoonplaatsNaam") or "",
        "landcode": "6030",
    }
    handelsnaam = of.get("handelsnaam") or [""]
    return {
        "url": _url("klant", uuid),
        "bronorganisatie": BRONORGANISATIE,
        "klantnummer": f"{10_000_000 + number}",
        "bedrijfsnaam": of.get("statutaireNaam") or str(handelsnaam[0])[:200],
        "functie": "",
        "websiteUrl": "",
        "voornaam": of.get("voornamen") or "",
        "voorvoegselAchternaam": (of.get("voorvoegselGeslachtsnaam") or "")[:10],
        "achternaam": of.get("geslachtsnaam") or "",
        "telefoonnummer": f"06{12_000_000 + number:08d}",
        "emailadres": f"klant{number}@voorbeeld.example",
        "adres": adres if adres["straatnaam"] else None,
        "subject": "",
        "subjectType": soort,
        "subjectIdentificatie": {**subject} if soort else None,
    }


def _add_contactmomenten(dataset: Dataset, klanten: dict[str, str]) -> None:
    medewerkers = [
        rol["betrokkeneIdentificatie"]
        for rol in dataset.objects("rol")
        if rol.get("betrokkeneType") == "medewerker" and isinstance(rol.get("betrokkeneIdentificatie"), dict)
    ]
    zaken = {zaak["url"]: zaak for zaak in dataset.objects("zaak")}
    by_zaak: dict[str, list[str]] = {}
    for rol in dataset.objects("rol"):
        identificatie = rol.get("betrokkeneIdentificatie")
        keys = [rol.get("betrokkene"), *(identificatie.values() if isinstance(identificatie, dict) else ())]
        for key in keys:
            if (
                isinstance(key, str)
                and key in klanten
                and klanten[key] not in by_zaak.setdefault(rol["zaak"], [])
            ):
                by_zaak[rol["zaak"]].append(klanten[key])
    made: dict[str, str] = {}

    def make(uuid: str, moment: str, of: list[str], zaak: str | None) -> None:
        number = len(made)
        vorig = next(reversed(made.values()), None) if number % 3 == 2 else None
        medewerker = medewerkers[number % len(medewerkers)] if medewerkers else {}
        fields = ("identificatie", "achternaam", "voorletters", "voorvoegselAchternaam")
        contact: dict[str, Any] = {
            "url": _url("contactmoment", uuid),
            "vorigContactmoment": vorig,
            "volgendContactmoment": None,
            "bronorganisatie": BRONORGANISATIE,
            "klant": "",
            "registratiedatum": moment,
            "kanaal": _KANALEN[number % len(_KANALEN)],
            "voorkeurskanaal": "",
            "voorkeurstaal": "nld",
            "tekst": _TEKSTEN[number % len(_TEKSTEN)],
            "onderwerpLinks": [],
            "initiatiefnemer": ("klant", "gemeente")[number % 2],
            "medewerker": "",
            "medewerkerIdentificatie": {name: medewerker.get(name) or "" for name in fields}
            if number % 4
            else None,
        }
        made[uuid] = dataset.add("contactmoment", contact)["url"]
        for place, klant in enumerate(of[:2]):
            rol = ("belanghebbende", "gesprekspartner")[place]
            _tie(dataset, "klantcontactmoment", uuid, klant, {"klant": klant, "rol": rol})
        if zaak is not None:
            _tie(dataset, "objectcontactmoment", uuid, zaak, {"object": zaak, "objectType": "zaak"})

    for tie in reversed(dataset.objects("zaakcontactmoment")):
        url = tie["contactmoment"]
        if not url.startswith(CONTACTMOMENTEN_ELSEWHERE) or tie["zaak"] not in zaken:
            continue
        uuid = url.removeprefix(CONTACTMOMENTEN_ELSEWHERE)
        if uuid not in made:
            moment = f"{zaken[tie['zaak']]['registratiedatum']}T09:00:00Z"
            make(uuid, moment, by_zaak.get(tie["zaak"], []), tie["zaak"])
        dataset.replace("zaakcontactmoment", tie["uuid"], tie | {"contactmoment": made[uuid]})
    for number, klant in enumerate(klanten.values()):
        if number % _EACH_KLANT == 0:
            uuid = str(uuids.uuid5(_NAMESPACE, f"contactmoment {klant}"))
            make(uuid, f"2025-02-{1 + number % 28:02d}T10:{number % 60:02d}:00Z", [klant], None)


def _tie(dataset: Dataset, kind: str, contact: str, other: str, fields: dict[str, Any]) -> None:
    uuid = str(uuids.uuid5(_NAMESPACE, f"{kind} {contact} {other}"))
    dataset.add(kind, {"url": _url(kind, uuid), "contactmoment": _url("contactmoment", contact), **fields})


def _url(kind: str, uuid: str) -> str:
    return f"{CANONICAL_BASE}{PATHS[kind]}/{uuid}"
