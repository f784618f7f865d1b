"""Planted faults stop their step before anything is written, until they are mended; models and thresholds change."""

import json
import re
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from datadock import names
from datadock.catalog import load_catalog
from datadock.catalog.model import IdentityLimits, IdentityRules
from datadock.demo import generate
from datadock.errors import ModelError
from datadock.identity import Workspace, assign_identities, score_pairs, update_features
from datadock.identity.candidate import try_candidates
from datadock.identity.explain import explain
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.model import load_term_frequencies, read_model, read_version, save_model
from datadock.identity.partition import PartyClusters
from datadock.identity.reviewed import decided_weights
from datadock.identity.versions import list_versions, use_version
from datadock.identity.whatif import open_what_if
from datadock.lake import Lake
from datadock.landing import land_file
from datadock.link import stage_contacts
from datadock.reports.evidence import unlinkable
from datadock.settings import PROJECT_ROOT

START = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES = ("crm_contacts", "eshop_customers", "newsletter")
PAIR = ["left_source", "left_key", "right_source", "right_key"]


@dataclass
class Linking:
    """A lake with the demo company's contacts, and runs of the linking over it under rules of the test's choice."""

    folder: object
    catalog: object
    runs: int = 0

    def workspace(self, **rules):
        self.runs += 1
        at = START + timedelta(hours=self.runs)
        catalog = replace(self.catalog, identity=IdentityRules(**rules))
        lake, warehouse = Lake(self.folder / "lake"), self.folder / "link.duckdb"
        return Workspace(lake, catalog, warehouse, f"run{self.runs}", at, "secret")

    def run(self, **rules):
        workspace = self.workspace(**rules)
        update_features(workspace)
        pairs = score_pairs(workspace)
        return pairs if pairs.blocked else assign_identities(workspace)

    def versions(self):
        lake = Lake(self.folder / "lake")
        current = {p.name: p.read_text() for p in lake.path(names.MODELS).glob("current-*")}
        return [lake.version(t) for t in (names.PAIRS, names.MEMBERSHIPS, names.REDIRECTS, names.LINEAGE)], current

    def ids(self):
        return current_memberships(read_log(self.workspace())).sort("source", "source_key").rows()

    def decide(self, kind, pairs):
        rows = pairs.select(PAIR).with_columns(
            decision_id=pl.lit(kind), kind=pl.lit(kind), decided_by=pl.lit("steward"), reason=pl.lit("seen"),
            decided_at=pl.lit(START + timedelta(hours=self.runs, minutes=30)),
        )  # fmt: skip
        Lake(self.folder / "lake").append_once(names.DECISIONS, rows.to_arrow(), f"{kind}{self.runs}")


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calm")
    linking = Linking(folder, load_catalog(PROJECT_ROOT / "catalog"))
    generate(500, 3, folder / "landing")
    for source in SOURCES:
        for path in sorted((folder / "landing" / source).glob("*")):
            land_file(Lake(folder / "lake"), linking.catalog.source(source), path)
    stage_contacts(linking.workspace(), list(SOURCES))
    assert not linking.run().findings
    return linking


@pytest.fixture
def linking(calm, tmp_path):
    shutil.copytree(calm.folder, tmp_path / "copy")
    return Linking(tmp_path / "copy", calm.catalog, calm.runs)


def _blocked_twice_then_passes(linking, guard, rules, mended, mend=None):
    """Return the finding, after seeing that nothing is written, the next run objects again, and mending helps."""
    before = linking.versions()
    first, second = linking.run(**rules), linking.run(**rules)
    assert first.blocked
    assert [f.guard for f in first.findings] == [f.guard for f in second.findings]
    assert {f.guard for f in first.findings} == {guard}
    assert linking.versions() == before
    if mend:
        mend()
    assert not linking.run(**mended).blocked
    return first.findings[0]


def _model_file(linking):
    folder = Lake(linking.folder / "lake").path(names.MODELS)
    return folder / f"{(folder / 'current-person').read_text()}.json"


def _write(path, text):
    """Put another model in the place of the one in use: what an edited or foreign file is."""
    path.write_text(text, encoding="utf-8")


def test_an_untrained_level_stops_scoring_and_is_named(linking):
    path = _model_file(linking)
    sound = path.read_text(encoding="utf-8")
    model = json.loads(sound)
    model["u"]["email"][0] = None
    _write(path, json.dumps(model))
    finding = _blocked_twice_then_passes(linking, "untrained_levels", {}, {}, lambda: _write(path, sound))
    assert re.fullmatch(r"person model, email: level '.+'", finding.subject)
    assert finding.found == "u is None"


