"""What damage does to values: columns in, columns out, only the struck rows are touched.

Every function takes a stream of chance, so that the same stream gives the same damage.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from datadock.demo.streams import Mask, Rng, chance, some

NICKNAMES = {
    "Alexandre": "Alex", "Alexandra": "Alex", "Antoine": "Toine", "Benjamin": "Ben", "Benoît": "Ben",
    "Catherine": "Cathy", "Christelle": "Chris", "Christian": "Chris", "Christine": "Chris", "Christophe": "Chris",
    "Daniel": "Dany", "Danielle": "Dany", "David": "Dave", "Élisabeth": "Babeth", "Elisabeth": "Babeth",
    "Emmanuel": "Manu", "Emmanuelle": "Manu", "Fabrice": "Fab", "Florence": "Flo", "Florian": "Flo",
    "François": "Fanfan", "Françoise": "Fanfan", "Frédéric": "Fred", "Frédérique": "Fred", "Gabriel": "Gab",
    "Gabrielle": "Gaby", "Gérard": "Gégé", "Grégory": "Greg", "Gregory": "Greg", "Guillaume": "Guigui",
    "Isabelle": "Isa", "Jacqueline": "Jacotte", "Jean-Claude": "Jean", "Jean-Luc": "Jean", "Jean-Marc": "Jean",
    "Jean-Michel": "Jean", "Jean-Paul": "Jean", "Jean-Pierre": "Jean", "Jonathan": "Jo", "Joseph": "Jo",
    "Laurence": "Lau", "Louis": "Loulou", "Ludovic": "Ludo", "Madeleine": "Mado", "Marguerite": "Margot",
    "Marie-Christine": "Marie", "Marie-Thérèse": "Marie", "Matthieu": "Matt", "Mathieu": "Matt", "Maxime": "Max",
    "Michel": "Mimi", "Mickael": "Mike", "Nathalie": "Nath", "Nicolas": "Nico", "Olivier": "Olive",
    "Pascal": "Pasco", "Patricia": "Pat", "Patrick": "Pat", "Philippe": "Phil", "Pierre": "Pierrot",
    "Raymond": "Ray", "Robert": "Bob", "Sébastien": "Seb", "Stéphane": "Steph", "Stéphanie": "Steph",
    "Suzanne": "Suzie", "Sylvie": "Syl", "Thierry": "Titi", "Thomas": "Tom", "Valérie": "Val", "Véronique": "Véro",
    "Victor": "Vic", "Victoria": "Vicky", "Vincent": "Vince", "Virginie": "Nini", "Yannick": "Yann",
}  # fmt: skip
"""Given names and the short form that people go by."""

JUNK_PHONES = ("0600000000", "0000000000", "0102030405", "0612345678", "99", ".")
JUNK_EMAILS = ("test@test.fr", "inconnu@inconnu.fr", "xx@xx.xx", "aucun", "pasdemail@gmail.com", "noemail@noemail.com")
JUNK_NAMES = ("inconnu", ".", "XXX", "test", "NC", "?")

_LETTERS = pl.Series(list("aeinorstlucdmpb"))


def touch(column: pl.Series, rows: np.ndarray, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return the column with ``change`` applied to the rows at these positions."""
    if len(rows) == 0:
        return column
    return column.scatter(rows, change(column.gather(rows)))


def blank(column: pl.Series, rng: Rng, rate: float) -> pl.Series:
    """Lose values at a rate."""
    if rate <= 0:
        return column
    return touch(column, some(rng, rate, len(column)), _nothing)


def _nothing(part: pl.Series) -> pl.Series:
    return pl.Series([None], dtype=part.dtype).new_from_index(0, len(part))


def typo(column: pl.Series, rng: Rng, rate: float) -> pl.Series:
    """Strike one letter per struck value: lost, doubled, replaced or swapped with the next; never the whole value."""
    if rate <= 0:
        return column
    rows = some(rng, rate, len(column))
    size = len(rows)
    draws = pl.DataFrame(
        {
            "at": rng.random(size),
            "kind": rng.integers(0, 4, size),
            "letter": _LETTERS.gather(rng.integers(0, len(_LETTERS), size)),
        }
    )
    return touch(column, rows, lambda part: _strike(part, draws))


