"""How numbers, shares, times and weights are written in the reports; filters of the templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

_THIN = "\u202f"
_TICKS = re.compile(r"`([^`]+)`")


def count(value: Any) -> str:
    """Write a whole number with thin spaces between thousands; a dash where there is none."""
    return "–" if value is None else f"{int(value):,}".replace(",", _THIN)


def share(value: Any) -> str:
    """Write a share of one as a percentage: ``0.4213`` as ``42.1 %``; tiny but not zero as ``< 0.1 %``."""
    if value is None:
        return "–"
    percent = 100 * float(value)
    if 0 < percent < 0.1:
        return f"<{_THIN}0.1{_THIN}%"
    return f"{percent:.1f}{_THIN}%"


def decimal(value: Any, digits: int = 1) -> str:
    """Write a number with a fixed number of decimals."""
    return "–" if value is None else f"{float(value):,.{digits}f}".replace(",", _THIN)


def probability(value: Any) -> str:
    """Write a probability of a model level, small ones with their leading digits."""
    if value is None:
        return "–"
    number = float(value)
    return f"{number:.3f}" if number >= 0.001 or number == 0 else f"{number:.1e}"


def size(value: Any) -> str:
    """Write a number of bytes."""
    if value is None:
        return "–"
    number = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f}{_THIN}{unit}" if unit == "B" else f"{number:.1f}{_THIN}{unit}"
        number /= 1000
    return "–"


def moment(value: Any) -> str:
    """Write a time in UTC to the minute."""
    if value is None or value == "":
        return "–"
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC"


def age(value: datetime | None, now: datetime) -> str:
    """Write how long ago something was: ``3 h``, ``12 days``."""
    if value is None:
        return "never"
    seconds = (now - (value if value.tzinfo else value.replace(tzinfo=UTC))).total_seconds()
    if seconds < 90:
        return "just now"
    if seconds < 5400:
        return f"{round(seconds / 60)} min ago"
    if seconds < 2 * 86400:
        return f"{round(seconds / 3600)} h ago"
    return f"{round(seconds / 86400)} days ago"


def ticks(text: str) -> Markup:
    """Show what stands between back ticks as code."""
    return Markup(_TICKS.sub(r"<code>\1</code>", str(escape(text))))


FILTERS = {
    "count": count,
    "share": share,
    "decimal": decimal,
    "probability": probability,
    "size": size,
    "moment": moment,
    "ticks": ticks,
}
