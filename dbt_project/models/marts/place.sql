{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='place_id',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('quality/places') }}"
) }}

with arrived as (
    select * from {{ lake_rows(source('quality', 'places')) }}
),

final as (
    {{ latest_rows('arrived', 'place_id') }}
)

select
    place_id,
    value_id,
    longitude,
    latitude,
    precision,
    position_version,
    code_insee,
    code_iris,
    iris_code,
    reason,
    iris_version,
    recorded_at
from final
