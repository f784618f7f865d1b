"""French addresses, measured: accuracy on town halls whole and damaged, on labelled cases, and the speed of each path.

    python benchmarks/quality.py                               everything, every town hall
    python benchmarks/quality.py --sample 2000 --seed 7        fewer town halls, another damage
    python benchmarks/quality.py --vocabulary words.json       other complements than the built-in ones
    python benchmarks/quality.py --parts accuracy cases        some parts: accuracy, cases, free, speed, peer, help
    python benchmarks/quality.py --failures 20                 print what went wrong as well

The damager's vocabulary (complements, boxes) and rates (how often a free-text damage strikes) are parameters; the
truth of a town hall is its published address. A wrong correction is a field that the normaliser changed, with status
OK or CORRIGEE, into something that the truth contradicts. Speeds are told per second and per CPU second (one core),
with the machine's load and the ratio to a bare scan in the same run: Polars folding the same texts, nothing read.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from quality_damage import Damager, Rates, TownHall, Vocabulary, damages

from datadock.quality.address import (
    Address,
    AddressColumns,
    AddressInput,
    AddressNormaliser,
    complete_commune,
    normalise_addresses,
)
from datadock.quality.evidence import Status
from datadock.quality.fold import fold, fold_expr
from datadock.quality.reference import load_reference
from datadock.quality.reference.tables import name_key, without_article

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "fr"
PARTS = ("accuracy", "cases", "free", "speed", "peer", "help")

Normalise = Callable[[AddressInput | str], Address]


GOALS = {
    "two lines": 99.5, "complement before": 97, "complement after": 95, "BP on the line": 99, "reordered": 99,
    "city swapped": 99, "one digit wrong": 97, "code missing": 85,
}  # fmt: skip


def read_halls(folder: Path, sample: int, seed: int) -> list[TownHall]:
    """Give town halls with a street and a code that is geographic in writing, most of them."""
    with (folder / "mairies" / "mairies.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    halls = []
    for row in rows:
        match = re.fullmatch(r"(\d{5}) (.+)", row["line2"])
        if match and row["line1"]:
            halls.append(TownHall(row["line1"], match[1], match[2], row["code_insee"]))
    return halls if sample <= 0 or sample >= len(halls) else random.Random(seed).sample(halls, sample)


_WORDS = {"BIS": "B", "TER": "T", "QUATER": "Q", "SAINT": "ST", "SAINTE": "STE", "ALLEES": "ALLEE"}


def plain_street(text: str) -> str:
    plain = re.sub(r"^LIEU DIT |^N(?= \d)", "", fold(re.sub(r"^(\d+)[-/ ]+\d+ ", r"\1 ", text)))
    words = re.sub(r"^(\d+)(BIS|TER|RUE|[A-Z])\b", r"\1 \2", plain).split()
    return " ".join(_WORDS.get(word, word) for word in words)


def street_of(result: Address) -> str:
    return " ".join(part for part in (result.numero, result.repetition, result.voie) if part)


class Truth:
    """Judges results against the published address."""

    def __init__(self) -> None:
        reference = load_reference()
        self.current = {row["code_insee"]: row["code_actuel"] for row in reference.localities}
        self.quarters = {row["code_insee"] for row in reference.localities if row["type"] == "arrondissement-municipal"}
        self.whole = {row["code_insee"] for row in reference.localities if row["type"] == "commune-actuelle"}

    def insee(self, hall: TownHall, result: Address) -> bool:
        """Whether the INSEE code is the published one, or the commune that took it over."""
        wanted = hall.insee.split("SR")[0]
        wanted = wanted if wanted in self.whole else self.current.get(wanted, wanted)
        return result.code_insee == wanted or self.current.get(result.code_insee) == wanted

    def street(self, hall: TownHall, result: Address) -> bool:
        """Whether number and street are the published ones."""
        wanted, found = plain_street(hall.street), plain_street(street_of(result))
        if "L4_ABREGEE" in result.codes:
            return wanted.split()[-1] == found.split()[-1]
        return wanted == found

    def place(self, hall: TownHall, result: Address) -> bool:
        """Whether code and commune are the published ones."""
        wanted = name_key(fold(hall.city))
        names = {name_key(result.commune), name_key(result.line_5)}
        names |= {without_article(name) for name in names}
        near = wanted in names or without_article(wanted) in names
        return result.code_postal == hall.code and (near or self.insee(hall, result))

    def wrong(self, hall: TownHall, result: Address) -> bool:
        """Whether a field was changed into something false with a status that claims certainty."""
        if result.status not in (Status.OK, Status.CORRIGEE):
            return False
        changed_code = "CP_CORRIGE" in result.codes and result.code_postal != hall.code
        changed_city = "COMMUNE_CORRIGEE" in result.codes and not self.insee(hall, result)
        return (changed_code or changed_city) and not self.insee(hall, result)


@dataclass
class Score:
    """Counts of one way of writing."""

    insee: int = 0
    street: int = 0
    place: int = 0
    every: int = 0
    wrong: int = 0
    total: int = 0
    failures: list[str] = field(default_factory=list)


def accuracy(halls: list[TownHall], ways: dict[str, Callable[[TownHall], AddressInput | str]], normalise: Normalise,
             failures: int) -> dict[str, Score]:  # fmt: skip
    """Normalise every town hall in every way and count what is right."""
    truth, scores = Truth(), {}
    for way, write in ways.items():
        score = scores[way] = Score()
        for hall in halls:
            given = write(hall)
            result = normalise(given)
            checks = (truth.insee(hall, result), truth.street(hall, result), truth.place(hall, result))
            score.total += 1
            score.insee += checks[0]
            score.street += checks[1]
            score.place += checks[2]
            score.every += checks[1] and checks[2]
            wrong = truth.wrong(hall, result)
            score.wrong += wrong
            if (not all(checks[1:]) or wrong) and len(score.failures) < failures:
                score.failures.append(
                    f"{'WRONG ' if wrong else ''}{given} -> {result.lines} {street_of(result)!r} {result.codes}"
                )
    return scores


def show(scores: dict[str, Score]) -> None:
    print(f"{'':20}{'INSEE':>8}{'street':>8}{'place':>8}{'all':>8}{'goal':>6}{'wrong corrections':>20}")
    for way, s in scores.items():
        rates = [100 * value / max(s.total, 1) for value in (s.insee, s.street, s.place, s.every)]
        goal = str(GOALS.get(way, ""))
        print(
            f"{way:20}"
            + "".join(f"{rate:8.2f}" for rate in rates)
            + f"{goal:>6}{100 * s.wrong / max(s.total, 1):19.3f}%"
        )
        for line in s.failures:
            print("    ", line)


def free_text(halls: list[TownHall], damager: Damager, normalise: Normalise, failures: int) -> None:
    """Measure addresses as people type them: street, code and commune apart."""
    scores = accuracy(halls, {"free text": damager.free}, normalise, failures)
    print("free text (goals: street 80, code 97, commune 95)")
    show(scores)


def cases(folder: Path, normalise: Normalise) -> None:
    """Run the labelled cases; print those that differ."""
    wanted = {"ok": {"OK"}, "corrected": {"CORRIGEE"}, "suspect": {"A_CONFIRMER"}, "foreign": {"ETRANGERE"},
              "rejected": {"REJETEE", "VIDE"}}  # fmt: skip
    fields = {"expected_numero": "numero", "expected_repetition": "repetition", "expected_voie": "voie",
              "expected_insee": "code_insee"}  # fmt: skip
    with (folder / "rnvp_cases.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    right = 0
    for row in rows:
        result = normalise(AddressInput(tuple(row[f"input_line{n}"] for n in range(1, 8))))
        accepted = [item.partition("=")[::2] for item in row["also_accept"].split(";") if item]
        differs = [
            f"line {n}: {line!r}, expected {row[f'expected_{n}']!r}"
            for n, line in enumerate(result.block, 1)
            if line != row[f"expected_{n}"] and (str(n), line) not in accepted
        ]
        differs += [f"{name}: {getattr(result, name)!r}" for key, name in fields.items()
                    if row[key] and getattr(result, name) != row[key]]  # fmt: skip
        if result.status.value not in wanted[row["expected_status"]]:
            differs.append(f"status {result.status.value}, expected {row['expected_status']}")
        right += not differs
        if differs:
            print("    ", row["id"], "; ".join(differs))
    print(f"rnvp_cases.csv: {right} of {len(rows)}")


def timed(label: str, count: int, work: Callable[[], object], bare: float = 0.0) -> float:
    """Time some work and print what it took; ``bare`` is the CPU time of a bare scan of as many rows, 0 for none."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rates = f"{count / wall:12,.0f} /s{count / used:12,.0f} /CPU s"
    ratio = f"{used / bare:7.1f} x bare scan" if bare else ""
    print(f"{label:44}{rates}{wall:8.2f} s wall{used:8.2f} s CPU{peak:8.0f} MB peak{ratio}", flush=True)
    return used


