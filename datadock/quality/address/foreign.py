"""Tells addresses abroad from French ones: by the country's name, or by a code and city that only fit abroad.

Their lines keep their order, in capitals, the country last. Nothing in them is corrected.
"""

from __future__ import annotations

import re

from datadock.quality.address.words import word_set

_NAMES = {
    "BELGIQUE": "BELGIUM BELGIE BELGIEN BE",
    "SUISSE": "SWITZERLAND SCHWEIZ SVIZZERA CH|CONFEDERATION HELVETIQUE",
    "LUXEMBOURG": "LUXEMBURG LU|GRAND DUCHE DE LUXEMBOURG",
    "ALLEMAGNE": "GERMANY DEUTSCHLAND DE",
    "ITALIE": "ITALY ITALIA IT",
    "ESPAGNE": "SPAIN ESPANA ES",
    "PORTUGAL": "PT",
    "PAYS BAS": "NETHERLANDS NEDERLAND HOLLANDE HOLLAND NL|THE NETHERLANDS",
    "ROYAUME UNI": "UK GB ENGLAND ANGLETERRE SCOTLAND ECOSSE WALES|UNITED KINGDOM|GREAT BRITAIN|GRANDE BRETAGNE|"
    "NORTHERN IRELAND|PAYS DE GALLES",
    "IRLANDE": "IRELAND IE EIRE",
    "ETATS UNIS": "USA US|UNITED STATES|UNITED STATES OF AMERICA|ETATS UNIS D AMERIQUE",
    "CANADA": "CA",
    "AUTRICHE": "AUSTRIA OSTERREICH AT",
    "DANEMARK": "DENMARK DANMARK DK",
    "SUEDE": "SWEDEN SVERIGE SE",
    "NORVEGE": "NORWAY NORGE NO",
    "FINLANDE": "FINLAND SUOMI FI",
    "POLOGNE": "POLAND POLSKA PL",
    "REPUBLIQUE TCHEQUE": "TCHEQUIE CZECHIA|CZECH REPUBLIC",
    "HONGRIE": "HUNGARY MAGYARORSZAG",
    "ROUMANIE": "ROMANIA",
    "BULGARIE": "BULGARIA",
    "GRECE": "GREECE HELLAS GR",
    "TURQUIE": "TURKEY TURKIYE",
    "RUSSIE": "RUSSIA ROSSIJA",
    "UKRAINE": "UA",
    "MAROC": "MOROCCO MA",
    "ALGERIE": "ALGERIA DZ",
    "TUNISIE": "TUNISIA TN",
    "SENEGAL": "SN",
    "COTE D IVOIRE": "CI|IVORY COAST",
    "CAMEROUN": "CAMEROON",
    "MADAGASCAR": "MG",
    "LIBAN": "LEBANON",
    "ISRAEL": "IL",
    "EMIRATS ARABES UNIS": "UAE|UNITED ARAB EMIRATES",
    "CHINE": "CHINA",
    "JAPON": "JAPAN JP",
    "INDE": "INDIA",
    "AUSTRALIE": "AUSTRALIA AU",
    "BRESIL": "BRAZIL BRASIL BR",
    "ARGENTINE": "ARGENTINA",
    "MEXIQUE": "MEXICO",
    "ANDORRE": "ANDORRA AD",
    "SLOVAQUIE": "SLOVAKIA",
    "SLOVENIE": "SLOVENIA",
    "CROATIE": "CROATIA HRVATSKA",
    "SERBIE": "SERBIA",
    "EGYPTE": "EGYPT",
    "VIETNAM": "VIET NAM",
    "MALTE": "MALTA",
    "CHYPRE": "CYPRUS",
    "ISLANDE": "ICELAND",
    "MAURICE": "MAURITIUS|ILE MAURICE",
    "AFRIQUE DU SUD": "SOUTH AFRICA",
    "SINGAPOUR": "SINGAPORE SG",
    "HONG KONG": "HK",
    "THAILANDE": "THAILAND",
    "COREE DU SUD": "KOREA|SOUTH KOREA",
}
"""Printed name of a country: its other names, words apart, those of several words between bars."""

