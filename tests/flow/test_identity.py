"""Identity over its whole way: batches, decisions, removals and kills end where one calm run would."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from datadock import names
from datadock.catalog import Catalog, load_catalog
from datadock.catalog.fields import MODEL
from datadock.identity import (
    MembershipReport,
    Workspace,
    assign_identities,
    build_golden,
    find_suspects,
    score_pairs,
    update_features,
)
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.model import MODEL_FOLDER
from datadock.lake import Lake

START = datetime(2026, 1, 1, tzinfo=UTC)
SQL = {"text": "varchar", "date": "date", "timestamp": "timestamptz", "number": "double"}
FIELDS = ("given_name", "family_name", "birth_date", "email", "phone", "postcode", "city")
GIVEN = [
    "Anna", "Bruno", "Chloé", "David", "Elsa", "Farid", "Gaëlle", "Hugo", "Inès", "Jules", "Karim", "Léa", "Marc",
    "Nadia", "Oscar", "Paula", "Rémi", "Sarah",
]  # fmt: skip
FAMILY = [
    "Durand", "Petit", "Moreau", "Garnier", "Lefebvre", "Roussel", "Blanchard", "Faure", "Marchand", "Vidal",
    "Caron", "Meunier", "Dupuis",
]  # fmt: skip


def people(count: int, seed: int) -> pl.DataFrame:
    """Contacts of two sources, two in five of them twice, with slips."""
    rng = random.Random(seed)
    rows = []
    for n in range(count):
        given, family = rng.choice(GIVEN), rng.choice(FAMILY)
        born = f"{rng.randint(1935, 2004)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        town = rng.randint(1, 30)
        row = {"given_name": given, "family_name": family, "birth_date": born, "postcode": f"69{town:03}",
               "email": f"{given}.{family}{rng.randint(1, 999)}@mail.fr".lower(), "city": f"Town {town}",
               "phone": f"06{rng.randint(10_000_000, 99_999_999)}"}  # fmt: skip
        rows.append({"source": "crm", "source_key": f"{n:04}", **row})
        if n % 5 < 2:
            other = dict(row)
            other[rng.choice(["email", "phone", "birth_date"])] = None
            other["family_name"] = family.upper() if rng.random() < 0.7 else family[:-1]
            rows.append({"source": "shop", "source_key": f"{n:04}", **other})
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "sources").mkdir()
    fields = ", ".join(f"{name}: {name}" for name in FIELDS)
    for source, trust in (("crm", 0.9), ("shop", 0.4)):
        (folder / "sources" / f"{source}.yml").write_text(
            f"description: x\nowner: x\ntrust: {trust}\nformat: {{type: csv}}\n"
            f"entities: {{contact: {{key: id, fields: {{{fields}}}}}}}\n",
            encoding="utf-8",
        )
    return load_catalog(folder)


class Deployment:
    """A lake and a warehouse whose contacts can be replaced, and runs over them."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self.lake, self.catalog, self.folder, self.runs = Lake(folder / "lake"), catalog, folder, 0
        self.warehouse = folder / "warehouse.duckdb"

    def contacts(self, frame: pl.DataFrame) -> None:
        self.warehouse.unlink(missing_ok=True)
        con = duckdb.connect(str(self.warehouse))
        con.register("told", frame.to_arrow())
        columns = ", ".join(
            f"{name if name in frame.columns else 'null'}::{SQL[kind]} as {name}"
            for name, (_, kind) in MODEL["contact"].items()
        )
        con.execute(
            "create schema intermediate; create table intermediate.int_source_contact as select source, source_key, "
            f"'person' as party_type, {columns}, null::timestamptz as record_updated_at, 'b' as _batch_id, "
            "'f' as _file, 1::bigint as _line, timestamptz '2026-01-01' as _received_at from told"
        )
        con.close()

    def workspace(self) -> Workspace:
        self.runs += 1
        return Workspace(
            self.lake, self.catalog, self.warehouse, f"run{self.runs}", START + timedelta(hours=self.runs), "secret"
        )

    def run(self) -> MembershipReport:
        workspace = self.workspace()
        update_features(workspace)
        score_pairs(workspace)
        report = assign_identities(workspace)
        build_golden(workspace)
        find_suspects(workspace)
        return report

    def ids(self) -> dict[tuple[str, str], str]:
        current = current_memberships(read_log(self.workspace())).drop_nulls("golden_id")
        return {(source, key): golden for source, key, golden in current.iter_rows()}

    def groups(self) -> set[frozenset[tuple[str, str]]]:
        by_id: dict[str, set[tuple[str, str]]] = {}
        for record, golden in self.ids().items():
            by_id.setdefault(golden, set()).add(record)
        return {frozenset(members) for members in by_id.values()}

    def rows(self, table: str) -> pl.DataFrame:
        opened = self.lake.open(table)
        return pl.DataFrame(opened.to_pyarrow_table()) if opened else pl.DataFrame()

    def golden(self) -> dict[str, tuple[str, str]]:
        latest = self.rows(names.CONTACTS).sort("recorded_at").unique("golden_id", keep="last")
        live = latest.filter(pl.col("op") == "upsert")
        return {row["golden_id"]: (row["email"], row["row_hash"]) for row in live.iter_rows(named=True)}

    def redirects(self) -> dict[str, str]:
        latest = self.rows(names.REDIRECTS)
        latest = latest.sort("at").unique("old_id", keep="last").drop_nulls("new_id") if latest.width else latest
        return dict(latest.select("old_id", "new_id").iter_rows()) if latest.width else {}

    def open_suspects(self) -> set[tuple[str, ...]]:
        pair = ["left_source", "left_key", "right_source", "right_key"]
        latest = self.rows(names.SUSPECTS).sort("recorded_at").unique(pair, keep="last")
        return set(latest.filter(pl.col("status") == "open").select(pair).iter_rows())

    def decide(self, kind: str, left: tuple[str, str], right: tuple[str, str]) -> None:
        row = {"decision_id": f"{kind}{self.runs}", "kind": kind, "left_source": left[0], "left_key": left[1],
               "right_source": right[0], "right_key": right[1], "decided_by": "steward",
               "decided_at": START + timedelta(hours=self.runs, minutes=30), "reason": "seen"}  # fmt: skip
        self.lake.append_once(names.DECISIONS, pl.DataFrame([row]).to_arrow(), row["decision_id"])


