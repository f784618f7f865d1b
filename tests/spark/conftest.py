"""The same files linked by both engines. Slow here: a session costs more than DuckDB's whole run."""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from datadock import names
from datadock.catalog import load_catalog
from datadock.contact_points import update_values
from datadock.identity import PairsReport, Workspace, assign_identities, score_pairs, update_features
from datadock.identity.memberships import current_memberships, read_log
from datadock.lake import Lake
from datadock.landing.land import land_file
from datadock.link import stage_contacts
from datadock.settings import PROJECT_ROOT

AT = datetime(2026, 1, 1, tzinfo=UTC)
MISSING = [name for name, there in (("pyspark", find_spec("pyspark")), ("java", shutil.which("java"))) if not there]


def pytest_collection_modifyitems(items):
    """Mark this folder's tests, and skip them where Spark cannot run."""
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.spark)
            if MISSING:
                item.add_marker(pytest.mark.skip(reason=f"{' and '.join(MISSING)} missing: make test-spark"))


@dataclass
class Linked:
    """What one engine made of a set."""

    workspace: Workspace
    report: PairsReport
    pairs: pl.DataFrame
    members: pl.DataFrame


@dataclass
class Example:
    """A published set with features, of which each engine gets its own copy."""

    home: Path
    catalog: Path

    def workspace(self, name: str, engine: str) -> Workspace:
        catalog = load_catalog(self.catalog)
        catalog = replace(catalog, identity=catalog.identity.model_copy(update={"engine": engine}))
        home = self.home / name
        return Workspace(Lake(home / "lake"), catalog, home / "link.duckdb", name, AT, "link")

    def linked(self, name: str, engine: str, model_of: Linked | None = None) -> Linked:
        """Score and cluster a copy, by a model trained there or by another's."""
        shutil.copytree(self.home / "features", self.home / name)
        workspace = self.workspace(name, engine)
        if model_of:
            shutil.copytree(model_of.workspace.model_folder, workspace.model_folder)
        report = score_pairs(workspace, blocking=False)
        assign_identities(workspace, blocking=False)
        pairs = pl.read_parquet(workspace.lake.files(names.PAIRS))
        members = current_memberships(read_log(workspace)).drop_nulls("golden_id").sort("source", "source_key")
        return Linked(workspace, report, pairs, members.select("source", "source_key", "golden_id"))


def _example(home: Path, catalog: Path, files: Path) -> Example:
    example = Example(home, catalog)
    workspace = example.workspace("features", "duckdb")
    for source in workspace.catalog.sources.values():
        for path in sorted(files.glob(source.pattern)):
            land_file(workspace.lake, source, path)
    stage_contacts(workspace, list(workspace.catalog.sources))
    update_values(workspace)
    update_features(workspace)
    return example


@pytest.fixture(scope="session")
def examples(published_data, tmp_path_factory):
    """Make an example's features once."""
    made: dict[str, Example] = {}

    def make(name: str, folder: str) -> Example:
        if name not in made:
            home = tmp_path_factory.mktemp(name)
            made[name] = _example(home, PROJECT_ROOT / "examples" / name, published_data / "er" / folder)
        return made[name]

    return make
