"""Columns that the warehouse expects of each lake table, in DuckDB's types.

They stand in for a table that does not exist yet (first run, source without files), so that a
model never has to ask whether there is anything to read. What a table has beyond them is kept.
"""

from __future__ import annotations

from datadock import names
from datadock.catalog.fields import MODEL
from datadock.warehouse.values_sql import SQL_TYPES

_TIME = "timestamp with time zone"

RAW: dict[str, str] = {
    "payload": "varchar",
    "_source": "varchar",
    "_entity": "varchar",
    "_batch_id": "varchar",
    "_file": "varchar",
    "_line": "bigint",
    "_received_at": _TIME,
    "_received_date": "varchar",
}

_STATUS = {"status": "varchar", "codes": "varchar[]"}
_EVIDENCE = {
    "evidence": 'struct("rule" varchar, field varchar, "before" varchar, "after" varchar, reference varchar)[]',
    "reference": "varchar",
    "generation": "bigint",
    "run_id": "varchar",
    "recorded_at": _TIME,
}


def _reading(prefix: str) -> dict[str, str]:
    """One reading of an address, before or after a treatment."""
    said = {"form": "varchar", **_STATUS, "score": "integer", "code_insee": "varchar", "reference": "varchar"}
    return {f"{prefix}_{name}": kind for name, kind in said.items()}


_POINT = {"longitude": "double", "latitude": "double"}
_LOGGED = {"op": "varchar", "version": "varchar", "generation": "bigint", "recorded_at": _TIME}

