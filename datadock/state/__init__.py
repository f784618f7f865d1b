"""The state store: alerts, runs and cursors in SQLite or PostgreSQL, through SQLAlchemy.

Small mutable facts about the dock's own work. Nothing about customers belongs here: that is
the lake's. The schema moves by the Alembic scripts in ``migrations``.
"""

from datadock.state.store import Alert, RunRecord, StateStore

__all__ = ["Alert", "RunRecord", "StateStore"]
