"""Phones of whole columns: numbers of the French plan in their plain writings, by their leading digits.

What the plan says depends on the leading digits alone; each distinct beginning is read once, by the reader of one
number. What looks made up, and whatever else a cell may hold, is left to that reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import polars as pl

from datadock.quality import phone_plan as plan
from datadock.quality.contact_tables import number_blocks
from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, STATUS_DTYPE

PLAIN = r" *(0|\+33 ?(?:\(0\) ?)?|0033 ?(?:\(0\) ?)?)([1-9](?:[ .-]?[0-9][0-9]){4}) *"
"""A French number as people write it."""

_SHORT = 5
"""Leading digits that settle most numbers."""
_ENDINGS = ("2738", "4951", "8264", "6193")
"""Digits that fill a beginning up to a number; one of them never makes it look made up."""


class _Form(NamedTuple):
    """What is said of all numbers of a beginning, as typed in one way: at home or abroad, unchanged or changed."""

    start: str
    abroad: bool
    changed: bool
    head: str | None
    skip: int
    type: str
    status: str
    codes: list[str]
    region: str | None
    operator: str | None
    rule: str | None
    reference: str | None


_FORM = pl.Schema(
    {
        "start": pl.String(), "abroad": pl.Boolean(), "changed": pl.Boolean(), "head": pl.String(),
        "skip": pl.Int64(), "type": pl.String(), "status": STATUS_DTYPE, "codes": CODES_DTYPE, "region": pl.String(),
        "operator": pl.String(), "rule": pl.String(), "reference": pl.String(),
    }
)  # fmt: skip


def read_plain_phones(texts: pl.Series, one: Callable[[str], Any]) -> pl.DataFrame:
    """Read the plain French numbers among distinct texts; the others are left out.

    Args:
        texts: Distinct texts.
        one: Reads one number.

    Returns:
        ``text`` and the attributes of ``Phone``.
    """
    found = pl.DataFrame({"text": texts}).with_columns(pl.col("text").str.extract_groups(f"^{PLAIN}$").alias("groups"))
    national = pl.col("groups").struct.field("2").str.replace_all("[ .-]", "")
    cells = found.filter(pl.col("groups").struct.field("2").is_not_null()).select(
        "text", national.alias("national"), (pl.col("groups").struct.field("1") != "0").alias("abroad")
    )
    cells = cells.filter(~_looks_made_up()).with_columns(_start().alias("start"))
    asked = cells.select("start", "abroad").unique()
    known = pl.DataFrame(_known(asked.iter_rows(), one), schema=_FORM, orient="row")
    heads = known.select("start", "abroad", "head", "skip").unique()
    value = pl.col("head") + pl.col("national").str.slice(pl.col("skip"))
    rows = cells.join(heads, on=("start", "abroad"), how="inner").with_columns(value.alias("value"))
    changed = pl.col("value").is_not_null() & (pl.col("value") != pl.col("text"))
    rows = rows.drop("head", "skip").with_columns(changed.fill_null(value=False).alias("changed"))
    rows = rows.join(known.drop("head", "skip"), on=("start", "abroad", "changed"), how="inner")
    return rows.select(
        *("text", "value"), pl.lit(None, pl.String).alias("proposal"), *("type", "status", "codes"),
        *("region", "operator"), pl.lit(None, pl.String).alias("extension"), pl.lit([], CODES_DTYPE).alias("others"),
        _evidence(),
    )  # fmt: skip


def _looks_made_up() -> pl.Expr:
    """Whether a number may look made up, for which the reader of one number has the rules."""
    national = pl.col("national")
    last = national.str.slice(1)
    inner = last.str.slice(1, 6)
    return (
        pl.any_horizontal(national.str.starts_with(start) for start in plan.FICTIONAL)
        | (last.str.slice(2) == inner)
        | (last.str.slice(0, 6) == inner)
        | (last.str.slice(2) == last.str.slice(0, 6))
        | last.is_in(sorted(plan.MADE_UP))
        | national.is_in(sorted(plan.RUNS))
        | (pl.lit("0") + national.str.slice(0, plan.RUN - 1)).is_in(sorted(plan.RUNS))
    )


def _start() -> pl.Expr:
    """Give the digits that settle what a number is."""
    blocks = number_blocks()
    split = {prefix[:_SHORT] for prefix in blocks if len(prefix) > _SHORT} - blocks.keys()
    national = pl.col("national")
    longest = max(map(len, blocks), default=_SHORT)
    length = pl.when(national.str.slice(0, _SHORT).is_in(sorted(split))).then(longest).otherwise(_SHORT)
    return national.str.slice(0, length)


def _known(asked: Iterable[tuple[str, bool]], one: Callable[[str], Any]) -> list[_Form]:
    """Read one number of each plan, written as told; none where every ending of a beginning looks made up."""
    read: dict[tuple[plan.Plan, bool, bool], list[_Form]] = {}
    forms = []
    for start, abroad in asked:
        numbers = (start + ending[: 9 - len(start)] for ending in _ENDINGS)
        national = next((number for number in numbers if not plan.doubt(number)), "")
        if not national:
            continue
        about = plan.plan_of(national), national.startswith(plan.SAINT_PIERRE), abroad
        if about not in read:
            read[about] = _forms(national, one, abroad=abroad)
        forms += [form._replace(start=start) for form in read[about]]
    return forms


def _forms(national: str, one: Callable[[str], Any], *, abroad: bool) -> list[_Form]:
    """Read a number whose writing is changed, and one that is not."""
    forms: dict[bool, _Form] = {}
    for text in (("+33" if abroad else "0") + national, ("+33 " if abroad else "0") + national + " "):
        phone = one(text)
        shown = phone.value or ""
        skip = 0 if shown.endswith(national) else len(plan.SAINT_PIERRE)
        head = shown[: len(shown) - len(national) + skip] if shown else None
        item = phone.evidence[0] if phone.evidence else None
        forms[bool(item)] = _Form(
            "", abroad, bool(item), head, skip, phone.type, phone.status.value, list(phone.codes), phone.region,
            phone.operator, item.rule if item else None, item.reference if item else None,
        )  # fmt: skip
    return [*forms.values()]


def _evidence() -> pl.Expr:
    fields = {"rule": pl.col("rule"), "field": pl.lit("value"), "before": pl.col("text"), "after": pl.col("value")}
    item = pl.struct(*(text.alias(name) for name, text in fields.items()), "reference")
    return pl.when("changed").then(pl.concat_list(item)).otherwise(pl.lit([], EVIDENCE_DTYPE)).alias("evidence")
