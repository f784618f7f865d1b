"""What exists, in flow order. Bodies are thin: read, call one function of the core, write, report.

``LAYERS`` is the table of contents; each layer builds its assets and checks from the opened dock.
"""

from collections.abc import Callable
from typing import Any

import dagster as dg

from assets import golden, marts, quality, raw, staging
from datadock import names
from datadock.checks import is_suite
from datadock.dock import Dock

Built = tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]

LAYERS: dict[str, Callable[[Dock], Built]] = {
    names.RAW: raw.build,
    names.STAGING: staging.build,
    names.QUALITY: quality.build,
    names.GOLDEN: golden.build,
    names.MARTS: marts.build,
}


def build(dock: Dock) -> tuple[list[Any], list[Any]]:
    """Return every asset and every separate check of a deployment, in flow order."""
    found: list[Any] = []
    checks: list[Any] = []
    for layer in LAYERS.values():
        layer_assets, layer_checks = layer(dock)
        found += layer_assets
        checks += [one for one in layer_checks if dock.settings.has("expectations") or not is_suite(one)]
    return found, checks
