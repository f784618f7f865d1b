{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/partner_prospects') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'partner_prospects')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "prospect_id": "VARCHAR",
                "type_tiers": "VARCHAR",
                "civilite": "VARCHAR",
                "prenom": "VARCHAR",
                "nom": "VARCHAR",
                "date_naissance": "VARCHAR",
                "raison_sociale": "VARCHAR",
                "siren": "VARCHAR",
                "courriel": "VARCHAR",
                "tel": "VARCHAR",
                "adresse": "VARCHAR",
                "complement": "VARCHAR",
                "code_postal": "VARCHAR",
                "ville": "VARCHAR",
                "maj_le": "VARCHAR"
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
        record."prospect_id" as source_key_1,
        record."type_tiers" as party_type,
        record."civilite" as civility,
        record."prenom" as given_name,
        record."nom" as family_name,
        record."date_naissance" as birth_date,
        record."raison_sociale" as organisation_name,
        record."siren" as siren,
        record."courriel" as email,
        record."tel" as phone,
        record."adresse" as address_line,
        record."complement" as address_extra,
        record."code_postal" as postcode,
        record."ville" as city,
        record."maj_le" as record_updated_at,
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
        'partner_prospects' as source,
        source_key_1 as source_key,
        case when party_type in ('PM') then 'company' else 'person' end as party_type,
        case civility
            when 'MR' then 'M'
            when 'MME' then 'MME'
            when 'MLLE' then 'MME'
            else civility
        end as civility,
        given_name,
        family_name,
        {{ read_date("birth_date") }} as birth_date,
        organisation_name,
        siren,
        email,
        phone,
        address_line,
        address_extra,
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
    given_name,
    family_name,
    birth_date,
    organisation_name,
    siren,
    email,
    phone,
    address_line,
    address_extra,
    postcode,
    city,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
