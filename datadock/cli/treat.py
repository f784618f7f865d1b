"""Commands of treatments: acts of data quality on a set of contacts, what was done, and taking it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datadock.cli import show
from datadock.cli.steward import user
from datadock.dock import Dock, open_dock
from datadock.errors import DatadockError
from datadock.settings import Settings

if TYPE_CHECKING:
    from datadock.treatments import Treated

group = typer.Typer(help="Treatments: acts of data quality on a set of contacts.", no_args_is_help=True)

SetFile = Annotated[
    str, typer.Option("--set", help="File of the set: csv, jsonl or parquet with golden_id, or source and source_key.")
]
Where = Annotated[str, typer.Option(help="The set as a condition over marts.dim_contact.")]
Query = Annotated[str, typer.Option("--sql", help="The set as a query that gives golden_id, or source and source_key.")]
By = Annotated[str, typer.Option(help="Who asks; the system's user by default.")]
Why = Annotated[str, typer.Option(help="Why; kept with the treatment.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")]
Out = Annotated[Path | None, typer.Option(help="Write what became of each contact, or address: csv or parquet.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_SHOWN = 20


@group.command()
def rnvp(
    set_file: SetFile = "",
    where: Where = "",
    query: Query = "",
    touched: Annotated[
        bool, typer.Option("--touched", help="The set: contacts whose address a newer reference may read otherwise.")
    ] = False,
    reference: Annotated[
        str, typer.Option(help="Postal reference to read by: current, packaged, an installed version, or a folder.")
    ] = "current",
    by: By = "",
    why: Why = "",
    dry_run: DryRun = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Read the addresses of a set by a postal reference; each is kept before and after.

    Example: datadock treat rnvp --set clients.csv --why "before the spring catalogue"
    """
    named = _named(set_file, where, query, other="touched:" if touched else "")
    _treat("rnvp", named, by, why, dry_run=dry_run, out=out, json=json, reference=reference)


