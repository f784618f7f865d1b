"""One opened deployment: its settings, its validated catalog, its lake and its state.

Everything that runs is handed a ``Dock``. Opening one creates the home's folders and nothing else.
"""

from __future__ import annotations

import fcntl
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from datadock.catalog import Catalog, load_catalog
from datadock.errors import DatadockError, LakeError
from datadock.lake import Lake
from datadock.settings import Settings
from datadock.state import StateStore

_ASK_AGAIN_SECONDS = 0.2


class Progress:
    """Tells on standard error what is being done and how long it took; silent by default.

    Args:
        shown: Whether to write anything.
    """

    def __init__(self, shown: bool = False) -> None:
        self.shown = shown

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time one step; the yielded function sets the words that end its line."""
        words: list[str] = []
        start = time.perf_counter()
        yield lambda text: words.__setitem__(slice(None), [text])
        self.say(f"{time.perf_counter() - start:6.1f} s  {name:<34} {' '.join(words)}")

    def say(self, line: str) -> None:
        """Write a line."""
        if self.shown:
            sys.stderr.write(line.rstrip() + "\n")
            sys.stderr.flush()


@dataclass(frozen=True)
class Dock:
    """One opened deployment."""

    settings: Settings
    catalog: Catalog
    lake: Lake
    state: StateStore
    progress: Progress = field(default_factory=Progress)

    @property
    def id_secret(self) -> str:
        """The secret that golden ids are derived with, made once per deployment."""
        given = self.settings.id_secret.get_secret_value()
        return given or _kept_secret(self.settings.home_path / "state" / "id_secret")


def open_dock(settings: Settings, *, progress: bool = False) -> Dock:
    """Open a deployment.

    Raises:
        CatalogError: When a declaration is wrong.
        LakeError: When the home folder cannot be written.
    """
    catalog = load_catalog(settings.catalog)
    home = settings.home_path
    try:
        for folder in ("landing", "warehouse", "published", "state", "reports", "dagster"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        for source in catalog.sources:
            (settings.landing / source).mkdir(exist_ok=True)
    except OSError as error:
        raise LakeError(
            f"the home folder {home} cannot be written: {error}",
            expected="a folder that this user may create and write",
            action="mend its rights, or set DATADOCK_HOME to another folder",
        ) from error
    return Dock(settings, catalog, Lake(settings.lake_root), StateStore(settings.state_database), Progress(progress))


@contextmanager
def exclusive(home: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the home's run lock: one run at a time; freed by the system when the process ends.

    Args:
        home: The home folder.
        wait_seconds: How long to wait for whoever holds it.

    Raises:
        DatadockError: When another process holds it.
    """
    until = time.monotonic() + wait_seconds
    path = home / "state" / "run.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        while not _locked(handle):
            if time.monotonic() >= until:
                raise DatadockError(
                    f"another run is under way on {home}",
                    expected="one run at a time on a home folder",
                    action="wait for it to end, or set DATADOCK_HOME to another folder",
                )
            time.sleep(_ASK_AGAIN_SECONDS)
        yield


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32), encoding="ascii")
        draft.replace(path)
    return path.read_text(encoding="ascii").strip()
