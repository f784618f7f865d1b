"""Names of whole columns: each distinct civility, first name and family name is read once, and their fit is joined.

Most words of a column of names repeat, most pairs of them do not: what depends on the pair alone (display, codes,
status) is put together by columns, each distinct set of codes judged once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from datadock.quality.civility import Civility, civility_for, read_civility
from datadock.quality.columns import as_columns, joined_evidence
from datadock.quality.evidence import CODES_DTYPE, STATUS_DTYPE, Evidence, Status
from datadock.quality.name_fit import (
    DISCORDANT,
    INVERTED,
    PROPOSED,
    is_no_first_name,
    judged,
    lacks_civility,
    may_be_first_name,
    proposal,
)
from datadock.quality.name_parts import FamilyName, FirstName, normalise_family_name, normalise_first_name

_BATCH = 100_000
"""Names in the making at a time, which bounds the memory."""

_PART = {"status": STATUS_DTYPE}
_FIRST = {
    "value": pl.String,
    "key": pl.String,
    "sex": pl.String,
    "certainty": pl.Float64,
    "civility": pl.String,
    **_PART,
}
_FAMILY = {"value": pl.String, "key": pl.String, "birth_name": pl.String, "civility": pl.String, **_PART}
_TOLD = {"value": pl.String, "sex": pl.String, "title": pl.String, **_PART}
_PARTS = ("told", "first", "family")


def read_names(parts: pl.DataFrame) -> pl.DataFrame:
    """Read names by their parts.

    Args:
        parts: ``first_name``, ``last_name`` and ``civility`` as text; null where a part is not asked for.

    Returns:
        One row per name in the order of the parts: the attributes of ``Name``.
    """
    return pl.concat([_batch(part) for part in parts.iter_slices(_BATCH)] or [_batch(parts)], rechunk=True)


def _batch(parts: pl.DataFrame) -> pl.DataFrame:
    first, first_said = _read(parts["first_name"], normalise_first_name, _FIRST, "first", _first_facts)
    family, family_said = _read(parts["last_name"], normalise_family_name, _FAMILY, "family", _family_facts)
    rows = pl.concat([parts.select("civility"), first, family], how="horizontal")
    own = pl.when(pl.col("civility") != "").then("civility")
    chosen = pl.coalesce(own, pl.when(pl.col("first_civility") != "").then("first_civility"), "family_civility")
    told, told_said = _read(
        rows.select(chosen.alias("civility"))["civility"], read_civility, _TOLD, "told", _told_facts
    )
    rows = pl.concat([rows, told], how="horizontal")
    sex, told_sex = pl.col("first_sex"), pl.col("told_sex")
    proposed = pl.col("civility").is_not_null() & pl.col("told_lacks") & (sex != "")
    rows = rows.with_columns(
        ((told_sex != "") & (sex != "") & (told_sex != sex)).alias(DISCORDANT),
        proposed.alias(PROPOSED),
        (pl.col("first_strange") & pl.col("family_common")).alias(INVERTED),
    )
    evidence = joined_evidence([(told_said, told["told_at"]), (first_said, first["first_at"]),
                                (family_said, family["family_at"]), _proposals(rows)])  # fmt: skip
    rows = pl.concat([rows, _judged(rows)], how="horizontal").with_columns(evidence)
    shown = pl.concat_str("first_value", "family_value", separator=" ", ignore_nulls=True)
    return rows.select(
        pl.when(shown != "").then(shown).alias("value"),
        pl.col("told_value").alias("civility"),
        pl.when(PROPOSED).then(sex.replace_strict(_CIVILITIES, default=None)).alias("proposed_civility"),
        pl.col("told_title").alias("title"),
        pl.col("first_value").alias("first_name"),
        pl.col("family_value").alias("last_name"),
        pl.col("family_birth_name").alias("birth_name"),
        pl.col("first_key"),
        pl.col("family_key").alias("last_key"),
        sex.alias("type"),
        pl.col("first_certainty").alias("certainty"),
        "status",
        "codes",
        "evidence",
    )


_CIVILITIES = {sex: civility_for(sex) for sex in ("M", "F")}


def _first_facts(names: list[FirstName]) -> list[pl.Series]:
    return [pl.Series("strange", [is_no_first_name(name.value) for name in names], pl.Boolean)]


def _family_facts(names: list[FamilyName]) -> list[pl.Series]:
    return [pl.Series("common", [may_be_first_name(name.value) for name in names], pl.Boolean)]


def _told_facts(told: list[Civility]) -> list[pl.Series]:
    return [pl.Series("lacks", [lacks_civility(civility) for civility in told], pl.Boolean)]


def _read(
    texts: pl.Series,
    one: Callable[[str | None], Any],
    schema: Mapping[str, Any],
    prefix: str,
    facts: Callable[[list[Any]], list[pl.Series]],
) -> tuple[pl.DataFrame, list[Sequence[Evidence]]]:
    """Read each distinct text of a column.

    Returns:
        At every row the attributes, named by a prefix, and ``at``, the place of its evidence in the list beside.
    """
    keys = texts.rename("text").to_frame()
    distinct = keys.unique()
    found = [one(text) for text in distinct["text"]]
    codes = pl.Series("code_key", ["|".join(name.codes) for name in found], pl.String)
    table = pl.DataFrame([*as_columns(found, schema), codes, *facts(found)])
    at = keys.join(
        distinct.with_row_index("at"), on="text", how="left", nulls_equal=True, maintain_order="left"
    )["at"]  # fmt: skip
    rows = table.rechunk()[at].with_columns(at)
    return rows.rename({name: f"{prefix}_{name}" for name in rows.columns}), [name.evidence for name in found]


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    """Give status and codes of every row; each distinct set of codes and statuses is judged once."""
    flags = (DISCORDANT, PROPOSED, INVERTED)
    keys = [*(f"{part}_code_key" for part in _PARTS), *(f"{part}_status" for part in _PARTS), *flags]
    distinct = rows.select(keys).unique()
    found = []
    for *told, a, b, c, discordant, proposed, inverted in distinct.iter_rows():
        fit = [code for code, on in zip(flags, (discordant, proposed, inverted), strict=True) if on]
        codes = [code for key in told for code in key.split("|") if code] + fit
        found.append(judged(codes, [Status(status) for status in (a, b, c)]))
    table = pl.DataFrame(
        [
            pl.Series("status", [status.value for status, _ in found], STATUS_DTYPE),
            pl.Series("codes", [list(codes) for _, codes in found], CODES_DTYPE),
        ]
    )
    at = rows.select(keys).join(distinct.with_row_index("at"), on=keys, how="left", maintain_order="left")["at"]
    return table[at]


def _proposals(rows: pl.DataFrame) -> tuple[list[Sequence[Evidence]], pl.Series]:
    """Give the evidence of a civility that is proposed: none, of each sex, and which stands at every row."""
    proposals: list[Sequence[Evidence]] = [(), *((proposal(sex),) for sex in _CIVILITIES)]
    places = {sex: at for at, sex in enumerate(_CIVILITIES, 1)}
    chosen = pl.when(PROPOSED).then("first_sex").replace_strict(places, default=0, return_dtype=pl.UInt32)
    return proposals, rows.select(chosen.alias("at"))["at"]