@group.command()
def moves(
    file: Annotated[Path, typer.Argument(help="Moved people: key or name and old address, new address, moves_on.")],
    set_file: SetFile = "",
    where: Where = "",
    query: Query = "",
    columns: Annotated[
        list[str] | None, typer.Option(help="FIELD=COLUMN, where the file calls a field otherwise.")
    ] = None,
    into: Annotated[str, typer.Option(help="Declared source that the moves land in.")] = "moved_people",
    by: By = "",
    why: Why = "",
    dry_run: DryRun = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Match a set with a file of moved people; sure matches land as moves, the rest is listed.

    Example: datadock treat moves moved.csv --where "party_type = 'person'" --why "monthly file"
    """
    pairs = [one.partition("=") for one in columns or []]
    if any(not (field and column) for field, _, column in pairs):
        raise DatadockError("--columns is no FIELD=COLUMN", "as in moves_on=date_effet", "mend the option")
    named = _named(set_file, where, query)
    renamed = {field: column for field, _, column in pairs}
    _treat("moves", named, by, why, dry_run=dry_run, out=out, json=json, file=str(file), columns=renamed, into=into)


@group.command()
def enrichment(
    data_set: Annotated[str, typer.Option(help="A data set of catalog/enrichments.yml.")],
    set_file: SetFile = "",
    where: Where = "",
    query: Query = "",
    by: By = "",
    why: Why = "",
    dry_run: DryRun = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Add the attributes of a declared data set to a set, and to nobody else.

    Example: datadock treat enrichment --data-set school_zones --where "n_sources > 1" --why "holiday offer"
    """
    named = _named(set_file, where, query)
    _treat("enrichment", named, by, why, dry_run=dry_run, out=out, json=json, data_set=data_set)


@group.command()
def iris(
    set_file: SetFile = "",
    where: Where = "",
    query: Query = "",
    by: By = "",
    why: Why = "",
    dry_run: DryRun = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Assign a set to its IRIS; contacts without one are listed with the reason.

    Example: datadock treat iris --set clients.csv --why "study of the catchment area" --out iris.csv
    """
    _treat("iris", _named(set_file, where, query), by, why, dry_run=dry_run, out=out, json=json)


@group.command(name="list")
def list_treatments(json: AsJson = False) -> None:
    """List treatments, oldest first: who asked for what on how many contacts, when and why, and whether it stands.

    Example: datadock treat list
    """
    from datadock.treatments import treatments

    found = treatments(open_dock(Settings()).lake)
    if json:
        show.as_json([{**vars(one), "stands": one.stands} for one in found])
    elif not found:
        typer.echo("Nothing was treated yet.")
    else:
        columns = ["treatment_id", "contacts", "by", "at", "why", "stands"]
        rows = [
            [one.treatment_id, one.contacts, one.asked_by, f"{one.asked_at:%Y-%m-%d %H:%M}", one.reason, one.stands]
            for one in found
        ]
        show.table(columns, rows)


@group.command(name="show")
def show_treatment(
    treatment: Annotated[str, typer.Argument(help="Id of the treatment, or how it begins.")],
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Show a treatment: who, when, why, by what, what came of it, and who was not treated.

    Example: datadock treat show rnvp-3f9ac2d1b0aa
    """
    from datadock.treatments import find, listed, result_of

    lake = open_dock(Settings()).lake
    found = find(lake, treatment)
    result, outcomes = result_of(lake, found)
    if out is not None:
        _write(result, out)
    rest = listed(outcomes)
    if json:
        show.as_json({**vars(found), "stands": found.stands, "listed": rest.to_dicts()})
        return
    typer.echo(f"{found.treatment_id}  {found.contacts:,} contacts of {found.contacts_asked}")
    typer.echo(f"asked        {found.asked_by}, {found.asked_at:%Y-%m-%d %H:%M}: {found.reason}")
    if not found.stands:
        typer.echo(f"taken back   {found.withdrawn_by}, {found.withdrawn_at:%Y-%m-%d %H:%M}: {found.withdrawn_why}")
    _tell(found.inputs, found.counts, rest)


@group.command()
def withdraw(
    treatment: Annotated[str, typer.Argument(help="Id of the treatment, or how it begins.")] = "",
    data_set: Annotated[str, typer.Option(help="Take back all treatments that added this data set.")] = "",
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Take a treatment back; what it added or changed is gone after the next run, its rows stay.

    Example: datadock treat withdraw moves-3f9ac2d1b0aa --why "wrong file"
    """
    from datadock.treatments import withdraw as take_back
    from datadock.treatments import withdraw_data_set

    if bool(treatment) == bool(data_set):
        raise DatadockError("one of TREATMENT and --data-set is needed", action="name one: datadock treat list")
    dock = open_dock(Settings())
    if treatment:
        gone = [take_back(dock, treatment, by or user(), why)]
    else:
        gone = withdraw_data_set(dock, data_set, by or user(), why)
    if json:
        show.as_json([vars(one) for one in gone])
        return
    for one in gone:
        typer.echo(f"{one.treatment_id} is taken back; the next run applies it: datadock run")


def _named(set_file: str, where: str, query: str, other: str = "") -> str:
    """Return the one text that names the set."""
    from datadock.treatments.sets import QUERY, WHERE

    given = [
        name
        for name in (set_file, f"{WHERE} {where}" if where else "", f"{QUERY} {query}" if query else "", other)
        if name
    ]
    if len(given) != 1:
        raise DatadockError(
            f"{len(given) or 'no'} sets of contacts are named",
            expected="one of --set FILE, --where CONDITION and --sql QUERY",
            action="name one set",
        )
    return given[0]


def _treat(
    kind: str, named: str, by: str, why: str, *, dry_run: bool, out: Path | None, json: bool, **given: Any
) -> None:
    from datadock.treatments import Request, treat

    dock: Dock = open_dock(Settings(), progress=not json)
    with dock.progress.step(f"treat {kind}") as note:
        treated = treat(dock, Request(kind, named, by or user(), why, **given), dry_run=dry_run)
        note(f"{treated.contacts:,} contacts")
    if out is not None:
        _write(treated.addresses if kind == "rnvp" else treated.outcomes, out)
    if json:
        show.as_json(treated.as_dict())
        return
    _report(treated)


def _report(treated: Treated) -> None:
    from datadock.treatments import listed

    if not treated.contacts:
        typer.echo("No contact is in the set: nothing to do.")
        return
    _tell(treated.inputs, treated.counts, listed(treated.outcomes))
    if treated.dry_run:
        typer.echo("\nNothing was written.")
    elif treated.new:
        typer.echo(f"\n{treated.treatment_id} is kept; the next run brings it to the marts: datadock run")
    else:
        typer.echo(f"\nThe same was done before, as {treated.treatment_id}: nothing was added.")


def _tell(inputs: dict[str, str], counts: dict[str, int], rest: Any) -> None:
    for name, value in inputs.items():
        typer.echo(f"{name:<12} {value}")
    typer.echo("")
    show.table(["what", "number"], [[name, number] for name, number in counts.items()])
    if rest.height:
        typer.echo("")
        columns = [name for name in ("line", "given", "outcome", "reason", "detail") if name in rest.columns]
        kept = [name for name in columns if rest[name].is_not_null().any()]
        show.table(kept, rest.select(kept).head(_SHOWN).rows())
        if rest.height > _SHOWN:
            typer.echo(f"... {rest.height - _SHOWN:,} more: write all with --out FILE")


def _write(frame: Any, out: Path) -> None:
    from datadock.treatments.files import write_frame

    write_frame(frame, out)
