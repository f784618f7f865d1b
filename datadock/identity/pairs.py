"""The pairs asset: a model where none fits, candidate pairs, weights, appended to ``golden/pairs``.

Stored pairs are never changed. One is live while both its feature hashes and its model are current.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import duckdb

from datadock import names
from datadock.identity.blocking import BlockReport, candidate_pairs
from datadock.identity.feature_store import load_features, load_records
from datadock.identity.features import Features, linking_fields
from datadock.identity.guards import Finding, one_sided_levels, overgrown_blocks, untrained_levels
from datadock.identity.kept_training import outgrown, train_version
from datadock.identity.model import Model, load_model, load_term_frequencies, make_current
from datadock.identity.normalise import install_macros
from datadock.identity.scoring import score
from datadock.identity.symmetry import sampled_levels
from datadock.identity.trainer import TRAINING_PAIRS, scored_table, without_shared
from datadock.identity.workspace import FEATURES, PARTIES, Workspace, apart_sql
from datadock.warehouse.lake_tables import TABLES

LIVE_PAIRS = "dd_live_pairs"


@dataclass(frozen=True)
class PairsReport:
    """What scoring did.

    Attributes:
        changed: False where nothing was written: nothing was new, or a guard objected.
        records: Records that were scored against all.
        candidates: Candidate pairs looked at.
        pairs: Pairs stored in this run.
        models: Party type to version of its model.
        trained: Party types whose model was trained in this run.
        blocks: Per rule what it contributed; ``stopped`` and ``overgrown_keys`` are the overflow.
        notes: What the models left out, and why.
        findings: What the guards object to.
    """

    changed: bool
    records: int = 0
    candidates: int = 0
    pairs: int = 0
    models: dict[str, str] = field(default_factory=dict)
    trained: tuple[str, ...] = ()
    blocks: tuple[BlockReport, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether a guard kept the pairs, and the model in use, as they were."""
        return any(finding.blocks for finding in self.findings)


def score_pairs(workspace: Workspace, *, retrain: bool = False, blocking: bool = True) -> PairsReport:
    """Score what is new: all pairs after a training, else only those with a new or changed record.

    Args:
        workspace: The run's workspace; ``update_features`` has run.
        retrain: Train the models anew even where they fit.
        blocking: Whether a guard that objects keeps pairs and model as they were; else its finding is only told.

    Raises:
        ModelError: When a model cannot be trained; nothing is written then.
    """
    before = workspace.cursor(names.PAIRS)
    rest = {**workspace.cursor(FEATURES), "apart": apart_sql(workspace)}
    if not retrain and before and {key: before.get(key) for key in rest} == rest and _models_stand(workspace, before):
        return PairsReport(False, models=before["models"])
    with workspace.connection() as con:
        runs = []
        for party in PARTIES:
            run = _PartyRun(con, workspace, party, before, retrain=retrain)
            if run.features.rows:
                run.score()
                runs.append(run)
        scored = " union all ".join(f"from dd_pairs_{run.party}" for run in runs)
        rows = con.sql(f"{scored or f'{_empty_sql()} where false'} order by 1, 2, 3, 4").to_arrow_table()
        models = {run.party: run.model.version for run in runs}
        report = PairsReport(
            True,
            records=sum(run.scored for run in runs),
            candidates=sum(run.candidates for run in runs),
            pairs=rows.num_rows,
            models=models,
            trained=tuple(run.party for run in runs if run.trained),
            blocks=tuple(report for run in runs for report in run.blocks),
            notes=tuple(note for run in runs for note in run.model.notes),
            findings=tuple(finding for run in runs for finding in run.findings),
        )
        if report.blocked and blocking:
            return replace(report, changed=False)
        for run in runs:
            make_current(workspace.model_folder, run.model)
        facts = {key: value for key, value in asdict(report).items() if key != "changed"}
        facts["blocks"] = [{"party": run.party, **asdict(block)} for run in runs for block in run.blocks]
        workspace.append(names.PAIRS, rows, {**rest, "models": models}, facts)
        return report


def _empty_sql() -> str:
    return "select " + ", ".join(f"null::{kind} as {name}" for name, kind in TABLES[names.PAIRS].items())


def _models_stand(workspace: Workspace, before: dict[str, Any]) -> bool:
    for party, version in before.get("models", {}).items():
        model = load_model(workspace.model_folder, party)
        if model is None or model.version != version:
            return False
    return True


