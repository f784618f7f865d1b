"""Redirects and lineage of golden ids, derived from the membership log and nothing else.

So a run that was killed between the log and these tables mends them by running again, and a rebuild
of either gives what stood there. Every redirect leads to a living id in one step.
"""

from __future__ import annotations

import polars as pl

_RECORD = ["source", "source_key"]
_EVENT = ["golden_id", "event", "other_id", "at", "cause", "run_id"]


def derive_redirects(log: pl.DataFrame) -> pl.DataFrame:
    """Return the redirect of every retired id whose records live on.

    Args:
        log: source, source_key, golden_id, valid_from, generation, run_id; one row per move.

    Returns:
        old_id, new_id (living), at, cause, run_id; the latest state, sorted by old_id.
    """
    moves = _moves(log)
    living = _living(log)
    votes = (
        moves.filter(pl.col("golden_id").is_not_null())
        .join(living, left_on="previous", right_on="golden_id", how="anti")
        .group_by("previous", "golden_id", "generation")
        .agg(
            records=pl.len(),
            at=pl.col("valid_from").max(),
            run_id=pl.col("run_id").first(),
            cause=pl.col("cause").first(),
        )
    )
    # An id may retire, come back and retire again: the last leaving counts.
    last = votes.filter(pl.col("generation") == pl.col("generation").max().over("previous"))
    chosen = last.sort(["previous", "records", "golden_id"], descending=[False, True, False]).unique(
        "previous", keep="first", maintain_order=True
    )
    return (
        _resolved(chosen.select(old_id="previous", new_id="golden_id", at="at", cause="cause", run_id="run_id"), living)
        .select("old_id", "new_id", "at", "cause", "run_id")
        .sort("old_id")
    )


def _resolved(steps: pl.DataFrame, living: pl.DataFrame) -> pl.DataFrame:
    """Follow every redirect to a living id; its time is that of the last step on the way."""
    alive = living.select(new_id="golden_id")
    done = steps.join(alive, on="new_id", how="semi")
    waiting = steps.join(alive, on="new_id", how="anti")
    known = done
    while waiting.height:
        further = waiting.join(
            known.select(new_id="old_id", target="new_id", later="at", by="run_id"), on="new_id", how="inner"
        ).select(
            "old_id", new_id="target", at=pl.max_horizontal("at", "later"), cause="cause",
            run_id=pl.when(pl.col("later") > pl.col("at")).then("by").otherwise("run_id"),
        )  # fmt: skip
        if further.height == 0:
            break
        known = pl.concat([known, further.select(known.columns)])
        waiting = waiting.join(further, on="old_id", how="anti")
    return known


def derive_lineage(log: pl.DataFrame, since: int = 0) -> pl.DataFrame:
    """Return the life of golden ids: created, split_from, restored, merged_into, retired; every time it happened.

    Args:
        log: As for ``derive_redirects``.
        since: Generation whose events are known already; those of later ones are given.

    Returns:
        golden_id, event, other_id, at, cause, run_id; sorted by time. ``other_id`` is where most of the records came
        from (split_from, restored) or went to (merged_into).
    """
    entered, left = _flows(log, since)
    keys = ["golden_id", "generation"]
    counts = (
        pl.concat([entered.select(*keys, n=pl.lit(1)), left.select(*keys, n=pl.lit(-1))])
        .group_by(keys)
        .agg(moved=pl.col("n").sum())
        .sort(keys)
        .with_columns(after=pl.col("moved").cum_sum().over("golden_id"))
        .with_columns(before=pl.col("after") - pl.col("moved"))
        .filter(pl.col("generation") > since)
    )
    first = pl.col("generation") == pl.col("first")
    begun = (
        counts.filter((pl.col("before") == 0) & (pl.col("after") > 0))
        .join(_most(entered), on=keys)
        .join(entered.group_by("golden_id").agg(first=pl.col("generation").min()), on="golden_id")
        .with_columns(
            event=pl.when(~first)
            .then(pl.lit("restored"))
            .when(pl.col("other_id").is_null())
            .then(pl.lit("created"))
            .otherwise(pl.lit("split_from"))
        )
    )
    ended = (
        counts.filter((pl.col("before") > 0) & (pl.col("after") == 0))
        .join(_most(left), on=keys)
        .with_columns(
            event=pl.when(pl.col("other_id").is_null()).then(pl.lit("retired")).otherwise(pl.lit("merged_into"))
        )
    )
    events = pl.concat([frame.select(_EVENT) for frame in (begun, ended)])
    return events.sort("at", "golden_id", "event")


