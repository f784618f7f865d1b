"""What stewards do, on the demo company: reasons that add up, previews that come true, decisions that last and go."""

import json
import shutil
from dataclasses import replace

import pytest

from datadock import launch, names
from datadock.dock import open_dock
from datadock.fingerprint import fingerprint
from datadock.identity.decisions import Book, take
from datadock.identity.explain import explain
from datadock.identity.preview import preview, reading_workspace
from datadock.lake import Lake
from datadock.settings import Settings

FACTS = """
    select (select count(*) from marts.fct_order) as orders, (select sum(amount) from marts.fct_order) as revenue,
        (select count(*) from marts.fct_event) as events, (select count(*) from marts.fct_consent) as consents,
        (select count(*) from marts.dim_contact_point) as points
"""
MEMBERS = "select source, source_key, golden_id from marts.golden_membership where is_current"
SAID = [
    "sex: already told by the given name", "same e-mail, rarely shared: ", "birth date: not known on one side",
    "address: same place, street unknown", "e-mail differs: -", "same family name, common (1 in ",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(built_home, tmp_path_factory):
    """A copy of the built home, to change."""
    folder = tmp_path_factory.mktemp("steward") / "home"
    shutil.copytree(built_home.folder, folder, symlinks=True)
    return replace(built_home, folder=folder)


@pytest.fixture
def dock(home):
    return open_dock(Settings(home=home.folder))


def _members(home):
    return {(row["source"], row["source_key"]): row["golden_id"] for row in home.sql(MEMBERS)}


def _ledger(home):
    return Lake(home.folder / "lake").version(names.DECISIONS)


def test_the_parts_of_every_stored_pair_add_up_to_its_weight(dock):
    workspace = reading_workspace(dock)
    with workspace.connection() as con:
        rows = con.sql(
            f"select left_source, left_key, right_source, right_key, match_weight from {workspace.scan(names.PAIRS)}"
        ).fetchall()
    told = explain(workspace, [((a, b), (c, d)) for a, b, c, d, _ in rows])
    assert len(told) == len(rows) > 500
    for one, row in zip(told, rows, strict=True):
        assert one.weight == pytest.approx(row[4], abs=1e-6)
        assert one.prior + sum(piece.bits for piece in one.evidence) + one.household == pytest.approx(row[4], abs=1e-6)
        assert one.household <= 0
        assert (one.verdict == "same") == (row[4] >= -1)
    words = {piece.words for one in told for piece in one.evidence}
    assert [start for start in SAID if not any(said.startswith(start) for said in words)] == []


def test_explain_tells_values_chain_and_decisions_and_refuses_who_does_not_exist(home):
    members = _members(home)
    largest = max(set(members.values()), key=list(members.values()).count)
    inside = sorted(":".join(record) for record, golden in members.items() if golden == largest)
    told = home.json("identity", "explain", inside[0], inside[1])
    assert told["is_one"]
    assert told["left"]["golden_id"] == told["right"]["golden_id"] == largest
    assert set(told["explanation"]) == {
        "left", "right", "prior", "evidence", "household", "weight", "probability", "verdict", "model",
    }  # fmt: skip
    assert any(all(sides) for sides in told["values"].values())
    shown = home.run("identity", "explain", inside[0], inside[1]).stdout
    assert all(piece["words"] in shown for piece in told["explanation"]["evidence"])
    question = home.json("identity", "queue")["questions"][0]
    two = [members[tuple(question[side].split(":", 1))] for side in ("left", "right")]
    between = home.json("identity", "explain", *two)
    assert between["pairs"] >= 1
    assert between["mean"] <= between["explanation"]["weight"]
    refused = home.run("identity", "explain", "crm_contacts:nobody", inside[0], check=False)
    assert refused.returncode == 1
    assert "there is no contact record 'nobody' of 'crm_contacts'" in refused.stderr
    assert home.run("identity", "explain", "DK123", inside[0], check=False).returncode == 1


def test_the_queue_hides_scores_and_the_review_shows_them_after_the_answer(home):
    listed = home.json("identity", "queue", "--limit", 4)
    assert len(listed["questions"]) == 4 < listed["open"]
    assert not any("weight" in row or "probability" in row for row in listed["questions"])
    scored = home.json("identity", "queue", "--limit", 4, "--with-scores")["questions"]
    assert [row["value"] for row in scored] == sorted((row["value"] for row in scored), reverse=True)
    asked = home.run("identity", "review", "--limit", 3, "--by", "eva", answers="u\n\nd\nsisters\nq\n").stdout
    assert ["bits:" in part for part in asked.split("One party?")] == [False, True, True, False]
    kept = home.json("identity", "decisions")
    assert [(row["action"], row["kind"], row["by"], row["reason"]) for row in kept] == [
        ("review", "unsure", "eva", "read side by side"),
        ("review", "never_link", "eva", "sisters"),
    ]
    assert kept[0]["left"] == scored[0]["left"]
    again = home.json("identity", "queue", "--limit", 1000)["questions"]
    assert [row["unsure"] for row in again].count(True) <= 1
    assert {kept[1]["left"], kept[1]["right"]} not in [{row["left"], row["right"]} for row in again]
    out = home.folder / "sample.csv"
    assert "1 pairs" in home.run("identity", "sample", "--out", out).stdout
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "left_source,left_key,right_source,right_key,same"
    assert lines[1].endswith(",false")


def test_a_dry_run_writes_nothing_and_a_decision_without_reason_is_refused(home):
    version = _ledger(home)
    one, other = _two_contacts(home)
    told = home.run("identity", "merge", one, other, "--dry-run").stdout
    assert f"contact      {one}" in told
    assert "Nothing was written." in told
    refused = home.run("identity", "merge", one, other, check=False)
    assert refused.returncode == 1
    assert "without a reason" in refused.stderr
    assert _ledger(home) == version


def test_a_merge_moves_facts_loses_none_opens_nothing_and_its_withdrawal_restores_all(home, dock, monkeypatch):
    before, facts = _members(home), home.sql(FACTS)
    orders = _per_contact(home)
    one, other = _two_contacts(home)
    book = Book(reading_workspace(dock))
    foreseen = preview(dock.settings, book, book.merge([one, other]))
    merged = home.json("identity", "merge", one, other, "--reason", "same person")
    assert merged["preview"] == json.loads(json.dumps(foreseen.as_dict(), default=str))
    assert ("email newsletter", "given", "refused") in [(c.what, c.before, c.after) for c in foreseen.consents]
    assert not any(change.after == "given" and change.before == "refused" for change in foreseen.consents)
    whole = launch.launch_platform

    def interrupted(*arguments, **options):
        ended = whole(*arguments, **options)
        late = Book(reading_workspace(dock))
        take(late, late.answer("unsure", *sorted(before)[:2]), "eva", "while the run was under way")
        return ended

    monkeypatch.setattr(launch, "launch_platform", interrupted)
    assert home.build().status == "success"
    monkeypatch.undo()
    # What was decided meanwhile is news to the next run.
    assert dock.state.last_run("success").fingerprint != fingerprint(dock)
    after = _members(home)
    moved = {record: (before[record], golden) for record, golden in after.items() if golden != before[record]}
    assert moved == {(row["source"], row["source_key"]): (row["before"], row["after"]) for row in foreseen.moves}
    assert home.sql(FACTS) == facts
    kept = foreseen.moves[0]["after"]
    assert _per_contact(home)[kept] == orders[one] + orders[other]
    values = home.sql(f"select * from marts.dim_contact where golden_id = '{kept}'")[0]
    assert {change.what: change.after for change in foreseen.values if change.golden_id == kept} == {
        change.what: str(values[change.what]) if values[change.what] is not None else None
        for change in foreseen.values
        if change.golden_id == kept
    }
    home.run("identity", "withdraw", merged["decision_id"], "--reason", "mistaken")
    assert home.build().status == "success"
    assert _members(home) == before
    assert home.sql(FACTS) == facts
    assert _per_contact(home) == orders
    gone = ({one, other} - {kept}).pop()
    events = [row["event"] for row in home.json("identity", "history", gone)["events"] if row["golden_id"] == gone]
    assert events == ["created", "merged_into", "restored"]
    fed = home.sql(f"select event from marts.golden_lineage where golden_id = '{gone}' order by happened_at")
    assert [row["event"] for row in fed] == events


def test_decisions_outlive_a_rebuild_of_everything(home):
    members = _members(home)
    record = next(":".join(key) for key, golden in members.items() if list(members.values()).count(golden) == 2)
    home.run("identity", "split", record, "--reason", "father and son")
    assert home.build(full=True).status == "success"
    after = _members(home)
    source, key = record.split(":", 1)
    fellow = next(
        other for other, golden in members.items() if golden == members[source, key] and other != (source, key)
    )
    assert after[source, key] != after[fellow]
    assert {record for record in after if after[record] != members[record]} <= {(source, key), fellow}
    assert home.build().status == "nothing_new"


def _two_contacts(home):
    """Two people with orders: a larger contact that consents to the newsletter, and a smaller one that refuses it."""
    rows = home.sql(
        "select golden_id, n_records, bool_and(status = 'opt-in') as given from marts.fct_consent "
        "join marts.dim_contact using (golden_id) semi join marts.fct_order using (golden_id) "
        "where party_type = 'person' and purpose = 'newsletter' group by all order by n_records, golden_id"
    )
    given, refused = ([row for row in rows if row["given"] is state] for state in (True, False))
    assert given[-1]["n_records"] > refused[0]["n_records"]
    return given[-1]["golden_id"], refused[0]["golden_id"]


def _per_contact(home):
    rows = home.sql("select golden_id, count(*) as n from marts.fct_order group by golden_id")
    return {row["golden_id"]: row["n"] for row in rows}
