"""Writing one source of a delivery: its feed built, bad rows strewn in, files written, the truth handed back.

Each function here is one task: it shares nothing with the others, so that two of them may run side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from datadock.demo import files
from datadock.demo.damage import Damage
from datadock.demo.feed import Feed, company_ids, join, number_text, person_ids, put, spoil
from datadock.demo.feeds_facts import Buyers, orders, postal_returns
from datadock.demo.plan import Roster, delivery_day
from datadock.demo.sources import SourceFiles
from datadock.demo.streams import some, stream
from datadock.demo.world import World

_ORDER_SPAN = 900
_RETURNS = 0.08
_LATE_DAYS = 300


@dataclass(frozen=True)
class Task:
    """What every source of a delivery needs to know."""

    seed: int
    number: int
    damage: Damage
    out: Path
    partner: Path

    @property
    def is_first(self) -> bool:
        """Whether this is the delivery that holds everything, late and repeated files among it."""
        return self.number == 1

    def path(self, source: str, suffix: str, note: str = "") -> Path:
        """Return the place of a file in the drop folder."""
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=delivery_day(self.number))
        return self.out / source / f"{source}_{day:%Y-%m-%d}{note}{suffix}"


@dataclass(frozen=True)
class Scene:
    """A world with the rosters of those of its people and companies that a delivery shows.

    Attributes:
        world: The world.
        rosters: The records to write.
        everyone: All records that orders may refer to.
        orders_each: Orders of an account and of a card, on average.
    """

    world: World
    rosters: Mapping[str, Roster]
    everyone: Mapping[str, Roster]
    orders_each: tuple[float, float]


@dataclass(frozen=True)
class Part:
    """What was written of one source.

    Attributes:
        source: Its name.
        paths: Its files.
        records: Rows in them, bad ones included, late and repeated files not.
        bad: Rows that must end in quarantine.
        late: Rows in the late file.
        truth: Whose each record is (contacts) or who placed each order; None for a fact without an owner in truth.
    """

    source: str
    paths: list[Path]
    records: int
    bad: int
    late: int = 0
    truth: pl.DataFrame | None = None


def write_contacts(task: Task, source: SourceFiles, scenes: list[Scene]) -> list[Part]:
    """Write one source of contacts; with the CRM come the letters returned from its addresses."""
    feeds = [
        source.build(
            scene.world, scene.rosters, task.damage, stream(task.seed, task.number, f"feed {source.name} {number}")
        )
        for number, scene in enumerate(scenes)
    ]
    feed = join(feeds)
    rng = stream(task.seed, task.number, f"bad {source.name}")
    frame, bad = spoil(feed, rng, task.damage.bad_row, list(source.faults), each_once=task.is_first)
    paths, late = _write_files(task, source, frame), 0
    if source.late_without and task.damage.late > 0 and task.is_first:
        late_paths, late = _write_late(task, source, scenes[0])
        paths += late_paths
    part = Part(source.name, paths, len(frame), bad, late, _truth_rows(source.name, feed))
    return [part, _write_returns(task, feed)] if source.name == "crm_contacts" else [part]


def _write_files(task: Task, source: SourceFiles, frame: pl.DataFrame) -> list[Path]:
    if len(frame) == 0:
        # Nothing new is no file; an empty one would be an accident.
        return []
    if source.suffix == ".sqlite":
        source.write(task.partner, frame)
        return [task.partner]
    starts = range(0, len(frame), source.rows)
    paths = []
    for part, start in enumerate(starts, start=1):
        path = task.path(source.name, source.suffix, f"_{part}" if len(starts) > 1 else "")
        source.write(path, frame[start : start + source.rows])
        paths.append(path)
    return paths


def _write_late(task: Task, source: SourceFiles, scene: Scene) -> tuple[list[Path], int]:
    """Write older versions of some records into a file that comes after, and that file again under another name."""
    rosters = dict(scene.rosters) | {"crm_companies_known": scene.rosters["crm_companies"]}
    for name in source.rosters:
        roster = rosters[name]
        rng = stream(task.seed, task.number, f"late {name}")
        part = roster.take(some(rng, task.damage.late, len(roster)))
        rosters[name] = part.at((part.when - _LATE_DAYS).astype(np.int32))
    rng = stream(task.seed, task.number, f"late {source.name}")
    feed = source.build(scene.world, rosters, task.damage, rng).without(source.late_without)
    if len(feed) == 0:
        return [], 0
    path = task.path(source.name, source.suffix, "_retard")
    source.write(path, feed.frame)
    return [path, *_repeat(task, path)], len(feed)


def _repeat(task: Task, path: Path) -> list[Path]:
    if task.damage.repeated <= 0 or not task.is_first:
        return []
    copy = path.with_name(f"{path.stem}_copie{path.suffix}")
    files.copy(path, copy)
    return [copy]


def write_orders(task: Task, scenes: list[Scene]) -> list[Part]:
    """Write the orders of all accounts and cards."""
    drawn = [
        orders(
            _accounts(scene), _cards(scene), scene.world.stores.code, delivery_day(task.number),
            _ORDER_SPAN if task.is_first else 7, scene.orders_each,
            stream(task.seed, task.number, f"orders {number}"),
            # Orders of newcomers bear a letter of their own, so that two scenes never give one number twice.
            "ON"[number], task.number, task.damage.bad_row,
        )
        for number, scene in enumerate(scenes)
    ]  # fmt: skip
    table = pl.concat([part.table for part in drawn])
    truth = pl.concat([part.truth for part in drawn])
    paths = []
    if len(table):
        paths.append(task.path("orders", ".parquet"))
        files.write_parquet(paths[0], table)
    return [Part("orders", paths, len(table), sum(part.bad for part in drawn), truth=truth)]


def _accounts(scene: Scene) -> Buyers:
    people, pros = scene.everyone["eshop"], scene.everyone["eshop_pros"]
    return Buyers(
        pl.concat([number_text("E", people.number), number_text("B", pros.number)]),
        pl.concat([person_ids(scene.world, people.who), company_ids(scene.world, pros.who)]),
        np.empty(0, dtype=np.int64),
    )


def _cards(scene: Scene) -> Buyers:
    roster = scene.everyone["loyalty"]
    home = scene.world.households.store[scene.world.people.household[roster.who]]
    return Buyers(number_text("F", roster.number), person_ids(scene.world, roster.who), home)


def _write_returns(task: Task, clients: Feed) -> Part:
    rng = stream(task.seed, task.number, "postal_returns")
    when = clients.frame["Modifié le"].to_numpy()
    frame = postal_returns(clients.frame["N° contact"], when, rng, _RETURNS, task.number)
    none = pl.Series([None], dtype=pl.String).new_from_index(0, len(frame))
    faults = [put("id", None), put("code", "XYZ"), put("date", "31/31/2025")]
    feed = Feed(frame, "id", none, none)
    frame, bad = spoil(feed, rng, task.damage.bad_row, faults, each_once=task.is_first)
    paths = []
    if len(frame):
        path = task.path("postal_returns", ".xml")
        files.write_xml(path, frame, "retours", "retour")
        paths = [path, *_repeat(task, path)]
    return Part("postal_returns", paths, len(frame), bad)


def _truth_rows(source: str, feed: Feed) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"source_key": feed.frame[feed.key], "entity_id": feed.entity, "household_id": feed.household},
        schema={"source_key": pl.String, "entity_id": pl.String, "household_id": pl.String},
    )
    # Only an e-mail can be the key of two records: one decision each.
    kept = frame.unique("source_key", keep="first", maintain_order=True) if feed.key == "email" else frame
    return kept.select(
        pl.lit(source).alias("source"),
        "source_key",
        "entity_id",
        pl.when(pl.col("entity_id").str.starts_with("O"))
        .then(pl.lit("company"))
        .otherwise(pl.lit("person"))
        .alias("party_type"),
        "household_id",
    )
