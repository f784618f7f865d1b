import hashlib
import re

import polars as pl

from datadock.demo.reference import SEEDS, load_reference, plain
from datadock.demo.seeding import rebuild


def test_the_seeds_are_those_that_their_readme_names():
    named = dict(re.findall(r"^\| `([\w.]+)` \| `([0-9a-f]{64})` \|$", (SEEDS / "README.md").read_text(), re.MULTILINE))
    assert named == {
        name: hashlib.sha256((SEEDS / name).read_bytes()).hexdigest()
        for name in ("first_names.csv", "communes.parquet")
    }


def test_every_seed_has_its_row_in_the_readme():
    text = (SEEDS / "README.md").read_text()
    assert [path.name for path in SEEDS.iterdir() if f"`{path.name}`" not in text] == ["README.md"]


def test_rebuilding_keeps_the_frequent_names_and_the_large_communes(tmp_path):
    (tmp_path / "prenoms.csv").write_text("prenom,n_m,n_f,p_f\nANNE,1,9,0.9\n_RARES,5,5,0.5\nJEAN-PAUL,90,0,0\n")
    (tmp_path / "communes.csv").write_text(
        "code_insee,nom,type,departement,region,codes_postaux,population\n"
        "01001,Petite,commune-actuelle,01,84,01400,10\n75056,Paris,commune-actuelle,75,11,75001|75002,2000000\n"
        "01002,Ancienne,commune-deleguee,01,84,01400,10\n"
    )
    rebuild(tmp_path / "prenoms.csv", tmp_path / "communes.csv", tmp_path)
    assert pl.read_csv(tmp_path / "first_names.csv").rows() == [("Jean-Paul", 90, 0), ("Anne", 1, 9)]
    assert pl.read_parquet(tmp_path / "communes.parquet").rows() == [
        ("01001", "Petite", "01400", 10),
        ("75056", "Paris", "75001 75002", 2_000_000),
    ]


def test_plain_words_have_neither_accents_nor_ligatures():
    assert plain(pl.Series(["Éloïse Lœuil", "François"])).to_list() == ["Eloise Loeuil", "Francois"]


def test_every_word_can_be_written_in_latin_1():
    # The tills write latin-1; a letter outside it would reach the file as a question mark.
    reference = load_reference()
    for words in (reference.given, reference.surnames, reference.streets):
        "".join(words.accented).encode("latin-1")
