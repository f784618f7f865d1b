{{ config(materialized='table') }}

with members as (
    {{ current_memberships() }}
),

points as (
    select
        members.golden_id,
        points.*
    from {{ ref('dim_contact_point') }} as points
    left join members
        on points.contact_source = members.source and points.contact_key = members.source_key
    where points.is_current
),

reachable as (
    select distinct
        golden_id,
        kind
    from points
    where usable
),

faulty as (
    select
        points.contact_source as source,
        points.contact_key as source_key,
        points.kind as channel,
        points.value,
        points.golden_id,
        reachable.golden_id is null as is_blocked,
        unnest(
            case
                when points.status in ('A_CONFIRMER', 'REJETEE', 'VIDE') and len(points.codes) > 0 then points.codes
                else [points.reason]
            end
        ) as code
    from points
    left join reachable on points.golden_id = reachable.golden_id and points.kind = reachable.kind
    where not points.usable and points.reason <> 'DECES'
),

names as (
    select
        source,
        source_key,
        'name' as channel,
        cast(null as varchar) as value,
        cast(null as varchar) as golden_id,
        false as is_blocked,
        unnest(codes) as code
    from {{ ref('dim_contact_name') }}
    where status in ('A_CONFIRMER', 'REJETEE')
),

unioned as (
    select
        source,
        source_key,
        channel,
        value,
        golden_id,
        is_blocked,
        code
    from faulty
    union all
    select
        source,
        source_key,
        channel,
        value,
        golden_id,
        is_blocked,
        code
    from names
),

final as (
    select
        source,
        channel,
        code,
        count(distinct source_key) as records,
        count(distinct golden_id) filter (where is_blocked) as blocked_contacts,
        min(value) as example
    from unioned
    group by all
)

select
    source,
    channel,
    code,
    records,
    blocked_contacts,
    example
from final
