"""Running expectation suites: measure a table in one scan, judge by Great Expectations, keep the results.

Which rules hold and why stands in ``expectations/``; this module knows how to run them. Results are
kept by ``datadock.validations``. No personal data passes through: Great Expectations sees one row of numbers a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb

from datadock import names
from datadock.catalog import Catalog, Source
from datadock.errors import CheckError
from datadock.lake import Lake
from datadock.readonly import open_stores, tables, view_of_lake
from datadock.settings import Settings
from datadock.validations import Kept, Outcome, SuiteResult, keep, last_values, read_kept
from datadock.warehouse.staging_sql import staging_steps

if TYPE_CHECKING:
    import great_expectations as gx
    import pandas as pd

_SAMPLE = 50_000
_ASSET = "table"


class SuitePlan(Protocol):
    """What is needed of a table's plan; ``expectations.Plan`` is one."""

    @property
    def layer(self) -> str:
        """Layer of the table."""

    @property
    def table(self) -> str:
        """Name of the table."""

    @property
    def name(self) -> str:
        """Name of the suite."""

    @property
    def needs(self) -> Sequence[str]:
        """Relations that the query reads."""

    def query(self) -> str:
        """Return the SELECT that measures the table, one row."""

    def suite(self, last: Mapping[str, float | None]) -> gx.ExpectationSuite:
        """Build the suite, given the last run's numbers."""


@dataclass(frozen=True)
class DeclaredTable:
    """One staging table as its declaration describes it.

    Attributes:
        declaration: The source.
        entity: The entity.
        types: Type of each declared field.
        readable: Fields that are not text: it is measured how many of their received values could be typed.
        stale_after_days: Days after which the source counts as stale.
    """

    declaration: Source
    entity: str
    types: Mapping[str, str]
    readable: tuple[str, ...]
    stale_after_days: float | None

    @property
    def source(self) -> str:
        """Name of the source."""
        return self.declaration.name

    @property
    def model(self) -> str:
        """Name of the staging model."""
        return names.staging_model(self.source, self.entity)

    @property
    def is_occasional(self) -> bool:
        """Whether records come now and then only."""
        return self.declaration.occasional


def declared_tables(catalog: Catalog) -> list[DeclaredTable]:
    """Return every staging table that the catalog declares, in the catalog's order."""
    found = []
    for source in catalog.sources.values():
        days = source.freshness.warn_after_days if source.freshness else None
        for entity, declared in source.entities.items():
            types = {name: source.type(entity, name) for name in declared.fields}
            readable = tuple(
                name
                for name, place in declared.fields.items()
                if types[name] != "text" and place.from_ and not place.map and place.value is None
            )
            found.append(DeclaredTable(source, entity, types, readable, days))
    return found


def run_suites(
    settings: Settings,
    plans: Iterable[SuitePlan],
    run_id: str,
    *,
    declared: Iterable[DeclaredTable] = (),
    only: Iterable[str] | None = None,
) -> list[SuiteResult]:
    """Measure tables and judge them by their suites; results are kept for the reports and the next run.

    Args:
        settings: The deployment.
        plans: The plans, of one layer or of several.
        run_id: The run; named in the results.
        declared: The declared staging tables, for the share of values that could be typed.
        only: Tables to judge, by the name of their asset; all of the plans' by default.

    Returns:
        A result per plan whose tables exist, in the order of the plans.

    Raises:
        WarehouseError: When another process writes the warehouse.
        CheckError: When a measure cannot be taken: the suite does not fit the table.
    """
    wanted = None if only is None else set(only)
    chosen = [plan for plan in plans if wanted is None or plan.table in wanted]
    by_model = {table.model: table for table in declared}
    lake = Lake(settings.lake_root)
    with open_stores(settings) as connection:
        there = tables(connection)
        ready = [plan for plan in chosen if there >= set(plan.needs)]
        for plan in ready:
            if plan.table in by_model:
                _measure_readable(connection, lake, by_model[plan.table])
        frames = [_measure(connection, plan) for plan in ready]
    return _judge(settings, ready, frames, run_id)


def _measure(connection: duckdb.DuckDBPyConnection, plan: SuitePlan) -> pd.DataFrame:
    try:
        return connection.execute(plan.query()).df()
    except duckdb.Error as error:
        raise CheckError(
            f"the suite {plan.name} cannot be measured: {error}",
            expected=f"a table {plan.table} with the columns that its suite reads",
            action=f"bring expectations/{plan.layer} and the table's shape together",
        ) from error


