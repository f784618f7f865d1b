{{ config(materialized='table') }}

with versions as (
    select * from {{ source('reference', 'origins') }}
),

final as (
    select * from versions
    where step = (select max(step) from versions)
)

select
    attribute,
    origin,
    version,
    licence,
    rule,
    is_on,
    reference,
    loaded_at
from final
