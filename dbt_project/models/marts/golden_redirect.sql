{{ config(materialized='table') }}

with redirects as (
    select * from {{ source('golden', 'redirects') }}
),

final as (
    select
        old_id,
        new_id,
        cast("at" as timestamptz) as redirected_at,
        cause,
        run_id
    from redirects
    qualify row_number() over (
        partition by old_id
        order by "at" desc, run_id desc
    ) = 1
)

select
    old_id,
    new_id,
    redirected_at,
    cause,
    run_id
from final
