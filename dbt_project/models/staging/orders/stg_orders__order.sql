{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/orders') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'orders')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "order_id": "VARCHAR",
                "customer_id": "VARCHAR",
                "loyalty_card": "VARCHAR",
                "ordered_at": "VARCHAR",
                "source": "VARCHAR",
                "store_code": "VARCHAR",
                "amount": "VARCHAR",
                "currency": "VARCHAR",
                "status": "VARCHAR",
                "updated_at": "VARCHAR"
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
        record."order_id" as source_key_1,
        record."customer_id" as contact_key_1_1,
        record."loyalty_card" as contact_key_2_1,
        record."order_id" as order_id,
        record."ordered_at" as ordered_at,
        record."source" as channel,
        record."store_code" as store_code,
        record."amount" as amount,
        record."currency" as currency,
        record."status" as status,
        record."updated_at" as record_updated_at,
        _batch_id,
        _file,
        _line,
        _received_at
    from parsed
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
        'orders' as source,
        source_key_1 as source_key,
        case
            when contact_key_1_1 is not null then 'eshop_customers'
            when contact_key_2_1 is not null then 'loyalty_cards'
        end as contact_source,
        coalesce(contact_key_1_1, contact_key_2_1) as contact_key,
        order_id,
        {{ read_timestamp("ordered_at") }} as ordered_at,
        channel,
        store_code,
        {{ read_decimal("amount") }} as amount,
        currency,
        status,
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
    order_id,
    ordered_at,
    channel,
    store_code,
    amount,
    currency,
    status,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
