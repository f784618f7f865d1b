"""Writing one delivery of the demo company: the eight feeds into the drop folders, the truth outside the home.

The first delivery holds everything; a later one only what is new: newcomers, households that moved, fresh orders.
The same people, seed, damage and delivery give the same bytes, whatever the day, the machine's threads or hash seed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from datadock.demo import files
from datadock.demo.damage import Damage
from datadock.demo.feed import Feed, company_ids, join, number_text, person_ids, put, spoil
from datadock.demo.feeds_facts import Buyers, Orders, orders, postal_returns
from datadock.demo.plan import Roster, build_rosters, delivery_day
from datadock.demo.sources import CONTACT_SOURCES, SourceFiles
from datadock.demo.streams import chance, some, stream
from datadock.demo.summary import DemoSummary
from datadock.demo.world import World, build_world, move_some
from datadock.errors import DatadockError
from datadock.evaluation import duplicate_rates

RECORDS_PER_PERSON = 2.33
"""Source records that one person of a first delivery yields over all feeds, on average at the common rates."""

_ORDERS_EACH = (1.4, 1.7)
_ORDER_SPAN = 900
_RETURNS = 0.08
_LATE_DAYS = 300

Progress = Callable[[str], None]


@dataclass
class _Delivery:
    """What is gathered while the files of one delivery are written."""

    seed: int
    number: int
    damage: Damage
    out: Path
    partner: Path
    written: dict[str, list[Path]] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    bad: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    truth: list[pl.DataFrame] = field(default_factory=list)
    writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "demo-writer"))
    pending: list[Future[None]] = field(default_factory=list)

    def write(self, task: Callable[..., None], *arguments: Any) -> None:
        """Write in the background, in the order asked: compressing one feed leaves a core to build the next."""
        self.pending.append(self.writer.submit(task, *arguments))

    def finish(self) -> None:
        """Wait for what is being written, and raise what went wrong."""
        self.writer.shutdown(wait=True)
        for task in self.pending:
            task.result()

    @property
    def stamp(self) -> str:
        """The delivery's date as it stands in file names."""
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=delivery_day(self.number))).strftime("%Y-%m-%d")

    def path(self, source: str, suffix: str, note: str = "") -> Path:
        """Return the place of a file in the drop folder."""
        return self.out / source / f"{source}_{self.stamp}{note}{suffix}"


@dataclass(frozen=True)
class _Scene:
    """A world with the rosters of those of its people and companies that a delivery shows."""

    world: World
    rosters: Mapping[str, Roster]
    everyone: Mapping[str, Roster]
    orders_each: tuple[float, float]


def people_for_records(records: int) -> int:
    """Return how many people give about so many source records at the common rates."""
    return max(1, round(records / RECORDS_PER_PERSON))


def generate(
    people: int,
    seed: int,
    out: Path,
    *,
    damage: Damage | None = None,
    delivery: int = 1,
    new_rate: float = 0.01,
    truth: Path | None = None,
    partner: Path | None = None,
    progress: Progress | None = None,
) -> DemoSummary:
    """Write one delivery of the demo company.

    Args:
        people: People in the world of the first delivery; a later delivery must name the same number.
        seed: The same seed gives the same bytes.
        out: Drop folder; each feed goes into ``out/<source>/``.
        damage: Rates of damage.
        delivery: 1 for everything; 2 and later for what is new since the one before.
        new_rate: Share of new and changed records in a later delivery, of the records of the first.
        truth: Folder of the truth, ``<home>-truth`` beside the home (the folder that holds ``out``) by default.
        partner: The partner's SQLite database, ``partner/partner.sqlite`` beside ``out`` by default.
        progress: Called with the name of each step.

    Raises:
        DatadockError: For impossible numbers, or a truth inside the home.
    """
    home = out.resolve().parent
    truth = (truth or home.with_name(home.name + "-truth")).resolve()
    _check(people, delivery, new_rate, home, truth)
    tell = progress or (lambda _: None)
    batch = _Delivery(seed, delivery, damage or Damage(), out, partner or home / "partner" / "partner.sqlite")
    try:
        return _write_all(batch, people, new_rate, truth, tell)
    finally:
        batch.writer.shutdown(wait=True, cancel_futures=True)


def _write_all(batch: _Delivery, people: int, new_rate: float, truth: Path, tell: Progress) -> DemoSummary:
    tell("people, households, companies")
    scenes = _scenes(people, batch.seed, batch.damage, batch.number, new_rate)
    clients = None
    for source in CONTACT_SOURCES:
        tell(source.name)
        feed = _write_contacts(batch, source, scenes)
        if source.name == "crm_contacts":
            clients = feed
    tell("orders")
    bought = _write_orders(batch, scenes)
    tell("postal_returns")
    _write_returns(batch, clients)
    tell("truth")
    summary = _keep_truth(batch, people, truth, bought)
    tell("writing")
    batch.finish()
    return summary


