"""The form of a declaration: one source, its entities, their fields; and the survivorship rules.

These classes hold and validate; reading files and wording errors for a folder is ``load``'s.
"""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic import Field as Setting

from datadock.catalog.fields import ENTITIES, FACTS, JOIN_FROM, MODEL, STORED_FROM, EntityName, Kind, Type

FormatName = Literal["csv", "jsonl", "json", "parquet", "xlsx", "xml", "eml", "document"]

_FIELD_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_list(value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    # A column may be called 1, which YAML reads as a number.
    return [str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in values]


Paths = Annotated[list[str], BeforeValidator(_as_list)]
"""One or several places of a value in the record.

``Nom`` is a column of that exact name; ``$.customer.name`` is a path into a nested record. Inside
an ``each``, ``$.sku`` is a path into the element, ``#`` the element's position (from 1), and
``^Nom`` or ``^$.order_id`` a place in the enclosing record.
"""


class Format(_Declared):
    """How the files of a source are written. What is not stated is sniffed."""

    type: FormatName
    encoding: str | None = None
    delimiter: str | None = Setting(None, min_length=1, max_length=1)
    quote: str = Setting('"', min_length=1, max_length=1)
    header: list[str] | None = Setting(None, description="Column names, for a csv without a header line.")
    sheet: str | None = Setting(None, description="xlsx: name of the sheet; the first one by default.")
    header_row: int = Setting(1, ge=1, description="xlsx: row of the column names, from 1.")
    records: str | None = Setting(
        None, description="json: path of the list of records, `$.items`; xml: name of the record's element."
    )


class Pull(_Declared):
    """Where records are fetched instead of dropped: a SQL query or a paged REST resource."""

    type: Literal["sql", "rest"]
    url: str = Setting(description="SQLAlchemy or http(s) URL; {home} and {env:NAME} are filled in.")
    query: str | None = Setting(None, description="sql: the query to run.")
    records: str = Setting("$", description="rest: path of the list of records in a page.")
    next: str | None = Setting(None, description="rest: path of the next page's URL in a page.")
    headers: dict[str, str] = Setting(default_factory=dict)
    max_pages: int = Setting(10_000, ge=1)

    @model_validator(mode="after")
    def _sql_has_a_query(self) -> Self:
        if self.type == "sql" and not self.query:
            raise ValueError("a pull of type sql needs `query`")
        return self


class Field(_Declared):
    """One field of an entity: where its value stands in the record, and what must hold of it."""

    from_: Paths = Setting(validation_alias=AliasChoices("from", "from_"), default_factory=list)
    value: str | None = Setting(None, description="A constant, instead of `from`.")
    kind: Kind | None = Setting(None, description="For a field outside the model; `attribute` by default.")
    type: Type | None = None
    formats: list[str] | None = Setting(None, description="Date formats to try, strptime notation.")
    map: dict[str, str] | None = Setting(None, description="Values to rewrite; others stay as they are.")
    required: bool = False
    strict: bool = Setting(False, description="A value that does not read as `type` goes to quarantine.")
    pattern: str | None = Setting(None, description="Regular expression that the whole value must match.")
    one_of: list[str] | None = None
    min: float | None = None
    max: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str | list | int) else value

    @model_validator(mode="after")
    def _has_an_origin(self) -> Self:
        if bool(self.from_) == (self.value is not None):
            raise ValueError("a field needs exactly one of `from` and `value`")
        return self

    @property
    def has_rules(self) -> bool:
        """Whether a record can break this field's contract."""
        return (
            self.required
            or self.strict
            or self.pattern is not None
            or self.one_of is not None
            or self.min is not None
            or self.max is not None
        )


class ContactReference(_Declared):
    """Which contact record a fact belongs to; of several, the first with a non-empty key."""

    source: str
    key: Paths


