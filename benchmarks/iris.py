"""IRIS of points by contours, measured beside a bare tree of shapely in the same run.

    python benchmarks/iris.py                     100 k and 1 M points
    python benchmarks/iris.py --points 200000     one size only

A made-up world of communes with several IRIS (``iris_world``), its borders cut into pieces of 20 m, as published
contours are drawn. Prints points a second, CPU seconds, peak memory of the process, the share of points with their true
IRIS, and the ratio to ``STRtree(contours).query(points, predicate="intersects")`` over the same points. Then the whole
way of addresses: street and number to position to IRIS.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import iris_world
from datadock.geography import Contours, assign_iris, read_contours
from datadock.geography.positions import locate, positions_in
from datadock.quality.reference.streets import read_ban, street_key_expr

COMMUNES = 60


def timed(step: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a step gives, its CPU seconds and its seconds on the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = step()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bench(count: int) -> None:
    world = iris_world.make_world(seed=1, communes=COMMUNES)
    told = iris_world.points(world, count)
    with tempfile.TemporaryDirectory(prefix="datadock-bench-") as folder:
        path = iris_world.write_contours(Path(folder) / "iris.geojson", iris_world.features(world, step=20.0))
        read, cpu, wall = timed(lambda: read_contours(path))
        megabytes = path.stat().st_size / 1e6
    contours = Contours(read.contours)
    corners = shapely.get_num_coordinates(contours.geometries).mean()
    print(
        f"\n{read.contours.height:,} contours of {COMMUNES} communes, {corners:,.0f} corners each "
        f"({megabytes:.0f} MB): read in {cpu:.1f} CPU s"
    )
    before = peak_mb()
    found, cpu, wall = timed(lambda: assign_iris(told, contours, {}))
    peak = peak_mb()
    geometries = shapely.from_wkb(contours.ordered["contour"].to_numpy())
    xy = told.select("longitude", "latitude").to_numpy()
    _, bare, bare_wall = timed(lambda: shapely.STRtree(geometries).query(shapely.points(xy), predicate="intersects"))
    right = (found["code_iris"] == told["truth"]).mean()
    print(f"{'':<24}{'points/s':>12}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}{'to bare':>9}{'true':>8}")
    row = f"{count:>12,} points     {count / wall:>12,.0f}{cpu:>8.2f}{wall:>8.2f}{peak:>9,.0f}{cpu / bare:>8.2f}x"
    print(f"{row}{right:>8.2%}")
    print(f"{'bare shapely':<24}{count / bare_wall:>12,.0f}{bare:>8.2f}{bare_wall:>8.2f}{peak_mb():>9,.0f}")
    print(f"(before the points were asked: {before:,.0f} MB)", flush=True)
    addresses(world, contours, count)


def addresses(world: list[Any], contours: Contours, count: int) -> None:
    """Place as many addresses as points, a fifth of them with a number that the BAN has not."""
    rows = iris_world.addresses(world, streets=10, numbers=100)
    with tempfile.TemporaryDirectory(prefix="datadock-bench-") as folder:
        ban = iris_world.write_ban(Path(folder) / "adresses-99.csv.gz", rows)
        positions, cpu, _ = timed(lambda: positions_in(read_ban(ban)))
    print(f"{positions.height:,} positions of a BAN file read in {cpu:.2f} CPU s")
    asked = rows.sample(count, with_replacement=True, seed=4).with_row_index("value_id")
    beside = pl.col("value_id") % 5 == 0
    wanted = asked.select(
        pl.col("value_id").cast(pl.String),
        "code_insee",
        street=street_key_expr(pl.col("street").str.to_uppercase()),
        number=pl.when(beside).then(pl.col("number") + 200).otherwise("number").cast(pl.Int64),
        repetition=pl.lit(""),
    )
    with duckdb.connect(config={"threads": 2}) as con:
        con.register("wanted", wanted.to_arrow())
        con.register("positions", positions.with_columns(version=pl.lit("1")).to_arrow())
        placed, cpu, wall = timed(lambda: locate(con, "wanted", "positions"))
    named = placed.join(wanted.select("value_id", "code_insee"), on="value_id")
    _, more, _ = timed(lambda: assign_iris(named, contours, {}))
    print(
        f"{placed.height:,} addresses placed in {cpu:.2f} CPU s ({count / wall:,.0f}/s), "
        f"their IRIS in {more:.2f} CPU s; peak {peak_mb():,.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, action="append", help="number of points; may be repeated")
    options = parser.parse_args()
    sizes = options.points or [100_000, 1_000_000]
    print(f"load at start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores", flush=True)
    if len(sizes) == 1:
        bench(sizes[0])
        return
    for size in sizes:  # each in a process of its own, for its peak of memory
        subprocess.run([sys.executable, __file__, "--points", str(size)], check=True)


if __name__ == "__main__":
    main()
