"""From bytes to UTF-8: what encoding a file is in, and its bytes as blocks of UTF-8.

A byte that the encoding does not know is never replaced: it becomes a mark that is invalid UTF-8,
so that the one record that holds it is refused, with its original bytes, and its neighbours load.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from datadock.landing.records import BrokenStreamError

_SAMPLE = 1 << 18
_SAMPLES = 8
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]+")
_SINGLE_BYTE = ("cp1252", "cp850", "mac_roman", "cp1250", "cp1251", "cp1253", "iso8859_15")
_COMMON = frozenset("éèêëàâäîïôöùûüçœæÉÈÊËÀÂÄÎÏÔÖÙÛÜÇŒÆñÑáíóúìòßåøÅØ€°«»’“”–…·§²³ºª\xa0")
_MARK = "datadock_mark"


@dataclass(frozen=True)
class Encoding:
    """The encoding of one file.

    Attributes:
        name: Python's name of the codec.
        bom: Length of the byte-order mark to skip.
        old_mac: Whether lines end in a carriage return alone.
    """

    name: str
    bom: int = 0
    old_mac: bool = False


def _mark(error: UnicodeError) -> tuple[str | bytes, int]:
    """Give unknown bytes as lone surrogates, and lone surrogates back as the bytes they stand for."""
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        marks = error.object[error.start : error.end]
        if all(0xDC00 <= ord(mark) <= 0xDCFF for mark in marks):
            return bytes(ord(mark) - 0xDC00 for mark in marks), error.end
    raise error


codecs.register_error(_MARK, _mark)


def sniff_encoding(stream: BufferedIOBase, stated: str | None) -> Encoding:
    """Tell a file's encoding; a byte-order mark wins over what the declaration states.

    Reads on while the bytes are plain ASCII, because the first accent may stand far below.
    """
    head = _sample(stream)
    old_mac = b"\r" in head and b"\n" not in head
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Encoding(name, len(bom), _old_mac(head, name))
    if stated is not None:
        name = codecs.lookup(stated).name
        return Encoding(name, 0, _old_mac(head, name))
    wide = _wide(head)
    if wide is not None:
        return Encoding(wide, 0, _old_mac(head, wide))
    samples: list[bytes] = []
    block = head
    while block and len(samples) < _SAMPLES:
        if not block.isascii():
            samples.append(block)
        block = _sample(stream)
    return Encoding(_of_samples(samples), 0, old_mac)


def _sample(stream: BufferedIOBase) -> bytes:
    """Read some bytes; a stream that breaks here will say so to its reader."""
    try:
        return stream.read(_SAMPLE)
    except BrokenStreamError:
        return b""


def _old_mac(head: bytes, name: str) -> bool:
    text = head.decode(name, "replace")
    return "\r" in text and "\n" not in text


def _wide(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark by the zero bytes of its Latin letters."""
    if len(head) < 4 or b"\0" not in head:
        return None
    pairs = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.6 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if even > 0.6 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return None


def _of_samples(samples: list[bytes]) -> str:
    """Choose by the bytes that are not ASCII: UTF-8 where most of them form its sequences."""
    high = b"\n".join(match.group() for sample in samples for match in _HIGH.finditer(sample))
    if not high:
        return "utf-8"
    total = len(high) - high.count(b"\n")
    in_sequences = sum(len(match.group()) for match in _MULTIBYTE.finditer(high))
    if in_sequences * 2 >= total:
        return "utf-8"
    return max(_SINGLE_BYTE, key=lambda name: _likeness(high, name))


def _likeness(high: bytes, name: str) -> float:
    """Rate a decoding by its share of characters that West European texts use; letters count a little."""
    text = high.decode(name, "replace")
    return sum(1.0 if char in _COMMON else 0.3 if char.isalpha() else 0.0 for char in text) / len(text)


def utf8_blocks(stream: BufferedIOBase, encoding: Encoding, size: int) -> Iterator[bytes]:
    """Give a stream's text as blocks of UTF-8, unknown bytes as marks that are invalid UTF-8.

    Raises:
        BrokenStreamError: Where the stream breaks; what stands before is given first.
    """
    if encoding.bom:
        stream.read(encoding.bom)
    plain = encoding.name in ("utf-8", "ascii")
    decoder = None if plain else codecs.getincrementaldecoder(encoding.name)(_MARK)
    broken: BrokenStreamError | None = None
    block = b""
    while broken is None:
        block, broken = _block(stream, size)
        ended = not block and broken is None
        if decoder is not None:
            block = decoder.decode(block, ended).encode("utf-8", "surrogatepass")
        if encoding.old_mac:
            block = block.replace(b"\r", b"\n")
        if block:
            yield block
        if ended:
            return
    raise broken


def _block(stream: BufferedIOBase, size: int) -> tuple[bytes, BrokenStreamError | None]:
    """Read about ``size`` bytes; fewer at the end, or where the stream breaks."""
    pieces: list[bytes] = []
    missing = size
    try:
        while missing > 0 and (piece := stream.read1(missing)):
            pieces.append(piece)
            missing -= len(piece)
    except BrokenStreamError as error:
        return b"".join(pieces), error
    return b"".join(pieces) if len(pieces) != 1 else pieces[0], None


def original_bytes(text: bytes, encoding: Encoding) -> bytes:
    """Give back the bytes as received that ``utf8_blocks`` made this text of."""
    if encoding.name in ("utf-8", "ascii"):
        return text
    return text.decode("utf-8", "surrogatepass").encode(encoding.name, _MARK)