def speed(halls: list[TownHall], rows: int, seed: int) -> None:
    """Time both paths on town halls with other house numbers: rows differ, places repeat."""
    chance = random.Random(seed)
    drawn = [chance.choice(halls) for _ in range(rows)]
    streets = [re.sub(r"^[0-9]+", str(chance.randint(1, 999)), hall.street) for hall in drawn]
    frame = pl.DataFrame({"voie": streets, "cp": [h.code for h in drawn], "ville": [h.city for h in drawn]})
    flats = pl.Series("extra", [f"Appt {chance.randint(1, 99)}" for _ in drawn])
    frame = frame.with_columns(pl.concat_str("voie", "cp", "ville", separator=" ").alias("texte"), flats)
    worker = AddressNormaliser(load_reference())
    worker.normalise("1 rue Haute 57000 Metz")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    texts = ("voie", "cp", "ville")
    bare = timed(f"bare scan, {rows:,} rows", rows, lambda: frame.select(fold_expr(pl.col(name)) for name in texts))

    def bulk(label: str, columns: AddressColumns) -> None:
        timed(f"{label}, {rows:,} rows", rows, lambda: normalise_addresses(frame, columns, normaliser=worker), bare)

    split = AddressColumns(street="voie", postal_code="cp", city="ville")
    bulk("columns already split", split)
    bulk("the same, with a flat", AddressColumns(("extra",), street="voie", postal_code="cp", city="ville"))
    bulk("the same, no street", AddressColumns(postal_code="cp", city="ville"))
    bulk("one line to be cut", AddressColumns(("texte",)))
    lines = frame["texte"].head(min(rows, 20_000)).to_list()
    timed("one by one", len(lines), lambda: [worker.normalise(text) for text in lines], bare * len(lines) / rows)


