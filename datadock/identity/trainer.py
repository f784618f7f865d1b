"""From a table of features to a model: rules chosen, patterns counted, parameters estimated, guards passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb
import numpy as np

from datadock.errors import ModelError
from datadock.identity.blocking import BlockReport, choose_rules
from datadock.identity.comparisons import Comparison, comparisons_for
from datadock.identity.engine import level_settings
from datadock.identity.engines import DUCKDB, Engine
from datadock.identity.features import COMPANY_FEATURES, DERIVED_FEATURES, PERSON_FEATURES, Features
from datadock.identity.model import FEW_RECORDS, Model, check_model
from datadock.identity.symmetry import turned_levels
from datadock.identity.training import Patterns, Trained, train

_SAMPLE = 250_000
"""Pairs of either kind that are looked at in training, at most."""

_ALL_UP_TO = 600_000
"""Where there are no more pairs than this, all of them are looked at."""

_TURNED = 2_000

TRAINING_PAIRS = "dd_train"
_LEVELS = "dd_levels"

_SHARED_BY = 5
"""An e-mail or phone used under more different given-name initials than this is a shop's or a desk's."""

_SHARED_BY_RECORDS = 30
"""The same where no given names are known: so many records are not one person's."""

_LEAST_GAIN = 0.05


@dataclass(frozen=True)
class Training:
    """A trained model and how it came about.

    Attributes:
        model: The model.
        blocks: What its rules contributed.
        rounds: Rounds of estimation until nothing moved.
    """

    model: Model
    blocks: list[BlockReport]
    rounds: int


def train_model(
    con: duckdb.DuckDBPyConnection,
    features: Features,
    fields: Mapping[str, str],
    party: str,
    apart: str,
    now: datetime,
    *,
    engine: Engine = DUCKDB,
) -> Training:
    """Train a model on all records of one party type; the candidate pairs are left in ``TRAINING_PAIRS``.

    Args:
        con: Connection that holds the features, with the macros installed.
        features: Features of one party type.
        fields: Declared fields and kinds.
        party: ``person`` or ``company``.
        apart: Condition over ``l`` and ``r`` under which two records are never one person, or empty.
        now: Kept in the model.
        engine: What makes and compares pairs.

    Raises:
        ModelError: When nothing can be compared or a parameter cannot be trusted.
    """
    shared = _shared_values(con, features)
    table = without_shared(con, features, shared)
    usable, notes = _filled(con, table, features, party)
    comparisons = comparisons_for(usable, party)
    rules = choose_rules(con, table, usable, party) if comparisons else []
    patterns: Patterns | None = None
    blocks: list[BlockReport] = []
    if comparisons and features.rows > 1:
        blocks = engine.candidate_pairs(con, table, rules, TRAINING_PAIRS, apart=apart)
        comparisons, patterns = _count(con, engine, table, comparisons, features.rows, apart)
    trained = _taught(comparisons, patterns, features.rows)
    model = Model(
        party=party,
        fields=dict(fields),
        features=tuple(usable),
        rules=tuple(rules),
        **_parameters(comparisons, trained),
        records=features.rows,
        shared=shared,
        trained_at=now.isoformat(),
    )
    model = _without_idle(model, notes)
    check_model(model)
    return Training(model, blocks, trained.rounds)


def _parameters(comparisons: list[Comparison], trained: Trained) -> dict[str, Any]:
    """What is compared and the parameters found, as a model holds them: strongest level first."""
    sides = {"m": trained.m, "u": trained.u, "h": trained.h}
    found = {
        side: {c.name: _strongest_first(values[i]) for i, c in enumerate(comparisons)} for side, values in sides.items()
    }
    shares = {"match_share": trained.match_share, "household_share": trained.household_share}
    return {"comparisons": tuple(comparisons), **found, **shares}


def _strongest_first(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(v) for v in values[::-1])


def _shared_values(con: duckdb.DuckDBPyConnection, features: Features) -> dict[str, tuple[str, ...]]:
    found = {}
    named = "given" in features.columns
    initial, most = ("given[1]", _SHARED_BY) if named else ("source_key", _SHARED_BY_RECORDS)
    for name in ("emails", "phones"):
        if name in features.columns:
            rows = con.execute(
                f"select value from (select unnest({name}) as value, {initial} as initial from {features.table}) "
                f"group by value having count(distinct initial) > {most} order by value"
            ).fetchall()
            found[name] = tuple(row[0] for row in rows)
    return found


def scored_table(features: Features) -> str:
    """Name of the table that ``without_shared`` makes of features."""
    return f"{features.table}_scored"


