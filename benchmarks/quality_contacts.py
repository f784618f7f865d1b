"""Phones, e-mails and names, measured: the published cases, speed on distinct values, and memory on files.

    python benchmarks/quality_contacts.py                        cases, 200,000 distinct values of each kind, two files
    python benchmarks/quality_contacts.py --values 50000 --files 0
    python benchmarks/quality_contacts.py --seed 7 --damage 0.3  other values, more of them damaged

Every measurement runs in a process of its own: CPU seconds (user and system, all threads) and peak memory are that
process's, imports and tables included; the time of a speed is that of the column alone, per CPU second means per core.
Beside it stands a peer on the same values in the same process (phonenumbers; email-validator; for names, which have
none, Polars capitalising their words), and the machine's load. A file is read, normalised and written; its peak memory
stands for a small and a large one, so that growth shows, beside a bare copy of its rows by Polars.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "fr"
KINDS = ("phone", "email", "name")
STATUS = {"ok": "OK", "corrected": "CORRIGEE", "suspect": "A_CONFIRMER", "rejected": "REJETEE", "alert": "A_CONFIRMER"}
DOMAINS = ("gmail.com", "orange.fr", "hotmail.fr", "free.fr", "wanadoo.fr", "sfr.fr", "laposte.net", "yahoo.fr")
SLIPS = (
    "gmial.com",
    "orage.fr",
    "hotmial.fr",
    "gmail.con",
    "wanado.fr",
    "orange,fr",
    "gmail",
    "yopmail.com",
    "@free.fr",
)


def main() -> None:
    """Run what was asked for and print a line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=200_000, help="distinct values of each kind")
    parser.add_argument("--files", type=int, nargs="*", default=[100_000, 400_000], help="rows of the files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--damage", type=float, default=0.1, help="share of the values that are damaged")
    parser.add_argument("--abroad", type=float, default=0.02, help="share of the phones that are foreign")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        what, count = given.one
        made = file(int(count), given) if what == "file" else speed(what, int(count), given)
        print(json.dumps(made))
        return
    cases(given.data / "contact_cases.csv")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'kind':10}{'distinct':>10}{'values/s':>10}{'/CPU s':>10}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}"
          f"{'peer /CPU s':>14}{'to peer':>9}  statuses")  # fmt: skip
    for kind in KINDS:
        r = measured(kind, given.values)
        cost = f"{r['wall']:8.1f}{r['cpu']:8.1f}{r['peak']:9.0f}"
        cost += f"{r['values'] / r['bare']:>14,.0f}{r['cpu'] / r['bare']:>8.2f}x"
        print(f"{kind:10}{r['values']:>10,}{r['rate']:>10,.0f}{r['values'] / r['cpu']:>10,.0f}{cost}  {r['said']}")
    for rows in given.files:
        if rows:
            r = measured("file", rows)
            print(f"file of {rows:,} rows: {r['rate']:,.0f} rows/s, {r['cpu']:.1f} CPU s, peak {r['peak']:.0f} MB, "
                  f"{r['cpu'] / r['bare']:.1f} x a bare copy")  # fmt: skip


