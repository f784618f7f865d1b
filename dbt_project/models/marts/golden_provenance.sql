{{ config(materialized='view') }}

with contacts as (
    select
        golden_id,
        unnest(provenance) as origin
    from {{ ref('dim_contact').include(database=false) }}
),

final as (
    select
        golden_id,
        origin.field as field,
        origin.source as source,
        origin.source_key as source_key,
        origin.rule as rule,
        cast(origin.observed_at as timestamptz) as observed_at
    from contacts
)

select
    golden_id,
    field,
    source,
    source_key,
    rule,
    observed_at
from final
