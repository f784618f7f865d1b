"""The built part of an index: columns on disk, mapped into memory, never changed.

``Postings`` lead from a number of 64 bits to rows, ``Base`` holds the records with their strong pairs and the term
frequencies; ``write_*`` make their files from columns, row by row nowhere. What changed since is in ``store``.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

Numbers = npt.NDArray[Any]

_LOW = (1 << 32) - 1
_IN_A_BUCKET = 16
_MOST_BITS = 31


class Postings:
    """Rows by number: an entry is 32 further bits of the number and the row, sorted within buckets of about 16.

    Args:
        folder: Where ``write_postings`` has written them.
    """

    def __init__(self, folder: Path) -> None:
        self._entries, self._starts = mapped(folder / "entries", "<u8"), mapped(folder / "starts", "<u4")
        self._bits = max(0, len(self._starts) - 1).bit_length() - 1

    def rows(self, number: int) -> list[int]:
        """Return the rows of a number; two numbers that agree in their first bits share theirs."""
        if self._bits < 0:
            return []
        bucket = number >> 64 - self._bits
        wanted = number >> 32 - self._bits & _LOW
        first, end = self._starts[bucket : bucket + 2].tolist()
        found = self._entries[first:end]
        if end - first > _IN_A_BUCKET << 3:
            low, high = found.searchsorted(np.array([wanted << 32, (wanted << 32) + _LOW], dtype=np.uint64))
            return [entry & _LOW for entry in found[low : high + 1].tolist() if entry >> 32 == wanted]
        return [entry & _LOW for entry in found.tolist() if entry >> 32 == wanted]


def write_postings(folder: Path, count: int, batches: Iterable[pa.RecordBatch]) -> None:
    """Write postings.

    Args:
        folder: Where to.
        count: Number of postings.
        batches: Columns number (uint64) and row, in the order of both.
    """
    bits = min(_MOST_BITS, max(0, (count // _IN_A_BUCKET).bit_length()))
    sizes = np.zeros(1 << bits, dtype=np.int64)
    with (folder / "entries").open("wb") as out:
        for batch in batches:
            number = batch.column(0).to_numpy(zero_copy_only=False).astype(np.uint64, copy=False)
            row = batch.column(1).to_numpy(zero_copy_only=False).astype(np.uint64, copy=False)
            further = (number >> np.uint64(32 - bits)) & np.uint64(_LOW)
            ((further << np.uint64(32)) | row).astype("<u8", copy=False).tofile(out)
            if bits:
                bucket, met = np.unique(number >> np.uint64(64 - bits), return_counts=True)
                sizes[bucket] += met
            else:
                sizes[0] += len(number)
    np.concatenate([[0], np.cumsum(sizes)]).astype("<u4").tofile(folder / "starts")


class Base:
    """Records by number, with their strong pairs, and term frequencies by row.

    Args:
        folder: Folder of a finished build.
    """

    def __init__(self, folder: Path) -> None:
        self.postings = Postings(folder)
        self._texts = mapped_bytes(folder / "records")
        self._at = mapped(folder / "records_at", "<u8")
        self._edges_at = mapped(folder / "edges_at", "<u4")
        self._others, self._weights = mapped(folder / "edges", "<u4"), mapped(folder / "weights", "<f8")
        self._terms = mapped(folder / "terms", "<f8")
        self.count = max(0, len(self._at) - 1)
        self.edges_count = len(self._others)

    def record(self, rid: int) -> list[Any]:
        """Return what was written of a record."""
        first, end = self._at[rid : rid + 2].tolist()
        found: list[Any] = orjson.loads(self._texts[first:end])
        return found

    def edges(self, rid: int) -> list[tuple[int, float]]:
        """Return the records that a strong pair joins a record to, with the pair's weight."""
        first, end = self._edges_at[rid : rid + 2].tolist()
        return list(zip(self._others[first:end].tolist(), self._weights[first:end].tolist(), strict=True))

    def edge(self, place: int) -> tuple[int, int, float]:
        """Return one of all strong pairs: both records and the weight."""
        one = int(self._edges_at.searchsorted(np.uint32(place), side="right")) - 1
        return one, int(self._others[place]), float(self._weights[place])

    def term(self, row: int) -> float:
        """Return a term's frequency."""
        return float(self._terms[row])


class BaseWriter:
    """Writes the columns of a build, party by party; the rows of a party follow those of the one before.

    Args:
        folder: A folder of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.records = folder, 0
        self._texts = (folder / "records").open("wb")
        self._at: list[Numbers] = [np.zeros(1, dtype=np.uint64)]
        self._edges: list[tuple[Numbers, Numbers, Numbers]] = []
        self._terms: list[Numbers] = []

    def add_records(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Add texts of records, in the order of their rows."""
        for batch in batches:
            texts = batch.column(0).cast(pa.large_string())
            _, offsets, data = texts.buffers()
            at = np.frombuffer(offsets, dtype="<i8", count=len(texts) + 1, offset=texts.offset * 8)
            self._texts.write(memoryview(data)[at[0] : at[-1]])
            self._at.append((at[1:] - at[0]).astype(np.uint64) + self._at[-1][-1])
            self.records += len(texts)

    def add_edges(self, edges: pa.Table) -> None:
        """Add strong pairs both ways round: one, other, weight, sorted."""
        self._edges.append(tuple(edges.column(place).to_numpy() for place in range(3)))

    def add_terms(self, frequencies: Numbers) -> int:
        """Add term frequencies; return the row of the first."""
        first = sum(len(known) for known in self._terms)
        self._terms.append(frequencies)
        return first

    def finish(self, count: int, postings: Iterable[pa.RecordBatch]) -> None:
        """Write what is left, and everything to the disk; arguments as of ``write_postings``."""
        self._texts.close()
        np.concatenate(self._at).astype("<u8").tofile(self.folder / "records_at")
        one, other, weight = (
            np.concatenate([np.empty(0), *(edges[place] for edges in self._edges)]) for place in range(3)
        )
        met = np.bincount(one.astype(np.int64), minlength=self.records)
        np.concatenate([[0], np.cumsum(met)]).astype("<u4").tofile(self.folder / "edges_at")
        other.astype("<u4").tofile(self.folder / "edges")
        weight.astype("<f8").tofile(self.folder / "weights")
        np.concatenate([np.empty(0), *self._terms]).astype("<f8").tofile(self.folder / "terms")
        write_postings(self.folder, count, postings)
        for path in [*self.folder.iterdir(), self.folder]:
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)


def mapped_bytes(path: Path) -> mmap.mmap | bytes:
    """Map a file into memory."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


def mapped(path: Path, kind: str) -> Numbers:
    """Map a file of numbers into memory."""
    return np.frombuffer(mapped_bytes(path), dtype=kind)
