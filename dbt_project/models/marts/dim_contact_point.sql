{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='point_id',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('quality/contact_points') }}"
) }}

with arrived as (
    select * from {{ lake_rows(source('quality', 'contact_points')) }}
),

final as (
    {{ latest_rows('arrived', 'point_id') }}
)

select
    point_id,
    source,
    source_key,
    contact_source,
    contact_key,
    kind,
    field,
    value_id,
    value,
    normal_form,
    type,
    status,
    codes,
    usable,
    reason,
    incidents,
    since,
    since_known,
    until,
    op = 'open' as is_current,
    change,
    happened_at,
    run_id,
    recorded_at
from final