FRANCE = frozenset({"FRANCE", "FR", "FRA", "F", "FRANCE METROPOLITAINE", "REPUBLIQUE FRANCAISE", "FRANKREICH"})
TERRITORIES = word_set(
    "GUADELOUPE MARTINIQUE GUYANE REUNION MAYOTTE MONACO CORSE GP MQ GF RE YT MC PM NC PF WF BL MF"
) | {"LA REUNION", "POLYNESIE FRANCAISE", "NOUVELLE CALEDONIE", "SAINT PIERRE ET MIQUELON", "WALLIS ET FUTUNA"}

_CITIES = {
    "BELGIQUE": "BRUXELLES BRUSSELS BRUSSEL LIEGE ANVERS ANTWERPEN GENT GAND NAMUR CHARLEROI BRUGGE LEUVEN IXELLES "
    "SCHAERBEEK UCCLE TOURNAI",
    "SUISSE": "GENEVE LAUSANNE ZURICH BERN BERNE BASEL NEUCHATEL FRIBOURG SION LUGANO MONTREUX WINTERTHUR NYON",
    "LUXEMBOURG": "LUXEMBOURG ESCH",
}
_PREFIXED = re.compile(r"(?:^| )(B|BE|CH|L|A|AT|DK|NL|P|PT) (\d{4})(?= |$)|^(D|DE|I|IT|E|ES|PL|S) (\d{5})(?= |$)")
_PREFIX_COUNTRY = {
    "B": "BELGIQUE", "BE": "BELGIQUE", "CH": "SUISSE", "L": "LUXEMBOURG", "D": "ALLEMAGNE", "DE": "ALLEMAGNE",
    "I": "ITALIE", "IT": "ITALIE", "E": "ESPAGNE", "ES": "ESPAGNE", "NL": "PAYS BAS", "A": "AUTRICHE",
    "AT": "AUTRICHE", "P": "PORTUGAL", "PT": "PORTUGAL", "DK": "DANEMARK", "S": "SUEDE", "PL": "POLOGNE",
}  # fmt: skip
_FOUR = re.compile(r"(?:^| )(\d{4}) ([A-Z]+)")
_BRITISH = re.compile(r"(?:^| )[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}$")
_CANADIAN = re.compile(r"(?:^| )[A-Z]\d[A-Z] \d[A-Z]\d$")
_AMERICAN = re.compile(r"(?:^| )(?:A[KLRZ]|C[AOT]|DC|DE|FL|GA|HI|I[ADLN]|K[SY]|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|"
                       r"S[CD]|T[NX]|UT|V[AT]|W[AIVY]) \d{5}(?: \d{4})?$")  # fmt: skip


def _countries() -> dict[str, str]:
    found = {}
    for name, others in _NAMES.items():
        single, *several = others.split("|")
        words = single.split() if name not in ("VIETNAM", "AFRIQUE DU SUD") else [single]
        found.update(dict.fromkeys([name, *words, *several], name))
    return found


COUNTRIES = _countries()


def country_of(folded: str) -> str:
    """Give the printed country that a cell names, ``FRANCE`` for France and its territories, empty for none."""
    if folded in FRANCE or folded in TERRITORIES:
        return "FRANCE"
    return COUNTRIES.get(folded, "")


def country_named(folded: str) -> str:
    """The same for a cell of free text, where two letters are no country."""
    if folded in ("FRANCE", "FRANCE METROPOLITAINE") or (folded in TERRITORIES and folded not in ("MONACO", "CORSE")):
        return "FRANCE"
    return COUNTRIES.get(folded, "") if len(folded) > 3 or folded in ("USA", "UK") else ""


def country_guessed(folded: str) -> str:
    """Give the country that the form of a last line speaks for, empty when it may be French."""
    prefixed = _PREFIXED.search(folded)
    if prefixed:
        return _PREFIX_COUNTRY[prefixed[1] or prefixed[3]]
    if _BRITISH.search(folded):
        return "ROYAUME UNI"
    if _CANADIAN.search(folded):
        return "CANADA"
    if _AMERICAN.search(folded):
        return "ETATS UNIS"
    four = _FOUR.search(folded)
    if four:
        return next((country for country, cities in _CITIES.items() if four[2] in cities.split()), "")
    return ""
