"""Everything known of one contact, in one call: the view that stewards, agents and programs start from.

Reads a published copy. What changes a contact is elsewhere; here is no rule of its own.
"""

from __future__ import annotations

from typing import Any

import duckdb

from datadock.errors import DatadockError
from datadock.identity.ids import is_valid_id
from datadock.settings import Settings
from datadock.state import StateStore
from datadock.warehouse.publish import connect_published

_OF_CONTACT = "join marts.dim_contact_source as s on s.golden_id = $1"
_PARTS = {
    "records": "select source, source_key, member_since, cause, record_updated_at, _file, _line "
    "from marts.dim_contact_source where golden_id = $1 order by source, source_key",
    "provenance": "select field, source, source_key, rule, observed_at from marts.golden_provenance "
    "where golden_id = $1 order by field",
    "addresses": "select * exclude (golden_id) from marts.dim_address where golden_id = $1 order by address_id",
    "channels": "select * exclude (golden_id) from marts.dim_contact_channel where golden_id = $1 order by channel",
    "contact_points": "select p.kind, p.field, p.value, p.normal_form, p.type, p.status, p.codes, p.usable, p.reason, "
    "p.incidents, p.since, p.since_known, p.until, p.is_current, p.source, p.source_key "
    f"from marts.dim_contact_point as p {_OF_CONTACT} and p.contact_source = s.source and p.contact_key = s.source_key "
    "order by p.is_current desc, p.kind, p.since desc, p.source, p.source_key, p.field, p.value",
    "names": "select n.source, n.source_key, n.display_name, n.civility, n.proposed_civility, n.sex_of_first_name, "
    f"n.certainty, n.status, n.codes, n.is_civility_contradicted from marts.dim_contact_name as n {_OF_CONTACT} "
    "and n.source = s.source and n.source_key = s.source_key order by n.source, n.source_key",
    "attributes": "select attribute, value, data_set, origin, origin_version, origin_date, added_by, added_at "
    "from marts.contact_attribute where golden_id = $1 order by data_set, attribute",
    "treatments": "select c.treatment_id, t.asked_by, t.asked_at, t.reason, c.outcome, c.reason as why_not, c.stands "
    "from marts.fct_treatment_contact as c join marts.fct_treatment as t on t.treatment_id = c.treatment_id "
    "where c.golden_id = $1 and c.outcome <> 'untouched' order by t.asked_at desc, c.line",
    "roles": "select contract_id, role, source, source_key from marts.dim_contact_role where golden_id = $1 "
    "order by all",
    "companies": "select company_golden_id, company_name, role, job_title, found_by, source, source_key "
    "from marts.dim_company_person where person_golden_id = $1 order by all",
    "staff": "select person_golden_id, role, job_title, found_by, source, source_key "
    "from marts.dim_company_person where company_golden_id = $1 order by all",
    "orders": "select order_id, source, ordered_at, channel, store_code, amount, currency, status from marts.fct_order "
    "where golden_id = $1 order by ordered_at desc, source, order_id",
    "revenue": "select source, count(*) as orders, sum(amount) as amount from marts.fct_order "
    "where golden_id = $1 group by source order by source",
    "events": "select event_type, happened_at, channel, subject, source, source_key from marts.fct_event "
    "where golden_id = $1 order by happened_at desc, source, source_key",
    "consents": "select contact_point, channel, purpose, status, decided_at, source from marts.fct_consent "
    "where golden_id = $1 order by decided_at desc, source, contact_point",
    "suspects": "select left_source, left_key, left_golden_id, right_source, right_key, right_golden_id, "
    "match_weight, match_probability from marts.suspect_pair "
    "where status = 'open' and (left_golden_id = $1 or right_golden_id = $1) order by match_weight desc",
    "former_ids": "select old_id, redirected_at, cause from marts.golden_redirect where new_id = $1 order by all",
}


def find_golden_id(settings: Settings, reference: str) -> str:
    """Return the live id of a contact.

    Args:
        settings: The deployment.
        reference: A golden id, live or former, or a source record as ``source:key``.

    Raises:
        DatadockError: When the id is mistyped, or nothing of that name is known.
    """
    source, colon, key = reference.partition(":")
    with connect_published(settings, lake=False) as con:
        if colon:
            query = "select golden_id from marts.dim_contact_source where source = $1 and source_key = $2"
            found = con.execute(query, [source, key]).fetchone()
            if found and found[0]:
                return str(found[0])
            raise DatadockError(
                f"no contact record {key!r} of {source!r} is in the published copy",
                expected="<source>:<source_key> of a record that has landed and was built",
                action="see: datadock source list; then: datadock run",
            )
        if not is_valid_id(reference):
            raise DatadockError(
                f"{reference!r} is not a golden id: its form or its check character is wrong",
                expected="DK, 26 characters, a check character; or <source>:<source_key>",
                action="copy the id whole",
            )
        query = "select golden_id from marts.dim_contact where golden_id = $1"
        if con.execute(query, [reference]).fetchone():
            return reference
        moved = con.execute("select new_id from marts.golden_redirect where old_id = $1", [reference]).fetchone()
        if moved and moved[0]:
            return str(moved[0])
    raise DatadockError(
        f"no contact has the id {reference}",
        expected="a live id, or one that was merged into another",
        action=f"see what became of it: datadock identity history {reference}",
    )


def view_contact(settings: Settings, reference: str) -> dict[str, Any]:
    """Return everything known of one contact.

    Args:
        settings: The deployment.
        reference: A golden id, live or former, or a source record as ``source:key``.

    Returns:
        ``golden_id``, ``contact`` (golden values), and a list of rows for each of: records, provenance,
        addresses, channels (whether it can be reached there, and by what), contact_points (current ones first, with
        normal form, state, reason and period), names (what is odd about each record's name), attributes (that
        treatments added), treatments (that the contact went through), roles, companies (where the person works),
        staff (who works there), orders, revenue (per source), events, consents, suspects, former_ids, targets (that
        hold the contact), alerts (that name it).

    Raises:
        DatadockError: When there is no such contact, or nothing is published yet.
    """
    golden_id = find_golden_id(settings, reference)
    with connect_published(settings, lake=False) as con:
        contact = _rows(con, "select * exclude (provenance) from marts.dim_contact where golden_id = $1", golden_id)[0]
        parts = {name: _rows(con, query, golden_id) for name, query in _PARTS.items()}
    alerts = [vars(alert) for alert in StateStore(settings.state_database).open_alerts() if golden_id in alert.cause]
    return {"golden_id": golden_id, "contact": contact, **parts, "targets": [], "alerts": alerts}


def _rows(con: duckdb.DuckDBPyConnection, query: str, golden_id: str) -> list[dict[str, Any]]:
    found = con.execute(query, [golden_id])
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
