"""Writing records as the files that a company would send: whole or not at all, the same bytes every time.

Each writer gets columns of text, with a mark on lines to be broken (``feed.BROKEN``). Nothing here draws chance.
"""

from __future__ import annotations

import io
import shutil
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from datadock.demo.feed import BROKEN
from datadock.errors import DatadockError

ROWS_PER_SHEET = 500_000
MESSAGES_PER_ARCHIVE = 50_000
_EPOCH = (2025, 9, 30, 6, 0, 0)
_DOS_DATE = (_EPOCH[0] - 1980) << 9 | _EPOCH[1] << 5 | _EPOCH[2]
_DOS_TIME = _EPOCH[3] << 11
_SERIAL_1970 = 25_569
_STEP = 50_000


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Hand out a hidden name beside ``path`` and rename it at the end, so that no reader meets half a file.

    Raises:
        DatadockError: When the folder cannot be written or the disk is full; nothing is left behind.
    """
    hidden = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield hidden
            hidden.replace(path)
        finally:
            hidden.unlink(missing_ok=True)
    except OSError as error:
        raise DatadockError(
            f"{path} cannot be written: {error.strerror or error}",
            expected="a folder that takes files, on a disk with room",
            action="free some room or name another folder",
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write content whole."""
    with whole(path) as hidden:
        hidden.write_bytes(content)


def copy(path: Path, to: Path) -> None:
    """Copy a file, whole."""
    with whole(to) as hidden:
        shutil.copyfile(path, hidden)


def _lines(column: pl.Series) -> bytes:
    # One column without a header and without quotes is the lines themselves, put together in native code.
    buffer = io.BytesIO()
    column.to_frame().write_csv(buffer, include_header=False, quote_style="never", null_value="")
    return buffer.getvalue()


def write_csv(path: Path, frame: pl.DataFrame, delimiter: str, encoding: str) -> None:
    """Write a csv with quotes where needed and CRLF; a broken line has two fields too many."""
    names = [name for name in frame.columns if name != BROKEN]
    cells = [_quoted(name, delimiter) for name in names]
    row = pl.concat_str(cells, separator=delimiter)
    if BROKEN in frame.columns:
        surplus = pl.when(pl.col(BROKEN).fill_null(value=False)).then(pl.lit(f"{delimiter}en{delimiter}trop"))
        row = pl.concat_str(row, surplus.otherwise(pl.lit("")))
    header = delimiter.join(names) + "\r\n"
    body = _lines(frame.select(pl.concat_str(row, pl.lit("\r")).alias("line"))["line"])
    content = header.encode() + body
    if encoding != "utf-8":
        content = content.decode().encode(encoding, "replace")
    write_bytes(path, content)


