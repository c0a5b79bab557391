"""A Rol becomes claims: what it says of a party (its own, and a vestiging's parent) or of an actor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mappings.identity import identity
from mappings.model.claims import Claim as Claim
from mappings.model.findings import Finding, Severity
from mappings.model.settings import Settings
from mappings.rules import vertegenwoordigingen
from mappings.rules.contactpersonen import contact_van
from mappings.values import namen, nummers
from mappings.values.adressen import adressen
from mappings.values.digitaleadressen import emailadressen, telefoonnummers
from mappings.values.texts import cut_at_word, fitted

ACTOR_TYPES = ("medewerker", "organisatorische_eenheid")
NAAM_LIMIT = 200
# Of an actor.
OBJECTID_LIMIT = 200
EMAILADRES_LIMIT = 254
LEGE_NAAM: Mapping[str, str] = {
    "voorletters": "",
    "voornaam": "",
    "voorvoegselAchternaam": "",
    "achternaam": "",
}


@dataclass(slots=True)
class RolTranslation:
    """What a Rol becomes: claims, its part in the zaak's klantcontacten, and findings."""

    claims: list[Claim]
    deelname: dict[str, Any]
    findings: list[Finding]


def translate_rol(rol: Mapping[str, Any], source: str, settings: Settings) -> RolTranslation:
    """Translate a loaded Rol (`zaken.load_rol`) of a source (M5, M8, M10-M17, M21-M24, M26, M27).

    No claims: the Rol makes no party or actor (M10).
    """
    found: list[Finding] = []
    rol = {**rol, "uuid": UUID(rol["uuid"])}
    soort = rol["betrokkeneType"]
    if soort in ACTOR_TYPES:
        claims = [_actor(rol, source, settings, found)]
    elif settings.partij_rollen and rol["omschrijvingGeneriek"] not in settings.partij_rollen:
        claims = []
    elif soort == "natuurlijk_persoon":
        claims = [_persoon(rol, source, settings, found)]
    else:
        claims = _organisatie(rol, source, settings, found)
    deelname = _deelname(rol, claims, found)
    if claims:
        _machtiging(rol, claims, deelname, found)
    return RolTranslation(claims, deelname, found)


def _persoon(rol: Mapping[str, Any], source: str, settings: Settings, found: list[Finding]) -> Claim:
    identificatie = _zonder_opvulling(rol, "anpIdentificatie", settings, found)
    naam = namen.persoonsnaam(identificatie, rol["afwijkendeNaamBetrokkene"], found)
    claim = Claim(
        "zelf",
        "persoon",
        identity.persoon_keys(identificatie, _urls(rol, settings), source, rol["uuid"]),
        rol["uuid"],
        rol["registratiedatum"],
        naam=naam if any(naam.values()) else None,
        adres=_adres(identificatie, "", settings.adressen == "alle", found),
        afwijkend=namen.only_afwijkend(identificatie, rol["afwijkendeNaamBetrokkene"]),
    )
    _contact(claim, rol, namen.volledige_naam(naam), settings, found)
    bsn = identificatie.get("inpBsn", "")
    if geldige_bsn := nummers.bsn(bsn):
        claim.identificatoren.append(["bsn", geldige_bsn])
        if geldige_bsn != bsn:
            found.append(
                Finding("M5", "betrokkeneIdentificatie.inpBsn", Severity.ADJUSTED, "aangevuld tot 9 cijfers")
            )
    elif bsn:
        _keep(claim, "bsn", bsn, "betrokkeneIdentificatie.inpBsn", found)
    if a_nummer := identificatie.get("inpA_nummer", ""):
        claim.andere.append(["a-nummer", a_nummer])
        if not nummers.a_nummer(a_nummer):
            _invalid("a-nummer", "betrokkeneIdentificatie.inpA_nummer", found)
    if anp := identificatie.get("anpIdentificatie", ""):
        claim.andere.append(["anp", anp])
    return claim


