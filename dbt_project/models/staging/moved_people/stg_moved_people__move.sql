{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/moved_people') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'moved_people')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "move_key": "VARCHAR",
                "crm_contacts": "VARCHAR",
                "eshop_customers": "VARCHAR",
                "loyalty_cards": "VARCHAR",
                "newsletter": "VARCHAR",
                "partner_prospects": "VARCHAR",
                "call_notes": "VARCHAR",
                "moves_on": "VARCHAR",
                "address_line": "VARCHAR",
                "address_extra": "VARCHAR",
                "postcode": "VARCHAR",
                "city": "VARCHAR",
                "country": "VARCHAR",
                "old_address_line": "VARCHAR",
                "old_address_extra": "VARCHAR",
                "old_postcode": "VARCHAR",
                "old_city": "VARCHAR",
                "old_country": "VARCHAR"
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
        record."move_key" as source_key_1,
        record."crm_contacts" as contact_key_1_1,
        record."eshop_customers" as contact_key_2_1,
        record."loyalty_cards" as contact_key_3_1,
        record."newsletter" as contact_key_4_1,
        record."partner_prospects" as contact_key_5_1,
        record."call_notes" as contact_key_6_1,
        record."moves_on" as moves_on,
        record."address_line" as address_line,
        record."address_extra" as address_extra,
        record."postcode" as postcode,
        record."city" as city,
        record."country" as country,
        record."old_address_line" as old_address_line,
        record."old_address_extra" as old_address_extra,
        record."old_postcode" as old_postcode,
        record."old_city" as old_city,
        record."old_country" as old_country,
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
        'moved_people' as source,
        source_key_1 as source_key,
        case
            when contact_key_1_1 is not null then 'crm_contacts'
            when contact_key_2_1 is not null then 'eshop_customers'
            when contact_key_3_1 is not null then 'loyalty_cards'
            when contact_key_4_1 is not null then 'newsletter'
            when contact_key_5_1 is not null then 'partner_prospects'
            when contact_key_6_1 is not null then 'call_notes'
        end as contact_source,
        coalesce(
            contact_key_1_1,
            contact_key_2_1,
            contact_key_3_1,
            contact_key_4_1,
            contact_key_5_1,
            contact_key_6_1
        ) as contact_key,
        {{ read_date("moves_on") }} as moves_on,
        address_line,
        address_extra,
        postcode,
        city,
        country,
        old_address_line,
        old_address_extra,
        old_postcode,
        old_city,
        old_country,
        cast(null as timestamptz) as record_updated_at,
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
    moves_on,
    address_line,
    address_extra,
    postcode,
    city,
    country,
    old_address_line,
    old_address_extra,
    old_postcode,
    old_city,
    old_country,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
