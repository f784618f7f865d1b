{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='run_id',
    on_schema_change='append_new_columns'
) }}

with points as (
    select * from {{ ref('int_contact_point') }}
),

sources as (
    select
        source,
        count(*) as records
    from {{ ref('int_source_contact') }}
    group by source
),

channels as (
    select unnest(['email', 'phone', 'address']) as channel
),

per_form as (
    select
        source,
        kind as channel,
        normal_form,
        count(distinct source_key) as holders,
        count(*) filter (where status = 'valid') as valid_points
    from points
    where status <> 'empty'
    group by all
),

shared as (
    select
        source,
        channel,
        sum(holders) filter (where holders > 1) as holders_of_shared,
        sum(holders) as holders
    from per_form
    group by all
),

filled as (
    select
        source,
        kind as channel,
        count(distinct source_key) as filled,
        count(distinct source_key) filter (where status = 'valid') as valid
    from points
    where status <> 'empty'
    group by all
),

final as (
    select
        run.run_id,
        run.measured_at,
        sources.source,
        channels.channel,
        sources.records,
        coalesce(filled.filled, 0) as filled,
        coalesce(filled.valid, 0) as valid,
        coalesce(filled.filled, 0) / sources.records as fill_rate,
        filled.valid / filled.filled as valid_rate,
        coalesce(shared.holders_of_shared, 0) / shared.holders as duplicate_rate
    from sources
    cross join channels
    cross join lake.meta.run as run
    left join filled on sources.source = filled.source and channels.channel = filled.channel
    left join shared on sources.source = shared.source and channels.channel = shared.channel
)

select
    run_id,
    measured_at,
    source,
    channel,
    cast(records as bigint) as records,
    cast(filled as bigint) as filled,
    cast(valid as bigint) as valid,
    cast(fill_rate as double) as fill_rate,
    cast(valid_rate as double) as valid_rate,
    cast(duplicate_rate as double) as duplicate_rate
from final
