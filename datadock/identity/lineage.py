"""Redirects and lineage of golden ids, derived from the membership log and nothing else.

So a run that was killed between the log and these tables mends them by running again, and a rebuild
of either gives what stood there. Every redirect leads to a living id in one step.
"""

from __future__ import annotations

import polars as pl

_RECORD = ["source", "source_key"]


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


def derive_lineage(log: pl.DataFrame, redirects: pl.DataFrame, since: int = 0) -> pl.DataFrame:
    """Return the life of golden ids: created, merged_into, split_from, retired.

    Args:
        log: As for ``derive_redirects``.
        redirects: What that gave of it.
        since: Generation whose births are known already; those of ids of later ones are given.

    Returns:
        golden_id, event, other_id, at, cause, run_id; sorted.
    """
    borne = log.drop_nulls("golden_id")
    if since:
        borne = borne.join(borne.filter(pl.col("generation") > since).select("golden_id"), on="golden_id", how="semi")
    first = (
        borne.sort("generation")
        .unique("golden_id", keep="first", maintain_order=True)
        .select("golden_id", "generation", "valid_from", "run_id")
    )
    moves = _moves(log)
    columns = ["golden_id", "event", "other_id", "at", "cause", "run_id"]
    born = first.join(
        moves.filter(pl.col("golden_id").is_not_null())
        .group_by("golden_id", "generation", "previous")
        .agg(records=pl.len())
        .sort(["golden_id", "records", "previous"], descending=[False, True, False])
        .unique(["golden_id", "generation"], keep="first", maintain_order=True),
        on=["golden_id", "generation"],
        how="left",
    ).select(
        "golden_id",
        event=pl.when(pl.col("previous").is_null()).then(pl.lit("created")).otherwise(pl.lit("split_from")),
        other_id="previous",
        at="valid_from",
        cause=pl.when(pl.col("previous").is_null()).then(pl.lit("created")).otherwise(pl.lit("split")),
        run_id="run_id",
    )
    ended = redirects.select(
        golden_id="old_id", event=pl.lit("merged_into"), other_id="new_id", at="at", cause="cause", run_id="run_id"
    )
    gone = (
        moves.join(_living(log), left_on="previous", right_on="golden_id", how="anti")
        .join(redirects, left_on="previous", right_on="old_id", how="anti")
        .sort("generation", descending=True)
        .unique("previous", keep="first", maintain_order=True)
        .select(golden_id="previous", event=pl.lit("retired"), other_id=pl.lit(None, dtype=pl.String), at="valid_from",
                cause="cause", run_id="run_id")
    )  # fmt: skip
    return pl.concat([born.select(columns), ended.select(columns), gone.select(columns)]).sort(
        "golden_id", "at", "event"
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
