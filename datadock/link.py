"""Linking any files by a catalog alone, outside the platform's stores.

The files go through the same landing, staging and identity code as in the platform, in a temporary
home that is removed afterwards. Nothing is learned from and nothing left in the platform.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from datadock.catalog import Catalog, Source, load_catalog
from datadock.catalog.fields import MODEL
from datadock.contact_points import update_values
from datadock.dock import Progress
from datadock.errors import CatalogError, DatadockError
from datadock.identity import Workspace, assign_identities, score_pairs, update_features
from datadock.identity.features import linking_fields
from datadock.identity.memberships import current_memberships, read_log
from datadock.lake import Lake
from datadock.landing.land import land_file
from datadock.names import raw_table
from datadock.warehouse.staging_sql import staging_columns, staging_select

_SECRET = "link"
_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
"""Founding time of the ids that a link gives, so that linking the same files twice gives the same ids."""


@dataclass(frozen=True)
class LinkSummary:
    """What linking found.

    Attributes:
        out: The file written.
        sources: Source to number of its records.
        quarantined: Records that could not be read.
        contacts: Golden contacts found.
        duplicates_within: Records that are not the first of their source in their contact.
        duplicates_between: Contacts that records of more than one source make.
        largest: Records of the largest contact.
        models: Party type to version of the model that was trained.
        notes: What was left out of the comparison, and why.
    """

    out: str
    sources: dict[str, int]
    quarantined: int
    contacts: int
    duplicates_within: int
    duplicates_between: int
    largest: int
    models: dict[str, str]
    notes: tuple[str, ...]

    @property
    def records(self) -> int:
        """Records linked."""
        return sum(self.sources.values())

    def __str__(self) -> str:
        """Write the summary for a person."""
        listed = ", ".join(f"{name} {count:,}" for name, count in self.sources.items())
        lines = [
            f"{self.records:,} records ({listed}) are {self.contacts:,} contacts",
            f"  {self.duplicates_within:,} duplicates within a source, "
            f"{self.duplicates_between:,} contacts known to several sources, largest contact {self.largest} records",
        ]
        if self.quarantined:
            lines.append(f"  {self.quarantined:,} records could not be read and are not linked")
        lines.extend(f"  note: {note}" for note in self.notes)
        return "\n".join([*lines, f"written to {self.out}"])


def link(catalog_dir: Path, data_dir: Path | None, out: Path, progress: Progress | None = None) -> LinkSummary:
    """Link the records of the files that a catalog declares.

    Args:
        catalog_dir: Folder with ``sources/*.yml``.
        data_dir: Folder that the patterns of the sources are resolved in; the catalog's by default.
        out: Result, ``.parquet`` or ``.csv``: source, source_key, golden_id, a row per record.
        progress: Told what is being done.

    Raises:
        CatalogError: When a declaration is wrong or no source holds contacts.
        DatadockError: When a source has no file, or the result's suffix is neither.
        ModelError: When the declared fields do not tell records apart.
    """
    if out.suffix not in (".parquet", ".csv"):
        raise DatadockError(
            f"{out} is neither parquet nor csv", expected="a name that ends in .parquet or .csv", action="rename --out"
        )
    progress = progress or Progress()
    catalog = load_catalog(catalog_dir)
    files = _files(catalog, data_dir or catalog_dir)
    with tempfile.TemporaryDirectory(prefix="datadock-link-") as folder:
        lake = Lake(Path(folder) / "lake")
        with progress.step("land") as told:
            quarantined = _land(lake, catalog, files)
            told(f"{sum(len(paths) for paths in files.values())} file(s)")
        workspace = Workspace(lake, catalog, Path(folder) / "link.duckdb", "link", datetime.now(UTC), _SECRET)
        with progress.step("stage"):
            stage_contacts(workspace, list(files))
        with progress.step("normalise") as told:
            update_values(workspace)
            told(f"{update_features(workspace).contacts:,} contacts")
        with progress.step("compare") as told:
            pairs = score_pairs(workspace, blocking=False)
            told(f"{pairs.candidates:,} pairs looked at, {pairs.pairs:,} kept")
        with progress.step("cluster") as told:
            members = assign_identities(workspace, blocking=False)
            told(f"{members.golden:,} golden contacts")
        found = current_memberships(read_log(workspace)).drop_nulls("golden_id").sort("source", "source_key")
    _write(found, out)
    notes = (*pairs.notes, *(str(finding) for finding in (*pairs.findings, *members.findings)))
    return _summary(found, out, list(files), quarantined, pairs.models, notes)


def _files(catalog: Catalog, folder: Path) -> dict[str, list[Path]]:
    sources = catalog.with_entity("contact")
    if not sources:
        raise CatalogError(
            f"no source of {catalog.folder} holds contacts",
            expected="an entity `contact` in at least one declaration",
            action="see the README, Linking any files",
        )
    found = {source.name: sorted(p for p in folder.glob(source.pattern) if p.is_file()) for source in sources}
    for source in sources:
        if not found[source.name]:
            raise DatadockError(
                f"no file of {source.name} in {folder}",
                expected=f"at least one that matches {source.pattern!r}",
                action="name the folder of the files with --data, or mend `pattern` in the declaration",
            )
    return found


def _land(lake: Lake, catalog: Catalog, files: dict[str, list[Path]]) -> int:
    batches = [land_file(lake, catalog.source(name), path) for name, paths in files.items() for path in paths]
    return sum(batch.rows_quarantined for batch in batches)


def stage_contacts(workspace: Workspace, sources: list[str]) -> None:
    """Make the workspace's warehouse from the raw contacts of some sources: the one table that identity reads."""
    con = duckdb.connect(str(workspace.warehouse))
    try:
        con.execute("set timezone = 'UTC'")
        con.execute("create schema intermediate")
        parts = "\nunion all by name\n".join(
            f"(select * from (\n{part}))"
            for part in _selects(workspace, [workspace.catalog.source(s) for s in sources])
        )
        if not parts:
            raise DatadockError(
                f"the files of {', '.join(sources)} hold no record that could be read",
                expected="at least one record with its key",
                action="look at the files: are they empty, or is their format declared wrong?",
            )
        con.execute(f"create table intermediate.int_source_contact as {parts}")
    finally:
        con.close()


def _selects(workspace: Workspace, sources: list[Source]) -> Iterator[str]:
    wanted = [*MODEL["contact"], *(f for f in linking_fields(workspace.catalog) if f not in MODEL["contact"])]
    moment = f"timestamptz '{_MOMENT.isoformat()}'"
    for source in sources:
        relation = workspace.scan(raw_table(source.name))
        if relation is None:
            continue
        columns = staging_columns(source, "contact")
        fields = ", ".join(f'"{name}"' if name in columns else f'null::varchar as "{name}"' for name in wanted)
        yield (
            f"select source, source_key, party_type, {fields}, record_updated_at, _batch_id, _file, _line, "
            f"{moment} as _received_at from ({staging_select(source, 'contact', relation)})"
        )


def _write(found: pl.DataFrame, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.draft")
    if out.suffix == ".csv":
        found.write_csv(draft)
    else:
        found.write_parquet(draft)
    draft.replace(out)


def _summary(
    found: pl.DataFrame, out: Path, sources: list[str], quarantined: int, models: dict[str, str], notes: tuple[str, ...]
) -> LinkSummary:
    by_source = found.group_by("golden_id", "source").agg(n=pl.len())
    by_contact = by_source.group_by("golden_id").agg(sources=pl.len(), n=pl.col("n").sum())
    counts = dict(found.group_by("source").len().iter_rows())
    return LinkSummary(
        out=str(out),
        sources={name: counts.get(name, 0) for name in sources},
        quarantined=quarantined,
        contacts=by_contact.height,
        duplicates_within=int((by_source["n"] - 1).sum()),
        duplicates_between=int((by_contact["sources"] > 1).sum()),
        largest=int(by_contact["n"].max() or 0),  # type: ignore[arg-type]  # an integer column
        models=models,
        notes=notes,
    )