def _check(people: int, delivery: int, new_rate: float, home: Path, truth: Path) -> None:
    if people < 1 or delivery < 1 or not 0 < new_rate <= 1:
        raise DatadockError(
            f"{people} people, delivery {delivery}, new rate {new_rate}",
            expected="at least one person, a delivery from 1 on, a rate above 0 and up to 1",
            action="see datadock demo generate --help",
        )
    if truth == home or home in truth.parents:
        raise DatadockError(
            f"the truth would lie inside the home {home}",
            expected="a folder that the pipeline cannot read",
            action="name another with --truth",
        )


def _scenes(people: int, seed: int, damage: Damage, delivery: int, new_rate: float) -> list[_Scene]:
    world = build_world(people, seed, damage)
    rosters = build_rosters(world, seed, 1, damage.duplicate)
    if delivery == 1:
        return [_Scene(world, rosters, rosters, _ORDERS_EACH)]
    newcomers = max(1, round(people * new_rate / 2))
    fresh = build_world(newcomers, seed, damage, delivery, first=people * delivery)
    fresh_rosters = build_rosters(fresh, seed, delivery, damage.duplicate)
    few = (_ORDERS_EACH[0] * new_rate / 2, _ORDERS_EACH[1] * new_rate / 2)
    day = delivery_day(delivery)
    moved_world, moved = move_some(world, new_rate, seed, delivery, day)
    return [
        _Scene(moved_world, _changed(moved_world, rosters, moved, seed, delivery, new_rate), rosters, few),
        _Scene(fresh, fresh_rosters, fresh_rosters, _ORDERS_EACH),
    ]


def _changed(
    world: World, rosters: Mapping[str, Roster], moved: np.ndarray, seed: int, delivery: int, new_rate: float
) -> dict[str, Roster]:
    """Return half of the records of households that moved, and as many of companies, as written in the new week."""
    changed = {}
    for name, roster in rosters.items():
        rng = stream(seed, delivery, f"changed {name}")
        if name.endswith(("companies", "pros")):
            hit = chance(rng, new_rate / 2, len(roster))
        elif name == "calls":
            # A call is a new note, never a changed one.
            hit = np.zeros(len(roster), dtype=bool)
        else:
            hit = moved[world.people.household[roster.who]] & chance(rng, 0.5, len(roster))
        part = roster.take(hit)
        changed[name] = part.at((delivery_day(delivery) - rng.integers(0, 7, len(part))).astype(np.int32))
    return changed | {"crm_companies_known": rosters["crm_companies"]}


def _write_contacts(batch: _Delivery, source: SourceFiles, scenes: list[_Scene]) -> Feed:
    feeds = [
        source.build(
            scene.world, scene.rosters, batch.damage, stream(batch.seed, batch.number, f"feed {source.name} {number}")
        )
        for number, scene in enumerate(scenes)
    ]
    feed = join(feeds)
    rng = stream(batch.seed, batch.number, f"bad {source.name}")
    frame, bad = spoil(feed, rng, batch.damage.bad_row, list(source.faults), each_once=batch.number == 1)
    batch.bad[source.name] = bad
    batch.records[source.name] = len(frame)
    batch.truth.append(_truth_rows(source.name, feed))
    paths = _write_files(batch, source, frame)
    if source.late_without and batch.damage.late > 0 and batch.number == 1:
        paths += _write_late(batch, source, scenes[0])
    batch.written[source.name] = paths
    return feed


def _write_files(batch: _Delivery, source: SourceFiles, frame: pl.DataFrame) -> list[Path]:
    if len(frame) == 0:
        # Nothing new is no file; an empty one would be an accident.
        return []
    if source.suffix == ".sqlite":
        batch.write(source.write, batch.partner, frame)
        return [batch.partner]
    starts = range(0, len(frame), source.rows)
    paths = []
    for part, start in enumerate(starts, start=1):
        path = batch.path(source.name, source.suffix, f"_{part}" if len(starts) > 1 else "")
        batch.write(source.write, path, frame[start : start + source.rows])
        paths.append(path)
    return paths


