"""The pairs asset: a model where none fits, candidate pairs, weights, appended to ``golden/pairs``.

Stored pairs are never changed. One is live while both its feature hashes and its model are current.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import duckdb

from datadock import names
from datadock.identity.block_keys import key_parts, parts_of
from datadock.identity.blocking import BlockReport
from datadock.identity.engines import Engine, open_engine
from datadock.identity.feature_store import count_records, load_features, load_records
from datadock.identity.features import linking_fields
from datadock.identity.guards import Finding, one_sided_levels, overgrown_blocks, untrained_levels
from datadock.identity.kept_training import outgrown, train_version
from datadock.identity.key_store import KEYS, append_keys, create_partners, knows_keys, record_keys_sql
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
        DatadockError: When the declared engine is not there.
    """
    before = workspace.cursor(names.PAIRS)
    rest = {**workspace.cursor(FEATURES), "apart": apart_sql(workspace)}
    if not retrain and before and {key: before.get(key) for key in rest} == rest and _models_stand(workspace, before):
        return PairsReport(False, models=before["models"])
    with open_engine(workspace) as engine, workspace.connection() as con:
        runs = _runs(con, engine, workspace, before, retrain=retrain)
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
        _keep_keys(con, workspace, runs, {**rest, "models": models})
        workspace.append(names.PAIRS, rows, {**rest, "models": models}, facts)
        return report


def _runs(
    con: duckdb.DuckDBPyConnection, engine: Engine, workspace: Workspace, before: dict[str, Any], *, retrain: bool
) -> list[_PartyRun]:
    """Score the party types that there are records of; partly, where the keys of all records are known."""
    told = workspace.scan_or_empty(FEATURES, {"party_type": "varchar"})
    parties = [
        party for party in PARTIES if con.execute(f"from {told} where party_type = '{party}' limit 1").fetchall()
    ]
    runs = [_PartyRun(con, engine, workspace, party, before, retrain=retrain) for party in parties]
    partly = knows_keys(workspace, before) and all(run.since >= 0 for run in runs)
    for run in runs:  # each to its end: training leaves its pairs and keys in tables of one name
        run.open(partly=partly)
        if run.features.rows or partly:
            run.score()
    return [run for run in runs if run.features.rows or partly]


def _keep_keys(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, runs: list[_PartyRun], inputs: dict[str, Any]
) -> None:
    """Keep the keys of what was scored, all of them anew unless the others' are known."""
    if not all(run.partly for run in runs):
        workspace.lake.drop([KEYS])
    tables = [f"dd_keys_{run.party}" for run in runs]
    if runs and all(run.keyed for run in runs):
        append_keys(con, workspace, tables, inputs)


def _empty_sql() -> str:
    return "select " + ", ".join(f"null::{kind} as {name}" for name, kind in TABLES[names.PAIRS].items())


def _no_keys_sql() -> str:
    return "select null::varchar as source, null::varchar as source_key, null::integer[] as keys where false"


def _models_stand(workspace: Workspace, before: dict[str, Any]) -> bool:
    for party, version in before.get("models", {}).items():
        model = load_model(workspace.model_folder, party)
        if model is None or model.version != version:
            return False
    return True


