"""Files of others that a home has loaded: finding them, knowing them by their bytes, listing them beside the home.

What a kind of file holds, and where its content goes, stands with the kind (``streets``, ``contours``).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datadock.errors import DatadockError


def named_files(
    paths: Iterable[Path], inside: Callable[[Path], Iterable[Path]], kind: str, expected: str, action: str
) -> list[Path]:
    """Give the files that are named, and those inside of folders that are.

    Args:
        paths: Files or folders.
        inside: Gives the files of a folder that are of the kind.
        kind: The kind of file, for the message.
        expected: What should be named.
        action: What to do.

    Raises:
        DatadockError: When a file is missing, none is named, or two have one name.
    """
    found = [file for path in paths for file in (sorted(inside(path)) if path.is_dir() else [path])]
    missing = [str(path) for path in found if not path.is_file()]
    if missing or not found:
        raise DatadockError(f"no {kind}: {', '.join(missing) or 'none named'}", expected, action)
    twice = [name for name, count in Counter(path.name for path in found).items() if count > 1]
    if twice:
        raise DatadockError(
            f"several files are named {', '.join(twice)}",
            "files of different names: a name stands for its newest file",
            "name one of them, or rename the other",
        )
    return found


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_list(path: Path) -> list[dict[str, Any]]:
    """Give what a list of loaded files holds; empty where there is none."""
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["files"]
    return rows


def write_list(path: Path, known: Mapping[str, Any]) -> None:
    """Write a list of loaded files, dataclasses by name, in the order of their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    rows = [asdict(known[name]) for name in sorted(known)]
    part.write_text(json.dumps({"files": rows}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(path)
