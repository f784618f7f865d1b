"""Streets of the plain shape, read by Polars expressions: number, repetition, type and name, or a hamlet.

Only what the one-line path would read the same way is taken: Latin letters without markup, no word that could
open a complement or a box. A street is read without its number, so that each distinct one is read once; which
place it lies in is no question here.
"""

from __future__ import annotations

import polars as pl

from datadock.quality.address.abbreviate import shorten
from datadock.quality.address.model import STREET_LENGTH
from datadock.quality.address.words import (
    INSIDE,
    INSIDE_WITH_MARK,
    MARK_WORDS,
    ORDINAL_WORDS,
    OUTSIDE,
    OUTSIDE_PAIRS,
    OUTSIDE_WITH_MARK,
    OUTSIDE_WITH_NAME,
    REPETITIONS,
    STRONG_TYPES,
    street_types,
    type_starts,
)
from datadock.quality.fold import fold
from datadock.quality.reference.tables import Reference

_LETTERS = r"A-Za-zÀ-ÖØ-öø-ÿœŒ0-9 '’"
LATIN = rf"^[{_LETTERS}\-]+$"
"""A text of plain Latin words."""
_STREET = rf"^[{_LETTERS}.\-]+$"
_DOTTED = r"\.[^ ]"
_MARKED = [*map(chr, [*range(0xC0, 0x100)]), "œ", "Œ", "'", "’", "-", "."]
_OPENED = [fold(char) or " " for char in _MARKED]

_HOUSE = r"^[1-9][0-9]{0,3}([^0-9]|$)"
_KEYWORDS = sorted(
    INSIDE | INSIDE_WITH_MARK | OUTSIDE | OUTSIDE_WITH_MARK | OUTSIDE_WITH_NAME | ORDINAL_WORDS
    | {first for first, _ in OUTSIDE_PAIRS}
    | {"SOUS", "REZ", "C", "LIEU", "POSTE", "BP", "CS", "TSA", "CIDEX", "CIDX", "BPM", "B", "BOITE", "BTE", "CEDEX"}
)  # fmt: skip
_SHIELDED = r"\b(?:(?:DE|DU|DES|D|LA|LE|LES|AU|AUX|EN|ET|SUR|PAR|POUR|VERS) )+[A-Z]+"
_NOT_LAST = r" (?:N|NO|P|S|F|FR|BP|CS|TSA|CIDEX|POSTALE)$"


def _types() -> dict[str, tuple[str, bool]]:
    """Give the spellings of one-word types with their full word and whether they are that word."""
    return {
        spelling: (kind.word, kind.exact)
        for spelling, kind in street_types().items()
        if kind.words == 1 and " " not in kind.word
    }


def _long_types() -> list[str]:
    """Give the types of several words that begin a street by themselves, in full (GRANDE RUE)."""
    return sorted(
        (spelling for spelling, kind in street_types().items()
         if kind.words > 1 and kind.exact and kind.word in STRONG_TYPES), key=len, reverse=True,
    )  # fmt: skip


def _longer() -> list[str]:
    """Give the spellings of several words that begin with a one-word type (CHE RURAL)."""
    return sorted(spelling for spelling in street_types() if " " in spelling and spelling.split()[0] in _TYPES)


