"""The state store's tables. A change here comes with a script in ``migrations``."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cause", String(200), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("criticality", Integer, nullable=False),
    Column("title", String(500), nullable=False),
    Column("detail", Text, nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("status", String(20), nullable=False),
    Column("fingerprint", String(64)),
    Column("summary", Text),
    Index("runs_started_at", "started_at"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
)
