"""What suites found, typed, and where it is kept: ``<home>/state/validations``, one bounded file a suite.

Reading and writing only; judging is ``datadock.expect``'s, showing is ``datadock.reports``'s.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datadock.errors import DatadockError
from datadock.settings import Settings

KEPT_RUNS = 30
"""Runs whose numbers are kept per suite, for trends."""


@dataclass(frozen=True)
class Outcome:
    """What one expectation found.

    Attributes:
        measure: Name of the number.
        expectation: The expectation in words.
        success: Whether it held.
        severity: ``critical``, ``warning`` or ``info``.
        observed: The number with its unit.
        threshold: The bounds in words.
        reason: Why the bounds stand there.
        value: The number; None where there was nothing to measure.
    """

    measure: str
    expectation: str
    success: bool
    severity: str
    observed: str
    threshold: str
    reason: str
    value: float | None


@dataclass(frozen=True)
class SuiteResult:
    """What one suite found in one run."""

    suite: str
    layer: str
    table: str
    run_id: str
    measured_at: str
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that did not hold."""
        return tuple(outcome for outcome in self.outcomes if not outcome.success)

    @property
    def severity(self) -> str:
        """The gravest severity among what failed; empty where all held."""
        ranks = ("critical", "warning", "info")
        return min((outcome.severity for outcome in self.failed), key=ranks.index, default="")

    @property
    def success(self) -> bool:
        """Whether every expectation held."""
        return not self.failed


@dataclass(frozen=True)
class Kept:
    """What is kept of a suite: its newest validation as Great Expectations wrote it, and the last runs' numbers.

    Attributes:
        result: The newest result.
        suite: The suite, JSON of Great Expectations.
        validation: The validation, JSON of Great Expectations.
        history: Newest last: ``run_id``, ``measured_at``, ``failed``, ``refused`` (something critical failed),
            ``values`` by measure; ``accepted`` (by, at, reason) where somebody accepted refused numbers.
    """

    result: SuiteResult
    suite: dict[str, Any]
    validation: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)


def read_kept(settings: Settings, suite: str) -> Kept | None:
    """Return what is kept of a suite; None before its first run."""
    path = _folder(settings) / f"{suite}.json"
    return _read(path) if path.exists() else None


def all_kept(settings: Settings) -> Iterator[Kept]:
    """Yield what is kept of every suite, by name."""
    for path in sorted(_folder(settings).glob("*.json")):
        yield _read(path)


def last_values(kept: Kept | None, run_id: str) -> Mapping[str, float | None]:
    """Return the numbers that a run is compared with; empty where there are none.

    They are those of the newest run before this one in which nothing critical failed, so that a loss which
    stopped one run is not what the next one is measured by; refused numbers count once somebody accepted them.
    """
    earlier = [run for run in (kept.history if kept else []) if run["run_id"] != run_id and _stands(run)]
    return earlier[-1]["values"] if earlier else {}


def _stands(run: Mapping[str, Any]) -> bool:
    return not run.get("refused") or "accepted" in run


def accept(settings: Settings, suite: str, who: str, reason: str) -> dict[str, float | None]:
    """Take the newest numbers of a suite for right, so that the next run is compared with them.

    Args:
        settings: The deployment.
        suite: Name of the suite, ``staging__stg_crm_contacts__contact``.
        who: Who accepts them.
        reason: Why they are right.

    Returns:
        The accepted numbers, by measure.

    Raises:
        DatadockError: When nothing is kept of the suite, or nothing critical failed in its newest run.
    """
    kept = read_kept(settings, suite)
    if kept is None or not kept.history or _stands(kept.history[-1]):
        refused = [one.result.suite for one in all_kept(settings) if one.history and not _stands(one.history[-1])]
        raise DatadockError(
            f"nothing of the suite {suite} waits to be accepted",
            expected=f"one of: {', '.join(refused)}"
            if refused
            else "a suite whose newest run was refused; there is none",
            action="see the checks in the reports, or the failure that the run printed",
        )
    kept.history[-1]["accepted"] = {"by": who, "at": datetime.now(UTC).isoformat(), "reason": reason}
    _write(settings, kept)
    values: dict[str, float | None] = kept.history[-1]["values"]
    return values


def keep(settings: Settings, kept: Kept) -> None:
    """Write what a run found over what was kept, and its numbers after those of the runs before."""
    result = kept.result
    entry = {
        "run_id": result.run_id,
        "measured_at": result.measured_at,
        "failed": len(result.failed),
        "refused": result.severity == "critical",
        "values": {outcome.measure: outcome.value for outcome in result.outcomes},
    }
    history = [run for run in kept.history if run["run_id"] != result.run_id]
    dropped, history = history[: -(KEPT_RUNS - 1)], history[-(KEPT_RUNS - 1) :]
    if not any(_stands(run) for run in history):  # what runs are compared with outlives any number of refused ones
        history = [*[run for run in dropped if _stands(run)][-1:], *history]
    _write(settings, replace(kept, history=[*history, entry]))


def _write(settings: Settings, kept: Kept) -> None:
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{kept.result.suite}.{secrets.token_hex(4)}"
    draft.write_text(json.dumps(asdict(kept), ensure_ascii=False), encoding="utf-8")
    draft.replace(folder / f"{kept.result.suite}.json")


def forget(settings: Settings, suite: str) -> None:
    """Drop what is kept of a suite whose table is declared no more."""
    (_folder(settings) / f"{suite}.json").unlink(missing_ok=True)


def _folder(settings: Settings) -> Path:
    return settings.home_path / "state" / "validations"


def _read(path: Path) -> Kept:
    content = json.loads(path.read_text(encoding="utf-8"))
    result = content["result"]
    outcomes = tuple(Outcome(**outcome) for outcome in result.pop("outcomes"))
    return Kept(
        result=SuiteResult(**result, outcomes=outcomes),
        suite=content["suite"],
        validation=content["validation"],
        history=content["history"],
    )
