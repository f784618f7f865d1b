"""Archives: gz and zip are opened into their members, within limits that every refusal states.

A member that breaks, lies about its size or expands beyond the limits is refused by itself; what
was read before the fault stays read.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from datadock.landing.limits import Limits
from datadock.landing.records import BrokenStreamError, Member, Reason

_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_OFFICE = {"[Content_Types].xml", "mimetype"}
_MAX_NESTING = 3
_GRACE = 1 << 20
"""Bytes that any member may unpack to, whatever its ratio."""
_ERRORS = (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, OSError, NotImplementedError, RuntimeError)


@dataclass
class Budget:
    """What the members of one landed file may still unpack to, together."""

    limits: Limits
    spent: int = 0


class _Guarded(io.RawIOBase):
    """A stream of unpacked bytes that stops at the limits and names what is wrong with the archive."""

    def __init__(self, stream: io.BufferedIOBase, packed: int, budget: Budget) -> None:
        self._stream = stream
        self._allowed = max(_GRACE, packed * budget.limits.max_archive_ratio)
        self._packed = packed
        self._budget = budget
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # RawIOBase takes any buffer
        try:
            data = self._stream.read1(len(buffer))
        except _ERRORS as error:
            raise BrokenStreamError(_broken(error)) from error
        self._given += len(data)
        limits = self._budget.limits
        if self._given > self._allowed:
            ratio = limits.max_archive_ratio
            found = f"more than {ratio} bytes for each of its {self._packed} packed bytes"
            raise BrokenStreamError(Reason("archive_too_large", "", found, f"a ratio of at most {ratio}"))
        if self._budget.spent + self._given > limits.max_archive_bytes:
            most = f"at most {limits.max_archive_bytes} unpacked bytes"
            raise BrokenStreamError(Reason("archive_too_large", "", "more unpacked bytes than allowed", most))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._budget.spent = max(self._budget.spent, self._given)
            self._stream.close()
        super().close()


def _broken(error: Exception) -> Reason:
    return Reason("broken_archive", "", f"{type(error).__name__}: {error}"[:500], "an archive that unpacks to its end")


def members(member: Member, budget: Budget, *, whole: bool, nesting: int = 0) -> Iterator[Member | tuple[str, Reason]]:
    """Give the files inside a landed file: itself, or what its gz and zip layers hold.

    Args:
        member: The landed file.
        budget: What may be unpacked.
        whole: Whether a zip that is an office document (xlsx, ods, docx) is a file by itself.
        nesting: Layers opened so far.

    Yields:
        Members to read; for one that cannot be opened its name and the reason.
    """
    try:
        with member.open() as stream:
            head = stream.read(4)
    except BrokenStreamError as broken:
        yield member.name, broken.reason
        return
    if not head:
        yield member.name, Reason("empty_file", "", "no byte", "at least one record")
    elif not head.startswith((_GZIP, *_ZIP)):
        yield member
    elif nesting >= _MAX_NESTING:
        found = f"an archive in {nesting} archives"
        yield member.name, Reason("archive_too_deep", "", found, f"at most {_MAX_NESTING} layers")
    elif head.startswith(_GZIP):
        yield from members(_unpacked(member, budget), budget, whole=whole, nesting=nesting + 1)
    else:
        try:
            yield from _zip_members(member, budget, whole=whole, nesting=nesting)
        except BrokenStreamError as broken:
            yield member.name, broken.reason


def _unpacked(member: Member, budget: Budget) -> Member:
    def open_it() -> io.BufferedIOBase:
        packed = member.open()
        size = member.size if member.size >= 0 else budget.limits.max_archive_bytes
        unpacked = gzip.GzipFile(fileobj=packed, mode="rb")
        return io.BufferedReader(_Guarded(unpacked, size, budget), 1 << 16)

    return Member(member.name, open_it)


def _zip_members(member: Member, budget: Budget, *, whole: bool, nesting: int) -> Iterator[Member | tuple[str, Reason]]:
    with local_file(member) as path:
        try:
            archive = zipfile.ZipFile(path)
        except _ERRORS as error:
            yield member.name, _broken(error)
            return
        with archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if whole and _OFFICE & {info.filename for info in infos}:
                yield member
                return
            reason = _too_much(infos, budget)
            if reason is not None or not infos:
                yield member.name, reason or Reason("empty_file", "", "an archive without files", "at least one file")
                return
            for info in infos:
                if not _is_noise(info.filename):
                    inner = _zip_member(archive, info, f"{member.name}!{info.filename}", budget)
                    yield from members(inner, budget, whole=whole, nesting=nesting + 1)
                    budget.spent += info.file_size


def _is_noise(name: str) -> bool:
    """Tell whether a member is what an operating system left: no record was meant."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in (".DS_Store", "Thumbs.db")


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, budget: Budget) -> Member:
    def open_it() -> io.BufferedIOBase:
        try:
            stream = archive.open(info)
        except _ERRORS as error:
            raise BrokenStreamError(_broken(error)) from error
        return io.BufferedReader(_Guarded(cast(io.BufferedIOBase, stream), info.compress_size, budget), 1 << 16)

    return Member(name, open_it, info.file_size)


def _too_much(infos: list[zipfile.ZipInfo], budget: Budget) -> Reason | None:
    """Judge an archive by its own table of contents, before anything is unpacked."""
    limits = budget.limits
    if len(infos) > limits.max_archive_members:
        return Reason("archive_too_large", "", f"{len(infos)} members", f"at most {limits.max_archive_members}")
    total = sum(info.file_size for info in infos)
    if budget.spent + total > limits.max_archive_bytes:
        return Reason(
            "archive_too_large", "", f"{total} unpacked bytes", f"at most {limits.max_archive_bytes} unpacked bytes"
        )
    return None


def inspect_zip(path: Path, limits: Limits) -> None:
    """Check a zip that a library will unpack by itself (a workbook) against the limits.

    Raises:
        BrokenStreamError: When it would unpack to more.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except _ERRORS as error:
        raise BrokenStreamError(_broken(error)) from error
    reason = _too_much(infos, Budget(limits))
    for info in infos:
        if info.file_size > max(_GRACE, info.compress_size * limits.max_archive_ratio):
            found = f"{info.filename} of {info.compress_size} bytes unpacks to {info.file_size}"
            reason = Reason("archive_too_large", "", found, f"a ratio of at most {limits.max_archive_ratio}")
    if reason is not None:
        raise BrokenStreamError(reason)


@contextmanager
def local_file(member: Member) -> Iterator[Path]:
    """Give a member's bytes as a file, for readers that need random access.

    Raises:
        BrokenStreamError: When the member cannot be unpacked.
    """
    if member.path is not None:
        yield member.path
        return
    with tempfile.NamedTemporaryFile(prefix="datadock-") as copy, member.open() as stream:
        shutil.copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        yield Path(copy.name)
