"""Landing ended by SIGKILL at moments swept over a whole landing: landing again ends where a calm one would."""

import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl

from datadock.catalog.model import Source
from datadock.lake import Lake
from datadock.landing import balance_of, land_file
from datadock.names import BATCHES, QUARANTINE

ROOT = Path(__file__).resolve().parents[2]
ROWS = b"id,nom\n" + b"".join(b"%d,name\n" % n if n % 10 else b",no key\n" for n in range(1, 2001))
DECLARED = {
    "name": "people",
    "description": "Test records.",
    "owner": "team@example.org",
    "format": {"type": "csv"},
    "entities": {"contact": {"key": "id", "fields": {}}},
}

# Imports once, then forks before anything ran: a child that lands costs no imports, so kills can be many.
LANDS_AND_DIES = textwrap.dedent(
    """
    import json, os, signal, sys, time
    from pathlib import Path
    from datadock.catalog.model import Source
    from datadock.lake import Lake
    from datadock.landing.land import land_file
    root, declared, longest, *paths = sys.argv[1:]
    source = Source.model_validate(json.loads(declared))
    ended = 0
    for number, path in enumerate(paths):
        child = os.fork()
        if not child:
            land_file(Lake(root), source, Path(path))
            os._exit(0)
        time.sleep(float(longest) * (number + 1) / len(paths))
        os.kill(child, signal.SIGKILL)
        ended += os.waitpid(child, 0)[1] == signal.SIGKILL
    print(ended)
    """
)


def test_sigkill_anywhere_in_a_landing_is_repaired_by_landing_again(tmp_path, request):
    source = Source.model_validate(DECLARED)
    lake = Lake(tmp_path / "lake")
    files = []
    for number in range(request.config.getoption("--kills")):
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_bytes(ROWS + b"x%d,file\n" % number)
    killed = subprocess.run(
        [sys.executable, "-c", LANDS_AND_DIES, str(lake.root), source.model_dump_json(by_alias=True), "0.5", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(killed.stdout) > 0
    batches = [land_file(lake, source, path) for path in files]
    assert {(b.rows_in, b.rows_loaded, b.rows_quarantined) for b in batches} == {(2001, 1801, 200)}
    raw = pl.read_parquet(lake.files("raw/people"))
    assert raw.height == len(files) * 1801
    assert raw.select("_batch_id", "_line").is_unique().all()
    assert pl.read_parquet(lake.files(QUARANTINE)).height == len(files) * 200
    assert pl.read_parquet(lake.files(BATCHES)).height == len(files)
    assert balance_of(lake, source).holds
