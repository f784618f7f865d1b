"""What a delivery of the demo company holds: files, records, planted faults; for people and for tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl


@dataclass(frozen=True)
class DemoSummary:
    """One written delivery.

    Attributes:
        people: People in the world of the first delivery.
        seed: Seed of the world.
        delivery: Number of the delivery.
        files: Written files by source, in the order of their names' arrival.
        records: Rows in the files of each source, bad ones included, late and repeated files not.
        bad: Rows among them that must end in quarantine.
        late: Rows in the late file of each source that has one.
        contacts: Distinct people and companies seen by the feeds.
        contact_records: Source records that are contacts (distinct keys).
        planted: Planted duplicate rates within and between sources, see ``evaluation.duplicate_rates``.
        truth: Folder of this delivery's truth.
    """

    people: int
    seed: int
    delivery: int
    files: dict[str, list[Path]]
    records: dict[str, int]
    bad: dict[str, int]
    late: dict[str, int]
    contacts: int
    contact_records: int
    planted: pl.DataFrame
    truth: Path

    @property
    def total(self) -> int:
        """Rows in all files but the late and repeated ones."""
        return sum(self.records.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain values, without paths."""
        return {
            "people": self.people,
            "seed": self.seed,
            "delivery": self.delivery,
            "records": self.records,
            "bad": self.bad,
            "late": self.late,
            "contacts": self.contacts,
            "contact_records": self.contact_records,
            "total": self.total,
        }

    def __str__(self) -> str:
        """Write a table that a person can read."""
        lines = [f"{'source':<20}{'files':>6}{'records':>12}{'bad':>8}{'late':>8}{'twice inside':>14}"]
        inside = dict(
            self.planted.filter(pl.col("left_source") == pl.col("right_source"))
            .select("left_source", "rate")
            .iter_rows()
        )
        for source, count in sorted(self.records.items()):
            rate = f"{inside[source]:.2%}" if source in inside else ""
            lines.append(
                f"{source:<20}{len(self.files.get(source, [])):>6}{count:>12,}{self.bad.get(source, 0):>8,}"
                f"{self.late.get(source, 0):>8,}{rate:>14}"
            )
        lines.append(f"{self.total:,} records of {self.contacts:,} people and companies; truth in {self.truth}")
        return "\n".join(lines)