def _flows(log: pl.DataFrame, since: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every coming of a record to an id, and every leaving: golden_id, other_id, generation, at, cause, run_id."""
    again = (
        _told_again(log).sort(*_RECORD, "generation").with_columns(previous=pl.col("golden_id").shift(1).over(_RECORD))
    )
    steps = pl.concat(
        [
            log.join(again.select(_RECORD).unique(), on=_RECORD, how="anti").with_columns(
                previous=pl.lit(None, dtype=pl.String)
            ),
            again,
        ]
    ).rename({"valid_from": "at"})
    columns = ["golden_id", "other_id", "generation", "at", "cause", "run_id"]
    steps = steps.filter(pl.col("golden_id").ne_missing(pl.col("previous")))
    entered = steps.rename({"previous": "other_id"}).drop_nulls("golden_id").select(columns)
    left = steps.rename({"golden_id": "other_id", "previous": "golden_id"}).drop_nulls("golden_id").select(columns)
    if since:
        touched = pl.concat(
            [frame.filter(pl.col("generation") > since).select("golden_id") for frame in (entered, left)]
        )
        entered, left = (frame.join(touched.unique(), on="golden_id", how="semi") for frame in (entered, left))
    return entered, left


def _most(flow: pl.DataFrame) -> pl.DataFrame:
    """Where most records of an id came from, or went to, in each generation; nowhere only if all did."""
    return (
        flow.group_by("golden_id", "generation", "other_id")
        .agg(records=pl.len(), at=pl.col("at").max(), cause=pl.col("cause").min(), run_id=pl.col("run_id").min())
        .sort(
            ["golden_id", "generation", "records", "other_id"], descending=[False, False, True, False], nulls_last=True
        )
        .with_columns(known=pl.col("other_id").is_not_null())
        .sort("golden_id", "generation", ~pl.col("known"), maintain_order=True)
        .unique(["golden_id", "generation"], keep="first", maintain_order=True)
        .select("golden_id", "generation", "other_id", "at", "cause", "run_id")
    )


def _moves(log: pl.DataFrame) -> pl.DataFrame:
    """Every leaving of an id by a record: previous, golden_id (null where the record is gone), when, why."""
    return (
        _told_again(log)
        .sort(*_RECORD, "generation")
        .with_columns(previous=pl.col("golden_id").shift(1).over(_RECORD))
        .filter(pl.col("previous").is_not_null() & pl.col("previous").ne_missing(pl.col("golden_id")))
        .select("previous", "golden_id", "generation", "valid_from", "cause", "run_id")
    )


def _told_again(log: pl.DataFrame) -> pl.DataFrame:
    """The rows of records told of after the first generation: all others stand in the log once."""
    later = log.filter(pl.col("generation") > pl.col("generation").min()).select(_RECORD).unique()
    return log.join(later, on=_RECORD, how="semi")


def _living(log: pl.DataFrame) -> pl.DataFrame:
    return latest(log).drop_nulls("golden_id").select("golden_id").unique()


def latest(log: pl.DataFrame) -> pl.DataFrame:
    """Return the row of each record that holds now."""
    again = _told_again(log)
    if again.height == 0:
        return log
    once = log.join(again.select(_RECORD).unique(), on=_RECORD, how="anti")
    return pl.concat([once, again.filter(pl.col("generation") == pl.col("generation").max().over(_RECORD))])
