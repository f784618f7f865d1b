"""A full disk and a folder that may not be read: a clear error, nothing half-written, and the next run repairs."""

import os
import subprocess
import sys

import polars as pl
import pytest

from datadock.catalog.model import Source
from datadock.errors import DatadockError
from datadock.lake import Lake
from datadock.landing import balance_of, land_drop_folder, land_file

ROWS = b"id,nom\n" + b"".join(b"%d,name %d\n" % (n, n * 7919) if n % 10 else b",no key\n" for n in range(1, 501))
KIB = 1024
SPACES = [0, 8, 16, 20, 24, 28, 32, 36, 40, 44, 48, 56, 64, 80]


@pytest.fixture
def people():
    return Source.model_validate(
        {
            "name": "people",
            "description": "Test records.",
            "owner": "team@example.org",
            "format": {"type": "csv"},
            "entities": {"contact": {"key": "id", "fields": {}}},
        }
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a file system here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(disk, left):
    """Leave so many bytes free."""
    stat = os.statvfs(disk)
    (disk / "filler").write_bytes(b"x" * (stat.f_bavail * stat.f_bsize - left))


def _refusal(lake, source, file):
    try:
        land_file(lake, source, file)
    except DatadockError as error:
        return str(error)
    return None


def test_a_full_disk_is_a_clear_error_and_landing_again_with_room_loads_everything_once(small_disk, people, tmp_path):
    file = tmp_path / "people.csv"
    file.write_bytes(ROWS)
    refused = 0
    for number, left in enumerate(SPACES):
        lake = Lake(small_disk / f"lake-{number}")
        _fill(small_disk, left * KIB)
        error = _refusal(lake, people, file)
        assert error is None or "to do:" in error
        refused += error is not None
        (small_disk / "filler").unlink()
        batch = land_file(lake, people, file)
        assert (batch.rows_in, batch.rows_loaded, batch.rows_quarantined) == (500, 450, 50)
        assert pl.read_parquet(lake.files("raw/people"))["_line"].n_unique() == 450
        assert balance_of(lake, people).holds
    assert refused >= len(SPACES) // 2


@pytest.mark.skipif(os.getuid() != 0, reason="needs the right to become another user")
def test_a_folder_that_may_not_be_read_is_named(tmp_path, people):
    folder = tmp_path / "landing" / "people"
    folder.mkdir(parents=True)
    (folder / "people.csv").write_bytes(ROWS)
    folder.chmod(0o000)
    child = os.fork()
    if not child:
        os.setuid(65534)
        try:
            land_drop_folder(Lake(tmp_path / "lake"), people, folder)
        except DatadockError as error:
            os._exit(0 if str(folder) in str(error) and "to do:" in str(error) else 3)
        except BaseException as error:
            sys.stderr.write(repr(error))
            os._exit(4)
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
