"""Companies: one for each SIREN, whatever was mistyped; branches of a franchise and neighbours stay apart."""

import random

import polars as pl
import pytest

from datadock.evaluation import score
from datadock.link import link

pytestmark = pytest.mark.slow

TRADES = ("Boulangerie", "Garage", "Menuiserie", "Plomberie", "Imprimerie", "Pharmacie", "Fleurs", "Optique", "Conseil",
          "Transports")  # fmt: skip
OWNERS = ("Bal", "Cham", "Dor", "Fal", "Gar", "Lam", "Mou", "Pel", "Rou", "Sal", "Tour", "Vil")
ENDINGS = ("ard", "eau", "et", "ier", "in", "on", "ot", "oux", "and", "ert")
TOWNS = tuple((f"{69001 + n}", f"{OWNERS[n % 12]}{ENDINGS[n // 12]}ville") for n in range(60))
FORMS = ("SARL", "SAS", "SA", "EURL")
COLUMNS = ("organisation_name", "siren", "siret", "vat_number", "phone", "email", "address_line", "postcode", "city")


def luhn(digits: str) -> str:
    """Return the digits followed by their check digit."""
    total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def written(name: str, form: str, rng: random.Random) -> str:
    """Write a company's name as clerks do."""
    name = rng.choice(
        [f"{form} {name}", f"{name} {form}", name, f"{name} ({form})", f"{form[0]}.{'.'.join(form[1:])}. {name}"]
    )
    return rng.choice([name, name.upper(), name.replace("é", "e")])


def company(number: int, rng: random.Random) -> dict[str, str]:
    postcode, city = TOWNS[rng.randrange(60)]
    siren = luhn(f"{30_000_000 + number * 7919}")
    owner = f"{OWNERS[number % 12]}{ENDINGS[number // 12 % 10]}"
    name = f"{rng.choice(TRADES)} {owner}{rng.choice(['', ' & Fils', ' et Fils', ' Frères'])}"
    return {
        "organisation_name": name, "form": rng.choice(FORMS), "siren": siren, "siret": luhn(siren + "0001"),
        "vat_number": "FR" + f"{(12 + 3 * (int(siren) % 97)) % 97:02}" + siren,
        "phone": f"04{rng.randrange(10**7, 10**8)}", "email": f"contact@firme{number}.fr",
        "address_line": f"{rng.randrange(1, 90)} rue {OWNERS[rng.randrange(12)]}{ENDINGS[rng.randrange(10)]}",
        "postcode": postcode, "city": city,
    }  # fmt: skip


def record(truth: dict[str, str], rng: random.Random) -> dict[str, str | None]:
    """Write a record: identifiers lost or mistyped, names in another form, contact points missing."""
    row: dict[str, str | None] = {name: truth[name] for name in COLUMNS}
    row["organisation_name"] = written(truth["organisation_name"], truth["form"], rng)
    for name, share in (("siren", 0.35), ("siret", 0.5), ("vat_number", 0.8), ("phone", 0.3), ("email", 0.5)):
        row[name] = None if rng.random() < share else row[name]
    if row["siren"]:
        siren = row["siren"]
        if rng.random() < 0.1:
            at = rng.randrange(9)
            siren = siren[:at] + str((int(siren[at]) + 1) % 10) + siren[at + 1 :]
        row["siren"] = rng.choice([siren, f"{siren[:3]} {siren[3:6]} {siren[6:]}"])
    return row


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Company of each record by name of the case, after linking; and the truth of the bulk."""
    rng = random.Random(1804)
    rows: list[tuple[str, str, dict[str, str | None]]] = []
    for number in range(400):
        truth = company(number, rng)
        rows += [(f"c{number}-{copy}", f"c{number}", record(truth, rng)) for copy in range(rng.choice([1, 2, 2, 3]))]
    rows += special(rng)
    folder = tmp_path_factory.mktemp("companies")
    (folder / "sources").mkdir()
    fields = ", ".join(f"{name}: {name}" for name in COLUMNS if name != "vat_number")
    (folder / "sources" / "firms.yml").write_text(
        "description: Firms.\nowner: a@example.com\npattern: firms.parquet\nformat: {type: parquet}\n"
        "entities:\n  contact:\n    key: id\n    party: company\n"
        f"    fields: {{{fields}, vat_number: {{from: vat_number, kind: identifier}}}}\n",
        encoding="utf-8",
    )
    pl.DataFrame(
        [{"id": key, **row} for key, _, row in rows], schema={"id": pl.String, **dict.fromkeys(COLUMNS, pl.String)}
    ).write_parquet(folder / "firms.parquet")
    link(folder, folder, folder / "linked.parquet")
    linked = pl.read_parquet(folder / "linked.parquet")
    truth = pl.DataFrame(
        [("firms", key, entity) for key, entity, _ in rows], schema=["source", "source_key", "entity_id"], orient="row"
    )
    return linked, truth


def special(rng: random.Random) -> list[tuple[str, str, dict[str, str | None]]]:
    """The cases that each have a rule, every company with two records."""
    seat = company(900, rng)
    branch = {**seat, "siret": luhn(seat["siren"] + "0023"), "address_line": "7 quai Neuf", "postcode": "69059",
              "city": "Portville", "phone": "0478000001", "email": ""}  # fmt: skip
    first, second = company(901, rng), company(902, rng)
    second |= {name: first[name] for name in ("address_line", "postcode", "city")}
    shops = []
    for place in range(3):
        own = company(910 + place, rng)
        shops.append({**own, "organisation_name": "Optique Lumière du Sud", "form": "SARL"})
    rows: list[tuple[str, str, dict[str, str | None]]] = []
    for name, entity, truth in (
        ("seat", "unit", seat), ("branch", "unit", branch), ("first", "first", first), ("second", "second", second),
        *((f"shop{place}", f"shop{place}", shop) for place, shop in enumerate(shops)),
    ):  # fmt: skip
        for copy in range(2):
            row: dict[str, str | None] = {column: truth[column] or None for column in COLUMNS}
            row["organisation_name"] = written(truth["organisation_name"], truth["form"], rng)
            if name in ("seat", "branch"):
                row |= {"siren": None, "vat_number": None}  # only the SIRET tells the legal unit
            elif copy and name.startswith("shop"):
                row |= {"siren": None, "siret": None, "vat_number": None}
            rows.append((f"{name}-{copy}", entity, row))
    return rows


def ids(found) -> dict[str, str]:
    return dict(found[0].select("source_key", "golden_id").iter_rows())


def test_planted_damage_is_seen_through(found):
    scores = score(*found)
    assert scores.precision >= 0.995
    assert scores.recall >= 0.95
    assert scores.b3_f1 >= 0.98


def test_two_establishments_of_one_siren_are_one_company(found):
    company_of = ids(found)
    assert len({company_of[f"{name}-{copy}"] for name in ("seat", "branch") for copy in range(2)}) == 1


def test_two_companies_at_one_address_are_two(found):
    company_of = ids(found)
    assert company_of["first-0"] == company_of["first-1"] != company_of["second-0"] == company_of["second-1"]


def test_branches_of_a_franchise_are_companies_of_their_own(found):
    company_of = ids(found)
    assert len({company_of[f"shop{place}-0"] for place in range(3)}) == 3
    assert all(company_of[f"shop{place}-0"] == company_of[f"shop{place}-1"] for place in range(3))