@pytest.fixture(scope="module")
def everyone() -> pl.DataFrame:
    return people(260, seed=3)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, everyone: pl.DataFrame) -> Deployment:
    """All contacts in one run; tests copy it."""
    deployment = Deployment(tmp_path_factory.mktemp("calm"), catalog)
    deployment.contacts(everyone)
    deployment.run()
    return deployment


def copy_of(calm: Deployment, folder: Path) -> Deployment:
    shutil.copytree(calm.folder, folder, dirs_exist_ok=True)
    copied = Deployment(folder, calm.catalog)
    copied.runs = calm.runs
    return copied


def test_one_run_finds_the_people(calm: Deployment) -> None:
    ids = calm.ids()
    twice = [key for source, key in ids if source == "shop"]
    assert sum(ids["crm", key] == ids["shop", key] for key in twice) >= 0.97 * len(twice)
    assert len({ids["crm", f"{n:04}"] for n in range(260)}) >= 258
    assert set(calm.golden()) == set(ids.values())


def test_a_second_run_writes_nothing(calm: Deployment, tmp_path: Path) -> None:
    again = copy_of(calm, tmp_path)
    before = {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*.json")}
    report = again.run()
    after = {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*.json")}
    assert not report.changed
    assert before == after


def history(everyone: pl.DataFrame, seed: int) -> list[pl.DataFrame]:
    """What stood there at the end of each batch: in any order of arrival, mistaken or missing now and then."""
    rng = random.Random(seed)
    arriving = everyone.sample(fraction=1.0, shuffle=True, seed=seed)
    cuts = sorted(rng.sample(range(1, everyone.height), rng.randint(1, 4)))
    states = []
    for cut in cuts:
        there = arriving.head(cut).with_row_index("place")
        gone, wrong = (rng.sample(range(cut), cut // 20) for _ in range(2))
        mistaken = pl.when(pl.col("place").is_in(wrong)).then(pl.lit("Inconnue")).otherwise(pl.col("family_name"))
        states.append(there.with_columns(family_name=mistaken).filter(~pl.col("place").is_in(gone)).drop("place"))
    return [*states, arriving]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_history_gives_the_partition_and_values_of_one_run(
    calm: Deployment, everyone: pl.DataFrame, tmp_path: Path, seed: int
) -> None:
    """With the model trained once: what a model learns depends on what there is when it is trained."""
    deployment = Deployment(tmp_path, calm.catalog)
    shutil.copytree(calm.lake.path(MODEL_FOLDER), deployment.lake.path(MODEL_FOLDER))
    for state in history(everyone, seed):
        deployment.contacts(state)
        deployment.run()
    assert deployment.groups() == calm.groups()
    assert deployment.open_suspects() == calm.open_suspects()
    kept, redirects = deployment.ids(), deployment.redirects()
    # A rebuild of everything that is derived, over this history, changes no id.
    deployment.lake.drop(
        ["golden/features", names.PAIRS, names.REDIRECTS, names.LINEAGE, names.CONTACTS, names.SUSPECTS]
    )
    deployment.run()
    assert deployment.ids() == kept
    assert deployment.redirects() == redirects
    assert deployment.open_suspects() == calm.open_suspects()


def test_a_refused_pair_parts_and_stays_apart_and_a_forced_one_joins(calm: Deployment, tmp_path: Path) -> None:
    deployment = copy_of(calm, tmp_path)
    before = deployment.ids()
    shop = next(key for source, key in before if source == "shop" and before["crm", key] == before["shop", key])
    deployment.decide("never_link", ("crm", shop), ("shop", shop))
    deployment.run()
    apart = deployment.ids()
    assert apart["crm", shop] != apart["shop", shop]
    lineage = deployment.rows(names.LINEAGE)
    assert ("split_from", before["crm", shop]) in lineage.select("event", "other_id").rows()
    workspace = deployment.workspace()
    score_pairs(workspace, retrain=True)
    assign_identities(workspace)
    assert deployment.ids()["crm", shop] != deployment.ids()["shop", shop]
    # Decided the other way: the two are one again, under the id that they had; the other one leads there.
    deployment.decide("must_link", ("crm", shop), ("shop", shop))
    deployment.run()
    joined = deployment.ids()
    assert joined["crm", shop] == joined["shop", shop]
    retired = ({apart["crm", shop], apart["shop", shop]} - {joined["crm", shop]}).pop()
    latest = deployment.rows(names.REDIRECTS).sort("at").unique("old_id", keep="last")
    assert (retired, joined["crm", shop]) in latest.select("old_id", "new_id").rows()
    assert retired not in deployment.golden()


def test_a_merge_undone_gives_everyone_the_id_back(calm: Deployment, tmp_path: Path) -> None:
    deployment = copy_of(calm, tmp_path)
    before = deployment.ids()
    one, two = ("crm", "0003"), ("crm", "0004")
    assert before[one] != before[two]
    deployment.decide("must_link", one, two)
    deployment.run()
    assert deployment.ids()[one] == deployment.ids()[two]
    deployment.decide("never_link", one, two)
    deployment.run()
    assert deployment.ids() == before
    latest = deployment.rows(names.REDIRECTS).sort("at").unique("old_id", keep="last")
    assert latest.drop_nulls("new_id").height == 0


def test_a_contact_that_is_gone_retires_and_its_return_restores_it(
    calm: Deployment, everyone: pl.DataFrame, tmp_path: Path
) -> None:
    deployment = copy_of(calm, tmp_path)
    before = deployment.ids()
    gone = ("crm", "0002")
    deployment.contacts(everyone.filter(~((pl.col("source") == "crm") & (pl.col("source_key") == "0002"))))
    deployment.run()
    assert gone not in deployment.ids()
    assert before[gone] not in deployment.golden()
    deployment.contacts(everyone)
    deployment.run()
    assert deployment.ids() == before


def test_a_changed_value_moves_only_its_golden_contact(
    calm: Deployment, everyone: pl.DataFrame, tmp_path: Path
) -> None:
    deployment = copy_of(calm, tmp_path)
    before = deployment.golden()
    mine = (pl.col("source") == "crm") & (pl.col("source_key") == "0007")
    city = pl.when(mine).then(pl.lit("Elsewhere")).otherwise(pl.col("city")).alias("city")
    deployment.contacts(everyone.with_columns(city))
    deployment.run()
    changed = {golden for golden, row in deployment.golden().items() if before.get(golden) != row}
    assert changed == {deployment.ids()["crm", "0007"]}


@pytest.mark.parametrize("done", [0, 1, 2, 3, 4])
def test_a_run_killed_between_steps_is_finished_by_the_next(
    calm: Deployment, everyone: pl.DataFrame, tmp_path: Path, done: int
) -> None:
    """Kills inside a step leave nothing visible: each table is one Delta commit, and redirects follow from the log."""
    steps = [update_features, score_pairs, assign_identities, build_golden, find_suspects]
    more = pl.concat([everyone, people(6, seed=9).with_columns(pl.col("source_key").str.replace("0", "9"))])
    whole, killed = copy_of(calm, tmp_path / "whole"), copy_of(calm, tmp_path / "killed")
    for deployment in (whole, killed):
        deployment.contacts(more)
    whole.run()
    workspace = killed.workspace()
    for step in steps[:done]:
        step(workspace)
    if done == 3:
        killed.lake.drop([names.LINEAGE])
    killed.run()
    assert killed.ids() == whole.ids()
    assert killed.golden() == whole.golden()
    for table, key in ((names.LINEAGE, ["golden_id", "event", "other_id"]), (names.SUSPECTS, ["left_key", "status"])):
        assert killed.rows(table).select(key).sort(key).equals(whole.rows(table).select(key).sort(key))
