{{ config(materialized='table') }}

with versions as (
    select * from {{ source('reference', 'communes') }}
),

final as (
    select * from versions
    where step = (select max(step) from versions)
)

select
    code_insee,
    name,
    department,
    postal_codes,
    population,
    n_iris,
    only_iris,
    reference,
    loaded_at
from final
