"""The life of the linking model on a whole deployment: a guard stops before the marts, what-if tells the end."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from datadock import names
from datadock.evaluation import read_truth
from datadock.lake import Lake
from datadock.settings import PROJECT_ROOT

MEMBERS = "select source, source_key, golden_id from marts.golden_membership where is_current"
REACH = "select channel, count(*) as n from marts.dim_contact_channel where addressable group by channel"


@pytest.fixture
def home(built_home, tmp_path):
    """A copy of the built home, to change."""
    shutil.copytree(built_home.folder, tmp_path / "home", symlinks=True)
    return replace(built_home, folder=tmp_path / "home")


@pytest.fixture
def catalog(tmp_path):
    """A catalog whose identity.yml a test writes."""
    shutil.copytree(PROJECT_ROOT / "catalog", tmp_path / "catalog")
    return tmp_path / "catalog"


def test_a_guard_stops_a_run_before_the_marts_until_somebody_decides_and_what_if_told_it(home, catalog):
    told = home.json("identity", "what-if", "--threshold", "9")
    [then] = told["what_if"]
    assert [objection.split(":")[0] for objection in then["objections"]] == ["id_churn"]
    published = (home.folder / "published" / "current.duckdb").resolve()
    standing = home.sql(MEMBERS)
    declared = catalog / "identity.yml"
    declared.write_text("threshold: 9\n", encoding="utf-8")
    version = Lake(home.folder / "lake").version(names.MEMBERSHIPS)
    for _ in range(2):
        outcome = home.build(catalog=catalog)
        assert outcome.status == "failure"
        [(step, cause)] = outcome.failures
        assert step == "identities"
        assert "golden/memberships was not written: id_churn: golden ids: " in cause
        assert "raising limits.id_churn_new_model in identity.yml" in cause
        assert ("golden/memberships: id_churn", "ERROR") in outcome.summary.checks_failed
        assert (home.folder / "published" / "current.duckdb").resolve() == published
        assert Lake(home.folder / "lake").version(names.MEMBERSHIPS) == version
    assert home.sql(MEMBERS) == standing
    declared.write_text("threshold: 9\nlimits: {id_churn_new_model: 1}\n", encoding="utf-8")
    assert home.build(catalog=catalog).status == "success"
    sizes = pl.DataFrame(home.sql(MEMBERS)).group_by("golden_id").len()
    assert (then["golden"], then["largest"]) == (sizes.height, sizes["len"].max())
    assert then["reach"]["contacts"] == {row["channel"]: row["n"] for row in home.sql(REACH)}
    assert told["now"]["reach"]["contacts"] != then["reach"]["contacts"]


def test_a_threshold_below_what_is_kept_is_refused_with_the_reason(built_home):
    result = built_home.run("identity", "what-if", "--threshold", "-5", check=False)
    assert result.returncode == 1
    assert "pairs under -4 bits are not stored" in result.stderr


def test_pairs_that_people_looked_at_are_scored_with_intervals_and_a_warning_of_their_choice(built_home, tmp_path):
    truth = read_truth(built_home.truth).select("source", "source_key", "entity_id")
    queue = pl.DataFrame(
        built_home.sql("select distinct left_source, left_key, right_source, right_key from golden.suspects")
    )
    for side in ("left", "right"):
        entity = truth.rename({"source": f"{side}_source", "source_key": f"{side}_key", "entity_id": f"{side}_entity"})
        queue = queue.join(entity, on=[f"{side}_source", f"{side}_key"])
    pairs = queue.with_columns(same=pl.col("left_entity") == pl.col("right_entity"))
    pairs.drop("left_entity", "right_entity").write_csv(tmp_path / "pairs.csv")
    result = built_home.run("identity", "evaluate", tmp_path / "pairs.csv", "--json", check=False)
    assert result.returncode == 1  # suspects are those that are not joined
    assert "recall 0.0000, at least 0.9" in result.stderr
    assert f"{pairs.height:,} of {pairs.height:,} pairs came from the review queue" in result.stdout
    assert "the sample is biased" in result.stdout


def test_the_page_on_linking_tells_how_records_were_told_apart_without_a_persons_values(built_home, tmp_path):
    page = built_home.folder / "reports" / "identity.html"
    text = page.read_text(encoding="utf-8")
    for heading in (
        "Run record", "Guards", "Why pairs are joined or not", "Contacts from the inside", "Rules that find pairs",
        "What another threshold would do", "Records that would not recognise themselves", "The model of people",
    ):  # fmt: skip
        assert f">{heading}<" in text, heading
    assert text.count('class="chart waterfall"') >= 3
    assert text.count('class="graph"') >= 4
    people = built_home.sql("select email, mobile from intermediate.int_source_contact where email is not null")
    assert not [row for row in people if row["email"] in text or (row["mobile"] and row["mobile"] in text)]
    built_home.run("identity", "report", "--out", tmp_path / "page")
    alone = (tmp_path / "page" / "identity.html").read_text(encoding="utf-8")
    assert (tmp_path / "page" / "style.css").exists()
    assert '<th scope="row">12</th>' in alone, "every threshold, where somebody asks"
    assert '<th scope="row">12</th>' not in text


def test_a_training_on_the_same_records_gives_the_model_in_use_and_its_record_stands(built_home):
    listed = {one["version"]: one for one in built_home.json("identity", "models")}
    person = next(one for one in listed.values() if one["party"] == "person")
    assert person["in_use"]
    assert not person["unfit"]
    record = person["training"]
    assert record["rounds"] > 1
    assert record["data"]["versions"]["golden/features"] >= 0
    assert [block["rule"] for block in record["blocks"]]
    trained = built_home.json("identity", "train", "--party", "company")
    assert trained["candidates"]["company"]["version"] in listed
    assert (trained["accepted"], trained["then"]["ids_changed"], trained["then"]["objections"]) == (False, 0, [])
    used = built_home.run("identity", "use", "person-of-nobody", check=False)
    assert used.returncode == 1
    assert person["version"] in used.stderr


def test_decisions_judge_the_weights_and_are_told_to_come_from_the_queue(home):
    refused = home.run("identity", "evaluate", "--ledger", check=False)
    assert (refused.returncode, "no decision is in the ledger" in refused.stderr) == (1, True)
    pairs = home.sql("select left_source, left_key, right_source, right_key, match_weight from golden.suspects limit 8")
    joined = home.sql(
        "select left_source, left_key, right_source, right_key, match_weight from golden.pairs"
        " where match_weight > 15 order by all limit 6"
    )
    taken = [("never_link", pair) for pair in pairs] + [("must_link", pair) for pair in joined]
    rows = [
        {"decision_id": str(n), "kind": kind, **{k: v for k, v in pair.items() if k != "match_weight"},
         "decided_by": "steward", "decided_at": datetime.now(UTC), "reason": "seen"}
        for n, (kind, pair) in enumerate(taken)
    ]  # fmt: skip
    Lake(home.folder / "lake").append_once(names.DECISIONS, pl.DataFrame(rows).to_arrow(), "taken")
    told = json.loads(home.run("identity", "evaluate", "--ledger", "--json", check=False).stdout)
    strong = sum(pair["match_weight"] >= -1 for pair in pairs)
    assert (told["form"], told["size"], told["recall"]) == ("decisions", 14, 1.0)
    assert told["precision"] == pytest.approx(6 / (6 + strong))
    assert told["notes"][0].startswith("judged by the model's weight of each pair")
    assert told["notes"][1].startswith("8 of 14 pairs came from the review queue")
