{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/call_notes') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'call_notes')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "fields": {
                    "Dossier": "VARCHAR",
                    "Civilité": "VARCHAR",
                    "Nom": "VARCHAR",
                    "Naissance": "VARCHAR",
                    "Courriel": "VARCHAR",
                    "Téléphone": "VARCHAR",
                    "CP": "VARCHAR",
                    "Ville": "VARCHAR"
                },
                "date": "VARCHAR"
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
        record."fields"."Dossier" as source_key_1,
        record."fields"."Civilité" as civility,
        record."fields"."Nom" as full_name,
        record."fields"."Naissance" as birth_date,
        record."fields"."Courriel" as email,
        record."fields"."Téléphone" as phone,
        record."fields"."CP" as postcode,
        record."fields"."Ville" as city,
        record."date" as record_updated_at,
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
        'call_notes' as source,
        source_key_1 as source_key,
        'person' as party_type,
        case civility
            when 'Monsieur' then 'M'
            when 'Madame' then 'MME'
            when 'M.' then 'M'
            when 'Mme' then 'MME'
            else civility
        end as civility,
        full_name,
        {{ read_date("birth_date") }} as birth_date,
        email,
        phone,
        postcode,
        city,
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
    full_name,
    birth_date,
    email,
    phone,
    postcode,
    city,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
