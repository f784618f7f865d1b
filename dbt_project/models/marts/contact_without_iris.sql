{{ config(materialized='view') }}

with final as (
    select * from {{ in_this_file(ref('contact_iris')) }}
    where code_iris is null
)

select
    golden_id,
    reason,
    code_insee,
    longitude,
    latitude,
    precision
from final
