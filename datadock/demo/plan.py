"""Who appears in which feed, when, and under which number: the rosters of one delivery.

A customer appears in two feeds on average, some twice in one. A roster's order is shuffled, so that a record's number
says nothing about the person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from datadock.demo.streams import Ints, Mask, chance, stream
from datadock.demo.world import I32, REFERENCE_DAY, World

CUSTOMERS = 0.62
"""Share of the people whom any feed knows; the rest live beside them, at the same addresses, under the same names."""

COVERAGE = {"crm": 0.34, "eshop": 0.54, "loyalty": 0.43, "calls": 0.07, "newsletter": 0.31, "partner": 0.13}
"""Share of the customers in each feed, before those who would be in none are put into one."""

COMPANY_COVERAGE = {"crm_companies": 0.7, "eshop_pros": 0.3, "partner_companies": 0.3}

NUMBERS_PER_DELIVERY = 50_000_000
_DAYS_BACK = 2200


@dataclass(frozen=True)
class Roster:
    """Records of one kind: whose (index of a person or company), when last written, under which number."""

    who: Ints
    when: I32
    number: Ints

    def __len__(self) -> int:
        """Number of records."""
        return len(self.who)

    def take(self, rows: Ints | Mask) -> Roster:
        """Return some of the records."""
        return Roster(self.who[rows], self.when[rows], self.number[rows])

    def at(self, when: I32) -> Roster:
        """Return the same records as written on other days."""
        return replace(self, when=when)


def build_rosters(world: World, seed: int, delivery: int, duplicate: float) -> dict[str, Roster]:
    """Draw the rosters of a world's people and companies, ``duplicate`` of them with a second record."""
    people = world.size
    rng = stream(seed, delivery, "coverage")
    names = list(COVERAGE)
    present = rng.random((people, len(names))) < np.array(list(COVERAGE.values()))
    customer = chance(rng, CUSTOMERS, people)
    present &= customer[:, None]
    # A newsletter knows e-mails, not people: only those whose own address it is can sign up.
    present[:, names.index("newsletter")] &= world.people.owns_email
    nowhere = np.flatnonzero(customer & ~present.any(axis=1))
    shares = np.cumsum(list(COVERAGE.values())) / sum(COVERAGE.values())
    only = np.searchsorted(shares, rng.random(len(nowhere))).clip(0, len(names) - 1)
    present[nowhere, np.where((only == names.index("newsletter")) & ~world.people.owns_email[nowhere], 0, only)] = True
    _add_joint_holders(world, present, names.index("eshop"))
    chosen = {name: np.flatnonzero(present[:, column]) for column, name in enumerate(names)}
    chosen["crm_staff"] = np.flatnonzero(world.people.employer >= 0)
    for name, share in COMPANY_COVERAGE.items():
        chosen[name] = np.flatnonzero(chance(rng, share, len(world.companies.siren)))
    rosters = {}
    for name, who in chosen.items():
        draw = stream(seed, delivery, f"roster {name}")
        again = who[chance(draw, duplicate, len(who))]
        everyone = draw.permutation(np.concatenate([who, again]))
        numbers = (delivery - 1) * NUMBERS_PER_DELIVERY + 1 + np.arange(len(everyone))
        rosters[name] = Roster(everyone, _days(draw, len(everyone), delivery), numbers)
    return rosters


def _add_joint_holders(world: World, present: np.ndarray, column: int) -> None:
    """Bring the partner of a joint contract's holder into the same feed."""
    people = world.people
    partner = np.flatnonzero((people.place == 1) & people.couple & world.households.joint[people.household])
    head = partner - 1
    present[partner, column] |= present[head, column]


def _days(rng: np.random.Generator, size: int, delivery: int) -> I32:
    """Days of last change: most of them recent; a later delivery's lie in its own week."""
    if delivery > 1:
        return (delivery_day(delivery) - rng.integers(0, 7, size)).astype(np.int32)
    return (REFERENCE_DAY - 8 - rng.random(size) ** 2 * _DAYS_BACK).astype(np.int32)


def delivery_day(delivery: int) -> int:
    """Return the day of a delivery: a week after the one before."""
    return REFERENCE_DAY + 7 * (delivery - 1)
