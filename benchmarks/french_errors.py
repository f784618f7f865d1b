"""The clerk of the French benchmark: records of people as they truly are, struck by twelve kinds of error.

Who the people are is ``french_people.py``'s. Rates and habits are parameters; each record tells what struck it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date

from datadock.demo.alter import JUNK_EMAILS, JUNK_NAMES, JUNK_PHONES, NICKNAMES

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SOUNDS = (
    ("ph", "f"), ("eau", "au"), ("au", "o"), ("ault", "aud"), ("ck", "k"), ("qu", "k"), ("c", "k"), ("ss", "s"),
    ("ll", "l"), ("nn", "n"), ("tt", "t"), ("rr", "r"), ("th", "t"), ("y", "i"), ("ai", "e"), ("en", "an"),
    ("in", "ain"), ("z", "s"), ("ier", "ié"), ("h", ""), ("l", "ll"), ("n", "nn"), ("t", "tt"), ("m", "mm"),
)  # fmt: skip
"""Ways to spell what one hears otherwise, the most particular first."""


@dataclass
class Rates:
    """How often a record is struck by each kind of error, where it can be."""

    typo: float = 0.12
    sound: float = 0.06
    swapped_date: float = 0.02
    wrong_date: float = 0.03
    nickname: float = 0.05
    compound: float = 0.25
    inverted: float = 0.015
    married: float = 0.3
    moved: float = 0.12
    new_contact: float = 0.12
    missing: float = 0.1
    junk: float = 0.02


ERRORS = tuple(item.name for item in fields(Rates))


@dataclass
class Habits:
    """What the clerk's records hold, errors apart."""

    known: dict[str, float] = field(
        default_factory=lambda: {
            "birth_date": 0.8, "email": 0.65, "mobile": 0.7, "phone": 0.4, "address": 0.95, "civility": 0.9,
        }
    )  # fmt: skip
    """Share of records that hold each thing."""
    double_name: float = 0.25
    """Share of the women known by another name than their husband's who bear both."""
    shop_phone: float = 0.002
    """Share of records that hold the phone and e-mail of one of a handful of shops."""
    capitals: float = 0.3
    nicknames: dict[str, str] = field(default_factory=lambda: dict(NICKNAMES))


@dataclass
class Person:
    """One person, as they truly are."""

    number: int
    household: int
    female: bool
    given: str
    family: str
    married: str
    born: date
    homes: tuple[dict[str, str], dict[str, str]]
    landline: str
    mobiles: tuple[str, str]
    emails: tuple[str, str]


def plain(text: str) -> str:
    """Return text in small letters without accents."""
    return text.lower().translate(str.maketrans("àâäçéèêëîïôöùûüÿñ", "aaaceeeeiioouuuyn"))


COLUMNS = (
    "civility", "given_name", "family_name", "birth_name", "birth_date", "email", "phone", "mobile", "address_line",
    "address_extra", "postcode", "city",
)  # fmt: skip


