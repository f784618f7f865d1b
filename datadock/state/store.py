"""Reading and writing the state store. Every write is one transaction and may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import IntegrityError

from datadock.state.tables import alerts, cursors, metadata, runs

_LATEST = "alerts_runs_cursors"


@dataclass(frozen=True)
class Alert:
    """Something a person should know of.

    Attributes:
        cause: What raised it, as a stable key; one alert per cause.
        kind: ``information``, ``anomaly`` or ``task``.
        criticality: 1 (look when you can) to 5 (now).
        title: One line.
        detail: The rest.
    """

    cause: str
    kind: str
    criticality: int
    title: str
    detail: str = ""


@dataclass(frozen=True)
class RunRecord:
    """One run of the whole platform: when, how it ended, what its inputs were, what it found."""

    run_id: str
    started_at: datetime
    ended_at: datetime | None
    status: str
    fingerprint: str | None
    summary: str | None


class StateStore:
    """The dock's own small facts.

    Args:
        url: SQLAlchemy URL. The schema is created or moved to its latest version on first use.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine, connected and migrated."""
        if self._engine is None:
            database = make_url(self.url).database
            if self.url.startswith("sqlite") and database:
                Path(database).parent.mkdir(parents=True, exist_ok=True)
            engine = sa.create_engine(self.url)
            self._migrate(engine)
            self._engine = engine
        return self._engine

    def _migrate(self, engine: Engine) -> None:
        with engine.begin() as connection:
            if _current(connection) == _LATEST:
                return
            from alembic import command  # slow to import, and needed once a deployment
            from alembic.config import Config

            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def raise_alert(self, alert: Alert) -> bool:
        """Raise an alert, once per cause; return whether it is new."""
        try:
            with self.engine.begin() as connection:
                connection.execute(alerts.insert().values(**vars(alert), raised_at=datetime.now(UTC)))
        except IntegrityError:
            return False
        return True

    def open_alerts(self) -> list[Alert]:
        """Return alerts that nobody has closed, most critical first, then oldest."""
        query = (
            sa.select(alerts.c.cause, alerts.c.kind, alerts.c.criticality, alerts.c.title, alerts.c.detail)
            .where(alerts.c.closed_at.is_(None))
            .order_by(alerts.c.criticality.desc(), alerts.c.raised_at)
        )
        with self.engine.connect() as connection:
            return [Alert(**row) for row in connection.execute(query).mappings()]

    def close_alert(self, cause: str) -> None:
        """Close the alert of a cause, if it is open."""
        with self.engine.begin() as connection:
            connection.execute(
                alerts.update()
                .where(alerts.c.cause == cause, alerts.c.closed_at.is_(None))
                .values(closed_at=datetime.now(UTC))
            )

    def close_alerts(self, prefix: str) -> None:
        """Close every open alert whose cause begins with a prefix."""
        with self.engine.begin() as connection:
            connection.execute(
                alerts.update()
                .where(alerts.c.cause.startswith(prefix, autoescape=True), alerts.c.closed_at.is_(None))
                .values(closed_at=datetime.now(UTC))
            )

    def start_run(self, run_id: str) -> datetime:
        """Record that a run has started; return the time it was first recorded."""
        now = datetime.now(UTC)
        with self.engine.begin() as connection:
            known = connection.execute(sa.select(runs.c.started_at).where(runs.c.run_id == run_id)).scalar()
            if known is not None:
                return _utc(known)
            connection.execute(runs.insert().values(run_id=run_id, started_at=now, status="started"))
        return now

    def end_run(self, run_id: str, status: str, fingerprint: str | None = None, summary: str | None = None) -> None:
        """Record how a run ended: ``success`` (with the fingerprint of its inputs) or ``failure``."""
        with self.engine.begin() as connection:
            connection.execute(
                runs.update()
                .where(runs.c.run_id == run_id)
                .values(ended_at=datetime.now(UTC), status=status, fingerprint=fingerprint, summary=summary)
            )

    def last_run(self, status: str | None = None) -> RunRecord | None:
        """Return the latest run, or the latest with a status."""
        query = sa.select(runs).order_by(runs.c.started_at.desc()).limit(1)
        if status:
            query = query.where(runs.c.status == status)
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _record(row)

    def runs_beginning(self, prefix: str) -> list[RunRecord]:
        """Return the runs whose id begins so, oldest first."""
        query = sa.select(runs).where(runs.c.run_id.startswith(prefix, autoescape=True)).order_by(runs.c.started_at)
        with self.engine.connect() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def cursor(self, name: str) -> str | None:
        """Return a cursor's value, None where it was never moved."""
        with self.engine.connect() as connection:
            value: str | None = connection.execute(sa.select(cursors.c.value).where(cursors.c.name == name)).scalar()
        return value

    def move_cursor(self, name: str, value: str) -> None:
        """Set a cursor."""
        with self.engine.begin() as connection:
            moved = connection.execute(
                cursors.update().where(cursors.c.name == name).values(value=value, moved_at=datetime.now(UTC))
            )
            if moved.rowcount == 0:
                connection.execute(cursors.insert().values(name=name, value=value, moved_at=datetime.now(UTC)))


def _current(connection: Connection) -> str | None:
    inspector = sa.inspect(connection)
    if not inspector.has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("select version_num from alembic_version")).scalar()
    return found


def _record(row: sa.RowMapping) -> RunRecord:
    values: dict[str, Any] = dict(row)
    values["started_at"] = _utc(values["started_at"])
    values["ended_at"] = None if values["ended_at"] is None else _utc(values["ended_at"])
    return RunRecord(**values)


def _utc(value: datetime) -> datetime:
    # SQLite keeps no zone; what was written was UTC.
    return value if value.tzinfo else value.replace(tzinfo=UTC)


__all__ = ["Alert", "RunRecord", "StateStore", "metadata"]