def _strike(part: pl.Series, draws: pl.DataFrame) -> pl.Series:
    text, at = pl.col("text"), pl.col("place")
    frame = draws.with_columns(text=part).with_columns(
        place=(pl.col("at") * (text.str.len_chars() - 1)).fill_null(0).cast(pl.Int64)
    )
    head, letter, tail = text.str.slice(0, at), text.str.slice(at, 1), text.str.slice(at + 1)
    following = text.str.slice(at + 1, 1)
    struck = (
        pl.when(text.str.len_chars() < 3)
        .then(text)
        .when(pl.col("kind") == 0)
        .then(pl.concat_str(head, tail))
        .when(pl.col("kind") == 1)
        .then(pl.concat_str(head, letter, letter, tail))
        .when(pl.col("kind") == 2)
        .then(pl.concat_str(text.str.slice(0, at + 1), pl.col("letter"), text.str.slice(at + 2)))
        .otherwise(pl.concat_str(head, following, letter, text.str.slice(at + 2)))
    )
    return frame.select(struck.alias(part.name))[part.name]


def nickname(column: pl.Series, rng: Rng, rate: float) -> pl.Series:
    """Put the short form of a given name in its place."""
    return touch(column, some(rng, rate, len(column)), lambda part: part.replace(NICKNAMES))


def loosen_hyphen(column: pl.Series, rng: Rng, rate: float) -> pl.Series:
    """Write a compound given name with a space, or keep its first part only."""
    compound = np.flatnonzero(column.str.contains("-", literal=True).fill_null(value=False).to_numpy())
    struck = compound[chance(rng, rate, len(compound))]
    cut = chance(rng, 0.4, len(struck))
    column = touch(column, struck[~cut], lambda part: part.str.replace("-", " ", literal=True))
    return touch(column, struck[cut], lambda part: part.str.split("-").list.first())


def junk(column: pl.Series, rng: Rng, rate: float, values: tuple[str, ...]) -> pl.Series:
    """Put a value in place that people type to be left in peace."""
    rows = some(rng, rate, len(column))
    put = pl.Series(values).gather(rng.integers(0, len(values), len(rows)))
    return column.scatter(rows, put) if len(rows) else column


def upper(column: pl.Series, rows: Mask) -> pl.Series:
    """Write the masked rows in capitals."""
    return touch(column, np.flatnonzero(rows), lambda part: part.str.to_uppercase())


def written_date(days: pl.Series, rng: Rng, usual: str, mixed: float, others: tuple[str, ...]) -> pl.Series:
    """Write dates in the usual format of the feed, a share of them in another."""
    text = days.dt.strftime(usual)
    rows = some(rng, mixed, len(days))
    which = rng.integers(0, len(others), len(rows))
    for position, pattern in enumerate(others):
        chosen = rows[which == position]
        if len(chosen):
            text = text.scatter(chosen, days.gather(chosen).dt.strftime(pattern))
    return text


def shaken_birth_date(days: pl.Series, rng: Rng, swapped: float, wrong: float) -> pl.Series:
    """Swap day and month of some dates, and put others off by years or days."""
    rows = some(rng, swapped, len(days))
    days = touch(days, rows, _swap_day_and_month)
    rows = some(rng, wrong, len(days))
    shift = pl.Series(np.array([366, -365, 10, -10, 1, 3652, -3653])[rng.integers(0, 7, len(rows))])
    return touch(days, rows, lambda part: _shifted(part, shift))


def _shifted(part: pl.Series, days: pl.Series) -> pl.Series:
    return (part.cast(pl.Int32) + days.cast(pl.Int32)).cast(pl.Date)


def _swap_day_and_month(part: pl.Series) -> pl.Series:
    name = "day"
    frame = part.alias(name).to_frame()
    day, month = pl.col(name).dt.day(), pl.col(name).dt.month()
    swapped = (
        pl.when(day <= 12)
        .then(pl.date(pl.col(name).dt.year(), pl.min_horizontal(day, 12), month))
        .otherwise(pl.col(name))
    )
    return frame.select(swapped.alias(name))[name].alias(part.name)
