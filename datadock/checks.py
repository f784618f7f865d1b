"""Adapters that show the core's own verdicts as Dagster asset checks: contracts and expectation suites.

A failed check carries what was expected and what was found; a crash stays a crash.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import dagster as dg

from datadock import names
from datadock.catalog import Source
from datadock.contracts.boundaries import Boundary
from datadock.dock import Dock
from datadock.errors import CheckError
from datadock.expect import SuitePlan, declared_tables, run_suites
from datadock.identity.guards import Finding
from datadock.lake import Lake
from datadock.landing import Batch, balance_of
from datadock.validations import SuiteResult


def contract_check(lake: Lake, source: Source, new_files: Sequence[str]) -> dg.AssetCheckResult:
    """Check a source's ledger against its tables, and its new raw rows against the contract of their declaration.

    Args:
        lake: The lake.
        source: The declaration.
        new_files: Data files that the raw table gained; their rows are judged by pandera.
    """
    balance = balance_of(lake, source)
    facts = {f"balance: {name}": value for name, value in balance.facts().items()}
    holds = balance.holds
    if new_files:
        from datadock.contracts.report import contract_report  # pandera is slow to import

        report = contract_report(lake, source, new_files)
        holds = holds and report.holds
        facts |= {f"contract: {name}": value for name, value in report.facts().items()}
    return dg.AssetCheckResult(
        passed=holds, check_name="contract", severity=dg.AssetCheckSeverity.ERROR, metadata=facts
    )


def quarantine_check(source: Source, new: Sequence[Batch]) -> dg.AssetCheckResult:
    """Check that no new batch was refused beyond the source's accepted share."""
    over = [b for b in new if b.rows_in and b.rows_quarantined / b.rows_in > source.max_quarantine_rate]
    rates = {b.file: round(b.rows_quarantined / b.rows_in, 4) for b in new if b.rows_in}
    return dg.AssetCheckResult(
        passed=not over,
        check_name="quarantine_rate",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "expected": f"at most {source.max_quarantine_rate:.0%} of each batch",
            "found": dg.MetadataValue.json(rates),
            "to do": f"datadock quarantine list --source {source.name}",
        },
    )


def boundary_check(boundary: Boundary) -> dg.AssetChecksDefinition:
    """Return the blocking check that a lake table keeps the contract of its boundary."""

    @dg.asset_check(
        asset=dg.AssetKey(boundary.table.split("/")),
        name="contract",
        blocking=True,
        description="Columns, types, emptiness and the form of ids, by pandera.",
    )
    def contract(dock: dg.ResourceParam[Dock]) -> dg.AssetCheckResult:
        rows, broken = boundary.broken(dock.lake)
        return dg.AssetCheckResult(
            passed=not broken,
            metadata={
                "rows": rows,
                "expected": "no row that breaks the contract",
                "found": dg.MetadataValue.json(broken),
            },
        )

    return contract


def guard_specs(table: str, guards: Mapping[str, str]) -> list[dg.AssetCheckSpec]:
    """Return the blocking checks of guards that a step judges before it writes a table.

    Args:
        table: The lake table.
        guards: Name and description of each.
    """
    key = dg.AssetKey(table.split("/"))
    return [
        dg.AssetCheckSpec(name, asset=key, blocking=True, description=description)
        for name, description in guards.items()
    ]


def guard_results(table: str, guards: Mapping[str, str], findings: Sequence[Finding]) -> Iterator[dg.AssetCheckResult]:
    """Show what guards found; each result comes before the refusal.

    Args:
        table: The lake table.
        guards: As of ``guard_specs``.
        findings: What they object to; the step has written nothing where one blocks.

    Raises:
        CheckError: Where one blocks, naming what is objected to.
    """
    for name in guards:
        mine = [finding for finding in findings if finding.guard == name]
        blocks = any(finding.blocks for finding in mine)
        told = {
            "found": [f"{finding.subject}: {finding.found}" for finding in mine],
            "expected": sorted({finding.expected for finding in mine}),
            "to do": sorted({finding.action for finding in mine}),
        }
        yield dg.AssetCheckResult(
            passed=not mine,
            asset_key=table.split("/"),
            check_name=name,
            severity=dg.AssetCheckSeverity.ERROR if blocks or not mine else dg.AssetCheckSeverity.WARN,
            metadata={words: dg.MetadataValue.json(values) for words, values in told.items()} if mine else {},
        )
    stopping = [finding for finding in findings if finding.blocks]
    if stopping:
        raise CheckError(
            f"{table} was not written: " + "\n".join(f"{one.guard}: {one.subject}: {one.found}" for one in stopping),
            expected="; ".join(sorted({one.expected for one in stopping})),
            action="; ".join(sorted({one.action for one in stopping})),
        )


