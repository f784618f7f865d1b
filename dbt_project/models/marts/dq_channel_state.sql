{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='run_id',
    on_schema_change='append_new_columns'
) }}

-- What the contact records themselves say; addresses that they list beside their own have states of their own.
with points as (
    select
        source,
        source_key,
        kind,
        normal_form,
        status,
        usable,
        reason
    from {{ ref('dim_contact_point') }}
    where is_current and source = contact_source and source_key = contact_key and not starts_with(field, 'address_')
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
    where status <> 'VIDE'
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
    where points.status <> 'VIDE'
    group by all
),

-- A record counts by its best value in the channel, so that valid, doubtful, spoilt and rejected add up to filled.
records as (
    select
        source,
        source_key,
        kind as channel,
        bool_or(usable) as is_valid,
        bool_or(usable and status = 'CORRIGEE') as is_corrected,
        bool_or(status = 'A_CONFIRMER') as is_doubtful,
        bool_or(not usable and status in ('OK', 'CORRIGEE', 'ETRANGERE')) as is_spoilt
    from points
    where status <> 'VIDE'
    group by all
),

filled as (
    select
        source,
        channel,
        count(*) as filled,
        count(*) filter (where is_valid) as valid,
        count(*) filter (where is_valid and is_corrected) as corrected,
        count(*) filter (where is_spoilt and not is_valid) as spoilt,
        count(*) filter (where is_doubtful and not is_spoilt and not is_valid) as doubtful,
        count(*) filter (where not (is_doubtful or is_spoilt or is_valid)) as rejected
    from records
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
        coalesce(filled.corrected, 0) as corrected,
        coalesce(filled.doubtful, 0) as doubtful,
        coalesce(filled.spoilt, 0) as spoilt,
        coalesce(filled.rejected, 0) as rejected,
        coalesce(filled.filled, 0) / sources.records as fill_rate,
        filled.valid / filled.filled as valid_rate,
        filled.corrected / filled.filled as corrected_rate,
        filled.doubtful / filled.filled as doubtful_rate,
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
    cast(corrected as bigint) as corrected,
    cast(doubtful as bigint) as doubtful,
    cast(spoilt as bigint) as spoilt,
    cast(rejected as bigint) as rejected,
    cast(fill_rate as double) as fill_rate,
    cast(valid_rate as double) as valid_rate,
    cast(corrected_rate as double) as corrected_rate,
    cast(doubtful_rate as double) as doubtful_rate,
    cast(duplicate_rate as double) as duplicate_rate
from final