def test_a_level_that_depends_on_the_order_of_a_pair_stops_scoring_and_is_named(linking):
    path = _model_file(linking)
    sound = path.read_text(encoding="utf-8")
    model = json.loads(sound)
    given = next(c for c in model["comparisons"] if c["name"] == "given_name")
    given["levels"][0] |= {"sql": "given_l < given_r", "name": "earlier", "tf": None}
    _write(path, json.dumps(model))
    for table in Lake(linking.folder / "lake").path(names.MODELS).glob("person-*-*.parquet"):
        shutil.copy(table, table.with_name(f"{read_model(model).version}-{table.stem.split('-', 2)[2]}.parquet"))
    finding = _blocked_twice_then_passes(linking, "one_sided_levels", {}, {}, lambda: _write(path, sound))
    assert finding.subject == "person model, given_name: level 'earlier'" or "'earlier'" in finding.found


def test_a_block_over_its_cap_stops_scoring_and_its_rule_and_key_are_named(linking):
    linking.run()
    Lake(linking.folder / "lake").drop([names.PAIRS])
    report = linking.run(limits=IdentityLimits(block_records=3))
    assert report.blocked
    assert {f.guard for f in report.findings} == {"block_over_cap"}
    assert all(re.fullmatch(r"(person|company) rule \w+, key '.+'", f.subject) for f in report.findings)
    assert linking.versions()[0][0] == -1
    assert linking.run(limits=IdentityLimits(block_records=3)).findings == report.findings
    assert not linking.run().blocked


def test_a_cluster_over_its_cap_stops_the_run_even_where_nothing_else_is_new(linking):
    finding = _blocked_twice_then_passes(linking, "cluster_over_cap", {"limits": IdentityLimits(cluster_records=2)}, {})
    assert re.fullmatch(r"golden contact DK\w{26}[\w*~$=]", finding.subject)
    assert re.match(r"\d records \(.+\) held together by \d+ of \d+ pairs of -1 bits or more", finding.found)
    assert "•" in finding.found


def test_ids_that_move_without_a_decision_stop_the_run_and_leave_the_ledger_as_it_was(linking):
    before = linking.ids()
    limits = IdentityLimits(id_churn_new_model=0.01)
    finding = _blocked_twice_then_passes(
        linking, "id_churn", {"threshold": 8, "limits": limits}, {"threshold": 8, "limits": {"id_churn_new_model": 1}}
    )
    assert "(new: threshold)" in finding.expected
    assert linking.ids() != before


def test_what_decisions_move_is_no_churn(linking):
    """Eighty contacts joined two by two: over the limit by far, and wanted."""
    before = linking.ids()
    first = {golden: (source, key) for source, key, golden in before}
    ends = [first[golden] for golden in sorted(first)[:80]]
    pairs = [(*one, *other) for one, other in zip(ends[::2], ends[1::2], strict=True)]
    linking.decide("must_link", pl.DataFrame(pairs, schema=PAIR, orient="row"))
    report = linking.run()
    assert (report.changed, report.findings) == (True, ())
    assert sum(a != b for a, b in zip(before, linking.ids(), strict=True)) >= 40
    assert linking.workspace().facts(names.MEMBERSHIPS)["moved"] == 0


def test_a_fall_of_precision_among_decided_pairs_stops_the_run(linking):
    """Decided pairs that the last threshold kept apart rightly are joined by a lower one."""
    free = {"id_churn_new_model": 1, "decided_pairs": 10}
    linking.run(threshold=10, limits=free)
    pairs = pl.read_parquet(Lake(linking.folder / "lake").files(names.PAIRS)).sort("match_weight")
    strong, weak = pairs.filter(pl.col("match_weight") >= 11), pairs.filter(pl.col("match_weight").is_between(0, 9))
    linking.decide("must_link", strong.head(20))
    linking.decide("never_link", weak.head(15))
    assert not linking.run(threshold=10, limits=free).findings
    finding = _blocked_twice_then_passes(
        linking, "edge_precision", {"threshold": -1, "limits": free}, {"threshold": 10, "limits": free}
    )
    assert finding.found.startswith("0.571: 20 of 35 strong pairs")
    reviewed = decided_weights(linking.workspace(threshold=10))
    assert (reviewed["same"] == reviewed["found"]).all()


def test_a_reviewed_sample_of_the_catalog_warns_or_blocks_as_declared(linking, tmp_path):
    catalog = tmp_path / "catalog"
    shutil.copytree(PROJECT_ROOT / "catalog", catalog)
    same = [f"{source},{key},{golden}" for source, key, golden in linking.ids()]
    wrong = [f"{source},{key},{n // 2}" for n, (source, key, _) in enumerate(linking.ids())]
    for rows, on_failure, guards, blocked in (
        (same, "block", set(), False),
        (wrong, "warn", {"reviewed_accuracy"}, False),
        (wrong, "block", {"reviewed_accuracy"}, True),
    ):
        (catalog / "reviewed.csv").write_text("\n".join(["source,source_key,entity_id", *rows]), encoding="utf-8")
        linking.catalog = load_catalog(catalog)
        rules = {"reviewed": {"on_failure": on_failure}}
        standing = linking.run(**rules)
        # A decision that concerns nobody makes the memberships be planned anew.
        linking.decide("must_link", pl.DataFrame([["x", "1", "x", "2"]], schema=PAIR, orient="row"))
        for report in (standing, linking.run(**rules)):
            assert ({f.guard for f in report.findings}, report.blocked) == (guards, blocked)


