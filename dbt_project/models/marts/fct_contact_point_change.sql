{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['point_id', 'generation'],
    on_schema_change='append_new_columns',
    post_hook="{{ remember('quality/contact_points') }}"
) }}

-- That a point was first heard of is no change of it: dim_contact_point tells since when it is known.
with final as (
    select * from {{ lake_rows(source('quality', 'contact_points')) }}
    where change <> 'opened'
)

select
    point_id,
    generation,
    change,
    happened_at,
    run_id,
    recorded_at,
    contact_source,
    contact_key,
    kind,
    normal_form,
    usable,
    reason,
    incidents
from final
