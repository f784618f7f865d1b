"""Documents (pdf, images, any other file): kept as bytes, described by one record of metadata."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import struct
from collections.abc import Iterator
from typing import Any

from datadock.landing.limits import Limits
from datadock.landing.records import Chunk, Member, json_chunks, refuse, refused_only

_PDF_TITLE = re.compile(rb"/Title\s*\(((?:[^()\\]|\\.){0,500})\)")
_PDF_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"BM", "image/bmp"),
)
_CHUNK = 1 << 20
_OVERLAP = 1 << 10


def read_document(member: Member, limits: Limits) -> Iterator[Chunk]:
    """Describe one document.

    Args:
        member: The file.
        limits: Limits of the landing.
    """
    record = describe(member, limits)
    if record["bytes"] == "0":
        yield refused_only(refuse(0, "empty_file", b"", found="no byte", expected="a document"))
    else:
        yield from json_chunks([record])


def describe(member: Member, limits: Limits) -> dict[str, Any]:
    """Return name, media type, size, digest and, where its format tells them, title, pages, width and height."""
    digest, size, pages, title, head, tail = hashlib.sha256(), 0, 0, "", b"", b""
    with member.open() as stream:
        while block := stream.read(min(_CHUNK, limits.block_bytes)):
            head = head or block
            digest.update(block)
            size += len(block)
            if head.startswith(b"%PDF-"):
                window = tail + block
                pages += len(_PDF_PAGE.findall(window)) - len(_PDF_PAGE.findall(tail))
                found = _PDF_TITLE.search(window)
                title = title or (_pdf_text(found.group(1)) if found else "")
                tail = window[-_OVERLAP:]
    record: dict[str, Any] = {
        "name": member.name.rsplit("!", 1)[-1],
        "media_type": media_type(member.name, head),
        "bytes": str(size),
        "sha256": digest.hexdigest(),
    }
    if record["media_type"] == "application/pdf":
        record |= {"title": title, "pages": str(pages)}
    record |= {name: str(value) for name, value in zip(("width", "height"), _image_size(head), strict=False)}
    return record


def media_type(name: str, head: bytes) -> str:
    """Tell a document's media type by its first bytes, else by its name."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _pdf_text(raw: bytes) -> str:
    raw = re.sub(rb"\\([()\\])", rb"\1", raw)
    text = raw[2:].decode("utf-16-be", "ignore") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")
    return text.replace("\0", "").strip()


def _image_size(head: bytes) -> tuple[int, ...]:
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return struct.unpack(">II", head[16:24])
    if head.startswith(b"GIF8") and len(head) >= 10:
        return struct.unpack("<HH", head[6:10])
    if head.startswith(b"\xff\xd8"):
        return _jpeg_size(head)
    return ()


def _jpeg_size(head: bytes) -> tuple[int, ...]:
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker, length = head[place + 1], int.from_bytes(head[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return ()
