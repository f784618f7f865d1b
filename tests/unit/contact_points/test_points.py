"""A contact point opens, changes and closes by rule; each change is told once."""

from datadock import names

OLD = {"address_line": "12 rue de la République", "postcode": "69002", "city": "Lyon"}
NEW = {"address_line": "5 place Bellecour", "postcode": "69002", "city": "Lyon"}
OTHER = {"address_line": "8 rue de Paris", "postcode": "59000", "city": "Lille"}


def letters(dock, *days, subject="NPAI", contact="1", **fields):
    for day in days:
        dock.event("postal_return", day, contact, subject, **fields)


def address(dock):
    """Return usable, reason and counted returns of the contact's own address."""
    return [row[1:] for row in dock.state("field", "usable", "reason", "incidents") if row[0] == "address"]


def test_each_value_of_a_record_is_a_point_with_its_state(dock):
    dock.contact("1", email="JEAN@free.fr", phone="06 12 34 56 87", mobile="12", record_updated_at="2025-05-01", **OLD)
    dock.run()
    assert dock.state("field", "normal_form", "status", "usable", "reason") == [
        ("address", "12 RUE DE LA REPUBLIQUE, 69002 LYON", "OK", True, None),
        ("email", "jean@free.fr", "OK", True, None),
        ("mobile", None, "REJETEE", False, "REJETEE"),
        ("phone", "+33612345687", "OK", True, None),
    ]
    assert {str(row[0])[:10] for row in dock.state("since")} == {"2025-05-01"}


def test_a_record_that_says_another_value_closes_the_point_and_opens_one(dock):
    dock.contact("1", email="old@free.fr")
    dock.run()
    dock.contact("1", email="new@free.fr", record_updated_at="2026-03-04")
    dock.run("2026-03-05")
    assert sorted(dock.changes(), key=str) == [("email", "closed", "REMPLACEE"), ("email", "opened", None)]
    ((until,),) = dock.state("until", op="closed")
    assert str(until)[:10] == "2026-03-04"


def test_the_same_values_delivered_again_keep_their_beginning(dock):
    dock.contact("1", email="a@free.fr", record_updated_at="2025-01-01")
    dock.run()
    dock.contact("1", email="a@free.fr", record_updated_at="2026-03-03", _batch_id="another")
    _, points = dock.run("2026-03-05")
    assert points.changes == {}
    assert [str(row[0])[:10] for row in dock.state("since")] == ["2025-01-01"]


def test_a_record_that_is_gone_withdraws_its_points(dock):
    dock.contact("1", email="a@free.fr")
    dock.contact("2", email="b@free.fr")
    dock.run()
    dock.remove("1")
    dock.run("2026-03-05")
    assert dock.changes() == [("email", "closed", "RETIREE")]


def test_a_value_that_comes_back_is_opened_again_with_a_new_beginning(dock):
    dock.contact("1", email="a@free.fr", record_updated_at="2025-01-01")
    dock.run()
    dock.contact("1", email="b@free.fr", record_updated_at="2026-03-02")
    dock.run("2026-03-03")
    dock.contact("1", email="a@free.fr", record_updated_at="2026-03-04")
    dock.run("2026-03-05")
    assert ("email", "reopened", None) in dock.changes()
    assert [str(row[0])[:10] for row in dock.state("since")] == ["2026-03-04"]


