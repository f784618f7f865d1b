"""Commands of the linking model's life: trained, compared, taken into use; what another threshold would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from datadock.cli import show
from datadock.cli.identity import group

Party = Annotated[
    Literal["person", "company"] | None, typer.Option(help="Only this party type; the other stays as declared.")
]


def register() -> None:
    """Add the commands to the group ``identity``."""
    group.command("what-if")(what_if)
    group.command()(train)
    group.command()(models)
    group.command()(use)
    group.command()(report)


def what_if(
    threshold: Annotated[float | None, typer.Option(help="Bits of match weight from which records join.")] = None,
    probability: Annotated[
        float | None, typer.Option(min=1e-6, max=1 - 1e-6, help="The same as a probability.")
    ] = None,
    party: Party = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what another threshold would do, without doing it; without a threshold, over a range of them.

    Example: datadock identity what-if --threshold 2
    """
    from datadock.dock import Progress, open_dock
    from datadock.errors import DatadockError
    from datadock.identity.whatif import RANGE, bits_of, check_threshold, open_what_if
    from datadock.identity.workspace import open_workspace
    from datadock.settings import Settings
    from datadock.warehouse.publish import published_file

    if threshold is not None and probability is not None:
        raise DatadockError("both --threshold and --probability are given", expected="one of them")
    bits = bits_of(probability) if probability is not None else threshold
    if bits is not None:
        check_threshold(bits)
    settings, progress = Settings(), Progress(not json)
    dock = open_dock(settings)
    with open_what_if(open_workspace(dock, "what-if"), published_file(settings)) as asked:
        if asked.stale:
            progress.say("note: records changed since the last scoring; a run would look at them, too")
        with progress.step("as it stands"):
            outcomes = [asked.now()]
        if bits is None:
            asked.expect(RANGE)
        for one in RANGE if bits is None else (bits,):
            with progress.step(f"from {one:g} bits"):
                outcomes.append(asked.at(asked.threshold(one, party), whole=bits is not None))
    if json:
        now, *others = [outcome.as_dict() for outcome in outcomes]
        show.as_json({"now": now, "what_if": others})
    elif bits is None:
        show.table(_COLUMNS, [_row("now", outcomes[0]), *(_row(_name(one, party), one) for one in outcomes[1:])])
    else:
        _tell(outcomes[0], outcomes[1])
        typer.echo("\nTo keep it: threshold in identity.yml of the catalog, then datadock run.")


_COLUMNS = (
    "threshold", "golden", "largest", "pairs in", "pairs out", "ids changed", "expected precision", "expected recall",
    "reviewed precision", "reviewed recall",
)  # fmt: skip


def _name(outcome: Any, party: str | None) -> str:
    return f"{outcome.threshold[party or 'person']:g}"


def _row(name: str, outcome: Any) -> list[Any]:
    return [
        name, outcome.golden, outcome.largest, outcome.pairs_in, outcome.pairs_out, outcome.ids_changed,
        outcome.expected_precision, outcome.expected_recall, outcome.reviewed_precision, outcome.reviewed_recall,
    ]  # fmt: skip


def _tell(now: Any, then: Any) -> None:
    """Print before and after side by side, then examples."""
    channels = sorted({*now.reach.contacts, *then.reach.contacts})
    rows = [
        ["threshold, people", now.threshold["person"], then.threshold["person"]],
        ["threshold, companies", now.threshold["company"], then.threshold["company"]],
        ["golden contacts", now.golden, then.golden],
        ["largest contact", now.largest, then.largest],
        ["expected precision", now.expected_precision, then.expected_precision],
        ["expected recall", now.expected_recall, then.expected_recall],
        ["reviewed precision", now.reviewed_precision, then.reviewed_precision],
        ["reviewed recall", now.reviewed_recall, then.reviewed_recall],
        *([f"reachable by {name}", now.reach.contacts.get(name, 0), then.reach.contacts.get(name, 0)]
          for name in channels),
        ["consents that contradict", now.reach.consent_conflicts, then.reach.consent_conflicts],
    ]  # fmt: skip
    show.table(("", "now", "then"), rows)
    typer.echo(
        f"\n{then.pairs_in:,} pairs would join, {then.pairs_out:,} would part; "
        f"{then.ids_changed:,} records would change their golden id"
    )
    for words, flips in (("would join", then.examples_in), ("would part", then.examples_out)):
        for flip in flips:
            typer.echo(f"  {words}  {flip.weight:+6.1f} bits  {flip.left}  {flip.right}")
    for objection in then.objections:
        typer.echo(f"would stop the run: {objection}")


