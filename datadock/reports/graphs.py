"""Drawings of linking as inline SVG: why a pair weighs what it weighs, what holds a cluster together.

As in ``charts``: no script, the page's colours, and a title in words for those who do not see the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from datadock.identity.explanation import Explanation
from datadock.reports.model_file import Level

_ROW = 22


@dataclass(frozen=True)
class Link:
    """An edge of a cluster: two members by place, its bits, and whether people decided it."""

    one: int
    other: int
    bits: float
    decided: bool = False


def shares(level: Level) -> Markup:
    """Draw how often a level is seen between records of one party (above) and between strangers (below)."""
    told = f"{level.label}: {level.m:.3f} between records of one party, {level.u:.2g} between strangers"
    return Markup(
        '<svg class="shares" width="120" height="14" viewBox="0 0 100 14" preserveAspectRatio="none" role="img">'
        f'<title>{escape(told)}</title><rect class="bar high" width="{max(100 * level.m, 0.5):.2f}" height="6"/>'
        f'<rect class="bar low" y="8" width="{max(100 * level.u, 0.5):.2f}" height="6"/></svg>'
    )


def waterfall(pair: Explanation, threshold: float) -> Markup:
    """Draw how a pair comes to its weight: from the odds of any pair, piece by piece, to the sum.

    Args:
        pair: Why it weighs what it weighs.
        threshold: Bits from which records join; a dashed line.
    """
    known = [one for one in pair.evidence if one.level != "unknown"]
    steps = [("any two records", pair.prior), *((one.words.rsplit(":", 1)[0], one.bits) for one in known)]
    if abs(pair.household) >= 0.05:
        steps.append(("shared by a household as well", pair.household))
    sums = [0.0]
    for _, bits in steps:
        sums.append(sums[-1] + bits)
    low, high = min(*sums, threshold, 0.0), max(*sums, threshold, 0.0)
    left, wide, tall = 330, 800, _ROW * (len(steps) + 1) + 30
    unit = (wide - left - 60) / max(high - low, 1.0)

    def x(bits: float) -> float:
        return left + (bits - low) * unit

    told = "; ".join(f"{words} {bits:+.1f}" for words, bits in steps)
    parts = [
        f'<svg class="chart waterfall" width="{wide}" height="{tall}" viewBox="0 0 {wide} {tall}" role="img">'
        f"<title>{escape(told)}; together {pair.weight:+.1f} bits</title>",
        f'<line class="mark" x1="{x(threshold):.1f}" x2="{x(threshold):.1f}" y1="4" y2="{tall - 22}"/>'
        f'<text class="axis" x="{x(threshold):.1f}" y="{tall - 6}" text-anchor="middle">'
        f"joined from {threshold:g} bits</text>",
    ]
    for place, (words, bits) in enumerate(steps):
        parts += _step(words, bits, x(sums[place]), x(sums[place + 1]), place * _ROW + 6, left)
    parts += _step("together", pair.weight, x(0.0), x(pair.weight), len(steps) * _ROW + 6, left, total=True)
    return Markup("".join([*parts, "</svg>"]))


def _step(
    words: str, bits: float, start: float, end: float, y: float, left: float, *, total: bool = False
) -> list[str]:
    tone = "" if total else ("high" if bits >= 0 else "lost")
    weight = ' class="strong"' if total else ""
    shown = words if len(words) <= 42 else words[:41] + "…"
    return [
        f'<text x="{left - 12}" y="{y + 12}" text-anchor="end"{weight}>{escape(shown)}</text>',
        f'<rect class="bar {tone}" x="{min(start, end):.1f}" y="{y}" width="{max(abs(end - start), 1.0):.1f}" '
        f'height="{_ROW - 7}"><title>{escape(words)}: {bits:+.1f} bits</title></rect>',
        f'<text x="{max(start, end) + 6:.1f}" y="{y + 12}"{weight}>{bits:+.1f}</text>',
    ]


def cluster_graph(names: Sequence[str], links: Sequence[Link], threshold: float) -> Markup:
    """Draw records as a ring and what is known between them as lines: the stronger, the wider.

    Args:
        names: What each record is called, in words; they are numbered from 1 in the picture.
        links: Edges of which a weight is kept or that people decided.
        threshold: Bits from which records join; weaker edges are dashed.
    """
    size = 220 if len(names) <= 4 else 300
    middle, ring = size / 2, size / 2 - 30
    spots = [
        (middle + ring * math.sin(2 * math.pi * n / len(names)), middle - ring * math.cos(2 * math.pi * n / len(names)))
        for n in range(len(names))
    ]
    told = f"{len(names)} records and {len(links)} weighed pairs"
    parts = [
        f'<svg class="graph" width="{size}" height="{size}" viewBox="0 0 {size} {size}" role="img">'
        f"<title>{escape(told)}</title>"
    ]
    for link in sorted(links, key=lambda one: one.bits):
        (x1, y1), (x2, y2) = spots[link.one], spots[link.other]
        tone = "decided" if link.decided else "edge" if link.bits >= threshold else "edge weak"
        width = 1.0 if link.bits < threshold else min(1.2 + max(link.bits, 0.0) / 6, 5.0)
        words = "decided by a person" if link.decided else f"{link.bits:+.1f} bits"
        parts.append(
            f'<line class="{tone}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="{width:.1f}">'
            f"<title>{link.one + 1} and {link.other + 1}: {words}</title></line>"
        )
    radius = 15 if len(names) <= 16 else 8
    for number, ((x, y), name) in enumerate(zip(spots, names, strict=True), start=1):
        label = f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle">{number}</text>' if radius > 10 else ""
        parts.append(
            f'<g class="node"><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"><title>{number}: {escape(name)}</title>'
            f"</circle>{label}</g>"
        )
    return Markup("".join([*parts, "</svg>"]))
