"""JSON records: one object a line. The payload is the line as received, numbers to the letter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import orjson
import pyarrow as pa

from datadock.catalog.model import Format
from datadock.landing.encodings import Encoding, original_bytes, sniff_encoding, utf8_blocks
from datadock.landing.limits import KEPT_BYTES, MAX_DEPTH, Limits
from datadock.landing.records import BrokenStreamError, Chunk, Member, Refusal, refuse, refused_only

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


def read_json_lines(member: Member, declared: Format, limits: Limits) -> Iterator[Chunk]:
    """Read a file of JSON objects, one a line; blank lines are no records.

    Args:
        member: The file.
        declared: What the declaration says of the format.
        limits: Limits of the landing.
    """
    with member.open() as stream:
        encoding = sniff_encoding(stream, declared.encoding)
    yield Chunk(pa.array([], pa.int64()), encoding=encoding.name)
    with member.open() as stream:
        line = 1
        for chunk in _chunks(utf8_blocks(stream, encoding, limits.block_bytes), encoding, limits):
            line += len(chunk.lines) + len(chunk.refused)
            yield chunk
    if line == 1:
        yield refused_only(refuse(0, "empty_file", b"", found="no record", expected="at least one record"))


def _chunks(blocks: Iterator[bytes], encoding: Encoding, limits: Limits) -> Iterator[Chunk]:
    pending, head, overlong, line = b"", b"", 0, 1
    try:
        for block in blocks:
            if overlong:
                end = block.find(b"\n")
                overlong += len(block) if end < 0 else end
                if end < 0:
                    continue
                yield refused_only(too_long(line, overlong, head, limits))
                overlong, line, block = 0, line + 1, block[end + 1 :]  # the rest of the block
            pending += block
            end = pending.rfind(b"\n") + 1
            chunk = check_records(pending[:end].split(b"\n"), line, encoding, limits)
            pending, line = pending[end:], line + len(chunk.lines) + len(chunk.refused)
            yield chunk
            if len(pending) > limits.max_record_bytes:
                overlong, head, pending = len(pending), pending[:KEPT_BYTES], b""
    except BrokenStreamError as broken:
        yield refused_only(Refusal(line, (broken.reason,), pending[:KEPT_BYTES]))
        return
    if overlong:
        yield refused_only(too_long(line, overlong, head, limits))
    else:
        yield check_records([pending], line, encoding, limits)


def too_long(line: int, size: int, head: bytes, limits: Limits) -> Refusal:
    """Refuse a record for its length."""
    return refuse(
        line, "record_too_long", head, found=f"{size} bytes", expected=f"at most {limits.max_record_bytes} bytes"
    )


def check_records(texts: Iterable[bytes], line: int, encoding: Encoding, limits: Limits) -> Chunk:
    """Sort JSON texts into objects, which load as they are, and refused records; blank texts are skipped."""
    lines: list[int] = []
    payloads: list[bytes] = []
    refused: list[Refusal] = []
    for text in texts:
        if not text or text.isspace():
            continue
        refusal = json_fault(text, line, limits)
        if refusal is None:
            lines.append(line)
            payloads.append(text)
        else:
            raw = _restored(refusal.raw, encoding)
            refused.append(Refusal(refusal.line, refusal.reasons, raw))
        line += 1
    payload = pa.array(payloads, pa.binary()).cast(pa.string())
    return Chunk(pa.array(lines, pa.int64()), payload=payload, refused=refused)


def json_fault(text: bytes, line: int, limits: Limits) -> Refusal | None:
    """Tell what keeps a text from being a JSON record, if anything does."""
    if len(text) > limits.max_record_bytes:
        return too_long(line, len(text), text, limits)
    if b"\\u0000" in text and _NUL.search(text):
        return refuse(line, "nul_byte", text, found="a NUL character", expected="text")
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        return refuse(
            line, "nested_too_deep", text, found=f"more than {MAX_DEPTH} levels", expected=f"at most {MAX_DEPTH} levels"
        )
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return refuse(line, *_json_code(text), found=str(error), expected="one JSON object")
    if not isinstance(record, dict):
        return refuse(line, "not_an_object", text, found=f"a JSON {_kind(record)}", expected="one JSON object")
    return None


def _json_code(text: bytes) -> tuple[str, bytes]:
    try:
        text.decode()
    except UnicodeDecodeError:
        return "undecodable", text
    return ("nul_byte" if b"\0" in text else "malformed_json"), text


def _kind(value: object) -> str:
    names = {list: "list", str: "string", int: "number", float: "number", bool: "boolean"}
    return names.get(type(value), "null")


def _depth(text: bytes) -> int:
    """Count the levels of nesting, texts aside."""
    deepest = depth = 0
    for token in _STRUCTURE.finditer(text):
        sign = token.group()
        if sign in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif sign in (b"}", b"]"):
            depth -= 1
    return deepest


def _restored(text: bytes, encoding: Encoding) -> bytes:
    try:
        return original_bytes(text, encoding)
    except UnicodeError:
        return text
