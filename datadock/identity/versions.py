"""Versions of the linking models: candidates trained, all listed, one taken into use or gone back to.

Every version is a file of ``golden/model``; which one is in use is a pointer beside it. What a model is and how it
is kept is ``model``'s, how it learns ``trainer``'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import duckdb

from datadock.errors import ModelError
from datadock.identity.engines import open_engine
from datadock.identity.feature_store import count_records, load_features, load_records
from datadock.identity.features import linking_fields
from datadock.identity.kept_training import outgrown, train_version
from datadock.identity.model import FORM, load_term_frequencies, make_current, read_version
from datadock.identity.normalise import install_macros
from datadock.identity.partition import PartyClusters
from datadock.identity.scoring import score
from datadock.identity.trainer import TRAINING_PAIRS, scored_table
from datadock.identity.workspace import PARTIES, Workspace


@dataclass(frozen=True)
class Version:
    """One kept model.

    Attributes:
        version: Its name.
        party: ``person`` or ``company``.
        trained_at: ISO text.
        records: Records it was trained on.
        in_use: Whether the next run scores by it.
        unfit: Why the next run would not use it; empty where it would.
        training: Its training record; empty for a model without one.
    """

    version: str
    party: str
    trained_at: str
    records: int
    in_use: bool
    unfit: str
    training: dict[str, Any]


def train_candidate(con: duckdb.DuckDBPyConnection, workspace: Workspace, party: str) -> PartyClusters | None:
    """Train a candidate on the deployment's features; return the party as it would be clustered, None without records.

    Raises:
        ModelError: As of ``train_version``.
    """
    features = load_features(con, workspace, load_records(con, workspace, party))
    if not features.rows:
        return None
    install_macros(con)
    with open_engine(workspace) as engine:
        model, _ = train_version(con, workspace, features, party, engine)
        if model.comparisons:
            frequencies = load_term_frequencies(workspace.model_folder, model, con)
            score(con, model, scored_table(features), TRAINING_PAIRS, frequencies, "dd_candidate", engine=engine)
    clusters = PartyClusters(con, workspace, party, model)
    if model.comparisons:
        clusters.pairs = con.sql("select rid_l, rid_r, weight from dd_candidate order by rid_l, rid_r").pl()
    return clusters


def list_versions(workspace: Workspace) -> list[Version]:
    """Return every kept model, newest first within its party type."""
    folder = workspace.model_folder
    pointers = [folder / f"current-{party}" for party in PARTIES]
    current = {pointer.read_text("ascii") for pointer in pointers if pointer.exists()}
    found = []
    for path in sorted(folder.glob("*-*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found.append(
            Version(
                path.stem,
                content["party"],
                content.get("trained_at", ""),
                content["records"],
                path.stem in current,
                _unfit(workspace, content),
                content.get("training", {}),
            )
        )
    return sorted(sorted(found, key=lambda one: one.trained_at, reverse=True), key=lambda one: PARTIES.index(one.party))


def use_version(workspace: Workspace, name: str) -> Version:
    """Let the next run score by a kept model.

    Raises:
        ModelError: When there is no such model, or the next run would train another one in its place.
    """
    known = {one.version: one for one in list_versions(workspace)}
    if name not in known:
        raise ModelError(
            f"no model is called {name!r}",
            expected=f"one of {', '.join(known) or '(none is kept yet)'}",
            action="see: datadock identity models",
        )
    chosen = known[name]
    model = None if chosen.unfit else read_version(workspace.model_folder, name)
    if model is None:
        raise ModelError(
            f"the model {name} cannot be used: {chosen.unfit}",
            expected="a model of the declared fields, of this version's form, and of half the records or more",
            action=f"train one: datadock identity train --party {chosen.party}",
        )
    make_current(workspace.model_folder, model)
    return chosen


def _unfit(workspace: Workspace, content: dict[str, Any]) -> str:
    if content["form"] != FORM:
        return f"its form is {content['form']}, this version of datadock writes {FORM}"
    if content["fields"] != linking_fields(workspace.catalog):
        return "the declared fields are others now"
    with workspace.connection() as con:
        records = count_records(con, workspace, content["party"])
    if outgrown(content["records"], records):
        return f"it was trained on {content['records']:,} records, there are {records:,} now"
    return ""
