"""The kept linking models as the reports show them: their parts, and the weight of each level of agreement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datadock.identity import model as kept
from datadock.identity.blocking import Rule

PARTIES = ("person", "company")


@dataclass(frozen=True)
class Level:
    """One degree of agreement: its share among matches (m) and among strangers (u), and what it adds."""

    label: str
    m: float
    u: float
    by_frequency: bool

    @property
    def weight(self) -> float:
        """Evidence in bits."""
        return math.log2(self.m / self.u)


@dataclass(frozen=True)
class Compared:
    """One thing that is compared, why it is compared like this, and its levels from strongest to "differs"."""

    name: str
    reason: str
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class ShownModel:
    """The current model of people or of companies, with its rules and the record of its training."""

    party: str
    version: str
    facts: dict[str, str]
    notes: tuple[str, ...]
    compared: tuple[Compared, ...]
    rules: tuple[Rule, ...]
    training: dict[str, Any]

    @property
    def largest(self) -> float:
        """Largest weight of any level, for or against."""
        return max((abs(level.weight) for one in self.compared for level in one.levels), default=1.0)


def read_models(lake: Path) -> list[ShownModel]:
    """Return the current models; none before the first training.

    Args:
        lake: The lake's root.
    """
    folder = lake / kept.MODEL_FOLDER
    found = (kept.load_model(folder, party) for party in PARTIES)
    return [_shown(model, kept.read_training(folder, model.version)) for model in found if model is not None]


def _shown(model: kept.Model, training: dict[str, Any]) -> ShownModel:
    compared = tuple(
        Compared(
            one.name,
            one.reason,
            tuple(
                Level(name, m, u, by_frequency)
                for (name, by_frequency), m, u in zip(
                    [*((level.name, level.tf is not None) for level in one.levels), ("differs", False)],
                    model.m[one.name],
                    model.u[one.name],
                    strict=True,
                )
            ),
        )
        for one in model.comparisons
    )
    facts = {
        "trained at": model.trained_at,
        "records it was trained on": f"{model.records:,}",
        "pairs that are one party": f"1 in {1 / model.match_share:,.0f}",
        "fields": ", ".join(f"{name} ({kind})" for name, kind in model.fields.items()),
    }
    if training:
        facts |= {
            "trained by run": str(training["run_id"]),
            "rounds until nothing moved": f"{training['rounds']:,}",
            "pairs looked at": f"{training['pairs']:,}",
            "seconds": f"{training['seconds']:,}",
            "data": ", ".join(f"{table} {version}" for table, version in training["data"]["versions"].items()),
            "checks passed": "; ".join(training["checks"]),
            "seed": str(training["seed"]),
            "software": ", ".join(f"{name} {version}" for name, version in training["software"].items()),
        }
    return ShownModel(model.party, model.version, facts, model.notes, compared, model.rules, training)
