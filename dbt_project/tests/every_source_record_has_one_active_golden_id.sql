{{ config(meta={'dagster': {'ref': {'name': 'dim_contact_source'}}}) }}

-- Every contact record of every source maps to exactly one golden id, and that id is active.
with memberships as (
    select
        source,
        source_key,
        count(*) as active_ids,
        min(golden_id) as golden_id
    from {{ ref('golden_membership') }}
    where is_current
    group by all
),

contacts as (
    select
        records.source,
        records.source_key,
        records.golden_id as shown_id,
        memberships.golden_id,
        coalesce(memberships.active_ids, 0) as active_ids
    from {{ ref('dim_contact_source') }} as records
    left join memberships
        on records.source = memberships.source and records.source_key = memberships.source_key
)

select contacts.*
from contacts
left join {{ ref('dim_contact') }} as golden on contacts.golden_id = golden.golden_id
where
    contacts.active_ids <> 1
    or golden.golden_id is null
    or contacts.shown_id is distinct from contacts.golden_id
