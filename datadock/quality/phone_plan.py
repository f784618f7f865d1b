"""The French numbering plan: what a national number of nine digits is, and where its country code is taken.

Rules of kind follow ARCEP decision 2022-1583; the region of an overseas number comes from ARCEP's table of
ranges, or from its prefix where the table knows no range. Numbers abroad are left to ``phonenumbers``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from datadock.quality.contact_tables import number_blocks

COUNTRY_CODES = {"FR": "33", "GP": "590", "GF": "594", "MQ": "596", "RE": "262", "YT": "262", "PM": "508"}
SAINT_PIERRE = COUNTRY_CODES["PM"]
OVERSEAS_CODES = frozenset(("590", "594", "596", "262", "508"))

MOBILE, FIXED, VERSATILE, VERIFIED = "mobile", "fixe", "polyvalent", "polyvalent_verifie"
FREE_SERVICE, PLAIN_SERVICE, PAID_SERVICE = "service_gratuit", "service_banalise", "service_surtaxe"
SHORT, MACHINE, FIXED_OR_MOBILE, SERVICE = "numero_court", "machine", "fixe_ou_mobile", "service"

AUTOMATED = (
    "162", "163", "270", "271", "377", "378", "424", "425", "568", "569", "948", "949",
    "9475", "9476", "9477", "9478", "9479",
)  # fmt: skip
"""Leading digits of numbers kept for automated callers, mainland and overseas."""

FICTIONAL = ("19900", "26191", "35301", "46571", "53649", "63998")
"""Leading digits of numbers that ARCEP keeps for films and books: nobody ever answers."""

_NEVER_OPENED = ("40", "5080")
_PREFIX_REGIONS = {
    "262": "RE", "263": "RE", "269": "YT", "508": "PM", "590": "GP", "594": "GF", "596": "MQ",
    "639": "YT", "690": "GP", "691": "GP", "692": "RE", "693": "RE", "694": "GF", "696": "MQ", "697": "MQ",
    "5987": "GP", "5988": "GF", "5989": "MQ", "2689": "YT", "2688": "RE",
    "7080": "PM", "7084": "PM", "7085": "PM", "7090": "GP", "7091": "MQ", "7092": "RE", "7093": "GF",
    "9475": "GP", "9476": "GF", "9477": "MQ", "9478": "YT", "9479": "RE",
}  # fmt: skip
_SERVICES = (
    (FREE_SERVICE, re.compile(r"80[0-5]")),
    (PLAIN_SERVICE, re.compile(r"80[6-9]")),
    (PAID_SERVICE, re.compile(r"81|82|83|84|85|86|88|89")),
)
_SHORT = re.compile(r"1[0-9]|1[0-9]{2}|10[0-9]{2}|3[0-9]{3}|11[68][0-9]{3}")
RUN = 9
"""Digits that follow each other up or down in a made-up number; eight in a row are met in real ones."""
RUNS = frozenset(
    digits[place : place + RUN] for digits in ("0123456789" * 2, "9876543210" * 2) for place in range(len(digits) - RUN)
)
MADE_UP = frozenset(
    ["01020304", "02030405", "04030201", "05040302"]
    + ["".join(str(digit) * 2 for digit in range(first, first + 4 * step, step)) for first, step in
       [(first, 1) for first in range(7)] + [(first, -1) for first in range(3, 10)]]
)  # fmt: skip
"""Eight last digits that count in pairs: 01 02 03 04, 11 22 33 44."""


class Plan(NamedTuple):
    """What the plan says of a national number.

    Attributes:
        kind: One of the kinds above; empty where the plan has no such number.
        region: Country of the country code (``FR``, ``GP``, ``RE`` ...).
        operator: Operator that the range was given to; None where the table knows no such range.
        refusal: Detail code where ``kind`` says no person can be reached.
    """

    kind: str
    region: str = "FR"
    operator: str | None = None
    refusal: str = ""

    @property
    def exists(self) -> bool:
        """Whether a call can reach such a number."""
        return not self.refusal


def plan_of(national: str) -> Plan:
    """Tell what nine digits, without the trunk zero, are in the French plan."""
    kind, refusal = _kind(national)
    if refusal:
        return Plan(kind, refusal=refusal)
    blocks = number_blocks()
    for length in (5, 6, 4, 7, 3):
        block = blocks.get(national[:length])
        if block is not None:
            return Plan(kind, block.region, block.operator)
    region = _PREFIX_REGIONS.get(national[:4]) or _PREFIX_REGIONS.get(national[:3]) or "FR"
    return Plan(kind, region)


def _kind(national: str) -> tuple[str, str]:
    """Give kind and refusal of a national number."""
    first = national[0]
    if national.startswith(AUTOMATED):
        return VERIFIED, ""
    if first in "12345":
        return ("", "TRANCHE_FERMEE") if national.startswith(_NEVER_OPENED) else (FIXED, "")
    if first == "6" or (first == "7" and national[1] in "3456789"):
        return MOBILE, ""
    if first == "7":
        return _seven_zero(national)
    if first == "8":
        return next(((kind, "") for kind, start in _SERVICES if start.match(national)), ("", "TRANCHE_FERMEE"))
    return (VERSATILE, "") if first == "9" else ("", "NUMERO_INVALIDE")


def _seven_zero(national: str) -> tuple[str, str]:
    """Settle 070 to 072: machines, a few overseas mobiles, the rest not opened."""
    if national.startswith(("708", "709")):
        opened = national[:4] in _PREFIX_REGIONS
        return (MOBILE, "") if opened else ("", "TRANCHE_FERMEE")
    return (MACHINE, "NUMERO_DE_MACHINE") if national.startswith("700") else ("", "TRANCHE_FERMEE")


def e164(national: str, region: str) -> str:
    """Write a national number in international form; Saint-Pierre's fixed numbers keep their last six digits."""
    if region == "PM" and national.startswith(SAINT_PIERRE):
        return f"+{SAINT_PIERRE}{national[len(SAINT_PIERRE) :]}"
    return f"+{COUNTRY_CODES[region]}{national}"


def is_short(digits: str) -> bool:
    """Tell whether digits are a short number (emergency, information, four-digit services)."""
    return _SHORT.fullmatch(digits) is not None


def doubt(national: str) -> str:
    """Give the detail code of a number that looks made up, empty for any other.

    Repeated: seven of the last eight digits the same in a row, or one pair four times. Sequential: the whole
    number climbs or falls, or its pairs do (01 02 03 04 05, 06 11 22 33 44).
    """
    if national.startswith(FICTIONAL):
        return "NUMERO_FICTIF"
    last = national[1:]
    if last[2:] == last[1:-1] or last[:-2] == last[1:-1] or last[2:] == last[:-2]:
        return "CHIFFRES_REPETES"
    if last in MADE_UP or ("0" + national)[:RUN] in RUNS or national in RUNS:
        return "CHIFFRES_EN_SUITE"
    return ""
