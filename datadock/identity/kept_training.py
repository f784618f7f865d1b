"""A model trained and kept with the record of how: data, rounds, checks, software, seconds; and when it is too old."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict
from importlib.metadata import version as installed

import duckdb

from datadock import names
from datadock.identity.blocking import BlockReport
from datadock.identity.engines import DUCKDB, Engine
from datadock.identity.features import Features, linking_fields
from datadock.identity.model import Model, save_model
from datadock.identity.scoring import term_frequency_tables
from datadock.identity.trainer import scored_table, train_model
from datadock.identity.workspace import FEATURES, Workspace, apart_sql

_SOFTWARE = ("datadock", "splink", "duckdb", "numpy", "scipy", "polars")
_CHECKS = (
    "every m, u and h is finite and between 0 and 1",
    "agreement outweighs difference in every comparison",
    "no level depends on the order of a pair",
)
_TRAIN_AGAIN_BELOW = 100_000
"""A model of fewer records than this is trained again when the records have doubled."""


def train_version(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, features: Features, party: str, engine: Engine = DUCKDB
) -> tuple[Model, list[BlockReport]]:
    """Train a model and keep it with the record of its training; it is not in use yet.

    Args:
        con: Connection that holds the features, with the macros installed.
        workspace: The run's workspace.
        features: Features of all records of the party type.
        party: ``person`` or ``company``.
        engine: What makes and compares pairs.

    Returns:
        The model, and what its rules contributed; the candidate pairs are left in ``TRAINING_PAIRS``.

    Raises:
        ModelError: When nothing can be compared or a parameter cannot be trusted; nothing is kept then.
    """
    began = time.perf_counter()
    fields, apart = linking_fields(workspace.catalog), apart_sql(workspace)
    trained = train_model(con, features, fields, party, apart, workspace.run_at, engine=engine)
    frequencies = term_frequency_tables(con, trained.model, scored_table(features))
    record = {
        "run_id": workspace.run_id,
        "seconds": round(time.perf_counter() - began, 2),
        "rounds": trained.rounds,
        "pairs": int(sum(block.pairs for block in trained.blocks)),
        "data": {
            "features": workspace.cursor(FEATURES),
            "versions": {table: workspace.lake.version(table) for table in (FEATURES, *names.VALUES)},
        },
        "seed": "none: pairs are picked by a hash of their numbers, so the same data gives the same model",
        "blocks": [asdict(block) for block in trained.blocks],
        "checks": list(_CHECKS),
        "engine": engine.name,
        "software": {name: installed(name) for name in (*_SOFTWARE, *engine.software)}
        | {"python": platform.python_version()},
    }
    save_model(workspace.model_folder, trained.model, con, frequencies, record)
    return trained.model, trained.blocks


def outgrown(model_records: int, records: int) -> bool:
    """Whether a model is of so few records that the next run trains anew."""
    return model_records < _TRAIN_AGAIN_BELOW and records >= 2 * model_records