def _quoted(name: str, delimiter: str) -> pl.Expr:
    value = pl.col(name).fill_null("")
    doubled = pl.concat_str(pl.lit('"'), value.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(value.str.contains(f'[{delimiter}"\\n]')).then(doubled).otherwise(value)


def write_jsonl(path: Path, frame: pl.DataFrame, line: str) -> None:
    """Write JSON lines; a broken one is cut off in its middle."""
    text = pl.col(line)
    if BROKEN in frame.columns:
        cut = text.str.slice(0, text.str.len_chars() // 2)
        text = pl.when(pl.col(BROKEN).fill_null(value=False)).then(cut).otherwise(text)
    write_bytes(path, _lines(frame.select(text.alias("line"))["line"]))


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write a parquet file."""
    with whole(path) as hidden:
        frame.write_parquet(hidden, compression="lz4", row_group_size=100_000)


def write_xml(path: Path, frame: pl.DataFrame, root: str, record: str) -> None:
    """Write one element per record with a child element per column; nulls are left out."""
    cells = [
        pl.concat_str(pl.lit(f"<{name}>"), _escaped(name), pl.lit(f"</{name}>")).fill_null("") for name in frame.columns
    ]
    body = frame.select(pl.concat_str(pl.lit(f"  <{record}>"), *cells, pl.lit(f"</{record}>")).alias("line"))["line"]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n'
    write_bytes(path, head.encode() + _lines(body) + f"</{root}>\n".encode())


def _escaped(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)


def write_messages(path: Path, frame: pl.DataFrame) -> None:
    """Write one e-mail a row into a zip archive: headers, labelled lines, a sentence."""
    labels = [name for name in frame.columns if name != "date"]
    lines = [pl.concat_str(pl.lit(f"{label}: "), pl.col(label), pl.lit("\r\n")).fill_null("") for label in labels]
    head = pl.concat_str(
        pl.lit("From: Centre d'appels <appels@maison-demo.fr>\r\nTo: crm@maison-demo.fr\r\nSubject: Note d'appel\r\n"),
        pl.lit("Date: "), "date", pl.lit("\r\n"),
        pl.lit("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"),
        pl.lit("Content-Transfer-Encoding: 8bit\r\n\r\n"),
    )  # fmt: skip
    tail = pl.lit("\r\nLe client rappellera dans la semaine si rien n'a bougé.\r\n")
    messages = frame.select(pl.concat_str(head, *lines, tail).alias("message"))["message"]
    write_bytes(path, stored_zip((f"note-{number:06d}.eml", text) for number, text in enumerate(messages, start=1)))


def stored_zip(members: Iterable[tuple[str, str]]) -> bytes:
    """Return a zip archive of texts, uncompressed; zipfile's own bookkeeping costs ten times as much per member."""
    entries, directory, offset, count = [], [], 0, 0
    for count, (name, text) in enumerate(members, start=1):  # noqa: B007  # used after the loop
        content, called = text.encode(), name.encode("ascii")
        common = struct.pack(
            "<HHHHHIIIHH",
            20,
            0,
            0,
            _DOS_TIME,
            _DOS_DATE,
            zlib.crc32(content),
            len(content),
            len(content),
            len(called),
            0,
        )
        entry = b"PK\x03\x04" + common + called + content
        directory.append(b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, offset) + called)
        entries.append(entry)
        offset += len(entry)
    size = sum(map(len, directory))
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, size, offset, 0)
    return b"".join([*entries, *directory, end])


def write_sqlite(path: Path, frame: pl.DataFrame, table: str) -> None:
    """Write a SQLite database of one table of text columns."""
    with whole(path) as hidden:
        hidden.unlink(missing_ok=True)
        connection = sqlite3.connect(hidden)
        try:
            columns = ", ".join(f"{name} text" for name in frame.columns)
            # Nobody sees the file before it is whole: no journal is needed.
            connection.execute("pragma journal_mode = off")
            connection.execute("pragma synchronous = off")
            connection.execute(f"create table {table} ({columns})")
            marks = ", ".join("?" * len(frame.columns))
            connection.executemany(f"insert into {table} values ({marks})", frame.rows())
            connection.commit()
        finally:
            connection.close()


def write_xlsx(path: Path, frame: pl.DataFrame, sheet: str, dates: str) -> None:
    """Write a workbook of one sheet: text cells, and the column ``dates`` (days since 1970) as true date cells."""
    with whole(path) as hidden, zipfile.ZipFile(hidden, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(_entry(name), content.replace("{sheet}", sheet))
        with archive.open(_entry("xl/worksheets/sheet1.xml"), "w", force_zip64=True) as part:
            part.write(_SHEET_HEAD)
            header = "".join(
                f'<c r="{_letter(place)}1" t="str"><v>{name}</v></c>' for place, name in enumerate(frame.columns)
            )
            part.write(f'<row r="1">{header}</row>'.encode())
            for start in range(0, len(frame), _STEP):
                part.write(_rows(frame[start : start + _STEP], start + 2, dates))
            part.write(b"</sheetData></worksheet>")


def _rows(frame: pl.DataFrame, first: int, dates: str) -> bytes:
    number = pl.int_range(first, first + pl.len()).cast(pl.String)
    cells = []
    for place, name in enumerate(frame.columns):
        start = pl.concat_str(pl.lit(f'<c r="{_letter(place)}'), "row")
        if name == dates:
            serial = (pl.col(name).cast(pl.Int32) + _SERIAL_1970).cast(pl.String)
            cell = pl.concat_str(start, pl.lit('" s="1"><v>'), serial, pl.lit("</v></c>"))
        else:
            cell = pl.concat_str(start, pl.lit('" t="str"><v>'), _escaped(name), pl.lit("</v></c>"))
        cells.append(cell.fill_null(""))
    row = pl.concat_str(pl.lit('<row r="'), "row", pl.lit('">'), *cells, pl.lit("</row>"))
    return _lines(frame.with_columns(row=number).select(row.alias("line"))["line"])


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_HEAD = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
_PARTS = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
    ),
}
