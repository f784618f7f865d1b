"""A lake of one's own, sources made of a few lines of YAML, and what stands in the tables afterwards."""

import json
from dataclasses import dataclass

import polars as pl
import pytest
import yaml

from datadock.catalog.model import Source
from datadock.lake import Lake
from datadock.landing import Limits, balance_of, land_bytes
from datadock.names import BATCHES, DOCUMENTS, QUARANTINE, raw_table


def make_source(format_type="csv", key="id", fields="{}", name="people", **format_options):
    """Return a source of contacts with one key and the given fields (YAML)."""
    return Source.model_validate(
        {
            "name": name,
            "description": "Test records.",
            "owner": "team@example.org",
            "format": {"type": format_type, **format_options},
            "entities": {"contact": {"key": key, "fields": yaml.safe_load(fields)}},
        }
    )


@dataclass
class Ground:
    """A lake and how to look into it."""

    lake: Lake

    def land(self, source, data, name="file", limits=None):
        data = data.encode() if isinstance(data, str) else data
        return land_bytes(self.lake, source, data, name, limits or Limits())

    def table(self, name):
        files = self.lake.files(name)
        return pl.read_parquet(files) if files else pl.DataFrame()

    def loaded(self, source):
        """Return (line, record) of the raw table, in order."""
        frame = self.table(raw_table(source.name))
        if frame.is_empty():
            return []
        return [(row[0], json.loads(row[1])) for row in frame.sort("_file", "_line").select("_line", "payload").rows()]

    def refused(self):
        """Return (line, reason, bytes) of the quarantine, in order."""
        frame = self.table(QUARANTINE)
        return frame.sort("_file", "_line").select("_line", "reason", "raw_bytes").rows() if len(frame) else []

    def reasons(self):
        frame = self.table(QUARANTINE)
        return [json.loads(text) for text in frame.sort("_file", "_line")["reasons"]] if len(frame) else []

    def batches(self):
        return self.table(BATCHES)

    def documents(self):
        return self.table(DOCUMENTS)

    def balanced(self, source):
        return balance_of(self.lake, source).holds


@pytest.fixture
def ground(tmp_path):
    return Ground(Lake(tmp_path / "lake"))


@pytest.fixture
def source():
    return make_source
