"""Rebuilding the seeds of public registers in ``seeds/`` from the packages that publish them.

Run on purpose, never by the product: ``python -m datadock.demo.seeding PRENOMS.csv COMMUNES.csv``.
The README beside the seeds names the packages, their licences and the hashes of what was read.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from datadock.demo.reference import SEEDS

FIRST_NAMES = 1_500
COMMUNES = 8_000


def rebuild(prenoms: Path, communes: Path, out: Path = SEEDS) -> None:
    """Write ``first_names.csv`` and ``communes.parquet``.

    Args:
        prenoms: INSEE's first names summed over 1900-2019: ``prenom, n_m, n_f, …``.
        communes: The communes of @etalab/decoupage-administratif as CSV, ``codes_postaux`` separated by ``|`` or space.
        out: Folder to write into.
    """
    (
        pl.read_csv(prenoms)
        .filter(pl.col("prenom").str.contains(r"^\p{L}[\p{L}'-]+$"))
        .sort(pl.col("n_m") + pl.col("n_f"), "prenom", descending=[True, False])
        .head(FIRST_NAMES)
        .select(
            first_name=pl.col("prenom").str.to_titlecase(),
            births_m="n_m",
            births_f="n_f",
        )
        .write_csv(out / "first_names.csv")
    )
    (
        pl.read_csv(communes, infer_schema=False)
        .filter(pl.col("type") == "commune-actuelle", pl.col("codes_postaux").is_not_null())
        .select(
            insee_code="code_insee",
            name="nom",
            postcodes=pl.col("codes_postaux").str.replace_all(r"[|,;\s]+", " "),
            population=pl.col("population").cast(pl.Int32),
        )
        .drop_nulls()
        .sort("population", "insee_code", descending=[True, False])
        .head(COMMUNES)
        .sort("insee_code")
        .write_parquet(out / "communes.parquet", compression="zstd", compression_level=19)
    )


if __name__ == "__main__":
    rebuild(Path(sys.argv[1]), Path(sys.argv[2]))
