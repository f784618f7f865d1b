"""The linking model: data, trained once, kept as files, and checked before it is used.

``golden/model/<party>-<version>.json`` holds rules, levels and parameters with their reasons;
parquet files beside it the frozen term frequencies. A pair's weight follows from two records and
this folder, nothing else, so that a later run gives the same weight.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from datadock import names
from datadock.errors import ModelError
from datadock.identity.blocking import Rule
from datadock.identity.comparisons import Comparison, Level
from datadock.identity.training import SAME_BY_CHANCE

FORM = 2
"""Raised whenever features, comparisons or rules change their meaning: an older model is trained anew."""

MODEL_FOLDER = names.MODELS

FEW_RECORDS = 1_000
"""Below this a set that cannot be compared is one that has just begun; from here on it is a fault of declaration."""


@dataclass(frozen=True)
class Model:
    """A trained model for people or for companies.

    Attributes:
        party: ``person`` or ``company``.
        fields: Declared fields and their kinds.
        features: Features compared.
        rules: Blocking rules at their rungs.
        comparisons: What is compared, without levels that were never seen.
        m: Per comparison the share of each level among matches, strongest first, "differs" last.
        u: Likewise among strangers.
        h: Likewise among two people of one household.
        match_share: Share of all pairs that are one person.
        household_share: Share of all pairs that are two people of one household.
        records: Number of records it was trained on.
        shared: E-mails and phones used by many people: not evidence of a person.
        notes: What training left out, and why.
        trained_at: When, ISO text; no part of the version.
    """

    party: str
    fields: dict[str, str]
    features: tuple[str, ...]
    rules: tuple[Rule, ...]
    comparisons: tuple[Comparison, ...]
    m: dict[str, tuple[float, ...]]
    u: dict[str, tuple[float, ...]]
    h: dict[str, tuple[float, ...]]
    match_share: float
    household_share: float
    records: int
    shared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    trained_at: str = ""

    @cached_property
    def version(self) -> str:
        """Digest of everything that a weight depends on."""
        content = replace(self, trained_at="", notes=())
        text = json.dumps({"form": FORM, **asdict(content)}, sort_keys=True)
        return f"{self.party}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def prior(self) -> float:
        """Probability that two random records of different households are one person."""
        return self.match_share / (1 - self.household_share)

    @property
    def tf_features(self) -> tuple[str, ...]:
        """Features whose term frequency sharpens a weight."""
        used = {level.tf for c in self.comparisons for level in c.levels if level.tf}
        return tuple(sorted(used))

    def household_sql(self) -> str:
        """Return SQL of the weight of "two people of one household" against "strangers", from mw columns."""
        terms = [repr(math.log2(self.household_share / (1 - self.household_share - self.match_share)))]
        for c in self.comparisons:
            weight = f"mw_{c.name}" + (f" + mw_tf_adj_{c.name}" if any(level.tf for level in c.levels) else "")
            if c.household:
                terms.append(f"({weight} + {self._household_offset_sql(c)})")
            else:
                terms.append(f"log2({1 - SAME_BY_CHANCE} + {SAME_BY_CHANCE} * power(2.0, {weight}))")
        return " + ".join(terms)

    def _household_offset_sql(self, comparison: Comparison) -> str:
        """What the weight of a level changes by for a household; the level is known by its weight."""
        name = comparison.name
        cases = "".join(
            f" when abs(mw_{name} - {math.log2(m / u)!r}) < 1e-9 then {math.log2(h / m)!r}"
            for m, u, h in zip(self.m[name], self.u[name], self.h[name], strict=True)
        )
        return f"case{cases} else 0.0 end"

    def against_sql(self) -> str:
        """Return SQL of what speaks against one person, in bits (0 or less): nothing known is nothing against."""
        terms = []
        for c in self.comparisons:
            weight = f"mw_{c.name}" + (f" + mw_tf_adj_{c.name}" if any(level.tf for level in c.levels) else "")
            terms.append(f"least({weight}, 0.0)")
        return " + ".join(terms)

    @staticmethod
    def final_weight_sql(household: str) -> str:
        """Return SQL of the final weight, in bits: Splink's, less what a household explains as well.

        Args:
            household: Column that holds ``household_sql``.
        """
        either = f"case when {household} > 40 then {household} else log2(1 + power(2.0, {household})) end"
        return f"match_weight - ({either})"


@dataclass(frozen=True)
class Fault:
    """A parameter that cannot be trusted: which one, what it should be, what it is."""

    subject: str
    expected: str
    found: str


def parameter_faults(model: Model) -> list[Fault]:
    """Return every missing, impossible or one-sided parameter of a model, by comparison and level."""
    faults = []
    for comparison in model.comparisons:
        levels = [*(level.name for level in comparison.levels), "differs"]
        sides = {
            side: values.get(comparison.name, ()) for side, values in (("m", model.m), ("u", model.u), ("h", model.h))
        }
        sound = True
        for place, name in enumerate(levels):
            for side, values in sides.items():
                value = values[place] if place < len(values) else None
                if not _is_share(value):
                    sound = False
                    subject = f"{comparison.name}: level '{name}'"
                    faults.append(Fault(subject, f"a finite {side} between 0 and 1", f"{side} is {value}"))
        m, u = sides["m"], sides["u"]
        if sound and m[0] / u[0] <= m[-1] / u[-1]:
            weights = f"{math.log2(m[0] / u[0]):+.2f} bits beside {math.log2(m[-1] / u[-1]):+.2f}"
            found = f"'{levels[0]}' weighs no more than 'differs': {weights}"
            faults.append(Fault(comparison.name, "agreement that weighs more than difference", found))
    for name, share in (("match_share", model.match_share), ("household_share", model.household_share)):
        if not _is_share(share):
            faults.append(Fault(name, "a share between 0 and 1", f"{name} is {share}"))
    return faults


def _is_share(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and 0 < value < 1


def check_model(model: Model) -> None:
    """Refuse a model with a missing, impossible or one-sided parameter.

    A handful of records may have nothing to compare: theirs is a model that finds no pairs.

    Raises:
        ModelError: Naming every comparison and level that is not trained.
    """
    if not model.comparisons and model.records >= FEW_RECORDS:
        raise ModelError(
            f"nothing to compare {model.party} records by",
            expected="names, a birth date, an e-mail, a phone, an address or an identifier, filled in some records",
            action="declare more fields of the sources, with their kinds",
        )
    faults = parameter_faults(model)
    if faults:
        raise ModelError(
            f"the {model.party} model has {len(faults)} parameter(s) that cannot be trusted:\n"
            + "\n".join(f"  - {fault.subject}: {fault.found}" for fault in faults),
            expected="a finite m, u and h between 0 and 1 for every level, agreement above difference",
            action="declare the field's kind anew, give more records, or leave the field out",
        )


def save_model(
    folder: Path,
    model: Model,
    con: duckdb.DuckDBPyConnection,
    tf_tables: Mapping[str, str],
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write a model, its term frequencies and the record of its training; it is not in use yet.

    The JSON appears last, by an atomic rename.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for feature, table in tf_tables.items():
        target = folder / f"{model.version}-{feature}.parquet"
        draft = target.with_suffix(".draft")
        con.execute(f"copy (from {table}) to '{draft}' (format parquet, compression zstd)")
        draft.replace(target)
    draft = folder / f".{model.party}.draft"
    content = {"form": FORM, "version": model.version, **asdict(model), "training": dict(training or {})}
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(folder / f"{model.version}.json")


def make_current(folder: Path, model: Model) -> None:
    """Let the next run use a kept model; nothing is written where it is the current one."""
    target = folder / f"current-{model.party}"
    if target.exists() and target.read_text("ascii") == model.version:
        return
    pointer = folder / f".current-{model.party}.draft"
    pointer.write_text(model.version, encoding="ascii")
    pointer.replace(target)


def load_model(folder: Path, party: str, version: str | None = None) -> Model | None:
    """Read a model of a party type, or None where there is none of this form.

    Args:
        folder: Folder of the models.
        party: ``person`` or ``company``.
        version: Which; the current one by default.
    """
    pointer = folder / f"current-{party}"
    if version is None and not pointer.exists():
        return None
    return read_version(folder, version or pointer.read_text("ascii"))


def read_version(folder: Path, version: str) -> Model | None:
    """Read a kept model, or None where its form is another one."""
    content: dict[str, Any] = json.loads((folder / f"{version}.json").read_text(encoding="utf-8"))
    return read_model(content) if content["form"] == FORM else None


def read_training(folder: Path, version: str) -> dict[str, Any]:
    """Return the record of a kept model's training; empty for one without."""
    content: dict[str, Any] = json.loads((folder / f"{version}.json").read_text(encoding="utf-8"))
    return dict(content.get("training", {}))


def read_model(content: Mapping[str, Any]) -> Model:
    """Make a model of the content of its file."""
    told = {name: value for name, value in content.items() if name in Model.__dataclass_fields__}
    told["features"] = tuple(told["features"])
    told["rules"] = tuple(Rule(r["name"], tuple(r["keys"]), tuple(r["stopped"])) for r in told["rules"])
    told["comparisons"] = tuple(_comparison(c) for c in told["comparisons"])
    told["shared"] = {name: tuple(values) for name, values in told["shared"].items()}
    told["notes"] = tuple(told["notes"])
    for side in ("m", "u", "h"):
        told[side] = {name: tuple(values) for name, values in told[side].items()}
    return Model(**told)


def load_term_frequencies(folder: Path, model: Model, con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Load a model's frozen term frequencies; return feature to table name."""
    tables = {}
    for feature in model.tf_features:
        tables[feature] = f"dd_tf_{model.party}_{feature}"
        path = folder / f"{model.version}-{feature}.parquet"
        con.execute(f"create or replace temp table {tables[feature]} as from read_parquet('{path}')")
    return tables


def _comparison(content: Mapping[str, Any]) -> Comparison:
    levels = tuple(Level(**level) for level in content["levels"])
    return Comparison(**{**content, "levels": levels})
