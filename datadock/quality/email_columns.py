"""E-mail addresses of whole columns: well-formed ones of a domain that needs no comment and a person's local part.

Each distinct domain is judged once; whatever is to be corrected, doubted or refused is left to the reader of one
address.
"""

from __future__ import annotations

import polars as pl

from datadock.quality import email_domains as known
from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, STATUS_DTYPE, Status

_SHAPE = r"^([A-Za-z0-9][A-Za-z0-9_+.-]{0,62})@((?:[A-Za-z0-9][A-Za-z0-9-]{0,40}\.){1,3}[A-Za-z]{2,12})$"
_NOWHERE = r"\.\.|\.@|@.*--|@.*-\."
"""What the shape lets through and no address holds: two dots, a dot at the end, hyphens at the end of a name."""
_SAME = "|".join(f"{char}{{3,}}" for char in "abcdefghijklmnopqrstuvwxyz0123456789")
_PLACEHOLDER = f"^(?:{known.PLACEHOLDER_LOCAL.replace(known.REPEATED, _SAME)})$"
_DOTLESS = ("gmail.com", "googlemail.com")


def read_plain_emails(texts: pl.Series) -> pl.DataFrame:
    """Read the plain addresses among distinct texts; the others are left out.

    Returns:
        ``text`` and the attributes of ``Email``.
    """
    shaped = pl.DataFrame({"text": texts}).with_columns(pl.col("text").str.extract_groups(_SHAPE).alias("groups"))
    typed, domain = pl.col("groups").struct.field("1"), pl.col("groups").struct.field("2").str.to_lowercase()
    cells = shaped.filter(typed.is_not_null() & ~pl.col("text").str.contains(_NOWHERE)).select(
        "text", typed.alias("typed"), typed.str.to_lowercase().alias("local"), domain.alias("domain")
    )
    rows = cells.join(_domains(cells["domain"]), on="domain", how="inner").filter(_is_somebodys())
    value = pl.concat_str("local", pl.lit("@"), "domain")
    empty = pl.lit([], CODES_DTYPE)
    return rows.select(
        "text",
        value.alias("value"),
        pl.concat_str("typed", pl.lit("@"), "domain").alias("typed"),
        "type",
        pl.lit(Status.OK.value, STATUS_DTYPE).alias("status"),
        empty.alias("codes"),
        "domain",
        _key().alias("key"),
        empty.alias("others"),
        _evidence(value).alias("evidence"),
    )


def _domains(domains: pl.Series) -> pl.DataFrame:
    """Give the domains that need no comment, with their type."""
    rows = []
    for domain in domains.unique():
        about = known.domain_of(domain)
        reserved = domain.rpartition(".")[2] in known.RESERVED or domain.startswith("www.")
        if not (reserved or about.strength or about.type == known.DISPOSABLE or domain in known.PLACEHOLDER_DOMAINS):
            rows.append((domain, about.type))
    return pl.DataFrame(rows, schema=pl.Schema({"domain": pl.String(), "type": pl.String()}), orient="row")


def _is_somebodys() -> pl.Expr:
    """Whether a local part is neither a function's nor a placeholder."""
    local = pl.col("local")
    return ~(
        local.is_in(sorted(known.ROLES))
        | local.str.starts_with("www.")
        | local.str.contains(_PLACEHOLDER)
        | (local == pl.col("domain").str.extract(r"^(.*)\.", 1))
    )


def _key() -> pl.Expr:
    bare = pl.col("local").str.extract(r"^([^+]*)", 1)
    dotless = pl.concat_str(bare.str.replace_all(".", "", literal=True), pl.lit("@gmail.com"))
    own = pl.concat_str(bare, pl.lit("@"), "domain")
    return pl.when(pl.col("domain").is_in(_DOTLESS)).then(dotless).otherwise(own)


def _evidence(value: pl.Expr) -> pl.Expr:
    fields = {"rule": pl.lit("FORME_NORMALE"), "field": pl.lit("value"), "before": pl.col("text"), "after": value}
    item = pl.struct(*(text.alias(name) for name, text in fields.items()), pl.lit("").alias("reference"))
    return pl.when(value != pl.col("text")).then(pl.concat_list(item)).otherwise(pl.lit([], EVIDENCE_DTYPE))
