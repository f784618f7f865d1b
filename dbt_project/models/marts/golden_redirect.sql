{{ config(materialized='table') }}

with redirects as (
    select * from {{ source('golden', 'redirects') }}
),

latest as (
    select *
    from redirects
    qualify row_number() over (
        partition by old_id
        order by "at" desc, run_id desc
    ) = 1
),

-- An id that was restored (an un-merge) redirects nowhere: its newest row has no new_id.
final as (
    select
        old_id,
        new_id,
        cast("at" as timestamptz) as redirected_at,
        cause,
        run_id
    from latest
    where new_id is not null
)

select
    old_id,
    new_id,
    redirected_at,
    cause,
    run_id
from final
