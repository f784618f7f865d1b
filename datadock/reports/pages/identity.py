"""How linking works here: its run record, rules and model, why pairs weigh what they weigh, what holds contacts.

What came of it (suspects, sizes, moves) is ``match``'s. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from datadock import names
from datadock.catalog.fields import STORED_FROM
from datadock.identity.explain import explain_known, values_compared
from datadock.identity.explanation import Explanation
from datadock.identity.guards import MEMBERSHIP_GUARDS, PAIRS_GUARDS
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.partition import PartyClusters
from datadock.identity.whatif import RANGE, Outcome, WhatIf
from datadock.identity.workspace import FEATURES, PARTIES, Workspace
from datadock.reports.evidence import unlinkable
from datadock.reports.figures import moment
from datadock.reports.graphs import waterfall
from datadock.reports.model_file import read_models
from datadock.reports.pages.studio import studio
from datadock.reports.reading import Reading, Row

_WHY = {
    (True, True): "Held apart by the rest of its group, a decision, or a source that holds nobody twice.",
    (False, False): "Joined by the rest of its group, or by a decision.",
}
"""What a reader asks where weight (strong or not) and outcome (not joined, joined) differ."""

_SHORT_RANGE = (-2.0, 0.0, 2.0, 4.0, 8.0)
"""Thresholds tried with every run; all of ``RANGE`` are when somebody asks."""

WHAT_IF_UP_TO = 5_000
"""Records beyond which the table of thresholds is not made with every run, but when somebody asks for it."""


def gather(reading: Reading, *, what_if: bool | None = None) -> dict[str, Any]:
    """Return what the page on linking shows.

    Args:
        reading: One look at the deployment.
        what_if: Whether to work out other thresholds, which takes a second each; by default for small deployments.
    """
    workspace = Workspace(
        reading.lake, reading.catalog, reading.settings.warehouse, reading.run_id, reading.now,
        memory_limit=reading.settings.memory_limit, threads=reading.settings.threads,
    )  # fmt: skip
    told = {
        "record": _run_record(reading, workspace),
        "guards": _guards(workspace),
        "rules": _rules(reading, workspace),
        "models": read_models(reading.lake.root),
        "what_if_up_to": WHAT_IF_UP_TO,
    }
    if not workspace.cursor(FEATURES):
        return {**told, "waterfalls": [], "unlinkable": [], "studio": [], "what_if": []}
    return {**told, **_from_inside(reading, workspace, what_if)}


def _from_inside(reading: Reading, workspace: Workspace, what_if: bool | None) -> dict[str, Any]:
    """What takes the records' features and pairs to tell."""
    threshold = reading.catalog.identity.threshold.model_dump()
    with workspace.connection() as con:
        parties = [PartyClusters(con, workspace, party) for party in PARTIES]
        members = current_memberships(read_log(workspace)).drop_nulls("golden_id")
        records = sum(party.records.height for party in parties)
        wanted = members.height and (records <= WHAT_IF_UP_TO if what_if is None else what_if)
        thresholds = RANGE if what_if else _SHORT_RANGE
        return {
            "waterfalls": [one for party in parties for one in _waterfalls(reading, party, members, threshold)],
            "unlinkable": [row for party in parties for row in _unlinkable(party, threshold)],
            "studio": [shown for party in parties for shown in studio(reading, party, members, threshold)],
            "what_if": _what_if(WhatIf(workspace, parties, None), thresholds) if wanted else [],
        }


def _run_record(reading: Reading, workspace: Workspace) -> dict[str, str]:
    """Facts of the newest scoring and of the newest memberships; empty before the first run."""
    pairs, members = workspace.facts(names.PAIRS), workspace.facts(names.MEMBERSHIPS)
    inputs = workspace.cursor(names.MEMBERSHIPS)
    if not inputs:
        return {}
    tables = (FEATURES, names.PAIRS, names.MEMBERSHIPS, names.DECISIONS)
    return {
        "pairs scored by": _run(pairs),
        "memberships written by": _run(members),
        "models in use": ", ".join(inputs.get("models", {}).values()) or "–",
        "thresholds": ", ".join(f"{party} {bits:g} bits" for party, bits in inputs.get("threshold", {}).items()),
        "features": f"generation {inputs.get('generation')}, fields {inputs.get('spec')}",
        "versions in the lake": ", ".join(f"{table} {_version(reading, table)}" for table in tables),
        "newest scoring": f"{pairs.get('candidates', 0):,} candidate pairs, {pairs.get('pairs', 0):,} of them of "
        f"{STORED_FROM:g} bits or more and kept",
        "golden ids moved": f"{members.get('moved', 0):,} of {members.get('had_an_id', 0):,} records that had one",
        "trained in the newest scoring": ", ".join(pairs.get("trained", [])) or "no",
    }


def _version(reading: Reading, table: str) -> str:
    version = reading.lake.version(table)
    return str(version) if version >= 0 else "none"