class Entity(_Declared):
    """One entity that a source's records hold."""

    key: Paths
    each: str | None = Setting(None, description="Path of a list in the record; one row per element.")
    updated_at: Paths | None = None
    party: Literal["person", "company"] | dict[str, Any] = "person"
    contact: list[ContactReference] | None = None
    only: dict[str, list[str]] = Setting(
        default_factory=dict, description="Keep records whose place holds one of these values."
    )
    fields: dict[str, Field]

    @model_validator(mode="after")
    def _field_names(self) -> Self:
        for name in self.fields:
            if not _FIELD_NAME.match(name):
                raise ValueError(f"field `{name}`: lower-case letters, digits and underscores only")
        if isinstance(self.party, dict) and not {"from", "company"} <= self.party.keys():
            raise ValueError("`party` is person, company, or {from: COLUMN, company: [VALUES]}")
        return self


class Freshness(_Declared):
    """How old the newest record may be before the source counts as stale."""

    warn_after_days: float = Setting(gt=0)


class Source(_Declared):
    """One source: who owns it, how it arrives, what it holds."""

    name: str
    description: str
    owner: str
    trust: float = Setting(0.5, ge=0, le=1, description="Weight in survivorship.")
    format: Format
    pattern: str = "*"
    freshness: Freshness | None = None
    pull: Pull | None = None
    deduplicated: bool = Setting(False, description="No two records of this source are one person.")
    occasional: bool = Setting(False, description="Records come now and then: an empty table or field is no news.")
    max_quarantine_rate: float = Setting(
        0.1, ge=0, le=1, description="A batch with a larger share in quarantine raises a warning."
    )
    entities: dict[EntityName, Entity] = Setting(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, entity in self.entities.items():
            own = MODEL[name]
            for field, declared in entity.fields.items():
                if field in own and declared.kind not in (None, own[field][0]):
                    raise ValueError(f"{name}.{field}: its kind is `{own[field][0]}`; a model field keeps its kind")
            if name in FACTS and entity.contact is None and "contact" not in self.entities:
                raise ValueError(f"{name}: `contact` must say which source's contact it belongs to")
            if entity.contact is not None and name not in FACTS:
                raise ValueError(f"{name}: only {', '.join(FACTS)} take `contact`")
        return self

    @property
    def main_entity(self) -> EntityName:
        """The first declared entity: the one whose key every record must have."""
        return next(iter(self.entities))

    def kind(self, entity: str, field: str) -> Kind:
        """Return the kind of a field."""
        known = MODEL[entity].get(field)
        declared = self.entities[entity].fields[field].kind  # type: ignore[index]  # a str of EntityName
        return known[0] if known else (declared or "attribute")

    def type(self, entity: str, field: str) -> Type:
        """Return the type of a field: declared, else the model's, else text."""
        declared = self.entities[entity].fields[field].type  # type: ignore[index]  # a str of EntityName
        known = MODEL[entity].get(field)
        if declared:
            return declared
        if known:
            return known[1]
        return "date" if self.kind(entity, field) == "birth_date" else "text"


class Rule(_Declared):
    """How the golden value of a field is chosen: criteria in order, the first that decides wins."""

    by: list[Literal["validity", "trust", "recency", "completeness", "frequency"]] = Setting(min_length=1)
    together: list[str] = Setting(
        default_factory=list, description="Fields taken from the same record as this one (address parts)."
    )


class Survivorship(_Declared):
    """The survivorship rules: one default, and one per field that differs."""

    default: Rule = Rule(by=["validity", "trust", "recency", "completeness"])
    fields: dict[str, Rule] = Setting(default_factory=dict)


class Returns(_Declared):
    """When letters that came back make an address invalid."""

    invalid_after: int = Setting(3, ge=1, description="Counted returns, of different mailings, to one address.")
    counts: dict[str, bool] = Setting(
        default_factory=dict, description="Motive of the feed to whether it counts; beside the common motives."
    )


class Bounces(_Declared):
    """When e-mails that came back make an address invalid; a hard bounce does at once."""

    soft_invalid_after: int = Setting(3, ge=1, description="Soft bounces within the window.")
    soft_window_days: int = Setting(30, ge=1)


class DataSetKey(_Declared):
    """What a data set is joined to contacts by."""

    column: str = Setting(description="Column of the file.")
    of: Literal["golden_id", "siren", "postcode", "department", "commune", "iris"]


class DataSet(_Declared):
    """A data set whose attributes are added to the contacts of a treatment, and to no other."""

    description: str
    origin: str = Setting(min_length=1, description="Who publishes it.")
    version: str = Setting(min_length=1, description="Its version or vintage.")
    date: datetime.date = Setting(description="Day for which it holds.")
    licence: str = Setting(min_length=1)
    file: str = Setting(description="csv, jsonl or parquet; relative to the catalog.")
    key: DataSetKey
    attributes: dict[str, str] = Setting(min_length=1, description="Attribute to the column that holds it.")

    @model_validator(mode="after")
    def _attribute_names(self) -> Self:
        for name in self.attributes:
            if not _FIELD_NAME.match(name):
                raise ValueError(f"attribute `{name}`: lower-case letters, digits and underscores only")
        return self


class Enrichments(_Declared):
    """Which inferred or joined attributes a deployment does not want, and data sets that are added to chosen contacts.

    What is switched off is gone at the next run.
    """

    off: list[Literal["commune", "iris", "age_band", "sex", "phone_operator", "phone_type"]] = Setting(
        default_factory=list
    )
    data_sets: dict[str, DataSet] = Setting(default_factory=dict)


class ContactRules(_Declared):
    """What incidents mean for the contact point that they concern."""

    returns: Returns = Returns()
    bounces: Bounces = Bounces()


class Threshold(_Declared):
    """Bits of match weight from which records join, in the mean of their group; one number holds for both."""

    person: float = Setting(JOIN_FROM, ge=STORED_FROM, le=60)
    company: float = Setting(JOIN_FROM, ge=STORED_FROM, le=60)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"person": value, "company": value} if isinstance(value, int | float) else value


