"""From a SQL expression to the Python source of the same expression, nulls and three-valued logic included.

DuckDB's own parser reads the SQL (``json_serialize_sql``). A test (is it true?) becomes a plain Python test, so that
the common comparison of two texts is one ``==``; everywhere else null is carried as None.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import duckdb

from datadock.errors import ModelError
from datadock.identity.compiled import functions
from datadock.identity.compiled.similarity import jaro_reaches, jaro_winkler_reaches

Node = dict[str, Any]
Resolve = Callable[[tuple[str, ...]], str]
"""Gives the Python name of a column; raises KeyError for one that is not known."""

_SIGNS = {
    "COMPARE_EQUAL": "==", "COMPARE_NOTEQUAL": "!=", "COMPARE_GREATERTHANOREQUALTO": ">=", "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">", "COMPARE_LESSTHANOREQUALTO": "<=",
}  # fmt: skip
_COMPARED = {
    "COMPARE_EQUAL": ("equal", False), "COMPARE_NOTEQUAL": ("equal", True),
    "COMPARE_GREATERTHANOREQUALTO": ("at_least", False), "COMPARE_LESSTHAN": ("at_least", True),
    "COMPARE_GREATERTHAN": ("above", False), "COMPARE_LESSTHANOREQUALTO": ("above", True),
}  # fmt: skip
_REACHES = {"jaro_winkler_similarity": "jaro_winkler_reaches", "jaro_similarity": "jaro_reaches"}
_OF_TWO = {"least": "least_of_two", "greatest": "greatest_of_two"}
_TEXTS = ("varchar", "text", "string")
_INTEGERS = ("integer", "int", "bigint")


def namespace() -> dict[str, Any]:
    """Return the names that compiled source speaks of."""
    names: dict[str, Any] = {}
    for place, function in enumerate(functions.FUNCTIONS.values()):
        names[f"f_{place}"] = function
        names[f"g_{place}"] = plain(function)
    for function in (
        functions.least_of_two, functions.greatest_of_two, functions.first,
        functions.coalesce, functions.item, functions.part, functions.equal, functions.at_least, functions.above,
        functions.integer, functions.negated, functions.both, functions.either, functions.among, functions.today,
    ):  # fmt: skip
        names[function.__name__] = function
    names |= {"jaro_winkler_reaches": jaro_winkler_reaches, "jaro_reaches": jaro_reaches}
    return names


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function without its look for nulls."""
    found: Callable[..., Any] = function.__dict__.get("plain", function)
    return found


