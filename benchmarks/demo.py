"""Speed and memory of the demo company's generator: ``python benchmarks/demo.py [PEOPLE …]``.

Each size runs in a process of its own; people per second count from the call to the last file renamed, and the
process's start (interpreter, imports) is printed beside it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (100_000, 1_000_000)


def measure(people: int) -> dict[str, float]:
    """Write one delivery into a temporary folder and return its figures."""
    started = time.perf_counter()
    from datadock.demo import generate

    imported = time.perf_counter()
    before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    with tempfile.TemporaryDirectory() as folder:
        summary = generate(people, 1, Path(folder) / "home" / "landing")
        wall = time.perf_counter() - imported
        written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "people": people,
        "records": summary.total,
        "contact_records": summary.contact_records,
        "megabytes": round(written / 1e6, 1),
        "import_s": round(imported - started, 2),
        "wall_s": round(wall, 2),
        "people_per_s": round(people / wall),
        "cpu_s": round(usage.ru_utime + usage.ru_stime - before, 2),
        "peak_mb": round(usage.ru_maxrss / 1e3),
    }


def main() -> None:
    """Measure each size in a fresh process and print a line for each."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return
    for people in [int(text) for text in sys.argv[1:]] or SIZES:
        run = subprocess.run(
            [sys.executable, __file__, "--one", str(people)], check=True, capture_output=True, text=True
        )
        print("  ".join(f"{name} {value:,}" for name, value in json.loads(run.stdout).items()), flush=True)


if __name__ == "__main__":
    main()
