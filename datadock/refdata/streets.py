"""The BAN files that a home has loaded: the streets of each file, and what was loaded when.

``<home>/reference/ban/<file>.parquet`` holds the streets of one file, ``ban.json`` beside them what each was.
The next file of the same name takes the place of the one before; the same bytes again change nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import polars as pl

from datadock.errors import DatadockError
from datadock.quality.reference.manifest import digest
from datadock.quality.reference.streets import StreetReference, read_ban, street_reference
from datadock.settings import Settings

_LEDGER = "ban.json"


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
    path = ban_folder(settings) / _LEDGER
    if not path.exists():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))["files"]
    return [BanFile(**{**row, "departements": tuple(row["departements"])}) for row in rows]


def install_ban(settings: Settings, paths: Iterable[Path]) -> list[tuple[BanFile, bool]]:
    """Load BAN files into the home; every file is read before anything changes.

    Args:
        settings: The deployment.
        paths: Files ``adresses-XX.csv.gz``, or folders of them.

    Returns:
        Each file and whether it was new; the same bytes as before are not.

    Raises:
        DatadockError: When a file is missing, unreadable, empty or of another layout; nothing changes.
    """
    known = {item.file: item for item in loaded_ban(settings)}
    read: list[tuple[BanFile, pl.DataFrame | None]] = []
    for path in _each(paths):
        sha256 = _sha256(path)
        stood = known.get(path.name)
        if stood and stood.sha256 == sha256:
            read.append((stood, None))
        else:
            streets = read_ban(path)
            read.append((_described(path.name, sha256, streets), streets))
    folder = ban_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for item, frame in read:
        if frame is not None:
            part = folder / f".{item.file}.part"
            frame.write_parquet(part)
            part.replace(folder / f"{item.file}.parquet")
            known[item.file] = item
    _note(folder, known)
    return [(item, frame is not None) for item, frame in read]


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


def _each(paths: Iterable[Path]) -> list[Path]:
    found = [file for path in paths for file in (sorted(path.glob("*.csv*")) if path.is_dir() else [path])]
    missing = [str(path) for path in found if not path.is_file()]
    if missing or not found:
        raise DatadockError(
            f"no BAN file: {', '.join(missing) or 'none named'}",
            "files adresses-XX.csv.gz, or a folder of them",
            "fetch them from https://adresse.data.gouv.fr/data/ban/adresses/latest/csv/",
        )
    return found


def _described(name: str, sha256: str, streets: pl.DataFrame) -> BanFile:
    insee = pl.col("code_insee")
    home = pl.when(insee.str.starts_with("97")).then(insee.str.slice(0, 3)).otherwise(insee.str.slice(0, 2))
    homes = streets.select(home.unique().sort()).to_series().to_list()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return BanFile(
        name, tuple(homes), streets["code_insee"].n_unique(), streets.height, int(streets["addresses"].sum()), sha256,
        now,
    )  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _note(folder: Path, known: dict[str, BanFile]) -> None:
    rows = [asdict(known[name]) for name in sorted(known)]
    part = folder / f".{_LEDGER}.part"
    part.write_text(json.dumps({"files": rows}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(folder / _LEDGER)