class Compiler:
    """Compiles expressions.

    Args:
        con: Any connection; only its parser is used.
        macros: Names of macros that are compiled as functions of the same name.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, macros: frozenset[str] = frozenset()) -> None:
        self.con, self.macros = con, macros
        self.names = 0
        """Names given so far to values in between."""
        self._names = {name: f"f_{place}" for place, name in enumerate(functions.FUNCTIONS)}

    def parse(self, sql: str, where: str) -> Node:
        """Parse one expression.

        Raises:
            ModelError: When DuckDB cannot parse it.
        """
        text = self.con.execute("select json_serialize_sql($1)", [f"select {sql}"]).fetchall()[0][0]
        answer = json.loads(text)
        if answer["error"]:
            raise _refused(answer.get("error_message", "no SQL"), where)
        node: Node = answer["statements"][0]["node"]["select_list"][0]
        return node

    def value(self, sql: str, resolve: Resolve, where: str) -> str:
        """Return the source of an expression's value.

        Args:
            sql: The expression.
            resolve: Gives the Python name of a column.
            where: Named in errors: which comparison and level, which rule.

        Raises:
            ModelError: When it holds what is not known here.
        """
        return _Expression(self, resolve, where).value(self.parse(sql, where))

    def test(self, sql: str, resolve: Resolve, where: str) -> str:
        """Return the source of a Python test that holds where the expression is true; see ``value``."""
        return _Expression(self, resolve, where).true(self.parse(sql, where))

    def function(self, name: str) -> str | None:
        """Return the Python name of a function, None where it is not known."""
        return name if name in self.macros else self._names.get(name)


def _refused(found: str, where: str) -> ModelError:
    return ModelError(
        f"{where}: {found} cannot be compiled out of SQL",
        expected="what datadock/identity/compiled knows, with exactly DuckDB's meaning",
        action="write the condition with known functions, or teach `functions.py` this one",
    )


class _Expression:
    """One expression on its way; lambda parameters shadow columns."""

    def __init__(self, compiler: Compiler, resolve: Resolve, where: str, bound: frozenset[str] = frozenset()) -> None:
        self.compiler, self.resolve, self.where, self.bound = compiler, resolve, where, bound

    def value(self, node: Node) -> str:
        kind = node["class"]
        read: Callable[[Node], str] | None = getattr(self, f"_{kind.lower()}", None)
        if read is None:
            raise _refused(f"{kind} ({node['type']})", self.where)
        return read(node)

    def true(self, node: Node) -> str:
        """Source of a test: is it true?"""
        kind = node["type"]
        if kind in ("CONJUNCTION_AND", "CONJUNCTION_OR"):
            word = " and " if kind == "CONJUNCTION_AND" else " or "
            return f"({word.join(self.true(child) for child in node['children'])})"
        if kind == "OPERATOR_NOT":
            return self.false(node["children"][0])
        if kind in _SIGNS:
            return self._compared(node, _SIGNS[kind])
        if kind == "CASE_EXPR":
            return self._chosen(node, self.true)
        return self.value(node)

    def false(self, node: Node) -> str:
        """Source of a test: is it false?"""
        kind = node["type"]
        if kind in ("CONJUNCTION_AND", "CONJUNCTION_OR"):
            word = " or " if kind == "CONJUNCTION_AND" else " and "
            return f"({word.join(self.false(child) for child in node['children'])})"
        if kind == "OPERATOR_NOT":
            return self.true(node["children"][0])
        if kind in _SIGNS:
            return self._compared(node, _SIGNS[kind], turned=True)
        return f"({self.value(node)} is False)"

    def _compared(self, node: Node, sign: str, *, turned: bool = False) -> str:
        """Source of a comparison as a test: both sides are known, and it holds (or, turned, does not)."""
        left, right = node["left"], node["right"]
        reaches = _REACHES.get(left.get("function_name", ""))
        if sign == ">=" and reaches and len(left["arguments"]) == 2:
            sides = [*(argument["expression"] for argument in left["arguments"]), right]
            guards, told = self._known(sides)
            holds = f"{reaches}({', '.join(told)})"  # most pairs need not be measured for it
        else:
            guards, told = self._known([left, right])
            holds = f"{told[0]} {sign} {told[1]}"
        if turned:
            holds = f"not ({holds})"
        return f"({' and '.join([*guards, holds])})"

    def _known(self, nodes: list[Node], *, unknown: bool = False) -> tuple[list[str], list[str]]:
        """Tests that some values are known (or unknown), in order, and how to speak of the values after them."""
        word = "is" if unknown else "is not"
        guards, told = [], []
        for node in nodes:
            source = self.value(node)
            if self._is_column(node):
                guards.append(f"{source} {word} None")
            elif node["class"] != "CONSTANT" or source == "None":
                self.compiler.names += 1
                name = f"t{self.compiler.names}"
                guards.append(f"({name} := {source}) {word} None")
                source = name
            told.append(source)
        return guards, told

    @staticmethod
    def _is_column(node: Node) -> bool:
        return bool(node["class"] == "COLUMN_REF")

    def _column_ref(self, node: Node) -> str:
        path = tuple(node["column_names"])
        if len(path) == 1 and path[0] in self.bound:
            return f"v_{path[0]}"
        if path == ("current_date",):
            return "today()"
        try:
            return self.resolve(path)
        except KeyError:
            raise _refused(f"the column {'.'.join(path)}", self.where) from None

    def _constant(self, node: Node) -> str:
        literal = node["literal"]
        kind, text = literal["kind"], literal.get("text", "")
        if kind == "STRING":
            return repr(text)
        if kind in ("INTEGER", "DECIMAL", "FLOAT", "DOUBLE", "NUMERIC"):
            return repr(int(text) if kind == "INTEGER" else float(text))
        if kind == "NULL_LITERAL":
            return "None"
        if kind in ("BOOLEAN", "TRUE", "FALSE", "TRUE_LITERAL", "FALSE_LITERAL"):
            return repr("TRUE" in kind or text.lower() == "true")
        raise _refused(f"a constant of kind {kind}", self.where)

    def _conjunction(self, node: Node) -> str:
        name = "both" if node["type"] == "CONJUNCTION_AND" else "either"
        return f"{name}({', '.join(self.value(child) for child in node['children'])})"

    def _comparison(self, node: Node) -> str:
        if node["type"] not in _COMPARED:
            raise _refused(node["type"], self.where)
        name, turned = _COMPARED[node["type"]]
        found = f"{name}({self.value(node['left'])}, {self.value(node['right'])})"
        return f"negated({found})" if turned else found

    def _between(self, node: Node) -> str:
        value, lower, upper = (self.value(node[key]) for key in ("input", "lower", "upper"))
        return f"both(at_least({value}, {lower}), at_least({upper}, {value}))"

    def _case(self, node: Node) -> str:
        return self._chosen(node, self.value)

    def _chosen(self, node: Node, read: Callable[[Node], str]) -> str:
        text = read(node["else_expr"]) if node.get("else_expr") else "None"
        for check in reversed(node["case_checks"]):
            text = f"({read(check['then_expr'])} if {self.true(check['when_expr'])} else {text})"
        return text

    def _cast(self, node: Node) -> str:
        if node["type_expr"]["type_name"].lower() in _INTEGERS and not node.get("try_cast"):
            return f"integer({self.value(node['child'])})"
        if node["type_expr"]["type_name"].lower() not in _TEXTS or node.get("try_cast"):
            raise _refused(f"a cast to {node['type_expr']['type_name']}", self.where)
        return self.value(node["child"])

    def _operator(self, node: Node) -> str:
        kind, children = node["type"], node["children"]
        if kind == "ARRAY_EXTRACT" and children[0].get("function_name") == "map":
            keys, values = (argument["expression"] for argument in children[0]["arguments"])
            pairs = zip(self._arguments(keys), self._arguments(values), strict=True)
            return f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}.get({self.value(children[1])})"
        if kind == "ARRAY_SLICE":
            ends = [self._end(child) for child in children[1:]]
            return f"part({self.value(children[0])}, {', '.join(ends)})"
        values = [self.value(child) for child in children]
        if kind in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
            return f"({values[0]} is {'not ' if 'NOT' in kind else ''}None)"
        if kind == "ARRAY_EXTRACT" and values[1] == "1":
            return f"first({values[0]})"
        names = {
            "ARRAY_EXTRACT": "item", "OPERATOR_COALESCE": "coalesce", "OPERATOR_NOT": "negated", "COMPARE_IN": "among",
        }  # fmt: skip
        if kind == "OPERATOR_COALESCE" and len(values) == 1:
            return str(values[0])
        if kind == "COMPARE_NOT_IN":
            return f"negated(among({', '.join(values)}))"
        if kind not in names:
            raise _refused(kind, self.where)
        return f"{names[kind]}({', '.join(values)})"

    def _end(self, node: Node) -> str:
        open_ = node.get("function_name") == "list_value" and not node.get("arguments")
        return "None" if open_ else self.value(node)

    def _arguments(self, node: Node) -> list[str]:
        return [self.value(argument["expression"]) for argument in node.get("arguments") or []]

    def _function(self, node: Node) -> str:
        name = node["function_name"].lower()
        if name in ("list_filter", "list_transform"):
            return self._each(node, name)
        known = self.compiler.function(name)
        if known is None:
            raise _refused(f"the function {name}", self.where)
        values = [argument["expression"] for argument in node.get("arguments") or []]
        if name in _OF_TWO and len(values) == 2:
            return f"{_OF_TWO[name]}({', '.join(self.value(value) for value in values)})"
        if not values or "plain" not in functions.FUNCTIONS.get(name, plain).__dict__:
            return f"{known}({', '.join(self._arguments(node))})"
        guards, told = self._known(values, unknown=True)
        call = f"g{known[1:]}({', '.join(told)})"
        return f"(None if {' or '.join(guards)} else {call})" if guards else call

    def _each(self, node: Node, name: str) -> str:
        values, told = (argument["expression"] for argument in node["arguments"])
        if told["class"] != "LAMBDA" or told["lhs"]["class"] != "COLUMN_REF":
            raise _refused(f"{name} without a lambda of one value", self.where)
        each = str(told["lhs"]["column_names"][0])
        inner = _Expression(self.compiler, self.resolve, self.where, self.bound | {each})
        variable, source = f"v_{each}", self.value(values)
        if name == "list_transform":
            made = f"[{inner.value(told['expr'])} for {variable} in s]"
        else:
            made = f"[{variable} for {variable} in s if {inner.true(told['expr'])}]"
        return f"(lambda s: None if s is None else {made})({source})"
