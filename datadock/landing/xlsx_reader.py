"""The workbook reader (xlsx, and xls and ods by the same library): one sheet, every cell as text.

A formula counts by the value that the workbook kept for it; a cell merged over several rows holds
its value in each of them; dates are ISO text; a whole number has no decimals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, load_workbook

from datadock.catalog.model import Format
from datadock.landing.archives import inspect_zip, local_file
from datadock.landing.csv_dialect import column_names
from datadock.landing.limits import Limits
from datadock.landing.records import Chunk, Member, refuse, refused_only

_ROWS = 10_000


def read_xlsx(member: Member, declared: Format, limits: Limits) -> Iterator[Chunk]:
    """Read one sheet of a workbook.

    Args:
        member: The file.
        declared: Sheet (the first by default) and row of the column names.
        limits: Limits of the landing; they hold for the workbook's inner archive too.
    """
    with local_file(member) as path:
        try:
            inspect_zip(path, limits)
            with load_workbook(str(path)) as workbook:
                yield from _sheet(workbook, declared, limits)
        except PasswordError:
            yield refused_only(refuse(0, "encrypted_workbook", b"", found="a workbook with a password"))
        except (CalamineError, OSError, ValueError) as error:
            yield refused_only(refuse(0, "broken_workbook", b"", found=str(error)[:500], expected="a workbook"))


def _sheet(workbook: CalamineWorkbook, declared: Format, limits: Limits) -> Iterator[Chunk]:
    names = workbook.sheet_names
    wanted = declared.sheet or (names[0] if names else "")
    if wanted not in names:
        found = f"sheets {', '.join(names) or '(none)'}"
        yield refused_only(refuse(0, "missing_sheet", b"", found=found, expected=f"a sheet called {wanted!r}"))
        return
    sheet = workbook.get_sheet_by_name(wanted)
    rows = list(_rows(sheet))[declared.header_row - 1 :]
    if not any(any(row) for row in rows):
        yield refused_only(refuse(0, "empty_file", b"", found="no cell holds a value", expected="at least one record"))
        return
    header = column_names(rows[0])
    records = [row for row in rows[1:] if any(row)]
    if not records:
        yield refused_only(refuse(0, "header_only", b"", found="no record", expected="at least one record"))
    for first in range(0, len(records), _ROWS):
        yield _chunk(records[first : first + _ROWS], header, first + 1, limits)


def _chunk(records: list[list[str]], header: list[str], line: int, limits: Limits) -> Chunk:
    lines, kept, refused = [], [], []
    for number, record in enumerate(records, line):
        size = sum(len(value.encode()) for value in record)
        text = "\t".join(record).encode()
        if size > limits.max_record_bytes:
            expected = f"at most {limits.max_record_bytes} bytes"
            refused.append(refuse(number, "record_too_long", text, found=f"{size} bytes", expected=expected))
        elif b"\0" in text:
            refused.append(refuse(number, "nul_byte", text, found="a NUL character", expected="text"))
        else:
            lines.append(number)
            kept.append(record)
    columns = (
        [pa.array(column, pa.string()) for column in zip(*kept, strict=True)]
        if kept
        else [pa.array([], pa.string())] * len(header)
    )
    return Chunk(
        pa.array(lines, pa.int64()), columns=pa.table(columns, names=header), header=tuple(header), refused=refused
    )


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    """Give the sheet's rows from its very first one, merged cells filled downwards."""
    width = sheet.total_width
    merged = _merged(sheet)
    held: dict[int, tuple[int, str]] = {}
    for number, row in enumerate(sheet.to_python(skip_empty_area=False)):
        cells = [_text(value) for value in row] + [""] * (width - len(row))
        for column, (last, value) in list(held.items()):
            if number > last:
                del held[column]
            elif not cells[column]:
                cells[column] = value
        for column, last in merged.get(number, ()):
            held[column] = (last, cells[column])
        yield cells


def _merged(sheet: CalamineSheet) -> dict[int, list[tuple[int, int]]]:
    """Return, by first row, the columns merged over several rows with their last row."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    areas: Sequence[Any] = sheet.merged_cell_ranges or ()
    for (top, left), (bottom, _) in areas:
        if bottom > top:
            ranges.setdefault(top, []).append((left, bottom))
    return ranges


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
