"""Golden: who is who, with ids that last, and one golden contact each with provenance.

Each step brings its tables up to what is upstream, by difference; repeated, it writes nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from assets.dbt_models import WAREHOUSE_POOL
from assets.metadata import delta_facts, metadata_of
from datadock import identity, names
from datadock.checks import boundary_check, guard_results, guard_specs, suite_checks
from datadock.contracts.boundaries import GOLDEN_CONTACTS, MEMBERSHIPS
from datadock.dock import Dock
from datadock.expect import SuitePlan
from datadock.identity.guards import MEMBERSHIP_GUARDS, PAIRS_GUARDS, REVIEWED_GUARD
from datadock.identity.index import IndexReport, check_agreement, refresh_index
from datadock.identity.workspace import open_workspace
from expectations import plans

OWNER = "team:data-stewards"
REPORT = {"report": dg.MetadataValue.url("http://127.0.0.1:3001/identity.html")}
"""Where `datadock ui` shows the page on linking; the file stands in the reports' folder."""

SOURCE_CONTACTS = dg.AssetKey([names.INTERMEDIATE, "int_source_contact"])


def build(dock: Dock) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Return the golden layer of a deployment."""
    return [_features(), _pairs(), _identities(dock), _contacts(), _households(), _suspects(), _index()], [
        *(_suite(plan) for plan in plans(names.GOLDEN)),
        boundary_check(MEMBERSHIPS),
        boundary_check(GOLDEN_CONTACTS),
    ]


def _suite(plan: SuitePlan) -> dg.AssetChecksDefinition:
    """Return one suite as a step of its own: it stops the golden tables after it, so they cannot share one."""
    name = f"{plan.table}_expectations"
    return suite_checks(names.GOLDEN, lambda: [plan], name=name, pool=WAREHOUSE_POOL, blocking={plan.table})


def _run(
    context: dg.AssetExecutionContext, dock: Dock, name: str, step: Callable[[identity.Workspace], Any], words: str
) -> dict[str, Any]:
    """Run one step of identity and return its report as metadata."""
    return metadata_of(_report(context, dock, name, step, words))


def _report(
    context: dg.AssetExecutionContext, dock: Dock, name: str, step: Callable[[identity.Workspace], Any], words: str
) -> Any:
    with dock.progress.step(name) as note:
        report = step(open_workspace(dock, context.run.run_id))
        note(words.format(**vars(report)))
    return report


def _features() -> dg.AssetsDefinition:
    @dg.asset(
        key=[names.GOLDEN, "features"],
        deps=[SOURCE_CONTACTS, *(table.split("/") for table in names.VALUES)],
        group_name=names.GOLDEN,
        owners=[OWNER],
        kinds={"delta"},
        pool=WAREHOUSE_POOL,
        description="Normal forms of what linking compares, with a hash. Log, one row per version of a source record.",
    )
    def features(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        words = "{new_or_changed:,} of {contacts:,} records new or changed"
        facts = _run(context, dock, "golden/features", identity.update_features, words)
        return dg.MaterializeResult(metadata=facts | delta_facts(dock, "golden/features"))

    return features


def _pairs() -> dg.AssetsDefinition:
    @dg.asset(
        key=names.PAIRS.split("/"),
        deps=[[names.GOLDEN, "features"]],
        group_name=names.GOLDEN,
        owners=[OWNER],
        kinds={"delta", "splink"},
        check_specs=guard_specs(names.PAIRS, PAIRS_GUARDS),
        output_required=False,
        description="Pairs of source records that may be one party, with their match weight. One row per scored pair; "
        "a pair counts while both records and the model are what they were.",
    )
    def pairs(
        context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        words = "{candidates:,} candidates, {pairs:,} pairs kept"
        report = _report(context, dock, names.PAIRS, identity.score_pairs, words)
        yield from guard_results(names.PAIRS, PAIRS_GUARDS, report.findings)
        yield dg.MaterializeResult(metadata=metadata_of(report) | delta_facts(dock, names.PAIRS) | REPORT)

    return pairs


def _identities(dock: Dock) -> dg.AssetsDefinition:
    tables = {
        names.MEMBERSHIPS: "Which golden id a source record bears, and since when. Log, one row per change.",
        names.REDIRECTS: "Where a retired golden id leads, in one step. Log, one row per change.",
        names.LINEAGE: "What became of golden ids: created, merged, split, retired. One row per event.",
    }
    deps = [names.PAIRS.split("/"), names.DECISIONS.split("/")]
    checked = MEMBERSHIP_GUARDS | (REVIEWED_GUARD if dock.catalog.reviewed else {})

    @dg.multi_asset(
        name="identities",
        specs=[
            dg.AssetSpec(
                table.split("/"),
                deps=deps,
                group_name=names.GOLDEN,
                owners=[OWNER],
                kinds={"delta"},
                description=description,
                skippable=True,
            )
            for table, description in tables.items()
        ],
        check_specs=guard_specs(names.MEMBERSHIPS, checked),
    )
    def identities(
        context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        words = "{records:,} records are {golden:,} contacts; {created:,} new ids, {retired:,} retired"
        report = _report(context, dock, names.MEMBERSHIPS, identity.assign_identities, words)
        yield from guard_results(names.MEMBERSHIPS, checked, report.findings)
        for table in tables:
            own = metadata_of(report) | REPORT if table == names.MEMBERSHIPS else {}
            yield dg.MaterializeResult(asset_key=table.split("/"), metadata=own | delta_facts(dock, table))

    return identities


def _contacts() -> dg.AssetsDefinition:
    @dg.asset(
        key=names.CONTACTS.split("/"),
        deps=[names.MEMBERSHIPS.split("/"), names.CONTACT_POINTS.split("/"), SOURCE_CONTACTS],
        group_name=names.GOLDEN,
        owners=[OWNER],
        kinds={"delta"},
        pool=WAREHOUSE_POOL,
        description="Golden contacts: the surviving value of each field, with source record, rule and date of each. "
        "Log, one row per version of a golden contact.",
    )
    def contacts(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        words = "{upserted:,} written, {retired:,} retired"
        facts = _run(context, dock, names.CONTACTS, identity.build_golden, words)
        return dg.MaterializeResult(metadata=facts | delta_facts(dock, names.CONTACTS))

    return contacts


def _households() -> dg.AssetsDefinition:
    @dg.asset(
        key=names.HOUSEHOLDS.split("/"),
        deps=[names.CONTACTS.split("/")],
        group_name=names.GOLDEN,
        owners=[OWNER],
        kinds={"delta"},
        pool=WAREHOUSE_POOL,
        description="Who lives with whom and as what, inferred, with reasons. Log, one row per change of a person's.",
    )
    def households(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        words = "{people:,} people in {households:,} households; {moves:,} rows written"
        facts = _run(context, dock, names.HOUSEHOLDS, identity.assign_households, words)
        return dg.MaterializeResult(metadata=facts | delta_facts(dock, names.HOUSEHOLDS))

    return households


def _suspects() -> dg.AssetsDefinition:
    @dg.asset(
        key=names.SUSPECTS.split("/"),
        deps=[names.MEMBERSHIPS.split("/")],
        group_name=names.GOLDEN,
        owners=[OWNER],
        kinds={"delta"},
        description="Pairs that may be one party and are kept apart until a steward decides. Log, one row per change.",
    )
    def suspects(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        facts = _run(context, dock, names.SUSPECTS, identity.find_suspects, "{open:,} open")
        return dg.MaterializeResult(metadata=facts | delta_facts(dock, names.SUSPECTS))

    return suspects


def _index() -> dg.AssetsDefinition:
    @dg.asset(
        key=names.IDENTITY_INDEX.split("/"),
        deps=[names.MEMBERSHIPS.split("/")],
        group_name=names.GOLDEN,
        owners=[OWNER],
        kinds={"sqlite"},
        check_specs=[
            dg.AssetCheckSpec(
                "agrees_with_batch",
                asset=names.IDENTITY_INDEX.split("/"),
                description="Every record that has a golden id is there, and a sample of pairs weighs what they weigh.",
            )
        ],
        description="Keys, features and memberships of every source record in one embedded file, for one record at a "
        "time: resolve, explain, commit. Rebuilt from the lake.",
    )
    def identity_index(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        def step(workspace: identity.Workspace) -> IndexReport:
            return refresh_index(workspace, dock.settings.identity_index)

        words = "{touched:,} of {records:,} records written"
        facts = _run(context, dock, names.IDENTITY_INDEX, step, words)
        found = check_agreement(open_workspace(dock, context.run.run_id), dock.settings.identity_index)
        checked = dg.AssetCheckResult(check_name="agrees_with_batch", passed=found.holds, metadata=metadata_of(found))
        return dg.MaterializeResult(metadata=facts, check_results=[checked])

    return identity_index
