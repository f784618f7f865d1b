"""SQL expressions that read one text value as a type: dates, times, money, whole numbers, yes and no.

Every expression is null where the text does not read as the type, and tests the text's shape
before it converts: in DuckDB a conversion that fails costs ten times one that succeeds.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from datadock.catalog.fields import DATE_FORMATS, TIMESTAMP_FORMATS, Type

SQL_TYPES: dict[Type, str] = {
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "integer": "bigint",
    "decimal": "decimal(18,2)",
    "number": "double",
    "boolean": "boolean",
}
"""Column type of each declared type, as contracts spell it."""

_ISO_DATE = "%Y-%m-%d"
_ISO_TIMES = frozenset(
    {
        "%Y-%m-%dT%H:%M:%S.%fZ",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
        _ISO_DATE,
    }
)
_PARTS = {"%Y": "____", "%f": "%", "%z": "%", "%Z": "%", "%p": "_%", "%B": "_%", "%A": "_%", "%b": "_%", "%a": "_%"}
_NAIVE_ISO = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.]\d+)?)?Z?)?"
_ZONED_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d+)?)? ?[+-]\d\d(:?\d\d)?"
_TOO_OLD = "date '0999-12-31'"
_TRUE = ("1", "true", "t", "vrai", "v", "oui", "o", "yes", "y", "x")
_FALSE = ("0", "false", "f", "faux", "non", "n", "no")
_BLANKS = r"[\s\x{a0}\x{202f}€]|EUR"


def literal(text: str) -> str:
    """Write a text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def value_macros() -> str:
    """Return the dbt macros ``read_<type>(column)``, one per type that is not text."""
    macros = []
    for kind in SQL_TYPES:
        if kind != "text":
            body = textwrap.indent(typed("{{ column }}", kind), "    ")
            macros.append(f"{{% macro read_{kind}(column) -%}}\n{body}\n{{%- endmacro %}}\n")
    return "\n".join(macros)


def typed(column: str, kind: Type, formats: Sequence[str] | None = None) -> str:
    """Return the expression that reads a text column as a type.

    Args:
        column: A column (or cheap expression) of type text, blanks around it already removed.
        kind: The type to read.
        formats: strptime formats for dates and times; the catalog's defaults where None.

    Returns:
        One SQL expression of the type in ``SQL_TYPES``, over one or several lines.
    """
    if kind == "date":
        return _date(column, formats)
    if kind == "timestamp":
        return _timestamp(column, formats)
    if kind == "decimal":
        return _decimal(column, "decimal(18, 2)")
    if kind == "number":
        # By way of a decimal: a double would read nan and infinity.
        return f"cast({_decimal(column, 'decimal(30, 12)')} as double)"
    if kind == "integer":
        bare = f"regexp_replace({column}, '{_BLANKS}', '', 'g')"
        return _case(
            [
                f"when regexp_full_match({column}, '[+-]?[0-9]+') then try_cast({column} as bigint)",
                f"else try_cast(regexp_extract({bare}, '^([+-]?[0-9]+)([.,]0*)?$', 1) as bigint)",
            ]
        )
    if kind == "boolean":
        true, false = (", ".join(literal(word) for word in words) for words in (_TRUE, _FALSE))
        return _case([f"when lower({column}) in ({true}) then true", f"when lower({column}) in ({false}) then false"])
    return column


def _date(column: str, formats: Sequence[str] | None) -> str:
    arms: list[str] = []
    asked = tuple(formats or DATE_FORMATS)
    if formats is None:
        arms.append(f"when {column} like '____-__-__' then try_cast({column} as date)")
        asked = tuple(one for one in asked if one != _ISO_DATE)
    for guard, group in _by_shape(asked):
        arms.append(f"when {column} like {literal(guard)} then cast({_strptime(column, group)} as date)")
    if formats is None:
        arms.append(f"when regexp_full_match({column}, '{_NAIVE_ISO}')")
        arms.append(f"    then cast(try_cast({column} as timestamp) as date)")
    return _sane(_case(arms))


def _timestamp(column: str, formats: Sequence[str] | None) -> str:
    arms: list[str] = []
    asked = tuple(formats or TIMESTAMP_FORMATS)
    if formats is None:
        arms.append(f"when regexp_full_match({column}, '{_NAIVE_ISO}')")
        arms.append(f"    then {_utc(f'try_cast({column} as timestamp)')}")
        arms.append(f"when regexp_full_match({column}, '{_ZONED_ISO}')")
        arms.append(f"    then try_cast({column} as timestamptz)")
        asked = tuple(one for one in asked if one not in _ISO_TIMES)
    for guard, group in _by_shape(asked):
        zoned = any("%z" in one or "%Z" in one for one in group)
        read = _strptime(column, group) if zoned else _utc(_strptime(column, group))
        arms.append(f"when {column} like {literal(guard)}")
        arms.append(f"    then {read}")
    return _case(arms)


def _utc(naive: str) -> str:
    """Read a time without zone as UTC; ``at time zone`` costs five times as much."""
    return f"make_timestamptz(epoch_us({naive}))"


def _case(arms: list[str]) -> str:
    return "\n".join(["case", *("    " + arm for arm in arms), "end"])


def _sane(expression: str) -> str:
    """Refuse years before 1000: `%Y` reads 12/03/80 as the year 80."""
    return f"nullif(\n{textwrap.indent(f'greatest({expression}, {_TOO_OLD})', '    ')},\n    {_TOO_OLD}\n)"


def _strptime(column: str, group: list[str]) -> str:
    if len(group) == 1:
        return f"try_strptime({column}, {literal(group[0])})"
    return f"try_strptime({column}, [{', '.join(literal(one) for one in group)}])"


def _by_shape(formats: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Group formats under the `like` pattern that their texts match; zoned ones apart from naive ones."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for one in formats:
        groups.setdefault((_shape(one), "%z" in one or "%Z" in one), []).append(one)
    return [(guard, group) for (guard, _), group in groups.items()]


def _shape(one: str) -> str:
    separated = any(not part.isalnum() for part in _split(one) if not part.startswith("%"))
    shape = ""
    for part in _split(one):
        if part.startswith("%"):
            shape += _PARTS.get(part, "_%" if separated else "__")
        else:
            shape += "_" if part in "%_" else part
    return shape


def _split(one: str) -> list[str]:
    parts, place = [], 0
    while place < len(one):
        width = 2 if one[place] == "%" else 1
        parts.append(one[place : place + width])
        place += width
    return parts


def _decimal(column: str, target: str) -> str:
    """Read 1234.56, 1 234,56 €, 1.234,56 and 1,234.56: of two separators the last one is the decimal one."""
    bare = f"regexp_replace({column}, '{_BLANKS}', '', 'g')"
    return _case(
        [
            f"when regexp_full_match({column}, '[+-]?[0-9]+([.][0-9]+)?') then try_cast({column} as {target})",
            f"when contains({column}, ',') and not regexp_matches({column}, ',.*[.]')",
            f"    then try_cast(replace(replace({bare}, '.', ''), ',', '.') as {target})",
            f"else try_cast(replace({bare}, ',', '') as {target})",
        ]
    )