def _organisatie(
    rol: Mapping[str, Any], source: str, settings: Settings, found: list[Finding]
) -> list[Claim]:
    identificatie = _zonder_opvulling(rol, "annIdentificatie", settings, found)
    vestiging = nummers.vestigingsnummer(identificatie.get("vestigingsNummer", ""))
    nnp = rol["betrokkeneType"] == "niet_natuurlijk_persoon"
    statutair, handelsnamen = identificatie.get("statutaireNaam", ""), identificatie.get("handelsnaam", [])
    naam = namen.organisatienaam(statutair, handelsnamen, rol["afwijkendeNaamBetrokkene"], found)
    hoofdvestiging = not nnp and not vestiging and bool(identity.hr_keys(identificatie))
    if hoofdvestiging:
        action = "geen vestigingsnummer: met het KVK-nummer bij de organisatie gevoegd"
        found.append(Finding("M5", "betrokkeneIdentificatie.vestigingsNummer", Severity.ADJUSTED, action))
    if nnp and vestiging:
        keys = [f"hr:vestiging:{vestiging}"]
    elif nnp or hoofdvestiging:
        keys = identity.organisatie_keys(identificatie, _urls(rol, settings), source, rol["uuid"])
    else:
        keys = identity.vestiging_keys(identificatie, _urls(rol, settings), rol["uuid"])
    claim = Claim(
        "zelf",
        "vestiging" if vestiging or not (nnp or hoofdvestiging) else "organisatie",
        keys,
        rol["uuid"],
        rol["registratiedatum"],
        naam=naam or None,
        adres=_adres(identificatie, identificatie.get("bezoekadres", ""), settings.adressen != "geen", found),
        afwijkend=namen.only_afwijkend(identificatie, rol["afwijkendeNaamBetrokkene"]),
    )
    _contact(claim, rol, naam, settings, found)
    if claim.soort == "vestiging":
        return [claim, *_vestiging(rol, identificatie, vestiging, claim, found)]
    claim.identificatoren = _hr_identificatoren(identificatie)
    _odd_hr_numbers(claim, identificatie, found)
    return [claim]


def _vestiging(
    rol: Mapping[str, Any],
    identificatie: Mapping[str, Any],
    vestiging: str | None,
    claim: Claim,
    found: list[Finding],
) -> list[Claim]:
    """Give the vestiging its number (M17) and, with an RSIN or KVK number, make the claim on its parent (M5)."""
    parent_keys = identity.hr_keys(identificatie)
    _odd_hr_numbers(claim, identificatie, found)
    if vestiging:
        claim.identificatoren.append(["vestigingsnummer", vestiging])
        kvk = [key.removeprefix("hr:kvk:") for key in parent_keys if key.startswith("hr:kvk:")]
        claim.ouder = kvk[0] if kvk else ""
    if not parent_keys:
        return []
    parent = Claim(
        "ouder",
        "organisatie",
        parent_keys,
        rol["uuid"],
        rol["registratiedatum"],
        identificatoren=_hr_identificatoren(identificatie),
    )
    if rol["betrokkeneType"] == "niet_natuurlijk_persoon" and identificatie.get("statutaireNaam"):
        parent.naam = namen.organisatienaam(identificatie["statutaireNaam"], [], "", [])
    return [parent]


def _hr_identificatoren(identificatie: Mapping[str, Any]) -> list[list[str]]:
    soort = {"hr:rsin": "rsin", "hr:kvk": "kvk_nummer"}
    return [[soort[key.rsplit(":", 1)[0]], key.rsplit(":", 1)[1]] for key in identity.hr_keys(identificatie)]


def _odd_hr_numbers(claim: Claim, identificatie: Mapping[str, Any], found: list[Finding]) -> None:
    """Keep what is no valid number of the handelsregister (M8, M17)."""
    nnp_id = identificatie.get("innNnpId", "")
    if nnp_id and not nummers.rsin(nnp_id) and not nummers.kvk_nummer(nnp_id):
        _keep(claim, "rsin", nnp_id, "betrokkeneIdentificatie.innNnpId", found)
    kvk = identificatie.get("kvkNummer", "")
    if kvk and not nummers.kvk_nummer(kvk):
        _keep(claim, "kvk-nummer", kvk, "betrokkeneIdentificatie.kvkNummer", found)
    vestiging = identificatie.get("vestigingsNummer", "")
    if vestiging and not nummers.vestigingsnummer(vestiging):
        _keep(claim, "vestigingsnummer", vestiging, "betrokkeneIdentificatie.vestigingsNummer", found)
    if ann := identificatie.get("annIdentificatie", ""):
        claim.andere.append(["ann", ann])


