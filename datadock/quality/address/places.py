"""Places of whole columns: each distinct pair of code and city is resolved once, and kept for the next batch.

A city stands as it was typed, so that folding it is paid once as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

import polars as pl

from datadock.quality.address.locality import LocalityResolver
from datadock.quality.address.model import LINE_LENGTH
from datadock.quality.address.text import clean, is_plain_latin
from datadock.quality.evidence import EVIDENCE_DTYPE, as_rows
from datadock.quality.fold import fold

MOST = 200_000
"""Pairs that are kept; beyond, the memory begins anew."""

_SCHEMA = pl.Schema(
    {
        "code": pl.String(), "city": pl.String(), "readable": pl.Boolean(), "known": pl.Boolean(),
        **{name: pl.String() for name in ("line_6", "code_postal", "commune", "code_insee", "line_5")},
        "place_key": pl.String(), "place_evidence": EVIDENCE_DTYPE, "found": pl.Boolean(), "cedex": pl.Boolean(),
    }
)  # fmt: skip


@dataclass(eq=False)
class KnownPlaces:
    """The places of the pairs that one normaliser has met, as a frame to join with."""

    resolver: LocalityResolver
    frame: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMA))
    lock: Lock = field(default_factory=Lock)

    def of(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Give the places of at least these pairs of ``code`` and ``city``, one row each.

        What is ``readable`` says nothing but a city in Latin letters; what is ``known`` is a name of its code.
        """
        distinct = pairs.select("code", "city").unique()
        with self.lock:
            missing = distinct.join(self.frame, on=("code", "city"), how="anti")
            if missing.height:
                kept = self.frame if self.frame.height + missing.height <= MOST else self.frame.clear()
                missing = distinct if not kept.height else missing
                self.frame = pl.concat([kept, self._resolved(missing.iter_rows())])
            return self.frame

    def _resolved(self, pairs: Iterable[tuple[str, str]]) -> pl.DataFrame:
        rows = []
        for code, typed in pairs:
            text, codes = clean(typed)
            city = fold(text)
            place = self.resolver.resolve(code, city)
            rows.append(
                (
                    code, typed, not codes and is_plain_latin(typed), self.resolver.knows(code, city),
                    place.line[:LINE_LENGTH].strip(), place.code_postal,
                    place.commune, place.code_insee, place.former, "|".join(place.codes),
                    as_rows(place.evidence), place.found, place.cedex,
                )
            )  # fmt: skip
        return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
