"""The same machinery links published data by a catalog alone, and the truth says how well."""

import random

import polars as pl
import pytest

from datadock.errors import CatalogError, DatadockError
from datadock.evaluation import score
from datadock.link import link
from datadock.settings import PROJECT_ROOT


def _scores(published_data, tmp_path, example, folder):
    out = tmp_path / "linked.parquet"
    link(PROJECT_ROOT / "examples" / example, published_data / "er" / folder, out)
    records = pl.read_parquet(published_data / "er" / folder / "records.parquet")
    linked = pl.read_parquet(out)
    assert linked.columns == ["source", "source_key", "golden_id"]
    assert linked.height == records.height
    keys = linked.select("source", "source_key").unique()
    truth = records.select(pl.col("unique_id").cast(pl.String).alias("source_key"), entity_id="cluster")
    return score(linked, keys.join(truth, on="source_key"))


def test_febrl4_links_its_two_files(published_data, tmp_path):
    scores = _scores(published_data, tmp_path, "febrl4", "febrl4")
    assert scores.f1 >= 0.995


def test_historical_people_are_found_in_50_000_records(published_data, tmp_path):
    scores = _scores(published_data, tmp_path, "historical_50k", "splink_historical_50k")
    assert scores.f1 >= 0.80


def test_any_files_link_by_a_declaration_alone(tmp_path):
    """A new set, declared as the README says: two files of different shape, one of them csv without quality."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "members.yml").write_text(
        "description: Members of a club.\nowner: a@example.com\npattern: members.csv\nformat: {type: csv}\n"
        "entities:\n  contact:\n    key: no\n"
        "    fields: {given_name: first, family_name: last, birth_date: born, email: mail}\n",
        encoding="utf-8",
    )
    rng = random.Random(5)
    first = ["Anna", "Bruno", "Chloé", "David", "Elsa", "Farid", "Gaëlle", "Hugo", "Inès", "Jules", "Karim", "Léa"]
    last = ["Durand", "Petit", "Moreau", "Garnier", "Lefebvre", "Roussel", "Blanchard", "Faure", "Marchand", "Vidal"]
    rows = ["no,first,last,born,mail"]
    for n in range(300):
        name, surname = rng.choice(first), rng.choice(last)
        born = f"{rng.randint(1935, 2004)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        mail = f"{name[0].lower()}{rng.choice('abcdefgh')}{rng.randint(100, 9999)}@example.com"
        rows.append(f"{n},{name},{surname},{born},{mail}")
        if n < 100:
            rows.append(f"x{n},{name.lower()},{surname.upper()},{born},{mail if n % 2 else ''}")
    (tmp_path / "members.csv").write_text("\n".join(rows), encoding="utf-8")
    out = tmp_path / "linked.csv"
    link(tmp_path, None, out)
    linked = pl.read_csv(out, schema_overrides={"source_key": pl.String})
    ids = dict(zip(linked["source_key"], linked["golden_id"], strict=True))
    assert linked.height == 400
    assert sum(ids[f"x{n}"] == ids[str(n)] for n in range(100)) >= 95
    assert len({ids[str(n)] for n in range(300)}) >= 290


@pytest.mark.parametrize("count", [1, 2, 3, 8, 30])
def test_a_handful_of_people_and_companies_links_or_stays_apart_but_never_fails(tmp_path, count):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "few.yml").write_text(
        "description: The first records of a new company.\nowner: a@example.com\npattern: few.csv\n"
        "format: {type: csv}\nentities:\n  contact:\n    key: no\n    party: {from: kind, company: [C]}\n"
        "    fields: {given_name: first, family_name: last, organisation_name: company, email: mail}\n",
        encoding="utf-8",
    )
    rng = random.Random(count)
    rows = ["no,kind,first,last,company,mail"]
    for n in range(count):
        filled = rng.random() < 0.7
        mail = f"m{n}@example.com" if filled else ""
        rows.append(f"{n},P,{rng.choice(['Anna', 'Bo'])},{rng.choice(['Roux', 'Petit'])},,{mail}")
        rows.append(f"c{n},C,,,{f'Maison {n}' if filled else ''},")
    (tmp_path / "few.csv").write_text("\n".join(rows), encoding="utf-8")
    summary = link(tmp_path, None, tmp_path / "linked.csv")
    assert summary.records == 2 * count


def test_files_without_a_record_are_a_clear_error(tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "a.yml").write_text(
        "description: x\nowner: x\npattern: a.csv\nformat: {type: csv}\n"
        "entities: {contact: {key: id, fields: {given_name: first}}}\n",
        encoding="utf-8",
    )
    (tmp_path / "a.csv").write_text("id,first\n", encoding="utf-8")
    with pytest.raises(DatadockError, match="hold no record that could be read"):
        link(tmp_path, None, tmp_path / "out.parquet")


def test_what_cannot_be_linked_is_a_clear_error(tmp_path):
    with pytest.raises(CatalogError, match="no declaration"):
        link(tmp_path, None, tmp_path / "out.parquet")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "a.yml").write_text(
        "description: x\nowner: x\npattern: a.csv\nformat: {type: csv}\n"
        "entities: {contact: {key: id, fields: {given_name: first}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(DatadockError, match=r"a\.csv"):
        link(tmp_path, None, tmp_path / "out.parquet")