def _keep(claim: Claim, label: str, value: str, path: str, found: list[Finding]) -> None:
    claim.andere.append([f"ongeldig {label}", value])
    _invalid(label, path, found)


def _invalid(label: str, path: str, found: list[Finding]) -> None:
    found.append(
        Finding("M8", path, Severity.ADJUSTED, f"geen geldig {label}: niet als sleutel gebruikt, wel bewaard")
    )


def _urls(rol: Mapping[str, Any], settings: Settings) -> list[str]:
    return identity.spellings(rol["betrokkene"], settings.klanten_adressen)


def _zonder_opvulling(
    rol: Mapping[str, Any], name: str, settings: Settings, found: list[Finding]
) -> Mapping[str, Any]:
    """The identificatie of a rol; a source's own identificatie in it that is only a filler is left out (M5)."""
    identificatie: Mapping[str, Any] = rol["betrokkeneIdentificatie"] or {}
    own = identificatie.get(name, "")
    if not own or own.strip().casefold() not in settings.loze_identificaties:
        return identificatie
    action = "alleen opvulling ([mapping] loze_identificaties): niet als sleutel gebruikt"
    found.append(Finding("M5", f"betrokkeneIdentificatie.{name}", Severity.DROPPED, action))
    return {**identificatie, name: ""}


def _adres(
    identificatie: Mapping[str, Any], bezoekadres: str, wanted: bool, found: list[Finding]
) -> dict[str, Any] | None:
    verblijf, buitenland = identificatie.get("verblijfsadres"), identificatie.get("subVerblijfBuitenland")
    if wanted:
        return adressen(verblijf, buitenland, bezoekadres, found)
    groups = (
        ("M14", "verblijfsadres", (verblijf or {}).values()),
        ("M15", "subVerblijfBuitenland", (buitenland or {}).values()),
        ("M16", "bezoekadres", [bezoekadres]),
    )
    action = "niet overgenomen: [mapping] adressen staat dit adres niet toe"
    for rule, name, values in groups:
        if any(values):
            found.append(Finding(rule, f"betrokkeneIdentificatie.{name}", Severity.DROPPED, action))
    return None


def _contact(
    claim: Claim, rol: Mapping[str, Any], eigen_naam: str, settings: Settings, found: list[Finding]
) -> None:
    """Give the claim what the contactpersoonRol says (M21-M24)."""
    given = rol["contactpersoonRol"]
    if any(given.values()):
        overige = settings.overige_adressen == "tonen"
        contact = contact_van(given, rol["uuid"], claim.soort, eigen_naam, found, overige=overige)
        claim.digitaal, claim.contactpersoon = contact.adressen, contact.contactpersoon
        claim.genoemd = contact.genoemd


def _machtiging(
    rol: Mapping[str, Any], claims: list[Claim], deelname: dict[str, Any], found: list[Finding]
) -> None:
    """The rol's part in representation: facts for its zaak, and a claim on whom it acts for (M25, M26)."""
    if claims[0].soort in ACTOR_TYPES:
        action = "een medewerker of organisatorische eenheid is geen partij: geen vertegenwoordiging"
        if rol["indicatieMachtiging"]:
            found.append(Finding("M25", "indicatieMachtiging", Severity.DROPPED, action))
        if vertegenwoordigingen.representee(rol["authenticatieContext"], found):
            found.append(Finding("M26", vertegenwoordigingen.REPRESENTEE, Severity.DROPPED, action))
        return
    named = vertegenwoordigingen.representee(rol["authenticatieContext"], found)
    facts = vertegenwoordigingen.machtiging_facts(rol, named is not None, found)
    if facts is not None:
        deelname["machtiging"] = facts
    if named is not None:
        claims.append(
            Claim(
                vertegenwoordigingen.FACET,
                named.soort,
                [named.key],
                rol["uuid"],
                rol["registratiedatum"],
                identificatoren=[list(named.identificator)],
            )
        )


