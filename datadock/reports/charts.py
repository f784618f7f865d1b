"""Small charts as inline SVG: they need no script, follow the page's colours, and say in words what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from datadock.reports.figures import count

_TALL, _LEFT, _TOP = 260, 60, 40
_FLOOR = _TALL - 40
_ONE_RUN = Markup('<span class="muted" title="A trend needs two runs">–</span>')


@dataclass(frozen=True)
class Bar:
    """One column of a histogram.

    Attributes:
        start: Where it begins on the axis.
        label: What it is called in its tooltip.
        value: Its height.
        tone: Class of its colour: empty, ``low``, ``middle`` or ``high``.
    """

    start: float
    label: str
    value: float
    tone: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a whole.

    Attributes:
        label: What it is called in the tooltip.
        value: How many.
        tone: Class of its colour.
    """

    label: str
    value: int
    tone: str


def stacked(parts: Sequence[Part], words: str) -> Markup:
    """Draw the parts of a whole beside each other, as wide as their shares.

    Args:
        parts: The parts; nothing is drawn where they are all zero.
        words: What the whole is.
    """
    whole = sum(part.value for part in parts)
    if not whole:
        return Markup("")
    told = ", ".join(f"{part.label} {count(part.value)}" for part in parts if part.value)
    drawn, x = [], 0.0
    for part in parts:
        wide = 100 * part.value / whole
        if part.value:
            drawn.append(f'<rect class="{escape(part.tone)}" x="{x:.2f}" width="{wide:.2f}" height="12"/>')
        x += wide
    return Markup(
        '<svg class="parts" width="150" height="12" viewBox="0 0 100 12" preserveAspectRatio="none" role="img">'
        f"<title>{escape(words)}: {escape(told)}</title>{''.join(drawn)}</svg>"
    )


def sparkline(values: Sequence[float | None], words: str) -> Markup:
    """Draw a trend of shares between 0 and 1; a change of less than two points stays flat.

    Args:
        values: Shares, oldest first; None where there was none.
        words: What the line shows; read out by screen readers.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return _ONE_RUN
    change = 100 * (known[-1] - known[0])
    told = f"{words}: {100 * known[0]:.1f} % to {100 * known[-1]:.1f} % over {len(known)} runs ({change:+.1f} points)"
    return _spark(values, told, least_spread=0.02)


def line(values: Sequence[float | None], words: str) -> Markup:
    """Draw a trend of any number; a change of less than a fiftieth stays flat."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return _ONE_RUN
    told = f"{words}: {known[0]:g} to {known[-1]:g} over {len(known)} runs"
    return _spark(values, told, least_spread=max(abs(value) for value in known) / 50 or 1.0)


def _spark(values: Sequence[float | None], told: str, least_spread: float) -> Markup:
    width, height, margin = 96, 24, 3
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    low, high = min(v for _, v in known), max(v for _, v in known)
    spread, middle = max(high - low, least_spread), (high + low) / 2
    across, down = (width - 2 * margin) / (len(values) - 1), height - 2 * margin
    points = [(margin + place * across, height / 2 - (value - middle) / spread * down) for place, value in known]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        f'<svg class="spark" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">'
        f'<title>{escape(told)}</title><polyline points="{joined}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/></svg>'
    )


def meter(value: float | None, words: str, tone: str = "") -> Markup:
    """Draw a share as a bar of its track."""
    if value is None:
        return Markup("")
    filled = max(0.0, min(1.0, float(value))) * 100
    return Markup(
        f'<svg class="meter {escape(tone)}" width="72" height="8" viewBox="0 0 100 8" preserveAspectRatio="none" '
        f'role="img"><title>{escape(words)}: {filled:.1f} %</title><rect class="track" width="100" height="8" rx="2"/>'
        f'<rect class="fill" width="{filled:.2f}" height="8" rx="2"/></svg>'
    )


