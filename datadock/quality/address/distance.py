"""How close two short names are: edit distance with swaps, and Jaro-Winkler similarity.

Asked only for the few candidates of one postal code and once per distinct name, so plain Python suffices.
"""

from __future__ import annotations


def edits(left: str, right: str, limit: int = 3) -> int:
    """Give the number of insertions, deletions, replacements and swaps of neighbours, at most ``limit + 1``."""
    if abs(len(left) - len(right)) > limit or max(len(left), len(right)) - shared_letters(left, right) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i] + [0] * len(right)
        for j, b in enumerate(right, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                row[j] = min(row[j], older[j - 2] + 1)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def shared_letters(left: str, right: str) -> int:
    """Give how many letters two texts have in common, in any order."""
    rest = right
    for char in left:
        rest = rest.replace(char, "", 1)
    return len(right) - len(rest)


def may_be_near(left: str, right: str, near: float) -> bool:
    """Whether the Jaro-Winkler similarity can reach a value at all, by the letters that two texts share."""
    common = shared_letters(left, right)
    if not common:
        return left == right
    most = (common / len(left) + common / len(right) + 1) / 3
    return most + 0.4 * (1 - most) >= near


def jaro_winkler(left: str, right: str) -> float:
    """Give the Jaro-Winkler similarity, 0 to 1."""
    if left == right:
        return 1.0
    if not left or not right:
        return 0.0
    reach = max(len(left), len(right)) // 2 - 1
    taken = [False] * len(right)
    mine = []
    for i, char in enumerate(left):
        for j in range(max(0, i - reach), min(len(right), i + reach + 1)):
            if not taken[j] and right[j] == char:
                taken[j] = True
                mine.append(char)
                break
    if not mine:
        return 0.0
    theirs = [right[j] for j, used in enumerate(taken) if used]
    swaps = sum(a != b for a, b in zip(mine, theirs, strict=True)) / 2
    common = len(mine)
    jaro = (common / len(left) + common / len(right) + (common - swaps) / common) / 3
    prefix = 0
    for a, b in zip(left[:4], right[:4], strict=False):
        if a != b:
            break
        prefix += 1
    return jaro + prefix * 0.1 * (1 - jaro)


def one_digit_apart(left: str, right: str) -> int:
    """Give the place (1 to 5) of the only digit in which two codes differ, 0 when they differ otherwise."""
    if len(left) != len(right):
        return 0
    places = [at for at, (a, b) in enumerate(zip(left, right, strict=True), 1) if a != b]
    return places[0] if len(places) == 1 else 0
