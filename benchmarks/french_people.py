"""French people in households, the hard negatives of linking, and the records that a careless company has of them.

The same seed gives the same records. Words and rates are parameters; what linking makes of them is measured by
``benchmarks/french.py``. Nothing here is used by the product.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from french_errors import COLUMNS, LETTERS, Clerk, Habits, Person, Rates, plain

from datadock.demo.reference import load_reference

_PART = 100_000
"""Records that are held as rows at a time, which bounds the memory."""

_TRUTH = {"person": pl.Int64, "household": pl.Int64, "errors": pl.List(pl.String)}


@dataclass
class Makeup:
    """What the people are like."""

    household: float = 0.25
    """Share of households with several people in the file: spouses, children, twins, fathers and sons."""
    namesake: float = 0.02
    """Share of people who bear given and family name of somebody else."""
    same_name_child: float = 0.08
    twin: float = 0.06
    shared_phone: float = 0.25
    shared_email: float = 0.15
    flats: float = 0.3
    """Share of households in a house of many flats."""
    copies: tuple[float, ...] = (0.45, 0.29, 0.14, 0.07, 0.03, 0.013, 0.005, 0.002)
    """Share of people with one record, two, ...: 2.0 records a person."""


@dataclass
class Vocabulary:
    """What names and places are drawn from; words with their weights."""

    men: tuple[list[str], list[float]]
    women: tuple[list[str], list[float]]
    surnames: tuple[list[str], list[float]]
    streets: list[str]
    towns: tuple[list[tuple[str, str]], list[float]]
    providers: tuple[str, ...] = (
        "gmail.com", "orange.fr", "wanadoo.fr", "free.fr", "hotmail.fr", "yahoo.fr", "sfr.fr", "laposte.net",
    )  # fmt: skip

    @classmethod
    def of_the_demo(cls) -> Vocabulary:
        """Take the demo company's words: first names and communes of public registers, surnames and streets."""
        known = load_reference()

        def weighed(words: pl.Series, urn: object) -> tuple[list[str], list[float]]:
            counts = pl.Series(urn).value_counts().sort("")
            return words.gather(counts[""]).to_list(), counts["count"].cast(pl.Float64).to_list()

        communes = pl.Series(known.communes.city.urn).value_counts().sort("")
        towns = list(
            zip(
                known.communes.postcode.gather(communes[""]).to_list(),
                known.communes.city.accented.gather(communes[""]).to_list(),
                strict=True,
            )
        )
        return cls(
            men=weighed(known.men.accented, known.men.urn),
            women=weighed(known.women.accented, known.women.urn),
            surnames=weighed(known.surnames.accented, known.surnames.urn),
            streets=[
                f"{kind} {name}"
                for kind in ("rue", "rue", "rue", "avenue", "boulevard", "chemin", "place", "impasse")
                for name in known.streets.accented.to_list()
            ],
            towns=(towns, communes["count"].cast(pl.Float64).to_list()),
        )


class _Urn:
    """Weighted words, drawn many at a time."""

    def __init__(self, rng: random.Random, words: tuple[list, list[float]]) -> None:
        self.rng, self.words, self.weights, self.stock = rng, words[0], words[1], []

    def draw(self) -> object:
        if not self.stock:
            self.stock = self.rng.choices(self.words, self.weights, k=2_000)
        return self.stock.pop()


