"""Raw tables: one asset per declared source, made by a factory; and the ledgers that balance them.

A new source is a declaration, so there is no module per source here.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg

from datadock import names
from datadock.catalog import Source
from datadock.checks import contract_check, quarantine_check
from datadock.dock import Dock
from datadock.identity.index.journal import land_committed
from datadock.landing import Batch, Limits, land_drop_folder, pull

COLUMNS = dg.TableSchema(
    columns=[
        dg.TableColumn("payload", "string", "The record as received, as JSON; every scalar kept as text."),
        dg.TableColumn("_source", "string", "The source's name."),
        dg.TableColumn("_entity", "string", "The source's main entity."),
        dg.TableColumn("_batch_id", "string", "SHA-256 of the file's bytes."),
        dg.TableColumn("_file", "string", "Name of the file, with the archive's member."),
        dg.TableColumn("_line", "int64", "Position of the record in the file, from 1."),
        dg.TableColumn("_received_at", "timestamp", "When the bytes first came in (UTC)."),
        dg.TableColumn("_received_date", "string", "Day of reception; the partition."),
    ]
)


def build(dock: Dock) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Return the raw layer of a deployment."""
    sources = list(dock.catalog.sources.values())
    return [*(_raw(source) for source in sources), _ledgers([source.name for source in sources])], []


def _raw(source: Source) -> dg.AssetsDefinition:
    key = dg.AssetKey([names.RAW, source.name])

    @dg.asset(
        key=key,
        group_name=names.RAW,
        description=source.description,
        owners=[source.owner],
        kinds={"delta", source.format.type},
        tags={"entity": source.main_entity},
        metadata={"dagster/column_schema": COLUMNS, "declaration": f"catalog/sources/{source.name}.yml"},
        freshness_policy=_freshness(source),
        pool=f"raw_{source.name}",
        check_specs=[
            dg.AssetCheckSpec(
                "contract", asset=key, blocking=True, description="Rows in = loaded + refused; what loaded holds."
            ),
            dg.AssetCheckSpec(
                "quarantine_rate",
                asset=key,
                description=f"At most {source.max_quarantine_rate:.0%} of a batch refused.",
            ),
        ],
    )
    def raw(dock: dg.ResourceParam[Dock]) -> dg.MaterializeResult:
        with dock.progress.step(f"raw/{source.name}") as note:
            limits = Limits.from_settings(dock.settings)
            before = set(dock.lake.files(names.raw_table(source.name)))
            batches: Sequence[Batch] = land_drop_folder(
                dock.lake, source, dock.settings.landing / source.name, limits
            ).batches
            if source.pull:
                batches = [*batches, *pull(dock.lake, source, dock.settings)]
            batches = [*batches, *land_committed(dock, source)]
            new = [batch for batch in batches if not batch.known]
            note(f"{sum(b.rows_loaded for b in new):,} loaded, {sum(b.rows_quarantined for b in new):,} refused")
        gained = sorted(set(dock.lake.files(names.raw_table(source.name))) - before)
        return dg.MaterializeResult(
            metadata=_metadata(dock, source, new),
            check_results=[contract_check(dock.lake, source, gained), quarantine_check(source, new)],
        )

    return raw


def _freshness(source: Source) -> dg.FreshnessPolicy | None:
    if source.freshness is None:
        return None
    warn = timedelta(days=source.freshness.warn_after_days)
    return dg.FreshnessPolicy.time_window(fail_window=2 * warn, warn_window=warn)


def _metadata(dock: Dock, source: Source, new: list[Batch]) -> dict[str, dg.MetadataValue]:
    table = names.raw_table(source.name)
    opened = dock.lake.open(table)
    return {
        "dagster/row_count": dg.MetadataValue.int(0 if opened is None else opened.count()),
        "delta_version": dg.MetadataValue.int(dock.lake.version(table)),
        "new_batches": dg.MetadataValue.int(len(new)),
        "new_rows_loaded": dg.MetadataValue.int(sum(batch.rows_loaded for batch in new)),
        "new_rows_quarantined": dg.MetadataValue.int(sum(batch.rows_quarantined for batch in new)),
        "files": dg.MetadataValue.json([batch.file for batch in new]),
        "path": dg.MetadataValue.path(str(dock.lake.path(table))),
    }


def _ledgers(sources: list[str]) -> dg.AssetsDefinition:
    tables = {
        names.BATCHES: "Every batch that landed: file, bytes, rows in, loaded, refused. One row per batch.",
        names.QUARANTINE: "Every record that was refused, with its bytes and its reasons. One row per record.",
        names.DECISIONS: "Decisions of stewards: records are one person, or never are. One row per pair of a decision.",
    }

    @dg.multi_asset(
        name="ledgers",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(table.split("/")),
                deps=[dg.AssetKey([names.RAW, source]) for source in sources],
                group_name=names.RAW,
                description=description,
                owners=["team:data-platform"],
                kinds={"delta"},
            )
            for table, description in tables.items()
        ],
    )
    def ledgers(dock: dg.ResourceParam[Dock]) -> Iterator[dg.MaterializeResult]:
        for table in tables:
            opened = dock.lake.open(table)
            rows = 0 if opened is None else opened.count()
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(table.split("/")),
                metadata={"dagster/row_count": rows, "delta_version": dock.lake.version(table)},
            )

    return ledgers