_TYPES = _types()
_ALONE = sorted(spelling for spelling, (word, _) in _TYPES.items() if word in STRONG_TYPES and len(spelling) > 2)
"""Types that need no number before them."""
_MONTHS = "JANVIER|FEVRIER|MARS|AVRIL|MAI|JUIN|JUILLET|AOUT|SEPTEMBRE|OCTOBRE|NOVEMBRE|DECEMBRE"
_DAY = rf"(?:DU|DES|LE) (?:1ER|[1-9][0-9]?) (?:{_MONTHS})(?: (?:1[6-9]|20)[0-9][0-9])?(?: |$)"
_COUNTED = r"\b(?:DU|DES|LE|LA) [0-9]{1,3}(?:E|EME|ER|ERE) ([A-Z]{3})"
_NUMBER = r"^(?:(1)(?: (BIS|TER|QUATER|QUINQUIES|[A-Z])|([A-DF-Z]))? )?"
_TYPED = rf"{_NUMBER}(?:({'|'.join(_long_types())})(?: ([A-Z0-9 ]+))?|({'|'.join(sorted(_TYPES))}) ([A-Z0-9 ]+))$"
_UNTYPED = r"^(1)(?: (BIS|TER|QUATER|QUINQUIES))? ([A-Z]{2,}(?: [A-Z]+)*)$"
_HAMLET = r"^((?:LE|LA|LES) [A-Z]+)$"
_LONGER = rf"^(?:{'|'.join(_longer())})(?: |$)"
_OPENS = rf"\b(?:{'|'.join(_KEYWORDS)})\b|(?:^| )ET$"


def numbered(column: str) -> tuple[pl.Expr, pl.Expr]:
    """Split a text into its house number, empty where it has none, and the text with ``1`` in the number's place."""
    text = pl.col(column)
    number = pl.when(text.str.contains(_HOUSE)).then(text.str.extract("^([0-9]+)", 1)).otherwise(pl.lit(""))
    return number, text.str.replace(_HOUSE, "1${1}")


def read_streets(texts: pl.Series, reference: Reference) -> pl.DataFrame:
    """Read the distinct streets of a column; those that are not of the plain shape are left out.

    Args:
        texts: Streets as ``numbered`` gives them; an empty text is no street.
        reference: Tells first names where a label is to be shortened.

    Returns:
        A row per distinct plain text, ``text``, with ``has_number``, ``repetition``, ``type_voie``, ``name``, ``full``
        (type and name), ``voie`` (the same within 32 characters), ``tail`` (the folded street behind its number),
        ``hamlet``, ``rewritten`` (the number was), ``expanded`` (the type was), ``open_end`` (the last word could
        belong to what follows).
    """
    distinct = pl.DataFrame({"text": texts.unique().drop_nulls()})
    plain = distinct.with_columns(
        pl.col("text").str.replace(r"(?i)^( *1 ?(?:bis|ter|quater|[a-z])?), ", "$1 ").alias("shown")
    )
    read = _parts(
        plain.filter(
            pl.col("shown").str.contains(_STREET)
            & ~pl.col("shown").str.contains(" [-]+ ")
            & ~pl.col("shown").str.contains(_DOTTED)
        )
        .with_columns(folded("shown").alias("street"))
        .filter(~pl.col("street").str.contains("  ", literal=True))
    )
    none = distinct.filter(pl.col("text") == "").with_columns(pl.lit("").alias("shown"), pl.lit("").alias("street"))
    read = pl.concat([read.filter(_is_plain()), _parts(none)])
    full = pl.concat_str("type_voie", pl.lit(" "), "name").str.strip_chars(" ")
    return _shortened(
        read.select(
            *("text", "has_number", "type_voie", "name", "hamlet", "expanded", full.alias("full")),
            pl.col("repetition").replace({long: short for long, short in REPETITIONS.items()}),
            (pl.col("repetition").is_in([*REPETITIONS]) | pl.col("glued")).alias("rewritten"),
            pl.when("has_number").then(pl.col("street").str.slice(1)).otherwise("street").alias("tail"),
            pl.concat_str(pl.lit(" "), full).str.contains(_NOT_LAST).alias("open_end"),
        ),
        reference,
    )


def folded(name: str) -> pl.Expr:
    """Give the fold of a text of plain Latin words; where more than two blanks stand together, two are left."""
    opened = pl.col(name).str.replace_many(_MARKED, _OPENED)
    return opened.str.replace_all("  ", " ", literal=True).str.strip_chars(" ").str.to_uppercase()


