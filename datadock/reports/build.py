"""Building the reports: gather every page's facts, write them into a fresh folder, then put it in the old one's place.

A reader never sees half a report: the folder is swapped by renaming.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from datadock import __version__, names
from datadock.catalog import Catalog, load_catalog
from datadock.errors import LakeError
from datadock.expect import declared_tables
from datadock.lake import Lake
from datadock.readonly import open_stores, tables
from datadock.reports import charts, data_docs, graphs
from datadock.reports.figures import FILTERS
from datadock.reports.linking import open_linking
from datadock.reports.pages import checks, identity, match, overview, quality, quarantine, treatments
from datadock.reports.reading import Reading
from datadock.settings import Settings
from datadock.validations import Kept, all_kept, forget

TEMPLATES = Path(__file__).parent / "templates"

PAGES = (
    ("index", "Overview"),
    ("match", "Match quality"),
    ("identity", "Linking model"),
    ("quality", "Data quality"),
    ("treatments", "Treatments"),
    ("quarantine", "Quarantine"),
    ("checks", "Checks"),
    ("glossary", "Glossary"),
)
"""Pages in the order of the navigation: file name without ending, and title."""

_DOCS = "data_docs"
_STAMP = ".built-from"


@dataclass(frozen=True)
class ReportSet:
    """The built reports.

    Attributes:
        index: The start page.
        pages: Every page by name; ``data_docs`` is there once a suite has run.
        suites: Data Docs page of each suite, relative to the reports' folder.
        passed: Number of expectations that held, over the newest result of every suite.
        failed: Number of those that did not.
    """

    index: Path
    pages: dict[str, Path]
    suites: dict[str, str]
    passed: int
    failed: int


def build_reports(
    settings: Settings, run_id: str, *, warehouse: Path | None = None, with_data_docs: bool = True
) -> ReportSet:
    """Write the reports of a deployment anew.

    Args:
        settings: The deployment; an empty one (nothing landed, nothing linked) gives a report that says so.
        run_id: The run that is reported.
        warehouse: DuckDB file to read; the one that dbt builds by default.
        with_data_docs: Whether to build Data Docs, which imports Great Expectations (seconds) where a suite has
            run since they were last built.

    Raises:
        CatalogError: When a declaration is wrong.
        WarehouseError: When another process writes the warehouse.
        LakeError: When the reports cannot be written.
    """
    target = settings.reports
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    catalog = load_catalog(settings.catalog)
    kept = _still_declared(settings, catalog)
    try:
        draft.mkdir(parents=True)
        docs = _data_docs(settings, draft, kept) if with_data_docs else {}
        _write_pages(settings, catalog, run_id, draft, kept, docs, warehouse)
        _swap(draft, target)
    except OSError as error:
        raise LakeError(
            f"the reports {target} cannot be written: {error}",
            expected="free space and a folder that may be written",
            action="free space or mend the folder's rights, then run: datadock report",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    pages = {name: target / f"{name}.html" for name, _ in PAGES}
    if docs:
        pages[_DOCS] = target / _DOCS / "index.html"
    failed = sum(len(suite.result.failed) for suite in kept)
    passed = sum(len(suite.result.outcomes) for suite in kept) - failed
    suites = {suite: f"{_DOCS}/{page}" for suite, page in docs.items()}
    return ReportSet(target / "index.html", pages, suites, passed, failed)


def _data_docs(settings: Settings, draft: Path, kept: list[Kept]) -> dict[str, str]:
    """Build Data Docs, or copy those of the standing reports where they show the same validations."""
    facts = "\n".join(f"{suite.result.suite} {suite.result.run_id} {suite.result.measured_at}" for suite in kept)
    stamp = hashlib.sha256(f"{__version__}\n{facts}".encode()).hexdigest()
    standing, folder = settings.reports / _DOCS, draft / _DOCS
    known = standing / _STAMP
    if kept and known.exists() and known.read_text(encoding="ascii") == stamp:
        shutil.copytree(standing, folder)
        return data_docs.pages_of(folder)
    built = data_docs.build_data_docs(settings, folder)
    if built is None:
        return {}
    (folder / _STAMP).write_text(stamp, encoding="ascii")
    return built.pages


def _still_declared(settings: Settings, catalog: Catalog) -> list[Kept]:
    """Return what is kept of the suites; of staging tables that are declared no more it is dropped."""
    declared = {table.model for table in declared_tables(catalog)}
    kept = []
    for suite in all_kept(settings):
        if suite.result.layer == names.STAGING and suite.result.table not in declared:
            forget(settings, suite.result.suite)
        else:
            kept.append(suite)
    return kept


def _write_pages(
    settings: Settings,
    catalog: Catalog,
    run_id: str,
    draft: Path,
    kept: list[Kept],
    docs: dict[str, str],
    warehouse: Path | None,
) -> None:
    now = datetime.now(UTC)
    results = [suite.result for suite in kept]
    with _reading(settings, catalog, run_id, now, warehouse) as reading, open_linking(reading) as linking:
        facts: dict[str, dict[str, Any]] = {
            "index": overview.gather(reading, results),
            "match": match.gather(linking),
            "identity": identity.gather(linking),
            "quality": quality.gather(reading),
            "treatments": treatments.gather(reading),
            "quarantine": quarantine.gather(reading),
            "checks": checks.gather(kept, docs),
            "glossary": {},
        }
    environment = _environment()
    frame = {"pages": PAGES, "run_id": run_id, "now": now, "version": __version__, "docs": docs}
    for name, title in PAGES:
        page = environment.get_template(f"{name}.html.j2")
        text = page.render(**frame, **facts[name], page=name, title=title)
        (draft / f"{name}.html").write_text(text, encoding="utf-8")
    shutil.copy(TEMPLATES / "style.css", draft / "style.css")


@contextmanager
def _reading(
    settings: Settings, catalog: Catalog, run_id: str, now: datetime, warehouse: Path | None
) -> Iterator[Reading]:
    with open_stores(settings, warehouse) as connection:
        yield Reading(connection, tables(connection), settings, catalog, Lake(settings.lake_root), run_id, now)


def build_identity_page(settings: Settings, run_id: str, out: Path | None = None) -> Path:
    """Write the page on linking anew, with the table of thresholds whatever the size of the deployment.

    Args:
        settings: The deployment.
        run_id: The run that is reported.
        out: Folder for the page and its style sheet; the reports' own by default.

    Raises:
        LakeError: When the folder cannot be written.
    """
    now, catalog, folder = datetime.now(UTC), load_catalog(settings.catalog), out or settings.reports
    with _reading(settings, catalog, run_id, now, None) as reading, open_linking(reading) as linking:
        facts = identity.gather(linking, what_if=True)
    docs = data_docs.pages_of(folder / _DOCS) if (folder / _DOCS).exists() else {}
    pages = PAGES if out is None else tuple(page for page in PAGES if page[0] == "identity")
    frame = {"pages": pages, "run_id": run_id, "now": now, "version": __version__, "docs": docs}
    text = (
        _environment()
        .get_template("identity.html.j2")
        .render(**frame, **facts, page="identity", title=dict(PAGES)["identity"])
    )
    target = folder / "identity.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".identity.{secrets.token_hex(4)}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
        shutil.copy(TEMPLATES / "style.css", folder / "style.css")
    except OSError as error:
        raise LakeError(
            f"the page {target} cannot be written: {error}",
            expected="free space and a folder that may be written",
            action="name another folder with --out",
        ) from error
    return target


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(meter=charts.meter, diverging=charts.diverging, shares=graphs.shares)
    return environment


def _swap(draft: Path, target: Path) -> None:
    """Put a finished folder in the place of the standing one, and remove what a killed swap left behind."""
    old = target.with_name(f".{target.name}.old-{secrets.token_hex(4)}")
    if target.exists():
        target.rename(old)
    draft.rename(target)
    for left in target.parent.glob(f".{target.name}.old-*"):
        shutil.rmtree(left, ignore_errors=True)
