{{ config(materialized='table') }}

with arrived as (
    select * from {{ source('reference', 'iris_contours') }}
),

latest as (
    {{ latest_rows('arrived', 'code_iris') }}
),

final as (
    select * from latest
    where op = 'upsert'
)

select
    code_iris,
    code_insee,
    name,
    source,
    version,
    licence,
    recorded_at as loaded_at
from final
