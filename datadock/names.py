"""The grammar of names: one name travels from Delta folder to asset key, source, contract and suite.

Nothing else in the project spells a layer, a table folder or a suite name by hand.
"""

from __future__ import annotations

import re

RAW = "raw"
STAGING = "staging"
QUALITY = "quality"
INTERMEDIATE = "intermediate"
GOLDEN = "golden"
MARTS = "marts"

LAYERS = (RAW, STAGING, QUALITY, GOLDEN, MARTS)
"""Asset groups in the order of the flow; intermediate models belong to the staging group."""

QUARANTINE = "quarantine/rejected_records"
"""Delta table: one row per record that was refused, with its bytes and its reasons."""

DOCUMENTS = "documents"
"""Delta table: one row per landed document (pdf, eml, image), with its metadata."""

BATCHES = "ledger/batches"
"""Delta table: one row per landed batch, with its balance of rows."""

DECISIONS = "ledger/decisions"
"""Delta table: append-only ledger of must-link and never-link decisions, and of what takes them back."""

ADDRESS_VALUES = "quality/addresses"
PHONE_VALUES = "quality/phones"
EMAIL_VALUES = "quality/emails"
NAME_VALUES = "quality/names"
"""Delta tables: every distinct value as declared, with its normal form, status and evidence."""

VALUES = (ADDRESS_VALUES, PHONE_VALUES, EMAIL_VALUES, NAME_VALUES)

CONTACT_POINTS = "quality/contact_points"
"""Delta table: which record says which contact point since when, and its state; the log of every change of it."""

TREATMENTS = "quality/treatments"
"""Delta table: append-only ledger of treatments of sets of contacts: who asked, when, why, and what takes one back."""

TREATED_CONTACTS = "quality/treated_contacts"
TREATED_ADDRESSES = "quality/treated_addresses"
TREATED_ATTRIBUTES = "quality/treated_attributes"
"""Delta tables: what became of each contact of a treatment's set, its addresses before and after, what was added."""

TREATED = (TREATMENTS, TREATED_CONTACTS, TREATED_ADDRESSES, TREATED_ATTRIBUTES)

COMMUNES = "reference/communes"
"""Delta table: the communes of each reference version that was used, with their IRIS where there is but one."""

ORIGINS = "reference/origins"
"""Delta table: where enriched values come from, and whether the deployment wants them."""

POSITIONS = "reference/positions"
"""Delta table: positions of numbered addresses of the loaded BAN files; the log of what each file changed."""

IRIS_CONTOURS = "reference/iris_contours"
"""Delta table: contours of IRIS that a user loaded; the log of what each load changed."""

PLACES = "quality/places"
"""Delta table: where declared addresses lie and in which contour; the log of every change of it."""

VERSIONS = "reference/versions"
"""Delta table: the reference tables that the deployment has used, one row per table and version."""

MODELS = "golden/model"
"""Folder of the linking models: one file per version, and which is in use."""

PAIRS = "golden/pairs"
MEMBERSHIPS = "golden/memberships"
REDIRECTS = "golden/redirects"
LINEAGE = "golden/lineage"
CONTACTS = "golden/contacts"
SUSPECTS = "golden/suspects"
HOUSEHOLDS = "golden/households"

IDENTITY_INDEX = "golden/identity_index"
"""Asset: the embedded index that one record is resolved and committed by; no lake table, rebuilt from the lake."""

EXPECTATIONS_STEP = "_expectations"
"""Ending of the names of the steps that judge expectation suites."""

_SOURCE_NAME = re.compile(r"^[a-z][a-z0-9_]{0,48}$")


def is_source_name(name: str) -> bool:
    """Tell whether ``name`` may name a source: lower case, digits, underscores, at most 49 characters."""
    return bool(_SOURCE_NAME.match(name)) and "__" not in name


def raw_table(source: str) -> str:
    """Return the lake table of a source's raw records, ``raw/<source>``."""
    return f"{RAW}/{source}"


def staging_model(source: str, entity: str) -> str:
    """Return the dbt staging model of one entity of a source, ``stg_<source>__<entity>``."""
    return f"stg_{source}__{entity}"


def suite(layer: str, table: str) -> str:
    """Return the name of an expectation suite, ``<layer>__<table>``."""
    return f"{layer}__{table}"
