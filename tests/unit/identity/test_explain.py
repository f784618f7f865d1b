"""Reasons of a pair from a model written by hand: every part is the one that the model says, and they add up."""

import math
from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest

from datadock import names
from datadock.errors import DatadockError, ModelError
from datadock.identity.comparisons import comparisons_for
from datadock.identity.explain import explain, explain_known, values_compared
from datadock.identity.model import Model, make_current, save_model
from datadock.identity.workspace import FEATURES, Workspace
from datadock.lake import Lake

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DESK = "+33100000000"
PEOPLE = {
    "1": ("martin", ["+33611111111", DESK]),
    "2": ("martin", ["+33611111111"]),
    "3": ("petit", [DESK]),
    "4": ("martin", [DESK]),
    "5": (None, [DESK]),
}
SHARE = {"martin": 0.5, "petit": 0.01}


def trained() -> Model:
    comparisons = tuple(c for c in comparisons_for({"family", "phones", "mobiles"}, "person"))
    levels = {c.name: len(c.levels) + 1 for c in comparisons}
    m = {name: (0.8, *[0.2 / (count - 1)] * (count - 1)) for name, count in levels.items()}
    u = {name: (0.01, *[0.99 / (count - 1)] * (count - 1)) for name, count in levels.items()}
    return Model(
        party="person", fields={"family_name": "family_name"}, features=("family", "phones"), rules=(),
        comparisons=comparisons, m=m, u=u, h=m, match_share=1e-3, household_share=1e-3, records=5,
        shared={"phones": (DESK,)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, people_catalog) -> Workspace:
    """Five people, of whom four share the phone of a desk, and a company."""
    lake = Lake(tmp_path_factory.mktemp("explain") / "lake")
    state = {"op": "upsert", "content_hash": 1, "received_at": NOW, "generation": 1, "linked": 1}
    rows = [
        {"source": "crm", "source_key": key, "party_type": "person", "feature_hash": key, **state,
         "family": family, "family_words": family, "phones": phones,
         "mobiles": [phone for phone in phones if phone.startswith("+336")] or None}
        for key, (family, phones) in PEOPLE.items()
    ]  # fmt: skip
    company = {**rows[0], "source_key": "firm", "party_type": "company"}
    lake.append_once(FEATURES, pl.DataFrame([*rows, company]).to_arrow(), "features")
    held = [
        {"source": "crm", "source_key": key, "golden_id": f"DK{key}", "valid_from": NOW, "cause": "created",
         "run_id": "run", "generation": 1}
        for key in PEOPLE
    ]  # fmt: skip
    lake.append_once(names.MEMBERSHIPS, pl.DataFrame(held).to_arrow(), "memberships")
    made = Workspace(lake, people_catalog, tmp_path_factory.getbasetemp() / "none", "run", NOW)
    with duckdb.connect() as con:
        con.execute("create table terms (family varchar, tf_family double)")
        con.executemany("insert into terms values (?, ?)", list(SHARE.items()))
        save_model(made.model_folder, trained(), con, {"family": "terms"})
        make_current(made.model_folder, trained())
    return made


def pair(one: str, other: str):
    return ("crm", one), ("crm", other)


def test_every_part_is_what_the_model_says_and_they_add_up(workspace) -> None:
    (told,) = explain(workspace, [pair("1", "2")])
    model = trained()
    phone, name = math.log2(0.8 / 0.01), math.log2(0.8 / 0.01) + math.log2(0.01 / SHARE["martin"])
    assert {piece.comparison: (piece.level, piece.words) for piece in told.evidence} == {
        "phone": ("same mobile", f"phone: same mobile, rarely shared: {phone:+.1f}"),
        "family_name": ("same family name", f"same family name, common (1 in 2): {name:+.1f}"),
    }
    assert [piece.bits for piece in told.evidence] == pytest.approx([phone, name])
    assert told.prior == pytest.approx(math.log2(model.prior / (1 - model.prior)))
    assert told.weight == pytest.approx(told.prior + phone + name + told.household)
    assert told.probability == pytest.approx(1 / (1 + 2**-told.weight))
    assert (told.left, told.right, told.model) == (*pair("1", "2"), model.version)


def test_an_identifier_that_many_share_is_told_and_not_counted(workspace) -> None:
    alone, beside = explain(workspace, [pair("3", "4"), pair("1", "4")])
    said = {piece.comparison: piece for piece in alone.evidence}
    assert said["phone"].words == "this phone is used by 4 contacts: not counted"
    assert said["phone"].bits == 0
    assert said["family_name"].words.startswith("family name differs: -")
    words = {piece.comparison: piece.words for piece in beside.evidence}
    assert words["phone"] == "this phone is used by 4 contacts: not counted"


def test_turned_round_a_pair_says_the_same(workspace) -> None:
    one, other = explain(workspace, [pair("2", "3"), pair("3", "2")])
    assert (one.evidence, one.weight, one.household) == (other.evidence, other.weight, other.household)
    assert (one.left, one.right) == (other.right, other.left)


def test_values_compared_are_told_and_missing_ones_left_out(workspace) -> None:
    told = values_compared(workspace, [("crm", "1"), ("crm", "5"), ("crm", "nobody")])
    assert told == {
        ("crm", "1"): {"family_name": "martin", "phone": f"+33611111111, {DESK}"},
        ("crm", "5"): {"phone": DESK},
    }


@pytest.mark.parametrize(
    ("asked", "error", "found"),
    [
        (pair("1", "nobody"), DatadockError, "there is no contact record 'nobody' of 'crm'"),
        (pair("1", "1"), DatadockError, "stands against itself"),
        (pair("1", "firm"), DatadockError, "crm:1 is a person, crm:firm a company"),
        (pair("firm", "nobody"), DatadockError, "there is no contact record 'nobody'"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(workspace, asked, error, found) -> None:
    with pytest.raises(error, match=found):
        explain(workspace, [asked])
    assert explain_known(workspace, [asked, pair("1", "2")]).pairs.keys() == {pair("1", "2")}


def test_without_a_model_there_are_no_reasons(worlds) -> None:
    world = worlds(range(2), {(0, 1): 9.0})
    with pytest.raises(ModelError, match="no model of person records is trained yet"):
        explain(world.workspace(), [pair("0", "1")])
    assert explain_known(world.workspace(), [pair("0", "1")]).pairs == {}
    assert explain(world.workspace(), []) == []
