{{ config(meta={'dagster': {'ref': {'name': 'dim_contact'}}}) }}

-- Where sources disagree a rule decides, and the rule has a name.
select
    golden_id,
    provenance
from {{ ref('dim_contact') }}
where
    provenance is null
    or len(list_filter(provenance, lambda origin: coalesce(origin.rule, '') = '' or origin.source is null)) > 0
