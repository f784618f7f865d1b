{{ config(materialized='table') }}

with versions as (
    select * from {{ source('reference', 'origins') }}
),

newest as (
    select max(versions.step) as step
    from versions
),

final as (
    select versions.*
    from versions
    inner join newest on versions.step = newest.step
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
