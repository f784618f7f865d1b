{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/eshop_customers') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'eshop_customers')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "customer_id": "VARCHAR",
                "updated_at": "VARCHAR",
                "contracts": [
                    {
                        "contract_id": "VARCHAR",
                        "role": "VARCHAR",
                        "since": "VARCHAR"
                    }
                ]
            }'
        ) as record,
        _batch_id,
        _file,
        _line,
        _received_at
    from source
),

elements as (
    select
        record."customer_id" as record_1,
        record."updated_at" as record_2,
        unnest(record."contracts") as element,
        generate_subscripts(record."contracts", 1) as position,
        _batch_id,
        _file,
        _line,
        _received_at
    from parsed
),

given as (
    select
        record_1 as source_key_1,
        element."contract_id" as source_key_2,
        element."role" as source_key_3,
        record_1 as contact_key_1_1,
        element."contract_id" as contract_id,
        element."role" as role,
        element."since" as since,
        record_2 as record_updated_at,
        _batch_id,
        _file,
        _line,
        _received_at
    from elements
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
        'eshop_customers' as source,
        source_key_1 || '|' || source_key_2 || '|' || source_key_3 as source_key,
        case
            when contact_key_1_1 is not null then 'eshop_customers'
        end as contact_source,
        contact_key_1_1 as contact_key,
        contract_id,
        role,
        {{ read_date("since") }} as since,
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
    contract_id,
    role,
    since,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
