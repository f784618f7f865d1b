"""Golden ids over time: the feed of ids that were not kept, and who was known as whom on a day.

Reads the membership log and the lineage derived from it; nothing here decides or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from datadock import names
from datadock.errors import DatadockError
from datadock.identity.explain import unknown_record
from datadock.identity.ids import is_valid_id
from datadock.identity.lineage import derive_redirects
from datadock.identity.memberships import read_log
from datadock.identity.workspace import Workspace
from datadock.state import StateStore

_EVENT = {"golden_id": pl.String, "event": pl.String, "other_id": pl.String, "at": pl.Datetime("us", "UTC"),
          "cause": pl.String, "run_id": pl.String}  # fmt: skip


@dataclass(frozen=True)
class History:
    """What is known of a source record or a golden id over time.

    Attributes:
        reference: What was asked for.
        on: The moment that was asked for; None for all times.
        periods: source, source_key, golden_id, valid_from, valid_to, cause, run_id; who was in which contact when.
        events: golden_id, event, other_id, at, cause, run_id; what became of the ids, up to the moment.
        leads_to: For an id that lives no more, the one that it leads to today.
    """

    reference: str
    on: datetime | None
    periods: tuple[dict[str, Any], ...]
    events: tuple[dict[str, Any], ...]
    leads_to: str | None = None


def changes(workspace: Workspace, since: datetime | None = None) -> list[dict[str, Any]]:
    """Return every golden id that was not kept: created, split_from, restored, merged_into, retired; oldest first.

    Args:
        workspace: The deployment's.
        since: What happened after it, as of ``moment_after``; from the first run on where None.

    Returns:
        golden_id, event, other_id, at, cause, run_id of each; ``other_id`` is what an id came from or leads to.
    """
    events = _lineage(workspace)
    if since is not None:
        events = events.filter(pl.col("at") > since)
    return events.sort("at", "golden_id", "event").to_dicts()


def moment_after(state: StateStore, since: str) -> datetime:
    """Return the moment that a reader of the feed has read up to.

    Args:
        state: The deployment's; its runs are looked up.
        since: A time (ISO; a day begins at midnight UTC), or a run's id or how it begins.

    Raises:
        DatadockError: When it is neither a time nor one run.
    """
    try:
        return _moment(since, end_of_day=False)
    except DatadockError:
        runs = state.runs_beginning(since)
        if not since or len(runs) != 1:
            raise DatadockError(
                f"{since!r} is neither a time nor the id of one run",
                expected="a day or time, as 2026-01-31 or 2026-01-31T08:00:00Z; or a run's id, or how it begins",
                action="see the last run: datadock status",
            ) from None
        return runs[0].ended_at or runs[0].started_at


def history(workspace: Workspace, reference: str, on: str | None = None) -> History:
    """Return the ids of a record over time, or the records of a golden id; with ``on``, as they were known then.

    Args:
        workspace: The deployment's.
        reference: SOURCE:KEY or a golden id, live or former.
        on: A day (its end, UTC) or a time, ISO.

    Raises:
        DatadockError: When there never was such a record or id, or ``on`` is no time.
    """
    source, colon, key = reference.partition(":")
    log = read_log(workspace)
    periods = _periods(log)
    mine = (pl.col("source") == source) & (pl.col("source_key") == key) if colon else pl.col("golden_id") == reference
    found = periods.filter(mine)
    if not found.height:
        raise unknown_record(source, key) if colon else _unknown_id(reference)
    ids = found["golden_id"].drop_nulls().unique()
    told = pl.col("golden_id").is_in(ids.implode())
    events = _lineage(workspace).filter(told if colon else told | pl.col("other_id").is_in(ids.implode()))
    moment = None if on is None else _moment(on, end_of_day=True)
    if moment is not None:
        ended = pl.col("valid_to") <= moment
        found = found.filter((pl.col("valid_from") <= moment) & ~ended.fill_null(value=False))
        events = events.filter(pl.col("at") <= moment)
    redirect = derive_redirects(log).filter(pl.col("old_id") == reference)
    return History(
        reference,
        moment,
        tuple(found.sort("valid_from", "source", "source_key").to_dicts()),
        tuple(events.sort("at", "golden_id", "event").to_dicts()),
        str(redirect["new_id"][0]) if redirect.height else None,
    )


def _periods(log: pl.DataFrame) -> pl.DataFrame:
    """The log as periods: each row holds until the next one of its record; being nowhere is no period."""
    record = ["source", "source_key"]
    return (
        log.sort(*record, "generation")
        .with_columns(valid_to=pl.col("valid_from").shift(-1).over(record))
        .drop_nulls("golden_id")
        .select(*record, "golden_id", "valid_from", "valid_to", "cause", "run_id")
    )


def _lineage(workspace: Workspace) -> pl.DataFrame:
    frames = [pl.read_parquet(file).select(list(_EVENT)) for file in workspace.lake.files(names.LINEAGE)]
    return pl.concat([pl.DataFrame(schema=_EVENT), *(frame.cast(_EVENT) for frame in frames)])  # type: ignore[arg-type]


def _moment(text: str, *, end_of_day: bool) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise DatadockError(
                f"{text!r} is not a time",
                expected="a day or a time, as 2026-01-31 or 2026-01-31T08:00:00Z",
                action="write it so; without an offset it is UTC",
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(day + timedelta(days=end_of_day), time(), UTC) - timedelta(microseconds=1)


def _unknown_id(reference: str) -> DatadockError:
    return DatadockError(
        f"no contact ever had the id {reference}" + ("" if is_valid_id(reference) else ": it is mistyped"),
        expected="DK and 27 characters, the last of which checks the others; or SOURCE:KEY",
        action="copy the id whole",
    )