class _PartyRun:
    """Scoring of one party type."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, workspace: Workspace, party: str, before: dict[str, Any], *, retrain: bool
    ) -> None:
        self.con, self.workspace, self.party = con, workspace, party
        self.before = before
        self.records = load_records(con, workspace, party)
        self.known = None if retrain else self._fitting_model()
        self.features = self._features()
        self.blocks: list[BlockReport] = []
        self.findings: list[Finding] = []
        self.candidates = self.scored = 0
        self.trained = False
        if self.features.rows:
            install_macros(con)
            self.model = self._model()

    def _features(self) -> Features:
        """All features of all records where many passes over them follow, else a view of which little is read."""
        if not self.records.rows or self._scored_generation(self.known) < 0:
            return load_features(self.con, self.workspace, self.records)
        table = f"{self.party}_features_read"
        stored = self.workspace.scan(FEATURES)
        self.con.execute(
            f"create or replace temp view {table} as select r.rid, s.* exclude (op) from "
            f"(select * from {stored} where party_type = '{self.party}') s "
            f"join (select rid, source, source_key, generation from {self.records.table}) r "
            "using (source, source_key, generation)"
        )
        columns = tuple(row[0] for row in self.con.execute(f"describe {table}").fetchall())
        return Features(table, columns, self.records.rows)

    def _fitting_model(self) -> Model | None:
        """The stored model, where it fits the declared fields and the number of records."""
        known = load_model(self.workspace.model_folder, self.party)
        fits = known is not None and known.fields == linking_fields(self.workspace.catalog)
        return known if known is not None and fits and not outgrown(known.records, self.records.rows) else None

    def _model(self) -> Model:
        if self.known is not None:
            return self.known
        model, self.blocks = train_version(self.con, self.workspace, self.features, self.party)
        self.trained = True
        return model

    def score(self) -> None:
        """Make the table ``dd_pairs_<party>`` with the rows to append."""
        con, model, records = self.con, self.model, self.records.table
        self.findings = untrained_levels(model)
        if self.findings or not model.comparisons:
            con.execute(f"create or replace temp table dd_pairs_{self.party} as {_empty_sql()} where false")
            return
        table = scored_table(self.features) if self.trained else without_shared(con, self.features, model.shared)
        frequencies = load_term_frequencies(self.workspace.model_folder, model, con)
        since = self._scored_generation(model)
        con.execute(f"create or replace temp table dd_fresh as select rid from {records} where linked > {since}")
        self.scored = int(con.execute("select count(*) from dd_fresh").fetchall()[0][0])
        found = TRAINING_PAIRS
        limits = self.workspace.catalog.identity.limits
        if not self.blocks:  # else training has just looked for all pairs of all records
            found, new = "dd_found", None if self.scored == self.features.rows else "dd_fresh"
            apart = apart_sql(self.workspace)
            self.blocks = candidate_pairs(
                con, table, list(model.rules), found, only_new=new, apart=apart, cap=limits.block_records
            )
            self.findings += one_sided_levels(self.party, sampled_levels(con, table, found, model.comparisons))
        self.findings += overgrown_blocks(self.party, self.blocks, limits.block_records)
        self.candidates = int(con.execute(f"select count(*) from {found}").fetchall()[0][0])
        score(con, model, table, found, frequencies, "dd_scored")
        con.execute(
            f"create or replace temp table dd_pairs_{self.party} as select l.source as left_source, "
            "l.source_key as left_key, r.source as right_source, r.source_key as right_key, weight as match_weight, "
            "1 / (1 + power(2.0, -weight)) as match_probability, l.feature_hash as left_hash, "
            f"r.feature_hash as right_hash, '{model.version}' as model_version, $1 as run_id, "
            "$2::timestamptz as recorded_at "
            f"from dd_scored join {records} l on l.rid = rid_l join {records} r on r.rid = rid_r",
            [self.workspace.run_id, self.workspace.run_at],
        )
        self._leave_out_stored()

    def _leave_out_stored(self) -> None:
        """Drop what is stored already: a model that is gone back to has scored most of its pairs before."""
        stored = self.workspace.scan(names.PAIRS)
        if stored is None or self.trained or self.scored < self.features.rows:
            return
        pair = "left_source, left_key, right_source, right_key, left_hash, right_hash"
        same = " and ".join(f"p.{name} = s.{name}" for name in pair.split(", "))
        self.con.execute(
            f"delete from dd_pairs_{self.party} p using (select distinct {pair} from {stored} "
            f"where model_version = '{self.model.version}') s where {same}"
        )

    def _scored_generation(self, model: Model | None) -> int:
        """The generation up to which a model has scored these features; -1 where it has none."""
        now = {**self.workspace.cursor(FEATURES), "apart": apart_sql(self.workspace)}
        same = model is not None and self.before.get("models", {}).get(self.party) == model.version
        same = same and all(self.before.get(key) == now.get(key) for key in ("spec", "store", "apart"))
        return int(self.before["generation"]) if same else -1


def load_live_pairs(con: duckdb.DuckDBPyConnection, workspace: Workspace, party: str, model_version: str) -> str:
    """Create the table of a party's live pairs (rid_l, rid_r, weight), of the records in ``dd_<party>``."""
    source = workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])
    con.execute(
        f"create or replace temp table {LIVE_PAIRS} as select l.rid as rid_l, r.rid as rid_r, "
        f"any_value(p.match_weight) as weight from {source} p "
        f"join dd_{party} l on l.source = p.left_source and l.source_key = p.left_key and l.feature_hash = p.left_hash "
        f"join dd_{party} r on r.source = p.right_source and r.source_key = p.right_key "
        f"and r.feature_hash = p.right_hash where p.model_version = '{model_version}' group by 1, 2 order by 1, 2"
    )
    return LIVE_PAIRS
