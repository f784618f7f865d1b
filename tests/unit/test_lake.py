"""The lake: appended exactly once, archived once, clear errors, nothing half-written."""

import io
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from datadock.errors import LakeError
from datadock.lake import Lake

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def rows(*values):
    return pa.table({"value": pa.array(values, pa.string())})


def test_a_transaction_is_appended_once(lake):
    assert lake.append_once("t", rows("a"), "one") == 1
    assert lake.append_once("t", rows("b"), "one") is None
    assert lake.append_once("t", rows("c"), ["two", "three"]) == 2
    assert lake.append_once("t", rows("d"), ["four", "three"]) is None
    assert lake.has_transaction("t", "two")
    assert lake.transactions_among("t", ["one", "two", "four"]) == {"one", "two"}
    assert sorted(pl.read_parquet(lake.files("t"))["value"]) == ["a", "c"]


def test_what_is_not_there_reads_as_nothing(lake):
    assert (lake.open("t"), lake.version("t"), lake.files("t")) == (None, -1, [])
    assert not lake.has_transaction("t", "one")


def test_racers_of_one_transaction_append_it_once_and_of_many_each_once(lake):
    names = ["a", "b", "a", "b", "a", "b", "a", "b"]
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda name: lake.append_once("t", rows(name), name), names))
    assert sum(version is not None for version in versions) == 2
    assert sorted(pl.read_parquet(lake.files("t"))["value"]) == ["a", "b"]


def test_bytes_are_archived_once_with_the_time_they_first_came(lake):
    first = lake.store(io.BytesIO(b"bytes"), {"file": "a"})
    second = lake.store(io.BytesIO(b"bytes"), {"file": "b"})
    assert (first.known, second.known) == (False, True)
    assert (second.received_at, second.path) == (first.received_at, first.path)
    assert first.path.read_bytes() == b"bytes"
    assert lake.object_path(first.sha256) == first.path


def test_a_sweep_spares_what_may_be_under_way(lake):
    lake.store(io.BytesIO(b"bytes"), {})
    left = lake.root / "objects" / ".incoming-old"
    young = lake.root / "objects" / ".incoming-young"
    for path in (left, young):
        path.write_bytes(b"half")
    os.utime(left, (time.time() - 7200,) * 2)
    assert lake.sweep() == 1
    assert [path.exists() for path in (left, young)] == [False, True]


def test_a_file_where_a_folder_should_be_is_a_clear_error(tmp_path):
    (tmp_path / "lake").write_bytes(b"no folder")
    with pytest.raises(LakeError, match="refused the bytes"):
        Lake(tmp_path / "lake").store(io.BytesIO(b"bytes"), {})
    with pytest.raises(LakeError, match="t"):
        Lake(tmp_path / "lake").append_once("t", rows("a"), "one")


def test_a_table_whose_log_is_broken_is_a_clear_error(lake):
    lake.append_once("t", rows("a"), "one")
    (lake.path("t") / "_delta_log" / "00000000000000000001.json").write_text("{broken")
    with pytest.raises(LakeError, match="lake table t"):
        lake.open("t")


FULL = textwrap.dedent(
    r"""
    import os, resource, signal, sys
    from datadock.catalog.model import Source
    from datadock.errors import LakeError
    from datadock.lake import Lake
    from datadock.landing.land import land_bytes
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    source = Source.model_validate({"name": "people", "description": "d", "owner": "o@example.org",
        "format": {"type": "csv"}, "entities": {"contact": {"key": "id", "fields": {}}}})
    lake = Lake(sys.argv[1])
    data = b"id,nom\n" + b"".join(os.urandom(16).hex().encode() + b",x\n" for _ in range(20_000))
    land_bytes(lake, source, b"id\n1\n", "small.csv")
    store = Lake.store

    def fill(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def filled_after(self, stream, facts):
        stored = store(self, stream, facts)
        fill(100_000)
        return stored

    for when in ("archive", "raw"):
        if when == "archive":
            fill(100_000)
        else:
            Lake.store = filled_after
        try:
            land_bytes(lake, source, data, "large.csv")
        except LakeError as error:
            print(when, "LakeError", *str(error).split())
        fill(resource.RLIM_INFINITY)
    Lake.store = store
    print(land_bytes(lake, source, data, "large.csv").rows_loaded)
    """
)


def test_a_full_disk_is_a_clear_error_and_landing_again_finishes(tmp_path):
    """The limit on file size stands in for the disk: it is full in the archive first, then in the raw table."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "lake")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    archive, raw, loaded = done.stdout.splitlines()
    assert archive.startswith("archive LakeError the archive")
    assert "free space" in archive
    assert raw.startswith("raw LakeError rows could not be appended to raw/people")
    assert "nothing half-written is visible" in raw
    assert loaded == "20000"
    assert pl.read_parquet(Lake(tmp_path / "lake").files("raw/people")).height == 20_001