def _parts(streets: pl.DataFrame) -> pl.DataFrame:
    """Split folded streets by their shapes."""
    typed, untyped = pl.col("typed").struct, pl.col("untyped").struct
    spelling = typed.field("6")
    word = typed.field("4").fill_null(
        spelling.replace_strict({written: word for written, (word, _) in _TYPES.items()}, default="",
                                return_dtype=pl.String))  # fmt: skip
    short = sorted(written for written, (_, exact) in _TYPES.items() if not exact)
    return streets.with_columns(
        pl.col("street").str.extract_groups(_TYPED).alias("typed"),
        pl.col("street").str.extract_groups(_UNTYPED).alias("untyped"),
        pl.col("street").str.extract(_HAMLET, 1).alias("hamlet"),
    ).select(
        *("text", "street"),
        pl.coalesce(typed.field("1"), untyped.field("1")).is_not_null().alias("has_number"),
        pl.coalesce(typed.field("2"), typed.field("3"), untyped.field("2"), pl.lit("")).alias("repetition"),
        typed.field("3").is_not_null().alias("glued"),
        spelling.fill_null("").alias("spelling"),
        word.fill_null("").alias("type_voie"),
        pl.when(typed.field("4").is_not_null() | spelling.is_not_null())
        .then(pl.coalesce(typed.field("5"), typed.field("7"), pl.lit("")))
        .otherwise(pl.coalesce(untyped.field("3"), "hamlet", pl.lit("")))
        .alias("name"),
        pl.col("hamlet").is_not_null().alias("hamlet"),
        spelling.is_in(short).fill_null(value=False).alias("expanded"),
    )


def _is_plain() -> pl.Expr:
    """Whether nothing in a street could open a complement, a box or a longer type, or belong to its number."""
    name, spelling = pl.col("name"), pl.col("spelling")
    undated = name.str.replace_all(_DAY, "").str.replace_all(_COUNTED, "QQ $1")
    shielded = undated.str.replace_all(_SHIELDED, "")
    first = name.str.extract("^([A-Z0-9]+)", 1)
    opens = (pl.col("type_voie") == "") | (spelling.str.len_bytes() == 1)
    return (
        ((pl.col("type_voie") != "") | (name != ""))
        & ~undated.str.contains("[0-9]")
        & ~pl.concat_str("spelling", pl.lit(" "), "name").str.contains(_LONGER)
        & ~shielded.str.contains(_OPENS)
        & (pl.col("has_number") | (spelling == "") | spelling.is_in(_ALONE))
        & ~(opens & first.is_in([*type_starts(), *REPETITIONS])).fill_null(value=False)
        & ~(~pl.col("has_number") & spelling.is_in(sorted(OUTSIDE_WITH_MARK | INSIDE_WITH_MARK)) & _is_marked())
    )


def _is_marked() -> pl.Expr:
    """Whether a name may be a mark (``QUAI G``, ``MONTEE SUD``), so that its type is no street."""
    name = pl.col("name")
    letter = name.str.contains("^[A-Z](?: |$)")
    article = name.str.extract("^[DL] ([A-Z]{2,})", 1)
    named = article.is_not_null() & ~article.is_in(sorted(type_starts()))
    return (letter & ~named) | name.str.extract("^([A-Z]+)", 1).is_in(sorted(MARK_WORDS)).fill_null(value=False)


def _shortened(streets: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Add the label that is printed, each that is too long shortened once."""
    long = streets.filter(pl.col("full").str.len_bytes() > STREET_LENGTH).select("type_voie", "name").unique()
    rows = [(kind, name, shorten(kind, name, reference)) for kind, name in long.iter_rows()]
    short = pl.DataFrame(
        rows, schema=pl.Schema(dict.fromkeys(("type_voie", "name", "voie"), pl.String())), orient="row"
    )
    joined = streets.join(short, on=("type_voie", "name"), how="left")
    return joined.with_columns(pl.col("voie").fill_null(pl.col("full")))
