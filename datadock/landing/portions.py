"""Chunks put together into portions worth a query: an archive of ten thousand messages is a few portions.

The contract is applied, and rows are laid out, once per portion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from datadock.landing.records import Chunk, Member, Refusal

_ROWS = 5_000
_BYTES = 8 << 20


@dataclass(frozen=True)
class Portion:
    """Records of one or several files of a batch.

    Attributes:
        files: Name of the file of each record that was read.
        chunk: The records.
        refused: Records that could not be read, with the name of their file.
    """

    files: pa.Array
    chunk: Chunk
    refused: list[tuple[str, Refusal]]


def portions(chunks: Iterable[tuple[Member, Chunk]]) -> Iterator[Portion]:
    """Put small chunks of JSON records together; other chunks are portions as they are."""
    gathered: list[tuple[Member, Chunk]] = []
    rows = size = 0
    for member, chunk in chunks:
        if chunk.columns is not None or chunk.header is not None:
            yield from _joined(gathered)
            yield _joined_one(member, chunk)
            gathered, rows, size = [], 0, 0
            continue
        gathered.append((member, chunk))
        rows += len(chunk.lines) + len(chunk.refused)
        size += chunk.payload.nbytes if chunk.payload is not None else 0
        size += sum(len(refusal.raw) for refusal in chunk.refused)
        if rows >= _ROWS or size >= _BYTES:
            yield from _joined(gathered)
            gathered, rows, size = [], 0, 0
    yield from _joined(gathered)


def _joined_one(member: Member, chunk: Chunk) -> Portion:
    files = pa.repeat(pa.scalar(member.name), len(chunk.lines))
    return Portion(files, chunk, [(member.name, refusal) for refusal in chunk.refused])


def _joined(gathered: list[tuple[Member, Chunk]]) -> Iterator[Portion]:
    if not gathered:
        return
    if len(gathered) == 1:
        yield _joined_one(*gathered[0])
        return
    filled = [(member, chunk) for member, chunk in gathered if len(chunk.lines)]
    none = pa.array([], pa.string())
    chunk = Chunk(
        pa.concat_arrays([pa.array([], pa.int64()), *(chunk.lines for _, chunk in filled)]),
        payload=pa.concat_arrays([none, *(chunk.payload for _, chunk in filled)]),
        encoding=next((chunk.encoding for _, chunk in gathered if chunk.encoding), ""),
    )
    files = [pa.repeat(pa.scalar(member.name), len(chunk.lines)) for member, chunk in filled]
    refused = [(member.name, refusal) for member, part in gathered for refusal in part.refused]
    yield Portion(pa.concat_arrays([none, *files]), chunk, refused)
