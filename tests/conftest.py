"""What every test may use: options, and homes of their own in temporary folders."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more of the machine's other work than of the law.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")

ROOT = Path(__file__).resolve().parents[1]
SLOW_TIERS = ("flow",)


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=30, help="end this many landings with SIGKILL")
    parser.addoption("--run-kills", type=int, default=6, help="end this many whole runs with SIGKILL")
    parser.addoption("--update-snapshot", action="store_true", help="write the definition snapshot anew")
    parser.addoption("--data", default=str(ROOT.parent / "shared" / "data"), help="folder of the published data sets")


def pytest_collection_modifyitems(items):
    """Keep the fast tier fast."""
    for item in items:
        tier = Path(item.fspath).relative_to(ROOT / "tests").parts[0]
        slow = [name for name in getattr(item, "fixturenames", ()) if name.startswith("built_")]
        if slow and tier not in SLOW_TIERS:
            raise pytest.UsageError(
                f"{item.nodeid} asks for {slow[0]}, which runs the platform; move it to tests/flow/"
            )


@pytest.fixture(scope="session")
def published_data(request):
    """Folder of the published, labelled data sets; tests that need it are skipped where it is missing."""
    folder = Path(request.config.getoption("--data"))
    if not (folder / "er").is_dir():
        pytest.skip(f"no published data in {folder}; say where with --data")
    return folder