def _run(facts: dict[str, Any]) -> str:
    return f"run {facts['run_id'][:8]}, {moment(facts['at'])}" if facts else "a run that kept no record"


def _guards(workspace: Workspace) -> list[Row]:
    found = [*workspace.facts(names.PAIRS).get("findings", []), *workspace.facts(names.MEMBERSHIPS).get("findings", [])]
    told = [one["guard"] + ": " + one["subject"] if isinstance(one, dict) else str(one) for one in found]
    return [
        {"name": name, "words": words, "found": [one for one in told if one.startswith(f"{name}:")]}
        for name, words in {**PAIRS_GUARDS, **MEMBERSHIP_GUARDS}.items()
    ]


def _rules(reading: Reading, workspace: Workspace) -> list[Row]:
    """Rules of the models in use with the pairs that each found when it was trained, and in the newest scoring."""
    newest = {(one["party"], one["rule"]): one["pairs"] for one in workspace.facts(names.PAIRS).get("blocks", [])}
    shown = []
    for model in read_models(reading.lake.root):
        trained = {one["rule"]: one for one in model.training.get("blocks", [])}
        for rule in model.rules:
            at_training = trained.get(rule.name, {})
            shown.append({
                "party": model.party, "rule": rule.name.replace("_", " "), "shared": " + ".join(rule.keys),
                "trained": at_training.get("pairs"), "newest": newest.get((model.party, rule.name)),
                "stopped": len(rule.stopped),
            })  # fmt: skip
    return shown


def _waterfalls(
    reading: Reading, party: PartyClusters, members: pl.DataFrame, threshold: dict[str, float]
) -> list[Row]:
    """The strongest pair that was not joined, the weakest that was, and one in the middle."""
    if not party.pairs.height:
        return []
    ids = party.records.join(members, on=["source", "source_key"], how="left").select("rid", "golden_id")
    met = party.pairs.join(ids.rename({"golden_id": "left"}), left_on="rid_l", right_on="rid").join(
        ids.rename({"golden_id": "right"}), left_on="rid_r", right_on="rid"
    ).sort("weight", "rid_l", "rid_r")  # fmt: skip
    joined, apart = (met.filter((pl.col("left") == pl.col("right")) == same) for same in (True, False))
    chosen = []
    if apart.height:
        chosen.append(("The strongest pair that was not joined", apart.row(-1, named=True)))
    if joined.height:
        chosen.append(("The weakest pair that was joined", joined.row(0, named=True)))
        chosen.append(("A typical pair that was joined", joined.row(joined.height // 2, named=True)))
    bits = threshold[party.party]
    named = dict(zip(party.records["rid"], party.records.select("source", "source_key").rows(), strict=True))
    asked = [(named[row["rid_l"]], named[row["rid_r"]]) for _, row in chosen]
    told = explain_known(party.workspace, asked)
    values = values_compared(party.workspace, {record for pair in asked for record in pair})
    found = [
        (title, told[pair], _values(reading, told[pair], values))
        for (title, _), pair in zip(chosen, asked, strict=True)
        if pair in told
    ]
    return [
        {"title": title, "why": _WHY.get((one.verdict == "same", "not" in title), ""),
         "party": party.party, "pair": one, "picture": waterfall(one, bits), "fields": shown,
         "left": reading.key(one.left[1]), "right": reading.key(one.right[1]),
         "unknown": [e.comparison.replace("_", " ") for e in one.evidence if e.level == "unknown"]}
        for title, one, shown in found
    ]  # fmt: skip


def _values(reading: Reading, told: Explanation, values: dict[tuple[str, str], dict[str, str]]) -> list[Row]:
    """What both records say of every comparison that either says anything of, and what it comes to."""
    sides = values.get(told.left, {}), values.get(told.right, {})
    return [
        {"name": piece.comparison.replace("_", " "), "reason": piece.reason,
         "left": reading.personal(sides[0].get(piece.comparison)),
         "right": reading.personal(sides[1].get(piece.comparison))}
        for piece in told.evidence
        if sides[0].get(piece.comparison) or sides[1].get(piece.comparison)
    ]  # fmt: skip


def _unlinkable(party: PartyClusters, threshold: dict[str, float]) -> list[Row]:
    return [{**row, "party": party.party} for row in unlinkable(party, threshold[party.party]).to_dicts()]


def _what_if(asked: WhatIf, thresholds: Sequence[float]) -> list[Row]:
    def shown(outcome: Outcome, bits: str, *, now: bool) -> Row:
        return {"bits": bits, "now": now, "reviewed_precision": outcome.reviewed_precision,
                "reviewed_recall": outcome.reviewed_recall, **vars(outcome)}  # fmt: skip

    rows = [shown(asked.now(), "as it stands", now=True)]
    return rows + [
        shown(asked.at(asked.threshold(one, None), whole=False), f"{one:g}", now=False) for one in thresholds
    ]
