"""What is written out for a person, and refused in words."""

import polars as pl
import pytest

from datadock.errors import DatadockError
from datadock.treatments.files import read_rows, write_frame

ROWS = pl.DataFrame(
    {"id": ["a"], "codes": [["X", "Y"]], "evidence": [[{"rule": "r", "after": "LYON"}, {"rule": "s", "after": None}]]}
)


def test_csv_holds_lists_and_evidence_as_text(tmp_path):
    write_frame(ROWS, tmp_path / "out.csv")
    written = read_rows(tmp_path / "out.csv", ["id"]).frame.row(0)
    assert written == (1, "a", "X|Y", '{"rule":"r","after":"LYON"}|{"rule":"s","after":null}')


def test_parquet_holds_them_as_they_are(tmp_path):
    write_frame(ROWS, tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").equals(ROWS)


def test_another_ending_or_a_missing_folder_is_refused(tmp_path):
    for place in (tmp_path / "out.xlsx", tmp_path / "nowhere" / "out.csv"):
        with pytest.raises(DatadockError, match="cannot be written"):
            write_frame(ROWS, place)
    (tmp_path / "set.pdf").touch()
    with pytest.raises(DatadockError, match=r"set\.pdf is of another kind"):
        read_rows(tmp_path / "set.pdf", [])
