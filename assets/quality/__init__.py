"""Quality: every declared value in its normal form, and what may be done with each contact point.

Each step brings its tables up to what is upstream, by difference; repeated, it writes nothing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from assets.dbt_models import WAREHOUSE_POOL
from assets.metadata import delta_facts, metadata_of
from assets.quality import treatments
from datadock import names
from datadock.contact_points import references_in_use, update_places, update_points, update_values
from datadock.dock import Dock
from datadock.identity.workspace import open_workspace
from datadock.refdata import publish_reference

OWNER = "team:data-stewards"
_READS = ("int_source_contact", "int_contact_address", "int_event", "int_move")
SOURCES = [dg.AssetKey([names.INTERMEDIATE, model]) for model in _READS]

_VALUES = {
    names.ADDRESS_VALUES: ("address", "Declared addresses in their normal form, with status and evidence."),
    names.PHONE_VALUES: ("phone", "Declared phone numbers in international form, with status and evidence."),
    names.EMAIL_VALUES: ("email", "Declared e-mail addresses in their normal form, with status and evidence."),
    names.NAME_VALUES: ("name", "Declared names of people in their normal form, with status and evidence."),
}


_REFERENCE = {
    names.COMMUNES: "Communes of each reference version that was used, with their IRIS where there is but one.",
    names.POSITIONS: "Positions of numbered addresses of the loaded BAN files, logged by `datadock refdata load-ban`.",
    names.IRIS_CONTOURS: "Contours of IRIS that a user loaded, logged by `datadock refdata load-iris`.",
    names.ORIGINS: "Where enriched values come from: reference table, version, licence, and whether it is wanted.",
}


def build(_dock: Dock) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Return the quality layer of a deployment."""
    return [_reference(), _values(), _points(), _places(), treatments.build(OWNER)], []


def _reference() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="reference",
        specs=[
            dg.AssetSpec(
                table.split("/"),
                group_name=names.QUALITY,
                owners=[OWNER],
                kinds={"delta"},
                description=f"{description} One row per row of the table and version.",
            )
            for table, description in _REFERENCE.items()
        ],
    )
    def reference(dock: dg.ResourceParam[Dock]) -> Iterator[dg.MaterializeResult]:
        with dock.progress.step("reference") as note:
            used = references_in_use(dock.settings)
            off = dock.catalog.enrichments.off
            written = publish_reference(dock.lake, used.reference, off, datetime.now(UTC))
            note(f"{used.version}, {written} tables written")
        for table in _REFERENCE:
            yield dg.MaterializeResult(asset_key=table.split("/"), metadata=delta_facts(dock, table))

    return reference


def _values() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="values",
        specs=[
            dg.AssetSpec(
                table.split("/"),
                deps=[*SOURCES, names.COMMUNES.split("/")],
                group_name=names.QUALITY,
                owners=[OWNER],
                kinds={"delta"},
                description=f"{description} Log, one row per distinct value and change of its result.",
            )
            for table, (_, description) in _VALUES.items()
        ],
        pool=WAREHOUSE_POOL,
    )
    def values(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> Iterator[dg.MaterializeResult]:
        with dock.progress.step("quality/values") as note:
            report = update_values(open_workspace(dock, context.run.run_id), references_in_use(dock.settings))
            changed, again = sum(report.changed.values()), sum(report.checked_again.values())
            note(f"{sum(report.new.values()):,} new, {again:,} checked again, {changed:,} of them changed")
        for table, (kind, _) in _VALUES.items():
            facts: dict[str, Any] = {
                "values": report.values[kind],
                "new": report.new[kind],
                "checked_again": report.checked_again[kind],
                "changed": report.changed[kind],
                "reference": report.reference,
            }
            yield dg.MaterializeResult(asset_key=table.split("/"), metadata=facts | delta_facts(dock, table))

    return values


def _points() -> dg.AssetsDefinition:
    @dg.asset(
        key=names.CONTACT_POINTS.split("/"),
        deps=[*(table.split("/") for table in _VALUES), *SOURCES],
        group_name=names.QUALITY,
        owners=[OWNER],
        kinds={"delta"},
        pool=WAREHOUSE_POOL,
        description="Which record says which contact point since when, and what returns, bounces and moves made of it. "
        "Log, one row per change.",
    )
    def contact_points(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        with dock.progress.step(names.CONTACT_POINTS) as note:
            report = update_points(open_workspace(dock, context.run.run_id))
            changes = ", ".join(f"{count:,} {change}" for change, count in report.changes.items())
            note(f"{report.points:,} points, {changes or 'none changed'}")
        return dg.MaterializeResult(metadata=metadata_of(report) | delta_facts(dock, names.CONTACT_POINTS))

    return contact_points


def _places() -> dg.AssetsDefinition:
    made_from = (names.ADDRESS_VALUES, names.POSITIONS, names.IRIS_CONTOURS)

    @dg.asset(
        key=names.PLACES.split("/"),
        deps=[*(table.split("/") for table in made_from), SOURCES[0]],
        group_name=names.QUALITY,
        owners=[OWNER],
        kinds={"delta"},
        pool=WAREHOUSE_POOL,
        description="Where declared addresses lie, by the BAN or as declared, and in which contour of an IRIS. Log, "
        "one row per change of a place.",
    )
    def places(context: dg.AssetExecutionContext, dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        with dock.progress.step(names.PLACES) as note:
            report = update_places(open_workspace(dock, context.run.run_id))
            note(f"{report.looked_at:,} looked at, {report.located:,} located, {report.written:,} changed")
        return dg.MaterializeResult(metadata=metadata_of(report) | delta_facts(dock, names.PLACES))

    return places
