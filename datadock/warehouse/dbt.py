"""Running the dbt project in this process, on one deployment, and letting go of the warehouse file afterwards.

Results come back as plain objects; what Dagster makes of them is the assets' business.
"""

from __future__ import annotations

import gc
import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import reset_adapters
from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner, dbtRunnerResult

from datadock.catalog import load_catalog
from datadock.errors import WarehouseError
from datadock.settings import Settings
from datadock.warehouse import changed_models
from datadock.warehouse.cited_rows import cite
from datadock.warehouse.dbt_plugin import Session, running
from datadock.warehouse.store import ensure_warehouse, locked, open_warehouse

_GOOD = frozenset({"success", "pass", "warn", "skipped", "no-op"})


@dataclass(frozen=True)
class NodeResult:
    """What became of one node of a dbt run.

    Attributes:
        unique_id: dbt's id, `model.datadock.dim_contact`.
        name: Name of the node.
        kind: `model`, `test`, `unit_test`, ...
        status: `success`, `error`, `skipped` of a model; `pass`, `warn`, `fail`, `error` of a test.
        seconds: How long it took.
        rows: Rows of the table afterwards; None for anything that is not a table.
        failures: Rows that a test found; None for anything else.
        message: What dbt or DuckDB said, with the row that was refused.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    rows: int | None = None
    failures: int | None = None
    message: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing stands in the way of what comes after."""
        return self.status in _GOOD


@dataclass(frozen=True)
class DbtRun:
    """One dbt run.

    Attributes:
        run_id: Name of the run.
        nodes: What became of each node, in the order in which they ended.
    """

    run_id: str
    nodes: tuple[NodeResult, ...] = field(default_factory=tuple)

    @property
    def success(self) -> bool:
        """Whether every node ended well; a test that only warns is well."""
        return all(node.good for node in self.nodes)

    def problems(self) -> list[NodeResult]:
        """Return the nodes that failed."""
        return [node for node in self.nodes if not node.good]

    def raise_for_problems(self) -> None:
        """Raise where any node failed.

        Raises:
            WarehouseError: With each failed node and the row that was refused.
        """
        if problems := self.problems():
            lines = [f"  - {node.name}: {node.status}: {node.message}" for node in problems]
            raise WarehouseError(
                f"{len(problems)} dbt node(s) failed:\n" + "\n".join(lines),
                action="mend the rows or the model named above, then run again; the published copy is untouched",
            )


def prepare_manifest(settings: Settings) -> Path:
    """Parse the dbt project and write `target/manifest.json`; unchanged files are not parsed again.

    Raises:
        WarehouseError: When the project does not parse.
    """
    path = settings.dbt_project / "target" / "manifest.json"
    _invoke(settings, ["parse"])
    return path


def run_dbt(
    settings: Settings,
    *,
    command: str = "build",
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    full_refresh: bool = False,
    run_id: str | None = None,
) -> DbtRun:
    """Run dbt on the deployment's warehouse and wait for it.

    Models whose SQL, yml or macros changed since they were built are built from nothing.

    Args:
        settings: The deployment.
        command: `build`, `run` or `test`.
        select: dbt selectors; everything where empty.
        exclude: dbt selectors.
        full_refresh: Build every chosen model from nothing.
        run_id: Name kept with the data-quality measures; a new one where None.

    Returns:
        The results; a failed model or test is a result, not an exception.

    Raises:
        WarehouseError: When another process holds the warehouse, or the project does not parse.
    """
    session = Session(settings, run_id or uuid.uuid4().hex, tuple(load_catalog(settings.catalog).sources))
    ensure_warehouse(settings)
    arguments = [command, *_selection("--select", select), *_selection("--exclude", exclude)]
    if full_refresh and command != "test":
        arguments.append("--full-refresh")
    with running(session), _released():
        manifest = changed_models.forget(settings, _parsed(settings), full_refresh=full_refresh)
        outcome = _invoke(settings, arguments, manifest)
        nodes = tuple(_nodes(outcome))
    done = _with_rows(settings, nodes)
    changed_models.remember(settings, manifest, [node.unique_id for node in done if node.status == "success"])
    return DbtRun(session.run_id, tuple(cite(session, done, outcome.result)))


def _parsed(settings: Settings) -> Any:
    """Return dbt's manifest of the project, kept per process while no file of the project changes."""
    return _invoke(settings, ["parse"]).result


def _selection(option: str, selectors: Sequence[str]) -> list[str]:
    return [option, " ".join(selectors)] if selectors else []


def _invoke(settings: Settings, arguments: list[str], manifest: Any = None) -> dbtRunnerResult:
    folder = str(settings.dbt_project)
    options = ["--project-dir", folder, "--profiles-dir", folder, "--no-use-colors", "--quiet"]
    options += ["--log-level", "none", "--log-level-file", "none", "--no-send-anonymous-usage-stats"]
    with _quiet():
        outcome = dbtRunner(manifest=manifest).invoke(["--no-version-check", *arguments, *options])
    if outcome.exception is not None:
        raise _worded(settings, outcome.exception) from outcome.exception
    return outcome


def _worded(settings: Settings, error: BaseException) -> WarehouseError:
    message = str(error)
    if "lock" in message.lower() and "conflicting" in message.lower():
        return locked(settings.warehouse, message)
    return WarehouseError(
        f"dbt could not run the project {settings.dbt_project}: {message}",
        action="mend what is named above, then run again",
    )


def _nodes(outcome: dbtRunnerResult) -> Iterator[NodeResult]:
    results = getattr(outcome.result, "results", None) or []
    for result in results:
        status = result.status.value if isinstance(result.status, NodeStatus) else str(result.status)
        yield NodeResult(
            unique_id=result.node.unique_id,
            name=result.node.name,
            kind=str(result.node.resource_type.value),
            status=status,
            seconds=result.execution_time,
            failures=result.failures,
            message=str(result.message or ""),
        )


def _with_rows(settings: Settings, nodes: Sequence[NodeResult]) -> list[NodeResult]:
    """Add the row counts of the tables that were built, read from the tables' metadata."""
    with open_warehouse(settings) as con:
        counted = dict(con.execute("select table_name, estimated_size from duckdb_tables()").fetchall())
    return [
        NodeResult(**{**node.__dict__, "rows": counted.get(node.name)}) if node.kind == "model" else node
        for node in nodes
    ]


@contextmanager
def _released() -> Iterator[None]:
    """Close dbt's connections at the end, so that this process can open the file again."""
    try:
        yield
    finally:
        environment = DuckDBConnectionManager._ENV  # noqa: SLF001  # dbt-duckdb closes it only at the process's end
        if environment is not None:
            environment.close()
        DuckDBConnectionManager.close_all_connections()
        reset_adapters()
        gc.collect()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep dbt's loggers from writing to the caller's streams."""
    disabled = logging.root.manager.disable
    try:
        yield
    finally:
        logging.disable(disabled)


def describe(run: DbtRun) -> str:
    """Return the results as JSON text, for logs."""
    return json.dumps([node.__dict__ for node in run.nodes], ensure_ascii=False)
