"""``datadock demo``: the demo company's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datadock.errors import DatadockError
from datadock.settings import Settings

app = typer.Typer(help="The demo company: a seeded world of French customers with a kept truth.", no_args_is_help=True)


@app.command()
def generate(
    people: Annotated[int, typer.Option(min=1, help="Number of people in the world.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    delivery: Annotated[int, typer.Option(min=1, help="Second and later deliveries hold what is new.")] = 1,
    new_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of new records in a later delivery.")] = 0.01,
    damage: Annotated[list[str] | None, typer.Option(help="A rate, NAME=0.05; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="Drop folder; that of the home by default.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder of the truth; <home>-truth by default.")] = None,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where data is there.")] = False,
) -> None:
    """Write the demo company's eight feeds into the drop folders.

    Example: datadock demo generate --people 20000 --seed 7 --damage typo=0.08
    """
    from datadock.demo import Damage
    from datadock.demo import generate as write_world

    settings = Settings()
    target = out or settings.landing
    kept = truth or settings.home_path.with_name(settings.home_path.name + "-truth")
    if if_missing and _has_data(settings, target):
        return
    summary = write_world(
        people,
        seed,
        target,
        damage=Damage.from_options(_rates(damage or [])),
        delivery=delivery,
        new_rate=new_rate,
        truth=kept,
        partner=settings.home_path / "partner" / "partner.sqlite",
    )
    typer.echo(str(summary))


def _has_data(settings: Settings, target: Path) -> bool:
    waiting = target.is_dir() and any(path.is_file() for path in target.rglob("*"))
    return waiting or (Path(settings.lake_root) / "ledger").exists()


def _rates(options: list[str]) -> dict[str, float]:
    rates = {}
    for option in options:
        name, _, value = option.partition("=")
        try:
            rates[name] = float(value)
        except ValueError as error:
            raise DatadockError(f"--damage {option}", "NAME=RATE, such as typo=0.05", "mend the option") from error
    return rates
