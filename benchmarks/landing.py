"""Landing and staging a csv, against DuckDB copying the same csv to typed Parquet in the same run.

    python benchmarks/landing.py                        100 k, 1 M and 3 M rows of 12 columns (158 bytes a row)
    python benchmarks/landing.py --rows 1000000 --rounds 5

Every step runs in a process of its own, its imports left out of its CPU seconds (user and system) but not out of its
peak memory; the ratio is (land + stage) / copy, of the sums over the rounds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

COLUMNS = {
    "Code client": "varchar",
    "Civilité": "varchar",
    "Prénom": "varchar",
    "Nom": "varchar",
    "Date de naissance": "date",
    "E-mail": "varchar",
    "Téléphone": "varchar",
    "Adresse": "varchar",
    "Code postal": "varchar",
    "Ville": "varchar",
    "CA": "decimal(18,2)",
    "Modifié le": "timestamptz",
}
DECLARED = {
    "name": "customers",
    "description": "Export of customers.",
    "owner": "bench@example.org",
    "format": {"type": "csv"},
    "entities": {
        "contact": {
            "key": "Code client",
            "updated_at": "Modifié le",
            "fields": {
                "civility": "Civilité",
                "given_name": "Prénom",
                "family_name": "Nom",
                "birth_date": "Date de naissance",
                "email": "E-mail",
                "mobile": "Téléphone",
                "address_line": "Adresse",
                "postcode": "Code postal",
                "city": "Ville",
                "turnover": {"from": "CA", "type": "decimal", "min": 0},
            },
        }
    },
}


def write(folder: Path, rows: int) -> None:
    """Write the csv, the same for the same number of rows."""
    import duckdb

    duckdb.sql("select setseed(0.5)")
    duckdb.sql(
        f"""copy (
            select
                'C' || lpad(i::varchar, 8, '0') as "Code client",
                ['M.', 'Mme', ''][1 + i % 3] as "Civilité",
                'Prénom' || (i * 7919) % 500 as "Prénom",
                'NOM' || (i * 104729) % 5000 as "Nom",
                strftime(date '1930-01-01' + ((i * 31) % 27000)::integer, '%d/%m/%Y') as "Date de naissance",
                'prenom' || (i * 7919) % 500 || '.nom' || (i * 104729) % 5000 || '@exemple.fr' as "E-mail",
                '06 ' || (10 + i % 90) || ' ' || (10 + (i * 7) % 90) || ' ' || (10 + (i * 11) % 90) || ' '
                || (10 + (i * 13) % 90) as "Téléphone",
                (1 + i % 200) || ' rue de la République' as "Adresse",
                lpad(((i * 389) % 95000)::varchar, 5, '0') as "Code postal",
                ['Paris', 'Lyon', 'Saint-Étienne', 'Marseille', 'Le Mans'][1 + i % 5] as "Ville",
                ((i * 7919) % 1000000 / 100.0)::decimal(18, 2) as "CA",
                strftime(timestamp '2024-01-01' + to_seconds((i * 61) % 31000000), '%Y-%m-%dT%H:%M:%SZ')
                    as "Modifié le"
            from range({rows}) t(i)
        ) to '{folder / "customers.csv"}' (header, delimiter ',')"""
    )


def copy(folder: Path) -> Callable[[], object]:
    """DuckDB alone: csv to typed Parquet."""
    import duckdb

    types = {name: "varchar" if kind == "date" else kind for name, kind in COLUMNS.items()}
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    source = f"read_csv('{folder / 'customers.csv'}', types = {types})"
    birth = """cast(strptime("Date de naissance", '%d/%m/%Y') as date) as "Date de naissance\""""
    target = folder / "customers.parquet"
    return lambda: connection.execute(f"copy (select * replace ({birth}) from {source}) to '{target}' (format parquet)")


def land(folder: Path) -> Callable[[], object]:
    """Land the csv into a new lake."""
    import pandas  # noqa: F401  # pyarrow imports it with its first array

    from datadock.catalog.model import Source
    from datadock.lake import Lake
    from datadock.landing import land_file

    source = Source.model_validate(DECLARED)
    lake = Lake(folder / f"lake-{time.monotonic_ns()}")
    (folder / "lake").write_text(str(lake.root))
    return lambda: land_file(lake, source, folder / "customers.csv")


def stage(folder: Path) -> Callable[[], object]:
    """Parse and type the raw rows into a table of a new warehouse file."""
    import duckdb

    from datadock.catalog.model import Source
    from datadock.lake import Lake
    from datadock.warehouse.staging_sql import staging_select

    source = Source.model_validate(DECLARED)
    files = Lake((folder / "lake").read_text()).files("raw/customers")
    connection = duckdb.connect(
        str(folder / f"warehouse-{time.monotonic_ns()}.duckdb"), config={"threads": 2, "memory_limit": "1500MB"}
    )
    select = staging_select(source, "contact", f"read_parquet({files})")
    return lambda: connection.execute(f"create table stg_customers__contact as {select}")


STEPS = {"copy": copy, "land": land, "stage": stage}


def measure(step: str, folder: Path) -> dict[str, float]:
    """Run one step and return its cost."""
    work = STEPS[step](folder)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "wall": wall, "peak_mb": after.ru_maxrss / 1024}


def compare(rows: int, rounds: int) -> None:
    """Measure every step on one size and print a line each, then the ratio."""
    with tempfile.TemporaryDirectory(prefix="datadock-bench-") as name:
        folder = Path(name)
        write(folder, rows)
        size = (folder / "customers.csv").stat().st_size
        print(f"{rows:,} rows, {size / 1e6:.0f} MB, {rounds} round(s)", flush=True)
        costs: dict[str, list[dict[str, float]]] = {step: [] for step in STEPS}
        for _ in range(rounds):
            for step, found in costs.items():
                command = [sys.executable, __file__, "--step", step, "--folder", name]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found.append(json.loads(done.stdout))
        for step, found in costs.items():
            cpu = sum(cost["cpu"] for cost in found) / rounds
            wall = sum(cost["wall"] for cost in found) / rounds
            peak = max(cost["peak_mb"] for cost in found)
            print(f"  {step:<6} {cpu:7.2f} CPU s  {wall:7.2f} s  {rows / wall:12,.0f} rows/s  peak {peak:6,.0f} MB")
        total = {step: sum(cost["cpu"] for cost in found) for step, found in costs.items()}
        print(f"  (land + stage) / copy = {(total['land'] + total['stage']) / total['copy']:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, action="append", help="a size; may be given several times")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(measure(asked.step, asked.folder)))
        return
    for rows in asked.rows or (100_000, 1_000_000, 3_000_000):
        compare(rows, asked.rounds)


if __name__ == "__main__":
    main()
