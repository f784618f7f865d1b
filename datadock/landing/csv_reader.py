"""The csv reader: blocks of text through the fast parser where their grammar is certain, else the careful one.

Both agree on every file that keeps to RFC 4180; a file is never held in memory as a whole.
Blank lines are no records. Values are kept to the letter, an empty one as an empty text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from datadock.catalog.model import Format
from datadock.landing.csv_dialect import Dialect, column_names, sniff_delimiter
from datadock.landing.csv_tolerant import Tolerant
from datadock.landing.encodings import Encoding, original_bytes, sniff_encoding, utf8_blocks
from datadock.landing.limits import KEPT_BYTES, Limits
from datadock.landing.records import BrokenStreamError, Chunk, Member, Refusal, refuse, refused_only

_SNIFFED = 1 << 16


def read_csv(member: Member, declared: Format, known: Iterable[str], limits: Limits) -> Iterator[Chunk]:
    """Read a csv file.

    Args:
        member: The file.
        declared: What the declaration says of the format.
        known: Column names that the declaration mentions.
        limits: Limits of the landing.

    Yields:
        Chunks with text columns; refused records with their reasons.
    """
    with member.open() as stream:
        encoding = sniff_encoding(stream, declared.encoding)
    with member.open() as stream:
        reader = _Csv(declared, frozenset(known), limits, encoding)
        yield from reader.read(utf8_blocks(stream, encoding, limits.block_bytes))


@dataclass
class _Csv:
    declared: Format
    known: frozenset[str]
    limits: Limits
    encoding: Encoding
    pending: bytes = b""
    line: int = 1
    skipped: int = 0
    skipped_head: bytes = b""
    dialect: Dialect = field(default_factory=lambda: Dialect(b",", b'"'))
    names: list[str] = field(default_factory=list)
    seen: bool = False

    def read(self, blocks: Iterator[bytes]) -> Iterator[Chunk]:
        try:
            for block in blocks:
                yield from self._take(block, final=False)
            yield from self._take(b"", final=True)
        except BrokenStreamError as broken:
            yield refused_only(Refusal(self.line, (broken.reason,), self._restore(self.pending)[:KEPT_BYTES]))
            return
        if not self.seen:
            code = "header_only" if self.names and self.declared.header is None else "empty_file"
            yield refused_only(refuse(0, code, b"", found="no record", expected="at least one record"))

    def _take(self, block: bytes, *, final: bool) -> Iterator[Chunk]:
        self.pending += block
        if self.skipped and not self._skip():
            if final:
                yield self._count(self._too_long())
            return
        if not self.names and not self._header(final):
            yield from self._overlong(final)
            return
        while True:
            before = len(self.pending)
            chunk = self._parse(final)
            if chunk is not None:
                yield self._count(chunk)
            yield from self._overlong(final)
            if not final or len(self.pending) in (0, before):
                return

    def _count(self, chunk: Chunk) -> Chunk:
        self.seen = True
        self.line += len(chunk.lines) + len(chunk.refused)
        return chunk

    def _overlong(self, final: bool) -> Iterator[Chunk]:
        """Skip a line that is longer than a record may be, without keeping it."""
        if final or len(self.pending) <= self.limits.max_record_bytes or b"\n" in self.pending:
            return
        self.skipped_head = self.pending[:KEPT_BYTES]
        self.skipped = len(self.pending)
        self.pending = b""
        yield from ()

    def _skip(self) -> bool:
        """Drop text up to the end of an overlong line; tell whether the end was found."""
        end = self.pending.find(b"\n")
        self.skipped += len(self.pending) if end < 0 else end
        self.pending = b"" if end < 0 else self.pending[end:]
        return False