class _PartyRun:
    """Scoring of one party type: of all its records, or of the new ones and those that could pair with them."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        engine: Engine,
        workspace: Workspace,
        party: str,
        before: dict[str, Any],
        *,
        retrain: bool,
    ) -> None:
        self.con, self.engine, self.workspace, self.party = con, engine, workspace, party
        self.before = before
        self.known = None if retrain else self._fitting_model()
        self.since = self._scored_generation(self.known)
        self.blocks: list[BlockReport] = []
        self.findings: list[Finding] = []
        self.candidates = self.scored = 0
        self.trained = self.keyed = self.partly = False

    def open(self, *, partly: bool) -> None:
        """Load the records that are looked at, with their features, and the model."""
        self.partly = partly
        wanted = self._partners() if partly else None
        self.records = load_records(self.con, self.workspace, self.party, wanted)
        self.features = load_features(self.con, self.workspace, self.records)
        if self.features.rows or partly:
            install_macros(self.con)
            self.model = self._model()

    def _partners(self) -> str:
        """Create the table of the fresh records and of those that share a key with one."""
        con = self.con
        con.execute(
            "create or replace temp table dd_came as select distinct source, source_key from "
            f"{self.workspace.scan(FEATURES)} where generation > {self.since} and linked > {self.since}"
        )
        fresh = load_features(con, self.workspace, load_records(con, self.workspace, self.party, "dd_came"))
        if self.known is None or not fresh.rows:
            return "dd_came"
        rules = self.known.rules
        parts = key_parts(con, without_shared(con, fresh, self.known.shared), [rule.keys for rule in rules])
        con.execute(f"create or replace temp table dd_came_keys as {record_keys_sql(parts, rules, fresh.table)}")
        create_partners(con, self.workspace, "dd_came_keys", "dd_partners")
        return "dd_partners"

    def _fitting_model(self) -> Model | None:
        """The stored model, where it fits the declared fields and the number of records."""
        known = load_model(self.workspace.model_folder, self.party)
        if known is None or known.fields != linking_fields(self.workspace.catalog):
            return None
        can_be = outgrown(known.records, 2 * known.records)  # else nobody needs to count
        old = can_be and outgrown(known.records, count_records(self.con, self.workspace, self.party))
        return None if old else known

    def _model(self) -> Model:
        if self.known is not None:
            return self.known
        model, self.blocks = train_version(self.con, self.workspace, self.features, self.party, self.engine)
        self.trained = True
        return model

    def score(self) -> None:
        """Make the table ``dd_pairs_<party>`` with the rows to append."""
        con, model, records = self.con, self.model, self.records.table
        self.findings = untrained_levels(model)
        if self.findings or not model.comparisons or not self.features.rows:
            con.execute(f"create or replace temp table dd_pairs_{self.party} as {_empty_sql()} where false")
            con.execute(f"create or replace temp table dd_keys_{self.party} as {_no_keys_sql()}")
            self.keyed = not self.findings
            return
        table = scored_table(self.features) if self.trained else without_shared(con, self.features, model.shared)
        frequencies = load_term_frequencies(self.workspace.model_folder, model, con)
        con.execute(f"create or replace temp table dd_fresh as select rid from {records} where linked > {self.since}")
        self.scored = int(con.execute("select count(*) from dd_fresh").fetchall()[0][0])
        found = TRAINING_PAIRS
        limits = self.workspace.catalog.identity.limits
        if not self.blocks:  # else training has just looked for all pairs of all records
            found, new = "dd_found", None if self._everyone() else "dd_fresh"
            apart = apart_sql(self.workspace)
            self.blocks = self.engine.candidate_pairs(
                con, table, list(model.rules), found, only_new=new, apart=apart, cap=limits.block_records
            )
            self.findings += one_sided_levels(self.party, sampled_levels(con, table, found, model.comparisons))
        self._create_keys(table)
        self.findings += overgrown_blocks(self.party, self.blocks, limits.block_records)
        self.candidates = int(con.execute(f"select count(*) from {found}").fetchall()[0][0])
        score(con, model, table, found, frequencies, "dd_scored", engine=self.engine)
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

    def _everyone(self) -> bool:
        """Whether all records there are are new."""
        return not self.partly and self.scored == self.features.rows

    def _create_keys(self, table: str) -> None:
        """Create ``dd_keys_<party>`` of what is not kept yet, from the parts that looking for pairs has left."""
        fresh = f"(from {self.records.table} semi join dd_fresh using (rid))" if self.partly else self.records.table
        rules = self.model.rules
        wanted = [rule.keys for rule in rules]
        parts = parts_of(table, wanted) if self.engine.leaves_keys else key_parts(self.con, table, wanted)
        keys = record_keys_sql(parts, rules, fresh)
        self.con.execute(f"create or replace temp table dd_keys_{self.party} as {keys}")
        self.keyed = True

    def _leave_out_stored(self) -> None:
        """Drop what is stored already: a model that is gone back to has scored most of its pairs before."""
        stored = self.workspace.scan(names.PAIRS)
        if stored is None or self.trained or not self._everyone():
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