def test_the_third_returned_mailing_makes_an_address_invalid(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", "2026-01-20")
    dock.run()
    assert address(dock) == [(True, None, 2)]
    letters(dock, "2026-02-01")
    dock.run()
    assert address(dock) == [(False, "RETOURS", 3)]
    assert dock.changes() == [("address", "invalidated", "RETOURS")]
    assert [str(row[0])[:10] for row in dock.state("happened_at")] == ["2026-02-01"]


def test_returns_of_one_mailing_count_once(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", "2026-01-11", "2026-01-12", mailing="catalogue-2026")
    dock.run()
    assert address(dock) == [(True, None, 1)]


def test_refused_and_unclaimed_letters_do_not_count(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", "2026-01-11", subject="REFUSE")
    letters(dock, "2026-01-12", "2026-01-13", subject="Pli avisé et non réclamé")
    dock.run()
    assert address(dock) == [(True, None, 0)]


def test_a_deployment_counts_other_motives_and_another_number(dock):
    dock.rules(returns={"invalid_after": 2, "counts": {"Refusé": True}})
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", "2026-01-11", subject="refusé")
    dock.run()
    assert address(dock) == [(False, "RETOURS", 2)]


def test_other_rules_judge_points_again(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", "2026-01-11")
    dock.run()
    dock.rules(returns={"invalid_after": 2})
    dock.run()
    assert dock.changes() == [("address", "invalidated", "RETOURS")]


def test_a_new_address_starts_without_returns(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", "2026-01-20", "2026-02-01")
    dock.run()
    dock.contact("1", record_updated_at="2026-03-02", **NEW)
    dock.run("2026-03-03")
    assert address(dock) == [(True, None, 0)]
    letters(dock, "2026-03-10")
    dock.run("2026-03-11")
    assert address(dock) == [(True, None, 1)]


def test_a_delivery_starts_the_count_anew(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", "2026-01-20")
    dock.event("postal_delivery", "2026-01-25")
    letters(dock, "2026-02-01")
    dock.run()
    assert address(dock) == [(True, None, 1)]


def test_returns_count_where_the_record_does_not_say_since_when(dock):
    dock.contact("1", **OLD)
    letters(dock, "2026-01-10", "2026-01-20", "2026-02-01")
    dock.run()
    assert address(dock) == [(False, "RETOURS", 3)]


def test_a_letter_with_its_address_concerns_that_address_and_no_other(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    dock.listed("1-billing", "1", address_type="billing", record_updated_at="2025-01-01", **OTHER)
    letters(dock, "2026-01-10", "2026-01-20", "2026-02-01", **{**OTHER, "city": "LILLE"})
    dock.run()
    assert dock.state("field", "usable", "reason", "incidents") == [
        ("address", True, None, 0),
        ("address_billing", False, "RETOURS", 3),
    ]


def test_a_deceased_addressee_stops_letters_at_once(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    letters(dock, "2026-01-10", subject="DCD")
    dock.run()
    assert address(dock) == [(False, "DECES", 0)]


def test_a_hard_bounce_holds_at_once_and_for_every_record_of_the_mailbox(dock):
    dock.contact("1", email="Jean@free.fr")
    dock.contact("2", email_2="jean@free.fr")
    dock.event("bounce", "2026-02-01", subject="hard", contact_point="JEAN@FREE.FR")
    dock.run()
    assert dock.state("field", "usable", "reason") == [("email", False, "REBOND_DUR"), ("email_2", False, "REBOND_DUR")]


def test_soft_bounces_hold_when_enough_come_within_the_window(dock):
    dock.rules(bounces={"soft_invalid_after": 3, "soft_window_days": 30})
    dock.contact("1", email="a@free.fr")
    dock.contact("2", email="b@free.fr")
    for day in ("2026-01-01", "2026-01-20", "2026-02-25"):
        dock.event("bounce", day, "1", "soft", contact_point="a@free.fr")
    for day in ("2026-01-01", "2026-01-20", "2026-01-30"):
        dock.event("bounce", day, "2", "soft", contact_point="b@free.fr")
    dock.run()
    assert dock.state("usable", "reason", "incidents") == [(True, None, 3), (False, "REBONDS", 3)]


def test_a_delivered_mail_proves_that_the_mailbox_works_again(dock):
    dock.contact("1", email="a@free.fr")
    dock.event("bounce", "2026-01-01", "1", "hard", contact_point="a@free.fr")
    dock.run()
    dock.event("delivery", "2026-02-01", "1", contact_point="a@free.fr")
    dock.run()
    assert dock.changes() == [("email", "restored", None)]


def test_a_bounce_without_its_mailbox_concerns_those_of_its_contact(dock):
    dock.contact("1", email="a@free.fr")
    dock.contact("2", email="b@free.fr")
    dock.event("bounce", "2026-01-01", "2", "hard")
    dock.run()
    assert dock.state("usable", "reason") == [(True, None), (False, "REBOND_DUR")]


def test_an_announced_move_changes_the_address_on_its_day(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    dock.move("m1", "1", moves_on="2026-03-10", **NEW)
    dock.run("2026-03-09")
    assert dock.state("field", "usable", "reason") == [("address", True, None), ("address_move", False, "ANNONCEE")]
    assert dock.workspace.lake.last_inputs(names.CONTACT_POINTS)["due_on"] == "2026-03-10"
    dock.run("2026-03-10")
    assert dock.state("field", "usable", "reason") == [("address", False, "DEMENAGEMENT"), ("address_move", True, None)]
    assert dock.changes() == [("address", "invalidated", "DEMENAGEMENT"), ("address_move", "restored", None)]
    (left,) = dock.state("until", kind="address")[:1]
    assert str(left[0])[:10] == "2026-03-10"


def test_a_move_leaves_only_the_address_that_it_names(dock):
    dock.contact("1", record_updated_at="2025-01-01", **OLD)
    dock.listed("1-second", "1", address_type="second", record_updated_at="2025-01-01", **OTHER)
    old = {f"old_{name}": value for name, value in OTHER.items()}
    dock.move("m1", "1", moves_on="2026-02-01", **NEW, **old)
    dock.run()
    assert dock.state("field", "usable", "reason") == [
        ("address", True, None),
        ("address_second", False, "DEMENAGEMENT"),
        ("address_move", True, None),
    ]


def test_a_move_does_not_close_an_address_that_was_told_after_it(dock):
    dock.contact("1", record_updated_at="2026-02-15", **OTHER)
    dock.move("m1", "1", moves_on="2026-02-01", **NEW)
    dock.run()
    assert dock.state("field", "usable") == [("address", True), ("address_move", True)]


def test_a_period_ends_by_the_calendar(dock):
    dock.contact("1")
    dock.listed("1-summer", "1", address_type="summer", valid_from="2026-01-01", valid_to="2026-03-10", **OTHER)
    dock.run("2026-03-09")
    dock.run("2026-03-11")
    assert dock.changes() == [("address_summer", "invalidated", "PERIODE_FINIE")]


def test_the_log_grows_with_what_changed(dock):
    for key in range(50):
        dock.contact(str(key), email=f"p{key}@free.fr")
    dock.run()
    dock.contact("7", email="other@free.fr")
    _, points = dock.run()
    assert points.looked_at == 1
    assert dock.log().height == 50 + 2


def test_an_address_that_is_told_with_its_end_alone_began_before_it(dock):
    dock.contact("1")
    dock.listed("1-old", "1", address_type="old", valid_to="2026-02-01", record_updated_at="2026-02-20", **OTHER)
    dock.run()
    ((since, known, until, reason),) = dock.state("since", "since_known", "until", "reason")
    assert (str(since)[:10], known, str(until)[:10], reason) == ("2026-02-01", False, "2026-02-01", "PERIODE_FINIE")
