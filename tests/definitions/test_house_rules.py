"""The house rules that a machine can hold: who imports whom, how long a file may be, where the environment is read."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("datadock", "assets", "sensors", "expectations")
MAY_IMPORT = {
    "datadock": {"datadock"},
    "assets": {"assets", "datadock", "expectations"},
    "sensors": {"sensors", "datadock"},
    "expectations": {"expectations", "datadock.names"},
}
ASSEMBLY = {"datadock/definitions.py"}
"""The one module of the core that may import the rooms: it puts them together."""

ADAPTERS = {"datadock/expect.py", "datadock/reports/data_docs.py"}
"""Core modules that run the suites, so they import the room ``expectations``."""

DAGSTER = {
    "datadock/checks.py", "datadock/definitions.py", "datadock/event_log.py", "datadock/jobs.py", "datadock/launch.py",
}  # fmt: skip
"""The only modules of the core that may know Dagster."""

STORAGE = {"datadock/event_log.py"}
"""Dagster names its storage classes in private modules only, in ``dagster.yaml``, too; this one extends one of them."""


def _files(*rooms):
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_they_may(room):
    wrong = []
    for path in _files(room):
        for module, line in _imports(path):
            if module.split(".")[0] not in ROOMS or _name(path) in ASSEMBLY:
                continue
            allowed = MAY_IMPORT[room] | ({"expectations"} if _name(path) in ADAPTERS else set())
            if not any(module == name or module.startswith(name + ".") for name in allowed):
                wrong.append(f"{_name(path)}:{line} imports {module}; {room}/ may import {sorted(allowed)}")
    assert wrong == []


def test_the_core_knows_dagster_only_where_it_must():
    wrong = [
        f"{_name(path)}:{line} imports {module}; only {sorted(DAGSTER)} may"
        for path in _files("datadock")
        for module, line in _imports(path)
        if module.split(".")[0] in {"dagster", "dagster_dbt"} and _name(path) not in DAGSTER
    ]
    assert wrong == []


def test_no_private_module_of_dagster_is_imported():
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path in _files(*ROOMS, "tests")
        for module, line in _imports(path)
        if module.startswith("dagster._") and _name(path) not in STORAGE
    ]
    assert wrong == []


def test_only_settings_reads_the_environment():
    wrong = [
        f"{_name(path)}:{node.lineno} reads os.{node.attr}; take a Settings instead"
        for path in _files(*ROOMS)
        if _name(path) != "datadock/settings.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    assert wrong == []


def test_no_file_is_longer_than_400_lines():
    long = {
        _name(path): count
        for path in _files(*ROOMS, "tests", "benchmarks")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_function_is_longer_than_50_lines():
    long = [
        f"{_name(path)}:{node.lineno} {node.name} has {length} lines"
        for path in _files(*ROOMS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > 50
    ]
    assert long == []


def test_every_module_says_what_belongs_in_it():
    silent = [
        _name(path) for path in _files(*ROOMS) if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_exception_is_swallowed():
    wrong = [
        f"{_name(path)}:{node.lineno}"
        for path in _files(*ROOMS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert wrong == []


def test_no_test_folder_shadows_a_room():
    assert [path for path in (ROOT / "tests").iterdir() if path.name in ROOMS] == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_registry_host_or_foreign_path_stands_in_a_committed_file():
    words = ("pypi.org", "registry.npmjs", "deb.debian", "files.pythonhosted")
    found = [
        f"{path.name}: {word}"
        for path in [
            *ROOT.glob("*.lock"),
            *ROOT.glob("*.toml"),
            ROOT / "Makefile",
            ROOT / "README.md",
            *ROOT.glob(".ci/*"),
        ]
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
