{{ config(materialized='table') }}

with roles as (
    select
        *,
        right(regexp_replace(company_siren, '[^0-9]', '', 'g'), 9) as siren
    from {{ ref('int_contact_role') }}
    where company_key is not null or company_siren is not null
),

memberships as (
    {{ current_memberships() }}
),

companies as (
    select
        golden_id,
        organisation_name,
        regexp_replace(siren, '[^0-9]', '', 'g') as siren
    from {{ ref('dim_contact') }}
    where party_type = 'company'
),

by_siren as (
    select
        siren,
        min(golden_id) as golden_id
    from companies
    where length(siren) = 9
    group by siren
),

-- A company that the source itself holds is found by its record, any other by its SIREN.
resolved as (
    select
        roles.*,
        people.golden_id as person_golden_id,
        coalesce(keyed.golden_id, by_siren.golden_id) as company_golden_id,
        case
            when keyed.golden_id is not null then 'record'
            when by_siren.golden_id is not null then 'siren'
        end as found_by
    from roles
    left join memberships as people
        on roles.contact_source = people.source and roles.contact_key = people.source_key
    left join memberships as own
        on roles.source = own.source and roles.company_key = own.source_key
    left join companies as keyed on own.golden_id = keyed.golden_id
    left join by_siren on roles.siren = by_siren.siren
),

final as (
    select
        resolved.*,
        companies.organisation_name as company_name,
        coalesce(resolved.record_updated_at, resolved._received_at) as since
    from resolved
    left join companies on resolved.company_golden_id = companies.golden_id
)

select
    company_golden_id,
    company_name,
    person_golden_id,
    role,
    job_title,
    found_by,
    company_key,
    company_siren,
    source,
    source_key,
    contact_source,
    contact_key,
    since
from final
