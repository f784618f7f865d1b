"""dbt-duckdb plugin: shows the lake to the models as the in-memory database ``lake``.

Which deployment is meant comes from the run that ``datadock.warehouse.dbt`` opened; without one
(an analyst who types ``dbt build``) from the settings. The profile holds no path, so that no
change of paths makes dbt parse the project anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from datadock.catalog import load_catalog
from datadock.lake import Lake
from datadock.settings import Settings
from datadock.warehouse.lake_views import attach_lake, attach_meta, attach_new_rows
from datadock.warehouse.store import IN_UTC, connection_config, ensure_warehouse, read_cursors


@dataclass(frozen=True)
class Session:
    """What one dbt run works on.

    Attributes:
        settings: The deployment.
        run_id: Name of the run; kept with the data-quality measures.
        measured_at: When the run started (UTC).
        sources: Names of the declared sources.
    """

    settings: Settings
    run_id: str
    sources: tuple[str, ...]
    measured_at: datetime = field(default_factory=lambda: datetime.now(UTC))


_running: list[Session] = []
"""The run under way in this process; dbt gives no other way to hand something to a plugin."""


@contextmanager
def running(session: Session) -> Iterator[None]:
    """Hand a session to the plugins that dbt makes meanwhile, in whichever of its threads."""
    _running.append(session)
    try:
        yield
    finally:
        _running.remove(session)


def default_session() -> Session:
    """Return a session of the deployment that the environment's settings name."""
    settings = Settings()
    sources = tuple(load_catalog(settings.catalog).sources)
    return Session(settings, f"by-hand-{datetime.now(UTC):%Y%m%dT%H%M%S}", sources)


class Plugin(BasePlugin):
    """Points dbt at the deployment's warehouse file and attaches the lake."""

    session: Session

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Take the session and put its warehouse file in place of the profile's."""
        del plugin_config
        self.session = _running[-1] if _running else default_session()
        if self.creds is not None:
            self.creds.path = str(ensure_warehouse(self.session.settings))

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Set threads, memory and spill folder of the connection."""
        del creds
        config.update(connection_config(self.session.settings))

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Attach the lake, pinned at its versions of this moment, and the rows after the cursors."""
        lake = Lake(self.session.settings.lake_root)
        versions = attach_lake(conn, lake, self.session.sources)
        attach_new_rows(conn, lake, read_cursors(conn), versions)
        attach_meta(conn, versions, self.session.run_id, self.session.measured_at)

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        """Read and write times in UTC, whatever the machine's zone."""
        cursor.execute(IN_UTC)
