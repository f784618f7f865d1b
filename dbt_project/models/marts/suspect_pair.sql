{{ config(materialized='table') }}

with suspects as (
    select *
    from {{ source('golden', 'suspects') }}
    qualify row_number() over (
        partition by left_source, left_key, right_source, right_key
        order by recorded_at desc, run_id desc
    ) = 1
),

memberships as (
    {{ current_memberships() }}
),

final as (
    select
        suspects.left_source,
        suspects.left_key,
        left_side.golden_id as left_golden_id,
        suspects.right_source,
        suspects.right_key,
        right_side.golden_id as right_golden_id,
        suspects.match_weight,
        suspects.match_probability,
        suspects.status,
        cast(suspects.recorded_at as timestamptz) as recorded_at,
        suspects.run_id
    from suspects
    left join memberships as left_side
        on suspects.left_source = left_side.source and suspects.left_key = left_side.source_key
    left join memberships as right_side
        on suspects.right_source = right_side.source and suspects.right_key = right_side.source_key
)

select
    left_source,
    left_key,
    left_golden_id,
    right_source,
    right_key,
    right_golden_id,
    match_weight,
    match_probability,
    status,
    recorded_at,
    run_id
from final