class Clerk:
    """Writes records of people, each with its errors."""

    def __init__(self, rng: random.Random, habits: Habits, rates: Rates) -> None:
        self.rng, self.habits, self.rates = rng, habits, rates
        self.shops = [
            (f"0{rng.randrange(1, 5)}{rng.randrange(10**7, 10**8)}", f"magasin{n}@boutique.fr") for n in range(5)
        ]

    def write(self, person: Person) -> tuple[dict[str, str | None], list[str]]:
        """Write one record; return it and the kinds of error that struck."""
        rng, rates, known = self.rng, self.rates, self.habits.known
        struck: list[str] = []

        def strikes(kind: str) -> bool:
            if rng.random() < getattr(rates, kind):
                struck.append(kind)
                return True
            return False

        new, moved = strikes("new_contact"), strikes("moved")
        home = person.homes[moved]
        row: dict[str, str | None] = {
            "civility": "Mme" if person.female else "M.",
            "given_name": person.given,
            "family_name": person.married or person.family,
            "birth_name": person.family if person.married and rng.random() < 0.3 else None,
            "birth_date": None,
            "email": person.emails[new],
            "phone": person.landline,
            "mobile": person.mobiles[new],
            "address_line": home["line"],
            "address_extra": home["extra"] or None,
            "postcode": home["postcode"],
            "city": home["city"],
        }
        born = person.born
        if person.married and strikes("married"):
            row["family_name"], row["birth_name"] = person.family, None
            if rng.random() < self.habits.double_name:
                row["family_name"] = f"{person.married}-{person.family}"
        self._names(row, strikes)
        if strikes("wrong_date"):
            born = _slipped(born, rng)
        row["birth_date"] = born.strftime(rng.choice(("%d/%m/%Y", "%d/%m/%Y", "%Y-%m-%d")))
        if born.day <= 12 and born.day != born.month and strikes("swapped_date"):
            row["birth_date"] = f"{born.month:02d}/{born.day:02d}/{born.year}"
        for name in ("birth_date", "email", "phone", "mobile", "civility"):
            row[name] = row[name] if rng.random() < known[name] else None
        if rng.random() > known["address"]:
            row |= dict.fromkeys(("address_line", "address_extra", "postcode", "city"))
        self._contact(row, strikes)
        if rng.random() < self.habits.capitals:
            typed = [name for name in row if name.endswith(("_name", "line", "city"))]
            row |= {name: plain(str(row[name])).upper() for name in typed if row[name]}
        return row, struck

    def _names(self, row: dict[str, str | None], strikes: Callable[[str], bool]) -> None:
        rng = self.rng
        given, family = str(row["given_name"]), str(row["family_name"])
        if "-" in given and strikes("compound"):
            given = rng.choice((given.split("-")[0], given.replace("-", " "), given.replace("-", "")))
        if given in self.habits.nicknames and strikes("nickname"):
            given = rng.choice((self.habits.nicknames[given], given[0] + "."))
        if strikes("typo"):
            which = rng.random()
            if which < 0.35:
                given = mistyped(given, rng)
            elif which < 0.75:
                family = mistyped(family, rng)
            else:
                row["address_line"] = mistyped(str(row["address_line"]), rng)
        if strikes("sound"):
            given, family = (misheard(given, rng), family) if rng.random() < 0.4 else (given, misheard(family, rng))
        if strikes("inverted"):
            given, family = family, given
        row["given_name"], row["family_name"] = given, family

    def _contact(self, row: dict[str, str | None], strikes: Callable[[str], bool]) -> None:
        rng = self.rng
        if strikes("missing"):
            for name in rng.sample(("given_name", "birth_date", "email", "mobile", "address_line", "postcode"), k=2):
                row[name] = None
        if strikes("junk"):
            which = rng.choice(("mobile", "email", "family_name", "mobile"))
            row[which] = rng.choice({"mobile": JUNK_PHONES, "email": JUNK_EMAILS, "family_name": JUNK_NAMES}[which])
        if rng.random() < self.habits.shop_phone:
            row["phone"], row["email"] = rng.choice(self.shops)


def mistyped(text: str, rng: random.Random) -> str:
    """Lose, double, replace or swap one letter."""
    if len(text) < 3:
        return text
    at = rng.randrange(1, len(text) - 1)
    return rng.choice((
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[:at] + rng.choice(LETTERS) + text[at + 1 :],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    ))  # fmt: skip


def misheard(text: str, rng: random.Random) -> str:
    """Spell one sound otherwise."""
    possible = [(old, new) for old, new in _SOUNDS if old in text.lower()[1:]]
    if not possible:
        return text
    old, new = rng.choice(possible)
    at = text.lower().index(old, 1)
    return text[:at] + new + text[at + len(old) :]


def _slipped(day: date, rng: random.Random) -> date:
    """Return a date with another digit, of the year or of the day."""
    shifted = rng.choice((
        lambda: day.replace(year=day.year + rng.choice((-10, -1, 1, 10))),
        lambda: day.replace(day=(day.day + rng.choice((-1, 1, 9, -9))) % 28 + 1),
        lambda: day.replace(month=day.month % 12 + 1),
    ))  # fmt: skip
    try:
        return shifted()
    except ValueError:  # the 29th, 30th or 31st of a shorter month
        return day.replace(day=1)
