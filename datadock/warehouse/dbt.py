"""Running the dbt project in this process, on one deployment, and letting go of the warehouse file afterwards.

Results come back as plain objects; what Dagster makes of them is the assets' business.
"""

from __future__ import annotations

import fcntl
import gc
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
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
from datadock.warehouse.changed_models import ModelState
from datadock.warehouse.cited_rows import cite
from datadock.warehouse.dbt_plugin import Session, running
from datadock.warehouse.store import ensure_warehouse, locked, open_warehouse

_manifests: dict[tuple[Path, tuple[int, int]], Any] = {}
_BUILDABLE = ["--indirect-selection", "buildable"]
"""A test belongs to the selection in which the last of the models that it reads is built."""

_GOOD = frozenset({"success", "pass", "warn", "skipped", "no-op", "unchanged"})


@dataclass(frozen=True)
class NodeResult:
    """What became of one node of a dbt run.

    Attributes:
        unique_id: dbt's id, `model.datadock.dim_contact`.
        name: Name of the node.
        kind: `model`, `test`, `unit_test`, ...
        status: `success`, `unchanged`, `error`, `skipped` of a model; `pass`, `warn`, `fail`, `error` of a test.
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
    with _one_parse(settings):
        _invoke(settings, ["parse", "--write-json"])
    return path


def run_dbt(
    settings: Settings,
    *,
    command: str = "build",
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    full_refresh: bool = False,
    run_id: str | None = None,
    unit_tests: bool = False,
) -> DbtRun:
    """Run dbt on the deployment's warehouse and wait for it.

    A `build` builds, of the chosen models, those whose definition changed or whose lake tables
    moved, with their tests; the others come back as `unchanged`.

    Args:
        settings: The deployment.
        command: `build`, `run` or `test`.
        select: dbt selectors; everything where empty.
        exclude: dbt selectors.
        full_refresh: Build every chosen model from nothing.
        run_id: Name kept with the data-quality measures; a new one where None.
        unit_tests: Run the unit tests of the models, too; they judge the SQL, not the data.

    Returns:
        The results; a failed model or test is a result, not an exception.

    Raises:
        WarehouseError: When another process holds the warehouse, or the project does not parse.
    """
    session = Session(settings, run_id or uuid.uuid4().hex, tuple(load_catalog(settings.catalog).sources))
    ensure_warehouse(settings)
    with running(session), _released():
        manifest = _parsed(settings)
        states = changed_models.model_states(settings, manifest)
        stale = changed_models.stale_models(settings, manifest, states)
        selectors = [*_selection("--select", select), *_selection("--exclude", exclude)]
        if full_refresh or unit_tests or command != "build":
            plan = _Plan([*selectors, *([] if command == "run" else _BUILDABLE)], [])
        else:
            plan = _stale_only(manifest, _chosen(settings, manifest, selectors), stale)
        options = ["--full-refresh"] if full_refresh and command != "test" else []
        options += [] if unit_tests or command == "run" else ["--exclude-resource-type", "unit_test"]
        outcome = None
        if plan.arguments is not None:
            outcome = _invoke(settings, [command, "--no-write-json", *plan.arguments, *options], manifest)
        nodes = [*_nodes(outcome), *(_unchanged(manifest, one) for one in plan.unchanged)]
    _remember(settings, manifest, states, nodes)
    done = _with_rows(settings, nodes)
    return DbtRun(session.run_id, tuple(cite(session, done, outcome and outcome.result)))


@dataclass(frozen=True)
class _Plan:
    """What dbt is asked for: arguments that choose nodes (None: nothing), and models left as they are."""

    arguments: list[str] | None
    unchanged: list[str]


def _stale_only(manifest: Any, chosen: Sequence[str], stale: set[str]) -> _Plan:
    wanted = [one for one in chosen if _is_stale(manifest, one, stale)]
    unchanged = [one for one in chosen if one.startswith("model.") and one not in stale]
    names = " ".join("fqn:" + ".".join(manifest.nodes[one].fqn) for one in wanted)
    return _Plan(["--select", names, "--indirect-selection", "empty"] if wanted else None, unchanged)


def _chosen(settings: Settings, manifest: Any, selectors: Sequence[str]) -> list[str]:
    """Return the unique ids of the models and data tests that selectors choose."""
    listing = ["list", "--output", "json", "--output-keys", "unique_id", *_BUILDABLE]
    listing += ["--resource-type", "model", "--resource-type", "test", *selectors]
    found: Any = _invoke(settings, listing, manifest).result
    return [json.loads(line)["unique_id"] for line in found or []]


def _is_stale(manifest: Any, unique_id: str, stale: set[str]) -> bool:
    """Tell whether a model, or any model that a test looks at, must be built."""
    if unique_id in stale:
        return True
    return unique_id.startswith("test.") and bool(stale & set(manifest.nodes[unique_id].depends_on.nodes))


def _unchanged(manifest: Any, model: str) -> NodeResult:
    return NodeResult(model, manifest.nodes[model].name, "model", "unchanged", 0.0)


def _remember(settings: Settings, manifest: Any, states: Mapping[str, ModelState], nodes: list[NodeResult]) -> None:
    """Keep what was built; a model with a failed test stays to be built."""
    failed = {
        parent
        for node in nodes
        if node.kind == "test" and not node.good
        for parent in manifest.nodes[node.unique_id].depends_on.nodes
    }
    built = [node.unique_id for node in nodes if node.kind == "model" and node.status == "success"]
    changed_models.remember(settings, states, [model for model in built if model not in failed])
    changed_models.forget(settings, failed)


def _parsed(settings: Settings) -> Any:
    """Return dbt's manifest of the project, kept in this process while no file of the project changes."""
    key = (settings.dbt_project, _newest(settings.dbt_project))
    if key not in _manifests:
        _manifests.clear()
        with _one_parse(settings):
            _manifests[key] = _invoke(settings, ["parse", "--no-write-json"]).result
    return _manifests[key]


@contextmanager
def _one_parse(settings: Settings) -> Iterator[None]:
    """Let one process at a time parse the project: dbt keeps what it parsed in a file that another may be writing."""
    folder = settings.dbt_project / "target"
    folder.mkdir(exist_ok=True)
    with (folder / ".parse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _newest(project: Path) -> tuple[int, int]:
    """Return the number of the project's files and the newest one's time of change."""
    folders = [project / name for name in ("models", "macros", "tests")]
    times = [path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*") if path.is_file()]
    times += [path.stat().st_mtime_ns for path in project.glob("*.yml")]
    return len(times), max(times, default=0)


def _selection(option: str, selectors: Sequence[str]) -> list[str]:
    return [option, " ".join(selectors)] if selectors else []


def _invoke(settings: Settings, arguments: list[str], manifest: Any = None) -> dbtRunnerResult:
    folder = str(settings.dbt_project)
    options = ["--project-dir", folder, "--profiles-dir", folder, "--no-use-colors", "--quiet"]
    options += ["--log-level", "none", "--log-level-file", "none", "--no-send-anonymous-usage-stats"]
    outcome = dbtRunner(manifest=manifest).invoke([*arguments, "--no-version-check", *options])
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


def _nodes(outcome: dbtRunnerResult | None) -> Iterator[NodeResult]:
    results = getattr(outcome and outcome.result, "results", None) or []
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
        environment = DuckDBConnectionManager._ENV  # dbt-duckdb closes it only at the process's end
        if environment is not None:
            environment.close()
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        reset_adapters()  # type: ignore[no-untyped-call]
        gc.collect()
