"""The world as it truly is: people in households at addresses, with their ways to be reached; companies; stores.

Everything is an array with one place per person, household or dwelling. How a feed sees them is ``views``'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from datadock.demo.companies import Companies, Stores, build_companies, build_stores
from datadock.demo.contact_points import Bearers, build_emails, build_landlines, build_mobiles
from datadock.demo.damage import Damage
from datadock.demo.reference import Reference, load_reference
from datadock.demo.streams import Ints, Mask, Rng, chance, stream

I32 = NDArray[np.int32]

REFERENCE_DAY = 20361
"""Day of the first delivery, 2025-09-30, in days since 1970: dates never depend on the clock."""

NEVER = np.iinfo(np.int32).max

_SIZES = np.cumsum([0.37, 0.33, 0.13, 0.12, 0.05])
_YOUNGEST = 16


@dataclass(frozen=True)
class Dwellings:
    """Addresses: commune, number and street, as indices into the reference tables."""

    commune: I32
    number: I32
    street_type: I32
    street: I32


@dataclass(frozen=True)
class Households:
    """Households: where they live, where they lived before, their landline."""

    dwelling: Ints
    old_dwelling: Ints
    moved_on: I32
    extra: pl.Series
    landline: pl.Series
    joint: Mask
    store: Ints


@dataclass(frozen=True)
class People:
    """People: names as indices into the reference tables (-1: none), birth day, household and place in it."""

    number: Ints
    female: Mask
    given: I32
    family: I32
    married_to: I32
    double_name: Mask
    born: I32
    household: Ints
    place: I32
    couple: Mask
    email: pl.Series
    email_2: pl.Series
    owns_email: Mask
    mobile: pl.Series
    employer: Ints


@dataclass(frozen=True)
class World:
    """One delivery's world: what is true of its people, their households, companies and stores."""

    reference: Reference
    people: People
    households: Households
    dwellings: Dwellings
    companies: Companies
    stores: Stores

    @property
    def size(self) -> int:
        """Number of people."""
        return len(self.people.number)

    def dwelling_at(self, household: Ints, when: I32) -> Ints:
        """Return where households lived on given days."""
        home = self.households
        return np.where(when >= home.moved_on[household], home.dwelling[household], home.old_dwelling[household])


