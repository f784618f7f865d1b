{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/newsletter') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'newsletter')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "email": "VARCHAR",
                "date_rebond": "VARCHAR",
                "rebond": "VARCHAR",
                "motif_rebond": "VARCHAR"
            }'
        ) as record,
        _batch_id,
        _file,
        _line,
        _received_at
    from source
),

given as (
    select
        record."email" as source_key_1,
        record."date_rebond" as source_key_2,
        record."email" as contact_key_1_1,
        record."date_rebond" as happened_at,
        record."rebond" as subject,
        record."motif_rebond" as detail,
        record."email" as contact_point,
        record."date_rebond" as record_updated_at,
        _batch_id,
        _file,
        _line,
        _received_at
    from parsed
    where
        trim(record."rebond") in ('hard', 'soft')
),

trimmed as (
    select
        case
            when columns('^[a-z]') like ' %' or columns('^[a-z]') like '% '
                then nullif(trim(columns('^[a-z]')), '')
            else nullif(columns('^[a-z]'), '')
        end,
        _batch_id,
        _file,
        _line,
        _received_at
    from given
),

renamed as materialized (
    select
        'newsletter' as source,
        source_key_1 || '|' || source_key_2 as source_key,
        case
            when contact_key_1_1 is not null then 'newsletter'
        end as contact_source,
        contact_key_1_1 as contact_key,
        'bounce' as event_type,
        {{ read_timestamp("happened_at") }} as happened_at,
        'email' as channel,
        subject,
        detail,
        contact_point,
        {{ read_timestamp("record_updated_at") }} as record_updated_at,
        _batch_id,
        _file,
        _line,
        _received_at
    from trimmed
),

repeated as (
    select hash(source_key) as key_hash
    from renamed
    group by all
    having count(*) > 1
),

single_versions as (
    select renamed.*
    from renamed
    anti join repeated on hash(renamed.source_key) = repeated.key_hash
    where renamed.source_key is not null
),

several_versions as (
    select renamed.*
    from renamed
    semi join repeated on hash(renamed.source_key) = repeated.key_hash
    where renamed.source_key is not null
    qualify row_number() over (
        partition by renamed.source_key
        order by
            coalesce(renamed.record_updated_at, renamed._received_at) desc,
            renamed._received_at desc,
            renamed._batch_id desc,
            renamed._line desc
    ) = 1
),

latest as (
    select *
    from single_versions
    union all by name
    select *
    from several_versions
),

final as (
    {{ newer_than_known('latest') }}
)

select
    source,
    source_key,
    contact_source,
    contact_key,
    event_type,
    happened_at,
    channel,
    subject,
    detail,
    contact_point,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
