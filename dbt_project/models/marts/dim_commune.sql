{{ config(materialized='table') }}

with versions as (
    select * from {{ source('reference', 'communes') }}
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
