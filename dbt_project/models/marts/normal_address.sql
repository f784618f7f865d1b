{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='value_id',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('quality/addresses') }}"
) }}

with arrived as (
    select * from {{ lake_rows(source('quality', 'addresses')) }}
),

final as (
    {{ latest_rows('arrived', 'value_id') }}
)

select
    value_id,
    declared_address_line,
    declared_address_extra,
    declared_postcode,
    declared_city,
    declared_country,
    line_2,
    line_3,
    line_4,
    line_5,
    line_6,
    line_7,
    numero,
    repetition,
    type_voie,
    voie,
    complement,
    lieu_dit,
    bp,
    code_postal,
    commune,
    code_insee,
    status,
    codes,
    score,
    street_checked,
    evidence,
    reference,
    run_id,
    recorded_at
from final