def test_a_candidate_changes_nothing_until_it_is_used_and_the_older_model_can_be_gone_back_to(linking):
    before, versions = linking.ids(), linking.versions()
    workspace = linking.workspace()
    tried = try_candidates(workspace, ["person"], None)
    model = tried.models["person"]
    assert (model.version, tried.then.ids_changed) == (tried.in_use["person"], 0), "the same records, the same model"
    assert linking.versions() == versions
    # A model of other weights: what the same records would not give.
    other = replace(model, match_share=model.match_share / 300)
    folder = workspace.model_folder
    with workspace.connection() as con:
        save_model(folder, other, con, load_term_frequencies(folder, model, con))
    listed = {one.version: one for one in list_versions(workspace) if one.party == "person"}
    assert {name: one.in_use for name, one in listed.items()} == {model.version: True, other.version: False}
    record = listed[model.version].training
    assert (record["data"]["features"]["generation"], record["rounds"] > 1, record["seconds"] > 0) == (1, True, True)
    assert {"splink", "duckdb", "python"} <= set(record["software"])
    use_version(workspace, other.version)
    free = {"id_churn_new_model": 1}
    assert linking.run(limits=free).changed
    assert _pairs_of(linking.ids()) < _pairs_of(before)
    use_version(workspace, model.version)
    linking.run(limits=free)
    assert _pairs_of(linking.ids()) == _pairs_of(before)
    stored = pl.read_parquet(Lake(linking.folder / "lake").files(names.PAIRS))
    assert stored.select(*PAIR, "model_version").is_duplicated().sum() == 0
    with pytest.raises(ModelError, match="no model is called 'person-x'"):
        use_version(workspace, "person-x")


def test_a_model_that_the_next_run_would_replace_is_refused(linking):
    workspace = linking.workspace()
    current = next(one for one in list_versions(workspace) if one.party == "person")
    few = replace(read_version(workspace.model_folder, current.version), records=7)
    with workspace.connection() as con:
        save_model(workspace.model_folder, few, con, {})
    with pytest.raises(ModelError, match=r"it was trained on 7 records, there are \d+ now"):
        use_version(workspace, few.version)


def test_the_pieces_of_an_explanation_add_up_to_the_weight_that_is_stored(linking):
    workspace = linking.workspace()
    with workspace.connection() as con:
        people = PartyClusters(con, workspace, "person")
        chosen = people.pairs.sort("weight").gather_every(people.pairs.height // 25)
        keys = people.records.select("source", "source_key").rows()
        alone = unlinkable(people, -1.0)
    explained = explain(
        workspace, [(keys[left], keys[right]) for left, right in chosen.select("rid_l", "rid_r").rows()]
    )
    assert [one.weight for one in explained] == pytest.approx(chosen["weight"].to_list(), abs=1e-6)
    for one in explained:
        told = one.prior + sum(piece.bits for piece in one.evidence) + one.household
        assert told == pytest.approx(one.weight, abs=1e-6)
        assert (one.verdict == "same") == (one.weight >= -1)
        assert all(piece.bits == 0 for piece in one.evidence if piece.level == "unknown")
    assert alone["records"].sum() == people.records.height
    assert (alone["unlinkable"] <= alone["records"]).all()


@pytest.mark.parametrize("bits", [-3.0, 2.0, 7.5])
def test_what_if_tells_what_a_run_with_that_threshold_does(linking, bits):
    before = linking.ids()
    with open_what_if(linking.workspace(), None) as asked:
        told = asked.at({"person": bits, "company": bits})
        now = asked.now()
    assert linking.ids() == before
    report = linking.run(threshold=bits, limits={"id_churn_new_model": 1})
    assert (told.golden, told.largest) == (report.golden, report.largest)
    after = linking.ids()
    assert told.ids_changed == sum(a != b for a, b in zip(before, after, strict=True))
    groups = {name: _pairs_of(ids) for name, ids in (("before", before), ("after", after))}
    assert (told.joined, now.joined) == (len(groups["after"]), len(groups["before"]))
    assert told.pairs_in == len(groups["after"] - groups["before"])
    assert told.pairs_out == len(groups["before"] - groups["after"])


def _pairs_of(ids):
    by_id = {}
    for source, key, golden in ids:
        by_id.setdefault(golden, []).append((source, key))
    return {(one, other) for members in by_id.values() for one in members for other in members if one < other}