def entry_help(halls: list[TownHall], seed: int) -> None:
    """Time each keystroke of a commune's name."""
    complete_commune("a")
    chance = random.Random(seed)
    times = []
    for hall in chance.sample(halls, min(500, len(halls))):
        for end in range(1, len(hall.city) + 1):
            start = time.perf_counter()
            complete_commune(hall.city[:end])
            times.append(time.perf_counter() - start)
    times.sort()
    print(f"entry help: {len(times):,} keystrokes, median {times[len(times) // 2] * 1e6:.0f} us, "
          f"p99 {times[len(times) * 99 // 100] * 1e6:.0f} us (goal 1000)")  # fmt: skip


def peer(halls: list[TownHall], ways: dict[str, Callable[[TownHall], AddressInput | str]]) -> None:
    """Run AdresseParser on the same lines, where it is installed: it reads, it does not correct."""
    try:
        from AdresseParser import AdresseParser
    except ImportError:
        print("peer: AdresseParser is not installed (pip install AdresseParser)")
        return
    parser = AdresseParser()
    for way, write in ways.items():
        good = 0
        texts = [(hall, write(hall)) for hall in halls]
        start = time.perf_counter()
        for hall, text in texts:
            line = text if isinstance(text, str) else f"{hall.street} {hall.code} {hall.city}"
            try:
                found = parser.parse(line)
            except (ValueError, LookupError, AttributeError, TypeError, NameError):
                continue
            rue = found.get("rue") or {}
            words = (found.get("numero"), found.get("indice"), rue.get("type"), rue.get("nom"))
            street = " ".join(str(word) for word in words if word)
            city = (found.get("ville") or {}).get("nom") or ""
            good += (plain_street(street) == plain_street(hall.street) and found.get("code_postal") == hall.code
                     and name_key(fold(city)) == name_key(fold(hall.city)))  # fmt: skip
        print(f"peer AdresseParser {way:20}{100 * good / len(halls):8.2f} % all fields right"
              f"{len(halls) / (time.perf_counter() - start):12,.0f} /s")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sample", type=int, default=0, help="town halls; 0 means all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vocabulary", type=Path, help="JSON with the damager's words")
    parser.add_argument("--rates", type=json.loads, default={}, help="JSON with the damager's rates")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--ways", nargs="*", help="only these ways of writing")
    parser.add_argument("--failures", type=int, default=0)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    words = Vocabulary(**json.loads(given.vocabulary.read_text())) if given.vocabulary else Vocabulary()
    damager = Damager(given.seed, words, Rates(**given.rates))
    normalise = AddressNormaliser(load_reference()).normalise
    halls = read_halls(given.data, given.sample, given.seed)
    if "cases" in given.parts:
        cases(given.data, normalise)
    if "accuracy" in given.parts:
        ways = damages(damager)
        ways = {way: ways[way] for way in given.ways or ways}
        start = time.perf_counter()
        show(accuracy(halls, ways, normalise, given.failures))
        print(f"{len(halls) * len(ways) / (time.perf_counter() - start):,.0f} /s one by one")
    if "free" in given.parts:
        free_text(halls, damager, normalise, given.failures)
    if "speed" in given.parts:
        speed(halls, given.rows, given.seed)
    if "help" in given.parts:
        entry_help(halls, given.seed)
    if "peer" in given.parts:
        peer(halls, damages(damager))


if __name__ == "__main__":
    main()