def _write_late(batch: _Delivery, source: SourceFiles, scene: _Scene) -> list[Path]:
    """Write older versions of some records into a file that comes after, and that file again under another name."""
    rosters = dict(scene.rosters) | {"crm_companies_known": scene.rosters["crm_companies"]}
    for name in source.rosters:
        roster = rosters[name]
        rng = stream(batch.seed, batch.number, f"late {name}")
        part = roster.take(some(rng, batch.damage.late, len(roster)))
        rosters[name] = part.at((part.when - _LATE_DAYS).astype(np.int32))
    rng = stream(batch.seed, batch.number, f"late {source.name}")
    feed = source.build(scene.world, rosters, batch.damage, rng).without(source.late_without)
    path = batch.path(source.name, source.suffix, "_retard")
    batch.write(source.write, path, feed.frame)
    batch.late[source.name] = len(feed)
    return [path, *_repeat(batch, path)]


def _repeat(batch: _Delivery, path: Path) -> list[Path]:
    if batch.damage.repeated <= 0 or batch.number > 1:
        return []
    copy = path.with_name(f"{path.stem}_copie{path.suffix}")
    batch.write(files.copy, path, copy)
    return [copy]


def _write_orders(batch: _Delivery, scenes: list[_Scene]) -> pl.DataFrame:
    drawn: list[Orders] = []
    for number, scene in enumerate(scenes):
        rng = stream(batch.seed, batch.number, f"orders {number}")
        # Orders of newcomers bear a letter of their own, so that two scenes never give one number twice.
        prefix = "ON"[number]
        drawn.append(
            orders(
                _accounts(scene), _cards(scene), scene.world.stores.code, delivery_day(batch.number),
                _ORDER_SPAN if batch.number == 1 else 7, scene.orders_each, rng,
                prefix, batch.number, batch.damage.bad_row,
            )
        )  # fmt: skip
    path = batch.path("orders", ".parquet")
    batch.write(files.write_parquet, path, pl.concat([part.table for part in drawn]))
    batch.written["orders"] = [path]
    batch.records["orders"] = sum(len(part.table) for part in drawn)
    batch.bad["orders"] = sum(part.bad for part in drawn)
    return pl.concat([part.truth for part in drawn])


def _accounts(scene: _Scene) -> Buyers:
    people, pros = scene.everyone["eshop"], scene.everyone["eshop_pros"]
    return Buyers(
        pl.concat([number_text("E", people.number), number_text("B", pros.number)]),
        pl.concat([person_ids(scene.world, people.who), company_ids(scene.world, pros.who)]),
        np.empty(0, dtype=np.int64),
    )


def _cards(scene: _Scene) -> Buyers:
    roster = scene.everyone["loyalty"]
    home = scene.world.households.store[scene.world.people.household[roster.who]]
    return Buyers(number_text("F", roster.number), person_ids(scene.world, roster.who), home)


def _write_returns(batch: _Delivery, clients: Feed | None) -> None:
    if clients is None:
        return
    rng = stream(batch.seed, batch.number, "postal_returns")
    when = clients.frame["Modifié le"].to_numpy()
    frame = postal_returns(clients.frame["N° contact"], when, rng, _RETURNS, batch.number)
    none = pl.Series([None], dtype=pl.String).new_from_index(0, len(frame))
    faults = [put("id", None), put("code", "XYZ"), put("date", "31/31/2025")]
    frame, batch.bad["postal_returns"] = spoil(
        Feed(frame, "id", none, none), rng, batch.damage.bad_row, faults, each_once=batch.number == 1
    )
    batch.records["postal_returns"] = len(frame)
    if len(frame) == 0:
        return
    path = batch.path("postal_returns", ".xml")
    batch.write(files.write_xml, path, frame, "retours", "retour")
    batch.written["postal_returns"] = [path, *_repeat(batch, path)]


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


def _keep_truth(batch: _Delivery, people: int, folder: Path, bought: pl.DataFrame) -> DemoSummary:
    truth = pl.concat(batch.truth).with_columns(delivery=pl.lit(batch.number, dtype=pl.Int32))
    planted = duplicate_rates(truth, "entity_id")
    place = folder / f"delivery-{batch.number:02d}"
    for name, frame in (("records", truth), ("orders", bought), ("planted", planted)):
        batch.write(files.write_parquet, place / f"{name}.parquet", frame)
    summary = DemoSummary(
        people=people,
        seed=batch.seed,
        delivery=batch.number,
        files=batch.written,
        records=batch.records,
        bad=batch.bad,
        late=batch.late,
        contacts=truth["entity_id"].n_unique(),
        contact_records=len(truth),
        planted=planted,
        truth=place,
    )
    batch.write(files.write_bytes, place / "summary.json", (json.dumps(summary.as_dict(), indent=2) + "\n").encode())
    return summary