def suite_checks(
    layer: str,
    plans_of: Callable[[], Iterable[SuitePlan]],
    *,
    name: str,
    pool: str,
    blocking: Collection[str] = (),
    gates: Collection[dg.AssetKey] = (),
) -> dg.AssetChecksDefinition:
    """Return expectation suites of a layer as one definition, a check per table.

    A failed rule of severity ``critical`` is an error, and stops what comes after a table of ``blocking``,
    and after every gate; others are warnings.

    Args:
        layer: Name of the layer.
        plans_of: Gives the suites' plans.
        name: Name of the step.
        pool: Concurrency pool of whatever reads the warehouse file.
        blocking: Tables whose errors stop what comes after. None of them may have another table of the
            same step behind it: the step would have to wait for itself.
        gates: Tables made of the layer's, with a check of their own that holds while no suite of the layer has an
            error: so tables that others of the same step read stop what comes after the step.
    """
    known = {plan.table: plan for plan in plans_of()}
    specs = [_suite_spec(layer, plan, blocking) for plan in known.values()]
    specs += [_gate_spec(layer, gate) for gate in gates]

    @dg.multi_asset_check(name=name, specs=specs, can_subset=True, pool=pool)
    def expectations(
        context: dg.AssetCheckExecutionContext, dock: dg.ResourceParam[Dock]
    ) -> Iterator[dg.AssetCheckResult]:
        selected = context.selected_asset_check_keys
        passing = [gate for gate in gates if _gate_spec(layer, gate).key in selected]
        wanted = [table for table, plan in known.items() if passing or _key(layer, plan) in selected]
        with dock.progress.step(name) as note:
            results = run_suites(
                dock.settings, plans_of(), context.run.run_id, declared=declared_tables(dock.catalog), only=wanted
            )
            note(f"{len(results)} suites, {sum(len(result.failed) for result in results)} expectations failed")
        judged = {result.table: _result(layer, result) for result in results}
        for table in wanted:
            if _key(layer, known[table]) in selected:
                yield judged.get(table) or _nothing_to_judge(layer, known[table])
        for gate in passing:
            yield _gate_result(layer, gate, results)

    return expectations


def is_suite(checks: dg.AssetChecksDefinition) -> bool:
    """Tell the checks of ``suite_checks`` from the contracts of the core."""
    return checks.node_def.name.endswith(names.EXPECTATIONS_STEP)


def _key(layer: str, plan: SuitePlan) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey([layer, plan.table]), plan.name)


def _suite_spec(layer: str, plan: SuitePlan, blocking: Collection[str]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        plan.name,
        asset=dg.AssetKey([layer, plan.table]),
        blocking=plan.table in blocking,
        description="Expectations on distributions and business rules; see Data Docs for each in words.",
    )


def _gate_spec(layer: str, gate: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        names.suite(layer, "all"),
        asset=gate,
        blocking=True,
        description=f"No expectation suite of the {layer} tables has a failed critical rule.",
    )


def _gate_result(layer: str, gate: dg.AssetKey, results: Iterable[SuiteResult]) -> dg.AssetCheckResult:
    failed = [result.suite for result in results if result.severity == "critical"]
    return dg.AssetCheckResult(
        passed=not failed,
        asset_key=gate,
        check_name=names.suite(layer, "all"),
        metadata={"expected": "no suite with a failed critical rule", "found": dg.MetadataValue.json(failed)},
    )


def _result(layer: str, result: SuiteResult) -> dg.AssetCheckResult:
    critical = result.severity == "critical"
    return dg.AssetCheckResult(
        passed=result.success,
        asset_key=dg.AssetKey([layer, result.table]),
        check_name=result.suite,
        severity=dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN,
        metadata={
            "expectations": len(result.outcomes),
            "failed": dg.MetadataValue.json(
                [
                    {"expected": f"{o.expectation}: {o.threshold}", "found": o.observed, "reason": o.reason}
                    for o in result.failed
                ]
            ),
            "data docs": f"reports/data_docs, suite {names.suite(layer, result.table)}",
        },
    )


def _nothing_to_judge(layer: str, plan: SuitePlan) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=True,
        asset_key=dg.AssetKey([layer, plan.table]),
        check_name=plan.name,
        metadata={"found": "the table is not there yet, so there is nothing to judge"},
    )
