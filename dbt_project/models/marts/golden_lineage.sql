{{ config(materialized='table') }}

with events as (
    select * from {{ source('golden', 'lineage') }}
),

final as (
    select
        golden_id,
        event,
        other_id,
        cast("at" as timestamptz) as happened_at,
        cause,
        run_id
    from events
)

select
    golden_id,
    event,
    other_id,
    happened_at,
    cause,
    run_id
from final
