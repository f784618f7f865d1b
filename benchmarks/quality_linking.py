"""What each kind of normal form adds to linking: pair scores on the demo company, with and without it.

    python benchmarks/quality_linking.py                     20,000 people
    python benchmarks/quality_linking.py --people 80000

The same records are linked again and again by the same model builder; only what the features are taken from differs:
the macros of the linking code alone, or the normal forms of one or more kinds of value. CPU seconds are those of
features, pairs and clusters, without the normalising itself, which is printed first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from datadock.contact_points import update_values
from datadock.demo import generate
from datadock.dock import Dock, open_dock
from datadock.evaluation import read_truth, score
from datadock.identity import Workspace, assign_identities, score_pairs, update_features
from datadock.identity.memberships import current_memberships, read_log
from datadock.lake import Lake
from datadock.landing import Limits, land_drop_folder, pull
from datadock.settings import Settings
from datadock.warehouse.dbt import run_dbt

TRIALS = ((), ("phone",), ("email",), ("address",), ("name",), ("phone", "email", "address", "name"))


def main() -> None:
    """Run every trial and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    print(f"load at start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="datadock-bench-") as folder:
        home, truth = Path(folder) / "home", Path(folder) / "truth"
        generate(given.people, given.seed, home / "landing", truth=truth, partner=home / "partner.sqlite")
        dock = open_dock(Settings(home=home))
        _stage(dock)
        workspace = Workspace(
            dock.lake, dock.catalog, dock.settings.warehouse, "values", datetime.now(UTC), id_secret="bench"
        )
        start = _cpu()
        report = update_values(workspace)
        print(f"{sum(report.new.values()):,} distinct values normalised, {_cpu() - start:.1f} CPU s")
        print(f"{'normal forms of':28}{'precision':>10}{'recall':>8}{'F1':>8}{'B3 F1':>8}{'CPU s':>8}")
        for forms in TRIALS:
            _trial(workspace, forms, truth, Path(folder) / "trial")


def _stage(dock: Dock) -> None:
    for source in dock.catalog.sources.values():
        land_drop_folder(dock.lake, source, dock.settings.landing / source.name, Limits.from_settings(dock.settings))
        if source.pull:
            pull(dock.lake, source, dock.settings)
    run_dbt(dock.settings, select=["staging", "intermediate"], run_id="bench")


def _trial(base: Workspace, forms: tuple[str, ...], truth: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base.lake.root / "quality", folder / "quality")
    workspace = replace(base, lake=Lake(folder), run_id="+".join(forms) or "none")
    start = _cpu()
    update_features(workspace, forms)
    score_pairs(workspace)
    assign_identities(workspace)
    spent = _cpu() - start
    found = current_memberships(read_log(workspace)).drop_nulls("golden_id")
    scores = score(found, read_truth(truth))
    print(
        f"{', '.join(forms) or 'none':28}{scores.precision:10.4f}{scores.recall:8.4f}{scores.f1:8.4f}"
        f"{scores.b3_f1:8.4f}{spent:8.1f}",
        flush=True,
    )


def _cpu() -> float:
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
