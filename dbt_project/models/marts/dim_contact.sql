{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='golden_id',
    on_schema_change='append_new_columns',
    pre_hook="{{ drop_retired() }}",
    post_hook=["{{ remember('golden/contacts') }}", "{{ follow_households(ref('dim_household_member')) }}"]
) }}

with contacts as (
    select * from {{ lake_rows(source('golden', 'contacts')) }}
),

-- Most contacts have one row here: only the others go through the window, which would sort every row.
repeated as (
    select golden_id
    from contacts
    group by all
    having count(*) > 1
),

latest as (
    select contacts.*
    from contacts
    anti join repeated on contacts.golden_id = repeated.golden_id
    union all by name
    select contacts.*
    from contacts
    semi join repeated on contacts.golden_id = repeated.golden_id
    qualify row_number() over (
        partition by contacts.golden_id
        order by contacts.recorded_at desc, contacts.run_id desc
    ) = 1
),

active as (
    select * from latest
    where op = 'upsert'
),

housed as (
    select
        active.*,
        members.household_id
    from active
    left join {{ ref('dim_household_member') }} as members on active.golden_id = members.golden_id
),

final as (
    select
        golden_id,
        party_type,
        civility,
        given_name,
        family_name,
        birth_name,
        full_name,
        birth_date,
        sex,
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
        latitude,
        longitude,
        loyalty_card,
        store_code,
        social_handle,
        language,
        joined_at,
        n_records,
        n_sources,
        household_id,
        provenance,
        cast(recorded_at as timestamptz) as recorded_at,
        run_id
    from housed
)

select
    golden_id,
    party_type,
    civility,
    given_name,
    family_name,
    birth_name,
    full_name,
    birth_date,
    sex,
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
    latitude,
    longitude,
    loyalty_card,
    store_code,
    social_handle,
    language,
    joined_at,
    n_records,
    n_sources,
    household_id,
    provenance,
    recorded_at,
    run_id
from final
