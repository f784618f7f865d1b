"""How linking works here: its run record, rules and model, why pairs weigh what they weigh, what holds contacts.

What came of it (suspects, sizes, moves) is ``match``'s. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datadock import names
from datadock.catalog.fields import STORED_FROM
from datadock.identity.explanation import Explanation
from datadock.identity.guards import MEMBERSHIP_GUARDS, PAIRS_GUARDS
from datadock.identity.partition import PartyClusters
from datadock.identity.whatif import RANGE, Outcome, WhatIf
from datadock.identity.workspace import FEATURES, Workspace
from datadock.reports.evidence import unlinkable
from datadock.reports.figures import moment
from datadock.reports.graphs import waterfall
from datadock.reports.linking import Linking
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


def gather(linking: Linking, *, what_if: bool | None = None) -> dict[str, Any]:
    """Return what the page on linking shows.

    Args:
        linking: One look at identity.
        what_if: Whether to work out other thresholds, which takes a second each; by default for small deployments.
    """
    reading, workspace, parties, threshold = linking.reading, linking.workspace, linking.parties, linking.threshold
    told = {
        "record": _run_record(reading, workspace),
        "guards": _guards(workspace),
        "rules": _rules(reading, workspace),
        "models": read_models(reading.lake.root),
        "what_if_up_to": WHAT_IF_UP_TO,
    }
    if not parties:
        return {**told, "waterfalls": [], "unlinkable": [], "studio": [], "what_if": []}
    records = sum(party.records.height for party in parties)
    wanted = linking.members.height and (records <= WHAT_IF_UP_TO if what_if is None else what_if)
    thresholds = RANGE if what_if else _SHORT_RANGE
    return {
        **told,
        "waterfalls": _waterfalls(linking),
        "unlinkable": [row for party in parties for row in _unlinkable(party, threshold)],
        "studio": studio(reading, parties, linking.members, threshold),
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


def _waterfalls(linking: Linking) -> list[Row]:
    reading, told = linking.reading, linking.explained
    found = [
        (title, party, told.pairs[pair], _values(reading, told.pairs[pair], told.values))
        for title, party, pair in linking.examples
        if pair in told.pairs
    ]
    return [
        {"title": title, "why": _WHY.get((one.verdict == "same", "not" in title), ""),
         "party": party, "pair": one, "picture": waterfall(one, linking.threshold[party]), "fields": shown,
         "left": reading.key(one.left[1]), "right": reading.key(one.right[1]),
         "unknown": [e.comparison.replace("_", " ") for e in one.evidence if e.level == "unknown"]}
        for title, party, one, shown in found
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
    asked.expect(thresholds)
    return rows + [
        shown(asked.at(asked.threshold(one, None), whole=False), f"{one:g}", now=False) for one in thresholds
    ]
