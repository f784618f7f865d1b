"""A candidate model against the one in use: its weights level by level, and what it would do to the golden contacts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datadock.errors import ModelError
from datadock.identity.model import Model, load_model
from datadock.identity.partition import PartyClusters
from datadock.identity.versions import train_candidate
from datadock.identity.whatif import Outcome, WhatIf
from datadock.identity.workspace import PARTIES, Workspace


@dataclass(frozen=True)
class LevelChange:
    """One level of a candidate: its shares, its weight, and the weight that the model in use gives it."""

    comparison: str
    level: str
    m: float
    u: float
    bits: float
    bits_now: float | None


@dataclass(frozen=True)
class Tried:
    """What candidates would do.

    Attributes:
        models: The candidates, by party type.
        now: The memberships that stand.
        then: Those that a run by the candidates would make.
        in_use: Party type to version of the model in use before.
    """

    models: dict[str, Model]
    now: Outcome
    then: Outcome
    in_use: dict[str, str]


def try_candidates(workspace: Workspace, parties: Sequence[str], published: Path | None) -> Tried:
    """Train candidates, keep them, and work out what a run by them would do.

    Args:
        workspace: Of a question asked between runs.
        parties: Party types to train; the others stay with the model in use.
        published: As of ``WhatIf``.

    Raises:
        ModelError: When there is no record to train on, or a model cannot be trusted.
    """
    opened, models = [], {}
    current = {party: load_model(workspace.model_folder, party) for party in PARTIES}
    with workspace.connection() as con:
        for party in PARTIES:
            candidate = train_candidate(con, workspace, party) if party in parties else None
            if candidate is not None and candidate.model is not None:
                models[party] = candidate.model
            opened.append(candidate or PartyClusters(con, workspace, party))
        if not models:
            raise ModelError(
                f"there is no {' or '.join(parties)} record to train on",
                expected="features of contacts",
                action="run: datadock run",
            )
        asked = WhatIf(workspace, opened, published)
        then = asked.at(asked.declared, versions={party: model.version for party, model in models.items()})
        in_use = {party: model.version for party, model in current.items() if model is not None}
        return Tried(models, asked.now(), then, in_use)


def compare_models(workspace: Workspace, candidate: Model) -> list[LevelChange]:
    """Return every level of a candidate beside the weight that the model in use gives the level of that name."""
    current = load_model(workspace.model_folder, candidate.party)
    known = {(one.comparison, one.level): one.bits for one in _levels(current)} if current else {}
    return [
        LevelChange(one.comparison, one.level, one.m, one.u, one.bits, known.get((one.comparison, one.level)))
        for one in _levels(candidate)
    ]


def _levels(model: Model) -> list[LevelChange]:
    return [
        LevelChange(comparison.name, name, m, u, math.log2(m / u), None)
        for comparison in model.comparisons
        for name, m, u in zip(
            [*(level.name for level in comparison.levels), "differs"],
            model.m[comparison.name],
            model.u[comparison.name],
            strict=True,
        )
    ]