TABLES: dict[str, dict[str, str]] = {
    names.QUARANTINE: {
        "rejection_id": "varchar",
        "_source": "varchar",
        "_batch_id": "varchar",
        "_file": "varchar",
        "_line": "bigint",
        "_received_at": _TIME,
        "stage": "varchar",
        "reason": "varchar",
        "reasons": "varchar",
        "payload": "varchar",
        "raw_bytes": "blob",
    },
    "quarantine/resolutions": {
        "rejection_id": "varchar",
        "resolved_at": _TIME,
        "outcome": "varchar",
        "batch_id": "varchar",
    },
    names.BATCHES: {
        "batch_id": "varchar",
        "source": "varchar",
        "file": "varchar",
        "bytes": "bigint",
        "format": "varchar",
        "encoding": "varchar",
        "received_at": _TIME,
        "recorded_at": _TIME,
        "rows_in": "bigint",
        "rows_loaded": "bigint",
        "rows_quarantined": "bigint",
    },
    names.DECISIONS: {
        "decision_id": "varchar",
        "kind": "varchar",
        "left_source": "varchar",
        "left_key": "varchar",
        "right_source": "varchar",
        "right_key": "varchar",
        "decided_by": "varchar",
        "decided_at": _TIME,
        "reason": "varchar",
        "action": "varchar",
        "withdraws": "varchar",
    },
    names.DOCUMENTS: {
        "sha256": "varchar",
        "source": "varchar",
        "file": "varchar",
        "media_type": "varchar",
        "bytes": "bigint",
        "received_at": _TIME,
        "batch_id": "varchar",
        "title": "varchar",
        "text": "varchar",
        "metadata": "varchar",
    },
    names.ADDRESS_VALUES: {
        "value_id": "varchar",
        **{f"declared_{name}": "varchar" for name in ("address_line", "address_extra", "postcode", "city", "country")},
        **{f"line_{place}": "varchar" for place in range(2, 8)},
        **dict.fromkeys(("numero", "repetition", "type_voie", "voie", "complement", "lieu_dit", "bp"), "varchar"),
        **dict.fromkeys(("code_postal", "commune", "code_insee"), "varchar"),
        **_STATUS,
        "score": "integer",
        "street_checked": "boolean",
        **_EVIDENCE,
    },
    names.PHONE_VALUES: {
        **dict.fromkeys(("value_id", "declared_phone", "value", "proposal", "type"), "varchar"),
        **_STATUS,
        **dict.fromkeys(("region", "operator", "extension"), "varchar"),
        "others": "varchar[]",
        **_EVIDENCE,
    },
    names.EMAIL_VALUES: {
        **dict.fromkeys(("value_id", "declared_email", "value", "typed", "type"), "varchar"),
        **_STATUS,
        **dict.fromkeys(("domain", "key"), "varchar"),
        "others": "varchar[]",
        **_EVIDENCE,
    },
    names.NAME_VALUES: {
        "value_id": "varchar",
        **{f"declared_{name}": "varchar" for name in ("civility", "given_name", "family_name", "full_name")},
        **dict.fromkeys(("value", "civility", "proposed_civility", "title", "first_name", "last_name"), "varchar"),
        **dict.fromkeys(("birth_name", "first_key", "last_key", "type"), "varchar"),
        "certainty": "double",
        **_STATUS,
        **_EVIDENCE,
    },
    names.CONTACT_POINTS: {
        **dict.fromkeys(("point_id", "op", "change", "source", "source_key", "contact_source"), "varchar"),
        **dict.fromkeys(("contact_key", "kind", "field", "value_id", "value", "normal_form", "type"), "varchar"),
        **_STATUS,
        "usable": "boolean",
        "reason": "varchar",
        "incidents": "bigint",
        "since": _TIME,
        "since_known": "boolean",
        "until": _TIME,
        "happened_at": _TIME,
        "generation": "bigint",
        "run_id": "varchar",
        "recorded_at": _TIME,
    },
    names.TREATMENTS: {
        **dict.fromkeys(("treatment_id", "act", "kind", "asked_by", "reason"), "varchar"),
        "asked_at": _TIME,
        "contacts_asked": "varchar",
        "contacts": "bigint",
        "unknown": "varchar[]",
        **dict.fromkeys(("inputs", "counts", "run_id"), "varchar"),
    },
    names.TREATED_CONTACTS: {
        **dict.fromkeys(("treatment_id", "golden_id", "given"), "varchar"),
        "line": "bigint",
        **dict.fromkeys(("outcome", "reason", "detail"), "varchar"),
    },
    names.TREATED_ADDRESSES: {
        **dict.fromkeys(("treatment_id", "golden_id", "contact_source", "contact_key", "field", "value_id"), "varchar"),
        **{f"declared_{name}": "varchar" for name in ("address_line", "address_extra", "postcode", "city", "country")},
        **_reading("before"),
        "given": "varchar",
        **_reading("after"),
        **{f"after_line_{place}": "varchar" for place in range(2, 8)},
        "after_street_checked": "boolean",
        "after_evidence": _EVIDENCE["evidence"],
        "is_changed": "boolean",
        "moves_on": "date",
        **dict.fromkeys(("move_source", "move_key"), "varchar"),
    },
    names.TREATED_ATTRIBUTES: {
        **dict.fromkeys(("treatment_id", "golden_id", "source", "source_key", "attribute", "value"), "varchar"),
        **dict.fromkeys(("layer", "data_set", "origin", "origin_version"), "varchar"),
        "origin_date": "date",
        "licence": "varchar",
    },
    names.COMMUNES: {
        **dict.fromkeys(("code_insee", "name", "department", "postal_codes"), "varchar"),
        "population": "bigint",
        "n_iris": "bigint",
        "only_iris": "varchar",
        "reference": "varchar",
        "step": "bigint",
        "loaded_at": _TIME,
    },
    names.ORIGINS: {
        **dict.fromkeys(("attribute", "origin", "version", "licence", "rule"), "varchar"),
        "is_on": "boolean",
        "reference": "varchar",
        "step": "bigint",
        "loaded_at": _TIME,
    },
    names.POSITIONS: {
        **dict.fromkeys(("file", "code_insee", "street"), "varchar"),
        "number": "bigint",
        "repetition": "varchar",
        **_POINT,
        **_LOGGED,
    },
    names.IRIS_CONTOURS: {
        **dict.fromkeys(("code_iris", "code_insee", "name"), "varchar"),
        "contour": "blob",
        **dict.fromkeys(("source", "licence"), "varchar"),
        **_LOGGED,
    },
    names.PLACES: {
        **dict.fromkeys(("place_id", "value_id"), "varchar"),
        **_POINT,
        **dict.fromkeys(("precision", "position_version", "code_insee", "code_iris"), "varchar"),
        **dict.fromkeys(("iris_code", "reason", "iris_version"), "varchar"),
        "generation": "bigint",
        "run_id": "varchar",
        "recorded_at": _TIME,
    },
    names.PAIRS: {
        "left_source": "varchar",
        "left_key": "varchar",
        "right_source": "varchar",
        "right_key": "varchar",
        "match_weight": "double",
        "match_probability": "double",
        "left_hash": "varchar",
        "right_hash": "varchar",
        "model_version": "varchar",
        "run_id": "varchar",
        "recorded_at": _TIME,
    },
    names.MEMBERSHIPS: {
        "source": "varchar",
        "source_key": "varchar",
        "golden_id": "varchar",
        "valid_from": _TIME,
        "cause": "varchar",
        "run_id": "varchar",
        "generation": "bigint",
    },
    names.REDIRECTS: {
        "old_id": "varchar",
        "new_id": "varchar",
        "at": _TIME,
        "cause": "varchar",
        "run_id": "varchar",
    },
    names.LINEAGE: {
        "golden_id": "varchar",
        "event": "varchar",
        "other_id": "varchar",
        "at": _TIME,
        "cause": "varchar",
        "run_id": "varchar",
    },
    names.CONTACTS: {
        "golden_id": "varchar",
        "op": "varchar",
        "recorded_at": _TIME,
        "run_id": "varchar",
        "party_type": "varchar",
        "n_records": "bigint",
        "n_sources": "bigint",
        **{name: SQL_TYPES[kind] for name, (_, kind) in MODEL["contact"].items()},
        "provenance": (
            "struct(field varchar, source varchar, source_key varchar, rule varchar, "
            "observed_at timestamp with time zone)[]"
        ),
        "row_hash": "varchar",
    },
    names.HOUSEHOLDS: {
        **dict.fromkeys(("golden_id", "op", "household_id", "home", "reason", "role", "role_reason"), "varchar"),
        "generation": "bigint",
        "run_id": "varchar",
        "recorded_at": _TIME,
    },
    names.SUSPECTS: {
        "left_source": "varchar",
        "left_key": "varchar",
        "right_source": "varchar",
        "right_key": "varchar",
        "match_weight": "double",
        "match_probability": "double",
        "run_id": "varchar",
        "recorded_at": _TIME,
        "status": "varchar",
    },
}
"""Every lake table that a model may read, beside the raw ones."""


def columns_of(table: str) -> dict[str, str]:
    """Return the columns expected of a lake table; empty for one that nobody declared."""
    return RAW if table.startswith(f"{names.RAW}/") else TABLES.get(table, {})
