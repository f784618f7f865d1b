"""The one place that calls Splink: pairs in, agreement levels and weights out.

Candidate pairs come from ``blocking``; Splink 5 compares and weighs them on DuckDB. Its tables
live in the caller's in-memory connection and are dropped after use. Which engine a step runs on is ``engines``'.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker
from splink.internals.database_api import DatabaseAPI
from splink.internals.splink_dataframe import SplinkDataFrame

from datadock.identity.comparisons import Comparison

logging.getLogger("splink").setLevel(logging.ERROR)


def splink_settings(
    comparisons: Sequence[Comparison],
    parameters: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    prior: float,
) -> dict[str, Any]:
    """Return Splink settings for comparisons.

    Args:
        comparisons: What is compared.
        parameters: Per comparison the m and u of its levels, strongest first, "differs" last.
        prior: Probability that two random records match.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "rid",
        "probability_two_random_records_match": prior,
        "comparisons": [_comparison(c, *parameters[c.name]) for c in comparisons],
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }


def level_settings(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return settings whose weights are level numbers: ``mw_<name>`` is 0 unknown, 1 differs, 2 and up agree.

    Splink keeps the levels themselves only together with every compared value; so the training
    reads them off weights that are powers of two.
    """
    scales = {}
    for c in comparisons:
        count = len(c.levels) + 1
        scales[c.name] = ([2.0 ** (count - i) * 1e-3 for i in range(count)], [1e-3] * count)
    settings = splink_settings(comparisons, scales, 0.5)
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            level.pop("tf_adjustment_column", None)
            level.pop("tf_adjustment_weight", None)
            level.pop("disable_tf_exact_match_detection", None)
    return settings


def _comparison(comparison: Comparison, m: Sequence[float], u: Sequence[float]) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}
    ]
    for place, level in enumerate(comparison.levels):
        entry: dict[str, Any] = {
            "sql_condition": level.sql,
            "label_for_charts": level.name,
            "m_probability": m[place],
            "u_probability": u[place],
        }
        if level.tf:
            entry |= {
                "tf_adjustment_column": level.tf,
                "tf_adjustment_weight": 1.0,
                "disable_tf_exact_match_detection": True,
            }
        levels.append(entry)
    levels.append(
        {"sql_condition": "ELSE", "label_for_charts": "differs", "m_probability": m[-1], "u_probability": u[-1]}
    )
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def columns_used(settings: Mapping[str, Any]) -> set[str]:
    """Return the columns of a record that settings compare, or weigh terms by."""
    levels = [level for comparison in settings["comparisons"] for level in comparison["comparison_levels"]]
    compared = {name for level in levels for name in re.findall(r"\b([a-z]\w*)_[lr]\b", level["sql_condition"])}
    return compared | {level["tf_adjustment_column"] for level in levels if "tf_adjustment_column" in level}


def compare(
    con: duckdb.DuckDBPyConnection,
    table: str,
    pairs: str,
    settings: dict[str, Any],
    target: str,
    *,
    term_frequencies: Mapping[str, str] | None = None,
    above: float | None = None,
    kind: str = "'0'",
) -> None:
    """Compare pairs and keep Splink's answer.

    Args:
        con: In-memory connection that holds the tables.
        table: Features with ``rid``, and a column ``tf_<feature>`` for each term frequency used.
        pairs: Table with rid_l and rid_r.
        settings: As of ``splink_settings``.
        target: Table to create: rid_l, rid_r, match_weight, ``mw_*``, ``mw_tf_adj_*``, kind.
        term_frequencies: Feature to table (feature, tf_feature) of its frozen frequencies.
        above: Keep pairs of at least this match weight.
        kind: Text over ``pairs`` that is kept with each pair.
    """
    con.execute(f"create or replace temp view dd_shown as {shown_sql(table, settings, term_frequencies or {})}")
    con.execute(f"create or replace temp table dd_blocked as {blocked_sql(pairs, kind)}")
    answer = predict(DuckDBAPI(connection=con), "dd_shown", settings, term_frequencies or {}, "dd_blocked", above=above)
    con.execute(f"create or replace temp table {target} as {answered_sql(answer.physical_name)}")
    answer.drop_table_from_database_and_remove_from_cache()


def shown_sql(table: str, settings: Mapping[str, Any], frequencies: Collection[str]) -> str:
    """Return SQL of what Splink is shown of records: it copies both sides of the pairs with every column."""
    used = [*sorted(columns_used(settings)), *(f"tf_{feature}" for feature in frequencies)]
    return f"select {', '.join(('rid', *used))} from {table}"


def blocked_sql(pairs: str, kind: str) -> str:
    """Return SQL of pairs as Splink takes them."""
    return f"select {kind} as match_key, rid_l::bigint as join_key_l, rid_r::bigint as join_key_r from {pairs}"


def answered_sql(answer: str) -> str:
    """Return SQL of Splink's answer as it is kept."""
    return f"select * rename (match_key as kind) from {answer}"


def predict(
    api: DatabaseAPI[Any],
    shown: Any,
    settings: dict[str, Any],
    frequencies: Mapping[str, Any],
    blocked: Any,
    *,
    above: float | None = None,
) -> SplinkDataFrame:
    """Have Splink compare and weigh pairs, on any of its engines.

    Args:
        api: Splink's access to the engine.
        shown: Records, as of ``shown_sql``: name of a table, or a frame of the engine.
        settings: As of ``splink_settings``, in the engine's dialect.
        frequencies: Feature to its frozen frequencies.
        blocked: Pairs, as of ``blocked_sql``.
        above: Keep pairs of at least this match weight.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker = Linker(api.register(shown), settings, log_level=None, validate_settings=False)
        for feature, lookup in frequencies.items():
            linker.table_management.register_term_frequency_lookup(api.register(lookup), feature)
        linker.table_management.register_blocked_pairs_for_predict(api.register(blocked))
        return linker.inference.predict(threshold_match_weight=above, warning_mode="never")
