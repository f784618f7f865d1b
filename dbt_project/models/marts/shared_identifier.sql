{{ config(materialized='table') }}

with points as (
    select * from {{ ref('dim_contact_point') }}
    where is_current and normal_form is not null
),

-- Most forms have one or two bearers: the others are found by a number each, their people counted by the form itself.
frequent as (
    select hash(kind, normal_form) as form
    from points
    group by all
    having count(*) > 5
),

memberships as (
    {{ current_memberships() }}
),

bearers as (
    select
        points.kind,
        points.normal_form,
        concat_ws(chr(31), points.contact_source, points.contact_key) as record,
        points.since,
        memberships.golden_id,
        left(upper(strip_accents(contacts.given_name)), 1) as initial
    from points
    semi join frequent on hash(points.kind, points.normal_form) = frequent.form
    inner join memberships
        on points.contact_source = memberships.source and points.contact_key = memberships.source_key
    inner join {{ ref('int_source_contact') }} as contacts
        on points.contact_source = contacts.source and points.contact_key = contacts.source_key
),

final as (
    select
        kind,
        normal_form,
        count(distinct golden_id) as n_people,
        count(distinct record) as n_records,
        min(since) as since,
        case
            when kind = 'address' then 'by_frequency'
            -- The linking model's own rule for e-mails and phones.
            when count(distinct initial) > 5 then 'none'
            else 'full'
        end as evidence
    from bearers
    group by kind, normal_form
    having count(distinct golden_id) > 5
)

select
    kind,
    normal_form,
    n_people,
    n_records,
    since,
    evidence
from final
