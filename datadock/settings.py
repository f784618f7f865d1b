"""Settings of one deployment, from the environment (prefix ``DATADOCK_``) and nowhere else.

This is the only module that reads the environment. Everything else is handed a ``Settings``.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent

MODULES = frozenset({"expectations", "reports", "sensors"})
"""What a deployment may leave out; landing, staging, identity and marts go on without."""


class Settings(BaseSettings):
    """Where a deployment keeps its stores and declarations, and its limits."""

    model_config = SettingsConfigDict(env_prefix="DATADOCK_", extra="ignore", frozen=True)

    home: Path = Field(Path(".datadock"), description="Folder of the embedded stores.")
    catalog: Path = Field(PROJECT_ROOT / "catalog", description="Folder of the declarations.")
    dbt_project: Path = Field(PROJECT_ROOT / "dbt_project", description="Folder of the dbt project.")
    lake_url: str = Field("", description="Root of the lake; empty means <home>/lake.")
    state_url: str = Field("", description="SQLAlchemy URL of the state store; empty means SQLite in <home>/state.")
    id_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret that new golden ids are derived with; empty means one kept in <home>/state.",
    )
    memory_limit: str = Field("2GB", description="Memory that DuckDB may take, in its own notation.")
    threads: int = Field(2, ge=1, description="Threads that DuckDB and Polars may take.")
    spark_master: str = Field(
        "", description="Address of a Spark cluster that sees the home folder; empty means threads of this machine."
    )
    max_record_bytes: int = Field(16 * 2**20, ge=1024, description="A longer record goes to quarantine.")
    max_archive_bytes: int = Field(8 * 2**30, ge=2**20, description="An archive that unpacks to more is refused.")
    max_archive_ratio: int = Field(200, ge=2, description="An archive member that expands more is refused.")
    max_archive_members: int = Field(200_000, ge=1, description="An archive with more members is refused.")
    webhook_token: SecretStr = Field(SecretStr(""), description="Bearer token that webhook senders must show.")

    modules_off: str = Field("", description="Comma list of modules left out: expectations, reports, sensors.")
    report_personal_data: bool = Field(
        False, description="Show values of records in the stewards' reports as they are; masked by default."
    )

    @field_validator("modules_off")
    @classmethod
    def _known_modules(cls, value: str) -> str:
        unknown = sorted(_listed(value) - MODULES)
        if unknown:
            raise ValueError(f"unknown module {', '.join(unknown)}; expected some of {', '.join(sorted(MODULES))}")
        return value

    def has(self, module: str) -> bool:
        """Tell whether a module is on."""
        return module not in _listed(self.modules_off)

    @property
    def home_path(self) -> Path:
        """The home folder, absolute."""
        return self.home.expanduser().resolve()

    @property
    def lake_root(self) -> str:
        """The lake's root: a local path or an object-storage URL."""
        return self.lake_url or str(self.home_path / "lake")

    @property
    def landing(self) -> Path:
        """Drop folder: one sub-folder per source."""
        return self.home_path / "landing"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that dbt builds; one process at a time."""
        return self.home_path / "warehouse" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Folder of the published copies that readers open."""
        return self.home_path / "published"

    @property
    def identity_index(self) -> Path:
        """Folder of the identity index, and of the journal of what was committed by it."""
        return self.home_path / "index"

    @property
    def reports(self) -> Path:
        """Folder of the pages that stewards read."""
        return self.home_path / "reports"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance folder."""
        return self.home_path / "dagster"

    @property
    def state_database(self) -> str:
        """SQLAlchemy URL of the state store."""
        return self.state_url or f"sqlite:///{self.home_path / 'state' / 'state.sqlite'}"


def _listed(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def environment(name: str) -> str | None:
    """Return an environment variable that a declaration names, `{env:NAME}`; None where it is not set."""
    return os.environ.get(name)


def child_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment with additions, for a process that is started."""
    return {**os.environ, **extra}


def name_dagster_home(folder: Path) -> None:
    """Name Dagster's folder in the environment, where Dagster and its ``dagster.yaml`` look for it."""
    os.environ["DAGSTER_HOME"] = str(folder)