def _actor(rol: Mapping[str, Any], source: str, settings: Settings, found: list[Finding]) -> Claim:
    """The claim of a medewerker or organisatorische eenheid (M27)."""
    soort = rol["betrokkeneType"]
    identificatie = _zonder_opvulling(rol, "identificatie", settings, found)
    objectid = identificatie.get("identificatie", "")
    contact = rol["contactpersoonRol"]
    claim = Claim(
        "zelf",
        soort,
        identity.actor_keys(soort, objectid, _urls(rol, settings), source, rol["uuid"]),
        rol["uuid"],
        rol["registratiedatum"],
        naam=namen.actornaam(soort, identificatie, rol["afwijkendeNaamBetrokkene"], found),
        afwijkend=namen.only_afwijkend(identificatie, rol["afwijkendeNaamBetrokkene"]),
    )
    if len(objectid) > OBJECTID_LIMIT:
        action = f"langer dan {OBJECTID_LIMIT} tekens: geen actoridentificator"
        found.append(Finding("M27", "betrokkeneIdentificatie.identificatie", Severity.DROPPED, action))
    elif objectid:
        claim.identificatoren.append(["identificatie", objectid])
    claim.adres = _actor_details(soort, contact, found)
    return claim


def _actor_details(soort: str, contact: Mapping[str, str], found: list[Finding]) -> dict[str, str] | None:
    """actorIdentificatie (M27): of a medewerker only complete with functie and telephone."""
    numbers, all_read = telefoonnummers(contact["telefoonnummer"])
    emails = [email for email in emailadressen(contact["emailadres"]) if len(email) <= EMAILADRES_LIMIT]
    telefoon, email = next(iter(numbers), ""), next(iter(emails), "")
    if soort == "medewerker":
        used = {"functie", "telefoonnummer", *(["emailadres"] if email else [])}
        if not (contact["functie"] and telefoon):
            used = set()
        functie = cut_at_word(contact["functie"], 40)
        if functie != contact["functie"] and used:
            found.append(
                Finding("M27", "contactpersoonRol.functie", Severity.ADJUSTED, "ingekort tot 40 tekens")
            )
        details = {"functie": functie, "emailadres": email, "telefoonnummer": telefoon}
    else:
        used = {name for name, value in (("emailadres", email), ("telefoonnummer", telefoon)) if value}
        details = {"omschrijving": "", "emailadres": email, "faxnummer": "", "telefoonnummer": telefoon}
    for name in ("functie", "emailadres", "telefoonnummer", "naam"):
        if contact[name] and name not in used:
            found.append(
                Finding(
                    "M27", f"contactpersoonRol.{name}", Severity.DROPPED, "past niet in actorIdentificatie"
                )
            )
    several = {
        "telefoonnummer": len(numbers) > 1 or (bool(numbers) and not all_read),
        "emailadres": len(emails) > 1,
    }
    for name in sorted(name for name, more in several.items() if more and name in used):
        action = "in actorIdentificatie past er een: het eerste overgenomen"
        found.append(Finding("M27", f"contactpersoonRol.{name}", Severity.DROPPED, action))
    return details if used else None


def _deelname(rol: Mapping[str, Any], claims: list[Claim], found: list[Finding]) -> dict[str, Any]:
    """The Rol's part in the klantcontacten of its zaak (M30, M31)."""
    if not claims:
        return {}
    claim = claims[0]
    deelname = {
        "generiek": rol["omschrijvingGeneriek"],
        "soort": claim.soort,
        "gemachtigde": rol["indicatieMachtiging"] == "gemachtigde",
        "moment": rol["registratiedatum"],
    }
    if claim.soort in ACTOR_TYPES:
        return deelname
    afwijkend = rol["afwijkendeNaamBetrokkene"]
    if claim.soort == "persoon":
        naam = claim.naam or LEGE_NAAM
        if afwijkend:
            naam = {**LEGE_NAAM, "achternaam": _achternaam(afwijkend, "afwijkendeNaamBetrokkene", found)}
        organisatie = ""
    else:
        contact = rol["contactpersoonRol"]["naam"]
        naam = {**LEGE_NAAM, "achternaam": _achternaam(contact, "contactpersoonRol.naam", found)}
        organisatie = claim.naam or ""
    return deelname | {"contactnaam": naam, "organisatienaam": organisatie}


def _achternaam(naam: str, path: str, found: list[Finding]) -> str:
    """The achternaam of a betrokkene's contactnaam (M30)."""
    return fitted(naam, NAAM_LIMIT, "M30", path, found, "ingekort tot {kept} tekens voor de betrokkene")
