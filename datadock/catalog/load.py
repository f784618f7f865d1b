"""Reading a catalog folder: every declaration, validated as a whole, with errors that name file and place.

No declaration is used before the whole folder is valid.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from datadock.catalog.model import ContactRules, Enrichments, IdentityRules, Source, Survivorship
from datadock.errors import CatalogError
from datadock.names import is_source_name

_Rules = TypeVar("_Rules", Survivorship, ContactRules, Enrichments, IdentityRules)

REVIEWED = "reviewed.csv"
"""File of the catalog with records or pairs that people looked at."""


@dataclass(frozen=True)
class Catalog:
    """A validated catalog.

    Attributes:
        folder: Where it was read from.
        sources: Declared sources by name, in alphabetical order.
        survivorship: The rules that choose golden values.
        contact_rules: What returned letters and bounces mean for a contact point.
        enrichments: Which inferred or joined attributes are not wanted.
        identity: From which weight records join, and what stops a run.
        digest: SHA-256 of every declaration's bytes and the reviewed sample's; changes when any of them does.
    """

    folder: Path
    sources: dict[str, Source]
    survivorship: Survivorship = field(default_factory=Survivorship)
    contact_rules: ContactRules = field(default_factory=ContactRules)
    enrichments: Enrichments = field(default_factory=Enrichments)
    identity: IdentityRules = field(default_factory=IdentityRules)
    digest: str = ""

    @property
    def reviewed(self) -> Path | None:
        """The reviewed sample that every run is scored on, where the deployment has one."""
        path = self.folder / REVIEWED
        return path if path.exists() else None

    def source(self, name: str) -> Source:
        """Return a declared source.

        Raises:
            CatalogError: When no such source is declared.
        """
        if name not in self.sources:
            raise CatalogError(
                f"no source is called {name!r}",
                expected=f"one of {', '.join(self.sources) or '(none declared)'}",
                action=f"declare it in {self.folder / 'sources' / (name + '.yml')}",
            )
        return self.sources[name]

    def with_entity(self, entity: str) -> list[Source]:
        """Return the sources that hold an entity."""
        return [source for source in self.sources.values() if entity in source.entities]


def load_catalog(folder: Path) -> Catalog:
    """Read and validate a catalog folder.

    Args:
        folder: A folder with ``sources/*.yml``, and optionally ``survivorship.yml``, ``contact_rules.yml``,
            ``enrichments.yml``, ``identity.yml`` and ``reviewed.csv``.

    Raises:
        CatalogError: With every problem of every file, each on its line.
    """
    files = sorted((folder / "sources").glob("*.yml"))
    if not files:
        raise CatalogError(
            f"no declaration in {folder / 'sources'}",
            expected="one <name>.yml per source",
            action="see the README, Declaring a source, or run: datadock source add --help",
        )
    problems: list[str] = []
    digest = hashlib.sha256()
    sources: dict[str, Source] = {}
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
        source = _read_source(path, problems)
        if source is not None:
            sources[source.name] = source
    survivorship = _read_rules(folder / "survivorship.yml", Survivorship, digest, problems)
    contact_rules = _read_rules(folder / "contact_rules.yml", ContactRules, digest, problems)
    enrichments = _read_rules(folder / "enrichments.yml", Enrichments, digest, problems)
    identity = _read_rules(folder / "identity.yml", IdentityRules, digest, problems)
    if (folder / REVIEWED).exists():
        digest.update((folder / REVIEWED).read_bytes())
    _check_references(sources, problems)
    if problems:
        raise CatalogError(
            f"the catalog {folder} has {len(problems)} problem(s):\n" + "\n".join(f"  - {p}" for p in problems),
            action="mend the files named above; nothing was run",
        )
    return Catalog(folder, sources, survivorship, contact_rules, enrichments, identity, digest.hexdigest())


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans: a column may be called `no`, `on` or `y`."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF"))


def _read_yaml(path: Path, problems: list[str]) -> dict[str, Any] | None:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        problems.append(f"{path.name}: cannot be read as YAML: {error}")
        return None
    if not isinstance(content, dict):
        problems.append(f"{path.name}: found {type(content).__name__}, expected a mapping of settings")
        return None
    return content


def _read_source(path: Path, problems: list[str]) -> Source | None:
    name = path.stem
    if not is_source_name(name):
        problems.append(f"{path.name}: a source's file name is lower case, digits and single underscores")
        return None
    content = _read_yaml(path, problems)
    if content is None:
        return None
    if content.setdefault("name", name) != name:
        problems.append(f"{path.name}: name is {content['name']!r}, expected {name!r}, as the file is called")
        return None
    try:
        return Source.model_validate(content)
    except ValidationError as error:
        problems.extend(f"{path.name}: {line}" for line in _lines(error))
        return None


def _read_rules(path: Path, form: type[_Rules], digest: Any, problems: list[str]) -> _Rules:
    if not path.exists():
        return form()
    digest.update(path.read_bytes())
    content = _read_yaml(path, problems)
    try:
        return form.model_validate(content or {})
    except ValidationError as error:
        problems.extend(f"{path.name}: {line}" for line in _lines(error))
        return form()


def _check_references(sources: dict[str, Source], problems: list[str]) -> None:
    for source in sources.values():
        for name, entity in source.entities.items():
            for reference in entity.contact or []:
                target = sources.get(reference.source)
                if target is None or "contact" not in target.entities:
                    problems.append(
                        f"{source.name}.yml: entities.{name}.contact: {reference.source!r} is not a declared "
                        "source with contacts"
                    )


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for detail in error.errors():
        place = ".".join(str(part) for part in detail["loc"]) or "(top)"
        found = "" if detail["type"] == "missing" else f" (found {_short(detail['input'])})"
        lines.append(f"{place}: {detail['msg'].removeprefix('Value error, ')}{found}")
    return lines


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
