{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/crm_contacts') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'crm_contacts')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "N° contact": "VARCHAR",
                "Type": "VARCHAR",
                "Civilité": "VARCHAR",
                "Prénom": "VARCHAR",
                "Nom": "VARCHAR",
                "Nom de naissance": "VARCHAR",
                "Date de naissance": "VARCHAR",
                "Société": "VARCHAR",
                "SIREN": "VARCHAR",
                "SIRET": "VARCHAR",
                "E-mail": "VARCHAR",
                "E-mail 2": "VARCHAR",
                "Téléphone": "VARCHAR",
                "Mobile": "VARCHAR",
                "Adresse": "VARCHAR",
                "Complément": "VARCHAR",
                "Code postal": "VARCHAR",
                "Ville": "VARCHAR",
                "Pays": "VARCHAR",
                "N° société": "VARCHAR",
                "Fonction": "VARCHAR",
                "Modifié le": "VARCHAR"
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
        record."N° contact" as source_key_1,
        record."Type" as party_type,
        record."Civilité" as civility,
        record."Prénom" as given_name,
        record."Nom" as family_name,
        record."Nom de naissance" as birth_name,
        record."Date de naissance" as birth_date,
        record."Société" as organisation_name,
        record."SIREN" as siren,
        record."SIRET" as siret,
        record."E-mail" as email,
        record."E-mail 2" as email_2,
        record."Téléphone" as phone,
        record."Mobile" as mobile,
        record."Adresse" as address_line,
        record."Complément" as address_extra,
        record."Code postal" as postcode,
        record."Ville" as city,
        record."Pays" as country,
        record."Type" as record_type,
        record."N° société" as employer_key,
        record."Fonction" as job_title,
        record."Modifié le" as record_updated_at,
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
        'crm_contacts' as source,
        source_key_1 as source_key,
        case when party_type in ('Société') then 'company' else 'person' end as party_type,
        case civility
            when 'Monsieur' then 'M'
            when 'Madame' then 'MME'
            when 'M.' then 'M'
            when 'Mme' then 'MME'
            else civility
        end as civility,
        given_name,
        family_name,
        birth_name,
        {{ read_date("birth_date") }} as birth_date,
        organisation_name,
        siren,
        siret,
        email,
        email_2,
        phone,
        mobile,
        address_line,
        address_extra,
        postcode,
        city,
        country,
        record_type,
        employer_key,
        job_title,
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
    birth_name,
    birth_date,
    organisation_name,
    siren,
    siret,
    email,
    email_2,
    phone,
    mobile,
    address_line,
    address_extra,
    postcode,
    city,
    country,
    record_type,
    employer_key,
    job_title,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
