{{ config(materialized='view') }}

with people as (
    select * from {{ in_this_file(ref('dim_contact')) }}
    where household_id is not null
),

final as (
    select
        household_id,
        arg_min(family_name, golden_id) as family_name,
        arg_min(address_line, golden_id) as address_line,
        arg_min(postcode, golden_id) as postcode,
        arg_min(city, golden_id) as city,
        count(*) as n_people
    from people
    group by household_id
)

select
    household_id,
    family_name,
    address_line,
    postcode,
    city,
    n_people
from final