def histogram(
    bars: Sequence[Bar],
    words: str,
    *,
    step: float,
    marks: Sequence[tuple[float, str]] = (),
    unit: str = "",
    width: int = 860,
) -> Markup:
    """Draw a histogram over a numeric axis.

    Args:
        bars: Columns in the order of the axis; gaps stay empty.
        words: What the chart shows.
        step: Width of a column on the axis.
        marks: Vertical lines: where, and what they are.
        unit: Unit of the axis.
        width: Width of the picture in pixels.
    """
    if not bars:
        return Markup('<p class="muted">Nothing to draw yet.</p>')
    low = min([bars[0].start, *(where for where, _ in marks)])
    high = max([bars[-1].start + step, *(where + step / 2 for where, _ in marks)])
    axes = _Axes(low, high, max(bar.value for bar in bars) or 1, width)
    size = f'width="{width}" height="{_TALL}" viewBox="0 0 {width} {_TALL}"'
    parts = [f'<svg class="chart" {size} role="img"><title>{escape(words)}</title>']
    parts += _grid(axes, unit)
    parts += [_column(axes, bar, step) for bar in bars]
    parts += [_mark(axes, where, label, number) for number, (where, label) in enumerate(sorted(marks))]
    return Markup("".join([*parts, "</svg>"]))


@dataclass(frozen=True)
class _Axes:
    """Where numbers stand in the picture."""

    low: float
    high: float
    highest: float
    width: int

    def x(self, where: float) -> float:
        return _LEFT + (where - self.low) * self.unit

    @property
    def unit(self) -> float:
        return (self.width - _LEFT - 8) / (self.high - self.low)

    def y(self, value: float) -> float:
        return _FLOOR - value / self.highest * (_FLOOR - _TOP)


def _grid(axes: _Axes, unit: str) -> list[str]:
    parts = []
    for value in (0, axes.highest / 2, axes.highest) if axes.highest >= 10 else (0, axes.highest):
        y = axes.y(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{axes.width - 8}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{count(value)}</text>')
    every = _tick((axes.high - axes.low) * 860 / axes.width)
    tick = every * -(-axes.low // every)
    while tick <= axes.high:
        parts.append(
            f'<text class="axis" x="{axes.x(tick):.1f}" y="{_FLOOR + 16}" text-anchor="middle">{tick or 0:g}</text>'
        )
        tick += every
    parts.append(f'<text class="axis" x="{axes.width - 8}" y="{_TALL - 3}" text-anchor="end">{escape(unit)}</text>')
    return parts


def _column(axes: _Axes, bar: Bar, step: float) -> str:
    tall = max(_FLOOR - axes.y(bar.value), 1.5) if bar.value else 0
    return (
        f'<rect class="bar {escape(bar.tone)}" x="{axes.x(bar.start) + 0.5:.1f}" y="{_FLOOR - tall:.1f}" '
        f'width="{max(step * axes.unit - 1.5, 1):.1f}" height="{tall:.1f}"><title>{escape(bar.label)}</title></rect>'
    )


def _mark(axes: _Axes, where: float, label: str, number: int) -> str:
    x = axes.x(where)
    right = x > axes.width / 2
    return (
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 20}" y2="{_FLOOR}"/>'
        f'<text class="marked" x="{x + (-5 if right else 5):.1f}" y="{_TOP - 22 + 13 * (number % 2):.1f}" '
        f'text-anchor="{"end" if right else "start"}">{escape(label)}</text>'
    )


def _tick(spread: float) -> float:
    """Return a round distance between ticks that puts about eight on the axis."""
    for distance in (1, 2, 5, 10, 20, 50, 100, 200, 500):
        if spread / distance <= 12:
            return float(distance)
    return float(1000)


def diverging(value: float | None, largest: float) -> Markup:
    """Draw a match weight as a bar to the right (for) or to the left (against) of a middle line."""
    if value is None:
        return Markup("")
    half = max(largest, 1.0)
    long = min(abs(value) / half, 1.0) * 50
    x = 50.0 if value >= 0 else 50 - long
    tone = "high" if value >= 0 else "low"
    return Markup(
        f'<svg class="weight" width="160" height="10" viewBox="0 0 100 10" preserveAspectRatio="none" role="img">'
        f"<title>{value:+.1f} bits</title>"
        f'<rect class="bar {tone}" x="{x:.2f}" y="1" width="{long:.2f}" height="8"/>'
        f'<line class="mark" x1="50" x2="50" y1="0" y2="10"/></svg>'
    )
