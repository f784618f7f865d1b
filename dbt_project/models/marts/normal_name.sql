{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='value_id',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('quality/names') }}"
) }}

with arrived as (
    select * from {{ lake_rows(source('quality', 'names')) }}
),

final as (
    {{ latest_rows('arrived', 'value_id') }}
)

select
    value_id,
    declared_civility,
    declared_given_name,
    declared_family_name,
    declared_full_name,
    value,
    civility,
    proposed_civility,
    title,
    first_name,
    last_name,
    birth_name,
    first_key,
    last_key,
    type,
    certainty,
    status,
    codes,
    evidence,
    reference,
    run_id,
    recorded_at
from final
