{{ config(materialized='view') }}

with members as (
    select * from {{ in_this_file(ref('dim_household_member')) }}
),

contacts as (
    select * from {{ in_this_file(ref('dim_contact')) }}
),

final as (
    select
        members.household_id,
        arg_min(contacts.family_name, members.role not in ('alone', 'head')) as family_name,
        arg_min(contacts.address_line, members.role not in ('alone', 'head')) as address_line,
        arg_min(contacts.postcode, members.role not in ('alone', 'head')) as postcode,
        arg_min(contacts.city, members.role not in ('alone', 'head')) as city,
        count(*) as n_people,
        count(*) filter (where members.role = 'child') as n_children
    from members
    inner join contacts on members.golden_id = contacts.golden_id
    group by members.household_id
)

select
    household_id,
    family_name,
    address_line,
    postcode,
    city,
    n_people,
    n_children
from final
