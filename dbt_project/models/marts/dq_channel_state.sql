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

-- An address that two records of a source have. Two fields of one record may repeat it without being a duplicate.
shared_forms as (
    select
        source,
        kind,
        normal_form
    from points
    where status <> 'empty'
    group by all
    having min(source_key) <> max(source_key)
),

shared as (
    select
        points.source,
        points.kind as channel,
        count(distinct points.source_key) as shared
    from points
    semi join shared_forms
        on
            points.source = shared_forms.source
            and points.kind = shared_forms.kind
            and points.normal_form = shared_forms.normal_form
    where points.status <> 'empty'
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
        case when filled.filled > 0 then coalesce(shared.shared, 0) / filled.filled end as duplicate_rate
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
