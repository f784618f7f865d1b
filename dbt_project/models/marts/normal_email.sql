{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='value_id',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('quality/emails') }}"
) }}

with arrived as (
    select * from {{ lake_rows(source('quality', 'emails')) }}
),

final as (
    {{ latest_rows('arrived', 'value_id') }}
)

select
    value_id,
    declared_email,
    value,
    typed,
    type,
    status,
    codes,
    domain,
    key,
    others,
    evidence,
    reference,
    run_id,
    recorded_at
from final
