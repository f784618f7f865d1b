"""JSON documents: the objects of a list somewhere in the document, or objects one behind the other.

The document is cut into its records by the nesting of its brackets, block by block; a record keeps
its text as received, numbers to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import orjson
import pyarrow as pa

from datadock.catalog.model import Format
from datadock.landing.encodings import Encoding, sniff_encoding, utf8_blocks
from datadock.landing.json_lines import check_records, read_json_lines, too_long
from datadock.landing.limits import KEPT_BYTES, Limits
from datadock.landing.records import BrokenStreamError, Chunk, Member, Refusal, refuse, refused_only

_BATCH = 5_000
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_QUOTE, _COMMA, _OPEN, _CLOSE = 0x22, 0x2C, (0x5B, 0x7B), (0x5D, 0x7D)


def read_json(member: Member, declared: Format, limits: Limits) -> Iterator[Chunk]:
    """Read a JSON document's records.

    Args:
        member: The file.
        declared: ``records`` is the path of the list of records; by default the document is the
            list, one record, or records one behind the other.
        limits: Limits of the landing.
    """
    path = _keys(declared.records)
    with member.open() as stream:
        encoding = sniff_encoding(stream, declared.encoding)
    if not path and _is_lines(member, encoding, limits):
        yield from read_json_lines(member, declared, limits)
        return
    yield Chunk(pa.array([], pa.int64()), encoding=encoding.name)
    with member.open() as stream:
        yield from _Document(path, limits, encoding).read(utf8_blocks(stream, encoding, limits.block_bytes))


def _keys(path: str | None) -> tuple[str, ...]:
    return tuple((path or "$").removeprefix("$").removeprefix(".").split(".")) if path not in (None, "$") else ()


def _is_lines(member: Member, encoding: Encoding, limits: Limits) -> bool:
    """Tell whether the first line is a whole object by itself."""
    with member.open() as stream:
        try:
            first = next(utf8_blocks(stream, encoding, min(limits.block_bytes, 1 << 16)), b"").lstrip()
        except BrokenStreamError:
            return False
    line, newline, _ = first.partition(b"\n")
    if not line.startswith(b"{") or not newline:
        return False
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


@dataclass
class _Document:
    path: tuple[str, ...]
    limits: Limits
    encoding: Encoding
    line: int = 1
    pending: bytes = b""
    scanned: int = 0
    """Bytes of ``pending`` that were searched for record ends already."""
    inside: bool = False
    depth: int = 0
    base: int = -1
    """Depth of the records: 1 in a list, 0 for records one behind the other; -1 while not known."""
    ended: bool = False
    overlong: int = 0
    keys: list[str | None] = field(default_factory=list)
    name: str | None = None
    texts: list[bytes] = field(default_factory=list)

    def read(self, blocks: Iterator[bytes]) -> Iterator[Chunk]:
        try:
            for block in blocks:
                self.pending += block
                if self.base < 0 and not self._find_records():
                    continue
                yield from self._cut()
                if self.ended:
                    break
        except BrokenStreamError as broken:
            yield from self._flush()
            yield refused_only(Refusal(self.line, (broken.reason,), self.pending[:KEPT_BYTES]))
            return
        yield from self._finish()

    def _finish(self) -> Iterator[Chunk]:
        if self.base < 0:
            yield self._no_records()
            return
        rest = b"" if self.ended else self.pending
        if self.base == 0 and rest.strip() and not self.overlong:
            self.texts.append(rest.strip())
            rest = b""
        yield from self._flush()
        if self.overlong:
            yield self._too_long(rest)
        elif self.base == 1 and not self.ended:
            expected = "the list's closing bracket"
            yield self._one(refuse(self.line, "malformed_json", rest, found="the end of the file", expected=expected))
        elif self.line == 1:
            yield refused_only(refuse(0, "empty_file", b"", found="no record", expected="at least one record"))

    def _no_records(self) -> Chunk:
        if not self.pending.strip() and not self.keys:
            return refused_only(refuse(0, "empty_file", b"", found="no record", expected="at least one record"))
        place = ".".join(("$", *self.path))
        return refused_only(
            refuse(0, "records_not_found", self.pending, found=f"no list at {place}", expected=f"a list at {place}")
        )

    def _find_records(self) -> bool:
        """Find where the records begin; consumes the text before them."""
        if not self.path:
            text = self.pending.lstrip()
            if text:
                self.base = 1 if text.startswith(b"[") else 0
                self.pending, self.depth = text[self.base :], self.base
            return bool(text)
        return self._walk()

    def _walk(self) -> bool:
        """Walk the document's keys until the list at ``path`` opens."""
        place = 0
        for token in _TOKEN.finditer(self.pending):
            if token.end() == len(self.pending) or b'"' in self.pending[place : token.start()]:
                break
            place = token.end()
            if self._step(token.group()):
                self.pending, self.base, self.depth = self.pending[place:], 1, 1
                return True
        self.pending = self.pending[place:]
        return False

    def _step(self, sign: bytes) -> bool:
        """Take one token of the document; tell whether it opens the list of records."""
        if sign == b"[" and tuple(self.keys) == self.path:
            return True
        if sign in (b"{", b"["):
            self.keys.append(None)
        elif sign in (b"}", b"]"):
            self.keys = self.keys[:-1]
        elif sign == b"," and self.keys:
            self.keys[-1] = None
        elif sign == b":" and self.keys:
            self.keys[-1] = self.name
        self.name = _text(sign) if sign.startswith(b'"') else None
        return False

    def _cut(self) -> Iterator[Chunk]:
        """Cut the pending text at the ends of its records."""
        held = len(self.pending) - len(self.pending.rstrip(b"\\"))
        end = len(self.pending) - held % 2
        block = self.pending[self.scanned : end]
        start = 0
        for stop, after in self._ends(_ESCAPE.sub(b"__", block)):
            text = self.pending[start : self.scanned + stop]
            start = self.scanned + after
            if self.overlong:
                yield from self._flush()
                yield self._too_long(text)
            elif text.strip():
                self.texts.append(text.strip())
            if len(self.texts) >= _BATCH:
                yield from self._flush()
        self.pending = self.pending[start:]
        self.scanned = max(0, end - start)
        yield from self._flush()
        if self.overlong or len(self.pending) > self.limits.max_record_bytes:
            kept = self.pending[self.scanned :]
            self.overlong += self.scanned
            self.pending, self.scanned = kept, 0

    def _ends(self, block: bytes) -> Iterator[tuple[int, int]]:
        """Give the ends of records in a block, each with the place where the next may begin."""
        data = np.frombuffer(block, np.uint8)
        quotes = np.flatnonzero(data == _QUOTE)
        signs = np.flatnonzero(np.isin(data, (_COMMA, *_OPEN, *_CLOSE)))
        outside = (np.searchsorted(quotes, signs) + self.inside) % 2 == 0
        signs = signs[outside]
        kinds = data[signs]
        opens, closes = np.isin(kinds, _OPEN), np.isin(kinds, _CLOSE)
        depths = self.depth + np.cumsum(opens.astype(np.int64) - closes)
        self.inside = bool((len(quotes) + self.inside) % 2)
        if self.base == 1:
            stops = np.flatnonzero((depths < 1) | ((kinds == _COMMA) & (depths == 1)))
            last = np.flatnonzero(depths < 1)
            if len(last):
                self.ended = True
                stops = stops[stops <= last[0]]
            ends = [(int(signs[stop]), int(signs[stop]) + 1) for stop in stops]
        else:
            ends = [(int(signs[stop]) + 1, int(signs[stop]) + 1) for stop in np.flatnonzero(closes & (depths == 0))]
        self.depth = int(depths[-1]) if len(depths) else self.depth
        yield from ends

    def _flush(self) -> Iterator[Chunk]:
        if self.texts:
            chunk = check_records(self.texts, self.line, self.encoding, self.limits)
            self.texts = []
            self.line += len(chunk.lines) + len(chunk.refused)
            yield chunk

    def _too_long(self, rest: bytes) -> Chunk:
        size, self.overlong = self.overlong + len(rest), 0
        return self._one(too_long(self.line, size, rest, self.limits))

    def _one(self, refusal: Refusal) -> Chunk:
        self.line += 1
        return refused_only(refusal)


def _text(token: bytes) -> str | None:
    try:
        return str(orjson.loads(token))
    except orjson.JSONDecodeError:
        return None
