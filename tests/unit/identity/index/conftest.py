"""A small deployment, half of it met by a batch, the other half to be committed one by one."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import polars as pl
import pytest

from datadock.catalog.fields import MODEL
from datadock.contact_points import update_values
from datadock.demo import generate
from datadock.dock import Dock, open_dock
from datadock.identity import assign_identities, score_pairs, update_features
from datadock.identity.features import linking_fields
from datadock.identity.index import IndexReport, refresh_index
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.workspace import Workspace, open_workspace
from datadock.landing import land_drop_folder
from datadock.names import raw_table
from datadock.settings import Settings
from datadock.warehouse.staging_sql import staging_columns, staging_select

Key = tuple[str, str]
Record = tuple[str, str, dict[str, str | None]]


@dataclass
class Deployment:
    """A home without dbt: contacts are staged by the SQL that the scaffold writes."""

    settings: Settings

    @cached_property
    def dock(self) -> Dock:
        return open_dock(self.settings)

    def stage(self, without: list[Key]) -> Workspace:
        """Make the warehouse's contacts of all that has landed."""
        workspace = open_workspace(self.dock, "run")
        workspace.warehouse.unlink(missing_ok=True)
        with duckdb.connect(str(workspace.warehouse)) as con:
            con.execute("set timezone = 'UTC'; create schema intermediate")
            held = pl.DataFrame(without, schema={"source": pl.String, "source_key": pl.String}, orient="row")
            con.register("held", held.to_arrow())
            parts = " union all by name ".join(self._selects(workspace))
            con.execute(
                "create table intermediate.int_source_contact as "
                f"from ({parts}) anti join held using (source, source_key)"
            )
        return workspace

    def _selects(self, workspace: Workspace) -> Iterator[str]:
        wanted = [*MODEL["contact"], *(f for f in linking_fields(workspace.catalog) if f not in MODEL["contact"])]
        for source in workspace.catalog.with_entity("contact"):
            raw = workspace.scan(raw_table(source.name))
            if raw is None:
                continue
            known = staging_columns(source, "contact")
            fields = ", ".join(name if name in known else f"null::varchar as {name}" for name in wanted)
            rows = staging_select(source, "contact", raw)
            yield (
                f"(select source, source_key, party_type, {fields}, record_updated_at, _batch_id, _file, _line, "
                f"_received_at from ({rows}))"
            )

    def batch(self, run: str, without: list[Key] | None = None) -> dict[Key, str]:
        """Run identity over all that has landed; return who is who."""
        self.stage(without or [])
        workspace = open_workspace(self.dock, run)
        update_values(workspace)
        update_features(workspace)
        score_pairs(workspace)
        assign_identities(workspace)
        return self.memberships()

    def memberships(self) -> dict[Key, str]:
        rows = current_memberships(read_log(open_workspace(self.dock, "read"))).drop_nulls("golden_id")
        return {(source, key): golden for source, key, golden in rows.iter_rows()}

    def refresh(self, *, rebuild: bool = False) -> IndexReport:
        return refresh_index(open_workspace(self.dock, "index"), self.settings.identity_index, rebuild=rebuild)

    def records(self) -> list[Record]:
        """Return every record as a person would commit it."""
        con = duckdb.connect(str(self.settings.warehouse), read_only=True)
        rows = con.sql("from intermediate.int_source_contact order by source, source_key").to_arrow_table().to_pylist()
        con.close()
        return [(row["source"], row["source_key"], self._values(row)) for row in rows]

    def _values(self, row: dict[str, object]) -> dict[str, str | None]:
        entity = self.dock.catalog.source(str(row["source"])).entities["contact"]
        names = [*(name for name, field in entity.fields.items() if field.from_), "party_type"]
        values = {name: None if row.get(name) is None else str(row[name]) for name in names}
        if isinstance(entity.party, str):
            values.pop("party_type")
        if row["source"] == "newsletter":  # its contract demands a consent
            values |= {"finalite": "newsletter", "statut": "opt-in", "date_consentement": "2026-11-01"}
        if row["source"] == "crm_contacts":
            values |= {"record_type": "Société" if row["party_type"] == "company" else "Particulier"}
        return values


Met = tuple[Path, list[Record], dict[Key, str]]


def met_in_part(home: Path, people: int, held_back: int) -> Met:
    """Make a deployment whose batch has met all but some records; return its home, those, and who is who."""
    deployment = Deployment(Settings(home=home))
    dock = deployment.dock
    generate(people, 5, deployment.settings.landing, truth=home.with_name("truth"))
    for source in dock.catalog.sources.values():
        land_drop_folder(dock.lake, source, deployment.settings.landing / source.name)
    deployment.stage([])
    held = random.Random(3).sample(deployment.records(), held_back)
    met = deployment.batch("first", [(source, key) for source, key, _ in held])
    deployment.refresh()
    return home, held, met


@pytest.fixture(scope="session")
def _met(tmp_path_factory: pytest.TempPathFactory) -> Met:
    return met_in_part(tmp_path_factory.mktemp("index") / "home", 260, 90)


@pytest.fixture
def many(tmp_path: Path) -> tuple[Deployment, list[Record]]:
    """A deployment, and seven hundred records that its batch has not met: too few for it to train anew."""
    home, held, _ = met_in_part(tmp_path / "home", 1_500, 700)
    return Deployment(Settings(home=home)), held


@pytest.fixture
def deployment(_met: Met, tmp_path: Path) -> Deployment:
    """A copy of the deployment, for one test to change."""
    shutil.copytree(_met[0], tmp_path / "home")
    return Deployment(Settings(home=tmp_path / "home"))


@pytest.fixture(scope="session")
def held(_met: Met) -> list[Record]:
    """Records that the batch has not met."""
    return _met[1]
