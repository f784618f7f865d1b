"""What a comparison is made of, and the SQL of the degrees of agreement that recur."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One degree of agreement.

    Attributes:
        name: What a person reads.
        sql: Condition over ``_l`` and ``_r`` columns; must be symmetric.
        m: Expected share of this level among true matches, before training.
        tf: Feature whose term frequency sharpens the level's weight.
        most: Largest share among true matches that training may believe: what one person's records hardly ever show,
            and those of two namesakes in a family always do.
    """

    name: str
    sql: str
    m: float
    tf: str | None = None
    most: float = 1.0


@dataclass(frozen=True)
class Comparison:
    """One thing compared.

    Attributes:
        name: Output name, also of the columns ``gamma_<name>`` and ``mw_<name>``.
        reason: Why it is compared like this.
        unknown: Condition under which nothing can be said (weight 0).
        levels: From strongest to weakest, without the last ("differs").
        differs_m: Expected share of "differs" among true matches.
        differs_most: Largest share of "differs" among true matches that training may believe. A class of pairs that
            differ more often than that is no class of matches, however well the pairs agree otherwise.
        household: How far two people of one household agree on it as one person would; 0 for what is personal.
    """

    name: str
    reason: str
    unknown: str
    levels: tuple[Level, ...]
    differs_m: float
    differs_most: float
    household: float = 0.0


def missing(*columns: str) -> str:
    """Condition: one side or the other is unknown, for any of the columns."""
    return " or ".join(f"{c}_l is null or {c}_r is null" for c in columns)


def same(column: str) -> str:
    """Condition: equal."""
    return f"{column}_l = {column}_r"


def shared(column: str) -> str:
    """A value in common; most lists hold one value, and comparing those is far cheaper."""
    several = f"(len({column}_l) > 1 or len({column}_r) > 1)"
    return f"({column}_l[1] = {column}_r[1] or ({several} and list_has_any({column}_l, {column}_r)))"


def alike(column: str, similarity: float) -> str:
    """Condition: alike, by Jaro and Winkler."""
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {similarity}"


def in_order(*conditions: str) -> str:
    """All hold, each looked at only where those before it do: DuckDB reorders what ``and`` joins, a dear one first."""
    text = conditions[-1]
    for condition in reversed(conditions[:-1]):
        text = f"case when {condition} then {text} else false end"
    return f"({text})"


def slips(left: str, right: str, edits: int, length: int, similarity: float = 0.8) -> str:
    """Few edits apart; lengths and the cheap similarity keep most pairs away from the dear edit distance."""
    return in_order(
        f"least(length({left}), length({right})) >= {length}",
        f"abs(length({left}) - length({right})) <= {edits}",
        f"jaro_similarity({left}, {right}) >= {similarity}",
        f"damerau_levenshtein({left}, {right}) <= {edits}",
    )


def close(column: str, similarity: float, edits: int = 1, length: int = 4) -> str:
    """Condition: alike, or few edits apart."""
    return f"({alike(column, similarity)} or {slips(column + '_l', column + '_r', edits, length)})"