def train(
    party: Party = None,
    accept: Annotated[bool, typer.Option("--accept", help="Let the next run score by the candidates.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Train candidate models on the records there are, and show what would change; the models in use stay.

    Example: datadock identity train --party person
    """
    from dataclasses import asdict

    from datadock.dock import Progress, exclusive, open_dock
    from datadock.identity.candidate import compare_models, try_candidates
    from datadock.identity.model import make_current
    from datadock.identity.workspace import PARTIES, open_workspace
    from datadock.settings import Settings
    from datadock.warehouse.publish import published_file

    settings = Settings()
    dock = open_dock(settings, progress=not json)
    with exclusive(settings.home_path):
        workspace = open_workspace(dock, "train")
        parties = [name for name in PARTIES if party in (None, name)]
        with Progress(not json).step("train and compare"):
            tried = try_candidates(workspace, parties, published_file(settings))
        levels = {name: compare_models(workspace, model) for name, model in tried.models.items()}
        if accept:
            for model in tried.models.values():
                make_current(workspace.model_folder, model)
    if json:
        candidates = {name: {"version": model.version, "levels": [asdict(level) for level in levels[name]]}
                      for name, model in tried.models.items()}  # fmt: skip
        show.as_json({"candidates": candidates, "accepted": accept, "now": tried.now.as_dict(),
                      "then": tried.then.as_dict()})  # fmt: skip
        return
    for name, model in tried.models.items():
        typer.echo(f"\n{model.version}, trained on {model.records:,} records")
        rows = [[one.comparison, one.level, one.m, one.u, one.bits, one.bits_now] for one in levels[name]]
        show.table(("comparison", "level", "m", "u", "bits", "bits in use"), rows)
    typer.echo("")
    _tell(tried.now, tried.then)
    for name, model in tried.models.items():
        if model.version == tried.in_use.get(name):
            typer.echo(f"\n{model.version} is in use already: the same records give the same model.")
        elif accept:
            typer.echo(f"\nAccepted: the next run scores by {model.version}.")
        else:
            typer.echo(f"\nKept, not in use. To take it: datadock identity use {model.version}, then datadock run.")


def models(json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """List the kept models with their training, newest first.

    Example: datadock identity models
    """
    from dataclasses import asdict

    from datadock.dock import open_dock
    from datadock.identity.versions import list_versions
    from datadock.identity.workspace import open_workspace
    from datadock.settings import Settings

    found = list_versions(open_workspace(open_dock(Settings()), "models"))
    if json:
        show.as_json([asdict(one) for one in found])
        return
    rows = [
        [one.version, one.in_use, one.trained_at[:19], one.records, one.training.get("rounds"),
         one.training.get("seconds"), one.unfit] for one in found
    ]  # fmt: skip
    show.table(("version", "in use", "trained at", "records", "rounds", "seconds", "unfit because"), rows)


def use(version: Annotated[str, typer.Argument(help="A version that `datadock identity models` lists.")]) -> None:
    """Let the next run score by a kept model: a candidate, or an older one to go back to.

    Example: datadock identity use person-0123456789ab
    """
    from datadock.dock import exclusive, open_dock
    from datadock.identity.versions import use_version
    from datadock.identity.workspace import open_workspace
    from datadock.settings import Settings

    settings = Settings()
    with exclusive(settings.home_path):
        chosen = use_version(open_workspace(open_dock(settings), "use"), version)
    typer.echo(f"The next run scores by {chosen.version}: datadock run")


def report(
    out: Annotated[Path | None, typer.Option(help="Folder for the page; the stewards' reports by default.")] = None,
) -> None:
    """Write the report page on linking anew, with what other thresholds would do, and print where it is.

    Example: datadock identity report --out /tmp/linking
    """
    from datadock.dock import open_dock
    from datadock.reports.build import build_identity_page
    from datadock.settings import Settings

    dock = open_dock(Settings())
    last = dock.state.last_run()
    typer.echo(build_identity_page(dock.settings, last.run_id if last else "", out))
