{{ config(materialized='view') }}

-- The address of the golden contact itself, and every address that its source records list beside it.
with contacts as (
    select
        golden_id,
        'main' as address_type,
        address_line,
        address_extra,
        postcode,
        city,
        country,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to,
        cast(null as varchar) as source,
        cast(null as varchar) as source_key
    from {{ in_this_file(ref('dim_contact')) }}
    where address_line is not null or postcode is not null
),

memberships as (
    select
        source,
        source_key,
        golden_id
    from {{ in_this_file(ref('golden_membership')) }}
    where is_current
),

listed as (
    select
        memberships.golden_id,
        coalesce(addresses.address_type, 'other') as address_type,
        addresses.address_line,
        addresses.address_extra,
        addresses.postcode,
        addresses.city,
        addresses.country,
        addresses.valid_from,
        addresses.valid_to,
        addresses.source,
        addresses.source_key
    from {{ in_this_file(ref('int_contact_address')) }} as addresses
    inner join memberships
        on addresses.contact_source = memberships.source and addresses.contact_key = memberships.source_key
),

unioned as (
    select * from contacts
    union all
    select * from listed
),

final as (
    select
        *,
        md5(concat_ws('|', golden_id, address_type, source, source_key)) as address_id
    from unioned
)

select
    address_id,
    golden_id,
    address_type,
    address_line,
    address_extra,
    postcode,
    city,
    country,
    valid_from,
    valid_to,
    source,
    source_key
from final
