{{ config(materialized='table') }}

with stores as (
    select * from {{ ref('int_store') }}
    where store_code is not null
),

final as (
    select *
    from stores
    qualify row_number() over (
        partition by store_code
        order by coalesce(record_updated_at, _received_at) desc, source asc, source_key asc
    ) = 1
)

select
    store_code,
    store_name,
    address_line,
    postcode,
    city,
    source,
    source_key
from final
