"""The damager of the address benchmark: the listed ways of writing an address worse, the same for the same seed.

Its vocabulary and its rates are parameters.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from datadock.quality.address import AddressInput
from datadock.quality.fold import fold


@dataclass
class Vocabulary:
    """What the damager writes; replaced by a JSON file with the same keys."""

    complements: list[str] = field(
        default_factory=lambda: [
            "Appt {n}", "appartement {n}", "Apt {n}{l}", "Bât {l}", "Bâtiment {l}", "bat. {l}", "Esc. {l}",
            "Escalier {n}",
            "{n}e étage", "{n}ème étage", "Résidence les Tilleuls", "Rés. du Parc", "Résidence {s}",
            "Immeuble le Mermoz",
            "Immeuble {l}", "Entrée {l}", "Tour {l}", "Porte {n}", "Chez M. {s}", "Chez Mme {s}", "Bât {l} Appt {n}",
            "Résidence {s} Bât {l}", "Esc {l} Porte {n}", "Logement {n}", "RDC", "1er étage", "Hall {l}", "BAL {n}",
            "Appt {n} {n}e étage", "Lotissement les {s}",
        ]
    )  # fmt: skip
    surnames: list[str] = field(
        default_factory=lambda: [
            "Martin",
            "Durand",
            "Petit",
            "Leroy",
            "Moreau",
            "Garnier",
            "Roux",
            "Lambert",
            "Acacias",
        ]
    )
    boxes: list[str] = field(default_factory=lambda: ["BP {b}", "B.P. {b}", "CS {c}", "BP n° {b}"])
    types: dict[str, str] = field(
        default_factory=lambda: {
            "rue": "r.", "avenue": "av", "boulevard": "bd", "place": "pl", "chemin": "che", "route": "rte",
            "impasse": "imp", "allée": "all",
        }
    )  # fmt: skip


@dataclass
class Rates:
    """How often each free-text damage strikes one address."""

    abbreviated: float = 0.3
    lower: float = 0.4
    no_comma: float = 0.6
    accents_lost: float = 0.3
    letter_lost: float = 0.05
    code_lost: float = 0.0


@dataclass(frozen=True)
class TownHall:
    """One published address."""

    street: str
    code: str
    city: str
    insee: str


class Damager:
    """Makes damaged forms of an address, the same for the same seed."""

    def __init__(self, seed: int, vocabulary: Vocabulary, rates: Rates) -> None:
        self.random = random.Random(seed)
        self.vocabulary = vocabulary
        self.rates = rates

    def complement(self) -> str:
        """Write one complement."""
        text = self.random.choice(self.vocabulary.complements)
        return text.format(
            n=self.random.randint(1, 40), l=self.random.choice("ABCDEF"), s=self.random.choice(self.vocabulary.surnames)
        )

    def box(self) -> str:
        """Write one post-office box."""
        text = self.random.choice(self.vocabulary.boxes)
        return text.format(b=self.random.randint(1, 90999), c=self.random.randint(10000, 99999))

    def swapped(self, city: str) -> str:
        """Swap two letters of a city."""
        places = [at for at in range(1, len(city) - 1) if city[at : at + 2].isalpha() and city[at] != city[at + 1]]
        if not places:
            return city
        at = self.random.choice(places)
        return city[:at] + city[at + 1] + city[at] + city[at + 2 :]

    def wrong_digit(self, code: str) -> str:
        """Change one digit of a code."""
        at = self.random.randrange(5)
        return code[:at] + self.random.choice([d for d in "0123456789" if d != code[at]]) + code[at + 1 :]

    def free(self, hall: TownHall) -> str:
        """Write an address as people type it."""
        street = hall.street
        if self.random.random() < self.rates.abbreviated:
            for long, short in self.vocabulary.types.items():
                street = re.sub(rf"\b{long}\b", short, street, count=1)
        code = "" if self.random.random() < self.rates.code_lost else hall.code
        comma = " " if self.random.random() < self.rates.no_comma else ", "
        text = f"{street}{comma}{code} {hall.city}".replace("  ", " ")
        if self.random.random() < self.rates.accents_lost:
            text = fold(text) if self.random.random() < 0.3 else pl.Series([text]).str.normalize("NFD").str.replace_all(
                r"\p{M}", "").item()  # fmt: skip
        if self.random.random() < self.rates.lower:
            text = text.lower()
        if self.random.random() < self.rates.letter_lost:
            at = self.random.randrange(len(text))
            text = text[:at] + text[at + 1 :]
        return text


def damages(damager: Damager) -> dict[str, Callable[[TownHall], AddressInput | str]]:
    """Give the listed ways of writing one address."""
    d = damager
    return {
        "two lines": lambda h: AddressInput((h.street, f"{h.code} {h.city}")),
        "columns": lambda h: AddressInput(street=h.street, postal_code=h.code, city=h.city),
        "one line": lambda h: f"{h.street} {h.code} {h.city}",
        "complement before": lambda h: f"{d.complement()} {h.street} {h.code} {h.city}",
        "complement after": lambda h: f"{h.street} {d.complement()} {h.code} {h.city}",
        "BP on the line": lambda h: f"{h.street} {d.box()} {h.code} {h.city}",
        "reordered": lambda h: f"{h.code} {h.city} {h.street}",
        "city swapped": lambda h: f"{h.street} {h.code} {d.swapped(h.city)}",
        "one digit wrong": lambda h: f"{h.street} {d.wrong_digit(h.code)} {h.city}",
        "code missing": lambda h: f"{h.street} {h.city}",
    }
