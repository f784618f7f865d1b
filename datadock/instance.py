"""Dagster's instance of a deployment: its folder, and settings that keep it quiet and on this machine."""

from __future__ import annotations

from pathlib import Path

import yaml

_INSTANCE = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    "event_log_storage": {
        "module": "datadock.event_log",
        "class": "SqliteEventLog",
        "config": {"home": {"env": "DAGSTER_HOME"}},
    },
    "concurrency": {"pools": {"granularity": "run", "default_limit": 1}, "runs": {"max_concurrent_runs": 4}},
    "run_monitoring": {"enabled": True, "poll_interval_seconds": 30},
    "freshness": {"enabled": True},
    "retention": {"schedule": {"purge_after_days": 90}, "sensor": {"purge_after_days": {"skipped": 7}}},
}


def prepare_instance(folder: Path) -> Path:
    """Write ``dagster.yaml`` where there is none: no sign-up dialogue, no telemetry, pools of one run.

    Args:
        folder: Dagster's home; created where missing.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "dagster.yaml"
    if not config.exists():
        config.write_text(yaml.safe_dump(_INSTANCE, sort_keys=False), encoding="utf-8")
    seen = folder / ".nux" / "nux.yaml"
    if not seen.exists():
        seen.parent.mkdir(exist_ok=True)
        seen.write_text("seen: 1\n", encoding="utf-8")
    return folder
