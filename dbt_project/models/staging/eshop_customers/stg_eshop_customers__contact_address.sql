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
                "addresses": [
                    {
                        "id": "VARCHAR",
                        "type": "VARCHAR",
                        "line": "VARCHAR",
                        "extra": "VARCHAR",
                        "postcode": "VARCHAR",
                        "city": "VARCHAR",
                        "country": "VARCHAR",
                        "from": "VARCHAR",
                        "to": "VARCHAR"
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
        unnest(record."addresses") as element,
        generate_subscripts(record."addresses", 1) as position,
        _batch_id,
        _file,
        _line,
        _received_at
    from parsed
),

given as (
    select
        record_1 as source_key_1,
        element."id" as source_key_2,
        record_1 as contact_key_1_1,
        element."type" as address_type,
        element."line" as address_line,
        element."extra" as address_extra,
        element."postcode" as postcode,
        element."city" as city,
        element."country" as country,
        element."from" as valid_from,
        element."to" as valid_to,
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
        source_key_1 || '|' || source_key_2 as source_key,
        case
            when contact_key_1_1 is not null then 'eshop_customers'
        end as contact_source,
        contact_key_1_1 as contact_key,
        address_type,
        address_line,
        address_extra,
        postcode,
        city,
        country,
        {{ read_date("valid_from") }} as valid_from,
        {{ read_date("valid_to") }} as valid_to,
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
    address_type,
    address_line,
    address_extra,
    postcode,
    city,
    country,
    valid_from,
    valid_to,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
