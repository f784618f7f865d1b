{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='source_key',
    on_schema_change='append_new_columns',
    post_hook="{{ remember('raw/loyalty_cards') }}"
) }}

with source as (
    select
        payload,
        _batch_id,
        _file,
        _line,
        _received_at
    from {{ lake_rows(source('raw', 'loyalty_cards')) }}
),

parsed as (
    select
        json_transform(
            payload,
            '{
                "N° carte": "VARCHAR",
                "Civilité": "VARCHAR",
                "Prénom": "VARCHAR",
                "Nom": "VARCHAR",
                "Né(e) le": "VARCHAR",
                "Courriel": "VARCHAR",
                "Tél. fixe": "VARCHAR",
                "Portable": "VARCHAR",
                "Adresse": "VARCHAR",
                "Code postal": "VARCHAR",
                "Ville": "VARCHAR",
                "Code magasin": "VARCHAR",
                "Date d''adhésion": "VARCHAR",
                "Date de mise à jour": "VARCHAR"
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
        record."N° carte" as source_key_1,
        record."Civilité" as civility,
        record."Prénom" as given_name,
        record."Nom" as family_name,
        record."Né(e) le" as birth_date,
        record."Courriel" as email,
        record."Tél. fixe" as phone,
        record."Portable" as mobile,
        record."Adresse" as address_line,
        record."Code postal" as postcode,
        record."Ville" as city,
        record."N° carte" as loyalty_card,
        record."Code magasin" as store_code,
        record."Date d'adhésion" as joined_at,
        record."Date de mise à jour" as record_updated_at,
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
        'loyalty_cards' as source,
        source_key_1 as source_key,
        'person' as party_type,
        case civility
            when 'Monsieur' then 'M'
            when 'Madame' then 'MME'
            when 'M.' then 'M'
            when 'Mme' then 'MME'
            else civility
        end as civility,
        given_name,
        family_name,
        {{ read_date("birth_date") }} as birth_date,
        email,
        phone,
        mobile,
        address_line,
        postcode,
        city,
        loyalty_card,
        store_code,
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
    email,
    phone,
    mobile,
    address_line,
    postcode,
    city,
    loyalty_card,
    store_code,
    joined_at,
    record_updated_at,
    _batch_id,
    _file,
    _line,
    _received_at
from final
