{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='golden_id',
    on_schema_change='append_new_columns',
    pre_hook="{{ drop_retired() }}",
    post_hook="{{ remember('golden/households') }}"
) }}

with arrived as (
    select * from {{ lake_rows(source('golden', 'households')) }}
),

latest as (
    {{ latest_rows('arrived', 'golden_id') }}
),

final as (
    select * from latest
    where op = 'upsert'
)

select
    household_id,
    golden_id,
    role,
    role_reason,
    reason,
    true as is_inferred,
    home,
    cast(recorded_at as timestamptz) as recorded_at,
    run_id
from final
