"""The csv reader: blocks of text through the fast parser where their grammar is certain, else the careful one.

Both agree on every text that keeps to RFC 4180; a file is never held in memory as a whole.
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
from datadock.landing.csv_grammar import certain_cut, longest_line
from datadock.landing.csv_tolerant import Parsed, Tolerant
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
    yield Chunk(pa.array([], pa.int64()), encoding=encoding.name)
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
    overlong: int = 0
    overlong_head: bytes = b""
    names: list[str] = field(default_factory=list)
    dialect: Dialect = field(init=False)
    careful: Tolerant = field(init=False)

    def read(self, blocks: Iterator[bytes]) -> Iterator[Chunk]:
        try:
            for block in blocks:
                yield from self._take(block)
        except BrokenStreamError as broken:
            yield refused_only(Refusal(self.line, (broken.reason,), self._restore(self.pending)[:KEPT_BYTES]))
            return
        if self.overlong:
            yield self._too_long()
        elif self.pending and self._has_header(final=True):
            yield from self._parse(final=True)
        if self.line == 1:
            code = "header_only" if self.names and self.declared.header is None else "empty_file"
            yield refused_only(refuse(0, code, b"", found="no record", expected="at least one record"))

    def _take(self, block: bytes) -> Iterator[Chunk]:
        if self.overlong:
            end = block.find(b"\n")
            self.overlong += len(block) if end < 0 else end
            if end < 0:
                return
            yield self._too_long()
            block = block[end + 1 :]
        self.pending += block
        if self._has_header(final=False):
            yield from self._parse(final=False)
        if len(self.pending) > self.limits.max_record_bytes and b"\n" not in self.pending:
            self.overlong, self.overlong_head, self.pending = len(self.pending), self.pending[:KEPT_BYTES], b""

    def _has_header(self, *, final: bool) -> bool:
        """Settle delimiter and column names from the first lines, once; False while they are not whole."""
        if self.names:
            return True
        self.pending = self.pending.lstrip(b"\r\n")
        if not self.pending or (not final and b"\n" not in self.pending):
            return False
        quote = self.declared.quote.encode()
        stated = (self.declared.delimiter or "").encode()
        self.dialect = Dialect(stated or sniff_delimiter(self.pending[:_SNIFFED], quote, self.known), quote)
        if self.declared.header is not None:
            self.names = column_names(self.declared.header)
        else:
            parsed = self._tolerant(0).parse(self.pending, 1, final=final, most=1)
            if not parsed.used:
                return False
            self.names = column_names(self._cells(parsed))
            self.pending = self.pending[parsed.used :]
        self.careful = self._tolerant(len(self.names))
        return True

    def _cells(self, parsed: Parsed) -> list[str]:
        if parsed.rows:
            return [cell.removeprefix("\ufeff") for cell in parsed.rows[0]]
        cells = parsed.refused[0].raw.split(self.dialect.delimiter)
        return [cell.strip(self.dialect.quote).decode("utf-8", "replace") for cell in cells]

    def _tolerant(self, width: int) -> Tolerant:
        return Tolerant(self.dialect, width, self.limits.max_record_bytes, self._restore)

    def _parse(self, *, final: bool) -> Iterator[Chunk]:
        text = self.pending
        cut = certain_cut(text, self.dialect, final=final) if self._plain(text) else None
        chunk = None
        if cut is not None:
            if not cut:
                return
            text = text[:cut]
            chunk = self._fast(text)
        if chunk is None:
            parsed = self.careful.parse(text, self.line, final=final or cut is not None)
            text = text[: parsed.used]
            chunk = self._slow(parsed)
        self.pending = self.pending[len(text) :]
        if len(chunk.lines) or chunk.refused:
            self.line += len(chunk.lines) + len(chunk.refused)
            yield chunk

    def _plain(self, text: bytes) -> bool:
        """Tell whether nothing in a text is read differently by the two parsers."""
        if not self.dialect.simple or b"\0" in text:
            return False
        if b"\r" in text and text.count(b"\r") != text.count(b"\r\n"):
            return False
        longest = self.limits.max_record_bytes
        return len(text) <= longest or longest_line(text) <= longest

    def _fast(self, text: bytes) -> Chunk | None:
        """Parse certain text; None where a row is ragged or a byte unknown: the careful parser says which."""
        try:
            table = pc.read_csv(
                pa.BufferReader(text),
                read_options=pc.ReadOptions(column_names=self.names, block_size=len(text) + 1, use_threads=False),
                parse_options=pc.ParseOptions(
                    delimiter=self.dialect.delimiter.decode(),
                    quote_char=self.dialect.quote.decode(),
                    newlines_in_values=True,
                ),
                convert_options=pc.ConvertOptions(
                    column_types=dict.fromkeys(self.names, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid:
            return None
        lines = np.arange(self.line, self.line + table.num_rows)
        return Chunk(pa.array(lines, pa.int64()), columns=table, header=tuple(self.names))

    def _slow(self, parsed: Parsed) -> Chunk:
        columns = zip(*parsed.rows, strict=True) if parsed.rows else ([] for _ in self.names)
        table = pa.table([pa.array(column, pa.string()) for column in columns], names=self.names)
        return Chunk(
            pa.array(parsed.lines, pa.int64()), columns=table, header=tuple(self.names), refused=parsed.refused
        )

    def _too_long(self) -> Chunk:
        refusal = refuse(
            self.line,
            "record_too_long",
            self._restore(self.overlong_head),
            found=f"a line of {self.overlong} bytes",
            expected=f"at most {self.limits.max_record_bytes} bytes",
        )
        self.overlong, self.overlong_head = 0, b""
        self.line += 1
        return refused_only(refusal)

    def _restore(self, text: bytes) -> bytes:
        try:
            return original_bytes(text, self.encoding)
        except UnicodeError:
            return text
