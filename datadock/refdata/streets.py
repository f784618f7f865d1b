"""The BAN files that a home has loaded: the streets of each file, and what was loaded when.

``<home>/reference/ban/<file>.parquet`` holds the streets of one file, ``ban.json`` beside them what each was.
The next file of the same name takes the place of the one before; the same bytes again change nothing. The positions
of its numbers go to the lake's log of positions, as far as they are new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import polars as pl

from datadock.dock import exclusive
from datadock.geography.positions import KEY as POSITION_KEY
from datadock.geography.positions import positions_in
from datadock.lake import Lake
from datadock.names import POSITIONS
from datadock.quality.reference.manifest import digest
from datadock.quality.reference.streets import StreetReference, read_ban, street_reference, streets_in
from datadock.refdata.loaded import file_digest, named_files, read_list, write_list
from datadock.refdata.log import write_difference
from datadock.settings import Settings

_LEDGER = "ban.json"
_EXPECTED = "files adresses-XX.csv.gz, or a folder of them"
_FETCH = "fetch them from https://adresse.data.gouv.fr/data/ban/adresses/latest/csv/"


@dataclass(frozen=True)
class BanFile:
    """One loaded BAN file.

    Attributes:
        file: Its name.
        departements: The departments of its communes.
        communes: Number of its communes.
        streets: Number of its streets.
        addresses: Number of its addresses.
        sha256: Hex digest of its bytes.
        loaded_at: When it was loaded (UTC, ISO).
    """

    file: str
    departements: tuple[str, ...]
    communes: int
    streets: int
    addresses: int
    sha256: str
    loaded_at: str


def ban_folder(settings: Settings) -> Path:
    """Give the folder of a home's loaded BAN files."""
    return settings.home_path / "reference" / "ban"


def loaded_ban(settings: Settings) -> list[BanFile]:
    """Give the BAN files that a home has loaded, by name."""
    rows = read_list(ban_folder(settings) / _LEDGER)
    return [BanFile(**{**row, "departements": tuple(row["departements"])}) for row in rows]


def install_ban(settings: Settings, paths: Iterable[Path]) -> list[tuple[BanFile, bool]]:
    """Load BAN files into the home; every file is read before anything changes.

    Args:
        settings: The deployment.
        paths: Files ``adresses-XX.csv.gz``, or folders of them.

    Returns:
        Each file and whether it was new; the same bytes as before are not.

    Raises:
        DatadockError: When a file is missing, unreadable, empty or of another layout, or a run is under way; nothing
            changes.
    """
    known = {item.file: item for item in loaded_ban(settings)}
    lake = Lake(settings.lake_root)
    placed = lake.last_inputs(POSITIONS).get("files", {})
    read: list[tuple[BanFile, pl.DataFrame | None]] = []
    for path in named_files(paths, _inside, "BAN file", _EXPECTED, _FETCH):
        sha256 = file_digest(path)
        stood = known.get(path.name)
        if stood and stood.sha256 == sha256 == placed.get(path.name):
            read.append((stood, None))
        else:
            told = read_ban(path)
            read.append((_described(path.name, sha256, streets_in(told, path.name)), told))
    with exclusive(settings.home_path):
        for item, frame in read:
            if frame is not None:
                _keep(settings, lake, item, frame)
                known[item.file] = item
        write_list(ban_folder(settings) / _LEDGER, known)
    return [(item, frame is not None) for item, frame in read]


def _keep(settings: Settings, lake: Lake, item: BanFile, frame: pl.DataFrame) -> None:
    """Keep the streets of a file in the home, and what its positions change in the lake."""
    folder = ban_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{item.file}.part"
    streets_in(frame, item.file).write_parquet(part)
    part.replace(folder / f"{item.file}.parquet")
    write_difference(
        lake,
        POSITIONS,
        positions_in(frame).with_columns(file=pl.lit(item.file)),
        ("file", *POSITION_KEY),
        scope=pl.col("file") == item.file,
        stamps={"version": f"{item.file} {item.loaded_at[:10]}"},
        at=datetime.now(UTC),
        noted={"files": {**lake.last_inputs(POSITIONS).get("files", {}), item.file: item.sha256}},
    )


def current_streets(settings: Settings) -> StreetReference | None:
    """Give the streets that a home has loaded, read once; none where it has loaded none."""
    files = loaded_ban(settings)
    if not files:
        return None
    mark = digest("".join(f"{item.file} {item.sha256}\n" for item in files).encode())[:8]
    homes = sorted({home for item in files for home in item.departements})
    paths = tuple(ban_folder(settings) / f"{item.file}.parquet" for item in files)
    return _load(paths, f"BAN {' '.join(homes)} ({mark})")


@lru_cache(maxsize=2)
def _load(paths: tuple[Path, ...], version: str) -> StreetReference:
    frames = (pl.read_parquet(path, columns=["code_insee", "street"]).iter_rows() for path in paths)
    return street_reference((row for rows in frames for row in rows), version)


def _inside(folder: Path) -> Iterable[Path]:
    return folder.glob("*.csv*")


def _described(name: str, sha256: str, streets: pl.DataFrame) -> BanFile:
    insee = pl.col("code_insee")
    home = pl.when(insee.str.starts_with("97")).then(insee.str.slice(0, 3)).otherwise(insee.str.slice(0, 2))
    homes = streets.select(home.unique().sort()).to_series().to_list()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return BanFile(
        name, tuple(homes), streets["code_insee"].n_unique(), streets.height, int(streets["addresses"].sum()), sha256,
        now,
    )  # fmt: skip
