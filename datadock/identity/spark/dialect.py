"""DuckDB's SQL of levels and blocking keys as Spark's, by sqlglot: what a condition means is written once.

What the two dialects call by one name and mean differently (items and parts of a text, lengths of lists, what two
lists share, likeness of texts) is translated here. Running it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from datadock.errors import ModelError
from datadock.identity.block_keys import bare, is_list

_NAMED = {
    "jaro_similarity": "dd_jaro",
    "hamming": "dd_hamming",
    "damerau_levenshtein": "damerau_levenshtein",
    "list_intersect": "array_intersect",
}
"""Functions that sqlglot does not know: ``dd_`` are ``similarity``'s, Damerau's distance is of the jar of Splink."""

_BYTEWISE = ("damerau_levenshtein",)


def condition(sql: str, lists: Collection[str], where: str) -> str:
    """Return Spark's SQL of a condition over ``_l`` and ``_r`` columns, over ``l`` and ``r``, or over one record.

    Args:
        sql: DuckDB's.
        lists: Features that hold lists.
        where: Named in errors: which comparison and level, which rule.

    Raises:
        ModelError: When it cannot be read, or calls a function whose meaning on Spark nobody has stated.
    """
    sides = {f"{name}{side}" for name in lists for side in ("", "_l", "_r")}
    try:
        tree = parse_one(sql, read="duckdb")
    except SqlglotError as error:
        raise _refused(str(error), where) from error
    return str(_Translation(sides, where)(tree).sql(dialect="spark", normalize_functions=False))


def key(part: str, lists: Collection[str], where: str) -> tuple[str, bool]:
    """Return Spark's SQL of a part of a blocking key, and whether it gives several keys to a record (as a list)."""
    return condition(bare(part), lists, where), is_list(part)


def settings(told: Mapping[str, Any], lists: Collection[str]) -> dict[str, Any]:
    """Return Splink settings whose conditions are Spark's, of those whose conditions are DuckDB's."""
    translated = deepcopy(dict(told))
    for comparison in translated["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level["sql_condition"] != "ELSE":
                where = f"{comparison['output_column_name']}: level '{level['label_for_charts']}'"
                level["sql_condition"] = condition(level["sql_condition"], lists, where)
    return translated


def splink_sql(sql: str) -> str:
    """Return the SQL that Splink makes as Spark reads it: what is cast to a double is one, no decimal on its way."""
    return str(parse_one(sql, read="spark").transform(_as_double).sql(dialect="spark", pretty=True))


def _as_double(node: exp.Expr) -> exp.Expr:
    if not (isinstance(node, exp.Cast) and node.to.is_type("double")):
        return node
    number = node.this.this if isinstance(node.this, exp.Neg) else node.this
    if not isinstance(number, exp.Literal) or number.is_string:
        return node
    number.set("this", f"{number.this}D")
    told: exp.Expr = node.this
    return told


class _Translation:
    """One expression on its way, from its leaves up."""

    def __init__(self, lists: Collection[str], where: str) -> None:
        self.lists, self.where = lists, where

    def __call__(self, node: exp.Expr) -> exp.Expr:
        for child in list(node.iter_expressions()):
            translated = self(child)
            if translated is not child:
                child.replace(translated)
        translate = _TRANSLATED.get(type(node))
        if translate is not None:
            return translate(self, node)
        if isinstance(node, exp.Func) and not isinstance(node, _COMMON):
            raise _refused(f"the function {node.sql(dialect='duckdb')}", self.where)
        return node

    def is_list(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Column):
            return node.name in self.lists
        called = isinstance(node, exp.Anonymous) and node.name == "array_intersect"
        return called or isinstance(node, exp.Split | exp.Filter | exp.ArrayFilter | exp.Array | exp.ArrayDistinct)

    def length(self, node: exp.Expr) -> exp.Expr:
        return exp.ArraySize(this=node.this) if self.is_list(node.this) else node

    def item(self, node: exp.Expr) -> exp.Expr:
        """``x[1]``, ``x[:4]``, ``x[5:]``: of a list an item, null where there are fewer; of a text a part."""
        [place] = node.expressions
        if self.is_list(node.this):
            return _call("get", node.this, place)
        if not isinstance(place, exp.Slice):
            return exp.Substring(this=node.this, start=_number(int(place.name) + 1), length=_number(1))
        start = int(place.this.name) if place.this else 1
        length = _number(int(place.expression.name) - start + 1) if place.expression else None
        return exp.Substring(this=node.this, start=_number(start), length=length)

    def called(self, node: exp.Expr) -> exp.Expr:
        name = node.name.lower()
        if name not in _NAMED:
            raise _refused(f"the function {name}", self.where)
        return _call(_NAMED[name], *(_bytes(each) if name in _BYTEWISE else each for each in node.expressions))

    def likeness(self, node: exp.Expr) -> exp.Expr:
        return _call("dd_jaro_winkler", node.this, node.expression)

    def overlap(self, node: exp.Expr) -> exp.Expr:
        return _call("arrays_overlap", node.this, node.expression)

    def edits(self, node: exp.Expr) -> exp.Expr:
        return exp.Levenshtein(this=_bytes(node.this), expression=_bytes(node.expression))


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def _call(name: str, *told: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(told))


def _bytes(node: exp.Expr) -> exp.Expr:
    """A text with a letter for each of its bytes: DuckDB counts edits in bytes, Java in letters."""
    return _call("decode", _call("encode", node, exp.Literal.string("UTF-8")), exp.Literal.string("ISO-8859-1"))


_TRANSLATED: dict[type[exp.Expr], Callable[[_Translation, exp.Expr], exp.Expr]] = {
    exp.Length: _Translation.length,
    exp.Bracket: _Translation.item,
    exp.Anonymous: _Translation.called,
    exp.JarowinklerSimilarity: _Translation.likeness,
    exp.ArrayOverlaps: _Translation.overlap,
    exp.Levenshtein: _Translation.edits,
}

_COMMON = (
    exp.And, exp.Or, exp.Case, exp.If, exp.Coalesce, exp.Least, exp.Greatest, exp.Abs, exp.Cast, exp.Left, exp.Right,
    exp.Substring, exp.Contains, exp.StartsWith, exp.EndsWith, exp.Split, exp.Filter, exp.ArrayFilter, exp.Array,
    exp.ArrayDistinct,
)  # fmt: skip
"""What both dialects mean alike, once sqlglot has written it."""


def _refused(found: str, where: str) -> ModelError:
    return ModelError(
        f"{where}: {found} cannot be translated to Spark",
        expected="what datadock/identity/spark/dialect.py knows, with exactly DuckDB's meaning",
        action="write the condition with known functions, teach `dialect.py` this one, or declare engine: duckdb",
    )
