"""Writing one delivery of the demo company: the eight feeds into the drop folders, the truth outside the home.

The first delivery holds everything; a later one only what is new: newcomers, households that moved, fresh orders.
The same people, seed, damage and delivery give the same bytes, whatever the day, the machine's threads or hash seed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl

from datadock.demo import files
from datadock.demo.damage import Damage
from datadock.demo.parts import Part, Scene, Task, write_contacts, write_orders
from datadock.demo.plan import Roster, build_rosters, delivery_day
from datadock.demo.sources import CONTACT_SOURCES
from datadock.demo.streams import chance, stream
from datadock.demo.summary import DemoSummary
from datadock.demo.world import World, build_world, move_some
from datadock.errors import DatadockError
from datadock.evaluation import duplicate_rates

RECORDS_PER_PERSON = 2.33
"""Source records that one person of a first delivery yields over all feeds, on average at the common rates."""

_ORDERS_EACH = (1.4, 1.7)
_AT_ONCE = 2

Progress = Callable[[str], None]


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
        progress: Called with the name of each source once it is written.

    Raises:
        DatadockError: For impossible numbers, or a truth inside the home.
    """
    home = out.resolve().parent
    truth = (truth or home.with_name(home.name + "-truth")).resolve()
    _check(people, delivery, new_rate, home, truth)
    task = Task(seed, delivery, damage or Damage(), out, partner or home / "partner" / "partner.sqlite")
    parts = _write_all(task, _scenes(people, seed, task.damage, delivery, new_rate), progress or (lambda _: None))
    return _keep_truth(task, people, truth, parts)


def _write_all(task: Task, scenes: list[Scene], tell: Progress) -> list[Part]:
    """Write all sources, two at a time; what is drawn for one never depends on another, so neither do the bytes."""
    pool = ThreadPoolExecutor(_AT_ONCE, "demo")
    try:
        running = [pool.submit(write_contacts, task, source, scenes) for source in CONTACT_SOURCES]
        running.insert(1, pool.submit(write_orders, task, scenes))
        parts = []
        for one in running:
            done = one.result()
            parts += done
            for part in done:
                tell(part.source)
        return parts
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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


def _scenes(people: int, seed: int, damage: Damage, delivery: int, new_rate: float) -> list[Scene]:
    world = build_world(people, seed, damage)
    rosters = build_rosters(world, seed, 1, damage.duplicate)
    if delivery == 1:
        return [Scene(world, rosters, rosters, _ORDERS_EACH)]
    newcomers = max(1, round(people * new_rate / 2))
    fresh = build_world(newcomers, seed, damage, delivery, first=people * delivery)
    fresh_rosters = build_rosters(fresh, seed, delivery, damage.duplicate)
    few = (_ORDERS_EACH[0] * new_rate / 2, _ORDERS_EACH[1] * new_rate / 2)
    day = delivery_day(delivery)
    moved_world, moved = move_some(world, new_rate, seed, delivery, day)
    return [
        Scene(moved_world, _changed(moved_world, rosters, moved, seed, delivery, new_rate), rosters, few),
        Scene(fresh, fresh_rosters, fresh_rosters, _ORDERS_EACH),
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


def _keep_truth(task: Task, people: int, folder: Path, parts: list[Part]) -> DemoSummary:
    owned = {part.source: part.truth for part in parts if part.truth is not None}
    bought = owned.pop("orders")
    truth = pl.concat(list(owned.values())).with_columns(delivery=pl.lit(task.number, dtype=pl.Int32))
    planted = duplicate_rates(truth, "entity_id")
    place = folder / f"delivery-{task.number:02d}"
    for name, frame in (("records", truth), ("orders", bought), ("planted", planted)):
        files.write_parquet(place / f"{name}.parquet", frame)
    summary = DemoSummary(
        people=people,
        seed=task.seed,
        delivery=task.number,
        files={part.source: part.paths for part in parts},
        records={part.source: part.records for part in parts},
        bad={part.source: part.bad for part in parts},
        late={part.source: part.late for part in parts if part.late},
        contacts=truth["entity_id"].n_unique(),
        contact_records=len(truth),
        planted=planted,
        truth=place,
    )
    files.write_bytes(place / "summary.json", (json.dumps(summary.as_dict(), indent=2) + "\n").encode())
    return summary
