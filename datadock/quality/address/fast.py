"""The plain shape of an address, read by Polars expressions: number, type and name; code and city.

Only what the one-line path would read the same way is taken: Latin letters without markup, no word that
could open a complement or a box, a label within 32 characters, a city that is known to its code where it
has to be cut from a line. Whatever else stands in a row leaves it to the one-line path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from datadock.quality.address.model import STREET_LENGTH, score_of, verdict
from datadock.quality.address.words import (
    INSIDE,
    INSIDE_WITH_MARK,
    ORDINAL_WORDS,
    OUTSIDE,
    OUTSIDE_PAIRS,
    OUTSIDE_WITH_MARK,
    OUTSIDE_WITH_NAME,
    STRONG_TYPES,
    street_types,
)
from datadock.quality.evidence import EVIDENCE_DTYPE, STATUS_DTYPE, Evidence, Status, as_rows
from datadock.quality.fold import fold

if TYPE_CHECKING:
    from datadock.quality.address.columns import AddressColumns
    from datadock.quality.address.normalise import AddressNormaliser

RESULT_NAMES = (
    *[f"line_{n}" for n in range(1, 8)],
    *("numero", "repetition", "type_voie", "voie", "complement", "lieu_dit", "bp"),
    *("code_postal", "commune", "code_insee", "status", "codes", "score", "street_checked"),
)
"""The columns of a result, but for its evidence."""

_LETTERS = r"A-Za-zÀ-ÖØ-öø-ÿœŒ0-9 '’"
_STREET = rf"^[{_LETTERS}\-]+$"
_MARKED = [*map(chr, [*range(0xC0, 0x100)]), "œ", "Œ", "'", "’", "-"]
_PLAIN = [fold(char) or " " for char in _MARKED]
_CODE_CITY = r"^(.*?)[ ,]*(?:^|[ ,])([0-9]{5}) ([^0-9]+)$"
_KEYWORDS = sorted(
    INSIDE | INSIDE_WITH_MARK | OUTSIDE | OUTSIDE_WITH_MARK | OUTSIDE_WITH_NAME | ORDINAL_WORDS
    | {first for first, _ in OUTSIDE_PAIRS}
    | {"SOUS", "REZ", "C", "LIEU", "POSTE", "BP", "CS", "TSA", "CIDEX", "CIDX", "BPM", "B", "BOITE", "BTE", "CEDEX"}
)  # fmt: skip
_SHIELDED = r"\b(?:(?:DE|DU|DES|D|LA|LE|LES|AU|AUX|EN|ET|SUR|PAR|POUR|VERS) )+[A-Z]+"
_NOT_LAST = r" (?:N|NO|P|S|F|FR|BP|CS|TSA|CIDEX|POSTALE)$"


def _types() -> dict[str, tuple[str, bool]]:
    """Give the spellings of one-word types that begin a street by themselves."""
    return {
        spelling: (kind.word, kind.exact)
        for spelling, kind in street_types().items()
        if kind.words == 1 and kind.word in STRONG_TYPES and len(spelling) > 2 and " " not in kind.word
    }


def _second_words() -> list[str]:
    """Give the words that make a type of two words of a one-word type (CHE RURAL), however spelled."""
    pairs = (spelling.split() for spelling in street_types() if " " in spelling)
    return sorted({pair[1] for pair in pairs if pair[0] in _TYPES})


def _long_types() -> list[str]:
    """Give the types of several words that begin a street by themselves, in full (GRANDE RUE)."""
    return sorted(
        (spelling for spelling, kind in street_types().items()
         if kind.words > 1 and kind.exact and kind.word in STRONG_TYPES), key=len, reverse=True,
    )  # fmt: skip


_TYPES = _types()
_MONTHS = "JANVIER|FEVRIER|MARS|AVRIL|MAI|JUIN|JUILLET|AOUT|SEPTEMBRE|OCTOBRE|NOVEMBRE|DECEMBRE"
_DAY = rf"(?:DU|DES|LE) (?:1ER|[1-9][0-9]?) (?:{_MONTHS})(?: (?:1[6-9]|20)[0-9][0-9])?(?: |$)"
_NUMBER = r"^(?:([1-9][0-9]{0,3})(?: (BIS|TER|QUATER|QUINQUIES|[A-Z])|([A-DF-Z]))? )?"
_TYPED = rf"{_NUMBER}(?:({'|'.join(sorted(_TYPES))}) ([A-Z0-9 ]+)|({'|'.join(_long_types())})(?: ([A-Z0-9 ]+))?)$"
_UNTYPED = r"^([1-9][0-9]{0,3})(?: (BIS|TER|QUATER|QUINQUIES))? ((?:LE|LA|LES) [A-Z ]+)$"
_HAMLET = r"^((?:LE|LA|LES) [A-Z]+)$"
_SECOND = rf"^(?:{'|'.join(_second_words())})(?: |$)"
_OPENS = rf"\b(?:{'|'.join(_KEYWORDS)})\b"


def read_plain(texts: pl.DataFrame, columns: AddressColumns, worker: AddressNormaliser) -> pl.DataFrame:
    """Give the results of the rows of the plain shape, with their ``row``; the others are left out.

    Args:
        texts: The address columns as text without nulls, and ``row``.
        columns: Which column holds what.
        worker: The normaliser whose reference and settings count.
    """
    split = _split(texts, columns)
    if split is None or not split.height:
        return pl.DataFrame(schema={"row": pl.UInt32})
    places = worker.places.of(split)
    if split["line"][0]:
        places = places.filter(pl.col("known"))
    rows = split.join(places, on=("code", "city"), how="inner")
    own_name = pl.col("commune").str.contains(pl.col("name").str.split(" ").list.last(), literal=True)
    rows = rows.filter(~(pl.col("hamlet") & (own_name | (pl.col("line_5") != ""))))
    if worker.long_repetition:
        rows = rows.filter(pl.col("repetition") == "")
    return _results(_checked(rows, worker))


_HOME = ("", "FR", "FRA", "FRANCE", "FRANCE METROPOLITAINE")
"""What a cell of the country says at home, in capitals."""


def _split(texts: pl.DataFrame, columns: AddressColumns) -> pl.DataFrame | None:
    """Split the rows into number, repetition, type, name, code and city; give none when no row can be plain."""
    other = [columns.name, columns.locality, *columns.complements]
    empty = pl.all_horizontal([pl.col(name).str.strip_chars() == "" for name in other if name] or [pl.lit(value=True)])
    if columns.country:
        empty = empty & pl.col(columns.country).str.strip_chars().str.to_uppercase().is_in(_HOME)
    if columns.postal_code and columns.city:
        uppers = [name for name in (columns.street, *columns.lines) if name]
        if not uppers:
            return None
        cells = texts.filter(empty).select(
            "row",
            _only(uppers).str.strip_chars(" ,").alias("upper"),
            pl.col(columns.postal_code).str.strip_chars(" ").alias("code"),
            pl.col(columns.city).alias("typed"),
            pl.lit(value=False).alias("line"),
        )
        cells = cells.filter(pl.col("code").str.contains(r"^[0-9]{5}$") & pl.col("typed").str.contains(_STREET))
    elif not (columns.postal_code or columns.city or columns.street) and columns.lines:
        whole = _only(list(columns.lines)) if len(columns.lines) == 1 else _two(columns.lines)
        cells = texts.filter(empty).select("row", whole.alias("whole")).with_columns(
            pl.col("whole").str.extract_groups(_CODE_CITY).alias("cut"), pl.lit(value=True).alias("line")
        )  # fmt: skip
        cells = cells.unnest("cut").rename({"1": "upper", "2": "code", "3": "typed"})
        cells = cells.filter(pl.col("typed").str.contains(_STREET))
    else:
        return None
    return _plain_street(cells)


def _only(names: list[str]) -> pl.Expr:
    """Give the only column with text, null where several have some."""
    told = pl.sum_horizontal([(pl.col(name).str.strip_chars() != "").cast(pl.Int32) for name in names])
    return pl.when(told == 1).then(pl.concat_str(names))


def _two(names: Sequence[str]) -> pl.Expr:
    """Give the two lines with text as one, the second behind a comma; null where there are not two."""
    told = [pl.col(name).str.strip_chars() != "" for name in names]
    lines = pl.concat_list([pl.when(has).then(pl.col(name)) for has, name in zip(told, names, strict=True)])
    return pl.when(pl.sum_horizontal([has.cast(pl.Int32) for has in told]) == 2).then(
        lines.list.drop_nulls().list.join(", ")
    )


def _plain_street(cells: pl.DataFrame) -> pl.DataFrame:
    upper = pl.col("upper").str.replace(r"^( *[0-9]{1,4}), ", "$1 ")
    found = (
        cells.filter(pl.col("upper").is_not_null())
        .with_columns(upper)
        .filter(
            pl.col("upper").str.contains(_STREET)
            & ~pl.col("upper").str.contains(" [-]+ ")
            & ~pl.col("typed").str.contains(" [-]+ ")
        )
        .with_columns(_folded("upper").alias("street"), _folded("typed").alias("city"))
        .filter((pl.col("city") != "") & ~pl.any_horizontal(pl.col("street", "city").str.contains("  ", literal=True)))
        .with_columns(
            pl.col("street").str.extract_groups(_TYPED).alias("typed_street"),
            pl.col("street").str.extract_groups(_UNTYPED).alias("untyped"),
            pl.col("street").str.extract(_HAMLET, 1).alias("hamlet"),
        )
    )
    typed, untyped = pl.col("typed_street").struct, pl.col("untyped").struct
    spelling = typed.field("4").fill_null(typed.field("6"))
    words = {spelling: word for spelling, (word, _) in _TYPES.items()} | {word: word for word in _long_types()}
    exact = {spelling for spelling, (_, same) in _TYPES.items() if same} | set(_long_types())
    rewritten = ["BIS", "TER", "QUATER", "QUINQUIES"]
    read = found.select(
        *("row", "code", "city", "line", "street"),
        pl.coalesce(typed.field("1"), untyped.field("1"), pl.lit("")).alias("numero"),
        pl.coalesce(typed.field("2"), typed.field("3"), untyped.field("2"), pl.lit("")).alias("repetition"),
        typed.field("3").is_not_null().alias("glued"),
        spelling.replace_strict(words, default="", return_dtype=pl.String).fill_null("").alias("type_voie"),
        pl.coalesce(typed.field("5"), typed.field("7"), untyped.field("3"), "hamlet", pl.lit("")).alias("name"),
        pl.col("hamlet").is_not_null().alias("hamlet"),
        (spelling.is_not_null() & ~spelling.is_in(sorted(exact))).alias("expanded"),
        typed.field("5").is_not_null().alias("short_type"),
    )
    return (
        read.with_columns(pl.concat_str("type_voie", pl.lit(" "), "name").str.strip_chars(" ").alias("voie"))
        .filter(_is_plain())
        .with_columns(
            (pl.col("repetition").is_in(rewritten) | pl.col("glued")).alias("rewritten"),
            pl.col("repetition").replace({"BIS": "B", "TER": "T", "QUATER": "Q", "QUINQUIES": "C"}),
        )
    )


def _folded(name: str) -> pl.Expr:
    """Give the fold of a text of ``_STREET``; where more than two blanks stand together, two are left."""
    opened = pl.col(name).str.replace_many(_MARKED, _PLAIN)
    return opened.str.replace_all("  ", " ", literal=True).str.strip_chars(" ").str.to_uppercase()


def _is_plain() -> pl.Expr:
    """Whether nothing in a street could open a complement, a box or a longer type, and its label fits."""
    undated = pl.col("name").str.replace_all(_DAY, "")
    shielded = undated.str.replace_all(_SHIELDED, "")
    return (
        (pl.col("voie") != "")
        & (pl.col("voie").str.len_bytes() <= STREET_LENGTH)
        & ~undated.str.contains("[0-9]")
        & ~(pl.col("short_type") & pl.col("name").str.contains(_SECOND))
        & ~shielded.str.contains(_OPENS)
        & ~(pl.col("line") & pl.concat_str(pl.lit(" "), "voie").str.contains(_NOT_LAST))
    )


def _checked(rows: pl.DataFrame, worker: AddressNormaliser) -> pl.DataFrame:
    """Look each distinct street up in the loaded streets, where there are some."""
    streets = worker.streets
    if streets is None:
        return rows.with_columns(pl.lit(value=False).alias("street_checked"), pl.lit(value=False).alias("unknown"))
    pairs = rows.filter(~pl.col("hamlet")).select("code_insee", "voie", "hamlet").unique()
    found = [
        (insee, voie, hamlet, bool(streets.find(insee, voie)), streets.knows(insee) and not streets.find(insee, voie))
        for insee, voie, hamlet in pairs.iter_rows()
    ]
    schema: dict[str, pl.DataType] = {
        "code_insee": pl.String(),
        "voie": pl.String(),
        "hamlet": pl.Boolean(),
        "street_checked": pl.Boolean(),
        "unknown": pl.Boolean(),
    }
    known = pl.DataFrame(found, schema=schema, orient="row")
    joined = rows.join(known, on=("code_insee", "voie", "hamlet"), how="left")
    return joined.with_columns(pl.col("street_checked", "unknown").fill_null(value=False))


def _results(rows: pl.DataFrame) -> pl.DataFrame:
    flags = {
        "NUMERO_CORRIGE": pl.col("rewritten"),
        "VOIE_CORRIGEE": pl.col("expanded"),
        "VOIE_INCONNUE": pl.col("unknown"),
        "NUMERO_ABSENT": (pl.col("numero") == "") & ~pl.col("cedex"),
    }
    keyed = rows.with_columns(
        pl.concat_str(
            "place_key", *[pl.when(on).then(pl.lit("|" + code)).otherwise(pl.lit("")) for code, on in flags.items()]
        ).str.strip_chars_start("|").alias("key")
    )  # fmt: skip
    keyed = keyed.join(_verdicts(keyed), on=("key", "found"), how="left")
    number = pl.concat_str(
        pl.when(pl.col("numero") != "").then(pl.col("numero") + " ").otherwise(pl.lit("")),
        pl.when(pl.col("repetition") != "").then(pl.col("repetition") + " ").otherwise(pl.lit("")),
    )
    blank = [pl.lit("").alias(name) for name in ("line_1", "line_2", "line_3", "line_7", "complement", "bp")]
    hamlet = pl.col("hamlet")
    results = keyed.with_columns(
        *blank,
        pl.when(hamlet).then(pl.lit("")).otherwise(pl.concat_str(number, "voie")).alias("line_4"),
        pl.when(hamlet).then("voie").otherwise("line_5").alias("line_5"),
        pl.when(hamlet).then("voie").otherwise(pl.lit("")).alias("lieu_dit"),
    )
    told = pl.col("expanded") | pl.col("rewritten")
    quiet = results.filter(~told).select("row", *RESULT_NAMES, pl.col("place_evidence").alias("evidence"))
    return pl.concat([quiet, *(_with_evidence(part) for part in (results.filter(told),) if part.height)])


def _with_evidence(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the evidence of a street's type and number behind that of its place."""
    columns = ("place_evidence", "expanded", "rewritten", "street", "voie", "numero", "repetition")
    evidence = [
        [*place, *_street_evidence(*rest)] for place, *rest in rows.select(columns).iter_rows()
    ]  # fmt: skip
    return rows.select("row", *RESULT_NAMES, pl.Series("evidence", evidence, dtype=EVIDENCE_DTYPE))


def _street_evidence(
    expanded: bool, rewritten: bool, street: str, voie: str, numero: str, repetition: str
) -> list[dict[str, str]]:
    found = []
    if expanded:
        found.append(Evidence("TYPE_DEVELOPPE", "voie", street, voie))
    if rewritten:
        found.append(Evidence("NUMERO", "numero", street, f"{numero} {repetition}".strip()))
    return as_rows(found)


def _verdicts(rows: pl.DataFrame) -> pl.DataFrame:
    """Judge each distinct set of codes once."""
    found = []
    for key, known in rows.select("key", "found").unique().iter_rows():
        codes = tuple(code for code in key.split("|") if code)
        status = verdict(codes) if known else Status.REJETEE
        found.append((key, known, status.value, list(codes), score_of(status, codes)))
    schema: dict[str, pl.DataType] = {
        "key": pl.String(), "found": pl.Boolean(), "status": STATUS_DTYPE, "codes": pl.List(pl.String),
        "score": pl.Int32(),
    }  # fmt: skip
    return pl.DataFrame(found, schema=schema, orient="row")
