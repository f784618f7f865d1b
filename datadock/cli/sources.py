"""``datadock source``: declare, list and check sources."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from datadock.catalog import load_catalog
from datadock.cli import show
from datadock.errors import CatalogError, DatadockError
from datadock.settings import Settings

app = typer.Typer(help="Sources: declare one, list them, check the catalog.", no_args_is_help=True)


@app.command()
def add(
    declaration: Annotated[Path, typer.Argument(help="A source's yml, or the name of one already in the catalog.")],
    force: Annotated[bool, typer.Option("--force", help="Write the staging model anew over an edited one.")] = False,
) -> None:
    """Add a source: its declaration into the catalog, its staging model, yml and tests into the dbt project.

    Example: datadock source add ~/newsletter_partner.yml
    """
    from datadock.warehouse.scaffold import scaffold

    settings = Settings()
    target = settings.catalog / "sources" / f"{declaration.stem}.yml"
    placed = _place(declaration, target)
    try:
        catalog = load_catalog(settings.catalog)
        catalog.source(declaration.stem)
    except CatalogError:
        if placed:
            target.unlink()
        raise
    for path in scaffold(catalog, settings.dbt_project, declaration.stem, force=force):
        typer.echo(f"wrote {path}")
    typer.echo(
        f"source {declaration.stem}: drop its files in {settings.landing / declaration.stem}, then: datadock run"
    )


def _place(declaration: Path, target: Path) -> bool:
    if declaration.suffix not in (".yml", ".yaml") or declaration.resolve() == target.resolve():
        return False
    if not declaration.is_file():
        raise DatadockError(f"no file {declaration}", "a source's declaration", "see the README, Declaring a source")
    if target.exists():
        raise DatadockError(f"{target} is there already", "a new name", "edit that file, or choose another name")
    shutil.copyfile(declaration, target)
    return True


@app.command("list")
def list_sources(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the declared sources.

    Example: datadock source list --json
    """
    catalog = load_catalog(Settings().catalog)
    rows = [
        (s.name, s.format.type, ", ".join(s.entities), "pull" if s.pull else s.pattern, s.trust, s.owner)
        for s in catalog.sources.values()
    ]
    columns = ("source", "format", "entities", "files", "trust", "owner")
    if json:
        show.as_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show.table(columns, rows)


@app.command()
def check(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check the whole catalog, and that each source has its staging models; exit 2 where it is wrong.

    Example: datadock source check
    """
    from datadock.warehouse.scaffold import missing_models

    settings = Settings()
    try:
        catalog = load_catalog(settings.catalog)
    except CatalogError as error:
        if not json:
            raise
        show.as_json({"valid": False, "problems": str(error).splitlines()})
        raise typer.Exit(error.exit_code) from error
    missing = missing_models(catalog, settings.dbt_project)
    if json:
        show.as_json({"valid": True, "sources": list(catalog.sources), "missing_models": missing})
        return
    typer.echo(f"{len(catalog.sources)} sources are valid: {', '.join(catalog.sources)}")
    for model in missing:
        typer.echo(f"no staging model {model} yet: datadock source add {model.split('__')[0].removeprefix('stg_')}")
