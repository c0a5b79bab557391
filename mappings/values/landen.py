"""From what the legacy calls a country to its ISO 3166-1 alpha-2 code (M15)."""

from __future__ import annotations

import gettext
import unicodedata
from functools import cache
from typing import Final

import pycountry
from babel import Locale

# Codes of the national Landentabel. It is the last resort: for names that no library knows, such as
# spellings of that table itself. Only countries that still exist, so no code has two answers.
LANDENTABEL: Final = {
    "5001": "CA",
    "5002": "FR",
    "5003": "CH",
    "5006": "CU",
    "5007": "SR",
    "5008": "TN",
    "5009": "AT",
    "5010": "BE",
    "5012": "IR",
    "5013": "NZ",
    "5014": "ZA",
    "5015": "DK",
    "5017": "HU",
    "5018": "SA",
    "5020": "ET",
    "5021": "CL",
    "5022": "MA",
    "5024": "GH",
    "5027": "PH",
    "5033": "CO",
    "5034": "AL",
    "5037": "SG",
    "5039": "SE",
    "5040": "CY",
    "5043": "IQ",
    "5049": "SI",
    "5051": "HR",
    "5053": "RU",
    "6002": "FI",
    "6003": "GR",
    "6005": "NG",
    "6007": "IE",
    "6008": "BR",
    "6010": "VE",
    "6011": "IS",
    "6012": "LI",
    "6013": "SO",
    "6014": "US",
    "6016": "AU",
    "6018": "LU",
    "6022": "CN",
    "6023": "AF",
    "6024": "ID",
    "6027": "NO",
    "6029": "DE",
    "6030": "NL",
    "6034": "IL",
    "6037": "ES",
    "6038": "UA",
    "6039": "GB",
    "6042": "JO",
    "6043": "TR",
    "6047": "DZ",
    "6065": "BA",
    "6066": "CZ",
    "6067": "SK",
    "7003": "MT",
    "7006": "MX",
    "7009": "SY",
    "7014": "EG",
    "7015": "AR",
    "7020": "PK",
    "7024": "BG",
    "7028": "PL",
    "7035": "JP",
    "7042": "TH",
    "7043": "LB",
    "7044": "IT",
    "7046": "IN",
    "7047": "RO",
    "7050": "PT",
}


# What people and the Landentabel call countries that no library knows by that name: parts of a country, earlier names
# of one that still exists, abbreviations.
NAMEN: Final = {
    "Groot-Brittannië": "GB",
    "Groot-Brittannië en Noord-Ierland": "GB",
    "Engeland": "GB",
    "Schotland": "GB",
    "Wales": "GB",
    "Noord-Ierland": "GB",
    "UK": "GB",
    "VK": "GB",
    "Great Britain": "GB",
    "Holland": "NL",
    "Russische Federatie": "RU",
    "Republiek Ierland": "IE",
    "Ierse Republiek": "IE",
    "Bondsrepubliek Oostenrijk": "AT",
    "Federale Republiek Duitsland": "DE",
    "Bosnië": "BA",
    "Bosnië-Herzegovina": "BA",
    "Slovakije": "SK",
    "Slowaakse Republiek": "SK",
    "Tsjechische Republiek": "CZ",
    "Macedonië": "MK",
    "Moldova": "MD",
    "Kirgizstan": "KG",
    "Birma": "MM",
    "Burma": "MM",
    "Ceylon": "LK",
    "Boven-Volta": "BF",
    "Zaïre": "CD",
    "Swaziland": "SZ",
    "Kaapverdische Eilanden": "CV",
    "Marocco": "MA",
    "Saudi-Arabië": "SA",
    "Syrische Arabische Republiek": "SY",
    "Sudan": "SD",
    "Zuid-Sudan": "SS",
    "VAE": "AE",
    "VS": "US",
    "USA": "US",
    "Palestina": "PS",
    "Timor-Leste": "TL",
    "Filippijnen": "PH",
    "Bonaire": "BQ",
}
# Names in the languages that addresses come in most, beside the Dutch ones; the first that has a name counts.
TALEN: Final = ("en", "de", "fr", "es", "it", "pt", "tr", "pl")


def landcode(naam: str, code: str) -> str | None:
    """Give the ISO 3166-1 alpha-2 code of a country, or None when neither name nor code is known.

    In: the name, common or official, Dutch or in another language, in any case and with or without accents, hyphens
    and spaces; and the 4-digit code of the Landentabel or the ISO code, asked only when the name is not known (M15).
    Territories outside ISO 3166-1 (Kosovo) are not known: the served API would refuse their code.
    """
    return _codes_by_name().get(_comparable(naam)) or land_van_code(code)


def land_van_code(code: str) -> str | None:
    """Give the ISO 3166-1 alpha-2 code for a code of the Landentabel or for itself; None when it is neither (M15)."""
    code = code.strip().upper()
    if len(code) == 2 and pycountry.countries.get(alpha_2=code):
        return code
    return LANDENTABEL.get(code)


@cache
def _codes_by_name() -> dict[str, str]:
    babel_names = Locale("nl").territories
    dutch = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["nl"])
    codes: dict[str, str] = {}
    # Common names first, over all countries: they win where an official name looks like another's common one.
    for country in pycountry.countries:
        codes.setdefault(_comparable(babel_names.get(country.alpha_2, "")), country.alpha_2)
    for attribute in ("common_name", "name", "official_name"):
        for country in pycountry.countries:
            name = getattr(country, attribute, "")
            if name:
                translated = dutch.gettext(name)
                codes.setdefault(_comparable(translated), country.alpha_2)
                codes.setdefault(_comparable(_uninverted(translated)), country.alpha_2)
    for name, code in NAMEN.items():
        codes.setdefault(_comparable(name), code)
    for taal in TALEN:
        names = Locale(taal).territories
        for country in pycountry.countries:
            codes.setdefault(_comparable(names.get(country.alpha_2, "")), country.alpha_2)
    for attribute in ("common_name", "name", "official_name"):
        for country in pycountry.countries:
            codes.setdefault(_comparable(getattr(country, attribute, "")), country.alpha_2)
    codes.pop("", None)
    return codes


def _uninverted(name: str) -> str:
    """Give "Congo, Democratische Republiek" as people write it: "Democratische Republiek Congo"."""
    head, _, tail = name.partition(", ")
    return f"{tail} {head}"


def _comparable(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in decomposed if character.isalnum())