def build_world(people: int, seed: int, damage: Damage, delivery: int = 1, first: int = 0) -> World:
    """Build the people who first appear in a delivery.

    Args:
        people: How many.
        seed: Seed of the world.
        damage: Gives the rates of moves, twins, homonyms and shared contact points.
        delivery: Number of the delivery; each has its own people.
        first: Number of the first person; ranges of deliveries must not overlap.
    """
    reference = load_reference()
    rng = stream(seed, delivery, "people")
    household, place, size = _compose(people, rng)
    count = int(household[-1]) + 1
    stores = build_stores(max(8, min(people // 10_000, 300)), reference, stream(seed, 1, "stores"))
    dwellings, households = _settle(count, damage, reference, len(stores.code), stream(seed, delivery, "homes"), first)
    drawn = _describe(household, place, size, damage, reference, rng)
    companies = build_companies(max(3, people // 50), reference, stream(seed, delivery, "companies"), first)
    persons = replace(
        drawn,
        number=first + np.arange(people, dtype=np.int64),
        employer=_employ(len(companies.siren), people, rng),
    )
    persons = _reachable(persons, damage, reference, stream(seed, delivery, "points"), first, delivery)
    return World(reference, persons, households, dwellings, companies, stores)


def move_some(world: World, share: float, seed: int, delivery: int, day: int) -> tuple[World, Mask]:
    """Let a share of the households move in the week before ``day``.

    Returns:
        The changed world, and which households moved.
    """
    rng = stream(seed, delivery, "moving")
    home = world.households
    moved = chance(rng, share, len(home.dwelling))
    fresh = _dwellings(int(moved.sum()), world.reference, rng)
    joined = Dwellings(
        *(
            np.concatenate([old, new])
            for old, new in zip(vars(world.dwellings).values(), vars(fresh).values(), strict=True)
        )
    )
    place = home.dwelling.copy()
    place[moved] = len(world.dwellings.commune) + np.arange(int(moved.sum()))
    moved_on = np.where(moved, day - 7, home.moved_on).astype(np.int32)
    old = np.where(moved, home.dwelling, home.old_dwelling)
    changed = replace(home, dwelling=place, old_dwelling=old, moved_on=moved_on)
    return replace(world, households=changed, dwellings=joined), moved


def _compose(people: int, rng: Rng) -> tuple[Ints, I32, I32]:
    """Return household, place in it, and its size, for each person."""
    sizes = np.searchsorted(_SIZES, rng.random(people), side="right").clip(0, 4) + 1
    ends = np.cumsum(sizes)
    count = int(np.searchsorted(ends, people)) + 1
    sizes = sizes[:count]
    sizes[-1] -= int(ends[count - 1]) - people
    household = np.repeat(np.arange(count), sizes)
    place = np.arange(people) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return household, place.astype(np.int32), np.repeat(sizes, sizes).astype(np.int32)


def _settle(
    count: int, damage: Damage, reference: Reference, stores: int, rng: Rng, first: int
) -> tuple[Dwellings, Households]:
    dwellings = _dwellings(2 * count, reference, rng)
    own = np.arange(count)
    shared_house = chance(rng, 0.3, count)
    home = np.where(shared_house, rng.integers(0, max(1, count // 25), count), own)
    moved = chance(rng, damage.move, count)
    days = REFERENCE_DAY - rng.integers(30, 1800, count)
    floors = pl.Series(
        [f"Appt {n}" for n in range(1, 60)] + [f"Bât {c}" for c in "ABCDEF"] + ["Résidence du Parc", "2e étage"]
    )
    extra = floors.gather(rng.integers(0, len(floors), count)).set(
        pl.Series(~(shared_house & chance(rng, 0.7, count)) & ~chance(rng, 0.05, count)), None
    )
    department = reference.communes.postcode.str.slice(0, 2).gather(dwellings.commune[home])
    return dwellings, Households(
        dwelling=home,
        old_dwelling=np.where(moved, count + own, home),
        moved_on=np.where(moved, days, 0).astype(np.int32),
        extra=extra,
        landline=build_landlines(department, rng, first).set(pl.Series(~chance(rng, 0.5, count)), None),
        joint=chance(rng, 0.12, count),
        store=rng.integers(0, stores, count),
    )


def _dwellings(count: int, reference: Reference, rng: Rng) -> Dwellings:
    number = (rng.random(count) ** 2 * 180).astype(np.int32) + 1
    return Dwellings(
        commune=reference.communes.city.draw(rng, count),
        number=number,
        street_type=reference.street_types.draw(rng, count),
        street=reference.streets.draw(rng, count),
    )


def _describe(household: Ints, place: I32, size: I32, damage: Damage, reference: Reference, rng: Rng) -> People:
    """Draw sex, names and birth days; the head stands first in a household, a partner second, then the children."""
    people = len(household)
    head = np.flatnonzero(place == 0)
    couple = (chance(rng, 0.85, len(head)) & (size[head] > 1))[household]
    partner = couple & (place == 1)
    child = (place > 0) & ~partner
    female = chance(rng, 0.52, people)
    mixed = chance(rng, 0.97, people)
    female = np.where(partner, female[head][household] ^ mixed, female)
    family = reference.surnames.draw(rng, people)
    given = np.where(
        female,
        len(reference.men.accented) + reference.women.draw(rng, people),
        reference.men.draw(rng, people),
    ).astype(np.int32)
    family, given = _homonyms(family, given, female, (place == 0), damage.homonym, rng)
    married_to, double_name = _marry(family, female, couple, head, household, partner, rng)
    father = np.where(couple & female[head][household], np.minimum(head[household] + 1, people - 1), head[household])
    family = np.where(child, family[father], family).astype(np.int32)
    parent = np.where(female == female[head][household], head[household], np.minimum(head[household] + 1, people - 1))
    named_after = child & chance(rng, damage.same_name_child, people) & (female == female[parent])
    given = np.where(named_after, given[parent], given)
    none = pl.Series([None], dtype=pl.String).new_from_index(0, 1)
    return People(
        number=household, female=female, given=given, family=family, married_to=married_to, double_name=double_name,
        born=_born(head, household, partner, child, damage, rng), household=household, place=place,
        couple=couple, email=none, email_2=none, owns_email=female, mobile=none,
        employer=household,
    )  # fmt: skip


def _marry(
    family: I32, female: Mask, couple: Mask, head: Ints, household: Ints, partner: Mask, rng: Rng
) -> tuple[I32, Mask]:
    """Return each wife's husband's name (-1: kept her own), and whether she bears both."""
    married = chance(rng, 0.62, len(head))[household] & couple
    other = np.where(partner, head[household], np.minimum(head[household] + 1, len(family) - 1))
    wife = married & female & ~female[other] & (partner | (np.arange(len(family)) == head[household]))
    return np.where(wife, family[other], -1).astype(np.int32), wife & chance(rng, 0.12, len(family))


def _homonyms(family: I32, given: I32, female: Mask, head: Mask, rate: float, rng: Rng) -> tuple[I32, I32]:
    """Give some heads of household the full name of another person of their sex."""
    struck = np.flatnonzero(chance(rng, rate, len(family)) & head)
    model = rng.integers(0, len(family), len(struck))
    fits = female[model] == female[struck]
    family[struck[fits]] = family[model[fits]]
    given[struck[fits]] = given[model[fits]]
    return family, given


def _born(head: Ints, household: Ints, partner: Mask, child: Mask, damage: Damage, rng: Rng) -> I32:
    people = len(household)
    count = len(head)
    has_child = np.zeros(count, dtype=bool)
    has_child[household[child]] = True
    alone = rng.triangular(18, 42, 93, count)
    age = np.where(has_child, rng.triangular(38, 50, 78, count), alone)[household]
    age = np.where(partner, np.clip(age + rng.normal(0, 3.5, people), 18, 95), age)
    younger = age - np.where(child, 20, 0)
    age = np.where(child, _YOUNGEST + rng.random(people) * np.clip(younger - _YOUNGEST, 1, 25), age)
    born = (REFERENCE_DAY - age * 365.25).astype(np.int32)
    before = np.maximum(np.arange(people) - 1, 0)
    twin = child & child[before] & (household == household[before]) & chance(rng, damage.twin, people)
    return np.where(twin, born[before], born).astype(np.int32)


def _employ(companies: int, people: int, rng: Rng) -> Ints:
    """Return the company that knows each person as its contact, or -1."""
    employer = rng.integers(0, companies, people)
    return np.where(chance(rng, min(1.0, 1.2 * companies / people), people), employer, -1)


def _reachable(people: People, damage: Damage, reference: Reference, rng: Rng, first: int, delivery: int) -> People:
    size = len(people.number)
    head = np.flatnonzero(people.place == 0)[people.household]
    member = people.place > 0
    known_as = np.where((people.married_to >= 0) & chance(rng, 0.6, size), people.married_to, people.family)
    every = Bearers(people.given, known_as, people.born)
    email = build_emails(every, pl.Series([], dtype=pl.String), reference, rng, delivery)
    with_second = np.flatnonzero(chance(rng, 0.15, size))
    some_people = Bearers(people.given[with_second], people.family[with_second], people.born[with_second])
    second = pl.Series([None], dtype=pl.String).new_from_index(0, size)
    if len(with_second):
        second = second.scatter(with_second, build_emails(some_people, email, reference, rng, delivery))
    email = email.set(pl.Series(~chance(rng, 0.92, size)), None)
    mobile = build_mobiles(size, rng, first).set(pl.Series(~chance(rng, 0.95, size)), None)
    from_head = np.where(member & chance(rng, damage.shared_email, size), head, np.arange(size))
    phone_from = np.where(member & chance(rng, damage.shared_phone, size), head, np.arange(size))
    return replace(
        people,
        email=email.gather(from_head),
        email_2=second,
        owns_email=(from_head == np.arange(size)) & email.is_not_null().to_numpy(),
        mobile=mobile.gather(phone_from),
    )
