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
                "N° société": "VARCHAR",
                "Rôle": "VARCHAR",
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
        record."N° société" as source_key_2,
        record."Rôle" as source_key_3,
        record."N° contact" as contact_key_1_1,
        record."N° société" as contract_id,
        record."Rôle" as role,
        record."N° société" as company_key,
        record."Fonction" as job_title,
        record."Modifié le" as record_updated_at,
        _batch_id,
        _file,
        _line,
        _received_at
    from parsed
    where
        trim(record."Rôle") in ('Décideur', 'Utilisateur', 'Payeur')
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
        source_key_1 || '|' || source_key_2 || '|' || source_key_3 as source_key,
        case
            when contact_key_1_1 is not null then 'crm_contacts'
        end as contact_source,
        contact_key_1_1 as contact_key,
        contract_id,
        case role
            when 'Décideur' then 'decider'
            when 'Utilisateur' then 'user'
            when 'Payeur' then 'payer'
            else role
        end as role,
        company_key,
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
    contact_source,
    contact_key,
    contract_id,
    role,
    company_key,
    job_title,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
