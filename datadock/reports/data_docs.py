"""Data Docs that open without a network: built by Great Expectations, then given their own assets.

As generated, each page loads about ten assets from public CDNs, a logo that reports every view, and a newsletter
footer. The assets come along from ``assets/``; what no page needs (charts, logo, footer) is taken out.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datadock.errors import DatadockError
from datadock.expect import quiet_context
from datadock.reports.offline import external_references
from datadock.settings import Settings
from datadock.validations import Kept, all_kept

ASSETS = Path(__file__).parent / "assets"

_OWN = {
    "bootstrap-table.min.css": "bootstrap-table.min.css",
    "bootstrap.min.css": "bootstrap.min.css",
    "bootstrap-table-filter-control.css": "bootstrap-table-filter-control.min.css",
    "bootstrap-table-filter-control.min.css": "bootstrap-table-filter-control.min.css",
    "bootstrap-datepicker.min.css": "bootstrap-datepicker.min.css",
    "bootstrap-prefers-dark.css": "bootstrap-prefers-dark.min.css",
    "all.min.css": "icons.css",
    "jquery-3.7.1.min.js": "jquery.min.js",
    "popper.min.js": "popper.min.js",
    "bootstrap.min.js": "bootstrap.min.js",
    "bootstrap-table.min.js": "bootstrap-table.min.js",
    "bootstrap-table-filter-control.min.js": "bootstrap-table-filter-control.min.js",
    "bootstrap-datepicker.min.js": "bootstrap-datepicker.min.js",
}
"""File name at the end of a CDN address, and the file of ours that stands for it."""

_LINKED = re.compile(r"<(?:link|script)\b[^>]*?(?:href|src)=\"(https?://[^\"]+)\"[^>]*>(?:\s*</script>)?")
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL)
_LOGO = re.compile(r"<img\b[^>]*?class=\"NO-CACHE\"[^>]*>", re.DOTALL)
_OUTSIDE_LINK = re.compile(r"<a\b[^>]*href=\"https?://[^\"]*\"[^>]*>(.*?)</a>", re.DOTALL)
_OUTSIDE_STYLE = re.compile(r"[a-z-]+:\s*url\(['\"]?https?://[^)]*\)[^;}]*;?")
_ICON = re.compile(r"href=\"[^\"]*static/images/favicon\.ico\"")
_HTML = re.compile(r"<html\b[^>]*>")
_BRAND = '<div class="float-left navbar-brand m-0 h-100">'
_DOUBLE_TITLE = re.compile(r"<title>\s*</title>")
_STYLE = """<style>
.navbar-brand a.dock-home { font-size: 1rem; font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; }
@media (max-width: 600px) { .pl-5, .pr-5 { padding-left: 1rem !important; padding-right: 1rem !important; } }
</style>
</head>"""


@dataclass(frozen=True)
class DataDocs:
    """A built site.

    Attributes:
        index: The start page.
        pages: The newest validation's page per suite, relative to the site's folder.
    """

    index: Path
    pages: dict[str, str]


def build_data_docs(settings: Settings, folder: Path) -> DataDocs | None:
    """Build the Data Docs of the newest validation of every suite.

    Args:
        settings: The deployment whose validations are shown.
        folder: Where the site goes; created, and replaced where it exists.

    Returns:
        The site; None while no suite has run.

    Raises:
        DatadockError: When a page would load something from outside.
    """
    kept = list(all_kept(settings))
    shutil.rmtree(folder, ignore_errors=True)
    if not kept:
        return None
    folder.mkdir(parents=True)
    context = quiet_context(folder)
    for validation in kept:
        _restore(context, validation)
    context.build_data_docs()
    for unused in ("fonts", "styles"):  # the pages hold their styles, and name none of these fonts
        shutil.rmtree(folder / "static" / unused, ignore_errors=True)
    for image in (folder / "static" / "images").glob("*"):
        if image.name != "favicon.ico":
            image.unlink()
    shutil.copytree(ASSETS, folder / "assets")
    for page in folder.rglob("*.html"):
        up = "../" * (len(page.relative_to(folder).parts) - 1)
        page.write_text(rewritten(page.read_text(encoding="utf-8"), up), encoding="utf-8")
    left = external_references(folder)
    if left:
        raise DatadockError(
            f"Data Docs would load {left[0].url} (in {left[0].file.name})",
            expected="pages that load nothing from outside",
            action="teach datadock/reports/data_docs.py the address that this version of Great Expectations writes",
        )
    return DataDocs(folder / "index.html", pages_of(folder))


def pages_of(folder: Path) -> dict[str, str]:
    """Return the validation page of each suite of a built site, relative to its folder."""
    found = sorted((folder / "validations").rglob("*.html"))
    return {page.relative_to(folder).parts[1]: page.relative_to(folder).as_posix() for page in found}


def _restore(context: Any, kept: Kept) -> None:
    """Put a kept suite and its validation into the context's stores."""
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    import expectations.measure  # noqa: F401  # defines the suites' own kind of expectation

    context.suites.add(ExpectationSuite(**kept.suite))
    validation = kept.validation
    results = [
        ExpectationValidationResult(
            success=found["success"],
            expectation_config=ExpectationConfiguration(**found["expectation_config"]),
            result=found["result"],
            meta=found["meta"],
            exception_info=found["exception_info"],
        )
        for found in validation["results"]
    ]
    asset = f"{kept.result.layer}.{kept.result.table}"
    meta = {
        "great_expectations_version": validation["meta"]["great_expectations_version"],
        "run_id": validation["meta"]["run_id"],
        "batch_spec": {"data_asset_name": asset},
    }
    run = RunIdentifier(**validation["meta"]["run_id"])
    key = ValidationResultIdentifier(ExpectationSuiteIdentifier(kept.result.suite), run, asset)
    context.validation_results_store.set(
        key,
        ExpectationSuiteValidationResult(
            success=validation["success"],
            results=results,
            suite_name=kept.result.suite,
            suite_parameters={},
            statistics=validation["statistics"],
            meta=meta,
        ),
    )


def rewritten(text: str, up: str) -> str:
    """Return a generated page that loads its own assets, without what reports or advertises.

    Args:
        text: The page as generated.
        up: Way from the page to the site's folder: empty, or some ``../``.
    """
    text = _LINKED.sub(lambda found: _own(found, up), text)
    text = _FOOTER.sub("", text)
    text = _LOGO.sub("Data Docs", text)
    text = _OUTSIDE_LINK.sub(r"\1", text)
    text = _OUTSIDE_STYLE.sub("", text)
    text = _ICON.sub(f'href="{up}static/images/favicon.ico"', text)
    text = _DOUBLE_TITLE.sub("", text)
    text = _HTML.sub('<html lang="en">', text, count=1)
    text = text.replace("</head>", _STYLE, 1)
    return text.replace(_BRAND, f'{_BRAND}<a class="dock-home" href="{up}../index.html">← Reports</a>&ensp;', 1)


def _own(found: re.Match[str], up: str) -> str:
    address = found.group(1)
    own = _OWN.get(address.rsplit("/", 1)[-1])
    if own is None:
        return ""
    if own.endswith(".js"):
        return f'<script src="{up}assets/{own}"></script>'
    return f'<link rel="stylesheet" href="{up}assets/{own}">'
