"""What is said of addresses of the plain shape: lines, codes, status, score and the evidence of each correction.

Each distinct set of codes is judged once; evidence is put together by columns, for the rows that have some.
"""

from __future__ import annotations

import polars as pl

from datadock.quality.address.model import LINE_LENGTH, score_of, verdict
from datadock.quality.evidence import EVIDENCE_DTYPE, STATUS_DTYPE, Status

RESULT_NAMES = (
    *[f"line_{n}" for n in range(1, 8)],
    *("numero", "repetition", "type_voie", "voie", "complement", "lieu_dit", "bp"),
    *("code_postal", "commune", "code_insee", "status", "codes", "score", "street_checked"),
)
"""The columns of a result, but for its evidence."""


def results_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Give ``row`` and a result of each row whose lines fit.

    Args:
        rows: Streets as ``read_streets`` gives them with ``numero``, lines 1 to 3, the columns of their places,
            ``street_checked`` and ``unknown``.
    """
    printed = rows.with_columns(_line_4().alias("line_4")).filter(pl.col("line_4").str.len_bytes() <= LINE_LENGTH)
    nowhere = pl.col("full") == ""
    flags = {
        "NUMERO_CORRIGE": pl.col("rewritten"),
        "VOIE_CORRIGEE": pl.col("expanded"),
        "L4_ABREGEE": pl.col("voie") != pl.col("full"),
        "VOIE_INCONNUE": pl.col("unknown"),
        "VOIE_ABSENTE": nowhere & ~pl.col("cedex"),
        "NUMERO_ABSENT": (pl.col("numero") == "") & ~nowhere & ~pl.col("cedex"),
    }
    keyed = printed.with_columns(
        pl.concat_str(
            "place_key", *[pl.when(on).then(pl.lit("|" + code)).otherwise(pl.lit("")) for code, on in flags.items()]
        ).str.strip_chars_start("|").alias("key")
    )  # fmt: skip
    keyed = keyed.join(_verdicts(keyed), on=("key", "found"), how="left")
    hamlet = pl.col("hamlet")
    results = keyed.with_columns(
        *[pl.lit("").alias(name) for name in ("line_7", "bp")],
        pl.concat_str("line_2", pl.lit(" "), "line_3").str.strip_chars(" ").alias("complement"),
        pl.when(hamlet).then("voie").otherwise("line_5").alias("line_5"),
        pl.when(hamlet).then("voie").otherwise(pl.lit("")).alias("lieu_dit"),
    )
    changed = (
        flags["L4_ABREGEE"] & ~hamlet, pl.col("place_key") != "", flags["VOIE_CORRIGEE"], flags["NUMERO_CORRIGE"]
    )  # fmt: skip
    names = [f"changed_{at}" for at in range(len(changed))]
    parts = results.with_columns(on.alias(name) for on, name in zip(changed, names, strict=True)).partition_by(
        names, as_dict=True, include_key=False
    )
    return pl.concat([_with_evidence(part, *key) for key, part in parts.items()] or [_with_evidence(results)])


def _line_4() -> pl.Expr:
    """Give number, repetition and label; nothing where the place is a hamlet."""
    parts = [
        pl.when(pl.col(name) != "").then(pl.col(name) + " ").otherwise(pl.lit("")) for name in ("numero", "repetition")
    ]
    return pl.when("hamlet").then(pl.lit("")).otherwise(pl.concat_str(*parts, "voie"))


def _with_evidence(
    rows: pl.DataFrame, shortened: bool = False, placed: bool = False, expanded: bool = False, rewritten: bool = False
) -> pl.DataFrame:
    """Give the result of rows of which the same was changed, with the evidence in the order of the one-line path."""
    typed = pl.concat_str("numero", "tail")
    number = pl.concat_str("numero", pl.lit(" "), "repetition").str.strip_chars(" ")
    parts = [_item("L4_ABREGEE", "voie", pl.col("full"), pl.col("voie"))] if shortened else []
    parts += [pl.col("place_evidence")] if placed else []
    parts += [_item("TYPE_DEVELOPPE", "voie", typed, pl.col("full"))] if expanded else []
    parts += [_item("NUMERO", "numero", typed, number)] if rewritten else []
    evidence = pl.concat_list(parts) if parts else pl.lit([], EVIDENCE_DTYPE)
    return rows.select("row", *RESULT_NAMES, evidence.alias("evidence"))


def _item(rule: str, field: str, before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Give one correction as a list of one."""
    fields = {"rule": pl.lit(rule), "field": pl.lit(field), "before": before, "after": after, "reference": pl.lit("")}
    return pl.concat_list(pl.struct(text.alias(name) for name, text in fields.items())).cast(EVIDENCE_DTYPE)


def _verdicts(rows: pl.DataFrame) -> pl.DataFrame:
    """Judge each distinct set of codes once."""
    found = []
    for key, known in rows.select("key", "found").unique().iter_rows():
        codes = tuple(code for code in key.split("|") if code)
        status = verdict(codes) if known else Status.REJETEE
        found.append((key, known, status.value, list(codes), score_of(status, codes)))
    schema: dict[str, pl.DataType] = {
        "key": pl.String(), "found": pl.Boolean(), "status": STATUS_DTYPE, "codes": pl.List(pl.String),
        "score": pl.Int32(),
    }  # fmt: skip
    return pl.DataFrame(found, schema=schema, orient="row")