class IdentityLimits(_Declared):
    """Limits beyond which a run stops before anything of the linking is written."""

    block_records: int = Setting(
        800, ge=2, description="Records that share one blocking key: twice what training stops a key at."
    )
    cluster_records: int = Setting(
        200, ge=2, description="Records of one golden contact: nobody is known to a company that often."
    )
    edge_precision_drop: float = Setting(
        0.05,
        gt=0,
        le=1,
        description="How far the precision of strong pairs among decided ones may fall from one run to the next.",
    )
    decided_pairs: int = Setting(
        20, ge=1, description="Decided pairs below which precision is not judged: one answer would weigh 5 points."
    )
    id_churn: float = Setting(
        0.02,
        gt=0,
        le=1,
        description="Share of records whose golden id changes without a decision: a tenth more records moves 0.3 %.",
    )
    id_churn_new_model: float = Setting(
        0.10, gt=0, le=1, description="The same where model, threshold or fields are new: a raised threshold moves 4 %."
    )


class Reviewed(_Declared):
    """What the linking must reach on `reviewed.csv` of the catalog, where there is one."""

    precision: float = Setting(0.98, ge=0, le=1, description="Least share of the found pairs that are right.")
    recall: float = Setting(0.90, ge=0, le=1, description="Least share of the true pairs that were found.")
    b3_f1: float = Setting(0.95, ge=0, le=1, description="Least B-cubed F1.")
    judged_by: Literal["estimate", "lower"] = Setting(
        "estimate", description="What is held against the limits: the estimate, or the lower end of its interval."
    )
    on_failure: Literal["warn", "block"] = "warn"


class IdentityRules(_Declared):
    """What links, from which weight records join, what stops a run, and what a reviewed sample must show."""

    engine: Literal["duckdb", "spark"] = Setting(
        "duckdb", description="What makes and compares pairs: DuckDB in the run's process, or Spark."
    )
    threshold: Threshold = Threshold()
    limits: IdentityLimits = IdentityLimits()
    reviewed: Reviewed = Reviewed()


__all__ = [
    "ENTITIES",
    "ContactReference",
    "ContactRules",
    "DataSet",
    "Enrichments",
    "Entity",
    "Field",
    "Format",
    "IdentityLimits",
    "IdentityRules",
    "Pull",
    "Reviewed",
    "Rule",
    "Source",
    "Survivorship",
    "Threshold",
]