def _measure_readable(connection: duckdb.DuckDBPyConnection, lake: Lake, table: DeclaredTable) -> None:
    """Write the one-row table ``readable.<model>``: per field, the percentage of newest values that could be typed."""
    connection.execute("create schema if not exists readable")
    files = _newest(lake.files(names.raw_table(table.source)))
    if not table.readable:
        return
    if not files:
        columns = ", ".join(f'null::double as "{name}"' for name in table.readable)
        connection.execute(f'create or replace table readable."{table.model}" as select {columns}')
        return
    view_of_lake(connection, f"newest/{table.source}", files)
    relation = f'(select * from newest."{table.source}" limit {_SAMPLE})'
    steps = staging_steps(table.declaration, table.entity, relation)
    steps.pop("final")
    ctes = ", ".join(f"{name} as ({text})" for name, text in steps.items())
    given = ", ".join(f'count("{name}") as "{name}"' for name in table.readable)
    shares = ", ".join(f'100.0 * typed."{name}" / nullif(given."{name}", 0) as "{name}"' for name in table.readable)
    connection.execute(
        f'create or replace table readable."{table.model}" as with {ctes} '
        f"select {shares} from (select {given} from trimmed) as given, (select {given} from renamed) as typed"
    )


def _newest(files: list[str]) -> list[str]:
    """Return the files of the newest partition: a change of format shows there first."""
    if not files:
        return []
    newest = max(Path(file).parent.name for file in files)
    return [file for file in files if Path(file).parent.name == newest]


def _judge(
    settings: Settings, plans: Sequence[SuitePlan], frames: Sequence[pd.DataFrame], run_id: str
) -> list[SuiteResult]:
    if not plans:
        return []
    import great_expectations as gx  # costs seconds
    from great_expectations.core.run_identifier import RunIdentifier

    context = quiet_context()
    assets = context.data_sources.add_pandas("warehouse")
    identifier = RunIdentifier(run_name=run_id, run_time=datetime.now(UTC))
    results = []
    for plan, frame in zip(plans, frames, strict=True):
        kept = read_kept(settings, plan.name)
        suite = context.suites.add(plan.suite(last_values(kept, run_id)))
        batch = assets.add_dataframe_asset(f"{plan.layer}.{plan.table}").add_batch_definition_whole_dataframe(_ASSET)
        definition = gx.ValidationDefinition(name=plan.name, data=batch, suite=suite)
        validation = context.validation_definitions.add(definition).run(
            batch_parameters={"dataframe": frame},
            result_format="SUMMARY",  # COMPLETE would print values of records
            run_id=identifier,
        )
        told = validation.to_json_dict()
        result = _result(plan, run_id, identifier.run_time.isoformat(), told)
        history = kept.history if kept else []
        keep(settings, Kept(result, suite.to_json_dict(), told, history))
        results.append(result)
    return results


def quiet_context(docs: Path | None = None) -> Any:
    """Return an ephemeral Great Expectations context: no progress bars, no analytics.

    Args:
        docs: Folder of a Data Docs site, where one is to be built.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    if docs is not None:
        config.data_docs_sites = {
            "reports": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False},
            }
        }
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _result(plan: SuitePlan, run_id: str, measured_at: str, validation: Mapping[str, Any]) -> SuiteResult:
    outcomes = []
    for found in validation["results"]:
        if found["exception_info"].get("raised_exception") or "observed_value" not in found["result"]:
            raise CheckError(
                f"the suite {plan.name} broke while judging: {found['exception_info']}",
                expected="every measure judged",
                action=f"run the suite of {plan.table} by itself and mend its plan in expectations/{plan.layer}",
            )
        config = found["expectation_config"]
        notes = config["meta"]["attributes"]
        outcomes.append(
            Outcome(
                measure=notes["measure"],
                expectation=config["description"],
                success=found["success"],
                severity=config["severity"],
                observed=found["result"]["observed"],
                threshold=notes["limit"],
                reason=notes["reason"],
                value=found["result"]["observed_value"],
            )
        )
    return SuiteResult(plan.name, plan.layer, plan.table, run_id, measured_at, tuple(outcomes))
