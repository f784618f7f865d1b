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
                "updated_at": "VARCHAR",
                "lines": [
                    {
                        "line_no": "VARCHAR",
                        "sku": "VARCHAR",
                        "label": "VARCHAR",
                        "quantity": "VARCHAR",
                        "unit_price": "VARCHAR",
                        "amount": "VARCHAR"
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
        record."order_id" as record_1,
        record."customer_id" as record_2,
        record."loyalty_card" as record_3,
        record."updated_at" as record_4,
        unnest(record."lines") as element,
        generate_subscripts(record."lines", 1) as position,
        _batch_id,
        _file,
        _line,
        _received_at
    from parsed
),

given as (
    select
        record_1 as source_key_1,
        element."line_no" as source_key_2,
        record_2 as contact_key_1_1,
        record_3 as contact_key_2_1,
        record_1 as order_id,
        element."line_no" as line_no,
        element."sku" as product_code,
        element."label" as product_label,
        element."quantity" as quantity,
        element."unit_price" as unit_price,
        element."amount" as amount,
        record_4 as record_updated_at,
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
        'orders' as source,
        source_key_1 || '|' || source_key_2 as source_key,
        case
            when contact_key_1_1 is not null then 'eshop_customers'
            when contact_key_2_1 is not null then 'loyalty_cards'
        end as contact_source,
        coalesce(contact_key_1_1, contact_key_2_1) as contact_key,
        order_id,
        {{ read_integer("line_no") }} as line_no,
        product_code,
        product_label,
        {{ read_decimal("quantity") }} as quantity,
        {{ read_decimal("unit_price") }} as unit_price,
        {{ read_decimal("amount") }} as amount,
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
    line_no,
    product_code,
    product_label,
    quantity,
    unit_price,
    amount,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
