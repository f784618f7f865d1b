{{ config(materialized='view') }}

with contacts as (
    select
        golden_id,
        unnest(provenance) as origin
    from {{ in_this_file(ref('dim_contact')) }}
),

final as (
    select
        golden_id,
        origin.field,
        origin.source,
        origin.source_key,
        origin.rule,
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
