"""Small worlds: a handful of records whose weights are given, with the real ledger, clustering and ids on a lake;
and a small sound model, for the tests that keep, judge or break one.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest

from datadock import names
from datadock.catalog import Catalog, load_catalog
from datadock.identity.blocking import Rule
from datadock.identity.comparisons import comparisons_for
from datadock.identity.decisions import Book, Proposal, take
from datadock.identity.memberships import assign_identities
from datadock.identity.model import Model
from datadock.identity.suspects import find_suspects
from datadock.identity.workspace import FEATURES, Workspace
from datadock.lake import Lake
from datadock.names import PAIRS

START = datetime(2026, 1, 1, tzinfo=UTC)
Weights = Mapping[tuple[int, int], float]


class World:
    """Records ``crm:0``, ``crm:1`` … and the weights between them; every run is one of the steps after scoring."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self.lake, self.catalog = Lake(folder / "lake"), catalog
        self.runs = self.generation = 0

    def workspace(self) -> Workspace:
        self.runs += 1
        moment = START + timedelta(hours=self.runs)
        return Workspace(self.lake, self.catalog, Path("none"), f"run{self.runs}", moment, "secret")

    def arrive(self, records: range | list[int], weights: Weights, op: str = "upsert") -> None:
        """Bring features of records and the weights of pairs, as the steps before would."""
        self.generation += 1
        workspace, now = self.workspace(), {"generation": self.generation, "linked": self.generation}
        features = [
            {"source": "crm", "source_key": str(n), "party_type": "person", "op": op, "content_hash": n,
             "feature_hash": str(n), "received_at": START + timedelta(seconds=n), **now}
            for n in records
        ]  # fmt: skip
        inputs: dict[str, object] = {"spec": "x", "store": "x", "generation": self.generation, "values": {}}
        schema = {"received_at": pl.Datetime("us", "UTC")}
        workspace.append(FEATURES, pl.DataFrame(features, schema_overrides=schema).to_arrow(), inputs)
        pairs = [
            {"left_source": "crm", "left_key": str(a), "right_source": "crm", "right_key": str(b),
             "match_weight": float(weight), "match_probability": 0.5, "left_hash": str(a), "right_hash": str(b),
             "model_version": "", "run_id": workspace.run_id, "recorded_at": workspace.run_at}
            for (a, b), weight in weights.items()
        ]  # fmt: skip
        empty = {"left_source": "", "left_key": "", "right_source": "", "right_key": "", "match_weight": -99.0,
                 "match_probability": 0.0, "left_hash": "", "right_hash": "", "model_version": "none",
                 "run_id": "", "recorded_at": workspace.run_at}  # fmt: skip
        workspace.append(
            PAIRS, pl.DataFrame([*pairs, empty]).to_arrow(), {**inputs, "apart": "", "models": {"person": ""}}
        )

    def run(self) -> dict[str, str]:
        """Bring memberships and suspects up to date; return the golden id of every record."""
        workspace = self.workspace()
        assign_identities(workspace)
        find_suspects(workspace)
        return self.ids()

    def rebuild(self) -> dict[str, str]:
        """The same with everything dropped that follows from pairs, decisions and the membership log."""
        self.lake.drop([names.REDIRECTS, names.LINEAGE, names.SUSPECTS])
        workspace = self.workspace()
        workspace.append(PAIRS, pl.DataFrame(schema=self.rows(PAIRS).schema).to_arrow(),
                         {**workspace.cursor(PAIRS), "store": f"rebuilt {self.runs}"})  # fmt: skip
        return self.run()

    def book(self) -> Book:
        return Book(self.workspace())

    def decide(self, proposal: Proposal) -> str:
        return take(self.book(), proposal, "steward", "seen")

    def ids(self) -> dict[str, str]:
        return {key: golden for _, key, golden in self.book().current.sort("source_key").iter_rows()}

    def groups(self) -> set[frozenset[str]]:
        found: dict[str, set[str]] = {}
        for key, golden in self.ids().items():
            found.setdefault(golden, set()).add(key)
        return {frozenset(members) for members in found.values()}

    def rows(self, table: str) -> pl.DataFrame:
        opened = self.lake.open(table)
        return pl.DataFrame(opened.to_pyarrow_table()) if opened else pl.DataFrame()

    def redirects(self) -> dict[str, str]:
        told = self.rows(names.REDIRECTS).sort("at").unique("old_id", keep="last")
        return dict(told.drop_nulls("new_id").select("old_id", "new_id").iter_rows())


@pytest.fixture(scope="session")
def people_catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A catalog of one source that may hold a person twice."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "sources").mkdir()
    (folder / "sources" / "crm.yml").write_text(
        "description: x\nowner: x\nformat: {type: csv}\n"
        "entities: {contact: {key: id, fields: {given_name: given_name, family_name: family_name}}}\n",
        encoding="utf-8",
    )
    return load_catalog(folder)


@pytest.fixture
def worlds(people_catalog: Catalog) -> Iterator[object]:
    """Makes a world with records and weights: ``worlds(range(3), {(0, 1): 9.0})``."""
    folders: list[TemporaryDirectory[str]] = []

    def make(records: range | list[int], weights: Weights) -> World:
        folders.append(TemporaryDirectory())
        world = World(Path(folders[-1].name), people_catalog)
        world.arrive(records, weights)
        return world

    yield make
    for folder in folders:
        folder.cleanup()


COMPARED_FEATURES = (
    "given",
    "given_first",
    "given_root",
    "family",
    "family_words",
    "birth_date",
    "emails",
    "mail_name",
)


@pytest.fixture
def sound() -> Model:
    comparisons = tuple(comparisons_for(COMPARED_FEATURES, "person"))
    counts = {c.name: len(c.levels) + 1 for c in comparisons}
    falling = {name: tuple(0.5**place for place in range(1, n + 1)) for name, n in counts.items()}
    rising = {name: tuple(reversed(values)) for name, values in falling.items()}
    return Model(
        party="person",
        fields={"given_name": "given_name", "family_name": "family_name"},
        features=COMPARED_FEATURES,
        rules=(Rule("same_email", ("unnest(emails)",), ("a@b.fr",)),),
        comparisons=comparisons,
        m=falling,
        u=rising,
        h=rising,
        match_share=1e-4,
        household_share=1e-5,
        records=10,
        shared={"emails": ("info@shop.fr",)},
        notes=("a note",),
        trained_at="2026-01-01T00:00:00+00:00",
    )