def measured(what: str, count: int) -> dict[str, Any]:
    """Run one measurement in a process of its own, with the same options."""
    command = [sys.executable, __file__, *sys.argv[1:], "--one", what, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{what} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def cases(path: Path) -> None:
    """Print how many of the published cases are right, and each that is not."""
    sys.path.insert(0, str(ROOT))
    if not path.is_file():
        print(f"no cases: {path}")
        return
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    wrong = [
        row
        for row in rows
        if answer(row) != (row["expected_value"], row["expected_type"], STATUS[row["expected_status"]])
    ]
    print(f"published cases: {len(rows) - len(wrong)} of {len(rows)} right")
    for row in wrong:
        print(f"  {row['id']} {row['input']!r}: {answer(row)}")


def answer(row: dict[str, str]) -> tuple[str, str, str]:
    """Give value, type and status of one case; of a civility only what was changed or proposed."""
    from datadock.quality.email import normalise_email
    from datadock.quality.names import normalise_name
    from datadock.quality.phone import normalise_phone

    text = row["input"]
    if row["kind"] == "civilite_prenom":
        civility, first = text.split("|")
        named = normalise_name(first, civility=civility)
        changed = named.proposed_civility or (named.civility if named.status == "CORRIGEE" else None)
        label = {"M": "Monsieur", "MME": "Madame"}.get(changed or "", "")
        return label, named.type if changed else "", str(named.status)
    if row["kind"] in ("prenom", "nom"):
        named = normalise_name(text) if row["kind"] == "prenom" else normalise_name(last_name=text)
        return named.value or "", named.type, str(named.status)
    found = normalise_phone(text) if row["kind"] == "phone" else normalise_email(text)
    return found.value or "", found.type, str(found.status)


def values_of(kind: str, count: int, given: argparse.Namespace) -> list[tuple[str, ...]]:
    """Make distinct values, some of them damaged, from a seed."""
    chance = random.Random(f"{kind} {given.seed}")
    with (given.data / "insee-prenoms" / "prenoms_2019_agg.csv").open(encoding="utf-8", newline="") as stream:
        names = [row["prenom"] for row in csv.DictReader(stream)]
    make = {"phone": _phone, "email": _email, "name": _name}[kind]
    made: dict[tuple[str, ...], None] = {}
    while len(made) < count:
        made[make(chance, names, given)] = None
    return list(made)


def _phone(chance: random.Random, _names: list[str], given: argparse.Namespace) -> tuple[str, ...]:
    digits = "".join(chance.choices("0123456789", k=8))
    if chance.random() < given.abroad:
        return (chance.choice(("+32475", "+4179", "+3468")) + digits[:7],)
    number = chance.choice(("06", "06", "07", "01", "04", "05", "09")) + digits
    pairs = [number[place : place + 2] for place in range(0, 10, 2)]
    shape = chance.choice((number, " ".join(pairs), ".".join(pairs), "+33" + number[1:]))
    if chance.random() >= given.damage:
        return (shape,)
    slips = (number[1:], number + ".0", "tel " + shape, shape + " poste 12", shape[:-1], shape.replace("0", "O", 1),
             f"{shape} / 05{digits}", "0033 (0)" + shape[1:], shape + " le soir")  # fmt: skip
    return (chance.choice(slips),)


def _email(chance: random.Random, names: list[str], given: argparse.Namespace) -> tuple[str, ...]:
    local = f"{chance.choice(names)}{chance.choice('.-_')}{chance.choice(names)}{chance.randrange(1000)}".lower()
    local = "".join(char for char in local if char.isascii())
    own = f"societe{chance.randrange(20_000)}.fr"
    if chance.random() < given.damage:
        return (f"{local}@{chance.choice(SLIPS)}",)
    return (f"{local}@{chance.choice(DOMAINS) if chance.random() < 0.8 else own}",)


def _name(chance: random.Random, names: list[str], given: argparse.Namespace) -> tuple[str, ...]:
    first, last = chance.choice(names[:8_000]), chance.choice(names) + chance.choice(("", "", "EAU", "ET", "IER"))
    if chance.random() < given.damage:
        first = chance.choice((first.lower().replace("-", " "), f"Mme {first}", "TEST", first + "2"))
        last = chance.choice(("DE LA " + last, last + " née " + chance.choice(names), "D " + last, last))
    return chance.choice(("M", "Mme", "Mlle", "")), first, last


def speed(kind: str, count: int, given: argparse.Namespace) -> dict[str, Any]:
    """Time the column of one kind; tables are read before."""
    sys.path.insert(0, str(ROOT))
    import polars as pl

    from datadock.quality.email import normalise_emails
    from datadock.quality.names import normalise_names
    from datadock.quality.phone import normalise_phones

    columns = [pl.Series(list(column)) for column in zip(*values_of(kind, count, given), strict=True)]
    read = {
        "phone": normalise_phones,
        "email": normalise_emails,
        "name": lambda civility, first, last: normalise_names(first, last, civility),
    }[kind]
    read(*(column.head(10) for column in columns))
    started, cpu = time.perf_counter(), time.process_time()
    found = read(*columns)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    said = {row["status"]: row["count"] for row in found["status"].value_counts(sort=True).to_dicts()}
    made = {"values": count, "rate": count / wall, "wall": wall, "cpu": cpu, "peak": _peak(), "said": said}
    started = time.process_time()
    share = peer(kind, columns)
    return made | {"bare": (time.process_time() - started) / share}


def peer(kind: str, columns: list[Any]) -> float:
    """Let another library read the values, and give the share of them that it was given."""
    if kind == "name":
        for column in columns:
            column.str.strip_chars().str.to_titlecase()
        return 1.0
    texts = columns[0].head(20_000).to_list()
    for text in texts:
        _checked(kind, text)
    return len(texts) / len(columns[0])


def _checked(kind: str, text: str) -> bool:
    """Ask a peer whether a phone or an e-mail is one."""
    import email_validator
    import phonenumbers

    try:
        if kind == "phone":
            return phonenumbers.is_valid_number(phonenumbers.parse(text, "FR"))
        return bool(email_validator.validate_email(text, check_deliverability=False))
    except (phonenumbers.NumberParseException, email_validator.EmailNotValidError):
        return False


def file(rows: int, given: argparse.Namespace) -> dict[str, Any]:
    """Time a whole file of phones, read, normalised and written, and give the peak memory."""
    sys.path.insert(0, str(ROOT))
    import polars as pl

    from datadock.quality.file import normalise_file

    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.csv"
        with source.open("w", encoding="utf-8") as stream:
            stream.write("id;phone;note\n")
            for row in range(rows):
                stream.write(f"{row};{_phone(chance, [], given)[0]};some text of row {row}\n")
        started = time.perf_counter()
        normalise_file(source, Path(folder) / "out.csv", "phone", ["phone"])
        wall = time.perf_counter() - started
        usage, peak = resource.getrusage(resource.RUSAGE_SELF), _peak()
        cpu = time.process_time()
        pl.read_csv(source, separator=";", infer_schema=False).write_csv(Path(folder) / "copy.csv", separator=";")
        bare = time.process_time() - cpu
    return {"rate": rows / wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak, "bare": bare}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