class _Country:
    """People in households, drawn one household at a time."""

    def __init__(self, rng: random.Random, words: Vocabulary, makeup: Makeup) -> None:
        self.rng, self.words, self.makeup = rng, words, makeup
        self.men, self.women = _Urn(rng, words.men), _Urn(rng, words.women)
        self.surnames, self.towns = _Urn(rng, words.surnames), _Urn(rng, words.towns)
        self.named: list[tuple[int, str, str, bool]] = []
        self.kin: dict[tuple[int, int], str] = {}
        self.houses: list[dict[str, str]] = []
        self.household = self.count = 0
        self.taken: set[str] = set()

    def settle(self) -> list[Person]:
        """Add one household and return its people."""
        rng, makeup = self.rng, self.makeup
        homes, landline = (self._home(), self._home()), self._phone("0" + rng.choice("12345"))
        self.household += 1
        head = self._person(homes, landline, rng.random() < 0.5, date(1935, 1, 1) + timedelta(rng.randrange(24_000)))
        members = [head]
        if rng.random() < makeup.household:
            born = head.born + timedelta(int(rng.gauss(0, 1_200)))
            members.append(self._partner(head, born))
            for _ in range(rng.choice((0, 0, 1, 1, 2))):
                members.append(self._child(members))
        for one in members[1:]:
            if rng.random() < makeup.shared_phone:
                one.mobiles = head.mobiles
            if rng.random() < makeup.shared_email:
                one.emails = head.emails
        self.named += [(one.number, one.given, one.family, one.female) for one in members]
        return members

    def _person(
        self, homes: tuple[dict[str, str], dict[str, str]], landline: str, female: bool, born: date, **given: str
    ) -> Person:
        rng = self.rng
        self.count += 1
        person = Person(
            self.count, self.household, female,
            given.get("given") or str((self.women if female else self.men).draw()),
            given.get("family") or str(self.surnames.draw()), "", born, homes, landline,
            (self._phone("06"), self._phone(rng.choice(("06", "07")))), ("", ""),
        )  # fmt: skip
        if self.named and not given and rng.random() < self.makeup.namesake:
            number, person.given, person.family, person.female = rng.choice(self.named)
            self.kin[number, person.number] = "namesakes"
        person.emails = (self._email(person), self._email(person))
        return person

    def _partner(self, head: Person, born: date) -> Person:
        female = head.female ^ (self.rng.random() < 0.97)
        one = self._person(head.homes, head.landline, female, born, family=str(self.surnames.draw()))
        wife, husband = (one, head) if one.female else (head, one)
        if wife.female and not husband.female and self.rng.random() < 0.75:
            wife.married = husband.family
        self.kin[head.number, one.number] = "spouses"
        return one

    def _child(self, members: list[Person]) -> Person:
        rng, makeup = self.rng, self.makeup
        head, partner = members[0], members[1]
        father = head if not head.female else partner
        born = max(head.born, partner.born) + timedelta(9_000 + rng.randrange(4_000))
        female, given, kind = rng.random() < 0.5, "", "parent and child"
        if not female and rng.random() < makeup.same_name_child * 2:
            given, kind = father.given, "same name in the family"
        one = self._person(head.homes, head.landline, female, born, family=father.family, given=given)
        for parent in (head, partner):
            self.kin[parent.number, one.number] = kind if parent is father else "parent and child"
        for sibling in members[2:]:
            twins = rng.random() < makeup.twin * 2
            one.born = sibling.born if twins else one.born
            self.kin[sibling.number, one.number] = "twins" if twins else "siblings"
        return one

    def _home(self) -> dict[str, str]:
        rng = self.rng
        if self.houses and rng.random() < self.makeup.flats:
            flat = rng.choice(("", "", f"Appt {rng.randrange(1, 80)}", f"Bât {rng.choice('ABCD')}"))
            return {**rng.choice(self.houses[-200:]), "extra": flat}
        postcode, city = self.towns.draw()  # type: ignore[misc]  # pairs of texts
        line = f"{rng.randrange(1, 150)} {rng.choice(self.words.streets)}"
        home = {"line": line, "postcode": postcode, "city": city, "extra": ""}
        if rng.random() < 0.02:
            self.houses.append(home)
        return home

    def _phone(self, start: str) -> str:
        return start + "".join(self.rng.choices("0123456789", k=8))

    def _email(self, person: Person) -> str:
        rng = self.rng
        given, family = (
            "".join(c for c in plain(name) if c in LETTERS) or "x" for name in (person.given, person.family)
        )
        local = rng.choice((
            f"{given}.{family}", f"{given}{family}", f"{given[0]}{family}", f"{given[0]}.{family}",
            f"{given}{person.born.year % 100:02d}", f"{family}{rng.randrange(1, 1000)}",
            f"{given}.{family}{rng.randrange(1, 99)}",
            "".join(rng.choices(LETTERS, k=7)) + str(rng.randrange(99)),
        ))  # fmt: skip
        email = f"{local}@{rng.choice(self.words.providers)}"
        if email in self.taken:
            email = f"{local}{len(self.taken)}@{rng.choice(self.words.providers)}"
        self.taken.add(email)
        return email


@dataclass(frozen=True)
class Customers:
    """What was generated.

    Attributes:
        records: ``id`` and the columns of a customer file, all text.
        truth: ``id, person, household, errors`` (list of kinds), a row per record.
        kin: ``left, right, kind``: people who are easily taken for one another.
    """

    records: pl.DataFrame
    truth: pl.DataFrame
    kin: pl.DataFrame


def generate(
    records: int,
    seed: int,
    *,
    rates: Rates | None = None,
    makeup: Makeup | None = None,
    habits: Habits | None = None,
    words: Vocabulary | None = None,
) -> Customers:
    """Draw people and their records until there are enough.

    Args:
        records: Number of records; the last person's may go a little beyond.
        seed: The same seed gives the same records.
        rates: How often each error strikes.
        makeup: What people are like.
        habits: What records hold.
        words: What they are named after; the demo company's by default.
    """
    rng = random.Random(seed)
    makeup = makeup or Makeup()
    country = _Country(rng, words or Vocabulary.of_the_demo(), makeup)
    clerk = Clerk(rng, habits or Habits(), rates or Rates())
    rows: list[dict[str, str | None]] = []
    true: list[tuple[int, int, list[str]]] = []
    told, truth, written = [], [], 0
    sizes = range(1, len(makeup.copies) + 1)
    while written < records:
        for person in country.settle():
            for _ in range(rng.choices(sizes, makeup.copies)[0]):
                row, errors = clerk.write(person)
                rows.append(row)
                true.append((person.number, person.household, errors))
                written += 1
        if len(rows) >= _PART or written >= records:
            told.append(pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String)))
            truth.append(pl.DataFrame(true, schema=_TRUTH, orient="row"))
            rows, true = [], []
    order = list(range(written))
    rng.shuffle(order)
    number = pl.Series("id", [f"{10_000_000 + place}" for place in range(written)])
    return Customers(
        pl.concat(told)[order].insert_column(0, number),
        pl.concat(truth)[order].insert_column(0, number),
        pl.DataFrame(
            [(left, right, kind) for (left, right), kind in country.kin.items()],
            schema={"left": pl.Int64, "right": pl.Int64, "kind": pl.String},
            orient="row",
        ),
    )
