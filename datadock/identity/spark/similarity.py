"""DuckDB's text similarities over Arrow columns, as Spark's workers run them: null where a text is unknown.

The jar that Splink brings counts Jaro's letters in common in another way (one pair in fourteen of two unlike texts
differs), so a model trained on DuckDB would mean another thing with it. What a likeness is stands in ``compiled``.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from datadock.identity.compiled import similarity


def _column(function: Callable[[str, str], float], left: pa.Array, right: pa.Array, kind: pa.DataType) -> pa.Array:
    pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
    return pa.array([None if a is None or b is None else function(a, b) for a, b in pairs], kind)


def jaro(left: pa.Array, right: pa.Array) -> pa.Array:
    """Jaro similarity of two columns of texts, 0 to 1."""
    return _column(similarity.jaro, left, right, pa.float64())


def jaro_winkler(left: pa.Array, right: pa.Array) -> pa.Array:
    """Jaro and Winkler similarity of two columns of texts, 0 to 1."""
    return _column(similarity.jaro_winkler, left, right, pa.float64())


def hamming(left: pa.Array, right: pa.Array) -> pa.Array:
    """Number of places whose bytes differ, of two columns of texts.

    Raises:
        ValueError: When two texts are not equally long.
    """
    return _column(similarity.hamming, left, right, pa.int32())


UDFS: dict[str, tuple[Callable[[pa.Array, pa.Array], pa.Array], str]] = {
    "dd_jaro": (jaro, "double"),
    "dd_jaro_winkler": (jaro_winkler, "double"),
    "dd_hamming": (hamming, "int"),
}
"""Name in SQL to function and Spark's type of its values."""
