"""The careful csv parser: for the blocks that the fast one cannot vouch for.

A record that breaks the grammar costs its first physical line only: reading goes on at the next
line, so that the good rows behind a stray quote still load.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from datadock.landing.csv_dialect import Dialect
from datadock.landing.records import Refusal, refuse


class _UnfinishedError(Exception):
    """The text ends inside the record."""


class _StrayQuoteError(Exception):
    """A quote stands where none may."""


@dataclass
class Parsed:
    """What was read of one block.

    Attributes:
        rows: Fields of each record.
        lines: Position of each record.
        refused: Records refused.
        used: Bytes that were consumed; the rest belongs to a record that goes on in the next block.
    """

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    used: int = 0


@dataclass(frozen=True)
class Tolerant:
    """Parses blocks of UTF-8 text, record by record.

    Attributes:
        dialect: Delimiter and quote.
        width: Number of fields that a record must have; 0 for any.
        max_record_bytes: A longer record is refused.
        restore: Gives the bytes as received for a piece of text.
    """

    dialect: Dialect
    width: int
    max_record_bytes: int
    restore: Callable[[bytes], bytes]

    def parse(self, text: bytes, line: int, *, final: bool, most: int | None = None) -> Parsed:
        """Read the records of a block.

        Args:
            text: UTF-8 (with marks), beginning at a record.
            line: Position of the first record.
            final: Whether nothing follows the text.
            most: Stop after this many records.
        """
        parsed = Parsed()
        while parsed.used < len(text) and (most is None or len(parsed.rows) < most):
            start = parsed.used
            line_end = text.find(b"\n", start)
            if line_end < 0:
                if not final:
                    break
                line_end = len(text)
            first = text[start:line_end].removesuffix(b"\r")
            if not first:
                parsed.used = line_end + 1
                continue
            end = self._one(text, start, line_end, first, line, final, parsed)
            if end is None:
                break
            parsed.used = end
            line += 1
        parsed.used = min(parsed.used, len(text))
        return parsed

    def _one(
        self, text: bytes, start: int, line_end: int, first: bytes, line: int, final: bool, parsed: Parsed
    ) -> int | None:
        """Read one record; return where the next begins, None where the text ends inside it."""
        end = line_end + 1
        try:
            if self.dialect.quote in first:
                fields, end = self._quoted(text, start, final)
            else:
                fields = first.split(self.dialect.delimiter)
        except _UnfinishedError:
            return None
        except _StrayQuoteError:
            parsed.refused.append(self._stray(first, line))
            return line_end + 1
        if end > line_end + 1 and self.width and len(fields) != self.width:
            parsed.refused.append(self._stray(first, line))
            return line_end + 1
        record = text[start:end].removesuffix(b"\n").removesuffix(b"\r")
        refusal = self._fault(record, fields, line)
        if refusal is None:
            parsed.rows.append([value.decode() for value in fields])
            parsed.lines.append(line)
        else:
            parsed.refused.append(refusal)
        return end

    def _quoted(self, text: bytes, start: int, final: bool) -> tuple[list[bytes], int]:
        """Split a record that holds quotes; return its fields and where the next record begins."""
        quote, delimiter = self.dialect.quote, self.dialect.delimiter
        fields: list[bytes] = []
        place = start
        while True:
            if text.startswith(quote, place):
                close = self._closing(text, start, place + len(quote), final)
                value = text[place + len(quote) : close].replace(quote + quote, quote)
                after = close + len(quote)
            else:
                after = _first_of(text, place, delimiter)
                value = text[place:after]
                if not text.startswith(delimiter, after):
                    value = value.removesuffix(b"\r")
            fields.append(value)
            if text.startswith(delimiter, after):
                place = after + len(delimiter)
                continue
            return fields, self._record_end(text, after, final)

    def _closing(self, text: bytes, start: int, place: int, final: bool) -> int:
        """Find the quote that closes a field; a doubled one belongs to the value."""
        quote = self.dialect.quote
        while True:
            close = text.find(quote, place)
            if close - start > self.max_record_bytes or (close < 0 and final):
                raise _StrayQuoteError
            if close < 0 or (not final and close + 2 * len(quote) > len(text)):
                raise _StrayQuoteError if len(text) - start > self.max_record_bytes else _UnfinishedError
            if not text.startswith(quote, close + len(quote)):
                return close
            place = close + 2 * len(quote)

    def _record_end(self, text: bytes, after: int, final: bool) -> int:
        for ending in (b"\n", b"\r\n"):
            if text.startswith(ending, after):
                return after + len(ending)
        rest = text[after : after + 2]
        if rest in (b"", b"\r"):
            if final:
                return len(text)
            raise _UnfinishedError
        raise _StrayQuoteError

    def _stray(self, first: bytes, line: int) -> Refusal:
        quote = self.dialect.quote.decode()
        return refuse(
            line,
            "unbalanced_quote",
            self.restore(first),
            found=f"a {quote} that opens or closes no field of {self.width or 'any number of'} columns",
            expected=f"a value with {quote} inside is quoted and the {quote} in it doubled",
        )

    def _fault(self, record: bytes, fields: list[bytes], line: int) -> Refusal | None:
        raw = record
        if len(record) > self.max_record_bytes:
            return refuse(
                line, "record_too_long", raw, found=f"{len(record)} bytes", expected=f"at most {self.max_record_bytes}"
            )
        try:
            record.decode()
        except UnicodeDecodeError as error:
            raw = self.restore(record)
            return refuse(line, "undecodable", raw, found=f"a byte sequence that is no text: {error.reason}")
        if b"\0" in record:
            return refuse(line, "nul_byte", self.restore(raw), found="a NUL byte", expected="text")
        if self.width and len(fields) != self.width:
            return refuse(
                line, "ragged_row", self.restore(raw), found=f"{len(fields)} columns", expected=f"{self.width} columns"
            )
        return None


def _first_of(text: bytes, place: int, delimiter: bytes) -> int:
    """Find the end of an unquoted value."""
    line_end = text.find(b"\n", place)
    line_end = len(text) if line_end < 0 else line_end
    found = text.find(delimiter, place, line_end)
    return line_end if found < 0 else found
