"""What a feed is: records in columns of text, the key they go by, and whose they are.

The spoiling of rows that must end in quarantine stands here too, as every feed needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from datadock.demo.damage import Damage
from datadock.demo.plan import Roster
from datadock.demo.streams import Rng, some
from datadock.demo.world import World

BROKEN = "_broken"
"""Column that tells a writer to break the line itself: one field too many, or cut in the middle."""


@dataclass(frozen=True)
class Feed:
    """Records of one source.

    Attributes:
        frame: The columns as the file will have them.
        key: Name of the column that holds the source key.
        entity: Whose each record is: ``P…`` for a person, ``O…`` for a company; null for a fact.
        household: Number of the person's household; null for companies and facts.
    """

    frame: pl.DataFrame
    key: str
    entity: pl.Series
    household: pl.Series

    def __len__(self) -> int:
        """Number of records."""
        return len(self.frame)

    def take(self, rows: np.ndarray) -> Feed:
        """Return some of the records, in that order."""
        at = pl.Series(rows)
        return replace(self, frame=self.frame[at], entity=self.entity.gather(at), household=self.household.gather(at))

    def without(self, *columns: str) -> Feed:
        """Return the records with columns missing."""
        return replace(self, frame=self.frame.drop(columns))


Builder = Callable[[World, Mapping[str, Roster], Damage, Rng], Feed]
Spoiler = Callable[[pl.DataFrame, int], pl.DataFrame]


def person_ids(world: World, who: np.ndarray) -> pl.Series:
    """Return the ids of people in the truth."""
    return number_text("P", world.people.number[who])


def company_ids(world: World, who: np.ndarray) -> pl.Series:
    """Return the ids of companies in the truth."""
    return number_text("O", world.companies.number[who])


def household_ids(world: World, who: np.ndarray) -> pl.Series:
    """Return the ids of people's households in the truth, unlike in any two deliveries."""
    first = int(world.people.number[0]) if world.size else 0
    return number_text("H", first + world.people.household[who])


def number_text(prefix: str, number: np.ndarray) -> pl.Series:
    """Write numbers with nine figures behind a prefix."""
    return prefix + pl.Series(number + 10**9).cast(pl.String).str.slice(1)


def join(feeds: list[Feed]) -> Feed:
    """Put records of several kinds or deliveries into one feed."""
    return Feed(
        pl.concat([feed.frame for feed in feeds], how="diagonal"),
        feeds[0].key,
        pl.concat([feed.entity for feed in feeds]),
        pl.concat([feed.household for feed in feeds]),
    )


def spoil(feed: Feed, rng: Rng, rate: float, faults: list[Spoiler], *, each_once: bool) -> tuple[pl.DataFrame, int]:
    """Strew bad rows among a feed's records, every fault at least once where ``each_once`` asks for it.

    Each is a copy of a good row with a fault of its own; none counts in the truth.

    Returns:
        The rows to write, and how many of them are bad.
    """
    if rate <= 0 or len(feed) == 0:
        return feed.frame, 0
    models = some(rng, rate, len(feed))
    if each_once and len(models) < len(faults):
        models = rng.integers(0, len(feed), len(faults))
    if len(models) == 0:
        return feed.frame, 0
    kind = np.arange(len(models)) % len(faults)
    parts = [fault(feed.frame[models[kind == number]], number) for number, fault in enumerate(faults)]
    bad = pl.concat(parts, how="diagonal")
    places = np.concatenate([np.arange(len(feed)), rng.random(len(bad)) * len(feed)])
    everything = pl.concat([feed.frame, bad], how="diagonal")
    return everything[pl.Series(np.argsort(places, kind="stable"))], len(bad)


def put(column: str, value: str | None) -> Spoiler:
    """Return the fault of a wrong value in one column."""
    return lambda rows, _: rows.with_columns(pl.lit(value, dtype=rows.schema[column]).alias(column))


def break_line(key: str, prefix: str) -> Spoiler:
    """Return the fault of a line that cannot be read; its key, where it shows, is nobody's."""

    def fault(rows: pl.DataFrame, _: int) -> pl.DataFrame:
        own = pl.Series(key, [f"{prefix}{number}" for number in range(len(rows))], dtype=pl.String)
        return rows.with_columns(own, pl.lit(value=True).alias(BROKEN))

    return fault