def without_shared(con: duckdb.DuckDBPyConnection, features: Features, shared: Mapping[str, tuple[str, ...]]) -> str:
    """Create the features without the e-mails and phones that many people share, and with the address key."""
    replaced = []
    for name, values in _with_kin(features, shared).items():
        if values:
            quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
            kept = f"list_filter({name}, lambda v: v not in ({quoted}))"
            replaced.append(
                f"case when list_has_any({name}, [{quoted}]) then nullif({kept}, []) else {name} end as {name}"
            )
    star = f"* replace ({', '.join(replaced)})" if replaced else "*"
    key = ", '|', ".join(
        f"coalesce({part}, '')" for part in ("street", "house", "postcode") if part in features.columns
    )
    extra = (
        f", case when street is not null then concat({key}) end as address_key" if "street" in features.columns else ""
    )
    table = scored_table(features)
    con.execute(f"create or replace temp view {table} as select {star}{extra} from {features.table}")
    return table


def _with_kin(features: Features, shared: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The shared values of every column that holds them: mobiles are phones."""
    kin = {"mobiles": shared.get("phones", ())} if "mobiles" in features.columns else {}
    return {**shared, **kin}


def _filled(con: duckdb.DuckDBPyConnection, table: str, features: Features, party: str) -> tuple[list[str], list[str]]:
    """Features with at least two values, and a note for each of the others that somebody declared."""
    foreign = COMPANY_FEATURES if party == "person" else PERSON_FEATURES
    known = [name for name in features.columns if name not in foreign]
    if not known:
        return [], []
    several = ", ".join(f"coalesce(min({name}) <> max({name}), false)" for name in known)
    values = con.execute(f"select {several} from {table}").fetchall()[0]
    usable = [name for name, differ in zip(known, values, strict=True) if differ or features.rows < 2]
    notes = [
        f"{party}: {name.removeprefix('id_')} holds fewer than two values and is not compared"
        for name in known
        if name not in usable and name not in DERIVED_FEATURES
    ]
    return usable, notes


def _count(
    con: duckdb.DuckDBPyConnection, engine: Engine, table: str, comparisons: list[Comparison], rows: int, apart: str
) -> tuple[list[Comparison], Patterns]:
    inside = con.execute(f"select count(*) from {TRAINING_PAIRS}").fetchall()[0][0]
    share = min(1.0, _SAMPLE / max(1, inside))
    picked = f"where hash(rid_l * 1000003 + rid_r) % 1000000 < {int(share * 1e6)}" if share < 1 else ""
    con.execute(f"create or replace temp table dd_inside as from {TRAINING_PAIRS} {picked}")
    total = _random_pairs(con, table, rows, apart)
    looked = (
        f"(select 'inside' as kind, * from dd_inside union all select 'outside', * from dd_outside union all "
        f"select 'turned', rid_r, rid_l from (from dd_inside limit {_TURNED}))"
    )
    engine.compare(con, table, looked, level_settings(comparisons), _LEVELS, kind="kind")
    _check_symmetry(con, comparisons)
    kept = _seen_levels(con, comparisons)
    answer = con.execute(_patterns_sql(comparisons, kept)).fetchnumpy()
    columns = [np.asarray(values) for values in answer.values()]
    levels = np.stack(columns[:-2], axis=1).astype(np.int64)
    candidates, others = columns[-2].astype(float), columns[-1].astype(float)
    candidates *= inside / max(1.0, candidates.sum())
    unit = max(1.0, (total - inside) / max(1.0, others.sum()))
    reduced = [
        replace(c, levels=tuple(level for place, level in enumerate(c.levels) if len(c.levels) - place in kept[c.name]))
        for c in comparisons
    ]
    # A comparison whose strongest level never occurs (a number that is each record's own) says nothing.
    alive = [place for place, c in enumerate(comparisons) if len(c.levels) in kept[c.name]]
    patterns = Patterns(levels[:, alive], candidates, others * unit, unit, max(total, inside + 1.0))
    return [reduced[place] for place in alive], patterns


def _check_symmetry(con: duckdb.DuckDBPyConnection, comparisons: list[Comparison]) -> None:
    """See what was compared the other way round as well: a level that depends on the order of a pair is an error.

    Raises:
        ModelError: Naming the comparisons.
    """
    uneven = turned_levels(con, _LEVELS, comparisons)
    if uneven:
        told = "; ".join(f"{one.comparison}: '{one.level}', turned '{one.turned}'" for one in uneven)
        raise ModelError(
            f"a level of agreement depends on which record of a pair comes first: {told}",
            expected="levels that are the same both ways",
            action="mend the condition of the level; this is an error of the model's definition, not of the data",
        )


def _random_pairs(con: duckdb.DuckDBPyConnection, table: str, rows: int, apart: str) -> float:
    total = rows * (rows - 1) / 2
    if total <= _ALL_UP_TO:
        pairs = f"select l.rid as rid_l, r.rid as rid_r from {table} l, {table} r where l.rid < r.rid"
    else:
        pairs = (
            "select distinct least(a, b) as rid_l, greatest(a, b) as rid_r from (select "
            f"hash(i) % {rows} as a, hash(i + 1000000007) % {rows} as b from range({_SAMPLE}) t(i)) "
            "where a <> b"
        )
    con.execute(f"create or replace temp table dd_random as {pairs}")
    if apart:
        before = con.execute("select count(*) from dd_random").fetchall()[0][0]
        con.execute(
            f"delete from dd_random using {table} l, {table} r where l.rid = rid_l and r.rid = rid_r and ({apart})"
        )
        total *= con.execute("select count(*) from dd_random").fetchall()[0][0] / max(1, before)
    con.execute(
        f"create or replace temp table dd_outside as from dd_random anti join {TRAINING_PAIRS} using (rid_l, rid_r)"
    )
    return float(max(total, 1.0))


def _seen_levels(con: duckdb.DuckDBPyConnection, comparisons: list[Comparison]) -> dict[str, list[int]]:
    """Per comparison the numbers of the levels that occur (1 = weakest agreement, up to the strongest)."""
    seen = {}
    for c in comparisons:
        rows = con.execute(
            f"select distinct round(mw_{c.name})::int - 1 as n from {_LEVELS} where n >= 1 order by n"
        ).fetchall()
        seen[c.name] = [row[0] for row in rows]
    return seen


def _patterns_sql(comparisons: list[Comparison], kept: Mapping[str, list[int]]) -> str:
    """Counted patterns, with levels renumbered without those never seen."""
    picks = []
    for c in comparisons:
        cases = " ".join(f"when {n} then {place}" for place, n in enumerate(kept[c.name], start=1))
        level = f"round(mw_{c.name})::int - 1"
        picks.append(f"case {level} {cases} else {level} end as g_{c.name}" if cases else f"{level} as g_{c.name}")
    select = ", ".join(picks)
    return (
        f"select {select}, count(*) filter (where kind = 'inside') as a, count(*) filter (where kind = 'outside') as b "
        f"from {_LEVELS} where kind <> 'turned' group by all order by all"
    )


def _taught(comparisons: list[Comparison], patterns: Patterns | None, rows: int) -> Trained:
    """Trained parameters; starting values for a set too small to hold a pair."""
    if patterns is not None and comparisons:
        return train(comparisons, patterns, rows)
    m = [np.array([c.differs_m, *(level.m for level in reversed(c.levels))]) for c in comparisons]
    m = [values / values.sum() for values in m]
    u = [np.array([0.97, *([0.03 / len(c.levels)] * len(c.levels))]) for c in comparisons]
    share = 1 / max(10.0, float(rows))
    return Trained(
        m, u, [0.5 * (a + b) for a, b in zip(m, u, strict=True)], share, share / 10, [np.ones(len(x)) for x in m], 0
    )


def _without_idle(model: Model, notes: list[str]) -> Model:
    """Leave out comparisons whose agreement says nothing, and say so."""
    idle = [c.name for c in model.comparisons if model.m[c.name][0] / model.u[c.name][0] < 2**_LEAST_GAIN]
    if len(idle) == len(model.comparisons) and idle and model.records >= FEW_RECORDS:
        raise ModelError(
            f"no field tells {model.party} records apart: agreement on {', '.join(idle)} is as common by chance",
            expected="at least one field whose values differ between people",
            action="declare more fields, or give more records",
        )
    if len(idle) == len(model.comparisons):
        notes = [*notes, f"{model.party}: {model.records} records are too few to tell apart by, no pairs are sought"]
    notes = notes + [f"{model.party}: agreement on {name} weighs nothing, it is not compared" for name in idle]
    kept = tuple(c for c in model.comparisons if c.name not in idle)
    return replace(
        model,
        comparisons=kept,
        m={c.name: model.m[c.name] for c in kept},
        u={c.name: model.u[c.name] for c in kept},
        h={c.name: model.h[c.name] for c in kept},
        notes=tuple(notes),
    )
