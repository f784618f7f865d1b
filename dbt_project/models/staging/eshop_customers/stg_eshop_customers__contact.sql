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
                "account_type": "VARCHAR",
                "name": {
                    "title": "VARCHAR",
                    "first": "VARCHAR",
                    "last": "VARCHAR"
                },
                "birth_date": "VARCHAR",
                "company": {
                    "name": "VARCHAR",
                    "siren": "VARCHAR",
                    "siret": "VARCHAR"
                },
                "email": "VARCHAR",
                "phone": "VARCHAR",
                "main_address": {
                    "line": "VARCHAR",
                    "extra": "VARCHAR",
                    "postcode": "VARCHAR",
                    "city": "VARCHAR",
                    "country": "VARCHAR"
                },
                "social": {
                    "handle": "VARCHAR"
                },
                "language": "VARCHAR",
                "created_at": "VARCHAR",
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
        record."customer_id" as source_key_1,
        record."account_type" as party_type,
        record."name"."title" as civility,
        record."name"."first" as given_name,
        record."name"."last" as family_name,
        record."birth_date" as birth_date,
        record."company"."name" as organisation_name,
        record."company"."siren" as siren,
        record."company"."siret" as siret,
        record."email" as email,
        record."phone" as mobile,
        record."main_address"."line" as address_line,
        record."main_address"."extra" as address_extra,
        record."main_address"."postcode" as postcode,
        record."main_address"."city" as city,
        record."main_address"."country" as country,
        record."social"."handle" as social_handle,
        record."language" as language,
        record."created_at" as joined_at,
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
        'eshop_customers' as source,
        source_key_1 as source_key,
        case when party_type in ('pro') then 'company' else 'person' end as party_type,
        case civility
            when 'mr' then 'M'
            when 'mrs' then 'MME'
            else civility
        end as civility,
        given_name,
        family_name,
        {{ read_date("birth_date") }} as birth_date,
        organisation_name,
        siren,
        siret,
        email,
        mobile,
        address_line,
        address_extra,
        postcode,
        city,
        country,
        social_handle,
        language,
        {{ read_timestamp("joined_at") }} as joined_at,
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
    party_type,
    civility,
    given_name,
    family_name,
    birth_date,
    organisation_name,
    siren,
    siret,
    email,
    mobile,
    address_line,
    address_extra,
    postcode,
    city,
    country,
    social_handle,
    language,
    joined_at,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
