"""The whole platform once a day, before people start to work."""

import dagster as dg

from datadock.jobs import PLATFORM


def build() -> dg.ScheduleDefinition:
    """Return the daily schedule."""
    return dg.ScheduleDefinition(
        name="daily_refresh",
        job_name=PLATFORM,
        cron_schedule="0 5 * * *",
        execution_timezone="Europe/Paris",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Pulls, lands and rebuilds everything at 05:00 in Paris.",
    )
